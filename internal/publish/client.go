package publish

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

const (
	tries        = 5                // of a request, or of a step, that fails for no reason of ours
	firstPause   = time.Second      // before the second try; doubled for each further one
	maxWait      = 20 * time.Minute // all waiting for rate limits together
	limitPause   = time.Minute      // where a server does not say how long: GitHub's own advice
	idleTime     = 2 * time.Minute
	maxAnswer    = 16 << 20 // bytes of JSON
	maxMessage   = 64 << 10
	maxRedirects = 5
)

// client speaks with one forge. It knows which addresses the token is for, and
// follows no redirect with it.
type client struct {
	cfg   *Config
	http  *http.Client
	bases []string    // scheme and host of each address that the token is for
	fixed http.Header // of each request
	// auth puts the token into a request's header.
	auth   func(h http.Header, token string)
	would  bool // requests are said, and not made
	waited time.Duration
}

func newClient(cfg *Config, auth func(http.Header, string), bases ...string) *client {
	c := &client{cfg: cfg, auth: auth}
	for _, b := range bases {
		if u, err := url.Parse(b); err == nil {
			c.bases = append(c.bases, u.Scheme+"://"+u.Host)
		}
	}
	c.http = &http.Client{Transport: cfg.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c
}

// call is one request.
type call struct {
	method, url string
	body        func() (io.ReadCloser, error) // made anew for each try; nil for none
	size        int64
	content     string // media type of the body
	accept      string
	// again: to make it twice is to make it once.
	again bool
	file  string // that is uploaded
	// signed: what stands after the ? of the address may be as good as a key, and is
	// not shown.
	signed bool
}

// shown is the address as messages have it.
func (q call) shown() string {
	if !q.signed {
		return q.url
	}
	s, _, _ := strings.Cut(q.url, "?")
	return s
}

// StatusError is an answer that is none of success.
type StatusError struct {
	Method, URL string
	Status      int
	Message     string   // what the server says, cut off
	Codes       []string // of the errors in it, as GitHub has them
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("%s %s: %d %s", e.Method, e.URL, e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		s += fmt.Sprintf(": %.300q", e.Message)
	}
	return s
}

// unsureError is of a request that may have had its effect or not: the connection
// broke, or the server failed.
type unsureError struct{ err error }

func (e *unsureError) Error() string { return e.err.Error() }
func (e *unsureError) Unwrap() error { return e.err }

func unsure(err error) bool {
	_, ok := errors.AsType[*unsureError](err)
	return ok
}

// status is the status of an answer that was no success; 0 for other errors.
func status(err error) int {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return e.Status
	}
	return 0
}

// limitError is of a request that was not looked at, because there were too many.
type limitError struct {
	wait time.Duration // 0: the server does not say
	err  error
}

func (e *limitError) Error() string { return e.err.Error() }
func (e *limitError) Unwrap() error { return e.err }

// json makes a request and reads the answer into out, unless that is nil.
func (c *client) json(ctx context.Context, q call, out any) error {
	q.accept = cmp.Or(q.accept, "application/json")
	return c.do(ctx, q, func(res *http.Response) error {
		data, err := files.ReadAll(res.Body, maxAnswer)
		if err != nil || out == nil {
			return err
		}
		if err := json.Unmarshal(data, out); err != nil {
			return fmt.Errorf("the answer is not what the interface has: %w", err)
		}
		return nil
	})
}

// send is json with a value as the body.
func (c *client) send(ctx context.Context, q call, in, out any) error {
	data, err := json.Marshal(in)
	if err != nil {
		return err
	}
	q.content, q.size = "application/json", int64(len(data))
	q.body = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	return c.json(ctx, q, out)
}

// do makes a request, again where that is allowed: after a rate limit, which is before
// anything has happened; and what has the same effect twice after anything that broke.
// Other requests that broke give an error that is [unsure].
func (c *client) do(ctx context.Context, q call, read func(*http.Response) error) error {
	c.cfg.say(Event{Method: q.method, URL: q.shown(), Size: q.size, File: q.file, Would: c.would})
	if c.would {
		return nil
	}
	limits := 0
	for try := 1; ; {
		err := c.once(ctx, q, read)
		if limit, ok := errors.AsType[*limitError](err); ok {
			if err := c.waitFor(ctx, limit, limits); err != nil {
				return err
			}
			limits++
			continue
		}
		if !unsure(err) || ctx.Err() != nil {
			return err
		}
		if !q.again || try == tries {
			return err
		}
		if err := c.cfg.pause(ctx, try); err != nil {
			return err
		}
		try++
	}
}

// waitFor waits until a server looks at requests again.
func (c *client) waitFor(ctx context.Context, e *limitError, before int) error {
	wait := e.wait
	if wait == 0 {
		wait = limitPause << min(before, 4)
	}
	wait += time.Second // clocks
	limit := or(c.cfg.MaxWait, maxWait)
	if c.waited += wait; c.waited > limit {
		when := c.cfg.now().Add(wait).UTC().Format(time.RFC3339)
		return fault.Errorf("run the same command again after "+when+": it goes on where this one stopped", "too many requests: %w", e.err)
	}
	c.cfg.say(Event{Text: fmt.Sprintf("too many requests: waiting %s, as the server asks", wait.Round(time.Second))})
	return c.cfg.sleep(ctx, wait)
}

// once makes a request once.
func (c *client) once(ctx context.Context, q call, read func(*http.Response) error) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := or(c.cfg.Idle, idleTime)
	watch := time.AfterFunc(idle, func() { cancel(fmt.Errorf("%s: nothing came or went for %s", q.shown(), idle)) })
	defer watch.Stop()
	moved := func() { watch.Reset(idle) }

	req, err := http.NewRequestWithContext(ctx, q.method, q.url, nil)
	if err != nil {
		return err
	}
	if q.body != nil {
		body, err := q.body()
		if err != nil {
			return err
		}
		defer body.Close()
		req.Body, req.ContentLength = io.NopCloser(&watched{body, moved}), q.size
		if q.size == 0 {
			req.Body = http.NoBody
		}
		req.Header.Set("Content-Type", q.content)
	}
	maps.Copy(req.Header, c.fixed)
	req.Header.Set("User-Agent", "mintmark")
	req.Header.Set("Accept-Encoding", "identity")
	if q.accept != "" {
		req.Header.Set("Accept", q.accept)
	}
	if token := c.cfg.Token.Reveal(); token != "" && slices.Contains(c.bases, req.URL.Scheme+"://"+req.URL.Host) {
		c.auth(req.Header, token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return &unsureError{broken(ctx, q, err)}
	}
	defer res.Body.Close()
	res.Body = io.NopCloser(&watched{res.Body, moved})
	switch {
	case res.StatusCode < 300:
		err := read(res)
		if _, ours := errors.AsType[*fault.Error](err); err == nil || ours {
			return err // what came is not what it should be: it would be the same again
		}
		return &unsureError{broken(ctx, q, err)}
	case res.StatusCode < 400:
		return c.redirected(q, res)
	}
	e := c.refused(q, res)
	if wait, ok := c.limited(res, e); ok {
		return &limitError{wait, e}
	}
	if res.StatusCode >= 500 {
		return &unsureError{e}
	}
	return e
}

// broken is an error of a connection, without what the address may have in it.
func broken(ctx context.Context, q call, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return fmt.Errorf("%s %s: %w", q.method, q.shown(), err)
}

// redirectError is an answer that leads elsewhere.
type redirectError struct {
	StatusError
	to string
}

func (c *client) redirected(q call, res *http.Response) error {
	return &redirectError{StatusError{Method: q.method, URL: q.shown(), Status: res.StatusCode}, res.Header.Get("Location")}
}

// Unwrap gives the answer.
func (e *redirectError) Unwrap() error { return &e.StatusError }

// refused reads what a server says of its refusal.
func (c *client) refused(q call, res *http.Response) *StatusError {
	e := &StatusError{Method: q.method, URL: q.shown(), Status: res.StatusCode}
	data, err := files.ReadAll(io.LimitReader(res.Body, maxMessage), maxMessage)
	if err != nil {
		return e // the status is known all the same
	}
	var doc struct {
		Message json.RawMessage   `json:"message"` // a text, or of GitLab an object
		Error   json.RawMessage   `json:"error"`
		Errors  []json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(data, &doc) != nil {
		return e
	}
	text := func(raw json.RawMessage) string {
		s := ""
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		return s
	}
	e.Message = cmp.Or(text(doc.Message), text(doc.Error))
	for _, raw := range doc.Errors {
		var one struct{ Code, Message string }
		if json.Unmarshal(raw, &one) == nil {
			e.Codes = append(e.Codes, one.Code)
			if one.Message != "" {
				e.Message += ": " + one.Message
			}
		}
	}
	return e
}

// limited reports whether an answer means that there were too many requests, and how
// long the server wants to be left alone; 0 if it does not say.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
func (c *client) limited(res *http.Response, e *StatusError) (wait time.Duration, ok bool) {
	after, none := res.Header.Get("Retry-After"), res.Header.Get("X-Ratelimit-Remaining") == "0"
	switch res.StatusCode {
	case http.StatusTooManyRequests:
	case http.StatusForbidden:
		// A secondary limit of GitHub has no mark but what it says.
		if after == "" && !none && !strings.Contains(strings.ToLower(e.Message), "rate limit") {
			return 0, false
		}
	default:
		return 0, false
	}
	now := c.cfg.now()
	if n, err := strconv.ParseUint(after, 10, 31); err == nil {
		return time.Duration(n) * time.Second, true
	}
	if t, err := http.ParseTime(after); err == nil && after != "" {
		return max(0, t.Sub(now)), true
	}
	for _, name := range []string{"X-Ratelimit-Reset", "Ratelimit-Reset"} {
		if n, err := strconv.ParseInt(res.Header.Get(name), 10, 64); err == nil && (none || name == "Ratelimit-Reset") {
			return max(0, time.Unix(n, 0).Sub(now)), true
		}
	}
	return 0, true
}

// download reads what an address has, and follows where it leads: without the token,
// and over nothing that is less safe.
func (c *client) download(ctx context.Context, address, accept string, read func(io.Reader) error) error {
	first := true
	for range maxRedirects + 1 {
		q := call{method: http.MethodGet, url: address, accept: accept, again: true, signed: !first}
		follow := *c
		if !first {
			follow.bases, follow.fixed = nil, nil
		}
		err := follow.do(ctx, q, func(res *http.Response) error { return read(res.Body) })
		c.waited = follow.waited
		lead, ok := errors.AsType[*redirectError](err)
		if !ok {
			return err
		}
		from, err1 := url.Parse(address)
		to, err2 := url.Parse(lead.to)
		if err1 != nil || err2 != nil || lead.to == "" {
			return lead
		}
		to = from.ResolveReference(to)
		if to.Scheme != "https" && !(to.Scheme == "http" && from.Scheme == "http" && loopback(to)) || to.User != nil {
			return fault.Refusedf("do not use what comes from there", "%s leads from %s to %s://%.100s", q.shown(), from.Scheme, to.Scheme, to.Host)
		}
		address, first = to.String(), false
	}
	return fault.Refusedf("look at the address in a browser", "more than %d redirects on the way to a file", maxRedirects)
}

// watched says when something moves.
type watched struct {
	io.Reader
	moved func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.moved()
	}
	return n, err
}

func or[T int64 | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

// escape is a path of which every part is escaped.
func escape(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}
