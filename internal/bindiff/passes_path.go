package bindiff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

// Passes about the paths of source files, which the binary keeps in its
// pclntab and, without -trimpath, as they were on the machine that built it.

const remedyPath = "build both with -trimpath"

// sorted are the absolute file names of one side by what they belong to.
type sortedFiles struct {
	goroot, modcache, build      string   // prefixes without a slash at the end; "" when none
	inGoroot, inModcache, inTree []string // the names without the prefix, sorted
}

func (s *side) sortFiles() (sortedFiles, error) {
	var out sortedFiles
	files, err := s.sourceFiles()
	if err != nil {
		return out, err
	}
	var rest []string
	for _, f := range files {
		if f = strings.ReplaceAll(f, `\`, "/"); gobin.Absolute(f) {
			rest = append(rest, f)
		}
	}
	out.goroot = gobin.FindGoroot(rest)
	take := func(prefix string) (taken []string) {
		if prefix == "" {
			return nil
		}
		rest = slices.DeleteFunc(rest, func(f string) bool {
			name, ok := strings.CutPrefix(f, prefix+"/")
			if ok {
				taken = append(taken, name)
			}
			return ok
		})
		slices.Sort(taken)
		return taken
	}
	out.inGoroot = take(out.goroot)
	out.modcache = gobin.FindModCache(rest, s.file.BuildInfo)
	out.inModcache = take(out.modcache)
	out.build = commonDir(rest)
	out.inTree = take(out.build)
	return out, nil
}

// commonDir is the deepest directory that holds all files.
func commonDir(files []string) string {
	if len(files) == 0 {
		return ""
	}
	dir := files[0][:strings.LastIndexByte(files[0], '/')]
	for _, f := range files[1:] {
		for dir != "" && !strings.HasPrefix(f, dir+"/") {
			dir = dir[:max(0, strings.LastIndexByte(dir, '/'))]
		}
	}
	return dir
}

// paths runs f on the sorted files of both sides if both have any.
func (p *pair) paths(f func(a, b sortedFiles) []finding) []finding {
	a, errA := p.a.sortFiles()
	b, errB := p.b.sortFiles()
	for _, err := range []error{errA, errB} {
		if err != nil && !slices.Contains(p.notes, err.Error()) {
			p.notes = append(p.notes, err.Error())
		}
	}
	if errA != nil || errB != nil {
		return nil
	}
	return f(a, b)
}

// swapped makes the finding for a prefix that differs. It is certain when the
// names behind the prefixes are the same.
func swapped(what, a, b string, namesA, namesB []string) []finding {
	if a == "" || b == "" || a == b {
		return nil
	}
	same := slices.Equal(namesA, namesB)
	if !same && (strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")) {
		return nil // other files, so the deepest directory of all is another
	}
	c, text := fact.Likely, fmt.Sprintf("%d files below it in A, %d in B", len(namesA), len(namesB))
	if same {
		c, text = fact.Certain, fmt.Sprintf("the names of all %d files below it are the same", len(namesA))
	}
	return oneFinding(c, 0, remedyPath, change(what, a, b), text)
}

func buildPath(p *pair) []finding {
	if p.infos() {
		a, b, _, _ := p.setting("-trimpath")
		if (a == "true") != (b == "true") {
			return oneFinding(fact.Certain, 0, remedyPath, change("build information -trimpath", a, b))
		}
	}
	return p.paths(func(a, b sortedFiles) []finding {
		return swapped("directory of the source", a.build, b.build, a.inTree, b.inTree)
	})
}

func gorootPath(p *pair) []finding {
	return p.paths(func(a, b sortedFiles) []finding {
		return swapped("GOROOT", a.goroot, b.goroot, a.inGoroot, b.inGoroot)
	})
}

func modcachePath(p *pair) []finding {
	return p.paths(func(a, b sortedFiles) []finding {
		return swapped("module cache", a.modcache, b.modcache, a.inModcache, b.inModcache)
	})
}
