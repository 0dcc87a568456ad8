package lint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/channels"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/images"
	"github.com/mintmark/mintmark/internal/publish"
	"github.com/mintmark/mintmark/profiles"
)

// Published is what the units of a plan publish, and what a release publishes once.
type Published struct {
	Units  []string // the names of the units' files
	List   fact.DigestList
	Source *profiles.SourceArchive // nil: none
	// Channels are the package managers that a release has files for.
	Channels []profiles.Channel
	Images   []images.Image
}

// Files are the names of all of them that are not about the release.
func (p *Published) Files() []string {
	list := slices.Clone(p.Units)
	if p.Source != nil {
		list = append(list, p.Source.Name)
	}
	for _, i := range p.Images {
		list = append(list, i.Name())
	}
	return list
}

// published expands the names that the profile file gives, and holds them against each
// other. Everything wrong is reported, also that the commit cannot be in an archive.
func (l *Linted) published(ctx context.Context, kind checksums.Kind) error {
	l.Published = &Published{Units: UnitFiles(l.Plan), List: fact.DefaultList()}
	if kind == checksums.KindBuild {
		return nil // it has neither a list nor an archive
	}
	p := l.Published
	vars := l.Planner.Vars()
	var lerr, serr error
	p.List, lerr = l.File.List(vars)
	p.Source, serr = l.File.SourceArchive(vars)
	var errs []error
	if err := errors.Join(lerr, serr); err != nil {
		return errors.Join(err, l.channels(kind), l.images(), l.targets())
	}
	errs = append(errs, l.channels(kind), l.images(), l.targets())
	l.uploads()
	wrong := func(key, hint, format string, args ...any) {
		errs = append(errs, l.File.Problem(l.File.Pos(key), key+": "+fmt.Sprintf(format, args...), hint))
	}
	taken := func(key, name string) {
		for _, u := range p.Units {
			if strings.EqualFold(u, name) {
				wrong(key, "give one of them another name", "%q is the name of a file that is built", name)
			}
		}
	}
	taken("checksums.name", p.List.Name)
	taken("checksums.name", p.List.Bundle())
	for _, u := range p.Units {
		if l.File.BillPerFile && fact.TakesBill(u) {
			wrong("sbom", "give the file another name, or leave out per-file", "the bill of materials of the file %q would be called as that of the release", u)
		}
	}
	if p.Source == nil {
		return errors.Join(errs...)
	}
	taken("source.name", p.Source.Name)
	if p.List.KindOf(p.Source.Name) != fact.Unknown {
		wrong("source.name", "give it another one", "%q is the name of another file of the release", p.Source.Name)
	}
	switch why := l.noCommit(); {
	case why != "" && kind == checksums.KindRelease:
		wrong("source", "build a checkout of the commit, or leave out source", "%s", why)
	case why != "":
		l.cautions.Add("no source archive: %s", why)
		p.Source = nil
	default:
		if err := l.packable(ctx, p.Source); err != nil {
			wrong("source", fault.Hint(err), "the commit cannot be in an archive: %v", err)
		}
	}
	return errors.Join(errs...)
}

// targets reads where the profile file says that the release is published.
func (l *Linted) targets() error {
	var errs []error
	for _, p := range l.File.Publish {
		errs = append(errs, wrongTarget(l.File, p))
	}
	return errors.Join(errs...)
}

// Targets are where the profile file of that name, or that of the current directory,
// says that releases are published: at least one, each as [publish.Check] wants it.
func Targets(name string) (list []string, err error) {
	asked := name != ""
	if !asked {
		name = fetch.ConfigName
	}
	data, err := files.Read(name, fetch.MaxConfig)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return nil, fault.Usagef("name it, such as -to=github:OWNER/REPO", "publish: -to is not given, and here is no %s that says where to", name)
	}
	if err != nil {
		return nil, fault.Usagef("-config=FILE names a profile file", "profile file: %w", err)
	}
	f, err := profiles.Load(name, data)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, p := range f.Publish {
		list = append(list, p.Text)
		errs = append(errs, wrongTarget(f, p))
	}
	if len(list) == 0 {
		return nil, fault.Usagef("name it, such as -to=github:OWNER/REPO; or write publish: github:OWNER/REPO in "+name, "publish: -to is not given, and %s does not say where to", name)
	}
	return list, errors.Join(errs...)
}

// wrongTarget is what is wrong with a target of the profile file.
func wrongTarget(f *profiles.File, p profiles.Placed) error {
	err := publish.Check(p.Text)
	if err == nil && publish.OfImages(p.Text) && len(f.Images) == 0 {
		err = fault.Errorf("say which images a release has: images: {NAME: {…}}", "%q is for container images, and there are none", p.Text)
	}
	if err == nil {
		return nil
	}
	return f.Problem(p.Pos, fmt.Sprintf("publish: %v", err), fault.Hint(err))
}

// uploads warns of names that a forge would change.
func (l *Linted) uploads() {
	for _, name := range slices.Concat(l.Published.Files(), []string{l.Published.List.Name}) {
		if why := fact.NotUploaded(name); why != "" {
			l.cautions.Add("the name %q %s, which GitHub replaces in names of uploaded files and others refuse: mintmark publish does not take it", name, why)
		}
	}
}

// channels makes the files of channels of the plan, but for their digests: what would be
// wrong with them in the end is wrong now.
func (l *Linted) channels(kind checksums.Kind) error {
	if len(l.File.Channels) == 0 {
		return nil
	}
	switch {
	case kind != checksums.KindRelease:
		l.cautions.Add("no files for channels: a snapshot is not where channels.url says")
		return nil
	case l.Platforms != "" || len(l.Profiles) > 0:
		l.cautions.Add("no files for channels: a part of the release is built")
		return nil
	}
	list, err := l.File.ChannelsOf(l.Planner.Vars())
	if err != nil {
		return err
	}
	_, err = channels.Files(list, &channels.Release{
		Project: l.Plan.Project, Version: l.Plan.Version, Time: l.Source.CommitTime, Offers: channels.Offers(l.Plan.Offered(), nil),
	})
	l.Published.Channels = list
	return l.wrong(err)
}

// images plans the images of a release. What is wrong with them is wrong now.
func (l *Linted) images() error {
	if len(l.File.Images) > 0 && l.Planner.Part {
		l.cautions.Add("no container images: a part of the release is built")
	}
	var err error
	l.Published.Images, err = images.Plan(l.Plan.Images, images.ReleaseOf(l.Plan.Project, l.Plan.Version, l.Source.CommitTime, channels.Offers(l.Plan.Offered(), nil)))
	errs := []error{l.wrong(err)}
	for _, i := range l.Published.Images {
		errs = append(errs, l.wrong(i.CheckSources(l.Checkout)))
		if base := i.Base(); base != nil {
			l.unlooked = append(l.unlooked, fmt.Sprintf("the base of %s: no registry was asked for %s", i.Name(), base))
		}
	}
	return errors.Join(errs...)
}

// wrong is what is wrong with channels or images, each with its place in the profile
// file, and once.
func (l *Linted) wrong(err error) error {
	var errs []error
	said := map[string]bool{}
	for _, e := range fault.Leaves(err) {
		if said[e.Error()] {
			continue // what is said for all channels is wrong for each
		}
		said[e.Error()] = true
		var w *channels.Wrong
		if errors.As(e, &w) {
			e = l.File.Problem(l.File.Pos(w.Key), w.Error(), fault.Hint(w))
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// noCommit says why what is built is not the files of a commit; "" if it is.
func (l *Linted) noCommit() string {
	switch {
	case l.Repo == nil:
		return "a module from the proxy has no commit that an archive could be made of"
	case len(l.Source.Dirty) > 0 || l.Snapshot && len(l.unseen) > 0:
		return "a changed tree is no commit that an archive could be made of"
	}
	return ""
}

// packable looks whether all systems can unpack the commit's files.
func (l *Linted) packable(ctx context.Context, as *profiles.SourceArchive) error {
	return l.Repo.Export(ctx, func(list []source.File) error {
		var names []string
		for _, f := range list {
			names = append(names, f.In(as.Wrap))
		}
		return archive.CheckNames(names)
	})
}

// UnitFiles are the names of the files that are published of what the units make.
func UnitFiles(p *plan.Plan) (names []string) {
	for _, s := range p.Shapes() {
		names = append(names, s.Published()...)
	}
	return names
}
