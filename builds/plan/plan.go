// Package plan says what will be built, down to every flag: a [Planner] makes a
// [Plan] of [Unit]s of a profile, a source and a toolchain, and finds on the way
// what is wrong with them that can be known without compiling.
//
// Its [Loader] asks the go command what packages there are, and remembers the
// answers.
package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// Plan is everything that will be built. Its zero values are left out of the JSON.
type Plan struct {
	Schema  fact.Schema `json:"schema"`
	Project string      `json:"project"`
	Version string      `json:"version"` // of the release, without v
	// From says where Version comes from, and Tag is the tag that says it, if it is one.
	From     fact.VersionFrom `json:"version_from,omitempty"`
	Tag      string           `json:"tag,omitempty"`
	Snapshot bool             `json:"snapshot,omitempty"`
	Source   fact.SourceID    `json:"source"`
	Go       string           `json:"go"`  // exact toolchain version
	Env      []string         `json:"env"` // common to all units; see toolchain.UnitEnv
	// Generate are the commands that make files before anything is compiled, in order.
	Generate []Generate `json:"generate,omitempty"`
	Units    []*Unit    `json:"units"`
	// Universal are the universal binaries that are made of what units link.
	Universal []*Universal `json:"universal,omitempty"`
	// Images are the container images that are made of programs, sorted by [fact.Image.File].
	Images []fact.Image `json:"images,omitempty"`
}

// Taken are the files of the module that what is published has beside programs, in no
// order, some twice.
func (p *Plan) Taken() (names []string) {
	for _, u := range p.Units {
		names = append(names, u.Taken()...)
	}
	for _, x := range p.Universal {
		names = append(names, x.Unit().Taken()...)
	}
	for n := range p.Images {
		sources, _ := p.Images[n].Sources()
		names = append(names, slices.Sorted(maps.Values(sources))...)
	}
	return names
}

// Nearest is the unit that is looked at where one of several has to do: the first of a
// platform GOOS/GOARCH, whatever its variant, else the first of all.
func (p *Plan) Nearest(goos, goarch string) *Unit {
	for _, u := range p.Units {
		if strings.HasPrefix(u.Platform+"/", goos+"/"+goarch+"/") {
			return u
		}
	}
	return p.Units[0]
}

// Generate is a command that makes files before anything is compiled; see
// [profiles.Generate].
type Generate struct {
	Command []string         `json:"command"`
	Inputs  []string         `json:"inputs,omitempty"`
	Outputs []string         `json:"outputs"`
	Env     []string         `json:"env,omitempty"` // NAME=VALUE, sorted
	Fetch   []profiles.Fetch `json:"fetch,omitempty"`
}

// Unit is what one go build makes.
type Unit struct {
	Profile  string      `json:"profile"`
	Platform string      `json:"platform"`
	Env      []string    `json:"env"`   // GOOS, GOARCH, the variant, CGO_ENABLED, the profile's env
	Flags    []string    `json:"flags"` // of go build, in canonical order; without -o, -p
	Mains    []fact.Main `json:"mains"` // sorted by package
	PGO      []PGO       `json:"pgo,omitempty"`
	UPX      []string    `json:"upx,omitempty"`
	// UPXVersion and UPXSHA256 are of the UPX that has to pack, where the profile pins it.
	UPXVersion string `json:"upx_version,omitempty"`
	UPXSHA256  string `json:"upx_sha256,omitempty"`
	Archive    string `json:"archive"` // "none" or a format
	// MoreArchives are further formats of the same archive, sorted, all after Archive.
	MoreArchives []string `json:"more_archives,omitempty"`
	// Name is that of the published file, without extension; "" where each main
	// package has one of its own.
	Name  string   `json:"name"`
	Wrap  string   `json:"wrap,omitempty"` // directory that the files of an archive lie in
	Files []string `json:"files,omitempty"`
	// PlacedFiles are further files for the archive whose place or mode is not the
	// commit's, sorted by their place.
	PlacedFiles []fact.File `json:"placed_files,omitempty"`
	// Packages are those for Linux distributions; nil for none.
	Packages *fact.Packages    `json:"packages,omitempty"`
	Verify   fact.VerifyPolicy `json:"verify"`
	// Replaced says that nothing is published of the unit itself: its programs are in
	// universal binaries.
	Replaced bool `json:"replaced,omitempty"`
	// MaxSize, MaxGrowth and MaxStartup are the profile's budget: bytes, bytes more
	// than in the release before, and nanoseconds; 0 for none.
	MaxSize    int64 `json:"max_size,omitempty"`
	MaxGrowth  int64 `json:"max_growth,omitempty"`
	MaxStartup int64 `json:"max_startup,omitempty"`
}

// PGO is a profile for profile-guided optimisation. Its base name lands in the binary.
type PGO struct {
	Path   string `json:"path"` // in the module, slash-separated
	SHA256 string `json:"sha256"`
}

// ID names the unit in output: profile and platform.
func (u *Unit) ID() string { return u.Profile + " " + u.Platform }

// Key is the ID in a form that can be a directory name. No other unit has the
// same, also where names that differ in case only are one file.
func (u *Unit) Key() string {
	key := strings.NewReplacer("/", "_", ",", "_", " ", "_", ".", "_").Replace(strings.ToLower(u.ID()))
	sum := sha256.Sum256([]byte(u.ID()))
	return key + "_" + hex.EncodeToString(sum[:3])
}

// CompileKey is equal for units whose compiled packages are the same: all that
// decides a compile and not only the link.
func (u *Unit) CompileKey() string {
	key := strings.Join(u.Env, " ")
	for _, f := range u.Flags {
		if !strings.HasPrefix(f, "-ldflags=") && !strings.HasPrefix(f, "-buildvcs=") {
			key += " " + f
		}
	}
	return key
}

// GOOS is the unit's operating system.
func (u *Unit) GOOS() string {
	goos, _, _ := strings.Cut(u.Platform, "/")
	return goos
}

// Mode is the unit's build mode; see [fact.ModeOf].
func (u *Unit) Mode() fact.BuildMode { return fact.ModeOf(u.Flags) }

// Shape is of the unit what decides which artifacts it makes and how they are
// called; see [fact.UnitShape.Artifacts].
func (u *Unit) Shape() fact.UnitShape {
	s := fact.UnitShape{
		Replaced: u.Replaced,
		Profile:  u.Profile, Platform: u.Platform, Mode: u.Mode(), Mains: u.Mains, Packed: len(u.UPX) > 0, Archives: u.Archives(), Name: u.Name, Wrap: u.Wrap,
		Packages: u.Packages,
	}
	for _, name := range u.Files {
		s.Files = append(s.Files, fact.File{Src: name, Dst: name})
	}
	s.Files = append(s.Files, u.PlacedFiles...)
	return s
}

// Taken are the files of the module that archives and packages have, in no order, some
// twice.
func (u *Unit) Taken() (names []string) {
	for _, f := range u.Shape().Files {
		names = append(names, f.Src)
	}
	if p := u.Packages; p != nil {
		for _, c := range p.Contents {
			if c.Type.File() {
				names = append(names, c.Src)
			}
		}
		names = append(names, p.Scripts.List()...)
	}
	return names
}

// Archives are the formats of the unit's archives; none if its binaries are
// published as they are.
func (u *Unit) Archives() []string {
	if u.Archive == fact.NoArchive {
		return nil
	}
	return append([]string{u.Archive}, u.MoreArchives...)
}

// File is the name of main's binary, as it is linked.
func (u *Unit) File(m fact.Main) string { return u.naming().File(m) }

// Header is the name of the header of main's library, as it lies beside it.
func (u *Unit) Header(m fact.Main) string { return u.naming().Header(m) }

// Published are the names of the files that the unit publishes, in the order of
// [fact.UnitShape.Artifacts].
func (u *Unit) Published() []string { return u.Shape().Published() }

// Packaged are the names of what the unit builds in its archive; none if it has no archive.
func (u *Unit) Packaged() []string { return u.Shape().Packaged() }

// inPackage reports whether a published file is a package.
func (u *Unit) inPackage(name string) bool {
	return slices.ContainsFunc(u.Shape().Artifacts(), func(e fact.Expected) bool { return e.Name == name && e.Stage == fact.PackageStage })
}

// naming is the shape as far as the names of what is linked follow from it: a unit
// may have very many main packages.
func (u *Unit) naming() fact.UnitShape {
	return fact.UnitShape{Platform: u.Platform, Mode: u.Mode()}
}

// Command is the go command that builds the unit. out stands for the output
// directory, with a separator at its end.
func (u *Unit) Command(kind fact.SourceKind, version, out string) []string {
	if kind == fact.SourceModule {
		// go install is what stamps a module's true version and hash; it
		// takes no -o and writes below GOPATH.
		args := []string{"install"}
		for _, f := range u.Flags {
			if !strings.HasPrefix(f, "-mod=") && !strings.HasPrefix(f, "-buildvcs=") {
				args = append(args, f)
			}
		}
		for _, m := range u.Mains {
			args = append(args, m.Package+"@"+version)
		}
		return args
	}
	if u.Mode().Library() && len(u.Mains) == 1 {
		// A library knows its own name, which is that of the file that go writes:
		// in LC_ID_DYLIB on macOS, in the export table on Windows. And in a
		// directory go would name it without an extension.
		out += u.File(u.Mains[0])
	}
	args := append([]string{"build"}, u.Flags...)
	args = append(args, "-o", out)
	for _, m := range u.Mains {
		args = append(args, m.Package)
	}
	return args
}

// Encode is the canonical JSON: compact, keys in the order of the structs, one
// newline at the end. Its SHA-256 is the plan ID.
func (p *Plan) Encode() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// ID is the plan's identity, lower-case hex.
func (p *Plan) ID() (string, error) {
	data, err := p.Encode()
	if err != nil {
		return "", err
	}
	return files.DigestBytes(data), nil
}

// ErrSchema is the error of a plan in a form that this version does not know.
var ErrSchema = errors.New("another schema")

// Decode reads a plan back. It refuses what this version does not know and
// whatever is not canonical, so that a plan and its ID belong together.
func Decode(data []byte) (*Plan, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var p Plan
	if err := dec.Decode(&p); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	if p.Schema != fact.PlanSchema {
		return nil, fmt.Errorf("plan: %w: %.200q is not %q", ErrSchema, p.Schema, fact.PlanSchema)
	}
	if slices.Contains(p.Units, nil) || slices.Contains(p.Universal, nil) {
		return nil, errors.New("plan: a unit is missing")
	}
	if again, err := p.Encode(); err != nil || !bytes.Equal(again, data) {
		return nil, errors.New("plan: not in canonical form")
	}
	return &p, nil
}

// CommonEnv is the part of the environment that every plan has. GOPROXY=off
// stands for no network: the command itself is given the place's own downloads
// ([Site]), whose path differs from place to place.
func CommonEnv() []string { return append(toolchain.UnitEnv(), "GOPROXY=off", "GOSUMDB=off") }
