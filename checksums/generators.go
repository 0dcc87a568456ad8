package checksums

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// generators are what the commands of a release ran and what was fetched for them:
// dependencies of the build beside source and toolchain. The go command is the
// toolchain's. A program of another module is named as the source is.
func generators(m *Manifest) (list []Resource, err error) {
	if m.Generated == nil {
		return nil, nil
	}
	p, err := fact.ReadPlan(m.Plan)
	if err != nil {
		return nil, err
	}
	for i, c := range p.Commands {
		for _, f := range c.Fetched {
			list = append(list, Resource{
				Name: fmt.Sprintf("generate/%d/fetch/%s", i+1, f.Path), URI: f.URL, Digest: map[string]string{"sha256": f.SHA256},
			})
		}
	}
	for _, t := range m.Generated.Tools {
		r := Resource{Name: "generate/" + strconv.Itoa(t.Command) + "/" + t.Name, Digest: map[string]string{}, Annotations: map[string]string{}}
		if t.SHA256 != "" {
			r.Digest["sha256"] = t.SHA256
		}
		if t.Path != "" {
			r.Annotations["path"] = t.Path
		}
		if t.Sum != "" {
			h1, err := decodeH1(t.Sum)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.Name, err)
			}
			r.Digest["dirHash"] = hex.EncodeToString(h1)
			r.Annotations["h1"] = t.Sum
		}
		if module, version, ok := strings.Cut(t.Module, "@"); ok {
			r.URI = purl(module, version)
		}
		if len(r.Digest) > 0 {
			list = append(list, r)
		}
	}
	return list, nil
}
