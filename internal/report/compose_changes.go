package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// changesSection is what people say of the commits since the version tag before, in at
// most so many lines: by what kind of change they are where the project's messages say
// that, else the newest first. How many more there are is said outside of their list, in
// which everybody can write.
func changesSection(c *fact.Changes, most int) Section {
	groups := changeGroups(c.Subjects)
	shown := 0
	var lists []List
	for _, g := range groups {
		if len(groups) > 1 || g.Title != "" {
			most-- // for the title
		}
		if most <= 0 {
			break
		}
		g.Items = g.Items[:min(len(g.Items), most)]
		most, shown = most-len(g.Items), shown+len(g.Items)
		lists = append(lists, g)
	}
	all := len(c.Subjects) + c.More
	text := fact.Count(all, "commit") + ", without merges, as their authors describe them"
	if more := all - shown; more > 0 {
		which := "the newest"
		if len(groups) > 1 || groups[0].Title != "" {
			which = "the first"
		}
		text += fmt.Sprintf(": %s %d, and %d more", which, shown, more)
	}
	s := Section{ID: "changes", Title: "Commits since " + c.Since, Text: []string{text + "."}}
	if len(lists) == 1 && lists[0].Title == "" {
		s.Notes = lists[0].Items
	} else {
		s.Lists = lists
	}
	return s
}

// lines are how many the notes and lists of a section take.
func (s Section) lines() int {
	n := len(s.Notes)
	for _, l := range s.Lists {
		n += 1 + len(l.Items)
	}
	return n
}

// conventional is a subject of https://www.conventionalcommits.org: type, perhaps a
// scope, perhaps the sign of a change that breaks what was.
var conventional = regexp.MustCompile(`(?s)^([A-Za-z]+)(\([^()]+\))?(!)?: +(\S.*)$`)

// kinds of changes, in the order in which people want to read of them.
var changeKinds = []struct {
	title string
	types []string
}{
	{"Breaking changes", nil},
	{"Features", []string{"feat", "feature"}},
	{"Fixes", []string{"fix", "bugfix", "hotfix"}},
	{"Security", []string{"security", "sec"}},
	{"Performance", []string{"perf"}},
	{"Reverted", []string{"revert"}},
	{"Dependencies", []string{"deps", "dep"}},
	{"Documentation", []string{"docs", "doc"}},
	{"Other changes", nil},
}

// changeGroups are subjects by the kind of change, each without its type. If fewer than
// half of them say one, they are one group without a title.
func changeGroups(subjects []string) []List {
	groups := make([]List, len(changeKinds))
	for i, k := range changeKinds {
		groups[i].Title = k.title
	}
	said := 0
	for _, s := range subjects {
		at, text := len(groups)-1, cmp.Or(s, "(no message)")
		if m := conventional.FindStringSubmatch(s); m != nil {
			said++
			kind := strings.ToLower(m[1])
			i := slices.IndexFunc(changeKinds, func(k struct {
				title string
				types []string
			}) bool {
				return slices.Contains(k.types, kind)
			})
			switch {
			case m[3] != "":
				at = 0
			case m[2] == "(deps)":
				at = slices.IndexFunc(groups, func(g List) bool { return g.Title == "Dependencies" })
			case i >= 0:
				at = i
			}
			if i >= 0 || m[3] != "" { // else the type says more than the group
				text = m[4]
				if scope := strings.Trim(m[2], "()"); scope != "" && scope != "deps" {
					text = scope + ": " + text
				}
			}
		}
		groups[at].Items = append(groups[at].Items, text)
	}
	if 2*said < len(subjects) || said == 0 {
		one := List{}
		for _, s := range subjects {
			one.Items = append(one.Items, cmp.Or(s, "(no message)"))
		}
		return []List{one}
	}
	return slices.DeleteFunc(groups, func(g List) bool { return len(g.Items) == 0 })
}
