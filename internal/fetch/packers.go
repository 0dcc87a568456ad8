package fetch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/upx"
	"github.com/mintmark/mintmark/profiles"
)

// refuseUnpackable refuses platforms that UPX does not pack, whatever this
// machine has: by the pinned version where there is one, else what no version
// packs. So the plan is refused on every machine, or on none.
func (p *Planned) refuseUnpackable() error {
	var problems profiles.Problems
	for _, u := range p.Plan.Units {
		if u.UPX == nil {
			continue
		}
		versions, by := upx.Measured(), "by any UPX"
		if u.UPXVersion != "" {
			versions, by = []string{u.UPXVersion}, "by UPX "+u.UPXVersion
		}
		why := unpackable(u, versions)
		if why == "" {
			continue
		}
		problems = append(problems, p.File.Problem(p.settingPos(u, "upx.flags"), fmt.Sprintf("%s cannot be packed %s: %s", u.ID(), by, why),
			"an override can leave it unpacked: {platforms: ["+u.Platform+"], upx: off}"))
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}

// unpackable says why none of some versions of UPX packs a unit; "" when one
// does, or when that is not known.
func unpackable(u *plan.Unit, versions []string) (why string) {
	goos, goarch, _ := strings.Cut(u.Platform, "/")
	for _, v := range versions {
		is, reason := upx.Supported(v, goos, goarch)
		if is != upx.Fails {
			return ""
		}
		why = reason
	}
	return why
}

// FindUPX looks for UPX when a unit is to be packed: the one the profile pins,
// if it does. It refuses platforms that this version is known not to pack.
func (p *Planned) FindUPX(ctx context.Context, caution func(format string, args ...any)) (*upx.Tool, error) {
	var tool *upx.Tool
	var errs []error
	said := map[string]bool{}
	for _, u := range p.Plan.Units {
		if u.UPX == nil {
			continue
		}
		if tool == nil || u.UPXVersion != "" || u.UPXSHA256 != "" {
			found, err := upx.Find(ctx, upx.Config{Confined: p.Confined, Dirs: filepath.SplitList(p.Env("PATH")), Version: u.UPXVersion, SHA256: u.UPXSHA256})
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil {
				if text := err.Error(); !said[text] { // of all its platforms
					said[text] = true
					errs = append(errs, fault.Usagef(fault.Hint(err), "%s: %w", u.ID(), err))
				}
				continue
			}
			tool = found
		}
		goos, goarch, _ := strings.Cut(u.Platform, "/")
		is, reason := upx.Supported(tool.Version, goos, goarch)
		switch {
		case reason == "":
		case is != upx.Fails:
			caution("%s: UPX %s: %s", u.ID(), tool.Version, reason)
		default:
			errs = append(errs, fault.Usagef("set upx: off for this platform in an override", "%s: UPX %s: %s", u.ID(), tool.Version, reason))
		}
	}
	return tool, errors.Join(errs...)
}
