package builds

import (
	"bytes"
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// Remarks are what does not stop a plan and has no effect in it: sorted by
// position, each once. They are known after [Planner.Plan].
func (pl *Planner) Remarks() profiles.Problems { return dedupe(slices.Clone(pl.remarks)) }

// remark notes that something the profile file says has no effect. What no file
// says, nobody meant.
func (pl *Planner) remark(d *draft, key, hint, message string) {
	pos := d.profile.Pos(d.platform, key)
	if pos.Line == 0 {
		return
	}
	d.remarks = append(d.remarks, pl.File.Problem(pos, message, hint))
}

// lostMains remarks on programs that a pattern matches and that a unit without
// cgo does not have, because all their Go files import "C": to the go command a
// directory without files for a platform matches no pattern.
func (pl *Planner) lostMains(ctx context.Context, d *draft, mains []*Package) error {
	if !pl.Deps || d.settings.CGO || !wild(d.settings.Main) {
		return nil
	}
	pl.cOnce.Do(func() { pl.hasC, pl.cErr = pl.importsC(ctx) })
	if pl.cErr != nil || !pl.hasC {
		return pl.cErr
	}
	env := slices.Clone(d.unit.Env)
	for i, kv := range env {
		if kv == "CGO_ENABLED=0" {
			env[i] = "CGO_ENABLED=1"
		}
	}
	// What is wrong with packages that are not built is nobody's concern.
	all, _ := pl.Loader.List(ctx, env, d.unit.Flags, d.settings.Main, false)
	for _, p := range all {
		if p.Name != "main" || p.DepOnly || slices.ContainsFunc(mains, func(m *Package) bool { return m.ImportPath == p.ImportPath }) {
			continue
		}
		pl.remark(d, "main", "give it a profile with cgo: true, or name the other programs in main",
			p.ImportPath+" is not built: all its Go files import \"C\", and cgo is off")
	}
	return ctx.Err()
}

// importsC reports whether any Go file of the source imports "C".
func (pl *Planner) importsC(ctx context.Context) (bool, error) {
	var failed error
	found, err := recollect(ctx, pl.Loader, func() (found, keep bool) {
		failed = filepath.WalkDir(pl.Loader.Dir, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case ctx.Err() != nil:
				return ctx.Err()
			case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "testdata"):
				return fs.SkipDir
			case found || !d.Type().IsRegular() || !strings.HasSuffix(name, ".go"):
				return nil
			}
			data, err := files.Read(name, maxSourceFile)
			found = found || bytes.Contains(data, []byte(`"C"`))
			return err
		})
		return found, failed == nil
	}, "imports C 1")
	if err == nil {
		err = failed
	}
	return found, err
}
