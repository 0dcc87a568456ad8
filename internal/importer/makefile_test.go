package importer

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestMakefile: flags are those of the builds that a release is made with, and none is
// dropped without a line. want and lines have to be there, not must not.
func TestMakefile(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string // in the profile file
		not        []string
		lines      []string // "key: outcome: start of the text"
	}{{
		name: "variable of a debugging target",
		text: "GOVARS = -X main.version=1.0\nDEBUGVAR = -X main.debug=ON\nbuild:\n\tgo build -ldflags \"-s $(GOVARS)\" .\nbuild-dbg:\n\tgo build -ldflags \"$(DEBUGVAR)\" .\n",
		want: []string{`main.version: 1.0`}, not: []string{"main.debug"},
		lines: []string{"-X main.debug: changed: only of target build-dbg"},
	}, {
		name: "variable of a target that nothing reaches",
		text: "EXTRA = -X main.debug=ON\nall: tool\ntool:\n\tgo build -ldflags \"-X main.version=1.0\" .\nnightly:\n\tgo build -tags night -ldflags \"$(EXTRA) -X main.user=n\" .\n",
		want: []string{`main.version: 1.0`}, not: []string{"main.debug", "main.user", "night"},
		lines: []string{"-X main.debug: changed: only of target nightly", "-X main.user: changed: only of target nightly", "-tags night: cannot: only of target nightly"},
	}, {
		name: "variable with a name for debugging",
		text: "DBG_FLAGS = -X main.debug=ON\nbuild:\n\tgo build -ldflags \"$(DBG_FLAGS)\" .\n",
		not:  []string{"main.debug"}, lines: []string{"-X main.debug: changed: DBG_FLAGS is for developing"},
	}, {
		name: "variable of one target",
		text: "build:\n\tgo build -ldflags \"$(LD)\" .\nrace: LD = -X main.debug=1\nbuild: LD = -X main.version=2\n",
		want: []string{`main.version: 2`}, not: []string{"main.debug"}, lines: []string{"-X main.debug: changed: only of target race"},
	}, {
		name: "no usual target builds",
		text: "help:\n\techo\ncli:\n\tgo build -tags netgo .\ntest:\n\tgo build -tags tested .\n",
		want: []string{"tags: [netgo]"}, not: []string{"tested"}, lines: []string{"-tags tested: changed: only of target test"},
	}, {
		name: "define, pattern, make",
		text: "define compile\n\tgo build -tags one .\nendef\nrelease: bin/x\n\t$(MAKE) two\nbin/%:\n\t$(call compile,x)\ntwo:\n\tgo build -tags two .\n",
		want: []string{"tags: [one, two]"},
	}, {
		name: "a version that is not computable",
		text: "V = $(shell GOOS=$(shell go env GOHOSTOS) go run tools/build-version.go)\nbuild:\n\tgo build -ldflags \"-X main.Version=$(V) -X main.GoVersion=$(shell go version)\" .\n",
		want: []string{`main.Version: "{{.Version}}"`}, not: []string{"GoVersion"},
		lines: []string{"-X main.Version: changed: ldflags.set: {{.Version}}; ", "-X main.GoVersion: cannot: "},
	}, {
		name: "go build in a variable",
		text: "GO ?= go\nBUILDTAGS := seccomp nodocs\nBUILDTAGS += $(EXTRA)\nifneq ($(OFF),off)\n\tVENDOR := \"-mod=vendor\"\nendif\nifeq ($(OS),linux)\n\tGO_BUILDMODE := \"-buildmode=pie\"\nendif\n" +
			"GO_BUILD := $(GO) build $(VENDOR) $(GO_BUILDMODE) \\\n\t-tags \"$(BUILDTAGS)\" -ldflags \"-X main.version=3\"\ntool:\n\t$(GO_BUILD) -o tool .\n",
		want: []string{"tags: [nodocs, seccomp]", `main.version: 3`, "mod: vendor"}, not: []string{"buildmode"},
		lines: []string{"-tags seccomp: kept: ", "-tags $(EXTRA): cannot: ", "-buildmode pie: cannot: a condition"},
	}, {
		name: "other linkers",
		text: "build:\n\tgo build -ldflags '-s -linkmode external -extldflags \"-static -lm\" -X main.version=1' .\n",
		want: []string{"main.version: 1"}, not: []string{"ldflags.extra", "extra:", "static"},
		lines: []string{`-extldflags -static -lm: changed: it is about the linker of a C compiler, and a build without cgo, as the file has it, is linked by Go's own; with cgo: true write ldflags.extra: ["-extldflags=-static -lm"]`, "-linkmode external: changed: "},
	}, {
		name: "other linkers with cgo",
		text: "LD = -X main.version=1 -extldflags=-static\nEXT = \"-fuse-ld=$(LINKER)\"\nbuild:\n\tCGO_ENABLED=1 go build -ldflags \"$(LD) -extldflags $(EXT)\" .\n",
		want: []string{"main.version: 1", "cgo: true"}, not: []string{"static"},
		lines: []string{`-extldflags -static: cannot: which platforms it is for is not in the Makefile; write ldflags.extra: ["-extldflags=-static"] into the profile`, "-extldflags -fuse-ld=$(LINKER): cannot: its value is not in the Makefile"},
	}, {
		name:  "other flags of the linker",
		text:  "build:\n\tgo build -ldflags \"-w -H=windowsgui -buildid= -B 0x12 \\\"-X main.version=1\\\" $(EXTRA)\" .\n",
		lines: []string{`-H windowsgui: cannot: which platforms it is for is not in the Makefile; write ldflags.extra: ["-H=windowsgui"]`, "-buildid: cannot: ", "-B 0x12: cannot: ", "-ldflags $(EXTRA): cannot: whoever runs make says which flags"},
	}, {
		name:  "computed flags of the linker",
		text:  "LD := $(shell ./ldflags.sh)\nbuild:\n\tgo build -ldflags \"$(LD) $(foreach x,a b,-s)\" .\n",
		lines: []string{"-ldflags $(LD): cannot: \"$(shell ./ldflags.sh)\" is not run, and which flags of the linker it gives is not known; write them into ldflags.set", "-ldflags $(foreach x,a b,-s): cannot: what it gives is not known without running it; "},
	}, {
		name: "other linkers of other targets",
		text: "STATIC = -extldflags -static\nbuild:\n\tgo build -ldflags '-X main.version=1' .\nstatic:\n\tgo build -ldflags '-linkmode=external' .\n\tcurl -X POST -H a=b -s x\n",
		want: []string{"main.version: 1"}, lines: []string{"-linkmode external: cannot: only of target static", "-extldflags -static: cannot: no build that is taken over has it"},
	}, {
		name: "build mode",
		text: "build:\n\tgo build -buildmode=pie .\n", want: []string{"buildmode: pie"}, lines: []string{"-buildmode pie: kept: "},
	}, {
		name: "tags of a condition",
		text: "TAGS = a\nifdef B\nTAGS = b\nelse\nTAGS += c\nendif\nUNUSED = -tags u -buildmode=c-shared\nbuild:\n\tgo build -tags '$(TAGS)' .\n",
		want: []string{"tags: [a]"}, lines: []string{"-tags b: cannot: a condition", "-tags c: cannot: a condition", "-tags u: cannot: ", "-buildmode c-shared: cannot: "},
	}, {
		name: "words that make chooses",
		text: "TAGS := a b\nMORE ?=\nREMOVE := $(patsubst -%,%,$(filter -%,$(MORE) -b))\nTAGS := $(filter-out $(REMOVE),$(TAGS)) $(filter-out -%,$(MORE))\nbuild:\n\tgo build -tags \"$(TAGS) $(addprefix x,y z)\" .\n",
		want: []string{"tags: [a]"}, lines: []string{"-tags $(addprefix x,y z): cannot: "},
	}, {
		name: "variable of a function",
		text: "LD = $(if $(EXTRA),-X main.debug=$(EXTRA),)\nbuild:\n\tgo build -ldflags \"$(LD)\" .\nother:\n\tgo build -ldflags \"$(LD)\" .\n",
		not:  []string{"main.debug"}, lines: []string{"-X main.debug: cannot: a function of make"},
	}, {
		name: "go install",
		text: "install:\n\tgo install -tags netgo .\n\tgo install -tags tool example.com/tool@v1.0.0\n", want: []string{"tags: [netgo]"}, not: []string{"tool]"},
	}, {
		name: "commit",
		text: "COMMIT ?= $(shell git describe --dirty --long --always)\nNEVER = $(shell git describe --match=NeVeRmAtCh --always --abbrev=40)\nLONG = $(shell git describe --long --always)\n" +
			"build:\n\tgo build -ldflags \"-X main.gitCommit=$(COMMIT) -X main.user=$(NEVER) -X main.debug=$(LONG) -X main.hash=$(shell cat HASH) -X main.sha=$(SHA) -X main.version=$(shell git describe --long) -X main.commitDate=$(shell cat DATE)\" .\n",
		want:  []string{`main.gitCommit: "{{.ShortCommit}}"`, `main.user: "{{.Commit}}"`, `main.debug: "{{.ShortCommit}}"`, `main.hash: "{{.Commit}}"`, `main.sha: "{{.Commit}}"`, `main.version: "{{.Tag}}"`},
		lines: []string{"-X main.commitDate: cannot: "},
	}, {
		name: "a tag that is none",
		text: "build:\n\tgo build -tags \"b;c,d\" .\n", want: []string{"tags: [d]"}, lines: []string{"-tags b;c: cannot: "},
	}, {
		name: "a build mode that is none",
		text: "build:\n\tgo build -buildmode=odd .\n", not: []string{"buildmode"}, lines: []string{"-buildmode odd: cannot: a profile file cannot say it"},
	}} {
		t.Run(c.name, func(t *testing.T) {
			tree := fstest.MapFS{"Makefile": {Data: []byte(c.text)}, "main.go": {Data: []byte("package main\nvar version, Version, GoVersion, debug, user, hash, sha, gitCommit, commitDate string\n")}}
			r, err := Import(Source{Name: "Makefile", Tree: tree, Module: "example.com/tool", Sign: "none"})
			if err != nil {
				t.Fatal(err)
			}
			outcome := map[string]Outcome{}
			var said strings.Builder
			for _, l := range r.Lines {
				said.WriteString(l.String() + "\n")
				if o, ok := outcome[l.Key]; ok && o != l.Outcome || l.Line == 0 {
					t.Errorf("%s, and also %s", l, o)
				}
				outcome[l.Key] = l.Outcome
			}
			for _, want := range c.want {
				if !strings.Contains(r.Text, want) {
					t.Errorf("no %s in\n%s%s", want, r.Text, &said)
				}
			}
			for _, not := range c.not {
				if strings.Contains(r.Text, not) {
					t.Errorf("%s in\n%s%s", not, r.Text, &said)
				}
			}
			for _, want := range c.lines {
				if !strings.Contains(said.String(), ": "+want) {
					t.Errorf("no line %s in\n%s", want, &said)
				}
			}
		})
	}
}

// TestMakeWritten: a Makefile of many lines with much in their variables ends.
func TestMakeWritten(t *testing.T) {
	m := &makefile{vars: map[string]makeValue{"V": {text: strings.Repeat("x", 1<<10)}}}
	n := 0
	for range 2 * maxWritten >> 10 {
		n += len(m.expand("$(V)", 0))
	}
	if n > maxWritten*5/4 {
		t.Errorf("%d bytes", n)
	}
}
