package measure

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/sizes"
	"github.com/mintmark/mintmark/internal/upx"
)

// Size says what the bytes of a Go binary are for. twin is an unstripped link
// of the same program, or ""; path is where UPX is looked for when the file is
// packed, as in the variable PATH.
func Size(ctx context.Context, file, twin, path string) (*sizes.Breakdown, error) {
	l, err := sizes.Analyze(ctx, file, sizes.Options{
		Twin: twin,
		Unpack: func(ctx context.Context, packed, unpacked string) error {
			tool, err := upx.Find(ctx, upx.Config{Dirs: filepath.SplitList(path)})
			if err != nil {
				return fault.Errorf("install UPX to have the file unpacked, or name the file before packing", "%s is packed: %w", packed, err)
			}
			return tool.Unpack(ctx, packed, unpacked)
		},
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Usagef("name a Go binary, or a directory with some", "%w", err)
	}
	if _, ok := errors.AsType[*gobin.NotGoError](err); ok {
		if s, err := gobin.OpenStatic(file); err == nil {
			s.Close()
			return nil, fault.Usagef("give the program that was linked with it; mintmark inspect tells what the library was built from", "%s: %s", file, release.UnsizedLibrary)
		}
		return nil, fault.Usagef(fault.Hint(err), "%w", err)
	}
	if Damaged(err) { // what was named is wrong, as for inspect
		return nil, fault.Usagef(fault.Hint(err), "%w", err)
	}
	return l, err
}

// Damaged reports whether an error says that a binary is not as its format demands: it
// is one, and cut off or overwritten.
func Damaged(err error) bool {
	_, ok := errors.AsType[*gobin.FormatError](err)
	return ok
}
