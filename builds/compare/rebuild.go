// Package compare builds a plan a second time with nothing shared and says
// what came of it.
//
// The second place ([Second]) differs from the first in everything a build could
// depend on without being told; the two builds have in common what the plan
// says, the machine, its kernel and C compiler, and the bytes of the toolchain
// and module zips, which are checked by hash in both. What was varied and what
// was shared goes into the manifest: not what is meant here, but what is found
// when the circumstances of the executions are compared ([fact.Compare]).
//
// A verdict is identical only after a comparison of all bytes. Everything that
// was not compared is unchecked, with the reason.
package compare

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
)

// First is the place of the first build: plain circumstances below root, with
// caches that outlive the release below cache.
func First(root, cache, git string) *toolchain.Place {
	return &toolchain.Place{
		Home:     filepath.Join(root, "home"),
		Tmp:      filepath.Join(root, "tmp"),
		Empty:    filepath.Join(root, "empty"),
		GoCache:  filepath.Join(cache, "gocache"),
		ModCache: filepath.Join(cache, "modcache"),
		Git:      git,
		TimeZone: "UTC",
		Language: "C",
		Umask:    0o022,
	}
}

// Second is the place of the second build. It shares no file with the first.
// Nothing in it outlives the release but unpacked modules, if cache is given:
// the module cache is then below that directory, and whoever uses it checks
// each module's content against go.sum ([plan.UseKeptModules]). The toolchain
// is kept elsewhere, and checked in the same way. The build cache begins empty:
// what is proven may be put into it, nothing else. Its path is longer than the
// first one's, has a character in it that quoting trips over, and differs from
// its first part on.
func Second(root, cache, git string) *toolchain.Place {
	const name = "second place"
	root = filepath.Join(root, name)
	modules := filepath.Join(root, "modules")
	if cache != "" {
		modules = filepath.Join(cache, name, "modules")
	}
	return &toolchain.Place{
		Home:      filepath.Join(root, "h"),
		Tmp:       filepath.Join(root, "scratch", "t"),
		Empty:     filepath.Join(root, "nothing"),
		GoCache:   filepath.Join(root, "objects"),
		ModCache:  modules,
		Git:       git,
		TimeZone:  "Pacific/Chatham", // 12:45 or 13:45 hours ahead
		Language:  "C.UTF-8",
		MaxProcs:  runtime.NumCPU() + 1,
		Umask:     0o027,
		Hostname:  "mintmark-second",
		OtherUser: true,
	}
}

// Result is what came of comparing one file of two builds.
type Result struct {
	Verdict fact.Verdict
	Reason  string // of unchecked
	Diff    *bindiff.Diff
}

// Check compares two files byte for byte and, where they differ, says where and
// why. What is known to be the same of the two builds is no reason.
func Check(ctx context.Context, first, second string, known bindiff.Known) (Result, error) {
	d, err := bindiff.Compare(ctx, first, second, known)
	if err != nil {
		return Result{Verdict: fact.Unchecked, Reason: "the comparison failed"}, fmt.Errorf("comparing %s: %w", filepath.Base(first), err)
	}
	if d.Equal {
		return Result{Verdict: fact.Identical}, nil
	}
	return Result{Verdict: fact.Different, Diff: d}, nil
}
