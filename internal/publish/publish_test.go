package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/publish/publishtest"
	"github.com/mintmark/mintmark/internal/secret"
)

const (
	testTag    = "v1.2.3"
	testCommit = "abababababababababababababababababababab"
)

// release makes a release of a few small files, as if it had been verified.
func release(t *testing.T, extra ...string) *Release {
	t.Helper()
	r := &Release{Dir: t.TempDir(), Manifest: &checksums.Manifest{Project: "small", Version: "1.2.3"}}
	r.Manifest.Source = checksums.Source{Module: "example.com/small", Version: testTag, Commit: testCommit, Tags: []string{testTag}}
	for _, name := range append([]string{"checksums.txt", "report.md", "small_linux_amd64.tar.gz"}, extra...) {
		content := "content of " + name + "\n"
		if err := os.WriteFile(filepath.Join(r.Dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		r.Files = append(r.Files, File{name, int64(len(content)), files.DigestBytes([]byte(content))})
	}
	return r
}

// want are the files of a release.
func (r *Release) want() map[string]string {
	all := map[string]string{}
	for _, f := range r.Files {
		all[f.Name] = "content of " + f.Name + "\n"
	}
	return all
}

// forges are the servers of the tests, with how each is named.
func forges() map[Kind]func() *publishtest.Forge {
	return map[Kind]func() *publishtest.Forge{GitHub: publishtest.GitHub, Gitea: publishtest.Gitea, GitLab: publishtest.GitLab}
}

func newForge(t *testing.T, kind Kind) (*publishtest.Forge, Config) {
	t.Helper()
	f := forges()[kind]()
	t.Cleanup(f.Close)
	f.Tags[testTag] = testCommit
	target, err := ParseTarget(string(kind) + ":" + f.URL + "/" + f.Repo)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return f, Config{
		Target: target, Token: secret.NewText(publishtest.Token, "the token"), Transport: transport,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, Now: func() time.Time { return time.Unix(1_000_000_000, 0) },
	}
}

// ended holds what the server has in the end against the directory.
func ended(t *testing.T, f *publishtest.Forge, r *Release) {
	t.Helper()
	if got := f.Published(testTag); !maps.Equal(got, r.want()) {
		t.Errorf("published is %q", got)
	}
	f.Do(func() {
		for _, rel := range f.Releases {
			if rel.Draft {
				t.Errorf("a draft is left, with %d files", len(rel.Assets))
			}
		}
		for _, w := range f.Wrong {
			t.Error(w)
		}
	})
}

// asked are the requests so far.
func asked(f *publishtest.Forge) (all []string) {
	f.Do(func() { all = slices.Clone(f.Requests) })
	return all
}

// TestPublish: a release is published as it is; once more, it is there already, and
// nothing is written.
func TestPublish(t *testing.T) {
	for kind := range forges() {
		t.Run(string(kind), func(t *testing.T) {
			f, cfg := newForge(t, kind)
			f.Annotated = true
			var said []Event
			cfg.Say = func(e Event) { said = append(said, e) }
			r := release(t)
			cfg.Draft = true
			res, err := Publish(t.Context(), r, cfg)
			if err != nil || res.State != Drafted || f.Published(testTag) != nil {
				t.Fatalf("draft: %+v, %v", res, err)
			}
			cfg.Draft = false
			res, err = Publish(t.Context(), r, cfg)
			if err != nil || res.State != Published || res.Immutable != (kind == GitHub) || len(res.Files) != len(r.Files) || !res.Files[0].There {
				t.Fatalf("%+v, %v", res, err)
			}
			ended(t, f, r)
			f.Do(func() {
				if kind == GitHub && f.Releases[0].Body != "content of report.md\n" {
					t.Errorf("the text is %q", f.Releases[0].Body)
				}
			})
			before := len(asked(f))
			if res, err = Publish(t.Context(), r, cfg); err != nil || res.State != Already {
				t.Fatalf("again: %+v, %v", res, err)
			}
			for _, q := range asked(f)[before:] {
				if !strings.HasPrefix(q, "GET ") {
					t.Errorf("again: %s", q)
				}
			}
			if text := fmt.Sprintf("%+v %#v %+v %+v", said, cfg, res, asked(f)); strings.Contains(text, publishtest.Token) {
				t.Errorf("the token is in %s", text)
			}
			if res, err = Same(t.Context(), r, cfg, testTag); err != nil || res.State != Already {
				t.Errorf("Same: %+v, %v", res, err)
			}
			dir := t.TempDir()
			if err := Fetch(t.Context(), cfg, testTag, dir); err != nil {
				t.Fatal(err)
			}
			if got := content(t, dir); !maps.Equal(got, r.want()) {
				t.Errorf("fetched %q", got)
			}
			ended(t, f, r)
		})
	}
}

func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all[d.Name()] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestFaults fails each request in turn in each way, and every request from it on: then
// the same command ends well, and what is published is exactly the directory.
func TestFaults(t *testing.T) {
	r := release(t)
	for kind := range forges() {
		f, cfg := newForge(t, kind)
		if _, err := Publish(t.Context(), r, cfg); err != nil {
			t.Fatal(err)
		}
		requests := len(asked(f))
		mended, stopped := 0, 0
		try := func(what string, fail func(n int, q *http.Request) publishtest.Fault) {
			t.Helper()
			f, cfg := newForge(t, kind)
			f.Fault = fail
			_, err := Publish(t.Context(), r, cfg)
			if mended++; err != nil {
				mended--
				stopped++
				if fault.Hint(err) == "" || strings.Contains(err.Error()+fault.Hint(err), publishtest.Token) {
					t.Errorf("%s, %s: %v, hint %q", kind, what, err, fault.Hint(err))
				}
				f.Do(func() { f.Fault = nil })
				if _, err := Publish(t.Context(), r, cfg); err != nil {
					t.Errorf("%s, %s: again: %v", kind, what, err)
				}
			}
			ended(t, f, r)
			if t.Failed() {
				t.Fatalf("%s, %s: %q", kind, what, asked(f))
			}
			f.Close()
		}
		for i := 1; i <= requests; i++ {
			for _, way := range publishtest.Faults() {
				try(fmt.Sprintf("request %d %s", i, way), func(n int, _ *http.Request) publishtest.Fault {
					if n == i {
						return way
					}
					return publishtest.None
				})
				if way == publishtest.Limit || way == publishtest.Secondary || way == publishtest.FailBefore {
					continue // before any effect, as CloseBefore is
				}
				try(fmt.Sprintf("request %d %s, and then the server is gone", i, way), func(n int, _ *http.Request) publishtest.Fault {
					switch {
					case n == i:
						return way
					case n > i:
						return publishtest.Down
					}
					return publishtest.None
				})
			}
		}
		t.Logf("%s: %d requests; %d runs ended well by themselves, %d by another one", kind, requests, mended, stopped)
		if mended == 0 || stopped == 0 {
			t.Error("nothing was mended, or nothing stopped")
		}
	}
}

// TestRefused: what cannot be published as it is is an error with what to do, and is
// left as it is.
func TestRefused(t *testing.T) {
	starter := &publishtest.Asset{ID: 90, Name: "small_linux_amd64.tar.gz", Starter: true}
	other := &publishtest.Asset{ID: 91, Name: "checksums.txt", Content: []byte("another one of it\n")}
	same := &publishtest.Asset{ID: 92, Name: "checksums.txt", Content: []byte("content of checksums.txt\n")}
	odd := &publishtest.Asset{ID: 93, Name: "added.txt", Content: []byte("x")}
	draft := func(assets ...*publishtest.Asset) *publishtest.Release {
		return &publishtest.Release{ID: 70, Tag: testTag, Draft: true, Assets: assets}
	}
	done := func(assets ...*publishtest.Asset) *publishtest.Release {
		return &publishtest.Release{ID: 71, Tag: testTag, Assets: assets}
	}
	for name, tt := range map[string]struct {
		set  func(f *publishtest.Forge, cfg *Config, r *Release)
		want string // of the error; "" for none
		code int
		hint string
	}{
		"another digest":  {func(f *publishtest.Forge, _ *Config, _ *Release) { f.Releases = append(f.Releases, draft(other)) }, "checksums.txt has 18 bytes there, and 25 here", fault.Refused, "delete it by hand"},
		"a file too many": {func(f *publishtest.Forge, _ *Config, _ *Release) { f.Releases = append(f.Releases, draft(same, odd)) }, `"added.txt" is there, and is no file`, fault.Refused, "delete it by hand"},
		"incomplete": {func(f *publishtest.Forge, _ *Config, _ *Release) {
			f.Releases = append(f.Releases, draft(same, starter))
		}, "", 0, ""},
		"published, less":         {func(f *publishtest.Forge, _ *Config, _ *Release) { f.Releases = append(f.Releases, done(same)) }, "report.md is not there", fault.Refused, "release another version"},
		"published, other":        {func(f *publishtest.Forge, _ *Config, _ *Release) { f.Releases = append(f.Releases, done(other)) }, "another release", fault.Refused, "release another version"},
		"no tag":                  {func(f *publishtest.Forge, _ *Config, _ *Release) { delete(f.Tags, testTag) }, "has no tag v1.2.3", fault.Failed, "git push origin v1.2.3"},
		"another commit":          {func(f *publishtest.Forge, _ *Config, _ *Release) { f.Tags[testTag] = strings.Repeat("cd", 20) }, "the tag v1.2.3 is on the commit cdcd", fault.Refused, "release the commit that the tag is on"},
		"a bad token":             {func(_ *publishtest.Forge, cfg *Config, _ *Release) { cfg.Token = secret.NewText("canary-wrong", "") }, "401", fault.Failed, "set GITHUB_ENTERPRISE_TOKEN to a token"},
		"no token":                {func(_ *publishtest.Forge, cfg *Config, _ *Release) { cfg.Token = secret.Text{} }, "no token in GITHUB_ENTERPRISE_TOKEN or GH_ENTERPRISE_TOKEN", fault.Usage, "set GITHUB_ENTERPRISE_TOKEN"},
		"no rights":               {func(f *publishtest.Forge, _ *Config, _ *Release) { f.ReadOnly = true }, "Resource not accessible", fault.Failed, "contents: write"},
		"no repository":           {func(_ *publishtest.Forge, cfg *Config, _ *Release) { cfg.Target.Repo = "owner/tol" }, "404", fault.Failed, "check the name"},
		"a name that is changed":  {func(_ *publishtest.Forge, _ *Config, r *Release) { r.Files[0].Name = "a b~c" }, `"a b~c" has the character ' '`, fault.Usage, "give it another name"},
		"another tag":             {func(_ *publishtest.Forge, cfg *Config, _ *Release) { cfg.Tag = "v9" }, "-tag=v9", fault.Usage, "leave out -tag"},
		"a version without a tag": {func(_ *publishtest.Forge, _ *Config, r *Release) { r.Manifest.From = "given" }, "says no tag of the version", fault.Usage, "-tag=TAG"},
		"too many requests": {func(f *publishtest.Forge, cfg *Config, _ *Release) {
			f.Fault = func(int, *http.Request) publishtest.Fault { return publishtest.Limit }
			cfg.MaxWait = 30 * time.Second
		}, "too many requests", fault.Failed, "again after 2001-09-09T01:47:41Z"},
		"no notes": {func(_ *publishtest.Forge, cfg *Config, _ *Release) { cfg.Notes = "nothing.md" }, "nothing.md", fault.Usage, "-notes=FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			f, cfg := newForge(t, GitHub)
			r := release(t)
			tt.set(f, &cfg, r)
			_, err := Publish(t.Context(), r, cfg)
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				ended(t, f, r)
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || fault.ExitCode(err) != tt.code || !strings.Contains(fault.Hint(err), tt.hint) {
				t.Errorf("error %v\nhint %q\nexit code %d", err, fault.Hint(err), fault.ExitCode(err))
			}
			f.Do(func() {
				for _, w := range f.Wrong {
					t.Error(w)
				}
			})
			for _, q := range asked(f) {
				if strings.HasPrefix(q, "POST /api/uploads") || strings.HasPrefix(q, "PATCH") || strings.HasPrefix(q, "DELETE") {
					t.Errorf("%s", q)
				}
			}
		})
	}
}

// TestWithoutDigests: what a forge says nothing of is downloaded, without the token.
func TestWithoutDigests(t *testing.T) {
	f, cfg := newForge(t, GitHub)
	f.NoDigests = true
	r := release(t)
	if _, err := Publish(t.Context(), r, cfg); err != nil {
		t.Fatal(err)
	}
	ended(t, f, r)
	f.Do(func() { f.Releases[0].Assets[0].Content = []byte("content of CHECKSUMS.TXT\n") })
	if _, err := Same(t.Context(), r, cfg, testTag); err == nil || !strings.Contains(err.Error(), "checksums.txt has the digest") {
		t.Errorf("%v", err)
	}
	cfg.Token = secret.Text{}
	dir := t.TempDir()
	if err := Fetch(t.Context(), cfg, testTag, dir); err != nil || len(content(t, dir)) != 3 {
		t.Errorf("%v, %v", content(t, dir), err)
	}
}

// TestDryRun asks, and writes nothing; what it says is what is then done.
func TestDryRun(t *testing.T) {
	for kind := range forges() {
		f, cfg := newForge(t, kind)
		r := release(t)
		var would []string
		cfg.Say = func(e Event) {
			if e.Would {
				would = append(would, e.Method+" "+strings.Replace(strings.TrimPrefix(e.URL, f.URL), "/ID", "/1", 1))
			}
		}
		cfg.DryRun = true
		res, err := Publish(t.Context(), r, cfg)
		there := 0
		f.Do(func() { there = len(f.Releases) + len(f.Package) })
		if err != nil || res.State != Rehearsed || there > 0 {
			t.Fatalf("%+v, %v", res, err)
		}
		cfg.DryRun = false
		before := len(asked(f))
		if _, err := Publish(t.Context(), r, cfg); err != nil {
			t.Fatal(err)
		}
		writes := func(list []string) (some []string) {
			for _, q := range list {
				if !strings.HasPrefix(q, "GET ") {
					some = append(some, q)
				}
			}
			return some
		}
		if got, want := strings.Join(writes(would), "\n"), strings.Join(writes(asked(f)[before:]), "\n"); got != want || got == "" {
			t.Errorf("%s: said\n%s\ndone\n%s", kind, got, want)
		}
	}
}

// TestTwoAtOnce: another one has published the same release while this one uploaded.
func TestTwoAtOnce(t *testing.T) {
	f, cfg := newForge(t, GitHub)
	r := release(t)
	first := true
	f.Fault = func(_ int, q *http.Request) publishtest.Fault {
		if q.Method == http.MethodPatch && first {
			first = false
			rel := &publishtest.Release{ID: 99, Tag: testTag}
			for i, f := range r.Files {
				rel.Assets = append(rel.Assets, &publishtest.Asset{ID: int64(100 + i), Name: f.Name, Content: []byte(r.want()[f.Name])})
			}
			f.Releases = append(f.Releases, rel)
		}
		return publishtest.None
	}
	if res, err := Publish(t.Context(), r, cfg); err != nil || res.State != Published {
		t.Errorf("%+v, %v", res, err)
	}
}

// TestSame: what was changed after it was published is refused.
func TestSame(t *testing.T) {
	for name, tt := range map[string]struct {
		set  func(f *publishtest.Forge)
		want string
	}{
		"nothing":       {func(*publishtest.Forge) {}, ""},
		"a draft again": {func(f *publishtest.Forge) { f.Releases[0].Draft = true }, "is a draft"},
		"gone":          {func(f *publishtest.Forge) { f.Releases = nil }, "has published nothing as v1.2.3"},
		"a file less":   {func(f *publishtest.Forge) { f.Releases[0].Assets = f.Releases[0].Assets[1:] }, "checksums.txt is not there"},
		"a file more": {func(f *publishtest.Forge) {
			f.Releases[0].Assets = append(f.Releases[0].Assets, &publishtest.Asset{ID: 1000, Name: "x"})
		}, `"x" is there`},
		"a file changed": {func(f *publishtest.Forge) { f.Releases[0].Assets[0].Content[0] ^= 1 }, "has the digest"},
		"the tag moved":  {func(f *publishtest.Forge) { f.Tags[testTag] = strings.Repeat("00", 20) }, "the tag v1.2.3 is on the commit 0000"},
	} {
		f, cfg := newForge(t, GitHub)
		r := release(t)
		if _, err := Publish(t.Context(), r, cfg); err != nil {
			t.Fatal(err)
		}
		f.Do(func() { tt.set(f) })
		cfg.Token = secret.Text{} // as anybody sees it
		_, err := Same(t.Context(), r, cfg, testTag)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) && name != "a draft again" || fault.Hint(err) == "") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLinks: a link to elsewhere is no file of a release.
func TestLinks(t *testing.T) {
	for _, kind := range []Kind{Gitea, GitLab} {
		f, cfg := newForge(t, kind)
		r := release(t)
		if _, err := Publish(t.Context(), r, cfg); err != nil {
			t.Fatal(err)
		}
		f.Do(func() { f.Releases[0].Assets[0].Link = "https://example.com/checksums.txt" })
		if _, err := Same(t.Context(), r, cfg, testTag); err == nil || !strings.Contains(err.Error(), `checksums.txt leads elsewhere, to "https://example.com/checksums.txt"`) {
			t.Errorf("%s: %v", kind, err)
		}
		if err := Fetch(t.Context(), cfg, testTag, t.TempDir()); err == nil || !strings.Contains(err.Error(), "leads elsewhere") || fault.ExitCode(err) != fault.Refused {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestDirectory stops a publication into a directory at each of its steps, and leaves
// unfinished files there: then it ends well, and the directory appears complete.
func TestDirectory(t *testing.T) {
	r := release(t)
	steps := 0
	for stop := 0; stop == 0 || stop <= steps; stop++ {
		top := filepath.Join(t.TempDir(), "releases")
		cfg := Config{Target: Target{Kind: Directory, Path: top}}
		final := filepath.Join(top, testTag)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		n := 0
		cfg.Say = func(e Event) {
			if n++; n == stop {
				panic(errStopped) // as if it was killed there
			}
		}
		func() {
			defer func() {
				if e := recover(); e != nil && e != errStopped {
					panic(e)
				}
			}()
			if _, err := Publish(ctx, r, cfg); err != nil {
				t.Error(err)
			}
		}()
		if stop == 0 {
			steps = n
		} else if _, err := os.Lstat(final); err == nil {
			t.Errorf("stopped before step %d of %d: %s is there", stop, steps, final)
		}
		draft := filepath.Join(top, "."+testTag+".draft")
		if _, err := os.Lstat(draft); err == nil {
			if err := os.WriteFile(filepath.Join(draft, ".new-123"), []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cfg.Say = nil
		if res, err := Publish(t.Context(), r, cfg); err != nil || stop > 0 && res.State != Published {
			t.Fatalf("stopped before step %d: again: %+v, %v", stop, res, err)
		}
		if got := content(t, top); !maps.Equal(got, r.want()) {
			t.Errorf("stopped before step %d: %q", stop, got)
		}
		if res, err := Publish(t.Context(), r, cfg); err != nil || res.State != Already {
			t.Errorf("a third time: %+v, %v", res, err)
		}
	}
	if steps < 5 {
		t.Errorf("%d steps", steps)
	}
	top := t.TempDir()
	cfg := Config{Target: Target{Kind: Directory, Path: top}}
	if err := os.MkdirAll(filepath.Join(top, "."+testTag+".draft"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(top, "."+testTag+".draft", "checksums.txt"), []byte("another"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Publish(t.Context(), r, cfg); err == nil || fault.ExitCode(err) != fault.Refused {
		t.Errorf("another file in the draft: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(top, testTag)); err == nil {
		t.Error("it was published")
	}
}

var errStopped = errors.New("stopped")

// TestVerified: only what a verification has looked at, all of it and signed, becomes a
// release; and only as it was then.
func TestVerified(t *testing.T) {
	good := func(r *Release) *checksums.Verification {
		v := &checksums.Verification{Manifest: r.Manifest}
		for _, f := range r.Files[1:] { // the list does not list itself
			v.Files = append(v.Files, checksums.FileCheck{Name: f.Name, SHA256: f.SHA256, Size: f.Size, Status: checksums.FileVerified})
		}
		v.Checks.Done(fact.Signature, "checksums.txt", "key:x")
		return v
	}
	for name, tt := range map[string]struct {
		set  func(v *checksums.Verification, r *Release)
		want string
	}{
		"all is well":        {func(*checksums.Verification, *Release) {}, ""},
		"nothing":            {func(v *checksums.Verification, _ *Release) { *v = checksums.Verification{} }, "is not a release of mintmark"},
		"the manifest alone": {func(v *checksums.Verification, _ *Release) { v.Files = nil }, "is not a release of mintmark"},
		"one file":           {func(v *checksums.Verification, _ *Release) { v.File = "x" }, "is not a release of mintmark"},
		"not signed":         {func(v *checksums.Verification, _ *Release) { v.Checks.Open(fact.Signature, "checksums.txt", "") }, "no signature was checked"},
		"a file is missing":  {func(v *checksums.Verification, _ *Release) { v.Files[0].Status = checksums.FileMissing }, "report.md is missing"},
		"changed since": {func(_ *checksums.Verification, r *Release) {
			if err := os.WriteFile(filepath.Join(r.Dir, "report.md"), []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "report.md: was changed after"},
		"gone since": {func(_ *checksums.Verification, r *Release) {
			if err := os.Remove(filepath.Join(r.Dir, "report.md")); err != nil {
				t.Fatal(err)
			}
		}, "report.md: file does not exist"},
	} {
		r := release(t)
		v := good(r)
		tt.set(v, r)
		got, err := Verified(t.Context(), r.Dir, v, false)
		switch {
		case tt.want == "" && (err != nil || !slices.Equal(got.Files, r.Files)):
			t.Errorf("%s: %+v, %v", name, got, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || fault.Hint(err) == ""):
			t.Errorf("%s: %v", name, err)
		}
	}
}
