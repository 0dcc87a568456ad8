package upx

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCandidates(t *testing.T) {
	for _, method := range []string{"NRV2B", "NRV2D", "NRV2E", "LZMA"} {
		for level := 1; level <= 10; level++ {
			got := candidates(Compression{method, level})
			if len(got) < 6 {
				t.Errorf("%s %d: %q", method, level, got)
			}
			for _, flags := range got {
				if err := checkFlags(flags); err != nil {
					t.Error(err)
				}
			}
		}
	}
	for _, c := range []Compression{{}, {"ZSTD", 3}, {"LZMA", 11}} {
		if got := candidates(c); got != nil {
			t.Errorf("%+v: %q", c, got)
		}
	}
	for version, want := range map[string]string{"3.94": "3.94", "4.2.3": "4.23", "5.0.0": "5.00"} {
		if got := (&Tool{Version: version}).Stamp(); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
}

// TestRepack: the packed bytes come out again, from method and level alone, and
// a changed one does not.
func TestRepack(t *testing.T) {
	tool := findTool(t)
	in := fixture(t)
	dir := t.TempDir()
	for i, c := range []struct {
		flags []string
		like  Compression
		want  string
	}{
		{[]string{"-1"}, Compression{"NRV2B", 1}, "-1 --nrv2b"},
		{nil, Compression{"NRV2E", 7}, "-7 --nrv2e"}, // UPX's default for a file of this size
		{[]string{"-5", "--no-filter"}, Compression{"NRV2E", 5}, "-5 --nrv2e --no-filter"},
		{[]string{"-1"}, Compression{"NRV2B", 2}, ""},
	} {
		path := func(name string) string { return filepath.Join(dir, string(rune('a'+i))+name) }
		if err := tool.step(t.Context(), dir, "fixture", "pack", append(append([]string{}, c.flags...), "-o", path("packed"), in)...); err != nil {
			t.Fatal(err)
		}
		flags, err := tool.Repack(t.Context(), c.like, path("packed"), in, path("again"))
		var not *NotRepackedError
		if got := strings.Join(flags, " "); got != c.want || (c.want == "") != errors.As(err, &not) || c.want != "" && err != nil {
			t.Errorf("%v: %q, %v", c.flags, flags, err)
		}
		if c.want != "" && !equalFiles(t, path("packed"), path("again")) {
			t.Errorf("%v: another file", c.flags)
		}
		if _, err := os.Stat(path("again")); c.want == "" && err == nil {
			t.Error("a file that is not the packed one was left")
		}
	}
}
