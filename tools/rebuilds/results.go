package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// results is the data file: packages in the order of the list.
type results struct {
	Packages []*pack `json:"packages"`

	open int // packages of the list that have no result
}

// pack is what came of one package. Its verdicts are those of its binaries.
type pack struct {
	entry
	CPU      float64   `json:"cpu_seconds"` // of mintmark and all it started, for all binaries together
	Binaries []*binary `json:"binaries"`
}

// binary is what came of one file of a package. A zero field was not found out.
type binary struct {
	File     string       `json:"file"`
	SHA256   string       `json:"sha256"`
	Size     int64        `json:"size"`
	Package  string       `json:"package,omitempty"`
	Platform string       `json:"platform,omitempty"`
	Go       string       `json:"go,omitempty"` // as the binary says
	Verdict  fact.Verdict `json:"verdict"`
	Outcome  string       `json:"outcome"` // the verdict, and what was not made here
	Reason   string       `json:"reason,omitempty"`

	// Whether this binary could be asked for at all, here: its source, and no other of
	// the same module, and the release of Go that it names were got, and nothing shows
	// that the release was changed.
	SourceServed    bool `json:"source_served"`
	ToolchainServed bool `json:"toolchain_served"`
	ModifiedGo      bool `json:"modified_go,omitempty"`

	Source    string    `json:"source,omitempty"` // MODULE@VERSION
	Revision  string    `json:"revision,omitempty"`
	Stamp     string    `json:"stamp,omitempty"`
	LDFlags   string    `json:"ldflags,omitempty"`
	Links     int       `json:"links,omitempty"`
	Spellings int       `json:"spellings,omitempty"`
	Findings  []finding `json:"findings,omitempty"`

	Checked *checked `json:"checked,omitempty"`
}

type finding struct {
	Cause      fact.Cause      `json:"cause"`
	Confidence fact.Confidence `json:"confidence"`
	Evidence   []string        `json:"evidence"`
}

// checked is a person's word that a reason is true. It holds for that text only.
type checked struct {
	Reason string `json:"reason"`
	How    string `json:"how"`
}

// why is how the reason was found to be true; "" if it was not, or was another one.
func (b *binary) why() string {
	if b.Checked == nil || b.Checked.Reason != b.Reason {
		return ""
	}
	return b.Checked.How
}

// askable reports whether the source and toolchain are served and the compiler is Go's own.
func (b *binary) askable() bool { return b.SourceServed && b.ToolchainServed && !b.ModifiedGo }

// forPlatform is the end of a file's name that says for which platform it is.
var forPlatform = regexp.MustCompile(`[-_](linux|darwin|windows).*|\.exe$`)

// program is the name it is counted by.
func (b *binary) program() string {
	return cmp.Or(b.Package, forPlatform.ReplaceAllString(path.Base(b.File), ""))
}

func load(name string) (*results, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &results{}, nil
	}
	if err != nil {
		return nil, err
	}
	var r results
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &r, nil
}

// save writes the data and the page that is made of it.
func (r *results) save(data, page string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "\t")
	if err := enc.Encode(r); err != nil {
		return err
	}
	return errors.Join(files.Write(data, b.Bytes(), 0o644), files.Write(page, []byte(r.page()), 0o644))
}

// of is the result of an entry, nil if there is none.
func (r *results) of(e entry) *pack {
	for _, p := range r.Packages {
		if p.String() == e.String() {
			return p
		}
	}
	return nil
}

// put adds a result or replaces an earlier one, whose marks of checked reasons stay: they
// hold for what they were given for.
func (r *results) put(p *pack) {
	old := r.of(p.entry)
	if old == nil {
		r.Packages = append(r.Packages, p)
		return
	}
	for _, b := range p.Binaries {
		if o := old.file(b.File); o != nil && b.Reason != "" {
			b.Checked = o.Checked
		}
	}
	*old = *p
}

// follow drops what the list no longer names, puts the rest in its order, and counts
// what has no result.
func (r *results) follow(list []entry) {
	var kept []*pack
	for _, e := range list {
		if p := r.of(e); p != nil {
			kept = append(kept, p)
		}
	}
	r.Packages, r.open = kept, len(list)-len(kept)
}

func (p *pack) file(name string) *binary {
	for _, b := range p.Binaries {
		if b.File == name {
			return b
		}
	}
	return nil
}

// matches reports whether a verdict or reason of the package matches.
func (p *pack) matches(re *regexp.Regexp) bool {
	return p != nil && slices.ContainsFunc(p.Binaries, func(b *binary) bool { return b.matches(re) })
}

func (b *binary) matches(re *regexp.Regexp) bool {
	return re.MatchString(b.File) || re.MatchString(b.Outcome) || re.MatchString(b.Reason)
}

// markChecked marks the reasons of the binaries that match.
func (r *results) markChecked(re *regexp.Regexp, how string) (n int) {
	for _, p := range r.Packages {
		for _, b := range p.Binaries {
			if b.Reason != "" && (re.MatchString(p.String()) || b.matches(re)) {
				b.Checked = &checked{b.Reason, how}
				n++
			}
		}
	}
	return n
}

// changes are the binaries of a package whose verdict is another one in b.
func (p *pack) changes(b *pack) (errs []error) {
	for _, was := range p.Binaries {
		switch is := b.file(was.File); {
		case is == nil:
			errs = append(errs, fmt.Errorf("%s %s: was %s, and is not found now", p.entry, was.File, was.Outcome))
		case is.Verdict != was.Verdict || is.Outcome != was.Outcome:
			errs = append(errs, fmt.Errorf("%s %s: was %s, is %s: %s", p.entry, was.File, was.Outcome, is.Outcome, is.Reason))
		}
	}
	return errs
}

// sample is which packages to check, always the same of the same results: those with the
// smallest binaries, two that are not all identical and one that is, by turns, and each
// program once before any comes twice. A reason is looked up in seconds; what is identical
// has to be compiled, mostly by a toolchain of its own.
func (r *results) sample(n int) (out []*pack) {
	var identical, other []*pack
	for _, p := range r.Packages {
		switch {
		case len(p.Binaries) == 0:
		case slices.ContainsFunc(p.Binaries, func(b *binary) bool { return b.Verdict != fact.Identical }):
			other = append(other, p)
		default:
			identical = append(identical, p)
		}
	}
	smallest := func(packs []*pack) []*pack {
		slices.SortStableFunc(packs, func(a, b *pack) int { return cmp.Compare(a.size(), b.size()) })
		return turns(packs, func(p *pack) string { return p.Binaries[0].program() })
	}
	identical, other = smallest(identical), smallest(other)
	for len(out) < n && len(identical)+len(other) > 0 {
		from := &other
		if len(out)%3 == 2 && len(identical) > 0 || len(other) == 0 {
			from = &identical
		}
		out, *from = append(out, (*from)[0]), (*from)[1:]
	}
	return out
}

func (p *pack) size() (n int64) {
	for _, b := range p.Binaries {
		n += b.Size
	}
	return n
}

// turns sorts a list so that the first of every key comes before the second of any.
func turns[T any](list []T, key func(T) string) []T {
	count := map[string]int{}
	type ranked struct {
		at int
		v  T
	}
	var all []ranked
	for _, v := range list {
		all = append(all, ranked{count[key(v)], v})
		count[key(v)]++
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return a.at - b.at })
	out := make([]T, 0, len(all))
	for _, a := range all {
		out = append(out, a.v)
	}
	return out
}
