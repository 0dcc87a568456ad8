package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// entry is one published file: what the list names.
type entry struct {
	Kind    string `json:"kind"` // npm or debian
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch,omitempty"` // of a Debian package
	SHA256  string `json:"sha256"`         // of the tarball or the .deb; "" until it is pinned
}

// String is how the list writes it, without the digest.
func (e entry) String() string {
	if e.Kind == kindDebian {
		return e.Kind + " " + e.Name + "=" + e.Version + " " + e.Arch
	}
	return e.Kind + " " + e.Name + "@" + e.Version
}

const (
	kindNPM    = "npm"
	kindDebian = "debian"
)

// No name, version or architecture of the two registries begins as an option does,
// or has a blank.
var (
	npmForm    = regexp.MustCompile(`^(@?[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)?)@([0-9][0-9A-Za-z.+-]*)$`)
	debianForm = regexp.MustCompile(`^([a-z0-9][a-z0-9.+-]*)=([0-9][0-9A-Za-z.+:~-]*)$`)
	archForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	digestForm = regexp.MustCompile(`^sha256:([0-9a-f]{64})$`)
)

// parseList reads the list: a package a line, "npm NAME@VERSION sha256:HEX" or
// "debian NAME=VERSION ARCH sha256:HEX", and comments after "#". The digest may be
// missing until -pin writes it. All faults are reported.
func parseList(name, text string) ([]entry, error) {
	var list []entry
	var errs []error
	seen := map[string]int{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		e, err := parseEntry(words)
		if err == nil && seen[e.String()] != 0 {
			err = fmt.Errorf("%s is in line %d already", e, seen[e.String()])
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", name, n, err))
			continue
		}
		seen[e.String()] = n
		list = append(list, e)
	}
	return list, errors.Join(errs...)
}

func parseEntry(words []string) (e entry, err error) {
	e.Kind = words[0]
	words = words[1:]
	if last := len(words) - 1; last > 0 {
		if m := digestForm.FindStringSubmatch(words[last]); m != nil {
			e.SHA256, words = m[1], words[:last]
		}
	}
	var m []string
	switch {
	case e.Kind == kindNPM && len(words) == 1:
		m = npmForm.FindStringSubmatch(words[0])
	case e.Kind == kindDebian && len(words) == 2 && archForm.MatchString(words[1]):
		m, e.Arch = debianForm.FindStringSubmatch(words[0]), words[1]
	}
	if m == nil {
		return e, errors.New(`a line is "npm NAME@VERSION sha256:HEX" or "debian NAME=VERSION ARCH sha256:HEX"`)
	}
	e.Name, e.Version = m[1], m[2]
	return e, nil
}
