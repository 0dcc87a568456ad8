package confine

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxSteps bounds what is mounted: the kernel's own bound is a hundred thousand mounts
// in a namespace (sysctl fs.mount-max).
const maxSteps = 20_000

// stage is a view as its program is told to make it.
type stage struct {
	*View
	steps []string
}

// stage plans the view.
func (v *View) stage() (*stage, error) {
	if v == nil {
		return nil, nil
	}
	// Neither by the name that they are called by, nor by the one that they have.
	kept := *v
	for _, name := range v.Keep {
		if real, err := filepath.EvalSymlinks(name); err == nil && real != name {
			kept.Keep = append(slices.Clip(kept.Keep), real)
		}
	}
	v = &kept
	if err := v.check(); err != nil {
		return nil, err
	}
	p := &planner{keep: v.Keep, ours: map[string]map[string]entry{}, moved: map[string]string{}}
	// The root is always made: nothing could be put into the machine's.
	if err := p.open("/", "/"); err != nil {
		return nil, err
	}
	mounts := slices.Clone(v.Mounts)
	slices.SortFunc(mounts, func(a, b Mount) int { return strings.Compare(a.At, b.At) }) // a directory before what is in it
	for _, m := range mounts {
		if err := p.place(m); err != nil {
			return nil, err
		}
	}
	// A directory before what is in it, and all about one together.
	slices.SortStableFunc(p.steps, func(a, b step) int {
		return cmp.Or(slices.Compare(strings.Split(a.at(), "/"), strings.Split(b.at(), "/")), cmp.Compare(a.rank, b.rank))
	})
	s := &stage{View: v, steps: []string{"root", v.Base}}
	for _, step := range p.steps {
		s.steps = append(s.steps, step.fields...)
	}
	s.steps = append(s.steps, "leave")
	return s, nil
}

// planner finds the steps to a view. In it, a directory is the machine's, with all that
// is in it, or one that is made in memory: then each thing in it is put there.
type planner struct {
	steps []step
	keep  []string
	ours  map[string]map[string]entry // directories that are made, and what is in them
	moved map[string]string           // where directories are seen → where they are
}

// step is something that is done at a path, its last field.
type step struct {
	rank   rank
	fields []string
}

func (s step) at() string { return s.fields[len(s.fields)-1] }

// rank is the order of what is done at one path.
type rank uint8

const (
	create rank = iota
	fill        // with what the machine has there
	cover       // with a directory in memory
	move        // another directory there
	again       // cover what was moved there
)

// entry is what is in a directory that was made.
type entry uint8

const (
	theirs entry = iota // a directory of the machine's
	made
	link
	other
)

func (p *planner) step(r rank, fields ...string) {
	p.steps = append(p.steps, step{r, fields})
}

// open has a directory of the machine's made in memory, with everything that is in it.
func (p *planner) open(dir, real string) error {
	if _, moved := p.moved[dir]; moved {
		p.step(again, "tmpfs", dir)
	} else if dir != "/" {
		p.step(cover, "tmpfs", dir)
	}
	names := map[string]entry{}
	p.ours[dir] = names
	list, err := os.ReadDir(real)
	if errors.Is(err, fs.ErrPermission) {
		// Nothing in it is seen but what is known to be there.
		for _, keep := range p.keep {
			if rest, ok := below(keep, dir); ok && rest != "" {
				name, _, _ := strings.Cut(rest[1:], "/")
				if _, ok := names[name]; !ok {
					names[name] = theirs
					p.show("dir", path.Join(dir, name), path.Join(real, name))
				}
			}
		}
		return nil
	}
	if err != nil {
		return viewErrorf("%s cannot be read: %s", real, cause(err))
	}
	for _, e := range list {
		at, from := path.Join(dir, e.Name()), path.Join(real, e.Name())
		switch {
		case e.IsDir():
			names[e.Name()] = theirs
			p.show("dir", at, from)
		case e.Type().IsRegular():
			names[e.Name()] = other
			p.show("file", at, from)
		case e.Type()&fs.ModeSymlink != 0:
			names[e.Name()] = link
			if to, err := os.Readlink(from); err == nil {
				p.step(create, "link", to, at)
			}
		default: // sockets and the like
			names[e.Name()] = other
		}
	}
	if len(p.steps) > maxSteps {
		return viewErrorf("%s has %d entries, and each would have to be mounted", real, len(list))
	}
	return nil
}

// show has something of the machine's at its place.
func (p *planner) show(kind, at, from string) {
	p.step(create, kind, at)
	p.step(fill, "entry", from, at)
}

// place puts a directory where it is to be seen. A directory that exists is covered;
// else the one that it would be in is made in memory.
func (p *planner) place(m Mount) error {
	dir, real := "/", "/"
	for name := range strings.SplitSeq(m.At[1:], "/") {
		at := path.Join(dir, name)
		if from, ok := p.moved[at]; ok {
			dir, real = at, from
			continue
		}
		names, ours := p.ours[dir]
		if !ours {
			switch fi, err := os.Lstat(path.Join(real, name)); {
			case err == nil && fi.IsDir():
				dir, real = at, path.Join(real, name)
				continue
			case err == nil && fi.Mode()&fs.ModeSymlink != 0:
				return isLink(at)
			case err == nil:
				return isFile(at)
			case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
				return viewErrorf("%s: %s", at, cause(err))
			}
			if err := p.open(dir, real); err != nil {
				return err
			}
			names = p.ours[dir]
		}
		switch kind, ok := names[name]; {
		case !ok:
			names[name] = made
			p.step(create, "dir", at)
			p.ours[at] = map[string]entry{}
		case kind == link:
			return isLink(at)
		case kind == other:
			return isFile(at)
		}
		dir, real = at, path.Join(real, name)
	}
	delete(p.ours, m.At)
	p.moved[m.At] = m.From
	p.step(move, "bind", m.From, m.At)
	return nil
}

func isLink(at string) error { return viewErrorf("%s is a symbolic link on this machine", at) }
func isFile(at string) error { return viewErrorf("%s is no directory on this machine", at) }

// viewWays are the ways to a mount namespace, with those to a network namespace as well.
func viewWays() (with, without []way) {
	for _, w := range ways() {
		w.flags |= unix.CLONE_NEWNS
		with = append(with, w)
		w.flags &^= unix.CLONE_NEWNET
		without = append(without, w)
	}
	return with, without
}

// startIn starts the command with the view, in the domain. The error is about starting
// it: then nothing of it has run.
func (s *stage) startIn(d *domain, w way, command func() *exec.Cmd) (*running, error) {
	cmd := command()
	cmd.Args = append([]string{s.Mounter, cmd.Dir, cmd.Path}, cmd.Args...)
	cmd.Path, cmd.Dir = s.Mounter, "/"
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Cloneflags |= w.flags
	if w.mapped {
		// A program that is started by anybody but root would not have them.
		cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SYS_CHROOT}
	}
	in, tell, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer tell.Close()
	defer in.Close()
	hear, say, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer hear.Close()
	defer say.Close()
	cmd.ExtraFiles = []*os.File{in, say} // 3 and 4 in the program
	call := 0
	if d.fd >= 0 {
		fd, err := unix.FcntlInt(uintptr(d.fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		rules := os.NewFile(uintptr(fd), "landlock")
		defer rules.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, rules)
		call = unix.SYS_LANDLOCK_RESTRICT_SELF
	}
	started, r := make(chan error, 1), &running{cmd, make(chan error, 1)}
	onThread(func() { // which lives as long as the command
		err := cmd.Start()
		started <- err
		if err == nil {
			r.done <- cmd.Wait()
		}
	})
	if err := <-started; err != nil {
		return nil, err
	}
	in.Close()
	say.Close()
	err = nil
	if w.mapped {
		err = mapSelf(cmd.Process.Pid)
	}
	if err == nil {
		steps := append(slices.Clone(s.steps), "domain", strconv.Itoa(call), strconv.FormatUint(uint64(d.flags), 10), "end", "")
		_, err = io.WriteString(tell, strings.Join(steps, "\x00"))
	}
	tell.Close()
	const most = 3 * maxPath
	said, rerr := io.ReadAll(io.LimitReader(hear, most))
	if err == nil {
		err = rerr
	}
	if len(said) > 0 { // what it says is more than that it has ended
		err = refusal(string(said))
	}
	if err != nil {
		<-r.done // without its last word the program ends
		return nil, err
	}
	return r, nil
}

// stepError is a step that the system refused.
type stepError struct {
	what, at string
	errno    syscall.Errno
}

func (e *stepError) Error() string { return fmt.Sprintf("%s %s: %s", e.what, e.at, e.errno) }
func (e *stepError) Unwrap() error { return e.errno }

// refusal is what the program says, as an error.
func refusal(text string) error {
	f := strings.Split(text, "\x00")
	if len(f) != 4 {
		return fmt.Errorf("the program that mounts said %.100q", text)
	}
	n, _ := strconv.Atoi(f[2])
	e := &stepError{f[0], f[1], syscall.Errno(n)}
	switch e.what {
	case "domain":
		return &refusedError{e.errno}
	case "exec", "chdir":
		return &fs.PathError{Op: e.what, Path: e.at, Err: e.errno}
	}
	return e
}

// refused says why there is no view, by what the likelier way to it came to.
func (s *stage) refused(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, exec.ErrNotFound):
		return err // a program that is not there
	}
	if _, ok := errors.AsType[*refusedError](err); ok {
		return err
	}
	step, ok := errors.AsType[*stepError](err)
	switch {
	case ok && step.what != "root":
		return viewErrorf("%s could not be mounted: %s", step.at, step.errno)
	case ok:
		return viewErrorf("no mounts in a mount namespace: %s%s", step.errno, forbidden())
	}
	return viewErrorf("no mount namespace: %s%s", cause(err), forbidden())
}

// forbidden names the setting of the system's that forbids user namespaces, if one does.
func forbidden() string {
	if os.Geteuid() == 0 {
		return ""
	}
	for _, s := range []struct{ name, value string }{
		{"user/max_user_namespaces", "0"},
		{"kernel/unprivileged_userns_clone", "0"},             // Debian before 11
		{"kernel/apparmor_restrict_unprivileged_userns", "1"}, // Ubuntu since 23.10
	} {
		f, err := os.OpenFile("/proc/sys/"+s.name, os.O_RDONLY, 0)
		if err != nil {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(f, 32))
		f.Close()
		if err == nil && strings.TrimSpace(string(data)) == s.value {
			return fmt.Sprintf(" (sysctl %s is %s)", strings.ReplaceAll(s.name, "/", "."), s.value)
		}
	}
	return ""
}
