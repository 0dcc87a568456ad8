package verify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/patch"
)

// TestEarlier: what is known of a file is found again by its bytes, in a run of the same
// kind alone; what was not checked is never known.
func TestEarlier(t *testing.T) {
	name := filepath.Join(t.TempDir(), "state.json")
	e, err := loadEarlier(name, "v1", BinariesConfig{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(3)
	for _, r := range []*recovery.Result{
		{Name: "a", SHA256: "01", Verdict: fact.Identical, Notes: []string{"x"}},
		{Name: "b", SHA256: "02", Verdict: fact.Different, Reason: "why", Different: n, Findings: []recovery.Finding{{Finding: fact.Finding{Cause: "source", Evidence: []string{"y"}}}}},
		{Name: "c", SHA256: "03", Verdict: fact.Unchecked},
		{Name: "d", Verdict: fact.Identical},
		{Name: "e", SHA256: "04", Verdict: fact.Identical, Kind: recovery.KindUniversal},
		{Name: "f", SHA256: "05", Verdict: fact.Identical, Earlier: true},
	} {
		e.add(r)
	}
	if err := e.failed(); err != nil {
		t.Fatal(err)
	}
	if e, err = loadEarlier(name, "v1", BinariesConfig{}, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, sum string
		want      fact.Verdict
	}{{"a", "01", fact.Identical}, {"other", "01", fact.Identical}, {"b", "02", fact.Different}, {"other", "02", ""}, {"c", "03", ""}, {"d", "", ""}, {"e", "04", ""}, {"f", "05", ""}} {
		got := fact.Verdict("")
		if r := e.of(c.name, c.sum); r != nil {
			got = r.Verdict
		}
		if got != c.want {
			t.Errorf("%s %s: %q", c.name, c.sum, got)
		}
	}
	for _, c := range []struct {
		tool  string
		what  BinariesConfig
		patch *patch.Patch
		text  string
	}{
		{tool: "v2"}, {tool: "v1", what: BinariesConfig{Source: "x"}}, {tool: "v1", what: BinariesConfig{Like: "x"}}, {tool: "v1", patch: &patch.Patch{SHA256: "x"}},
		{tool: "v1", text: "{}"}, {tool: "v1", text: "no JSON"}, {tool: "v1", text: `{"unknown": 1}`},
	} {
		at := name
		if c.text != "" {
			at = filepath.Join(t.TempDir(), "other.json")
			if err := os.WriteFile(at, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := loadEarlier(at, c.tool, c.what, c.patch); fault.ExitCode(err) != 2 {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestCountReasons: the worst verdict first, then what is there most often.
func TestCountReasons(t *testing.T) {
	var results []*recovery.Result
	for _, c := range []struct {
		verdict fact.Verdict
		reason  string
	}{
		{fact.Identical, ""}, {fact.Unchecked, "no source: x"}, {fact.Unchecked, "not looked at: a"}, {fact.Unchecked, "not looked at: b; c"},
		{fact.Different, "what is compiled differs: package a; 3 bytes"}, {fact.Unchecked, "built in GOPATH mode (GO111MODULE=off): x"},
		{fact.Unchecked, "the file was changed after it was linked (x), and what it says; built in GOPATH mode (GO111MODULE=off): x"},
	} {
		results = append(results, &recovery.Result{Verdict: c.verdict, Reason: c.reason})
	}
	var got []string
	for _, c := range countReasons(results) {
		got = append(got, strings.TrimSpace(string(rune('0'+c.Count))+" "+string(c.Verdict)+" "+c.Reason))
	}
	const want = "1 different what is compiled differs|2 unchecked not looked at|1 unchecked built in GOPATH mode|1 unchecked no source|1 unchecked the file was changed after it was linked; built in GOPATH mode|1 identical"
	if strings.Join(got, "|") != want {
		t.Errorf("%q", got)
	}
}
