package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/shell"
)

// WhatOther is what people call what was verified where nothing says of which
// project it is.
func WhatOther(v *checksums.Verification) string {
	switch {
	case v.File != "":
		return fact.FileName(v.File)
	case v.List.Name != "":
		return "the files of " + v.List.Name
	}
	return "the files"
}

// FileLine says in one line what is known of the one file that was verified, and
// what is not: each part is an answer, or what the manifest says. It holds, like the
// verification, only without an error.
func FileLine(v *checksums.Verification) string {
	var known, open []string
	say := func(ok bool, yes, no string) {
		if ok {
			known = append(known, yes)
		} else {
			open = append(open, no)
		}
	}
	answers := v.Checks.Answers()
	is := func(check fact.Check, subject string) (fact.Answer, bool) {
		i := slices.IndexFunc(answers, func(a fact.Answer) bool { return a.Check == check && a.Subject == subject })
		if i < 0 {
			return fact.Answer{}, false
		}
		return answers[i], answers[i].Checked
	}
	if v.Found != nil {
		known = append(known, foundAs(v))
	}
	built, ok := Built(v)
	say(ok, built, built)
	_, ofCommit := is(fact.FromCommit, v.File)
	if ofCommit {
		known = append(known, "made again here of the commit, identical")
	}
	if again, _ := v.Checks.Of(fact.Rebuilt); again > 0 && fileRebuilt(v) {
		known = append(known, "built again here from its source, identical")
	}
	listed, ok := is(fact.Digest, v.File)
	say(ok, "listed in "+listed.Detail, "its digest")
	var signed []string
	by := ""
	for _, a := range answers {
		if a.Check == fact.Signature && a.Checked {
			signed, by = append(signed, a.Subject), fact.ParseSignerID(a.Detail).String()
		}
	}
	say(len(signed) > 0, "signed by "+by, "who signed it")
	switch _, artifact := artifactOf(v); {
	case fileRebuilt(v):
	case artifact:
		open = append(open, "that it comes from its source")
	case isSource(v) && !ofCommit:
		open = append(open, "that it is that of the commit")
	}
	line := fact.FileName(v.File)
	if len(known) > 0 {
		line += ": " + strings.Join(known, ", ")
	}
	if len(open) > 0 {
		if len(known) > 0 {
			line += "; "
		} else {
			line += ": "
		}
		line += "NOT CHECKED: " + strings.Join(open, ", ")
	}
	return line
}

// foundAs says what the file is that has a name which the release does not have.
func foundAs(v *checksums.Verification) string {
	archives := v.Found.Archives
	var a checksums.Artifact
	if v.Manifest != nil {
		a, _ = v.Manifest.ArtifactOf(v.Found)
	}
	switch n := len(archives); {
	case n == 1:
		return "member " + v.Found.Member + " of " + archives[0]
	case n > 1:
		return fmt.Sprintf("member %s of %s and of %s", v.Found.Member, archives[0], fact.Count(n-1, "more archive"))
	case a.Published:
		return a.Name + " under another name"
	case v.Manifest == nil:
		return v.Found.Artifact + ", which is not published as it is"
	}
	return fmt.Sprintf("the %s %s of %s, which is not published as it is", a.Stage, a.Name, a.Unit())
}

// Built says how the publisher made the file that was verified, as the manifest has
// it; ok is false where nothing says that all that was built of it was the same.
func Built(v *checksums.Verification) (text string, ok bool) {
	const says = " by its publisher's word"
	if v.Manifest == nil {
		return "how it was built", false
	}
	if a, ok := artifactOf(v); ok {
		n := v.Manifest.Rebuild.Executions
		switch a.Verdict {
		case fact.Identical:
			where := ""
			if u, ok := independenceOf(v, a); ok {
				where = " " + u.Independence.On(n)
				if len(u.Systems) > 0 {
					where += " (" + strings.Join(u.Systems, ", ") + ")"
				}
			}
			return "built " + fact.Times(n) + where + ", identical" + says, true
		case fact.Different:
			return "that it can be built again (" + fact.Builds(n) + " differed" + says + ")", false
		}
		return "that it can be built again (unchecked" + says + ": " + a.Reason + ")", false
	}
	if a := v.Manifest.SourceArchive; isSource(v) {
		return "made " + fact.Times(a.Made) + " of the commit, " + string(a.Verdict) + says, true
	}
	if i, ok := v.Manifest.ImageNamed(v.File); ok {
		return "made " + fact.Times(i.Made) + " of what was built, " + string(i.Verdict) + says, true
	}
	return "how it was made", false
}

// independenceOf says how far the builds were apart that an artifact comes of; not ok
// where nothing says it, or several units that are in it had it otherwise.
func independenceOf(v *checksums.Verification, a checksums.Artifact) (is checksums.UnitIndependence, ok bool) {
	for _, platform := range v.Manifest.Platforms(a) {
		i := slices.IndexFunc(v.Independence, func(u checksums.UnitIndependence) bool {
			return u.Profile == a.Profile && u.Platform == platform
		})
		switch {
		case i < 0:
			return is, false
		case ok && (v.Independence[i].Independence != is.Independence || !slices.Equal(v.Independence[i].Systems, is.Systems)):
			return is, false
		}
		is, ok = v.Independence[i], true
	}
	return is, ok
}

// artifactOf is the manifest's artifact that the file is, if there is a manifest.
func artifactOf(v *checksums.Verification) (checksums.Artifact, bool) {
	if v.Manifest == nil {
		return checksums.Artifact{}, false
	}
	if v.Found != nil {
		return v.Manifest.ArtifactOf(v.Found)
	}
	return v.Manifest.ArtifactNamed(v.File)
}

// isSource reports whether the file is the release's source archive.
func isSource(v *checksums.Verification) bool {
	return v.Manifest != nil && v.Manifest.SourceArchive != nil && v.Manifest.SourceArchive.Name == v.File
}

// fileRebuilt reports whether the file was built again here and is the same.
func fileRebuilt(v *checksums.Verification) bool {
	return slices.ContainsFunc(v.Rebuilt, func(r checksums.RebuiltArtifact) bool {
		return (r.Name == v.File || v.Found != nil) && r.Verdict == fact.Identical && slices.ContainsFunc(v.Files, func(f checksums.FileCheck) bool {
			return f.Name == v.File && f.SHA256 == r.Rebuilt
		})
	})
}

// Asking is what would show more of a file than was checked.
type Asking struct {
	What string
	How  string // a command, or what to do
}

// Ask says what else there is to check of the one file that was verified, under the
// name that it was given; beside is the directory that was named with it, or "".
func Ask(v *checksums.Verification, path, beside string) (list []Asking) {
	file := shell.Name(path)
	if beside != "" {
		file = "-release=" + shell.Name(beside) + " " + file
	}
	verified := v.Verified()
	if !verified {
		list = append(list, Asking{"whose it is", "mintmark verify -key=PUBLISHER.pub " + file + " (the publisher's public key, from elsewhere than the release)"})
	}
	if v.OtherTool {
		return append(list, Asking{"how it was built", "mintmark rebuild " + file + " recovers that of a Go binary, and builds it again"})
	}
	if v.Manifest == nil {
		return append(list, Asking{"how it was built", fmt.Sprintf("put %s and %s of the release beside it", checksums.ManifestFile, checksums.ProvenanceBundle)})
	}
	key := "-key=PUBLISHER.pub "
	if !verified {
		key = "-unsigned "
	}
	if _, built := artifactOf(v); built && !fileRebuilt(v) && (v.Found == nil || v.Found.Artifact != "") {
		list = append(list, Asking{"that it comes from its source", "mintmark verify -rebuild " + key + file})
	}
	if isSource(v) && !slices.ContainsFunc(v.RebuiltFiles, func(r checksums.RebuiltFile) bool { return r.Name == v.File }) {
		list = append(list, Asking{"that it is that of the commit", "mintmark verify -rebuild -source=REPOSITORY " + key + file})
	}
	return list
}
