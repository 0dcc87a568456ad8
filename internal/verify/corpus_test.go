package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/forgery"
	"github.com/mintmark/mintmark/internal/run"
)

// attack is one release that somebody made to deceive or to harm whoever
// verifies it, and how it has to end.
type attack struct {
	name  string
	verbs verbSet
	code  int
	want  string // part of the error
	alter func(*forged)
}

// verbSet names the verbs that read what an attack alters. The others are not
// asked: they may well end otherwise.
type verbSet []string

var (
	whole   = verbSet{"verify", "verify -rebuild", "attest", "report", "verify -rebuilder"} // a directory, with the key
	dirs    = append(verbSet{"verify -unsigned"}, whole...)                                 // what needs no signature as well
	signed  = append(verbSet{"verify release.json"}, whole...)                              // the record as well
	all     = append(verbSet{"verify release.json", "verify -unsigned"}, whole...)          // the manifest
	builds3 = verbSet{"verify -rebuild", "attest", "verify -rebuild release.json"}          // what is about to build by the plan
	quorums = verbSet{"verify -rebuilder"}
	reports = verbSet{"report"}
)

// turn is the half of many verbs that the row of that number asks. They begin
// with the same verification, of which every row asks verify; that none of them
// leaves it out is seen as well by every second row.
func (s verbSet) turn(row int) verbSet {
	if len(s) <= 3 {
		return s
	}
	var half verbSet
	for i, verb := range s {
		if verb == "verify" || (i+row)%2 == 0 {
			half = append(half, verb)
		}
	}
	return half
}

// forged is a release in the making.
type forged struct {
	*forgery.Release
	t            *testing.T
	k            *keys
	by, stranger checksums.Signer               // of all there is; whom nobody knows
	signClaim    checksums.Signer               // of the rebuild statement
	text         map[string]func(string) string // what becomes of a file before it is signed; "record" and "claim" are the payloads
	// bundle is what becomes of files once all is signed, signatures among them.
	bundle map[string]func(string) string
	disk   []func(dir string) error // after everything
	claim  func(*checksums.Statement)
	ask    func(*Config)
}

func (f *forged) must(err error) {
	if err != nil {
		f.t.Helper()
		f.t.Fatal(err)
	}
}

func (f *forged) read(name string) string {
	data, err := os.ReadFile(filepath.Join(f.Dir, name))
	f.must(err)
	return string(data)
}

func (f *forged) put(name, text string) {
	f.must(os.WriteFile(filepath.Join(f.Dir, name), []byte(text), 0o644))
}

// swap replaces text that has to be there.
func (f *forged) swap(text, old, by string) string {
	f.t.Helper()
	if !strings.Contains(text, old) || old == by {
		f.t.Fatalf("the attack does nothing: %q is not in\n%s", old, text)
	}
	return strings.Replace(text, old, by, 1)
}

func sum(text string) string {
	d := sha256.Sum256([]byte(text))
	return hex.EncodeToString(d[:])
}

// finish signs the release, and what was made of its texts: every digest of
// them is put in order, so that only what was altered is wrong.
func (f *forged) finish(ctx context.Context) {
	f.must(f.Sign(ctx, f.by))
	edit := func(name, text string) string {
		if change := f.text[name]; change != nil {
			again := change(text)
			if again == text {
				f.t.Fatalf("the attack does nothing to %s", name)
			}
			return again
		}
		return text
	}
	if len(f.text) > 0 {
		manifest, list := f.read(checksums.ManifestFile), f.read(checksums.ChecksumsFile)
		payload, err := checksums.VerifyStatement(f.by.Trust(), []byte(f.read(checksums.ProvenanceBundle)))
		f.must(err)
		record := string(payload)
		edited := edit(checksums.ManifestFile, manifest)
		was := list
		list = strings.ReplaceAll(list, sum(manifest), sum(edited))
		record = strings.ReplaceAll(record, sum(manifest), sum(edited))
		list = edit(checksums.ChecksumsFile, list)
		record = edit("record", strings.ReplaceAll(record, sum(was), sum(list)))
		f.put(checksums.ManifestFile, edited)
		f.put(checksums.ChecksumsFile, list)
		bundle, err := checksums.SignBlob(ctx, f.by, []byte(list))
		f.must(err)
		f.put(checksums.ChecksumsBundle, string(bundle))
		bundle, err = checksums.SignStatement(ctx, f.by, []byte(record))
		f.must(err)
		f.put(checksums.ProvenanceBundle, string(bundle))
	}
	f.rebuilt(ctx, edit)
	for name, change := range f.bundle {
		f.put(name, change(f.read(name)))
	}
	for _, change := range f.disk {
		err := change(f.Dir)
		if err != nil && runtime.GOOS == "windows" {
			f.t.Skip("Windows makes no such file: ", err)
		}
		f.must(err)
	}
}

// rebuiltFile is a rebuilder's statement beside the release, which vouches for all of it.
const rebuiltFile = "small" + checksums.StatementSuffix

// rebuilt puts the rebuilder's statement there, where the manifest can have one.
func (f *forged) rebuilt(ctx context.Context, edit func(name, text string) string) {
	m, err := checksums.ParseManifest([]byte(f.read(checksums.ManifestFile)))
	if err != nil || m.Kind != checksums.KindRelease {
		return
	}
	var rebuilt []checksums.RebuiltArtifact
	for _, a := range m.Artifacts {
		rebuilt = append(rebuilt, checksums.RebuiltArtifact{Profile: a.Profile, Platform: a.Platform, Stage: a.Stage, Name: a.Name,
			SHA256: a.SHA256, Rebuilt: a.SHA256, Verdict: fact.Identical})
	}
	st, err := checksums.NewRebuildStatement(m, sum(f.read(checksums.ManifestFile)), m.Toolchain, m.Builder, rebuilt, checksums.Rebuild{Executions: 1})
	f.must(err)
	if f.claim != nil {
		f.claim(st)
	}
	payload, err := st.Encode()
	f.must(err)
	bundle, err := checksums.SignStatement(ctx, f.signClaim, []byte(edit("claim", string(payload))))
	f.must(err)
	f.put(rebuiltFile, string(bundle))
}

// attackers are who makes and who verifies the releases of the corpus.
type attackers struct {
	*keys
	stranger  checksums.Signer
	signer    checksums.Signer // the rebuilder's
	cache     string
	base      string // an unaltered release
	statement string // what attest would write
}

func newAttackers(t *testing.T) *attackers {
	t.Helper()
	k := newKeys(t)
	a := &attackers{keys: k, cache: filepath.Join(t.TempDir(), "cache"), base: t.TempDir(), statement: filepath.Join(k.dir, "new"+checksums.StatementSuffix)}
	other := newKeys(t)
	a.stranger = other.publisher
	var err error
	if a.signer, err = checksums.LoadSigner(t.Context(), k.rebuilder, nil); err != nil {
		t.Fatal(err)
	}
	r, err := forgery.Small(t.Context(), a.base)
	if err == nil {
		err = r.Sign(t.Context(), k.publisher)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// make makes the altered release.
func (a *attackers) make(t *testing.T, alter func(*forged)) *forged {
	t.Helper()
	r, err := forgery.Copy(a.base, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := &forged{Release: r, t: t, k: a.keys, by: a.publisher, stranger: a.stranger, signClaim: a.signer, text: map[string]func(string) string{}, bundle: map[string]func(string) string{}}
	alter(f)
	f.finish(t.Context())
	return f
}

// ask runs a verb on the release.
func (a *attackers) ask(t *testing.T, verb string, f *forged) error {
	vc := Config{Path: f.Dir, Key: a.public}
	if f.ask != nil {
		f.ask(&vc)
	}
	// Nothing is reached: there is no proxy, and no such repository.
	cfg := run.Config{Cache: a.cache, Environ: []string{"PATH=" + os.Getenv("PATH"), "GOPROXY=off", "GOSUMDB=off", "HOME=" + a.dir},
		Key: a.rebuilder, Password: func() ([]byte, error) { return []byte{}, nil }}
	source := filepath.Join(a.dir, "no-such-repository")
	alone := vc
	alone.Path = filepath.Join(f.Dir, checksums.ManifestFile)
	var err error
	switch verb {
	case "verify":
		_, err = Release(t.Context(), vc)
	case "verify release.json":
		_, err = Release(t.Context(), alone)
	case "verify -unsigned":
		vc.Key, vc.Unsigned = checksums.KeyRef{}, true
		_, err = Release(t.Context(), vc)
	case "verify -rebuild":
		_, err = Rebuild(t.Context(), cfg, vc, source)
	case "verify -rebuild release.json":
		_, err = Rebuild(t.Context(), cfg, alone, source)
	case "attest":
		_, err = Attest(t.Context(), cfg, vc, source, a.statement)
		if _, serr := os.Lstat(a.statement); serr == nil {
			t.Error("attest: something was signed")
		}
	case "report":
		_, err = Report(t.Context(), ReportConfig{Config: vc})
	case "verify -rebuilder":
		if vc.Rebuilders == nil {
			vc.Rebuilders = []checksums.KeyRef{a.rebuilders}
		}
		_, err = Release(t.Context(), vc)
	default:
		t.Fatalf("no verb %s", verb)
	}
	return err
}

// corpus are all attacks, by what they forge.
func corpus() map[string][]attack {
	return map[string][]attack{
		"manifests": slices.Concat(manifestAttacks(), manifestTextAttacks()),
		"records":   slices.Concat(listAttacks(), recordAttacks(), bundleAttacks(), quorumAttacks()),
		"files":     slices.Concat(diskAttacks(), archiveAttacks(), reportAttacks()),
		"plans":     slices.Concat(planAttacks(), planTextAttacks()),
	}
}

// TestCorpus: no forged release and no hostile plan gets past a verb that reads
// what is wrong with it; each is refused with its exit code and for its reason,
// and before anything is fetched, built, written or signed. The same release
// with nothing altered passes, so that every one of them could.
func TestCorpus(t *testing.T) {
	a := newAttackers(t)
	t.Run("unaltered", func(t *testing.T) { unaltered(t, a) })
	rows, asked, codes := map[string]int{}, 0, map[int]int{}
	list := corpus()
	for _, kind := range slices.Sorted(maps.Keys(list)) {
		names := map[string]bool{}
		for i, row := range list[kind] {
			if names[row.name] {
				t.Errorf("%s: two attacks are called %q", kind, row.name)
			}
			names[row.name] = true
			rows[kind]++
			if testing.Short() && i%4 != 0 { // a quarter of each kind
				continue
			}
			t.Run(kind+"/"+row.name, func(t *testing.T) {
				f := a.make(t, row.alter)
				if slices.Equal(row.verbs, builds3) {
					// The plan alone is wrong: whoever does not build by it has nothing to refuse.
					if err := a.ask(t, "verify", f); err != nil {
						t.Errorf("verify: %v", err)
					}
				}
				for _, verb := range row.verbs.turn(i) {
					err := a.ask(t, verb, f)
					asked++
					codes[fault.ExitCode(err)]++
					switch {
					case err == nil:
						t.Errorf("%s: accepted", verb)
					case fault.ExitCode(err) != row.code:
						t.Errorf("%s: exit code %d, want %d: %v", verb, fault.ExitCode(err), row.code, err)
					case row.want == "" || !strings.Contains(err.Error(), row.want):
						t.Errorf("%s: no %q in\n%.2000s", verb, row.want, err)
					case strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == 0x202e }):
						t.Errorf("%s: the error would do something to a terminal: %q", verb, err)
					case len(err.Error()) > 64<<10:
						t.Errorf("%s: the error has %d bytes", verb, len(err.Error()))
					}
				}
			})
		}
	}
	if _, err := os.Lstat(filepath.Join(a.cache, "rebuild", "go")); err == nil {
		t.Error("something was fetched")
	}
	releases := rows["manifests"] + rows["records"] + rows["files"]
	t.Logf("%d forged releases (%d manifests, %d lists, records and signatures, %d with other files), %d hostile plans; %d verbs asked; exit codes %v",
		releases, rows["manifests"], rows["records"], rows["files"], rows["plans"], asked, codes)
	if releases < 90 || rows["plans"] < 60 || codes[0] != 0 {
		t.Errorf("%d releases, %d plans, exit codes %v", releases, rows["plans"], codes)
	}
}

// unaltered asks every verb about releases in which nothing is wrong.
func unaltered(t *testing.T, a *attackers) {
	for name, alter := range map[string]func(*forged){
		"as it is":      func(*forged) {},
		"built again":   func(f *forged) { f.must(f.Build(t.Context())) },
		"a tar of ours": tarball(tarEntries()),
		"a zip of ours": zipped(zipEntries()),
		"with a ledger": withLedger,
	} {
		f := a.make(t, alter)
		for _, verb := range all {
			err := a.ask(t, verb, f)
			want := 0
			if verb == "verify -rebuild" || verb == "attest" {
				want = fault.Failed // they get as far as fetching the toolchain
			}
			if err == nil && want == 0 {
				continue
			}
			if err == nil || fault.ExitCode(err) != want || want != 0 && !strings.Contains(err.Error(), "GOPROXY=off") {
				t.Errorf("%s: %s: exit code %d, want %d: %v", name, verb, fault.ExitCode(err), want, err)
			}
		}
	}
}

// mapJSON alters a bundle as a tree.
func mapJSON(t *testing.T, text string, change func(map[string]any)) string {
	var tree map[string]any
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		t.Fatal(err)
	}
	change(tree)
	out, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", text, err))
	}
	return string(out)
}
