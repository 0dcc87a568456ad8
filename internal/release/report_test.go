package release

import (
	"os"
	"reflect"
	"testing"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/remember"
)

// TestMeasureRemembers measures a program once for every tool, name and
// content, and whenever everything has to be found out anew.
func TestMeasureRemembers(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sum, _, err := files.Digest(t.Context(), program)
	if err != nil {
		t.Fatal(err)
	}
	store := t.TempDir()
	type run struct {
		path, name, tool, sum string
		full                  bool
	}
	measure := func(r run) (ok bool, s any) {
		t.Helper()
		p := &pipeline{measures: true, session: &session{
			Config: &Config{Tool: r.tool},
			known:  &remember.Store{Dir: store, Secret: []byte("of a test"), Full: r.full},
		}}
		u := &unit{Unit: &plan.Unit{Profile: "release", Platform: "linux/amd64"}}
		pr := &product{path: r.path, name: r.name, artifact: checksums.Artifact{SHA256: r.sum}}
		if err := p.measure(t.Context(), u, pr); err != nil {
			t.Fatal(err)
		}
		if len(p.sized) != 1 || (p.sized[0].Summary == nil) == (p.sized[0].NotMeasured == "") {
			t.Fatalf("got %+v", p.sized)
		}
		return p.sized[0].Summary != nil, p.sized[0]
	}
	base := run{path: program, name: "tool", tool: "1.0", sum: sum}
	with := func(change func(*run)) run { r := base; change(&r); return r }
	ok, first := measure(base)
	if !ok {
		t.Fatal("not measured")
	}
	// Where there is no file, only what is remembered can be said.
	gone := with(func(r *run) { r.path = "gone" })
	if ok, got := measure(gone); !ok || !reflect.DeepEqual(got, first) {
		t.Errorf("remembered %v: %+v, want %+v", ok, got, first)
	}
	for what, r := range map[string]run{
		"another tool": {path: "gone", name: "tool", tool: "1.1", sum: sum},
		"other bytes":  {path: "gone", name: "tool", tool: "1.0", sum: "00"},
		"another name": {path: "gone", name: "other", tool: "1.0", sum: sum},
		"-full":        {path: "gone", name: "tool", tool: "1.0", sum: sum, full: true},
	} {
		if ok, _ := measure(r); ok {
			t.Errorf("%s: remembered", what)
		}
	}
	// What could not be measured is tried again.
	if ok, _ := measure(with(func(r *run) { r.sum = "00" })); !ok {
		t.Error("a failure is remembered")
	}
}
