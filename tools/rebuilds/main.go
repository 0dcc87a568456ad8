// Command rebuilds makes docs/reports/rebuilds.md: it fetches the published packages
// that docs/reports/rebuilds.txt lists, rebuilds every Go binary in them with
// mintmark's own verb, and writes what came of each into a table.
//
//	go run ./tools/rebuilds -update
//
// Without -update the page is printed. Packages are fetched with npm, whose
// settings say from where.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/verify"
)

const (
	listFile = "docs/reports/rebuilds.txt"
	pageFile = "docs/reports/rebuilds.md"
)

func main() {
	update := flag.Bool("update", false, "write "+pageFile)
	only := flag.String("only", "", "only packages whose name contains this")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := rebuild(ctx, *update, *only); err != nil {
		fmt.Fprintln(os.Stderr, "rebuilds:", err)
		os.Exit(1)
	}
}

func rebuild(ctx context.Context, update bool, only string) error {
	list, err := os.ReadFile(listFile)
	if err != nil {
		return fmt.Errorf("%w (run it at the repository's root)", err)
	}
	cache := os.Getenv("MINTMARK_CACHE")
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		cache = filepath.Join(dir, "mintmark")
	}
	work, err := os.MkdirTemp("", "mintmark-rebuilds-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	var packages []string
	for line := range strings.Lines(string(list)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" && strings.Contains(line, only) {
			packages = append(packages, line)
		}
	}
	var rows []row
	for i, pkg := range packages {
		dir := filepath.Join(work, fmt.Sprint(i))
		file, err := fetch(ctx, pkg, dir)
		if err != nil {
			return err
		}
		// One package after the other: the time is that of one alone.
		res, err := verify.Binaries(ctx, run.Config{Cache: cache, Environ: os.Environ()}, verify.BinariesConfig{Names: []string{file}})
		if err != nil {
			return fmt.Errorf("%s: %w", pkg, err)
		}
		for _, r := range res.Results {
			if r.Kind != recovery.KindProgram && r.Kind != recovery.KindUniversal {
				continue // scripts and the like, which nobody builds
			}
			rows = append(rows, row{pkg, r})
			fmt.Fprintf(os.Stderr, "%s %s %s: %s %s\n", time.Now().Format(time.TimeOnly), pkg, r.Member, r.Verdict, r.Reason)
		}
	}
	page := render(rows)
	if !update {
		_, err := os.Stdout.WriteString(page)
		return err
	}
	return os.WriteFile(pageFile, []byte(page), 0o644)
}

// fetch gets one package with npm.
func fetch(ctx context.Context, pkg, dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", pkg)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm pack %s: %w\n%s", pkg, err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err == nil && len(files) != 1 {
		err = errors.New("npm pack " + pkg + " left no file")
	}
	if err != nil {
		return "", err
	}
	return files[0], nil
}

type row struct {
	pkg string
	*recovery.Result
}

func render(rows []row) string {
	var b strings.Builder
	var count fact.Verdicts
	for _, r := range rows {
		count.Count(r.Verdict)
	}
	fmt.Fprintf(&b, `# Published binaries, rebuilt

Made by `+"`go run ./tools/rebuilds -update`"+` from the list in [rebuilds.txt](rebuilds.txt): every executable in these npm packages, rebuilt by `+"`mintmark rebuild`"+` from nothing but the package. What else the packages hold, scripts and texts, is not in the table. %d binaries: %d identical bit for bit, %d different, %d unchecked.

Source and toolchain came through the module proxy and were checked against the checksum database; the version control stamp was replayed from what the binary claims (see the package documentation of builds/recovery). The time is that of one binary on %s with %d processors, in caches as earlier rebuilds had left them: mostly a link. From empty caches it takes minutes, for all that is to be compiled.

| package | file | platform | toolchain | verdict | time | sha256 |
|---|---|---|---|---|---|---|
`, len(rows), count.Identical, count.Different, count.Unchecked, runtime.GOOS+"/"+runtime.GOARCH, runtime.NumCPU())
	for _, r := range rows {
		toolchain := r.Toolchain.Version
		if toolchain == "" {
			toolchain = r.Toolchain.Claimed
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %.0f s | `%s` |\n", r.pkg, r.Member, r.Platform, toolchain, r.Verdict, r.Seconds, r.SHA256)
	}
	b.WriteString("\n## What each was built from\n\n| package, file | source | revision | -ldflags | found by |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		if r.Rebuilt == "" {
			continue
		}
		revision := r.Source.Revision
		if len(revision) > 12 {
			revision = revision[:12]
		}
		fmt.Fprintf(&b, "| %s %s | %s@%s | %s | `%s` | %s, %s |\n", r.pkg, r.Member, r.Source.Module, r.Source.Version, revision, strings.ReplaceAll(r.LDFlags, "|", `\|`), plural(r.Relinks, "link"), plural(r.Spelled, "spelling"))
	}
	b.WriteString("\n## Why the others are not identical\n\n")
	for _, r := range rows {
		if r.Verdict == fact.Identical {
			continue
		}
		fmt.Fprintf(&b, "- **%s %s**: %s, since %s.\n", r.pkg, r.Member, r.Verdict, withoutHosts(strings.TrimSuffix(r.Reason, ".")))
		for _, f := range r.Findings {
			fmt.Fprintf(&b, "  - %s (%s): %s\n", f.Cause, f.Confidence, strings.Join(f.Evidence, "; "))
		}
	}
	return b.String()
}

// withoutHosts takes addresses out of a message: whose proxy was asked is a
// setting of the machine.
func withoutHosts(s string) string {
	return regexp.MustCompile(`https?://[^\s]+`).ReplaceAllString(s, "the module proxy")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprint(n, " ", what, "s")
}
