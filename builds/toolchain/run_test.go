package toolchain

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDedupe(t *testing.T) {
	got := dedupe([]string{"A=1", "B=2", "A=3", "C=", "C=4", "B=5"})
	if want := []string{"A=3", "C=4", "B=5"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := dedupe(nil); len(got) != 0 {
		t.Errorf("of nothing: %q", got)
	}
}

func TestLookPath(t *testing.T) {
	goCmd, _ := runningGo(t)
	dir, name := filepath.Dir(goCmd), filepath.Base(goCmd)
	got, err := LookPath(name, strings.Join([]string{filepath.Join(t.TempDir(), "missing"), dir}, string(os.PathListSeparator)))
	if err != nil || got != goCmd {
		t.Errorf("got %s, %v", got, err)
	}
	// A relative entry is never used, even if it leads to the same file.
	t.Chdir(dir)
	for _, path := range []string{".", "", "./", ".." + string(filepath.Separator) + filepath.Base(dir)} {
		if got, err := LookPath(name, path); !errors.Is(err, exec.ErrNotFound) {
			t.Errorf("PATH=%q: %s, %v", path, got, err)
		}
	}
	if got, err := LookPath("no-such-program", dir); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %s, %v", got, err)
	}
	// Neither a directory nor a file that cannot be executed.
	d := t.TempDir()
	write(t, filepath.Join(d, "plain"), "x")
	if err := os.Mkdir(filepath.Join(d, "adir"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"plain", "adir"} {
		if got, err := LookPath(n, d); err == nil {
			t.Errorf("%s: %s", n, got)
		}
	}
}

func TestRunErrors(t *testing.T) {
	goCmd, _ := runningGo(t)
	place := testPlace(t)
	run := func(args ...string) error {
		_, err := Run(t.Context(), Command{Path: goCmd, Args: args, Dir: place.Empty, Env: place.Env(nil, "off"), Confine: place.Confine(place.ModCache)})
		return err
	}
	for _, tt := range []struct {
		args   []string
		prefix string
	}{
		{[]string{"nonsense"}, "go nonsense: exit status 2\n"},
		{[]string{"mod", "download", "-x", "example.com/nothing@v1.0.0"}, "go mod download: exit status 1\n"},
		{[]string{"list", "-m", "example.com/nothing"}, "go list: exit status 1\n"},
	} {
		err := run(tt.args...)
		var exit *ExitError
		if err == nil || !errors.As(err, &exit) || exit.Code < 1 || !strings.HasPrefix(err.Error(), tt.prefix) || strings.HasSuffix(err.Error(), "\n") {
			t.Errorf("%q: %q", tt.args, err)
		}
	}
	_, err := Run(t.Context(), Command{Path: filepath.Join(place.Empty, "missing"), Args: []string{"x"}})
	if !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "missing x: ") {
		t.Errorf("missing program: %v", err)
	}
}

func TestCommandName(t *testing.T) {
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"git", nil},
		{"git clone", []string{"clone", "--quiet", "a", "b"}},
		{"git show", []string{"-c", "log.showSignature=false", "show", "--no-patch", "x"}},
		{"git config", []string{"-C", "/some/dir", "config", "core.eol", "lf"}},
		{"git mod download", []string{"mod", "download", "-json", "x@v1"}},
		{"git mod download", []string{"mod", "download", "x@v1"}},
		{"git build", []string{"build", "-p=1", "./cmd"}},
		{"git build", []string{"build", "./cmd"}},
	} {
		c := Command{Path: "/usr/bin/git", Args: tt.args}
		if got := c.name(); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.args, got, tt.want)
		}
	}
}

func TestRoomy(t *testing.T) {
	for _, none := range []int64{0, -1, 1, 512<<20 - 1} {
		if got := Roomy(none); got != nil {
			t.Errorf("%d bytes: %q", none, got)
		}
	}
	if got := Roomy(512 << 20); !slices.Equal(got, []string{"GOGC=400", "GOMEMLIMIT=536870912"}) {
		t.Errorf("got %q", got)
	}
	// What Linux says where there is no limit.
	if got := Roomy(math.MaxInt64); got[1] != "GOMEMLIMIT=9223372036854775807" {
		t.Errorf("got %q", got)
	}
}

func testPlace(t testing.TB) *Place {
	t.Helper()
	dir := t.TempDir()
	p := &Place{
		Home: filepath.Join(dir, "home"), Tmp: filepath.Join(dir, "tmp"), Empty: filepath.Join(dir, "empty"),
		GoCache: filepath.Join(dir, "cache"), ModCache: filepath.Join(dir, "mod"),
		TimeZone: "UTC", Language: "C", Umask: -1,
	}
	if err := p.Make(); err != nil {
		t.Fatal(err)
	}
	return p
}
