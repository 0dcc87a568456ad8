package verify

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/forgery"
)

// TestFetch: what a release's place serves is fetched within bounds, and from nowhere
// else than over what was asked for.
func TestFetch(t *testing.T) {
	const file, content = "tool_1.0.0_linux_amd64.tar.gz", "archive"
	list := files.DigestBytes([]byte(content)) + "  " + file + "\n"
	endless := func(w http.ResponseWriter) {
		block := make([]byte, 1<<16)
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
	honest := func(w http.ResponseWriter, r *http.Request) {
		switch filepath.Base(r.URL.Path) {
		case file:
			fmt.Fprint(w, content)
		case "checksums.txt":
			fmt.Fprint(w, list)
		default:
			http.NotFound(w, r)
		}
	}
	plain := httptest.NewServer(http.HandlerFunc(honest))
	defer plain.Close()
	stop := make(chan struct{})
	defer close(stop)
	for _, tc := range []struct {
		name  string
		path  string
		serve http.HandlerFunc // nil: honest
		want  string           // of the error; "" for none
		code  int
		files []string
	}{
		{name: "file", path: "/v1/" + file, files: []string{file, "checksums.txt"}},
		{name: "directory", path: "/v1/", files: []string{file, "checksums.txt"}},
		{name: "not there", path: "/v1/nothing.tar.gz", want: "nothing.tar.gz: is not there", code: fault.Failed},
		{name: "no list", path: "/v1/", serve: http.NotFound, want: "no list of digests is there", code: fault.Failed},
		{name: "a query", path: "/v1/" + file + "?x=1", want: "no query", code: fault.Usage},
		{name: "about others", path: "/v1/checksums.txt", want: "is about the other files", code: fault.Usage},
		{name: "a name with a way out", path: "/v1/..%2f..%2fetc%2fpasswd%00", want: "character", code: fault.Usage},
		{name: "an error of the server", path: "/v1/" + file, serve: func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "x", http.StatusInternalServerError)
		}, want: "500", code: fault.Failed},
		{name: "an endless file", path: "/v1/" + file, serve: func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, file) {
				endless(w)
			}
			honest(w, r)
		}, want: "has more than 65536 bytes", code: fault.Refused},
		{name: "an endless list", path: "/v1/" + file, serve: func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "checksums.txt") {
				endless(w)
			}
			honest(w, r)
		}, want: "has more than", code: fault.Refused},
		{name: "a length that is none", path: "/v1/" + file, serve: func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, file) {
				w.Header().Set("Content-Length", "100")
			}
			honest(w, r)
		}, want: "the connection ended after 7 of 100 bytes", code: fault.Failed},
		{name: "a length that is too much", path: "/v1/" + file, serve: func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, file) {
				w.Header().Set("Content-Length", "9000000000")
			}
			honest(w, r)
		}, want: "has more than 65536 bytes", code: fault.Refused},
		{name: "silence", path: "/v1/" + file, serve: func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, file) {
				w.WriteHeader(http.StatusOK)
				w.(http.Flusher).Flush()
				select {
				case <-stop:
				case <-r.Context().Done():
				}
				return
			}
			honest(w, r)
		}, want: "the server sent nothing for", code: fault.Failed},
		{name: "a redirect to a file", path: "/v1/" + file, serve: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		}, want: `redirects from https to "file:///etc/passwd"`, code: fault.Refused},
		{name: "a redirect to http", path: "/v1/" + file, serve: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, plain.URL+r.URL.Path, http.StatusFound)
		}, want: "redirects from https to", code: fault.Refused},
		{name: "a circle", path: "/v1/" + file, serve: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}, want: "more than 5 redirects", code: fault.Refused},
		{name: "a redirect to another place", path: "/v1/" + file, serve: func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/v1/") {
				http.Redirect(w, r, "/v2/"+filepath.Base(r.URL.Path), http.StatusFound)
				return
			}
			honest(w, r)
		}, files: []string{file, "checksums.txt"}},
		{name: "a page in place of everything", path: "/v1/" + file, serve: func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, ".json") {
				fmt.Fprint(w, "<html>")
				return
			}
			honest(w, r)
		}, files: []string{file, "checksums.txt"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			serve := tc.serve
			if serve == nil {
				serve = honest
			}
			srv := httptest.NewTLSServer(serve)
			defer srv.Close()
			w := &Web{Transport: srv.Client().Transport, MaxFile: 1 << 16, Idle: 300 * time.Millisecond}
			f, err := w.Fetch(t.Context(), srv.URL+tc.path)
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) || fault.ExitCode(err) != tc.code || fault.Hint(err) == "" {
					t.Fatalf("error %v (exit code %d), want %q (%d)", err, fault.ExitCode(err), tc.want, tc.code)
				}
				if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range tc.files {
				if _, err := os.Stat(filepath.Join(f.Dir, name)); err != nil {
					t.Error(err)
				}
			}
			if _, err := At(t.Context(), Config{Path: f.Path, Unsigned: true}); err != nil {
				t.Error(err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(f.Dir); err == nil {
				t.Error("left behind")
			}
		})
	}
	for _, address := range []string{"http://example.com/v1/", "ftp://example.com/x", "file:///etc/passwd", "https://user@example.com/x", "https:///x"} {
		if _, err := (&Web{}).Fetch(t.Context(), address); fault.ExitCode(err) != fault.Usage || !IsURL(address) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if f, err := (&Web{Transport: plain.Client().Transport}).Fetch(t.Context(), plain.URL+"/v1/"+file); err != nil {
		t.Errorf("http on this machine: %v", err)
	} else {
		f.Close()
	}
}

// TestSizeOfManifest: a file that is larger than the manifest says is not fetched to its end.
func TestSizeOfManifest(t *testing.T) {
	k := newKeys(t)
	r, err := forgery.Small(t.Context(), t.TempDir())
	if err == nil {
		err = r.Sign(t.Context(), k.publisher)
	}
	if err != nil {
		t.Fatal(err)
	}
	file := r.Manifest.Published()[0].Name
	var sent atomic.Int64 // the server may still be sending when the answer is there
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		name := filepath.Base(req.URL.Path)
		if name != file {
			http.ServeFile(w, req, filepath.Join(r.Dir, name))
			return
		}
		for block := make([]byte, 1<<12); ; {
			n, err := w.Write(block)
			if sum := sent.Add(int64(n)); err != nil || sum > 1<<28 {
				return
			}
		}
	}))
	defer srv.Close()
	w := &Web{Transport: srv.Client().Transport}
	_, err = w.Fetch(t.Context(), srv.URL+"/"+file)
	if err == nil || !strings.Contains(err.Error(), "that release.json says") || fault.ExitCode(err) != fault.Refused {
		t.Errorf("%v", err)
	}
	if sum := sent.Load(); sum > 1<<26 {
		t.Errorf("%d bytes were taken", sum)
	}
}
