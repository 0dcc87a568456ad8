package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/sizes"
)

// TestUnmeasured folds everything without figures into one line, with each reason once.
func TestUnmeasured(t *testing.T) {
	in := inputs()
	in.Measurements, in.NotMeasured, in.Previous, in.Changes = nil, "the release has no measurements", nil, nil
	said, un := Compose(in).Split()
	if len(said) != 2 || len(un.Titles) != 7 || len(un.Details()) != 1 || !strings.HasSuffix(un.Details()[0], in.NotMeasured) {
		t.Errorf("%d sections say something; not measured %q, because %q", len(said), un.Titles, un.Details())
	}
	page := string(renderings(t, in)[HTMLFile])
	if !strings.Contains(page, "<summary>"+un.Line()+"</summary>") || strings.Count(page, in.NotMeasured) != 1 || strings.Contains(page, `id="sizes"`) {
		t.Errorf("not one line of %q", un.Line())
	}
	page = string(renderings(t, inputs())[HTMLFile])
	if strings.Contains(page, "Not measured: ") {
		t.Error("something is not measured of a release of which everything is")
	}
}

// TestScrollable: what scrolls can be reached without a pointer, and has a name.
func TestScrollable(t *testing.T) {
	page := string(renderings(t, inputs())[HTMLFile])
	regions := regexp.MustCompile(`<[a-z]+ class="[^"]*scroll[^"]*"[^>]*>`).FindAllString(page, -1)
	if len(regions) < 10 {
		t.Errorf("%d regions", len(regions))
	}
	for _, r := range regions {
		if !regexp.MustCompile(`role="region" aria-label="[^"]+" tabindex="0"`).MatchString(r) {
			t.Errorf("cannot be focused, or has no name: %s", r)
		}
	}
}

// TestLinks: published files are links where the page lies beside them, the commit is
// one to its page.
func TestLinks(t *testing.T) {
	in := inputs()
	in.Manifest.Source.Kind, in.Manifest.Source.Module = fact.SourceGit, "github.com/example/tool"
	file, commit := `<a href="./tool_1.2.3_linux_amd64.tar.gz">tool_1.2.3_linux_amd64.tar.gz</a>`, "https://github.com/example/tool/commit/"+in.Manifest.Source.Commit
	page := string(renderings(t, in)[HTMLFile])
	if strings.Contains(page, file) || strings.Count(page, `<a href="`+commit+`">`) != 2 {
		t.Error("elsewhere: a link to the file, or none to the commit")
	}
	in.Beside = true
	out := renderings(t, in)
	if !strings.Contains(string(out[HTMLFile]), file) {
		t.Error("no link to the file")
	}
	if !strings.Contains(string(out[MarkdownFile]), "["+in.Manifest.Source.Commit+"]("+commit+")") || strings.Contains(string(out[MarkdownFile]), "](./") {
		t.Errorf("links of the Markdown:\n%s", out[MarkdownFile])
	}
	in.Manifest.Source.Module = "example.com/tool"
	if strings.Contains(string(renderings(t, in)[HTMLFile]), `href="https://`) {
		t.Error("an address at a host that is not known")
	}
}

// TestShort: the short page stays short, whatever the release, and counts what it
// leaves out.
func TestShort(t *testing.T) {
	in := inputs()
	for i := range 60 {
		p := fmt.Sprintf("linux/arch%d", i)
		in.Manifest.Artifacts = append(in.Manifest.Artifacts, checksums.Artifact{Name: fmt.Sprintf("tool_%d", i), Platform: p, Published: true, Verdict: fact.Different, Reason: "x"})
		for _, m := range []*Measurements{in.Measurements, in.Previous} {
			m.Sizes = append(m.Sizes, Sized{Profile: "release", Platform: p, Name: "tool", Summary: summary("example.com/dep", "v1.0.0", 600)})
		}
		for j, m := range []*Measurements{in.Measurements, in.Previous} {
			g := &m.Sizes[0].Summary.Groups[1]
			g.Modules = append(g.Modules, sizes.Module{Mod: sizes.Mod{Path: fmt.Sprintf("example.com/dep%d", i), Version: fmt.Sprintf("v1.%d.0", j)}})
		}
	}
	for range 25 {
		in.Changes.Subjects = append(in.Changes.Subjects, "- a subject")
	}
	text := string(renderings(t, in)[MarkdownFile])
	if n := strings.Count(text, "\n"); n >= 60 {
		t.Errorf("%d lines:\n%s", n, text)
	}
	for _, want := range []string{"| 56 more such files |", "| 58 more binaries |", "- 60 more such changes\n", "30 commits, without merges, as their authors describe them: the newest 6, and 24 more.\n", "- \\- a subject\n", "more files: checksums.txt has all of them |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	in.Changes = nil
	if n := strings.Count(string(renderings(t, in)[MarkdownFile]), "\n"); n >= 60 {
		t.Errorf("%d lines without commits", n)
	}
	in.Changes, in.Manifest.Artifacts = inputs().Changes, inputs().Manifest.Artifacts
	for i := range 30 {
		in.Manifest.Artifacts = append(in.Manifest.Artifacts, checksums.Artifact{Name: fmt.Sprintf("tool_%d", i), Published: true, Verdict: fact.Identical})
	}
	in.Changes.More = 100
	whole := string(renderings(t, in)[MarkdownFile])
	if n := strings.Count(whole, "\n"); n >= 60 || strings.Count(whole, "tool\\_") < 3 {
		t.Errorf("%d lines where nothing differs:\n%s", n, whole)
	}
	shown := strings.Count(text, "/arch")
	if counted := regexp.MustCompile(`(\d+) more files`).FindStringSubmatch(text); counted == nil || fmt.Sprint(61-strings.Count(text[strings.Index(text, "## Files"):], "| linux/")) != counted[1] {
		t.Errorf("of 61 files %d are shown and %q more counted", shown, counted)
	}
}

// TestNewImports: which import is new, and what came with it, follows from the trees.
func TestNewImports(t *testing.T) {
	before := map[string][]string{"m": {"fmt", "m/own", "dep"}, "m/own": {"fmt"}, "dep": {"os"}, "fmt": {"os", "io"}, "os": {"io"}}
	after := map[string][]string{"m": {"fmt", "m/own", "dep", "os"}, "m/own": {"fmt", "json"}, "dep": {"os", "net"}, "fmt": {"os", "io"}, "os": {"io"}, "json": {"utf16", "io"}, "net": {"utf16"}}
	was, now := &Sized{Imports: NewImportTree(before, "m")}, &Sized{Imports: NewImportTree(after, "m")}
	now.Summary = &sizes.Summary{Groups: []sizes.Group{{Name: sizes.GroupStd, Modules: []sizes.Module{{Packages: []sizes.Package{{Path: "json", Size: 100}, {Path: "utf16", Size: 20}, {Path: "net", Size: 500}}}}}}}
	var got []string
	for _, n := range newImports(was, now, func(pkg string) string { return "x" }) {
		got = append(got, n.String())
	}
	want := []string{"dep now imports net: 2 new packages, 520 B", "m/own now imports json: 1 new package, 100 B", "m now imports os, which was in the program before"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if back := newImports(now, was, func(string) string { return "" }); len(back) != 0 {
		t.Errorf("the other way round %v are new", back)
	}
	bare := &Sized{Imports: NewImportTree(map[string][]string{"m": {"runtime"}}, "m")}
	if first := newImports(bare, was, func(string) string { return "" }); len(first) != 3 {
		t.Errorf("of a main package that imported nothing, new are %v", first)
	}
	if same := newImports(now, now, func(string) string { return "" }); len(same) != 0 {
		t.Errorf("of the same program %v are new", same)
	}
	in := inputs()
	in.Previous.Sizes[0].Imports = nil
	for name, page := range renderings(t, in) {
		if !strings.Contains(string(page), "which imports are new is not known") || strings.Contains(string(page), "now imports") {
			t.Errorf("%s: against a release without imports it does not say that it does not know", name)
		}
	}
	p := Compose(inputs())
	for _, s := range p.Sections {
		if s.ID == "delta" && !slices.ContainsFunc(s.Parts[0].Tables[0].Rows, func(row []string) bool {
			return strings.Contains(row[2], "example.com/tool now imports encoding/json: 2 new packages")
		}) {
			t.Errorf("no cause of change has the import: %q", s.Parts[0].Tables[0].Rows)
		}
	}
}
