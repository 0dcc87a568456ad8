package importer

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// plainProfile makes a profile of settings for the usual platforms, or for the one
// that a program with C code can be built for without more.
func plainProfile(name string, of settings, only string) *profileDraft {
	p := &profileDraft{name: name, of: map[target]settings{}}
	add := func(t target) {
		own := maps.Clone(of)
		own["archive"] = value{text: map[bool]string{true: "zip", false: "tar.gz"}[t.os == "windows"]}
		p.targets, p.of[t] = append(p.targets, t), own
	}
	if only != "" {
		goos, arch, _ := strings.Cut(only, "/")
		arch, variant, _ := strings.Cut(arch, "/")
		add(target{goos, arch, variant})
		return p
	}
	for _, goos := range []string{"darwin", "linux", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			add(target{os: goos, arch: arch})
		}
	}
	return p
}

// Module is what is known of a directory without a configuration.
type Module struct {
	Path   string   // of the module in it, or of the first below
	Vendor bool     // modules are in the vendor directory
	Files  []string // patterns of further files
	Tag    string   // of the version tags; "" for the go command's
	Go     string   // the toolchain, where go.mod names none that can build; "" for go.mod's
	Part   Part     // the module with programs: a file is for one
}

// Part is a module with programs.
type Part struct {
	Dir  string // below the directory; "" for the directory itself
	Path string
	Main []string          // main packages: ./, ./cmd/x
	Set  map[string]string // variables for the linker, with templates
	CGO  string            // the platform, if a program has C code that it cannot do without; "" for none
}

// settings are those of a part.
func (m Module) settings(p Part) settings {
	of := settings{}
	if len(p.Main) == 1 {
		of["main"] = value{text: quote(p.Main[0])}
	} else if len(p.Main) > 1 {
		of["main"] = value{list: quoted(p.Main)}
	}
	if p.CGO != "" {
		of["cgo"] = value{text: "true"}
	}
	if m.Vendor {
		of["mod"] = value{text: "vendor"}
	}
	for name, v := range p.Set {
		of["ldflags.set/"+name] = value{text: quote(v)}
	}
	if len(m.Files) > 0 {
		of["files"] = value{list: quoted(m.Files)}
	}
	return of
}

// Propose writes a profile file for such a directory. sign is the path of the
// private key, or none.
func Propose(m Module, sign string) (string, error) {
	im := newImporter(Source{Name: "the module", Module: m.Path, Sign: sign, Plain: m})
	im.draft.top = []pair{{"project", value{text: quote(ProgramName(m.Path))}}}
	im.plain(nil)
	im.common()
	text, err := im.finish()
	if err == nil && len(im.order) > 0 { // there is nobody to read lines
		var errs []error
		for _, s := range im.order {
			errs = append(errs, fmt.Errorf("%s: %s", s.Key, s.Text))
		}
		return "", fault.Errorf("write mintmark.yaml by hand: docs/profiles.md has an example", "no profile file can be made of %s: %w", im.Name, errors.Join(errs...))
	}
	return text, err
}

// plain makes a profile of the module, with what was found besides. A file is for one
// module; of several, whoever calls has to choose.
func (im *importer) plain(more settings) {
	m := im.Plain
	if m.Part.Dir != "" {
		im.draft.top = append(im.draft.top, pair{"dir", value{text: quote(m.Part.Dir)}})
	}
	of := m.settings(m.Part)
	maps.Copy(of, more)
	im.draft.profiles = append(im.draft.profiles, plainProfile("release", of, m.Part.CGO))
}

// common adds the keys of the file that no source has.
func (im *importer) common() {
	has := func(key string) bool {
		return slices.ContainsFunc(im.draft.top, func(p pair) bool { return p.key == key })
	}
	if im.Plain.Go != "" && !has("go") {
		im.draft.top = append(im.draft.top, pair{"go", value{text: quote(im.Plain.Go)}})
	}
	if im.Plain.Tag != "" && im.format.key("tag") && !has("tag") {
		im.draft.top = append(im.draft.top, pair{"tag", value{text: quote(im.Plain.Tag)}})
	}
	switch {
	case im.Sign == "":
	case im.Sign == "none":
		im.draft.top = append(im.draft.top, pair{"sign", value{text: "none"}})
	default:
		im.draft.top = append(im.draft.top, pair{"sign.key", value{text: quote(im.Sign)}})
	}
}

// IsMain reports whether a directory holds a program: Go files of package main, but
// those that no build has (//go:build ignore).
func IsMain(tree fs.FS, dir string) bool {
	return slices.Contains(Packages(tree, dir), "main")
}

// Packages are the names of packages in a directory, without tests and files that a
// build never has.
func Packages(tree fs.FS, dir string) (names []string) {
	entries, err := fs.ReadDir(tree, path.Clean(dir))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") || e.Name()[0] == '_' || e.Name()[0] == '.' {
			continue
		}
		data, err := readFile(tree, path.Join(dir, e.Name()))
		if err != nil || ignored(data) {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), data, parser.PackageClauseOnly)
		if err == nil && !slices.Contains(names, f.Name.Name) {
			names = append(names, f.Name.Name)
		}
	}
	return names
}

// ignored reports whether a file says that it is no part of its package.
func ignored(data []byte) bool {
	for l := range strings.SplitSeq(string(data[:min(len(data), 4<<10)]), "\n") {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "package ") {
			return false
		}
		if rest, ok := strings.CutPrefix(l, "//go:build "); ok && strings.Contains(" "+rest+" ", " ignore ") {
			return true
		}
		if rest, ok := strings.CutPrefix(l, "// +build "); ok && strings.TrimSpace(rest) == "ignore" {
			return true
		}
	}
	return false
}
