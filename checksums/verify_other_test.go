package checksums

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// keyless makes of a bundle by a key one by a certificate: nobody looks at whose.
func keyless(t *testing.T, bundle []byte) []byte {
	t.Helper()
	var b map[string]any
	if err := json.Unmarshal(bundle, &b); err != nil {
		t.Fatal(err)
	}
	material := b["verificationMaterial"].(map[string]any)
	delete(material, "publicKey")
	material["certificate"] = map[string]any{"rawBytes": base64.StdEncoding.EncodeToString([]byte("certificate"))}
	data, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestVerifyOther: of a release that another tool made, what is there is checked, in
// the forms that other tools write, and what is not is said.
func TestVerifyOther(t *testing.T) {
	s, other := newSigner(t), newSigner(t)
	const file, content = "tool_1.0.0_linux_amd64.tar.gz", "archive"
	sum := files.DigestBytes([]byte(content))
	list := sum + "  " + file + "\n" + files.DigestBytes([]byte("windows")) + "  tool_1.0.0_windows_amd64.zip\n"
	sign := func(data string) []byte { return signBlob(t, s, []byte(data)) }
	raw := func(data string) []byte {
		sig, err := s.Sign(t.Context(), Payload{Content: []byte(data)})
		if err != nil {
			t.Fatal(err)
		}
		return []byte(base64.StdEncoding.EncodeToString(sig.Bytes) + "\n")
	}
	statement := func(sum string) []byte {
		return signStatement(t, s, []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"`+file+`","digest":{"sha256":"`+sum+`"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{}}`))
	}
	sums512 := sha512.Sum512([]byte(content))
	for _, tc := range []struct {
		name    string
		files   map[string][]byte
		dir     bool // the directory, not the file
		key     Trust
		cfg     VerifyConfig
		refused string
		checked string
		open    string
	}{
		{name: "GoReleaser's list", files: map[string][]byte{"tool_1.0.0_checksums.txt": []byte(list)}, checked: file + " has the digest that tool_1.0.0_checksums.txt says", open: "how it was built: no release.json is here"},
		{name: "directory", dir: true, cfg: VerifyConfig{AllowMissing: true}, files: map[string][]byte{"checksums.txt": []byte(list)}, checked: "1 of 2 listed files have the digest that checksums.txt says", open: "are not here: tool_1.0.0_windows_amd64.zip"},
		{name: "directory with more", dir: true, cfg: VerifyConfig{AllowMissing: true}, files: map[string][]byte{"checksums.txt": []byte(list), "artifacts.json": []byte("[]")}, open: "what else is here: artifacts.json"},
		{name: "another list's order and marks", files: map[string][]byte{"SHA256SUMS": []byte("\n" + strings.ToUpper(sum) + " *./" + file + "\r\n")}, checked: "SHA256SUMS says"},
		{name: "in BSD's style", files: map[string][]byte{"checksums.txt": []byte("SHA256 (" + file + ") = " + sum + "\n")}, checked: "checksums.txt says"},
		{name: "SHA-512", files: map[string][]byte{"SHA512SUMS": []byte(hex.EncodeToString(sums512[:]) + "  " + file + "\n")}, checked: "SHA512SUMS says"},
		{name: "missing", dir: true, files: map[string][]byte{"checksums.txt": []byte(list)}, refused: "tool_1.0.0_windows_amd64.zip: is missing"},
		{name: "changed", files: map[string][]byte{"checksums.txt": []byte(strings.ReplaceAll(list, sum, files.DigestBytes(nil)))}, refused: file + ": has digest"},
		{name: "changed, directory", dir: true, files: map[string][]byte{"checksums.txt": []byte(strings.ReplaceAll(list, sum, files.DigestBytes(nil)))}, refused: file + ": has digest"},
		{name: "not listed", files: map[string][]byte{"checksums.txt": []byte(list[67+len(file):])}, refused: file + ": is not listed in checksums.txt"},
		{name: "two digests", files: map[string][]byte{"checksums.txt": []byte(list + files.DigestBytes(nil) + "  " + file + "\n")}, refused: "is listed before with another digest"},
		{name: "nothing of the list here", dir: true, cfg: VerifyConfig{AllowMissing: true}, files: map[string][]byte{"checksums.txt": []byte(files.DigestBytes(nil) + "  else.zip\n")}, refused: "no file that checksums.txt lists is here"},
		{name: "bundle of a key", files: map[string][]byte{"checksums.txt": []byte(list), "checksums.txt.sigstore.json": sign(list)}, key: s.Trust(), checked: "checksums.txt is signed by"},
		{name: "bundle of a key, none given", files: map[string][]byte{"checksums.txt": []byte(list), "checksums.txt.sigstore.json": sign(list)}, open: "checksums.txt.sigstore.json is there, but no key was given"},
		{name: "bundle of another key", files: map[string][]byte{"checksums.txt": []byte(list), "checksums.txt.sigstore.json": sign(list)}, key: other.Trust(), refused: "names key"},
		{name: "bundle of another list", files: map[string][]byte{"checksums.txt": []byte(list), "checksums.txt.sigstore.json": sign(list + "x")}, key: s.Trust(), refused: "signs other bytes"},
		{name: "signature in base64", files: map[string][]byte{"checksums.txt": []byte(list), "checksums.txt.sig": raw(list)}, key: s.Trust(), checked: "checksums.txt is signed by"},
		{name: "wrong signature in base64", files: map[string][]byte{"checksums.txt": []byte(list), "checksums.txt.sig": raw(list + "x")}, key: s.Trust(), refused: "the signature is not by"},
		{name: "cosign's old bundle", files: map[string][]byte{"checksums.txt": []byte(list), "checksums.txt.bundle": []byte(`{"base64Signature":"` + strings.TrimSpace(string(raw(list))) + `"}`)}, key: s.Trust(), checked: "checksums.txt is signed by"},
		{name: "signature by a certificate", files: map[string][]byte{"checksums.txt": []byte(list), "checksums.txt.sig": raw(list), "checksums.txt.pem": []byte("x")}, open: "keyless"},
		{name: "bundle by a certificate", files: map[string][]byte{"checksums.txt": []byte(list), "checksums.txt.sigstore.json": keyless(t, sign(list))}, open: "by a certificate (keyless)"},
		{name: "bundle by a certificate, and a key", files: map[string][]byte{"checksums.txt": []byte(list), "checksums.txt.sigstore.json": keyless(t, sign(list))}, key: s.Trust(), refused: "nothing here is signed by"},
		{name: "no signature, and a key", files: map[string][]byte{"checksums.txt": []byte(list)}, key: s.Trust(), refused: "nothing here is signed by"},
		{name: "the file's own signature", files: map[string][]byte{file + ".sigstore.json": sign(content)}, key: s.Trust(), checked: file + " is signed by"},
		{name: "GitHub's attestation", files: map[string][]byte{"attestation.jsonl": keyless(t, statement(sum)), "checksums.txt": []byte(list)}, open: "the statement attestation.jsonl: names " + file + " (https://slsa.dev/provenance/v1), and is signed by a certificate"},
		{name: "attestation of another file", files: map[string][]byte{"attestation.jsonl": keyless(t, statement(files.DigestBytes(nil))), "checksums.txt": []byte(list)}, open: "names none of the files"},
		{name: "attestation by a key", files: map[string][]byte{"attestation.jsonl": statement(sum)}, key: s.Trust(), checked: file + " is signed by"},
		{name: "attestation of one file of two", dir: true, files: map[string][]byte{"attestation.jsonl": statement(sum), "checksums.txt": []byte(list), "tool_1.0.0_windows_amd64.zip": []byte("windows")}, key: s.Trust(), refused: "tool_1.0.0_windows_amd64.zip: neither it nor its list is signed"},
		{name: "an expectation", files: map[string][]byte{"checksums.txt": []byte(list)}, cfg: VerifyConfig{Version: "1.0.0"}, refused: "nothing here says of which version"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, file, []byte(content))
			for name, data := range tc.files {
				put(t, dir, name, data)
			}
			one := file
			if tc.dir {
				one = ""
			}
			l, err := Look(dir, one)
			if err != nil || l.Ours {
				t.Fatalf("%+v, %v", l, err)
			}
			cfg := tc.cfg
			cfg.Trust, cfg.AllowUnsigned = tc.key, tc.key == nil
			v, err := VerifyOther(t.Context(), dir, one, l, cfg)
			if tc.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tc.refused) || fault.ExitCode(err) != fault.Refused || fault.Hint(err) == "" {
					t.Fatalf("error %v, want %q", err, tc.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(checked(v), tc.checked) || !strings.Contains(notChecked(v), tc.open) {
				t.Errorf("checked:\n%s\nnot checked:\n%s\nwant %q and %q", checked(v), notChecked(v), tc.checked, tc.open)
			}
			if v.Verified() != (tc.key != nil) {
				t.Errorf("verified: %t\n%s", v.Verified(), notChecked(v))
			}
		})
	}
}

// TestLook: what is a release of ours, and which list has a file, is seen without
// believing anything.
func TestLook(t *testing.T) {
	sum := files.DigestBytes(nil)
	for name, tc := range map[string]struct {
		files map[string]string
		file  string
		list  string
		ours  bool
	}{
		"nothing":             {},
		"the usual one first": {files: map[string]string{"SHA256SUMS": sum + "  a\n", "checksums.txt": sum + "  b\n"}, list: "checksums.txt"},
		"that has the file":   {files: map[string]string{"SHA256SUMS": sum + "  a\n", "checksums.txt": sum + "  b\n"}, file: "a", list: "SHA256SUMS"},
		"any name":            {files: map[string]string{"digests": sum + "  a\n", "notes.txt": "hello\n"}, list: "digests"},
		"no list":             {files: map[string]string{"checksums.txt": "hello\n"}},
		"it names a manifest": {files: map[string]string{"x_checksums.txt": sum + "  release.json\n"}, list: "x_checksums.txt", ours: true},
		"a record":            {files: map[string]string{ProvenanceBundle: "{}"}, ours: true},
		"another's manifest":  {files: map[string]string{ManifestFile: "{}"}},
	} {
		dir := t.TempDir()
		for n, data := range tc.files {
			if err := os.WriteFile(filepath.Join(dir, n), []byte(data), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		l, err := Look(dir, tc.file)
		if err != nil || l.List.Name != tc.list || l.Ours != tc.ours {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
}
