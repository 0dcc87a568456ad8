package measure

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/startup"
)

// packingAccounts compares every measured program that is packed with the first
// that is not: bytes on disk, bytes on the way in an archive (tar.gz and tar.zst,
// as releases have them), time of a warm start and memory, for some numbers of
// starts per transfer. There is none without a packed and a plain program.
func packingAccounts(ctx context.Context, res *startup.Result, programs []startup.Program, starts ...int) ([]report.Packed, error) {
	type subject struct {
		startup.Subject
		path, packer string
	}
	var plain *subject
	var packed []subject
	warm := res.Run(startup.Warm)
	for i, s := range res.Programs {
		if warm.Time(s.Name) == nil {
			continue
		}
		one := subject{Subject: s, path: programs[i].Path}
		if f, err := gobin.Open(one.path); err == nil { // not a Go program: nothing is known of it
			one.packer = strings.TrimSpace(f.Packed + ", " + f.PackedMethod)
			one.packer = strings.Trim(one.packer, ", ")
			f.Close()
		}
		if one.packer != "" {
			packed = append(packed, one)
		} else if plain == nil {
			plain = &one
		}
	}
	if plain == nil || len(packed) == 0 {
		return nil, nil
	}
	footprint := func(s subject) (f startup.Footprint, err error) {
		f.Disk, f.Start = s.Size, warm.Time(s.Name).Median
		if f.Gzip, err = archivedSize(ctx, s.path, archive.TarGz); err != nil {
			return f, err
		}
		if f.Zstd, err = archivedSize(ctx, s.path, archive.TarZst); err != nil {
			return f, err
		}
		if s.Memory != nil && s.Memory.NotMeasured == "" {
			f.PrivateDirty, f.HasMemory = s.Memory.PrivateDirty, true
		}
		return f, nil
	}
	base, err := footprint(*plain)
	if err != nil {
		return nil, err
	}
	var out []report.Packed
	for _, s := range packed {
		p := report.Packed{Program: s.Name, Plain: plain.Name, Packer: s.packer}
		// The difference of what was paired, not of two medians.
		c := warm.Compare(plain.Name, s.Name)
		var extra, low, high float64
		if c == nil { // the packed one is the base
			c = warm.Compare(s.Name, plain.Name)
			extra, low, high = -c.Extra, -c.ExtraHigh, -c.ExtraLow
		} else {
			extra, low, high = c.Extra, c.ExtraLow, c.ExtraHigh
		}
		if c.Low == 0 {
			p.NotComputed = "too few rounds to say what a start costs"
			out = append(out, p)
			continue
		}
		f, err := footprint(s)
		if err != nil {
			return nil, err
		}
		f.Start = base.Start + extra
		packing := startup.NewPacking(base, f, starts...)
		if low != 0 || high != 0 {
			packing.Between(low, high)
		}
		p.Packing = &packing
		out = append(out, p)
	}
	return out, nil
}

// archivedSize is the size of an archive that holds the file and nothing else.
func archivedSize(ctx context.Context, path, format string) (int64, error) {
	info, err := archive.Write(ctx, io.Discard, format, []archive.Member{{
		Name: filepath.Base(path), Executable: true,
		Open: archive.Opener(path),
	}}, time.Unix(0, 0))
	if err != nil {
		return 0, fmt.Errorf("size in transfer of %s: %w", filepath.Base(path), err)
	}
	return info.Size, nil
}
