package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

const sum = "bab29b2ca7a9e89b67cf720b77b2d743f9f31f5cf0d5bd74ee8c8de30ced7014"

func TestParseList(t *testing.T) {
	list, err := parseList("list", "# comment\nnpm @esbuild/linux-x64@0.25.12 sha256:"+sum+" # why\n\nnpm lefthook@2.1.0\ndebian age=1:1.1.1-1+b3 amd64\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []entry{
		{Kind: kindNPM, Name: "@esbuild/linux-x64", Version: "0.25.12", SHA256: sum},
		{Kind: kindNPM, Name: "lefthook", Version: "2.1.0"},
		{Kind: kindDebian, Name: "age", Version: "1:1.1.1-1+b3", Arch: "amd64"},
	}
	if !slices.Equal(list, want) {
		t.Errorf("got %v, want %v", list, want)
	}
	_, err = parseList("list", strings.Join([]string{
		"npm lefthook@2.1.0",
		"npm lefthook@2.1.0 sha256:" + sum, // twice
		"npm lefthook",                     // no version
		"npm --global@1.0.0",               // an option
		"npm lefthook@latest",              // no version of its own
		"debian age=1.1.1-1",               // no architecture
		"cargo ripgrep@14.0.0",
		"npm lefthook@2.2.0 sha256:abc",
	}, "\n"))
	for _, line := range []string{"list:2:", "list:3:", "list:4:", "list:5:", "list:6:", "list:7:", "list:8:"} {
		if err == nil || !strings.Contains(err.Error(), line) {
			t.Errorf("no fault in %s %v", line, err)
		}
	}
}

func TestWithDigest(t *testing.T) {
	text := "# list\nnpm a@1.0.0   # why\nnpm b@1.0.0\n"
	want := "# list\nnpm a@1.0.0 sha256:" + sum + " # why\nnpm b@1.0.0\n"
	if got := withDigest(text, entry{Kind: kindNPM, Name: "a", Version: "1.0.0"}, sum); got != want {
		t.Errorf("got %q", got)
	}
}

// TestMarkLapses: a mark holds for the reason that it was given for, and only while that is the reason.
func TestMarkLapses(t *testing.T) {
	e := entry{Kind: kindNPM, Name: "a", Version: "1.0.0", SHA256: sum}
	result := func(v fact.Verdict, reason string) *pack {
		return &pack{entry: e, Binaries: []*binary{{File: "a", Verdict: v, Outcome: string(v), Reason: reason}}}
	}
	var r results
	r.put(result(fact.Unchecked, "no source"))
	if n := r.markChecked(regexp.MustCompile("no source"), "asked the proxy"); n != 1 {
		t.Fatalf("%d marked", n)
	}
	for _, step := range []struct {
		verdict     fact.Verdict
		reason, why string
	}{
		{fact.Unchecked, "no source", "asked the proxy"},
		{fact.Unchecked, "no toolchain", ""},
		{fact.Unchecked, "no source", "asked the proxy"},
		{fact.Identical, "", ""},
		{fact.Unchecked, "no source", ""}, // it was rebuilt in between
	} {
		r.put(result(step.verdict, step.reason))
		if got := r.of(e).Binaries[0].why(); got != step.why {
			t.Errorf("%s, %q: checked %q, want %q", step.verdict, step.reason, got, step.why)
		}
		if page := r.page(); step.reason != "" && strings.Contains(page, "not checked by a person") != (step.why == "") {
			t.Errorf("%q: the page says otherwise:\n%s", step.reason, page)
		}
	}
}

func TestChanges(t *testing.T) {
	was := &pack{Binaries: []*binary{
		{File: "same", Verdict: fact.Unchecked, Outcome: "unchecked", Reason: "one"},
		{File: "other", Verdict: fact.Identical, Outcome: "identical"},
		{File: "signed", Verdict: fact.Identical, Outcome: "identical"},
		{File: "gone", Verdict: fact.Identical, Outcome: "identical"},
	}}
	is := &pack{Binaries: []*binary{
		{File: "same", Verdict: fact.Unchecked, Outcome: "unchecked", Reason: "two"},
		{File: "other", Verdict: fact.Different, Outcome: "different", Reason: "three"},
		{File: "signed", Verdict: fact.Identical, Outcome: "identical but for the signature of X"},
	}}
	if got := was.changes(is); len(got) != 3 {
		t.Errorf("%d changes: %v", len(got), got)
	}
}

// TestSample: both kinds by turns, small ones first, no program twice while there are others,
// and more of one kind where the other has no more.
func TestSample(t *testing.T) {
	var r results
	add := func(name, program string, size int64, v fact.Verdict) {
		e := entry{Kind: kindNPM, Name: name, Version: "1.0.0", SHA256: sum}
		r.put(&pack{entry: e, Binaries: []*binary{{File: name, Package: program, Size: size, Verdict: v}}})
	}
	add("a1", "a", 1, fact.Identical)
	add("a2", "a", 2, fact.Identical)
	add("b1", "b", 3, fact.Identical)
	add("c1", "c", 2, fact.Unchecked)
	add("d1", "d", 1, fact.Different)
	for n, want := range map[int][]string{3: {"d1", "c1", "a1"}, 5: {"d1", "c1", "a1", "b1", "a2"}, 9: {"d1", "c1", "a1", "b1", "a2"}} {
		var got []string
		for _, p := range r.sample(n) {
			got = append(got, p.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("of %d: got %q, want %q", n, got, want)
		}
	}
}

// TestFollow: the results are those of the list, in its order.
func TestFollow(t *testing.T) {
	var r results
	for _, name := range []string{"a", "b", "c"} {
		r.put(&pack{entry: entry{Kind: kindNPM, Name: name, Version: "1.0.0"}})
	}
	list, err := parseList("list", "npm c@1.0.0\nnpm d@1.0.0\nnpm a@1.0.0\n")
	if err != nil {
		t.Fatal(err)
	}
	r.follow(list)
	if len(r.Packages) != 2 || r.Packages[0].Name != "c" || r.Packages[1].Name != "a" || r.open != 1 {
		t.Errorf("got %v, %d open", r.Packages, r.open)
	}
}

// TestCurrent: the page is what the results say, and they are of what the list names.
func TestCurrent(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, listFile))
	if err != nil {
		t.Fatal(err)
	}
	list, err := parseList(listFile, string(text))
	if err != nil {
		t.Fatal(err)
	}
	data, err := load(filepath.Join(root, dataFile))
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(data.Packages)
	data.follow(list)
	if !slices.Equal(data.Packages, before) {
		t.Errorf("%s is not of the packages of %s, in their order", dataFile, listFile)
	}
	for _, p := range data.Packages {
		if !slices.Contains(list, p.entry) {
			t.Errorf("%s: %s has another digest than %s", p.entry, listFile, dataFile)
		}
	}
	page, err := os.ReadFile(filepath.Join(root, pageFile))
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != data.page() || t.Failed() {
		t.Errorf("%s is not what %s says: run go run ./tools/rebuilds -update -changed", pageFile, dataFile)
	}
}
