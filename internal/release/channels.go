package release

import (
	"context"
	"fmt"
	"slices"

	"github.com/mintmark/mintmark/internal/channels"
)

// channelFiles are the files that package managers read of the release, by its manifest.
func (p *publication) channelFiles() ([]channels.File, error) {
	if len(p.channels) == 0 {
		return nil, nil
	}
	m := p.manifest
	return channels.Files(p.channels, &channels.Release{
		Project: m.Project, Version: m.Version, Time: p.Of.Source.CommitTime,
		Offers: channels.Offers(p.Of.Plan.Offered(), p.sum()),
	})
}

// channelSteps make these files: all texts in one step, and each archive in one of its
// own.
func channelSteps(list []channels.File) (all []step) {
	always := func(*publication) bool { return true }
	var texts []string
	for _, f := range list {
		if f.Members == nil {
			texts = append(texts, f.Name)
			continue
		}
		all = append(all, step{names: []string{f.Name}, needs: always, pack: func(ctx context.Context, p *publication) (*making, error) {
			return p.packChannel(ctx, f.Name)
		}})
	}
	if len(texts) == 0 {
		return all
	}
	return append(all, step{names: texts, needs: always, make: func(_ context.Context, p *publication) (map[string][]byte, error) {
		list, err := p.channelFiles()
		made := map[string][]byte{}
		for _, f := range list {
			if f.Members == nil {
				made[f.Name] = f.Text
			}
		}
		return made, err
	}})
}

// packChannel is the making of an archive, of members that are gathered twice.
func (p *publication) packChannel(ctx context.Context, name string) (*making, error) {
	var k *archiving
	for range stepMade {
		list, err := p.channelFiles()
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(list, func(f channels.File) bool { return f.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("%s: is no file of the channels when they are made again", name)
		}
		f := list[i]
		members, err := f.Members(ctx, p.stage.Dir)
		if err != nil {
			return nil, err
		}
		if k == nil {
			k = newArchiving(name, f.Platform, f.Format, p.Of.Source.CommitTime)
		}
		if err := k.add(ctx, "", members); err != nil {
			return nil, err
		}
	}
	return &k.making, nil
}
