package diff

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// archives compares two archives; done is false if they are none.
func (c *comparison) archives(name, a, b string) (done bool, err error) {
	sa, err := archive.Scan(c.ctx, a, nil)
	var sb *archive.Summary
	if err == nil {
		sb, err = archive.Scan(c.ctx, b, nil)
	}
	if _, not := errors.AsType[*archive.NotArchiveError](err); not {
		return false, nil
	}
	if err != nil {
		return true, &fault.Error{Err: err, Code: fault.Usage, Tip: "the archive is damaged"}
	}
	c.verdict(name, fact.Different, "")
	before := len(c.out.Findings)
	// Directories around everything, such as tool_1.2.3, are compared by themselves,
	// and what lies in them by its place there.
	ta, tb := topDirectory(sa), topDirectory(sb)
	if ta == "" || tb == "" || ta == tb {
		ta, tb = "", ""
	} else {
		c.add(name, fact.Finding{Cause: ArchiveMembers, Confidence: fact.Certain, Evidence: []string{fmt.Sprintf("everything lies in %s in A, in %s in B", ta, tb)},
			Remedy: "compare releases of one version, or leave the version out of wrap"})
	}
	c.headers(name, sa, sb, ta, tb)

	byName := func(s *archive.Summary, top string) map[string]archive.Header {
		m := map[string]archive.Header{}
		for _, h := range s.Members {
			m[below(top, h.Name)] = h
		}
		return m
	}
	ma, mb := byName(sa, ta), byName(sb, tb)
	wanted, wantedB := map[string]string{}, map[string]string{}
	contentsDiffer := ta != tb
	for _, h := range sa.Members {
		other, ok := mb[below(ta, h.Name)]
		switch {
		case !ok:
			contentsDiffer = true
			c.only(join(name, h.Name), "A")
		case h.Type != other.Type || h.Link != other.Link:
			contentsDiffer = true
			c.add(join(name, h.Name), fact.Finding{Cause: fact.CauseSource, Confidence: fact.Certain, Evidence: []string{fmt.Sprintf("%s %s in A, %s %s in B", h.Type, h.Link, other.Type, other.Link)}, Remedy: "put the same files into both archives"})
		case h.SHA256 != other.SHA256:
			contentsDiffer = true
			wanted[h.Name] = fileName(h.Name)
			wantedB[other.Name] = wanted[h.Name]
		}
	}
	for _, h := range sb.Members {
		if _, ok := ma[below(tb, h.Name)]; !ok {
			contentsDiffer = true
			c.only(join(name, h.Name), "B")
		}
	}
	if len(wanted) > 0 {
		dir, err := os.MkdirTemp(c.work, "members-")
		if err != nil {
			return true, err
		}
		defer files.RemoveTree(dir)
		da, db := filepath.Join(dir, "a"), filepath.Join(dir, "b")
		if err := errors.Join(c.extract(a, da, wanted), c.extract(b, db, wantedB)); err != nil {
			return true, err
		}
		for _, h := range sa.Members { // in the order of the archive
			to, ok := wanted[h.Name]
			if !ok {
				continue
			}
			delete(wanted, h.Name)
			if err := c.file(join(name, below(ta, h.Name)), filepath.Join(da, to), filepath.Join(db, to)); err != nil {
				return true, err
			}
		}
	}
	// What the contents do not explain is in the headers or the compression.
	if !contentsDiffer && sa.Format == sb.Format && slices.Equal(loose(sa), loose(sb)) {
		sameStream := sa.SHA256 != "" && sa.SHA256 == sb.SHA256
		if sameStream || len(c.out.Findings) == before {
			f := fact.Finding{Cause: ArchiveCompression, Confidence: fact.Certain, Remedy: "use one compressor, version and level, and pin it: mintmark records its own in the manifest"}
			switch {
			case sa.Compression != sb.Compression:
				f.Evidence = []string{sa.Compression + " in A", sb.Compression + " in B"}
			case sameStream:
				f.Evidence = []string{"the uncompressed streams are equal, their compressed forms are not"}
			default:
				f.Confidence = fact.Likely
				f.Evidence = []string{"all members and headers are equal"}
			}
			c.add(name, f)
		}
	}
	return true, nil
}

// topDirectory is the directory that all members lie in, "" if there is none.
func topDirectory(s *archive.Summary) (top string) {
	for _, h := range s.Members {
		if h.Type == archive.TypeGlobal {
			continue
		}
		dir, _, in := strings.Cut(h.Name, "/")
		if !in && h.Type != archive.TypeDirectory || dir == "" || top != "" && dir != top {
			return ""
		}
		top = dir
	}
	return top
}

// below is a member's name without the directory top, which may be "".
func below(top, name string) string {
	if top == "" {
		return name
	}
	return strings.TrimPrefix(strings.TrimPrefix(name, top), "/")
}

// headers compares everything about the members but their contents. ta and tb are
// directories in which they lie.
func (c *comparison) headers(name string, sa, sb *archive.Summary, ta, tb string) {
	if sa.Format != sb.Format {
		c.add(name, fact.Finding{Cause: ArchiveFormat, Confidence: fact.Certain, Evidence: []string{sa.Format + " in A, " + sb.Format + " in B"}, Remedy: "use the same archive format"})
	}
	if la, lb := loose(sa), loose(sb); !slices.Equal(la, lb) {
		c.add(name, fact.Finding{Cause: ArchiveMembers, Confidence: fact.Certain, Evidence: slices.Concat(only(la, lb, "only in A: "), only(lb, la, "only in B: ")),
			Remedy: "take out what belongs to no member, and name each member once: not every unpacker shows it"})
	}
	names := func(s *archive.Summary, top string) []string {
		var out []string
		for _, h := range s.Members {
			out = append(out, below(top, h.Name))
		}
		return out
	}
	na, nb := names(sa, ta), names(sb, tb)
	if !slices.Equal(na, nb) && slices.Equal(slices.Sorted(slices.Values(na)), slices.Sorted(slices.Values(nb))) {
		i := 0
		for na[i] == nb[i] {
			i++
		}
		c.add(name, fact.Finding{Cause: ArchiveOrder, Confidence: fact.Certain,
			Evidence: []string{fmt.Sprintf("member %d is %s in A, %s in B", i+1, na[i], nb[i])},
			Remedy:   "sort the members; the order in which builds end must not decide it"})
	}
	other := map[string]archive.Header{}
	for _, h := range sb.Members {
		other[below(tb, h.Name)] = h
	}
	differ := map[fact.Cause][]string{}
	note := func(cause fact.Cause, format string, args ...any) {
		if len(differ[cause]) < 5 {
			differ[cause] = append(differ[cause], fmt.Sprintf(format, args...))
		} else if len(differ[cause]) == 5 {
			differ[cause] = append(differ[cause], "…")
		}
	}
	for _, x := range sa.Members {
		y, ok := other[below(ta, x.Name)]
		if !ok {
			continue
		}
		if !x.Time.Equal(y.Time) {
			note(ArchiveTime, "%s: %s in A, %s in B", x.Name, x.Time.Format(time.RFC3339), y.Time.Format(time.RFC3339))
		}
		if x.Mode != y.Mode {
			note(ArchiveMode, "%s: %v in A, %v in B", x.Name, x.Mode, y.Mode)
		}
		if x.Owner != y.Owner {
			note(ArchiveOwner, "%s: %s in A, %s in B", x.Name, x.Owner, y.Owner)
		}
		if sa.Format == sb.Format && (x.Format != y.Format || !slices.Equal(x.Records, y.Records) || x.Comment != y.Comment && x.Time.Equal(y.Time)) {
			note(ArchiveFormat, "%s: %s in A, %s in B", x.Name, format(x), format(y))
		}
	}
	remedies := map[fact.Cause]string{
		ArchiveTime:   "set every member's time to the commit's time",
		ArchiveMode:   "set modes to 0644 and 0755: the checkout's depend on the umask",
		ArchiveOwner:  "set the owner to 0/0 without names",
		ArchiveFormat: "write one fixed header format",
	}
	for _, cause := range []fact.Cause{ArchiveTime, ArchiveMode, ArchiveOwner, ArchiveFormat} {
		if len(differ[cause]) > 0 {
			c.add(name, fact.Finding{Cause: cause, Confidence: fact.Certain, Evidence: differ[cause], Remedy: remedies[cause]})
		}
	}
}

// format is what a header says beside name, time, mode and owner.
func format(h archive.Header) string {
	return strings.TrimSpace(strings.Join([]string{h.Format, h.Comment, strings.Join(h.Records, " ")}, " "))
}

// loose is what of an archive is in no member.
func loose(s *archive.Summary) (out []string) {
	for _, l := range s.Loose {
		out = append(out, l.String())
	}
	return out
}

// only gives the first few of those that the other side does not have.
func only(these, others []string, prefix string) (out []string) {
	for _, s := range these {
		if len(out) < 5 && !slices.Contains(others, s) {
			out = append(out, prefix+s)
		}
	}
	return out
}
