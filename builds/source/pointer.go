package source

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
)

// stored reports whether a file that git calls modified is the one that the
// commit's Git LFS pointer stands for. Git asks the filter that the user has
// installed for it; no filter runs here, and the pointer says what it would find.
func (r *Repo) stored(ctx context.Context, t *tree, name string) (bool, error) {
	hash := ""
	for _, e := range t.entries {
		if e.name == name && (e.mode == "100644" || e.mode == "100755") {
			hash = e.hash
		}
	}
	if hash == "" || !t.filters {
		return false, nil
	}
	out, err := r.git.Run(ctx, nil, "cat-file", "-s", hash)
	if err != nil {
		return false, r.partial(err)
	}
	if size, err := strconv.ParseInt(string(out[:max(len(out)-1, 0)]), 10, 64); err != nil || size > maxPointer {
		return false, nil
	}
	// PATH, "filter", VALUE, each with a NUL behind it
	attr, err := r.git.InTree(ctx, "check-attr", "-z", "filter", "--", name)
	if err != nil || !strings.HasSuffix(string(attr), "\x00filter\x00lfs\x00") {
		return false, err
	}
	blob, err := r.git.Run(ctx, nil, "cat-file", "blob", hash)
	if err != nil {
		return false, r.partial(err)
	}
	sum, size, ok := parsePointer(blob)
	if !ok {
		return false, nil
	}
	path := filepath.Join(r.root, filepath.FromSlash(name))
	fi, err := os.Lstat(path)
	if err != nil || !fi.Mode().IsRegular() || fi.Size() != size {
		return false, nil
	}
	got, _, err := files.Digest(ctx, path)
	return got == sum, err
}

// maxPointer is the size that no pointer reaches
// (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: less than 1024 bytes).
const maxPointer = 1023

var pointer = regexp.MustCompile(`^version https://git-lfs\.github\.com/spec/v1\n(?:[a-z0-9.-]+ [^\n]*\n)*?oid sha256:([0-9a-f]{64})\n(?:[a-z0-9.-]+ [^\n]*\n)*?size ([0-9]{1,18})\n(?:[a-z0-9.-]+ [^\n]*\n)*$`)

// parsePointer reads a Git LFS pointer: the SHA-256 of the file it stands for,
// and the size in bytes.
func parsePointer(blob []byte) (sum string, size int64, ok bool) {
	m := pointer.FindSubmatch(blob)
	if m == nil || len(blob) > maxPointer {
		return "", 0, false
	}
	size, err := strconv.ParseInt(string(m[2]), 10, 64)
	return string(m[1]), size, err == nil
}

// PointsTo is the size in bytes of the file that a Git LFS pointer, the file of
// that name, stands for; ok is false if it is none.
func PointsTo(name string) (size int64, ok bool) {
	fi, err := os.Lstat(name)
	if err != nil || !fi.Mode().IsRegular() || fi.Size() > maxPointer {
		return 0, false
	}
	data, err := files.Read(name, maxPointer)
	if err != nil {
		return 0, false
	}
	_, size, ok = parsePointer(data)
	return size, ok
}
