package report

import (
	"bufio"
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/retained"
	"github.com/mintmark/mintmark/internal/sizes"
	"github.com/mintmark/mintmark/internal/ui"
)

// Retained is what leaves a program with each of its dependencies.
type Retained struct {
	Schema       fact.Schema  `json:"schema"`
	Project      string       `json:"project"`
	Version      string       `json:"version"`
	Profile      string       `json:"profile"`
	Platform     string       `json:"platform"`
	Size         int64        `json:"size"` // of the program, unpacked
	Dependencies []Dependency `json:"dependencies"`
	Notes        []string     `json:"notes,omitempty"`
}

// Dependency is a module of a program, or one package of it.
type Dependency struct {
	Module  string `json:"module"`
	Version string `json:"version,omitempty"`
	Package string `json:"package,omitempty"` // "" is the whole module
	// Packages are those of it that the program has.
	Packages []string `json:"packages"`
	// NotMeasured is why there is no cost.
	NotMeasured string `json:"not_measured,omitempty"`
	*retained.Cost
}

// Name is the package, or the module.
func (d *Dependency) Name() string { return cmp.Or(d.Package, d.Module) }

// ByRetained orders dependencies: what leaves most is first, what was not measured last.
func ByRetained(a, b Dependency) int {
	if (a.Cost == nil) != (b.Cost == nil) {
		if a.Cost == nil {
			return 1
		}
		return -1
	}
	if a.Cost != nil && a.Retained != b.Retained {
		return cmp.Compare(b.Retained, a.Retained)
	}
	return cmp.Compare(a.Name(), b.Name())
}

// check refuses figures that contradict each other.
func (r *Retained) check() error {
	if r.Size <= 0 {
		return fmt.Errorf("%d bytes", r.Size)
	}
	for _, d := range r.Dependencies {
		c := d.Cost
		switch {
		case c == nil && d.NotMeasured == "":
			return fmt.Errorf("%s: neither measured nor a reason why not", d.Name())
		case c == nil:
			continue
		case d.NotMeasured != "":
			return fmt.Errorf("%s: measured, and a reason why not", d.Name())
		case c.Own < 0 || c.Own > r.Size || c.Stays < 0 || c.Stays > r.Size || c.Retained > r.Size:
			return fmt.Errorf("%s: %d bytes of its own, %d leave, of %d", d.Name(), c.Own, c.Retained, r.Size)
		}
		for _, a := range c.Along {
			if a.Size < 0 || a.Size > r.Size {
				return fmt.Errorf("%s: %s has %d bytes", d.Name(), a.Package, a.Size)
			}
		}
	}
	return nil
}

// shownAlong is how many of the packages that go along a table names.
const shownAlong = 3

// RetainedTable is a row for each dependency that was measured; top is the most
// rows, 0 for all.
func RetainedTable(r *Retained, top int) Table {
	t := Table{Title: strings.TrimSpace(r.Project + " " + r.Version + ", profile " + r.Profile + ", " + r.Platform),
		Columns: []Column{{Title: "dependency"}, {Title: "packages", Kind: Number}, {Title: "own bytes", Kind: Number}, {Title: "without it", Kind: Number}, {Title: "of the file", Kind: Number}, {Title: "go along", Kind: Number}, {Title: "the largest of them"}}}
	for i, d := range r.Dependencies {
		if top > 0 && i == top {
			t.Rows = append(t.Rows, []string{fmt.Sprintf("and %d more", len(r.Dependencies)-top), "", "", "", "", "", ""})
			break
		}
		name := strings.TrimSpace(d.Name() + " " + d.Version)
		if d.Cost == nil {
			t.Rows = append(t.Rows, []string{name, strconv.Itoa(len(d.Packages)), "–", "not measured", "–", "–", ""})
			continue
		}
		var along []string
		for _, a := range d.Along[:min(len(d.Along), shownAlong)] {
			along = append(along, a.Package)
		}
		t.Rows = append(t.Rows, []string{
			name, strconv.Itoa(len(d.Packages)), strconv.FormatInt(d.Own, 10), strconv.FormatInt(-d.Retained, 10), percentOf(d.Retained, r.Size),
			strconv.Itoa(len(d.Along)), strings.Join(along, ", "),
		})
	}
	return t
}

func retainedSection(in Inputs) Section {
	s := Section{ID: "retained", Title: "What each dependency holds"}
	switch {
	case in.Measurements == nil:
		s.NotMeasured = in.NotMeasured
		return s
	case len(in.Measurements.Retained) == 0:
		s.NotMeasured = "the programs without each dependency were not linked: mintmark size -retained -platform=PLATFORM -json DIR >retained.json links them, -with=retained.json shows them here"
		return s
	}
	s.Text = []string{"Its own bytes are those of a dependency's packages. Without it, what is there for its sake alone leaves too: that is measured by linking the program with the dependency emptied."}
	for _, x := range in.Measurements.Retained {
		if text := x.most(); text != "" {
			s.Text = append(s.Text, text)
		}
		s.Tables = append(s.Tables, RetainedTable(&x, 0))
		for _, d := range x.Dependencies {
			if d.NotMeasured != "" {
				s.Notes = append(s.Notes, d.Name()+": not measured: "+d.NotMeasured)
			}
		}
		s.Notes = append(s.Notes, x.Notes...)
	}
	return s
}

// most is what dropping the dependency that holds most saves; "" if none holds anything.
func (r *Retained) most() string {
	var most *Dependency
	for i, d := range r.Dependencies {
		if d.Cost != nil && d.Retained > 0 && (most == nil || d.Retained > most.Retained) {
			most = &r.Dependencies[i]
		}
	}
	if most == nil {
		return ""
	}
	return fmt.Sprintf("%s, %s: dropping %s saves %s of %s, which is %s; %s of it are its own, and %s go along.", r.Profile, r.Platform, most.Name(),
		ui.FormatBytes(most.Retained), ui.FormatBytes(r.Size), percentOf(most.Retained, r.Size), ui.FormatBytes(most.Own), fact.Count(len(most.Along), "other package"))
}

// WriteRetainedSQL writes it as SQL text that makes a database: a table retained
// with a row for each dependency, and one along with a row for each package that
// leaves with it.
func WriteRetainedSQL(w *bufio.Writer, r *Retained) error {
	w.WriteString(`BEGIN;
CREATE TABLE program (project TEXT, version TEXT, profile TEXT, platform TEXT, size INTEGER NOT NULL);
CREATE TABLE retained (module TEXT NOT NULL, version TEXT, package TEXT, packages INTEGER NOT NULL, own INTEGER, retained INTEGER, stays INTEGER, not_measured TEXT);
CREATE TABLE along (module TEXT NOT NULL, package TEXT, leaves TEXT NOT NULL, size INTEGER NOT NULL);
`)
	q := sizes.QuoteSQL
	fmt.Fprintf(w, "INSERT INTO program VALUES (%s,%s,%s,%s,%d);\n", q(r.Project), q(r.Version), q(r.Profile), q(r.Platform), r.Size)
	for _, d := range r.Dependencies {
		head := fmt.Sprintf("INSERT INTO retained VALUES (%s,%s,%s,%d,", q(d.Module), q(d.Version), q(d.Package), len(d.Packages))
		if d.Cost == nil {
			fmt.Fprintf(w, "%sNULL,NULL,NULL,%s);\n", head, q(d.NotMeasured))
			continue
		}
		fmt.Fprintf(w, "%s%d,%d,%d,NULL);\n", head, d.Own, d.Retained, d.Stays)
		for _, a := range d.Along {
			fmt.Fprintf(w, "INSERT INTO along VALUES (%s,%s,%s,%d);\n", q(d.Module), q(d.Package), q(a.Package), a.Size)
		}
	}
	w.WriteString("COMMIT;\n")
	return w.Flush()
}
