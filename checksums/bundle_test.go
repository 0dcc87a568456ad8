package checksums

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// edit decodes JSON, changes it and encodes it again.
func edit(t testing.TB, data []byte, change func(map[string]any)) []byte {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	change(v)
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func at(v map[string]any, path ...string) map[string]any {
	for _, p := range path {
		v = v[p].(map[string]any)
	}
	return v
}

func TestBundleForm(t *testing.T) {
	s := newSigner(t)
	bundle, err := SignBlob(t.Context(), s, []byte("data"))
	if err != nil {
		t.Fatal(err)
	}
	// Exactly these fields, in this order: the form that other clients were
	// tried with.
	want := `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"` + s.ID().Name +
		`"}},"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"` + digestB64("data") + `"},"signature":"`
	if !bytes.HasPrefix(bundle, []byte(want)) {
		t.Errorf("got  %s\nwant %s", bundle, want)
	}
	statement := signStatement(t, s, []byte("{}"))
	want = `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"` + s.ID().Name +
		`"}},"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"`
	if !bytes.HasPrefix(statement, []byte(want)) {
		t.Errorf("got  %s\nwant %s", statement, want)
	}
}

func digestB64(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func TestVerifyBlobRefuses(t *testing.T) {
	s := newSigner(t)
	data := []byte("data")
	good, err := SignBlob(t.Context(), s, data)
	if err != nil {
		t.Fatal(err)
	}
	statement := signStatement(t, s, []byte("{}"))
	change := func(f func(map[string]any)) []byte { return edit(t, good, f) }
	if err := VerifyBlob(s.Trust(), change(func(map[string]any) {}), data); err != nil {
		t.Fatalf("the unchanged bundle, reformatted: %v", err)
	}
	other := change(func(m map[string]any) { m["mediaType"] = bundleMediaTypeAlt })
	if err := VerifyBlob(s.Trust(), other, data); err != nil {
		t.Errorf("the other media type of v0.3: %v", err)
	}
	noHint := change(func(m map[string]any) { m["verificationMaterial"] = map[string]any{"publicKey": map[string]any{}} })
	if err := VerifyBlob(s.Trust(), noHint, data); err != nil {
		t.Errorf("no hint: %v", err)
	}
	cert := map[string]any{"rawBytes": "AAAA"}
	for _, tc := range []struct {
		name, want string
		bundle     []byte
	}{
		{"empty", "is empty", nil},
		{"not JSON", "is not JSON", []byte("x")},
		{"array", "not a Sigstore bundle", []byte("[]")},
		{"cut short", "is not JSON", good[:len(good)/2]},
		{"trailing data", "something after its end", append(bytes.Clone(good), good...)},
		{"too large", "more than", bytes.Repeat([]byte(" "), MaxBundleSize+1)},
		{"duplicate key", "twice", []byte(strings.Replace(string(good), `{"mediaType"`, `{"mediaType":"x","mediaType"`, 1))},
		{"unknown field", "unknown field", change(func(m map[string]any) { m["x"] = 1 })},
		{"unknown field inside", "unknown field", change(func(m map[string]any) { at(m, "messageSignature")["x"] = 1 })},
		{"v0.1", "want v0.3", change(func(m map[string]any) { m["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1" })},
		{"v0.4", "want v0.3", change(func(m map[string]any) { m["mediaType"] = "application/vnd.dev.sigstore.bundle.v0.4+json" })},
		{"no media type", "want v0.3", change(func(m map[string]any) { delete(m, "mediaType") })},
		{"certificate", "signed with a certificate", change(func(m map[string]any) { m["verificationMaterial"] = map[string]any{"certificate": cert} })},
		{"chain", "signed with a certificate", change(func(m map[string]any) {
			m["verificationMaterial"] = map[string]any{"x509CertificateChain": map[string]any{"certificates": []any{cert}}}
		})},
		{"certificate and key", "not a Sigstore bundle", change(func(m map[string]any) { at(m, "verificationMaterial")["certificate"] = cert })},
		{"no material", "does not say what it was signed with", change(func(m map[string]any) { delete(m, "verificationMaterial") })},
		{"legacy", "old bundle format", []byte(`{"base64Signature":"AAAA","cert":"","rekorBundle":{}}`)},
		{"bare envelope", "bare DSSE envelope", []byte(`{"payloadType":"x","payload":"","signatures":[]}`)},
		{"no content", "no signature", change(func(m map[string]any) { delete(m, "messageSignature") })},
		{"statement", "a statement, not a file", statement},
		{"no digest", "no message digest", change(func(m map[string]any) { delete(at(m, "messageSignature"), "messageDigest") })},
		{"empty digest", "no message digest", change(func(m map[string]any) { at(m, "messageSignature", "messageDigest")["digest"] = "" })},
		{"unknown algorithm", "not a Sigstore bundle", change(func(m map[string]any) { at(m, "messageSignature", "messageDigest")["algorithm"] = "MD5" })},
		{"unknown algorithm number", "is not one of", change(func(m map[string]any) { at(m, "messageSignature", "messageDigest")["algorithm"] = 77 })},
		{"no algorithm", "is not one of", change(func(m map[string]any) { delete(at(m, "messageSignature", "messageDigest"), "algorithm") })},
		{"other digest", "signs other bytes", change(func(m map[string]any) { at(m, "messageSignature", "messageDigest")["digest"] = digestB64("x") })},
		{"no signature", "not by key", change(func(m map[string]any) { delete(at(m, "messageSignature"), "signature") })},
		{"other signature", "not by key", change(func(m map[string]any) { at(m, "messageSignature")["signature"] = "MAYCAQECAQE=" })},
		{"other hint", "names key", change(func(m map[string]any) {
			at(m, "verificationMaterial", "publicKey")["hint"] = "x"
			at(m, "messageSignature")["signature"] = "MAYCAQECAQE="
		})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := VerifyBlob(s.Trust(), tc.bundle, data)
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Reason, tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	if err := VerifyBlob(s.Trust(), good, []byte("date")); err == nil || !strings.Contains(err.Error(), "signs other bytes") {
		t.Errorf("other data: %v", err)
	}
	// The digest in the bundle must not stand in for the data.
	lie := change(func(m map[string]any) { at(m, "messageSignature", "messageDigest")["digest"] = digestB64("date") })
	if err := VerifyBlob(s.Trust(), lie, []byte("date")); err == nil || !strings.Contains(err.Error(), "not by key") {
		t.Errorf("other data with its digest: %v", err)
	}
	if err := VerifyBlob(newSigner(t).Trust(), good, data); err == nil || !strings.Contains(err.Error(), "names key") {
		t.Errorf("other key: %v", err)
	}
}

func TestVerifyStatementRefuses(t *testing.T) {
	s := newSigner(t)
	good := signStatement(t, s, []byte(`{"a":1}`))
	blob, err := SignBlob(t.Context(), s, []byte("data"))
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(env map[string]any)) []byte {
		return edit(t, good, func(m map[string]any) { f(at(m, "dsseEnvelope")) })
	}
	// Signed by the key, but with another payload type.
	sig, err := s.Sign(t.Context(), Payload{Content: []byte("DSSEv1 10 text/plain 7 {\"a\":1}")})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, want string
		bundle     []byte
	}{
		{"blob", "signs a file, not a statement", blob},
		{"payload type", "payload type", change(func(e map[string]any) {
			e["payloadType"] = "text/plain"
			e["signatures"] = []any{map[string]any{"sig": base64.StdEncoding.EncodeToString(sig.Bytes)}}
		})},
		{"no payload type", "payload type", change(func(e map[string]any) { delete(e, "payloadType") })},
		{"empty", "is empty", change(func(e map[string]any) { e["payload"] = "" })},
		{"other payload", "not by key", change(func(e map[string]any) { e["payload"] = "e30=" })},
		{"no signature", "0 signatures", change(func(e map[string]any) { e["signatures"] = []any{} })},
		{"two signatures", "2 signatures", change(func(e map[string]any) {
			sigs := e["signatures"].([]any)
			e["signatures"] = append(sigs, sigs[0])
		})},
		{"good one second", "2 signatures", change(func(e map[string]any) {
			e["signatures"] = []any{map[string]any{"sig": "AAAA"}, e["signatures"].([]any)[0]}
		})},
		{"unknown field", "unknown field", change(func(e map[string]any) { e["x"] = 1 })},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := VerifyStatement(s.Trust(), tc.bundle)
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Reason, tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	if _, err := VerifyStatement(newSigner(t).Trust(), good); err == nil {
		t.Error("other key accepted")
	}
}

// TestOpenSSL checks the signature of a bundle without any Sigstore program.
func TestOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not on this machine: the signature was not tried with it")
	}
	for name, key := range keyKinds(t) {
		t.Run(name, func(t *testing.T) {
			s, err := NewSigner(key)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			data := []byte(hexA + "  a\n")
			bundle, err := SignBlob(t.Context(), s, data)
			if err != nil {
				t.Fatal(err)
			}
			var b struct{ MessageSignature struct{ Signature []byte } }
			if err := json.Unmarshal(bundle, &b); err != nil {
				t.Fatal(err)
			}
			pub, err := cryptoutils.MarshalPublicKeyToPEM(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, "k.pub", pub)
			put(t, dir, "sig", b.MessageSignature.Signature)
			args := []string{"dgst", map[string]string{"P-384": "-sha384", "P-521": "-sha512"}[name], "-verify", "k.pub", "-signature", "sig", ChecksumsFile}
			switch {
			case name == "Ed25519":
				args = []string{"pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "k.pub", "-sigfile", "sig", "-in", ChecksumsFile}
			case args[1] == "":
				args[1] = "-sha256"
			}
			verify := func(data []byte) (string, error) {
				put(t, dir, ChecksumsFile, data)
				cmd := exec.Command("openssl", args...)
				cmd.Dir = dir
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			if out, err := verify(data); err != nil {
				t.Errorf("openssl %v: %v\n%s", args, err, out)
			}
			if out, err := verify([]byte("x")); err == nil {
				t.Errorf("openssl accepts other data: %s", out)
			}
		})
	}
}

func FuzzReadBundle(f *testing.F) {
	s := newSigner(f)
	blob, err := SignBlob(f.Context(), s, []byte("data"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(blob)
	f.Add(signStatement(f, s, []byte("{}")))
	f.Add([]byte(`{"base64Signature":"AAAA"}`))
	f.Add([]byte(`{"mediaType":"` + bundleMediaTypeAlt + `","verificationMaterial":{"certificate":{"rawBytes":""}}}`))
	f.Add([]byte(`{"media_type":"` + bundleMediaType + `","verification_material":{"public_key":{}},"dsse_envelope":{}}`))
	v := newSigner(f).Trust() // has signed nothing
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := readBundle(data); err != nil {
			var refused *RefusedError
			if !errors.As(err, &refused) {
				t.Errorf("%T is not a refusal: %v", err, err)
			}
		}
		if VerifyBlob(v, data, []byte("data")) == nil {
			t.Error("a signature that nobody made")
		}
		if _, err := VerifyStatement(v, data); err == nil {
			t.Error("a statement that nobody signed")
		}
	})
}
