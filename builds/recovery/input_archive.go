package recovery

import (
	"bytes"
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
	name   string // of the archive
	prefix string // of its members' names
	at     string // where it lies; "" when it is part of another
	named  bool   // by the user, who then expects a program in it
	// control says that it is the control archive of a Debian package.
	control bool
}

// archive adds the members of a tar or zip.
func (c *collector) archive(a holder, r io.ReaderAt, size int64, versions []string) error {
	start, listed := len(c.Inputs), len(c.Listed)
	m := &members{collector: c, prefix: a.prefix, versions: versions, control: a.control}
	sum, err := archive.WalkReader(c.ctx, r, size, archive.Visitor{Member: m.member, Unreadable: func(h archive.Header, why *archive.UnreadableError) error {
		c.skip(m.name(h), "", KindUnknown, "not looked at: "+why.Reason)
		return nil
	}})
	m.called(listed)
	for i := start; i < len(c.Inputs); i++ {
		c.Inputs[i].Versions = m.versions
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
		c.skip(a.name, a.at, KindArchive, "not read to its end: "+err.Error())
	case err != nil:
		c.skip(a.name, a.at, KindArchive, "damaged archive: "+err.Error())
	}
	if sum == nil {
		return nil
	}
	for _, l := range sum.Loose {
		c.skip(a.name, a.at, KindRest, "not all of the archive is in its members: "+l.String())
	}
	n := 0
	for _, h := range sum.Members {
		if h.Type != archive.TypeDirectory && h.Type != archive.TypeGlobal {
			n++
		}
	}
	digest, _, err := files.DigestOf(c.ctx, io.NewSectionReader(r, 0, size))
	if err != nil {
		return err
	}
	c.Holders = append(c.Holders, Holder{Name: a.name, Format: sum.Format, SHA256: digest, Size: size, Members: n})
	if len(c.Inputs) == start && a.named {
		c.skip(a.name, a.at, KindArchive, "no executable in this archive")
	}
	return nil
}

// members adds the members of one archive.
type members struct {
	*collector
	prefix   string
	programs int
	versions []string // of the binaries, as the archive suggests them
	control  bool     // dpkg runs some of them
	runs     []string // names of members that a package.json has run
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
	s := &sniffer{name: h.Name, mode: h.Mode, h: sha256.New()}
	if m.control && maintainers(h.Name) {
		s.run = true
	}
	if hasMagic(head, "\x1f\x8b") {
		// Read as text until it is none; the rest only counts.
		tee := io.TeeReader(r, s)
		text := compressedText(h.Name, tee, &m.manuals)
		if _, err := io.Copy(io.Discard, tee); err != nil {
			return err
		}
		kind := s.kind()
		if text && kind == KindPacked {
			kind = KindManual
		}
		m.list(name, "", kind, s)
		return nil
	}
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
		m.Inputs = append(m.Inputs, Input{Name: name, Member: memberName(h.Name), Path: to, Kind: KindProgram})
		return nil
	}
	f, err := files.Open(to)
	if err != nil {
		return err
	}
	defer f.Close()
	return m.universal(name, memberName(h.Name), to, f, h.Size, nil)
}
