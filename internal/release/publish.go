package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/files"
)

// publish writes the manifest, the checksums and, last of all, the signatures
// into the staging directory, checks the result as a stranger would, and puts
// it into its place.
func (p *pipeline) publish(ctx context.Context, m *checksums.Manifest, signer checksums.Signer, stage *staging) error {
	name := checksums.ManifestFile
	if m.Kind == checksums.KindBuild {
		name = buildFile
	}
	write := func(name string, data []byte) error {
		if err := stage.claim(name); err != nil {
			return err
		}
		return files.Create(filepath.Join(stage.dir, name), 0o644, func(f *os.File) error {
			_, err := f.Write(data)
			return err
		})
	}
	data, err := m.Encode()
	if err != nil {
		return err
	}
	if err := write(name, data); err != nil {
		return err
	}
	if m.Kind == checksums.KindBuild {
		return stage.publish(ctx)
	}
	ledger, err := p.publishedLedger()
	if err != nil {
		return err
	}
	if ledger != nil {
		if err := write(checksums.LedgerFile, ledger); err != nil {
			return err
		}
	}
	people, err := p.reportFiles(m, signer)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	for name, data := range people {
		if err := write(name, data); err != nil {
			return err
		}
	}
	// Digests are taken from the files as they lie on the disk now, not from
	// memory: what is signed is what will be published.
	var entries []checksums.Entry
	made, err := os.ReadDir(stage.dir)
	if err != nil {
		return err
	}
	for _, f := range made {
		sum, _, err := files.Digest(ctx, filepath.Join(stage.dir, f.Name()))
		if err != nil {
			return err
		}
		entries = append(entries, checksums.Entry{Name: f.Name(), SHA256: sum})
	}
	list, err := checksums.FormatList(entries)
	if err != nil {
		return err
	}
	if err := write(checksums.ChecksumsFile, list); err != nil {
		return err
	}
	cfg := checksums.VerifyConfig{AllowUnsigned: true}
	if signer != nil {
		p.phase("signing")
		sum, _, err := files.Digest(ctx, filepath.Join(stage.dir, checksums.ChecksumsFile))
		if err != nil {
			return err
		}
		statement, err := checksums.NewStatement(m, append(entries, checksums.Entry{Name: checksums.ChecksumsFile, SHA256: sum}))
		if err != nil {
			return err
		}
		payload, err := statement.Encode()
		if err != nil {
			return err
		}
		bundle, err := checksums.SignBlob(ctx, signer, list)
		if err != nil {
			return fmt.Errorf("signing %s: %w", checksums.ChecksumsFile, err)
		}
		if err := write(checksums.ChecksumsBundle, bundle); err != nil {
			return err
		}
		if ledger != nil {
			b, err := checksums.SignBlob(ctx, signer, ledger)
			if err != nil {
				return fmt.Errorf("signing %s: %w", checksums.LedgerFile, err)
			}
			if err := write(checksums.LedgerBundle, b); err != nil {
				return err
			}
		}
		if bundle, err = checksums.SignStatement(ctx, signer, payload); err != nil {
			return fmt.Errorf("signing the record: %w", err)
		}
		if err := write(checksums.ProvenanceBundle, bundle); err != nil {
			return err
		}
		cfg = checksums.VerifyConfig{Trust: signer.Trust(), Project: m.Project, Version: m.Version, Commit: m.Source.Commit}
	}
	if m.Kind == checksums.KindRelease {
		if _, err := checksums.VerifyRelease(ctx, stage.dir, cfg); err != nil {
			return fmt.Errorf("the finished release does not verify: %w", err)
		}
	}
	return stage.publish(ctx)
}
