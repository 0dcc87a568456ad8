package fetch

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/files"
)

// ProfileReader reads the profile file, which no package and no key names.
const ProfileReader = "mintmark"

// FindUnseen finds the files that git ignores and a build reads. Private keys are
// ignored on purpose, and what lies in the output directory is ours.
func (s *Subject) FindUnseen(ctx context.Context) ([]source.Unseen, error) {
	if s.Repo == nil || s.included != nil {
		return s.included, nil
	}
	found, err := s.Repo.Unseen(ctx, s.named())
	if err != nil {
		return nil, fmt.Errorf("looking for files that git ignores: %w", err)
	}
	var names []string
	for _, f := range found {
		names = append(names, f.Name)
	}
	keys := s.Repo.WithKeys(names)
	found = slices.DeleteFunc(found, func(f source.Unseen) bool {
		rel, err := filepath.Rel(s.Out, filepath.Join(s.Repo.Root(), filepath.FromSlash(f.Name)))
		return slices.Contains(keys, f.Name) || s.Repo.IsGenerated(f.Name, s.Generates) || err == nil && filepath.IsLocal(rel)
	})
	return append([]source.Unseen{}, found...), nil // not nil: it was looked for
}

// named are the files that the profile file names beside packages.
func (s *Subject) named() (wanted []source.Wanted) {
	if name, ok := s.profileFile(); ok {
		wanted = append(wanted, source.Wanted{By: ProfileReader, Pattern: name})
	}
	add := func(key, pattern string) {
		w := source.Wanted{By: key + " in " + s.File.Path, Dir: s.Source.Dir, Pattern: filepath.ToSlash(filepath.Clean(pattern))}
		if pattern != "" && !strings.Contains(pattern, "{{") && !slices.Contains(wanted, w) && s.File.Path != "" {
			wanted = append(wanted, w)
		}
	}
	for _, p := range s.File.Profiles {
		for _, pl := range p.Platforms {
			settings := p.Settings(pl)
			for _, f := range settings.Files {
				add("files", f.Src)
			}
			for _, c := range settings.Packages.Contents {
				if c.Type.File() {
					add("packages.contents", c.Src)
				}
			}
			for _, f := range settings.Packages.Scripts.List() {
				add("packages.scripts", f)
			}
			if settings.PGO != "off" {
				add("pgo", settings.PGO)
			}
		}
	}
	return wanted
}

// profileFile is the profile file's path from the top of the tree, as a pattern;
// ok is false if it lies elsewhere, or if there is none.
func (s *Subject) profileFile() (pattern string, ok bool) {
	if s.Repo == nil || s.File.Path == "" {
		return "", false
	}
	name := s.ConfigFile
	if name == "" {
		name = filepath.Join(s.Dir, ConfigName)
	}
	name, err := files.RealPath(name)
	if err != nil {
		return "", false
	}
	rel, err := filepath.Rel(s.Repo.Root(), name)
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(filepath.ToSlash(rel)), err == nil && filepath.IsLocal(rel)
}
