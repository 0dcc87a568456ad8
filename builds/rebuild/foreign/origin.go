package foreign

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/secret"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
)

// tree is a source ready for building.
type tree struct {
	Origin
	root  string // top; holds .git
	dir   string // the module's directory
	git   bool   // a true checkout, not a zip
	notes []string
}

// moduleInfo is what the module proxy says of a version (go list -m -json).
type moduleInfo struct {
	Path, Version string
	Time          time.Time
	Origin        *toolchain.Origin
	Error         *struct{ Err string }
	Versions      []string
}

// maxAsked bounds how many versions are looked at to find the one of a commit.
const maxAsked = 60

// findVersion finds the module version that has the source of the claim.
// confirmed says who else than the binary connects the two.
func findVersion(ctx context.Context, f *toolchain.Fetcher, c *Claim, hints []string) (version string, notes []string, err error) {
	if v := c.Release(); v != "" && v != "(devel)" {
		if !semver.IsValid(v) {
			return "", nil, fmt.Errorf("its module version %q is no version", v)
		}
		return v, nil, nil
	}
	if c.Revision == "" {
		for _, v := range hints {
			if infos, err := listModules(ctx, f, c.Module+"@"+v); err == nil && len(infos) == 1 && infos[0].Error == nil && infos[0].Version != "" {
				return infos[0].Version, []string{"the binary names neither version nor revision; " + v + " is what its package or file name says"}, nil
			}
			if ctx.Err() != nil {
				return "", nil, ctx.Err()
			}
		}
		return "", nil, errors.New("it names neither a version nor a revision of " + c.Module + ": name the source with -source=")
	}
	// The proxy is asked for the revision first.
	infos, asked := listModules(ctx, f, c.Module+"@"+c.Revision)
	if ctx.Err() != nil {
		return "", nil, ctx.Err()
	}
	if asked == nil && len(infos) == 1 && infos[0].Error == nil && infos[0].Version != "" {
		return infos[0].Version, nil, nil
	}
	if len(infos) == 1 && infos[0].Error != nil {
		asked = errors.New(secret.Redact(infos[0].Error.Err))
	}
	// Then for the time of every version, those suggested first.
	want, err := time.Parse(time.RFC3339Nano, c.Time)
	if err != nil {
		return "", nil, fmt.Errorf("revision %s: %w", c.Revision, asked)
	}
	match := func(versions []string) string {
		var query []string
		for _, v := range versions {
			query = append(query, c.Module+"@"+v)
		}
		if len(query) == 0 {
			return ""
		}
		infos, _ := listModules(ctx, f, query...)
		for _, m := range infos {
			known := m.Origin != nil && m.Origin.Hash != ""
			if m.Error == nil && (known && m.Origin.Hash == c.Revision || !known && m.Time.Equal(want)) {
				return m.Version
			}
		}
		return ""
	}
	said := "the module proxy does not know the revision; of the versions it knows, "
	if v := match(hints); v != "" {
		return v, []string{said + v + " is of the same time"}, nil
	}
	all, err := listVersions(ctx, f, c.Module)
	if ctx.Err() != nil {
		return "", nil, ctx.Err()
	}
	if err == nil {
		slices.Reverse(all)
		if v := match(all[:min(len(all), maxAsked)]); v != "" {
			return v, []string{said + v + " is of the same time"}, nil
		}
	}
	return "", nil, fmt.Errorf("no version of %s is revision %s (%s): %w; name its repository with -source=", c.Module, c.Revision, c.Time, asked)
}

// listModules asks for versions; those that do not exist have an Error.
func listModules(ctx context.Context, f *toolchain.Fetcher, queries ...string) ([]moduleInfo, error) {
	return list(ctx, f, append([]string{"list", "-m", "-e", "-json"}, queries...))
}

func listVersions(ctx context.Context, f *toolchain.Fetcher, modPath string) ([]string, error) {
	infos, err := list(ctx, f, []string{"list", "-m", "-versions", "-json", modPath})
	if err != nil || len(infos) == 0 {
		return nil, err
	}
	return infos[0].Versions, nil
}

func list(ctx context.Context, f *toolchain.Fetcher, args []string) ([]moduleInfo, error) {
	res, err := toolchain.Run(ctx, toolchain.Command{Path: f.Go, Args: args, Dir: f.Place.Empty, Env: f.Place.FetchEnv(f.Settings)})
	var out []moduleInfo
	dec := json.NewDecoder(bytes.NewReader(res.Stdout))
	for {
		var m moduleInfo
		if derr := dec.Decode(&m); derr == io.EOF {
			break
		} else if derr != nil {
			return nil, errors.Join(err, derr)
		}
		out = append(out, m)
	}
	return out, err
}

// fetchZip gets the module from the proxy and makes a private copy of it in
// root, whose files are hashed again: what the module cache holds is not trusted.
func fetchZip(ctx context.Context, f *toolchain.Fetcher, c *Claim, version, root string) (*tree, error) {
	if err := module.Check(c.Module, version); err != nil {
		return nil, err
	}
	m, err := f.Module(ctx, c.Module+"@"+version)
	if err != nil {
		return nil, err
	}
	if c.Sum != "" && c.Sum != m.Sum {
		return nil, fmt.Errorf("the binary says that %s@%s has the hash %s, it has %s", c.Module, version, c.Sum, m.Sum)
	}
	t := &tree{root: root, dir: root}
	t.Origin = Origin{Kind: "module", Module: m.Path, Version: m.Version, Sum: m.Sum, SumDB: f.Settings.Checks(m.Path), Revision: c.Revision, Time: c.Time}
	if err := os.CopyFS(root, os.DirFS(m.Dir)); err != nil {
		return nil, err
	}
	got, err := dirhash.HashDir(root, m.Path+"@"+m.Version, dirhash.Hash1)
	if err != nil {
		return nil, err
	}
	if got != m.Sum {
		return nil, &toolchain.Error{
			Err: fmt.Errorf("the files of %s@%s in the module cache have the hash %s, the checksum database says %s", m.Path, m.Version, got, m.Sum),
			Tip: "something altered the module cache on this machine; remove mintmark's cache directory and try again",
		}
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); errors.Is(err, fs.ErrNotExist) {
		// A module of the time before modules: the go command makes one up.
		data, err := os.ReadFile(m.GoMod)
		if err == nil {
			err = os.WriteFile(filepath.Join(root, "go.mod"), data, 0o644)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := makeWritable(root); err != nil {
		return nil, err
	}
	t.confirm(m, c)
	return t, nil
}

// confirm compares the claimed revision with what the proxy says of the version.
func (t *tree) confirm(m *toolchain.Module, c *Claim) {
	data, err := os.ReadFile(m.Info)
	if err != nil {
		return
	}
	var info moduleInfo
	if json.Unmarshal(data, &info) != nil {
		return
	}
	if t.Time == "" && !info.Time.IsZero() {
		t.Time = info.Time.UTC().Format(time.RFC3339)
	}
	hash := ""
	if info.Origin != nil {
		hash = info.Origin.Hash
	}
	if c.Revision == "" {
		if hash != "" {
			t.Revision, t.Confirmed = hash, "proxy"
		}
		return
	}
	claimed, err := time.Parse(time.RFC3339Nano, c.Time)
	switch {
	case hash == c.Revision:
		t.Confirmed = "proxy"
	case hash != "":
		t.notes = append(t.notes, fmt.Sprintf("the module proxy says that %s@%s is revision %s, the binary claims %s", m.Path, m.Version, hash, c.Revision))
	case err == nil && !info.Time.Equal(claimed):
		t.notes = append(t.notes, fmt.Sprintf("the module proxy says that %s@%s is of %s, the binary claims %s", m.Path, m.Version, info.Time.UTC().Format(time.RFC3339), c.Time))
	}
}

// makeWritable undoes the module cache's read-only modes: the go command may
// complete go.sum and makes a vendor directory in the private copy.
func makeWritable(root string) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(name, 0o755)
		}
		return os.Chmod(name, 0o644)
	})
}

// fetchGit clones the source somebody named and checks the claimed revision out.
func fetchGit(ctx context.Context, f *toolchain.Fetcher, git, from string, c *Claim, root string) (*tree, error) {
	env := f.Place.Env(nil, "off")
	cloneEnv := env
	if fi, err := os.Stat(from); err != nil || !fi.IsDir() {
		cloneEnv = append(f.Place.FetchEnv(f.Settings), "GIT_TERMINAL_PROMPT=0") // the user's credentials are needed
	} else {
		// Any owner is fine: nothing of the repository is run.
		cloneEnv = append(env, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*")
		if from, err = filepath.Abs(from); err != nil {
			return nil, err
		}
	}
	run := func(env []string, args ...string) (string, error) {
		res, err := toolchain.Run(ctx, toolchain.Command{Path: git, Args: args, Dir: f.Place.Empty, Env: env})
		return strings.TrimSpace(string(res.Stdout)), err
	}
	_, err := run(cloneEnv, "clone", "--quiet", "--no-checkout", "--template=", "--config=core.autocrlf=false", "--config=core.eol=lf",
		"--config=core.attributesFile="+os.DevNull, "--config=gc.auto=0", "--", from, root)
	if err != nil {
		return nil, err
	}
	t := &tree{root: root, git: true}
	want := c.Revision
	if want == "" && c.Tag() != "" {
		if want, err = findTag(run, env, root, c); err != nil {
			return nil, err
		}
	}
	if want == "" {
		want = "HEAD"
		t.notes = append(t.notes, "the binary names neither a version nor a revision: the HEAD of the named source was built")
	}
	if _, err := run(env, "-C", root, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", want); err != nil {
		return nil, fmt.Errorf("the named source has no revision %s: %w", want, err)
	}
	head, err := run(env, "-C", root, "rev-parse", "HEAD")
	if err != nil {
		return nil, err
	}
	when, err := run(env, "-C", root, "show", "-s", "--format=%cI", "HEAD")
	if err != nil {
		return nil, err
	}
	if t.dir, err = findModule(root, c.Module); err != nil {
		return nil, err
	}
	t.Origin = Origin{Kind: "git", Module: c.Module, Version: c.Release(), Revision: head, Time: when, Confirmed: "git"}
	if c.Revision != "" && c.Revision != head {
		return nil, fmt.Errorf("checked out %s, not %s", head, c.Revision)
	}
	return t, t.oneTag(run, env, c)
}

// findTag finds the commit of the claimed version: vX.Y.Z, or DIR/vX.Y.Z of a nested module.
func findTag(run func([]string, ...string) (string, error), env []string, root string, c *Claim) (string, error) {
	out, err := run(env, "-C", root, "tag", "-l", "--", c.Tag(), "*/"+c.Tag())
	if err != nil {
		return "", err
	}
	for tag := range strings.FieldsSeq(out) {
		if dir := strings.TrimSuffix(strings.TrimSuffix(tag, c.Tag()), "/"); dir == "" || strings.HasSuffix(c.Module, "/"+dir) {
			return "refs/tags/" + tag, nil
		}
	}
	return "", fmt.Errorf("the named source has no tag for %s", c.Tag())
}

// oneTag removes the other version tags of the commit: the go command stamps
// the highest, and the builder may not have had all.
func (t *tree) oneTag(run func([]string, ...string) (string, error), env []string, c *Claim) error {
	if c.Tag() == "" {
		return nil
	}
	out, err := run(env, "-C", t.root, "tag", "--points-at", "HEAD")
	if err != nil {
		return err
	}
	var claimed bool
	var others []string
	for tag := range strings.FieldsSeq(out) {
		if base := tag[strings.LastIndex(tag, "/")+1:]; base == c.Tag() {
			claimed = true
		} else if semver.IsValid(base) {
			others = append(others, tag)
		}
	}
	if !claimed {
		t.notes = append(t.notes, fmt.Sprintf("the binary says it is %s, but no such tag is at revision %s of the named source", c.Tag(), t.Revision))
		return nil
	}
	if len(others) == 0 {
		return nil
	}
	t.notes = append(t.notes, fmt.Sprintf("the commit has the version tags %s besides %s; the binary names the latter, and only that one was left in the checkout", strings.Join(others, ", "), c.Tag()))
	_, err = run(env, append([]string{"-C", t.root, "tag", "-d"}, others...)...)
	return err
}

// findModule is the directory below root whose go.mod has that module path.
func findModule(root, modPath string) (string, error) {
	found := ""
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "vendor") {
			return fs.SkipDir
		}
		if d.Name() != "go.mod" || !d.Type().IsRegular() || found != "" {
			return nil
		}
		data, err := os.ReadFile(name)
		if err == nil && modfile.ModulePath(data) == modPath {
			found = filepath.Dir(name)
		}
		return nil
	})
	if err == nil && found == "" {
		err = fmt.Errorf("the named source has no module %s", modPath)
	}
	return found, err
}
