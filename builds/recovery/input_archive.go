package recovery

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/files"
)

// holder is an archive that is read.
type holder struct {
	item
	prefix string // of its members' names
	// control says that it is the control archive of a Debian package.
	control bool
	// of is the format of the package that the archive is the content of, and whole
	// all of that; "" for an archive that is by itself.
	of        string
	whole     io.ReaderAt
	wholeSize int64
	// walk reads it; nil is a tar or zip.
	walk func(context.Context, io.ReaderAt, int64, archive.Visitor) (*archive.Summary, error)
}

// archive adds the members of a tar or zip.
func (c *collector) archive(a holder, r io.ReaderAt, size int64, versions []string) error {
	start, listed := len(c.Inputs), len(c.Listed)
	m := &members{collector: c, holder: &a, versions: versions}
	walk := a.walk
	if walk == nil {
		walk = archive.WalkReader
	}
	sum, err := walk(c.ctx, r, size, archive.Visitor{Member: m.member, Spend: c.spend(a.depth), Unreadable: func(h archive.Header, why *archive.UnreadableError) error {
		c.skip(m.name(h), "", KindUnknown, "not looked at: "+why.Reason)
		return nil
	}})
	m.called(listed)
	for i := start; i < len(c.Inputs); i++ {
		c.Inputs[i].Versions = merge(c.Inputs[i].Versions, m.versions) // what is nearer first
	}
	var not *archive.NotArchiveError
	var limit *archive.LimitError
	var system *fs.PathError // reading here or writing there, not what was read
	switch {
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case errors.As(err, &system):
		return err
	case errors.As(err, &not) && len(c.Inputs) == start && len(c.Listed) == listed:
		return err
	case errors.As(err, &limit):
		c.skip(a.name, a.path(), KindArchive, "not read to its end: "+err.Error())
	case err != nil:
		c.skip(a.name, a.path(), KindArchive, "damaged archive: "+err.Error())
	}
	if sum == nil {
		return nil
	}
	h := Holder{Name: a.name, Format: cmp.Or(a.of, sum.Format), Size: size}
	loose := sum.Loose
	if alpine(sum) {
		h.Format = "apk"
		loose = archive.APKLoose(loose)
	} else if image(sum) {
		h.Format = "OCI image, " + sum.Format
	}
	for _, l := range loose {
		c.skip(a.name, a.path(), KindRest, "not all of the archive is in its members: "+l.String())
	}
	for _, m := range sum.Members {
		if m.Type != archive.TypeDirectory && m.Type != archive.TypeGlobal {
			h.Members++
		}
	}
	if a.whole != nil {
		r, h.Size = a.whole, a.wholeSize
	}
	if h.SHA256, _, err = files.DigestOf(c.ctx, io.NewSectionReader(r, 0, h.Size)); err != nil {
		return err
	}
	c.Holders = append(c.Holders, h)
	if len(c.Inputs) == start && a.named && a.of == "" {
		c.skip(a.name, a.path(), KindArchive, "no executable in this archive")
	}
	return nil
}

// merge appends what is not in a list yet.
func merge(list, more []string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(slices.Clip(list), s)
		}
	}
	return list
}

// members adds the members of one archive.
type members struct {
	*collector
	*holder
	programs int
	versions []string // of the binaries, as the archive suggests them
	runs     []string // names of members that a package.json has run
	alpine   bool     // apk runs some of them
}

// called takes texts that a package.json has run from those that were listed
// since then. The package.json may be behind them.
func (m *members) called(since int) {
	kept := m.Listed[:since]
	for _, l := range m.Listed[since:] {
		if l.Kind == KindText && slices.Contains(m.runs, l.Name) {
			m.skip(l.Name, "", KindScript, KindScript.why())
			continue
		}
		kept = append(kept, l)
	}
	m.Listed = kept
}

func (m *members) name(h archive.Header) string {
	return m.prefix + "!" + memberName(h.Name)
}

// inner is the name of a member inside of what was named.
func (m *members) inner(h archive.Header) string {
	if m.holder.member != "" {
		return m.holder.member + "!" + memberName(h.Name)
	}
	return memberName(h.Name)
}

func memberName(s string) string { return strings.TrimPrefix(s, "./") }

func (m *members) member(h archive.Header, r io.Reader) error {
	name := m.name(h)
	switch h.Type {
	case archive.TypeFile:
		return m.content(name, h, r)
	case archive.TypeDirectory:
	case archive.TypeGlobal:
		// git archive writes the commit as a comment; all else concerns the members.
		if len(h.Records) > 0 && strings.Join(h.Records, " ") != "comment" {
			m.skip(name, "", KindSpecial, "not looked at: a header that changes what follows ("+strings.Join(h.Records, ", ")+")")
		}
	case archive.TypeSymlink, archive.TypeHardLink:
		m.skip(name, "", KindLink, fmt.Sprintf("not looked at: a %s, to %q", h.Type, h.Link))
	default:
		m.skip(name, "", KindSpecial, "not looked at: "+string(h.Type))
	}
	return nil
}

// content adds a regular member.
func (m *members) content(name string, h archive.Header, r io.Reader) error {
	head, err := readHead(r)
	if err != nil {
		return err
	}
	r = io.MultiReader(bytes.NewReader(head), r)
	if isExecutable(head) || isFat(head) {
		return m.program(name, h, head, r)
	}
	if holds(head) {
		return m.nest(name, h, r)
	}
	s := &sniffer{name: h.Name, mode: h.Mode, h: sha256.New()}
	if m.control && maintainers(h.Name) || m.alpine && alpineScripts(h.Name) {
		s.run = true
	}
	m.alpine = m.alpine || alpineFirst(h.Name)
	if _, err := io.Copy(s, r); err != nil {
		return err
	}
	if s.manifest() {
		version, runs, _, err := readManifest(s.whole)
		if err == nil && version != "" {
			m.versions = append([]string{"v" + version}, m.versions...)
		}
		for _, run := range runs {
			m.runs = append(m.runs, m.prefix+"!"+path.Join(path.Dir(memberName(h.Name)), run))
		}
	}
	m.versions = merge(m.versions, imageVersions(s.whole))
	m.list(name, "", s.kind(), s)
	return nil
}

// program copies a member that is one.
func (m *members) program(name string, h archive.Header, head []byte, r io.Reader) error {
	if m.programs++; m.programs > maxMembers || h.Size > maxMember || h.Size > m.copies {
		m.skip(name, "", KindProgram, "not looked at: more or larger executables than this tool unpacks in one run")
		return nil
	}
	to, err := m.copy("member", r)
	if err != nil {
		return err
	}
	if !isFat(head) {
		m.Inputs = append(m.Inputs, Input{Name: name, Member: m.inner(h), Path: to, Kind: KindProgram})
		return nil
	}
	f, err := files.Open(to)
	if err != nil {
		return err
	}
	defer f.Close()
	return m.universal(name, m.inner(h), to, f, h.Size, nil)
}
