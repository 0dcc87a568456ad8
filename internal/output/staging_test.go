package output

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/workspace"
)

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// put writes files below dir.
func put(t *testing.T, dir string, texts map[string]string) {
	t.Helper()
	for name, text := range texts {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// tree is all files below dir, by name.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		text := "special"
		if d.Type().IsRegular() {
			data, rerr := os.ReadFile(path)
			text, err = string(data), rerr
		}
		out[filepath.ToSlash(rel)] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func same(a, b map[string]string) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// aRelease is the files of a signed release, as far as they say whose they are.
func aRelease(t *testing.T, version string) map[string]string {
	t.Helper()
	files := map[string]string{"tool_linux.tar.gz": "archive " + version, fact.MarkdownFile: "# report " + version, checksums.LedgerFile: "{}"}
	files[checksums.ManifestFile] = `{"schema":"` + string(fact.ManifestSchema) + `","artifacts":[{"name":"tool","sha256":"00"},{"name":"tool_linux.tar.gz","sha256":"` + sha(files["tool_linux.tar.gz"]) + `","published":true}]}`
	var list []checksums.Entry
	for name, text := range files {
		list = append(list, checksums.Entry{Name: name, SHA256: sha(text)})
	}
	data, err := checksums.FormatList(list)
	if err != nil {
		t.Fatal(err)
	}
	files[checksums.ChecksumsFile] = string(data)
	signs := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return `{"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"` + base64.StdEncoding.EncodeToString(sum[:]) + `"}}}`
	}
	files[checksums.ChecksumsBundle] = signs(string(data))
	files[checksums.LedgerBundle] = signs(files[checksums.LedgerFile])
	payload, err := json.Marshal(map[string]any{"subject": []any{map[string]any{"name": checksums.ChecksumsFile, "digest": map[string]string{"sha256": sha(string(data))}}}})
	if err != nil {
		t.Fatal(err)
	}
	files[checksums.ProvenanceBundle] = `{"dsseEnvelope":{"payload":"` + base64.StdEncoding.EncodeToString(payload) + `"}}`
	return files
}

func aBuild() map[string]string {
	return map[string]string{"tool": "binary", BuildFile: `{"schema":"` + string(fact.ManifestSchema) + `","artifacts":[{"name":"tool","sha256":"` + sha("binary") + `","published":true}]}`}
}

// TestReplaced: what mintmark made and nobody changed is replaced, all of it.
func TestReplaced(t *testing.T) {
	partly := aRelease(t, "1")
	delete(partly, "tool_linux.tar.gz")
	for name, files := range map[string]map[string]string{
		"nothing": nil, "a release": aRelease(t, "1"), "a build": aBuild(), "what is left of a release": partly, "an empty directory": {},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "parent", "dist")
			if files != nil {
				put(t, out, files)
				if err := os.MkdirAll(out, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			s, err := (Dir{Path: out}).Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Claim("new"); err != nil {
				t.Fatal(err)
			}
			put(t, s.Dir, map[string]string{"new": "new"})
			if err := s.Publish(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.Close()
			if got := tree(t, filepath.Dir(out)); !same(got, map[string]string{"dist/new": "new"}) || s.Leftover != nil {
				t.Errorf("%v, %v", got, s.Leftover)
			}
		})
	}
}

// TestNotReplaced puts something of the user's into an output directory. It is
// refused by name, before the build and after it, and nothing is lost.
func TestNotReplaced(t *testing.T) {
	rel := aRelease(t, "1")
	sneaky := rel[checksums.ChecksumsFile] + sha("mine") + "  zzz.txt\n"
	for name, tt := range map[string]struct {
		base   map[string]string
		change map[string]string
		names  string // what the error must name
	}{
		"a file beside a release":    {rel, map[string]string{"NOTES.txt": "mine"}, "NOTES.txt: mintmark did not make it"},
		"a file beside a build":      {aBuild(), map[string]string{"NOTES.txt": "mine"}, "NOTES.txt: mintmark did not make it"},
		"a directory":                {rel, map[string]string{".git/config": "mine"}, ".git: is a directory"},
		"an edited report":           {rel, map[string]string{fact.MarkdownFile: "# mine"}, fact.MarkdownFile + ": was changed since"},
		"an edited archive":          {rel, map[string]string{"tool_linux.tar.gz": "mine"}, "tool_linux.tar.gz: was changed since"},
		"an edited binary":           {aBuild(), map[string]string{"tool": "mine"}, "tool: was changed since"},
		"an edited manifest":         {rel, map[string]string{checksums.ManifestFile: rel[checksums.ManifestFile] + " "}, checksums.ManifestFile + ": was changed since"},
		"a line more in the list":    {rel, map[string]string{"zzz.txt": "mine", checksums.ChecksumsFile: sneaky}, "zzz.txt: mintmark did not make it"},
		"an edited list":             {rel, map[string]string{checksums.ChecksumsFile: "mine\n"}, checksums.ChecksumsFile + ": was changed since"},
		"another signature":          {rel, map[string]string{checksums.ChecksumsBundle: rel[checksums.LedgerBundle]}, checksums.ChecksumsBundle + ": was changed since"},
		"another record":             {rel, map[string]string{checksums.ProvenanceBundle: "{}"}, checksums.ProvenanceBundle + ": was changed since"},
		"a statement of a rebuilder": {rel, map[string]string{"tool_1.alice.rebuild.sigstore.json": "{}"}, "tool_1.alice.rebuild.sigstore.json: mintmark did not make it"},
		"no manifest":                {map[string]string{"a": "1", "b": "2"}, nil, "a: mintmark did not make it; b: mintmark did not make it"},
		"a manifest of others":       {map[string]string{"release.json": `{"schema":"https://example.com/v1"}`}, nil, "release.json: mintmark did not make it"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, when := range []string{"before", "meanwhile"} {
				out := filepath.Join(t.TempDir(), "dist")
				put(t, out, tt.base)
				if when == "meanwhile" {
					if tt.change == nil {
						continue
					}
					s, err := (Dir{Path: out}).Open(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					put(t, out, tt.change)
					before := tree(t, out)
					err = s.Publish(t.Context())
					s.Close()
					if err == nil || !strings.Contains(err.Error(), tt.names) || !same(tree(t, filepath.Dir(out)), prefixed("dist/", before)) {
						t.Errorf("%s: %v\n%v", when, err, tree(t, filepath.Dir(out)))
					}
					continue
				}
				put(t, out, tt.change)
				before := tree(t, filepath.Dir(out))
				s, err := (Dir{Path: out}).Open(t.Context())
				if err == nil {
					s.Close()
				}
				if err == nil || !strings.Contains(err.Error(), tt.names) || fault.Hint(err) == "" || !same(tree(t, filepath.Dir(out)), before) {
					t.Errorf("%s: %v\n%v", when, err, tree(t, filepath.Dir(out)))
				}
			}
		})
	}
}

func prefixed(prefix string, files map[string]string) map[string]string {
	out := map[string]string{}
	for name, text := range files {
		out[prefix+name] = text
	}
	return out
}

// TestOutPlaces: places where no release can be.
func TestOutPlaces(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{"repo/go.mod": "module m", "repo/.git/config": "", "file": "mine"})
	before := tree(t, dir)
	root := filepath.VolumeName(dir) + string(filepath.Separator)
	for out, want := range map[string]string{
		root: "root directory", filepath.Join(dir, "repo"): "not mintmark's", filepath.Join(dir, "repo", ".git"): "in a .git directory",
		filepath.Join(dir, "repo", ".git", "new"): "in a .git directory", dir: "not mintmark's", filepath.Join(dir, "file"): "not a directory", filepath.Join(dir, "file", "dist"): "file",
	} {
		s, err := (Dir{Path: out}).Open(t.Context())
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "output directory") {
			t.Errorf("%s: %v, want %q", out, err, want)
		}
	}
	if !same(tree(t, dir), before) {
		t.Errorf("changed: %v", tree(t, dir))
	}
}

// TestUnfinished has what a killed run leaves removed, and nothing else that
// has such a name.
func TestUnfinished(t *testing.T) {
	claims := func(name string, files ...string) string {
		text := `{"schema":"` + string(fact.ClaimSchema) + `","dir":"` + name + `"}` + "\n"
		for _, f := range files {
			text += `"` + f + `"` + "\n"
		}
		return text
	}
	rel := prefixed("dist.unfinished-1-old/", aRelease(t, "1"))
	with := func(files map[string]string, more ...string) map[string]string {
		out := map[string]string{}
		for k, v := range files {
			out[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	lock := "dist.unfinished-1.lock"
	for name, tt := range map[string]struct {
		files  map[string]string
		refuse string            // what the error names; "" for none
		left   map[string]string // when there is no error
	}{
		"a name":                 {map[string]string{"dist.unfinished-notes/a": "mine"}, "dist.unfinished-notes", nil},
		"a file":                 {map[string]string{"dist.unfinished-1": "mine"}, "dist.unfinished-1", nil},
		"a lock of somebody":     {map[string]string{lock: "mine"}, lock, nil},
		"both of somebody":       {map[string]string{"dist.unfinished-1/a": "mine", lock: "mine"}, "dist.unfinished-1", nil},
		"an empty lock beside":   {map[string]string{"dist.unfinished-1/a": "mine", lock: ""}, "dist.unfinished-1", nil},
		"a claim of another":     {map[string]string{"dist.unfinished-1/a": "mine", lock: claims("dist.unfinished-2", "a")}, "dist.unfinished-1", nil},
		"a file put there later": {map[string]string{"dist.unfinished-1/a": "ours", "dist.unfinished-1/NOTES": "mine", lock: claims("dist.unfinished-1", "a")}, "NOTES", nil},
		"a directory in it":      {map[string]string{"dist.unfinished-1/a/b": "mine", lock: claims("dist.unfinished-1", "a")}, "dist.unfinished-1" + string(filepath.Separator) + "a", nil},
		"an old one of somebody": {map[string]string{"dist.unfinished-1-old/a": "mine"}, "dist.unfinished-1-old", nil},
		"an old one, changed":    {with(rel, "dist/a", "", "dist.unfinished-1-old/NOTES", "mine", lock, claims("dist.unfinished-1")), "NOTES", nil},

		"a killed run":          {map[string]string{"dist.unfinished-1/a": "ours", lock: claims("dist.unfinished-1", "a", "b")}, "", map[string]string{}},
		"killed amid a line":    {map[string]string{"dist.unfinished-1/a": "ours", lock: claims("dist.unfinished-1", "a") + `"b`}, "", map[string]string{}},
		"killed at once":        {map[string]string{lock: ""}, "", map[string]string{}},
		"killed before a file":  {map[string]string{lock: claims("dist.unfinished-1")}, "", map[string]string{}},
		"killed between moves":  {with(rel, "dist.unfinished-1/a", "ours", lock, claims("dist.unfinished-1", "a")), "", prefixed("dist/", aRelease(t, "1"))},
		"killed after it moved": {with(rel, lock, claims("dist.unfinished-1")), "", prefixed("dist/", aRelease(t, "1"))},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, tt.files)
			before := tree(t, dir)
			err := (Dir{Path: filepath.Join(dir, "dist")}).clearUnfinished(t.Context())
			if tt.refuse == "" {
				if err != nil || !same(tree(t, dir), tt.left) {
					t.Errorf("%v\n%v\nwant\n%v", err, tree(t, dir), tt.left)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.refuse) || fault.Hint(err) == "" || !same(tree(t, dir), before) {
				t.Errorf("%v, want %q\n%v\nwas\n%v", err, tt.refuse, tree(t, dir), before)
			}
		})
	}
}

// TestKilledStaging stops a run at every step, as SIGKILL does: its lock is
// gone and nothing of it was removed. The next run finds one of the two
// releases whole, and nothing else stays.
func TestKilledStaging(t *testing.T) {
	old, next := aRelease(t, "1"), aRelease(t, "2")
	kill := errors.New("killed")
	for n := range 12 {
		dir := t.TempDir()
		out := filepath.Join(dir, "dist")
		put(t, out, old)
		step := 0
		dies := func() bool { step++; return step > n }
		var s *Staging
		err := func() error {
			if dies() {
				return kill
			}
			base, err := workspace.ClaimDir(dir, (Dir{Path: out}).prefix())
			if err != nil || dies() {
				return errors.Join(err, kill)
			}
			s = &Staging{dir: Dir{Path: out}, Dir: base}
			if err := os.Mkdir(base, 0o755); err != nil || dies() {
				return errors.Join(err, kill)
			}
			if err := s.Claim(fact.AboutFiles()...); err != nil || dies() {
				return errors.Join(err, kill)
			}
			if err := s.Claim("tool_linux.tar.gz"); err != nil || dies() {
				return errors.Join(err, kill)
			}
			put(t, base, map[string]string{"tool_linux.tar.gz": "half"})
			if dies() {
				return kill
			}
			put(t, base, next)
			if dies() {
				return kill
			}
			if err := os.Rename(out, base+oldSuffix); err != nil || dies() {
				return errors.Join(err, kill)
			}
			if err := os.Rename(base, out); err != nil || dies() {
				return errors.Join(err, kill)
			}
			os.Remove(filepath.Join(base+oldSuffix, checksums.ChecksumsBundle))
			if dies() {
				return kill
			}
			return workspace.RemoveNamed(base+oldSuffix, sorted(old))
		}()
		if err != nil && err.Error() != kill.Error() {
			t.Fatal(err)
		}
		want := old
		if n >= 8 {
			want = next
		}
		again, err := (Dir{Path: out}).Open(t.Context())
		if err != nil {
			t.Errorf("killed after %d steps: %v\n%v", n, err, tree(t, dir))
			continue
		}
		again.Close()
		if got := tree(t, dir); !same(got, prefixed("dist/", want)) {
			t.Errorf("killed after %d steps:\n%v\nwant\n%v", n, got, want)
		}
	}
}

func sorted(files map[string]string) []string {
	return slices.Sorted(maps.Keys(files))
}
