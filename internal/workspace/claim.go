package workspace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// A claim is how a run shows, after it has been killed, that a directory beside
// a lock file is of its making: the lock file says so, and it was written before
// the directory was made, which would have failed had there been one. A name
// alone shows nothing.
//
// The lock file has one JSON document a line, the claim first; each line after
// it names a file that the run is about to write into the directory. Lines are
// only appended, so that a run that is killed leaves a claim at every moment.
type claim struct {
	Schema fact.Schema `json:"schema"`
	Dir    string      `json:"dir"` // base name of the directory
}

// ClaimSchema is that of a claim, the first line of a lock file.
const ClaimSchema = "https://github.com/mintmark/mintmark/claim/v1"

// maxClaim bounds a lock file: some ten thousand names.
const maxClaim = 4 << 20

// LockSuffix ends the name of a lock file; before it is the directory's.
const LockSuffix = ".lock"

// ClaimDir makes a lock file in parent whose name begins with prefix, and says
// in it that the directory of the same name is ours, which does not exist yet.
func ClaimDir(parent, prefix string) (dir string, err error) {
	f, err := os.CreateTemp(parent, prefix+"*"+LockSuffix)
	if err != nil {
		return "", err
	}
	dir = strings.TrimSuffix(f.Name(), LockSuffix)
	line, err := json.Marshal(claim{ClaimSchema, filepath.Base(dir)})
	if err == nil {
		_, err = f.Write(append(line, '\n'))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return dir, nil
}

// ClaimFiles notes that files of these names are about to be written into dir.
func ClaimFiles(dir string, names ...string) error {
	var text []byte
	for _, name := range names {
		line, err := json.Marshal(name)
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	f, err := files.OpenOwn(dir+LockSuffix, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// Claimed reads the names of the files that a run may have written into dir; ok
// is false when the lock file beside it does not say that dir is ours.
func Claimed(dir string) (names []string, ok bool) {
	data, err := files.ReadOwn(dir+LockSuffix, maxClaim)
	if err != nil {
		return nil, false
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if i == 0 {
			var c claim
			if json.Unmarshal(line, &c) != nil || c != (claim{ClaimSchema, filepath.Base(dir)}) {
				return nil, false
			}
			continue
		}
		var name string
		if json.Unmarshal(line, &name) == nil { // the last one may have been cut off
			names = append(names, name)
		}
	}
	return names, true
}

// EmptyLock reports whether name is a lock file of a run that died before it
// had written its claim, and so before it made a directory.
func EmptyLock(name string) bool {
	fi, err := os.Lstat(name)
	return err == nil && fi.Mode().IsRegular() && fi.Size() == 0 && strings.HasSuffix(name, LockSuffix)
}

// Unclaimed is the first thing in dir that a run with these names has not made;
// "" when there is none.
func Unclaimed(dir string, names []string) (string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !slices.Contains(names, e.Name()) {
			return filepath.Join(dir, e.Name()), nil
		}
	}
	return "", nil
}

// RemoveNamed removes the named files of a directory, then the directory: with
// anything else in it, that stays and is an error.
func RemoveNamed(dir string, names []string) error {
	var errs []error
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, fmt.Errorf("left in place: %w", err))
	}
	return errors.Join(errs...)
}
