package report

import (
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"

	"github.com/mintmark/mintmark/internal/ui"
)

// Markdown writes a page as GitHub's Markdown. Nothing in a text is taken as
// markup. Addresses of files beside the page lead nowhere in release notes, and are
// left out.
func Markdown(w io.Writer, p *Page) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n**%s**\n\n", inline(p.Title), inline(p.Headline))
	for _, f := range p.Facts {
		before, l, after := p.split(f)
		if !l.Address.safe() {
			fmt.Fprintf(&b, "- %s\n", line(f))
			continue
		}
		fmt.Fprintf(&b, "- %s[%s](%s)%s\n", line(before), inline(l.Text), l.Address, inline(after))
	}
	said, unmeasured := p.Split()
	for _, s := range said {
		if !strings.HasSuffix(b.String(), "\n\n") {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "## %s\n\n", inline(s.Title))
		for _, t := range s.Text {
			fmt.Fprintf(&b, "%s\n\n", line(t))
		}
		for _, t := range s.Tables {
			markdownTable(&b, t)
		}
		for _, part := range s.Parts {
			open := ""
			if part.Open {
				open = " open"
			}
			// A line of HTML: backslashes would be seen in it.
			fmt.Fprintf(&b, "<details%s><summary>%s</summary>\n\n", open, html.EscapeString(ui.CleanLine(part.Title)))
			for _, t := range part.Tables {
				markdownTable(&b, t)
			}
			b.WriteString("</details>\n\n")
		}
		for _, c := range s.Commands {
			// A fence longer than any run of backquotes in the line.
			fence := "```"
			for strings.Contains(c.Line, fence) {
				fence += "`"
			}
			fmt.Fprintf(&b, "%s:\n\n%s\n%s\n%s\n\n", inline(c.What), fence, ui.CleanLine(c.Line), fence)
		}
		for _, n := range s.Notes {
			fmt.Fprintf(&b, "- %s\n", line(n))
		}
		for _, l := range s.Lists {
			fmt.Fprintf(&b, "- %s\n", inline(l.Title))
			for _, item := range l.Items {
				fmt.Fprintf(&b, "  - %s\n", line(item))
			}
		}
	}
	if text := unmeasured.Line(); text != "" {
		fmt.Fprintf(&b, "\n<details><summary>%s</summary>\n\n", html.EscapeString(ui.CleanLine(text)))
		for _, d := range unmeasured.Details() {
			fmt.Fprintf(&b, "- %s\n", line(d))
		}
		b.WriteString("\n</details>\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownTable(b *strings.Builder, t Table) {
	if t.Title != "" {
		fmt.Fprintf(b, "**%s**\n\n", inline(t.Title))
	}
	for _, c := range t.Columns {
		fmt.Fprintf(b, "| %s ", inline(c.Title))
	}
	b.WriteString("|\n")
	for _, c := range t.Columns {
		if c.Kind == Number {
			b.WriteString("|---:")
		} else {
			b.WriteString("|---")
		}
	}
	b.WriteString("|\n")
	links := t.linked()
	for at, row := range t.Rows {
		for i, text := range row {
			text = inline(text)
			if to := links[cell{at, i}]; to.safe() && strings.HasPrefix(string(to), "https://") {
				text = "[" + text + "](" + string(to) + ")"
			}
			fmt.Fprintf(b, "| %s ", text)
		}
		b.WriteString("|\n")
	}
	b.WriteByte('\n')
}

// line makes a text safe as the whole of a line or of an item of a list: there also
// a mark at its beginning means something.
func line(text string) string {
	s := inline(text)
	if lineMark.MatchString(s) {
		at := strings.IndexAny(s, "-+=.)")
		return s[:at] + `\` + s[at:]
	}
	return s
}

// lineMark begins a list, makes a heading of the line above, or is a rule.
var lineMark = regexp.MustCompile(`^([-+=]+|[0-9]{1,9}[.)])( |$)`)

// inline makes a text safe inside a line of Markdown: no markup, no HTML, no
// links, no end of a cell. Underscores and dots stay readable: names are full
// of them, and inside a word they mean nothing.
func inline(s string) string {
	return strings.NewReplacer(
		`\`, `\\`, "`", "\\`", "*", `\*`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "#", `\#`,
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "_", `\_`, "://", "&#58;//", "www.", "www&#46;", "@", "&#64;", "!", `\!`, "$", `\$`,
	).Replace(ui.CleanLine(s))
}
