package scaffold

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// versionTag is a tag with a version in it: a prefix, and numbers.
var versionTag = regexp.MustCompile(`^(.*?)(\d+\.\d+(?:\.\d+)*(?:[-+.][0-9A-Za-z.+-]+)?)$`)

// tags finds the scheme of the version tags, and what the next could be.
func (p *Proposal) tags() {
	prefix, version := p.scheme()
	p.Tags = version != ""
	own := p.prefix() // of the go command's tags
	if version == "" {
		v := cmp.Or(module.PathMajorPrefix(pathMajor(p.Module)), "v1") + ".0.0"
		p.Tag, p.version = own+v, strings.TrimPrefix(v, "v")
		return
	}
	p.version = next(version)
	p.Tag = prefix + p.version
	if goes(prefix, own, version, p.Module) {
		return
	}
	tag := prefix + "{{.Version}}"
	if !slices.Contains(profiles.Keys(), "tag") {
		p.note("the tags are like %s, which is no version of %s for the go command; release a commit without another tag with untagged: pseudo, or tag it %sv…", prefix+version, p.Module, own)
		return
	}
	p.note("tag: %s, since %s is no version of %s for the go command", tag, prefix+version, p.Module)
}

// Template of the version tags, if they are not the go command's.
func (p *Proposal) tagKey() string {
	prefix, version := p.scheme()
	if version == "" || goes(prefix, p.prefix(), version, p.Module) {
		return ""
	}
	return prefix + "{{.Version}}"
}

// goes reports whether a tag is a version of the module for the go command.
func goes(prefix, own, version, path string) bool {
	v := "v" + version
	return prefix == own+"v" && semver.IsValid(v) && semver.Canonical(v) == v && module.MatchPathMajor(v, pathMajor(path))
}

func pathMajor(path string) string {
	_, major, _ := module.SplitPathVersion(path)
	return major
}

// prefix is what the go command has before the v of a tag: the module's directory in
// the repository.
func (p *Proposal) prefix() string {
	dir := p.Dir
	if p.layout.module == "" && len(p.layout.modules) > 0 {
		dir = filepath.Join(dir, filepath.FromSlash(p.layout.modules[0].dir))
	}
	rel, err := filepath.Rel(p.Root, dir)
	if err != nil || rel == "." {
		return ""
	}
	rel = filepath.ToSlash(rel)
	if major := strings.TrimPrefix(pathMajor(p.Module), "/"); major != "" && (rel == major || strings.HasSuffix(rel, "/"+major)) {
		rel = strings.TrimSuffix(strings.TrimSuffix(rel, major), "/") // a directory for the major version is in no tag
		if rel == "" {
			return ""
		}
	}
	return rel + "/"
}

// scheme is the prefix that most version tags have, and the highest version behind
// it. The module's own prefix counts before others.
func (p *Proposal) scheme() (prefix, version string) {
	counts := map[string]int{}
	highest := map[string]string{}
	for _, tag := range tagNames(p.Root) {
		m := versionTag.FindStringSubmatch(tag)
		if m == nil || !profiles.IsTag(tag) || strings.Contains(tag, "{{") { // files of .git can say what git never would
			continue
		}
		if p.ofOther(m[1], m[2]) {
			continue
		}
		counts[m[1]]++
		if highest[m[1]] == "" || compare(m[2], highest[m[1]]) > 0 {
			highest[m[1]] = m[2]
		}
	}
	for _, own := range []string{p.prefix() + "v", p.prefix()} {
		if counts[own] > 0 && (own != "" || counts["v"] == 0) {
			return own, highest[own]
		}
	}
	for _, name := range sortedKeys(counts) {
		if counts[name] > counts[prefix] || version == "" {
			prefix, version = name, highest[name]
		}
	}
	return prefix, version
}

// ofOther reports whether a tag is a version of another module of the repository: the
// go command's tags begin with the module's directory.
func (p *Proposal) ofOther(prefix, version string) bool {
	dir, ok := strings.CutSuffix(prefix, "/v")
	if !ok || prefix == p.prefix()+"v" || !filepath.IsLocal(filepath.FromSlash(dir)) {
		return false
	}
	major, _, _ := strings.Cut(version, ".")
	for _, at := range []string{dir, dir + "/v" + major} { // the second is in no tag
		if fi, err := os.Lstat(filepath.Join(p.Root, filepath.FromSlash(at), "go.mod")); err == nil && fi.Mode().IsRegular() {
			return true
		}
	}
	return false
}

func sortedKeys(m map[string]int) (list []string) {
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// compare compares versions by their numbers; a prerelease is below its release.
func compare(a, b string) int {
	if va, vb := "v"+a, "v"+b; semver.IsValid(va) && semver.IsValid(vb) {
		return semver.Compare(va, vb)
	}
	na, nb := numbers(a), numbers(b)
	return slices.Compare(na, nb)
}

func numbers(s string) (list []int) {
	for part := range strings.SplitSeq(s, ".") {
		n := 0
		if _, err := fmt.Sscanf(part, "%d", &n); err != nil {
			break
		}
		list = append(list, n)
	}
	return list
}

// next counts the last number up; of a prerelease it is its release.
func next(version string) string {
	base, _, pre := strings.Cut(version, "-")
	base, _, _ = strings.Cut(base, "+")
	if pre {
		return base
	}
	i := strings.LastIndex(base, ".")
	n := 0
	if _, err := fmt.Sscanf(base[i+1:], "%d", &n); err != nil {
		return base
	}
	return fmt.Sprintf("%s.%d", base[:i], n+1)
}

// tagNames are the names of the repository's tags, as its files have them: loose,
// and packed.
func tagNames(root string) (names []string) {
	dir := gitDir(filepath.Join(root, ".git"))
	base := filepath.Join(dir, "refs", "tags")
	filepath.WalkDir(base, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && len(names) < 100_000 {
			if rel, err := filepath.Rel(base, name); err == nil {
				names = append(names, filepath.ToSlash(rel))
			}
		}
		return nil
	})
	if data, err := files.Read(filepath.Join(dir, "packed-refs"), 16<<20); err == nil {
		for l := range strings.SplitSeq(string(data), "\n") {
			if _, ref, ok := strings.Cut(strings.TrimSpace(l), " refs/tags/"); ok {
				names = append(names, ref)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

var remoteURL = regexp.MustCompile(`(?ms)^\[remote "origin"\]\s*$(.*?)(?:^\[|\z)`)

// remoteName is the repository's name where it is cloned from; "" for none.
func remoteName(root string) string {
	data, err := files.Read(filepath.Join(gitDir(filepath.Join(root, ".git")), "config"), 1<<20)
	if err != nil {
		return ""
	}
	m := remoteURL.FindSubmatch(data)
	if m == nil {
		return ""
	}
	for l := range strings.SplitSeq(string(m[1]), "\n") {
		name, url, ok := strings.Cut(l, "=")
		if !ok || strings.TrimSpace(name) != "url" {
			continue
		}
		url = strings.TrimSuffix(strings.TrimRight(strings.TrimSpace(url), "/"), ".git")
		return url[strings.LastIndexAny(url, "/:")+1:]
	}
	return ""
}

// gitDir is the directory with a repository's tags: .git itself, or what a worktree's
// .git file leads to.
func gitDir(name string) string {
	if fi, err := os.Stat(name); err == nil && fi.IsDir() {
		return name
	}
	data, err := files.Read(name, 4<<10)
	if err != nil {
		return name
	}
	dir, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "gitdir: ")
	if !ok {
		return name
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(filepath.Dir(name), dir)
	}
	if data, err := files.Read(filepath.Join(dir, "commondir"), 4<<10); err == nil {
		common := strings.TrimSpace(string(data))
		if !filepath.IsAbs(common) {
			common = filepath.Join(dir, common)
		}
		return common
	}
	return dir
}
