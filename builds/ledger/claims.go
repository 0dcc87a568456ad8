package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// Claim says that an action had an output.
type Claim struct {
	Package        string
	Action, Output actions.ID
}

// foreignClaim is what another rebuilder says.
type foreignClaim struct {
	output    actions.ID
	rebuilder string
}

// published is the file: what one rebuilder executed of the standard library
// and of dependencies. It holds no counts and no times, so that two rebuilders
// who agree write the same file.
type published struct {
	Schema    fact.Schema        `json:"schema"`
	Toolchain publishedToolchain `json:"toolchain"`
	Actions   []publishedClaim   `json:"actions"` // sorted by action
}

// publishedToolchain is what the ledger says of its toolchain: what decides
// whether an action is the same one.
type publishedToolchain struct {
	Version string `json:"version"`
	Host    string `json:"host"`
	Sum     string `json:"sum"`
}

type publishedClaim struct {
	Package string `json:"package"`
	Action  string `json:"action"`
	Output  string `json:"output"`
}

// Bounds of a published ledger.
const (
	MaxSize   = 256 << 20
	maxClaims = 1_000_000
)

// Claims are the actions of the release's units that both places had with equal
// outputs, without those of the packages of the module itself: what others can
// use. All of them were executed here, now or earlier.
func (r *Recorder) Claims(module string) []Claim {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Claim
	for id, c := range r.claims {
		if _, disputed := r.disputes[id]; !disputed && !ofModule(module, c.Package) {
			out = append(out, c)
		}
	}
	sortClaims(out)
	return out
}

func sortClaims(list []Claim) {
	slices.SortFunc(list, func(a, b Claim) int { return bytes.Compare(a.Action[:], b.Action[:]) })
}

// EncodeClaims writes a ledger for others, one action a line.
func EncodeClaims(tc fact.Toolchain, claims []Claim) ([]byte, error) {
	claims = slices.Clone(claims)
	sortClaims(claims)
	p := published{Schema: fact.LedgerSchema, Toolchain: publishedToolchain{tc.Version, tc.Host, tc.Sum}, Actions: make([]publishedClaim, 0, len(claims))}
	for i, c := range claims {
		if i > 0 && c.Action == claims[i-1].Action {
			return nil, fmt.Errorf("ledger: action %s is there twice", c.Action)
		}
		p.Actions = append(p.Actions, publishedClaim{c.Package, c.Action.String(), c.Output.String()})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	head := p
	head.Actions = []publishedClaim{}
	if err := enc.Encode(head); err != nil {
		return nil, err
	}
	// {"schema":…,"actions":[]}⏎ becomes one line for each action.
	const tail = "]}\n"
	b.Truncate(b.Len() - len(tail))
	for i, c := range p.Actions {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		if err := enc.Encode(c); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1)
	}
	b.WriteString("\n" + tail)
	return b.Bytes(), nil
}

// DecodeClaims reads a ledger of somebody else, which must be exactly as
// [EncodeClaims] writes it. Who signed it is checked before.
func DecodeClaims(data []byte) (fact.Toolchain, []Claim, error) {
	fail := func(err error) (fact.Toolchain, []Claim, error) {
		return fact.Toolchain{}, nil, fmt.Errorf("published ledger: %w", err)
	}
	if len(data) > MaxSize {
		return fail(fmt.Errorf("more than %d bytes", MaxSize))
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var p published
	if err := dec.Decode(&p); err != nil {
		return fail(err)
	}
	if p.Schema != fact.LedgerSchema {
		return fail(fmt.Errorf("schema %q is not %q", p.Schema, fact.LedgerSchema))
	}
	if len(p.Actions) > maxClaims {
		return fail(fmt.Errorf("more than %d actions", maxClaims))
	}
	claims := make([]Claim, 0, len(p.Actions))
	for _, c := range p.Actions {
		action, err := actions.ParseID(c.Action)
		if err != nil {
			return fail(err)
		}
		output, err := actions.ParseID(c.Output)
		if err != nil {
			return fail(err)
		}
		if !printable(c.Package) {
			return fail(fmt.Errorf("strange package path %q", c.Package))
		}
		claims = append(claims, Claim{c.Package, action, output})
	}
	tc := fact.Toolchain{Version: p.Toolchain.Version, Host: p.Toolchain.Host, Sum: p.Toolchain.Sum}
	again, err := EncodeClaims(tc, claims)
	if err != nil {
		return fail(err)
	}
	if !bytes.Equal(again, data) {
		return fail(errors.New("not in canonical form"))
	}
	return tc, claims, nil
}

// AddClaims adds what another rebuilder executed. It is never written to the
// ledger: one execution here and one there make a proof, as long as the
// rebuilder is believed; there alone, nothing.
func (l *Ledger) AddClaims(rebuilder string, tc fact.Toolchain, claims []Claim) error {
	if tc.Sum != l.cfg.Sum {
		return fault.Errorf("a ledger serves the very same toolchain only: same version, same host platform",
			"ledger of %s: of toolchain %s %s (%s), not of %s", rebuilder, tc.Version, tc.Host, tc.Sum, l.cfg.Sum)
	}
	if l.foreign == nil {
		l.foreign = map[actions.ID][]foreignClaim{}
	}
	for _, c := range claims {
		l.foreign[c.Action] = append(l.foreign[c.Action], foreignClaim{c.Output, rebuilder})
	}
	return nil
}
