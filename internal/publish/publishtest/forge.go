// Package publishtest has forges for tests: servers in this process that answer as
// GitHub, Gitea and GitLab do to what mintmark asks of them, and that fail when they
// are told to. It is imported by nothing else than tests.
//
// What they do is written after the forges' own documentation: a draft has no address
// by its tag; a name that is taken is refused on GitHub, and not on Gitea; an upload
// that breaks leaves a file in the state "starter" on GitHub; a release that is
// published cannot be changed; what is downloaded lies elsewhere, where no token may
// come.
package publishtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Token is the one that may do everything.
const Token = "canary-0123456789-canary"

// Fault is how a server fails.
type Fault string

const (
	None        Fault = ""
	CloseBefore Fault = "closes the connection before the effect"
	CloseAfter  Fault = "closes the connection after the effect"
	FailBefore  Fault = "fails before the effect"
	FailAfter   Fault = "fails after the effect"
	Cut         Fault = "closes the connection amid the body"
	Limit       Fault = "has had too many requests"
	Secondary   Fault = "has had too many requests, and says no time"
	Down        Fault = "is gone for good"
)

// Faults are all of them but Down, after which there is no server.
func Faults() []Fault {
	return []Fault{CloseBefore, CloseAfter, FailBefore, FailAfter, Cut, Limit, Secondary}
}

// Asset is a file of a release.
type Asset struct {
	ID      int64
	Name    string
	Content []byte
	Starter bool // of an upload that broke
	Link    string
}

func (a *Asset) digest() string {
	sum := sha256.Sum256(a.Content)
	return hex.EncodeToString(sum[:])
}

// Release is a release.
type Release struct {
	ID         int64
	Tag        string
	Name, Body string
	Draft, Pre bool
	Assets     []*Asset
}

// Forge is a server with one repository. Once it was asked, its fields are for [Forge.Do]
// alone: a request may be answered that nobody waits for any more.
type Forge struct {
	URL  string
	Repo string

	Tags      map[string]string // to commits
	Annotated bool              // tags are objects of their own
	Releases  []*Release
	Package   []*Asset // of GitLab
	NoDigests bool     // as of GitHub before it had them
	ReadOnly  bool     // the token may not write
	Immutable bool     // releases are, once published

	// Fault says how the request of that number, from 1, fails; nil: none does.
	Fault func(n int, r *http.Request) Fault

	Requests []string // method and path of each one
	Wrong    []string // what no client may do

	mu     sync.Mutex
	last   int64
	auth   string
	routes func(f *Forge, w http.ResponseWriter, r *http.Request, path string)
	prefix []string
	server *httptest.Server
}

// Do does something with the fields, while no request is answered.
func (f *Forge) Do(what func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what()
}

// Close ends the server.
func (f *Forge) Close() { f.server.Close() }

func start(f *Forge) *Forge {
	f.Repo, f.Tags = "owner/tool", map[string]string{}
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	f.server.Config.ErrorLog = nil
	f.URL = f.server.URL
	return f
}

// Published are the names of the published release's files and their content; nil if
// there is none of the tag.
func (f *Forge) Published(tag string) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.Releases {
		if r.Tag == tag && !r.Draft {
			all := map[string]string{}
			for _, a := range r.Assets {
				if a.Starter {
					all[a.Name] = "(not complete)"
					continue
				}
				if _, twice := all[a.Name]; twice {
					all[a.Name] = "(twice)"
					continue
				}
				all[a.Name] = string(a.Content)
			}
			return all
		}
	}
	return nil
}

func (f *Forge) wrong(format string, args ...any) {
	f.Wrong = append(f.Wrong, fmt.Sprintf(format, args...))
}

func (f *Forge) next() int64 {
	f.last++
	return f.last
}

func (f *Forge) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Requests = append(f.Requests, r.Method+" "+r.URL.RequestURI())
	fault := None
	if f.Fault != nil {
		fault = f.Fault(len(f.Requests), r)
	}
	drop := func() {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			c.Close()
		}
	}
	switch fault {
	case CloseBefore, Down:
		drop()
		return
	case FailBefore:
		http.Error(w, `{"message":"Server Error"}`, http.StatusBadGateway)
		return
	case Limit:
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", "1000000060")
		http.Error(w, `{"message":"API rate limit exceeded for user ID 1."}`, http.StatusForbidden)
		return
	case Secondary:
		http.Error(w, `{"message":"You have exceeded a secondary rate limit."}`, http.StatusForbidden)
		return
	case Cut:
		n := r.ContentLength / 2
		r.Body = io.NopCloser(io.LimitReader(r.Body, n))
	}
	out := httptest.NewRecorder()
	f.answer(out, r, fault == Cut)
	switch fault {
	case CloseAfter:
		drop()
		return
	case FailAfter:
		http.Error(w, `{"message":"Server Error"}`, http.StatusInternalServerError)
		return
	case Cut:
		// Half of the answer, of which the whole length was said.
		maps.Copy(w.Header(), out.Header())
		w.Header().Set("Content-Length", strconv.Itoa(out.Body.Len()+1))
		w.WriteHeader(out.Code)
		w.Write(out.Body.Bytes()[:out.Body.Len()/2])
		w.(http.Flusher).Flush()
		drop()
		return
	}
	maps.Copy(w.Header(), out.Header())
	w.WriteHeader(out.Code)
	w.Write(out.Body.Bytes())
}

// answer does what is asked for; cut says that not all of the body came.
func (f *Forge) answer(w http.ResponseWriter, r *http.Request, cut bool) {
	token := ""
	for _, h := range []string{"Authorization", "Private-Token"} {
		if v := r.Header.Get(h); v != "" {
			token = v
		}
	}
	if strings.HasPrefix(r.URL.Path, "/storage/") {
		if token != "" {
			f.wrong("a token came to where files lie: %s", r.URL.Path)
		}
		f.stored(w, strings.TrimPrefix(r.URL.Path, "/storage/"))
		return
	}
	if strings.Contains(r.URL.RequestURI(), Token) {
		f.wrong("a token in an address: %s", r.URL.RequestURI())
	}
	write := r.Method != http.MethodGet
	switch {
	case token != "" && token != f.auth+Token:
		fail(w, http.StatusUnauthorized, "Bad credentials")
		return
	case write && (token == "" || f.ReadOnly):
		fail(w, http.StatusForbidden, "Resource not accessible by integration")
		return
	}
	if cut && write && r.Method != http.MethodDelete {
		data, _ := io.ReadAll(r.Body)
		if a := f.begun(r); a != nil {
			a.Content = data
		}
		return
	}
	for _, p := range f.prefix {
		if rest, ok := strings.CutPrefix(r.URL.EscapedPath(), p); ok {
			f.routes(f, w, r, rest)
			return
		}
	}
	fail(w, http.StatusNotFound, "Not Found")
}

// begun is what an upload leaves that broke: of GitHub alone.
func (f *Forge) begun(r *http.Request) *Asset {
	rest, ok := strings.CutPrefix(r.URL.Path, "/api/uploads/repos/"+f.Repo+"/releases/")
	if !ok {
		return nil
	}
	id, _, _ := strings.Cut(rest, "/")
	rel := f.release(id)
	if rel == nil || !rel.Draft || rel.asset(r.URL.Query().Get("name")) != nil {
		return nil
	}
	a := &Asset{ID: f.next(), Name: r.URL.Query().Get("name"), Starter: true}
	rel.Assets = append(rel.Assets, a)
	return a
}

func (f *Forge) stored(w http.ResponseWriter, id string) {
	all := slices.Clone(f.Package)
	for _, r := range f.Releases {
		all = append(all, r.Assets...)
	}
	for _, a := range all {
		if strconv.FormatInt(a.ID, 10) == id {
			w.Write(a.Content)
			return
		}
	}
	fail(w, http.StatusNotFound, "Not Found")
}

func (f *Forge) release(id string) *Release {
	for _, r := range f.Releases {
		if strconv.FormatInt(r.ID, 10) == id {
			return r
		}
	}
	return nil
}

func (f *Forge) published(tag string) *Release {
	for _, r := range f.Releases {
		if r.Tag == tag && !r.Draft {
			return r
		}
	}
	return nil
}

func (r *Release) asset(name string) *Asset {
	for _, a := range r.Assets {
		if a.Name == name {
			return a
		}
	}
	return nil
}

func fail(w http.ResponseWriter, status int, message string, codes ...string) {
	doc := map[string]any{"message": message}
	if len(codes) > 0 {
		var errs []map[string]string
		for _, c := range codes {
			errs = append(errs, map[string]string{"resource": "Release", "code": c})
		}
		doc["errors"] = errs
	}
	give(w, status, doc)
}

func give(w http.ResponseWriter, status int, doc any) {
	var b bytes.Buffer
	json.NewEncoder(&b).Encode(doc)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

func paged[T any](r *http.Request, list []T) []T {
	size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	if size == 0 {
		size, _ = strconv.Atoi(r.URL.Query().Get("limit"))
	}
	if size == 0 || size > 100 {
		size = 100
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	from := min(len(list), max(0, page-1)*size)
	return append([]T{}, list[from:min(len(list), from+size)]...)
}
