package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// Web says how releases are fetched.
type Web struct {
	Transport http.RoundTripper
	// Fetching is told the name of each file that is there, before it comes; nil: nobody.
	Fetching func(name string)
	// MaxFile is the most bytes of a file whose size nothing says, and MaxAll that of
	// all files; 0 is 2 GiB and 8 GiB.
	MaxFile, MaxAll int64
	// Idle is how long a server may send nothing; 0 is a minute.
	Idle time.Duration
}

const (
	maxFile      = 2 << 30
	maxAll       = 8 << 30
	idle         = time.Minute
	maxRedirects = 5
)

// IsURL reports whether a name is one of something to fetch, whatever its scheme.
func IsURL(name string) bool {
	scheme, _, ok := strings.Cut(name, "://")
	return ok && scheme != "" && strings.Trim(strings.ToLower(scheme), "abcdefghijklmnopqrstuvwxyz0123456789+.-") == ""
}

// Fetched is a release, or a file of one and what lies beside it, in a directory of
// this machine. It is the caller's to close.
type Fetched struct {
	Path string // the directory, or the file in it
	Dir  string // private
}

// Close removes it.
func (f *Fetched) Close() error { return files.RemoveTree(f.Dir) }

// Fetch fetches a release's directory, an address that ends in /, or one file of a
// release and what is published about it, over https; over http from this machine
// only. A redirect to another scheme is refused, and so is what is larger than the
// manifest says or than w allows. Nothing is checked with that: see [At].
func (w *Web) Fetch(ctx context.Context, address string) (_ *Fetched, err error) {
	base, file, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mintmark-verify-")
	if err != nil {
		return nil, err
	}
	out := &Fetched{Path: dir, Dir: dir}
	defer func() {
		if err != nil {
			out.Close()
		}
	}()
	g := &getter{Web: w, base: base, dir: dir, left: or(w.MaxAll, maxAll), asked: map[string]bool{}}
	g.client = &http.Client{Transport: w.Transport, CheckRedirect: sameScheme}
	if err := g.about(ctx, file); err != nil {
		return nil, err
	}
	if file != "" {
		out.Path = filepath.Join(dir, file)
		if file != checksums.ManifestFile && fact.KindOf(file) == fact.About {
			return nil, fault.Usagef("name the file that you want to check, or the release: "+base.Redacted(), "%s is about the other files of a release", address)
		}
		return out, g.one(ctx, file)
	}
	return out, g.all(ctx)
}

func or[T int64 | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

// parseAddress reads an address: that of the directory, and the file in it, "" for
// all of it.
func parseAddress(address string) (base *url.URL, file string, err error) {
	const hint = "write https://HOST/…/ for a release's directory, https://HOST/…/FILE for one of its files"
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, "", fault.Usagef(hint, "%s: not an address", address)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, "", fault.Usagef(hint, "an address of a release has no user, no query and no fragment")
	case u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u)):
		return nil, "", fault.Usagef(hint, "%s: releases are fetched over https", address)
	}
	dir, file := path.Split(u.Path)
	if file != "" {
		if err := checksums.CheckFileName(file); err != nil {
			return nil, "", fault.Usagef(hint, "%s: %w", address, err)
		}
	}
	base = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: dir}
	if dir == "" {
		base.Path = "/"
	}
	return base, file, nil
}

// loopback reports whether an address is of this machine.
func loopback(u *url.URL) bool {
	host := u.Hostname()
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sameScheme follows a redirect only where it is as safe as what was asked for.
func sameScheme(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case len(via) > maxRedirects:
		return fault.Refusedf("ask the publisher for the address of the file itself", "more than %d redirects", maxRedirects)
	case req.URL.Scheme != first.Scheme, req.URL.Scheme == "http" && !loopback(req.URL):
		return fault.Refusedf("do not use what comes from there", "redirects from %s to %s", first.Scheme, short100(req.URL.Redacted()))
	}
	return nil
}

func short100(s string) string { return fmt.Sprintf("%.100q", s) }

// getter fetches the files of one directory.
type getter struct {
	*Web
	client *http.Client
	base   *url.URL
	dir    string
	left   int64 // bytes that may still come
	asked  map[string]bool
	sizes  map[string]int64 // by the manifest
}

// errAbsent is that of a file that is not there.
var errAbsent = errors.New("is not there")

// get fetches one file of at most limit bytes; of exactly that many, if they are
// known. Whoever asks twice gets it once.
func (g *getter) get(ctx context.Context, name string, limit int64) (err error) {
	if g.asked[name] {
		return nil
	}
	g.asked[name] = true
	u := *g.base
	u.Path += name
	defer func() {
		if err != nil && !errors.Is(err, errAbsent) {
			err = fmt.Errorf("%s: %w", u.Redacted(), err)
		}
	}()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	wait := or(g.Idle, idle)
	watch := time.AfterFunc(wait, func() {
		cancel(fault.Errorf("try again, or download it with another program", "the server sent nothing for %s", wait))
	})
	defer watch.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "mintmark")
	req.Header.Set("Accept-Encoding", "identity") // the bytes that were published
	res, err := g.client.Do(req)
	if err != nil {
		return plainError(ctx, err)
	}
	defer res.Body.Close()
	switch {
	case slices.Contains([]int{http.StatusNotFound, http.StatusGone, http.StatusForbidden}, res.StatusCode):
		return errAbsent
	case res.StatusCode != http.StatusOK:
		return fault.Errorf("look at the address in a browser", "the server answers %.100q", res.Status)
	}
	if g.Fetching != nil {
		g.Fetching(name)
	}
	size, known := g.sizes[name]
	if known {
		limit = size
	}
	if limit > g.left {
		limit, known = g.left, false
	}
	if res.ContentLength > limit {
		return tooLong(limit, known)
	}
	body := &watched{res.Body, func() { watch.Reset(wait) }}
	n := int64(0)
	err = files.Create(filepath.Join(g.dir, name), 0o644, func(f *os.File) (err error) {
		if n, err = io.Copy(f, io.LimitReader(body, limit+1)); err == nil && n > limit {
			err = tooLong(limit, known)
		}
		if err == nil {
			err = context.Cause(ctx) // a body can seem to end because nobody waits for it any more
		}
		return err
	})
	g.left -= n
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault.Errorf("try again: nothing was checked", "the connection ended after %d of %d bytes", n, res.ContentLength)
	case err != nil:
		return plainError(ctx, err)
	}
	return nil
}

func tooLong(limit int64, known bool) error {
	if known {
		return fault.Refusedf("it is not what was published: do not use it", "has more bytes than the %d that %s says", limit, checksums.ManifestFile)
	}
	return fault.Refusedf("download it with another program, and verify it then", "has more than %d bytes", limit)
}

// plainError is an error without the address, and the cause of a cancelled context.
func plainError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if fault.Hint(err) != "" {
		return err
	}
	return fault.Errorf("check the address, and that this machine reaches it", "%w", err)
}

// watched says when something came.
type watched struct {
	io.Reader
	came func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.came()
	}
	return n, err
}

// optional is get for a file that need not be there. One that is said to be JSON and
// is none is what some servers send in place of "not found".
func (g *getter) optional(ctx context.Context, name string, limit int64) error {
	err := g.get(ctx, name, limit)
	if errors.Is(err, errAbsent) {
		return nil
	}
	if err != nil || !strings.HasSuffix(name, ".json") {
		return err
	}
	to := filepath.Join(g.dir, name)
	if data, err := files.Read(to, limit); err == nil && !json.Valid(data) && bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")) {
		return os.Remove(to)
	}
	return nil
}

// about fetches what is published about the other files.
func (g *getter) about(ctx context.Context, file string) error {
	if err := g.optional(ctx, checksums.ManifestFile, checksums.MaxManifestSize); err != nil {
		return err
	}
	if err := g.optional(ctx, checksums.ProvenanceBundle, checksums.MaxBundleSize); err != nil {
		return err
	}
	lists := listNames(g.base.Path, file)
	if data, err := files.Read(filepath.Join(g.dir, checksums.ManifestFile), checksums.MaxManifestSize); err == nil && checksums.IsManifest(data) {
		g.sizes = checksums.PublishedSizes(data)
		lists = []string{checksums.ListOf(data).Name}
	}
	for _, name := range lists {
		if err := g.optional(ctx, name, checksums.MaxListSize); err != nil {
			return err
		}
		l, err := checksums.Look(g.dir, file)
		if err != nil {
			return err
		}
		if l.List.Name == "" {
			continue
		}
		suffixes := checksums.SignatureSuffixes()
		if l.Ours {
			suffixes = []string{fact.BundleSuffix}
		}
		return g.signatures(ctx, l.List.Name, suffixes)
	}
	return nil
}

// signatures fetches the signature of a file, in the first form that is there.
func (g *getter) signatures(ctx context.Context, name string, suffixes []string) error {
	for _, suffix := range suffixes {
		if err := g.optional(ctx, name+suffix, checksums.MaxBundleSize); err != nil {
			return err
		}
		if _, err := os.Lstat(filepath.Join(g.dir, name+suffix)); err != nil {
			continue
		}
		if suffix == ".sig" { // its certificate, if it is by one
			return g.optional(ctx, name+".pem", checksums.MaxBundleSize)
		}
		return nil
	}
	return nil
}

// listNames are the names that lists of digests mostly have: GoReleaser's begins with
// the name and the version that the file's name begins with, or that stand in the
// address of a release on GitHub.
func listNames(dir, file string) []string {
	names := []string{checksums.ChecksumsFile}
	if file != "" {
		for i, c := range file {
			if (c == '_' || c == '-') && len(names) < 8 {
				names = append(names, file[:i]+string(c)+checksums.ChecksumsFile)
			}
		}
		slices.Reverse(names[1:])
	} else if parts := strings.Split(strings.Trim(dir, "/"), "/"); len(parts) >= 5 && parts[2] == "releases" && parts[3] == "download" {
		names = append(names, parts[1]+"_"+strings.TrimPrefix(parts[4], "v")+"_"+checksums.ChecksumsFile, parts[1]+"_"+checksums.ChecksumsFile)
	}
	names = append(names, "SHA256SUMS", "sha256sums.txt", "SHA256SUMS.txt", "sha256sum.txt")
	if file != "" {
		names = append(names, file+".sha256")
	}
	return slices.DeleteFunc(names, func(n string) bool { return checksums.CheckFileName(n) != nil })
}

// one fetches the one file, and its own signature where there is no list.
func (g *getter) one(ctx context.Context, file string) error {
	limit := or(g.MaxFile, maxFile)
	if err := g.get(ctx, file, limit); err != nil && !errors.Is(err, errAbsent) {
		return err
	}
	if _, err := os.Lstat(filepath.Join(g.dir, file)); err != nil {
		return g.absent(file)
	}
	if l, err := checksums.Look(g.dir, file); err != nil || l.Ours {
		return err
	}
	return g.signatures(ctx, file, checksums.SignatureSuffixes())
}

func (g *getter) absent(file string) error {
	u := *g.base
	u.Path += file
	return fault.Errorf("check the address; that of a release's directory ends in /", "%s: is not there", u.Redacted())
}

// all fetches the listed files.
func (g *getter) all(ctx context.Context) error {
	l, err := checksums.Look(g.dir, "")
	if err != nil {
		return err
	}
	if l.List.Name == "" {
		u := *g.base
		return fault.Errorf("name the address of one file, or of the directory that has "+checksums.ChecksumsFile, "%s: no list of digests is there", u.Redacted())
	}
	names, err := checksums.ListedNames(g.dir, l.List)
	if err != nil {
		return err
	}
	for _, name := range names {
		// What is missing is said by who verifies.
		if err := g.get(ctx, name, or(g.MaxFile, maxFile)); err != nil && !errors.Is(err, errAbsent) {
			return err
		}
		if name == fact.LedgerFile {
			if err := g.optional(ctx, fact.LedgerBundle, checksums.MaxBundleSize); err != nil {
				return err
			}
		}
	}
	return nil
}
