package release

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// making is how a file that is published is made: several times, each time of other
// copies of its ingredients, and compared. What was made twice of the same before is
// taken from the ledger of the stage.
type making struct {
	stage          fact.Stage // [fact.Archived] or [fact.PackageStage]
	name, platform string     // for people
	of             []ingredients
	// write makes it of one of the lists of ingredients, in a file or, for "", in none.
	write func(ctx context.Context, of int, to string) (archive.Info, error)
}

// ingredients are what a file is made of.
type ingredients struct {
	// recipe is a digest of all that decides the file's bytes: what makes it, how, and
	// the contents and names of all that goes in.
	recipe  actions.ID
	entries []archive.Entry // what goes in, to say what differs
	from    string          // the executor whose copies they are; "" for the first one
}

// made is what came of it.
type made struct {
	archive.Info
	before  int           // how often it was made of the same by earlier releases; 0: it was made now
	differs *fact.Finding // nil: whatever it was made of came to the same
}

// make makes the file: of the first ingredients in the file to, of all others to compare.
// Nothing of it is spared where there are no others.
func (k *making) make(ctx context.Context, l *ReleaseLedger, to string) (m made, err error) {
	first, others := k.of[0], k.of[1:]
	for _, o := range others {
		if o.recipe != first.recipe {
			what := memberFinding(first.entries, o.entries)
			m.differs, others = &what, nil
			break
		}
	}
	if len(others) > 0 {
		if m.Info, m.before = l.copyMade(ctx, k, to); m.before > 0 {
			return m, nil
		}
	}
	if m.Info, err = k.write(ctx, 0, to); err != nil {
		return m, err
	}
	for i, o := range others {
		again, err := k.write(ctx, i+1, "")
		if err != nil {
			return m, ofCopy(o.from, err)
		}
		if again.SHA256 != m.SHA256 {
			what := memberFinding(m.Entries, again.Entries)
			m.differs = &what
			return m, nil
		}
	}
	if len(others) > 0 {
		l.addMade(ctx, k, to, m.Info)
	}
	return m, nil
}

// ofCopy says whose copies of its ingredients something could not be made of.
func ofCopy(executor string, err error) error {
	if err == nil || executor == "" {
		return err
	}
	return fmt.Errorf("from the copy of the source of %s: %w", executor, err)
}

// copyName is the name of an executor as ingredients have it.
func (m *Maker) copyName(place int) string {
	if place == 0 {
		return ""
	}
	return m.Executors[place].Name()
}

// publishMade makes an artifact, and says in it what came of that. What is not identical
// by what it is made of is made once.
func (m *Maker) publishMade(ctx context.Context, a *checksums.Artifact, k *making) (before int, err error) {
	if a.Verdict != fact.Identical {
		k.of = k.of[:1]
	}
	made, err := k.make(ctx, m.Ledger, filepath.Join(m.Stage, a.Name))
	a.Size, a.SHA256 = made.Size, made.SHA256
	if made.differs != nil {
		a.Verdict, a.Findings = fact.Different, []fact.Finding{*made.differs}
	}
	return made.before, err
}

// archiving is the making of an archive.
type archiving struct {
	making
	format string
	lists  [][]archive.Member
	when   time.Time
}

func newArchiving(name, platform, format string, when time.Time) *archiving {
	a := &archiving{making: making{stage: fact.Archived, name: name, platform: platform}, format: format, when: when}
	a.write = func(ctx context.Context, of int, to string) (archive.Info, error) {
		return writeArchive(ctx, to, format, a.lists[of], when)
	}
	return a
}

// add adds a list of members that it is made of. from is as in [ingredients].
func (a *archiving) add(ctx context.Context, from string, members []archive.Member) error {
	recipe, entries, err := archive.Recipe(ctx, a.format, members, a.when)
	if err != nil {
		return ofCopy(from, err)
	}
	a.of, a.lists = append(a.of, ingredients{recipe, entries, from}), append(a.lists, members)
	return nil
}

// writeArchive writes an archive to a file, "" for none.
func writeArchive(ctx context.Context, name, format string, members []archive.Member, when time.Time) (info archive.Info, err error) {
	if name == "" {
		return archive.Write(ctx, io.Discard, format, members, when)
	}
	err = files.Create(name, 0o644, func(f *os.File) (err error) {
		info, err = archive.Write(ctx, f, format, members, when)
		return err
	})
	return info, err
}

// membersOf are entries as a manifest has them.
func membersOf(entries []archive.Entry) (list []checksums.Member) {
	for _, e := range entries {
		list = append(list, checksums.Member{Name: e.Name, Size: e.Size, SHA256: e.SHA256, Mode: fmt.Sprintf("%04o", e.Mode.Perm())})
	}
	return list
}

// leastOf is the least of some counts; 0 for none.
func leastOf(counts []int) int {
	if len(counts) == 0 {
		return 0
	}
	return slices.Min(counts)
}
