package profiles

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

func platformStrings(list []Platform) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	return out
}

// TestDesign loads the profile file that the design document shows.
func TestDesign(t *testing.T) {
	data, err := os.ReadFile("testdata/design.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Load("mintmark.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	if f.Project != "node_exporter" || f.Go != "go1.26.8" || f.Untagged != "refuse" || f.Sign != (Sign{}) {
		t.Errorf("file: %+v", f)
	}
	for _, w := range f.Warnings() {
		t.Errorf("warning: %s", w.Format())
	}
	want := map[string]string{
		"base": "",
		"release": "darwin/amd64 darwin/arm64 freebsd/386 freebsd/amd64 freebsd/arm/6 freebsd/arm/7 freebsd/arm64 " +
			"linux/386 linux/amd64 linux/amd64/v3 linux/arm/6 linux/arm/7 linux/arm64 linux/riscv64 " +
			"windows/386 windows/amd64 windows/arm64",
		"router": "linux/arm/5 linux/arm64 linux/mipsle/softfloat",
	}
	for _, p := range f.Profiles {
		if got := strings.Join(platformStrings(p.Platforms), " "); got != want[p.Name] {
			t.Errorf("%s:\n got %s\nwant %s", p.Name, got, want[p.Name])
		}
	}
	router := f.profile("router")
	arm := Platform{"linux", "arm", "5"}
	got := router.Settings(arm)
	wantSettings := Settings{
		Main: []string{"./"}, Trimpath: true, BuildVCS: true, Tags: []string{"netgo", "osusergo"}, Strip: StripAll,
		Set: map[string]string{
			"github.com/prometheus/common/version.Version":   "{{.Version}}",
			"github.com/prometheus/common/version.Revision":  "{{.Commit}}",
			"github.com/prometheus/common/version.BuildDate": "{{.CommitDate}}",
		},
		Mod: "readonly", PGO: "off", Env: map[string]string{}, Archive: []string{"none"}, Binary: defaultBinary, Name: defaultName,
		UPX: []string{"--best", "--lzma"}, Budget: Budget{Size: 8 << 20, Startup: 300e6}, Verify: "require",
	}
	if !reflect.DeepEqual(got, wantSettings) {
		t.Errorf("settings:\n got %+v\nwant %+v", got, wantSettings)
	}
	if s := router.Settings(Platform{"linux", "arm64", ""}); s.UPX != nil {
		t.Errorf("linux/arm64 is packed: %q", s.UPX)
	}
	if s := f.profile("release").Settings(Platform{"windows", "amd64", ""}); s.Archive[0] != "zip" {
		t.Errorf("windows archive %q", s.Archive)
	}
	for key, want := range map[string]string{
		"pgo": "mintmark.yaml:33:10", "tags": "mintmark.yaml:11:11", "main": "mintmark.yaml:5:7", "upx.flags": "mintmark.yaml:38:14",
		"platforms": "mintmark.yaml:32:41", "verify": "built-in", "nonsense": "mintmark.yaml:30:3", "tags[1]": "mintmark.yaml:11:19",
		"ldflags.set.github.com/prometheus/common/version.Version": "mintmark.yaml:15:55",
	} {
		if got := router.Pos(arm, key).String(); got != want {
			t.Errorf("Pos(%s) = %s, want %s", key, got, want)
		}
	}
}

// TestLoad compares what Load reports with golden files. Each testdata/load/*.yaml
// has a .txt beside it.
func TestLoad(t *testing.T) {
	files, err := filepath.Glob("testdata/load/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no test files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", report(filepath.Base(file), data))
		})
	}
}

// report is what a user sees of a file.
func report(name string, data []byte) string {
	var b strings.Builder
	f, err := Load(name, data)
	if err != nil {
		b.WriteString(err.Error() + "\n")
		return b.String()
	}
	for _, w := range f.Warnings() {
		b.WriteString(w.format(w.Error()) + "\n")
	}
	for _, p := range f.Profiles {
		b.WriteString(strings.TrimSpace("ok "+p.Name+": "+strings.Join(platformStrings(p.Platforms), " ")) + "\n")
	}
	return b.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run with -update and read the change\n--- got\n%s--- want\n%s", path, got, want)
	}
}
