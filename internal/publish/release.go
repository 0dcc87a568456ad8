package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// Release is a release in a directory that was verified. There is no other way to
// one than [Verified], and nothing else can be published.
type Release struct {
	Dir      string
	Manifest *checksums.Manifest
	Files    []File // all of its files, sorted by name
}

// File is one file of a release.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Verified takes the files of a directory for a release: all that are in it, since the
// verification has refused what does not belong there. v is what came, without an
// error, of verifying the directory with all its files. With unsigned, a release whose
// signatures were not checked will do.
func Verified(ctx context.Context, dir string, v *checksums.Verification, unsigned bool) (*Release, error) {
	switch {
	case v == nil || v.Manifest == nil || v.File != "" || v.OtherTool || len(v.Files) == 0:
		return nil, fault.Usagef("name the directory that mintmark release has made", "%s is not a release of mintmark with all its files", dir)
	case !unsigned && !v.Verified():
		return nil, fault.Refusedf("verify it with -key=mintmark.pub", "%s: no signature was checked", dir)
	}
	listed := map[string]string{}
	for _, f := range v.Files {
		if f.Status != checksums.FileVerified {
			return nil, fault.Refusedf("publish the directory with all files of the release", "%s: %s is %s", dir, f.Name, f.Status)
		}
		listed[f.Name] = f.SHA256
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	r := &Release{Dir: dir, Manifest: v.Manifest}
	var errs []error
	for _, e := range entries {
		sum, size, err := files.Digest(ctx, filepath.Join(dir, e.Name()))
		switch want, ok := listed[e.Name()]; {
		case err != nil:
			errs = append(errs, err)
		case ok && sum != want:
			errs = append(errs, fault.Refusedf("verify the directory again, and let nothing write into it", "%s: was changed after it was verified", e.Name()))
		}
		delete(listed, e.Name())
		r.Files = append(r.Files, File{e.Name(), size, sum})
	}
	for name := range listed {
		errs = append(errs, fault.Refusedf("verify the directory again, and let nothing write into it", "%s: %w after it was verified", name, fs.ErrNotExist))
	}
	return r, errors.Join(errs...)
}

// Tag is the tag that the release is published as: what its manifest names, or given,
// for a version that no tag says.
func (r *Release) tag(given string) (string, error) {
	m := r.Manifest
	own := ""
	switch m.From {
	case fact.OfTag:
		own = m.Tag
	case fact.OfSource:
		// A module below the top of its repository has tags with its directory before
		// the version (https://go.dev/ref/mod#vcs-version).
		for _, t := range m.Source.Tags {
			if rest, ok := strings.CutSuffix(t, m.Source.Version); ok && (rest == "" || strings.HasSuffix(rest, "/")) {
				own = t
			}
		}
	}
	const form = "name the tag as git has it"
	switch {
	case own == "" && given == "":
		return "", fault.Usagef("tag the commit "+m.Source.Commit+", push the tag, and name it with -tag=TAG", "%s says no tag of the version %s", checksums.ManifestFile, m.Version)
	case own != "" && given != "" && own != given:
		return "", fault.Usagef("leave out -tag", "-tag=%s: %s says that the version %s is of the tag %s", given, checksums.ManifestFile, m.Version, own)
	case own == "":
		own = given
	}
	if err := checkTag(own); err != nil {
		return "", fault.Usagef(form, "%w", err)
	}
	if m.Source.Commit == "" {
		return "", fault.Usagef("release a checkout of the repository", "%s names no commit, with which the tag %s could be compared", checksums.ManifestFile, own)
	}
	return own, nil
}

// file is the file of that name.
func (r *Release) file(name string) (File, bool) {
	i := slices.IndexFunc(r.Files, func(f File) bool { return f.Name == name })
	if i < 0 {
		return File{}, false
	}
	return r.Files[i], true
}

// names refuses names that a forge does not keep, all of them at once.
func (r *Release) names() error {
	var errs []error
	for _, f := range r.Files {
		if why := fact.NotUploaded(f.Name); why != "" {
			errs = append(errs, fault.Usagef("give it another name in the profile file (name, source, checksums) and release again: letters, digits and . _ - + are kept", "%q %s, which is not kept in names of uploaded files", f.Name, why))
		}
	}
	return errors.Join(errs...)
}

// limits refuses what is more than GitHub takes: files of 2 GiB, and 1,000 of them
// (https://docs.github.com/en/repositories/releasing-projects-on-github/about-releases).
func (r *Release) limits(k Kind) error {
	if k != GitHub {
		return nil // what others take is a setting of the server
	}
	var errs []error
	if n := len(r.Files); n > maxAssets {
		errs = append(errs, fault.Usagef("release fewer platforms at once", "%d files, a release on GitHub has at most %d", n, maxAssets))
	}
	for _, f := range r.Files {
		if f.Size >= maxFile {
			errs = append(errs, fault.Usagef("make it smaller, or publish elsewhere", "%s has %d bytes, GitHub takes less than %d", f.Name, f.Size, int64(maxFile)))
		}
	}
	return errors.Join(errs...)
}

// prerelease reports whether the version is one that comes before a release.
func (r *Release) prerelease() bool {
	v, _, _ := strings.Cut(r.Manifest.Version, "+")
	return strings.Contains(v, "-")
}

// title is what the release is called.
func (r *Release) title() string { return fmt.Sprintf("%s %s", r.Manifest.Project, r.Manifest.Version) }
