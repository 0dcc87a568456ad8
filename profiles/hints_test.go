package profiles

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// hintCase is a line of a profile that is refused, the text, the hint, and, where
// the hint only explains, why there is nothing to follow.
type hintCase struct {
	line       string // of the profile, or of the file if it begins without blanks
	text, hint string
	read       string // "": the hint is followed
}

var hintCases = []hintCase{
	// main
	{"    main: cmd/hello/main.go", "is not a path of this module", "did you mean ./cmd/hello?", ""},
	{"    main: ./cmd/hello/main.go", "is a file", "did you mean ./cmd/hello?", ""},
	{"    main: main.go", "is not a path of this module", "did you mean .?", ""},
	{"    main: [cmd/hello]", "is not a path of this module", "did you mean ./cmd/hello?", ""},
	{"    main: './cmd\\tool'", "contains a backslash", "did you mean ./cmd/tool?", ""},
	{"    main: ./cmd/*", "bad package pattern", "did you mean ./cmd/...?", ""},
	{"    main: github.com/a/b@v1.2.3", "has a version", "did you mean github.com/a/b?", ""},
	{"    main: all", "does not name packages of this module", "write ./...", ""},
	{"    main: []", "main is empty", "write ./", ""},
	{"    main: /src/tool", "is absolute", "write a path relative", "which directory is meant is not known"},
	// platforms
	{"    platforms: [linux]", "has no architecture", "write OS/arch, such as linux/amd64", ""},
	{"    platforms: [amd64]", "has no OS", "write OS/arch, such as linux/amd64", ""},
	{"    platforms: [macos/arm64]", "unknown OS", "did you mean darwin/arm64?", ""},
	{"    platforms: [linux/x86_64]", "unknown architecture", "did you mean linux/amd64?", ""},
	{"    platforms: [linux/armv7]", "unknown architecture", "did you mean linux/arm/7?", ""},
	{"    platforms: [amd64/linux]", "unknown OS", "did you mean linux/amd64?", ""},
	{"    platforms: [linux/arm64/9.0]", "no such GOARM64", "did you mean linux/arm64/v9.0?", ""},
	{"    platforms: [linux/arm64/v9]", "no such GOARM64", "did you mean linux/arm64/v9.0?", ""},
	{"    platforms: [linux/amd64/3]", "no such GOAMD64", "did you mean linux/amd64/v3?", ""},
	{"    platforms: [linux/arm/v6]", "no such GOARM", "did you mean linux/arm/6?", ""},
	{"    platforms: [linux/amd64/v5]", "no such GOAMD64", "did you mean linux/amd64?", ""},
	{"    platforms: [linux/s390x/z15]", "has no variants", "did you mean linux/s390x?", ""},
	{"    platforms: {os: [linux], arch: [x86_64]}", "unknown architecture", "did you mean amd64?", ""},
	{"    platforms: {os: [linux], arch: [arm64/9.0]}", "no such GOARM64", "did you mean arm64/v9.0?", ""},
	{"    platforms: {os: [macos], arch: [arm64]}", "unknown OS", "did you mean darwin?", ""},
	{"    platforms: linux/amd64", "wants a list", "write [linux/amd64, …]", ""},
	{"    platforms: {goos: [linux], arch: [amd64]}", "platforms has no os", "write {os: [linux], arch: [amd64]}", "the unknown key beside it names os"},
	// linker flags
	{`    ldflags: {extra: "-s -w"}`, "wants a list", "use ldflags: {strip: all}", ""},
	{`    ldflags: {extra: "-s -w -X main.v=1 -linkmode external"}`, "wants a list", "use ldflags: {strip: all, set: {main.v: 1}, extra: [-linkmode=external]}", ""},
	{`    ldflags: {extra: "-linkmode external -extldflags '-static -lm'"}`, "wants a list", `write [-linkmode=external, -extldflags=-static -lm]`, ""},
	{`    ldflags: {extra: ["-extldflags \"-static -lm\""]}`, "is several arguments", `write [-extldflags=-static -lm]`, ""},
	{`    ldflags: {extra: ["-s -w"]}`, "is several arguments", "use ldflags: {strip: all}", ""},
	{`    ldflags: {extra: [-s]}`, "is set by strip", "use ldflags: {strip: all}", ""},
	{`    ldflags: {extra: [-X, main.v=x]}`, "is set by set", "use ldflags: {set: {main.v: x}}", ""},
	{`    ldflags: {extra: [-buildid=x]}`, "computed by the go command", "leave it out", ""},
	{`    ldflags: {extra: [-importcfg=x]}`, "go command's own", "leave it out", ""},
	{`    ldflags: {extra: [x]}`, "is no flag", "leave it out", ""},
	{`    ldflags: {set: {version: x}}`, "has no package", "write importpath.name, such as main.version", ""},
	{`    ldflags: {set: {-X main.version: x}}`, "bad variable", "leave -X out", ""},
	{`    ldflags: {stripp: true}`, "unknown key", "did you mean strip?", ""},
	// other flags
	{`    gcflags: "-N -l"`, "wants a list", "write [-N, -l]", ""},
	{`    gcflags: ["-N -l"]`, "is several flags", "write [-N, -l]", ""},
	{`    gcflags: [-trimpath=x]`, "go command's own", "use the key trimpath", "the default is what is meant"},
	{`    tags: netgo,osusergo`, "wants a list", "write [netgo, osusergo]", ""},
	{`    tags: ["a b"]`, "is several", "write [a, b]", ""},
	{`    upx: true`, "wants a list of flags or off", "write [--best]", ""},
	{`    upx: [--best, -d]`, "is mintmark's own", "leave it out", ""},
	// values
	{`    trimpath: yes`, "wants true or false", "write true", ""},
	{`    trimpath: "true"`, "wants true or false", "write true, without quotes", ""},
	{`    archive: tgz`, "wants tar.gz", "did you mean tar.gz?", ""},
	{`    archiv: zip`, "unknown key", "did you mean archive?", ""},
	{`    verify: strict`, "wants require or report", "did you mean require?", ""},
	{`    pgo: false`, "pgo wants auto, off or a path", "did you mean off?", ""},
	{`    budget: {size: 8M}`, "a size wants", "did you mean 8MiB?", ""},
	{`    budget: {size: 1.5MiB}`, "a size wants", "use a smaller unit: 1536KiB", "the example is not the value"},
	{`    budget: {startup: 300}`, "a time wants", "did you mean 300ms?", ""},
	{`    env: {GOFLAGS: -mod=mod}`, "env cannot set GOFLAGS", "use the keys tags", "which keys depends on the flags"},
	{`    env: {HOME: /x}`, "env cannot set HOME", "leave it out", ""},
	{`    env: {API_TOKEN: x}`, "looks like a secret", "env is published", "a build must not need it"},
	{`    env: {"CC=gcc": ""}`, "bad variable", "write CC: VALUE", "the value stands in the name"},
	{`    name: "{{.Foo}}"`, "unknown field", "", "the fields are named"},
	{`    inherit: relase`, "does not exist", "leave the key out", ""},
	{`    overrides: [{platforms: [linux], inherit: a}]`, "an override cannot have the key", "", "it says what cannot be"},
	// the file
	{`go: 1.26`, "go wants go1.N.P", "name its patch release as well", "which is the newest is on a page"},
	{`main: cmd/`, "is not a path of this module", "did you mean ./cmd/...?", ""},
	{`go: 1.26.8`, "go wants go1.N.P", "did you mean go1.26.8?", ""},
	{`go: latest`, "go wants go1.N.P", "name one release, such as go1.26.8", ""},
	{`untagged: allow`, "untagged wants", "did you mean pseudo?", ""},
	{`archive: zip`, "unknown key", "is a key of a profile", "where in the file is a choice"},
}

// TestHints loads every case, and does what its hint says: the file must load then.
func TestHints(t *testing.T) {
	followed, read := 0, 0
	for _, c := range hintCases {
		text := hintFile(c.line)
		p, err := firstProblem(text)
		if err == nil {
			t.Errorf("%s: loads", c.line)
			continue
		}
		if !strings.Contains(p.Message, c.text) || !strings.Contains(p.Hint, c.hint) {
			t.Errorf("%s: %s\nhint: %s\nwant %q and %q", c.line, p.Message, p.Hint, c.text, c.hint)
			continue
		}
		if c.read != "" {
			read++
			continue
		}
		followed++
		edited, ok := follow(text, p)
		if !ok {
			t.Errorf("%s: nobody knows how to follow %q", c.line, p.Hint)
			continue
		}
		if q, err := firstProblem(edited); err != nil {
			t.Errorf("%s: its hint %q is refused next: %s\n%s", c.line, p.Hint, q.Format(), edited)
		}
	}
	t.Logf("%d hints followed, %d only read", followed, read)
	if followed < 55 {
		t.Errorf("only %d hints are followed", followed)
	}
}

func hintFile(line string) string {
	file := []string{"version: 1", "project: tool", "profiles:", "  release:"}
	if !strings.HasPrefix(line, "    platforms:") {
		file = append(file, "    platforms: [linux/amd64]")
	}
	if strings.HasPrefix(line, " ") {
		file = append(file, line)
	} else {
		file = slices.Insert(file, 2, line)
	}
	return strings.Join(file, "\n") + "\n"
}

func firstProblem(text string) (Problem, error) {
	_, err := Load("mintmark.yaml", []byte(text))
	var ps Problems
	if errors.As(err, &ps) {
		errs, _ := ps.split()
		return errs[0], err
	}
	return Problem{}, err
}

var (
	didYouMeanForm = regexp.MustCompile(`^did you mean (.+?)(\?|, or )`)
	useForm        = regexp.MustCompile(`^use (ldflags: \{.*\})$`)
	suchAsForm     = regexp.MustCompile(`^(?:write|name) .*, such as ([^ :]+)`)
	writeForm      = regexp.MustCompile(`^write (\[.*?\]|"[^"]*"|[^ ,]+)`)
)

// follow does what the hint of p says to the file: it replaces the value at the
// position, or takes it out, as a reader would.
func follow(text string, p Problem) (string, bool) {
	lines := strings.Split(text, "\n")
	line := lines[p.Pos.Line-1]
	from := p.Pos.Column - 1
	to := len(line)
	if strings.ContainsAny(line[:from], "[{") || !strings.Contains(line[:from], ":") {
		to = from + valueEnd(line[from:])
	}
	put := func(value string) (string, bool) {
		lines[p.Pos.Line-1] = line[:from] + value + line[to:]
		return strings.Join(lines, "\n"), true
	}
	m := func(re *regexp.Regexp) string {
		if m := re.FindStringSubmatch(p.Hint); m != nil {
			return m[1]
		}
		return ""
	}
	switch {
	case m(didYouMeanForm) != "":
		return put(m(didYouMeanForm))
	case m(useForm) != "":
		lines[p.Pos.Line-1] = "    " + m(useForm)
		return strings.Join(lines, "\n"), true
	case m(suchAsForm) != "":
		return put(m(suchAsForm))
	case strings.HasPrefix(p.Hint, "leave -X out"):
		return put(strings.TrimPrefix(line[from:to], "-X "))
	case strings.HasPrefix(p.Hint, "leave the key out"):
		lines = slices.Delete(lines, p.Pos.Line-1, p.Pos.Line)
		return strings.Join(lines, "\n"), true
	case strings.HasPrefix(p.Hint, "leave it out"), strings.Contains(p.Hint, "; leave it out"):
		if i := strings.Index(line, "env: {"); i >= 0 { // an entry of a map: name and value
			lines[p.Pos.Line-1] = line[:i] + "env: {}"
			return strings.Join(lines, "\n"), true
		}
		if strings.HasSuffix(line[:from], "[") && strings.HasPrefix(line[to:], "]") || strings.Contains(line[to:], ":") || strings.Contains(line[from:to], ":") {
			return put("")
		}
		from = strings.LastIndex(line[:from], ",")
		return put("")
	case m(writeForm) != "":
		value := strings.ReplaceAll(m(writeForm), ", …", "")
		if inList := strings.HasSuffix(line[:from], "["); inList && strings.HasPrefix(value, "[") {
			value = strings.TrimSuffix(value[1:], "]")
		}
		return put(value)
	}
	return text, false
}

// valueEnd is where the YAML value at the beginning of s ends.
func valueEnd(s string) int {
	if s == "" {
		return 0
	}
	switch q := s[0]; q {
	case '"':
		for i := 1; i < len(s); i++ {
			if s[i] == '\\' {
				i++
			} else if s[i] == '"' {
				return i + 1
			}
		}
	case '\'':
		if end := strings.IndexByte(s[1:], q); end >= 0 {
			return end + 2
		}
	case '[':
		return strings.IndexByte(s, ']') + 1
	}
	if end := strings.IndexAny(s, ",]}:"); end >= 0 {
		return end
	}
	return len(s)
}

func ExampleProblem_Format() {
	p, _ := firstProblem(hintFile("    main: cmd/hello/main.go"))
	fmt.Println(p.Format())
	// Output:
	// mintmark.yaml:6:11: main "cmd/hello/main.go" is not a path of this module
	//         main: cmd/hello/main.go
	//               ^
	// hint: did you mean ./cmd/hello?
}

// TestDeepGlob: ** is an element of its own; elsewhere it would be * without a word.
func TestDeepGlob(t *testing.T) {
	for glob, ok := range map[string]bool{"docs/**": true, "**/*.md": true, "docs/*": true, "docs/a**": false, "**.md": false, "docs/***": false} {
		p, err := firstProblem(hintFile("    files: ['" + glob + "']"))
		if (p.Message == "") != ok || !ok && !strings.Contains(p.Hint, "**/*.md") {
			t.Errorf("%s: %v", glob, err)
		}
	}
}

// TestOneMistakeOneHint: a key that is misspelt is not missing as well.
func TestOneMistakeOneHint(t *testing.T) {
	for text, hint := range map[string]string{
		"version: 1\nproject: x\nprofils: {release: {platforms: [linux/amd64]}}\n":                                         "did you mean profiles?",
		"version: 1\nproject: x\nbuilds: {release: {platforms: [linux/amd64]}}\n":                                          "did you mean profiles?",
		"version: 1\nprojekt: x\nprofiles: {release: {platforms: [linux/amd64]}}\n":                                        "did you mean project?",
		"version: 1\nproject: x\nprofiles: {release: {plaforms: [linux/amd64]}}\n":                                         "did you mean platforms?",
		"version: 1\nproject: x\nprofiles: {release: {platform: [linux/amd64]}}\n":                                         "did you mean platforms?",
		"version: 1\nproject: x\nprofiles: {a: {platforms: [linux/amd64]}, b: {inherits: a}}\n":                            "did you mean inherit?",
		"version: 1\nproject: x\nprofiles: {a: {platforms: [linux/amd64], overrides: [{platform: [linux], cgo: true}]}}\n": "did you mean platforms?",
	} {
		_, err := Load("mintmark.yaml", []byte(text))
		var all Problems
		if !errors.As(err, &all) || len(all) != 1 || all[0].Hint != hint {
			t.Errorf("%s: %v\nwant one problem with the hint %q", text, err, hint)
		}
	}
}
