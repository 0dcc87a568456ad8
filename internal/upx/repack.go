package upx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
)

// Compression is what the header of a packed file says of how it was packed.
type Compression struct {
	Method string // NRV2B, NRV2D, NRV2E or LZMA
	Level  int    // 1 to 9, or 10 for --best
}

// NotRepackedError says that no flags were found which give a packed file again.
type NotRepackedError struct {
	Tried int
	Tool  string // version
}

func (e *NotRepackedError) Error() string {
	return fmt.Sprintf("UPX %s does not give the packed file again, with %d sets of flags", e.Tool, e.Tried)
}

// Stamp is the version as the tool writes it into files: 4.2.3 is "4.23".
func (t *Tool) Stamp() string {
	major, rest, ok := strings.Cut(t.Version, ".")
	if !ok {
		return t.Version
	}
	return major + "." + strings.ReplaceAll(rest, ".", "")
}

// Repack packs the file linked until the result is the file packed, byte for
// byte, and returns the flags that did it; a *[NotRepackedError] when none does.
// Method and level are in a packed file; what else there is to choose is tried.
// The result lies at out, which must not exist.
func (t *Tool) Repack(ctx context.Context, c Compression, packed, linked, out string) (_ []string, err error) {
	dir, err := os.MkdirTemp(filepath.Dir(out), ".upx-*")
	if err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	defer func() { err = errors.Join(err, files.RemoveTree(dir)) }()
	want, _, err := files.Digest(ctx, packed)
	if err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	if _, _, err := files.Copy(ctx, linked, filepath.Join(dir, "input"), 0o700); err != nil {
		return nil, fmt.Errorf("upx: %w", err)
	}
	tried := candidates(c)
	for _, flags := range tried {
		if err := t.step(ctx, dir, filepath.Base(packed), "pack", append(append([]string{}, flags...), "-o", "packed", "input")...); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			continue // a flag that this version does not know, or a file that it does not pack with it
		}
		result := filepath.Join(dir, "packed")
		sum, _, err := files.Digest(ctx, result)
		if err != nil {
			return nil, fmt.Errorf("upx: %w", err)
		}
		if sum == want {
			return flags, os.Rename(result, out)
		}
		if err := os.Remove(result); err != nil {
			return nil, fmt.Errorf("upx: %w", err)
		}
	}
	return nil, &NotRepackedError{len(tried), t.Version}
}

// candidates are flags that may have made a file with that header, those that
// people use first. All of them are allowed ([checkFlags]).
func candidates(c Compression) (out [][]string) {
	method := map[string]string{"NRV2B": "--nrv2b", "NRV2D": "--nrv2d", "NRV2E": "--nrv2e", "LZMA": "--lzma"}[c.Method]
	if method == "" || c.Level < 1 || c.Level > 10 {
		return nil
	}
	level := fmt.Sprint("-", c.Level)
	if c.Level == 10 {
		level = "--best"
	}
	for _, more := range [][]string{nil, {"--no-filter"}, {"--force-macos"}, {"--preserve-build-id"}, {"--small"}, {"--all-filters"}} {
		out = append(out, append([]string{level, method}, more...))
	}
	if c.Level == 10 {
		out = append(out, []string{"--brute"}, []string{"--ultra-brute"})
	}
	return out
}
