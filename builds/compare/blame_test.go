package compare

import (
	"reflect"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
)

// TestExplain: what is said of an output that differs follows from the C code of
// its package and what is known of it. A package without C code reads no time.
func TestExplain(t *testing.T) {
	flag := plan.CRisk{Where: "CGO_CFLAGS", What: "-flto", Why: "WHY", Instead: "LEAVE IT OUT"}
	clock := plan.CRisk{Package: "x/c", Where: "x/c/a.c:3", What: "__TIME__", Why: "THE TIME", Instead: "USE -X"}
	dir := plan.CRisk{Package: "x/d", Where: "#cgo LDFLAGS of x/d", What: "-L${SRCDIR}", Why: "DIRECTORY", Instead: "SYSO"}
	c := C{Packages: map[string]bool{"x/c": true, "x/d": true}, Risks: []plan.CRisk{flag, clock, dir}}
	for _, tt := range []struct {
		pkg        string
		link       bool
		says, not  []string
		directory  bool
		noEvidence bool
	}{
		{pkg: "x/c", says: []string{"CGO_CFLAGS has -flto, WHY", "x/c/a.c:3 has __TIME__", "LEAVE IT OUT; USE -X"}, not: []string{"SRCDIR", "compiler bug"}},
		{pkg: "x/d", says: []string{"-flto", "-L${SRCDIR}"}, not: []string{"__TIME__"}, directory: true},
		{pkg: "x/go", says: []string{"no C code is in it", "compiler bug"}, not: []string{"-flto", "CGO_"}, noEvidence: true},
		{pkg: "x", link: true, says: []string{"-flto", "__TIME__", "SRCDIR"}, not: []string{"compiler bug"}, directory: true},
	} {
		evidence, remedy := c.explain(tt.pkg, tt.link)
		text := strings.Join(evidence, "\n") + "\n" + remedy
		for _, w := range tt.says {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q does not say %q", tt.pkg, text, w)
			}
		}
		for _, w := range tt.not {
			if strings.Contains(text, w) {
				t.Errorf("%s: %q says %q", tt.pkg, text, w)
			}
		}
		if tt.noEvidence != (evidence == nil) {
			t.Errorf("%s: evidence %q", tt.pkg, evidence)
		}
		if known, _ := c.directories(tt.pkg, tt.link); (known != nil) != tt.directory {
			t.Errorf("%s: directories %q", tt.pkg, known)
		}
	}
	if len(c.Risks) != 3 || !reflect.DeepEqual(c.Risks[0], flag) || !reflect.DeepEqual(c.Risks[2], dir) {
		t.Errorf("the risks were changed: %+v", c.Risks)
	}
	if _, remedy := (C{Packages: map[string]bool{"x/c": true}}).explain("x/c", false); !strings.Contains(remedy, "reads the time") || strings.Contains(remedy, "compiler bug") {
		t.Errorf("C code without known risks: %q", remedy)
	}
}

// TestFindings: a cause that is known is not unknown as well.
func TestFindings(t *testing.T) {
	d := &bindiff.Diff{Findings: []fact.Finding{{Cause: "strip-tool"}, {Cause: fact.CauseUnknown}}}
	if got := Findings(nil, d); len(got) != 2 {
		t.Errorf("%+v", got)
	}
	got := Findings([]fact.Finding{{Cause: Nondeterministic}}, d)
	if len(got) != 2 || got[0].Cause != Nondeterministic || got[1].Cause != "strip-tool" || len(d.Findings) != 2 || d.Findings[1].Cause != fact.CauseUnknown {
		t.Errorf("%+v", got)
	}
}

// TestChangedInputs: an input of any length is shown where it differs.
func TestChangedInputs(t *testing.T) {
	long := strings.Repeat("flag ", 14000)
	got := changedInputs([]string{"same", "CC " + long + "one"}, []string{"same", "CC " + long + "two"})
	if len(got) != 2 || !strings.HasPrefix(got[0], "A: CC flag") || !strings.Contains(got[0], "one") || !strings.Contains(got[1], "two") || len(got[0]) > 400 || !strings.Contains(got[0], "(70009 bytes)") {
		t.Errorf("%q", got)
	}
	var many []string
	for range 30 {
		many = append(many, "x"+strings.Repeat("y", len(many)))
	}
	if got := changedInputs(many, nil); len(got) != maxBlamed+1 || !strings.Contains(got[maxBlamed], "20 more inputs") {
		t.Errorf("%q", got)
	}
}
