package scaffold

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/shell"
)

// KeyName is the prefix of the key pair that init makes.
const KeyName = "mintmark"

// CIs are the services that a workflow can be written for.
func CIs() []string { return []string{"github", "gitlab"} }

// CheckCI refuses a service that nobody knows.
func CheckCI(name string) error {
	if name == "" || slices.Contains(CIs(), name) {
		return nil
	}
	return fault.Usagef("one of "+strings.Join(CIs(), ", "), "-ci=%s", name)
}

// ignore proposes lines of .gitignore for what git does not ignore yet.
func (p *Proposal) ignore() {
	name := p.rel(".gitignore")
	var old []byte
	if fi, err := os.Lstat(filepath.Join(p.Root, ".gitignore")); err == nil && fi.Mode().IsRegular() { // git follows no link there either
		old, _ = files.Read(filepath.Join(p.Root, ".gitignore"), 1<<20)
	}
	at, err := filepath.Rel(p.Root, p.Dir)
	if err != nil {
		return
	}
	dir := filepath.ToSlash(at)
	names := []string{path.Join(dir, "dist") + "/"}
	if p.cfg.CI == "gitlab" {
		names = append(names, gitlabCache+"/")
	}
	var inside, ignored []string
	for _, n := range names {
		inside = append(inside, n+"x") // git looks at what is in a directory that may not be there
	}
	asked := false
	if p.cfg.Ignored != nil {
		ignored, err = p.cfg.Ignored(p.Root, inside)
		asked = err == nil
	}
	text := ""
	for i, n := range names {
		line := "/" + escapeIgnore.Replace(n)
		if asked && !slices.Contains(ignored, inside[i]) || !asked && !ignores(string(old), line) {
			text += line + "\n"
		}
	}
	if p.cfg.Key { // whoever makes the key reads lines, and would add this one after the commit
		if line := "/" + escapeIgnore.Replace(path.Join(dir, KeyName+".key")); !ignores(string(old), line) {
			text += line + "\n"
		}
	}
	if text != "" {
		p.Files = append(p.Files, File{Name: name, Text: text, Adds: true})
	}
}

// escapeIgnore writes a name as a pattern of .gitignore that matches it alone.
var escapeIgnore = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, " ", `\ `)

// ignores reports whether a .gitignore has the line, or a shorter one for it.
func ignores(text, line string) bool {
	base := path.Base(line)
	known := false
	for l := range strings.SplitSeq(text, "\n") {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "!") {
			known = false // what it brings back is not looked into
		}
		if l == line || l == strings.TrimSuffix(line, "/") || l == strings.TrimPrefix(line, "/") || l == base || l == base+"/" && strings.HasSuffix(line, "/") {
			known = true
		}
	}
	return known
}

// mage proposes a module for the Mage targets, apart from the product's.
func (p *Proposal) mage() {
	if !p.cfg.Mage {
		return
	}
	p.Files = append(p.Files,
		File{Name: "magefiles/go.mod", Text: fmt.Sprintf("// Apart from the module that is released, so that nothing here takes part in its\n// versions.\nmodule %s/magefiles\n\ngo 1.26.0\n", p.Module)},
		File{Name: "magefiles/magefile.go", Text: "//go:build mage\n\npackage main\n\nimport (\n\t//mage:import\n\t_ \"github.com/mintmark/mintmark/targets\"\n)\n"})
}

// plainDir are directories that are nothing else than a name to YAML, to a shell, to
// what has patterns and to what expands variables: a workflow has all of these around one.
var plainDir = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_./+@=-]*$`)

// workflow proposes the file of a service that releases each version tag.
func (p *Proposal) workflow() error {
	if p.cfg.CI == "" {
		return nil
	}
	at, err := filepath.Rel(p.Root, p.Dir)
	if err != nil || at == "." {
		at = ""
	}
	if at != "" && !plainDir.MatchString(filepath.ToSlash(at)) {
		return fault.Errorf("rename it, or write the workflow by hand", "-ci=%s: the directory %q has characters in its name that mean something in a workflow", p.cfg.CI, at)
	}
	dir, dist := "", "dist"
	if at != "" {
		dir, dist = " -dir="+shell.Name(filepath.ToSlash(at)), path.Join(filepath.ToSlash(at), "dist")
	}
	pattern := p.tagPattern()
	switch p.cfg.CI {
	case "github":
		p.Files = append(p.Files, File{Name: p.rel(".github/workflows/release.yml"), Text: github(pattern, dir, dist, p.cfg.Key)})
	case "gitlab":
		p.Files = append(p.Files, File{Name: p.rel(".gitlab-ci.yml"), Text: gitlab(dir, dist, p.cfg.Key)})
	}
	return nil
}

// escapePattern writes a text as a pattern of GitHub's that matches it alone.
var escapePattern = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "+", `\+`, "[", `\[`, "]", `\]`, "!", `\!`)

// tagPattern matches the version tags, as GitHub has patterns, in quotes for YAML.
func (p *Proposal) tagPattern() string {
	i := strings.IndexAny(p.Tag, "0123456789")
	if m := versionTag.FindStringSubmatch(p.Tag); m != nil {
		i = len(m[1])
	}
	return strconv.Quote(escapePattern.Replace(p.Tag[:max(i, 0)]) + "[0-9]*") // tags are ASCII: YAML reads it back
}

func github(pattern, dir, dist string, key bool) string {
	env, trust := "", "-unsigned"
	if key {
		trust = "-key=" + path.Join(path.Dir(dist), KeyName+".pub")
		env = `        env:
          MINTMARK_KEY: env://MINTMARK_KEY_PEM
          MINTMARK_KEY_PEM: ${{ secrets.MINTMARK_KEY_PEM }}    # what mintmark.key holds
          MINTMARK_PASSWORD: ${{ secrets.MINTMARK_PASSWORD }}  # its passphrase
`
	}
	return `# Releases each version tag. Written by mintmark init.
name: release
on:
  push:
    tags: [` + pattern + `]
permissions:
  contents: write      # the release
  id-token: write      # the attestation
  attestations: write
jobs:
  release:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0  # versions follow from history and tags
      - uses: actions/setup-go@v5
        with:
          go-version: stable
          cache: false
      - uses: actions/cache@v4
        with:
          path: ~/.cache/mintmark
          key: mintmark-${{ runner.os }}-${{ github.sha }}
          restore-keys: mintmark-${{ runner.os }}-
      - run: go install github.com/mintmark/mintmark/cmd/mintmark@latest
      - run: mintmark release` + dir + `
` + env + `      - uses: actions/attest@v2
        with:
          subject-checksums: ` + dist + `/checksums.txt
      - run: mintmark publish ` + dist + ` "-to=github:$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" ` + trust + `
        env:
          GITHUB_TOKEN: ${{ github.token }}
`
}

// gitlabCache is where a job on GitLab has mintmark's cache: nothing outside of the
// checkout is kept from one job to the next.
const gitlabCache = ".mintmark-cache"

func gitlab(dir, dist string, key bool) string {
	env := ""
	if key {
		env = `    # Masked variables of the project: MINTMARK_KEY_PEM, what mintmark.key holds, and
    # MINTMARK_PASSWORD, its passphrase.
    MINTMARK_KEY: env://MINTMARK_KEY_PEM
`
	}
	return `# Releases each version tag. Written by mintmark init.
release:
  image: golang:1.26
  rules:
    - if: $CI_COMMIT_TAG
  variables:
    GIT_DEPTH: "0"  # versions follow from history and tags
    MINTMARK_CACHE: $CI_PROJECT_DIR/` + gitlabCache + `  # what is cached has to be in here
` + env + `  script:
    - go install github.com/mintmark/mintmark/cmd/mintmark@latest
    - mintmark release` + dir + `
  cache:
    key: mintmark
    paths: [` + gitlabCache + `/]
  artifacts:
    paths: [` + dist + `/]
    expire_in: never
`
}

// Step is one thing to do next: a command, and why.
type Step struct {
	Command string `json:"command"`
	Why     string `json:"why"`
}

// Next is what to do when the files are written, in an order in which each step
// works.
func (p *Proposal) Next() []Step {
	var steps []Step
	add := func(why, format string, args ...any) { steps = append(steps, Step{fmt.Sprintf(format, args...), why}) }
	var names []string
	for _, f := range p.Files {
		names = append(names, f.Name)
	}
	if p.cfg.Dir != "" && p.cfg.Dir != "." {
		add("", "cd %s", shell.Name(p.cfg.Dir))
	}
	if p.cfg.Mage {
		add("the targets' own modules", "go -C magefiles get -tool github.com/magefile/mage")
		add("", "go -C magefiles get github.com/mintmark/mintmark/targets")
		add("", "go -C magefiles mod tidy")
		names = append(names, "magefiles/go.sum")
	}
	if p.cfg.Key {
		names = append(names, KeyName+".pub")
	}
	add("a release is made of a commit, and a changed tree is refused", "git add %s", shell.Names(names))
	add("", "git commit -m %s", shell.Word("Release with mintmark"))
	if strings.Contains(p.Files[0].Text, ".Tag") { // which there is none of before
		add("the version; an example", "git tag %s", shell.Word(p.Tag))
		add("finds what is wrong before anything is built; mend it, commit, and move the tag (git tag -f) before anybody has it", "mintmark check")
	} else {
		add("finds what is wrong before anything is built, and before there is a tag to move; mend and commit it. The version is an example", "mintmark check -version=%s", shell.Word(p.version))
		add("says that this commit is the version", "git tag %s", shell.Word(p.Tag))
	}
	add("for this machine alone; without -platform= for all", "mintmark release -platform=%s", p.cfg.Host)
	if p.cfg.Key {
		add("what your users do", "mintmark verify -key=%s.pub dist", KeyName)
	} else {
		add("what your users do; a key makes it proof (mintmark keygen, and sign: {key: mintmark.key} in the place of sign: none)", "mintmark verify -unsigned dist")
	}
	return steps
}
