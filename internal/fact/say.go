package fact

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Sentences says for people what was checked and what was not, in the order in
// which it was asked. Answers that differ in their subject only are one sentence.
func (c *Checks) Sentences() (checked, open []string) {
	checked, open = []string{}, []string{}
	for _, g := range c.groups() {
		w, known := wordings[g.check]
		switch {
		case !known: // what is not known how to say is said all the same
			open = append(open, strings.TrimSpace(fmt.Sprintf("%s: %s %s (checked: %t)", g.check, g.names(), g.detail, g.checked)))
		case g.checked && w.done != nil:
			checked = append(checked, w.done(g))
		case !g.checked:
			open = append(open, w.open(g))
		}
	}
	return checked, open
}

// group is answers that are said together.
type group struct {
	check    Check
	checked  bool
	detail   string
	subjects []string
	of       int // subjects of that check, in this group or not
}

func (g group) names() string { return strings.Join(g.subjects, ", ") }

// files are the subjects as names of files.
func (g group) files() string {
	var names []string
	for _, s := range g.subjects {
		names = append(names, FileName(s))
	}
	return strings.Join(names, ", ")
}

// holders counts the archives and the packages among the subjects.
func (g group) holders() string {
	packages := 0
	for _, s := range g.subjects {
		if PackageFormat(s) != "" {
			packages++
		}
	}
	switch archives := g.n() - packages; {
	case packages == 0:
		return Count(archives, "archive")
	case archives == 0:
		return Count(packages, "package")
	default:
		return Count(archives, "archive") + " and " + Count(packages, "package")
	}
}

// FileName is a file's name as it stands in a sentence: in quotes where it has blanks,
// by which it could go on as if the sentence did.
func FileName(name string) string {
	if strings.ContainsFunc(name, unicode.IsSpace) {
		return strconv.Quote(name)
	}
	return name
}

func (g group) n() int    { return len(g.subjects) }
func (g group) all() bool { return len(g.subjects) == g.of }

func (c *Checks) groups() []group {
	type key struct {
		check   Check
		checked bool
		detail  string
		subject string // of those that are said one by one
	}
	var list []group
	at := map[key]int{}
	of := map[Check]int{}
	for _, a := range c.list {
		of[a.Check]++
		k := key{a.Check, a.Checked, a.Detail, ""}
		if w := wordings[a.Check]; w.each || w.eachDone && a.Checked {
			k.subject = a.Subject
		}
		i, ok := at[k]
		if !ok {
			i = len(list)
			at[k] = i
			list = append(list, group{check: a.Check, checked: a.Checked, detail: a.Detail})
		}
		list[i].subjects = append(list[i].subjects, a.Subject)
	}
	for i := range list {
		list[i].of = of[list[i].check]
	}
	return list
}

// wording is how a check's answers are said.
type wording struct {
	each     bool                 // one sentence for each subject
	eachDone bool                 // that, of those that were checked
	done     func(g group) string // nil: another check's sentence says it
	open     func(g group) string
}

// colon says something, and the detail after it.
func colon(what string) func(group) string {
	return func(g group) string { return what + ": " + g.detail }
}

// about is colon for a check whose subjects are named when they are not all.
func about(all, some string) func(group) string {
	return func(g group) string {
		if g.all() {
			return all + ": " + g.detail
		}
		return fmt.Sprintf(some, g.names()) + ": " + g.detail
	}
}

// each says something of one subject, with its detail.
func each(format string) func(group) string {
	return func(g group) string { return fmt.Sprintf(format, g.names(), g.detail) }
}

// wordings are the sentences of all checks: their only home.
var wordings = map[Check]wording{
	Signature: {
		eachDone: true,
		done:     func(g group) string { return named(g.files()) + " is signed by " + ParseSignerID(g.detail).String() },
		open:     about("signature", "signature of %s"),
	},
	TransparencyLog: {each: true, done: each("transparency log: %s: %s"), open: each("transparency log: %s has %s")},
	SigningTime:     {each: true, done: each("time of signing: %s: %s"), open: each("time of signing: %s has %s")},
	ManifestForm: {
		done: func(group) string {
			return ManifestFile + " follows its schema, its plan has the plan ID, and its artifacts are those that the plan makes"
		},
		open: colon("that " + ManifestFile + " follows its rules"),
	},
	Identity: {
		each: true,
		done: each("%s is %s, as expected"),
		open: each("%s: %s"),
	},
	VersionTag: {
		each: true,
		done: each("the version is of the tag %s%s, which the commit carries"),
		open: func(g group) string {
			if g.names() == "" {
				return colon("that a tag of the commit says the version")(g)
			}
			return each("that the commit carries the tag %s, which the version is of: %s")(g)
		},
	},
	Record: {
		done: func(group) string {
			return "the record is exactly that of the manifest: project, version, commit, plan, toolchain, verdicts"
		},
		open: colon("that the record is that of the manifest"),
	},
	Digest: {
		done: func(g group) string {
			if g.of == 1 {
				return fmt.Sprintf("%s has the digest that %s says", g.files(), cmp.Or(g.detail, ChecksumsFile))
			}
			return fmt.Sprintf("%d of %d listed files have the digest that %s says", g.n(), g.of, cmp.Or(g.detail, ChecksumsFile))
		},
		open: func(g group) string { return fmt.Sprintf("%d listed files %s: %s", g.n(), g.detail, g.files()) },
	},
	OtherFiles: {open: colon("the files of the release")},
	Content:    {open: func(g group) string { return "what is in " + g.files() + ": " + g.detail }},
	Members: {
		done: func(g group) string {
			if g.all() {
				return fmt.Sprintf("members of %s against the manifest", g.holders())
			}
			return fmt.Sprintf("members of %s of %d against the manifest", g.holders(), g.of)
		},
		open: about("the members of archives", "the members of %s"),
	},
	Packaged: {
		done: func(g group) string {
			return fmt.Sprintf("programs in %s against the manifest; what else is in them was not compared", Count(g.n(), "npm package"))
		},
		open: about("the programs in npm packages", "the programs in %s"),
	},
	Slices: {
		done: func(g group) string {
			return fmt.Sprintf("all bytes of %s against the programs of the manifest", Count(g.n(), "universal binary"))
		},
		open: about("the programs in universal binaries", "the programs in %s"),
	},
	InImage: {
		done: func(g group) string {
			return fmt.Sprintf("programs and files in %s against the manifest, and that nothing else is above the base", Count(g.n(), "container image"))
		},
		open: about("the programs in container images", "the programs in %s"),
	},
	ImageBase:       {each: true, open: each("the base of %s: %s")},
	Executed:        {each: true, open: each("%s: that what it says was executed: %s")},
	PublisherBuilds: {open: func(g group) string { return fmt.Sprintf("%d artifacts %s", g.n(), g.detail) }},
	Machines: {
		done: func(g group) string {
			return fmt.Sprintf("%d of %s built on two machines, as demanded, by what the publisher's machines said", g.n(), Count(g.of, "unit"))
		},
		open: func(g group) string { return "that " + g.names() + " was built on two machines: " + g.detail },
	},
	FromSource: {open: about("that the binaries come from the source", "that the binaries of %s come from the source")},
	GeneratedAgain: {
		done: func(g group) string {
			return fmt.Sprintf("%d of %s generated again here, on %s, are identical", g.n(), Count(g.of, "generated file"), g.detail)
		},
		open: func(g group) string {
			return fmt.Sprintf("that the commands of the release make %d of %s: %s", g.n(), Count(g.of, "generated file"), g.detail)
		},
	},
	BuildRecord:    {open: colon("how it was built")},
	Attestation:    {each: true, done: each("the statement %s %s"), open: each("the statement %s: %s")},
	Unlisted:       {open: func(g group) string { return "what else is here: " + g.files() + ": " + g.detail }},
	PublishedFiles: {each: true, done: each("what is published at %s is this release: %s"), open: each("that what is published at %s is all of the release, and no more: %s")},
	FromCommit: {
		done: each("the source archive %s was made again of the commit %s, and is identical"),
		open: each("that the source archive %s is that of the commit: %s"),
	},
	ImageAgain: {
		done: func(g group) string {
			return fmt.Sprintf("%d of %d container images made again here, with the programs built here, are identical", g.n(), g.of)
		},
		open: each("that the container image %s is, and starts, what the plan says: %s"),
	},
	BillAgain: {
		done: func(g group) string {
			return fmt.Sprintf("%d of %d bills of materials written again here, of what was built here, are identical", g.n(), g.of)
		},
		open: func(g group) string { return "that what " + g.files() + " says is what was built here: " + g.detail },
	},
	Rebuilt: {
		done: func(g group) string {
			return fmt.Sprintf("%d of %d artifacts built again here, on %s, are identical", g.n(), g.of, g.detail)
		},
		open: func(g group) string { return "not built again: " + g.names() + ": " + g.detail },
	},
	NotBuilt:     {open: func(g group) string { return "not rebuilt: " + g.names() + ": " + g.detail }},
	ToolchainSum: {done: each("the toolchain %s has the recorded hash in the checksum database%s"), open: each("the hash of the toolchain %s: %s")},
	SourceSum:    {done: each("the source %s has the recorded h1 %s"), open: each("that the source is %s: %s")},
	SourceSumDB:  {done: each("the checksum database has that h1 of %s for everybody%s"), open: each("that others got the same source as %s: %s")},
	SourceCommit: {done: each("the commit %s is that source%s"), open: each("that the commit %s is that source: %s")},
	BuiltHere:    {done: func(g group) string { return "built here " + g.detail }, open: colon("that it was built here several times")},
	Beside: {open: func(g group) string {
		return fmt.Sprintf("%d rebuild statements beside the release: %s", g.n(), g.detail)
	}},
	Counted: {each: true, open: each("%s: %s")},
	Quorum: {
		done: func(g group) string {
			return fmt.Sprintf("%d of %d published artifacts were rebuilt by %s", g.n(), g.of, g.detail)
		},
		open: func(g group) string {
			return fmt.Sprintf("that %s were rebuilt by others: %s", g.names(), g.detail)
		},
	},
}

// named is what people call a signed file.
func named(file string) string {
	if file == ProvenanceBundle {
		return "the record"
	}
	return file
}
