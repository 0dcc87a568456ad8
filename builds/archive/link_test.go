package archive

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLinks: a symbolic link is one in every format, its target is its content, and
// an archive of a release, which has none, is not read with one.
func TestLinks(t *testing.T) {
	members := func(target string) []Member {
		open := func(s string) func() (io.ReadCloser, int64, error) {
			return func() (io.ReadCloser, int64, error) {
				return io.NopCloser(strings.NewReader(s)), int64(len(s)), nil
			}
		}
		return []Member{{Name: "a", Open: open("content")}, {Name: "link", Link: true, Open: open(target)}, {Name: "z", Executable: true, Open: open("last")}}
	}
	for _, format := range Formats() {
		data, info := write(t, format, members("a"), commitTime)
		if again, _ := write(t, format, members("a"), commitTime); !bytes.Equal(again, data) {
			t.Errorf("%s: written twice, and different", format)
		}
		if other, _ := write(t, format, members("z"), commitTime); bytes.Equal(other, data) {
			t.Errorf("%s: where a link leads is not in it", format)
		}
		name := filepath.Join(t.TempDir(), "x."+format)
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		scan, err := Scan(t.Context(), name, func(h Header, r io.Reader) error { return nil })
		if err != nil || len(scan.Members) != 3 || scan.Members[1].Type != TypeSymlink || scan.Members[1].Link != "a" || scan.Members[2].SHA256 != info.Entries[2].SHA256 {
			t.Errorf("%s: %v %+v", format, err, scan)
		}
		if _, err := List(t.Context(), bytes.NewReader(data), int64(len(data)), format); err == nil || !strings.Contains(err.Error(), "not a regular file (symbolic link)") {
			t.Errorf("%s: %v", format, err)
		}
	}
}
