// Package carry reaches workers: over the system's ssh, and through a container engine.
//
// Both are programs of the user's, with his settings: agents, jump hosts, known hosts,
// contexts and builders are his. They get the variables of [childenv.Carry] and no
// others, and are not confined: they are there to reach the network.
package carry

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/mintmark/mintmark/builds/execute/remote"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// Config is what carriers need.
type Config struct {
	// Self is this mintmark's program, which is brought along where there is none.
	Self string
	// System is the GOOS/GOARCH that Self runs on.
	System string
	// Env is what the programs get: see [childenv.Carry].
	Env []string
	// Path are the directories in which the programs are looked for.
	Path string
	Dir  string // private, for what a carrier has to write
}

// forms are the addresses that Open knows, for hints.
const forms = "write here, ssh://[USER@]HOST[:PORT], docker://CONTEXT, docker+unix:///PATH/OF/SOCKET or buildx://BUILDER"

// Open makes the carrier of an address. It reaches nobody.
func Open(cfg Config, address string) (remote.Carrier, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		return nil, fault.Usagef(forms, "-on=%s: not the address of a worker", address)
	}
	if _, has := u.User.Password(); has {
		return nil, fault.Usagef("ssh asks its agent, or for a key", "-on: an address with a password in it, which everybody on this machine could read")
	}
	for _, part := range []string{u.Host, u.User.Username(), u.Path} {
		if strings.HasPrefix(part, "-") || strings.ContainsAny(part, "\x00\n") {
			return nil, fault.Usagef(forms, "-on=%q: a name that begins with -", address)
		}
	}
	switch u.Scheme {
	case "ssh":
		return newSSH(cfg, address, u)
	case "docker", "docker+unix", "buildx":
		return newDocker(cfg, address, u)
	}
	return nil, fault.Usagef(forms, "-on=%s: nothing is known of %s://", address, u.Scheme)
}

// Bare reports whether a worker at this address has nothing on its machine but mintmark.
func Bare(address string) bool {
	for _, scheme := range []string{"docker:", "docker+unix:", "buildx:"} {
		if strings.HasPrefix(address, scheme) {
			return true
		}
	}
	return false
}

// static is how a mintmark comes about that runs on any machine of its system.
const static = "a mintmark that needs nothing of its machine is a released binary, or what CGO_ENABLED=0 go install makes"

// interpreter is what a program needs to be loaded, such as the dynamic linker of the
// system; "" for one that needs nothing.
func interpreter(program string) (string, error) {
	f, err := files.Open(program)
	if err != nil {
		return "", err
	}
	defer f.Close()
	e, err := elf.NewFile(f)
	if err != nil {
		return "", fmt.Errorf("%s: %w", program, err)
	}
	for _, p := range e.Progs {
		if p.Type == elf.PT_INTERP {
			name, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
			return strings.TrimRight(string(name), "\x00"), err
		}
	}
	return "", nil
}

// Limits of a program that reaches others.
func reaching() confine.Limits {
	return confine.Limits{Waived: "it reaches another machine, with the user's own settings"}
}

// run runs a program that reads in to its end, or until the program ends.
func run(ctx context.Context, cfg Config, name string, args []string, in io.Reader, out io.Writer, stay bool) error {
	path, err := toolchain.LookPath(name, cfg.Path)
	if err != nil {
		return fault.Errorf("install it, or leave its machines out of -on", "%s: %w", name, err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	ended := make(chan struct{})
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(w, in)
		sent <- err
		if stay { // whoever reads it takes its end for ours
			<-ended
		}
		w.Close()
	}()
	_, err = toolchain.Run(ctx, toolchain.Command{Path: path, Args: args, Dir: cfg.Dir, Env: cfg.Env, Input: r, Output: out, Confine: reaching()})
	close(ended)
	r.Close() // who still writes is told
	if err == nil {
		return nil
	}
	if exit, ok := errors.AsType[*toolchain.ExitError](err); ok {
		exit.Output = strings.ReplaceAll(exit.Output, "\r", "") // ssh ends its lines as a terminal wants them
		return exit
	}
	return fmt.Errorf("%s: %w", name, err)
}
