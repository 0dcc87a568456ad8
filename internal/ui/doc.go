// Package ui is the only writer to the terminal. It knows what a terminal
// can show, and nothing of what mintmark does.
//
// Results go to standard output. Everything else, which is progress, notes,
// warnings, errors and hints, goes to standard error with the prefix
// "mintmark: ", in lower case and without a full stop at the end. An error
// and what to do about it are two lines:
//
//	mintmark: error: linux/arm/7: no such toolchain: go1.99.0
//	mintmark: hint: the newest release is go1.26.8
//
// # What is shown is made safe first
//
// File names, compiler output and version strings come from other people.
// Every text is passed through [Clean] or [CleanLine] before it is printed, so
// that it cannot move the cursor, change colours, set the window title, hide
// text or turn its direction around. Nor can it write lines: a result's lines
// end where the format of [Terminal.Printf] says or a [Block] does, and the
// further lines of a message are indented. In the log of GitHub Actions, where a
// line that begins with "::" is an order to the runner, such lines are made
// harmless as well. The one exception is [Terminal.Stdout], which passes bytes
// on as they are, for JSON and other machine-readable results.
//
// # Terminal or not
//
// Colour needs a terminal, and neither NO_COLOR nor TERM=dumb. The live display
// of [Progress] needs a terminal on standard error, a TERM that is not dumb,
// and no CI variable; without one of these it writes plain lines. A table is
// cut to the terminal's width, and so are sentences folded, but not commands that
// somebody pastes; written anywhere else they are as long as they are, and plain
// text that depends on its content alone.
//
// # Limits
//
//   - Widths are those of [Width]: East Asian wide characters and emoji count
//     as two cells, and a sequence of joined emoji counts as its parts.
//   - When a terminal that re-wraps its lines is made narrower while the live
//     display is on, parts of the old display can stay on the screen. They are
//     not wiped, because that could wipe lines of other programs.
//   - Failed writes to standard error are ignored: there is no one left to tell.
//     Failed writes to standard output are returned.
package ui
