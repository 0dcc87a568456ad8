package checksums

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// TestActionsRoundTrip: the account of a rebuild has one spelling, in the
// manifest as in the record.
func TestActionsRoundTrip(t *testing.T) {
	r := newLedgerRelease()
	data, err := r.m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if a := r.m.Rebuild.Actions; a[0].Profile != "router" || a[0].Proven[0].Executions != 4 || r.m.Rebuild.Rebuilders[0].Name != keyB {
		t.Error("Encode changed the manifest")
	}
	m, err := ParseManifest(data)
	if err != nil {
		t.Fatal(err)
	}
	want := []UnitActions{
		{Profile: "release", Platform: "linux/amd64", Links: 1, Executed: 50},
		{Profile: "router", Platform: "linux/arm/5", Links: 1, Again: 3, Unprovable: 2,
			Proven: []ProvenActions{{Executions: 2, Actions: 40}, {Executions: 4, Actions: 7}}, Foreign: 5},
	}
	if !reflect.DeepEqual(m.Rebuild.Actions, want) || !slices.Equal(m.Rebuild.Rebuilders, []fact.SignerID{fact.KeyID(keyA), fact.KeyID(keyB)}) {
		t.Errorf("%+v", m.Rebuild)
	}
	// The order in which a caller lists them does not matter.
	slices.Reverse(r.m.Rebuild.Actions)
	slices.Reverse(r.m.Rebuild.Rebuilders)
	slices.Reverse(r.m.Rebuild.Actions[1].Proven)
	if again, err := r.m.Encode(); err != nil || !bytes.Equal(again, data) {
		t.Errorf("another order gives other bytes (%v)", err)
	}

	st, err := NewStatement(r.m, []Entry{
		{"demo_1.2.3_linux_amd64.tar.gz", files.DigestBytes([]byte("archive file"))}, {"demo_router", files.DigestBytes([]byte("packed file"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := st.Encode()
	if err != nil {
		t.Fatal(err)
	}
	st, err = ParseStatement(payload)
	if err != nil {
		t.Fatal(err)
	}
	if got := st.Predicate.BuildDefinition.InternalParameters.Rebuild; !reflect.DeepEqual(got, m.Rebuild) {
		t.Errorf("the record says %+v, the manifest %+v", got, m.Rebuild)
	}
	// The spelling that docs/provenance.md describes.
	var in struct {
		Rebuild struct {
			Actions    []map[string]any
			Rebuilders []string
		}
	}
	if err := json.Unmarshal(data, &in); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(in.Rebuild.Actions)
	if err != nil {
		t.Fatal(err)
	}
	if want := `[{"executed":50,"links":1,"platform":"linux/amd64","profile":"release"},` +
		`{"again":3,"executed":0,"foreign":5,"links":1,"platform":"linux/arm/5","profile":"router",` +
		`"proven":[{"actions":40,"executions":2},{"actions":7,"executions":4}],"unprovable":2}]`; string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestNoAccount: a release without a ledger says nothing of one.
func TestNoAccount(t *testing.T) {
	m := testManifest()
	m.Rebuild.Actions, m.Rebuild.Rebuilders = []UnitActions{}, []fact.SignerID{}
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte(`"actions"`)) || bytes.Contains(data, []byte(`"rebuilders"`)) {
		t.Errorf("%s", data)
	}
}

func TestActionsValidate(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		change     func(*Rebuild)
	}{
		{"links", "-1 links", func(r *Rebuild) { r.Actions[0].Links = -1 }},
		{"links again", "-1 links_again", func(r *Rebuild) { r.Actions[0].LinksAgain = -1 }},
		{"more links again", "2 links_again of 1 links", func(r *Rebuild) { r.Actions[0].LinksAgain = 2 }},
		{"executed", "-1 executed", func(r *Rebuild) { r.Actions[0].Executed = -1 }},
		{"again", "-1 again", func(r *Rebuild) { r.Actions[0].Again = -1 }},
		{"foreign", "-1 foreign", func(r *Rebuild) { r.Actions[0].Foreign = -1 }},
		{"unprovable", "-1 unprovable", func(r *Rebuild) { r.Actions[0].Unprovable = -1 }},
		{"archives", "-1 archive_proven", func(r *Rebuild) { r.Actions[0].ArchiveProven = -1 }},
		{"packages", "-1 package_proven", func(r *Rebuild) { r.Actions[0].PackageProven = -1 }},
		{"proven by one", "proven by 1 execution; it takes two", func(r *Rebuild) { r.Actions[0].Proven[0].Executions = 1 }},
		{"proven by less than none", "proven by -2 execution", func(r *Rebuild) { r.Actions[0].Proven[0].Executions = -2 }},
		{"proven twice", "proven by 2 executions: is there twice", func(r *Rebuild) { r.Actions[0].Proven[0].Executions = 2 }},
		{"none proven", "proven by 4 executions: 0 actions", func(r *Rebuild) { r.Actions[0].Proven[0].Actions = 0 }},
		{"fewer proven than none", "-7 actions", func(r *Rebuild) { r.Actions[0].Proven[0].Actions = -7 }},
		{"more foreign than proven", "48 foreign, 1 of them not among the proven", func(r *Rebuild) { r.Actions[0].Foreign = 48 }},
		{"foreign of nothing", "1 of them not among the proven", func(r *Rebuild) { r.Actions[1].Foreign = 1 }},
		{"foreign without rebuilders", "no rebuilder is named", func(r *Rebuild) { r.Rebuilders = nil }},
		{"other profile", "no artifact of that profile and platform", func(r *Rebuild) { r.Actions[0].Profile = "release" }},
		{"other platform", "no artifact of that profile and platform", func(r *Rebuild) { r.Actions[1].Platform = "linux/arm64" }},
		{"unit twice", "release linux/amd64: are there twice", func(r *Rebuild) { r.Actions = append(r.Actions, r.Actions[1]) }},
		{"rebuilder", "is not a key ID", func(r *Rebuild) { r.Rebuilders[0].Name = "alice.pub" }},
		{"rebuilder in two lines", "is not a key ID", func(r *Rebuild) { r.Rebuilders[0].Name = keyA[:8] + "\n" + keyA[8:] }},
		{"rebuilder twice", "rebuilder " + keyA + " is there twice", func(r *Rebuild) { r.Rebuilders[0].Name = keyA }},
		{"one execution", "nothing was rebuilt", func(r *Rebuild) { r.Executions = 1 }},
		{"rebuilders of one execution", "nothing was rebuilt", func(r *Rebuild) { r.Executions, r.Actions = 1, nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := newLedgerRelease().m
			tc.change(&m.Rebuild)
			if _, err := m.Encode(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	// All proven may be foreign, and no sum overflows.
	m := newLedgerRelease().m
	m.Rebuild.Actions[0].Foreign = 47
	if _, err := m.Encode(); err != nil {
		t.Error(err)
	}
	m.Rebuild.Actions[0].Proven = []ProvenActions{{2, math.MaxInt}, {3, math.MaxInt}, {4, 3}}
	if _, err := m.Encode(); err != nil {
		t.Error(err)
	}
}

// TestParseActionsRefuses: what Encode would not have written.
func TestParseActionsRefuses(t *testing.T) {
	good, err := newLedgerRelease().m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(good), `"actions": [`+"\n      ")
	list, _, _ = strings.Cut(list, "\n    ],")
	units := strings.Split(list, ",\n      {")
	if len(units) != 2 {
		t.Fatalf("%q", units)
	}
	units[1] = "{" + units[1]
	for _, tc := range []struct{ name, old, new, want string }{
		{"null", `"links": 1,`, `"links": null,`, "canonical form"},
		{"unknown key", `"links": 1,`, `"links": 1, "skipped": 1,`, `does not know: "skipped"`},
		{"no links", `"links": 1,`, ``, "canonical form"},
		{"text", `"links": 1,`, `"links": "1",`, "wrong type"},
		{"fraction", `"links": 1,`, `"links": 1.5,`, "wrong type"},
		{"beyond counting", `"executed": 50`, `"executed": 99999999999999999999`, "wrong type"},
		{"zero spelt out", `"again": 3,`, `"again": 0,`, "canonical form"},
		{"units not sorted", units[0] + ",\n      " + units[1], units[1] + ",\n      " + units[0], "canonical form"},
		{"rebuilders not sorted", keyA + "\",\n      \"" + keyB, keyB + "\",\n      \"" + keyA, "canonical form"},
		{"proven not sorted", `"executions": 2,
            "actions": 40`, `"executions": 5,
            "actions": 40`, "canonical form"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !bytes.Contains(good, []byte(tc.old)) {
				t.Fatalf("no %q in\n%s", tc.old, good)
			}
			_, err := ParseManifest(bytes.Replace(good, []byte(tc.old), []byte(tc.new), 1))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}
