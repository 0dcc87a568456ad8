package recovery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/profiles"
	"go.yaml.in/yaml/v4"
)

// profileFile writes the settings that were found as a profile file, which a
// maintainer can adopt. What a profile cannot say is said in comments.
func profileFile(r *Result, c *Claim, flags []string) (string, error) {
	platform := c.Platform()
	profile := map[string]any{"platforms": []string{platform}, "archive": fact.NoArchive}
	var remarks []string
	if m := r.Toolchain.Modified; m != nil {
		remarks = append(remarks, "go: the toolchain was modified (patch sha256 "+m.Patch+"); mintmark builds releases with unmodified ones alone, which make another binary")
	}
	if c.Cgo {
		profile["cgo"] = true
	}
	if !c.Trimpath {
		profile["trimpath"] = false
	}
	if c.Revision == "" {
		profile["buildvcs"] = false
	}
	if len(c.Tags) > 0 {
		profile["tags"] = c.Tags
		if !slices.IsSorted(c.Tags) {
			remarks = append(remarks, "tags: mintmark sorts them; the binary has them as "+strings.Join(c.Tags, ",")+", and the order is recorded in it")
		}
	}
	for _, f := range c.Flags {
		if f.Name() != "-gcflags" && f.Name() != "-asmflags" {
			continue
		}
		s, err := profiles.ReadBuildFlags([]string{f.String()})
		if err != nil {
			remarks = append(remarks, fmt.Sprintf("%s: no key says %q", f.Name()[1:], f.Value()))
			continue
		}
		for key, list := range map[string][]string{"gcflags": s.GCFlags, "asmflags": s.ASMFlags} {
			if len(list) > 0 {
				profile[key] = list
			}
		}
	}
	if err := profiles.CheckChoice("buildmode", cmp.Or(c.BuildMode, "default")); err != nil {
		remarks = append(remarks, err.Error())
	} else if c.BuildMode != "" {
		profile["buildmode"] = c.BuildMode
	}
	if c.Vendor {
		profile["mod"] = "vendor"
	}
	if c.PGO != "" && c.PGO != "default.pgo" {
		profile["pgo"] = c.PGO
		remarks = append(remarks, "pgo: the path of "+c.PGO+" in the module is to be filled in")
	}
	env := map[string]string{}
	for _, kv := range c.Env {
		name, value, _ := strings.Cut(kv.String(), "=")
		if name == "GOEXPERIMENT" || name == "GOFIPS140" || strings.HasPrefix(name, "CGO_") && name != "CGO_ENABLED" {
			env[name] = value
		}
	}
	if len(env) > 0 {
		profile["env"] = env
	}
	ld, left := ldflagsKeys(flags, c)
	profile["ldflags"] = ld
	remarks = append(remarks, left...)

	main := c.Package
	if dir, ok := c.MainDir(); ok {
		main = dir
	}
	file := map[string]any{"version": 1, "project": projectName(c.Project()), "go": c.Go, "main": main, "sign": "none"}
	if c.Package == "command-line-arguments" {
		delete(file, "main")
		remarks = append(remarks, "main: the binary was built from named files, which mintmark does not do; its package is recorded as command-line-arguments")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Recovered from %s\n", clean(r.Name))
	fmt.Fprintf(&b, "# sha256 %s: %s\n", r.SHA256, r.Verdict)
	for _, s := range remarks {
		fmt.Fprintf(&b, "# %s\n", clean(s))
	}
	for _, key := range []string{"version", "project", "go", "main", "sign"} {
		if v, ok := file[key]; ok {
			if err := writeKey(&b, "", key, v); err != nil {
				return "", err
			}
		}
	}
	b.WriteString("profiles:\n  release:\n")
	for _, key := range []string{"platforms", "cgo", "trimpath", "buildvcs", "tags", "ldflags", "gcflags", "asmflags", "buildmode", "mod", "pgo", "env", "archive"} {
		if v, ok := profile[key]; ok {
			if err := writeKey(&b, "    ", key, v); err != nil {
				return "", err
			}
		}
	}
	text := b.String()
	if _, err := profiles.Load("recovered.yaml", []byte(text)); err != nil {
		return text, fmt.Errorf("the recovered settings are no profile: %w", err)
	}
	return text, nil
}

func writeKey(b *strings.Builder, indent, key string, value any) error {
	data, err := yaml.Marshal(map[string]any{key: value})
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		b.WriteString(indent + line)
	}
	return nil
}

// ldflagsKeys are the profile's keys for the linker's flags, and what they
// cannot say. The profile's own spelling is canonical; another one gives
// another build ID.
func ldflagsKeys(flags []string, c *Claim) (keys map[string]any, remarks []string) {
	set := map[string]string{}
	var extra []string
	s, w := false, false
	for i := 0; i < len(flags); i++ {
		f := flags[i]
		switch {
		case f == "-s":
			s = true
		case f == "-w":
			w = true
		case f == "-X" && i+1 < len(flags):
			i++
			f = "-X=" + flags[i]
			fallthrough
		case strings.HasPrefix(f, "-X="):
			name, value, _ := strings.Cut(strings.TrimPrefix(f, "-X="), "=")
			set[name] = templated(value, c)
		case strings.HasPrefix(f, "-buildid"):
			remarks = append(remarks, "ldflags: "+f+" is left out: the build ID says what a binary was made of")
		default:
			extra = append(extra, f)
		}
	}
	strip := profiles.StripNone
	switch {
	case s: // the linker takes it for -w as well
		strip = profiles.StripAll
	case w:
		strip = profiles.StripDebug
	}
	keys = map[string]any{"strip": strip}
	if len(set) > 0 {
		keys["set"] = set
	}
	if len(extra) > 0 {
		keys["extra"] = extra
	}
	canonical := profiles.Settings{Strip: strip, Set: plainSet(flags), LDFlags: extra}.LinkerFlags()
	if text := (candidate{Flags: flags}).Text(); text != canonical {
		remarks = append(remarks, fmt.Sprintf("ldflags: the binary has %q, this profile spells it %q: the code is the same, the build ID is not", text, canonical))
	}
	return keys, remarks
}

// plainSet are the -X values as they are.
func plainSet(flags []string) map[string]string {
	set := map[string]string{}
	for i, f := range flags {
		if f == "-X" && i+1 < len(flags) {
			f = "-X=" + flags[i+1]
		}
		if v, ok := strings.CutPrefix(f, "-X="); ok {
			name, value, _ := strings.Cut(v, "=")
			set[name] = value
		}
	}
	return set
}

// templated writes a value that follows from the commit as a template.
func templated(value string, c *Claim) string {
	release := c.Release()
	switch {
	case value == "":
	case value == c.Revision:
		return "{{.Commit}}"
	case c.Tag() != "" && value == c.Tag():
		return "{{.Tag}}"
	case c.Tag() != "" && value == strings.TrimPrefix(release, "v"):
		return "{{.Version}}"
	case value == c.Time:
		return "{{.CommitDate}}"
	case len(value) == 7 && strings.HasPrefix(c.Revision, value):
		return "{{.ShortCommit}}"
	}
	// What is no template must not become one.
	return strings.ReplaceAll(value, "{{", `{{"{{"}}`)
}

// projectName keeps of a name what a profile file accepts.
func projectName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, s)
	if s = strings.TrimLeft(s, "._-"); s == "" {
		return "recovered"
	}
	return s
}

// clean makes text of a binary fit for one line of a comment.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
}
