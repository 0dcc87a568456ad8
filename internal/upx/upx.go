// Package upx finds a UPX executable, identifies it, and packs binaries with
// it, proving as much of the result as can be proven without running it.
//
// # Contract
//
// [Tool.Pack] succeeds only when all of this held, every time:
//
//   - the flags are on a list of flags that choose a compression ([checkFlags]);
//   - UPX packed a private copy twice, under different names, to the same bytes;
//   - `upx -t` accepted the result;
//   - `upx -d` gave the input back, byte for byte for ELF and Mach-O.
//
// UPX runs with an empty environment, since it takes further options from the
// variable UPX, and in a directory of its own, which is all that it can write
// where the system lets it be confined (package confine).
//
// # Honest exceptions
//
//   - UPX does not restore PE files exactly: headers, import table and base
//     relocations differ (measured with 3.94 on windows/386 and amd64). For
//     PE all other sections must be restored exactly; [Result.NotRestored] names
//     the parts that were not, and they are unchecked.
//   - That a packed file runs is not proven here: UPX exits 0 for platforms where
//     the result crashes. [Supported] knows some; the smoke run is the caller's.
package upx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// Config says where UPX is and which one it has to be.
type Config struct {
	// Path is the executable, or a bare name to look for in Dirs; "" is "upx".
	Path string
	// Dirs are searched in order, as a PATH would be.
	Dirs []string

	Version string // the version it must have, such as "4.2.3"; "" for any
	SHA256  string // the digest its executable must have, lower-case hex; "" for any

	Confined *confine.Log // for [Tool.Confined]; may be nil
}

// Tool is one UPX executable.
type Tool struct {
	Path    string // absolute
	Version string // as `upx -V` says: "3.94", "4.2.3"
	SHA256  string // of the executable, lower-case hex
	// Confined is told what held UPX each time it ran: it can write only in the
	// directory it is started in, and reaches no network.
	Confined *confine.Log
}

const installHint = "install UPX (https://upx.github.io) or name its path; to release unpacked binaries, remove upx from the profile"

// Find finds UPX and asks it for its version. A missing UPX is an error: two
// machines must not make different releases because one of them lacks it.
func Find(ctx context.Context, cfg Config) (*Tool, error) {
	path, err := locate(cfg)
	if err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	t := &Tool{Path: path, Confined: cfg.Confined}
	if t.SHA256, _, err = files.Digest(ctx, path); err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	if cfg.SHA256 != "" && t.SHA256 != cfg.SHA256 {
		// Before it is run for the first time.
		return nil, fault.Errorf("install the UPX that the profile names, or change the profile", "upx: %s has sha256 %s, %s is required", path, t.SHA256, cfg.SHA256)
	}
	out, _, code, err := t.run(ctx, "", "-V")
	if err != nil {
		return nil, err
	}
	m := versionLine.FindStringSubmatch(out)
	if code != 0 || m == nil {
		return nil, fault.Errorf("is it UPX?", "upx: %s -V: exit status %d, no version in %q", path, code, firstLine(out))
	}
	t.Version = m[1]
	if cfg.Version != "" && t.Version != cfg.Version {
		return nil, fault.Errorf("install the UPX that the profile names, or change the profile; versions give different bytes",
			"upx: %s is version %s, %s is required", path, t.Version, cfg.Version)
	}
	return t, nil
}

var versionLine = regexp.MustCompile(`(?m)^upx ([0-9]+\.[0-9][0-9A-Za-z.+-]*)\r?$`)

func locate(cfg Config) (string, error) {
	name := cfg.Path
	if name == "" {
		name = "upx"
	}
	if filepath.Base(name) != name {
		path, err := filepath.Abs(name)
		if err == nil {
			err = executable(path)
		}
		if err != nil {
			return "", &fault.Error{Err: err, Tip: installHint}
		}
		return path, nil
	}
	names := []string{name}
	if runtime.GOOS == "windows" && filepath.Ext(name) == "" {
		names = []string{name + ".exe"}
	}
	for _, dir := range cfg.Dirs {
		if dir == "" {
			continue // in a PATH this means the current directory: never run a tool from there
		}
		for _, n := range names {
			path, err := filepath.Abs(filepath.Join(dir, n))
			if err == nil && executable(path) == nil {
				return path, nil
			}
		}
	}
	return "", fault.Errorf(installHint, "%s not found in %d directories", name, len(cfg.Dirs))
}

// executable returns an error unless path is a file that can be run.
func executable(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() || runtime.GOOS != "windows" && st.Mode()&0o111 == 0 {
		return &fs.PathError{Op: "run", Path: path, Err: fs.ErrPermission}
	}
	return nil
}

// Result describes a packed file and the proof.
type Result struct {
	Version    string // of UPX
	ToolSHA256 string // of UPX
	Flags      []string

	InSize    int64
	InSHA256  string
	OutSize   int64
	OutSHA256 string

	// NotRestored names what `upx -d` did not give back exactly; empty means
	// that the input was restored bit for bit. Only PE files have any.
	NotRestored []string
}

// Pack packs the file in and puts the result at out, where nothing is left
// behind unless everything was proven. The input is never touched.
func (t *Tool) Pack(ctx context.Context, in, out string, flags []string) (_ *Result, err error) {
	if err := checkFlags(flags); err != nil {
		return nil, err
	}
	if same(in, out) {
		return nil, fmt.Errorf("upx: %s: input and output are one file; the linked file must stay", in)
	}
	dir, err := os.MkdirTemp(filepath.Dir(out), ".upx-*")
	if err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	defer func() { err = errors.Join(err, files.RemoveTree(dir)) }()

	r := &Result{Version: t.Version, ToolSHA256: t.SHA256, Flags: append([]string{}, flags...)}
	// Fixed names, so that no message depends on the temporary directory.
	path := func(name string) string { return filepath.Join(dir, name) }
	if r.InSHA256, r.InSize, err = files.Copy(ctx, in, path("input"), 0o700); err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	name := filepath.Base(in)
	pack := func(from, to string) error {
		return t.step(ctx, dir, name, "pack", append(append([]string{}, flags...), "-o", to, from)...)
	}
	if err := pack("input", "packed"); err != nil {
		return nil, err
	}
	if r.NotRestored, err = t.check(ctx, dir, name); err != nil {
		return nil, err
	}
	// The second time under another name: a packer may store it.
	if err := os.Rename(path("input"), path("again")); err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	if err := pack("again", "repacked"); err != nil {
		return nil, err
	}
	if r.OutSHA256, r.OutSize, err = files.Digest(ctx, path("packed")); err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	second, _, err := files.Digest(ctx, path("repacked"))
	if err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	if second != r.OutSHA256 {
		return nil, fault.Errorf("this UPX is not deterministic; use another version or release the unpacked binary",
			"upx: %s: packed twice, different both times: sha256 %s and %s", name, r.OutSHA256, second)
	}
	if now, _, err := files.Digest(ctx, t.Path); err != nil || now != t.SHA256 {
		return nil, errors.Join(fmt.Errorf("upx: %s changed while it was used", t.Path), err)
	}
	if err := os.Chmod(path("packed"), 0o755); err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	if err := os.Rename(path("packed"), out); err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	return r, nil
}

// Check proves that the file packed holds the file linked: `upx -t` accepts it
// and `upx -d` gives linked back. It returns the parts of a PE file that were
// not restored, as in [Result.NotRestored]. Any UPX that is not older than the
// one that packed can check.
func (t *Tool) Check(ctx context.Context, packed, linked string) (notRestored []string, err error) {
	dir, err := os.MkdirTemp(filepath.Dir(packed), ".upx-*")
	if err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	defer func() { err = errors.Join(err, files.RemoveTree(dir)) }()
	_, _, errP := files.Copy(ctx, packed, filepath.Join(dir, "packed"), 0o700)
	_, _, errL := files.Copy(ctx, linked, filepath.Join(dir, "input"), 0o700)
	if err := errors.Join(errP, errL); err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	return t.check(ctx, dir, filepath.Base(packed))
}

// check tests and unpacks dir/packed and compares with dir/input.
func (t *Tool) check(ctx context.Context, dir, name string) ([]string, error) {
	if err := t.step(ctx, dir, name, "test", "-t", "packed"); err != nil {
		return nil, err
	}
	if err := t.step(ctx, dir, name, "unpack", "-d", "-o", "unpacked", "packed"); err != nil {
		return nil, err
	}
	notRestored, err := compareRestored(filepath.Join(dir, "input"), filepath.Join(dir, "unpacked"))
	if err != nil {
		return nil, fmt.Errorf("upx: %s: %w", name, err)
	}
	return notRestored, nil
}

// step runs UPX once in dir and turns a failure into an [Error] about file.
func (t *Tool) step(ctx context.Context, dir, file, op string, args ...string) error {
	// -q and no more: -qq silences warnings such as AlreadyPackedException, -qqq
	// errors too.
	_, messages, code, err := t.run(ctx, dir, append([]string{"-q", "--no-color"}, args...)...)
	if err != nil {
		return fmt.Errorf("upx: %s: %s: %w", file, op, err)
	}
	if code == 0 {
		return nil
	}
	return newError(file, op, code, messages)
}

// run runs UPX and returns the first 64 KiB of its standard output and of its
// standard error, and its exit status. The error is about not being able to run it.
func (t *Tool) run(ctx context.Context, dir string, args ...string) (out, messages string, code int, err error) {
	var stdout, stderr limitedBuffer
	limits := confine.Limits{Log: t.Confined}
	if dir != "" {
		limits.Write = []string{dir}
	}
	_, _, err = confine.Run(limits, func() *exec.Cmd {
		cmd := exec.CommandContext(ctx, t.Path, args...)
		cmd.Args[0] = "upx" // it begins its messages with this
		cmd.Dir = dir
		cmd.Env = []string{"LC_ALL=C"}
		cmd.WaitDelay = 5 * time.Second
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		return cmd
	})
	if ctx.Err() != nil {
		return "", "", 0, fmt.Errorf("upx: %w", context.Cause(ctx))
	}
	if e, ok := errors.AsType[*exec.ExitError](err); ok && e.ExitCode() > 0 {
		return stdout.String(), stderr.String(), e.ExitCode(), nil
	}
	if err != nil {
		return "", "", 0, fmt.Errorf("upx: %s %s: %w", t.Path, strings.Join(args, " "), err)
	}
	return stdout.String(), stderr.String(), 0, nil
}

// limitedBuffer keeps the first 64 KiB. It must not embed the buffer: io.Copy
// would use its ReadFrom, which knows no bound.
type limitedBuffer struct{ kept bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	b.kept.Write(p[:min(len(p), max(0, 64<<10-b.kept.Len()))])
	return len(p), nil
}

func (b *limitedBuffer) String() string { return b.kept.String() }

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

func same(a, b string) bool {
	sa, errA := os.Stat(a)
	sb, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(sa, sb)
}
