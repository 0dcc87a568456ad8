// Package stamp has the go command stamp what somebody says of a source, where the
// source is without its version control data: files out of a module's zip, or out of
// an archive that came from another machine.
//
// The go command takes a directory for a repository when it has a directory .git,
// however empty, and asks a program named git about it. Here that is one which answers
// its questions from a list of claims, and refuses what it has no answer to. The
// user's git is not touched.
package stamp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/mod/module"
)

// Stamp is a program named git that answers the go command's questions with
// what is claimed.
type Stamp struct {
	Git string // its path; nothing else is in its directory but its files
}

// Claim is what a [Stamp] says of a source.
type Claim struct {
	Revision string    `json:"revision"`
	Time     time.Time `json:"time"` // of the commit
	Modified bool      `json:"modified,omitempty"`
	// Tags are the tags on the revision, and Below those on commits below it, as far as
	// the version is made of them.
	Tags  []string `json:"tags,omitempty"`
	Below []string `json:"below,omitempty"`
	// Unversioned says that there is no version to be found.
	Unversioned bool `json:"unversioned,omitempty"`
}

// SetVersion takes the tags from a module version that the go command stamped.
func (c *Claim) SetVersion(version string) error {
	version = strings.TrimSuffix(version, "+incompatible")
	if !module.IsPseudoVersion(version) {
		c.Tags = []string{version}
		return nil
	}
	base, err := module.PseudoVersionBase(version)
	if base != "" {
		c.Below = []string{base}
	}
	return err
}

// The files beside the program.
const (
	claimsFile  = "claims"
	askedFile   = "asked"   // every question, for the curious
	unknownFile = "unknown" // questions it had no answer to
)

// Program is the name of the program on this system.
func Program() string {
	if runtime.GOOS == "windows" {
		return "git.exe"
	}
	return "git"
}

// Compile compiles the program for this host with the toolchain goroot, in dir,
// which must not exist. One is enough for all claims.
func Compile(ctx context.Context, goroot *toolchain.Goroot, place *toolchain.Place, dir string) (string, error) {
	out, err := goroot.Compile(ctx, place, dir, "git", stampProgram)
	if err != nil {
		return "", fmt.Errorf("what replays version control stamps: %w", err)
	}
	return out, nil
}

// New puts a copy of the compiled program, beside what it claims, into dir. root is
// the top of the work tree that it is about.
func New(program, dir, root string, c Claim) (*Stamp, error) {
	text, err := c.lines(root)
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

// lines are what the program reads: a key, a blank, a value.
func (c Claim) lines(root string) (string, error) {
	if c.Revision == "" || strings.ContainsAny(c.Revision, " \n") || strings.ContainsAny(strings.Join(slices.Concat(c.Tags, c.Below), "")+root, "\n") {
		return "", errors.New("its version control stamp names no revision")
	}
	lines := []string{
		"root " + root,
		"revision " + c.Revision,
		fmt.Sprintf("time %d", c.Time.Unix()),
		fmt.Sprintf("modified %v", c.Modified),
	}
	for key, tags := range map[string][]string{"tag": c.Tags, "ancestor": c.Below} {
		for _, tag := range tags {
			lines = append(lines, key+" "+tag)
		}
	}
	if c.Unversioned {
		lines = append(lines, "unversioned true")
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// maxUnknown bounds what is read of the program's complaints.
const maxUnknown = 1 << 20

// Unknown are the questions that the program had no answer to.
func (s *Stamp) Unknown() []string {
	data, err := files.Read(filepath.Join(filepath.Dir(s.Git), unknownFile), maxUnknown)
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
// REV is HEAD, the revision or a tag on it: of a tag below, the go command asks whether it
// is an ancestor, and no more where it is (gitRepo.DescendsFrom and its callers in
// cmd/go/internal/modfetch). Of a revision that is none of these nothing is claimed.
//
// Options that only steer git's output come and go (--end-of-options,
// --no-decorate, -c log.showsignature=false), so the questions are told apart
// by what they are about. Anything else fails loudly and is written down: a
// wrong guess would silently give the binary another version.
const stampProgram = `// Command git answers as if the source were the revision that is claimed.
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
	var tags, below []string
	data, err := os.ReadFile(filepath.Join(dir, "claims"))
	if err != nil {
		fail(err.Error())
	}
	for _, line := range strings.Split(string(data), "\n") {
		i := strings.Index(line, " ")
		switch {
		case i <= 0:
		case line[:i] == "tag":
			tags = append(tags, line[i+1:])
		case line[:i] == "ancestor":
			below = append(below, line[i+1:])
		default:
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
		for _, t := range tags {
			if s == t || s == "refs/tags/"+t {
				return true
			}
		}
		return s == "HEAD" || len(s) >= 7 && strings.HasPrefix(rev, s)
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
		for _, t := range tags {
			line += ", tag: " + t
		}
		print(line + "\n")
	case command == "log" && has("%H %ct %D"):
		fail("fatal: bad revision " + last)
	case command == "tag":
		for _, t := range append(tags, below...) {
			print(t + "\n")
		}
	case command == "for-each-ref", command == "show-ref":
		for _, t := range append(tags, below...) {
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
