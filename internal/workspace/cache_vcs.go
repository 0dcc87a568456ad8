package workspace

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
)

// fetchedInto are the directories whose module cache is filled from the network.
var fetchedInto = []string{"first", "foreign", "rebuild"}

// checkRepositories looks at the repositories that the go command keeps in a
// module cache for modules that come from no proxy. It runs git there, and git
// reads the configuration that lies there: programs to run, and where else to
// fetch from. So only what the go command itself makes git write may be in one.
// Those of other systems can say as much in more places: they are removed, and
// fetched anew if they are needed at all.
func checkRepositories(cache string) error {
	var errs []error
	for _, top := range fetchedInto {
		dir := filepath.Join(cache, top, "modcache", "cache", "vcs")
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		for _, e := range entries {
			if e.IsDir() {
				errs = append(errs, checkRepository(filepath.Join(dir, e.Name())))
			}
		}
	}
	return errors.Join(errs...)
}

func checkRepository(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ignoreGone(err)
	}
	git, other := len(entries) == 0, ""
	for _, e := range entries {
		switch name := e.Name(); {
		case name == "HEAD", name == "config", name == "objects":
			git = true
		case !bareEntry(name):
			other = name
		}
	}
	if !git {
		if sum, err := hex.DecodeString(filepath.Base(dir)); err == nil && len(sum) == 32 {
			return files.RemoveTree(dir)
		}
	}
	if other != "" {
		return fmt.Errorf("%s: is nothing that the go command has git make there", filepath.Join(dir, other))
	}
	name := filepath.Join(dir, "config")
	data, err := files.ReadOwn(name, 64<<10)
	if err != nil {
		return ignoreGone(err)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(data), "\n"), "\n") {
		if line = strings.TrimSuffix(line, "\r"); line != "" && !bareLine.MatchString(line) {
			return fmt.Errorf("%s: says more than the go command has git write there", name) // not what: an address may have a password
		}
	}
	return nil
}

// ignoreGone forgives what another run has just removed, or not made yet.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// bareLine is a line of the configuration of a repository of the go command.
var bareLine = regexp.MustCompile(`^(?:\[core\]|\[extensions\]|\[remote "origin"\]` +
	`|\t(?:repositoryformatversion|filemode|bare|ignorecase|precomposeunicode|symlinks|logallrefupdates|longpaths|objectformat|refstorage) = [a-z0-9]+` +
	`|\turl = (?:https?|ssh|git|git\+ssh)://[^\s"'\\#;]+` +
	`|\tfetch = \+refs/heads/\*:refs/remotes/origin/\*)$`)

// bareEntry reports whether git makes a thing of that name at the top of a bare
// repository. Not among them is what leads git, or another system, elsewhere:
// commondir, config.worktree, .git, .hg.
func bareEntry(name string) bool {
	return slices.Contains([]string{"HEAD", "FETCH_HEAD", "ORIG_HEAD", "config", "description", "hooks", "info", "objects", "refs", "reftable", "logs", "branches", "packed-refs", "shallow", "gc.log", "gc.pid"}, name) ||
		strings.HasSuffix(name, ".lock") || strings.HasPrefix(name, "tmp_") || strings.HasPrefix(name, "shallow_")
}
