package recovery

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/files"
)

// Values are what the variables of a release configuration can have been, all
// of it from the binary.
type Values struct {
	Versions []string // without v
	Tags     []string // with v
	Commits  []string // full
	Shorts   []string
	Dates    []string // of the commit and those found in the binary
	Project  string
	Module   string
	GOOS     string
	GOARCH   string
	Go       string
	extra    []string // that any hole may have been, by a comparison
	data     []byte   // the binary
	present  map[string]bool
}

// maxBinary bounds what is read into memory of one binary, to look for texts in.
const maxBinary = 1 << 30

func readValues(path string, c *Claim, hints []string) (*Values, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	v := &Values{Project: c.Project(), Module: c.Module, GOOS: c.GOOS, GOARCH: c.GOARCH, Go: c.Go, present: map[string]bool{}}
	if fi.Size() <= maxBinary {
		if v.data, err = files.Read(path, maxBinary); err != nil {
			return nil, err
		}
	}
	add := func(list *[]string, s string) {
		if s != "" && !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	for _, ver := range append([]string{c.Release(), c.Version}, hints...) {
		if ver == "" || ver == "(devel)" {
			continue
		}
		add(&v.Versions, strings.TrimPrefix(ver, "v"))
		add(&v.Tags, "v"+strings.TrimPrefix(ver, "v"))
	}
	if c.Revision != "" {
		add(&v.Commits, c.Revision)
		for _, n := range []int{7, 8, 9, 10, 12, 6, 11, 40} {
			if len(c.Revision) >= n {
				add(&v.Shorts, c.Revision[:n])
			}
		}
	}
	if t, err := time.Parse(time.RFC3339Nano, c.Time); err == nil {
		t = t.UTC()
		for _, layout := range []string{time.RFC3339, "2006-01-02", "2006-01-02T15:04:05-07:00", "2006-01-02T15:04:05+0000", "2006-01-02 15:04:05", "2006-01-02_15:04:05", "20060102", "20060102150405", "2006-01-02T15:04:05"} {
			add(&v.Dates, t.Format(layout))
		}
		add(&v.Dates, itoa(t.Unix()))
	}
	const most = 24
	for _, m := range dateText.FindAllSubmatch(v.data, 400) {
		if len(v.Dates) < most+10 {
			add(&v.Dates, string(m[1]))
		}
	}
	return v, nil
}

func itoa(n int64) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append(b, byte('0'+n%10))
	}
	slices.Reverse(b)
	return string(b)
}

// has reports whether the text occurs in the binary.
func (v *Values) has(text string) bool {
	if text == "" {
		return true
	}
	known, ok := v.present[text]
	if !ok {
		known = bytes.Contains(v.data, []byte(text))
		v.present[text] = known
	}
	return known
}

// of are the values a hole in a template can have had, by what its text is
// about. An unknown one can be any of all.
func (v *Values) of(hole string) []string {
	h := strings.ToLower(hole)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(h, w) })
	}
	both := slices.Concat(v.Versions, v.Tags)
	var out []string
	switch {
	case has("goversion", "go_version", "go version", "runtime.version"):
		out = []string{v.Go, "go version " + v.Go + " linux/amd64", strings.TrimPrefix(v.Go, "go")}
	case has("shortcommit", "short_", "--short", "short"):
		out = slices.Concat(v.Shorts, v.Commits)
	case has("describe"):
		out = slices.Concat(v.Tags, v.Versions, v.Shorts, v.Commits)
	case has("date", "time", "stamp"):
		out = v.Dates
	case has("commit", "revision", "sha", "hash", "rev-parse", "git_rev", "gitrev", "head", "build"):
		out = slices.Concat(v.Commits, v.Shorts, v.Tags, v.Dates)
	case has("tag", "ref_name", "github.ref"):
		out = slices.Concat(v.Tags, v.Versions)
	case has("version", "ver"):
		out = both
		if has(".version") {
			out = slices.Concat(v.Versions, v.Tags)
		}
	case has("project", "name", "binary"):
		out = []string{v.Project}
	case has("module", "package", "pkg", "repo", "import"):
		out = []string{v.Module}
	case has("goos", ".os", "runtime.os"):
		out = []string{v.GOOS}
	case has("goarch", ".arch"):
		out = []string{v.GOARCH}
	case has("branch"):
		out = []string{"main", "master", "HEAD"}
	case has("dirty", "treestate", "state"):
		out = []string{"clean", "", "false", "dirty"}
	case has("builtby", "user", "whoami", "builder"):
		out = []string{"goreleaser", "", "runner", "root", "github-actions"}
	default:
		out = slices.Concat(both, v.Commits, v.Shorts, v.Dates, []string{v.Project, v.Module, "goreleaser"})
	}
	return slices.Compact(append(slices.Concat(v.extra, out), ""))
}
