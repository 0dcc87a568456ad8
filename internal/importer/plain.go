package importer

import (
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Plain makes the profile of a module that says nothing of platforms.
func Plain(of settings) *profileDraft {
	p := &profileDraft{name: "release", of: map[target]settings{}}
	for _, goos := range []string{"darwin", "linux", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			t := target{os: goos, arch: arch}
			own := settings{}
			for k, v := range of {
				own[k] = v
			}
			own["archive"] = value{text: map[bool]string{true: "zip", false: "tar.gz"}[goos == "windows"]}
			p.targets, p.of[t] = append(p.targets, t), own
		}
	}
	return p
}

// Module is what is known of a module without a configuration.
type Module struct {
	Project string
	Main    []string          // main packages: ./, ./cmd/x
	Dir     string            // of the module below the file's directory; "" for the same
	CGO     bool              // programs have C code
	Vendor  bool              // modules are in the vendor directory
	Set     map[string]string // variables for the linker, with templates
	Files   []string          // patterns of further files
	Tag     string            // of the version tags; "" for the go command's
}

// Propose writes a profile file for such a module.
func Propose(m Module) (string, error) {
	of := settings{}
	if len(m.Main) == 1 {
		of["main"] = value{text: quote(m.Main[0])}
	} else if len(m.Main) > 1 {
		of["main"] = value{list: quoted(m.Main)}
	}
	if m.CGO {
		of["cgo"] = value{text: "true"}
	}
	if m.Vendor {
		of["mod"] = value{text: "vendor"}
	}
	for name, v := range m.Set {
		of["ldflags.set/"+name] = value{text: quote(v)}
	}
	if len(m.Files) > 0 {
		of["files"] = value{list: quoted(m.Files)}
	}
	im := &importer{format: newFormat(), said: map[any]*statement{}, draft: &draft{}}
	im.Name = "the module"
	im.draft.top = []pair{{"project", value{text: quote(m.Project)}}}
	if m.Dir != "" {
		if !im.format.key("dir") {
			return "", errors.New("a profile file of this version is in the module's directory")
		}
		im.draft.top = append(im.draft.top, pair{"dir", value{text: quote(m.Dir)}})
	}
	if m.Tag != "" && im.format.key("tag") {
		im.draft.top = append(im.draft.top, pair{"tag", value{text: quote(m.Tag)}})
	}
	im.draft.profiles = []*profileDraft{Plain(of)}
	return im.finish()
}

// IsMain reports whether a directory holds a program: Go files of package main, but
// those that no build has (//go:build ignore).
func IsMain(tree fs.FS, dir string) bool {
	return slices.Contains(Packages(tree, dir), "main")
}

// Packages are the names of packages in a directory, without tests and files that a
// build never has.
func Packages(tree fs.FS, dir string) (names []string) {
	entries, err := fs.ReadDir(tree, path.Clean(dir))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") || e.Name()[0] == '_' || e.Name()[0] == '.' {
			continue
		}
		data, err := readFile(tree, path.Join(dir, e.Name()))
		if err != nil || ignored(data) {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), data, parser.PackageClauseOnly)
		if err == nil && !slices.Contains(names, f.Name.Name) {
			names = append(names, f.Name.Name)
		}
	}
	return names
}

// ignored reports whether a file says that it is no part of its package.
func ignored(data []byte) bool {
	for l := range strings.SplitSeq(string(data[:min(len(data), 4<<10)]), "\n") {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "package ") {
			return false
		}
		if rest, ok := strings.CutPrefix(l, "//go:build "); ok && strings.Contains(" "+rest+" ", " ignore ") {
			return true
		}
		if rest, ok := strings.CutPrefix(l, "// +build "); ok && strings.TrimSpace(rest) == "ignore" {
			return true
		}
	}
	return false
}
