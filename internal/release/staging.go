package release

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/builds"
	"github.com/mintmark/mintmark/internal/filelock"
)

// staging is the output directory in the making: beside the final one, so that
// one rename publishes it, under a name nobody takes for a release.
type staging struct {
	final    string
	dir      string
	lock     *filelock.Lock // says that dir is in use, to a mintmark with another cache as well
	done     bool
	leftover error // what kept the previous release from being removed
}

// ours are the files by which an output directory is known to be mintmark's.
var ours = []string{"release.json", "build.json"}

const (
	oldSuffix  = "-old"  // of the previous release while it is replaced
	lockSuffix = ".lock" // of the file whose lock is held while the directory is in use
)

func stagingPrefix(final string) string { return filepath.Base(final) + ".unfinished-" }

// unfinished lists what runs have left beside an output directory.
func unfinished(final string) []string {
	entries, err := os.ReadDir(filepath.Dir(final))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), stagingPrefix(final)) {
			names = append(names, filepath.Join(filepath.Dir(final), e.Name()))
		}
	}
	return names
}

// realPath makes a path absolute and resolves the symbolic links in what of it
// exists, so that one directory has one name.
func realPath(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	rest := ""
	for dir := abs; ; dir = filepath.Dir(dir) {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			return filepath.Join(real, rest), nil
		}
		if _, lerr := os.Lstat(dir); lerr == nil || filepath.Dir(dir) == dir {
			return "", err // a link that leads nowhere, a directory nobody may enter
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}

// openStaging refuses an output directory that is not mintmark's, and proves
// that it can be written and replaced before anything is built. The caller
// holds the lock of the output directory.
func openStaging(final string) (*staging, error) {
	if err := clearUnfinished(final); err != nil {
		return nil, err
	}
	exists := true
	switch fi, err := os.Lstat(final); {
	case errors.Is(err, fs.ErrNotExist):
		exists = false
	case err != nil:
		return nil, fmt.Errorf("output directory: %w", err)
	case !fi.IsDir():
		return nil, hinted("name a directory with -out=DIR", "output directory: %s is not a directory", final)
	default:
		entries, err := os.ReadDir(final)
		if err != nil {
			return nil, fmt.Errorf("output directory: %w", err)
		}
		foreign := ""
		for _, e := range entries {
			if e.IsDir() { // a release has none: somebody's .git, perhaps
				foreign = e.Name()
			}
		}
		if len(entries) > 0 && foreign == "" && !isOurs(final) {
			foreign = entries[0].Name()
		}
		if foreign != "" {
			return nil, hinted("name another with -out=DIR, or move these files to where they belong: a release replaces the whole directory", "output directory: %s holds files that are not mintmark's (%s, …)", final, foreign)
		}
	}
	parent := filepath.Dir(final)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, fmt.Errorf("output directory: %w", err)
	}
	const hint = "mintmark writes beside the output directory and renames at the end; -out=DIR names another"
	f, err := os.CreateTemp(parent, stagingPrefix(final)+"*"+lockSuffix)
	if err != nil {
		return nil, hinted(hint, "output directory: %w", err)
	}
	f.Close()
	s := &staging{final: final, dir: strings.TrimSuffix(f.Name(), lockSuffix)}
	if s.lock, _, err = filelock.Try(f.Name(), ""); err != nil {
		s.lock = nil // a file system without locks: the one in the cache must do
	}
	if err = os.Mkdir(s.dir, 0o755); err == nil {
		err = os.Chmod(s.dir, 0o755) // whatever the umask says
	}
	if err == nil && exists {
		// A mount point, a directory somebody works in on Windows: better
		// known now than after the build.
		if err = os.Rename(final, s.dir+oldSuffix); err == nil {
			err = os.Rename(s.dir+oldSuffix, final)
		}
	}
	if err != nil {
		s.Close()
		return nil, hinted(hint+"; a mount point cannot be renamed, a directory inside it can", "output directory: %w", err)
	}
	return s, nil
}

// clearUnfinished removes what dead runs have left beside the output directory
// and puts a previous release back that one was about to replace.
func clearUnfinished(final string) error {
	names := unfinished(final)
	for _, name := range names {
		base := strings.TrimSuffix(strings.TrimSuffix(name, lockSuffix), oldSuffix)
		if _, err := os.Lstat(base + lockSuffix); err != nil {
			continue
		}
		lock, _, err := filelock.Try(base+lockSuffix, "")
		if errors.Is(err, filelock.ErrLocked) {
			return hinted("wait until it is done, or write to another directory with -out=DIR", "another mintmark is writing %s", final)
		}
		if err == nil {
			lock.Release()
		}
	}
	for _, name := range names {
		if !strings.HasSuffix(name, oldSuffix) {
			continue
		}
		if _, err := os.Lstat(final); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err := os.Rename(name, final); err != nil {
			return fmt.Errorf("output directory: putting back the previous release: %w", err)
		}
	}
	for _, name := range names {
		builds.RemoveTree(name)
	}
	return nil
}

func isOurs(dir string) bool {
	for _, name := range ours {
		var m struct {
			Schema string `json:"schema"`
		}
		data, err := readRegular(filepath.Join(dir, name))
		if err == nil && json.Unmarshal(data, &m) == nil && strings.HasPrefix(m.Schema, "https://github.com/mintmark/mintmark/") {
			return true
		}
	}
	return false
}

func readRegular(name string) ([]byte, error) {
	if fi, err := os.Lstat(name); err != nil || !fi.Mode().IsRegular() {
		return nil, errors.Join(err, fs.ErrInvalid)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 256<<20))
}

// publish puts the staged directory into its final place.
func (s *staging) publish() error {
	old := s.dir + oldSuffix
	err := os.Rename(s.final, old)
	hadOld := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("output directory: %w", err)
	}
	if err := os.Rename(s.dir, s.final); err != nil {
		if hadOld {
			err = errors.Join(err, os.Rename(old, s.final))
		}
		return fmt.Errorf("output directory: %w", err)
	}
	s.done = true
	if hadOld {
		s.leftover = builds.RemoveTree(old)
	}
	return nil
}

func (s *staging) Close() {
	if !s.done {
		builds.RemoveTree(s.dir)
	}
	if s.lock != nil {
		s.lock.Release()
	}
	os.Remove(s.dir + lockSuffix)
}
