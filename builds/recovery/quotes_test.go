package recovery

import (
	"slices"
	"strings"
	"testing"
)

// TestNestedQuotes: whatever the quotes are that a build's flags go through, one of the
// candidates is what the linker gets.
func TestNestedQuotes(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for _, tt := range []struct{ name, text, want string }{
		{"build.sh", `bash -c "go build -ldflags \"-s -w -X 'main.version=$VERSION'\" ."`, "-X main.version=1.2.3"},
		{"build.sh", `ssh host 'sh -c "go build -ldflags \"-X \\\"main.version=$VERSION\\\"\" ."'`, "-X main.version=1.2.3"},
		{"build.sh", `docker run go sh -c 'go build -ldflags '"'"'-w -X main.version='$VERSION' -X main.channel=stable'"'"' .'`, "-X main.version=1.2.3 -X main.channel=stable"},
		{"build.sh", "FLAGS=(\n  \"-X main.version=${VERSION}\"\n  \"-X 'main.commit=$(git rev-parse HEAD)'\"\n)\ngo build -ldflags \"${FLAGS[*]}\" .\n", "-X main.version=1.2.3 -X main.commit=" + commit},
		{"build.sh", `go build -ldflags="-s -w "" -X main.v=$VERSION"`, "-X main.v=1.2.3"},
		{"build.sh", `go build -ldflags '-X main.version='"$VERSION"' -X main.kind=release' .`, "-X main.version=1.2.3 -X main.kind=release"},
		{"Makefile", "release:\n\tsh -c 'go build -ldflags \"-s -w -X \\\"main.version=$(VERSION)\\\" -X \\\"main.channel=stable release\\\"\" .'\n", "-X main.version=1.2.3 -X main.channel=stable release"},
		{"package.json", `{"scripts": {"build": "cross-env CGO_ENABLED=0 go build -ldflags=\"-s -w -X 'main.version=$npm_package_version'\" -o bin"}}`, "-X main.version=1.2.3"},
		{"package.json", `{"scripts": {"build": "sh -c \"go build -ldflags \\\"-X main.version=$npm_package_version\\\"\""}}`, "-X main.version=1.2.3"},
		{".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - run: \"go build -ldflags \\\"-X 'main.version=${{ github.ref_name }}'\\\" .\"\n", "-X main.version=v1.2.3"},
		{".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - run: >-\n          go build\n          -ldflags \"-s\n          -X main.version=${{ github.ref_name }}\" .\n", "-X main.version=v1.2.3"},
		{"Dockerfile", "ARG VERSION\nRUN CGO_ENABLED=0 go build \\\n    -ldflags=\"-s -w \\\n    -X 'example.com/tool/v.Version=${VERSION}'\" .\n", "-X example.com/tool/v.Version=1.2.3"},
		{"Dockerfile", `RUN ["go", "build", "-ldflags", "-X main.version=v1.2.3", "."]`, "-X main.version=v1.2.3"},
		{"build.py", `subprocess.run(["go", "build", "-ldflags", f"-s -w -X main.version={version}"])`, "-X main.version=1.2.3"},
		{"build.py", `cmd = "go build -ldflags '-X main.version=%s'" % version`, "-X main.version=1.2.3"},
		{"build.js", `exec("go build -ldflags '-X main.version=" + version + "'")`, "-X main.version=1.2.3"},
		{"magefile.go", `sh.Run("go", "build", "-ldflags", fmt.Sprintf("-X main.version=%s", version))`, "-X main.version=1.2.3"},
		{"build.ps1", `go build -ldflags "-X 'main.version=$env:VERSION'" .`, "-X main.version=1.2.3"},
		{"build.cmd", `go build -ldflags "-X main.version=%VERSION%" .`, "-X main.version=1.2.3"},
	} {
		var all []string
		for _, tmpl := range scriptTemplates(tt.name, decoded(tt.name, []byte(tt.text))) {
			for flags := range tmpl.expand(testValues(), false) {
				all = append(all, strings.Join(withoutStrip(flags), " "))
			}
		}
		if !slices.Contains(all, tt.want) {
			t.Errorf("%s: %s\nwant %q\ngot %q", tt.name, tt.text, tt.want, all[:min(len(all), 12)])
		}
	}
}

// FuzzQuotes: whatever a file of the source holds, it only gives candidates.
func FuzzQuotes(f *testing.F) {
	for _, s := range []string{`-ldflags "-X \"a.b=$(c)\""`, `{"a":"-X 'b.c=${d}'"}`, "run: \"-X a.b={c} %s\"", "-X=a.b='", "-ldflags=\"-X a.b=`c"} {
		f.Add("x.json", s)
		f.Add("x.yml", s)
		f.Add("x.sh", s)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		for _, tmpl := range scriptTemplates(name, decoded(name, []byte(text))) {
			n := 0
			for flags := range tmpl.expand(testValues(), false) {
				if n++; len(flags) > len(text)*8+64 || n > 20 {
					break
				}
			}
		}
		for _, s := range setsIn(text) {
			if s.name == "" || strings.ContainsAny(s.name, " \t\n\"'") {
				t.Errorf("%q: the name %q", text, s.name)
			}
		}
	})
}
