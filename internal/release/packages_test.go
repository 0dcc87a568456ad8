package release

import (
	"os"
	"path/filepath"
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

// packaging makes the packages of a program, once for each of two places. conf is the
// text of a file of each copy of the source, and differ is run by nfpm last.
func packaging(t *testing.T, conf [2]string, differ string, change func(u *plan.Unit)) (r *UnitResult, log string, err error) {
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
	text := strings.NewReplacer("LOG", logFile, "PACKAGES", known, "DIFFER", differ).Replace(fakeNfpm)
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
	m := &Maker{
		Prepared: &Prepared{
			Of: &fetch.Planned{Copied: &fetch.Copied{Subject: &fetch.Subject{
				Run:   &run.Run{Config: &run.Config{}, Workspace: &workspace.Workspace{Dir: filepath.Join(dir, "work")}},
				Found: fetch.Found{Source: &source.Source{CommitTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
			}}},
			Nfpm: &tool.Program{Known: tool.Nfpm(), Path: write("nfpm", text), Place: place},
		},
		Stage: filepath.Join(dir, "stage"),
	}
	if err := os.Mkdir(m.Stage, 0o755); err != nil {
		t.Fatal(err)
	}
	program := write("greet", "program\n")
	it := &item{product: &product{name: "greet"}, paths: []string{program, program}}
	it.artifact = checksums.Artifact{Name: "greet", Stage: fact.Linked, Verdict: fact.Identical, SHA256: files.DigestBytes([]byte("program\n"))}
	for i, name := range []string{"one", "two"} {
		write(name+"/greet.conf", conf[i])
		write(name+"/post.sh", "#!/bin/sh\n")
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
	change(u)
	r = &UnitResult{unit: u}
	err = m.packages(t.Context(), r, []*item{it})
	data, _ := os.ReadFile(logFile)
	return r, string(data), err
}

func TestPackages(t *testing.T) {
	same := [2]string{"name: world\n", "name: world\n"}
	nothing := func(*plan.Unit) {}
	r, log, err := packaging(t, same, "", nothing)
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

	_, _, err = packaging(t, same, "echo $$ >> $target", func(u *plan.Unit) { u.Packages.Formats = []string{fact.Deb} })
	if err == nil || !strings.Contains(err.Error(), "greet_1.0.0_amd64.deb: nfpm made another package than it was told to") {
		t.Errorf("a package with something behind it: %v", err)
	}
	// In the second place only: what is compared is all of it.
	r, _, err = packaging(t, same, "test -e ../seen && echo $$ >> $target; touch ../seen", func(u *plan.Unit) { u.Packages.Formats = []string{fact.RPM} })
	if err != nil || r.Artifacts[0].Verdict != fact.Different || r.Artifacts[0].Findings[0].Cause != fact.CauseUnknown {
		t.Errorf("nfpm that gives other bytes: %v, %+v", err, r.Artifacts)
	}
	r, _, err = packaging(t, [2]string{"name: world\n", "name: moon\n"}, "test -e ../seen && echo $$ >> $target; touch ../seen", func(u *plan.Unit) { u.Packages.Formats = []string{fact.RPM} })
	if err != nil || r.Artifacts[0].Verdict != fact.Different || !strings.Contains(strings.Join(r.Artifacts[0].Findings[0].Evidence, " "), "etc/greet.conf: sha256") {
		t.Errorf("another file in the second place: %v, %+v", err, r.Artifacts)
	}
	_, _, err = packaging(t, [2]string{"name: moon\n", "name: moon\n"}, "", func(u *plan.Unit) { u.Packages.Formats = []string{fact.APK} })
	if err == nil || !strings.Contains(err.Error(), "member etc/greet.conf is not the one") {
		t.Errorf("nfpm that takes another file: %v", err)
	}
	_, _, err = packaging(t, same, "exit 3", nothing)
	if err == nil || !strings.Contains(err.Error(), "nfpm package: exit status 3") {
		t.Errorf("nfpm that fails: %v", err)
	}
}
