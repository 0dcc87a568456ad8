package cli

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/forgery"
	"github.com/mintmark/mintmark/internal/publish/publishtest"
)

// signedRelease makes a signed release in a directory, and its public key.
func signedRelease(t *testing.T) (dir, key, commit string) {
	t.Helper()
	top := t.TempDir()
	dir = filepath.Join(top, "dist")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := forgery.Small(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write("report.md", "# small\n"); err != nil {
		t.Fatal(err)
	}
	r.Manifest.Source.Tags = []string{"v1.2.3"}
	private, public, err := checksums.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	keyPath, pubPath, err := checksums.WriteKeyPair(filepath.Join(top, "mintmark"), private, public)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := checksums.LoadSigner(t.Context(), checksums.KeyFile(keyPath), func() ([]byte, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Sign(t.Context(), signer); err != nil {
		t.Fatal(err)
	}
	return dir, pubPath, r.Manifest.Source.Commit
}

// TestPublishVerb publishes a release that verify accepts, and no other one, and
// verifies what is published; the token is in nothing that is printed.
func TestPublishVerb(t *testing.T) {
	dir, key, commit := signedRelease(t)
	forge := publishtest.GitHub()
	defer forge.Close()
	forge.Tags["v1.2.3"] = commit
	to := "github:" + forge.URL + "/" + forge.Repo
	env := []string{"GH_ENTERPRISE_TOKEN=" + publishtest.Token}
	run := func(env []string, code int, want string, args ...string) string {
		t.Helper()
		got, stdout, stderr := say(env, args...)
		if got != code || !strings.Contains(stdout+stderr, want) {
			t.Errorf("mintmark %s: exit code %d\n%s%s\nwant %d, and %q", strings.Join(args, " "), got, stdout, stderr, code, want)
		}
		if strings.Contains(stdout+stderr, publishtest.Token) {
			t.Errorf("mintmark %s prints the token:\n%s%s", strings.Join(args, " "), stdout, stderr)
		}
		return stdout
	}
	run(env, 2, "no key to verify with", "publish", dir, "-to="+to)
	run(env, 2, "-to is not given", "publish", dir, "-key="+key)
	run(env, 2, `names no repository`, "publish", dir, "-to=github:owner", "-key="+key)
	run(nil, 2, "no token in GITHUB_ENTERPRISE_TOKEN", "publish", dir, "-to="+to, "-key="+key)
	// A token of github.com is for no other host, unless a runner says so.
	run([]string{"GITHUB_TOKEN=" + publishtest.Token}, 2, "no token in GITHUB_ENTERPRISE_TOKEN", "publish", dir, "-to="+to, "-key="+key)
	run(env, 2, "is one file", "publish", filepath.Join(dir, "release.json"), "-to="+to, "-key="+key)
	run(env, 1, "has published nothing", "verify", "-published="+to+"@v1.2.3", "-key="+key)
	page := filepath.Join(dir, "report.html")
	old, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(page, []byte("<p>another</p>\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run(env, 4, "report.html: has", "publish", dir, "-to="+to, "-key="+key)
	if err := os.WriteFile(page, old, 0o644); err != nil {
		t.Fatal(err)
	}
	forge.Do(func() {
		if len(forge.Releases) > 0 {
			t.Error("something was written")
		}
	})
	run(env, 0, "would  POST   "+forge.URL+"/api/uploads/repos/owner/tool/releases/ID/assets?name=checksums.txt", "publish", dir, "-to="+to, "-key="+key, "-dry-run")
	run([]string{"GITHUB_TOKEN=" + publishtest.Token, "GITHUB_SERVER_URL=" + forge.URL}, 0, "has small 1.2.3 as v1.2.3: 10 files, 10 uploaded", "publish", dir, "-to="+to, "-key="+key)
	var doc struct {
		State string
		Files []struct{ There bool }
	}
	if err := json.Unmarshal([]byte(run(env, 0, `"already published"`, "publish", dir, "-to="+to, "-key="+key, "-json")), &doc); err != nil || doc.State != "already published" || len(doc.Files) != 10 {
		t.Errorf("%+v, %v", doc, err)
	}
	want := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		want[e.Name()] = string(data)
	}
	body := ""
	forge.Do(func() { body = forge.Releases[0].Body })
	if !maps.Equal(forge.Published("v1.2.3"), want) || body != "# small\n" {
		t.Errorf("published is another release")
	}
	const is = "is this release: 10 files with these digests, and no others; its tag is on the release's commit, and the forge lets nothing"
	run(nil, 0, is, "verify", "-published="+to+"@v1.2.3", "-key="+key) // as anybody
	run(nil, 0, is, "verify", "-published="+to+"@v1.2.3", "-key="+key, dir)
	run(nil, 2, "missing argument: path", "verify", "-key="+key)
	assets := func(change func(all []*publishtest.Asset) []*publishtest.Asset) {
		forge.Do(func() { forge.Releases[0].Assets = change(forge.Releases[0].Assets) })
	}
	assets(func(all []*publishtest.Asset) []*publishtest.Asset {
		return append(all, &publishtest.Asset{ID: 1000, Name: "added.txt", Content: []byte("x")})
	})
	run(nil, 4, "added.txt: is a file that checksums.txt does not list", "verify", "-published="+to+"@v1.2.3", "-key="+key)
	run(nil, 4, "hint: what is published there now is not what was released", "verify", "-published="+to+"@v1.2.3", "-key="+key)
	run(nil, 2, "leave out -partial", "verify", "-published="+to+"@v1.2.3", "-key="+key, "-partial")
	run(nil, 4, `"added.txt" is there, and is no file of the release`, "verify", "-published="+to+"@v1.2.3", "-key="+key, dir)
	assets(func(all []*publishtest.Asset) []*publishtest.Asset { return all[:9] })
	run(nil, 4, "is missing", "verify", "-published="+to+"@v1.2.3", "-key="+key)
	forge.Do(func() {
		for _, w := range forge.Wrong {
			t.Error(w)
		}
	})
	place := filepath.Join(t.TempDir(), "www")
	run(nil, 0, "has small 1.2.3 as v1.2.3: 10 files", "publish", dir, "-to=dir:"+place, "-key="+key)
	run(nil, 0, "is this release: 10 files with these digests, and no others", "verify", "-published=dir:"+place+"@v1.2.3", "-key="+key)
}
