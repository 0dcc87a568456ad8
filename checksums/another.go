package checksums

import (
	"encoding/json"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
)

// foreign refuses a directory that is no release of this tool, and says what it
// is: nothing in it is damaged for all anybody knows. A release whose manifest
// was taken away still lists it, and is refused for that.
func (v *verification) foreign() bool {
	if _, err := v.root.Lstat(ManifestFile); err == nil {
		return false
	}
	list, err := files.ReadIn(v.root, ChecksumsFile, MaxListSize)
	if err == nil {
		if entries, err := ParseList(list); err != nil || listsManifest(entries) {
			return false
		}
	}
	if _, perr := v.root.Lstat(ProvenanceBundle); perr == nil && err != nil {
		return false // some of our files, and no list
	}
	const made = "mintmark verifies what mintmark release made"
	switch signature := v.otherSignature(); {
	case err != nil:
		v.refuse("", made+": name the directory with its release.json; mintmark rebuild builds anybody's binaries again and compares",
			"not a release of mintmark: neither %s nor %s is there", ManifestFile, ChecksumsFile)
	default:
		v.refuse("", made+"; sha256sum -c "+ChecksumsFile+" compares these files with the list, "+signature.hint+"mintmark rebuild builds their binaries again. If this should be a release of mintmark, files of it were taken away: do not use it then",
			"not a release of mintmark, but made by another tool: there is a %s%s, and no %s, which every release of mintmark has", ChecksumsFile, signature.what, ManifestFile)
	}
	return true
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
