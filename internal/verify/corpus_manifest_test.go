package verify

import (
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// inManifest is an attack on what the manifest says.
func inManifest(change func(*checksums.Manifest)) func(*forged) {
	return func(f *forged) { change(f.Manifest) }
}

// manifestAttacks say something in a manifest that no publisher's mintmark
// writes; signature, list and record are in order.
func manifestAttacks() []attack {
	m := func(name, want string, change func(*checksums.Manifest)) attack {
		return attack{"manifest: " + name, all, fault.Refused, want, inManifest(change)}
	}
	source := func(name, want string, change func(*checksums.Source)) attack {
		return m(name, want, func(m *checksums.Manifest) { change(&m.Source) })
	}
	art := func(name, platform string, stage fact.Stage, want string, change func(*checksums.Artifact)) attack {
		return attack{"artifact: " + name, all, fault.Refused, want, func(f *forged) { change(f.Artifact(platform, stage)) }}
	}
	linked := func(name, want string, change func(*checksums.Artifact)) attack {
		return art(name, "linux/amd64", fact.Linked, want, change)
	}
	packed := func(name, want string, change func(*checksums.Artifact)) attack {
		return art(name, "linux/arm64", fact.Packed, want, change)
	}
	archived := func(name, want string, change func(*checksums.Artifact)) attack {
		return art(name, "linux/amd64", fact.Archived, want, change)
	}
	actions := func(name, want string, change func(*checksums.UnitActions)) attack {
		return m("actions: "+name, want, func(m *checksums.Manifest) {
			a := checksums.UnitActions{Profile: "release", Platform: "linux/amd64", Links: 1, Executed: 10}
			change(&a)
			m.Rebuild.Actions = []checksums.UnitActions{a}
		})
	}
	proofs := func(change func([]fact.Proof) []fact.Proof) func(*checksums.Artifact) {
		return func(a *checksums.Artifact) {
			var list []fact.Proof
			for _, name := range fact.ProofNames() {
				list = append(list, fact.Proof{Name: name, Result: fact.Passed, How: "it was run"})
			}
			a.Proofs = change(list)
		}
	}
	keyID := "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	return []attack{
		m("no schema", "has no schema", func(m *checksums.Manifest) { m.Schema = "" }),
		m("a schema to come", "this version reads", func(m *checksums.Manifest) { m.Schema = fact.SchemaRoot + "release/v2" }),
		m("a snapshot", `is of kind "snapshot", not a release`, func(m *checksums.Manifest) { m.Kind = checksums.KindSnapshot }),
		m("built once", `is of kind "build", not a release`, func(m *checksums.Manifest) { m.Kind = checksums.KindBuild }),
		m("a kind of its own", `kind: is "verified"`, func(m *checksums.Manifest) { m.Kind = "verified" }),
		m("a verdict in the project", `has a character that does not print`, func(m *checksums.Manifest) { m.Project = "small\nverified" }),
		m("the project hides its end", `project: "small\u202ex" has a character`, func(m *checksums.Manifest) { m.Project = "small\u202ex" }),
		m("two words for a project", `project: "small and" has a space`, func(m *checksums.Manifest) { m.Project = "small and" }),
		m("another project than the plan", `the project is "small" in the plan and "smali" in the manifest`, func(m *checksums.Manifest) { m.Project = "smali" }),
		m("a version with v", "begins with v", func(m *checksums.Manifest) { m.Version = "v1.2.3" }),
		m("no version", "version: is empty", func(m *checksums.Manifest) { m.Version = "" }),
		m("another version than the plan", `"1.2.3" in the plan and "1.2.4" in the manifest`, func(m *checksums.Manifest) { m.Version = "1.2.4" }),
		m("a version from elsewhere", `version's origin: is "nowhere"`, func(m *checksums.Manifest) { m.From = "nowhere" }),
		m("a version that was given, and not in the plan", `the version's origin is "" in the plan and "given" in the manifest`, func(m *checksums.Manifest) { m.From = fact.Given }),
		m("a version of a template", "of a template, in a release", func(m *checksums.Manifest) { m.From = fact.OfTemplate }),
		m("a version of no tag", `its origin is "tag" and its tag ""`, func(m *checksums.Manifest) { m.From = fact.OfTag }),
		m("a tag and no version of it", `its origin is "" and its tag "1.2.3"`, func(m *checksums.Manifest) { m.Tag = "1.2.3" }),
		m("a tag that says another version", `the tag "release-1" does not say "1.2.3"`, func(m *checksums.Manifest) { m.From, m.Tag = fact.OfTag, "release-1" }),
		m("a tag whose number goes on", `the tag "v1.2.30" does not say "1.2.3"`, func(m *checksums.Manifest) { m.From, m.Tag = fact.OfTag, "v1.2.30" }),
		m("a tag of a prerelease", `the tag "v1.2.3-rc.1" does not say "1.2.3"`, func(m *checksums.Manifest) { m.From, m.Tag = fact.OfTag, "v1.2.3-rc.1" }),
		m("a tag that says what was stamped", `"1.2.3+dirty" is no version that a tag says`, func(m *checksums.Manifest) { m.From, m.Version, m.Tag = fact.OfTag, "1.2.3+dirty", "v1.2.3+dirty" }),
		m("a given version that was stamped", `"1.2.3+incompatible" is no version that a tag says or somebody gives`, func(m *checksums.Manifest) { m.From, m.Version = fact.Given, "1.2.3+incompatible" }),
		m("a tag of two words", "version's tag:", func(m *checksums.Manifest) { m.From, m.Tag = fact.OfTag, "1.2.3 identical" }),
		m("a tag that is not in the plan", `the version's tag is "" in the plan and "1.2.3" in the manifest`, func(m *checksums.Manifest) { m.From, m.Tag = fact.OfTag, "1.2.3" }),
		m("another toolchain than the plan", `the toolchain is "go1.26.8" in the plan and "go1.26.7"`, func(m *checksums.Manifest) { m.Toolchain.Version = "go1.26.7" }),
		m("a toolchain without a hash", `toolchain sum: "" is not an h1: hash`, func(m *checksums.Manifest) { m.Toolchain.Sum = "" }),
		m("a toolchain from nowhere", "toolchain module: is empty", func(m *checksums.Manifest) { m.Toolchain.Module = "" }),
		m("a host that clears the screen", "toolchain host:", func(m *checksums.Manifest) { m.Toolchain.Host = "linux\x1b[2J" }),
		m("no builder", "builder name: is empty", func(m *checksums.Manifest) { m.Builder.Name = "" }),
		m("a builder with a sentence", "builder version:", func(m *checksums.Manifest) { m.Builder.Version = "1 and verified" }),
		source("a kind of source", `source kind: is "svn"`, func(s *checksums.Source) { s.Kind = "svn" }),
		source("another module than the plan", "the module is", func(s *checksums.Source) { s.Module = "example.com/smali" }),
		source("another hash than the plan", "the source's h1 is", func(s *checksums.Source) { s.Sum = "h1:" + keyID }),
		source("a hash of no kind", "is not an h1: hash", func(s *checksums.Source) { s.Sum = "h2:" + keyID }),
		source("a short hash", "is not h1: and a SHA-256", func(s *checksums.Source) { s.Sum = "h1:AAAA" }),
		source("a hash in two spellings", "is not h1: and a SHA-256", func(s *checksums.Source) { s.Sum = "h1:" + strings.Repeat("A", 42) + "B=" }),
		source("a short commit", "is not a full git hash", func(s *checksums.Source) { s.Commit = s.Commit[:12] }),
		source("a commit in capitals", "is not lower-case hex", func(s *checksums.Source) { s.Commit = strings.ToUpper(s.Commit) }),
		source("an option for a commit", "source commit", func(s *checksums.Source) { s.Commit = "--upload-pack=x" }),
		source("no commit", "is not a full git hash", func(s *checksums.Source) { s.Commit = "" }),
		source("a path for a tree", "source tree", func(s *checksums.Source) { s.Tree = "../tree" }),
		source("a time with a zone", "is not in UTC", func(s *checksums.Source) { s.CommitTime = "2026-01-02T03:04:05+01:00" }),
		source("a day that is not", "source commit time", func(s *checksums.Source) { s.CommitTime = "2026-02-30T03:04:05Z" }),
		source("another time than the plan", "the commit's time is", func(s *checksums.Source) { s.CommitTime = "2026-01-02T03:04:06Z" }),
		source("a directory above", "source dir:", func(s *checksums.Source) { s.Dir = "../x" }),
		source("an absolute directory", "source dir:", func(s *checksums.Source) { s.Dir = "/x" }),
		source("a directory of Windows", "source dir:", func(s *checksums.Source) { s.Dir = `c:\x` }),
		source("another directory than the plan", "the directory is", func(s *checksums.Source) { s.Dir = "x" }),
		source("dirty", "only a snapshot may be dirty", func(s *checksums.Source) { s.Dirty = []string{"main.go"} }),
		source("a tag of two lines", "source tag", func(s *checksums.Source) { s.Tags = []string{"v1.2.3\nidentical"} }),
		source("tags out of order", "is not in canonical form", func(s *checksums.Source) { s.Tags = []string{"v2", "v1"} }),
		source("a stamp of two words", "source stamp", func(s *checksums.Source) { s.Stamp = "v1.2.3 identical" }),
		source("tags of no stamp", "tags of a stamp, and no stamp", func(s *checksums.Source) { s.Stamp, s.StampTags = "", []string{"v1.2.3"} }),
		source("a stamp's tag of two lines", "source stamp tag", func(s *checksums.Source) { s.Stamp, s.StampTags = "v1.2.3", []string{"v1.2.3\nidentical"} }),
		m("built never", "rebuild: 0 executions", func(m *checksums.Manifest) { m.Rebuild.Executions = 0 }),
		m("built less than never", "rebuild: -2 executions", func(m *checksums.Manifest) { m.Rebuild.Executions = -2 }),
		m("identical to itself", "identical after 1 execution; nothing was compared", func(m *checksums.Manifest) { m.Rebuild.Executions = 1 }),
		m("a rebuilder without a key", "is not a key ID", func(m *checksums.Manifest) { m.Rebuild.Rebuilders = []fact.SignerID{fact.KeyID("alice")} }),
		m("a rebuilder twice", "is there twice", func(m *checksums.Manifest) {
			m.Rebuild.Rebuilders = []fact.SignerID{fact.KeyID(keyID), fact.KeyID(keyID)}
		}),
		m("two machines of one of three units", "independence of release windows/amd64: is missing", func(m *checksums.Manifest) {
			m.Rebuild.Independence = []checksums.UnitIndependence{{Profile: "release", Platform: "linux/amd64", Independence: fact.TwoMachines}}
		}),
		m("machines of a word of its own", `is "a hundred machines"`, func(m *checksums.Manifest) {
			m.Rebuild.Independence = []checksums.UnitIndependence{{Profile: "release", Platform: "linux/amd64", Independence: "a hundred machines"}}
		}),
		m("identical and unproven", "unproven, and release/linux/amd64/linked/", func(m *checksums.Manifest) {
			m.Rebuild.Independence = []checksums.UnitIndependence{{Profile: "release", Platform: "linux/amd64", Independence: fact.Unproven}}
		}),
		m("a system that clears the screen", "want GOOS/GOARCH", func(m *checksums.Manifest) {
			m.Rebuild.Independence = []checksums.UnitIndependence{{Profile: "release", Platform: "linux/amd64", Independence: fact.TwoMachines, Systems: []string{"linux/amd64", "linux/\x1b[2J"}}}
		}),
		m("circumstances out of order", "is not in canonical form", func(m *checksums.Manifest) { m.Rebuild.Varied = []string{"path", "home"} }),
		m("confined, and a reason why not", "a reason belongs to what was not confined", func(m *checksums.Manifest) {
			m.Rebuild.Confinement = &fact.Confinement{Writes: fact.Hold{Held: true, Reason: "x"}, Network: fact.Hold{Held: true}}
		}),
		m("not confined, and no reason", "network: not confined without a reason", func(m *checksums.Manifest) {
			m.Rebuild.Confinement = &fact.Confinement{Writes: fact.Hold{Held: true}}
		}),
		m("a reason in two lines", "network:", func(m *checksums.Manifest) {
			m.Rebuild.Confinement = &fact.Confinement{Writes: fact.Hold{Held: true}, Network: fact.Hold{Reason: "no\nidentical"}}
		}),
		actions("of nobody", "there is no artifact of that profile and platform", func(a *checksums.UnitActions) { a.Platform = "linux/386" }),
		actions("fewer than none", "-1 executed", func(a *checksums.UnitActions) { a.Executed = -1 }),
		actions("more linked again than linked", "2 links_again of 1 links", func(a *checksums.UnitActions) { a.LinksAgain = 2 }),
		actions("proven by one", "proven by 1 execution; it takes two", func(a *checksums.UnitActions) {
			a.Proven = []checksums.ProvenActions{{Executions: 1, Actions: 4}}
		}),
		actions("proven twice", "is there twice", func(a *checksums.UnitActions) {
			a.Proven = []checksums.ProvenActions{{Executions: 2, Actions: 4}, {Executions: 2, Actions: 4}}
		}),
		actions("proven of nothing", "0 actions", func(a *checksums.UnitActions) { a.Proven = []checksums.ProvenActions{{Executions: 2}} }),
		actions("a stranger's word, and no stranger", "and no rebuilder is named", func(a *checksums.UnitActions) {
			a.Foreign, a.Proven = 1, []checksums.ProvenActions{{Executions: 2, Actions: 1}}
		}),
		actions("more of strangers than proven", "not among the proven", func(a *checksums.UnitActions) {
			a.Foreign, a.Proven = 9, []checksums.ProvenActions{{Executions: 2, Actions: 1}}
		}),
		m("actions twice", "are there twice", func(m *checksums.Manifest) {
			a := checksums.UnitActions{Profile: "release", Platform: "linux/amd64", Links: 1}
			m.Rebuild.Actions = []checksums.UnitActions{a, a}
		}),
		linked("less than nothing", "size -1", func(a *checksums.Artifact) { a.Size = -1 }),
		linked("a digest in capitals", "is not lower-case hex", func(a *checksums.Artifact) { a.SHA256 = strings.ToUpper(a.SHA256) }),
		linked("a short digest", "digest has 40 digits", func(a *checksums.Artifact) { a.SHA256 = a.SHA256[:40] }),
		linked("a name above", `name "../small" has a directory`, func(a *checksums.Artifact) { a.Name = "../small" }),
		linked("a name that is an option", `begins with '-'`, func(a *checksums.Artifact) { a.Name = "-rf" }),
		linked("a name that is a device", `is a device on Windows`, func(a *checksums.Artifact) { a.Name = "com1.txt" }),
		linked("a name of two lines", `has a character that does not print`, func(a *checksums.Artifact) { a.Name = "small\nverified" }),
		linked("a name read backwards", `has a character that does not print`, func(a *checksums.Artifact) { a.Name = "exe.\u202egnp" }),
		linked("a stream of Windows", `that Windows does not allow`, func(a *checksums.Artifact) { a.Name = "small:x" }),
		linked("an unpublished one published", "published is true; by the plan it is false", func(a *checksums.Artifact) { a.Published = true }),
		linked("a build ID that writes a verdict", "build ID", func(a *checksums.Artifact) { a.BuildID = "x\n  identical" }),
		linked("a package that clears the screen", "is of package", func(a *checksums.Artifact) { a.Package = "example.com/small\x1b[2J" }),
		archived("a tool of two lines", "tool", func(a *checksums.Artifact) { a.Tool += "\nverified" }),
		archived("a platform above", `platform: "../amd64"`, func(a *checksums.Artifact) { a.Platform = "../amd64" }),
		archived("a profile of two words", `profile: "re lease" has a space`, func(a *checksums.Artifact) { a.Profile = "re lease" }),
		archived("from nothing", "does not name what it was made from", func(a *checksums.Artifact) { a.From = nil }),
		archived("from something else", "which is not in the manifest", func(a *checksums.Artifact) { a.From = []string{strings.Repeat("a", 64)} }),
		archived("from itself", "which is not among its members", func(a *checksums.Artifact) { a.From = []string{a.SHA256} }),
		archived("a verdict of its own", `verdict: is "verified"`, func(a *checksums.Artifact) { a.Verdict = "verified" }),
		archived("no verdict", `verdict: is ""`, func(a *checksums.Artifact) { a.Verdict = "" }),
		archived("unchecked, and no reason", "unchecked without a reason", func(a *checksums.Artifact) { a.Verdict = fact.Unchecked }),
		archived("identical, and a reason", "a reason belongs to unchecked", func(a *checksums.Artifact) { a.Reason = "nearly" }),
		archived("a reason of two lines", "reason:", func(a *checksums.Artifact) { a.Verdict, a.Reason = fact.Unchecked, "no\nidentical" }),
		archived("findings of an identical one", "findings belong to different", func(a *checksums.Artifact) {
			a.Findings = []fact.Finding{{Cause: "time", Confidence: "certain", Evidence: []string{"x"}, Remedy: "none"}}
		}),
		m("a circumstance of two lines", "rebuild: circumstance:", func(m *checksums.Manifest) { m.Rebuild.Varied = []string{"home\nverified"} }),
		archived("a member with rights for all", `mode: is "0777"`, func(a *checksums.Artifact) { a.Members[0].Mode = "0777" }),
		archived("a member that sets a user", `mode: is "4755"`, func(a *checksums.Artifact) { a.Members[0].Mode = "4755" }),
		archived("a member less than nothing", "size -1", func(a *checksums.Artifact) { a.Members[1].Size = -1 }),
		archived("a member above", "is not a clean relative path", func(a *checksums.Artifact) { a.Members[1].Name = "../LICENSE" }),
		archived("a member twice", "is there twice", func(a *checksums.Artifact) { a.Members = append(a.Members, a.Members[1]) }),
		archived("a member in another case", "upper and lower case are one", func(a *checksums.Artifact) {
			x := a.Members[1]
			x.Name = "License"
			a.Members = append(a.Members, x)
		}),
		archived("no members", `by the plan it holds "small"`, func(a *checksums.Artifact) { a.Members = nil }),
		archived("another binary in it", "the binary of that name has", func(a *checksums.Artifact) {
			a.Members[0].SHA256, a.Members[1].SHA256 = a.Members[1].SHA256, a.Members[0].SHA256
		}),
		archived("proofs of an archive", "proofs belong to a packed file", proofs(func(p []fact.Proof) []fact.Proof { return p })),
		packed("some of the proofs", "has the proofs test, unpack; want", proofs(func(p []fact.Proof) []fact.Proof { return p[:2] })),
		packed("a proof twice", "has the proofs", proofs(func(p []fact.Proof) []fact.Proof { return append(p, p[0]) })),
		packed("passed, and a reason", "a reason belongs to failed and unchecked", proofs(func(p []fact.Proof) []fact.Proof { p[1].Reason = "x"; return p })),
		packed("failed, and no reason", "failed without a reason", proofs(func(p []fact.Proof) []fact.Proof {
			p[1] = fact.Proof{Name: p[1].Name, Result: fact.Failed}
			return p
		})),
		packed("failed, and how it passed", "how belongs to passed", proofs(func(p []fact.Proof) []fact.Proof {
			p[1].Result, p[1].Reason = fact.Failed, "x"
			return p
		})),
		packed("a proof that went well", `proof smoke: is "ok"`, proofs(func(p []fact.Proof) []fact.Proof { p[3].Result = "ok"; return p })),
		packed("a proof of two lines", "proof test:", proofs(func(p []fact.Proof) []fact.Proof { p[0].How = "run\nidentical"; return p })),
		{"artifact: twice", all, fault.Refused, "is there twice", func(f *forged) {
			f.Manifest.Artifacts = append(f.Manifest.Artifacts, *f.Artifact("linux/amd64", fact.Linked))
		}},
		{"artifact: none", all, fault.Refused, "a release without a published artifact", func(f *forged) {
			f.must(f.Drop(func(checksums.Artifact) bool { return true }))
		}},
	}
}

// manifestTextAttacks write a manifest that two readers could read differently.
func manifestTextAttacks() []attack {
	edit := func(name, want string, change func(f *forged, text string) string) attack {
		return attack{"release.json: " + name, all, fault.Refused, want, func(f *forged) {
			f.text[checksums.ManifestFile] = func(text string) string { return change(f, text) }
		}}
	}
	swap := func(name, want, old, by string) attack {
		return edit(name, want, func(f *forged, text string) string { return f.swap(text, old, by) })
	}
	const version = `"version": "1.2.3",`
	return []attack{
		swap("a key twice", `has the key "version" twice`, version, version+"\n  "+version),
		swap("a key twice, escaped", `has the key "version" twice`, version, version+"\n  "+`"\u0076ersion": "9.9.9",`),
		swap("a key in capitals", "is not in canonical form", `"version"`, `"Version"`),
		swap("a key in capitals as well", "is not in canonical form", version, version+"\n  "+`"VERSION": "1.2.3",`),
		swap("an unknown key", `that this version does not know: "trust"`, version, version+"\n  "+`"trust": true,`),
		swap("an escaped letter", "is not in canonical form", `"1.2.3"`, `"\u0031.2.3"`),
		swap("half a character", "is not in canonical form", `"(devel)"`, `"\ud800"`),
		swap("a comment", "is not JSON", version, version+" // signed"),
		swap("a size as text", "has a value of the wrong type", `"size": `, `"size": "1`+`", "x": `),
		swap("a size with a fraction", "wrong type", `"size": `, `"size": 0.`),
		swap("a size with an exponent", "wrong type", `"size": `, `"size": 1e3`),
		swap("a size beyond all numbers", "wrong type", `"size": `, `"size": 92233720368547758070`),
		swap("a size that begins with a zero", "is not JSON", `"size": `, `"size": 0`),
		swap("no number", "is not JSON", `"executions": 2`, `"executions": NaN`),
		swap("a truth as text", "wrong type", `"published": false`, `"published": "false"`),
		edit("null artifacts", "and it is not in the manifest", func(_ *forged, s string) string {
			return s[:strings.Index(s, `"artifacts": [`)] + `"artifacts": null` + "\n}\n"
		}),
		swap("spaces", "is not in canonical form", `"version": `, `"version":  `),
		edit("CRLF", "is not in canonical form (line 1)", func(_ *forged, s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }),
		edit("a byte order mark", "is not JSON", func(_ *forged, s string) string { return "\ufeff" + s }),
		edit("not UTF-8", "is not UTF-8", func(f *forged, s string) string { return f.swap(s, "(devel)", "(devel\xff)") }),
		edit("a NUL", "is not JSON", func(f *forged, s string) string { return f.swap(s, "(devel)", "(devel\x00)") }),
		edit("another document after it", "has something after its end", func(_ *forged, s string) string { return s + "{}\n" }),
		edit("a line more", "is not in canonical form", func(_ *forged, s string) string { return s + "\n" }),
		edit("cut off", "is not JSON", func(_ *forged, s string) string { return s[:len(s)/2] }),
		edit("nothing", "is empty", func(*forged, string) string { return "" }),
		edit("a list", "is not a mintmark manifest", func(_ *forged, s string) string { return "[" + s + "]" }),
		edit("deep", "is nested more than 64 deep", func(_ *forged, s string) string { return strings.Repeat("[", 100_000) }),
		edit("another plan ID", "has the plan ID", func(f *forged, s string) string { return f.swap(s, `"plan_id": "`, `"plan_id": "0`) }),
		edit("a plan of text", "plan is not a JSON object", func(_ *forged, s string) string {
			return s[:strings.Index(s, `"plan": {`)] + `"plan": "verified"` + "\n}\n"
		}),
	}
}
