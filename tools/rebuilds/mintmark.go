package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/verify"
)

// mintmark is the command of this tree, built once. It runs as a process of its own:
// what it used is then the system's to say.
type mintmark struct {
	dir, command string
	cache        string // mintmark's cache directory
	n            int
}

func newMintmark(ctx context.Context) (*mintmark, error) {
	dir, err := os.MkdirTemp("", "mintmark-rebuilds-")
	if err != nil {
		return nil, err
	}
	m := &mintmark{dir: dir, command: filepath.Join(dir, "mintmark"), cache: os.Getenv("MINTMARK_CACHE")}
	if m.cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, errors.Join(err, m.close())
		}
		m.cache = filepath.Join(user, "mintmark")
	}
	if runtime.GOOS == "windows" {
		m.command += ".exe"
	}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", m.command, "./cmd/mintmark").CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("go build ./cmd/mintmark: %w\n%s", err, out), m.close())
	}
	return m, nil
}

func (m *mintmark) close() error { return os.RemoveAll(m.dir) }

// rebuild fetches a package and has all binaries in it rebuilt. Of an entry without a
// digest, any file is taken, and the result has its digest.
func (m *mintmark) rebuild(ctx context.Context, e entry) (*pack, error) {
	m.n++
	dir := filepath.Join(m.dir, fmt.Sprint(m.n))
	defer os.RemoveAll(dir)
	file, sum, err := fetch(ctx, e, dir)
	if err != nil {
		return nil, err
	}
	if e.SHA256 == "" {
		e.SHA256 = sum
	}
	if sum != e.SHA256 {
		return nil, fmt.Errorf("%s: what is served has sha256 %s, %s says %s", e, sum, listFile, e.SHA256)
	}
	cmd := exec.CommandContext(ctx, m.command, "rebuild", "-json", file)
	// A person's interrupt reaches it too, and it has directories to remove.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || out.Len() == 0) {
		return nil, fmt.Errorf("%s: mintmark rebuild: %w\n%s", e, err, errs.Bytes())
	}
	var res verify.BinariesResult
	if err := json.Unmarshal(out.Bytes(), &res); err != nil {
		return nil, fmt.Errorf("%s: mintmark rebuild -json: %w", e, err)
	}
	p := m.newPack(e, res.Results)
	p.CPU = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Round(time.Second / 10).Seconds()
	return p, nil
}

// newPack takes over what is told of each binary. What else a package holds, scripts
// and texts, nobody builds; and a slice is told of in the file that it is of.
func (m *mintmark) newPack(e entry, all []*recovery.Result) *pack {
	p := &pack{entry: e}
	for _, r := range all {
		if r.Kind != recovery.KindProgram && r.Kind != recovery.KindUniversal || r.Member == "" {
			continue
		}
		b := &binary{
			File: r.Member, SHA256: r.SHA256, Size: r.Size, Package: r.Package, Platform: r.Platform, Go: r.Toolchain.Claimed,
			Verdict: r.Verdict, Outcome: r.Outcome(), Reason: m.anywhere(r.Reason),
			SourceServed: r.Source.Sum != "" && (!r.Source.Other || r.Verdict == fact.Identical), ToolchainServed: r.Toolchain.Version != "", Revision: r.Source.Revision,
			ModifiedGo: r.Toolchain.Modified != nil, Stamp: r.Stamp, LDFlags: r.LDFlags, Links: r.Relinks, Spellings: r.Spelled,
		}
		if r.Source.Sum != "" {
			b.Source = r.Source.Module + "@" + r.Source.Version
		}
		if b.Go == "" {
			b.Go = r.Toolchain.Version
		}
		for _, f := range r.Findings {
			evidence := make([]string, len(f.Evidence))
			for i, text := range f.Evidence {
				evidence[i] = m.anywhere(text)
			}
			b.Findings = append(b.Findings, finding{f.Cause, f.Confidence, evidence})
			b.ModifiedGo = b.ModifiedGo || f.Cause == fact.CauseToolchainModified
		}
		p.Binaries = append(p.Binaries, b)
	}
	return p
}

var (
	address = regexp.MustCompile(`https?://[^\s]+`)
	ownDir  = regexp.MustCompile(`/work/run-[0-9]+/`)
	sharedN = regexp.MustCompile(`/shared-[0-9a-f]+`)
)

// anywhere takes out of a message what is of this machine and run: whose proxy was
// asked, and where the cache directory is.
func (m *mintmark) anywhere(s string) string {
	s = address.ReplaceAllString(s, "the module proxy")
	s = strings.ReplaceAll(s, m.cache, "CACHE")
	return sharedN.ReplaceAllString(ownDir.ReplaceAllString(s, "/work/run/"), "/shared")
}

// say tells on the way what came of a package.
func (p *pack) say() {
	for _, b := range p.Binaries {
		fmt.Fprintf(os.Stderr, "%s %s: %s %s\n", p.entry, b.File, b.Outcome, b.Reason)
	}
	fmt.Fprintf(os.Stderr, "%s: %.1f s of CPU\n", strings.TrimSpace(p.entry.String()), p.CPU)
}
