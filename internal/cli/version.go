package cli

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
)

// versionFlags are what mintmark version takes.
type versionFlags struct {
	commandOnly
}

func (f *versionFlags) run(_ context.Context, d *app) error {
	bi, ok := debug.ReadBuildInfo()
	if !ok {
		bi = nil
	}
	for _, line := range builtHow(bi) {
		d.printf("%s\n", line)
	}
	return nil
}

// builtHow says how a program with mintmark in it was built: what the go command
// wrote into it, and what follows from that. bi is nil if it wrote nothing.
func builtHow(bi *debug.BuildInfo) []string {
	if bi == nil {
		return []string{"mintmark " + devel, "how        not recorded: the program has no build information"}
	}
	m := ownModule(bi)
	why := unreleased(m)
	shown, standing := devel, "no: "+why
	if why == "" {
		shown, standing = m.Version, "yes, as the program says of itself; who made it is what the signature of its release says"
	}
	lines := []string{"mintmark " + shown}
	line := func(name, text string) {
		if text != "" {
			lines = append(lines, fmt.Sprintf("%-10s %s", name, text))
		}
	}
	settings := map[string]string{}
	for _, s := range bi.Settings {
		settings[s.Key] = s.Value
	}
	line("release", standing)
	if m != nil {
		line("module", strings.TrimSpace(m.Path+" "+m.Version))
		sum := m.Sum
		if r := m.Replace; r != nil {
			line("replaced", strings.TrimSpace("by "+r.Path+" "+r.Version))
			sum = r.Sum
		}
		if sum == "" {
			sum = "none recorded: built from a directory, not from a module's zip"
		}
		line("sum", sum)
	}
	if bi.Path != "" && (m == nil || bi.Main.Path != m.Path) {
		line("in", "the program "+bi.Path)
	}
	commit := settings["vcs.revision"]
	switch {
	case commit == "":
		commit = "none recorded"
	case settings["vcs.time"] != "":
		commit += " of " + settings["vcs.time"]
	}
	switch settings["vcs.modified"] {
	case "true":
		commit += ", with changes that are not committed"
	case "false":
		commit += ", unchanged"
	}
	line("commit", commit)
	line("go", bi.GoVersion)
	var list []string
	for _, s := range bi.Settings {
		if !strings.HasPrefix(s.Key, "vcs") {
			list = append(list, s.Key+"="+s.Value)
		}
	}
	line("settings", strings.Join(list, " "))
	return lines
}
