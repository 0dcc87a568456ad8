package actions

import (
	"context"
	"fmt"
)

// Recall gives the stored output of an action that has been executed in both
// places with equal outputs. Its bytes were hashed again just now; whoever
// copies the file checks it once more.
func (l *Ledger) Recall(ctx context.Context, action ID) (file string, p Proof, ok bool) {
	en := l.entries[action]
	if en == nil {
		return "", p, false
	}
	if p, ok = l.proven(action, en.outcomes[0].output, false); !ok {
		return "", p, false
	}
	file, ok = l.fetch(ctx, p.Output, p.Size)
	return file, p, ok
}

// Remember adds the executions of an action in both places by this run, which
// had the same output, and keeps the output, which lies in file.
func (l *Ledger) Remember(ctx context.Context, name, platform string, action, output ID, size int64, file string) error {
	var list []*Execution
	for _, place := range []string{First, Second} {
		list = l.note(list, &Execution{Action: action, Output: output, Size: size, Place: place, Run: l.cfg.Run, Platform: platform, Package: name})
	}
	if err := l.keep(output, file, false); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return l.write(ctx, list)
}
