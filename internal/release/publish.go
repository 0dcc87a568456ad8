package release

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/channels"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/output"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/profiles"
)

// publication is a release on its way into the output directory.
type publication struct {
	*described
	stage  *output.Staging
	signer checksums.Signer // nil: unsigned
	shown  Shown
	report bool // make the report
	// channels are the package managers that files are made for.
	channels []profiles.Channel
}

// step is one kind of file that a release publishes beside what its units made.
type step struct {
	names []string // of the files that it may make
	// needs reports whether a release has it.
	needs func(p *publication) bool
	// make gives the files. It is asked twice and must give the same bytes, but for
	// signatures.
	make  func(ctx context.Context, p *publication) (map[string][]byte, error)
	signs bool // what it makes are signatures: those of a key store differ each time
	// pack, in place of make, says how its one file is made: of ingredients that were
	// gathered [stepMade] times.
	pack func(ctx context.Context, p *publication) (*making, error)
}

// stepMade is how often what is no signature is made.
const stepMade = 2

// steps are all of them, of a release with that list, these files for channels and bills
// of materials of each of these files, in their order: each may read what those before it
// have left in the directory.
func steps(list fact.DigestList, told []channels.File, billed []string) []step {
	manifest := checksums.ManifestFile
	release := func(p *publication) bool { return p.manifest.Kind != checksums.KindBuild }
	signed := func(p *publication) bool { return p.signer != nil }
	ledger := func(p *publication) bool { return release(p) && p.Of.File.Ledger.Publish }
	one := func(name string, make func(ctx context.Context, p *publication) ([]byte, error)) func(context.Context, *publication) (map[string][]byte, error) {
		return func(ctx context.Context, p *publication) (map[string][]byte, error) {
			data, err := make(ctx, p)
			return map[string][]byte{name: data}, err
		}
	}
	encode := func(_ context.Context, p *publication) ([]byte, error) { return p.manifest.Encode() }
	about := []step{
		{names: []string{output.BuildFile}, needs: func(p *publication) bool { return !release(p) }, make: one(output.BuildFile, encode)},
		{names: []string{manifest}, needs: release, make: one(manifest, encode)},
		{
			names: []string{fact.GeneratedArchive},
			needs: func(p *publication) bool { return release(p) && p.manifest.Generated != nil },
			make:  one(fact.GeneratedArchive, func(ctx context.Context, p *publication) ([]byte, error) { return generatedArchive(ctx, p.Of.Copied) }),
		},
		{
			names: []string{checksums.LedgerFile}, needs: ledger,
			make: one(checksums.LedgerFile, func(_ context.Context, p *publication) ([]byte, error) { return claims(p.Of, p.Ledger) }),
		},
		{
			names: []string{report.MeasurementsFile, report.HTMLFile, report.MarkdownFile},
			needs: func(p *publication) bool { return release(p) && p.report },
			make: func(_ context.Context, p *publication) (map[string][]byte, error) {
				made, err := p.reportFiles()
				if err != nil {
					return nil, fmt.Errorf("report: %w", err)
				}
				return made, nil
			},
		},
	}
	return append(slices.Concat(about, billSteps(billed), channelSteps(told)), []step{
		{names: []string{list.Name}, needs: release, make: one(list.Name, checksumsFile)},
		{names: []string{list.Bundle()}, needs: signed, signs: true, make: one(list.Bundle(), signFile(list.Name))},
		{
			names: []string{checksums.LedgerBundle}, signs: true, make: one(checksums.LedgerBundle, signFile(checksums.LedgerFile)),
			needs: func(p *publication) bool { return signed(p) && ledger(p) },
		},
		{names: []string{checksums.ProvenanceBundle}, needs: signed, signs: true, make: one(checksums.ProvenanceBundle, signRecord)},
	}...)
}

// publish makes the files about a release, the signatures last of all, checks the
// result as a stranger would, and puts it into its place.
func (p *publication) publish(ctx context.Context) error {
	told, err := p.channelFiles()
	if err != nil {
		return err
	}
	list := steps(p.manifest.List(), told, p.billed())
	var names []string
	for _, s := range list {
		if s.needs(p) && !s.signs {
			names = append(names, s.names...)
		}
	}
	p.Of.Phase("writing " + strings.Join(names, ", "))
	signing := false
	for _, s := range list {
		if !s.needs(p) {
			continue
		}
		if s.signs && !signing {
			signing = true
			p.Of.Phase("signing")
		}
		if err := s.write(ctx, p); err != nil {
			return err
		}
	}
	if p.manifest.Kind == checksums.KindRelease {
		p.Of.Phase("verifying the finished release")
		cfg := checksums.VerifyConfig{AllowUnsigned: true}
		if p.signer != nil {
			m := p.manifest
			cfg = checksums.VerifyConfig{Trust: p.signer.Trust(), Project: m.Project, Version: m.Version, Commit: m.Source.Commit}
		}
		if _, err := checksums.VerifyRelease(ctx, p.stage.Dir, cfg); err != nil {
			return fmt.Errorf("the finished release does not verify: %w", err)
		}
	}
	return p.stage.Publish(ctx)
}

// write makes the files of a step, and again, and writes them.
func (s step) write(ctx context.Context, p *publication) error {
	if s.pack != nil {
		return s.writePacked(ctx, p)
	}
	made, err := s.make(ctx, p)
	if err != nil {
		return err
	}
	for n := 1; n < stepMade && !s.signs; n++ {
		again, err := s.make(ctx, p)
		if err != nil {
			return err
		}
		if !maps.EqualFunc(made, again, func(a, b []byte) bool { return string(a) == string(b) }) {
			return s.different()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		if !slices.Contains(s.names, name) {
			return errors.New(name + ": nobody knows that a release has such a file")
		}
		if err := p.stage.Claim(name); err != nil {
			return err
		}
		err := files.Create(filepath.Join(p.stage.Dir, name), 0o644, func(f *os.File) error {
			_, err := f.Write(made[name])
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// writePacked makes the file of a step with ingredients.
func (s step) writePacked(ctx context.Context, p *publication) error {
	if err := p.stage.Claim(s.names...); err != nil {
		return err
	}
	k, err := s.pack(ctx, p)
	if err != nil {
		return err
	}
	made, err := k.make(ctx, p.Ledger, filepath.Join(p.stage.Dir, k.name))
	if err == nil && made.differs != nil {
		err = s.different()
	}
	return err
}

func (s step) different() error {
	return fmt.Errorf("%s came out different when it was made again, which is a mistake in mintmark", s.names)
}

// listed are the files that the list has, with digests taken from the files as they
// lie on the disk now, not from memory: what is signed is what will be published.
func (p *publication) listed(ctx context.Context, a fact.Algorithm, without ...string) (lines []checksums.Line, err error) {
	made, err := os.ReadDir(p.stage.Dir)
	if err != nil {
		return nil, err
	}
	for _, f := range made {
		if slices.Contains(without, f.Name()) {
			continue
		}
		sum, err := digest(ctx, a, filepath.Join(p.stage.Dir, f.Name()))
		if err != nil {
			return nil, err
		}
		lines = append(lines, checksums.Line{Name: f.Name(), Digest: sum})
	}
	return lines, nil
}

// digest is that of a file, as lower-case hex.
func digest(ctx context.Context, a fact.Algorithm, name string) (string, error) {
	f, err := files.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := a.New()
	if _, err := io.Copy(h, files.Reader(ctx, f)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func checksumsFile(ctx context.Context, p *publication) ([]byte, error) {
	list := p.manifest.List()
	lines, err := p.listed(ctx, list.Algorithm)
	if err != nil {
		return nil, err
	}
	return checksums.FormatLines(list, lines)
}

// signFile signs a file that a step before has written.
func signFile(name string) func(context.Context, *publication) ([]byte, error) {
	return func(ctx context.Context, p *publication) ([]byte, error) {
		data, err := files.Read(filepath.Join(p.stage.Dir, name), checksums.MaxLedgerSize)
		if err != nil {
			return nil, err
		}
		bundle, err := checksums.SignBlob(ctx, p.signer, data)
		if err != nil {
			return nil, fmt.Errorf("signing %s: %w", name, err)
		}
		return bundle, nil
	}
}

// signRecord signs the statement about everything that is listed, and the list.
func signRecord(ctx context.Context, p *publication) ([]byte, error) {
	list := p.manifest.List()
	lines, err := p.listed(ctx, fact.SHA256, list.Bundle(), checksums.LedgerBundle)
	if err != nil {
		return nil, err
	}
	var entries []checksums.Entry
	for _, l := range lines {
		entries = append(entries, checksums.Entry{Name: l.Name, SHA256: l.Digest})
	}
	// The list comes last, as in the records of all versions.
	i := slices.IndexFunc(entries, func(e checksums.Entry) bool { return e.Name == list.Name })
	entries = append(slices.Delete(slices.Clone(entries), i, i+1), entries[i])
	statement, err := checksums.NewStatement(p.manifest, entries)
	if err != nil {
		return nil, err
	}
	payload, err := statement.Encode()
	if err != nil {
		return nil, err
	}
	bundle, err := checksums.SignStatement(ctx, p.signer, payload)
	if err != nil {
		return nil, fmt.Errorf("signing the record: %w", err)
	}
	return bundle, nil
}
