package release

import (
	"path/filepath"

	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// ProfileNames are the names of the profiles that -profile can choose: those of
// the profile file config, else of the one in dir. They are for a shell that
// completes them, which wants no errors: none for a file that is not right. No
// git and no go command is run.
func ProfileNames(dir, config string) (names []string) {
	if config == "" {
		config = filepath.Join(dir, fetch.ConfigName)
	}
	const limit = 1 << 20 // as profiles has it
	data, err := files.Read(config, limit)
	if err != nil {
		return nil
	}
	f, err := profiles.Load(config, data)
	if err != nil {
		return nil
	}
	for _, p := range f.Profiles {
		if len(p.Platforms) > 0 { // the others are only inherited from
			names = append(names, p.Name)
		}
	}
	return names
}
