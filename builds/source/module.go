package source

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// SplitModule takes PATH@VERSION apart, where VERSION is an exact version of the
// module PATH. It asks nobody.
func SplitModule(pathVersion string) (modPath, version string, err error) {
	modPath, version, ok := strings.Cut(pathVersion, "@")
	if !ok || version == "" || module.CanonicalVersion(version) != version {
		return "", "", fault.Errorf("write PATH@VERSION with an exact version, such as example.com/tool@v1.2.3: a name like latest means something else tomorrow",
			"no module path with an exact version")
	}
	if err := module.Check(modPath, version); err != nil {
		return "", "", &fault.Error{Err: err, Tip: "write the path as it is in the module's go.mod, with /v2 and so on from major version 2, and a version of that major version"}
	}
	return modPath, version, nil
}

// FetchModule gets path@version through the module proxy and identifies it.
// dir is the extracted module in the place's module cache.
func FetchModule(ctx context.Context, f *toolchain.Fetcher, pathVersion string) (s *Source, dir string, err error) {
	_, version, err := SplitModule(pathVersion)
	if err != nil {
		return nil, "", fmt.Errorf("-module=%s: %w", pathVersion, err)
	}
	m, err := f.Module(ctx, pathVersion)
	if err != nil {
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		return nil, "", fault.Errorf("check the path and the version, and that the module proxy and the checksum database can be reached", "module %s: %w", pathVersion, err)
	}
	s = &Source{
		Kind:       fact.SourceModule,
		ModulePath: m.Path,
		Version:    m.Version,
		Sum:        m.Sum,
		SumDB:      f.Settings.Checks(m.Path),
	}
	const maxModFile = 16 << 20 // codehost.MaxGoMod
	info, err := files.Read(m.Info, maxModFile)
	if err != nil {
		return nil, "", fmt.Errorf("module %s: %w", pathVersion, err)
	}
	var i struct {
		Time   time.Time
		Origin *toolchain.Origin
	}
	if err := json.Unmarshal(info, &i); err != nil {
		return nil, "", fmt.Errorf("module %s: %s: %w", pathVersion, m.Info, err)
	}
	if i.Time.IsZero() {
		return nil, "", fmt.Errorf("module %s: the module proxy does not say when it was committed, and archives need a time", pathVersion)
	}
	s.CommitTime = i.Time.UTC().Truncate(time.Second)
	if i.Origin != nil {
		s.Commit = i.Origin.Hash
	}
	if s.Commit == "" {
		if rev, err := module.PseudoVersionRev(version); err == nil {
			s.Commit = rev
		}
	}
	if !module.IsPseudoVersion(version) {
		s.Tags = []string{strings.TrimSuffix(version, "+incompatible")}
	}
	data, err := files.Read(m.GoMod, maxModFile)
	if err != nil {
		return nil, "", fmt.Errorf("module %s: %w", pathVersion, err)
	}
	if err := s.setGoMod(pathVersion+"/go.mod", data); err != nil {
		return nil, "", err
	}
	mf, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return nil, "", err
	}
	if len(mf.Replace) > 0 || len(mf.Exclude) > 0 {
		return nil, "", fault.Errorf("build it from a checkout of its repository instead (-dir=DIR)",
			"%s: its go.mod has replace or exclude directives, so go install PATH@VERSION refuses it", pathVersion)
	}
	if !s.SumDB {
		s.Notes = append(s.Notes, "the module is exempt from the checksum database by GONOSUMDB or GOSUMDB: its hash is what the proxy served")
	}
	return s, m.Dir, nil
}

// Published is a commit of a module at the root of its repository that somebody
// else has recorded and whose files come from the module proxy.
func Published(modPath, version, sum, commit string, when time.Time) *Source {
	s := &Source{Kind: fact.SourceGit, ModulePath: modPath, Version: version, Sum: sum, Commit: commit, CommitTime: when.UTC()}
	if !module.IsPseudoVersion(version) {
		s.Tags = []string{strings.TrimSuffix(version, "+incompatible")}
	}
	return s
}

// SetExecutable says whether a file of the commit is executable: a path from
// the top of the repository. A module's zip does not say it.
func (s *Source) SetExecutable(name string, executable bool) {
	if s.exec == nil {
		s.exec = map[string]bool{}
	}
	s.exec[name] = executable
}

// CacheDir is where the go command keeps an extracted module, relative to the module cache.
func CacheDir(modPath, version string) string {
	p, err := module.EscapePath(modPath)
	if err != nil {
		return ""
	}
	v, err := module.EscapeVersion(version)
	if err != nil {
		return ""
	}
	return filepath.FromSlash(p + "@" + v)
}

// ZipName is the name of a module's zip below the address of a module proxy; "" for one
// that none can have.
func ZipName(modPath, version string) string {
	p, err := module.EscapePath(modPath)
	if err != nil {
		return ""
	}
	v, err := module.EscapeVersion(version)
	if err != nil {
		return ""
	}
	return p + "/@v/" + v + ".zip"
}
