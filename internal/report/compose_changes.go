package report

import (
	"cmp"
	"fmt"

	"github.com/mintmark/mintmark/internal/fact"
)

// changesSection is what people say of the commits since the version tag before: of
// most of them at most. How many more there are is said outside of their list, in
// which everybody can write.
func changesSection(c *fact.Changes, most int) Section {
	all := len(c.Subjects) + c.More
	shown := min(len(c.Subjects), most)
	text := fact.Count(all, "commit") + ", without merges, as their authors describe them"
	if more := all - shown; more > 0 {
		text += fmt.Sprintf(": the newest %d, and %d more", shown, more)
	}
	s := Section{ID: "changes", Title: "Commits since " + c.Since, Text: []string{text + "."}}
	for _, subject := range c.Subjects[:shown] {
		s.Notes = append(s.Notes, cmp.Or(subject, "(no message)"))
	}
	return s
}
