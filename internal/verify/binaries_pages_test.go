package verify

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// What was found stays and is found by its digest, whoever adds to it.
func TestPages(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pages")
	one, two := strings.Repeat("1", 64), strings.Repeat("2", 64)
	good := &recovery.Result{Name: "/home/somebody/good.tgz!bin/good", SHA256: one, Verdict: fact.Identical, Package: "example.com/good"}
	bad := &recovery.Result{Name: "<script>.exe", SHA256: two, Verdict: fact.Different, Reason: "what is compiled differs; 1 byte differs"}
	unread := &recovery.Result{Name: "pipe", Verdict: fact.Unchecked}
	write := func(statements map[string][]byte, list ...*recovery.Result) error {
		return writePages(dir, "v1", &BinariesResult{Results: list}, statements)
	}
	if err := write(map[string][]byte{one: []byte(`{"dsseEnvelope":{}}`)}, good, unread); err != nil {
		t.Fatal(err)
	}
	if err := write(nil, bad); err != nil {
		t.Fatal(err)
	}
	if err := write(nil, bad); err != nil {
		t.Fatalf("again: %v", err)
	}
	earlier := *good // what is taken over from an earlier run leaves that one's page
	earlier.Earlier, earlier.Package = true, "example.com/other"
	if err := write(nil, &earlier); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	var list pagesList
	if err := json.Unmarshal([]byte(read(pagesIndexJSON)), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Files) != 2 || list.Identical != 1 || list.Different != 1 || list.Unchecked != 0 || list.Files[0].SHA256 != two || list.Files[1].Name != "good.tgz!bin/good" {
		t.Errorf("index: %+v", list)
	}
	index := read(pagesIndex)
	for _, want := range []string{"1 identical, 1 different, 0 not checked", `href="./` + one + `.html"`, "&lt;script&gt;.exe"} {
		if !strings.Contains(index, want) {
			t.Errorf("index.html has no %q", want)
		}
	}
	for name, want := range map[string]string{one + ".html": "signed: ", one + ".json": `"package": "example.com/good"`, two + ".html": "what is compiled differs"} {
		text := read(name)
		if !strings.Contains(text, want) || strings.Contains(text, "somebody") {
			t.Errorf("%s: %s", name, text)
		}
	}

	// Nothing of somebody's is overwritten, and nothing of his taken for a page.
	three := strings.Repeat("3", 64)
	mine := filepath.Join(dir, three+".json")
	if err := os.WriteFile(mine, []byte(`{"mine": true}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*recovery.Result{good, {Name: "x", SHA256: three, Verdict: fact.Identical}} {
		if err := write(nil, r); err == nil || !strings.Contains(err.Error(), three) || fault.Hint(err) == "" {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
	if string(read(three+".json")) != `{"mine": true}` {
		t.Error("it was overwritten")
	}
}
