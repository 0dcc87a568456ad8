package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tree is what git says of a commit: itself, the names of its files, and the
// content of those that say something about the others.
type tree struct {
	head    []byte // the commit object
	entries []entry
	files   map[string][]byte // go.mod, .gitattributes, targets of symbolic links
	filters bool              // an attribute names a filter
}

type entry struct{ mode, hash, name string }

// readTree reads the commit with two git processes, however many files it has.
func (r *Repo) readTree(ctx context.Context) (*tree, error) {
	out, err := r.git.Run(ctx, nil, "ls-tree", "-r", "-z", "--full-tree", r.Commit)
	if err != nil {
		return nil, err
	}
	t := &tree{files: map[string][]byte{}}
	var wanted []entry
	ask := []byte(r.Commit + "\n")
	for line := range bytes.SplitSeq(out, []byte{0}) {
		meta, name, ok := strings.Cut(string(line), "\t")
		fields := strings.Fields(meta)
		if !ok || len(fields) != 3 {
			continue
		}
		e := entry{fields[0], fields[2], name}
		t.entries = append(t.entries, e)
		ours := name == "go.mod" || name == path.Join(r.Dir, "go.mod")
		if fields[1] == "blob" && (ours || e.mode == "120000" || path.Base(name) == ".gitattributes") {
			wanted = append(wanted, e)
			ask = append(ask, e.hash+"\n"...)
		}
	}
	// Asked for by hash: a name may have line ends in it.
	out, err = r.git.Run(ctx, ask, "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	if t.head, out, err = object(out, "commit"); err != nil {
		return nil, err
	}
	for _, e := range wanted {
		if t.files[e.name], out, err = object(out, "blob"); err != nil {
			return nil, fmt.Errorf("%s: %w", e.name, err)
		}
		t.filters = t.filters || path.Base(e.name) == ".gitattributes" && bytes.Contains(t.files[e.name], []byte("filter="))
	}
	return t, nil
}

// object takes the next one off what git cat-file --batch has printed.
func object(out []byte, kind string) (data, rest []byte, err error) {
	line, rest, ok := bytes.Cut(out, []byte("\n"))
	fields := strings.Fields(string(line))
	if !ok || len(fields) != 3 || fields[1] != kind {
		return nil, nil, fmt.Errorf("git cat-file: %q, want a %s", line, kind)
	}
	n, err := strconv.Atoi(fields[2])
	if err != nil || n < 0 || n >= len(rest) {
		return nil, nil, fmt.Errorf("git cat-file: %q, and %d bytes", line, len(rest))
	}
	return rest[:n], rest[n+1:], nil
}

// commit reads the time of the commit, and its tree, from the commit object.
func (t *tree) commit() (at time.Time, tree string, err error) {
	for line := range bytes.SplitSeq(t.head, []byte("\n")) {
		if len(line) == 0 {
			break // the message follows
		}
		key, value, _ := strings.Cut(string(line), " ")
		switch key {
		case "tree":
			tree = value
		case "committer":
			_, date, _ := strings.Cut(value[strings.LastIndex(value, "<")+1:], ">")
			sec, _, _ := strings.Cut(strings.TrimSpace(date), " ")
			n, err := strconv.ParseInt(sec, 10, 64)
			if err != nil {
				return time.Time{}, "", fmt.Errorf("the commit has a strange time: %q", date)
			}
			at = time.Unix(n, 0).UTC()
		}
	}
	if tree == "" || at.IsZero() {
		return time.Time{}, "", errors.New("git cat-file: a commit without tree or time")
	}
	return at, tree, nil
}

// leadsOut reports whether a path, found in the file of that name in the
// commit, may lead out of the commit. Parents are counted only at its
// beginning: behind a directory that is itself a link, ".." can be anywhere.
func leadsOut(name, target string) bool {
	if target == "" || path.IsAbs(target) || strings.ContainsAny(target, "\\:") { // C:\x, \\host
		return true
	}
	parts := slices.DeleteFunc(strings.Split(target, "/"), func(p string) bool { return p == "" || p == "." })
	up := 0
	for up < len(parts) && parts[up] == ".." {
		up++
	}
	return up > strings.Count(name, "/") || slices.Contains(parts[up:], "..")
}
