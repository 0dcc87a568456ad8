package forgery

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/universal"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

func hashHex(h1 string) string {
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(h1, "h1:"))
	return hex.EncodeToString(raw)
}

const (
	project, version, commitTime = "small", "1.2.3", "2026-01-02T03:04:05Z"
	modulePath                   = "example.com/small"
)

var levels = map[string]string{"amd64": "GOAMD64=v1", "arm64": "GOARM64=v8.0"}

// Small makes a release in an empty directory that no compiler has seen: its
// binaries are lines of text, its archives are real, and everything that is said
// of them holds; its plan is one that a stranger's may be. It has a unit with an archive, one with two programs, one that
// is packed, and a page.
func Small(ctx context.Context, dir string) (*Release, error) {
	h1 := "h1:" + base64.StdEncoding.EncodeToString(make([]byte, sha256.Size))
	commit := strings.Repeat("ab", 20)
	one := []fact.Main{{Package: modulePath, Binary: "small"}}
	unit := func(profile, platform, name string, mains ...fact.Main) *plan.Unit {
		goos, goarch, _ := strings.Cut(platform, "/")
		return &plan.Unit{
			Profile: profile, Platform: platform, Env: []string{"GOOS=" + goos, "GOARCH=" + goarch, levels[goarch], "CGO_ENABLED=0"},
			Flags: []string{"-trimpath", "-buildvcs=true", "-mod=readonly"}, Mains: mains, Archive: fact.NoArchive, Name: name, Verify: fact.RequireIdentical,
		}
	}
	archived := unit("release", "linux/amd64", "small_linux_amd64", one...)
	archived.Archive, archived.Files = archive.TarGz, []string{"LICENSE"}
	packed := unit("tiny", "linux/arm64", "small_tiny", one...)
	packed.UPX = []string{"--best"}
	r := &Release{Dir: dir}
	r.Plan = &plan.Plan{
		Schema: fact.PlanSchema, Project: project, Version: version, Go: "go1.26.8", Env: plan.CommonEnv(),
		Source: fact.SourceID{Kind: "git", Module: modulePath, Version: "v" + version, Sum: h1, Commit: commit, CommitTime: commitTime},
		Units: []*plan.Unit{
			archived,
			unit("release", "windows/amd64", "small_windows_amd64", one[0], fact.Main{Package: modulePath + "/cmd/other", Binary: "other"}),
			packed,
		},
	}
	r.Manifest = &checksums.Manifest{
		Schema: fact.ManifestSchema, Kind: checksums.KindRelease, Project: project, Version: version,
		Source:    checksums.Source{Kind: "git", Module: modulePath, Version: "v" + version, Sum: h1, Commit: commit, CommitTime: commitTime},
		Toolchain: fact.Toolchain{Version: "go1.26.8", Host: "linux/amd64", Module: "golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64", Sum: h1},
		Builder:   checksums.Builder{Name: "mintmark", Version: "(devel)"},
		Rebuild:   checksums.Rebuild{Executions: 2},
		Artifacts: []checksums.Artifact{},
	}
	if err := r.Build(ctx); err != nil {
		return nil, err
	}
	_, err := r.Write(fact.HTMLFile, "<p>a page</p>\n")
	return r, err
}

// Build makes the artifacts of the plan as it is now, in place of those there
// were, so that a plan that breaks a rule is in accord with its manifest.
func (r *Release) Build(ctx context.Context) error {
	if err := r.Drop(func(checksums.Artifact) bool { return true }); err != nil {
		return err
	}
	r.Contents = map[string]string{}
	for _, s := range r.Plan.Shapes() {
		if err := r.build(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// AddUniversal adds to the plan units for macOS, and what is published of their
// programs in universal binaries, beside them or in their place. [Release.Build] makes it.
func (r *Release) AddUniversal(archive string, replace bool) *plan.Universal {
	x := &plan.Universal{
		Profile: "mac", Platform: "darwin/all", Archive: archive, Name: "small_darwin_all",
		Mains: []fact.Main{{Package: modulePath, Binary: "small"}},
	}
	var units []*plan.Unit
	for _, arch := range universal.Order() {
		u := *r.Plan.Units[1]
		u.Profile, u.Platform, u.Mains = x.Profile, "darwin/"+arch, slices.Clone(x.Mains)
		u.Env = []string{"GOOS=darwin", "GOARCH=" + arch, levels[arch], "CGO_ENABLED=0"}
		if u.Replaced, u.Name = replace, "small_darwin_"+arch; replace {
			u.Name = ""
		}
		units, x.Slices = append(units, &u), append(x.Slices, u.Platform)
	}
	r.Plan.Units, r.Plan.Universal = append(units, r.Plan.Units...), []*plan.Universal{x}
	return x
}

// build makes the artifacts of a unit, or those made of several, out of text.
func (r *Release) build(ctx context.Context, u fact.UnitShape) error {
	first := len(r.Manifest.Artifacts)
	for _, e := range u.Artifacts() {
		a := checksums.Artifact{
			Name: e.Name, Profile: u.Profile, Platform: u.Platform, Stage: e.Stage, Published: e.Published, Package: e.Package,
			Verdict: fact.Identical,
		}
		for _, i := range e.From {
			a.From = append(a.From, r.Manifest.Artifacts[first+i].SHA256)
		}
		for _, platform := range e.Slices {
			for _, b := range r.Manifest.Artifacts {
				if b.Profile == u.Profile && b.Platform == platform && b.Stage == fact.Linked && b.Package == e.Package {
					a.From = append(a.From, b.SHA256)
				}
			}
		}
		if err := r.fill(ctx, u, e, first, &a); err != nil {
			return fmt.Errorf("forgery: %s: %w", e.Name, err)
		}
		r.Manifest.Artifacts = append(r.Manifest.Artifacts, a)
	}
	return nil
}

// text is the content of a binary, or of a file that goes into an archive.
func text(profile, platform string, stage fact.Stage, name string) string {
	return machO[platform] + strings.Join([]string{profile, platform, string(stage), name}, " ") + "\n"
}

// machO is how a program for macOS begins.
var machO = map[string]string{
	"darwin/amd64": "\xcf\xfa\xed\xfe\x07\x00\x00\x01\x03\x00\x00\x00",
	"darwin/arm64": "\xcf\xfa\xed\xfe\x0c\x00\x00\x01\x00\x00\x00\x00",
}

// Join is the universal binary of programs.
func Join(programs ...string) (string, error) {
	var parts []*io.SectionReader
	for _, p := range programs {
		parts = append(parts, io.NewSectionReader(strings.NewReader(p), 0, int64(len(p))))
	}
	var b strings.Builder
	err := universal.Join(&b, parts)
	return b.String(), err
}

func (r *Release) fill(ctx context.Context, u fact.UnitShape, e fact.Expected, first int, a *checksums.Artifact) error {
	if e.Stage != fact.Archived {
		content := text(u.Profile, u.Platform, a.Stage, e.Name)
		if e.Stage == fact.Universal {
			var err error
			var programs []string
			for _, sum := range a.From {
				programs = append(programs, r.Contents[sum])
			}
			if content, err = Join(programs...); err != nil {
				return err
			}
		}
		a.Size, a.SHA256 = int64(len(content)), files.DigestBytes([]byte(content))
		r.Contents[a.SHA256] = content
		if e.Published {
			return os.WriteFile(filepath.Join(r.Dir, e.Name), []byte(content), 0o755)
		}
		return nil
	}
	var members []archive.Member
	for i, name := range e.Members {
		content := text("file", "", "", name)
		if i < len(e.From) {
			content = r.Contents[r.Manifest.Artifacts[first+e.From[i]].SHA256]
		}
		members = append(members, archive.Member{Name: name, Executable: i < len(e.From) || e.Modes[i] == fact.ModeRun, Open: func() (io.ReadCloser, int64, error) {
			return io.NopCloser(strings.NewReader(content)), int64(len(content)), nil
		}})
	}
	when, err := time.Parse(time.RFC3339, commitTime)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(r.Dir, e.Name))
	if err != nil {
		return err
	}
	info, err := archive.Write(ctx, f, e.Format, members, when)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	a.Size, a.SHA256, a.Tool = info.Size, info.SHA256, archive.Tool(e.Format)
	for _, m := range info.Entries {
		a.Members = append(a.Members, checksums.Member{Name: m.Name, Size: m.Size, SHA256: m.SHA256, Mode: fmt.Sprintf("%04o", m.Mode.Perm())})
	}
	return nil
}
