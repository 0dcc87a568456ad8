package release

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/tool"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
)

// fakeNfpm takes the name of a package from its arguments and gives one that the true
// nfpm has made of the same files. What it was told and saw is left in the directory.
const fakeNfpm = `#!/bin/sh
for a; do case $a in --target=*) target=${a#--target=};; --config=*) config=${a#--config=};; esac; done
env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | cut -d= -f1 | sort | tr '\n' ' ' >> LOG
stat -c %Y in/* | sort -u | tr '\n' ' ' >> LOG
cat $config >> LOG
cp PACKAGES/$(basename $target) $target
DIFFER
`

// packaging makes packages of a program, once for each of two places.
type packaging struct {
	conf   [2]string // the text of a file of each copy of the source
	script [2]string // of each copy, runs after installing
	differ string    // is run by nfpm last
	change func(u *plan.Unit)

	// What is taken from a ledger below cache, which is no ledger if secret is empty.
	cache, secret string
	full          bool
	program       string // digest of nfpm
}

func (p packaging) run(t *testing.T) (r *UnitResult, log string, err error) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	dir := t.TempDir()
	known, err := filepath.Abs("../../builds/archive/testdata/packages")
	if err != nil {
		t.Fatal(err)
	}
	logFile := filepath.Join(dir, "log")
	text := strings.NewReplacer("LOG", logFile, "PACKAGES", known, "DIFFER", p.differ).Replace(fakeNfpm)
	write := func(name, data string) string {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o755); err != nil {
			t.Fatal(err)
		}
		return name
	}
	place := &toolchain.Place{Tmp: dir}
	of := &run.Run{
		Config:    &run.Config{Cache: p.cache, Secret: []byte(p.secret), Full: p.full, Now: time.Now()},
		Workspace: &workspace.Workspace{Dir: filepath.Join(dir, "work-"+filepath.Base(dir))}, // names the run
	}
	m := &Maker{
		Prepared: &Prepared{
			Of: &fetch.Planned{Copied: &fetch.Copied{Subject: &fetch.Subject{
				Run:   of,
				Found: fetch.Found{Source: &source.Source{CommitTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
			}}},
			Nfpm: &tool.Program{Known: tool.Nfpm(), Path: write("nfpm", text), SHA256: p.program, Place: place},
		},
		Stage: filepath.Join(dir, "stage"),
	}
	if p.cache != "" {
		m.Ledger = &ReleaseLedger{seeding: !p.full, made: openMade(of), warn: of.Warn}
	}
	if err := os.Mkdir(m.Stage, 0o755); err != nil {
		t.Fatal(err)
	}
	program := write("greet", "program\n")
	it := &item{product: &product{name: "greet"}, paths: []string{program, program}}
	it.artifact = checksums.Artifact{Name: "greet", Stage: fact.Linked, Verdict: fact.Identical, SHA256: files.DigestBytes([]byte("program\n"))}
	for i, name := range []string{"one", "two"} {
		write(name+"/greet.conf", p.conf[i])
		write(name+"/post.sh", "#!/bin/sh\n"+p.script[i])
		m.Executors = append(m.Executors, ReadyExecutor{Executor: &fake{name: name}, Copy: filepath.Join(dir, name)})
	}
	u := &plan.Unit{Profile: "p", Platform: "linux/amd64", Archive: fact.NoArchive, Name: "greet", Mains: []fact.Main{{Package: "example.com/greet", Binary: "greet"}}, Packages: &fact.Packages{
		Formats: fact.PackageFormats(), Name: "greet", Version: "1.0.0", Release: "1", Bin: "/usr/bin",
		PackageAbout: fact.PackageAbout{Description: "Greets.\nAt length.", Maintainer: "Jo Doe <jo@example.org>"},
		Contents: []fact.PackageContent{
			{Src: "greet.conf", Dst: "/etc/greet.conf", Type: fact.ContentConfig, Mode: "0640"}, {Src: "greet", Dst: "/usr/bin/hello", Type: fact.ContentSymlink},
			{Dst: "/var/lib/greet", Type: fact.ContentDir, Mode: "0750"},
		},
		Scripts: fact.Scripts{PostInstall: "post.sh"},
	}}
	if p.change != nil {
		p.change(u)
	}
	r = &UnitResult{unit: u}
	err = m.packages(t.Context(), r, []*item{it})
	for _, a := range r.Artifacts {
		if sum, size, err := files.Digest(t.Context(), filepath.Join(m.Stage, a.Name)); err != nil || sum != a.SHA256 || size != a.Size {
			t.Errorf("%s: is not what is said of it: %s, %v", a.Name, sum, err)
		}
	}
	data, _ := os.ReadFile(logFile)
	return r, string(data), err
}

// only leaves a unit with packages of one format.
func only(format string) func(u *plan.Unit) {
	return func(u *plan.Unit) { u.Packages.Formats = []string{format} }
}

func TestPackages(t *testing.T) {
	same := [2]string{"name: world\n", "name: world\n"}
	r, log, err := packaging{conf: same}.run(t)
	if err != nil || len(r.Artifacts) != 4 {
		t.Fatalf("%d packages: %v", len(r.Artifacts), err)
	}
	for _, a := range r.Artifacts {
		if a.Verdict != fact.Identical || a.Stage != fact.PackageStage || !a.Published || a.Tool != tool.Nfpm().String() || len(a.From) != 1 || len(a.Members) != 2 || a.Members[0] != (checksums.Member{
			Name: "etc/greet.conf", Size: 12, SHA256: files.DigestBytes([]byte("name: world\n")), Mode: "0640",
		}) || a.Size == 0 || len(a.SHA256) != 64 {
			t.Errorf("%+v", a)
		}
	}
	// One time, nothing of the user's, the same in both places, and no patterns.
	if n := strings.Count(log, "GOMAXPROCS TMPDIR TZ 1767323045 {"); n != 8 {
		t.Errorf("ran %d times as it should:\n%s", n, log)
	}
	for _, want := range []string{
		`"disable_globbing":true`, `"rpm":{"arch":"x86_64","buildhost":"localhost","compression":"gzip"}`, `"version_schema":"none"`,
		`{"src":"in/1","dst":"/etc/greet.conf","type":"config","file_info":{"owner":"root","group":"root","mode":416,"mtime":"2026-01-02T03:04:05Z"}}`,
		`"scripts":{"postinstall":"in/2"}`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("nfpm is not told %s:\n%s", want, log)
		}
	}
	if n := strings.Count(log, `"description":"Greets."`); n != 4 {
		t.Errorf("apk and archlinux have a description of several lines:\n%s", log)
	}

	_, _, err = packaging{conf: same, differ: "echo $$ >> $target", change: only(fact.Deb)}.run(t)
	if err == nil || !strings.Contains(err.Error(), "greet_1.0.0_amd64.deb: nfpm made another package than it was told to") {
		t.Errorf("a package with something behind it: %v", err)
	}
	// In the second place only: what is compared is all of it.
	r, _, err = packaging{conf: same, differ: "test -e ../seen && echo $$ >> $target; touch ../seen", change: only(fact.RPM)}.run(t)
	if err != nil || r.Artifacts[0].Verdict != fact.Different || r.Artifacts[0].Findings[0].Cause != fact.CauseUnknown {
		t.Errorf("nfpm that gives other bytes: %v, %+v", err, r.Artifacts)
	}
	r, _, err = packaging{conf: [2]string{"name: world\n", "name: moon\n"}, change: only(fact.RPM)}.run(t)
	if err != nil || r.Artifacts[0].Verdict != fact.Different || !strings.Contains(strings.Join(r.Artifacts[0].Findings[0].Evidence, " "), "etc/greet.conf: sha256") {
		t.Errorf("another file in the second place: %v, %+v", err, r.Artifacts)
	}
	r, _, err = packaging{conf: same, script: [2]string{"", "exit 0\n"}, change: only(fact.RPM)}.run(t)
	if err != nil || r.Artifacts[0].Verdict != fact.Different || !strings.Contains(strings.Join(r.Artifacts[0].Findings[0].Evidence, " "), "post.sh: sha256") {
		t.Errorf("another script in the second place: %v, %+v", err, r.Artifacts)
	}
	_, _, err = packaging{conf: [2]string{"name: moon\n", "name: moon\n"}, change: only(fact.APK)}.run(t)
	if err == nil || !strings.Contains(err.Error(), "member etc/greet.conf is not the one") {
		t.Errorf("nfpm that takes another file: %v", err)
	}
	_, _, err = packaging{conf: same, differ: "exit 3"}.run(t)
	if err == nil || !strings.Contains(err.Error(), "nfpm package: exit status 3") {
		t.Errorf("nfpm that fails: %v", err)
	}
}

// TestPackagesProven: a package that was made twice of the same is taken from the ledger,
// and nothing else is.
func TestPackagesProven(t *testing.T) {
	cache := t.TempDir()
	usual := packaging{conf: [2]string{"name: world\n", "name: world\n"}, cache: cache, secret: strings.Repeat("s", 32), program: strings.Repeat("1", 64)}
	formats := len(fact.PackageFormats())
	var first []checksums.Artifact
	// runs of nfpm, and how often all packages were made before.
	check := func(what string, p packaging, runs, before int) *UnitResult {
		t.Helper()
		r, log, err := p.run(t)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if n := strings.Count(log, "GOMAXPROCS"); n != runs || r.packagesBefore != before {
			t.Errorf("%s: nfpm ran %d times, want %d; made %d times before, want %d", what, n, runs, r.packagesBefore, before)
		}
		if first == nil {
			first = r.Artifacts
		} else if p.change == nil && p.conf[0] == p.conf[1] && !reflect.DeepEqual(r.Artifacts, first) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", what, r.Artifacts, first)
		}
		return r
	}
	check("the first time", usual, 2*formats, 0)
	check("the second time", usual, 0, 2)
	check("the third time", usual, 0, 2)

	p := usual
	p.cache = ""
	check("without a ledger", p, 2*formats, 0)
	p = usual
	p.full = true
	check("with -full", p, 2*formats, 0)
	check("after -full", usual, 0, 4)
	p = usual
	p.secret = strings.Repeat("x", 32)
	check("with another secret", p, 2*formats, 0)
	p.secret = ""
	check("without a secret", p, 2*formats, 0)
	check("without a secret again", p, 2*formats, 0)

	// What decides the bytes makes it anew.
	p = usual
	p.program = strings.Repeat("2", 64)
	check("another nfpm", p, 2*formats, 0)
	p = usual
	p.script = [2]string{"exit 0\n", "exit 0\n"}
	check("another script", p, 2*formats, 0)
	p = usual
	p.change = func(u *plan.Unit) { u.Packages.Description = "Greets at length." }
	check("another description", p, 2*formats, 0)

	// It comes out different where one place has other files.
	p = usual
	p.conf[1] = "name: moon\n"
	for _, a := range check("another file in the second place", p, formats, 0).Artifacts {
		if a.Verdict != fact.Different || !strings.Contains(strings.Join(a.Findings[0].Evidence, " "), "/etc/greet.conf: sha256") {
			t.Errorf("%+v", a)
		}
	}
	check("and then as before", usual, 0, 4)

	// A byte that was flipped is found: that package is made anew.
	sum := first[0].SHA256
	object := filepath.Join(ledgerDir(cache), "packages", "objects", sum[:2], sum)
	data, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(object, data, 0o600); err != nil {
		t.Fatal(err)
	}
	check("with a damaged package", usual, 2, 0)
	check("mended", usual, 0, 4)
}
