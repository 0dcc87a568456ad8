package release

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/output"
	"github.com/mintmark/mintmark/internal/report"
)

// step is one kind of file that a release publishes beside what its units made.
type step struct {
	names []string // of the files that it may make
	// needs reports whether a release has it.
	needs func(f *Finished) bool
	// make gives the files. It is asked twice and must give the same bytes, but for
	// signatures.
	make  func(ctx context.Context, f *Finished, st *output.Staging) (map[string][]byte, error)
	signs bool // what it makes are signatures: those of a key store differ each time
}

// steps are all of them, in their order: each may read what those before it have
// left in the directory.
func steps() []step {
	manifest := checksums.ManifestFile
	release := func(f *Finished) bool { return f.kind != checksums.KindBuild }
	signed := func(f *Finished) bool { return f.signer != nil }
	ledger := func(f *Finished) bool { return release(f) && f.Of.file.Ledger.Publish }
	one := func(name string, make func(ctx context.Context, f *Finished, st *output.Staging) ([]byte, error)) func(context.Context, *Finished, *output.Staging) (map[string][]byte, error) {
		return func(ctx context.Context, f *Finished, st *output.Staging) (map[string][]byte, error) {
			data, err := make(ctx, f, st)
			return map[string][]byte{name: data}, err
		}
	}
	encode := func(_ context.Context, f *Finished, _ *output.Staging) ([]byte, error) { return f.manifest.Encode() }
	return []step{
		{names: []string{output.BuildFile}, needs: func(f *Finished) bool { return !release(f) }, make: one(output.BuildFile, encode)},
		{names: []string{manifest}, needs: release, make: one(manifest, encode)},
		{
			names: []string{checksums.LedgerFile}, needs: ledger,
			make: one(checksums.LedgerFile, func(_ context.Context, f *Finished, _ *output.Staging) ([]byte, error) { return f.Of.claims(f.Ledger) }),
		},
		{
			names: []string{report.MeasurementsFile, report.HTMLFile, report.MarkdownFile},
			needs: func(f *Finished) bool { return release(f) && f.report },
			make: func(ctx context.Context, f *Finished, _ *output.Staging) (map[string][]byte, error) {
				made, err := f.reportFiles(ctx)
				if err != nil {
					return nil, fmt.Errorf("report: %w", err)
				}
				return made, nil
			},
		},
		{names: []string{checksums.ChecksumsFile}, needs: release, make: one(checksums.ChecksumsFile, checksumsFile)},
		{names: []string{checksums.ChecksumsBundle}, needs: signed, signs: true, make: one(checksums.ChecksumsBundle, signFile(checksums.ChecksumsFile))},
		{
			names: []string{checksums.LedgerBundle}, signs: true, make: one(checksums.LedgerBundle, signFile(checksums.LedgerFile)),
			needs: func(f *Finished) bool { return signed(f) && ledger(f) },
		},
		{names: []string{checksums.ProvenanceBundle}, needs: signed, signs: true, make: one(checksums.ProvenanceBundle, signRecord)},
	}
}

// outDir is the output directory.
func (c *Config) outDir() output.Dir {
	d := output.Dir{Path: c.Out}
	for _, s := range steps() {
		d.About = append(d.About, s.names...)
	}
	d.About = slices.DeleteFunc(d.About, func(n string) bool { return n == output.BuildFile })
	return d
}

// publish makes the files about a release, the signatures last of all, checks the
// result as a stranger would, and puts it into its place.
func (f *Finished) publish(ctx context.Context, st *output.Staging) error {
	if f.signer != nil {
		f.Of.Phase("signing")
	}
	for _, s := range steps() {
		if !s.needs(f) {
			continue
		}
		if err := s.write(ctx, f, st); err != nil {
			return err
		}
	}
	if f.kind == checksums.KindRelease {
		cfg := checksums.VerifyConfig{AllowUnsigned: true}
		if f.signer != nil {
			m := f.manifest
			cfg = checksums.VerifyConfig{Trust: f.signer.Trust(), Project: m.Project, Version: m.Version, Commit: m.Source.Commit}
		}
		if _, err := checksums.VerifyRelease(ctx, st.Dir, cfg); err != nil {
			return fmt.Errorf("the finished release does not verify: %w", err)
		}
	}
	return st.Publish(ctx)
}

// write makes the files of a step, and again, and writes them.
func (s step) write(ctx context.Context, f *Finished, st *output.Staging) error {
	made, err := s.make(ctx, f, st)
	if err != nil {
		return err
	}
	if !s.signs {
		again, err := s.make(ctx, f, st)
		if err != nil {
			return err
		}
		if !maps.EqualFunc(made, again, func(a, b []byte) bool { return string(a) == string(b) }) {
			return fmt.Errorf("%s came out different when it was made again, which is a mistake in mintmark", s.names)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		if !slices.Contains(s.names, name) {
			return errors.New(name + ": nobody knows that a release has such a file")
		}
		if err := st.Claim(name); err != nil {
			return err
		}
		err := files.Create(filepath.Join(st.Dir, name), 0o644, func(f *os.File) error {
			_, err := f.Write(made[name])
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// listed are the files that checksums.txt lists, with digests taken from the
// files as they lie on the disk now, not from memory: what is signed is what will
// be published.
func listed(ctx context.Context, st *output.Staging, without ...string) (entries []checksums.Entry, err error) {
	made, err := os.ReadDir(st.Dir)
	if err != nil {
		return nil, err
	}
	for _, f := range made {
		if slices.Contains(without, f.Name()) {
			continue
		}
		sum, _, err := files.Digest(ctx, filepath.Join(st.Dir, f.Name()))
		if err != nil {
			return nil, err
		}
		entries = append(entries, checksums.Entry{Name: f.Name(), SHA256: sum})
	}
	return entries, nil
}

func checksumsFile(ctx context.Context, _ *Finished, st *output.Staging) ([]byte, error) {
	entries, err := listed(ctx, st)
	if err != nil {
		return nil, err
	}
	return checksums.FormatList(entries)
}

// signFile signs a file that a step before has written.
func signFile(name string) func(context.Context, *Finished, *output.Staging) ([]byte, error) {
	return func(ctx context.Context, f *Finished, st *output.Staging) ([]byte, error) {
		data, err := files.Read(filepath.Join(st.Dir, name), checksums.MaxLedgerSize)
		if err != nil {
			return nil, err
		}
		bundle, err := checksums.SignBlob(ctx, f.signer, data)
		if err != nil {
			return nil, fmt.Errorf("signing %s: %w", name, err)
		}
		return bundle, nil
	}
}

// signRecord signs the statement about everything that is listed, and the list.
func signRecord(ctx context.Context, f *Finished, st *output.Staging) ([]byte, error) {
	entries, err := listed(ctx, st, checksums.ChecksumsBundle, checksums.LedgerBundle)
	if err != nil {
		return nil, err
	}
	// The list comes last, as in the records of all versions.
	i := slices.IndexFunc(entries, func(e checksums.Entry) bool { return e.Name == checksums.ChecksumsFile })
	entries = append(slices.Delete(slices.Clone(entries), i, i+1), entries[i])
	statement, err := checksums.NewStatement(f.manifest, entries)
	if err != nil {
		return nil, err
	}
	payload, err := statement.Encode()
	if err != nil {
		return nil, err
	}
	bundle, err := checksums.SignStatement(ctx, f.signer, payload)
	if err != nil {
		return nil, fmt.Errorf("signing the record: %w", err)
	}
	return bundle, nil
}
