package report

import (
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/mintmark/mintmark/internal/ui"
)

// Markdown writes a page as GitHub's Markdown. Nothing in a text is taken as
// markup.
func Markdown(w io.Writer, p *Page) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n**%s**\n\n", inline(p.Title), inline(p.Headline))
	for _, f := range p.Facts {
		fmt.Fprintf(&b, "- %s\n", inline(f))
	}
	for _, s := range p.Sections {
		fmt.Fprintf(&b, "\n## %s\n\n", inline(s.Title))
		if s.NotMeasured != "" {
			fmt.Fprintf(&b, "Not measured: %s.\n", inline(s.NotMeasured))
		}
		for _, t := range s.Text {
			fmt.Fprintf(&b, "%s\n\n", inline(t))
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
			fmt.Fprintf(&b, "- %s\n", inline(n))
		}
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
	for _, row := range t.Rows {
		for _, cell := range row {
			fmt.Fprintf(b, "| %s ", inline(cell))
		}
		b.WriteString("|\n")
	}
	b.WriteByte('\n')
}

// inline makes a text safe inside a line of Markdown: no markup, no HTML, no
// links, no end of a cell. Underscores and dots stay readable: names are full
// of them, and inside a word they mean nothing.
func inline(s string) string {
	s = strings.NewReplacer(
		`\`, `\\`, "`", "\\`", "*", `\*`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "#", `\#`,
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "_", `\_`, "://", "&#58;//", "www.", "www&#46;", "@", "&#64;", "!", `\!`,
	).Replace(ui.CleanLine(s))
	return s
}
