package recovery

import (
	"strings"
	"testing"
)

// TestGoReleaserTraps: what is a trap is what reaches a binary, not what the
// text of the file looks like.
func TestGoReleaserTraps(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"a token", "release:\n  github: {owner: a}\nbrews:\n  - token: '{{ .Env.TAP_TOKEN }}'\nbuilds:\n  - ldflags: -s -w\n", ""},
		{"a comment", "# {{.Date}} and go generate\nbuilds:\n  - ldflags: -s\n", ""},
		{"the time", "builds:\n  - ldflags:\n      - -s\n      - -X main.date={{.Date}}\n", "4: {{.Date}} is the time of the build"},
		{"the commit's time", "builds:\n  - ldflags: -X main.date={{.CommitDate}}\n", ""},
		{"the environment", "builds:\n  - env: [CGO_ENABLED=0]\n    flags: ['-tags={{ .Env.TAGS }}']\n", "3: {{ .Env.TAGS }} is of the environment"},
		{"set by the file", "env: [TAGS=a]\nbuilds:\n  - flags: ['-tags={{ .Env.TAGS }}']\n", ""},
		{"set by the file to the time", "env: ['WHEN={{ .Now }}']\nbuilds:\n  - ldflags: '-X a.b={{ .Env.WHEN }}'\n", "1: {{ .Now }} is the time"},
		{"a hook", "before:\n  hooks:\n    - go mod download\n    - make manpages\n", `4: the hook "make manpages" can change the tree`},
		{"a hook with keys", "before:\n  hooks:\n    - cmd: go generate ./...\n      dir: x\n", `3: the hook "go generate ./..." can`},
		{"a build's hook", "builds:\n  - hooks: {pre: ./gen.sh}\n", `2: the hook "./gen.sh" can`},
		{"reads only", "before:\n  hooks: [go mod verify, go test ./...]\n", ""},
		{"writes all the same", "before:\n  hooks: ['echo x > version.go']\n", "the hook"},
		{"no YAML", "{{", ""},
	} {
		got := strings.Join(GoReleaserTraps([]byte(c.file)), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzGoReleaserTraps(f *testing.F) {
	f.Add("a: &a [*a]\nbuilds: *a\n")
	f.Add("builds: [{ldflags: '{{.Date}}'}]")
	f.Fuzz(func(t *testing.T, file string) { GoReleaserTraps([]byte(file)) })
}
