package main

import (
	"cmp"
	"fmt"
	"go/version"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// page is docs/reports/rebuilds.md, made of the results alone.
func (r *results) page() string {
	var b strings.Builder
	b.WriteString("# Published binaries, rebuilt\n\n")
	fmt.Fprintf(&b, "Made by `go run ./tools/rebuilds -update` from the list in [rebuilds.txt](rebuilds.txt): every Go binary in these npm and Debian packages, rebuilt by `mintmark rebuild` from nothing but the package. What else the packages hold, scripts and texts, is not in the table. [rebuilds.json](rebuilds.json) has more of each; [rebuild.md](../rebuild.md) says what the verdicts prove.\n\n")
	b.WriteString(r.summary())
	b.WriteString("\nSource and toolchain came through the module proxy and were checked against the checksum database; what it did not serve here it may serve elsewhere. The time is that of the processor, of all processes together and for all binaries of a package; it is mostly compiling, unless earlier rebuilds had left the packages of the same toolchain and platform in the cache.\n")
	notes := r.reasons()
	b.WriteString("\n| package | file | Go | platform | verdict | reason | CPU s |\n|---|---|---|---|---|---|---|\n")
	for _, p := range r.Packages {
		for i, f := range p.Binaries {
			cpu := ""
			if i == 0 {
				cpu = fmt.Sprintf("%.1f", p.CPU)
			}
			if i == 0 && len(p.Binaries) > 1 {
				cpu += fmt.Sprintf(", all %d", len(p.Binaries))
			}
			reason := ""
			if f.Reason != "" {
				n := slices.IndexFunc(notes, func(n *note) bool { return n.kind == f.kind() })
				reason = fmt.Sprintf("[%d](#reason-%d)", n+1, n+1)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", cell(p.title()), cell(f.File), cell(f.Go), cell(f.Platform), cell(f.Outcome), reason, cpu)
		}
	}
	if len(notes) > 0 {
		b.WriteString("\n## Why the others are not identical\n\nNumbers and versions within a reason are those of the first binary that has it. That a reason is true was checked by a person where it says how.\n")
	}
	for i, n := range notes {
		fmt.Fprintf(&b, "\n### Reason %d\n\n%s, %s: %s.\n\n", i+1, n.binaries[0].Verdict, count(len(n.binaries), "binary", "binaries"), strings.TrimSuffix(n.binaries[0].Reason, "."))
		for _, f := range n.binaries[0].Findings {
			fmt.Fprintf(&b, "- %s (%s): %s\n", f.Cause, f.Confidence, strings.Join(f.Evidence, "; "))
		}
		fmt.Fprintf(&b, "- %s\n", n.checks())
	}
	b.WriteString("\n## What each was built from\n\n| package | file | source | revision | -ldflags | found by |\n|---|---|---|---|---|---|\n")
	for _, p := range r.Packages {
		for _, f := range p.Binaries {
			if f.Links == 0 {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | `%s` | %s, %s |\n", cell(p.title()), cell(f.File), cell(f.Source), f.Revision[:min(12, len(f.Revision))], cell(f.LDFlags), count(f.Links, "link", "links"), count(f.Spellings, "spelling", "spellings"))
		}
	}
	return b.String()
}

// summary counts.
func (r *results) summary() string {
	var all, askable fact.Verdicts
	programs, releases, platforms := map[string]bool{}, map[string]bool{}, map[string]bool{}
	reasons, marked := 0, 0
	for _, p := range r.Packages {
		for _, f := range p.Binaries {
			all.Count(f.Verdict)
			if f.askable() {
				askable.Count(f.Verdict)
			}
			programs[f.program()] = true
			if v := release.FindString(f.Go); v != "" {
				releases[v] = true
			}
			if f.Platform != "" {
				platforms[f.Platform] = true
			}
			if f.Reason != "" {
				reasons++
				if f.why() != "" {
					marked++
				}
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "**%d of %d binaries whose source and toolchain are served and whose compiler is Go's own: identical.**\n\n", askable.Identical, askable.All())
	fmt.Fprintf(&b, "%s of %s in %s, of %s of Go (%s) and for %s: %d identical bit for bit, %d different, %d unchecked. Of %s, a person checked %d.\n",
		count(all.All(), "binary", "binaries"), count(len(programs), "program", "programs"), count(len(r.Packages), "package", "packages"),
		count(len(releases), "version", "versions"), strings.Join(slices.SortedFunc(maps.Keys(releases), version.Compare), ", "),
		count(len(platforms), "platform", "platforms"), all.Identical, all.Different, all.Unchecked, count(reasons, "reason", "reasons"), marked)
	if r.open > 0 {
		fmt.Fprintf(&b, "%s of the list %s not rebuilt yet.\n", count(r.open, "package", "packages"), map[bool]string{true: "was", false: "were"}[r.open == 1])
	}
	return b.String()
}

// release is what a binary says of its Go, without the patch release and experiments.
var release = regexp.MustCompile(`^go1\.[0-9]+`)

// note is one reason, and the binaries that have it.
type note struct {
	kind     string
	binaries []*binary
}

// reasons are the reasons in the order of the list. Those of one kind are one.
func (r *results) reasons() (notes []*note) {
	for _, p := range r.Packages {
		for _, f := range p.Binaries {
			if f.Reason == "" {
				continue
			}
			at := slices.IndexFunc(notes, func(n *note) bool { return n.kind == f.kind() })
			if at < 0 {
				at = len(notes)
				notes = append(notes, &note{kind: f.kind()})
			}
			notes[at].binaries = append(notes[at].binaries, f)
		}
	}
	return notes
}

// varying are the words with digits or slashes in them: versions, hashes, paths, numbers.
var varying = regexp.MustCompile(`\S*[0-9/]\S*`)

// kind is the reason without what varies from binary to binary, and the causes found.
func (b *binary) kind() string {
	text := varying.ReplaceAllString(b.Reason, "*")
	for _, f := range b.Findings {
		text += "\n" + string(f.Cause)
	}
	return text
}

// checks says which of the binaries' reasons somebody checked, and how.
func (n *note) checks() string {
	how := map[string]int{}
	open := 0
	for _, f := range n.binaries {
		if w := f.why(); w != "" {
			how[w]++
		} else {
			open++
		}
	}
	var parts []string
	for _, w := range slices.Sorted(maps.Keys(how)) {
		text := "checked"
		if how[w] < len(n.binaries) {
			text += fmt.Sprintf(" for %d", how[w])
		}
		parts = append(parts, text+": "+w)
	}
	if open > 0 {
		text := "**not checked by a person**"
		if open < len(n.binaries) {
			text = fmt.Sprintf("%d %s", open, text)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// title is the package's name and version as its registry writes them.
func (p *pack) title() string {
	_, title, _ := strings.Cut(p.String(), " ")
	return title
}

// cell is a text in a table.
func cell(s string) string { return strings.ReplaceAll(cmp.Or(s, " "), "|", `\|`) }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}
