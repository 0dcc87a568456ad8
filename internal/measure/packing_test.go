package measure

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mintmark/mintmark/internal/startup"
	"github.com/mintmark/mintmark/internal/stats"
	"github.com/mintmark/mintmark/internal/upx/upxtest"
)

// TestPackingAccounts packs a real program; its times are made up, so that what
// comes of them is known.
func TestPackingAccounts(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and packs a program")
	}
	upx := upxtest.Path(t)
	dir := t.TempDir()
	plain, fast, lzma := filepath.Join(dir, "plain"), filepath.Join(dir, "fast"), filepath.Join(dir, "lzma")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", plain, "../startup/testdata/fixture")
	cmd.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, b)
	}
	for out, flag := range map[string]string{fast: "-1", lzma: "--lzma"} {
		if b, err := exec.Command(upx, "-q", flag, "-o", out, plain).CombinedOutput(); err != nil {
			t.Fatalf("upx: %v\n%s", err, b)
		}
	}
	programs := []startup.Program{{Name: "fast", Path: fast}, {Name: "plain", Path: plain}, {Name: "lzma", Path: lzma}, {Name: "unmeasured", Path: lzma}}
	res := &startup.Result{}
	size := map[string]int64{}
	for _, p := range programs {
		fi, err := os.Stat(p.Path)
		if err != nil {
			t.Fatal(err)
		}
		size[p.Name] = fi.Size()
		res.Programs = append(res.Programs, startup.Subject{
			Name: p.Name, File: startup.File{Size: fi.Size()}, Memory: &startup.Memory{PrivateDirty: fi.Size() / 2},
		})
	}
	res.Runs = []startup.Run{{
		Cache: startup.Warm,
		Times: []startup.Summary{{Program: "fast", Median: 12e6}, {Program: "plain", Median: 2e6}, {Program: "lzma", Median: 52e6}},
		Comparisons: []startup.Comparison{
			{Base: "fast", Program: "plain", Low: 0.1, High: 0.2, Extra: -10e6, Verdict: stats.Less},
			{Base: "plain", Program: "lzma", Low: 20, High: 30, Extra: 50e6, Verdict: stats.More},
		},
	}}
	got, err := packingAccounts(t.Context(), res, programs, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Program != "fast" || got[1].Program != "lzma" || got[0].Plain != "plain" || got[0].Packer != "UPX 3.94, NRV2B level 1" {
		t.Fatalf("%+v", got)
	}
	for _, p := range got {
		extra := map[string]float64{"fast": 10e6, "lzma": 50e6}[p.Program]
		if p.DiskSaved != size["plain"]-size[p.Program] || p.Extra != extra || p.ExtraMemory == nil || *p.ExtraMemory != size[p.Program]/2-size["plain"]/2 || len(p.Rows) != 6 {
			t.Errorf("%+v %+v", p, p.Packing)
		}
		// Compressed, the plain one is smaller by far, and the packed one hardly.
		for _, r := range p.Rows {
			if r.Form != startup.FormRaw && (r.Plain > size["plain"]*3/4 || r.Packed < size[p.Program]/2 || r.Packed > size[p.Program]+4096) {
				t.Errorf("%+v", r)
			}
		}
	}
	res.Runs[0].Comparisons[1].Low = 0
	if got, err := packingAccounts(t.Context(), res, programs, 1); err != nil || got[1].NotComputed == "" || got[1].Packing != nil || got[0].Packing == nil {
		t.Errorf("%+v, %v", got, err)
	}
	// Nothing is packed.
	res.Programs, res.Runs[0].Times = res.Programs[1:2], res.Runs[0].Times[1:2]
	if got, err := packingAccounts(t.Context(), res, programs[1:2], 1); err != nil || got != nil {
		t.Errorf("%+v, %v", got, err)
	}
}
