package cli

import (
	"os"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/verify"
)

// The groups of flags that several verbs take, and take for the same. A verb's
// struct embeds them in the order of its help.
type (
	// selectFlags choose what of the profile file is built.
	selectFlags struct {
		Config   string   `flag:"config" takes:"file" help:"profile file (default: mintmark.yaml in the product's directory, else the built-in profile)"`
		Profile  []string `flag:"profile" takes:"profile" help:"profiles, separated by commas (default: all that have platforms)"`
		Platform string   `flag:"platform" help:"platforms or patterns, separated by commas, such as linux,windows/amd64,linux/arm/7"`
	}
	outFlag struct {
		Out string `flag:"out" takes:"dir" help:"output directory (default: dist in the product's directory)"`
	}
	jobsFlag struct {
		Jobs *int `flag:"jobs" help:"builds at a time (default: the number of processors)"`
	}
	onFlag struct {
		On []string `flag:"on" help:"machines that build, separated by commas: here, ssh://HOST, docker://CONTEXT, docker+unix:///SOCKET, buildx://BUILDER (default: those of machines.yaml in your configuration directory, else here)"`
	}
	jsonFlag struct {
		JSON bool `flag:"json" help:"print the result as one JSON document"`
	}
	dirFlag struct {
		Dir string `flag:"dir" takes:"dir" help:"the product's directory in its git checkout (default: the current one)"`
	}
	moduleFlag struct {
		Module string `flag:"module" help:"take the source from the module proxy: PATH@VERSION"`
	}
	treeFlags struct {
		Toolchain string `flag:"toolchain" help:"exact toolchain, such as go1.26.8 (default: the profile file's, else go.mod's)"`
		Snapshot  bool   `flag:"snapshot" help:"build the tree as it is, committed or not, ignored by git or not; never signed"`
	}
	timeFlags struct {
		Time  bool   `flag:"time" help:"say where the time of the builds went: by package, module and tool, what the cache spared, the critical path, what a change compiles; in a release its report says so, and is another one each time"`
		Trace string `flag:"trace" takes:"file" with:"time" help:"file to write the builds into as a trace, for Perfetto and Chrome"`
	}
	versionFlag struct {
		Version string `flag:"version" help:"version of the release, for a commit without a version tag; it is recorded that no tag says it"`
	}

	// publishedFlags say which release of whom is expected.
	publishedFlags struct {
		Key     publicKey `flag:"key" help:"public key of the publisher: file, env://NAME or KMS URI"`
		Project string    `flag:"project" help:"refuse a release of another project"`
		Module  string    `flag:"module" help:"refuse a release of another module"`
		Version string    `flag:"version" help:"refuse another version"`
		Commit  string    `flag:"commit" help:"refuse another commit"`
	}
	// compareFlags are what the report of a release shows besides.
	compareFlags struct {
		Against string   `flag:"against" reads:"-against takes the directory of an earlier release, or its measurements.json" dirs:"true" help:"compare sizes with an earlier release: its directory or measurements.json"`
		With    []string `flag:"with" reads:"-with takes what bench, size -waterfall and size -retained print with -json" adds:"true" help:"show these too: files that bench, size -waterfall or size -retained printed with -json, separated by commas"`
	}
)

func (f selectFlags) configure(c *run.Config) error {
	c.ConfigFile, c.Profiles, c.Platforms = f.Config, f.Profile, f.Platform
	return nil
}

func (f outFlag) configure(c *run.Config) error {
	c.Out = f.Out
	return nil
}

func (f jobsFlag) configure(c *run.Config) error {
	if f.Jobs == nil {
		return nil
	}
	if *f.Jobs < 1 {
		return fault.Usagef("at least one", "-jobs=%d", *f.Jobs)
	}
	c.Jobs = *f.Jobs
	return nil
}

func (f onFlag) configure(c *run.Config) (err error) {
	if c.On = f.On; len(f.On) == 0 {
		return nil
	}
	if c.Self, err = os.Executable(); err != nil {
		return err
	}
	return release.CheckMachines(c.Self, c.On)
}

func (f dirFlag) configure(c *run.Config) error {
	c.Dir = f.Dir
	return nil
}

func (f moduleFlag) configure(c *run.Config) error {
	c.Module = f.Module
	return nil
}

func (f treeFlags) configure(c *run.Config) error {
	c.Toolchain, c.Snapshot = f.Toolchain, f.Snapshot
	return nil
}

func (f versionFlag) configure(c *run.Config) error {
	c.AsVersion = f.Version
	return nil
}

// expected is what a release in a directory is checked against.
func (f publishedFlags) expected(d *app, path string) verify.Config {
	return verify.Config{Path: path, Key: f.Key.ref(d), Project: f.Project, Module: f.Module, Version: f.Version, Commit: f.Commit}
}
