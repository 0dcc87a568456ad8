package git

import "time"

var (
	Quote   = quote
	Unquote = unquote
)

// SetPatience is for tests that wait for git to wait.
func (g *Git) SetPatience(d time.Duration) { g.patience = d }
