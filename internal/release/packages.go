package release

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/tool"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
)

// packager gets what makes packages, if a unit has any. It belongs to the fetch phase.
func packager(ctx context.Context, p *fetch.Planned) (*tool.Program, error) {
	if !slices.ContainsFunc(p.Plan.Units, func(u *plan.Unit) bool { return u.Packages != nil }) {
		return nil, nil
	}
	nfpm, err := p.FetchTool(ctx, p.Kit, tool.Nfpm())
	if err != nil {
		return nil, fmt.Errorf("what makes packages: %w", err)
	}
	return nfpm, nil
}

// packages publishes the unit's packages, one of each format.
func (m *Maker) packages(ctx context.Context, r *UnitResult, items []*item) error {
	programs := programs(items)
	var staged []*stagedPackage // for each place
	defer func() {
		for _, s := range staged {
			files.RemoveTree(s.dir)
		}
	}()
	for place := range m.Executors {
		s, err := m.stagePackage(ctx, r.unit, programs, place)
		if s != nil {
			staged = append(staged, s)
		}
		if err != nil {
			return fmt.Errorf("packages: %w", err)
		}
	}
	var before []int
	for _, e := range r.unit.Shape().Artifacts() {
		if e.Stage != fact.PackageStage {
			continue
		}
		a, n, err := m.makePackage(ctx, r.unit, e, programs, staged)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		r.Artifacts, before = append(r.Artifacts, a), append(before, n)
	}
	r.packagesBefore = leastOf(before)
	return nil
}

// stagedPackage is a directory with all that goes into a unit's packages, from one place:
// under names of ours, with one time, and no links. So nfpm neither matches patterns nor
// sees anything else of this machine.
type stagedPackage struct {
	dir     string
	files   map[string]string // content's place, or the name of a script → file in dir
	inputs  []archive.Entry   // these files by what they are in files
	members []archive.Entry   // sorted by name
}

const (
	stagedInput  = "in"
	stagedOutput = "out"
	stagedConfig = "nfpm.json"
)

// stagePackage copies them. What it returns with an error is to be removed too.
func (m *Maker) stagePackage(ctx context.Context, u *plan.Unit, programs []*item, place int) (*stagedPackage, error) {
	parent := filepath.Join(m.Of.Workspace.Dir, "packages")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "unit-")
	if err != nil {
		return nil, err
	}
	s := &stagedPackage{dir: dir, files: map[string]string{}}
	for _, sub := range []string{stagedInput, stagedOutput} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return s, err
		}
	}
	add := func(key, from string) (sum string, size int64, err error) {
		s.files[key] = stagedInput + "/" + strconv.Itoa(len(s.files))
		to := filepath.Join(dir, filepath.FromSlash(s.files[key]))
		if sum, size, err = files.Copy(ctx, from, to, 0o644); err == nil {
			err = os.Chtimes(to, m.Of.Source.CommitTime, m.Of.Source.CommitTime)
		}
		s.inputs = append(s.inputs, archive.Entry{Name: key, Size: size, SHA256: sum})
		return sum, size, err
	}
	shape := u.Shape()
	main := 0
	for _, it := range programs {
		name := u.Packages.Installed(shape, u.Mains[main])
		main++
		sum, size, err := add("/"+name, it.paths[place])
		if err != nil {
			return s, err
		}
		if it.artifact.Verdict == fact.Identical && sum != it.artifact.SHA256 {
			return s, fmt.Errorf("%s changed while it was copied", it.name)
		}
		s.members = append(s.members, archive.Entry{Name: name, Size: size, SHA256: sum, Mode: 0o755})
	}
	source := m.Executors[place].Copy
	for _, c := range u.Packages.Contents {
		if !c.Type.File() {
			continue
		}
		sum, size, err := add(c.Dst, filepath.Join(source, filepath.FromSlash(c.Src)))
		if err != nil {
			return s, err
		}
		s.members = append(s.members, archive.Entry{Name: strings.TrimPrefix(c.Dst, "/"), Size: size, SHA256: sum, Mode: m.contentMode(c)})
	}
	for _, script := range u.Packages.Scripts.List() {
		if s.files[script] != "" {
			continue // of two occasions
		}
		if _, _, err := add(script, filepath.Join(source, filepath.FromSlash(script))); err != nil {
			return s, err
		}
	}
	slices.SortFunc(s.members, func(a, b archive.Entry) int { return cmp.Compare(a.Name, b.Name) })
	return s, nil
}

// contentMode is the mode that a file or directory has in a package.
func (m *Maker) contentMode(c fact.PackageContent) os.FileMode {
	if mode, err := strconv.ParseUint(c.Mode, 8, 9); err == nil {
		return os.FileMode(mode)
	}
	if c.Type == fact.ContentDir || m.Of.Source.Executable(path.Join(m.Of.Source.Dir, c.Src)) {
		return 0o755
	}
	return 0o644
}

// makePackage makes a package once for each place, from the files of that place, and
// reads the first one back. before is as in [made].
func (m *Maker) makePackage(ctx context.Context, u *plan.Unit, e fact.Expected, programs []*item, staged []*stagedPackage) (_ checksums.Artifact, before int, err error) {
	a := holder(u, e, m.Nfpm.String(), programs)
	a.Members = membersOf(staged[0].members)
	k := making{stage: e.Stage, name: e.Name, platform: u.Platform}
	var runs []nfpmRun
	for place, s := range staged {
		run, err := m.nfpmRun(u, e, s)
		if err != nil {
			return a, 0, err
		}
		runs = append(runs, run)
		k.of = append(k.of, ingredients{run.recipe(m.Nfpm), s.inputs, m.copyName(place)})
	}
	k.write = func(ctx context.Context, of int, to string) (info archive.Info, err error) {
		made, err := runs[of].make(ctx, m.Nfpm)
		if err != nil {
			return info, err
		}
		info.Entries = runs[of].of.inputs
		if to == "" {
			info.SHA256, info.Size, err = files.Digest(ctx, made)
			return info, err
		}
		if info.SHA256, info.Size, err = files.Copy(ctx, made, to, 0o644); err != nil {
			return info, err
		}
		if err := readBack(ctx, to, info.Size, e.Format, u.Packages, runs[of].of.members); err != nil {
			return info, fmt.Errorf("nfpm made another package than it was told to: %w", err)
		}
		return info, nil
	}
	before, err = m.publishMade(ctx, &a, &k)
	return a, before, err
}

// readBack holds what a package installs against what it was made of.
func readBack(ctx context.Context, name string, size int64, format string, p *fact.Packages, members []archive.Entry) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	list, err := archive.ListPackage(ctx, f, size, format)
	if err != nil {
		return err
	}
	return archive.CheckInstalled(list, members, p)
}

// nfpmRun is how nfpm makes one package.
type nfpmRun struct {
	of        *stagedPackage
	to        string // relative to its directory, as all that nfpm is told
	config    []byte
	args, env []string
}

func (m *Maker) nfpmRun(u *plan.Unit, e fact.Expected, s *stagedPackage) (nfpmRun, error) {
	r := nfpmRun{of: s, to: stagedOutput + "/" + e.Name}
	r.args = []string{"package", "--config=" + stagedConfig, "--packager=" + e.Format, "--target=" + r.to}
	// What is compressed in several parts at once must not depend on how many there are.
	r.env = []string{"GOMAXPROCS=1", "TZ=UTC"}
	var err error
	r.config, err = json.Marshal(m.nfpmConfig(u, e.Format, s)) // JSON is YAML
	return r, err
}

// recipe is a digest of all that decides the package's bytes. The program's digest is
// among it: nfpm compresses with the library of the toolchain that it was built with.
func (r *nfpmRun) recipe(nfpm *tool.Program) actions.ID {
	h := sha256.New()
	fmt.Fprintf(h, "package recipe 1\n%q %s\n%q %q\n%q\n", nfpm.String(), nfpm.SHA256, r.args, r.env, r.config)
	for _, in := range r.of.inputs {
		fmt.Fprintf(h, "%q %d %s\n", r.of.files[in.Name], in.Size, in.SHA256)
	}
	return actions.ID(h.Sum(nil))
}

// make runs nfpm, and gives the package's file.
func (r *nfpmRun) make(ctx context.Context, nfpm *tool.Program) (string, error) {
	if err := files.Write(filepath.Join(r.of.dir, stagedConfig), r.config, 0o644); err != nil {
		return "", err
	}
	c := nfpm.Command(r.of.dir, r.args...)
	c.Env = append(c.Env, r.env...)
	if _, err := toolchain.Run(ctx, c); err != nil {
		return "", err
	}
	return filepath.Join(r.of.dir, filepath.FromSlash(r.to)), nil
}

// nfpmFile is nfpm's configuration (https://nfpm.goreleaser.com/docs/configuration), as
// far as it is used. The architecture and the version are given as the format writes
// them.
type nfpmFile struct {
	fact.PackageAbout
	Name            string        `json:"name"`
	Arch            string        `json:"arch"`
	Platform        string        `json:"platform"`
	Version         string        `json:"version"`
	VersionSchema   string        `json:"version_schema"`
	Prerelease      string        `json:"prerelease,omitempty"`
	VersionMetadata string        `json:"version_metadata,omitempty"`
	Release         string        `json:"release,omitempty"`
	DisableGlobbing bool          `json:"disable_globbing"`
	MTime           string        `json:"mtime"`
	Contents        []nfpmContent `json:"contents"`
	Scripts         fact.Scripts  `json:"scripts,omitzero"`
	Deb             nfpmFormat    `json:"deb,omitzero"`
	RPM             nfpmFormat    `json:"rpm,omitzero"`
	APK             nfpmFormat    `json:"apk,omitzero"`
	ArchLinux       nfpmFormat    `json:"archlinux,omitzero"`
}

type nfpmFormat struct {
	Arch        string `json:"arch,omitempty"`
	BuildHost   string `json:"buildhost,omitempty"`
	Compression string `json:"compression,omitempty"`
	Packager    string `json:"packager,omitempty"`
}

type nfpmContent struct {
	Src      string       `json:"src,omitempty"`
	Dst      string       `json:"dst"`
	Type     string       `json:"type,omitempty"`
	FileInfo nfpmFileInfo `json:"file_info"`
}

type nfpmFileInfo struct {
	Owner string      `json:"owner"`
	Group string      `json:"group"`
	Mode  os.FileMode `json:"mode,omitempty"`
	MTime string      `json:"mtime"`
}

// nfpmConfig is that of a package of what is staged.
func (m *Maker) nfpmConfig(u *plan.Unit, format string, s *stagedPackage) nfpmFile {
	p := u.Packages
	version := fact.PackageVersionOf(format, p.Version)
	when := m.Of.Source.CommitTime.UTC().Format(time.RFC3339)
	arch := nfpmFormat{Arch: fact.PackageArch(format, u.Platform)}
	c := nfpmFile{
		PackageAbout: p.PackageAbout,
		Name:         p.Name, Arch: arch.Arch, Platform: "linux", Version: version.Version, VersionSchema: "none",
		Prerelease: version.Prerelease, VersionMetadata: version.Metadata,
		DisableGlobbing: true, MTime: when,
	}
	for _, script := range []struct {
		to   *string
		from string
	}{{&c.Scripts.PreInstall, p.Scripts.PreInstall}, {&c.Scripts.PostInstall, p.Scripts.PostInstall}, {&c.Scripts.PreRemove, p.Scripts.PreRemove}, {&c.Scripts.PostRemove, p.Scripts.PostRemove}} {
		*script.to = s.files[script.from]
	}
	if p.Release != fact.DefaultPackageRelease || format == fact.RPM || format == fact.ArchLinux {
		c.Release = p.Release
	}
	switch format {
	case fact.Deb:
		arch.Compression = "gzip"
		c.Deb = arch
	case fact.RPM:
		// The host's name is in the package otherwise.
		arch.Compression, arch.BuildHost = "gzip", "localhost"
		c.RPM = arch
	case fact.APK:
		c.APK = arch
	case fact.ArchLinux:
		arch.Packager = p.Maintainer
		c.ArchLinux = arch
	}
	if format == fact.APK || format == fact.ArchLinux { // they have one line for it
		c.Description, _, _ = strings.Cut(c.Description, "\n")
	}
	content := func(kind fact.ContentType, src, dst, owner, group string, mode os.FileMode) {
		c.Contents = append(c.Contents, nfpmContent{src, dst, string(kind), nfpmFileInfo{cmp.Or(owner, "root"), cmp.Or(group, "root"), mode, when}})
	}
	shape := u.Shape()
	for _, main := range u.Mains {
		dst := "/" + p.Installed(shape, main)
		content(fact.ContentFile, s.files[dst], dst, "", "", 0o755)
	}
	for _, one := range p.Contents {
		switch one.Type {
		case fact.ContentDir:
			content(one.Type, "", one.Dst, one.Owner, one.Group, m.contentMode(one))
		case fact.ContentSymlink:
			content(one.Type, one.Src, one.Dst, one.Owner, one.Group, 0)
		default:
			content(one.Type, s.files[one.Dst], one.Dst, one.Owner, one.Group, m.contentMode(one))
		}
	}
	return c
}
