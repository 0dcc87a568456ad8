package verify

import (
	"encoding/base64"
	"os"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// listAttacks write a list that tools, systems or people could read differently.
func listAttacks() []attack {
	edit := func(name, want string, change func(f *forged, text string) string) attack {
		return attack{"list: " + name, dirs, fault.Refused, want, func(f *forged) {
			f.text[checksums.ChecksumsFile] = func(text string) string { return change(f, text) }
		}}
	}
	line := func(name, want, more string) attack {
		return edit(name, want, func(_ *forged, s string) string { return s + more + "\n" })
	}
	zero := strings.Repeat("0", 64) + "  "
	tiny := func(f *forged) string { return sum(f.read("small_tiny")) + "  small_tiny\n" }
	return []attack{
		edit("nothing", "the list is empty", func(*forged, string) string { return "" }),
		edit("cut off", "the list was cut short", func(_ *forged, s string) string { return s[:len(s)-1] }),
		edit("CRLF", "ends in CRLF", func(_ *forged, s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }),
		edit("binary mode", "has the binary marker", func(f *forged, s string) string { return f.swap(s, "  small", " *small") }),
		edit("a tab", "has no two spaces", func(f *forged, s string) string { return f.swap(s, "  small_tiny", "\t small_tiny") }),
		edit("capitals", "is not lower-case hex", func(_ *forged, s string) string { return strings.ToUpper(s[:64]) + s[64:] }),
		edit("a line twice", "is listed twice", func(f *forged, s string) string { return f.swap(s, tiny(f), tiny(f)+tiny(f)) }),
		edit("a byte order mark", "line 1:", func(_ *forged, s string) string { return "\ufeff" + s }),
		edit("without the manifest", "does not list release.json", func(_ *forged, s string) string {
			return s[:strings.Index(s, "release.json")-66] + s[strings.Index(s, "release.json")+len("release.json\n"):]
		}),
		edit("without an artifact", "does not list small_tiny, which the manifest publishes", func(f *forged, s string) string { return f.swap(s, tiny(f), "") }),
		edit("another digest of an artifact", "release.json: says digest", func(f *forged, s string) string { return f.swap(s, tiny(f), zero+"small_tiny\n") }),
		edit("another digest of the manifest", "release.json: has digest", func(f *forged, s string) string {
			return f.swap(s, sum(f.read(checksums.ManifestFile)), zero[:64])
		}),
		edit("out of order", "the list is not sorted", func(_ *forged, s string) string {
			lines := strings.SplitAfter(s, "\n")
			lines[0], lines[1] = lines[1], lines[0]
			return strings.Join(lines, "")
		}),
		line("a blank line", "is empty", ""),
		line("a comment", "is too short", "# all good"),
		line("a short digest", "is too short", "abcd  zzz"),
		line("a file above", "has a directory", zero+"../zzz"),
		line("an absolute file", "has a directory", zero+"/etc/passwd"),
		line("a file of Windows", "has a directory", zero+`zz\z`),
		line("a directory", "has a directory", zero+"zz/z"),
		line("the parent", "is a directory", zero+".."),
		line("a device", "is a device on Windows", zero+"zzz\n"+zero+"nul.txt"),
		line("a stream", "that Windows does not allow", zero+"zzz:x"),
		line("a name read backwards", "has a character that does not print", zero+"zzz\u202egnp"),
		line("a name with a bell", "has a character that does not print", zero+"zzz\a"),
		line("a name that is not UTF-8", "is not UTF-8", zero+"zzz\xff"),
		line("a name that ends with a dot", "ends with a dot", zero+"zzz."),
		line("a long name", "file systems take 255", zero+strings.Repeat("z", 300)),
		edit("a name in another case", "are one file on Windows and macOS", func(f *forged, s string) string {
			return f.swap(s, tiny(f), zero+"small_tinY\n"+tiny(f))
		}),
		edit("itself in capitals", "cannot be in the list", func(_ *forged, s string) string { return zero + "CHECKSUMS.txt\n" + s }),
		line("a file that is not there", "zzz: is missing", zero+"zzz"),
	}
}

// recordAttacks sign a record that is not the manifest's.
func recordAttacks() []attack {
	edit := func(name string, verbs verbSet, want string, change func(f *forged, text string) string) attack {
		return attack{"record: " + name, verbs, fault.Refused, want, func(f *forged) {
			f.text["record"] = func(text string) string { return change(f, text) }
		}}
	}
	swap := func(name, want, old, by string) attack {
		return edit(name, signed, want, func(f *forged, text string) string { return f.swap(text, old, by) })
	}
	const subject = `"subject":[`
	const none = `{"name":"zzz","digest":{"sha256":"` // and a digest
	zero := strings.Repeat("0", 64)
	return []attack{
		swap("another statement", "has type", "Statement/v1", "Statement/v0.1"),
		swap("another predicate", "has predicate type", "provenance/v1", "provenance/v0.2"),
		swap("a rebuilder's", "has build type", "#build-type-v1", "#rebuild-type-v1"),
		swap("another project", "the record's project is", `"project":"small"`, `"project":"smali"`),
		swap("another version", "the record's version is", `"version":"1.2.3"`, `"version":"9.9.9"`),
		swap("another commit", "the record's commit is", `"gitCommit":"ab`, `"gitCommit":"cd`),
		swap("another plan ID", "the plan has the plan ID", `"planId":"`, `"planId":"0`),
		swap("a kinder verdict", "the record says something else than the manifest", `"verdict":"identical"`, `"verdict":"verified"`),
		swap("a byproduct more", "the record says something else than the manifest", `"byproducts":[`, `"byproducts":[{"name":"a/b/linked/c","digest":{"sha256":"`+zero+`"}},`),
		swap("another builder", "the record says something else than the manifest", "provenance.md#builder", "provenance.md#another"),
		swap("a source that others have seen", "the record says something else than the manifest", `"sumdb":"false"`, `"sumdb":"true"`),
		swap("built more often", "the record says something else than the manifest", `"executions":2`, `"executions":9`),
		swap("an unknown key", "that this version does not know", `"runDetails":{`, `"runDetails":{"metadata":{},`),
		swap("a key twice", `has the key "_type" twice`, `{"_type"`, `{"_type":"x","_type"`),
		swap("spaces", "is not in canonical form", `{"_type":`, `{"_type": `),
		swap("another order", "the record says something else than the manifest", `"name":"toolchain"`, `"name":"compiler"`),
		swap("a subject twice", `subject "zzz" is there twice`, subject, subject+none+zero+`"}},`+none+zero+`"}},`),
		swap("a subject above", "is not a clean relative path", subject, subject+strings.Replace(none, "zzz", "../z", 1)+zero+`"}},`),
		swap("a subject of two lines", "has a character that does not print", subject, subject+strings.Replace(none, "zzz", `z\nz`, 1)+zero+`"}},`),
		swap("a subject of no digest", "has 0 digests", subject, subject+`{"name":"zzz"},`),
		swap("a subject of two digests", "has 2 digests", subject, subject+`{"name":"zzz","digest":{"sha256":"`+zero+`","sha512":"`+zero+zero+`"}},`),
		swap("a digest of another kind", "sha256: digest has 0 digits", subject, subject+`{"name":"zzz","digest":{"sha1":"`+zero[:40]+`"}},`),
		swap("a digest in capitals", "is not lower-case hex", subject, subject+none+strings.Repeat("A", 64)+`"}},`),
		edit("a subject more", whole, "the record names zzz, which checksums.txt does not list", func(f *forged, s string) string {
			return f.swap(s, `]`+`,"predicateType"`, `,`+none+zero+`"}}],"predicateType"`)
		}),
		edit("a subject less", whole, "the record does not name small_tiny", func(f *forged, s string) string {
			return f.swap(s, `{"name":"small_tiny","digest":{"sha256":"`+sum(f.read("small_tiny"))+`"}},`, "")
		}),
		edit("another digest", whole, "the record is of another small_tiny", func(f *forged, s string) string {
			return f.swap(s, `{"name":"small_tiny","digest":{"sha256":"`+sum(f.read("small_tiny")), `{"name":"small_tiny","digest":{"sha256":"`+zero)
		}),
		edit("without the manifest", signed, "the record does not name release.json", func(f *forged, s string) string {
			return f.swap(s, `{"name":"release.json"`, `{"name":"release.jsom"`)
		}),
		edit("no subject", signed, "has no subject", func(_ *forged, s string) string {
			return s[:strings.Index(s, subject)+len(subject)] + s[strings.Index(s, `],"predicateType"`):]
		}),
		edit("more after it", signed, "has something after its end", func(_ *forged, s string) string { return s + "{}" }),
		edit("a line more", signed, "is not in canonical form", func(_ *forged, s string) string { return s + "\n" }),
		edit("cut off", signed, "is not JSON", func(_ *forged, s string) string { return s[:len(s)/2] }),
		edit("not UTF-8", signed, "is not UTF-8", func(f *forged, s string) string { return f.swap(s, "(devel)", "\xff") }),
		edit("a text", signed, "is not an in-toto statement", func(*forged, string) string { return `"verified"` }),
	}
}

// at is a node of a bundle.
func at(tree map[string]any, path ...string) map[string]any {
	for _, key := range path {
		tree = tree[key].(map[string]any)
	}
	return tree
}

// bundleAttacks alter signatures after they are made, or make others.
func bundleAttacks() []attack {
	tree := func(name, file string, verbs verbSet, want string, change func(map[string]any)) attack {
		return attack{"signature: " + name, verbs, fault.Refused, want, func(f *forged) {
			f.bundle[file] = func(text string) string { return mapJSON(f.t, text, change) }
		}}
	}
	list := func(name, want string, change func(map[string]any)) attack {
		return tree(name, checksums.ChecksumsBundle, whole, checksums.ChecksumsBundle+": "+want, change)
	}
	record := func(name, want string, change func(map[string]any)) attack {
		return tree(name, checksums.ProvenanceBundle, signed, checksums.ProvenanceBundle+": "+want, change)
	}
	text := func(name, file string, want string, change func(f *forged, s string) string) attack {
		return attack{"signature: " + name, whole, fault.Refused, file + ": " + want, func(f *forged) {
			f.bundle[file] = func(text string) string { return change(f, text) }
		}}
	}
	material := func(key string, v any) func(map[string]any) {
		return func(b map[string]any) {
			m := at(b, "verificationMaterial")
			delete(m, "publicKey")
			if key != "" {
				m[key] = v
			}
		}
	}
	cert := map[string]any{"rawBytes": base64.StdEncoding.EncodeToString([]byte("a certificate"))}
	signature := func(b map[string]any) map[string]any { return at(b, "messageSignature") }
	envelope := func(b map[string]any) map[string]any { return at(b, "dsseEnvelope") }
	add := func(key string) func(map[string]any) { return func(b map[string]any) { b[key] = "x" } }
	other := func(f *forged, s string) string { // the same bytes, signed by a stranger
		out, err := checksums.SignBlob(f.t.Context(), f.stranger, []byte(f.read(checksums.ChecksumsFile)))
		f.must(err)
		return string(out)
	}
	return []attack{
		list("with a certificate", "the bundle was signed with a certificate", material("certificate", cert)),
		list("with certificates", "the bundle was signed with a certificate", material("x509CertificateChain", map[string]any{"certificates": []any{cert}})),
		list("with nothing", "the bundle does not say what it was signed with", material("", nil)),
		list("of an older form", "bundle of media type", func(b map[string]any) { b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1" }),
		list("of no form", "bundle of media type", func(b map[string]any) { delete(b, "mediaType") }),
		list("cosign's old one", "is cosign's old bundle format", add("base64Signature")),
		list("a receipt", "is cosign's old bundle format", add("SignedEntryTimestamp")),
		list("an old receipt", "is cosign's old bundle format", add("rekorBundle")),
		list("a bare envelope", "is a bare DSSE envelope", add("payloadType")),
		list("an unknown key", "is not a Sigstore bundle", add("trusted")),
		list("a log entry of no form", "is not a Sigstore bundle", func(b map[string]any) {
			at(b, "verificationMaterial")["tlogEntries"] = []any{map[string]any{"logIndex": "x"}}
		}),
		list("empty", "the bundle holds no signature", func(b map[string]any) { delete(b, "messageSignature") }),
		list("without a digest", "the bundle has no message digest", func(b map[string]any) { delete(signature(b), "messageDigest") }),
		list("of other bytes", "the bundle signs other bytes", func(b map[string]any) {
			at(signature(b), "messageDigest")["digest"] = base64.StdEncoding.EncodeToString(make([]byte, 32))
		}),
		list("with a weak digest", "the bundle's message digest: algorithm SHA3_256 is not one of SHA-256", func(b map[string]any) { at(signature(b), "messageDigest")["algorithm"] = "SHA3_256" }),
		list("without bytes", "the signature is not by key", func(b map[string]any) { delete(signature(b), "signature") }),
		list("of zeros", "the signature is not by key", func(b map[string]any) {
			signature(b)["signature"] = base64.StdEncoding.EncodeToString([]byte("0\x06\x02\x01\x00\x02\x01\x00"))
		}),
		list("both kinds", "is not a Sigstore bundle", func(b map[string]any) { b["dsseEnvelope"] = map[string]any{"payload": "e30="} }),
		text("by a stranger", checksums.ChecksumsBundle, "the bundle names key", other),
		text("by a stranger in our name", checksums.ChecksumsBundle, "the signature is not by key", func(f *forged, s string) string {
			return strings.ReplaceAll(other(f, s), f.stranger.ID().Name, f.by.ID().Name)
		}),
		text("of the record", checksums.ChecksumsBundle, "the bundle signs a statement, not a file", func(f *forged, _ string) string { return f.read(checksums.ProvenanceBundle) }),
		text("of another file", checksums.ChecksumsBundle, "the bundle signs other bytes", func(f *forged, _ string) string {
			out, err := checksums.SignBlob(f.t.Context(), f.by, []byte(f.read(checksums.ManifestFile)))
			f.must(err)
			return string(out)
		}),
		text("nothing", checksums.ChecksumsBundle, "the bundle is empty", func(*forged, string) string { return "" }),
		text("a key twice", checksums.ChecksumsBundle, "the bundle has the key", func(f *forged, s string) string { return f.swap(s, `{"mediaType"`, `{"mediaType":"x","mediaType"`) }),
		text("another one after it", checksums.ChecksumsBundle, "the bundle has something after its end", func(_ *forged, s string) string { return s + s }),
		text("of the list", checksums.ProvenanceBundle, "the bundle signs a file, not a statement", func(f *forged, _ string) string { return f.read(checksums.ChecksumsBundle) }),
		record("of another payload type", "the envelope has payload type", func(b map[string]any) { envelope(b)["payloadType"] = "application/json" }),
		record("of an empty envelope", "the envelope is empty", func(b map[string]any) { envelope(b)["payload"] = "" }),
		record("twice", "the envelope has 2 signatures", func(b map[string]any) {
			list := envelope(b)["signatures"].([]any)
			envelope(b)["signatures"] = append(list, list[0])
		}),
		record("never", "the envelope has 0 signatures", func(b map[string]any) { envelope(b)["signatures"] = []any{} }),
		record("of another statement", "the signature is not by key", func(b map[string]any) {
			envelope(b)["payload"] = base64.StdEncoding.EncodeToString([]byte(`{"_type":"https://in-toto.io/Statement/v1"}`))
		}),
		record("the record with a certificate", "the bundle was signed with a certificate", material("certificate", cert)),
		{"signature: all by a stranger", signed, fault.Refused, "the bundle names key", func(f *forged) { f.by = f.stranger }},
		{"signature: a ledger without", whole, fault.Refused, checksums.LedgerBundle + ": is missing", func(f *forged) {
			withLedger(f)
			f.disk = append(f.disk, remove(checksums.LedgerBundle))
		}},
		{"signature: a ledger by a stranger", whole, fault.Refused, checksums.LedgerBundle + ": the bundle names key", func(f *forged) {
			withLedger(f)
			f.bundle[checksums.LedgerBundle] = func(string) string {
				out, err := checksums.SignBlob(f.t.Context(), f.stranger, []byte(f.read(checksums.LedgerFile)))
				f.must(err)
				return string(out)
			}
		}},
		{"signature: a ledger with the list's", whole, fault.Refused, checksums.LedgerBundle + ": the bundle signs other bytes", func(f *forged) {
			withLedger(f)
			f.bundle[checksums.LedgerBundle] = func(string) string { return f.read(checksums.ChecksumsBundle) }
		}},
		{"expected: another key", whole, fault.Refused, "the bundle names key", func(f *forged) {
			f.ask = func(vc *Config) { vc.Key = f.k.rebuilders }
		}},
		{"expected: another project", signed, fault.Refused, `project is "small", expected "large"`, func(f *forged) { f.ask = func(vc *Config) { vc.Project = "large" } }},
		{"expected: a newer version", signed, fault.Refused, `version is "1.2.3", expected "1.2.4"`, func(f *forged) { f.ask = func(vc *Config) { vc.Version = "v1.2.4" } }},
		{"expected: another commit", signed, fault.Refused, "commit is", func(f *forged) { f.ask = func(vc *Config) { vc.Commit = strings.Repeat("cd", 20) } }},
		{"expected: another module", signed, fault.Refused, "module is", func(f *forged) { f.ask = func(vc *Config) { vc.Module = "example.com/smal1" } }},
	}
}

func withLedger(f *forged) {
	_, err := f.Write(checksums.LedgerFile, "{}\n")
	f.must(err)
}

// quorumAttacks make rebuilders say what they did not find, or be more than they are.
func quorumAttacks() []attack {
	claim := func(name, want string, change func(*checksums.Statement)) attack {
		return attack{"rebuilders: " + name, quorums, fault.Refused, want, func(f *forged) { f.claim = change }}
	}
	swap := func(name, want, old, by string) attack {
		return attack{"rebuilders: " + name, quorums, fault.Refused, want, func(f *forged) {
			f.text["claim"] = func(s string) string { return f.swap(s, old, by) }
		}}
	}
	ask := func(name string, code int, want string, change func(*forged, *Config)) attack {
		return attack{"rebuilders: " + name, quorums, code, want, func(f *forged) {
			f.ask = func(vc *Config) { change(f, vc) }
		}}
	}
	zero := strings.Repeat("0", 64)
	return []attack{
		ask("the publisher's own key twice", fault.Refused, "small_tiny: was rebuilt by 0 of 1 rebuilders", func(f *forged, vc *Config) { vc.Rebuilders = []checksums.KeyRef{f.k.public, f.k.public} }),
		ask("one key twice for two", fault.Refused, "small_tiny: was rebuilt by 1 of 2 rebuilders", func(f *forged, vc *Config) {
			vc.Rebuilders, vc.Threshold = []checksums.KeyRef{f.k.rebuilders, f.k.rebuilders}, 2
		}),
		ask("one of two", fault.Refused, "small_tiny: was rebuilt by 1 of 2 rebuilders", func(f *forged, vc *Config) { vc.Rebuilders = []checksums.KeyRef{f.k.rebuilders, f.k.public} }),
		ask("fewer than none", fault.Usage, "-threshold=-1", func(f *forged, vc *Config) {
			vc.Rebuilders, vc.Threshold = []checksums.KeyRef{f.k.rebuilders}, -1
		}),
		{"rebuilders: the publisher's statement", quorums, fault.Refused, "was rebuilt by 0 of 2 rebuilders", func(f *forged) {
			f.signClaim = f.by
			f.ask = func(vc *Config) { vc.Rebuilders = []checksums.KeyRef{f.k.public, f.k.rebuilders} }
		}},
		{"rebuilders: a stranger's statement", quorums, fault.Refused, "was rebuilt by 0 of 1 rebuilders", func(f *forged) { f.signClaim = f.stranger }},
		{"rebuilders: two statements of one", quorums, fault.Refused, "was rebuilt by 1 of 2 rebuilders", func(f *forged) {
			f.disk = append(f.disk, func(string) error { f.put("again"+checksums.StatementSuffix, f.read(rebuiltFile)); return nil })
			f.ask = func(vc *Config) { vc.Rebuilders, vc.Threshold = []checksums.KeyRef{f.k.rebuilders}, 2 }
		}},
		{"rebuilders: the record itself", quorums, fault.Refused, "has build type", func(f *forged) {
			f.disk = append(f.disk, func(string) error { f.put(rebuiltFile, f.read(checksums.ProvenanceBundle)); return nil })
			f.ask = func(vc *Config) { vc.Rebuilders = []checksums.KeyRef{f.k.public} }
		}},
		{"rebuilders: no statement", quorums, fault.Refused, "was rebuilt by 0 of 1 rebuilders", func(f *forged) { f.disk = append(f.disk, remove(rebuiltFile)) }},
		{"rebuilders: a damaged statement", quorums, fault.Refused, rebuiltFile + ": the bundle is not JSON", func(f *forged) {
			f.bundle[rebuiltFile] = func(s string) string { return s[:len(s)/2] }
		}},
		{"rebuilders: a link to a statement", quorums, fault.Refused, "is a file that checksums.txt does not list", func(f *forged) {
			f.disk = append(f.disk, func(dir string) error {
				return os.Symlink(dir+"/"+rebuiltFile, dir+"/link"+checksums.StatementSuffix)
			})
		}},
		swap("another project", "is about project", `"project":"small"`, `"project":"smali"`),
		swap("another version", "is about version", `"version":"1.2.3"`, `"version":"1.2.4"`),
		swap("another commit", "is about commit", `"gitCommit":"ab`, `"gitCommit":"cd`),
		swap("another source", "is about source h1", `"dirHash":"00`, `"dirHash":"11`),
		swap("another compiler", "is about toolchain", `"version":"go1.26.8"`, `"version":"go1.26.7"`),
		swap("an unknown key", "that this version does not know", `"runDetails":{`, `"runDetails":{"verified":true,`),
		swap("a key twice", "twice", `{"_type"`, `{"_type":"x","_type"`),
		claim("another manifest", "is about release.json", func(s *checksums.Statement) {
			for _, d := range s.Predicate.BuildDefinition.ResolvedDependencies {
				if d.Name == checksums.ManifestFile {
					d.Digest["sha256"] = zero
				}
			}
		}),
		claim("no manifest", "does not say which release.json", func(s *checksums.Statement) {
			d := &s.Predicate.BuildDefinition
			d.ResolvedDependencies = d.ResolvedDependencies[:2]
		}),
		claim("a file that the release does not have", "names zzz, which the release does not have", func(s *checksums.Statement) {
			s.Subject = append(s.Subject, checksums.Resource{Name: "zzz", Digest: map[string]string{"sha256": zero}})
		}),
		claim("another digest", "is about another", func(s *checksums.Statement) { s.Subject[0].Digest = map[string]string{"sha256": zero} }),
		claim("all but one", "was rebuilt by 0 of 1", func(s *checksums.Statement) {
			s.Subject = slices.DeleteFunc(s.Subject, func(r checksums.Resource) bool { return r.Name == "small_tiny" })
		}),
		claim("more than it says was compared", "by its own account did not come out identical", func(s *checksums.Statement) {
			for _, b := range s.Predicate.RunDetails.Byproducts {
				b.Annotations["verdict"] = string(fact.Unchecked)
				b.Annotations["reason"] = "nothing was built"
			}
		}),
		claim("what it does not say was compared", "by its own account did not come out identical", func(s *checksums.Statement) { s.Predicate.RunDetails.Byproducts = nil }),
	}
}
