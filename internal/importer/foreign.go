package importer

import (
	"fmt"
	"regexp"
	"strings"
)

// section is a part of a GoReleaser configuration that a profile file has nothing
// for, and what does it instead.
type section struct {
	outcome Outcome
	text    string
}

// sections are by key of the file.
func sections() map[string]section {
	upload := section{Cannot, "publish says where mintmark publish dist brings a verified release: publish: github:OWNER/REPO, or a GitLab, a Gitea, a Forgejo, a directory, a server that rsync reaches (docs/publish.md; init -ci=github writes a workflow with it)"}
	elsewhere := section{Cannot, "publish knows forges, directories (dir:PATH), servers that rsync reaches (rsync:HOST:PATH) and registries of images (oci:); bring the verified files of dist elsewhere with the service's own tool, in the workflow"}
	packages := section{Cannot, "of packages for systems, those of packages are made (deb, rpm, apk, archlinux); run the tool that you use now on the verified files of dist"}
	taps := section{Cannot, "no file is made for this package manager (channels has others); its own tool, or a workflow, reads names and digests out of dist/checksums.txt or dist/release.json"}
	images := section{Cannot, "not taken over, since a Dockerfile is run, and says what else is in the image; container images are made without one, of the programs, files of the commit and a base by digest: images: {NAME: {repository: HOST/OWNER/NAME, base: HOST/NAME@sha256:…}} (docs/images.md)"}
	ko := section{Cannot, "not taken over, since a base is named by digest here, and none is the default; write images: {NAME: {repository: HOST/OWNER/NAME, base: HOST/NAME@sha256:…, bin: /ko-app}} (docs/images.md)"}
	manifests := section{Default, "an image in images has all platforms in one index"}
	announce := section{Cannot, "nothing is announced; a workflow can do it when the release is there"}
	forge := section{Cannot, "publish has the address: github:https://HOST/OWNER/REPO, gitlab:…, gitea:… or forgejo:…"}
	signing := section{Cannot, "signing is by a key, of the list of digests, in cosign's format: init -key makes one, sign names it. A keyless signature is added by the workflow: actions/attest with subject-checksums"}
	own := map[string]section{
		"release": upload, "milestones": announce, "announce": announce, "publishers": elsewhere, "blobs": elsewhere, "uploads": elsewhere, "artifactories": elsewhere, "gemfury": elsewhere, "furies": elsewhere, "cloudsmiths": elsewhere,
		"snapcrafts": packages, "snapcraft": packages, "srpm": packages, "makeselfs": packages, "flatpak": packages, "msi": packages, "nsis": packages, "dmg": packages, "pkgs": packages, "app_bundles": packages, "appimages": packages,
		"aur_sources": taps, "nix": taps, "chocolateys": taps, "mcp": taps,
		"dockers": images, "dockers_v2": images, "docker_manifests": manifests, "docker_digest": {Default, "mintmark publish -to=oci: prints the digests, and release.json has them"}, "kos": ko, "ko": ko,
		"signs": signing, "sign": signing, "docker_signs": signing, "binary_signs": signing,
		"notarize":    {Cannot, "programs for macOS are not signed or notarized: that would change what was compared. It is done where they are packed for users"},
		"changelog":   {Changed, "dist/report.md has the commits since the last version tag, by kind where their messages say one, and is the text that mintmark publish gives a release"},
		"force_token": {Cannot, "not in this file: mintmark publish reads the token of the kind of place that publish or -to= names: GITHUB_TOKEN, GITLAB_TOKEN, GITEA_TOKEN or FORGEJO_TOKEN"}, "github_urls": forge, "gitlab_urls": forge, "gitea_urls": forge,
		"report_sizes":   {Default, "dist/report.html has the size of every file, and what it is made of"},
		"dist":           {Changed, "the directory is dist, or what -out= names"},
		"nightly":        {Cannot, "a nightly build is a snapshot: mintmark release -snapshot"},
		"partial":        {Changed, "release -platform= builds a part of the platforms"},
		"template_files": {Cannot, "no files are made of templates; commit them, or make them in generate"},
		"prebuilt":       {Cannot, "only what is built here is released"},
		"after":          {Cannot, "nothing runs after a release; put it into the workflow"},
		"before_publish": {Cannot, "put it into the workflow, before mintmark publish"},
		"verify":         {Cannot, "mintmark verify checks a release; put other checks into the workflow"},
		"schemas":        {Changed, "about the editor"},
	}
	return own
}

// rest says of the keys of the file that nobody has read what does it instead.
func (g *goreleaser) rest() {
	known := sections()
	for _, f := range g.fields {
		if s, ok := known[f.name]; ok {
			text := s.text
			if forge, repo, _ := g.repository(); f.name == "release" && repo != "" {
				text = strings.Replace(text, "github:OWNER/REPO", forge+":"+repo, 1)
			}
			if f.name == "dist" {
				text = fmt.Sprintf("the directory is dist, or what -out= names: release -out=%s", quote(strings.TrimPrefix(scalar(f), "./")))
			}
			g.sayAll(f, s.outcome, "%s", text)
		}
		if f.name == "metadata" {
			g.metadata(f)
		}
	}
	if h := g.field("changelog"); h.there() && isTrue(scalarOf(g, h, "disable", "skip")) {
		g.sayAll(h, Default, "no changelog is written")
	}
}

// repository is the forge and the repository that releases are published in, and the key
// that says it; "" where it is not said in plain words.
func (g *goreleaser) repository() (forge, repo string, key any) {
	for _, forge := range []string{"github", "gitlab"} {
		f := fieldOf(g.importer.fields(g.field("release").value), forge)
		in := g.importer.fields(f.value)
		owner, name := text(fieldOf(in, "owner").value), text(fieldOf(in, "name").value)
		if owner != "" && name != "" && !strings.Contains(owner+name, "{{") {
			return forge, owner + "/" + name, f.key
		}
	}
	return "", "", nil
}

func scalar(f field) string { return text(f.value) }

func scalarOf(g *goreleaser, f field, names ...string) string {
	return text(fieldOf(g.importer.fields(f.value), names...).value)
}

func (g *goreleaser) metadata(f field) {
	for _, x := range g.importer.fields(f.value) {
		switch {
		case x.name == "mod_timestamp":
			g.modTimestamp(x)
		case !g.inMetadata(x.name):
			g.sayAll(x, Cannot, "it is for package managers, and no channel here has it")
		}
	}
}

var onlyModules = regexp.MustCompile(`^\s*(?:env\s+)?(?:[A-Z_]+=\S+\s+)*go\s+(?:-C\s+\S+\s+)?(?:mod\s+(?:tidy|download|verify)|get\b(?:\s+-[a-z]+)*)(?:\s+\S+)*\s*$`)

// hooks are commands before the build. Those that only fetch modules have no work
// left; others are proposed as steps that make files.
func (g *goreleaser) hooks() {
	f := g.field("before")
	for _, x := range g.importer.fields(f.value) {
		if x.name != "hooks" {
			continue
		}
		var left []string
		for _, e := range elements(x.value) {
			cmd := text(e)
			if cmd == "" {
				cmd = scalarOf(g, field{value: e}, "cmd")
				for _, y := range g.importer.fields(e) {
					g.say(y.key, Changed, "as hooks in line %d", x.key.Line)
				}
			}
			cmd = strings.Join(strings.Fields(cmd), " ")
			if onlyModules.MatchString(cmd) {
				g.say(x.key, Changed, "%s has no work here: modules are fetched before the build, and go.mod and go.sum are those of the commit", cmd)
				continue
			}
			if cmd != "" {
				left = append(left, cmd)
			}
		}
		if len(left) == 0 {
			g.say(x.key, Default, "none")
			continue
		}
		g.propose(left)
		for _, cmd := range left {
			g.say(x.key, Cannot, "%s: which files it reads and makes is not written here; commit them, or complete the entry of generate that the file has as a comment", quote(cmd))
		}
	}
}

// propose writes commands as entries of generate, as a comment.
func (g *goreleaser) propose(commands []string) {
	c := []string{"", "Steps that the configuration runs before the build. If one makes files that are", "built or archived, and these are not in the commit, complete its entry:"}
	if !g.format.key("generate") {
		c = []string{"", "Steps that the configuration runs before the build. If one makes files that are", "built or archived, commit these files: this version runs no steps."}
	}
	c = append(c, "generate:")
	for _, cmd := range commands {
		words := splitFlags(cmd)
		if strings.Contains(cmd, "{{") {
			words = []string{cmd}
		}
		c = append(c, "  - command: ["+strings.Join(quoted(words), ", ")+"]", "    inputs: []   # globs of the files that it reads", "    outputs: []  # globs of the files that it makes")
	}
	for i := range c {
		c[i] = strings.TrimRight(c[i], " ")
	}
	g.draft.trailer = append(g.draft.trailer, c...)
}

// head is the comment above the file's keys.
func (g *goreleaser) head() {
	g.draft.comments = append(g.draft.comments, "Made of "+g.Name+" by mintmark init; what became of each of its keys: mintmark init -from="+g.Name+" -print")
}
