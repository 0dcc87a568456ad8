package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/patch"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/upx"
)

// BinariesConfig says which binaries of others to rebuild, and from what.
type BinariesConfig struct {
	Names  []string // binaries, archives, directories
	Source string   // directory or URL of a git repository; "" asks the module proxy
	Like   string   // a sibling binary, for files that say nothing of themselves
	// Patch is a unified diff against GOROOT: how the toolchain that the binaries were
	// made with differs from the release that it names. "" for none that is brought.
	Patch string
	// Key is the private key that signs a statement about each binary that came
	// out identical; the zero value signs nothing. The statements go into Keep,
	// or the working directory.
	Key  checksums.KeyRef
	Keep string // directory for recovered profiles and for rebuilt files that differ; "" keeps nothing
	// Resume is a file with the results of earlier runs, which are not made again, and to
	// which those of this run are added one by one; "" for none. Nothing is signed of them.
	Resume string
	// Pages is a directory that gets a page and a document for each digest, and an index
	// of all that are there, to be published as it is; "" for none.
	Pages string
	// WorstFirst orders the results: different, unchecked, identical.
	WorstFirst bool
}

// BinariesResult is what came of rebuilding binaries of others.
type BinariesResult struct {
	Schema        fact.Schema  `json:"schema"`
	Verdict       fact.Verdict `json:"verdict"` // the worst of all
	fact.Verdicts              // of Results
	// Results are of everything that is a program, may be one, or may hold one:
	// it counts as above. Listed was looked at and is none, and Holders are the
	// directories and archives that all of it was found in, whose own bytes are
	// not made again.
	Results []*recovery.Result `json:"results"`
	// Reasons count the results by verdict and by how their reasons begin, the most first.
	Reasons []ReasonCount     `json:"by_reason"`
	Listed  []recovery.Listed `json:"not_programs"`
	Holders []recovery.Holder `json:"holders"`

	SignedBy fact.SignerID `json:"signed_by,omitzero"`
	// Statements are the files of what was signed, in the order of the results.
	Statements []string `json:"statements,omitempty"`
}

// ReasonCount is how many results have a verdict for one kind of reason.
type ReasonCount struct {
	Verdict fact.Verdict `json:"verdict"`
	Reason  string       `json:"reason,omitempty"` // as [recovery.Result.ReasonKind]
	Count   int          `json:"count"`
}

// Binaries rebuilds published binaries and compares them bit for bit. Nothing
// is believed of a file but that it says where it comes from. The error is
// about this machine; what came of each file is in the result.
func Binaries(ctx context.Context, cfg run.Config, what BinariesConfig) (_ *BinariesResult, err error) {
	defer func() { err = run.ExplainFull(err) }()
	for _, name := range what.Names {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return nil, fault.Usagef("name a binary, an archive with binaries, or a directory of these", "%w", err)
		}
	}
	changed, err := readPatch(what.Patch)
	if err != nil {
		return nil, err
	}
	var signer checksums.Signer
	if !what.Key.IsZero() {
		if signer, err = checksums.LoadSigner(ctx, what.Key, cfg.Password); err != nil {
			return nil, fmt.Errorf("signing key: %w", checksums.Misnamed(what.Key, err))
		}
	}
	s, err := run.Begin(&cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	// Caches of its own: what others publish has no business in those of
	// releases. Only -source= needs git.
	t, err := fetch.FindTools(ctx, s, filepath.Join(cfg.Cache, "foreign"), false)
	if err != nil {
		return nil, err
	}
	work := filepath.Join(s.Workspace.Dir, "foreign")
	members := filepath.Join(work, "members")
	if err := os.MkdirAll(members, 0o755); err != nil {
		return nil, err
	}
	s.Phase("reading")
	found, err := recovery.Collect(ctx, what.Names, members)
	if err != nil {
		return nil, err
	}
	cfg.Emit(run.Event{Kind: run.Total, N: len(found.Inputs)})
	s.Phase("rebuilding")
	rc := foreignConfig(s, t, work, what)
	rc.Patch = changed
	var before *earlier
	if what.Resume != "" {
		if before, err = loadEarlier(what.Resume, cfg.Tool, what, changed); err != nil {
			return nil, err
		}
		rc.Earlier = before.of
		event := rc.Event
		rc.Event = func(name string, r *recovery.Result) {
			event(name, r)
			if r != nil {
				before.add(r)
			}
		}
	}
	results, err := recovery.Rebuild(ctx, rc, found.Inputs)
	if err = errors.Join(err, before.failed()); err != nil {
		return nil, err
	}
	if what.WorstFirst {
		slices.SortStableFunc(results, func(x, y *recovery.Result) int {
			return cmp.Or(badness(y.Verdict)-badness(x.Verdict), cmp.Compare(x.Name, y.Name))
		})
	}
	out := newRebuilt(found, results)
	kept := keepRebuilt(ctx, what.Keep, results) // makes the directory that statements go to
	statements, err := signRebuilt(ctx, &cfg, what.Keep, signer, out)
	return out, errors.Join(kept, err, writePages(what.Pages, cfg.Tool, out, statements))
}

// readPatch reads a patch of a toolchain; nil for no name.
func readPatch(name string) (*patch.Patch, error) {
	if name == "" {
		return nil, nil
	}
	data, err := files.Read(name, patch.MaxSize)
	if err != nil {
		return nil, fault.Usagef("name a unified diff against GOROOT", "-patch: %w", err)
	}
	return toolchain.ParsePatch(name, data)
}

// newRebuilt counts. Nothing is identical when nothing was rebuilt.
func newRebuilt(found *recovery.Found, results []*recovery.Result) *BinariesResult {
	out := &BinariesResult{
		Schema: fact.RebuildReport, Results: results,
		Listed: append([]recovery.Listed{}, found.Listed...), Holders: append([]recovery.Holder{}, found.Holders...),
	}
	for _, r := range results {
		out.Count(r.Verdict)
	}
	out.Verdict = out.Worst()
	out.Reasons = countReasons(results)
	return out
}

// badness orders verdicts.
func badness(v fact.Verdict) int {
	switch v {
	case fact.Identical:
		return 0
	case fact.Different:
		return 2
	}
	return 1
}

// countReasons counts the most frequent first.
func countReasons(results []*recovery.Result) []ReasonCount {
	out := []ReasonCount{}
	for _, r := range results {
		kind := r.ReasonKind()
		i := slices.IndexFunc(out, func(c ReasonCount) bool { return c.Verdict == r.Verdict && c.Reason == kind })
		if i < 0 {
			i, out = len(out), append(out, ReasonCount{Verdict: r.Verdict, Reason: kind})
		}
		out[i].Count++
	}
	slices.SortStableFunc(out, func(x, y ReasonCount) int {
		return cmp.Or(badness(y.Verdict)-badness(x.Verdict), y.Count-x.Count, cmp.Compare(x.Reason, y.Reason))
	})
	return out
}

// signRebuilt signs a statement about each binary whose bytes came out. Its
// subject is what was made here: of a packed file that could not be packed
// again, what it unpacks to; of a signed one, what was signed. A universal binary has one
// for each slice. The statements are returned as well, by the digest of the file.
func signRebuilt(ctx context.Context, cfg *run.Config, dir string, signer checksums.Signer, out *BinariesResult) (map[string][]byte, error) {
	if signer == nil {
		return nil, nil
	}
	signed := map[string][]byte{}
	out.SignedBy = signer.ID()
	for i, r := range out.Results {
		digest, part := r.Reproduced()
		if digest == "" || r.Kind == recovery.KindUniversal || r.Earlier {
			continue
		}
		subject := fileName(r.Name)
		if part != "" {
			subject += "." + part
		}
		b := checksums.BinaryRebuild{
			Name: subject, SHA256: digest, Package: r.Package, Platform: r.Platform, Command: r.Command, Env: r.Env, Stamp: r.Stamp,
			Source:    checksums.Source{Module: r.Source.Module, Version: r.Source.Version, Sum: r.Source.Sum, SumDB: r.Source.SumDB, Commit: r.Source.Revision},
			Toolchain: r.Toolchain.Toolchain, Modified: r.Toolchain.Modified,
			Builder: checksums.Builder{Name: "mintmark", Version: cfg.Tool}, Confinement: r.Confinement, Packer: r.Packer,
		}
		if d := r.Directories; d != nil && d.Elsewhere == "" {
			b.Directories = &checksums.BuildDirectories{Source: d.Source, Goroot: d.Goroot, ModCache: d.ModCache}
		}
		payload, err := b.Encode()
		if err != nil {
			return nil, err
		}
		bundle, err := checksums.SignStatement(ctx, signer, payload)
		if err != nil {
			return nil, fmt.Errorf("signing the statement about %s: %w", r.Name, err)
		}
		name := filepath.Join(dir, fmt.Sprintf("%d-%s", i+1, fileName(r.Name))+checksums.StatementSuffix)
		if err := files.WriteOver(name, bundle, 0o644, keptReason, func(old []byte) bool {
			_, err := checksums.VerifyStatement(signer.Trust(), old)
			return err == nil
		}); err != nil {
			return nil, err
		}
		out.Statements = append(out.Statements, name)
		signed[r.SHA256] = bundle
	}
	return signed, nil
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

// foreignConfig lends the run's parts.
func foreignConfig(s *run.Run, tools *fetch.Tools, work string, what BinariesConfig) recovery.Config {
	unpacking := s.Confined.Part()
	unpack, repack := packers(s, unpacking)
	began := map[string]time.Time{}
	return recovery.Config{
		Place: tools.FetchPlace, Fetcher: tools.Fetcher, Confined: s.Confined, Unpacking: unpacking, Work: work, Source: what.Source, Like: what.Like, Jobs: s.Jobs,
		Goroot: func(ctx context.Context, version string) (*toolchain.Goroot, error) {
			t, err := tools.Fetcher.Toolchain(ctx, version)
			if err != nil {
				return nil, err
			}
			g, err := t.Install(ctx, filepath.Join(s.Cache, "first", "go", t.DirName()), s.Known)
			if err == nil {
				s.AtEnd(func() error { return g.Confirm(ctx) })
			}
			return g, err
		},
		Unpack: unpack, Repack: repack,
		Event: func(name string, r *recovery.Result) { // never from two goroutines at once
			if r == nil {
				began[name] = time.Now()
				s.Emit(run.Event{Kind: run.Start, ID: schedule.ID{Unit: name}, Text: name})
				return
			}
			if at, ok := began[name]; ok {
				r.Seconds = time.Since(at).Round(100 * time.Millisecond).Seconds()
			} else {
				s.Emit(run.Event{Kind: run.Start, ID: schedule.ID{Unit: name}, Text: name})
			}
			s.Emit(run.Event{Kind: run.Done, ID: schedule.ID{Unit: name}, Text: r.Outcome()})
		},
		Step: func(name, what string) {
			s.Emit(run.Event{Kind: run.Step, ID: schedule.ID{Unit: name}, Text: what})
		},
	}
}

// packers find UPX when the first packed file comes up.
func packers(s *run.Run, log *confine.Log) (unpack func(ctx context.Context, packer, file, out string) error, repack func(context.Context, recovery.Packing, string) (*fact.Packer, error)) {
	find := sync.OnceValues(func() (*upx.Tool, error) {
		return upx.Find(context.Background(), upx.Config{Confined: log, Dirs: filepath.SplitList(s.Env("PATH"))})
	})
	unpack = func(ctx context.Context, packer, file, out string) error {
		tool, err := find()
		if err != nil {
			return err
		}
		if err := tool.Unpack(ctx, file, out); err != nil {
			return fmt.Errorf("UPX %s: %w", tool.Version, err)
		}
		return nil
	}
	repack = func(ctx context.Context, p recovery.Packing, out string) (*fact.Packer, error) {
		tool, err := find()
		if err != nil {
			return nil, err
		}
		if mine := "UPX " + tool.Stamp(); p.Packer != "UPX" && p.Packer != mine {
			return nil, fmt.Errorf("packed by %s, and here is %s, which packs otherwise", p.Packer, mine)
		}
		flags, err := tool.Repack(ctx, upx.Compression{Method: p.Method, Level: p.Level}, p.File, p.Linked, out)
		if err != nil {
			return nil, err
		}
		return &fact.Packer{Name: "UPX", Version: tool.Version, SHA256: tool.SHA256, Flags: flags}, nil
	}
	return unpack, repack
}

// keptReason is why a file in the directory of -keep stays as it is.
const keptReason = "is not what this run found; an empty directory in -keep=DIR has none such"

// keepFile copies a file, unless the name is taken.
func keepFile(ctx context.Context, from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		a, _, errA := files.Digest(ctx, from)
		b, _, errB := files.Digest(ctx, to)
		if err := errors.Join(errA, errB); err != nil || a == b {
			return err
		}
		return files.NotReplaced(to, keptReason)
	}
	_, _, err := files.Copy(ctx, from, to, 0o755)
	return err
}

// keepRebuilt writes the recovered profiles, and the rebuilt files of those
// binaries that came out different.
func keepRebuilt(ctx context.Context, dir string, results []*recovery.Result) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i, r := range results {
		base := fmt.Sprintf("%d-%s", i+1, fileName(r.Name))
		if r.Profile != "" {
			if err := files.WriteOver(filepath.Join(dir, base+".yaml"), []byte(r.Profile), 0o644, keptReason, nil); err != nil {
				return err
			}
		}
		if kept := r.Kept(); kept != "" && r.Verdict != fact.Identical {
			if err := keepFile(ctx, kept, filepath.Join(dir, base+".rebuilt")); err != nil {
				return err
			}
		}
	}
	return nil
}
