package fetch

import (
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/profiles"
)

// settingsOf are the settings of a unit's profile; ok is false of a plan that was
// not made of a profile file.
func (s *Subject) settingsOf(u *plan.Unit) (_ profiles.Settings, ok bool) {
	for _, sel := range s.Selected {
		for _, pl := range sel.Platforms {
			if sel.Profile.Name == u.Profile && pl.String() == u.Platform {
				return sel.Profile.Settings(pl), true
			}
		}
	}
	return profiles.Settings{}, false
}

// settingPos is where the profile of a unit sets a key.
func (s *Subject) settingPos(u *plan.Unit, key string) profiles.Position {
	for _, sel := range s.Selected {
		for _, pl := range sel.Platforms {
			if sel.Profile.Name == u.Profile && pl.String() == u.Platform {
				return sel.Profile.Pos(pl, key)
			}
		}
	}
	return profiles.Position{}
}

// Declared is what the profile says of starting the unit's programs: nil when
// it says nothing, or when it speaks of one of several.
func (s *Subject) Declared(u *plan.Unit) *profiles.Bench {
	settings, ok := s.settingsOf(u)
	b := settings.Bench
	if !ok || len(b.Args) == 0 && b.Ready == "" && b.Stdin == "" && len(b.Env) == 0 || len(u.Mains) > 1 {
		return nil
	}
	return &b
}
