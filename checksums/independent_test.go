package checksums

import (
	"os/exec"
	"testing"
)

// verifier is a program that verifies bundles with the JavaScript implementation of
// Sigstore, which shares nothing with ours but the specification: KEY BUNDLE [FILE]. Of
// a record, the file has to be one of its subjects by its digest, as attestation tools
// look for it.
const verifier = `const {bundleFromJSON} = require('@sigstore/bundle');
const {Verifier, toSignedEntity, toTrustMaterial} = require('@sigstore/verify');
const fs = require('fs'), crypto = require('crypto');
const [key, name, file] = process.argv.slice(1);
const publicKey = crypto.createPublicKey(fs.readFileSync(key));
const none = {certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: []};
const trust = toTrustMaterial(none, () => ({publicKey, validFor: () => true}));
const bundle = JSON.parse(fs.readFileSync(name)), data = file && fs.readFileSync(file);
const entity = toSignedEntity(bundleFromJSON(bundle), bundle.dsseEnvelope ? undefined : data);
new Verifier(trust, {tlogThreshold: 0, ctlogThreshold: 0, tsaThreshold: 0}).verify(entity);
if (bundle.dsseEnvelope && data) {
	const sum = crypto.createHash('sha256').update(data).digest('hex');
	const {subject} = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64'));
	const found = subject.filter(s => s.digest.sha256 === sum);
	if (!found.length) throw new Error('is about no ' + file);
	console.log(found.map(s => s.name).join(' '));
}`

// TestIndependent: others than mintmark and cosign accept what we sign, and refuse what
// was changed.
func TestIndependent(t *testing.T) {
	if testing.Short() {
		t.Skip("installs a verifier; not with -short")
	}
	for _, name := range []string{"npm", "node"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("NOT TRIED WITH ANOTHER VERIFIER: no " + name)
		}
	}
	modules := t.TempDir()
	install := exec.Command("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "@sigstore/verify@2.1.1", "@sigstore/bundle@3.1.0")
	install.Dir = modules
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("NOT TRIED WITH ANOTHER VERIFIER: npm install: %v\n%s", err, out)
	}
	verify := func(dir string, args ...string) error {
		for i := range args {
			args[i] = dir + "/" + args[i]
		}
		cmd := exec.Command("node", append([]string{"-e", verifier}, args...)...)
		cmd.Dir = modules
		out, err := cmd.CombinedOutput()
		t.Logf("%v: %v %.200s", args, err, out)
		return err
	}
	private, public, err := GenerateKey([]byte("pw"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := parsePrivateKey(private, password("pw"))
	if err != nil {
		t.Fatal(err)
	}
	dir := newRelease().write(t, s)
	put(t, dir, "k.pub", public)
	_, wrong, err := GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "wrong.pub", wrong)
	put(t, dir, "unpacked", []byte("linked 1")) // demo of the archive
	put(t, dir, "README.md", []byte("abc"))
	put(t, dir, "foreign", []byte("linked 0"))
	for _, args := range [][]string{{"k.pub", ChecksumsBundle, ChecksumsFile}, {"k.pub", ProvenanceBundle}, {"k.pub", ProvenanceBundle, "unpacked"}, {"k.pub", ProvenanceBundle, "README.md"}} {
		if err := verify(dir, args...); err != nil {
			t.Errorf("%s is refused: %v", args, err)
		}
	}
	for _, args := range [][]string{{"wrong.pub", ChecksumsBundle, ChecksumsFile}, {"wrong.pub", ProvenanceBundle}, {"k.pub", ChecksumsBundle, ManifestFile}, {"k.pub", ProvenanceBundle, "foreign"}} {
		if verify(dir, args...) == nil {
			t.Errorf("%s is accepted", args)
		}
	}
	put(t, dir, ChecksumsFile, append(get(t, dir, ChecksumsFile), '\n'))
	if verify(dir, "k.pub", ChecksumsBundle, ChecksumsFile) == nil {
		t.Error("a changed list is accepted")
	}
}
