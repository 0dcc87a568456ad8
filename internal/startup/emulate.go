package startup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// Smoke is one run of a program under emulation. It shows that the program did
// what the workload says that once, and nothing about its speed, nor what happens
// now and then: [Sweep] starts it more often.
type Smoke struct {
	Emulator string `json:"emulator"` // its file name, such as qemu-aarch64-static
	OK       bool   `json:"ok"`
	Failure  string `json:"failure,omitempty"`
	// Instructions are the emulated user-mode instructions of the run: with the
	// same input nearly the same number every time, and no measure of time. 0
	// where no plugin counts them.
	Instructions int64 `json:"emulated_user_instructions,omitempty"`
}

// Emulator finds the user-mode emulator for programs of a platform
// ("linux/arm64") in some directories: qemu-NAME, or qemu-NAME-static. The error
// says why there is none. [Sweep] takes the path.
func Emulator(platform string, dirs []string) (path string, err error) {
	goos, arch, _ := strings.Cut(platform, "/")
	if goos != "linux" || runtime.GOOS != "linux" {
		return "", fmt.Errorf("a program for %s cannot be run on %s/%s", platform, runtime.GOOS, runtime.GOARCH)
	}
	name := qemuName(arch)
	if name == "" {
		return "", fmt.Errorf("no emulator is known for %s", platform)
	}
	for _, dir := range dirs {
		if dir == "" {
			continue // the current directory: never run a tool from there
		}
		for _, base := range []string{"qemu-" + name, "qemu-" + name + "-static"} {
			p := filepath.Join(dir, base)
			if fi, err := os.Stat(p); err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0 {
				return p, nil
			}
		}
	}
	return "", fault.Errorf("install qemu-user or qemu-user-static", "this machine cannot run %s, and qemu-%s is not installed", platform, name)
}

// qemuName is qemu's name of a GOARCH; "" for one whose Go programs it does not
// run: 32-bit PC programs crash in qemu 7.2.
func qemuName(arch string) string {
	switch arch {
	case "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	case "mipsle":
		return "mipsel"
	case "mips64le":
		return "mips64el"
	case "loong64":
		return "loongarch64"
	case "arm", "mips", "mips64", "ppc64", "ppc64le", "riscv64", "s390x":
		return arch
	}
	return ""
}

// foreign runs a program of another platform under an emulator, if there is one.
func (b *bench) foreign(ctx context.Context, p Program, f File) (why string, _ *Smoke, _ error) {
	emulator, err := Emulator(f.Platform, b.Emulators)
	if err != nil {
		return err.Error(), nil, nil
	}
	why = f.Platform + " runs under emulation only: milliseconds there say nothing about a real machine"
	s, err := b.emulate(ctx, emulator, p)
	return why, s, err
}

// emulate runs a program once under an emulator, and counts its instructions if
// there is a plugin for that.
func (b *bench) emulate(ctx context.Context, emulator string, p Program) (*Smoke, error) {
	path, err := filepath.Abs(p.Path)
	if err != nil {
		return nil, err
	}
	l := b.launch(emulator)
	l.args = []string{filepath.Base(emulator)}
	counts := filepath.Join(b.Work, "instructions")
	if b.Plugin != "" {
		l.args = append(l.args, "-plugin", b.Plugin, "-d", "plugin", "-D", counts)
		defer os.Remove(counts)
	}
	l.args = append(append(l.args, path), b.Workload.Args...)
	l.capture = true
	s := &Smoke{Emulator: filepath.Base(emulator), OK: true}
	if _, err := retryBusy(func() (outcome, error) { return l.run(ctx) }); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		s.OK, s.Failure = false, err.Error()
		return s, nil
	}
	if b.Plugin != "" {
		data, err := files.Read(counts, maxProc)
		if err == nil {
			s.Instructions, err = parseInstructions(data)
		}
		if err != nil {
			b.note("%s: emulated instructions: not measured: %v", p.Name, err)
		}
	}
	return s, nil
}

// parseInstructions reads what qemu's own plugin libinsn.so logs at the end:
// "total insns: N", or "insns: N" where it counts in one place.
func parseInstructions(log []byte) (int64, error) {
	for _, name := range []string{"total insns: ", "insns: "} {
		i := bytes.LastIndex(log, []byte(name))
		if i < 0 {
			continue
		}
		digits := log[i+len(name):]
		end := 0
		for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
			end++
		}
		if n, err := strconv.ParseInt(string(digits[:end]), 10, 64); err == nil && n > 0 {
			return n, nil
		}
	}
	return 0, errors.New("the plugin wrote no number of instructions (is it libinsn.so, and the emulator not the static one?)")
}
