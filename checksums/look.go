package checksums

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/exact"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// Layout is what a directory has of a release, as its files' names and first bytes
// say. Nothing in it is believed: it says what there is to check.
type Layout struct {
	// Ours reports whether mintmark made the release, or is said to have: there is
	// a manifest or a record, or the list names a manifest.
	Ours bool
	// List is the list of digests; without one, its name is "".
	List fact.DigestList
	// Attestations are files with statements about other files, in bundles of
	// Sigstore, one a line.
	Attestations []string
}

// maxLooked is how many files of a directory are looked into.
const maxLooked = 2000

// Look finds the list of digests in a directory. With file, the base name of one of
// its files, a list that has it comes before one that has not.
func Look(dir, file string) (Layout, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Layout{}, fmt.Errorf("verify: %w", err)
	}
	defer root.Close()
	d, err := root.Open(".")
	if err != nil {
		return Layout{}, fmt.Errorf("verify: %w", err)
	}
	defer d.Close()
	found, err := d.ReadDir(maxDirEntries)
	if err != nil && err != io.EOF {
		return Layout{}, fmt.Errorf("verify: %w", err)
	}
	var names []string
	for _, f := range found {
		if f.Type().IsRegular() {
			names = append(names, f.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := listRank(a) - listRank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var l Layout
	has := false // l.List names file
	looked := 0
	for _, name := range names {
		switch {
		case name == ManifestFile:
			data, err := files.ReadIn(root, name, MaxManifestSize)
			l.Ours = l.Ours || err == nil && IsManifest(data)
		case name == ProvenanceBundle:
			l.Ours = true
		case isAttestation(name):
			l.Attestations = append(l.Attestations, name)
		case looked < maxLooked && (l.List.Name == "" || file != "" && !has):
			looked++
			algorithm, data := looksLikeList(root, name)
			if algorithm == "" {
				continue
			}
			lines, _ := parseOther(algorithm, data)
			names := file != "" && slices.ContainsFunc(lines, func(l Line) bool { return l.Name == file })
			if l.List.Name == "" || names {
				l.List, has = fact.DigestList{Name: name, Algorithm: algorithm}, names
				l.Ours = l.Ours || slices.ContainsFunc(lines, func(l Line) bool { return l.Name == ManifestFile })
			}
		}
	}
	return l, nil
}

// listRank orders names by how much they look like that of a list.
func listRank(name string) int {
	low := strings.ToLower(name)
	switch {
	case name == ChecksumsFile:
		return 0
	case strings.HasSuffix(low, "checksums.txt"), strings.HasPrefix(low, "sha256sum"), strings.HasPrefix(low, "sha512sum"), strings.HasSuffix(low, "sha256sums"), strings.HasSuffix(low, "sha512sums"):
		return 1
	case path.Ext(low) == ".txt" || path.Ext(low) == ".sha256" || path.Ext(low) == ".sha512" || path.Ext(low) == "":
		return 2
	}
	return 3
}

// isAttestation recognises the names that statements have: what gh attestation
// download writes, sha256:DIGEST.jsonl, and what generators of provenance do.
func isAttestation(name string) bool {
	low := strings.ToLower(name)
	return strings.HasSuffix(low, ".intoto.jsonl") || strings.HasSuffix(low, ".jsonl") && strings.HasPrefix(low, "sha256") ||
		strings.HasPrefix(low, "attestation") && (strings.HasSuffix(low, ".json") || strings.HasSuffix(low, ".jsonl"))
}

// looksLikeList reads a file that begins as a list of digests does, and tells of
// which algorithm; "" if it does not.
func looksLikeList(root *os.Root, name string) (fact.Algorithm, []byte) {
	f, err := files.OpenIn(root, name)
	if err != nil {
		return "", nil
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", nil
	}
	first, _, _ := bytes.Cut(bytes.TrimLeft(head[:n], "\r\n"), []byte("\n"))
	algorithm := algorithmOf(string(first))
	if algorithm == "" {
		return "", nil
	}
	data, err := files.ReadIn(root, name, MaxListSize)
	if err != nil {
		return "", nil
	}
	return algorithm, data
}

// algorithmOf tells by a line what a list has; "" if it is no line of a list.
func algorithmOf(line string) fact.Algorithm {
	for _, a := range fact.Algorithms() {
		if _, ok := lineOf(fact.Algorithm(a), line); ok {
			return fact.Algorithm(a)
		}
	}
	return ""
}

// lineOf reads one line as sha256sum writes it, in text or in binary mode, or, with
// -tag, in the style of BSD.
func lineOf(a fact.Algorithm, line string) (Line, bool) {
	line = strings.TrimSuffix(line, "\r")
	digits := a.Digits()
	l := Line{}
	if rest, ok := strings.CutPrefix(line, strings.ToUpper(string(a))+" ("); ok {
		i := strings.LastIndex(rest, ") = ")
		if i < 0 {
			return l, false
		}
		l = Line{rest[:i], rest[i+len(") = "):]}
	} else if len(line) > digits+2 && (line[digits:digits+2] == "  " || line[digits:digits+2] == " *") {
		l = Line{line[digits+2:], line[:digits]}
	}
	l.Digest = strings.ToLower(l.Digest)
	l.Name = strings.TrimPrefix(l.Name, "./")
	if _, ok := exact.Hex(l.Digest); !ok || len(l.Digest) != digits || l.Name == "" {
		return l, false
	}
	return l, true
}

// parseOther reads the list of another tool: in any order, with blank lines. What
// is no line is an error, and so is a name that two lines have with two digests.
func parseOther(a fact.Algorithm, data []byte) ([]Line, error) {
	if len(data) > MaxListSize {
		return nil, fmt.Errorf("the list has %d bytes, more than %d", len(data), MaxListSize)
	}
	var lines []Line
	var errs []error
	digests := map[string]string{}
	for i, text := range strings.Split(string(data), "\n") {
		if strings.TrimSpace(text) == "" {
			continue
		}
		l, ok := lineOf(a, text)
		switch d, twice := digests[l.Name]; {
		case len(errs) >= 20:
		case !ok:
			errs = append(errs, fmt.Errorf("line %d: is no %s digest with a name", i+1, a))
		case twice && d != l.Digest:
			errs = append(errs, fmt.Errorf("line %d: %q is listed before with another digest", i+1, l.Name))
		case !twice:
			digests[l.Name] = l.Digest
			lines = append(lines, l)
		}
	}
	return lines, errors.Join(errs...)
}

// ListedNames are the names that a list in a directory has, as far as they can be
// names of files beside it. Nothing is checked with that.
func ListedNames(dir string, list fact.DigestList) ([]string, error) {
	data, err := files.Read(filepath.Join(dir, list.Name), MaxListSize)
	if err != nil {
		return nil, err
	}
	lines, _ := parseOther(list.Algorithm, data)
	var names []string
	for _, l := range lines {
		if checkName(l.Name) == nil {
			names = append(names, l.Name)
		}
	}
	return names, nil
}

// PublishedSizes are the sizes that a manifest has of the files of its release; none
// if it is no manifest. Nothing is checked with that.
func PublishedSizes(manifest []byte) map[string]int64 {
	m, err := ParseManifest(manifest)
	if err != nil {
		return nil
	}
	return sizesOf(m)
}

// CheckFileName accepts the name of a file that a release can have: it means the
// same file on every system.
func CheckFileName(name string) error { return checkName(name) }

// SignatureSuffixes end the names that tools give the signatures of a file, after
// the file's own.
func SignatureSuffixes() []string {
	return []string{fact.BundleSuffix, ".sigstore", ".bundle", ".cosign.bundle", ".sig"}
}

// certificateSuffixes end the names of the certificate that a signature is by.
func certificateSuffixes() []string { return []string{".pem", ".crt", ".cert"} }

// ListOf is the list that a manifest names; the usual one if it names none that a
// release can have. Nothing is checked with that.
func ListOf(manifest []byte) fact.DigestList {
	var m struct {
		Checksums fact.DigestList `json:"checksums"`
	}
	if json.Unmarshal(manifest, &m) == nil && m.Checksums.Algorithm.Known() && checkListName(m.Checksums.Name) == nil {
		return m.Checksums
	}
	return fact.DefaultList()
}
