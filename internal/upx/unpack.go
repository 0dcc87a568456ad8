package upx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/internal/files"
)

// Unpack writes what the file packed holds to out, which must not exist. UPX
// tests the packed data first. Any UPX that is not older than the one that
// packed can unpack; PE files are not restored exactly (see the package).
func (t *Tool) Unpack(ctx context.Context, packed, out string) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(out), ".upx-*")
	if err != nil {
		return fmt.Errorf("upx: %w", err)
	}
	defer func() { err = errors.Join(err, files.RemoveTree(dir)) }()
	if _, _, err := files.Copy(ctx, packed, filepath.Join(dir, "packed"), 0o700); err != nil {
		return fmt.Errorf("upx: %w", err)
	}
	name := filepath.Base(packed)
	if err := t.step(ctx, dir, name, "test", "-t", "packed"); err != nil {
		return err
	}
	if err := t.step(ctx, dir, name, "unpack", "-d", "-o", "unpacked", "packed"); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, "unpacked"), out); err != nil {
		return fmt.Errorf("upx: %w", err)
	}
	return nil
}
