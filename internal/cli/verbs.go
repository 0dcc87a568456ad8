package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// Flags are all flags of all verbs. A nil flag was not given.
type Flags struct {
	Config    *string `flag:"config" help:"profile file (default: mintmark.yaml in the product's directory, else the built-in profile)"`
	Profile   *string `flag:"profile" help:"profiles, separated by commas (default: all that have platforms)"`
	Platform  *string `flag:"platform" help:"platforms or patterns, separated by commas, such as linux,windows/amd64,linux/arm/7"`
	Out       *string `flag:"out" help:"output directory (default: dist in the product's directory)"`
	Jobs      *int    `flag:"jobs" help:"builds at a time (default: the number of processors)"`
	JSON      *bool   `flag:"json" help:"print the result as one JSON document"`
	Dir       *string `flag:"dir" help:"the product's directory in its git checkout (default: the current one)"`
	Module    *string `flag:"module" help:"take the source from the module proxy: PATH@VERSION"`
	Toolchain *string `flag:"toolchain" help:"exact toolchain, such as go1.26.8 (default: the profile file's, else go.mod's)"`
	Snapshot  *bool   `flag:"snapshot" help:"build the tree as it is, committed or not, ignored by git or not; never signed"`
	Types     *bool   `flag:"types" help:"type-check the packages of every unit as well, from their sources; nothing is compiled"`
	Explain   *bool   `flag:"explain" help:"print every resolved setting with the file and line it came from"`

	Key      *string `flag:"key" help:"public key of the publisher: file, env://NAME or KMS URI"`
	Project  *string `flag:"project" help:"refuse a release of another project"`
	Version  *string `flag:"version" help:"refuse another version"`
	Commit   *string `flag:"commit" help:"refuse another commit"`
	Partial  *bool   `flag:"partial" help:"accept that listed files are missing"`
	Unsigned *bool   `flag:"unsigned" help:"check without a key that the files agree with each other"`
	Repeat   *int    `flag:"repeat" help:"path is a checkout: build it until so many builds agree or two differ, and publish nothing"`

	Rebuild    *bool   `flag:"rebuild" help:"build the release again from its recorded source and toolchain, and compare every stage"`
	Proven     *bool   `flag:"proven" with:"rebuild" help:"build twice, and take from this machine's proof ledger what it has proven"`
	Source     *string `flag:"source" help:"git repository to take the source from, a directory or a URL (default: the module proxy)"`
	Threshold  *int    `flag:"threshold" help:"how many rebuilders must vouch for every file (default: all that are named)"`
	Rebuilder  *string `flag:"rebuilder" list:"true" help:"public keys of rebuilders whose statements count: files, env://NAME or KMS URIs, separated by commas"`
	Statements *string `flag:"statements" reads:"name statements of rebuilders, or the directory they are in" dirs:"true" list:"true" help:"rebuild statements: files or directories, separated by commas (default: those beside the release)"`

	Full    *bool   `flag:"full" help:"build everything twice from empty caches and use nothing that was proven or checked before"`
	Ledgers *string `flag:"ledgers" reads:"name ledgers that other rebuilders have published" help:"published ledgers of other rebuilders, separated by commas; the profile file names their keys"`
	Prune   *int    `flag:"prune" help:"forget what no release has used for so many days"`
	Forget  *bool   `flag:"forget" help:"forget everything"`

	By        *string `flag:"by" help:"show one list only: package, module, kind, function or file (embedded ones)"`
	Top       *int    `flag:"top" help:"rows of a list; 0 is all (default: 20; with -json 100 functions)"`
	Twin      *string `flag:"twin" reads:"name an unstripped link of the same program" help:"an unstripped link of the same program, for the names of variables"`
	Old       *string `flag:"old" reads:"name an older binary of the same program" help:"compare with this older binary; the same as naming it first"`
	SQL       *string `flag:"sql" help:"write every range of the file as SQL text: sqlite3 sizes.db < FILE"`
	Waterfall *bool   `flag:"waterfall" help:"FILE is a checkout: build a profile's variants for one -platform and say what each setting saves"`
	SVG       *string `flag:"svg" help:"write a treemap"`

	Like *string `flag:"like" reads:"name a binary of the same release" help:"settings for binaries that record none: those of this binary of the same release"`
	Keep *string `flag:"keep" help:"directory for the recovered profiles and the rebuilt files that differ"`

	Files    *string `flag:"files" reads:"name programs that were built" help:"programs, separated by commas; the first is the base (default: the checkout's profile with bench:, its variants)"`
	Args     *string `flag:"args" help:"arguments of every program, as in a shell"`
	Env      *string `flag:"env" help:"the programs' whole environment, as in a shell: 'A=1 B=\"x y\"'"`
	Stdin    *string `flag:"stdin" reads:"name the file that standard input comes from" help:"file that their standard input comes from (default: empty)"`
	Ready    *string `flag:"ready" help:"when they count as started: exit (default), first-byte, stdout:REGEXP, tcp:PORT"`
	Time     *string `flag:"time" help:"how long the rounds may take, warm and cold each, such as 1m (default: 20s)"`
	Within   *string `flag:"within" help:"stop earlier when all ratios are known to so many percent (default: 2)"`
	Cold     *bool   `flag:"cold" help:"also start with the program out of the page cache (default: true)"`
	Memory   *bool   `flag:"memory" help:"also read their memory (default: true)"`
	Sweep    *bool   `flag:"sweep" help:"also start them with 0 to 1000 environment variables: packed programs can crash there"`
	Realtime *bool   `flag:"realtime" help:"run them before everything else on a busy machine (Linux, root)"`
	Seed     *int    `flag:"seed" help:"order of the rounds (default: another each time)"`
	Samples  *string `flag:"samples" help:"write every start to this file, one JSON object per line"`
	Format   *string `flag:"format" help:"table (default), markdown, or gobench for benchstat"`

	Report  *bool   `flag:"report" help:"write measurements.json, report.html and report.md into the release (default: true)"`
	Against *string `flag:"against" reads:"-against takes the directory of an earlier release, or its measurements.json" dirs:"true" help:"compare sizes with an earlier release: its directory or measurements.json"`
	With    *string `flag:"with" reads:"-with takes what bench -json and size -waterfall -json print" list:"true" help:"show these too: files that bench -json and size -waterfall -json printed, separated by commas"`
	In      *string `flag:"in" reads:"name CPU profiles that were recorded" list:"true" help:"further profiles to merge, separated by commas"`

	Prefix *string `flag:"prefix" help:"where to write PREFIX.key and PREFIX.pub (default: mintmark)"`
}

// Verb is one thing mintmark does.
type Verb struct {
	Name    string
	Summary string
	// Args are the names of its arguments, all of them required; but of one that
	// ends in "..." there may be any number. A Mage target cannot have such ones:
	// a flag takes them there.
	Args  []string
	Flags []string // names, in the order of the help text
	run   func(ctx context.Context, d *Door, f Flags, args []string) error
}

var building = []string{"config", "profile", "platform", "out", "jobs", "json", "dir", "module", "toolchain", "snapshot"}

func without(names []string, drop ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(drop, n) })
}

// Verbs are all verbs, in the order of the help text.
func Verbs() []Verb {
	return []Verb{
		{"release", "build everything twice, compare, archive, checksum and sign", nil, append(without(building), "full", "ledgers", "report", "against", "with"), runRelease},
		{"build", "build everything once, without checking anything", nil, building, runBuild},
		{"plan", "print what would be built, and build nothing", nil, append(without(building, "out", "jobs"), "explain"), runPlan},
		{"check", "find what is wrong before building", nil, append(without(building, "out", "jobs"), "types"), runCheck},
		{"verify", "check a published release: signatures, checksums, files, record", []string{"path"}, []string{"key", "project", "module", "version", "commit", "partial", "unsigned", "rebuild", "proven", "ledgers", "source", "threshold", "rebuilder", "statements", "repeat", "config", "profile", "platform", "jobs", "toolchain", "json"}, runVerify},
		{"report", "check a release and say what it is: verdict, files, sizes, start-up, provenance", []string{"path"}, []string{"key", "project", "module", "version", "commit", "against", "with", "out", "json"}, runReport},
		{"attest", "build a published release again and sign what came out identical", []string{"path"}, []string{"key", "project", "module", "version", "commit", "platform", "source", "out", "jobs", "json"}, runAttest},
		{"diff", "say why two binaries, archives, directories or releases differ", []string{"a", "b"}, []string{"json"}, runDiff},
		{"inspect", "print what a binary says of itself, and whether anybody changed it", []string{"file"}, []string{"json"}, runInspect},
		{"size", "say what every byte of a binary is for, or why it grew", []string{"file"}, []string{"by", "top", "twin", "old", "sql", "svg", "waterfall", "config", "profile", "platform", "jobs", "json"}, runSize},
		{"why", "say why a package is in the program: by which imports and references", []string{"path"}, without(building, "out", "jobs", "module"), runWhy},
		{"rebuild", "rebuild published binaries of anybody and compare bit for bit", []string{"binaries"}, []string{"source", "like", "keep", "key", "jobs", "json"}, runRebuild},
		{"ledger", "show, check and prune what earlier releases have proven", nil, []string{"prune", "forget", "json"}, runLedger},
		{"bench", "compare the start-up and memory of programs, or of the variants of a profile", []string{"file..."}, append([]string{"files", "args", "env", "stdin", "ready", "time", "within", "cold", "memory", "sweep", "realtime", "seed", "samples", "format"}, without(building, "out")...), runBench},
		{"pgo", "merge CPU profiles for the optimiser: pgo merge OUT IN...", []string{"command", "out", "in..."}, []string{"in", "json"}, runPGO},
		{"keygen", "make a key pair for signing, encrypted with a passphrase", nil, []string{"prefix"}, runKeygen},
	}
}

// many reports whether the verb's one argument may be given several times.
func (v Verb) many() bool { return v.Name == "rebuild" }

// Find gives the verb of that name.
func Find(name string) (Verb, bool) {
	for _, v := range Verbs() {
		if v.Name == name {
			return v, true
		}
	}
	return Verb{}, false
}

// Parse reads a verb's command line: -name=value or -name value, before or
// after the argument. help is true if help was asked for.
func (v Verb) Parse(args []string) (f Flags, words []string, help bool, err error) {
	flags := flag.NewFlagSet(v.Name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	rv := reflect.ValueOf(&f).Elem()
	for i := range rv.NumField() {
		field := rv.Type().Field(i)
		name, usage := field.Tag.Get("flag"), field.Tag.Get("help")
		if !slices.Contains(v.Flags, name) {
			continue
		}
		target := rv.Field(i)
		set := func(s string) error {
			p := reflect.New(field.Type.Elem())
			switch v := p.Interface().(type) {
			case *string:
				*v = s
				if field.Tag.Get("list") != "" && !target.IsNil() {
					*v = target.Elem().String() + "," + s // given again
				}
			case *int:
				n, err := strconv.Atoi(s)
				if err != nil {
					return errors.New("want a number")
				}
				*v = n
			case *bool:
				b, err := strconv.ParseBool(s)
				if err != nil {
					return errors.New("want true or false")
				}
				*v = b
			}
			target.Set(p)
			return nil
		}
		if field.Type.Elem().Kind() == reflect.Bool {
			flags.BoolFunc(name, usage, set)
		} else {
			flags.Func(name, usage, set)
		}
	}
	hint := fmt.Sprintf("mintmark %s -help lists its flags", v.Name)
	for len(args) > 0 {
		if err := flags.Parse(args); err == flag.ErrHelp {
			return f, nil, true, nil
		} else if err != nil {
			return f, nil, false, fault.Usagef(v.flagHint(err, hint), "%s: %v", v.Name, err)
		}
		args = flags.Args()
		if len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	if len(words) == 2 && v.Name == "size" && f.Old == nil { // OLD NEW
		f.Old, words = &words[0], words[1:]
	}
	n := len(v.Args)
	if v.Name == "size" && f.Old == nil && len(words) > 2 {
		n = 2 // the third is one too many
	}
	more := len(v.Args) > 0 && strings.HasSuffix(v.Args[len(v.Args)-1], "...") // any number, none too
	if more {
		n--
	}
	switch {
	case len(words) > n && !more && !v.many():
		return f, nil, false, fault.Usagef(hint, "%s: unexpected argument %q", v.Name, words[n])
	case len(words) < n:
		return f, nil, false, fault.Usagef(hint, "%s: missing argument: %s", v.Name, v.Args[len(words)])
	}
	return f, words, false, nil
}

// flagHint is the hint for a command line that cannot be read: the flag that
// may be meant, or otherwise.
func (v Verb) flagHint(err error, otherwise string) string {
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		name, _, _ = strings.Cut(name, "=")
		return meant(name, v.Flags, "-%s", otherwise)
	}
	return otherwise
}

// text is what a flag means for this verb.
func (v Verb) text(field reflect.StructField) string {
	var parts []string
	for _, m := range v.meanings(field) {
		text := m.text
		if len(m.with) > 0 {
			text = "with -" + strings.Join(m.with, " or -") + ": " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// meaning is what a flag means beside one of some others; beside none of them it
// means nothing. with is nil of what it means by itself.
type meaning struct {
	with []string
	text string
}

func (v Verb) meanings(field reflect.StructField) []meaning {
	if own, ok := ownMeanings()[v.Name][field.Tag.Get("flag")]; ok {
		return own
	}
	return []meaning{{strings.Fields(field.Tag.Get("with")), field.Tag.Get("help")}}
}

// partners are the flags beside one of which a flag means something; none if it
// does by itself.
func (v Verb) partners(field reflect.StructField) (names []string) {
	for _, m := range v.meanings(field) {
		if len(m.with) == 0 {
			return nil
		}
		names = append(names, m.with...)
	}
	return names
}

// ownMeanings are those of flags that mean something else for one verb than for
// the others.
func ownMeanings() map[string]map[string][]meaning {
	by := func(text string) []meaning { return []meaning{{text: text}} }
	with := func(text string, flags ...string) []meaning { return []meaning{{flags, text}} }
	return map[string]map[string][]meaning{
		"report": {
			"module": by("refuse a release of another module"), "out": by("directory for report.html and report.md (default: none are written)"),
		},
		"attest": {
			"module":   by("refuse a release of another module"),
			"platform": by("attest only these platforms or patterns, separated by commas, such as linux,windows/amd64"),
			"out":      by("file to write, NAME.rebuild.sigstore.json (default: beside the release)"),
		},
		"verify": {
			"module":    by("refuse a release of another module"),
			"config":    append(with("the profile file", "repeat"), with("yours, whose ledger.rebuilders count", "ledgers")...),
			"profile":   with("profiles, separated by commas (default: all that have platforms)", "repeat"),
			"platform":  with("platforms or patterns, separated by commas, such as linux,windows/amd64", "rebuild", "repeat"),
			"jobs":      with("builds at a time (default: the number of processors)", "rebuild", "repeat"),
			"toolchain": with("exact toolchain, such as go1.26.8 (default: the profile file's, else go.mod's)", "repeat"),
			"ledgers":   with("published ledgers of other rebuilders, separated by commas; -config names their keys", "rebuild"),
			"source":    with("git repository to take the source from, a directory or a URL (default: the module proxy)", "rebuild"),
		},
		"rebuild": {
			"key": by("your own private key, to sign what came out identical: file, env://NAME or KMS URI"),
		},
		"size": {
			"config":   with("profile file (default: mintmark.yaml in the product's directory, else the built-in profile)", "waterfall"),
			"profile":  with("profiles, separated by commas (default: all that have platforms)", "waterfall"),
			"platform": with("platforms or patterns, separated by commas, such as linux/amd64", "waterfall"),
			"jobs":     with("build actions at a time (default: the number of processors)", "waterfall"),
		},
		"bench": {
			"config":    by("without -files: profile file (default: mintmark.yaml in the product's directory, else the built-in profile)"),
			"profile":   by("without -files: profiles, separated by commas (default: all that have platforms)"),
			"platform":  by("without -files: platforms or patterns, separated by commas, such as linux/amd64"),
			"jobs":      by("without -files: build actions at a time (default: the number of processors)"),
			"dir":       by("without -files: the product's directory in its git checkout (default: the current one)"),
			"module":    by("without -files: take the source from the module proxy: PATH@VERSION"),
			"toolchain": by("without -files: exact toolchain, such as go1.26.8 (default: the profile file's, else go.mod's)"),
			"snapshot":  by("without -files: build the tree as it is, committed or not"),
		},
	}
}

// Help is the text of mintmark VERB -help.
func (v Verb) Help() string {
	var b strings.Builder
	args := ""
	for _, a := range v.Args {
		if name, more := strings.CutSuffix(a, "..."); more {
			args += " [" + strings.ToUpper(name) + "]..."
			continue
		}
		args += " " + strings.ToUpper(a)
	}
	if v.Name == "size" {
		args = " [OLD]" + args
	}
	if v.many() {
		args += "…"
	}
	fmt.Fprintf(&b, "mintmark %s [-name=value]...%s\n\n%s\n\n", v.Name, args, v.Summary)
	rt := reflect.TypeFor[Flags]()
	for _, name := range v.Flags {
		for i := range rt.NumField() {
			if f := rt.Field(i); f.Tag.Get("flag") == name {
				shown := "-" + name
				if f.Type.Elem().Kind() != reflect.Bool {
					shown += "="
				}
				fmt.Fprintf(&b, "  %-12s %s\n", shown, v.text(f))
			}
		}
	}
	return b.String()
}

// Usage is the text of mintmark without a verb.
func Usage() string {
	var b strings.Builder
	b.WriteString("mintmark makes release builds of Go programs that anybody can reproduce.\n\nusage: mintmark VERB [-name=value]...\n\n")
	for _, v := range Verbs() {
		fmt.Fprintf(&b, "  %-8s %s\n", v.Name, v.Summary)
	}
	b.WriteString("\nmintmark VERB -help lists a verb's flags.\nExit codes: 0 fine, 1 error, 2 usage or profile file, 3 not reproducible, 4 refused signature or checksum.\n")
	return b.String()
}
