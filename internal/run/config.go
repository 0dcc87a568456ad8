package run

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/checksums"
)

// Config is what a verb works on. The zero value of a field is its default.
type Config struct {
	Dir        string   // the product's checkout; "." by default
	ConfigFile string   // profile file; default: mintmark.yaml in Dir, else the built-in profile
	AsVersion  string   // of the release of a commit without a version tag; with or without v
	Module     string   // PATH@VERSION: take the source from the module proxy
	Toolchain  string   // exact version; overrides the profile file's
	Profiles   []string // names; default: all that have platforms
	Platforms  string   // comma list of patterns
	Out        string   // output directory, "dist" in Dir by default
	Jobs       int      // builds at a time; default: the machine's processors
	Parts      []string // files with parts of a release: that which is made, or those that are merged
	// On are the machines that build: addresses of workers, and "here". None: here.
	On []string
	// Workers are those whose signature a receipt must have, each that of one of them.
	// None: a receipt is believed as it is.
	Workers  []checksums.Trust
	Self     string // this program's file, which is brought to workers
	Snapshot bool   // build the tree as it is, dirty or not, with what git ignores; never signed
	Types    bool   // check type-checks the packages of every unit as well
	Modules  bool   // check looks at go.mod, go.sum and vendor as well, with the network

	// Full makes both builds begin with empty caches, takes nothing from the
	// proof ledger, and hashes everything again that is remembered as checked.
	Full bool
	// Proven makes verify -rebuild build twice, and take from the proof ledger of
	// this machine what is proven. Ledgers imply it.
	Proven bool
	// Generate makes verify -rebuild run the commands by which a release generated
	// files: programs of a stranger's choosing. Without it the files come from the
	// release.
	Generate bool
	// Ledgers are published ledgers of other rebuilders: FILE with
	// FILE.sigstore.json beside it. The profile file names their keys.
	Ledgers []string

	// Time says what each build took; in a release its report does.
	Time bool

	NoReport bool     // leave measurements.json, report.html and report.md out
	Against  string   // earlier release that the report compares sizes with: directory or measurements.json
	With     []string // results of bench, size -waterfall and size -retained that the report shows

	Cache string // mintmark's own cache directory
	// Secret authenticates what mintmark remembers of its own builds; without
	// one it remembers nothing that would spare a build.
	Secret   []byte
	Now      time.Time        // when the verb began; only for what is unused for long
	Environ  []string         // the user's environment; see builds/toolchain for what is used of it
	Key      checksums.KeyRef // of the signing key; overrides the profile file's
	Password checksums.PasswordFunc
	Given    checksums.PasswordFunc // the passphrase that nobody need be asked for; nil if there is none
	Tool     string                 // mintmark's own version, for the manifest

	// Event is told what happens, from several goroutines. May be nil.
	Event func(Event)
}

// EventKind says what an event is about, and which of its fields it has.
type EventKind string

const (
	Phase     EventKind = "phase"     // a step began: Text
	Start     EventKind = "start"     // task ID began Text; Estimate
	Step      EventKind = "step"      // task ID goes on to Text
	Done      EventKind = "done"      // task ID ended Text; Err
	Lost      EventKind = "lost"      // task ID came to nothing by no fault of its own, and begins anew; Err
	Note      EventKind = "note"      // Text
	Warning   EventKind = "warning"   // Text
	Remaining EventKind = "remaining" // Estimate for all that is left
	Total     EventKind = "total"     // N things will start and end
)

// Event is progress of a verb.
type Event struct {
	Kind     EventKind
	ID       schedule.ID
	Text     string
	Estimate time.Duration
	N        int
	Err      error
}

func (c *Config) Emit(e Event) {
	if c.Event != nil {
		c.Event(e)
	}
}

// Note says something that is worth knowing.
func (c *Config) Note(format string, args ...any) {
	c.Emit(Event{Kind: Note, Text: fmt.Sprintf(format, args...)})
}

func (c *Config) Warn(format string, args ...any) {
	c.Emit(Event{Kind: Warning, Text: fmt.Sprintf(format, args...)})
}

func (c *Config) Phase(text string) { c.Emit(Event{Kind: Phase, Text: text}) }

// Parallel is how many actions a build may run that has the machine for itself.
func (c *Config) Parallel() int {
	if c.Jobs > 0 {
		return c.Jobs
	}
	return runtime.NumCPU()
}

// Env looks a variable up in the user's environment.
func (c *Config) Env(name string) string {
	value := ""
	for _, kv := range c.Environ {
		if n, v, _ := strings.Cut(kv, "="); n == name {
			value = v
		}
	}
	return value
}

// LookupEnv looks a variable up in the user's environment, for env://NAME.
func (c *Config) LookupEnv(name string) (value string, ok bool) {
	for _, kv := range c.Environ {
		if n, v, _ := strings.Cut(kv, "="); n == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// OneMachine reports whether there are no two machines to build on. That two addresses
// are two machines is known only once they have built.
func (c *Config) OneMachine() bool { return len(c.On) < 2 }

// ReleaseKind is what a release of the configuration calls itself.
func (c *Config) ReleaseKind() checksums.Kind {
	if c.Snapshot {
		return checksums.KindSnapshot
	}
	return checksums.KindRelease
}
