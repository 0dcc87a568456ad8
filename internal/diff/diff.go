// Package diff compares two things that were built, whatever they are: two
// binaries, two archives, two directories, two manifests. It descends to the
// files that differ, and lets internal/bindiff explain those that are binaries.
//
// # Contract
//
// The verdict is identical only when every byte was compared, different when a
// byte differs, and unchecked when something could not be compared (a manifest
// whose files are not at hand, a file that is only in one place). Findings are
// sorted strongest first; one that holds for several files in the same words is
// reported once, with the files.
package diff

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// Report is the comparison of A and B.
type Report struct {
	Schema           fact.Schema  `json:"schema"`
	Verdict          fact.Verdict `json:"verdict"`
	Findings         []Finding    `json:"findings"`
	DifferentBytes   int64        `json:"different_bytes"`   // in all files that were compared
	UnexplainedBytes int64        `json:"unexplained_bytes"` // an upper bound
	Files            []File       `json:"files,omitempty"`   // those compared, when there is more than one
	Notes            []string     `json:"notes,omitempty"`   // what could not be looked at
}

// Finding is an explanation of a difference, and the files it is about.
type Finding struct {
	fact.Finding
	Files []string `json:"files,omitempty"`
}

// File is one of several files that were compared.
type File struct {
	Name    string       `json:"name"`
	Verdict fact.Verdict `json:"verdict"`
	Reason  string       `json:"reason,omitempty"` // of unchecked
}

// Archive causes, beside those of internal/bindiff.
const (
	ArchiveOrder       fact.Cause = "archive-order"
	ArchiveTime        fact.Cause = "archive-time"
	ArchiveMode        fact.Cause = "archive-mode"
	ArchiveOwner       fact.Cause = "archive-owner"
	ArchiveFormat      fact.Cause = "archive-format"
	ArchiveCompression fact.Cause = "archive-compression"
	ArchiveMembers     fact.Cause = "archive-members" // another set of files
)

// Causes are all causes a report can name.
func Causes() []fact.Cause {
	own := []fact.Cause{ArchiveOrder, ArchiveTime, ArchiveMode, ArchiveOwner, ArchiveFormat, ArchiveCompression, ArchiveMembers}
	all := bindiff.Causes()
	for _, c := range own {
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}

// comparison is a Report in the making.
type comparison struct {
	ctx  context.Context
	work string // a private directory for members of archives
	out  *Report
}

// Compare compares the files or directories a and b. work is an existing
// private directory for temporary files.
func Compare(ctx context.Context, a, b, work string) (*Report, error) {
	c := &comparison{ctx: ctx, work: work, out: &Report{Schema: fact.DiffReport, Findings: []Finding{}}}
	fa, err := os.Stat(a)
	if err != nil {
		return nil, &fault.Error{Err: err, Code: fault.Usage, Tip: "name two files or two directories"}
	}
	fb, err := os.Stat(b)
	if err != nil {
		return nil, &fault.Error{Err: err, Code: fault.Usage, Tip: "name two files or two directories"}
	}
	switch {
	case fa.IsDir() != fb.IsDir():
		return nil, fault.Usagef("name two files or two directories", "%s and %s: a file cannot be compared with a directory", a, b)
	case fa.IsDir():
		err = c.directories(a, b)
	case isManifest(a) && isManifest(b):
		err = c.manifests(a, b)
	default:
		err = c.file("", a, b)
	}
	if err != nil {
		return nil, err
	}
	c.finish()
	return c.out, nil
}

func (c *comparison) finish() {
	r := c.out
	slices.SortStableFunc(r.Findings, func(x, y Finding) int {
		return cmp.Or(
			cmp.Compare(boolInt(x.Cause == fact.CauseUnknown), boolInt(y.Cause == fact.CauseUnknown)),
			cmp.Compare(x.Confidence.Rank(), y.Confidence.Rank()),
			cmp.Compare(y.Bytes, x.Bytes),
			cmp.Compare(x.Cause, y.Cause),
		)
	})
	var n fact.Verdicts
	for _, f := range r.Files {
		n.Count(f.Verdict)
	}
	r.Verdict = n.Worst()
	if len(r.Files) == 1 && r.Files[0].Name == "" {
		r.Files = nil
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (c *comparison) add(name string, f fact.Finding) {
	for i := range c.out.Findings {
		old := &c.out.Findings[i]
		if old.Cause == f.Cause && old.Confidence == f.Confidence && slices.Equal(old.Evidence, f.Evidence) {
			old.Bytes += f.Bytes
			if name != "" && !slices.Contains(old.Files, name) {
				old.Files = append(old.Files, name)
			}
			return
		}
	}
	var about []string
	if name != "" {
		about = []string{name}
	}
	c.out.Findings = append(c.out.Findings, Finding{f, about})
}

func (c *comparison) verdict(name string, verdict fact.Verdict, reason string) {
	c.out.Files = append(c.out.Files, File{name, verdict, reason})
}

// file compares two files; name is how to call them, "" for the only pair.
func (c *comparison) file(name, a, b string) error {
	equal, n, err := c.equal(a, b)
	if err != nil {
		return err
	}
	if equal {
		c.verdict(name, fact.Identical, "")
		return nil
	}
	done, err := c.archives(name, a, b)
	if err != nil || done {
		return err
	}
	d, err := bindiff.Compare(c.ctx, a, b, bindiff.Known{})
	if err != nil {
		return &fault.Error{Err: err, Code: fault.Usage, Tip: "name two Go binaries, archives, directories or release.json files"}
	}
	c.verdict(name, fact.Different, "")
	c.out.DifferentBytes += n
	c.out.UnexplainedBytes += d.UnexplainedBytes
	for _, f := range d.Findings {
		c.add(name, f)
	}
	for _, note := range d.Notes {
		if name != "" {
			note = name + ": " + note
		}
		c.out.Notes = append(c.out.Notes, note)
	}
	if len(d.Findings) == 0 {
		c.add(name, fact.Finding{Cause: fact.CauseUnknown, Confidence: fact.Certain, Evidence: []string{fmt.Sprintf("%d bytes differ", n)}, Remedy: "compare what made the two files"})
		c.out.UnexplainedBytes += n
	}
	return nil
}

// equal compares two files byte by byte and counts the offsets that differ.
func (c *comparison) equal(a, b string) (bool, int64, error) {
	fa, err := files.Open(a)
	if err != nil {
		return false, 0, err
	}
	defer fa.Close()
	fb, err := files.Open(b)
	if err != nil {
		return false, 0, err
	}
	defer fb.Close()
	bufA, bufB := make([]byte, 256<<10), make([]byte, 256<<10)
	var n int64
	for {
		if err := c.ctx.Err(); err != nil {
			return false, 0, err
		}
		na, errA := io.ReadFull(fa, bufA)
		nb, errB := io.ReadFull(fb, bufB)
		for _, err := range []error{errA, errB} {
			if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
				return false, 0, err
			}
		}
		common := min(na, nb)
		if string(bufA[:common]) != string(bufB[:common]) {
			for i := range common {
				if bufA[i] != bufB[i] {
					n++
				}
			}
		}
		n += int64(max(na, nb) - common)
		if na == 0 && nb == 0 {
			return n == 0, n, nil
		}
	}
}

// directories compares two directories by the paths of their files, and two
// releases by what their manifests say the files are.
func (c *comparison) directories(a, b string) error {
	ma, mb := filepath.Join(a, "release.json"), filepath.Join(b, "release.json")
	if isManifest(ma) && isManifest(mb) {
		if err := c.manifests(ma, mb); err != nil {
			return err
		}
		return c.besides(a, b)
	}
	return c.eachFile(a, b, func(string) bool { return true }, c.file)
}

// eachFile calls compare for the wanted files that both directories have, and
// reports those that only one of them has.
func (c *comparison) eachFile(a, b string, want func(name string) bool, compare func(name, fa, fb string) error) error {
	la, err := listFiles(a)
	if err != nil {
		return err
	}
	lb, err := listFiles(b)
	if err != nil {
		return err
	}
	names := slices.Concat(la, lb)
	if len(names) == 0 {
		return fault.Usagef("name two directories with files", "%s and %s are empty", a, b)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if !want(name) {
			continue
		}
		switch inA, inB := slices.Contains(la, name), slices.Contains(lb, name); {
		case inA && inB:
			if err := compare(name, filepath.Join(a, filepath.FromSlash(name)), filepath.Join(b, filepath.FromSlash(name))); err != nil {
				return err
			}
		case inA:
			c.only(name, "A")
		default:
			c.only(name, "B")
		}
	}
	return nil
}

func (c *comparison) only(name, side string) {
	c.verdict(name, fact.Different, "")
	c.add(name, fact.Finding{Cause: ArchiveMembers, Confidence: fact.Certain, Evidence: []string{"only in " + side}, Remedy: "release the same platforms, profiles and files"})
}

func listFiles(dir string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if !d.Type().IsRegular() {
			return fault.Usagef("compare directories of regular files", "%s: not a regular file", path)
		}
		names = append(names, filepath.ToSlash(rel))
		return nil
	})
	return names, err
}

// extract puts members of an archive into files below dir, named by number.
func (c *comparison) extract(path, dir string, wanted map[string]string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	_, err := archive.Scan(c.ctx, path, func(h archive.Header, r io.Reader) error {
		to, ok := wanted[h.Name]
		if !ok {
			return nil
		}
		return files.WriteFrom(filepath.Join(dir, to), r, 0o600)
	})
	return err
}

func fileName(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:8])
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "!" + strings.TrimPrefix(name, "./")
}
