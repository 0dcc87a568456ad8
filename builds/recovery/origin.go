package recovery

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/secret"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
)

// tree is a source ready for building.
type tree struct {
	Origin
	root  string // top; holds .git
	dir   string // the module's directory
	git   bool   // a true checkout, not a zip
	notes []string
}

// moduleInfo is what the module proxy says of a version (go list -m -json).
type moduleInfo struct {
	Path, Version string
	Time          time.Time
	Origin        *toolchain.Origin
	Error         *struct{ Err string }
	Versions      []string
}

// Bounds of the search for a version.
const (
	maxAsked   = 1000 // versions whose time is asked for
	askedAtOne = 100  // of them with one command
	maxSources = 3    // that are built for one binary

	// maxMoved is how far the commit of a moved tag may be from the claimed one, to be
	// tried where nothing but the time suggests it.
	maxMoved = 12 * time.Hour
)

// found is a version of a module that may have the source of a claim.
type found struct {
	version string
	note    string // why it may, unless the binary or the proxy says so
	other   bool   // as in [Origin.Other]
}

// findVersions finds the module versions that may have the source of the claim, the
// likeliest first. Where several may, only the bytes of a build can tell which.
func findVersions(ctx context.Context, f *toolchain.Fetcher, c *Claim, hints []string) ([]found, error) {
	if v := c.Release(); v != "" && v != "(devel)" {
		if !semver.IsValid(v) {
			return nil, fmt.Errorf("its module version %q is no version", v)
		}
		// A pseudo-version is of a commit that no tag named when it was built. Where the
		// proxy has none of that name, there may be a tag that was moved.
		if !c.Pseudo() || c.Revision == "" || served(ctx, f, c.Module+"@"+v) {
			return []found{{version: v}}, ctx.Err()
		}
	}
	if err := module.CheckPath(c.Module); err != nil {
		return nil, fmt.Errorf("no module proxy has a module of its path: %w", err)
	}
	var refused []error
	ask := func(versions []string) (known []moduleInfo) {
		for at := range slices.Chunk(versions, askedAtOne) {
			var query []string
			for _, v := range at {
				if q := c.Module + "@" + v; !slices.Contains(query, q) { // a package and its name say the same
					query = append(query, q)
				}
			}
			infos, _ := listModules(ctx, f, query...)
			for _, m := range infos {
				switch {
				case m.Error != nil:
					refused = append(refused, errors.New(secret.Redact(m.Error.Err)))
				case m.Version != "":
					known = append(known, m)
				}
			}
			if ctx.Err() != nil {
				return nil
			}
		}
		return known
	}
	if c.Revision == "" {
		var list []found
		for _, m := range ask(hints) {
			list = append(list, found{version: m.Version, note: "the binary names neither version nor revision; " + m.Version + " is what its package or file name says"})
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if len(list) == 0 && len(refused) > 0 {
			return nil, fmt.Errorf("it names neither a version nor a revision of %s, and what its package or file name says is not to be had: %w; name the source with -source=", c.Module, errors.Join(refused...))
		}
		if len(list) == 0 {
			return nil, errors.New("it names neither a version nor a revision of " + c.Module + ": name the source with -source=")
		}
		return list[:min(len(list), maxSources)], nil
	}
	// The proxy is asked for the revision first.
	infos, asked := listModules(ctx, f, c.Module+"@"+c.Revision)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if asked == nil && len(infos) == 1 && infos[0].Error == nil && infos[0].Version != "" {
		return []found{{version: infos[0].Version}}, nil
	}
	if len(infos) == 1 && infos[0].Error != nil {
		asked = errors.New(secret.Redact(infos[0].Error.Err))
	}
	// Then for the time of every version, those suggested first.
	want, err := time.Parse(time.RFC3339Nano, c.Time)
	if err != nil {
		return nil, fmt.Errorf("revision %s: %w", c.Revision, asked)
	}
	hinted := ask(hints)
	if list := ofTime(hinted, c.Revision, want); len(list) > 0 {
		return list, ctx.Err()
	}
	all, err := listVersions(ctx, f, c.Module)
	var known []moduleInfo
	if err == nil {
		slices.Reverse(all)
		// Versions are in the order of their times, mostly: a few say where to look.
		var left []string
		known, left = ask(sampled(all)), all[:min(len(all), maxAsked)]
		likely := around(known, all, want)
		known = append(known, ask(likely)...)
		if list := ofTime(known, c.Revision, want); len(list) > 0 {
			return list, ctx.Err()
		}
		known = append(known, ask(slices.DeleteFunc(slices.Clone(left), func(v string) bool { return slices.Contains(likely, v) }))...)
		if list := ofTime(known, c.Revision, want); len(list) > 0 {
			return list, ctx.Err()
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	// A tag that was moved after the build has another time and revision, and often the
	// same files.
	var list []found
	moved := func(m moduleInfo, why string) {
		if slices.ContainsFunc(list, func(f found) bool { return f.version == m.Version }) {
			return
		}
		of := m.Time.UTC().Format(time.RFC3339)
		if m.Origin != nil && m.Origin.Hash != "" {
			of = fmt.Sprintf("revision %s of %s", m.Origin.Hash, of)
		}
		list = append(list, found{version: m.Version, other: true, note: fmt.Sprintf("the binary claims %s, of which no version is; %s is %s, and is of %s: the tag may have been moved", c.Time, m.Version, why, of)})
	}
	for _, m := range hinted {
		moved(m, "what its package or file name says")
	}
	for _, m := range nearest(known, want) {
		moved(m, "next to it")
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no version of %s is revision %s (%s): %w; name its repository with -source=", c.Module, c.Revision, c.Time, asked)
	}
	return list[:min(len(list), maxSources)], nil
}

// ofTime are those of the versions that are of the revision, by the proxy's word; or, if
// there is no such word, of its time.
func ofTime(known []moduleInfo, revision string, want time.Time) (list []found) {
	for _, m := range known {
		hash := ""
		if m.Origin != nil {
			hash = m.Origin.Hash
		}
		if hash == revision || hash == "" && m.Time.Equal(want) {
			f := found{version: m.Version, note: "the module proxy does not know the revision; of the versions it knows, " + m.Version + " is of the same time"}
			if hash == revision {
				f.note = "the module proxy does not find the revision by its name, and says that " + m.Version + " is of it"
			}
			if !slices.Contains(list, f) {
				list = append(list, f)
			}
		}
	}
	return list[:min(len(list), maxSources)]
}

// served reports whether a version of a module is to be had: all of it, for the go command
// leaves what it found out of a commit in the module cache when it stamps a program.
func served(ctx context.Context, f *toolchain.Fetcher, query string) bool {
	_, err := f.Module(ctx, query)
	return err == nil
}

// nearest are the versions next to a time, at most one before and one after it, the nearer
// one first, if it is near enough for a tag to have been moved.
func nearest(known []moduleInfo, want time.Time) (list []moduleInfo) {
	distance := func(m moduleInfo) time.Duration { return m.Time.Sub(want).Abs() }
	known = slices.Clone(known)
	slices.SortStableFunc(known, func(a, b moduleInfo) int { return cmp.Compare(distance(a), distance(b)) })
	sides := map[bool]bool{}
	for _, m := range known {
		after := m.Time.After(want)
		if distance(m) <= maxMoved && !sides[after] {
			sides[after] = true
			list = append(list, m)
		}
	}
	return list
}

// sampled are some of the versions, evenly.
func sampled(all []string) (list []string) {
	const n = 16
	step := max(1, len(all)/n)
	for i := 0; i < len(all); i += step {
		list = append(list, all[i])
	}
	return list
}

// around are the versions between those of known times that are next to the wanted one;
// all has them from the newest to the oldest.
func around(known []moduleInfo, all []string, want time.Time) []string {
	times := map[string]time.Time{}
	for _, m := range known {
		times[m.Version] = m.Time
	}
	from, to := 0, len(all)
	for i, v := range all {
		switch t, ok := times[v]; {
		case !ok:
		case t.After(want):
			from = i
		default:
			to = min(to, i+1)
		}
	}
	if from >= to { // not in that order
		return nil
	}
	return all[from:min(to, from+askedAtOne)]
}

// listModules asks for versions; those that do not exist have an Error.
func listModules(ctx context.Context, f *toolchain.Fetcher, queries ...string) ([]moduleInfo, error) {
	return list(ctx, f, append([]string{"list", "-m", "-e", "-json"}, queries...))
}

// listVersions are the versions that the proxy knows. The user's module cache is not
// asked: it would answer for the proxy, and knows what was downloaded, not what there is.
func listVersions(ctx context.Context, f *toolchain.Fetcher, modPath string) ([]string, error) {
	proxy := *f
	proxy.Settings.ModCache = ""
	infos, err := list(ctx, &proxy, []string{"list", "-m", "-versions", "-json", modPath})
	if err != nil || len(infos) == 0 {
		return nil, err
	}
	return infos[0].Versions, nil
}

func list(ctx context.Context, f *toolchain.Fetcher, args []string) ([]moduleInfo, error) {
	res, err := toolchain.Run(ctx, toolchain.Command{Path: f.Go, Args: args, Dir: f.Place.Empty, Env: f.Place.FetchEnv(f.Settings), Confine: f.Place.Fetching()})
	var out []moduleInfo
	dec := json.NewDecoder(bytes.NewReader(res.Stdout))
	for {
		var m moduleInfo
		if derr := dec.Decode(&m); derr == io.EOF {
			break
		} else if derr != nil {
			return nil, errors.Join(err, derr)
		}
		out = append(out, m)
	}
	return out, err
}

// fetchZip gets the module from the proxy and makes a private copy of it in
// root, whose files are hashed again: what the module cache holds is not trusted.
func fetchZip(ctx context.Context, f *toolchain.Fetcher, c *Claim, version, root string) (*tree, error) {
	if err := module.Check(c.Module, version); err != nil {
		return nil, err
	}
	m, err := f.Module(ctx, c.Module+"@"+version)
	if err != nil {
		return nil, err
	}
	if c.Sum != "" && c.Sum != m.Sum {
		return nil, fmt.Errorf("the binary says that %s@%s has the hash %s, it has %s", c.Module, version, c.Sum, m.Sum)
	}
	t := &tree{root: root, dir: root}
	t.Origin = Origin{Kind: fact.SourceModule, Module: m.Path, Version: m.Version, Sum: m.Sum, SumDB: f.Settings.Checks(m.Path), Revision: c.Revision, Time: c.Time}
	if err := os.CopyFS(root, os.DirFS(m.Dir)); err != nil {
		return nil, err
	}
	got, err := dirhash.HashDir(root, m.Path+"@"+m.Version, dirhash.Hash1)
	if err != nil {
		return nil, err
	}
	if got != m.Sum {
		return nil, fault.Errorf("something altered the module cache on this machine; remove mintmark's cache directory and try again",
			"the files of %s@%s in the module cache have the hash %s, the checksum database says %s", m.Path, m.Version, got, m.Sum)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); errors.Is(err, fs.ErrNotExist) {
		// A module of the time before modules: the go command makes one up.
		data, err := files.Read(m.GoMod, maxSource)
		if err == nil {
			err = files.Write(filepath.Join(root, "go.mod"), data, 0o644)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := makeWritable(root); err != nil {
		return nil, err
	}
	t.confirm(m, c)
	return t, nil
}

// confirm compares the claimed revision with what the proxy says of the version.
func (t *tree) confirm(m *toolchain.Module, c *Claim) {
	data, err := files.Read(m.Info, maxSource)
	if err != nil {
		return
	}
	var info moduleInfo
	if json.Unmarshal(data, &info) != nil {
		return
	}
	if t.Time == "" && !info.Time.IsZero() {
		t.Time = info.Time.UTC().Format(time.RFC3339)
	}
	hash := ""
	if info.Origin != nil {
		hash = info.Origin.Hash
	}
	if c.Revision == "" {
		if hash != "" {
			t.Revision, t.Confirmed = hash, "proxy"
		}
		return
	}
	claimed, err := time.Parse(time.RFC3339Nano, c.Time)
	switch {
	case hash == c.Revision:
		t.Confirmed = "proxy"
	case hash != "":
		t.notes = append(t.notes, fmt.Sprintf("the module proxy says that %s@%s is revision %s, the binary claims %s", m.Path, m.Version, hash, c.Revision))
	case err == nil && !info.Time.Equal(claimed):
		t.notes = append(t.notes, fmt.Sprintf("the module proxy says that %s@%s is of %s, the binary claims %s", m.Path, m.Version, info.Time.UTC().Format(time.RFC3339), c.Time))
	}
}

// makeWritable undoes the module cache's read-only modes: the go command may
// complete go.sum and makes a vendor directory in the private copy.
func makeWritable(root string) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(name, 0o755)
		}
		return os.Chmod(name, 0o644)
	})
}

// fetchGit gets the source somebody named and checks the claimed revision out.
func fetchGit(ctx context.Context, f *toolchain.Fetcher, gitCommand, from string, c *Claim, root, work string) (*tree, error) {
	repo, err := git.New(gitCommand, f.Settings.Network, work).Source(ctx, from, c.Revision)
	if err != nil {
		return nil, err
	}
	t := &tree{root: root, git: true}
	want := c.Revision
	if want == "" && c.Tag() != "" {
		if want, err = findTag(repo, c); err != nil {
			return nil, err
		}
	}
	if want == "" {
		want = repo.Head
		t.notes = append(t.notes, "the binary names neither a version nor a revision: the HEAD of the named source was built")
	}
	if !repo.Has(ctx, want) {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("the named source has no revision %s", want)
	}
	if err := repo.Adopt(ctx, want); err != nil {
		return nil, fmt.Errorf("the revision %s: %w", want, err)
	}
	when, err := commitTime(ctx, repo, want)
	if err != nil {
		return nil, err
	}
	t.Origin = Origin{Kind: fact.SourceGit, Module: c.Module, Version: c.Release(), Revision: want, Time: when, Confirmed: "git"}
	if err := repo.Checkout(ctx, root, want, t.oneTag(repo.Tags, c)); err != nil {
		return nil, err
	}
	t.dir, err = findModule(root, c.Module)
	return t, err
}

// commitTime is when the commit was made, in the committer's own time zone.
func commitTime(ctx context.Context, repo *git.Repo, commit string) (string, error) {
	out, err := repo.Run(ctx, nil, "cat-file", "commit", commit)
	if err != nil {
		return "", err
	}
	head, _, _ := strings.Cut(string(out), "\n\n")
	for line := range strings.Lines(head) {
		rest, ok := strings.CutPrefix(line, "committer ")
		fields := strings.Fields(rest[strings.LastIndexByte(rest, '>')+1:])
		if !ok || len(fields) != 2 {
			continue
		}
		sec, err1 := strconv.ParseInt(fields[0], 10, 64)
		zone, err2 := time.Parse("-0700", fields[1])
		if err := errors.Join(err1, err2); err != nil {
			return "", fmt.Errorf("the commit %s has a strange time: %w", commit, err)
		}
		return time.Unix(sec, 0).In(zone.Location()).Format(time.RFC3339), nil
	}
	return "", fmt.Errorf("the commit %s has no time", commit)
}

// findTag finds the commit of the claimed version: vX.Y.Z, or DIR/vX.Y.Z of a nested module.
func findTag(repo *git.Repo, c *Claim) (string, error) {
	for _, tag := range repo.Tags {
		dir, ok := strings.CutSuffix(tag.Name, c.Tag())
		if dir = strings.TrimSuffix(dir, "/"); ok && (tag.Name == c.Tag() || strings.HasSuffix(c.Module, "/"+dir)) {
			return tag.Commit, nil
		}
	}
	return "", fmt.Errorf("the named source has no tag for %s", c.Tag())
}

// oneTag leaves out the other version tags of the commit: the go command stamps
// the highest, and the builder may not have had all.
func (t *tree) oneTag(tags []git.Tag, c *Claim) []git.Tag {
	if c.Tag() == "" {
		return tags
	}
	base := func(tag git.Tag) string { return tag.Name[strings.LastIndex(tag.Name, "/")+1:] }
	if !slices.ContainsFunc(tags, func(tag git.Tag) bool { return tag.Commit == t.Revision && base(tag) == c.Tag() }) {
		t.notes = append(t.notes, fmt.Sprintf("the binary says it is %s, but no such tag is at revision %s of the named source", c.Tag(), t.Revision))
		return tags
	}
	var kept []git.Tag
	var others []string
	for _, tag := range tags {
		if b := base(tag); tag.Commit == t.Revision && b != c.Tag() && semver.IsValid(b) {
			others = append(others, tag.Name)
			continue
		}
		kept = append(kept, tag)
	}
	if len(others) > 0 {
		t.notes = append(t.notes, fmt.Sprintf("the commit has the version tags %s besides %s; the binary names the latter, and only that one was left in the checkout", strings.Join(others, ", "), c.Tag()))
	}
	return kept
}

// maxSource bounds a go.mod or an .info file: what cmd/go reads of one
// (codehost.MaxGoMod).
const maxSource = 16 << 20

// findModule is the directory below root whose go.mod has that module path.
func findModule(root, modPath string) (string, error) {
	found := ""
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "vendor") {
			return fs.SkipDir
		}
		if d.Name() != "go.mod" || !d.Type().IsRegular() || found != "" {
			return nil
		}
		data, err := files.Read(name, maxSource)
		if err == nil && modfile.ModulePath(data) == modPath {
			found = filepath.Dir(name)
		}
		return nil
	})
	if err == nil && found == "" {
		err = fmt.Errorf("the named source has no module %s", modPath)
	}
	return found, err
}
