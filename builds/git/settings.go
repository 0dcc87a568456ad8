package git

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// data are the user's settings that count, in git's own small letters: those by
// which git tells whether a file in the work tree is the one of the commit. None
// of them names a program. The last two name files with patterns.
var data = []string{
	"core.autocrlf", "core.eol", "core.filemode", "core.symlinks", "core.ignorecase", "core.precomposeunicode",
	"core.checkstat", "core.trustctime", "core.longpaths", "core.sparsecheckout", "core.sparsecheckoutcone",
	"core.excludesfile", "core.attributesfile",
}

// partialClone is there in settings if the repository is a partial clone.
const partialClone = "extensions.partialclone"

// settings are the user's settings of [data], as git finds them in dir, and
// [partialClone]. Paths are absolute.
func (g *Git) settings(ctx context.Context, dir string) (map[string]string, error) {
	out, err := g.run(ctx, ask, dir, nil, nil, "config", "--list", "-z")
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for entry := range bytes.SplitSeq(out, []byte{0}) {
		// A key without a value has no line end either, and means true.
		key, value, ok := strings.Cut(string(entry), "\n")
		if !ok {
			value = "true"
		}
		switch {
		case slices.Contains(data, key):
			found[key] = value
		case key == "extensions.partialclone", // as git up to 2.24 marks it
			strings.HasPrefix(key, "remote.") && strings.HasSuffix(key, ".promisor"),
			strings.HasPrefix(key, "remote.") && strings.HasSuffix(key, ".partialclonefilter"):
			found[partialClone] = value
		}
	}
	for key, standard := range map[string]string{"core.excludesfile": "ignore", "core.attributesfile": "attributes"} {
		name, ok := found[key]
		if !ok {
			name = g.userFile(standard)
		}
		if found[key] = g.expand(name, dir); !isRegular(found[key]) {
			found[key] = os.DevNull // also a pipe, which git would wait for
		}
	}
	return found, nil
}

// userFile is where git looks for the user's patterns if no setting says so.
func (g *Git) userFile(name string) string {
	if dir := g.variable("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "git", name)
	}
	return filepath.Join("~", ".config", "git", name)
}

// expand makes a path of the user's settings absolute, as git does.
func (g *Git) expand(path, dir string) string {
	if rest, ok := strings.CutPrefix(filepath.ToSlash(path), "~/"); ok {
		home := g.variable("HOME")
		if home == "" {
			home = g.variable("USERPROFILE")
		}
		if home == "" {
			return ""
		}
		return filepath.Join(home, filepath.FromSlash(rest))
	}
	return absolute(dir, path)
}

func (g *Git) variable(name string) (value string) {
	for _, kv := range g.environ {
		if n, v, _ := strings.Cut(kv, "="); n == name {
			value = v
		}
	}
	return value
}

// config is the configuration of a git directory of our own. It is all that git
// reads there.
func (r *Repo) config(settings map[string]string) []byte {
	all := map[string]string{"core.repositoryformatversion": "0", "core.fsmonitor": "false", "core.untrackedcache": "false"}
	for key, value := range settings {
		if slices.Contains(data, key) {
			all[key] = value
		}
	}
	if r.format != "" && r.format != "sha1" {
		all["core.repositoryformatversion"], all["extensions.objectformat"] = "1", r.format
	}
	return section(all)
}

// section writes settings as git's configuration files have them.
func section(settings map[string]string) []byte {
	var b bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		group, name, _ := strings.Cut(key, ".")
		b.WriteString("[" + group + "]\n\t" + name + " = " + quote(settings[key]) + "\n")
	}
	return b.Bytes()
}

// quote writes a text so that git reads it as it is, in its configuration and in
// its list of alternates.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}
