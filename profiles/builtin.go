package profiles

import (
	"fmt"
	"slices"
	"strings"
)

// builtinSettings is the profile that serves without a profile file. It is a
// profile file itself, so that it can be read, and goes through the same code.
const builtinSettings = `version: 1
project: %s
profiles:
  release:
    platforms: [%s]
    cgo: false
    trimpath: true
    buildvcs: true
    ldflags: {strip: all}
    archive: tar.gz
    files: %s
    verify: require
%s`

// builtinFiles are the further files in its archives.
func builtinFiles() []string { return []string{"README*", "LICENSE*"} }

const builtinOverride = `    overrides:
      - platforms: [windows]
        archive: zip
`

// Builtin is what builds a project that has no profile file: one profile named
// "release" for linux, darwin and windows on amd64 and arm64, without CGO,
// trimmed and stripped, in archives with README* and LICENSE*. All its
// positions are "built-in". A project name that cannot be part of a file name
// is made one by replacing what does not fit with "_".
func Builtin(project string) *File {
	var platforms []Platform
	for _, os := range []string{"darwin", "linux", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			platforms = append(platforms, Platform{OS: os, Arch: arch})
		}
	}
	return BuiltinFor(project, platforms)
}

// BuiltinFor is [Builtin] for other platforms. Platforms that mean the same
// build are taken once, in the spelling that comes first; those that no go
// command knows are left out.
func BuiltinFor(project string, platforms []Platform) *File {
	var list []string
	seen := map[Platform]bool{}
	override := ""
	for _, pl := range slices.SortedFunc(slices.Values(platforms), comparePlatforms) {
		if _, err := ParsePlatform(pl.String()); err != nil || seen[pl.Canonical()] {
			continue
		}
		seen[pl.Canonical()] = true
		list = append(list, fmt.Sprintf("%q", pl.String()))
		if pl.OS == "windows" {
			override = builtinOverride
		}
	}
	if checkProject(project) != nil {
		project = strings.Trim(strings.Map(func(r rune) rune {
			if isAlnum(r) || strings.ContainsRune("._-", r) {
				return r
			}
			return '_'
		}, project), "._-")
		project = project[:min(len(project), maxProject)]
		if checkProject(project) != nil {
			project = "project"
		}
	}
	f, err := load("", []byte(fmt.Sprintf(builtinSettings, fmt.Sprintf("%q", project), strings.Join(list, ", "), listYAML(builtinFiles()), override)), true)
	if err != nil {
		panic("profiles: the built-in profile does not load: " + err.Error())
	}
	return f
}
