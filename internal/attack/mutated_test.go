package attack

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/ledger"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/pgo"
	"github.com/mintmark/mintmark/internal/sizes"
)

// Bounds of one input. Time is generous, since other tests run beside this one:
// it finds what hangs, not what is slow.
const (
	maxTime   = 60 * time.Second
	maxMemory = 64 << 20 // bytes, and 64 for each byte of the input
)

// kind is one kind of file: what it looks like undamaged, how it is damaged,
// and what reads it. read returns nil or an error; that what it says holds is
// checked in it.
type kind struct {
	name   string
	count  int
	seed   []byte
	damage func(m *mutator, seed []byte) []byte
	places []int64
	read   func(t *testing.T, b []byte) error
}

// TestMutated damages files of every kind that strangers give us: nothing
// panics, nothing hangs, memory stays in proportion, and each ends in a result
// or an error. The damage is the same in each run.
func TestMutated(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	began := time.Now()
	all, refused := 0, 0
	for _, k := range append(binaries(t), documents(t)...) {
		t.Run(k.name, func(t *testing.T) {
			if err := k.read(t, k.seed); err != nil {
				t.Fatalf("undamaged: %v", err)
			}
			bad := 0
			for i := range k.count {
				b := k.damage(newMutator(uint64(i), k.places), k.seed)
				if bound(t, k, i, b) != nil {
					bad++
				}
			}
			t.Logf("%d, %d of them refused", k.count, bad)
			if bad < k.count/20 {
				t.Errorf("only %d of %d were refused: is it damaged where it is read?", bad, k.count)
			}
			all, refused = all+k.count, refused+bad
		})
	}
	t.Logf("%d damaged files, %d of them refused, in %s", all, refused, time.Since(began).Round(100*time.Millisecond))
	if all < 2000 {
		t.Errorf("only %d damaged files", all)
	}
}

// bound reads one input within the bounds. The number is the seed of its damage.
func bound(t *testing.T, k kind, number int, b []byte) (err error) {
	t.Helper()
	name := fmt.Sprintf("%s %d", k.name, number)
	hangs := time.AfterFunc(maxTime, func() {
		panic(name + ": not done after " + maxTime.String()) // nothing else ends a loop
	})
	defer hangs.Stop()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: panic: %v\n%s", name, r, stack())
			err = errors.New("panic")
		}
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = k.read(t, b)
	runtime.ReadMemStats(&after)
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(maxMemory+64*len(b)); got > limit {
		t.Errorf("%s: %d bytes allocated for a file of %d", name, got, len(b))
	}
	if err != nil && strings.TrimSpace(err.Error()) == "" {
		t.Errorf("%s: an error without a text: %T", name, err)
	}
	return err
}

func stack() []byte {
	b := make([]byte, 4<<10)
	return b[:runtime.Stack(b, false)]
}

// program builds a small program for a platform.
func program(t *testing.T, goos, goarch string) (path string, data []byte, places []int64) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/small\n\ngo 1.24.0\n", "main.go": "package main\n\nfunc main() { println(1) }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(dir, "small")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := gobin.Parse(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Sections {
		places = append(places, s.Offset)
	}
	if p, err := f.PCLNTab(); err == nil {
		places = append(places, p.Offset, p.FuncNames, p.CUs, p.FileNames, p.PCTables, p.Funcs)
	}
	return path, data, places
}

// binaries are the three formats. All damaged files are read as inspect and
// rebuild read them; of some the sizes are taken, and they are compared with
// the undamaged one.
func binaries(t *testing.T) (kinds []kind) {
	for _, p := range []struct{ format, goos, goarch string }{{"ELF", "linux", "amd64"}, {"Mach-O", "darwin", "arm64"}, {"PE", "windows", "amd64"}} {
		path, data, places := program(t, p.goos, p.goarch)
		at := filepath.Join(t.TempDir(), "damaged")
		kinds = append(kinds,
			kind{name: p.format, count: 320, seed: data, damage: (*mutator).binary, places: places, read: readBinary},
			kind{name: p.format + " sizes", count: 24, seed: data, damage: (*mutator).binary, places: places, read: func(t *testing.T, b []byte) error {
				write(t, at, b)
				l, err := sizes.Analyze(context.Background(), at, sizes.Options{})
				if err != nil {
					return err
				}
				sizes.Summarize(l)
				return l.Check()
			}},
			kind{name: p.format + " compared", count: 24, seed: data, damage: (*mutator).binary, places: places, read: func(t *testing.T, b []byte) error {
				write(t, at, b)
				d, err := bindiff.Compare(context.Background(), path, at, bindiff.Known{})
				if err != nil {
					return err
				}
				if d.Equal != bytes.Equal(b, data) {
					t.Errorf("equal: %v, and of the bytes: %v", d.Equal, !d.Equal)
				}
				if !d.Equal {
					return errors.New("differs, as it should")
				}
				return nil
			}})
	}
	return kinds
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o755); err != nil {
		t.Fatal(err)
	}
}

// readBinary reads all that inspect and rebuild read of a binary. The first
// error is returned, but the rest is read all the same.
func readBinary(t *testing.T, b []byte) error {
	f, err := gobin.Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	var errs []error
	_, err = f.Packer()
	errs = append(errs, err)
	_, err = f.Signature()
	errs = append(errs, err)
	_, err = f.Untouched()
	errs = append(errs, err)
	_, err = recovery.ReadClaim(f)
	errs = append(errs, err)
	f.Symbols(func([]byte, uint64) bool { return true }) // stripped: an error, damaged or not
	tab, err := f.PCLNTab()
	errs = append(errs, err)
	if err == nil {
		_, err = tab.Files()
		errs = append(errs, err)
	}
	funcs, err := f.Functions()
	errs = append(errs, err)
	if err == nil {
		for i := range min(funcs.Len(), 2000) {
			fn, err := funcs.Func(i)
			if err != nil {
				errs = append(errs, err)
				break
			}
			funcs.File(fn)
		}
	}
	return errors.Join(errs...)
}

// documents are the signed files of a release, its plan, and profiles.
func documents(t *testing.T) []kind {
	golden := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("..", "..", "checksums", "testdata", "golden-ledger", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	verifier := goldenKey(t)
	list, manifest, record := golden(checksums.ChecksumsFile), golden(checksums.ManifestFile), golden("provenance.sigstore.json")
	statement, err := checksums.VerifyStatement(verifier, record)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := ledger.EncodeClaims(fact.Toolchain{Version: "go1.26.8", Host: "linux/amd64", Sum: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}, []ledger.Claim{})
	if err != nil {
		t.Fatal(err)
	}
	text := (*mutator).text
	return []kind{
		{name: "bundle of a file", count: 160, seed: golden(checksums.ChecksumsFile + ".sigstore.json"), damage: text, read: func(t *testing.T, b []byte) error {
			if err := checksums.VerifyBlob(verifier, b, append(bytes.Clone(list), ' ')); err == nil {
				t.Error("a damaged bundle verifies another file")
			}
			return checksums.VerifyBlob(verifier, b, list)
		}},
		{name: "bundle of a statement", count: 160, seed: record, damage: text, read: func(t *testing.T, b []byte) error {
			payload, err := checksums.VerifyStatement(verifier, b)
			if err == nil && !bytes.Equal(payload, statement) {
				t.Error("a damaged bundle verifies another statement")
			}
			return err
		}},
		{name: "statement", count: 120, seed: statement, damage: text, read: func(t *testing.T, b []byte) error {
			s, err := checksums.ParseStatement(b)
			if err != nil {
				return err
			}
			if again, err := s.Encode(); err != nil || !bytes.Equal(again, b) {
				t.Errorf("accepted, and not what it would be written as: %v", err)
			}
			return nil
		}},
		{name: "manifest", count: 240, seed: manifest, damage: text, read: func(t *testing.T, b []byte) error {
			m, err := checksums.ParseManifest(b)
			if err != nil {
				return err
			}
			if again, err := m.Encode(); err != nil || !bytes.Equal(again, b) {
				t.Errorf("accepted, and not what it would be written as: %v", err)
			}
			return nil
		}},
		{name: "list of checksums", count: 80, seed: list, damage: text, read: func(_ *testing.T, b []byte) error {
			_, err := checksums.ParseList(b)
			return err
		}},
		{name: "plan", count: 120, seed: planBytes(t), damage: text, read: func(_ *testing.T, b []byte) error {
			p, err := plan.Decode(b)
			if err != nil {
				return err
			}
			return p.CheckForeign()
		}},
		{name: "ledger of others", count: 80, seed: claims, damage: text, read: func(_ *testing.T, b []byte) error {
			_, _, err := ledger.DecodeClaims(b)
			return err
		}},
		{name: "profile", count: 120, seed: profile(), damage: (*mutator).binary, read: readProfile},
		{name: "profile, single bytes", count: 240, seed: profile(), damage: (*mutator).bytes, read: readProfile},
	}
}

func readProfile(_ *testing.T, b []byte) error {
	p, err := pgo.Parse(b)
	if err != nil {
		return err
	}
	_, err = pgo.Merge(p, p)
	return err
}

// goldenKey is the key of the releases in checksums/testdata, which everybody
// knows: 1, 2, … 32.
func goldenKey(t *testing.T) checksums.Trust {
	t.Helper()
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = byte(i + 1)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		t.Fatal(err)
	}
	v, err := checksums.NewTrust(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// plan is a plan of two units, as a release has it.
func planBytes(t *testing.T) []byte {
	t.Helper()
	unit := func(arch string) *plan.Unit {
		return &plan.Unit{
			Profile: "release", Platform: "linux/" + arch, Env: []string{"GOOS=linux", "GOARCH=" + arch, map[string]string{"amd64": "GOAMD64=v1", "arm64": "GOARM64=v8.0"}[arch], "CGO_ENABLED=0"},
			Flags: []string{"-trimpath", "-buildvcs=true", "-ldflags=-s -w"}, Mains: []fact.Main{{Package: "example.com/m", Binary: "m"}},
			Archive: "tar.gz", Name: "m_1.2.3_linux_" + arch, Files: []string{"LICENSE"}, Verify: "require",
		}
	}
	p := plan.Plan{
		Schema: fact.PlanSchema, Project: "m", Version: "1.2.3", Go: "go1.26.8", Env: plan.CommonEnv(),
		Source: fact.SourceID{Kind: "git", Module: "example.com/m", Version: "v1.2.3", Sum: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
			Commit: strings.Repeat("01", 20), CommitTime: "2026-01-02T03:04:05Z"},
		Units: []*plan.Unit{unit("amd64"), unit("arm64")},
	}
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// profile is a CPU profile with stacks of several depths, not compressed.
func profile() []byte {
	p := pgo.Profile{Kinds: []string{"samples/count", "cpu/nanoseconds"}, Period: 10_000_000, Duration: 1e9}
	var frames []pgo.Frame
	for i := range 12 {
		frames = append(frames, pgo.Frame{Function: fmt.Sprintf("example.com/m.f%d", i%5), File: "/src/m.go", StartLine: int64(10 * i), Line: int64(10*i + 3), Inlined: i%3 == 0 && i < 9})
		p.Stacks = append(p.Stacks, pgo.Stack{Frames: append([]pgo.Frame(nil), append(frames, pgo.Frame{Function: "main.main", File: "/src/main.go", Line: 3})...), Values: []int64{int64(i + 1), int64(i+1) * 10_000_000}})
	}
	return p.Encode()
}
