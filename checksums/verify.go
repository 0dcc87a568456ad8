package checksums

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// VerifyConfig says what a release has to be.
type VerifyConfig struct {
	// Trust says whose release it has to be; a key is obtained from elsewhere than
	// the release. With a Trust both signatures are required, and that of the
	// published ledger when there is one.
	Trust Trust
	// Expectations. An empty one is not compared, and the [Verification] says
	// so: a signer signs more than one release, so without them an older release,
	// or one of another project, verifies as well.
	Project string
	Module  string // module path of the source
	Version string // with or without the leading v
	Commit  string // full hash
	// AllowMissing accepts that listed files are not there, as long as one is.
	// The files about the release have to be there in any case.
	AllowMissing bool
	// AllowUnsigned, without a Trust, checks only that the files, the checksums
	// and the manifest agree with each other. Whoever made them all up passes
	// that. It means nothing when there is a Trust.
	AllowUnsigned bool
	// RequireIdentical refuses a release with an artifact whose verdict is not
	// identical. Without it the verdicts are only reported.
	RequireIdentical bool
	// Machines is 2 to refuse a release with a unit that was not built on two machines,
	// by what the manifest says; 0: they are only reported.
	Machines int
	// CodeSigned tells whom the code signature of a file of the directory names, "" for a
	// file without one. It is asked of binaries whose bytes are not as listed; nil: of
	// none. Nobody has checked that signature.
	CodeSigned func(name string) (signer string)
	// AcceptSigned leaves such a binary to whoever builds the release again, in place of
	// refusing it: it has the state [FileSigned], and is not verified until all its
	// other bytes were compared.
	AcceptSigned bool
}

// States of a file.
const (
	FileVerified = "verified" // its digest, and its size where the manifest has one, are as listed
	FileMissing  = "missing"  // listed, not there
	FileSigned   = "signed"   // there, not as listed, and with a code signature; see [VerifyConfig.AcceptSigned]
	FileRefused  = "refused"  // there, and not as listed, or not a regular file
	FileUnlisted = "unlisted" // there, not listed
)

// FileCheck is what became of one file.
type FileCheck struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Size   int64  `json:"size,omitempty"`
	SHA256 string `json:"sha256,omitempty"` // as listed
	// Signer is whom the code signature of a signed one names.
	Signer string `json:"code_signature_of,omitempty"`
}

// RebuiltFile is a file of a release that no unit makes, made here once more: the source
// archive, for one.
type RebuiltFile struct {
	Kind    fact.FileKind `json:"kind"` // one that has an [fact.FileKind.Again]
	Name    string        `json:"name"`
	SHA256  string        `json:"sha256,omitempty"`  // published; "" if that is not known
	Rebuilt string        `json:"rebuilt,omitempty"` // here; "" if it was not made
	Verdict fact.Verdict  `json:"verdict"`
	Reason  string        `json:"reason,omitempty"` // of unchecked
	// Findings say where one that did not come out identical differs, where the published
	// bytes were at hand.
	Findings []fact.Finding `json:"findings,omitempty"`
}

// Same reports whether it came out as it is published.
func (r *RebuiltFile) Same() bool {
	return r.Verdict == fact.Identical && r.Rebuilt != "" && r.Rebuilt == r.SHA256
}

// VerdictCheck repeats the verdict that the manifest gives an artifact. It is
// the publisher's statement, not something found out here.
type VerdictCheck struct {
	Name    string       `json:"name"` // PROFILE/PLATFORM/STAGE/NAME
	Verdict fact.Verdict `json:"verdict"`
	Reason  string       `json:"reason,omitempty"`
}

// Verification is what was checked and what was not. It holds only when the
// error that came with it is nil.
type Verification struct {
	Project   string         `json:"project,omitempty"`
	Module    string         `json:"module,omitempty"`
	Version   string         `json:"version,omitempty"`
	Commit    string         `json:"commit,omitempty"`
	PlanID    string         `json:"plan_id,omitempty"`
	Signer    fact.SignerID  `json:"key_id,omitzero"`    // of the list or the record, where one was found right
	Unsigned  bool           `json:"unsigned,omitempty"` // no signature was checked
	Files     []FileCheck    `json:"files,omitempty"`    // sorted by name
	Artifacts []VerdictCheck `json:"artifacts,omitempty"`
	// Independence repeats what the manifest says of the units that were looked at, as
	// Artifacts does; none where it was not recorded.
	Independence []UnitIndependence `json:"independence,omitempty"`
	// Statements are files beside the release that are named like rebuild
	// statements. Nobody has looked into them; see [CheckQuorum].
	Statements []string `json:"statements,omitempty"`
	// File is the one file that was looked at, where it was one; see [VerifyFile].
	File string `json:"file,omitempty"`
	// Found is what File is, where the release publishes nothing under that name.
	Found *Found `json:"found,omitempty"`
	// OtherTool says that another tool made the release; see [VerifyOther].
	OtherTool bool `json:"other_tool,omitempty"`
	// List is the list of the files, where there is one.
	List fact.DigestList `json:"-"`
	// Rebuilt is what came of building the release again here, if that was done.
	Rebuilt []RebuiltArtifact `json:"rebuilt,omitempty"`
	// RebuiltFiles are what came of making files again that no unit makes, as far as they
	// were to be.
	RebuiltFiles []RebuiltFile `json:"rebuilt_files,omitempty"`
	// Confinement is what held those builds.
	Confinement *fact.Confinement `json:"confinement,omitempty"`
	// RebuiltActions say how the packages came about, if it was built twice here
	// and a proof ledger may have spared some compiles.
	RebuiltActions []UnitActions `json:"rebuilt_actions,omitempty"`
	// Rebuilders are those whose statements counted.
	Rebuilders []Rebuilder `json:"rebuilders,omitempty"`
	// Checks are what was checked of the release and what was not.
	Checks   fact.Checks `json:"checks"`
	Manifest *Manifest   `json:"-"`
	// Listed are all files of the release, those about it left out, as checksums.txt or
	// the record has them, with the SHA-256, "" where that is not known; nil where neither
	// was read.
	Listed []Entry `json:"-"`
}

// Verified reports whether all that has to be signed was found to be signed by
// the signer that is believed. Without a Trust nothing is verified, however well
// the files agree with each other. Like all of a Verification it holds only when the
// error that came with it is nil.
func (v *Verification) Verified() bool { return v.Checks.All(fact.Signature) }

// AllIdentical reports whether the manifest calls every artifact identical,
// and there is one.
func (v *Verification) AllIdentical() bool {
	var n fact.Verdicts
	for _, a := range v.Artifacts {
		n.Count(a.Verdict)
	}
	return n.Worst() == fact.Identical
}

// verification is a Verification in the making.
type verification struct {
	cfg  VerifyConfig
	root *os.Root
	out  *Verification
	// manifestName is the file of the manifest, which may have any name when it
	// is looked at alone.
	manifestName string
	list         fact.DigestList
	only         string // the one file that is looked at; "" for the whole release
	sum          string // its SHA-256
	refusals     []RefusedError
}

// VerifyRelease checks the release in dir, offline: trust → bundle →
// checksums.txt → every file; trust → record; record = what the manifest and the
// checksums give; manifest and record name the expected project, version and
// commit. Where there is a published ledger its bundle is checked as well.
// Files that are not listed, other than the two bundles and that of a listed
// ledger, are refused, and so is everything that is not a regular file.
//
// When something is refused the error is a *[VerifyError] with all refusals,
// and the Verification says how far each file came. Other errors are failures
// of the machine or of cfg.
func VerifyRelease(ctx context.Context, dir string, cfg VerifyConfig) (*Verification, error) {
	v, err := newVerification(dir, cfg)
	if err != nil {
		return nil, err
	}
	defer v.root.Close()
	v.findList()
	v.promise(v.list.Name, ProvenanceBundle)

	if v.foreign() {
		return v.result()
	}
	list := v.read(v.list.Name, MaxListSize, lost)
	v.signature(list)
	lines := v.parseList(list)
	m := v.manifest(lines)
	entries, err := v.files(ctx, lines, m)
	if err != nil {
		return nil, err
	}
	if m != nil && lines != nil {
		v.published(entries, m)
	}
	if list != nil && lines != nil {
		entries = append(slices.Clone(entries), Entry{Name: v.list.Name, SHA256: files.DigestBytes(list)})
		v.record(entries, m)
	}
	return v.result()
}

// findList finds the name of the list and what its digests are: the manifest has
// it where it is not the usual one. Nothing is believed of the manifest with that:
// it counts if the list that it names has its digest.
func (v *verification) findList() {
	v.list = fact.DefaultList()
	if data, err := files.ReadIn(v.root, v.manifestName, MaxManifestSize); err == nil {
		v.list = ListOf(data)
	}
	v.out.List = v.list
}

// parseList reads the lines of the list; nil if there is none that can be read.
func (v *verification) parseList(list []byte) []Line {
	if list == nil {
		return nil
	}
	lines, err := ParseLines(v.list, list)
	if err != nil {
		v.refuseAll(v.list.Name, err)
	}
	return lines
}

// VerifyManifest checks release.json alone against the record next to it
// (provenance.sigstore.json): trust → record → manifest, and the expectations.
// That is enough to rebuild the release or to check a single file by its
// digest. The files of the release are not looked at.
func VerifyManifest(ctx context.Context, manifestPath string, cfg VerifyConfig) (*Verification, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v, err := newVerification(filepath.Dir(manifestPath), cfg)
	if err != nil {
		return nil, err
	}
	defer v.root.Close()
	v.promise(ProvenanceBundle)
	v.manifestName = filepath.Base(manifestPath)
	var m *Manifest
	if data := v.read(v.manifestName, MaxManifestSize, ""); data != nil {
		m = v.parseManifest(data)
		v.recordOfManifest(data, m)
	}
	v.out.Checks.Open(fact.OtherFiles, "", "only the manifest was looked at")
	return v.result()
}

func newVerification(dir string, cfg VerifyConfig) (*verification, error) {
	if cfg.Trust == nil && !cfg.AllowUnsigned {
		return nil, fault.Errorf("give the publisher's public key", "verify: no key to verify with")
	}
	if cfg.Commit != "" {
		if err := checkGitHash(cfg.Commit); err != nil {
			return nil, fmt.Errorf("verify: expected commit: %w", err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return &verification{cfg: cfg, root: root, out: &Verification{}, manifestName: ManifestFile, list: fact.DefaultList()}, nil
}

// promise opens what every verification has to check, so that what is not
// reached is not checked.
func (v *verification) promise(signed ...string) {
	const why = "it was not reached"
	for _, name := range signed {
		v.out.Checks.Open(fact.Signature, name, why)
	}
	v.out.Checks.Open(fact.ManifestForm, "", why)
	v.out.Checks.Open(fact.Record, "", why)
}

func (v *verification) refuse(name, remedy, format string, args ...any) {
	v.add(*refusef(name, remedy, format, args...))
}

// lost is what to do about files that are not what was published, for whatever
// reason.
const lost = "get the release again from the publisher, all its files into one empty directory, and do not use it if that does not help"

func (v *verification) add(r RefusedError) {
	if r.Remedy == "" {
		r.Remedy = lost
	}
	v.refusals = append(v.refusals, r)
}

// refuseAll takes over an error, or each of joined errors, as refusals of name.
func (v *verification) refuseAll(name string, err error) {
	for _, e := range fault.Leaves(err) {
		v.add(asRefusal(name, e))
	}
}

func (v *verification) result() (*Verification, error) {
	if len(v.refusals) > 0 {
		return v.out, &VerifyError{Refusals: v.refusals}
	}
	return v.out, nil
}

// read returns the bytes of a regular file of the directory, or refuses it and
// returns nil.
func (v *verification) read(name string, limit int64, remedy string) []byte {
	f, err := v.open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.refuse(name, remedy, "is missing")
		return nil
	case err != nil:
		v.refuse(name, "", "%s", reason(err))
		return nil
	}
	defer f.Close()
	data, err := files.ReadAll(f, limit)
	if err != nil {
		v.refuse(name, "", "%s", reason(err))
		return nil
	}
	if data == nil {
		data = []byte{}
	}
	return data
}

// manifest reads the manifest that the list names.
func (v *verification) manifest(lines []Line) *Manifest {
	if lines == nil {
		return nil
	}
	i := slices.IndexFunc(lines, func(l Line) bool { return l.Name == ManifestFile })
	if i < 0 {
		v.refuse(v.list.Name, "", "does not list %s", ManifestFile)
		return nil
	}
	data := v.read(ManifestFile, MaxManifestSize, "")
	if data == nil {
		return nil
	}
	if got := digestBytes(v.list.Algorithm, data); got != lines[i].Digest {
		v.refuse(ManifestFile, "", "has digest %s, %s says %s", got, v.list.Name, lines[i].Digest)
		return nil
	}
	m := v.parseManifest(data)
	if m != nil && m.List() != v.list {
		v.refuse(ManifestFile, "", "names the list %s of %s; %s of %s was read", m.List().Name, m.List().Algorithm, v.list.Name, v.list.Algorithm)
		return nil
	}
	return m
}

// digestBytes is the digest of data as lower-case hex.
func digestBytes(a fact.Algorithm, data []byte) string {
	h := a.New()
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// parseManifest checks the manifest by itself and against the expectations.
func (v *verification) parseManifest(data []byte) *Manifest {
	m, err := ParseManifest(data)
	if err != nil {
		v.refuseAll(v.manifestName, trimPrefixes(err, "manifest: "))
		return nil
	}
	v.out.Manifest = m
	v.out.Project, v.out.Module, v.out.Version = m.Project, m.Source.Module, m.Version
	v.out.Commit, v.out.PlanID = m.Source.Commit, m.PlanID
	if m.Kind != KindRelease {
		v.refuse(v.manifestName, "nothing but mintmark release makes what can be verified", "is of kind %q, not a release", m.Kind)
	}
	v.out.Checks.Done(fact.ManifestForm, "", "")
	v.expect("project", v.cfg.Project, m.Project)
	v.expect("module", v.cfg.Module, m.Source.Module)
	v.expect("version", withoutV(v.cfg.Version), m.Version)
	v.expect("commit", v.cfg.Commit, m.Source.Commit)
	v.versionTag(m)
	v.verdicts(m)
	v.machines(m)
	return m
}

// versionTag says what is not known here of a version that is not the source's own.
func (v *verification) versionTag(m *Manifest) {
	switch m.From {
	case fact.OfTag:
		v.out.Checks.Open(fact.VersionTag, m.Tag, "the repository was not asked")
	case fact.Given:
		v.out.Checks.Open(fact.VersionTag, "", "none does; whoever released it gave the version "+m.Version)
	}
}

func withoutV(version string) string {
	if len(version) > 1 && version[0] == 'v' && version[1] >= '0' && version[1] <= '9' {
		return version[1:]
	}
	return version
}

func (v *verification) expect(what, want, got string) {
	switch want {
	case "":
		v.out.Checks.Open(fact.Identity, what, "none was expected, so it may be any ("+got+")")
	case got:
		v.out.Checks.Done(fact.Identity, what, got)
	default:
		v.refuse(v.manifestName, "these files are another release, however well signed", "%s is %q, expected %q", what, got, want)
	}
}

func (v *verification) verdicts(m *Manifest) {
	if m.Generated != nil {
		for _, f := range m.Generated.Files {
			v.out.Checks.Open(fact.GeneratedAgain, f.Name, "the publisher states it, a rebuild with -generate would show it")
		}
	}
	for _, a := range m.Artifacts {
		if !m.concerns(a, v.only, v.sum) {
			continue
		}
		v.out.Artifacts = append(v.out.Artifacts, VerdictCheck{Name: artifactName(a), Verdict: a.Verdict, Reason: a.Reason})
		switch a.Verdict {
		case fact.Different:
			v.out.Checks.Open(fact.PublisherBuilds, artifactName(a), "came out different when built again; the manifest says so")
		case fact.Unchecked:
			v.out.Checks.Open(fact.PublisherBuilds, artifactName(a), "were not compared with another build; the manifest says why")
		}
		v.out.Checks.Open(fact.FromSource, a.Unit(), "the publisher states it, a rebuild would show it")
		if v.cfg.RequireIdentical && a.Verdict != fact.Identical {
			v.refuse(v.manifestName, "what the publisher built does not vouch for it; -rebuild builds it here", "artifact %s is %s, identical is required", artifactName(a), a.Verdict)
		}
	}
}

// trimPrefixes drops a prefix that the file name makes superfluous, from each
// of joined errors, and keeps their hints.
func trimPrefixes(err error, prefix string) error {
	var errs []error
	for _, e := range fault.Leaves(err) {
		errs = append(errs, refusef("", fault.Hint(e), "%s", strings.TrimPrefix(e.Error(), prefix)))
	}
	return errors.Join(errs...)
}
