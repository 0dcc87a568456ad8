package lint

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fetch"
)

// ignoredEmbeds warns of embedded directories in which git ignores what is made
// there: all of it, or what a pattern matches. A build of the commit has only what is
// committed, and says nothing of the rest; a plain build where the rest was made has it.
func (l *Linted) ignoredEmbeds(ctx context.Context) (warnings []string, err error) {
	embedded := l.Planner.Embedded()
	whole := map[string]bool{} // directories of which git ignores all
	for _, dir := range directories(embedded) {
		ignored, err := l.Repo.IsIgnored(ctx, path.Join(l.Source.Dir, dir, "x"))
		if err != nil {
			return nil, err
		}
		if !ignored {
			continue
		}
		whole[dir] = true
		if has := within(dir, embedded); !slices.ContainsFunc(has, l.Generates) {
			warnings = append(warnings, fmt.Sprintf("files of %s/ are embedded, and git ignores what is made there: a build of the commit has only what is committed (%s); if a command makes the rest, name it in generate of %s, or commit it", dir, fetch.FirstFew(has), fetch.ConfigName))
		}
	}
	patterns, err := l.Repo.EmbedIgnores(ctx)
	if err != nil {
		return nil, err
	}
	var readers []string
	for _, p := range patterns {
		readers = append(readers, p.By)
	}
	slices.Sort(readers)
	reads := l.Planner.Reads(l.Repo.Root(), slices.Compact(readers))
	unseen := l.readUnseen()
	var order []source.EmbedIgnored
	dirs := map[source.EmbedIgnored][]string{} // by pattern, of any example and reader
	for _, p := range patterns {
		name := l.inModule(p.Name)
		if !reads[p.By] || l.said(p, unseen) || l.made(name, p, embedded) || below(path.Dir(name), whole) {
			continue
		}
		if worth, err := l.worth(ctx, p); err != nil || !worth {
			if err != nil {
				return nil, err
			}
			continue
		}
		key := source.EmbedIgnored{File: p.File, Line: p.Line, Pattern: p.Pattern}
		if dirs[key] == nil {
			order = append(order, key)
		}
		dirs[key] = append(dirs[key], path.Dir(name))
	}
	for _, p := range order {
		warnings = append(warnings, fmt.Sprintf("what lies in %s is embedded, and git ignores %s there (%s:%d): a build of the commit has only what is committed; if a command makes such files, name it in generate of %s, or commit them (git add -f)", fetch.FirstFew(outermost(dirs[p])), p.Pattern, p.File, p.Line, fetch.ConfigName))
	}
	return warnings, nil
}

// below reports whether dir is one of dirs, or in one.
func below(dir string, dirs map[string]bool) bool {
	for ; dir != "." && dir != "/"; dir = path.Dir(dir) {
		if dirs[dir] {
			return true
		}
	}
	return false
}

// outermost are the directories that lie in no other of them, sorted, as they are shown.
func outermost(dirs []string) (list []string) {
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		if !slices.ContainsFunc(list, func(d string) bool { return d == "./" || strings.HasPrefix(dir, d) }) {
			list = append(list, dir+"/")
		}
	}
	return list
}

// inModule is a path from the top as one from the module's directory.
func (l *Linted) inModule(name string) string {
	return strings.TrimPrefix(name, path.Join(".", l.Source.Dir)+"/")
}

// said reports whether files that the pattern matches lie in the tree: they are named
// in a warning of their own.
func (l *Linted) said(p source.EmbedIgnored, unseen []source.Unseen) bool {
	return slices.ContainsFunc(unseen, func(f source.Unseen) bool {
		return f.By == p.By && path.Ext(f.Name) == path.Ext(p.Name)
	})
}

// made reports whether a command of the profile file makes what the pattern matches:
// a file called like the example, or one of that ending or directory which is embedded.
func (l *Linted) made(name string, p source.EmbedIgnored, embedded []string) bool {
	return l.Generates(name) || slices.ContainsFunc(embedded, func(e string) bool {
		return l.Generates(e) && (path.Ext(e) != "" && path.Ext(e) == path.Ext(p.Name) || strings.HasPrefix(e, path.Dir(name)+"/"))
	})
}

// worth reports whether a pattern is worth a word. A .gitignore is mostly about what
// no program reads, wherever it lies: what editors, systems, compilers and tests leave
// behind. A warning of each would be read by nobody. So a pattern counts only if
// something says that the files are the program's:
//
//   - it is for an embedded directory, which it names or in which it stands: nobody
//     writes it for a file that has no place there; or
//   - it is for a kind of file in any directory, as *.hdr is, and Go code of the module
//     has a text with the ending, as what makes or reads such files has. One that is a
//     name without a wildcard (log.txt, todo.txt, build) is for one file or directory
//     that somebody has lying about, and common in texts besides.
//
// In either case not if the pattern itself says that it is for rubbish, or for a secret.
func (l *Linted) worth(ctx context.Context, p source.EmbedIgnored) (bool, error) {
	parts := strings.Split(strings.Trim(p.Pattern, "/"), "/")
	if isRubbish(path.Base(p.Name)) || slices.ContainsFunc(parts, isRubbish) {
		return false, nil
	}
	if p.Aimed {
		return true, nil
	}
	last := parts[len(parts)-1]
	ext := path.Ext(last)
	if len(ext) < 2 || strings.ContainsAny(ext, `*?[\ `) || !strings.ContainsAny(last, "*?[") {
		return false, nil
	}
	return l.Repo.NamesEnding(ctx, ext)
}

// isRubbish reports whether a name is one that is ignored wherever there is one of it,
// as the collections of .gitignore files have them.
func isRubbish(name string) bool {
	switch strings.ToLower(name) {
	case "node_modules", "__pycache__", "coverage", "logs", "tmp", "temp", "thumbs.db", "desktop.ini", "ehthumbs.db":
		return true
	}
	switch {
	case strings.HasPrefix(name, "."), strings.HasPrefix(name, "#"), strings.HasSuffix(name, "~"):
		return true // of systems, editors and tools
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".swp", ".swo", ".swn", ".bak", ".old", ".orig", ".rej", ".tmp", ".temp", ".part", // of editors, merges and downloads
		".log", ".pid", ".lock", ".seed", ".cache", ".db", ".sqlite", ".sqlite3", // of runs
		".exe", ".dll", ".so", ".dylib", ".o", ".a", ".obj", ".lib", ".pyc", ".class", ".pdb", ".dsym", // of compilers
		".test", ".out", ".prof", ".pprof", ".cover", ".coverprofile", // of tests
		".pem", ".key", ".p12", ".pfx", ".env", // private on purpose
		".local", ".iml", ".suo", ".user": // settings of one developer
		return true
	}
	return false
}

// directories are those that the files are in, but the top one: whoever ignores
// all of that, and names what is not ignored, means it.
func directories(names []string) []string {
	var dirs []string
	for _, name := range names {
		if dir := path.Dir(name); dir != "." && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// within are the files of the directory itself.
func within(dir string, names []string) (in []string) {
	for _, name := range names {
		if path.Dir(name) == dir {
			in = append(in, name)
		}
	}
	return in
}
