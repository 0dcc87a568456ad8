package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// ciPage is the YAML of docs/ci.md about many machines.
func ciPage(t *testing.T) (github githubWorkflow, gitlab gitlabPipeline) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(repository, "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## On many machines\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(section, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of YAML", len(blocks))
	}
	for i, to := range []any{&github, &gitlab} {
		if err := yaml.Unmarshal([]byte(blocks[i][1]), to); err != nil {
			t.Fatalf("%v\n%s", err, blocks[i][1])
		}
	}
	return github, gitlab
}

// githubWorkflow is what of a workflow is about the parts.
type githubWorkflow struct {
	Jobs map[string]struct {
		Needs    string
		RunsOn   string `yaml:"runs-on"`
		Strategy struct {
			Matrix struct {
				Shard   []int
				Place   []string
				Include []struct{ Place, Runner string }
			}
		}
		Steps []struct {
			Uses, Run string
			With      map[string]any
		}
	}
}

// gitlabPipeline is what of a pipeline is about the parts.
type gitlabPipeline struct {
	Stages []string
	Build  struct {
		Stage    string
		Parallel struct {
			Matrix []struct {
				Shard []string `yaml:"SHARD"`
				Place []string `yaml:"PLACE"`
			}
		}
		Script    []string
		Artifacts struct{ Paths []string }
	}
	Release struct {
		Stage  string
		Script []string
	}
}

// expand replaces what a CI replaces in a text.
func expand(text string, values map[string]string) string {
	for name, value := range values {
		text = strings.ReplaceAll(text, name, value)
	}
	return text
}

// TestMatrix does what the jobs of docs/ci.md do, five shards in two places, and holds
// the release that comes of it against that of one machine. The jobs of both CIs are
// the same.
func TestMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds three times")
	}
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh: the jobs have command lines of it")
	}
	t.Parallel()
	github, gitlab := ciPage(t)
	m := newMatrix(t)

	build, merge := github.Jobs["build"], github.Jobs["release"]
	if merge.Needs != "build" || merge.Strategy.Matrix.Shard != nil {
		t.Errorf("the merge needs %q", merge.Needs)
	}
	var uploads []string
	var jobs []string
	for _, shard := range build.Strategy.Matrix.Shard {
		for _, place := range build.Strategy.Matrix.Place {
			values := map[string]string{"${{ matrix.shard }}": fmt.Sprint(shard), "${{ matrix.place }}": place}
			if !slices.ContainsFunc(build.Strategy.Matrix.Include, func(x struct{ Place, Runner string }) bool { return x.Place == place && x.Runner != "" }) {
				t.Errorf("place %s has no runner", place)
			}
			for _, step := range build.Steps {
				switch line := expand(step.Run, values); {
				case strings.HasPrefix(line, "mintmark "):
					jobs = append(jobs, line)
					m.sh(line)
				case strings.HasPrefix(step.Uses, "actions/upload-artifact@"):
					name := expand(fmt.Sprint(step.With["path"]), values)
					uploads = append(uploads, name)
					m.move(name, filepath.Join("..", "store", name)) // the next job has a checkout of its own
				}
			}
		}
	}
	if len(jobs) != 10 || len(uploads) != 10 {
		t.Fatalf("%d commands and %d uploads of 5 shards in 2 places", len(jobs), len(uploads))
	}
	merged, uploaded := 0, 0
	for _, step := range merge.Steps {
		switch {
		case strings.HasPrefix(step.Uses, "actions/download-artifact@"):
			for _, name := range uploads {
				m.move(filepath.Join("..", "store", name), filepath.Join(fmt.Sprint(step.With["path"]), name))
			}
		case strings.HasPrefix(step.Run, "mintmark publish "):
			uploaded += merged
			// To a directory, in the forge's place.
			line := strings.NewReplacer(`"-to=github:$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"`, "-to=dir:../uploaded", "-key=mintmark.pub", "-key=../publisher.pub").Replace(step.Run)
			if strings.Count(line, "../") != 2 {
				t.Fatalf("it does not say what is published where: %s", step.Run)
			}
			m.sh(line)
		case strings.HasPrefix(step.Run, "mintmark "):
			merged++
			m.sh(step.Run)
		}
	}
	if merged != 1 || uploaded != 1 {
		t.Fatalf("%d merges, and %d uploads of what was merged", merged, uploaded)
	}
	if diff := differing(m.published("dist"), m.published("../uploaded/v1.0.0")); diff != "" {
		t.Errorf("what is published is not what was merged:\n%s", diff)
	}
	m.move("dist", "../merged")

	// GitLab's jobs are the same ones, and its merge finds the parts where it looks.
	var same []string
	for _, x := range gitlab.Build.Parallel.Matrix {
		for _, shard := range x.Shard {
			for _, place := range x.Place {
				for _, line := range gitlab.Build.Script {
					if strings.HasPrefix(line, "mintmark ") {
						same = append(same, expand(line, map[string]string{"$SHARD": shard, "$PLACE": place}))
					}
				}
			}
		}
	}
	if !slices.Equal(same, jobs) {
		t.Errorf("GitLab does\n%s\nand GitHub\n%s", strings.Join(same, "\n"), strings.Join(jobs, "\n"))
	}
	for _, name := range uploads {
		for _, pattern := range gitlab.Build.Artifacts.Paths {
			if ok, err := filepath.Match(pattern, name); !ok || err != nil {
				t.Errorf("%s is no artifact of GitLab's", name)
			}
		}
		m.move(filepath.Join("parts", name), name)
	}
	if s := gitlab.Stages; !slices.Equal(s, []string{gitlab.Build.Stage, gitlab.Release.Stage}) {
		t.Errorf("stages: %q", s)
	}
	m.sh(gitlab.Release.Script[len(gitlab.Release.Script)-1])
	m.move("dist", "../merged-again")

	for _, name := range uploads { // one machine has no parts
		m.move(name, filepath.Join("..", "store", name))
	}
	m.sh("mintmark release")
	one := m.published("dist")
	for _, dir := range []string{"../merged", "../merged-again"} {
		if diff := differing(one, m.published(dir)); diff != "" {
			t.Errorf("%s is not the release of one machine:\n%s", dir, diff)
		}
	}
}

// matrix is a checkout in which the jobs of a CI are done.
type matrix struct {
	t   *testing.T
	dir string
	env []string
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	home := t.TempDir()
	m := &matrix{t, filepath.Join(home, "hello"), append(os.Environ(),
		"HOME="+home, "MINTMARK_CACHE="+sharedCache(t), "MINTMARK_LEDGER_KEY="+provenSecret, "MINTMARK_PASSWORD=",
		"MINTMARK_KEY="+filepath.Join(home, "publisher.key"), "GIT_CONFIG_NOSYSTEM=1",
	)}
	for name, value := range goEnv(t) {
		if name != "GOCACHE" {
			m.env = append(m.env, name+"="+value)
		}
	}
	for name, text := range map[string]string{
		"go.mod":     "module example.com/hello\n\ngo 1.24.0\n",
		"main.go":    "package main\n\nvar commit string\n\nfunc main() { println(\"hello\", commit) }\n",
		".gitignore": "/dist/\n",
		// Units that share their compiles, and fewer groups of them than shards.
		"mintmark.yaml": "version: 1\nproject: hello\ngo: " + toolchain + "\nprofiles:\n  release:\n    ldflags: {strip: true, set: {main.commit: \"{{.Commit}}\"}}\n" +
			"    archive: tar.gz\n    platforms: [linux/amd64, linux/arm64, windows/amd64]\n  debug:\n    ldflags: {strip: none}\n    name: \"{{.Project}}-debug_{{.Version}}_{{.OS}}_{{.Arch}}\"\n    platforms: [linux/amd64, linux/arm64]\n",
	} {
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{
		"git init -q -b main .", "git add -A", "git -c user.name=a -c user.email=a@example.com commit -q -m commit", "git tag v1.0.0",
		"mintmark keygen -prefix=../publisher",
	} {
		m.sh(line)
	}
	return m
}

func (m *matrix) sh(line string) {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), "sh", "-c", line)
	cmd.Dir, cmd.Env = m.dir, m.env
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

func (m *matrix) move(from, to string) {
	m.t.Helper()
	to = filepath.Join(m.dir, to)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(m.dir, from), to); err != nil {
		m.t.Fatal(err)
	}
}

func (m *matrix) published(dir string) map[string]string {
	m.t.Helper()
	files, err := publishedFiles(filepath.Join(m.dir, dir))
	if err != nil {
		m.t.Fatal(err)
	}
	return files
}
