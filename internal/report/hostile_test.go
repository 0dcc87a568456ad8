package report

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/sizes"
)

// worst has whatever ends an element, an attribute, a cell or a line of some
// rendering, and what a reader of it could take for something else.
const worst = "</title></style><script>alert(1)</script>\" onload=\"x\" '|`*[x](https://evil.example/)\n\r\n- # $x$ @all -->]]>&lt;+ADw-javascript:x\x00\u202e"

// texts calls f with a setter for each text below v that somebody can have written.
func texts(v reflect.Value, path string, f func(path string, set func(string))) {
	switch v.Kind() {
	case reflect.String:
		f(path, func(s string) { v.SetString(s) })
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			texts(v.Elem(), path, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				texts(v.Field(i), path+"."+v.Type().Field(i).Name, f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(v.Index(i), fmt.Sprintf("%s[%d]", path, i), f)
		}
	}
}

// everything is inputs with something in every text field.
func everything() Inputs {
	in := inputs()
	in.Beside, in.Checked, in.NotMeasured = true, "checked", "for some reason"
	m := in.Manifest
	m.Source.Module, m.Source.Kind = "github.com/example/tool", fact.SourceGit
	m.Source.Stamp, m.Source.Dirty = "v1.2.3+dirty", []string{"a.go"}
	m.Rebuild.Attempted = []string{"umask"}
	m.Artifacts = append(m.Artifacts, checksums.Artifact{Name: "other", Profile: "release", Platform: "plan9/386", Stage: fact.Linked, SHA256: digest("e"), Published: true, Verdict: fact.Different, Reason: "why",
		Findings: []fact.Finding{{Cause: "cause", Confidence: "certain", Evidence: []string{"evidence"}, Remedy: "remedy"}}})
	x := in.Measurements.Sizes[0].Summary
	x.Embedded = []sizes.Amount{{Name: "index.html", Package: x.Groups[1].Modules[0].Packages[0].Path, Size: 300}}
	sections := summary("example.com/dep", "v1.0.0", 100)
	sections.Sections = []sizes.Amount{{Name: ".text", Kind: "code", Size: 2400}}
	in.Measurements.Sizes = append(in.Measurements.Sizes, Sized{Profile: "other", Platform: "plan9/386", Name: "x", Summary: sections})
	in.Measurements.BenchDeclared = []string{"release"}
	in.Measurements.Startup[0].Notes = []string{"note"}
	return in
}

// hostileInputs are everything with one text replaced, each in its turn, and the
// last with all of them; what the manifest and the measurements are refused for is
// left as it is.
func hostileInputs() map[string]Inputs {
	keep := regexp.MustCompile(`\.Schema$|\.Groups\[\d\]\.Name$`)
	visit := func(in *Inputs, f func(path string, set func(string))) {
		texts(reflect.ValueOf(in).Elem(), "", func(path string, set func(string)) {
			if !keep.MatchString(path) {
				f(path, set)
			}
		})
	}
	var paths []string
	in := everything()
	visit(&in, func(path string, _ func(string)) { paths = append(paths, path) })
	out := map[string]Inputs{}
	for _, want := range paths {
		in := everything()
		visit(&in, func(path string, set func(string)) {
			if path == want {
				set(worst)
			}
		})
		out[want] = in
	}
	all := everything()
	visit(&all, func(_ string, set func(string)) { set(worst) })
	all.Measurements.Sizes[0].Imports = ImportTree{"main": {worst, "old"}, worst: {worst + "/x"}, "old": {worst + "/y"}}
	all.Previous.Sizes[0].Imports = ImportTree{"main": {"old"}}
	out["all"] = all
	return out
}

// TestHostileNames puts what breaks pages into each text of a release in turn: what
// comes out has the elements and attributes that a page has, whatever it is told.
func TestHostileNames(t *testing.T) {
	all := hostileInputs()
	if len(all) < 150 {
		t.Errorf("only %d texts: are there fields that are not filled?", len(all))
	}
	shown := 0
	for path, in := range all {
		if testing.Short() && path != "all" {
			continue
		}
		full := Compose(in)
		short := ComposeShort(in, full)
		for kind, p := range map[string]*Page{"full": full, "short": short} {
			var h, m bytes.Buffer
			if err := HTML(&h, p); err != nil {
				t.Fatal(err)
			}
			if err := Markdown(&m, p); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(h.String(), "evil.example") {
				shown++
			}
			if err := strictHTML(h.String()); err != nil {
				t.Errorf("%s in the %s page: %v", path, kind, err)
			}
			if err := strictMarkdown(m.String()); err != nil {
				t.Errorf("%s in the %s Markdown: %v", path, kind, err)
			}
		}
	}
	if shown < 60 && !testing.Short() {
		t.Errorf("only %d pages showed what they were given", shown)
	}
}

var (
	htmlTag  = regexp.MustCompile(`^<(/?[a-zA-Z0-9]+)((?: [a-zA-Z0-9:-]+(?:="[^"<>]*")?)*)\s*/?>`)
	htmlAttr = regexp.MustCompile(` ([a-zA-Z0-9:-]+)(?:="([^"]*)")?`)
	htmlTags = strings.Fields("html head meta title style body main h1 h2 h3 div strong ul li nav a section details summary p span i figure svg rect line circle text g table thead tbody tr th td pre")
	// What a browser does not fetch, run or obey; href is looked at by itself.
	htmlAttrs = strings.Fields("lang charset name content http-equiv class id href open role aria-label aria-hidden tabindex data-title width height x y x1 x2 y1 y2 cx cy r text-anchor xmlns viewBox font-family font-size font-weight")
	htmlHref  = regexp.MustCompile(`^(#[a-z]+|\./[A-Za-z0-9_%-][A-Za-z0-9._%-]*|https://github\.com/example/tool/commit/[0-9a-f]{40})$`)
)

// strictHTML refuses markup that is not of the few kinds that pages have.
func strictHTML(page string) error {
	rest, ok := strings.CutPrefix(page, "<!DOCTYPE html>")
	if !ok {
		return fmt.Errorf("it begins with %.20q", page)
	}
	for rest != "" {
		i := strings.IndexByte(rest, '<')
		if i < 0 {
			i = len(rest)
		}
		if bad := strings.IndexAny(rest[:i], ">\x00\u202e+"); bad >= 0 {
			return fmt.Errorf("text has %q", rest[bad:min(bad+30, len(rest))])
		}
		if rest = rest[i:]; rest == "" {
			break
		}
		tag := htmlTag.FindStringSubmatch(rest)
		if tag == nil {
			return fmt.Errorf("no element begins with %.60q", rest)
		}
		if !slices.Contains(htmlTags, strings.TrimPrefix(tag[1], "/")) {
			return fmt.Errorf("element %q", tag[1])
		}
		for _, a := range htmlAttr.FindAllStringSubmatch(tag[2], -1) {
			if !slices.Contains(htmlAttrs, a[1]) {
				return fmt.Errorf("attribute %q", a[0])
			}
			if a[1] == "href" && !htmlHref.MatchString(a[2]) {
				return fmt.Errorf("address %q", a[2])
			}
		}
		rest = rest[len(tag[0]):]
		if tag[1] == "style" {
			style, after, ok := strings.Cut(rest, "</style>")
			if !ok || strings.Contains(style, "evil") || strings.Contains(style, "<") {
				return fmt.Errorf("a style that somebody wrote: %.60q", style)
			}
			rest = after
		}
	}
	return nil
}

var (
	markdownOwn = []*regexp.Regexp{
		regexp.MustCompile("(?ms)^(```+)\n[^\n]*\n```+$"), // a command is literal
		regexp.MustCompile(`(?m)^<details( open)?><summary>[^<]*</summary>$|^</details>$`),
		regexp.MustCompile(`\[[0-9a-f]{40}\]\(https://github\.com/example/tool/commit/[0-9a-f]{40}\)`),
	}
	markdownBad = regexp.MustCompile(`<|[^\\]\]\(|://|\x00|\x{202e}|(^|[^\\])[$` + "`" + `]|@|^[-+=]+( |$)`)
)

// strictMarkdown refuses HTML, links and rows that are not a page's own.
func strictMarkdown(text string) error {
	for _, own := range markdownOwn {
		text = own.ReplaceAllString(text, "")
	}
	for _, line := range strings.Split(text, "\n") {
		if bad := markdownBad.FindString(strings.TrimPrefix(line, "- ")); bad != "" {
			return fmt.Errorf("%q is in %q", bad, line)
		}
	}
	columns := 0
	for _, line := range strings.Split(text, "\n") {
		n := strings.Count(line, "|") - strings.Count(line, `\|`)
		if columns != 0 && n != 0 && n != columns {
			return fmt.Errorf("a row of %d bars below %d: %q", n, columns, line)
		}
		columns = n
	}
	return nil
}

// TestLineMarks: a text that begins like a list, a heading or a rule is a text.
func TestLineMarks(t *testing.T) {
	var b bytes.Buffer
	marks := []string{"- a", "+ a", "1. a", "12) a", "===", "---"}
	if err := Markdown(&b, &Page{Facts: marks, Sections: []Section{{Text: marks, Notes: marks}}}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"- - a", "- + a", "- 1. a", "- 12) a", "- ===", "- ---", "\n- a\n\n", "\n1. a\n\n", "\n===\n"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("%q is in\n%s", bad, b.String())
		}
	}
}

// TestAddresses: what is no file beside the page, or no page of a known host, is not
// made into an address, and no rendering writes one that is none.
func TestAddresses(t *testing.T) {
	for name, want := range map[string]Address{
		"tool_1.2.3_linux.tar.gz": "./tool_1.2.3_linux.tar.gz", "a b": "./a%20b", `a"b<c`: "./a%22b%3Cc", "javascript:alert(1)": "./javascript:alert%281%29", "ü": "./%C3%BC",
		"": "", ".": "", "..": "", "../x": "", "/etc/passwd": "", `..\x`: "", "//evil.example": "",
	} {
		if got := beside(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	hash := strings.Repeat("c", 40)
	for _, tt := range []struct{ module, dir, commit, want string }{
		{"github.com/o/r", "", hash, "https://github.com/o/r/commit/" + hash},
		{"github.com/o/r/v2", "", hash, "https://github.com/o/r/commit/" + hash},
		{"github.com/o/r/sub/dir", "sub/dir", hash, "https://github.com/o/r/commit/" + hash},
		{"github.com/o/r/sub/v3", "sub", hash, "https://github.com/o/r/commit/" + hash},
		{"github.com/o/r/sub/v3", "sub/v3", hash, "https://github.com/o/r/commit/" + hash},
		{"gitlab.com/group/team/r", "", hash, "https://gitlab.com/group/team/r/-/commit/" + hash},
		{"codeberg.org/o/r", "", hash, "https://codeberg.org/o/r/commit/" + hash},
		{"git.sr.ht/~o/r", "", hash, "https://git.sr.ht/~o/r/commit/" + hash},
		{"bitbucket.org/o/r", "", hash, "https://bitbucket.org/o/r/commits/" + hash},
		{"example.com/tool", "", hash, ""},
		{"github.com/o", "", hash, ""},
		{"github.com/o/r/x", "", hash, ""},
		{"github.com/o/r/x", "y", hash, ""},
		{"github.com/o/../r", "", hash, ""},
		{"github.com/o/..", "", hash, ""},
		{`github.com/o/r"><script>`, "", hash, ""},
		{"github.com/o/r?x=", "", hash, ""},
		{"github.com/o/r", "", "../../evil", ""},
		{"github.com/o/r", "", "", ""},
	} {
		if got := commitPage(checksums.Source{Kind: fact.SourceGit, Module: tt.module, Dir: tt.dir, Commit: tt.commit}); string(got) != tt.want {
			t.Errorf("%s in %q at %.10s: got %q, want %q", tt.module, tt.dir, tt.commit, got, tt.want)
		}
	}
	if got := commitPage(checksums.Source{Kind: fact.SourceModule, Module: "github.com/o/r", Commit: hash}); got != "" {
		t.Errorf("of a module of the proxy: %q", got)
	}
	for _, bad := range []Address{"javascript:alert(1)", "http://github.com/x", "https://evil.example/\"x", "https://h/..", "//h", "./../x", "data:text/html,x", "https://u:p@h/x", "https://h/x\ny"} {
		p := &Page{Title: "x", Facts: []string{"a hash"}, Links: []TextLink{{"hash", bad}}, Sections: []Section{{ID: "x", Tables: []Table{{Columns: []Column{{Title: "c"}}, Rows: [][]string{{"v"}}, Links: []Link{{0, 0, bad}}}}}}}
		var h, m bytes.Buffer
		HTML(&h, p)
		Markdown(&m, p)
		if strings.Contains(h.String(), string(bad)) || strings.Contains(m.String(), "](") {
			t.Errorf("%q is written:\n%s", bad, m.String())
		}
	}
}
