package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/sizes"
	"github.com/mintmark/mintmark/internal/startup"
)

// Names of the files for people. They are listed in checksums.txt like all
// others of a release; the manifest does not describe them.
const (
	MeasurementsFile = fact.MeasurementsFile
	HTMLFile         = fact.HTMLFile
	MarkdownFile     = fact.MarkdownFile
)

// Measurements is measurements.json: what was measured of a release. Sizes are
// a function of the files. Start-up depends on the machine and the moment, and
// is there only when somebody asked for it.
type Measurements struct {
	Schema  fact.Schema `json:"schema"`
	Project string      `json:"project"`
	Version string      `json:"version"`
	Sizes   []Sized     `json:"sizes"`
	Startup []Startup   `json:"startup,omitempty"`
	Savings []Savings   `json:"savings,omitempty"`
	// BuildTime is what each build of each unit took; like start-up it is there only
	// when somebody asked for it.
	BuildTime []BuildTime `json:"build_time,omitempty"`
	// Retained is there only when somebody asked for it: it takes a link for each dependency.
	Retained []Retained `json:"retained,omitempty"`
	// BenchDeclared are the profiles that say what to start, whether anybody
	// measured it or not.
	BenchDeclared []string `json:"bench_declared,omitempty"`
}

// Sized is what one linked binary is made of. The packed file of a packed one
// is in the manifest.
type Sized struct {
	Profile  string `json:"profile"`
	Platform string `json:"platform"`
	Name     string `json:"name"`
	SHA256   string `json:"sha256"` // of the linked binary
	// NotMeasured is why there is no summary.
	NotMeasured string         `json:"not_measured,omitempty"`
	Summary     *sizes.Summary `json:"summary,omitempty"` // without functions, and kinds only where there is no package
	// Imports say how each package came into the program; nothing where the go
	// command's account of the build was not kept.
	Imports ImportTree `json:"imports,omitempty"`
}

// Startup is the result of the verb bench, as far as a report shows it.
type Startup struct {
	*startup.Result
	Profile  string   `json:"profile,omitempty"` // of a checkout
	Platform string   `json:"platform,omitempty"`
	Packing  []Packed `json:"packing,omitempty"` // of every packed program
}

// Packed is whether packing one measured program pays.
type Packed struct {
	Program string `json:"program"`
	Plain   string `json:"plain"`  // the program that it is compared with
	Packer  string `json:"packer"` // such as "UPX 3.94, NRV2E level 9"
	// NotComputed is why there is no account.
	NotComputed string `json:"not_computed,omitempty"`
	// Packing is the account, of warm starts.
	*startup.Packing
}

// Savings is what each step of a profile's settings saves, one after the other.
type Savings struct {
	Schema   fact.Schema `json:"schema"`
	Project  string      `json:"project"`
	Version  string      `json:"version"`
	Profile  string      `json:"profile"`
	Platform string      `json:"platform"`
	Steps    []Saving    `json:"steps"`
	Notes    []string    `json:"notes,omitempty"`
}

// Saving is the program after one more step. Sizes are in bytes.
type Saving struct {
	Name string `json:"name"`
	Size int64  `json:"size,omitempty"`
	Gzip int64  `json:"tar_gz,omitempty"`  // in a .tar.gz, as a release has it
	Zstd int64  `json:"tar_zst,omitempty"` // in a .tar.zst
	// NotMeasured is why the step was not taken.
	NotMeasured string `json:"not_measured,omitempty"`
}

// Encode writes measurements.json: one line for each binary, so that a
// difference between two releases has a place.
func (m *Measurements) Encode() ([]byte, error) {
	short := *m
	short.Sizes = nil
	head, err := json.Marshal(short)
	if err != nil {
		return nil, err
	}
	before, after, _ := bytes.Cut(head, []byte(`"sizes":null`))
	var b bytes.Buffer
	b.Write(before)
	b.WriteString("\"sizes\":[")
	for i, s := range m.Sizes {
		line, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		b.Write(line)
	}
	b.WriteString("\n]")
	b.Write(after)
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// MaxMeasurements is the most bytes that a file of measurements may have.
const MaxMeasurements = 64 << 20

// ParseMeasurements reads measurements.json, which may be anybody's, and
// refuses figures that contradict each other.
func ParseMeasurements(data []byte) (*Measurements, error) {
	m := &Measurements{}
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("measurements: %w", err)
	}
	if m.Schema != fact.MeasurementsSchema {
		return nil, fmt.Errorf("measurements: unknown schema %q", m.Schema)
	}
	for _, s := range m.Sizes {
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("measurements: %s %s %s: %w", s.Profile, s.Platform, s.Name, err)
		}
	}
	for _, s := range m.Startup {
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("measurements: start-up: %w", err)
		}
	}
	for _, s := range m.Savings {
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("measurements: savings: %w", err)
		}
	}
	for _, b := range m.BuildTime {
		if err := b.check(); err != nil {
			return nil, fmt.Errorf("measurements: build time: %s %s: %w", b.Profile, b.Platform, err)
		}
	}
	for _, r := range m.Retained {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("measurements: retained: %w", err)
		}
	}
	return m, nil
}

// Add takes over a document that the verb bench, size -waterfall or size -retained wrote.
func (m *Measurements) Add(data []byte) error {
	var is struct {
		Schema fact.Schema `json:"schema"`
	}
	if err := json.Unmarshal(data, &is); err != nil {
		return err
	}
	switch is.Schema {
	case fact.StartupReport:
		s := Startup{}
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		if err := s.check(); err != nil {
			return err
		}
		m.Startup = append(m.Startup, s)
	case fact.SavingsReport:
		s := Savings{}
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		if err := s.check(); err != nil {
			return err
		}
		if m.Project != "" && s.Project != m.Project {
			return fmt.Errorf("is of project %q, not %q", s.Project, m.Project)
		}
		m.Savings = append(m.Savings, s)
	case fact.RetainedReport:
		r := Retained{}
		if err := json.Unmarshal(data, &r); err != nil {
			return err
		}
		if err := r.check(); err != nil {
			return err
		}
		if m.Project != "" && r.Project != m.Project {
			return fmt.Errorf("is of project %q, not %q", r.Project, m.Project)
		}
		m.Retained = append(m.Retained, r)
	default:
		return fmt.Errorf("schema %q is not of what bench, size -waterfall and size -retained print with -json", is.Schema)
	}
	return nil
}

// check refuses a summary whose parts are not the whole: a picture of it would lie.
func (s *Sized) check() error {
	if _, err := s.Imports.importers(); err != nil {
		return err
	}
	x := s.Summary
	switch {
	case x == nil && s.NotMeasured == "":
		return fmt.Errorf("neither measured nor a reason why not")
	case x == nil:
		return nil
	case x.Size < 0 || x.Size > sizes.MaxSize || x.PackedSize < 0:
		return fmt.Errorf("%d bytes", x.Size)
	}
	if t := x.Totals; min(t.Exact, t.Inferred, t.Shared) < 0 || t.Sum() != x.Size {
		return fmt.Errorf("totals add up to %d of %d bytes", t.Sum(), x.Size)
	}
	var sections int64
	for _, a := range x.Sections {
		if sections += a.Size; a.Size < 0 || sections > x.Size {
			return fmt.Errorf("section %q has %d bytes", a.Name, a.Size)
		}
	}
	var groups int64
	for _, g := range x.Groups {
		if !slices.Contains(sizes.Groups(), g.Name) {
			return fmt.Errorf("unknown group %q", g.Name)
		}
		groups += g.Size
		var modules int64
		for _, m := range g.Modules {
			modules += m.Size
			var packages int64
			for _, p := range m.Packages {
				if p.Size < 0 {
					return fmt.Errorf("package %q has %d bytes", p.Path, p.Size)
				}
				packages += p.Size
				for _, k := range p.Kinds {
					if k.Size < 0 || k.Size > p.Size {
						return fmt.Errorf("kind %q has %d bytes", k.Name, k.Size)
					}
				}
			}
			if packages != m.Size {
				return fmt.Errorf("packages of %q add up to %d of %d bytes", m.Path, packages, m.Size)
			}
		}
		if modules != g.Size {
			return fmt.Errorf("modules of %q add up to %d of %d bytes", g.Name, modules, g.Size)
		}
	}
	if groups != x.Size {
		return fmt.Errorf("groups add up to %d of %d bytes", groups, x.Size)
	}
	for _, f := range x.Embedded {
		if f.Size < 0 || f.Size > x.Size {
			return fmt.Errorf("embedded file %q has %d bytes", f.Name, f.Size)
		}
	}
	return nil
}

// check refuses times that no chart has a place for.
func (s *Startup) check() error {
	if s.Result == nil {
		return fmt.Errorf("no result")
	}
	for _, r := range s.Runs {
		for _, t := range r.Times {
			interval := t.Low == 0 && t.High == 0 || t.Low > 0 && t.Low <= t.Median && t.Median <= t.High
			if !(t.Median > 0) || math.IsInf(t.High, 0) || !interval {
				return fmt.Errorf("%s %s: median %g ns, interval from %g to %g", r.Cache, t.Program, t.Median, t.Low, t.High)
			}
		}
		if r.NotMeasured == "" && r.Control == nil {
			return fmt.Errorf("%s: no control", r.Cache)
		}
	}
	return nil
}

func (s *Savings) check() error {
	for _, x := range s.Steps {
		if min(x.Size, x.Gzip, x.Zstd) < 0 || x.Size == 0 && x.NotMeasured == "" {
			return fmt.Errorf("%s: %d bytes", x.Name, x.Size)
		}
	}
	return nil
}
