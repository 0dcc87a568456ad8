package bindiff

import "strings"

// Known is what is known to be the same of two builds, by whoever made both and
// checked it. The zero value knows nothing, as of files from elsewhere: what a
// file says of itself is compared, and proves nothing of this kind.
//
// What is known to be the same explains no difference: causes that are inferred
// from compiled bytes and that say it differs are not found. What the files
// record is found all the same, since it contradicts what was thought to be known.
type Known struct {
	Source      bool // one commit or module zip, by its hash
	Toolchain   bool // by its hash
	Flags       bool // of the go command, the linker and the C compiler
	Environment bool // the variables the builds were given, and the C compiler
}

// AllKnown is what is known of two builds of one unit, one toolchain and one
// source, on one machine.
func AllKnown() Known { return Known{Source: true, Toolchain: true, Flags: true, Environment: true} }

// inputs are what a cause says is different; none for causes that no knowledge
// of the builds excludes.
type inputs uint8

const (
	ofSource inputs = 1 << iota
	ofToolchain
	ofFlags
	ofEnvironment
)

var inputNames = []struct {
	input inputs
	name  string
}{
	{ofSource, "source trees"},
	{ofToolchain, "toolchains"},
	{ofFlags, "flags"},
	{ofEnvironment, "environments"},
}

func (k Known) inputs() inputs {
	var out inputs
	for _, x := range []struct {
		known bool
		input inputs
	}{{k.Source, ofSource}, {k.Toolchain, ofToolchain}, {k.Flags, ofFlags}, {k.Environment, ofEnvironment}} {
		if x.known {
			out |= x.input
		}
	}
	return out
}

// excludes reports whether all that a cause could come from is known to be the same.
func (k Known) excludes(blames inputs) bool { return blames != 0 && blames&^k.inputs() == 0 }

// compareRest is the remedy when no cause was found: to compare what is not
// known to be the same.
func (k Known) compareRest() string {
	var open []string
	for _, x := range inputNames {
		if k.inputs()&x.input == 0 {
			open = append(open, x.name)
		}
	}
	switch n := len(open); n {
	case 0:
		return "source, toolchain, flags and environment of both builds are known to be the same: look for what reads the time, the directory or the machine while it is built, such as C code or a tool that the go command calls"
	case 1:
		return "compare the " + open[0] + " of the builds"
	default:
		return "compare the " + strings.Join(open[:n-1], ", the ") + " and the " + open[n-1] + " of the builds"
	}
}
