package toolchain

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNewer: patch releases of the same release, and nothing else.
func TestNewer(t *testing.T) {
	const list = `{"Path":"go","Versions":["1.20","1.24rc1","1.24.13","1.24.0","1.24.2","1.24.13","1.25rc1","1.25.1","x","1.26.8"]}`
	for than, want := range map[string]string{
		"go1.24.0": "go1.24.2 go1.24.13", "go1.24.2": "go1.24.13", "go1.24.13": "", "go1.24.99": "", "go1.25rc1": "go1.25.1", "go1.26.8": "", "go1.23.0": "",
	} {
		if got := strings.Join(newer([]byte(list), than), " "); got != want {
			t.Errorf("after %s: %q, want %q", than, got, want)
		}
	}
	for _, bad := range []string{"", "null", "[]", `{"Versions":1}`, "go: nothing"} {
		if got := newer([]byte(bad), "go1.24.0"); got != nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
}

// TestNewerProxy asks a proxy, which has more than the user's module cache, and
// one that is not there.
func TestNewerProxy(t *testing.T) {
	goCmd, _ := runningGo(t)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/golang.org/toolchain/@v/list" {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte("v0.0.1-go1.24.0.linux-amd64\nv0.0.1-go1.24.3.linux-amd64\nv0.0.1-go1.24.3.windows-amd64\nv0.0.1-go1.25.0.linux-amd64\n"))
	}))
	defer proxy.Close()
	cache := t.TempDir()
	have := filepath.Join(cache, "cache", "download", "golang.org", "toolchain", "@v")
	if err := os.MkdirAll(have, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(have, "list"), []byte("v0.0.1-go1.24.0.linux-amd64\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := &Fetcher{Go: goCmd, Place: testPlace(t), Settings: Settings{GOPROXY: proxy.URL, GOSUMDB: "off", ModCache: cache}}
	if got := f.Newer(t.Context(), "go1.24.0"); !slices.Equal(got, []string{"go1.24.3"}) {
		t.Errorf("%q", got)
	}
	for _, not := range []string{"off", "http://127.0.0.1:1"} {
		f.Settings.GOPROXY = not
		if got := f.Newer(t.Context(), "go1.24.0"); got != nil {
			t.Errorf("GOPROXY=%s: %q", not, got)
		}
	}
}
