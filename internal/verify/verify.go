// Package verify checks what others have published: a release against its
// signatures, checksums and manifest ([Release]), one file of it, or what another
// tool released ([At]), by building it again ([Rebuild], [Attest]), and any Go binary
// by recovering how it was built ([Binaries]).
//
// Plain verification is offline and runs nothing; what is published elsewhere is
// fetched before ([Web]), within bounds. What builds, builds as a release
// does, by the same executors, from what the record names.
package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/exact"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/shell"
)

// Config is what [Release] works on.
type Config struct {
	Path     string           // a release's directory, or its release.json
	Beside   string           // of one file of a release, the directory with the others; "" is its own
	Key      checksums.KeyRef // public key
	Project  string           // what the release must be of; empty is not compared
	Module   string           // module path
	Version  string
	Commit   string
	Missing  bool // listed files may be absent
	Unsigned bool // no key: check only that the files agree with each other
	Machines int  // 2: every unit must have been built on two machines; 0: that is not demanded

	// Rebuilders are public keys of those whose rebuild statements count. Threshold of them must vouch for every published
	// artifact; 0 means all of them. Statements are files or directories to find
	// them in, besides the release's own directory.
	Rebuilders []checksums.KeyRef
	Threshold  int
	Statements []string
	only       string // the one published file that a rebuild is about
	// signed leaves binaries that were signed after the release to the caller, who
	// compares them; see [unproven].
	signed bool
}

// Release checks a published release offline: signatures, checksums, files, the
// record, the members of every archive against the manifest, and the statements
// of rebuilders.
func Release(ctx context.Context, cfg Config) (*checksums.Verification, error) {
	vc, rebuilders, err := cfg.expected(ctx)
	if err != nil {
		return nil, err
	}
	fi, err := os.Stat(cfg.Path)
	if err != nil {
		return nil, fault.Usagef("name a release's directory or its release.json", "%w", err)
	}
	if !fi.IsDir() && !fi.Mode().IsRegular() {
		return nil, fault.Usagef("name a release's directory or its release.json", "%w", &files.NotRegularError{Path: cfg.Path, Mode: fi.Mode()})
	}
	if !fi.IsDir() {
		if err := notManifest(cfg.Path); err != nil {
			return nil, err
		}
	}
	var v *checksums.Verification
	if fi.IsDir() {
		vc.CodeSigned, vc.AcceptSigned = codeSigned(cfg.Path), cfg.signed
		if v, err = checksums.VerifyRelease(ctx, cfg.Path, vc); err == nil {
			at := func(name string) string { return filepath.Join(cfg.Path, name) }
			err = verifyContents(ctx, v, at)
		}
	} else {
		v, err = checksums.VerifyManifest(ctx, cfg.Path, vc)
	}
	if err != nil {
		return v, err
	}
	return v, quorum(ctx, cfg, rebuilders, v)
}

// expected is what the release has to be, and the keys of the rebuilders that count.
// Wrong usage is refused with that.
func (cfg Config) expected(ctx context.Context) (vc checksums.VerifyConfig, rebuilders []checksums.Trust, err error) {
	vc = checksums.VerifyConfig{
		Project: cfg.Project, Module: cfg.Module, Version: cfg.Version, Commit: cfg.Commit,
		AllowMissing: cfg.Missing, AllowUnsigned: cfg.Unsigned, Machines: cfg.Machines,
	}
	if err := cfg.usage(); err != nil {
		return vc, nil, err
	}
	switch {
	case !cfg.Key.IsZero():
		t, err := checksums.LoadTrust(ctx, cfg.Key)
		if err != nil {
			return vc, nil, fmt.Errorf("public key: %w", err)
		}
		vc.Trust = t
	case !cfg.Unsigned:
		return vc, nil, fault.Usagef("get the publisher's public key from somewhere else than the release and name it with -key=mintmark.pub; -unsigned checks only that the files agree with each other", "no key to verify with")
	}
	rebuilders, err = quorumKeys(ctx, cfg)
	return vc, rebuilders, err
}

// usage refuses what is expected and cannot be, before anything is looked at.
func (cfg Config) usage() error {
	if !cfg.Key.IsZero() && cfg.Unsigned {
		return fault.Usagef("leave one of them out", "-key and -unsigned contradict each other")
	}
	if b, ok := exact.Hex(cfg.Commit); cfg.Commit != "" && (!ok || len(b) != 20 && len(b) != 32) {
		return fault.Usagef("write all 40 or 64 digits, in lower case: git rev-parse "+cfg.Commit, "-commit=%s is not a full git hash", cfg.Commit)
	}
	if cfg.Machines != 0 && cfg.Machines != 2 {
		return fault.Usagef("-machines=2 demands two; a release does not say of more than two machines that they are different ones", "-machines=%d", cfg.Machines)
	}
	if strings.Contains(cfg.Module, "@") {
		return fault.Usagef("name the path alone, and the version with -version: -module=PATH -version=VERSION", "-module=%s: the module that is expected has no version", cfg.Module)
	}
	return nil
}

// notManifest refuses a file that is not meant to be a manifest, such as one of
// the release's own archives, or another tool's JSON: nothing is wrong with it.
func notManifest(name string) error {
	dir := filepath.Dir(name)
	beside := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool {
			_, err := os.Lstat(filepath.Join(dir, n))
			return err == nil
		})
	}
	data, err := files.Read(name, checksums.MaxManifestSize)
	_, large := errors.AsType[*files.TooLargeError](err)
	switch {
	case err != nil && !large:
		return fault.Usagef("name a release's directory or its release.json", "%w", err)
	case err == nil && checksums.IsManifest(data):
		return nil // what is wrong with it is said by who reads it
	case filepath.Base(name) == checksums.ManifestFile && beside(checksums.ChecksumsFile, checksums.ChecksumsBundle, checksums.ProvenanceBundle):
		return nil // of a release that was damaged
	}
	hint := "name the directory of the release it belongs to, or its release.json; mintmark rebuild FILE builds anybody's binary again and compares"
	if filepath.Base(name) != checksums.ManifestFile && beside(checksums.ManifestFile) {
		hint = "name the release it belongs to: " + shell.Name(dir)
	} else if json.Valid(data) {
		hint = "name the release's directory, or the release.json in it"
	}
	return fault.Usagef(hint, "%s is one file, not a release and not its release.json", name)
}

// verifyContents compares what is in files with what the manifest says of that. at is
// where the file of a name lies.
func verifyContents(ctx context.Context, v *checksums.Verification, at func(name string) string) error {
	var refused checksums.VerifyError
	if err := verifyMembers(ctx, v, at, &refused); err != nil {
		return err
	}
	if err := verifyPackages(ctx, v, at, &refused); err != nil {
		return err
	}
	if err := verifySlices(ctx, v, at, &refused); err != nil {
		return err
	}
	if err := verifyImages(ctx, v, at, &refused); err != nil {
		return err
	}
	if len(refused.Refusals) > 0 {
		return &refused
	}
	return nil
}

// verifyMembers compares what is in the archives with what the manifest says is in
// them.
func verifyMembers(ctx context.Context, v *checksums.Verification, at func(name string) string, refused *checksums.VerifyError) error {
	refuse := func(name, reason string) {
		refused.Refusals = append(refused.Refusals, checksums.RefusedError{Name: name, Reason: reason, Remedy: "the archive is not what its own manifest describes: do not use it"})
	}
	packages, err := plannedPackages(v.Manifest)
	if err != nil {
		return err
	}
	for _, a := range append(v.Manifest.Published(), generatedArchive(v.Manifest)...) {
		if !a.Stage.Holds() || v.File != "" && a.Name != v.File {
			continue
		}
		f, err := files.Open(at(a.Name))
		if os.IsNotExist(err) { // allowed to be missing, or VerifyRelease would have refused
			v.Checks.Open(fact.Members, a.Name, "it is not here")
			continue
		}
		if err != nil {
			return err
		}
		if a.Stage == fact.PackageStage {
			err := readPackage(ctx, f, a, packages[a.Unit()])
			f.Close()
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			for _, err := range fault.Leaves(err) {
				refuse(a.Name, err.Error())
			}
			if err == nil {
				v.Checks.Done(fact.Members, a.Name, "")
			}
			continue
		}
		format := ""
		for _, known := range archive.Formats() {
			if strings.HasSuffix(a.Name, "."+known) {
				format = known
			}
		}
		if a.Size == 0 { // of the generated files, the manifest says it of each alone
			if fi, err := f.Stat(); err == nil {
				a.Size = fi.Size()
			}
		}
		entries, err := archive.List(ctx, f, a.Size, format)
		f.Close()
		if err != nil {
			refuse(a.Name, err.Error())
			continue
		}
		if len(entries) != len(a.Members) {
			refuse(a.Name, fmt.Sprintf("holds %d files, the manifest lists %d", len(entries), len(a.Members)))
			continue
		}
		wrong := len(refused.Refusals)
		for i, e := range entries {
			if m := a.Members[i]; m.Name != e.Name || m.SHA256 != e.SHA256 || m.Size != e.Size || m.Mode != fmt.Sprintf("%04o", e.Mode.Perm()) {
				refuse(a.Name, fmt.Sprintf("member %s is not the one the manifest lists", e.Name))
			}
		}
		if len(refused.Refusals) == wrong {
			v.Checks.Done(fact.Members, a.Name, "")
		}
	}
	return nil
}

// plannedPackages are the packages of the plan's units, by unit.
func plannedPackages(m *checksums.Manifest) (map[string]*fact.Packages, error) {
	shape, err := fact.ReadPlan(m.Plan)
	if err != nil {
		return nil, err
	}
	of := map[string]*fact.Packages{}
	for _, u := range shape.Units {
		of[u.ID()] = u.Packages
	}
	return of, nil
}

// readPackage holds what a package installs against the manifest and the plan.
func readPackage(ctx context.Context, f *os.File, a checksums.Artifact, p *fact.Packages) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if p == nil {
		return errors.New("the plan says of no package what is in it")
	}
	var members []archive.Entry
	for _, m := range a.Members {
		mode, err := strconv.ParseUint(m.Mode, 8, 9)
		if err != nil {
			return fmt.Errorf("member %s: mode %s", m.Name, m.Mode)
		}
		members = append(members, archive.Entry{Name: m.Name, Size: m.Size, SHA256: m.SHA256, Mode: os.FileMode(mode)})
	}
	list, err := archive.ListPackage(ctx, f, fi.Size(), fact.PackageFormat(a.Name))
	if err != nil {
		return err
	}
	return archive.CheckInstalled(list, members, p)
}

// verifyPackages looks for the programs in packages among those of the manifest, which
// says nothing else of them.
func verifyPackages(ctx context.Context, v *checksums.Verification, at func(name string) string, refused *checksums.VerifyError) error {
	known := map[string]bool{}
	for _, a := range v.Manifest.Artifacts {
		if a.Stage == fact.Linked || a.Stage == fact.Packed || a.Stage == fact.Universal {
			known[a.SHA256] = true
		}
	}
	names := []string{v.File}
	if v.File == "" {
		names = nil
		for _, e := range v.Listed {
			names = append(names, e.Name)
		}
	}
	for _, name := range names {
		if !fact.Package(name) {
			continue
		}
		f, err := files.Open(at(name))
		if os.IsNotExist(err) {
			v.Checks.Open(fact.Packaged, name, "it is not here")
			continue
		}
		if err != nil {
			return err
		}
		programs, err := packaged(ctx, f)
		f.Close()
		wrong := len(refused.Refusals)
		refuse := func(reason string) {
			refused.Refusals = append(refused.Refusals, checksums.RefusedError{Name: name, Reason: reason, Remedy: "the package does not hold what was released: do not use it"})
		}
		if err != nil {
			refuse(err.Error())
		}
		for _, p := range programs {
			if !known[p.SHA256] {
				refuse(fmt.Sprintf("%s is no program of the manifest", p.Name))
			}
		}
		switch {
		case len(refused.Refusals) > wrong:
		case len(programs) == 0:
			v.Checks.Open(fact.Packaged, name, "there are none: what starts when it is used was not looked at")
		default:
			v.Checks.Done(fact.Packaged, name, "")
		}
	}
	return nil
}

// packaged are the members of a package that are to be started, but for scripts.
func packaged(ctx context.Context, f *os.File) (programs []archive.Entry, err error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	all, err := archive.List(ctx, f, fi.Size(), archive.TarGz)
	for _, e := range all {
		if (e.Mode.Perm()&0o111 != 0 || strings.HasPrefix(e.Name, "package/bin/")) && !strings.HasSuffix(e.Name, ".js") {
			programs = append(programs, e)
		}
	}
	return programs, err
}

// generatedArchive is the archive of a release's generated files, as if it were an
// artifact; none if nothing was generated.
func generatedArchive(m *checksums.Manifest) []checksums.Artifact {
	if m.Generated == nil {
		return nil
	}
	a := checksums.Artifact{Name: fact.GeneratedArchive, Stage: fact.Archived}
	for _, f := range m.Generated.Files {
		a.Members = append(a.Members, checksums.Member{Name: f.Name, Size: f.Size, SHA256: f.SHA256, Mode: f.Mode})
	}
	return []checksums.Artifact{a}
}
