package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// altertar FILE MEMBER [OLD NEW] replaces the first OLD in a member of a tar, or
// changes one byte in its middle, and leaves everything else as it is.
func altertar(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 && len(args) != 4 {
		ts.Fatalf("usage: altertar file member [old new]")
	}
	name := ts.MkAbs(args[0])
	from, err := os.ReadFile(name)
	ts.Check(err)
	var to bytes.Buffer
	r, w := tar.NewReader(bytes.NewReader(from)), tar.NewWriter(&to)
	altered := false
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		ts.Check(err)
		data, err := io.ReadAll(r)
		ts.Check(err)
		if h.Name == args[1] {
			before := bytes.Clone(data)
			if len(args) == 2 {
				data[len(data)/2] ^= 1
			} else {
				data = bytes.Replace(data, []byte(args[2]), []byte(args[3]), 1)
			}
			altered = !bytes.Equal(before, data)
			h.Size = int64(len(data))
		}
		ts.Check(w.WriteHeader(h))
		_, err = w.Write(data)
		ts.Check(err)
	}
	if !altered {
		ts.Fatalf("%s: nothing to alter in %s", args[0], args[1])
	}
	ts.Check(w.Close())
	ts.Check(os.WriteFile(name, to.Bytes(), 0o644))
}

// cut FROM TO copies the first half of a file.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut from to")
	}
	data := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(data[:len(data)/2]), 0o644))
}

// appendText FILE TEXT writes a text behind what a file has.
func appendText(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: append file text")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(ts.ReadFile(args[0])+args[1]), 0o644))
}

// sameRelease DIR1 DIR2 compares two releases of one commit, but for what package
// checksums says may differ: what the proof ledger spared.
func sameRelease(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: samerelease dir1 dir2")
	}
	a, err := publishedFiles(ts.MkAbs(args[0]))
	ts.Check(err)
	b, err := publishedFiles(ts.MkAbs(args[1]))
	ts.Check(err)
	if diff := differing(a, b); diff != "" {
		ts.Fatalf("%s", diff)
	}
}

// differing names the files of two releases that differ; "" for none.
func differing(a, b map[string]string) string {
	var names []string
	for _, m := range []map[string]string{a, b} {
		for name := range m {
			_, in := a[name]
			_, too := b[name]
			if in != too || a[name] != b[name] {
				names = append(names, name+":\n"+a[name]+"\n"+b[name])
			}
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "\n")
}

// publishedFiles are the files of a release by name, with what must be the same in every
// release of a commit.
func publishedFiles(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		switch name := e.Name(); {
		case strings.HasSuffix(name, ".sigstore.json"), strings.HasPrefix(name, "report."):
			data = nil // no two signatures are the same; a report says what was spared
		case name == "checksums.txt":
			text := ""
			for line := range strings.Lines(string(data)) {
				if _, of, _ := strings.Cut(strings.TrimSpace(line), "  "); of == "release.json" || strings.HasPrefix(of, "report.") {
					line = of + "\n"
				}
				text += line
			}
			data = []byte(text)
		case name == "release.json":
			var m map[string]any
			if err := json.Unmarshal(data, &m); err != nil {
				return nil, err
			}
			delete(m["rebuild"].(map[string]any), "actions")
			if data, err = json.MarshalIndent(m, "", "\t"); err != nil {
				return nil, err
			}
		}
		files[e.Name()] = string(data)
	}
	return files, nil
}
