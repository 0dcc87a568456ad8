package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/shell"
)

// NoKeyError says that a file is as it is listed, and that no key was given to
// check by whom the list is.
type NoKeyError struct{ File string }

func (e *NoKeyError) Error() string {
	return e.File + ": no signature was checked: no key to verify with"
}

// Hint says how one is given.
func (e *NoKeyError) Hint() string {
	return "get the publisher's public key from somewhere else than the release and name it with -key=mintmark.pub; -unsigned says that the digest alone will do"
}

// At checks what cfg.Path names: a release's directory or its release.json, as
// [Release] does; one file of a release, also a member of an archive, against what of
// the release is beside it or in cfg.Beside;
// or a directory or a file of a release that another tool made, as far as there is
// something to compare with. Of one file without a key, the error of what is well
// otherwise is a [NoKeyError], unless cfg.Unsigned.
func At(ctx context.Context, cfg Config) (*checksums.Verification, error) {
	if err := cfg.usage(); err != nil {
		return nil, err
	}
	file, layout, err := cfg.look()
	if err != nil {
		return nil, err
	}
	dir := cfg.Path
	switch {
	case file != "":
		dir = cfg.beside()
	case layout.Ours || layout.List.Name == "":
		return Release(ctx, cfg)
	}
	given := !cfg.Key.IsZero() || cfg.Unsigned
	if file != "" && !given {
		cfg.Unsigned = true
	}
	vc, rebuilders, err := cfg.expected(ctx)
	if err != nil {
		return nil, err
	}
	if len(rebuilders) > 0 {
		return nil, fault.Usagef("name the release's directory: a rebuilder's statement is about all of it", "-rebuilder: %s is not a release of mintmark with all its files", cfg.Path)
	}
	var v *checksums.Verification
	if layout.Ours {
		if v, err = checksums.VerifyFile(ctx, cfg.Path, dir, layout.List, vc); err == nil && v.Manifest != nil {
			err = verifyContents(ctx, v, func(string) string { return cfg.Path })
		}
	} else {
		v, err = checksums.VerifyOther(ctx, dir, file, layout, vc)
	}
	if err == nil && file != "" && !given {
		err = &NoKeyError{file}
	}
	return v, err
}

// beside is the directory that the other files of one file's release are in.
func (cfg Config) beside() string {
	if cfg.Beside != "" {
		return cfg.Beside
	}
	return filepath.Dir(cfg.Path)
}

// look tells what the path is: file is the base name of one file of a release, "" for
// a directory and a manifest, which are whole releases.
func (cfg Config) look() (file string, l checksums.Layout, err error) {
	if cfg.Beside != "" {
		const hint = "name the directory with checksums.txt and release.json of the release"
		if fi, err := os.Stat(cfg.Beside); err != nil {
			return "", l, fault.Usagef(hint, "-release: %w", err)
		} else if !fi.IsDir() {
			return "", l, fault.Usagef(hint, "-release=%s is not a directory", cfg.Beside)
		}
	}
	file, l, err = cfg.lookAt(cfg.Path)
	switch {
	case err != nil || cfg.Beside == "":
	case file == "":
		return "", l, fault.Usagef("leave -release out", "-release=%s: %s is no file of a release, but all of it", cfg.Beside, cfg.Path)
	case !l.Ours:
		return "", l, fault.Usagef("name the directory with checksums.txt and release.json of the release", "-release=%s: nothing there is of a release of mintmark", cfg.Beside)
	}
	return file, l, err
}

func (cfg Config) lookAt(path string) (file string, l checksums.Layout, err error) {
	const hint = "name a release's directory or one of its files"
	fi, err := os.Stat(path)
	if err != nil {
		return "", l, fault.Usagef(hint, "%w", err)
	}
	if fi.IsDir() {
		l, err = checksums.Look(path, "")
		return "", l, err
	}
	if !fi.Mode().IsRegular() {
		return "", l, fault.Usagef(hint, "%w", &files.NotRegularError{Path: path, Mode: fi.Mode()})
	}
	ours := checksums.Layout{Ours: true}
	data, err := files.Read(path, checksums.MaxManifestSize)
	_, large := errors.AsType[*files.TooLargeError](err)
	if err != nil && !large {
		return "", l, fault.Usagef(hint, "%w", err)
	}
	dir, file := cfg.beside(), filepath.Base(path)
	if err == nil && checksums.IsManifest(data) || file == checksums.ManifestFile {
		return "", ours, nil
	}
	if l, err = checksums.Look(dir, file); err != nil {
		return "", l, err
	}
	if file == l.List.Name || l.Ours && l.List.KindOf(file) == fact.About || slices.Contains(l.Attestations, file) {
		return "", l, fault.Usagef("name the file that you want to check, or the release: "+shell.Name(dir), "%s is about the other files of a release", path)
	}
	if !l.Ours && l.List.Name == "" && len(l.Attestations) == 0 && !hasSignature(path) {
		return "", l, fault.Usagef("put "+checksums.ChecksumsFile+" of its release beside it, and release.json and provenance.sigstore.json if there are some, or name the directory that has them with -release=DIR; mintmark rebuild FILE builds anybody's binary again and compares",
			"%s is one file, and nothing beside it says what it should be", path)
	}
	return file, l, nil
}

// hasSignature reports whether there is a signature of the file beside it.
func hasSignature(path string) bool {
	return slices.ContainsFunc(checksums.SignatureSuffixes(), func(suffix string) bool {
		_, err := os.Lstat(path + suffix)
		return err == nil
	})
}

// rebuildFile is [Rebuild] for one file of a release, which At has found well: it
// builds for the file's platform what the manifest beside it says, and the file is
// the one that came out; the source archive is made of the commit.
func rebuildFile(ctx context.Context, cfg run.Config, vc Config, from string) (*checksums.Verification, error) {
	file := filepath.Base(vc.Path)
	one, err := At(ctx, vc)
	if err != nil {
		return one, err
	}
	if one.Manifest == nil {
		return one, fault.Usagef("put "+checksums.ManifestFile+" and "+checksums.ProvenanceBundle+" of its release beside it", "-rebuild: nothing beside %s says how it was built", file)
	}
	if a := one.Manifest.SourceArchive; a != nil && a.Name == file {
		return rebuildSource(ctx, cfg, one, from)
	}
	product, ok := one.Manifest.ArtifactNamed(file)
	if one.Found != nil {
		product, ok = one.Manifest.ArtifactOf(one.Found)
		ok = ok && one.Found.Artifact != ""
	}
	if !ok {
		return one, fault.Usagef("name the release, "+shell.Name(vc.beside()), "-rebuild: %s is no product of a build", file)
	}
	if cfg.Platforms != "" && cfg.Platforms != product.Platform {
		return one, fault.Usagef("leave out -platform", "-platform=%s: %s is for %s", cfg.Platforms, file, product.Platform)
	}
	cfg.Platforms = strings.Join(one.Manifest.Platforms(product), ",")
	vc.Path, vc.Beside, vc.only = filepath.Join(vc.beside(), checksums.ManifestFile), "", file
	v, err := Rebuild(ctx, cfg, vc, from)
	if v == nil {
		return one, err
	}
	v.File, v.Found, v.List, v.Files = file, one.Found, one.List, one.Files
	for _, a := range one.Checks.Answers() {
		if a.Checked && (a.Check == fact.Digest || a.Check == fact.Signature || a.Check == fact.Members || a.Check == fact.Packaged || a.Check == fact.Slices || a.Check == fact.InImage) {
			v.Checks.Done(a.Check, a.Subject, a.Detail)
		}
	}
	v.Checks.Open(fact.OtherFiles, "", fmt.Sprintf("only %s was looked at", fact.FileName(file)))
	return v, err
}
