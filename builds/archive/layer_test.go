package archive

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/files"
)

// TestLayer: a tar has directories where it is a layer of an image, the same compressed or
// not; no other archive has some.
func TestLayer(t *testing.T) {
	members := []Member{
		{Name: "a/b/c", Executable: true, Open: func() (io.ReadCloser, int64, error) { return io.NopCloser(strings.NewReader("x")), 1, nil }},
		{Name: "a/b", Directory: true}, {Name: "a", Directory: true},
	}
	when := time.Unix(1e9, 0)
	var plain, compressed bytes.Buffer
	if info, err := WriteTar(t.Context(), &plain, members, when); err != nil || info.Format != Tar || info.SHA256 != files.DigestBytes(plain.Bytes()) || info.Size != int64(plain.Len()) {
		t.Errorf("%+v, %v", info, err)
	}
	if _, err := Write(t.Context(), &compressed, TarGz, members, when); err != nil {
		t.Fatal(err)
	}
	in := bytes.NewReader(compressed.Bytes())
	entries, dirs, sum, err := ListLayer(t.Context(), in, in.Size(), TarGz)
	if err != nil || len(entries) != 1 || entries[0].Name != "a/b/c" || entries[0].Mode != 0o755 || !slices.Equal(dirs, []string{"a", "a/b"}) {
		t.Errorf("%+v %q %v", entries, dirs, err)
	}
	if sum != files.DigestBytes(plain.Bytes()) {
		t.Errorf("unpacks to %s", sum)
	}
	if _, err := List(t.Context(), in, in.Size(), TarGz); err == nil || !strings.Contains(err.Error(), "not a regular file (directory)") {
		t.Errorf("an archive of a release with directories: %v", err)
	}
	if _, err := Write(t.Context(), io.Discard, Zip, members, when); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a zip with directories: %v", err)
	}
	// Where the content of a file is in a tar.
	read := bytes.NewReader(plain.Bytes())
	s, err := WalkReader(t.Context(), read, read.Size(), Visitor{})
	if err != nil {
		t.Fatal(err)
	}
	if h := s.Members[len(s.Members)-1]; h.Name != "a/b/c" || plain.Bytes()[h.Offset] != 'x' || plain.Bytes()[h.Offset+1] != 0 {
		t.Errorf("%+v", h)
	}
}
