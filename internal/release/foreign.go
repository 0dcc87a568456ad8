package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/mintmark/mintmark/builds/rebuild"
	"github.com/mintmark/mintmark/builds/rebuild/foreign"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/upx"
)

// RebuildSchema is the schema of [Rebuilt]'s JSON form.
const RebuildSchema = "https://github.com/mintmark/mintmark/report/rebuild/v1"

// Foreign says which binaries of others to rebuild, and from what.
type Foreign struct {
	Names  []string // binaries, archives, directories
	Source string   // directory or URL of a git repository; "" asks the module proxy
	Like   string   // a sibling binary, for files that say nothing of themselves
	// Key is the private key that signs a statement about each binary that came
	// out identical; the zero value signs nothing. The statements go into Keep,
	// or the working directory.
	Key  checksums.KeyRef
	Keep string // directory for recovered profiles and for rebuilt files that differ; "" keeps nothing
}

// Rebuilt is what came of rebuilding binaries of others.
type Rebuilt struct {
	Schema    string            `json:"schema"`
	Verdict   string            `json:"verdict"` // the worst of all
	Identical int               `json:"identical"`
	Different int               `json:"different"`
	Unchecked int               `json:"unchecked"`
	Results   []*foreign.Result `json:"results"`
	SignedBy  string            `json:"signed_by,omitempty"`
	// Statements are the files of what was signed, in the order of the results.
	Statements []string `json:"statements,omitempty"`
}

// Rebuild rebuilds published binaries and compares them bit for bit. Nothing
// is believed of a file but that it says where it comes from. The error is
// about this machine; what came of each file is in the result.
func Rebuild(ctx context.Context, cfg Config, what Foreign) (_ *Rebuilt, err error) {
	defer func() { err = explainFull(err) }()
	for _, name := range what.Names {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return nil, usage("name a binary, an archive with binaries, or a directory of these", "%w", err)
		}
	}
	var signer *checksums.Signer
	if !what.Key.IsZero() {
		if signer, err = checksums.LoadSigner(ctx, what.Key, cfg.Password); err != nil {
			return nil, fmt.Errorf("signing key: %w", err)
		}
	}
	s, err := begin(&cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	// Caches of its own: what others publish has no business in those of
	// releases. Only -source= needs git.
	if err := s.findTools(ctx, filepath.Join(cfg.Cache, "foreign"), false); err != nil {
		return nil, err
	}
	work := filepath.Join(s.ws.dir, "foreign")
	members := filepath.Join(work, "members")
	if err := os.MkdirAll(members, 0o755); err != nil {
		return nil, err
	}
	s.phase("reading")
	inputs, err := foreign.Collect(ctx, what.Names, members)
	if err != nil {
		return nil, err
	}
	cfg.event(Event{Kind: Total, N: len(inputs)})
	results, err := foreign.Rebuild(ctx, s.foreignConfig(work, what), inputs)
	if err != nil {
		return nil, err
	}
	out := &Rebuilt{Schema: RebuildSchema, Verdict: rebuild.Identical, Results: results}
	for _, r := range results {
		switch r.Verdict {
		case rebuild.Identical:
			out.Identical++
		case rebuild.Different:
			out.Different++
		default:
			out.Unchecked++
		}
	}
	switch {
	case out.Different > 0:
		out.Verdict = rebuild.Different
	case out.Unchecked > 0 || len(results) == 0:
		out.Verdict = rebuild.Unchecked
	}
	return out, errors.Join(keepRebuilt(what.Keep, results), signRebuilt(ctx, &cfg, what.Keep, signer, out))
}

// signRebuilt signs a statement about each binary that came out identical.
func signRebuilt(ctx context.Context, cfg *Config, dir string, signer *checksums.Signer, out *Rebuilt) error {
	if signer == nil {
		return nil
	}
	out.SignedBy = signer.KeyID()
	for i, r := range out.Results {
		if r.Verdict != rebuild.Identical {
			continue
		}
		digest := r.SHA256
		if r.Unpacked != "" {
			digest = r.Unpacked // what was built is what is inside
		}
		b := checksums.BinaryRebuild{
			Name: fileName(r.Name), SHA256: digest, Package: r.Package, Platform: r.Platform, Command: r.Command, Env: r.Env, Stamp: r.Stamp,
			Source:    checksums.Source{Module: r.Source.Module, Version: r.Source.Version, Sum: r.Source.Sum, SumDB: r.Source.SumDB, Commit: r.Source.Revision},
			Toolchain: checksums.Toolchain{Version: r.Toolchain.Version, Host: r.Toolchain.Host, Module: r.Toolchain.Module, Sum: r.Toolchain.Sum, SumDB: r.Toolchain.SumDB},
			Builder:   checksums.Builder{Name: "mintmark", Version: cfg.Tool},
		}
		payload, err := b.Encode()
		if err != nil {
			return err
		}
		bundle, err := checksums.SignStatement(ctx, signer, payload)
		if err != nil {
			return fmt.Errorf("signing the statement about %s: %w", r.Name, err)
		}
		name := filepath.Join(dir, fmt.Sprintf("%d-%s", i+1, fileName(r.Name))+checksums.StatementSuffix)
		if err := writeWhole(name, bundle); err != nil {
			return err
		}
		out.Statements = append(out.Statements, name)
	}
	return nil
}

// fileName is the base name of a file or of an archive's member, fit for any system.
func fileName(name string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(`/\:*?"<>|!@ `, c) || c < ' ' {
			return '_'
		}
		return c
	}, filepath.Base(name))
}

// foreignConfig lends the session's parts.
func (s *session) foreignConfig(work string, what Foreign) foreign.Config {
	began := map[string]time.Time{}
	var mu sync.Mutex // toolchains may be installed side by side
	return foreign.Config{
		Place: s.place, Fetcher: s.fetcher, Work: work, Source: what.Source, Like: what.Like, Jobs: s.Jobs,
		Goroot: func(ctx context.Context, version string) (*toolchain.Goroot, error) {
			t, err := s.fetcher.Toolchain(ctx, version)
			if err != nil {
				return nil, err
			}
			g, err := t.Install(ctx, filepath.Join(s.Cache, "first", "go", t.DirName()), s.known)
			if err == nil {
				mu.Lock()
				s.settle = append(s.settle, func() error { return g.Settle(ctx) })
				mu.Unlock()
			}
			return g, err
		},
		Unpack: s.unpacker(),
		Event: func(name string, r *foreign.Result) { // never from two goroutines at once
			if r == nil {
				began[name] = time.Now()
				s.event(Event{Kind: Start, ID: name, Text: "rebuild"})
				return
			}
			if at, ok := began[name]; ok {
				r.Seconds = time.Since(at).Round(100 * time.Millisecond).Seconds()
			} else {
				s.event(Event{Kind: Start, ID: name, Text: "rebuild"})
			}
			s.event(Event{Kind: Done, ID: name, Text: r.Verdict})
		},
	}
}

// unpacker finds UPX when the first packed file comes up.
func (s *session) unpacker() func(ctx context.Context, packer, file, out string) error {
	find := sync.OnceValues(func() (*upx.Tool, error) {
		return upx.Find(context.Background(), upx.Config{Dirs: filepath.SplitList(s.env("PATH"))})
	})
	return func(ctx context.Context, packer, file, out string) error {
		tool, err := find()
		if err != nil {
			return err
		}
		if err := tool.Unpack(ctx, file, out); err != nil {
			return fmt.Errorf("UPX %s: %w", tool.Version, err)
		}
		return nil
	}
}

// keepRebuilt writes the recovered profiles, and the rebuilt files of those
// binaries that came out different.
func keepRebuilt(dir string, results []*foreign.Result) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i, r := range results {
		base := fmt.Sprintf("%d-%s", i+1, fileName(r.Name))
		if r.Profile != "" {
			if err := os.WriteFile(filepath.Join(dir, base+".yaml"), []byte(r.Profile), 0o644); err != nil {
				return err
			}
		}
		if kept := r.Kept(); kept != "" && r.Verdict != rebuild.Identical {
			if _, _, err := copyFile(kept, filepath.Join(dir, base+".rebuilt"), 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}
