package publish

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/secret"
)

// goodTargets are read, with what String says of them.
var goodTargets = map[string]string{
	"github:owner/repo":                          "github:owner/repo",
	"github:https://github.com/owner/repo":       "github:owner/repo",
	"github:https://git.example.com:8443/o/r":    "github:https://git.example.com:8443/o/r",
	"github:http://127.0.0.1:4711/o/r":           "github:http://127.0.0.1:4711/o/r",
	"gitea:https://git.example.com/o/r":          "gitea:https://git.example.com/o/r",
	"forgejo:https://codeberg.org/o/r":           "forgejo:https://codeberg.org/o/r",
	"gitea:https://example.com/git/o/r":          "gitea:https://example.com/git/o/r",
	"gitlab:group/project":                       "gitlab:group/project",
	"gitlab:a/b/c/d":                             "gitlab:a/b/c/d",
	"gitlab:https://gitlab.com/a/b":              "gitlab:a/b",
	"gitlab:https://gitlab.example.com/a/b/c":    "gitlab:https://gitlab.example.com/a/b/c",
	"gitlab:http://[::1]:80801/a/b":              "",
	"gitlab:http://[::1]:8080/a/b":               "gitlab:http://[::1]:8080/a/b",
	"dir:/srv/releases/":                         "dir:/srv/releases",
	"dir:releases@home":                          "dir:releases@home",
	"":                                           "",
	"owner/repo":                                 "",
	"hub:owner/repo":                             "",
	"github:owner":                               "",
	"github:owner/repo/more":                     "",
	"github:owner/repo.git":                      "",
	"github:owner/..":                            "",
	"github:owner/re po":                         "",
	"github:owner/%2e%2e":                        "",
	"github:owner/repo?x=1":                      "",
	"github:https://token@github.com/owner/repo": "",
	"github:http://git.example.com/o/r":          "",
	"github:ftp://git.example.com/o/r":           "",
	"github:https://GIT.example.com/o/r":         "",
	"github:https://git.example.com:443/o/r":     "",
	"github:https://git.example.com/x/o/r":       "",
	"gitea:owner/repo":                           "",
	"gitea:https://git.example.com/o/r/":         "",
	"gitea:https://git.example.com//o/r":         "",
	"gitlab:https:///a/b":                        "",
	"dir:":                                       "",
	"rsync:host:/srv/releases/":                  "rsync:host:/srv/releases",
	"rsync:me@Host_1:releases":                   "rsync:me@Host_1:releases",
	"rsync:host:a b/c@d=e":                       "rsync:host:a b/c@d=e",
	"rsync:host:/":                               "rsync:host:/",
	"rsync:host:.":                               "rsync:host:.",
	"rsync:[::1]:x":                              "rsync:[::1]:x",
	"rsync://host/module":                        "rsync://host/module",
	"rsync://me@host:8730/module/a/b":            "rsync://me@host:8730/module/a/b",
	"rsync://[::1]:8730/module":                  "rsync://[::1]:8730/module",
	"rsync:":                                     "",
	"rsync:host":                                 "",
	"rsync:host:":                                "",
	"rsync::path":                                "",
	"rsync:/srv/releases":                        "",
	"rsync:host::module/path":                    "",
	"rsync:-oProxyCommand=x:path":                "",
	"rsync:-l@host:path":                         "",
	"rsync:@host:path":                           "",
	"rsync:a@b@host:path":                        "",
	"rsync:ho st:path":                           "",
	"rsync:.host:path":                           "",
	"rsync:[host]:path":                          "",
	"rsync:host:-path":                           "",
	"rsync:host:/srv/-x":                         "",
	"rsync:host:~/releases":                      "",
	"rsync:host:../releases":                     "",
	"rsync:host:a/../b":                          "",
	"rsync:host:a*":                              "",
	"rsync:host:a[b]":                            "",
	"rsync:host:$(id)":                           "",
	"rsync:host:a;b":                             "",
	"rsync:host:a'b":                             "",
	"rsync:host:a\\b":                            "",
	"rsync:host:a\nb":                            "",
	"rsync:host: a":                              "",
	"rsync:host:a /b":                            "",
	"rsync:host:ä":                               "",
	"rsync://host":                               "",
	"rsync://host/":                              "",
	"rsync:///module":                            "",
	"rsync://host//module":                       "",
	"rsync://host/./module":                      "",
	"rsync://host:873/module":                    "",
	"rsync://host:0/module":                      "",
	"rsync://host:99999/module":                  "",
	"rsync://host:x/module":                      "",
	"rsync://me:canary-pw@host/module":           "",
	"rsync:me:canary-pw@host:path":               "",
}

func TestParseTarget(t *testing.T) {
	for text, want := range goodTargets {
		got, err := ParseTarget(text)
		switch {
		case want == "" && (err == nil || fault.ExitCode(err) != fault.Usage || fault.Hint(err) == ""):
			t.Errorf("%q: %+v, %v", text, got, err)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"rsync:host": "write rsync:[USER@]HOST:PATH or rsync://HOST[:PORT]/MODULE/PATH", "gitlab:x": "write gitlab:GROUP/PROJECT or gitlab:https://HOST/GROUP/PROJECT", "gitea:o/r": "write gitea:https://HOST/OWNER/REPO", "dir:": "write dir:PATH",
		"pub": "write github:OWNER/REPO, github:https://HOST/OWNER/REPO, gitea:https://HOST/OWNER/REPO, forgejo:https://HOST/OWNER/REPO, gitlab:GROUP/PROJECT, gitlab:https://HOST/GROUP/PROJECT, dir:PATH, rsync:[USER@]HOST:PATH, rsync://HOST[:PORT]/MODULE/PATH, oci: or oci://HOST/OWNER/NAME",
	} {
		if _, err := ParseTarget(text); secret.Redact(fault.Hint(err)) != want {
			t.Errorf("%q: hint %q", text, secret.Redact(fault.Hint(err)))
		}
	}
	for text, want := range map[string]string{
		"github:o/r@v1.2.3": "v1.2.3", "github:o/r@sub/v1@x": "sub/v1@x", "dir:/a@b@v1": "v1", "gitlab:https://h.example/a/b@v1": "v1",
		"github:o/r": "", "github:o/r@": "", "github:o/r@..": "", "github:o/r@-x": "", "github:o/r@a b": "", "github:o/r@a//b": "", "github:o/r@a?b": "",
		"github:https://u@h.example/o/r@v1": "", "github:o/r@x.lock": "", "github:o/r@.x": "",
		"rsync:h:p@v1": "v1", "rsync:me@h:p@q@sub/v1": "sub/v1", "rsync://me@h/m/p@v1": "v1", "rsync:me@h:p": "", "rsync://me@h/m": "", "rsync:h:p": "", "rsync:h:p@-x": "",
	} {
		_, tag, err := ParsePublished(text)
		if tag != want || (err == nil) != (want != "") || err != nil && (fault.ExitCode(err) != fault.Usage || fault.Hint(err) == "") {
			t.Errorf("%q: %q, %v, want %q", text, tag, err, want)
		}
	}
}

// FuzzParsePublished: what is read says itself, and leads to nowhere but where it says.
func FuzzParsePublished(f *testing.F) {
	for text := range goodTargets {
		f.Add(text + "@v1.2.3")
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, tag, err := ParsePublished(text)
		if err != nil {
			if fault.ExitCode(err) != fault.Usage || fault.Hint(err) == "" {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		again, tag2, err := ParsePublished(target.String() + "@" + tag)
		if err != nil || again != target || tag2 != tag {
			t.Errorf("%q is %+v %q; said again %+v %q, %v", text, target, tag, again, tag2, err)
		}
		switch target.Kind {
		case Directory:
			return
		case Rsync:
			h := newRsync(&Config{}, &about{target: target, tag: tag})
			if at := h.location(h.at); strings.HasPrefix(at, "-") || strings.ContainsAny(at, "*?\\\n\x00\"") || !strings.Contains(at, ":") {
				t.Errorf("%q: %q", text, at)
			}
			if top, rel := target.top(h.at); rel == "" || strings.HasPrefix(rel, "/") || strings.HasPrefix(rel, "-") || strings.Contains("/"+rel+"/", "/../") || top == "" {
				t.Errorf("%q: %q below %q", text, rel, top)
			}
			return
		}
		cfg := &Config{Target: target, Token: secret.NewText("x", "")}
		seen := map[string]bool{}
		cfg.Transport = transport(func(q *http.Request) (*http.Response, error) {
			seen[q.URL.Scheme+"://"+q.URL.Host] = true
			if strings.Contains(q.URL.Path, "/../") || q.URL.RawQuery != "" && !strings.Contains(q.URL.RawQuery, "page=") {
				t.Errorf("%q: %s", text, q.URL)
			}
			return nil, fmt.Errorf("no")
		})
		cfg.Sleep = func(context.Context, time.Duration) error { return io.EOF }
		p := open(cfg, about{target: target, tag: tag})
		p.host.find(t.Context())
		p.host.commit(t.Context())
		_, host, _ := strings.Cut(target.Base, "://")
		host, _, _ = strings.Cut(host, "/")
		for at := range seen {
			if !strings.HasSuffix(at, "://"+host) && !strings.HasSuffix(at, "://api."+host) {
				t.Errorf("%q: asked %s", text, at)
			}
		}
	})
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(q *http.Request) (*http.Response, error) { return f(q) }

// TestToken: where a token may go is known before anything is asked.
func TestToken(t *testing.T) {
	for text, want := range map[string]string{
		"github:o/r":                         "https://api.github.com https://uploads.github.com",
		"github:https://us.ghe.com/o/r":      "https://api.us.ghe.com https://uploads.us.ghe.com",
		"github:https://git.example.com/o/r": "https://git.example.com https://git.example.com",
		"forgejo:https://codeberg.org/o/r":   "https://codeberg.org",
		"gitlab:a/b":                         "https://gitlab.com",
	} {
		target, err := ParseTarget(text)
		if err != nil {
			t.Fatal(err)
		}
		p := open(&Config{Target: target}, about{target: target, tag: "v1"})
		var c *client
		switch h := p.host.(type) {
		case *github:
			c = h.client
		case *gitea:
			c = h.client
		case *gitlab:
			c = h.client
		}
		if got := strings.Join(c.bases, " "); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestLeadsElsewhere: a repository that has moved, a server that says nothing, and a
// file that lies where it may not.
func TestLeadsElsewhere(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	var to atomic.Value // where the server leads to; "" to nowhere, it says nothing
	to.Store("")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" && !strings.HasPrefix(r.URL.Path, "/api/") {
			t.Errorf("the token came to %s", r.URL)
		}
		lead := to.Load().(string)
		if lead == "" {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
			return
		}
		http.Redirect(w, r, lead, http.StatusMovedPermanently)
	}))
	defer s.Close()
	r := release(t)
	target, err := ParseTarget("github:" + s.URL + "/o/r")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Target: target, Token: secret.NewText("canary-0123", ""), Transport: s.Client().Transport, Idle: 20 * time.Millisecond,
		Sleep: func(context.Context, time.Duration) error { return nil }}
	if _, err := Publish(t.Context(), r, cfg); err == nil || !strings.Contains(err.Error(), "nothing came or went for 20ms") || !strings.Contains(fault.Hint(err), "run the same command again") {
		t.Errorf("%v", err)
	}
	cfg.Idle = 0
	to.Store(s.URL + "/elsewhere")
	if _, err := Publish(t.Context(), r, cfg); err == nil || !strings.Contains(fault.Hint(err), "the repository has moved") {
		t.Errorf("%v", err)
	}
	for _, tt := range []struct{ lead, want string }{
		{s.URL + "/api/x", "more than 5 redirects"}, {"file:///etc/passwd", "leads from http to file"}, {"http://git.example.com/x", "leads from http to http://git.example.com"},
	} {
		to.Store(tt.lead)
		p := open(&cfg, about{target: target, tag: testTag})
		err := p.host.read(t.Context(), asset{ref: s.URL + "/api/v3/repos/o/r/releases/assets/1"}, func(io.Reader) error { return nil })
		if err == nil || !strings.Contains(err.Error(), tt.want) || fault.ExitCode(err) != fault.Refused {
			t.Errorf("%s: %v", tt.lead, err)
		}
	}
}

// TestParseRepository: what means registries of images is read as it is meant, or refused.
func TestParseRepository(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	for in, want := range map[string]string{"oci:": "", "oci://e.org/a/b": "e.org/a/b", "oci://e.org/a:1": "!", "oci://a": "!", "oci:e.org/a": "!", "oci://e.org/a@" + digest: "!"} {
		got, err := ParseRepository(in)
		if (err == nil) != (want != "!") || err == nil && got != want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
		if cerr := Check(in); !OfImages(in) || (cerr == nil) != (err == nil) {
			t.Errorf("%s: %v, %v", in, cerr, err)
		}
	}
}
