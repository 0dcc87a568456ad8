package workspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// Check refuses a cache directory in which something leads elsewhere. Who
// filled it may have been anybody: continuous integration restores it from an
// archive, and what is in it is written to, by us and by the go command, which
// follows links. mintmark makes directories and regular files, each with one
// name; so everything else was put there by somebody, and nothing of it is
// touched. The cache directory itself may be a link.
//
// It takes one reading of the directories, without the contents of modules and
// toolchains, whose files are only ever read, after they were checked.
func Check(cache string) error {
	var errs []error
	for _, name := range names(false) {
		dir := filepath.Join(cache, name)
		switch err := files.IsDir(dir); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			errs = append(errs, err)
		default:
			errs = append(errs, files.Strange(dir, func(rel string) files.Look { return lookCache(name, rel) }))
		}
	}
	for _, name := range names(true) {
		name = filepath.Join(cache, name)
		if fi, err := os.Lstat(name); err == nil && !fi.Mode().IsRegular() {
			errs = append(errs, &files.NotRegularError{Path: name, Mode: fi.Mode()})
		}
	}
	err := errors.Join(errs...)
	if err == nil { // nothing leads elsewhere
		err = checkRepositories(cache)
	}
	return strangeCache(err)
}

// BuildCache makes the directory of the first place's compiles by the toolchain of
// that name, in a cache directory. It is not looked at: see [BuildCacheCheck].
func BuildCache(cache, toolchain string) (string, error) {
	return files.MakeDir(cache, "first", "gocache", toolchain)
}

// BuildCacheCheck returns Check for the build caches of toolchains, which looks
// at each directory once. They are looked at when they are used, since they have
// most of all files, and each of them has to be asked for its names: the go
// command writes into files that are there already. Of the directory common,
// which they are in, there is nothing to say: Check has looked at it.
func BuildCacheCheck(common string) func(dir string) error {
	var looked sync.Map // directory: func() error
	return func(dir string) error {
		if dir == common {
			return nil
		}
		look, _ := looked.LoadOrStore(dir, sync.OnceValue(func() error {
			return strangeCache(files.Strange(dir, func(string) files.Look { return files.Links }))
		}))
		return look.(func() error)()
	}
}

// strangeCache tells what was found and is not ours from what could not be looked
// at: only the first is to be removed.
func strangeCache(err error) error {
	var found, failed []error
	for _, e := range fault.Leaves(err) {
		if _, ok := errors.AsType[*fs.PathError](e); ok {
			failed = append(failed, Error(e))
		} else {
			found = append(found, e)
		}
	}
	if len(found) > 0 { // %v: what to do about a file elsewhere is no advice here
		failed = append(failed, fault.Errorf("mintmark makes no such thing there, so somebody else did: remove it, or the directory, which costs nothing but time; MINTMARK_CACHE can name another directory", "cache directory: %v", errors.Join(found...)))
	}
	return errors.Join(failed...)
}

// lookCache says how a directory below one of [cacheDirs] is looked at.
func lookCache(top, rel string) files.Look {
	parts := strings.Split(rel, "/")
	depth := len(parts) // 1 for what is directly below top
	if rel == "." {
		return files.Names
	}
	switch top {
	case "work":
		return files.Skip // each is one run's own
	case "first", "foreign", "rebuild":
		switch parts[0] {
		case "gocache":
			if depth > 1 && len(parts[1]) > 2 {
				return files.Skip // a toolchain's: see BuildCacheCheck
			}
			return files.Links // the go command writes into the files of its cache
		case "go", "linked":
			if depth > 1 {
				return files.Skip // toolchains and binaries, checked when they are used
			}
		case "modcache":
			return lookModules(parts)
		}
	case "worker":
		// A source may have links, and modules and toolchains have very many files: a
		// place is made anew, and what is sent is checked when it is used.
		if parts[0] == "runs" && depth > 1 || parts[0] == "toolchains" && depth > 2 {
			return files.Skip
		}
	case "second":
		if parts[0] == "toolchains" && depth > 2 {
			return files.Skip
		}
		return lookModules(parts)
	}
	return files.Names
}

// lookModules spares unpacked modules. Into the repositories that the go command
// keeps, both it and git write, through links and into files that are there.
func lookModules(parts []string) files.Look {
	last := parts[len(parts)-1]
	vcs := slices.Contains(parts, "vcs") && slices.Contains(parts, "cache")
	switch {
	case vcs && slices.Contains(parts, "objects"):
		return files.Names // files are not written to again; one that git was killed over may have two names
	case vcs:
		return files.Links
	case strings.Contains(last, "@") && last != "@v":
		return files.Skip
	}
	return files.Names
}
