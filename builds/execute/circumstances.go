package execute

import (
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
)

// circumstances are what is true of an execution of the unit's command here.
// They are read off the command that is run, and what is not read off it is left
// out: a list of them that were written by hand would say what was meant.
//
// How many actions run at a time is none of them. It is up to the scheduler, so
// two places may well have the same number, and another one the next time.
func (l *Local) circumstances(u *plan.Unit, c toolchain.Command, h fact.Host) fact.Circumstances {
	env := map[string]string{}
	for _, kv := range c.Env { // the last one counts
		name, value, _ := strings.Cut(kv, "=")
		env[name] = value
	}
	in := fact.Circumstances{fact.Goroot: l.View.Path(l.Goroot.Dir), fact.Directory: l.View.Path(l.Dir)}
	for _, name := range fact.Variables() {
		in[name] = env[string(name)]
	}
	for what, which := range l.Origin {
		in[what] = which
	}
	// What was asked for: the command has what was granted.
	in[fact.HostName] = l.Place.Hostname
	if runtime.GOOS != "windows" {
		in[fact.Umask] = ""
		if c.SetUmask {
			in[fact.Umask] = strconv.FormatInt(int64(c.Umask), 8)
		}
	}
	if env["CGO_ENABLED"] == "1" {
		in[fact.CCompiler] = env["CC"] + " on " + env["PATH"]
	}
	if l.Kind == fact.SourceGit && l.Origin[fact.GitClone] != "" && slices.Contains(u.Flags, "-buildvcs=true") {
		in[fact.Git] = l.Place.Git
	}
	// The command is a child of this process, so these are this process's. Where the
	// system does not say which start of which machine it is, the name has to do.
	here := h.Boot
	if here == "" {
		here = h.Name
	}
	if here != "" {
		in[fact.Machine], in[fact.Kernel], in[fact.Clock] = here, here, here
	}
	if dev, ok := device(l.Out); ok {
		in[fact.FileSystem] = dev
	}
	return in
}
