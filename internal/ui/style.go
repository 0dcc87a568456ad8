package ui

// Style is how a table cell or a label is shown where colour is allowed. It
// never carries meaning alone: the text says the same.
type Style uint8

// The styles, by what they say.
const (
	Plain  Style = iota
	Good         // green: identical, verified
	Bad          // red: different, failed
	Doubt        // yellow: unchecked, a warning
	Faint        // of less interest
	Strong       // headings
)

// Text makes a table cell in this style.
func (s Style) Text(text string) Cell { return Cell{Text: text, Style: s} }

func (s Style) paint(text string, colour bool) string {
	codes := [...]string{Good: "32", Bad: "31", Doubt: "33", Faint: "2", Strong: "1"}
	if !colour || text == "" || int(s) >= len(codes) || codes[s] == "" {
		return text
	}
	return "\x1b[" + codes[s] + "m" + text + "\x1b[0m"
}
