package carry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/shell"
)

// ssh reaches a worker over the system's ssh.
type ssh struct {
	cfg     Config
	address string
	args    []string // before the command
	program string   // of mintmark there; "" : it is brought along

	once    sync.Once
	brought string // where it is; quoted for a shell
	failed  error
}

func newSSH(cfg Config, address string, u *url.URL) (*ssh, error) {
	if u.Hostname() == "" || u.Path != "" && u.Path != "/" {
		return nil, fault.Usagef("write ssh://[USER@]HOST[:PORT]; ssh://HOST?mintmark=/PATH names a mintmark that is there", "-on=%s: no host", address)
	}
	// BatchMode: a question that nobody sees would wait for ever. ServerAlive: so would
	// who waits for a machine that has gone without a word.
	s := &ssh{cfg: cfg, address: address, args: []string{"-T", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"}}
	for key, values := range u.Query() {
		if key != "mintmark" || len(values) != 1 || !strings.HasPrefix(values[0], "/") {
			return nil, fault.Usagef("?mintmark=/PATH is all there is", "-on=%s: %s", address, key)
		}
		s.program = values[0]
	}
	if port := u.Port(); port != "" {
		s.args = append(s.args, "-p", port)
	}
	if name := u.User.Username(); name != "" {
		s.args = append(s.args, "-l", name)
	}
	s.args = append(s.args, "--", u.Hostname())
	return s, nil
}

func (s *ssh) String() string { return s.address }

// Carry runs mintmark worker there.
func (s *ssh) Carry(ctx context.Context, _ string, request io.Reader, answer io.Writer) error {
	s.once.Do(func() { s.brought, s.failed = s.bring(ctx) })
	if s.failed != nil {
		return s.failed
	}
	return s.run(ctx, "exec "+s.brought+" worker -attended", request, answer, true)
}

func (s *ssh) run(ctx context.Context, command string, in io.Reader, out io.Writer, stay bool) error {
	err := run(ctx, s.cfg, "ssh", append(append([]string{}, s.args...), command), in, out, stay)
	if exit, ok := errors.AsType[*toolchain.ExitError](err); ok && exit.Code == unreachable && ctx.Err() == nil {
		by := ""
		for _, arg := range s.args {
			by += shell.Word(arg) + " "
		}
		err = fault.Errorf("this has to work without a question, with the key in the agent and the host in known_hosts: ssh "+by+"true", "%w", err)
	}
	return err
}

// unreachable is the exit code by which ssh says that it is itself that failed (ssh(1)).
const unreachable = 255

// bring copies this program there, unless the same one is there already. It is called
// by its digest, so that another version is never taken for it.
func (s *ssh) bring(ctx context.Context) (string, error) {
	if s.program != "" {
		return quote(s.program), nil
	}
	sum, _, err := files.Digest(ctx, s.cfg.Self)
	if err != nil {
		return "", err
	}
	var said bytes.Buffer
	dir := `"${XDG_CACHE_HOME:-$HOME/.cache}/mintmark-worker/` + sum[:32] + `"`
	if err := s.run(ctx, "uname -sm; test -x "+dir+"/mintmark && echo there || true", strings.NewReader(""), &said, false); err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	if system := unameSystem(lines[0]); system != s.cfg.System {
		return "", fault.Errorf("install this mintmark there, and say so: "+s.address+"?mintmark=/PATH/OF/mintmark",
			"%s is %.60q, and this mintmark runs on %s: it cannot be brought along", s.address, lines[0], s.cfg.System)
	}
	if len(lines) > 1 && lines[1] == "there" {
		return dir + "/mintmark", nil
	}
	f, err := files.Open(s.cfg.Self)
	if err != nil {
		return "", err
	}
	defer f.Close()
	// In one rename, since two may do it at the same time; and only if it runs there.
	put := "umask 077; new=" + dir + "/new.$$; mkdir -p " + dir + ` && cat >"$new" && chmod 755 "$new" || exit
if said=$("$new" version 2>&1); then mv "$new" ` + dir + `/mintmark; else echo "${said:-nothing}"; rm -f "$new"; fi`
	said.Reset()
	if err := s.run(ctx, put, f, &said, false); err != nil {
		return "", fmt.Errorf("bringing mintmark to %s: %w", s.address, err)
	}
	if said.Len() > 0 {
		hint := "install this mintmark there, and say so: " + s.address + "?mintmark=/PATH/OF/mintmark"
		if needs, err := interpreter(s.cfg.Self); err == nil && needs != "" {
			hint = "it is linked dynamically and needs " + needs + " there; " + static
		}
		return "", fault.Errorf(hint, "the mintmark that was brought to %s does not run there; it said: %.500s", s.address, strings.TrimSpace(said.String()))
	}
	return dir + "/mintmark", nil
}

// unameSystem is the GOOS/GOARCH of what uname -sm says; "" for an unknown one.
func unameSystem(said string) string {
	system, machine, _ := strings.Cut(strings.TrimSpace(said), " ")
	arch := map[string]string{
		"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "i686": "386", "i386": "386",
		"armv7l": "arm", "armv6l": "arm", "riscv64": "riscv64", "ppc64le": "ppc64le", "s390x": "s390x", "loongarch64": "loong64",
	}[machine]
	goos := map[string]string{"Linux": "linux", "Darwin": "darwin", "FreeBSD": "freebsd", "OpenBSD": "openbsd", "NetBSD": "netbsd"}[system]
	if goos == "" || arch == "" {
		return ""
	}
	return goos + "/" + arch
}

// quote quotes a word for a shell on the other side.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
