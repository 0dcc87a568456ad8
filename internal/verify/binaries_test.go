package verify

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/upx"
	"github.com/mintmark/mintmark/internal/upx/upxtest"
	"github.com/mintmark/mintmark/profiles"
)

// npmPack gets a published npm package, kept between runs in the user's cache directory.
func npmPack(t testing.TB, pkg string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(cache, "mintmark-test", "npm", strings.NewReplacer("@", "_", "/", "_").Replace(pkg))
	find := func() string {
		if m, _ := filepath.Glob(filepath.Join(dir, "*.tgz")); len(m) == 1 {
			return m[0]
		}
		return ""
	}
	if f := find(); f != "" {
		return f
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("no npm to fetch published binaries with")
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "pack-*")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	cmd := exec.Command(npm, "pack", "--silent", pkg)
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("npm pack %s: %v\n%s", pkg, err, out)
	}
	os.Rename(tmp, dir) // another test process may have been faster
	f := find()
	if f == "" {
		t.Fatalf("npm pack %s left no file", pkg)
	}
	return f
}

// TestRebuildPublished rebuilds what esbuild publishes from the module proxy's zip alone,
// for Linux and Windows, and once with the linker that they modify, and tells from it what
// was altered or packed. For other programs and platforms see tools/rebuilds -check.
func TestRebuildPublished(t *testing.T) {
	if testing.Short() {
		t.Skip("builds esbuild three times")
	}
	dir := t.TempDir()
	// The digests are those of the published files, written down when this test was made.
	type want struct {
		verdict        fact.Verdict
		sha256, reason string
	}
	wants := map[string]want{}
	var names []string
	add := func(file, member string, w want) {
		names = append(names, file)
		if member != "" {
			file += "!" + member
		}
		wants[file] = w
	}
	add(npmPack(t, "@esbuild/linux-x64@0.25.12"), "package/bin/esbuild", want{"identical", "bab29b2ca7a9e89b67cf720b77b2d743f9f31f5cf0d5bd74ee8c8de30ced7014", ""})
	add(npmPack(t, "@esbuild/win32-x64@0.25.12"), "package/esbuild.exe", want{"identical", "cae1bbc86f4df800b01d99e28aea0a154b02243de6797e98f48a9b88a64a7be0", ""})
	add(npmPack(t, "@esbuild/linux-x64@0.27.2"), "package/bin/esbuild", want{"identical", "ecd2aeff7d78a9feefa96d9c6f3bb9a9cbb38cc74ec3e7f044e8e6ed02e33d00", ""})

	found, err := recovery.Collect(t.Context(), names[:1], t.TempDir())
	if err != nil || len(found.Inputs) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	published, err := os.ReadFile(found.Inputs[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, data []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, data, 0o755); err != nil {
			t.Fatal(err)
		}
		return name
	}
	altered := append([]byte(nil), published...)
	altered[len(altered)/3] ^= 0x10
	add(put("altered", altered), "", want{"different", "", "changed after it was linked: the rebuilt one has the same build ID, which covers all inputs and the linked file itself; 1 bytes differ"})
	if strip, err := exec.LookPath("strip"); err == nil && runtime.GOOS == "linux" {
		stripped := put("stripped", published)
		if out, err := exec.Command(strip, stripped).CombinedOutput(); err != nil {
			t.Errorf("strip: %v\n%s", err, out)
		}
		add(stripped, "", want{"different", "", "changed after it was linked"})
	} else {
		t.Log("no strip: a file that was stripped afterwards is not tried")
	}
	environ := os.Environ()
	if path, err := upxtest.Find(); err == nil {
		if tool, err := upx.Find(t.Context(), upx.Config{Path: path}); err == nil {
			bin := filepath.Join(dir, "tools")
			if err := os.MkdirAll(bin, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(tool.Path, filepath.Join(bin, "upx")); err != nil {
				t.Fatal(err)
			}
			environ = append(environ, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			packed := filepath.Join(dir, "packed")
			if _, err := tool.Pack(t.Context(), put("to-pack", published), packed, []string{"-1"}); err != nil {
				t.Fatal(err)
			}
			add(packed, "", want{"identical", "", ""})
		} else {
			t.Logf("no UPX of internal/upx's tests: a packed file is not tried: %v", err)
		}
	}
	keep := filepath.Join(dir, "kept")
	// Compiling takes minutes, so the caches outlive the test: their entries are
	// found by what they were made of, and the verdict is about bytes.
	cache := filepath.Join(dir, "cache")
	if user, err := os.UserCacheDir(); err == nil {
		cache = filepath.Join(user, "mintmark-test", "rebuild")
	}
	res, err := Binaries(t.Context(), run.Config{Cache: cache, Environ: environ}, BinariesConfig{Names: names, Keep: keep})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Results) != len(wants) || res.Verdict != fact.Different || res.All() != len(wants) {
		t.Errorf("%d results of %d, %s: %d, %d, %d", len(res.Results), len(wants), res.Verdict, res.Identical, res.Different, res.Unchecked)
	}
	for _, r := range res.Results {
		w := wants[r.Name]
		if strings.Contains(r.Reason, "403 Forbidden") || strings.Contains(r.Reason, "dial tcp") {
			t.Skipf("%s: %s", filepath.Base(r.Name), r.Reason)
		}
		if r.Verdict != w.verdict || w.sha256 != "" && r.SHA256 != w.sha256 || !strings.Contains(r.Reason, w.reason) || (w.reason == "") != (r.Reason == "") {
			t.Errorf("%s: %s (%s), sha256 %s\nwant %+v\n%v\n%v", r.Name, r.Verdict, r.Reason, r.SHA256, w, r.Notes, r.Findings)
		}
		if r.Stamp != recovery.StampReplayed || r.Source.Sum == "" || r.Toolchain.Sum == "" || r.Rebuilt == "" {
			t.Errorf("%s: stamp %q, source %+v, toolchain %+v", r.Name, r.Stamp, r.Source, r.Toolchain)
		}
		if r.Packed != "" && (r.UnpackedVerdict != fact.Identical || r.Packer == nil) {
			t.Errorf("%s: %+v", r.Name, r)
		}
		if (r.Rebuilt == r.SHA256) != (r.Verdict == fact.Identical && r.Packed == "") {
			t.Errorf("%s: %s, but rebuilt %s of %s", r.Name, r.Verdict, r.Rebuilt, r.SHA256)
		}
		if r.Verdict != fact.Identical && len(r.Findings) == 0 {
			t.Errorf("%s: no findings", r.Name)
		}
		f, err := profiles.Load("recovered.yaml", []byte(r.Profile))
		if err != nil || f.Project != "esbuild" {
			t.Errorf("%s: its profile: %v\n%s", r.Name, err, r.Profile)
		}
	}
	if entries, err := os.ReadDir(keep); err != nil || len(entries) <= len(wants) {
		t.Errorf("kept %d files, %v", len(entries), err)
	}
}

// TestRebuildStops: a cancelled run is no verdict.
func TestRebuildStops(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, []byte("\x7fELF and no more"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if res, err := Binaries(ctx, run.Config{Cache: filepath.Join(dir, "cache"), Environ: os.Environ()}, BinariesConfig{Names: []string{name}}); err == nil {
		t.Errorf("%+v", res)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "cache", "work", "*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestRebuiltCounts: all that was found counts, and nothing alone is not identical.
func TestRebuiltCounts(t *testing.T) {
	for _, c := range []struct {
		verdicts string
		want     fact.Verdict
	}{
		{"", fact.Unchecked}, {"identical", fact.Identical}, {"identical unchecked", fact.Unchecked},
		{"unchecked different identical", fact.Different}, {"unchecked", fact.Unchecked}, {"identical odd", fact.Unchecked},
	} {
		var results []*recovery.Result
		for _, v := range strings.Fields(c.verdicts) {
			results = append(results, &recovery.Result{Verdict: fact.Verdict(v)})
		}
		got := newRebuilt(&recovery.Found{Listed: []recovery.Listed{{Name: "README", Kind: recovery.KindText}}}, results)
		if got.Verdict != c.want || got.All() != len(results) || len(got.Listed) != 1 {
			t.Errorf("%q: %+v, want %s", c.verdicts, got, c.want)
		}
	}
}
