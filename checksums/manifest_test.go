package checksums

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

const (
	h1A = "h1:Khu2En+0gcYPZ2kuIihfswbzxv/mIHXgzPZ018Oty48=" // the example of in-toto's digest_set.md
	h1B = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	// hostilePlan has what an encoder may rewrite: HTML characters, the line
	// separators of JavaScript raw and escaped, odd numbers, spaces.
	hostilePlan = "{\n \"ldflags\": \"-X a.b=<&> \u2028\u2029 \\u2028 \\u003c \\/ é\",\n\t\"n\": [1.0, 1e2, -0, 10000000000000000001], \"z\": {}, \"a\": []," +
		`"project": "demo", "version": "1.2.3", "go": "go1.26.8", "source": {"kind": "git", "module": "example.com/Demo",` +
		`"version": "v1.2.3", "sum": "` + h1A + `", "commit": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "commit_time": "2026-11-20T10:00:00Z"}, "units": [` +
		`{"profile": "release", "platform": "linux/amd64", "mains": [{"package": "example.com/Demo", "binary": "demo"}], "archive": "tar.gz",` +
		`"name": "demo_1.2.3_linux_amd64", "files": ["README.md"]},` +
		`{"profile": "router", "platform": "linux/arm/5", "mains": [{"package": "example.com/Demo", "binary": "demo"}], "upx": ["--best"],` +
		`"archive": "none", "name": "demo_router"}]}`
)

func commit(c byte) string { return strings.Repeat(string(c), 40) }

// testManifest is a release with every stage. Its lists are out of order on
// purpose.
func testManifest() *Manifest {
	plan := json.RawMessage(hostilePlan)
	id, err := planID(plan)
	if err != nil {
		panic(err)
	}
	sum := func(s string) string { return files.DigestBytes([]byte(s)) }
	return &Manifest{
		Schema: fact.ManifestSchema, Kind: KindRelease, Project: "demo", Version: "1.2.3",
		Source: Source{
			Kind: "git", Module: "example.com/Demo", Version: "v1.2.3", Sum: h1A,
			Commit: commit('a'), Tree: commit('b'), CommitTime: "2026-11-20T10:00:00Z",
			Tags: []string{"v1.2.3", "v1.2.2"},
		},
		Toolchain: fact.Toolchain{
			SumDB:   true,
			Version: "go1.26.8", Host: "linux/amd64",
			Module: "golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64", Sum: h1B,
		},
		Builder: Builder{Name: "mintmark", Version: "0.1.0"},
		PlanID:  id, Plan: plan,
		Rebuild: Rebuild{Executions: 2, Varied: []string{"tmpdir", "home"}, Shared: []string{"kernel"}},
		Artifacts: []Artifact{
			{Name: "demo_router", Profile: "router", Platform: "linux/arm/5", Stage: fact.Packed, Size: 11, SHA256: sum("packed file"),
				From: []string{sum("linked 2")}, Published: true, Verdict: fact.Identical, Tool: "UPX 3.94 sha256:1 --best"},
			{Name: "demo", Profile: "router", Platform: "linux/arm/5", Stage: fact.Linked, Size: 8, SHA256: sum("linked 2"),
				Package: "example.com/Demo", BuildID: "a/b/c/d", Verdict: fact.Identical},
			{Name: "demo", Profile: "release", Platform: "linux/amd64", Stage: fact.Linked, Size: 8, SHA256: sum("linked 1"),
				Package: "example.com/Demo", BuildID: "e/f/g/h", Verdict: fact.Identical},
			{Name: "demo_1.2.3_linux_amd64.tar.gz", Profile: "release", Platform: "linux/amd64", Stage: fact.Archived, Size: 12,
				SHA256: sum("archive file"), From: []string{sum("linked 1")}, Published: true, Verdict: fact.Identical,
				Tool: "klauspost/compress v1.20.3 gzip-9",
				Members: []Member{
					{Name: "README.md", Size: 3, SHA256: sum("abc"), Mode: "0644"},
					{Name: "demo", Size: 8, SHA256: sum("linked 1"), Mode: "0755"},
				}},
		},
	}
}

// replan makes the plan that of the manifest's project, version and commit.
func (m *Manifest) replan() *Manifest {
	plan := string(m.Plan)
	for _, r := range []struct{ key, old, new string }{
		{"project", "demo", m.Project}, {"version", "1.2.3", m.Version}, {"version", "v1.2.3", m.Source.Version}, {"commit", commit('a'), m.Source.Commit},
	} {
		plan = strings.Replace(plan, fmt.Sprintf("%q: %q", r.key, r.old), fmt.Sprintf("%q: %q", r.key, r.new), 1)
	}
	m.setPlan(plan)
	return m
}

// setPlan gives the manifest a plan and its ID.
func (m *Manifest) setPlan(plan string) {
	m.Plan = json.RawMessage(plan)
	id, err := planID(m.Plan)
	if err != nil {
		panic(err)
	}
	m.PlanID = id
}

// allProofs are those of a packed file that nobody swept over.
func allProofs() []fact.Proof {
	var list []fact.Proof
	for _, name := range fact.ProofNames() {
		list = append(list, fact.Proof{Name: name, Result: fact.Passed, How: "--version"})
	}
	list[3].Starts = []fact.Starts{{Starts: 36}}
	list[4] = fact.Proof{Name: fact.ProofEnvironment, Result: fact.Untested, Reason: "no emulator"}
	return list
}

// TestProofs: they survive, and do not touch the verdict.
func TestProofs(t *testing.T) {
	m := testManifest()
	m.Artifacts[0].Proofs = allProofs()
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseManifest(data)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(got.Artifacts, func(a Artifact) bool { return a.Stage == fact.Packed })
	if a := got.Artifacts[i]; !reflect.DeepEqual(a.Proofs, allProofs()) || a.Verdict != fact.Identical {
		t.Errorf("%+v", a)
	}
	m.Artifacts[0].Proofs[3] = fact.Proof{Name: fact.ProofSmoke, Result: fact.Failed, Reason: "killed by SIGSEGV", Starts: []fact.Starts{{Starts: 36, Failed: 1}}}
	if _, err := m.Encode(); err != nil {
		t.Errorf("an identical file that crashes: %v", err)
	}
}

func TestManifestRoundTrip(t *testing.T) {
	m := testManifest()
	before := fmt.Sprint(m)
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(m) != before {
		t.Error("Encode changed the manifest")
	}
	if !bytes.HasSuffix(data, []byte("}\n")) || bytes.Contains(data, []byte(`\u0026`)) || !bytes.Contains(data, []byte("<&>")) {
		t.Errorf("not the form it should have:\n%s", data)
	}
	got, err := ParseManifest(data)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := planID(got.Plan); err != nil || id != m.PlanID {
		t.Errorf("the plan ID became %s, %v; was %s", id, err, m.PlanID)
	}
	again, err := got.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, data) {
		t.Errorf("the second encoding differs:\n%s\n%s", data, again)
	}
	var order []string
	for _, a := range got.Artifacts {
		order = append(order, a.Profile+" "+string(a.Stage))
	}
	if want := []string{"release archive", "release linked", "router linked", "router packed"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if !slices.IsSorted(got.Source.Tags) || !slices.IsSorted(got.Rebuild.Varied) {
		t.Error("lists are not sorted")
	}
	var names []string
	for _, a := range got.Published() {
		names = append(names, a.Name)
	}
	if want := []string{"demo_1.2.3_linux_amd64.tar.gz", "demo_router"}; !slices.Equal(names, want) {
		t.Errorf("published %v, want %v", names, want)
	}
	// The order in which a caller lists artifacts does not matter.
	slices.Reverse(m.Artifacts)
	reversed, err := m.Encode()
	if err != nil || !bytes.Equal(reversed, data) {
		t.Errorf("another order gives other bytes (%v)", err)
	}
}

// TestPlanID fixes the definition: SHA-256 of the compact plan and a newline.
func TestPlanID(t *testing.T) {
	// printf '%s\n' '{"a":"<\u2028"}' | sha256sum
	const want = "99f302fc72a0c3e17f2cf635e9f39580bf26c2cb0ba74662363a0d82c21b283a"
	for _, plan := range []string{`{"a":"<\u2028"}`, " {\n\"a\" : \"<\\u2028\" }\n"} {
		id, err := planID(json.RawMessage(plan))
		if err != nil {
			t.Fatal(err)
		}
		if id != want {
			t.Errorf("%s: %s, want %s", plan, id, want)
		}
	}
	for plan, want := range map[string]string{
		"": "empty", "null": "not a JSON object", "[]": "not a JSON object", "{": "not JSON", "{} {}": "after its end",
		`{"a":1,"a":2}`: "twice", "{\"a\":\"\xff\"}": "UTF-8", strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100): "nested",
	} {
		if _, err := planID(json.RawMessage(plan)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", plan, err, want)
		}
	}
}

func TestManifestValidate(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		change     func(*Manifest)
	}{
		{"schema", "schema", func(m *Manifest) { m.Schema = "x" }},
		{"kind", "kind", func(m *Manifest) { m.Kind = "beta" }},
		{"project", "project: is empty", func(m *Manifest) { m.Project = "" }},
		{"version", "version: is empty", func(m *Manifest) { m.Version = "" }},
		{"version with v", "begins with v", func(m *Manifest) { m.Version = "v1.2.3" }},
		{"terminal escape", "does not print", func(m *Manifest) { m.Project = "a\x1b[31m" }},
		{"plan ID", "has the plan ID", func(m *Manifest) { m.PlanID = hexA }},
		{"plan", "has the plan ID", func(m *Manifest) { m.Plan = json.RawMessage(`{"other":1}`) }},
		{"no plan", "plan is empty", func(m *Manifest) { m.Plan = nil }},
		{"dirty release", "only a snapshot may be dirty", func(m *Manifest) { m.Source.Dirty = []string{"a.go"} }},
		{"no commit", "full git hash", func(m *Manifest) { m.Source.Commit = "" }},
		{"short commit", "full git hash", func(m *Manifest) { m.Source.Commit = "abcdef1" }},
		{"commit time", "not in UTC", func(m *Manifest) { m.Source.CommitTime = "2026-11-20T10:00:00+01:00" }},
		{"source sum", "h1", func(m *Manifest) { m.Source.Sum = "" }},
		{"toolchain sum", "h1", func(m *Manifest) { m.Toolchain.Sum = "h1:short" }},
		{"confined for a reason", "a reason belongs to what was not confined", func(m *Manifest) {
			m.Rebuild.Confinement = &fact.Confinement{Writes: fact.Hold{Held: true, Reason: "x"}, Network: fact.Hold{Held: true}}
		}},
		{"not confined, for no reason", "network: not confined without a reason", func(m *Manifest) {
			m.Rebuild.Confinement = &fact.Confinement{Writes: fact.Hold{Held: true}}
		}},
		{"not confined, for a reason that does not print", "does not print", func(m *Manifest) {
			m.Rebuild.Confinement = &fact.Confinement{Writes: fact.Hold{Held: true}, Network: fact.Hold{Reason: "a\nb"}}
		}},
		{"executions", "at least once", func(m *Manifest) { m.Rebuild.Executions = 0 }},
		{"identical once", "nothing was compared", func(m *Manifest) { m.Rebuild.Executions = 1 }},
		{"verdict", "verdict", func(m *Manifest) { m.Artifacts[0].Verdict = "" }},
		{"unchecked", "without a reason", func(m *Manifest) { m.Artifacts[0].Verdict = fact.Unchecked }},
		{"reason", "belongs to unchecked", func(m *Manifest) { m.Artifacts[0].Reason = "x" }},
		{"findings", "belong to different", func(m *Manifest) { m.Artifacts[0].Findings = []fact.Finding{{Cause: "x"}} }},
		{"digest", "64", func(m *Manifest) { m.Artifacts[1].SHA256 = "abc" }},
		{"size", "size", func(m *Manifest) { m.Artifacts[1].Size = -1 }},
		{"proofs of another stage", "belong to a packed file", func(m *Manifest) { m.Artifacts[1].Proofs = allProofs() }},
		{"a proof is missing", "want test, unpack", func(m *Manifest) { m.Artifacts[0].Proofs = allProofs()[1:] }},
		{"a proof twice", "want test, unpack", func(m *Manifest) { m.Artifacts[0].Proofs = append(allProofs(), allProofs()[0]) }},
		{"another proof", "want test, unpack", func(m *Manifest) { m.Artifacts[0].Proofs = allProofs(); m.Artifacts[0].Proofs[3].Name = "smell" }},
		{"proof's result", "want passed, failed, unchecked", func(m *Manifest) { m.Artifacts[0].Proofs = allProofs(); m.Artifacts[0].Proofs[3].Result = "" }},
		{"proof failed", "failed without a reason", func(m *Manifest) { m.Artifacts[0].Proofs = allProofs(); m.Artifacts[0].Proofs[3].Result = fact.Failed }},
		{"proof unchecked", "unchecked without a reason", func(m *Manifest) { m.Artifacts[0].Proofs = allProofs(); m.Artifacts[0].Proofs[4].Reason = "" }},
		{"proof passed with a reason", "belongs to failed and unchecked", func(m *Manifest) { m.Artifacts[0].Proofs = allProofs(); m.Artifacts[0].Proofs[0].Reason = "x" }},
		{"proof failed and how", "how belongs to passed", func(m *Manifest) { m.Artifacts[0].Proofs = allProofs(); m.Artifacts[0].Proofs[4].How = "x" }},
		{"a proof that starts nothing has starts", "starts belong to the proofs that start the file", func(m *Manifest) {
			m.Artifacts[0].Proofs = allProofs()
			m.Artifacts[0].Proofs[0].Starts = []fact.Starts{{Starts: 1}}
		}},
		{"no starts", "0 of 0 starts failed: no such numbers", func(m *Manifest) {
			m.Artifacts[0].Proofs = allProofs()
			m.Artifacts[0].Proofs[3].Starts = []fact.Starts{{}}
		}},
		{"more failed than started", "2 of 1 starts failed: no such numbers", func(m *Manifest) {
			m.Artifacts[0].Proofs = allProofs()
			m.Artifacts[0].Proofs[4].Starts = []fact.Starts{{Starts: 1, Failed: 2}}
		}},
		{"starts in no order", "starts with 0 environment variables after those with 100", func(m *Manifest) {
			m.Artifacts[0].Proofs = allProofs()
			m.Artifacts[0].Proofs[3].Starts = []fact.Starts{{Variables: 100, Starts: 1}, {Starts: 1}}
		}},
		{"less than no variables", "starts with -1 environment variables", func(m *Manifest) {
			m.Artifacts[0].Proofs = allProofs()
			m.Artifacts[0].Proofs[3].Starts = []fact.Starts{{Variables: -1, Starts: 1}}
		}},
		{"passed though a start failed", "passed, and some of its starts failed", func(m *Manifest) {
			m.Artifacts[0].Proofs = allProofs()
			m.Artifacts[0].Proofs[3].Starts = []fact.Starts{{Starts: 36, Failed: 1}}
		}},
		{"proof with an escape", "does not print", func(m *Manifest) { m.Artifacts[0].Proofs = allProofs(); m.Artifacts[0].Proofs[4].Reason = "\x1b[2J" }},
		{"packed from nothing", "made from", func(m *Manifest) { m.Artifacts[0].From = nil }},
		{"packed from unknown", "not in the manifest", func(m *Manifest) { m.Artifacts[0].From = []string{hexA} }},
		{"not a member", "not among its members", func(m *Manifest) { m.Artifacts[3].Members = m.Artifacts[3].Members[:1] }},
		{"member path", "clean relative path", func(m *Manifest) { m.Artifacts[3].Members[0].Name = "../x" }},
		{"member mode", "mode", func(m *Manifest) { m.Artifacts[3].Members[0].Mode = "4755" }},
		{"member twice", "is there twice", func(m *Manifest) { m.Artifacts[3].Members[0].Name = "DEMO" }},
		{"key twice", "is there twice", func(m *Manifest) { m.Artifacts = append(m.Artifacts, m.Artifacts[1]) }},
		{"name", "has a directory", func(m *Manifest) { m.Artifacts[1].Name = "a/b" }},
		{"published twice", "have this name", func(m *Manifest) { m.Artifacts[0].Name = "DEMO_1.2.3_linux_amd64.tar.gz" }},
		{"reserved name", "belongs to a file about", func(m *Manifest) { m.Artifacts[0].Name = "Release.json" }},
		{"reserved for the ledger", "belongs to a file about", func(m *Manifest) { m.Artifacts[0].Name = "Ledger.json" }},
		{"reserved for its bundle", "belongs to a file about", func(m *Manifest) { m.Artifacts[0].Name = LedgerBundle }},
		{"nothing published", "without a published artifact", func(m *Manifest) { m.Artifacts = nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := testManifest()
			tc.change(m)
			_, err := m.Encode()
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	// A snapshot is freer, but not lawless.
	m := testManifest()
	m.Kind, m.Source.Dirty, m.Source.Sum, m.Source.Commit = KindSnapshot, []string{"b", "a"}, "", ""
	if data, err := m.Encode(); err != nil {
		t.Errorf("snapshot: %v\n%s", err, data)
	}
}

func TestParseManifestRefuses(t *testing.T) {
	good, err := testManifest().Encode()
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) string {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("no %q in the manifest", old)
		}
		return strings.Replace(string(good), old, new, 1)
	}
	for _, tc := range []struct{ name, in, want string }{
		{"empty", "", "is empty"},
		{"not JSON", "hello", "is not JSON"},
		{"cut short", string(good[:len(good)/2]), "is not JSON"},
		{"trailing data", string(good) + "{}", "something after its end"},
		{"array", "[]", "not a mintmark manifest"},
		{"other JSON", `{"name":"x"}`, "no schema"},
		{"newer schema", replace("release/v1", "release/v2"), "this version reads"},
		{"unknown key", replace(`"kind":`, `"mood": 1, "kind":`), `does not know: "mood"`},
		{"duplicate key", replace(`"kind": "release"`, `"kind": "release", "kind": "release"`), `"kind" twice`},
		{"key in another case", replace(`"kind": "release"`, `"Kind": "release"`), "canonical form"},
		{"duplicate key in another case", replace(`"kind": "release"`, `"kind": "snapshot", "KIND": "release"`), "canonical form"},
		{"wrong type", replace(`"size": 8`, `"size": "8"`), "wrong type"},
		{"number spelling", replace(`"size": 8`, `"size": 8.0`), "wrong type"},
		{"spacing", replace("  \"kind\"", " \"kind\""), "canonical form (line 3)"},
		{"CRLF", strings.ReplaceAll(string(good), "\n", "\r\n"), "canonical form"},
		{"no newline", string(good[:len(good)-1]), "canonical form"},
		{"byte order mark", "\ufeff" + string(good), "is not JSON"},
		{"HTML escapes", replace("<&>", `\u003c&>`), "plan ID"},
		{"plan changed", replace("-X a.b=", "-X a.c="), "plan ID"},
		{"too large", strings.Repeat(" ", MaxManifestSize+1), "more than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParseManifest([]byte(tc.in))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	_, err = ParseManifest([]byte(replace("release/v1", "release/v2")))
	if hint := fault.Hint(err); !strings.Contains(hint, "newer mintmark") {
		t.Errorf("hint %q", hint)
	}
}

func FuzzParseManifest(f *testing.F) {
	good, err := testManifest().Encode()
	if err != nil {
		f.Fatal(err)
	}
	snapshot := testManifest()
	snapshot.Kind = KindSnapshot
	small, err := snapshot.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(small)
	ledger, err := newLedgerRelease().m.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(ledger)
	f.Add([]byte(`{"schema":"` + fact.ManifestSchema + `"}`))
	f.Add([]byte(`{"a":{"a":[{"a":1,"a":2}]}}`))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(data)
		if err != nil {
			return
		}
		out, err := m.Encode()
		if err != nil {
			t.Fatalf("accepted what cannot be written: %v", err)
		}
		if !bytes.Equal(out, data) {
			t.Error("two spellings of one manifest")
		}
		if id, err := planID(m.Plan); err != nil || id != m.PlanID {
			t.Errorf("plan ID %s, %v", id, err)
		}
	})
}
