package verify

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/report"
)

// Names in a directory of pages: for each digest SHA256.html and SHA256.json, and
// SHA256 with [checksums.StatementSuffix] where something was signed.
const (
	pagesIndex     = "index.html"
	pagesIndexJSON = "index.json"
)

// digestPage is what a directory of pages has of one file, SHA256.json: what came of it
// when it was rebuilt, whoever looks it up by its digest.
type digestPage struct {
	Schema fact.Schema      `json:"schema"`
	Tool   string           `json:"mintmark"` // version that found it out
	Result *recovery.Result `json:"result"`
	// Statement is the file beside this one with what was signed of it; "" for none.
	Statement string `json:"statement,omitempty"`
}

// pagesList is index.json, the worst first.
type pagesList struct {
	Schema fact.Schema `json:"schema"`
	fact.Verdicts
	Files []pagesEntry `json:"files"`
}

type pagesEntry struct {
	SHA256  string       `json:"sha256"`
	Name    string       `json:"name"`
	Verdict fact.Verdict `json:"verdict"`
	Reason  string       `json:"reason,omitempty"`
	Package string       `json:"package,omitempty"`
	Go      string       `json:"go,omitempty"` // as the file says
}

// maxPage bounds what is read of a page of before.
const maxPage = 16 << 20

// writePages writes a page for each result that has a digest, and an index of all that
// are in the directory: those of earlier runs stay, and one of the same digest is
// replaced. Whatever else is there is left alone; a file in the place of a page that is
// none is an error.
func writePages(dir, tool string, out *BinariesResult, statements map[string][]byte) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, r := range out.Results {
		if !sha256Hex.MatchString(r.SHA256) {
			continue // it was not read
		}
		if _, err := os.Lstat(filepath.Join(dir, r.SHA256+".json")); err == nil && r.Earlier {
			continue // by the run that found it out
		}
		if err := writePage(dir, tool, r, statements[r.SHA256]); err != nil {
			return err
		}
	}
	all, err := readPages(dir)
	if err != nil {
		return err
	}
	return writeIndex(dir, all)
}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

func writePage(dir, tool string, r *recovery.Result, statement []byte) error {
	shown := *r
	shown.Name = shownName(r.Name)
	p := &digestPage{Schema: fact.RebuildPage, Tool: tool, Result: &shown}
	signed := r.SHA256 + checksums.StatementSuffix
	if statement != nil {
		if err := writePageFile(dir, signed, statement); err != nil {
			return err
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, signed)); err == nil {
		p.Statement = signed // of this run, or of an earlier one
	}
	var data, html bytes.Buffer
	if err := report.WriteJSON(&data, p); err != nil {
		return err
	}
	if err := report.HTML(&html, p.page()); err != nil {
		return err
	}
	if err := writePageFile(dir, r.SHA256+".json", data.Bytes()); err != nil {
		return err
	}
	return writePageFile(dir, r.SHA256+".html", html.Bytes())
}

// shownName is a name without the directories of whoever rebuilt the file.
func shownName(name string) string {
	file, member, ok := strings.Cut(name, "!")
	if file = filepath.Base(file); ok {
		return file + "!" + member
	}
	return file
}

// writePageFile replaces what an earlier run has written, by what it looks like.
func writePageFile(dir, name string, data []byte) error {
	return files.WriteOver(filepath.Join(dir, name), data, 0o644, "is no page of mintmark rebuild -pages", func(old []byte) bool {
		var p struct {
			Schema fact.Schema `json:"schema"`
			DSSE   any         `json:"dsseEnvelope"`
		}
		switch filepath.Ext(name) {
		case ".html":
			return bytes.HasPrefix(old, data[:bytes.IndexByte(data, '>')+1])
		default:
			return json.Unmarshal(old, &p) == nil && (p.Schema == fact.RebuildPage || p.Schema == fact.RebuildPages || p.DSSE != nil)
		}
	})
}

// readPages reads all pages of a directory.
func readPages(dir string) ([]*digestPage, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []*digestPage
	for _, e := range list {
		digest, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok || !sha256Hex.MatchString(digest) {
			continue
		}
		data, err := files.Read(filepath.Join(dir, e.Name()), maxPage)
		if err != nil {
			return nil, err
		}
		p := &digestPage{}
		if err := json.Unmarshal(data, p); err != nil || p.Schema != fact.RebuildPage || p.Result == nil || p.Result.SHA256 != digest {
			return nil, fault.Errorf("move it away, or name another directory", "%s: is no page of mintmark rebuild -pages", filepath.Join(dir, e.Name()))
		}
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(x, y *digestPage) int {
		return cmp.Or(badness(y.Result.Verdict)-badness(x.Result.Verdict), cmp.Compare(x.Result.Name, y.Result.Name), cmp.Compare(x.Result.SHA256, y.Result.SHA256))
	})
	return all, nil
}

// writeIndex writes both forms of the index.
func writeIndex(dir string, all []*digestPage) error {
	list := pagesList{Schema: fact.RebuildPages, Files: []pagesEntry{}}
	t := report.Table{Columns: []report.Column{{Title: "verdict", Kind: report.Mark}, {Title: "file"}, {Title: "SHA-256", Kind: report.Digest}, {Title: "Go", Kind: report.Short}, {Title: "reason"}}}
	for i, p := range all {
		r := p.Result
		list.Count(r.Verdict)
		list.Files = append(list.Files, pagesEntry{r.SHA256, r.Name, r.Verdict, r.Reason, r.Package, r.Toolchain.Claimed})
		t.Rows = append(t.Rows, []string{string(r.Verdict), r.Name, r.SHA256, r.Toolchain.Claimed, r.ReasonKind()})
		t.Links = append(t.Links, report.Link{Row: i, Column: 1, Address: report.Beside(r.SHA256 + ".html")})
	}
	page := &report.Page{
		Schema: fact.PageReport, Title: "Rebuilt binaries", Verdict: list.Worst(),
		Headline: fmt.Sprintf("%d identical, %d different, %d not checked", list.Identical, list.Different, list.Unchecked),
		Facts:    []string{"each file has a page and a document, named by its SHA-256: SHA256.html, SHA256.json", "all of them: " + pagesIndexJSON},
		Links:    []report.TextLink{{Text: pagesIndexJSON, Address: report.Beside(pagesIndexJSON)}},
		Sections: []report.Section{{ID: "files", Title: "Files", Tables: []report.Table{t}}},
	}
	var data, html bytes.Buffer
	if err := report.WriteJSON(&data, list); err != nil {
		return err
	}
	if err := report.HTML(&html, page); err != nil {
		return err
	}
	if err := writePageFile(dir, pagesIndexJSON, data.Bytes()); err != nil {
		return err
	}
	return writePageFile(dir, pagesIndex, html.Bytes())
}

// page is the page of one file.
func (p *digestPage) page() *report.Page {
	r := p.Result
	t := report.Table{Columns: []report.Column{{Title: "what"}, {Title: "found"}}}
	add := func(what, found string) {
		if found = strings.TrimSpace(found); found != "" {
			t.Rows = append(t.Rows, []string{what, found})
		}
	}
	add("SHA-256", r.SHA256)
	add("bytes", fmt.Sprint(r.Size))
	add("package", r.Package+" "+r.Platform)
	add("source", r.Source.Module+" "+r.Source.Version+" "+r.Source.Sum)
	add("revision", r.Source.Revision)
	add("toolchain", cmp.Or(r.Toolchain.Version, r.Toolchain.Claimed)+" "+r.Toolchain.Sum)
	if m := r.Toolchain.Modified; m != nil {
		add("toolchain modified", "sha256 "+m.Patch)
	}
	if d := r.Directories; d != nil && d.Elsewhere == "" {
		add("built in", d.String())
	}
	add("version control stamp", r.Stamp)
	add("command", strings.Join(append(slices.Clone(r.Env), r.Command...), " "))
	add("signature", r.Signature)
	add("packed", r.Packed)
	if r.Confinement != nil {
		add("built", r.Confinement.String())
	}
	add("by", "mintmark "+p.Tool)
	s := report.Section{ID: "made", Title: "How it was rebuilt", Tables: []report.Table{t}, Notes: r.Notes}
	page := &report.Page{Schema: fact.PageReport, Title: r.Name, Verdict: r.Verdict, Headline: r.Outcome(), Sections: []report.Section{s}}
	if r.Reason != "" {
		page.Facts = append(page.Facts, r.Reason)
	}
	document := r.SHA256 + ".json"
	page.Facts = append(page.Facts, "as a document: "+document)
	page.Links = append(page.Links, report.TextLink{Text: document, Address: report.Beside(document)})
	if p.Statement != "" {
		page.Facts = append(page.Facts, "signed: "+p.Statement)
		page.Links = append(page.Links, report.TextLink{Text: p.Statement, Address: report.Beside(p.Statement)})
	}
	for _, f := range r.Findings {
		page.Sections = append(page.Sections, report.Section{ID: "finding-" + fmt.Sprint(len(page.Sections)), Title: fmt.Sprintf("%s (%s)", f.Cause, f.Confidence), Notes: append(slices.Clone(f.Evidence), f.Remedy)})
	}
	return page
}
