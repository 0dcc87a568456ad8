package fact

import (
	"maps"
	"slices"
)

// Circumstance is one thing that a build could see, spelled as manifests spell it.
type Circumstance string

// The circumstances that are looked at. Those in capitals are environment
// variables of the command that built; GOROOT is where its toolchain lay.
const (
	Home       Circumstance = "HOME"
	TmpDir     Circumstance = "TMPDIR"
	GoCache    Circumstance = "GOCACHE"
	GoModCache Circumstance = "GOMODCACHE"
	GoMaxProcs Circumstance = "GOMAXPROCS"
	Goroot     Circumstance = "GOROOT"
	Language   Circumstance = "LANG"
	Path       Circumstance = "PATH"
	TimeZone   Circumstance = "TZ"
	User       Circumstance = "USER"
	Directory  Circumstance = "directory"  // of the source
	GitClone   Circumstance = "git clone"  // where it was built from one
	ModuleZip  Circumstance = "module zip" // where it was built from one
	// SourceArchive is the copy of a commit's files that somebody else made.
	SourceArchive Circumstance = "source archive"
	HostName      Circumstance = "host name"
	Umask         Circumstance = "umask"
	CCompiler     Circumstance = "C compiler" // of a unit with cgo
	Clock         Circumstance = "clock"
	FileSystem    Circumstance = "file system"
	Git           Circumstance = "git" // the command, where go asks it for a stamp
	Kernel        Circumstance = "kernel"
	Machine       Circumstance = "machine"
)

// Variables are the circumstances that are environment variables.
func Variables() []Circumstance {
	return []Circumstance{Home, TmpDir, GoCache, GoModCache, GoMaxProcs, Language, Path, TimeZone, User}
}

// dependent are those of which it depends on the rights or the settings of
// whoever builds whether they become what was asked for.
func (c Circumstance) dependent() bool { return c == HostName || c == Umask }

// Circumstances are what was true of one execution: each circumstance that is
// known of it, and its value, such as a path; a variable that was not set is "".
// Of what is not in it nothing is known.
//
// Of [HostName] and [Umask] the value is what was asked for. Whether it came to
// that depends on who asked.
type Circumstances map[Circumstance]string

// Compared says how executions of the same thing stand to each other, sorted.
type Compared struct {
	Varied    []string // was different in any two of them
	Attempted []string // was asked to be, and whether it was depends on the rights of whoever built
	Shared    []string // was the same in some of them
}

// Compare compares the executions of each unit, and says what holds of all units
// of which it is known. What is not known of every execution of a unit says
// nothing about that unit, and where there are not two executions there is
// nothing to compare.
func Compare(units [][]Circumstances) Compared {
	differ := map[Circumstance]bool{}
	for _, executions := range units {
		if len(executions) < 2 {
			continue
		}
		for c := range executions[0] {
			values := map[string]bool{}
			known := true
			for _, e := range executions {
				v, ok := e[c]
				values[v], known = true, known && ok
			}
			if !known {
				continue
			}
			all, seen := differ[c]
			differ[c] = len(values) == len(executions) && (all || !seen)
		}
	}
	var out Compared
	for _, c := range slices.Sorted(maps.Keys(differ)) {
		list := &out.Shared
		switch {
		case differ[c] && c.dependent():
			list = &out.Attempted
		case differ[c]:
			list = &out.Varied
		}
		*list = append(*list, string(c))
	}
	return out
}
