package recovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/stamp"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

// attempt is one link.
type attempt struct {
	name  string
	file  string
	sum   string
	size  int64
	id    [4]string
	noID  bool
	how   *recipe
	flags candidate
	diff  *bindiff.Diff // from the binary, once it was compared
}

// rebuild builds the binary from one source after the other that it may be of, until it
// is identical or none is left. An error is the reason why it is unchecked.
func (b *subject) rebuild(ctx context.Context) error {
	defer b.bin.Close()
	sources := []found{{}}
	b.step("source")
	if b.Config.Source == "" {
		var err error
		if sources, err = findVersions(ctx, b.Fetcher, b.claim, b.in.Versions); err != nil {
			return b.noSource(err)
		}
	}
	before, work := *b.Result, b.work
	var closest *Result
	var firstErr error
	var others []string
	for i, from := range sources {
		b.work = filepath.Join(work, strconv.Itoa(i))
		if err := os.MkdirAll(b.work, 0o755); err != nil {
			return err
		}
		links, spelled := b.Relinks, b.Spelled
		*b.Result = before
		b.Result.Notes = slices.Clone(before.Notes)
		b.Relinks, b.Spelled = links, spelled
		err := b.from(ctx, from)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil && b.Verdict == fact.Identical:
			return nil
		case err == nil && closest == nil:
			r := *b.Result
			closest = &r
		case err != nil && firstErr == nil:
			firstErr = err
		}
		if i > 0 {
			others = append(others, fmt.Sprintf("%s, %s: %s", from.version, from.note, oneLine(cmp.Or(b.Reason, fmt.Sprint(err)))))
		}
	}
	if closest == nil {
		return firstErr
	}
	links, spelled := b.Relinks, b.Spelled
	*b.Result = *closest
	b.Relinks, b.Spelled = links, spelled
	for _, o := range others {
		b.note("built as well: " + o)
	}
	return nil
}

// noSource is the error of a binary whose source is not to be had.
func (b *subject) noSource(err error) error {
	tip := ""
	if b.Config.Source == "" && !strings.Contains(err.Error(), "-source=") {
		tip = "; -source= takes its repository instead"
	}
	return fmt.Errorf("no source: %w%s", err, tip)
}

// from builds the binary from one source until it is identical or nothing is left to
// try.
func (b *subject) from(ctx context.Context, from found) error {
	c := b.claim
	b.step("source")
	src, err := b.tree(ctx, c, from)
	if err != nil {
		return b.noSource(err)
	}
	b.Source = src.Origin
	for _, n := range src.notes {
		b.note(n)
	}
	if err := c.requiredBy(src); err != nil {
		return err
	}
	if c.LocalModule != "" {
		b.note("a dependency was replaced by a directory (" + c.LocalModule + "): if it lies outside of the module's zip, only -source= has it")
	}
	// After the source: it is larger, and of no use without one.
	b.step("toolchain %s", c.Go)
	goroot, err := b.toolchain(ctx, c.Go)
	if err != nil {
		return err
	}
	return b.byToolchain(ctx, goroot, src)
}

// with builds the binary from a source with the toolchain of a release, changed in
// one way.
func (b *subject) with(ctx context.Context, release *toolchain.Goroot, how change, src *tree) error {
	c := b.claim
	goroot, err := b.goroot(ctx, release, how)
	if err != nil {
		return err
	}
	r, err := b.recipe(ctx, release, goroot, src)
	if err != nil {
		return err
	}
	targets, err := b.targets(r)
	if err != nil {
		return err
	}
	v, err := readValues(b.file, c, append([]string{src.Version}, b.in.Versions...))
	if err != nil {
		return err
	}
	best, err := b.search(ctx, r, targets, findTemplates(src.root, c, v), v)
	if best == nil {
		return err
	}
	if err != nil {
		b.note(err.Error())
	}
	return b.verdict(ctx, best)
}

// recipe says how the binary is built from that source with goroot, which is the
// release or was made of it. What is not part of the build is run from the release.
func (b *subject) recipe(ctx context.Context, release, goroot *toolchain.Goroot, src *tree) (*recipe, error) {
	c := b.claim
	place := *b.Place
	// One build cache a toolchain: two of the same version may differ.
	place.GoCache = filepath.Join(place.GoCache, goroot.Toolchain.DirName())
	place.Confined = b.confined
	if err := errors.Join(place.Make(), place.Check()); err != nil {
		return nil, err
	}
	r := &recipe{claim: c, release: release, pace: execute.Pace{P: b.p}, vcs: c.Revision != "", at: &execute.Local{
		Label: "third", Goroot: goroot, Place: &place, Dir: src.dir, Out: filepath.Join(b.work, "out"), SetUmask: true, Kind: fact.SourceGit,
	}}
	installed := c.Installed() && !src.git
	if !c.Trimpath {
		if err := b.elsewhere(ctx, r, src, installed); err != nil {
			return nil, err
		}
	}
	switch {
	case installed:
		b.Stamp = StampInstall
		r.at.Kind, r.at.Version = fact.SourceModule, src.Version
	case c.Revision == "":
		b.Stamp = StampNone
	case src.git && !c.Modified:
		b.Stamp = StampGit
		if c.VCS != "git" {
			return nil, fmt.Errorf("stamped from %s: only git's stamps can be made again", c.VCS)
		}
	default: // a clean checkout has not got the stamp of a changed one either
		b.Stamp = StampReplayed
		program, err := b.stampProgram(ctx, release)
		if err != nil {
			return nil, err
		}
		claim, err := c.replay()
		if err != nil {
			return nil, err
		}
		s, err := stamp.New(program, filepath.Join(b.work, "git"), r.at.View.Path(src.root), claim)
		if err != nil {
			return nil, err
		}
		place.Git = s.Git
	}
	if c.Vendor {
		r.mod = "vendor"
	}
	main, ok := c.MainDir()
	if !ok {
		main = "./"
	}
	if r.pgo, ok = findPGO(src.dir, filepath.Join(src.dir, filepath.FromSlash(main)), c.PGO); !ok {
		return nil, fmt.Errorf("built with the PGO profile %s, which is not in the source", c.PGO)
	}
	return r, nil
}

// findPGO finds the profile of that name. The go command takes default.pgo of
// the main package by itself; when the binary was built without, it is told so.
func findPGO(dir, main, name string) (flag string, ok bool) {
	_, err := os.Stat(filepath.Join(main, "default.pgo"))
	there := err == nil
	switch {
	case name == "" && there:
		return "off", true
	case name == "" || name == "default.pgo" && there:
		return "", true
	}
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == name && d.Type().IsRegular() && flag == "" {
			flag = p
		}
		return nil
	})
	return flag, flag != ""
}

// targets are what the go command may have been given.
func (b *subject) targets(r *recipe) ([]string, error) {
	c := b.claim
	if dir, ok := c.MainDir(); ok {
		if c.Package == c.Module {
			dir = "."
		}
		return []string{dir}, nil
	}
	if c.Package != NamedFiles {
		return nil, fmt.Errorf("its package %s is not of its module %s", c.Package, c.Module)
	}
	// Built from named files. Which ones is not recorded; main.go mostly.
	b.note("built from named files (go build FILE.go), whose names are not recorded: those of the source's programs were tried")
	var out []string
	err := filepath.WalkDir(r.at.Dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "vendor" || d.Name() == "testdata" || d.Name() == ".git") {
			return fs.SkipDir
		}
		if d.Name() == "main.go" {
			rel, err := filepath.Rel(r.at.Dir, name)
			if err != nil {
				return err
			}
			out = append(out, "./"+filepath.ToSlash(rel))
		}
		return nil
	})
	base := strings.TrimSuffix(path.Base(filepath.ToSlash(cmp.Or(b.in.Member, b.in.Name))), ".exe")
	slices.SortStableFunc(out, func(x, y string) int {
		rank := func(s string) int {
			if path.Base(path.Dir(s)) == base {
				return 0
			}
			return strings.Count(s, "/")
		}
		return rank(x) - rank(y)
	})
	if err == nil && len(out) == 0 {
		err = errors.New("built from named files, and no main.go is in the source")
	}
	return out[:min(len(out), 8)], err
}

// search links until the bytes are equal. It returns the closest attempt; an
// error beside it says what ended the search early.
func (b *subject) search(ctx context.Context, r *recipe, targets []string, templates []template, v *Values) (*attempt, error) {
	first := candidate{From: "the build information"}
	if b.claim.HasLDFlags {
		first.Flags, first.recorded = b.claim.LDFlags.Words(), b.claim.LDFlags
	} else {
		for c := range candidates(b.bin, nil, v) {
			first = c
			break
		}
		first.Flags = b.withoutID(first.Flags)
	}
	var best *attempt
	for _, target := range targets {
		aim := *r
		aim.pkg = target
		b.step("dependencies")
		if err := aim.fetch(ctx, b.Fetcher); err != nil {
			if ctx.Err() != nil || best == nil && target == targets[len(targets)-1] {
				return nil, fmt.Errorf("its dependencies: %w", err)
			}
			continue
		}
		a, err := b.link(ctx, &aim, first)
		if err != nil {
			if ctx.Err() != nil || best == nil && target == targets[len(targets)-1] {
				return nil, err
			}
			continue
		}
		if best == nil || a.id[1] == b.id[1] {
			best = a
		}
		if a.sum == b.sum || a.id[1] == b.id[1] && !b.noID {
			break
		}
	}
	switch {
	case best == nil:
		return nil, errors.New("nothing could be built")
	case best.sum == b.sum || b.claim.HasLDFlags:
		return best, nil
	case b.noID:
		return b.unnamed(ctx, best, templates, v)
	case best.id[1] != b.id[1] || best.id[2] != b.id[2]:
		// What is compiled differs: no flag of the linker's will help.
		return best, nil
	case best.id[0] == b.id[0]:
		return best, nil
	}
	return b.respell(ctx, best, templates, v)
}

// respell looks for the flags whose link has the binary's action ID.
func (b *subject) respell(ctx context.Context, best *attempt, templates []template, v *Values) (*attempt, error) {
	in, err := b.inputs(ctx, best)
	if err != nil {
		b.note("the spelling of -ldflags was tried by linking: " + err.Error())
		return b.relink(ctx, best, candidates(b.bin, templates, v), false)
	}
	// What is hashed for each grows with the number of packages.
	const mostHashed int64 = 8 << 30 // bytes: about half a minute
	most := int(min(int64(b.MaxSpellings), mostHashed/int64(len(in.after)+1)))
	b.step("flags of the linker")
	// find gives the first of the spellings whose link has the binary's action ID.
	find := func(list iter.Seq[candidate]) (*candidate, error) {
		for c := range list {
			if b.Spelled++; b.Spelled > most {
				b.note(fmt.Sprintf("the search for -ldflags ended after %d spellings", most))
				break
			}
			if b.Spelled%1000 == 0 && ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if in.ActionID(c.Flags) == b.id[0] {
				return &c, nil
			}
		}
		return nil, nil
	}
	all := candidates(b.bin, templates, v)
	known, err := b.learn(ctx, best, strippedOf(b.bin).Symbols)
	if err != nil {
		return nil, err
	}
	said := b.told(known, best, templates, v)
	c, err := find(said)
	if c == nil && err == nil {
		c, err = find(all)
	}
	if c == nil && err == nil && known.empty() {
		if known, err = b.learn(ctx, best, true); err == nil {
			said = b.told(known, best, templates, v)
			c, err = find(said)
		}
	}
	if err != nil {
		return nil, err
	}
	if c != nil {
		for _, name := range in.Ignored(c.Flags) {
			b.note("-X " + name + " names a package that is not in the program: the linker ignored it")
		}
		return b.link(ctx, best.how, *c)
	}
	b.note(fmt.Sprintf("the linker's flags were not found: none of %d spellings has the action ID of its link", b.Spelled))
	if d := best.diff; d != nil && compiledOtherwise(d) {
		return best, nil // no flag of the linker's changes that
	}
	// One link shows what is left when the values are known; else a few, what comes closest.
	if len(known.set) > 0 {
		for c := range said {
			a, err := b.link(ctx, best.how, c)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err == nil {
				return a, nil
			}
			break
		}
	}
	return b.relink(ctx, best, all, false)
}

// learn compares an attempt with the binary, if that is asked for.
func (b *subject) learn(ctx context.Context, a *attempt, ask bool) (learned, error) {
	if !ask {
		return learned{}, nil
	}
	d, err := b.compare(ctx, a)
	if err != nil {
		return learned{}, err
	}
	return learn(d), nil
}

// told are the candidates that follow from what was learned.
func (b *subject) told(known learned, a *attempt, templates []template, v *Values) iter.Seq[candidate] {
	var vars []variable
	if len(known.texts) > 0 {
		vars = settable(a.how.at.Dir, b.claim.Module)
	}
	return known.candidates(strippedOf(b.bin).spellings(), templates, v, vars)
}

// compiledOtherwise reports whether functions differ that no flag of the linker's changes:
// all but those of runtime/cgo, which -linkmode=external brings in, and those that may
// only mention variables which -X moves.
func compiledOtherwise(d *bindiff.Diff) bool {
	return d.Code != nil && (len(d.Code.Program) > len(d.Code.Operands) || slices.ContainsFunc(d.Code.Standard, func(p string) bool { return p != "runtime/cgo" }))
}

// withoutID are the flags for a binary without a build ID: linked without one, unless what
// the linker makes of it is there. Then it was removed.
func (b *subject) withoutID(flags []string) []string {
	if !b.noID || b.claim.ModifiedGo && b.Toolchain.Modified == nil || b.hostIDOf(b.file) != "" || slices.ContainsFunc(flags, func(f string) bool { return strings.HasPrefix(f, "-buildid") }) {
		return flags
	}
	return append(slices.Clone(flags), "-buildid=")
}

// inputs has the go command say what it hashes for the link of an attempt.
func (b *subject) inputs(ctx context.Context, a *attempt) (*linkInputs, error) {
	flag, err := a.flags.flag()
	if err != nil {
		return nil, err
	}
	in, err := a.how.inputs(ctx, a.name, flag)
	if err != nil {
		return nil, err
	}
	if got := in.ActionID(a.flags.Flags); got != a.id[0] {
		return nil, fmt.Errorf("the action ID of the link came out as %s, the product has %s", got, a.id[0])
	}
	return in, nil
}

// unnamed looks for the flags of a binary without a build ID: by linking, if that can
// help at all.
func (b *subject) unnamed(ctx context.Context, best *attempt, templates []template, v *Values) (*attempt, error) {
	known, err := b.learn(ctx, best, true)
	if err != nil {
		return nil, err
	}
	if compiledOtherwise(best.diff) {
		return best, nil
	}
	if host := b.hostIDOf(b.file); host != "" && host == b.hostIDOf(best.file) {
		return best, nil // made of the same inputs: the linker's flags are among them
	}
	said, all := b.told(known, best, templates, v), candidates(b.bin, templates, v)
	for c := range said {
		if len(known.set) == 0 {
			break
		}
		c.Flags = b.withoutID(c.Flags)
		a, err := b.link(ctx, best.how, c)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			continue
		}
		d, err := b.compare(ctx, a)
		if err != nil {
			return nil, err
		}
		if a.sum == b.sum || len(d.Values) == 0 && d.Code != nil && len(d.Code.Program) > 0 {
			return a, nil // all values are the same, and the code is not
		}
		break
	}
	return b.relink(ctx, best, func(yield func(candidate) bool) {
		for _, list := range []iter.Seq[candidate]{said, all} {
			for c := range list {
				if !yield(c) {
					return
				}
			}
		}
	}, true)
}

// relink links with one candidate after the other until the bytes are equal,
// and returns the closest. Without a build ID that is the only way to tell;
// with one, only a few are linked, to show what comes closest.
func (b *subject) relink(ctx context.Context, best *attempt, list iter.Seq[candidate], noID bool) (*attempt, error) {
	most := b.MaxLinks
	switch {
	case !noID:
		most = min(most, 4)
	case best.diff != nil && best.diff.Code != nil && len(best.diff.Code.Operands) > 0:
		most = min(most, 16) // rather another source than a variable that was moved
	}
	closeness := func(a *attempt) int64 {
		d := a.size - fileSize(b.file)
		return max(d, -d)
	}
	n := 0
	for c := range list {
		c.Flags = b.withoutID(c.Flags)
		if slices.Equal(c.Flags, best.flags.Flags) {
			continue
		}
		if !noID && !strings.Contains(c.From, ",") {
			continue // not from a release configuration
		}
		if n++; n > most {
			break
		}
		a, err := b.link(ctx, best.how, c)
		if err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			continue // flags this linker does not know
		}
		if a.sum == b.sum {
			return a, nil
		}
		if closeness(a) < closeness(best) {
			best = a
		}
	}
	return best, nil
}

func fileSize(name string) int64 {
	fi, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return fi.Size()
}

// link builds once with these flags.
func (b *subject) link(ctx context.Context, r *recipe, c candidate) (*attempt, error) {
	flag, err := c.flag()
	if err != nil {
		return nil, fmt.Errorf("from %s: %w", c.From, err)
	}
	name := fmt.Sprintf("link-%d", b.Relinks)
	b.Relinks++
	b.step("link %d", b.Relinks)
	compiled, pace := 0, *r
	pace.pace.Compiling = func(string) {
		if compiled++; r.packages > 0 {
			b.step("compile %d of at most %d", compiled, r.packages)
		} else {
			b.step("compile %d", compiled)
		}
		if compiled == r.packages {
			b.step("link %d", b.Relinks)
		}
	}
	made, err := pace.build(ctx, name, flag)
	if err != nil {
		return nil, err
	}
	a := &attempt{name: name, file: made.Path, sum: made.SHA256, size: made.Size, how: r, flags: c}
	f, err := gobin.Open(a.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a.id, a.noID = f.BuildIDParts(), f.BuildID == ""
	return a, nil
}
