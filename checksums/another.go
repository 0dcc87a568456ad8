package checksums

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// schemaMark is in every manifest that this tool has written, of whatever version.
const schemaMark = fact.SchemaRoot + "release/"

// IsManifest reports whether a file means to be a manifest of this tool, damaged
// or not.
func IsManifest(data []byte) bool { return bytes.Contains(data, []byte(schemaMark)) }

// foreign refuses a directory that is no release of this tool, and says what is
// there: nothing in it is damaged for all anybody knows. Without a manifest of
// ours, a release is what lists one, or has our record or our signature.
func (v *verification) foreign() bool {
	data, merr := files.ReadIn(v.root, ManifestFile, MaxManifestSize)
	absent := errors.Is(merr, fs.ErrNotExist)
	if merr != nil && !absent || merr == nil && (IsManifest(data) || v.has(ChecksumsBundle)) {
		return false
	}
	list, lerr := files.ReadIn(v.root, ChecksumsFile, MaxListSize)
	entries, perr := ParseList(list)
	bad := lerr != nil || perr != nil
	switch {
	case lerr == nil && (listsManifest(entries) || perr != nil && bytes.Contains(list, []byte(ManifestFile))):
		return false
	case v.has(ProvenanceBundle) && (bad || !absent):
		return false // some of our files, and no list
	}
	if lerr != nil && !errors.Is(lerr, fs.ErrNotExist) {
		return false
	}
	manifest := "no " + ManifestFile + " is here, which every release of mintmark has"
	if !absent {
		manifest = "the " + ManifestFile + " here is " + kindOfFile(data) + ", and not one of mintmark"
	}
	const made = "mintmark verifies what mintmark release made: name the directory with its " + ManifestFile
	const again = "mintmark rebuild builds anybody's binaries again and compares"
	const taken = ". If this should be a release of mintmark, its files are not all here or not as they were: do not use it then"
	switch signature := v.otherSignature(); {
	case lerr != nil && absent:
		v.refuse("", made+"; "+again, "not a release of mintmark: neither %s nor %s is there", ManifestFile, ChecksumsFile)
	case lerr != nil:
		v.refuse("", made+"; "+again+taken, "not a release of mintmark: %s, and there is no %s", manifest, ChecksumsFile)
	default:
		what, program := sumsOf(list)
		compare := ""
		if program != "" {
			compare = program + " -c " + ChecksumsFile + " compares these files with the list, "
		}
		v.refuse("", made+"; "+compare+signature.hint+again+taken,
			"not a release of mintmark: %s; there is a %s%s%s", manifest, ChecksumsFile, what, signature.what)
	}
	return true
}

// has reports whether there is something of that name.
func (v *verification) has(name string) bool {
	_, err := v.root.Lstat(name)
	return err == nil
}

// kindOfFile is what a file is that means to be no manifest of ours.
func kindOfFile(data []byte) string {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return "empty"
	case !json.Valid(data):
		return "no JSON"
	}
	return "of another schema"
}

// sumsOf tells by the length of its first sum what a list has, and the program
// that compares it; "" for those of SHA-256, which is what is expected.
func sumsOf(list []byte) (what, program string) {
	sum, _, _ := strings.Cut(string(list), " ")
	if strings.Trim(sum, "0123456789abcdefABCDEF") == "" {
		switch len(sum) {
		case 64:
			return "", "sha256sum"
		case 32:
			return " of MD5 sums", "md5sum"
		case 40:
			return " of SHA-1 sums", "sha1sum"
		case 96:
			return " of SHA-384 sums", "sha384sum"
		case 128:
			return " of SHA-512 sums", "sha512sum"
		}
	}
	return " that is no list of sums as sha256sum writes it", ""
}

func listsManifest(entries []Entry) bool {
	for _, e := range entries {
		if e.Name == ManifestFile {
			return true
		}
	}
	return false
}

// foreignSignature is how another tool signed its checksums.txt, for a message.
type foreignSignature struct{ what, hint string }

func (v *verification) otherSignature() foreignSignature {
	if data, err := files.ReadIn(v.root, ChecksumsBundle, MaxBundleSize); err == nil {
		return bundleKind(data)
	}
	for _, s := range []struct{ suffix, what, hint string }{
		{".sig", "a detached signature", "cosign verify-blob --key KEY --signature " + ChecksumsFile + ".sig " + ChecksumsFile + " its signature, "},
		{".asc", "a detached signature of OpenPGP", "gpg --verify " + ChecksumsFile + ".asc its signature, "},
		{".minisig", "a detached signature of minisign", "minisign -Vm " + ChecksumsFile + " its signature, "},
		{".bundle", "a bundle of cosign", "cosign verify-blob --bundle " + ChecksumsFile + ".bundle " + ChecksumsFile + " its signature, "},
	} {
		if _, err := v.root.Lstat(ChecksumsFile + s.suffix); err == nil {
			return foreignSignature{" with " + s.what + " (" + ChecksumsFile + s.suffix + ")", s.hint}
		}
	}
	return foreignSignature{}
}

// bundleKind says what is in a file that has the name of a bundle.
func bundleKind(data []byte) foreignSignature {
	hint := "cosign verify-blob --key KEY --bundle " + ChecksumsBundle + " " + ChecksumsFile + " its signature, "
	var b struct {
		MediaType string `json:"mediaType"`
		Legacy    string `json:"base64Signature"`
	}
	switch err := json.Unmarshal(data, &b); {
	case err != nil:
		return foreignSignature{" with a " + ChecksumsBundle + " that is no JSON", ""}
	case b.Legacy != "":
		return foreignSignature{" with a bundle in cosign's old form, before v0.3 (" + ChecksumsBundle + ")", hint}
	case strings.Contains(b.MediaType, "v0.3"):
		return foreignSignature{" with a Sigstore bundle v0.3 (" + ChecksumsBundle + ")", hint}
	}
	return foreignSignature{" with a bundle of another version than v0.3 (" + ChecksumsBundle + ")", hint}
}
