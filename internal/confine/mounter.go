package confine

// MounterSource is the source of the program that gives a command its [View]. A mount
// namespace of an ordinary user's has to be furnished from within, by a process that is
// in it and not yet confined: Landlock refuses mounts to whoever is in a domain, and a
// process with several threads, such as this one, cannot enter a user namespace. So the
// program is started in the namespaces, mounts what it is told, enters the domain, and
// becomes the command.
//
// It uses nothing but os, runtime, strings and syscall, so that every Go since 1.18
// compiles it within a second. It is told what to do on descriptor 3, by fields that
// end in NUL, and says on 4 what it could not do, with the number of the error; a
// descriptor 4 that ends without a word means that the command runs. 5 is the domain.
// Its arguments are the command's directory, its path, and its own arguments.
const MounterSource = `// Command mounter shows a program some directories at other paths.
package main

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"
)

// The main thread does it all: a domain is a thread's, and of all threads only this one
// keeps the parent-death signal when the program becomes the command.
func init() { runtime.LockOSThread() }

const (
	prSetNoNewPrivs = 38 // PR_SET_NO_NEW_PRIVS
	prCapAmbient    = 47 // PR_CAP_AMBIENT
	clearAll        = 4  // PR_CAP_AMBIENT_CLEAR_ALL
)

func main() {
	for fd := 3; fd <= 5; fd++ {
		syscall.CloseOnExec(fd)
	}
	var text []byte
	buf := make([]byte, 1<<16)
	for {
		n, err := syscall.Read(3, buf)
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 {
			break
		}
		text = append(text, buf[:n]...)
	}
	// Without its last word it was not all that there is to do.
	if !strings.HasSuffix(string(text), "\x00end\x00") {
		os.Exit(125)
	}
	fields := strings.Split(string(text), "\x00")
	next := func() string {
		f := fields[0]
		fields = fields[1:]
		return f
	}
	const machine = "/.machine"
	for {
		what := next()
		var at string
		var err error
		switch what {
		case "end":
			err = run()
		case "root": // a new one, with the old one in it
			at = next()
			if err = syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err == nil {
				err = syscall.Mount("none", at, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=0755")
			}
			if err == nil {
				err = syscall.Mkdir(at+machine, 0o755)
			}
			if err == nil {
				err = syscall.PivotRoot(at, at+machine)
			}
			if err == nil {
				err = syscall.Chdir("/")
			}
		case "tmpfs":
			at = next()
			err = syscall.Mount("none", at, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=0755")
		case "dir":
			at = next()
			err = syscall.Mkdir(at, 0o755)
		case "file":
			at = next()
			var fd int
			if fd, err = syscall.Open(at, syscall.O_CREAT|syscall.O_WRONLY, 0o644); err == nil {
				err = syscall.Close(fd)
			}
		case "link":
			to := next()
			at = next()
			err = syscall.Symlink(to, at)
		case "bind":
			from := next()
			at = next()
			err = syscall.Mount(machine+from, at, "", syscall.MS_BIND|syscall.MS_REC, "")
		case "entry": // of a directory that is shown as it was: what cannot be shown is empty
			from := next()
			at = next()
			syscall.Mount(machine+from, at, "", syscall.MS_BIND|syscall.MS_REC, "")
		case "leave": // the old root
			if err = syscall.Unmount(machine, syscall.MNT_DETACH); err == nil {
				err = syscall.Rmdir(machine)
			}
		case "domain": // the number of the system call, and its flags
			call, flags := number(next()), number(next())
			if err = prctl(prSetNoNewPrivs, 1); err == nil && call != 0 {
				if _, _, e := syscall.RawSyscall(call, 5, flags, 0); e != 0 {
					err = e
				}
			}
		default:
			err = syscall.EINVAL
		}
		if err != nil {
			fail(what, at, err)
		}
	}
}

// run becomes the command.
func run() error {
	// What it takes to mount is not the command's. Kernels before Linux 4.3 have no
	// such set, and then there is none to be emptied.
	syscall.RawSyscall6(syscall.SYS_PRCTL, prCapAmbient, clearAll, 0, 0, 0, 0)
	if err := syscall.Chdir(os.Args[1]); err != nil {
		fail("chdir", os.Args[1], err)
	}
	err := syscall.Exec(os.Args[2], os.Args[3:], os.Environ())
	fail("exec", os.Args[2], err)
	return err
}

func prctl(option, arg uintptr) error {
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, option, arg, 0, 0, 0, 0); e != 0 {
		return e
	}
	return nil
}

func number(s string) (n uintptr) {
	for i := 0; i < len(s); i++ {
		n = 10*n + uintptr(s[i]-'0')
	}
	return n
}

// fail says on 4 what could not be done where, and the number of the error.
func fail(what, at string, err error) {
	e, _ := err.(syscall.Errno)
	digits := ""
	for n := uintptr(e); n > 0; n /= 10 {
		digits = string(rune('0'+n%10)) + digits
	}
	text := []byte(what + "\x00" + at + "\x00" + digits + "\x00")
	syscall.RawSyscall(syscall.SYS_WRITE, 4, uintptr(unsafe.Pointer(&text[0])), uintptr(len(text)))
	os.Exit(125)
}
`
