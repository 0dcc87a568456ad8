package publish

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// rsync is a directory of another machine with a directory for each release, named as
// the tag. The user's own rsync reaches it, over ssh or as a daemon
// (https://download.samba.org/pub/rsync/rsync.1).
//
// The directory of all releases is asked for what it has of this one, with
// --ignore-missing-args: so what is missing is missing from the answer, and every failure
// is an error. Directories are made as implied ones (-R --no-implied-dirs), which leaves
// alone what is there, and which every version can. Names of files here are relative to
// where rsync runs, so that none is taken for a host, or on Windows for a drive.
type rsync struct {
	*rsyncClient
	*about
	at      string            // the release's directory at the other end
	listed  []asset           // as it was last
	fetched map[string]string // by ID: where a file of the other end is here
	closed  bool              // of what would be done: the release would be published
}

func newRsync(cfg *Config, a *about) *rsync {
	at := path.Join(a.target.Path, a.tag)
	return &rsync{rsyncClient: &rsyncClient{cfg: cfg, target: a.target, protect: protected(at)}, about: a, at: at, fetched: map[string]string{}}
}

// atOnce is how many names of files a command line has: those of Windows have at most
// 32,767 characters.
const atOnce = 100

// temporary is how rsync calls a file of which not all is there: a dot, its name, a dot
// and six letters or digits.
var temporary = regexp.MustCompile(`^\.(.+)\.[A-Za-z0-9]{6}$`)

func (h *rsync) commit(context.Context) (string, error) { return "", nil } // there are no tags

func (h *rsync) find(ctx context.Context) (*remote, []*remote, error) {
	there, err := h.list(ctx)
	if err != nil || !there {
		return nil, nil, err
	}
	r := &remote{ID: h.at, URL: h.location(h.at)}
	if last := h.closing(); last != "" && !slices.ContainsFunc(h.listed, func(a asset) bool { return a.Name == last }) {
		r.Draft = true
		return nil, []*remote{r}, nil
	}
	return r, nil, nil
}

// list asks what is in the release's directory, and whether that is there.
func (h *rsync) list(ctx context.Context) (there bool, err error) {
	_, rel := h.about.target.top(h.at)
	args := append([]string{"-rR", "--list-only", "--no-h", "--no-implied-dirs", "--ignore-missing-args"}, onlyBelow("/"+rel, h.tag)...)
	out, err := h.ask(ctx, "", append(args, "--", h.location(slashed(h.about.target.Path)))...)
	if err != nil || h.would {
		return false, err
	}
	list, there, err := readListing(string(out), rel)
	if err != nil {
		return false, fmt.Errorf("%s: %w", h.location(h.at), err)
	}
	for i, a := range list {
		if m := temporary.FindStringSubmatch(a.Name); m != nil && a.Link == "" && h.release != nil {
			if _, ours := h.release.file(m[1]); ours {
				list[i].Complete, list[i].Ours = false, true
			}
		}
	}
	h.listed = list
	return there, nil
}

// onlyBelow are rules that let through of all releases one directory, and what is in it
// but not deeper. No name in them has a wildcard.
func onlyBelow(dir, tag string) []string {
	var in, out []string
	above := strings.TrimSuffix(dir, "/"+tag)
	for part := range strings.SplitSeq(tag, "/") {
		in = append(in, "--include="+above+"/"+part)
		out = append(out, "--exclude="+above+"/*")
		above += "/" + part
	}
	return slices.Concat(in, []string{"--include=" + dir + "/*"}, out, []string{"--exclude=" + dir + "/*/*"})
}

// slashed is a directory's path with a slash at its end: what is in it is meant.
func slashed(dir string) string { return strings.TrimSuffix(dir, "/") + "/" }

// listing is a line of rsync --list-only: mode, size, time and name.
var listing = regexp.MustCompile(`^([-a-z?])[-a-zA-Z]{9}\S* +([0-9]+) ([0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}) (.+)$`)

// readListing reads what rsync says of a directory, of those that it is in, and of what is
// in it, each with its whole path. If the directory is not in the list, it is not there.
func readListing(text, dir string) (list []asset, there bool, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		m := listing.FindStringSubmatch(line)
		if m == nil {
			return nil, false, fmt.Errorf("rsync lists %.200q, which is no line of a list", line)
		}
		size, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil {
			return nil, false, fmt.Errorf("rsync lists %.200q, which has a size that there is not", line)
		}
		kind := map[string]string{"-": "", "d": "a directory", "l": "a symbolic link"}
		what, known := kind[m[1]]
		if !known {
			what = "no regular file"
		}
		name, below := strings.CutPrefix(m[4], dir+"/")
		switch {
		case m[4] == "." || m[4] == dir || strings.HasPrefix(dir, m[4]+"/"):
			if m[1] != "d" {
				return nil, false, fault.Errorf("move it away", "%s is no directory, where the release's would be", m[4])
			}
			there = there || m[4] == dir
			continue
		case !below || name == "" || strings.Contains(name, "/"):
			return nil, false, fmt.Errorf("rsync lists %.200q, which is not in %s", m[4], dir)
		}
		a := asset{ID: name + " " + m[2] + " " + m[3], Name: name, Size: size, Complete: true}
		if what != "" {
			a.Size, a.Link = -1, what
		}
		list = append(list, a)
	}
	if len(list) > 0 && !there {
		return nil, false, fmt.Errorf("rsync lists files of %s, but not the directory itself", dir)
	}
	return list, there, nil
}

func (h *rsync) create(ctx context.Context) (*remote, error) {
	top, rel := h.about.target.top(h.at)
	local, err := h.newDir()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(local, filepath.FromSlash(rel)), 0o755); err != nil {
		return nil, err
	}
	if _, err := h.run(ctx, local, Event{}, "-dR", "--ignore-existing", "--no-implied-dirs", "--chmod=Du=rwx,Dgo=rx", "--", "./"+rel, h.location(top)); err != nil {
		return nil, err
	}
	return &remote{ID: h.at, URL: h.location(h.at), Draft: true}, nil
}

func (h *rsync) assets(ctx context.Context, _ *remote) ([]asset, error) {
	if _, err := h.list(ctx); err != nil {
		return nil, err
	}
	if h.would {
		return nil, h.fetchAll(ctx, h.unread())
	}
	return h.listed, nil
}

func (h *rsync) upload(ctx context.Context, r *remote, f File) error {
	return h.uploadAll(ctx, r, []File{f})
}

// uploadAll uploads what says what the release is after everything else.
func (h *rsync) uploadAll(ctx context.Context, _ *remote, list []File) error {
	list = slices.Clone(list)
	about := func(f File) bool { return h.release.Manifest.List().KindOf(f.Name) == fact.About }
	late := slices.DeleteFunc(slices.Clone(list), func(f File) bool { return !about(f) })
	for _, part := range [][]File{slices.DeleteFunc(list, about), late} {
		for batch := range slices.Chunk(part, atOnce) {
			e := Event{}
			// A file appears under its name when all of it is there, as rsync does it unless
			// it is told otherwise, and none is replaced. The modes are those of a directory
			// here, whatever they are in this one.
			args := []string{"--ignore-existing", "--chmod=Fu=rwX,Fgo=rX", "--"}
			for _, f := range batch {
				if e.Size += f.Size; !h.would {
					h.cfg.say(Event{File: f.Name, Size: f.Size})
				}
				args = append(args, "./"+f.Name)
			}
			if _, err := h.run(ctx, h.release.Dir, e, append(args, h.location(slashed(h.at)))...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *rsync) publish(ctx context.Context, r *remote) error {
	last, ok := h.release.file(h.closing())
	if !ok {
		return fmt.Errorf("the release has no %s", h.closing())
	}
	h.closed = true
	return h.upload(ctx, r, last)
}

// remove removes what an upload left that broke: that one name, as what an empty
// directory lacks.
func (h *rsync) remove(ctx context.Context, a asset) error {
	empty, err := h.newDir()
	if err != nil {
		return err
	}
	_, err = h.run(ctx, empty, Event{}, "-d", "--delete", "--include=/"+a.Name, "--exclude=*", "--", "./", h.location(slashed(h.at)))
	return err
}

func (h *rsync) read(ctx context.Context, a asset, to func(io.Reader) error) error {
	if why := fact.NotUploaded(a.Name); why != "" {
		return fault.Refusedf("it is not what was published: do not use it", "%.100q %s, and is no name of a file that was published there", a.Name, why)
	}
	if h.fetched[a.ID] == "" {
		if err := h.fetchAll(ctx, h.with(a)); err != nil {
			return err
		}
	}
	f, err := files.Open(h.fetched[a.ID])
	if err != nil {
		return fmt.Errorf("it was there, and did not come: %w", err)
	}
	defer f.Close()
	return to(f)
}

// with is a file with what else will be read: of a release that is known only what may
// be a file of it.
func (h *rsync) with(a asset) []asset {
	list := []asset{a}
	for _, b := range h.listed {
		known := h.release == nil
		if !known {
			f, ok := h.release.file(b.Name)
			known = ok && f.Size == b.Size
		}
		if known && b.ID != a.ID && b.Complete && b.Link == "" && h.fetched[b.ID] == "" && fact.NotUploaded(b.Name) == "" {
			list = append(list, b)
		}
	}
	return list
}

// unread are the files that would be there and be read, were it not only said.
func (h *rsync) unread() (list []asset) {
	for _, f := range h.release.Files {
		read := func(a asset) bool { return a.Name == f.Name && h.fetched[a.ID] != "" }
		if (f.Name == h.closing()) == h.closed && !slices.ContainsFunc(h.listed, read) {
			list = append(list, asset{Name: f.Name, Size: f.Size})
		}
	}
	return list
}

// fetchAll fetches files.
func (h *rsync) fetchAll(ctx context.Context, list []asset) error {
	slices.SortFunc(list, func(a, b asset) int { return strings.Compare(a.Name, b.Name) })
	for batch := range slices.Chunk(list, atOnce) {
		local, err := h.newDir()
		if err != nil {
			return err
		}
		args, most, all := []string{"-d"}, int64(1), int64(0)
		for _, a := range batch {
			args = append(args, "--include=/"+a.Name)
			most = max(most, a.Size)
			all += max(a.Size, 0)
		}
		args = append(args, "--exclude=*", "--max-size="+strconv.FormatInt(most, 10), "--", h.location(slashed(h.at)), "./")
		if err := h.askWithin(ctx, local, all, args...); err != nil {
			return err
		}
		for _, a := range batch {
			if !h.would {
				h.fetched[a.ID] = filepath.Join(local, a.Name)
			}
		}
	}
	return nil
}
