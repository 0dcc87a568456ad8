package carry

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/shell"
)

// docker has a container engine build an image that is nothing but mintmark, and which
// ends in the answer: with docker build, which asks one daemon, or docker buildx, whose
// builders may be many machines. Nothing is pulled.
type docker struct {
	cfg     Config
	address string
	args    []string // of docker, before the subcommand
	buildx  string   // builder; "" is docker build
	env     []string
	cache   string // names the worker's directory on that daemon

	once  sync.Once
	unfit error // why it cannot run this program
}

func newDocker(cfg Config, address string, u *url.URL) (*docker, error) {
	if !strings.HasPrefix(cfg.System, "linux/") {
		return nil, fault.Errorf("ssh reaches workers from here", "-on=%s: a container needs a mintmark for Linux, and this one is for %s", address, cfg.System)
	}
	d := &docker{cfg: cfg, address: address, env: append([]string{}, cfg.Env...), cache: "mintmark-worker"}
	switch {
	case u.Scheme == "docker+unix":
		if u.Host != "" || u.Path == "" {
			return nil, fault.Usagef("write docker+unix:///PATH/OF/SOCKET", "-on=%s: no socket", address)
		}
		d.args = []string{"--host", "unix://" + u.Path}
	case u.Scheme == "buildx":
		if u.Host == "" {
			return nil, fault.Usagef("docker buildx ls lists builders", "-on=%s: no builder", address)
		}
		d.buildx = u.Host
	case u.Host != "":
		d.args = []string{"--context", u.Host}
	}
	if needs, err := interpreter(cfg.Self); err != nil {
		return nil, fmt.Errorf("-on=%s: %w", address, err)
	} else if needs != "" {
		return nil, fault.Errorf(static, "-on=%s: the container has nothing but mintmark in it, and this one is linked dynamically: it needs %s", address, needs)
	}
	d.env = append(d.env, "DOCKER_BUILDKIT=1")
	return d, nil
}

func (d *docker) String() string { return d.address }

// dockerfile has the worker read its request and write its answer as files: a build has
// no other input and output. The argument is in the environment of the step, so that no
// two executions are equal to the engine. The directory of the worker outlives the step,
// as the engine's cache; with --no-cache it would be a new one each time.
const dockerfile = `FROM scratch
COPY mintmark /mintmark
COPY request.tar /request.tar
ARG MINTMARK_NONCE
RUN --mount=type=cache,id=%s,target=/cache ["/mintmark", "worker", "-in=/request.tar", "-out=/answer.tar", "-work=/cache"]
FROM scratch
COPY --from=0 /answer.tar /answer.tar
`

// check finds out whether what the engine runs on can run this program.
func (d *docker) check(ctx context.Context) error {
	args := append(slices.Clone(d.args), "version", "--format", "{{.Server.Os}}/{{.Server.Arch}}")
	if d.buildx != "" {
		args = append(slices.Clone(d.args), "buildx", "inspect", d.buildx)
	}
	cfg := d.cfg
	cfg.Env = d.env
	var said bytes.Buffer
	if err := run(ctx, cfg, "docker", args, strings.NewReader(""), &said, false); err != nil {
		if _, ok := errors.AsType[*toolchain.ExitError](err); ok {
			err = fault.Errorf("this has to work by itself: docker "+shell.Words(args), "%w", err)
		}
		return err
	}
	systems := []string{strings.TrimSpace(said.String())}
	if d.buildx != "" {
		systems = builderSystems(said.String())
	}
	if !slices.Contains(systems, d.cfg.System) {
		return fault.Errorf("a mintmark for that system can be run there by ssh://HOST?mintmark=/PATH/OF/mintmark",
			"%s runs %.200s, and this mintmark is for %s", d.address, strings.Join(systems, ", "), d.cfg.System)
	}
	return nil
}

// builderSystems are the platforms of all nodes of a builder, as docker buildx inspect
// says them; a * marks those that were configured.
func builderSystems(said string) (list []string) {
	for line := range strings.Lines(said) {
		if _, platforms, ok := strings.Cut(line, "Platforms:"); ok {
			for p := range strings.SplitSeq(platforms, ",") {
				list = append(list, strings.Trim(p, "* \t\r\n"))
			}
		}
	}
	return list
}

// Carry builds the image.
func (d *docker) Carry(ctx context.Context, nonce string, request io.Reader, answer io.Writer) error {
	d.once.Do(func() { d.unfit = d.check(ctx) })
	if d.unfit != nil {
		return d.unfit
	}
	dir, err := os.MkdirTemp(d.cfg.Dir, "docker-")
	if err != nil {
		return err
	}
	defer files.RemoveTree(dir)
	name := filepath.Join(dir, "request.tar")
	if err := files.WriteFrom(name, files.Reader(ctx, request), 0o644); err != nil {
		return err
	}
	if nonce == "" {
		nonce = filepath.Base(dir) // a question whose answer may be another one the next time
	}
	args := append([]string{}, d.args...)
	if d.buildx != "" {
		args = append(args, "buildx", "build", "--builder", d.buildx, "--platform", d.cfg.System)
	} else {
		args = append(args, "build")
	}
	args = append(args, "--quiet", "--network=none", "--build-arg", "MINTMARK_NONCE="+nonce, "--output", "type=local,dest="+filepath.Join(dir, "out"), "-")
	in, w := io.Pipe()
	go func() { w.CloseWithError(d.context(ctx, w, name)) }()
	cfg := d.cfg
	cfg.Env = d.env
	if err := run(ctx, cfg, "docker", args, in, io.Discard, false); err != nil {
		return err
	}
	f, err := files.Open(filepath.Join(dir, "out", "answer.tar"))
	if err != nil {
		return fmt.Errorf("the build has no answer: %w", err)
	}
	defer f.Close()
	_, err = io.Copy(answer, f)
	return err
}

// context is what the build has: this program, and the request.
func (d *docker) context(ctx context.Context, w io.Writer, request string) error {
	tw := tar.NewWriter(w)
	text := fmt.Sprintf(dockerfile, d.cache)
	if err := tw.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(text))}); err != nil {
		return err
	}
	if _, err := io.WriteString(tw, text); err != nil {
		return err
	}
	for name, from := range map[string]string{"mintmark": d.cfg.Self, "request.tar": request} {
		if err := add(ctx, tw, name, from); err != nil {
			return err
		}
	}
	return tw.Close()
}

func add(ctx context.Context, tw *tar.Writer, name, from string) error {
	f, err := files.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: fi.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(tw, files.Reader(ctx, f))
	return err
}
