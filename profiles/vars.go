package profiles

import (
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
	Variant         string // as in Platform; in the key `name` a comma becomes "_"
	// Env are the variables of the profile's own `env`. [Settings.Expand]
	// fills it in; what the caller puts here is not used.
	Env map[string]string
}

// varNames are the fields of Vars but Env.
var varNames = []string{
	"Project", "Version", "Tag", "Commit", "ShortCommit", "CommitDate", "CommitTimestamp",
	"Profile", "OS", "Arch", "Variant",
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
	case "branch", "gitbranch", "ref", "isdirty", "isgitdirty", "gittreestate", "summary":
		return "a commit looks the same from every branch; did you mean .Tag or .Commit?"
	case "runtime":
		return "there is nothing of the machine; did you mean .OS or .Arch?"
	}
	known := []string{".Env"}
	for _, n := range varNames {
		known = append(known, "."+n)
	}
	if n := Nearest(name, append([]string{"Env"}, varNames...)); n != "" {
		return "did you mean ." + n + "?"
	}
	return didYouMean(name, known, map[string]string{
		"projectname": ".Project", "fullcommit": ".Commit", "revision": ".Commit", "sha": ".Commit", "hash": ".Commit", "gitcommit": ".Commit",
		"shortsha": ".ShortCommit", "rev": ".ShortCommit", "abbrev": ".ShortCommit", "goos": ".OS", "goarch": ".Arch",
		"arm": ".Variant", "goarm": ".Variant", "mips": ".Variant", "amd64": ".Variant", "rawversion": ".Version", "semver": ".Version",
		"currenttag": ".Tag", "gittag": ".Tag", "binary": ".Project", "name": ".Project", "commit_date": ".CommitDate",
		"committime": ".CommitDate", "target": ".OS, .Arch or .Variant",
	})
}
