package upx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Unpack writes what the file packed unpacks to (`upx -d`) to out. The packed
// file is not touched. Any UPX that is not older than the one that packed can
// do it; that the result is what was packed is not checked here.
func (t *Tool) Unpack(ctx context.Context, packed, out string) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(out), ".upx-*")
	if err != nil {
		return fmt.Errorf("upx: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, _, err := copyFile(ctx, packed, filepath.Join(dir, "packed")); err != nil {
		return fmt.Errorf("upx: %w", err)
	}
	if err := t.step(ctx, dir, filepath.Base(packed), "unpack", "-d", "-o", "unpacked", "packed"); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, "unpacked"), out); err != nil {
		return fmt.Errorf("upx: %w", err)
	}
	return nil
}
