package checksums

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// VerifyFile checks one file of a release against what of the release lies in dir: the
// list and its signature, the record, the manifest. Whoever takes one archive need not
// take the others, and what else is in the directory does not matter. At least one of
// the three must be there and must name the file with its digest; each that is there
// must agree with the others. A file of a name that none of them has is what the
// manifest, or without one the record, has of its digest ([Found]), a member of an
// archive or a binary, and refused without it.
//
// With a Trust, one of the two signatures has to be there, and those that are have
// to be right. list is the list of the release as [Look] found it; the manifest's
// word, where there is a manifest, comes before it.
func VerifyFile(ctx context.Context, name, dir string, list fact.DigestList, cfg VerifyConfig) (*Verification, error) {
	v, err := newVerification(dir, cfg)
	if err != nil {
		return nil, err
	}
	defer v.root.Close()
	v.only = filepath.Base(name)
	v.out.File = v.only
	v.findList()
	if v.list == fact.DefaultList() && list.Name != "" {
		v.list = list
	}
	v.out.List = v.list
	f := &fileCheck{verification: v}
	if err := f.digest(ctx, name, dir); err != nil {
		return nil, err
	}
	f.readList()
	f.readRecord()
	if v.cfg.Trust != nil && (f.list == nil || !v.has(v.list.Bundle())) && f.record == nil && !v.has(ProvenanceBundle) {
		v.refuse(v.list.Bundle(), missingSignature, "is missing, and so is %s: nothing that is signed is beside %s", ProvenanceBundle, v.only)
	}
	m := f.readManifest()
	f.named(m)
	f.agree(m)
	f.identity(m)
	v.out.Checks.Open(fact.OtherFiles, "", "only "+fact.FileName(v.only)+" was looked at")
	return v.result()
}

// fileCheck is the verification of one file.
type fileCheck struct {
	*verification
	other   string // digest of the file by the list's algorithm
	size    int64
	list    []byte // nil: not there
	lines   []Line
	record  *Statement // nil: not there, or not looked at
	payload []byte     // of the record
	by      []string   // what names the file with its digest
}

// digest reads the file. One that lies among those of the release is no link, as these
// are none.
func (f *fileCheck) digest(ctx context.Context, name, dir string) error {
	var file *os.File
	var err error
	if filepath.Dir(name) == filepath.Clean(dir) {
		file, err = f.open(f.only)
	} else {
		file, err = files.Open(name)
	}
	if err != nil {
		f.refuse(f.only, "", "%s", reason(err))
		return nil
	}
	defer file.Close()
	f.sum, f.other, f.size, err = digestsOf(ctx, f.verification.list.Algorithm, file)
	return err
}

// optional reads a file that need not be there.
func (v *verification) optional(name string, limit int64) []byte {
	if _, err := v.root.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return v.read(name, limit, "")
}

// readList reads the list and its signature, if they are there.
func (f *fileCheck) readList() {
	name := f.verification.list.Name
	if f.list = f.optional(name, MaxListSize); f.list == nil {
		return
	}
	f.lines = f.parseList(f.list)
	bundle := f.optional(f.verification.list.Bundle(), MaxBundleSize)
	switch {
	case f.cfg.Trust == nil:
		f.out.Unsigned = true
		f.out.Checks.Open(fact.Signature, name, noKey(f.verification.list.Bundle(), bundle != nil))
	case bundle == nil:
		f.out.Checks.Open(fact.Signature, name, f.verification.list.Bundle()+" is not here")
	case f.blob(name, f.list, f.verification.list.Bundle(), bundle):
		f.out.Signer = f.cfg.Trust.ID()
	}
}

// noKey says why a signature was not checked.
func noKey(bundle string, there bool) string {
	if there {
		return bundle + " is there, but no key was given"
	}
	return "no " + bundle + " is here; anybody can have made it"
}

// readRecord reads the record, if it is there. Without a key it says nothing.
func (f *fileCheck) readRecord() {
	if !f.has(ProvenanceBundle) {
		if f.has(ManifestFile) {
			f.out.Checks.Open(fact.Record, "", ProvenanceBundle+" is not here")
		}
		return
	}
	f.out.Checks.Open(fact.Record, "", "without a key it is not looked at")
	if f.cfg.Trust == nil {
		f.out.Unsigned = true
		f.out.Checks.Open(fact.Signature, ProvenanceBundle, noKey(ProvenanceBundle, true))
		return
	}
	if f.record, f.payload = f.statement(); f.record != nil {
		f.out.Checks.Open(fact.Record, "", "no "+ManifestFile+" is here that it could be compared with")
	}
}

// readManifest reads the manifest, if it is there, and holds it against those that
// name its digest.
func (f *fileCheck) readManifest() *Manifest {
	data := f.optional(ManifestFile, MaxManifestSize)
	if data == nil {
		f.out.Checks.Open(fact.BuildRecord, "", ManifestFile+" is not here")
		return nil
	}
	before := len(f.refusals)
	compare := func(by, got, want string) {
		if got != want {
			f.refuse(ManifestFile, "", "has digest %s, %s says %s", got, by, want)
		}
	}
	if f.lines != nil {
		i := slices.IndexFunc(f.lines, func(l Line) bool { return l.Name == ManifestFile })
		if i < 0 {
			f.refuse(f.verification.list.Name, "", "does not list %s", ManifestFile)
		} else {
			compare(f.verification.list.Name, digestBytes(f.verification.list.Algorithm, data), f.lines[i].Digest)
		}
	}
	if f.record != nil {
		if e, ok := find(f.record.Files(), ManifestFile); ok {
			compare("the record", files.DigestBytes(data), e.SHA256)
		} else {
			f.refuse(ProvenanceBundle, "", "the record does not name %s", ManifestFile)
		}
	}
	if len(f.refusals) > before {
		return nil
	}
	m := f.parseManifest(data)
	if m == nil {
		return nil
	}
	if f.list != nil && m.List() != f.verification.list {
		f.refuse(ManifestFile, "", "names the list %s of %s; %s of %s was read", m.List().Name, m.List().Algorithm, f.verification.list.Name, f.verification.list.Algorithm)
	}
	return m
}

func find(list []Entry, name string) (Entry, bool) {
	i := slices.IndexFunc(list, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return Entry{}, false
	}
	return list[i], true
}

// named looks for the file in everything that is there. Not to be in one of them is
// to be no file of the release, unless none has the name and the manifest the digest.
func (f *fileCheck) named(m *Manifest) {
	if f.sum == "" {
		return // refused
	}
	if (m != nil || f.recordsMembers()) && !f.known(m) {
		f.byDigest(m)
		return
	}
	f.out.Checks.Open(fact.Digest, f.only, "are refused")
	before := len(f.refusals)
	const changed = "it was changed or not downloaded in full; download it again from the publisher, and do not use it if that does not help"
	foreign := "it is no file of this release: do not use it"
	if m == nil {
		foreign = "put " + ManifestFile + " of the release beside it if it was taken out of an archive; else it is no file of this release: do not use it"
	}
	look := func(by, got, want string, listed bool) {
		switch {
		case !listed:
			f.refuse(f.only, foreign, "is not listed in %s", by)
		case got != want:
			f.refuse(f.only, changed, "has digest %s, %s says %s", got, by, want)
		default:
			f.by = append(f.by, by)
		}
	}
	if f.lines != nil {
		i := slices.IndexFunc(f.lines, func(l Line) bool { return l.Name == f.only })
		want := ""
		if i >= 0 {
			want = f.lines[i].Digest
		}
		look(f.verification.list.Name, f.other, want, i >= 0)
	}
	if f.record != nil {
		e, ok := find(f.record.Files(), f.only)
		look("the record", f.sum, e.SHA256, ok)
	}
	if m != nil {
		if e, ok := m.published(f.only); ok {
			look(ManifestFile, f.sum, e.SHA256, true)
			if a := m.SourceArchive; a != nil && a.Name == f.only {
				f.out.Checks.Open(fact.FromCommit, a.Name, "the publisher states it, -rebuild with -source= makes it again")
			}
		} else if kind := f.verification.list.KindOf(f.only); kind == fact.Unknown || kind == fact.ChannelFile {
			f.undescribed(f.only)
		}
	}
	check := FileCheck{Name: f.only, Status: FileRefused, Size: f.size, SHA256: f.sum}
	switch {
	case len(f.refusals) > before:
	case len(f.by) == 0:
		f.refuse(f.only, "get "+f.verification.list.Name+" of its release, and put it beside the file", "nothing beside it says what its digest is")
	default:
		check.Status = FileVerified
		f.out.Checks.Done(fact.Digest, f.only, f.by[0])
	}
	f.out.Files = append(f.out.Files, check)
}

// known reports whether anything that is there has the file's name.
func (f *fileCheck) known(m *Manifest) bool {
	published := false
	if m != nil {
		_, published = m.published(f.only)
	}
	listed := slices.ContainsFunc(f.lines, func(l Line) bool { return l.Name == f.only })
	recorded := false
	if f.record != nil {
		_, recorded = find(f.record.Files(), f.only)
	}
	return published || listed || recorded
}

// recordsMembers reports whether the record says what is in archives, as far as it
// goes: it is signed, so it will do without a manifest.
func (f *fileCheck) recordsMembers() bool {
	return f.record != nil && f.record.Predicate.BuildDefinition.InternalParameters.Members != NoMembers
}

// byDigest looks for a file that nothing has the name of, in the manifest or, without
// one (nil), in the record.
func (f *fileCheck) byDigest(m *Manifest) {
	by, where := "the record", "the record"
	var under string // the file of the release that it is under another name
	if m != nil {
		by, where = ManifestFile, ManifestFile
		f.out.Found = m.Find(f.sum)
		if i := slices.IndexFunc(m.Artifacts, func(a Artifact) bool { return a.SHA256 == f.sum }); i >= 0 {
			under = m.Artifacts[i].Name
		}
	} else {
		f.out.Found = f.record.Find(f.sum)
		entries := f.record.Files()
		if i := slices.IndexFunc(entries, func(e Entry) bool { return e.SHA256 == f.sum }); i >= 0 {
			under = entries[i].Name
		}
	}
	check := FileCheck{Name: f.only, Status: FileRefused, Size: f.size, SHA256: f.sum}
	if f.out.Found != nil {
		check.Status = FileVerified
		f.out.Checks.Done(fact.Digest, f.only, by)
	} else {
		f.out.Checks.Open(fact.Digest, f.only, "are refused")
		if f.lines != nil {
			by = f.verification.list.Name
		}
		const none = "is not listed in %s, and no member of an archive and no binary in %s has its SHA-256, %s"
		if under != "" {
			f.refuse(f.only, "call it "+under+" again", "is not listed in %s; it is %s under another name", by, under)
		} else {
			f.refuse(f.only, "it is no file of this release, or was changed: do not use it", none, by, where, f.sum)
		}
	}
	f.out.Files = append(f.out.Files, check)
}

// agree holds the record against the list and the manifest.
func (f *fileCheck) agree(m *Manifest) {
	if f.record == nil {
		return
	}
	entries := f.record.Files()
	if f.lines != nil {
		before := len(f.refusals)
		listed := make([]Entry, 0, len(f.lines)+1)
		for _, l := range f.lines {
			e := Entry{Name: l.Name}
			if f.verification.list.Algorithm == fact.SHA256 {
				e.SHA256 = l.Digest
			}
			listed = append(listed, e)
		}
		f.subjects(entries, append(listed, Entry{f.verification.list.Name, files.DigestBytes(f.list)}))
		if len(f.refusals) > before {
			return
		}
		// The record names the list, so what signs the one signs the other.
		f.out.Checks.Done(fact.Signature, f.verification.list.Name, f.cfg.Trust.ID().Text())
	}
	if m == nil {
		return
	}
	before := len(f.refusals)
	f.sameRelease(f.record, m)
	if len(f.refusals) == before {
		f.sameRecord(f.record, f.payload, m, entries)
	}
}

// identity holds what is expected against the record, where there is no manifest.
func (f *fileCheck) identity(m *Manifest) {
	if m != nil {
		return // parseManifest has
	}
	f.noMachines("put " + ManifestFile + " of the release beside it, or leave out -machines")
	got := map[string]string{}
	if f.record != nil {
		p := f.record.Predicate.BuildDefinition.ExternalParameters
		got["project"], got["version"], got["commit"] = p.Project, p.Version, f.record.Commit()
		f.out.Project, f.out.Version, f.out.Commit, f.out.PlanID = p.Project, p.Version, f.record.Commit(), p.PlanID
		f.manifestName = ProvenanceBundle
	}
	for _, e := range []struct{ what, want string }{
		{"project", f.cfg.Project}, {"module", f.cfg.Module}, {"version", withoutV(f.cfg.Version)}, {"commit", f.cfg.Commit},
	} {
		switch is := got[e.what]; {
		case is != "":
			f.expect(e.what, e.want, is)
		case e.want != "":
			f.refuse("", fmt.Sprintf("put %s of the release beside it, or leave out -%s", ManifestFile, e.what), "nothing here says of which %s %s is", e.what, f.only)
		}
	}
	if len(got) == 0 {
		f.out.Checks.Open(fact.Identity, "the release", "nothing here says of which project and version it is")
	}
}

// published is the file of that name that the manifest publishes.
func (m *Manifest) published(name string) (Entry, bool) {
	for _, a := range m.Published() {
		if a.Name == name {
			return Entry{a.Name, a.SHA256}, true
		}
	}
	for _, e := range m.once() {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}

// concerns reports whether an artifact has to do with the published file of that
// name, or with one of that SHA-256 if none has the name: all have with the whole
// release, "".
func (m *Manifest) concerns(a Artifact, file, sum string) bool {
	if file == "" {
		return true
	}
	if _, named := m.published(file); named {
		return slices.ContainsFunc(m.Artifacts, func(b Artifact) bool { return b.Published && b.Name == file && m.partOf(a, b) })
	}
	found := m.Find(sum)
	if found == nil {
		return false
	}
	b, ok := m.ArtifactOf(found)
	return ok && m.partOf(a, b)
}

// partOf reports whether an artifact is of the unit of another one, or of one of those
// that this is made of.
func (m *Manifest) partOf(a, of Artifact) bool {
	return a.Unit() == of.Unit() || a.Profile == of.Profile && slices.Contains(m.Platforms(of), a.Platform)
}

// Platforms are those that whoever makes an artifact again builds for: its own, or
// those of the slices of universal binaries.
func (m *Manifest) Platforms(a Artifact) (list []string) {
	for _, x := range m.Artifacts {
		if x.Stage != fact.Universal || x.Unit() != a.Unit() {
			continue
		}
		for _, b := range m.Artifacts {
			if b.Stage == fact.Linked && b.Profile == a.Profile && slices.Contains(x.From, b.SHA256) && !slices.Contains(list, b.Platform) {
				list = append(list, b.Platform)
			}
		}
	}
	if len(list) == 0 {
		return []string{a.Platform}
	}
	return list
}
