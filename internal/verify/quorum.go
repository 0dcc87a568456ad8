package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// quorumKeys are the keys of the rebuilders that count. What is wrong with them,
// or with how many of them must vouch, is said before anything is verified.
func quorumKeys(ctx context.Context, cfg Config) (keys []checksums.Trust, err error) {
	switch {
	case cfg.Threshold < 0:
		return nil, fault.Usagef("at least one rebuilder is needed", "-threshold=%d", cfg.Threshold)
	case len(cfg.Rebuilders) == 0 && (cfg.Threshold != 0 || len(cfg.Statements) > 0):
		return nil, fault.Usagef("name the public keys of the rebuilders you trust: -rebuilder=alice.pub,bob.pub", "no rebuilders")
	}
	var errs []error
	for _, ref := range cfg.Rebuilders {
		k, err := checksums.LoadTrust(ctx, ref)
		if err != nil {
			errs = append(errs, fmt.Errorf("rebuilder's key: %w", err))
		}
		keys = append(keys, k)
	}
	return keys, errors.Join(errs...)
}

// quorum counts the rebuild statements about a verified release.
func quorum(ctx context.Context, cfg Config, keys []checksums.Trust, v *checksums.Verification) error {
	dir, name := cfg.Path, filepath.Join(cfg.Path, checksums.ManifestFile)
	if fi, err := os.Stat(cfg.Path); err == nil && !fi.IsDir() {
		dir, name = filepath.Dir(cfg.Path), cfg.Path
	}
	if len(keys) == 0 {
		for _, name := range v.Statements {
			v.Checks.Open(fact.Beside, name, "-rebuilder= names the keys that count")
		}
		return nil
	}
	q := checksums.Quorum{Rebuilders: keys, Threshold: cfg.Threshold, Publisher: v.Signer}
	ids := map[fact.SignerID]bool{}
	for _, k := range keys {
		ids[k.ID()] = true
	}
	if cfg.Threshold == 0 {
		q.Threshold = len(ids) // all that were named
	}
	statements, err := statementFiles(dir, cfg.Statements)
	if err != nil {
		return err
	}
	for _, f := range statements {
		data, err := files.Read(f, checksums.MaxBundleSize)
		if err != nil {
			return fmt.Errorf("rebuild statement: %w", err)
		}
		q.Statements = append(q.Statements, checksums.SignedStatement{Name: filepath.Base(f), Bundle: data})
	}
	sum, _, err := files.Digest(ctx, name)
	if err != nil {
		return err
	}
	found, notes, err := checksums.CheckQuorum(v.Manifest, sum, q)
	v.Rebuilders = found
	for _, n := range notes {
		v.Checks.Open(n.Check, n.Subject, n.Detail)
	}
	for _, a := range v.Manifest.Published() {
		v.Checks.Open(fact.Quorum, a.Name, "not by enough of the named rebuilders")
	}
	notProducts(v)
	if err != nil {
		return err
	}
	var who []string
	for _, r := range found {
		who = append(who, r.Signer.Text())
	}
	for _, a := range v.Manifest.Published() {
		v.Checks.Done(fact.Quorum, a.Name, fmt.Sprintf("at least %d of the named rebuilders: %s", q.Threshold, strings.Join(who, ", ")))
	}
	return nil
}

// statementFiles are the named files, those in named directories, and those
// beside the release.
func statementFiles(dir string, named []string) ([]string, error) {
	var files []string
	for _, name := range append([]string{dir}, named...) {
		fi, err := os.Stat(name)
		if err != nil {
			return nil, fault.Usagef("-statements= names files or directories", "rebuild statement: %w", err)
		}
		if !fi.IsDir() {
			files = append(files, name)
			continue
		}
		list, err := os.ReadDir(name)
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			if strings.HasSuffix(f.Name(), checksums.StatementSuffix) && f.Type().IsRegular() {
				files = append(files, filepath.Join(name, f.Name()))
			}
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}
