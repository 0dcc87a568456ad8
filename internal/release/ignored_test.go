package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestIgnored: patterns of any .gitignore of the tree count, and those of the user
// alone do not; a repository without a commit is one.
func TestIgnored(t *testing.T) {
	dir, home := t.TempDir(), t.TempDir()
	environ := append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "GIT_CONFIG_NOSYSTEM=1")
	cmd := exec.Command("git", "init", "-q", dir)
	cmd.Env = environ
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, text := range map[string]string{
		filepath.Join(dir, ".gitignore"):               "**/dist/\n*.key\n!mintmark.key\n",
		filepath.Join(dir, "sub", ".gitignore"):        "/out\n",
		filepath.Join(dir, ".git/info/exclude"):        "private/\n",
		filepath.Join(home, "git", "ignore"):           "personal/\n",
		filepath.Join(dir, "sub", "product", "go.mod"): "",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	names := []string{"dist/x", "sub/product/dist/x", "a.key", "mintmark.key", "sub/out/x", "out/x", "private/x", "personal/x"}
	got, err := Ignored(t.Context(), filepath.Join(dir, "sub", "product"), environ, names)
	if want := []string{"dist/x", "sub/product/dist/x", "a.key", "sub/out/x"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if _, err := Ignored(t.Context(), t.TempDir(), environ, names); err == nil {
		t.Error("nothing is ignored where there is no repository")
	}
}
