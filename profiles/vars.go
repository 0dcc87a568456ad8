package profiles

import (
	"regexp"
	"slices"
	"strings"
)

// Vars are all that a template can see. Everything in it follows from the
// commit, the profile and the platform: there is no clock, no host and no
// process environment, so a template has the same value everywhere and always.
type Vars struct {
	Project         string
	Version         string // without "v"
	Tag             string // "" for an untagged commit; a template that needs it then fails
	Commit          string // full hash
	ShortCommit     string
	CommitDate      string // RFC 3339 in UTC
	CommitTimestamp string // Unix seconds
	Profile         string
	OS              string
	Arch            string
	Variant         string // as in Platform; in names and paths a comma becomes "_"
	// Summary is what git describe --tags says of the commit, with seven digits of
	// its hash: the tag, or the nearest tag below it, how many commits ago, and the
	// hash. "" for a module version, whose commit is not at hand.
	Summary string
	// Binary is what go build would call the program, without extension; "" where
	// several programs are in one artifact. Name is that of the artifact, without
	// extension. Both are for the keys that have them: [Settings.Names] fills them in.
	Binary, Name string
	// Env are the variables of the profile's own `env`. [Settings.Expand]
	// fills it in; what the caller puts here is not used.
	Env map[string]string
}

// varNames are the fields of Vars but Env.
var varNames = []string{
	"Project", "Version", "Tag", "Commit", "ShortCommit", "CommitDate", "CommitTimestamp",
	"Profile", "OS", "Arch", "Variant", "Summary", "Major", "Minor", "Patch", "Prerelease", "Binary", "Name",
}

// artifactFields are those of varNames that only some keys have.
var artifactFields = []string{"Binary", "Name"}

// versionFields follow from the version.
var versionFields = []string{"Major", "Minor", "Patch"}

// absentFields are those of varNames that a source may not have: a template that
// needs one of them then fails.
var absentFields = append([]string{"Tag", "Commit", "ShortCommit", "Summary", "Binary"}, versionFields...)

// keysWith are the keys whose templates have a field of artifactFields.
func keysWith(field string) (names []string) {
	for _, k := range leafKeys() {
		if slices.Contains(k.fields, field) {
			names = append(names, k.name)
		}
	}
	return names
}

var semverForm = regexp.MustCompile(`^([0-9]+)\.([0-9]+)\.([0-9]+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$`)

// part is one of the parts of the version, "" if it has none such.
func (v *Vars) part(name string) string {
	m := semverForm.FindStringSubmatch(v.Version)
	if m == nil {
		return ""
	}
	return m[1+slices.Index([]string{"Major", "Minor", "Patch", "Prerelease"}, name)]
}

// field returns the value of a field by name.
func (v *Vars) field(name string) string {
	switch name {
	case "Project":
		return v.Project
	case "Version":
		return v.Version
	case "Tag":
		return v.Tag
	case "Commit":
		return v.Commit
	case "ShortCommit":
		return v.ShortCommit
	case "CommitDate":
		return v.CommitDate
	case "CommitTimestamp":
		return v.CommitTimestamp
	case "Profile":
		return v.Profile
	case "OS":
		return v.OS
	case "Arch":
		return v.Arch
	case "Variant":
		return v.Variant
	case "Summary":
		return v.Summary
	case "Major", "Minor", "Patch", "Prerelease":
		return v.part(name)
	case "Binary":
		return v.Binary
	case "Name":
		return v.Name
	}
	return ""
}

// hintForField is the advice for a field that Vars lacks.
func hintForField(name string) string {
	switch strings.ToLower(name) {
	case "date", "now", "time", "builddate", "buildtime", "today":
		return "there is no clock: a build of tomorrow would differ; did you mean .CommitDate?"
	case "timestamp", "buildtimestamp", "unix", "epoch", "sourcedateepoch":
		return "there is no clock: a build of tomorrow would differ; did you mean .CommitTimestamp?"
	case "hostname", "host", "user", "username", "builtby", "builder", "dir", "cwd", "pwd", "home", "buildid":
		return "there is nothing of the machine: a stranger's rebuild would differ"
	case "branch", "gitbranch", "ref", "isdirty", "isgitdirty", "gittreestate":
		return "a commit looks the same from every branch; did you mean .Tag or .Commit?"
	case "runtime":
		return "there is nothing of the machine; did you mean .OS or .Arch?"
	}
	known := []string{".Env"}
	for _, n := range varNames {
		if !slices.Contains(artifactFields, n) { // which say themselves where they are known
			known = append(known, "."+n)
		}
	}
	if n := Nearest(name, append([]string{"Env"}, varNames...)); n != "" {
		return "did you mean ." + n + "?"
	}
	return didYouMean(name, known, map[string]string{
		"projectname": ".Project", "fullcommit": ".Commit", "revision": ".Commit", "sha": ".Commit", "hash": ".Commit", "gitcommit": ".Commit",
		"shortsha": ".ShortCommit", "rev": ".ShortCommit", "abbrev": ".ShortCommit", "goos": ".OS", "goarch": ".Arch",
		"arm": ".Variant", "goarm": ".Variant", "mips": ".Variant", "amd64": ".Variant", "rawversion": ".Version", "semver": ".Version",
		"currenttag": ".Tag", "gittag": ".Tag", "artifactname": ".Name", "describe": ".Summary", "commit_date": ".CommitDate",
		"committime": ".CommitDate", "target": ".OS, .Arch or .Variant",
	})
}
