package recovery

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/toolchain"
	"golang.org/x/mod/module"
)

// TestFindVersions: a version is found by its time among more versions than are looked at
// in one go; and one that is suggested and of another time is tried, and says so.
func TestFindVersions(t *testing.T) {
	g := hostGo(t)
	place := testPlace(t, "")
	proxy := filepath.Join(t.TempDir(), "proxy")
	first := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(n int) string { return first.AddDate(0, 0, n).Format(time.RFC3339) }
	served := map[string]string{}
	list := ""
	for n := range 250 {
		v := fmt.Sprintf("v0.%d.0", n)
		list += v + "\n"
		served["example.com/tool/@v/"+v+".info"] = fmt.Sprintf(`{"Version":%q,"Time":%q}`, v, at(n))
		served["example.com/tool/@v/"+v+".mod"] = "module example.com/tool\n"
	}
	served["example.com/tool/@v/list"] = list
	// One that was made long after its number would have been.
	served["example.com/tool/@v/v0.20.1.info"] = fmt.Sprintf(`{"Version":"v0.20.1","Time":%q}`, at(300))
	served["example.com/tool/@v/v0.20.1.mod"] = "module example.com/tool\n"
	served["example.com/tool/@v/list"] += "v0.20.1\n"
	const pseudo = "v0.0.0-20200105000300-cdcdcdcdcdcd"
	served["example.com/tool/@v/"+pseudo+".info"] = fmt.Sprintf(`{"Version":%q,"Time":"2020-01-05T00:03:00Z"}`, pseudo)
	served["example.com/tool/@v/"+pseudo+".mod"] = "module example.com/tool\n"
	write(t, proxy, served)
	// What the user has downloaded of it is not all there is.
	user := filepath.Join(t.TempDir(), "modcache")
	own := map[string]string{}
	for _, name := range []string{"v0.3.0.info", "v0.3.0.mod"} {
		own["cache/download/example.com/tool/@v/"+name] = served["example.com/tool/@v/"+name]
	}
	own["cache/download/example.com/tool/@v/list"] = "v0.3.0\n"
	write(t, user, own)
	f := &toolchain.Fetcher{Go: g.Go(), Place: place, Settings: toolchain.Settings{GOPROXY: "file://" + filepath.ToSlash(proxy), GOSUMDB: "off", ModCache: user}}
	claim := func(time string) *Claim {
		return &Claim{Module: "example.com/tool", Version: "(devel)", Revision: strings.Repeat("ab", 20), Time: time, VCS: "git"}
	}
	for _, tt := range []struct {
		name  string
		claim *Claim
		hints []string
		want  []string
		note  string
	}{
		{"an old one", claim(at(17)), nil, []string{"v0.17.0"}, "v0.17.0 is of the same time"},
		{"the first", claim(at(0)), nil, []string{"v0.0.0"}, ""},
		{"the newest", claim(at(249)), nil, []string{"v0.249.0"}, ""},
		{"out of order", claim(at(300)), nil, []string{"v0.20.1"}, ""},
		{"suggested", claim(at(30)), []string{"v9.9.9", "v0.30.0"}, []string{"v0.30.0"}, ""},
		{"a tag that was moved", claim("2020-01-05T00:03:00Z"), []string{"v0.4.0"}, []string{"v0.4.0"}, "the tag may have been moved"},
		{"a moved tag that nothing names", claim("2020-01-05T00:03:00Z"), nil, []string{"v0.4.0"}, "v0.4.0 is next to it, and is of 2020-01-05T00:00:00Z: the tag may have been moved"},
		{"between two", claim("2020-01-05T12:00:00Z"), nil, []string{"v0.5.0", "v0.4.0"}, ""},
		{"a moved tag, another one suggested", claim("2020-01-05T00:03:00Z"), []string{"v0.9.0"}, []string{"v0.9.0", "v0.4.0"}, "the tag may have been moved"},
		{"a pseudo-version that is not served", &Claim{Module: "example.com/tool", Version: "v0.0.0-20200105000300-abababababab", Revision: strings.Repeat("ab", 20), Time: "2020-01-05T00:03:00Z"}, nil, []string{"v0.4.0"}, "the tag may have been moved"},
		{"one of which there is no source", &Claim{Module: "example.com/tool", Version: pseudo, Revision: strings.Repeat("cd", 20), Time: "2020-01-05T00:03:00Z"}, nil, []string{"v0.4.0"}, "the tag may have been moved"},
		{"of no version", claim("2021-01-05T00:03:00Z"), nil, nil, "no version of example.com/tool is revision abab"},
		{"without a revision", &Claim{Module: "example.com/tool", Version: "(devel)"}, []string{"v0.3.0"}, []string{"v0.3.0"}, "is what its package or file name says"},
		{"a package of a version that is not served", &Claim{Module: "example.com/tool", Version: "(devel)"}, []string{"v9.9.9", "v9.9.9"}, nil, "what its package or file name says is not to be had: example.com/tool@v9.9.9"},
		{"a path that nobody can fetch", &Claim{Module: "tool", Version: "(devel)"}, []string{"v1.0.0"}, nil, "no module proxy has a module of its path: malformed module path \"tool\": missing dot in first path element"},
		{"without anything", &Claim{Module: "example.com/tool", Version: "(devel)"}, nil, nil, "name the source with -source="},
	} {
		got, err := findVersions(t.Context(), f, tt.claim, tt.hints)
		var versions []string
		said := fmt.Sprint(err)
		for _, v := range got {
			versions = append(versions, v.version)
			said += v.note
			if v.other != strings.Contains(v.note, "may have been moved") {
				t.Errorf("%s: of another time: %v", tt.name, v.other)
			}
		}
		if !slices.Equal(versions, tt.want) || !strings.Contains(said, tt.note) {
			t.Errorf("%s: %q, want %q; %s", tt.name, versions, tt.want, said)
		}
	}
}

// TestRequiredBy: the dependencies of a binary tell that it is of another source than the
// one that has its module's name.
func TestRequiredBy(t *testing.T) {
	for _, tt := range []struct{ name, gomod, work, deps, want string }{
		{"the same", "go 1.21\nrequire example.com/a v1.2.0\n", "", "example.com/a@v1.2.0", ""},
		{"another version", "go 1.21\nrequire example.com/a v1.2.0\n", "", "example.com/a@v1.3.0", "wants example.com/a v1.2.0, and the binary has v1.3.0"},
		{"one that is not there", "go 1.21\n", "", "example.com/a@v1.3.0", "the binary has example.com/a v1.3.0, and go.mod"},
		{"before go1.17: higher", "go 1.16\nrequire example.com/a v1.2.0\n", "", "example.com/a@v1.3.0 example.com/b@v1.0.0", ""},
		{"before go1.17: lower", "go 1.16\nrequire example.com/a v1.2.0\n", "", "example.com/a@v1.1.0", "wants example.com/a v1.2.0"},
		{"without a go line", "require example.com/a v1.2.0\n", "", "example.com/a@v1.3.0", ""},
		{"a workspace", "go 1.21\nrequire example.com/a v1.2.0\n", "go 1.21\n", "example.com/a@v1.3.0", ""},
		{"a directory in its place", "go 1.21\nrequire example.com/a v1.2.0\nreplace example.com/a => ./a\n", "", "example.com/a@v1.2.0", ""},
		{"not linked", "go 1.21\nrequire example.com/a v1.2.0\n", "", "", ""},
	} {
		root := t.TempDir()
		write(t, root, map[string]string{"sub/go.mod": "module example.com/tool\n\n" + tt.gomod})
		if tt.work != "" {
			write(t, root, map[string]string{"go.work": tt.work})
		}
		c := &Claim{}
		for d := range strings.FieldsSeq(tt.deps) {
			path, v, _ := strings.Cut(d, "@")
			c.Deps = append(c.Deps, module.Version{Path: path, Version: v})
		}
		err := c.requiredBy(&tree{root: root, dir: filepath.Join(root, "sub")})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
