package recovery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/mod/module"
)

// Stamp is a program named git that answers the go command's questions with
// what a binary or a record claims.
type Stamp struct {
	Git string // its path; nothing else is in its directory but its files
}

// Replay is what a [Stamp] claims of a source.
type Replay struct {
	Revision string
	Time     time.Time // of the commit
	Modified bool
	// Tag is the version tag on the revision, Ancestor the newest one below it;
	// "" for none.
	Tag, Ancestor string
	// Unversioned says that there is no version to be found.
	Unversioned bool
}

// NewStamp compiles the program with the toolchain goroot, in dir, which must
// not exist, for the source whose work tree is root. The go command takes root
// for a repository when it has a directory .git, however empty.
func NewStamp(ctx context.Context, goroot *toolchain.Goroot, place *toolchain.Place, dir, root string, r Replay) (*Stamp, error) {
	program, err := buildStamp(ctx, goroot, place, filepath.Join(dir, "source"))
	if err != nil {
		return nil, err
	}
	return newStamp(program, filepath.Join(dir, "bin"), root, r)
}

// At copies the stamp to dir, to claim r of the work tree root as well.
func (s *Stamp) At(dir, root string, r Replay) (*Stamp, error) { return newStamp(s.Git, dir, root, r) }

// SetVersion takes the tags from a module version that the go command stamped.
func (r *Replay) SetVersion(version string) error {
	version = strings.TrimSuffix(version, "+incompatible")
	if !module.IsPseudoVersion(version) {
		r.Tag = version
		return nil
	}
	base, err := module.PseudoVersionBase(version)
	r.Ancestor = base
	return err
}

// The files beside the program.
const (
	claimsFile  = "claims"
	askedFile   = "asked"   // every question, for the curious
	unknownFile = "unknown" // questions it had no answer to
)

// buildStamp compiles the program for this host, once a toolchain.
func buildStamp(ctx context.Context, goroot *toolchain.Goroot, place *toolchain.Place, dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for name, text := range map[string]string{"go.mod": "module git\n\ngo 1.18\n", "main.go": stampProgram} {
		if err := files.Write(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	out := filepath.Join(dir, "git")
	if runtime.GOOS == "windows" {
		out += ".exe"
	}
	env := place.Env([]string{"GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH, "CGO_ENABLED=0"}, "off")
	_, err := toolchain.Run(ctx, toolchain.Command{
		Path: goroot.Go(), Args: []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "."}, Dir: dir, Env: env, Confine: place.Confine(dir),
	})
	if err != nil {
		return "", fmt.Errorf("compiling the program that replays version control stamps: %w", err)
	}
	return out, nil
}

// newStamp puts a copy of the program beside what it claims into dir. root
// is the top of the replayed work tree.
func newStamp(program, dir, root string, r Replay) (*Stamp, error) {
	text, err := r.claims(root)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s := &Stamp{Git: filepath.Join(dir, filepath.Base(program))}
	if _, _, err := files.Copy(context.Background(), program, s.Git, 0o755); err != nil {
		return nil, err
	}
	return s, files.Write(filepath.Join(dir, claimsFile), []byte(text), 0o644)
}

// claims are the lines the program reads: a key, a blank, a value.
func (r Replay) claims(root string) (string, error) {
	if r.Revision == "" || strings.ContainsAny(r.Revision, " \n") || strings.ContainsAny(r.Tag+r.Ancestor+root, "\n") {
		return "", errors.New("its version control stamp names no revision")
	}
	lines := []string{
		"root " + root,
		"revision " + r.Revision,
		fmt.Sprintf("time %d", r.Time.Unix()),
		fmt.Sprintf("modified %v", r.Modified),
	}
	for key, value := range map[string]string{"tag": r.Tag, "ancestor": r.Ancestor} {
		if value != "" {
			lines = append(lines, key+" "+value)
		}
	}
	if r.Unversioned {
		lines = append(lines, "unversioned true")
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// replay is what a binary claims of its source.
func (c *Claim) replay() (Replay, error) {
	r := Replay{Revision: c.Revision, Modified: c.Modified}
	if c.VCS != "git" {
		return r, fmt.Errorf("stamped from %s: only git's stamps can be replayed", c.VCS)
	}
	var err error
	if r.Time, err = time.Parse(time.RFC3339Nano, c.Time); err != nil {
		return r, fmt.Errorf("its version control stamp has the time %q: %w", c.Time, err)
	}
	switch release := c.Release(); release {
	case "", "(devel)":
		// The version is then what a go command says that finds none: those
		// before go1.24, which do not ask, and later ones outside of a module.
		r.Unversioned = true
	default:
		err = r.SetVersion(release)
	}
	return r, err
}

// unknown are the questions the program had no answer to.
func (s *Stamp) unknown() []string {
	data, err := files.Read(filepath.Join(filepath.Dir(s.Git), unknownFile), maxSource)
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// stampProgram is the source of the program. It uses nothing but os, strings
// and path/filepath, so that every Go since 1.18 compiles it within a second.
//
// What the go command asks, with the releases that do:
//
//	status --porcelain                                     all
//	show -s --format=%H:%ct                                until 1.21
//	log -1 --format=%H:%ct                                 since 1.22
//	config extensions.objectformat                         since 1.24
//	log -n1 --format=format:%H %ct %D REV                  since 1.24
//	tag -l; for-each-ref --merged=REV; cat-file blob REV:FILE; merge-base    since 1.24
//
// Options that only steer git's output come and go (--end-of-options,
// --no-decorate, -c log.showsignature=false), so the questions are told apart
// by what they are about. Anything else fails loudly and is written down: a
// wrong guess would silently give the binary another version.
const stampProgram = `// Command git answers as if the source were the revision that a binary claims.
package main

import (
	"os"
	"path/filepath"
	"strings"
)

func main() {
	self, err := os.Executable()
	if err != nil {
		fail(err.Error())
	}
	dir := filepath.Dir(self)
	claims := map[string]string{}
	data, err := os.ReadFile(filepath.Join(dir, "claims"))
	if err != nil {
		fail(err.Error())
	}
	for _, line := range strings.Split(string(data), "\n") {
		if i := strings.Index(line, " "); i > 0 {
			claims[line[:i]] = line[i+1:]
		}
	}
	question := strings.Join(os.Args[1:], " ")
	note(dir, "asked", question)

	var command string
	var args []string
	for i := 1; i < len(os.Args); i++ {
		switch a := os.Args[i]; {
		case command == "" && (a == "-c" || a == "-C"):
			i++
		case command == "" && strings.HasPrefix(a, "-"):
		case command == "":
			command = a
		case a != "--end-of-options" && a != "--":
			args = append(args, a)
		}
	}
	rev, last := claims["revision"], ""
	if len(args) > 0 {
		last = args[len(args)-1]
	}
	// names reports whether s stands for the revision.
	names := func(s string) bool {
		return s == "HEAD" || len(s) >= 7 && strings.HasPrefix(rev, s) || claims["tag"] != "" && (s == claims["tag"] || s == "refs/tags/"+claims["tag"])
	}
	has := func(part string) bool { return strings.Contains(question, part) }
	switch {
	case command == "status":
		if claims["modified"] == "true" {
			print("?? changed\n")
		}
	case (command == "log" || command == "show") && has("%H:%ct"):
		print(rev + ":" + claims["time"] + "\n")
	case command == "config":
		os.Exit(1) // the setting is not there
	case command == "log" && has("%H %ct %D") && claims["unversioned"] == "true":
		fail("fatal: no version is claimed")
	case command == "log" && has("%H %ct %D") && names(last):
		line := rev + " " + claims["time"] + " HEAD"
		if claims["tag"] != "" {
			line += ", tag: " + claims["tag"]
		}
		print(line + "\n")
	case command == "log" && has("%H %ct %D"):
		fail("fatal: bad revision " + last)
	case command == "tag":
		for _, t := range []string{claims["tag"], claims["ancestor"]} {
			if t != "" {
				print(t + "\n")
			}
		}
	case command == "for-each-ref", command == "show-ref":
		for _, t := range []string{claims["tag"], claims["ancestor"]} {
			if t == "" {
				continue
			}
			if command == "show-ref" {
				print(rev + " ")
			}
			print("refs/tags/" + t + "\n")
		}
	case command == "merge-base":
		// Is TAG an ancestor of the revision? Those that are named are.
	case command == "cat-file":
		i := strings.Index(last, ":")
		if i < 0 || !names(last[:i]) || strings.Contains(last[i:], "..") {
			fail("fatal: not a valid object name " + last)
		}
		data, err := os.ReadFile(filepath.Join(claims["root"], filepath.FromSlash(last[i+1:])))
		if err != nil {
			fail("fatal: path does not exist: " + last)
		}
		os.Stdout.Write(data)
	default:
		note(dir, "unknown", question)
		fail("mintmark: no answer to git " + question)
	}
}

func print(s string) { os.Stdout.WriteString(s) }

func fail(s string) {
	os.Stderr.WriteString(s + "\n")
	os.Exit(128)
}

// note adds a line to a file beside the program.
func note(dir, name, line string) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err == nil {
		f.WriteString(line + "\n")
		f.Close()
	}
}
`
