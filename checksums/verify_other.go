package checksums

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// VerifyOther checks a release that another tool made, in the layout of GoReleaser:
// files against the list of digests, the list's signature (a bundle of Sigstore, or
// what cosign writes without one), and which attestations name the files. With file
// it looks at that one alone. Such a release has no manifest, so nothing says how it
// was built, and what lies beside the listed files is no part of it: both are said.
//
// A signature by a certificate, as of GitHub's attestations, is not checked. With a
// Trust, one by it has to be there and has to be right, and expectations are refused,
// since a list of digests names no project and no version.
func VerifyOther(ctx context.Context, dir, file string, l Layout, cfg VerifyConfig) (*Verification, error) {
	v, err := newVerification(dir, cfg)
	if err != nil {
		return nil, err
	}
	defer v.root.Close()
	v.only, v.list = file, l.List
	v.out.File, v.out.List, v.out.OtherTool = file, l.List, true
	v.out.Checks.Open(fact.BuildRecord, "", "no "+ManifestFile+" is here: the release was made by another tool")
	o := &otherRelease{verification: v}
	if err := o.files(ctx); err != nil {
		return nil, err
	}
	if v.list.Name != "" {
		o.signature(v.list.Name)
	}
	if file != "" {
		o.signature(file)
	}
	if !o.found {
		v.out.Checks.Open(fact.Signature, v.subject(), "none is here that this program knows")
	}
	if v.out.Signer.IsZero() {
		// Of each file there has to be something that is signed.
		for name := range o.digests {
			v.out.Checks.Open(fact.Signature, name, "the list that names it is not known to be signed")
		}
	}
	o.attestations(l.Attestations)
	o.expectations()
	if v.cfg.Trust == nil {
		v.out.Unsigned = true
	} else if len(v.refusals) == 0 {
		o.allSigned()
	}
	return v.result()
}

// allSigned refuses files of which nothing is signed by whom is believed.
func (o *otherRelease) allSigned() {
	by := o.cfg.Trust.ID()
	const hint = "leave out -key and say -unsigned to compare the digests alone"
	if o.out.Signer.IsZero() {
		o.refuse("", hint, "nothing here is signed by %s", by)
		return
	}
	for _, a := range o.out.Checks.Answers() {
		if _, read := o.digests[a.Subject]; read && a.Check == fact.Signature && !a.Checked && !o.listSigned() {
			o.refuse(a.Subject, hint, "neither it nor its list is signed by %s", by)
		}
	}
}

// listSigned reports whether the list was found to be signed.
func (o *otherRelease) listSigned() bool {
	return slices.ContainsFunc(o.out.Checks.Answers(), func(a fact.Answer) bool {
		return a.Check == fact.Signature && a.Checked && a.Subject == o.list.Name
	})
}

// subject is what a signature would be of.
func (v *verification) subject() string {
	if v.list.Name != "" {
		return v.list.Name
	}
	return v.only
}

// otherRelease is the verification of another tool's release.
type otherRelease struct {
	*verification
	digests map[string]string // SHA-256 of the files that were read
	found   bool              // a signature, whatever came of it
}

// files compares the files with the list.
func (o *otherRelease) files(ctx context.Context) error {
	o.digests = map[string]string{}
	var lines []Line
	if o.list.Name != "" {
		data := o.read(o.list.Name, MaxListSize, "")
		if data == nil {
			return nil
		}
		var err error
		if lines, err = parseOther(o.list.Algorithm, data); err != nil {
			o.refuseAll(o.list.Name, err)
			return nil
		}
	}
	if o.only != "" {
		return o.one(ctx, lines)
	}
	here := 0
	for _, l := range lines {
		o.out.Checks.Open(fact.Digest, l.Name, "were not reached")
		if err := checkName(l.Name); err != nil {
			o.out.Checks.Open(fact.Digest, l.Name, "are not looked at")
			continue
		}
		check, err := o.file(ctx, l, -1, nil)
		if err != nil {
			return err
		}
		switch check.Status {
		case FileVerified:
			here++
			o.digests[l.Name] = check.SHA256
			o.out.Checks.Done(fact.Digest, l.Name, o.list.Name)
		case FileMissing:
			o.out.Checks.Open(fact.Digest, l.Name, "are not here")
		default:
			o.out.Checks.Open(fact.Digest, l.Name, "are refused")
		}
		o.out.Files = append(o.out.Files, check)
	}
	if here == 0 && len(o.refusals) == 0 {
		o.refuse("", "download at least one file of the release", "no file that %s lists is here; nothing was verified", o.list.Name)
	}
	return nil
}

// one compares the one file.
func (o *otherRelease) one(ctx context.Context, lines []Line) error {
	f, err := o.open(o.only)
	if err != nil {
		o.refuse(o.only, "", "%s", reason(err))
		return nil
	}
	defer f.Close()
	sum, other, size, err := digestsOf(ctx, o.list.Algorithm, f)
	if err != nil {
		return err
	}
	check := FileCheck{Name: o.only, Status: FileRefused, Size: size, SHA256: sum}
	o.digests[o.only] = sum
	i := slices.IndexFunc(lines, func(l Line) bool { return l.Name == o.only })
	if o.list.Name != "" {
		o.out.Checks.Open(fact.Digest, o.only, "are refused")
	}
	switch {
	case o.list.Name == "":
		check.Status = FileUnlisted
		o.out.Checks.Open(fact.Content, o.only, "no list of digests is here")
	case i < 0:
		o.refuse(o.only, "it is no file of this release, or the list is that of another one: do not use it", "is not listed in %s", o.list.Name)
	case lines[i].Digest != other:
		o.refuse(o.only, "it was changed or not downloaded in full; download it again, and do not use it if that does not help", "has digest %s, %s says %s", other, o.list.Name, lines[i].Digest)
	default:
		check.Status = FileVerified
		o.out.Checks.Done(fact.Digest, o.only, o.list.Name)
	}
	o.out.Files = append(o.out.Files, check)
	return nil
}

// maxSigned is the most bytes of a file that is read to check its own signature.
const maxSigned = 1 << 30

// signature checks what is there of signatures over a file.
func (o *otherRelease) signature(name string) {
	for _, suffix := range SignatureSuffixes() {
		data := o.optional(name+suffix, MaxBundleSize)
		if data == nil {
			continue
		}
		o.found = true
		sig, err := readSignature(data)
		if err == nil && sig.Material.GetPublicKey() != nil && slices.ContainsFunc(certificateSuffixes(), func(c string) bool { return o.has(name + c) }) {
			err = &RefusedError{Reason: errKeyless, OtherKind: true}
		}
		if err == nil && sig.message == nil && sig.Bytes == nil {
			o.statement(name+suffix, data)
			continue
		}
		if err != nil {
			o.unknown(name, name+suffix, err)
			continue
		}
		switch sig.Material.GetContent().(type) {
		case *protobundle.VerificationMaterial_PublicKey:
		default:
			o.out.Checks.Open(fact.Signature, name, name+suffix+" is "+errKeyless)
			continue
		}
		if o.cfg.Trust == nil {
			o.out.Checks.Open(fact.Signature, name, name+suffix+" is there, but no key was given")
			continue
		}
		content, err := files.ReadIn(o.root, name, maxSigned)
		if err != nil {
			o.refuse(name, "", "%s", reason(err))
			continue
		}
		if sig.message != nil {
			_, err = sig.verifyBlob(o.cfg.Trust, content)
		} else {
			_, err = o.cfg.Trust.Verify(Payload{Content: content}, sig.Signature)
		}
		if err != nil {
			o.refuseAll(name+suffix, err)
			continue
		}
		o.out.Signer = o.cfg.Trust.ID()
		o.out.Checks.Done(fact.Signature, name, o.cfg.Trust.ID().Text())
		return
	}
}

const errKeyless = "by a certificate (keyless): cosign or gh attestation verify checks it, with the identity that you expect"

// unknown says of a signature why it could not be read.
func (o *otherRelease) unknown(name, file string, err error) {
	o.out.Checks.Open(fact.Signature, name, file+": "+strings.TrimSpace(asRefusal(file, err).Reason))
}

// otherSignature is a signature in any of the forms that cosign writes.
type otherSignature struct {
	*bundle // of a bundle v0.3, else empty
	Signature
}

// readSignature reads a bundle, cosign's older form of one, or a signature in base64.
func readSignature(data []byte) (otherSignature, error) {
	key := &protobundle.VerificationMaterial{Content: &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{}}}
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) > 0 && trimmed[0] != '{' {
		raw, err := base64.StdEncoding.DecodeString(string(trimmed))
		if err != nil {
			return otherSignature{}, refusef("", "", "is no signature in base64")
		}
		return otherSignature{&bundle{}, Signature{Bytes: raw, Material: key}}, nil
	}
	var old struct {
		Signature string `json:"base64Signature"`
		Cert      string `json:"cert"`
	}
	if json.Unmarshal(data, &old) == nil && old.Signature != "" {
		raw, err := base64.StdEncoding.DecodeString(old.Signature)
		if err != nil {
			return otherSignature{}, refusef("", "", "is no signature in base64")
		}
		// cosign puts a public key in the place of the certificate.
		if cert, err := base64.StdEncoding.DecodeString(old.Cert); err == nil && bytes.Contains(cert, []byte("CERTIFICATE")) {
			return otherSignature{}, &RefusedError{Reason: errKeyless, OtherKind: true}
		}
		return otherSignature{&bundle{}, Signature{Bytes: raw, Material: key}}, nil
	}
	b, err := readBundle(data)
	if err != nil {
		return otherSignature{}, err
	}
	return otherSignature{b, Signature{Material: b.material}}, nil
}

// maxStatements bounds how many statements are read.
const maxStatements = 512

// attestations reads files with a bundle in each line.
func (o *otherRelease) attestations(names []string) {
	n := 0
	for _, name := range names {
		data := o.optional(name, MaxBundleSize)
		for line := range bytes.Lines(data) {
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			if n++; n > maxStatements {
				o.out.Checks.Open(fact.Attestation, name, fmt.Sprintf("more than %d statements: the others were not looked at", maxStatements))
				return
			}
			o.statement(name, line)
		}
	}
}

// statement says of a statement which of the files it names. By whom it is, only a
// Trust can tell; that of a certificate is not looked at.
func (o *otherRelease) statement(name string, data []byte) {
	o.found = true
	b, err := readBundle(data)
	if err == nil && b.envelope == nil {
		err = errors.New("is no statement")
	}
	if err != nil {
		o.out.Checks.Open(fact.Attestation, name, strings.TrimSpace(asRefusal(name, err).Reason))
		return
	}
	var s struct {
		Subject []struct {
			Name   string            `json:"name"`
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
		Type string `json:"predicateType"`
	}
	if err := json.Unmarshal(b.envelope.GetPayload(), &s); err != nil {
		o.out.Checks.Open(fact.Attestation, name, "holds no statement")
		return
	}
	var names []string
	for file, sum := range o.digests {
		for _, sub := range s.Subject {
			if sub.Digest["sha256"] == sum {
				names = append(names, file)
				break
			}
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		o.out.Checks.Open(fact.Attestation, name, "names none of the files that were looked at")
		return
	}
	about := fmt.Sprintf("names %s (%s)", strings.Join(names, ", "), s.Type)
	if b.material.GetPublicKey() == nil {
		o.out.Checks.Open(fact.Attestation, name, about+", and is signed "+errKeyless)
		return
	}
	if o.cfg.Trust == nil {
		o.out.Checks.Open(fact.Attestation, name, about+", but no key was given")
		return
	}
	if _, _, err := b.verifyStatement(o.cfg.Trust); err != nil {
		o.refuseAll(name, err)
		return
	}
	o.out.Signer = o.cfg.Trust.ID()
	for _, file := range names {
		o.out.Checks.Done(fact.Signature, file, o.cfg.Trust.ID().Text())
		if o.list.Name == "" {
			o.out.Checks.Done(fact.Digest, file, name)
		}
	}
	o.out.Checks.Done(fact.Attestation, name, about)
}

// expectations refuses what nothing here could answer.
func (o *otherRelease) expectations() {
	for _, e := range []struct{ what, want string }{
		{"project", o.cfg.Project}, {"module", o.cfg.Module}, {"version", o.cfg.Version}, {"commit", o.cfg.Commit},
	} {
		if e.want != "" {
			o.refuse("", "leave out -"+e.what+": a list of digests does not say it", "nothing here says of which %s the release is", e.what)
		}
	}
	o.noMachines("leave out -machines: a list of digests does not say it")
	o.out.Checks.Open(fact.Identity, "the release", "a list of digests names no project and no version, so it may be another's, or an older one")
	if o.only != "" {
		o.out.Checks.Open(fact.OtherFiles, "", "only "+fact.FileName(o.only)+" was looked at")
		return
	}
	if names := o.besides(); len(names) > 0 {
		o.out.Checks.Open(fact.Unlisted, strings.Join(names, ", "), "the list does not have it")
	}
}

// besides are the entries of the directory that the list does not have.
func (o *otherRelease) besides() (names []string) {
	listed := map[string]bool{o.list.Name: true}
	for _, f := range o.out.Files {
		listed[f.Name] = true
	}
	found, err := fs.ReadDir(o.root.FS(), ".")
	if err != nil {
		return nil
	}
	for _, f := range found {
		if n := f.Name(); !listed[n] && len(names) < 20 {
			names = append(names, n)
		}
	}
	return names
}
