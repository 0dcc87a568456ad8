package release

import (
	"context"

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

// channelSteps are a step for each of these files.
func channelSteps(list []channels.File) (all []step) {
	for _, f := range list {
		all = append(all, step{
			names: []string{f.Name}, needs: func(*publication) bool { return true },
			make: func(ctx context.Context, p *publication) (map[string][]byte, error) {
				data, err := f.Make(ctx, p.stage.Dir)
				return map[string][]byte{f.Name: data}, err
			},
		})
	}
	return all
}
