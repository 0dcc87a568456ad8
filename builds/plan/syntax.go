package plan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/version"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/sync/errgroup"
)

// maxSyntax is how many errors of one file are reported: mostly the first is the cause.
const maxSyntax = 5

// Syntax reads every Go file of the product's own packages that a unit compiles,
// and reports what no compiler takes: go list reads no further than the imports.
// It is known after a plan with Deps, and remembered of a source without errors.
func (pl *Planner) Syntax(ctx context.Context) error {
	pl.mu.Lock()
	own := slices.Sorted(maps.Keys(pl.own))
	pl.mu.Unlock()
	if len(own) == 0 {
		return nil
	}
	var errs error
	_, err := memoized(ctx, pl.Loader, func() (struct{}, bool) {
		errs = pl.parseAll(ctx, own)
		return struct{}{}, errs == nil
	}, append([]string{"syntax 2", pl.Go}, own...)...)
	return errors.Join(err, errs)
}

// parseAll parses files, named from the module's directory.
func (pl *Planner) parseAll(ctx context.Context, names []string) error {
	wrong := make([]error, len(names))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	for i, name := range names {
		g.Go(func() error {
			data, err := files.Read(filepath.Join(pl.Loader.Dir, filepath.FromSlash(name)), maxSourceFile)
			if err != nil {
				return err
			}
			wrong[i] = parseErrors(name, data)
			return gctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	var bad []string
	for i, err := range wrong {
		if err != nil {
			bad = append(bad, names[i])
		}
	}
	if len(bad) > 0 && pl.newer() {
		return pl.format(ctx, bad) // what is new to this parser may be right
	}
	return errors.Join(wrong...)
}

// newer reports whether the plan's toolchain knows a later language than this program.
func (pl *Planner) newer() bool {
	return version.Compare(version.Lang(pl.Go), version.Lang(runtime.Version())) > 0
}

func parseErrors(name string, data []byte) error {
	_, err := parser.ParseFile(token.NewFileSet(), name, data, parser.SkipObjectResolution)
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return err
	}
	var errs []error
	for _, e := range list[:min(len(list), maxSyntax)] {
		errs = append(errs, fmt.Errorf("%s: syntax error: %s", e.Pos, e.Msg))
	}
	return errors.Join(errs...)
}

// format asks the toolchain's gofmt about files.
func (pl *Planner) format(ctx context.Context, names []string) error {
	l := pl.Loader
	gofmt := filepath.Join(filepath.Dir(l.Goroot.Go()), "gofmt"+filepath.Ext(l.Goroot.Go()))
	var errs []error
	for batch := range slices.Chunk(names, 200) {
		res, err := toolchain.Run(ctx, toolchain.Command{Path: gofmt, Args: append([]string{"-l", "-e", "--"}, batch...), Dir: l.Dir, Env: l.Place.Env(nil, "off"), Confine: l.Place.Confine()})
		var exit *toolchain.ExitError
		switch {
		case err == nil:
		case !errors.As(err, &exit):
			return fmt.Errorf("%s may have syntax errors, which this version of mintmark cannot tell for %s: %w", strings.Join(names, ", "), pl.Go, err)
		default:
			for line := range bytes.Lines(res.Stderr) {
				errs = append(errs, errors.New(strings.TrimSpace(string(line))))
			}
		}
	}
	return errors.Join(errs...)
}
