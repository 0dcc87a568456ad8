package release

import (
	"os"
	"reflect"
	"testing"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/memo"
	"github.com/mintmark/mintmark/internal/run"
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
	type try struct {
		path, name, tool, sum string
		full                  bool
	}
	measure := func(r try) (ok bool, s any) {
		t.Helper()
		m := &Maker{Prepared: &Prepared{Of: &fetch.Planned{Copied: &fetch.Copied{Subject: &fetch.Subject{Run: &run.Run{
			Config: &run.Config{Tool: r.tool},
			Known:  &memo.Store{Dir: store, Secret: []byte("of a test"), Full: r.full},
		}}}}}}
		pr := &product{paths: []string{r.path}, name: r.name, artifact: checksums.Artifact{SHA256: r.sum}}
		sized, err := m.measure(t.Context(), &plan.Unit{Profile: "release", Platform: "linux/amd64"}, pr)
		if err != nil {
			t.Fatal(err)
		}
		if (sized.Summary == nil) == (sized.NotMeasured == "") {
			t.Fatalf("got %+v", sized)
		}
		return sized.Summary != nil, sized
	}
	base := try{path: program, name: "tool", tool: "1.0", sum: sum}
	with := func(change func(*try)) try { r := base; change(&r); return r }
	ok, first := measure(base)
	if !ok {
		t.Fatal("not measured")
	}
	// Where there is no file, only what is remembered can be said.
	gone := with(func(r *try) { r.path = "gone" })
	if ok, got := measure(gone); !ok || !reflect.DeepEqual(got, first) {
		t.Errorf("remembered %v: %+v, want %+v", ok, got, first)
	}
	for what, r := range map[string]try{
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
	if ok, _ := measure(with(func(r *try) { r.sum = "00" })); !ok {
		t.Error("a failure is remembered")
	}
}
