package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/tool"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/images"
)

// Client does with registries what a release needs, one request after the other.
type Client struct {
	requests
	dir string // private, for what is read and written
}

// requests are what is asked of registries. References are HOST/NAME:TAG or
// HOST/NAME@sha256:HEX.
type requests interface {
	// Get gets content of a repository by its digest: a manifest or an index, or else any
	// other content. The digest is the caller's to compare.
	Get(ctx context.Context, repository, hex string, manifest bool, to io.Writer) error
	// Manifest is the manifest or index that a reference leads to; ok is false if there is
	// none.
	Manifest(ctx context.Context, ref string) (data []byte, ok bool, err error)
	// Push pushes what a layout in a directory leads to under a reference.
	Push(ctx context.Context, layout, ref string) error
	// Tag gives what has a reference a tag, whatever had it before.
	Tag(ctx context.Context, ref, tag string) error
	// Append adds what has these digests to the index under a tag, which is there or not.
	Append(ctx context.Context, repository, tag string, there bool, hexes ...string) error
}

// crane makes requests by the program of that name.
type crane struct {
	program *tool.Program
	dir     string
	env     []string
}

// network are the variables of the user's that say how the network is reached.
var network = []string{"PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"}

// credentials are those that say where the credentials of docker login and podman login
// are, and what finds the helpers that have them.
var credentials = []string{"DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_RUNTIME_DIR"}

// only are these variables of an environment.
func only(environ, names []string) (list []string) {
	for _, v := range environ {
		if name, _, ok := strings.Cut(v, "="); ok && slices.Contains(names, name) {
			list = append(list, v)
		}
	}
	return list
}

// Connect makes a client that has a directory of its own in dir, which goes with that. Of
// environ, the user's environment, its program gets no more than it needs.
type Connect func(program *tool.Program, environ []string, dir string) (*Client, error)

// New is a client with the user's credentials, each of which its program sends to the
// registry that they are for.
func New(program *tool.Program, environ []string, dir string) (*Client, error) {
	return connect(program, only(environ, slices.Concat(network, credentials)), dir, nil)
}

// Anonymous is a client that has nobody's credentials: for registries that somebody else
// has named.
func Anonymous(program *tool.Program, environ []string, dir string) (*Client, error) {
	return connect(program, only(environ, network), dir, credentials)
}

// connect makes a client with these variables, and with those of elsewhere leading into its
// own directory: without them the program would look into the one that the system has for
// the user.
func connect(program *tool.Program, env []string, dir string, elsewhere []string) (*Client, error) {
	own, err := os.MkdirTemp(dir, "registry-")
	if err != nil {
		return nil, err
	}
	c := &crane{program: program, dir: own, env: env}
	for _, name := range elsewhere {
		c.env = append(c.env, name+"="+own)
	}
	return &Client{c, own}, nil
}

// run runs the program with these arguments; what it prints goes to out.
func (c *crane) run(ctx context.Context, out io.Writer, args ...string) error {
	cmd := c.program.Command(c.dir, args...)
	cmd.Env = append(cmd.Env, c.env...)
	cmd.Confine, cmd.Output = toolchain.Fetching(), out
	_, err := toolchain.Run(ctx, cmd)
	return err
}

// absent are the codes by which a registry says that it does not have something
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes).
// The program has no other way to pass an answer on than its message.
var absent = []string{"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "unexpected status code 404 Not Found"}

// errAbsent says that there is no such image.
var errAbsent = errors.New("there is no such image")

// query is what stands behind the ? of an address: registries and the storage that they
// lead to sign requests in it.
var query = regexp.MustCompile(`\?[^\s"]*`)

// maxAnswer bounds what is shown of a registry's answer.
const maxAnswer = 1000

// RequestError is a request that was not answered, or refused: nothing is known of what
// the registry has.
type RequestError struct{ Err error }

func (e *RequestError) Error() string { return e.Err.Error() }
func (e *RequestError) Unwrap() error { return e.Err }

// explained is the error of a run, with what can be done.
func explained(err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*toolchain.ExitError](err)
	if !ok {
		return &RequestError{err}
	}
	has := func(codes ...string) bool {
		return slices.ContainsFunc(codes, func(c string) bool { return strings.Contains(e.Output, c) })
	}
	lines := strings.Split(strings.TrimSpace(e.Output), "\n")
	last := fmt.Errorf("%.*s", maxAnswer, query.ReplaceAllLiteralString(strings.TrimPrefix(lines[len(lines)-1], "Error: "), "?…"))
	switch {
	case has(absent...):
		return fmt.Errorf("%w: %w", errAbsent, last)
	case has("UNAUTHORIZED", "DENIED", "401 Unauthorized", "403 Forbidden"):
		return &RequestError{fault.Errorf("log in as somebody who may: docker login HOST, or podman login HOST", "the registry refuses: %w", last)}
	case has(": dial tcp"):
		return &RequestError{fault.Errorf("the registry cannot be reached from here: see its name, the network, and HTTPS_PROXY", "%w", last)}
	}
	return &RequestError{last}
}

func (c *crane) Get(ctx context.Context, repository, hex string, manifest bool, to io.Writer) error {
	verb := "blob"
	if manifest {
		verb = "manifest"
	}
	return explained(c.run(ctx, to, verb, repository+"@sha256:"+hex))
}

func (c *crane) Manifest(ctx context.Context, ref string) (data []byte, ok bool, err error) {
	var b bytes.Buffer
	err = explained(c.run(ctx, images.Limit(&b, images.MaxManifest), "manifest", ref))
	if errors.Is(err, errAbsent) {
		return nil, false, nil
	}
	return b.Bytes(), err == nil, err
}

func (c *crane) Push(ctx context.Context, layout, ref string) error {
	return explained(c.run(ctx, io.Discard, "push", layout, ref))
}

func (c *crane) Tag(ctx context.Context, ref, tag string) error {
	return explained(c.run(ctx, io.Discard, "tag", ref, tag))
}

func (c *crane) Append(ctx context.Context, repository, tag string, there bool, hexes ...string) error {
	at := repository + ":" + tag
	args := []string{"index", "append", "--flatten=false", "-t", at}
	for _, h := range hexes {
		args = append(args, "-m", repository+"@sha256:"+h)
	}
	if there {
		args = append(args, at)
	}
	return explained(c.run(ctx, io.Discard, args...))
}

// layout makes an empty directory for one.
func (c *Client) layout(name string) (string, error) {
	dir := filepath.Join(c.dir, name)
	if err := files.RemoveTree(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}
