package goflags

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// PerPackage is one value of -gcflags, -asmflags or -ldflags: flags of a tool
// for the packages that match a pattern.
type PerPackage struct {
	Pattern string // "" for the packages that the command line names
	Words   []string
}

// ParsePerPackage reads a value as the go command does
// (cmd/go/internal/load.(*PerPackageFlag).set): what does not begin with "-"
// after white space was trimmed is PATTERN=FLAGS. It refuses a few things more:
// see package goflags.
func ParsePerPackage(text string) (PerPackage, error) {
	var p PerPackage
	if err := clean(text); err != nil {
		return p, err
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return p, nil
	}
	if !strings.HasPrefix(text, "-") {
		pattern, flags, ok := strings.Cut(text, "=")
		pattern = strings.TrimSpace(pattern)
		switch {
		case !ok || pattern == "":
			return p, fmt.Errorf("%q is neither -FLAGS nor PATTERN=-FLAGS", text)
		case strings.ContainsAny(pattern, `'"`):
			// Before go1.22 a quote at the beginning was part of the pattern.
			return p, fmt.Errorf("the pattern %q has a quote in it", pattern)
		}
		p.Pattern, text = pattern, flags
	}
	var err error
	p.Words, err = Split(text)
	return p, err
}

// Text is the one spelling of the value. It is an error if nothing is read as
// this value: what is returned reads as p.
func (p PerPackage) Text() (string, error) {
	text, err := Join(p.Words)
	if err != nil {
		return "", err
	}
	if p.Pattern != "" {
		text = p.Pattern + "=" + text
	}
	again, err := ParsePerPackage(text)
	if err == nil && !again.equal(p) {
		err = errors.New("it would be read as something else")
	}
	if err != nil {
		return "", fmt.Errorf("the flags %q cannot be written in one value: %w", p.Words, err)
	}
	return text, nil
}

func (p PerPackage) equal(q PerPackage) bool {
	return p.Pattern == q.Pattern && slices.Equal(p.Words, q.Words)
}
