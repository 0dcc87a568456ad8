package channels

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// channel is one of them: all that is known of it is in its row and its templates.
type channel struct {
	name fact.Channel
	// needs are the keys, by their last word, without which it has no file, and takes
	// those that it has a use for besides. name and platforms and profile are of all.
	needs, takes []string
	// formats are what it can unpack, or [fact.NoArchive] for a program as it is, the
	// best first.
	formats []string
	// words are the channel's for a system and an architecture, by OS/arch or
	// OS/arch/variant.
	words map[string][2]string
	// one says that it can have one program of a file only.
	one bool
	// defaultName is the package's name where the profile file has none; checkName
	// accepts one, and checkVersion a version; nil: any.
	defaultName             func(project string) string
	checkName, checkVersion func(s string) error
	// templates are the files, each in its format. Its name is the template's, behind
	// the package's.
	templates []templated
	// files makes what is more than one text each; nil: templates do.
	files func(d *drawn) ([]File, error)
}

// templated is a template, by its name without .tmpl, which is how the file's ends.
type templated struct {
	name   string
	format format
}

// channels are all of them.
func channels() []channel {
	same := func(project string) string { return project }
	brew := words(map[string]string{"darwin": "on_macos", "linux": "on_linux"}, map[string]string{"amd64": "on_intel", "arm64": "on_arm"})
	anyArchive := []string{fact.TarGz, fact.Zip, fact.TarZst, fact.NoArchive}
	return []channel{
		{
			name: fact.Homebrew, needs: []string{"url", "homepage", "description"}, takes: []string{"license", "test", "program"},
			formats: anyArchive, words: brew, defaultName: same, checkName: formulaName,
			templates: []templated{{"homebrew.rb", rubyFormat()}},
		},
		{
			name: fact.Cask, needs: []string{"url", "homepage", "description"},
			formats: anyArchive, words: brew, defaultName: same,
			checkName: form(`^[a-z0-9]+([-@][a-z0-9]+)*$`, "small letters and digits, with - between them"),
			templates: []templated{{"cask.rb", rubyFormat()}},
		},
		{
			name: fact.Scoop, needs: []string{"url", "homepage", "description", "license"},
			formats:     []string{fact.Zip, fact.TarGz, fact.TarZst, fact.NoArchive},
			words:       words(map[string]string{"windows": ""}, map[string]string{"amd64": "64bit", "386": "32bit", "arm64": "arm64"}),
			defaultName: same, checkName: form(`^[A-Za-z0-9][A-Za-z0-9._-]*$`, "letters, digits and any of . _ -"),
			templates: []templated{{"scoop.json", jsonFormat()}},
		},
		{
			name: fact.Winget, needs: []string{"name", "url", "publisher", "license", "description"}, takes: []string{"homepage"},
			formats:     []string{fact.Zip, fact.NoArchive},
			words:       words(map[string]string{"windows": ""}, map[string]string{"amd64": "x64", "386": "x86", "arm64": "arm64"}),
			defaultName: same, checkName: wingetName,
			templates: []templated{{"winget.yaml", yamlFormat()}, {"winget.installer.yaml", yamlFormat()}, {"winget.locale.en-US.yaml", yamlFormat()}},
		},
		{
			name: fact.AUR, needs: []string{"url", "homepage", "description", "license"}, takes: []string{"maintainers"},
			formats: anyArchive,
			words: words(map[string]string{"linux": ""}, map[string]string{
				"amd64": "x86_64", "386": "i686", "arm64": "aarch64", "arm/7": "armv7h", "arm/6": "armv6h", "riscv64": "riscv64", "loong64": "loong64",
			}),
			defaultName: func(project string) string { return strings.ToLower(project) + binSuffix },
			checkName:   form(`^[a-z0-9@_+][a-z0-9@._+-]*$`, "small letters, digits and any of @ . _ + -, and no . or - at the beginning"),
			templates:   []templated{{"aur.PKGBUILD", shellFormat()}, {"aur.SRCINFO", lineFormat()}},
		},
		{
			name: fact.Krew, needs: []string{"url", "description"}, takes: []string{"homepage", "program"},
			formats: []string{fact.TarGz, fact.Zip}, one: true,
			words: words(map[string]string{"linux": "linux", "darwin": "darwin", "windows": "windows"}, map[string]string{
				"amd64": "amd64", "386": "386", "arm64": "arm64", "arm": "arm", "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64",
			}),
			defaultName:  func(project string) string { return strings.TrimPrefix(project, "kubectl-") },
			checkName:    form(`^[a-z0-9][a-z0-9-]*$`, "small letters, digits and -"),
			checkVersion: semantic,
			templates:    []templated{{"krew.yaml", yamlFormat()}},
		},
		{
			name: fact.NPM, takes: []string{"description", "homepage", "license", "publisher"},
			formats: anyArchive,
			words: words(map[string]string{
				"aix": "aix", "android": "android", "darwin": "darwin", "freebsd": "freebsd", "linux": "linux", "netbsd": "netbsd", "openbsd": "openbsd", "solaris": "sunos", "illumos": "sunos", "windows": "win32",
			}, map[string]string{
				"amd64": "x64", "386": "ia32", "arm64": "arm64", "arm": "arm", "loong64": "loong64", "mips": "mips", "mipsle": "mipsel", "ppc64le": "ppc64", "riscv64": "riscv64", "s390x": "s390x",
			}),
			defaultName: same, checkName: npmName, checkVersion: semantic,
			files: npmPackages,
		},
	}
}

// binSuffix ends the name of a package of Arch Linux that installs what others built.
const binSuffix = "-bin"

// words are each system with each architecture.
func words(systems, architectures map[string]string) map[string][2]string {
	list := map[string][2]string{}
	for goos, system := range systems {
		for goarch, arch := range architectures {
			list[goos+"/"+goarch] = [2]string{system, arch}
		}
	}
	return list
}

// of is the row of a channel.
func of(name fact.Channel) channel {
	all := channels()
	return all[slices.IndexFunc(all, func(c channel) bool { return c.name == name })]
}

// form accepts what a regular expression does; written says in words what that is.
func form(re, written string) func(string) error {
	compiled := regexp.MustCompile(re)
	return func(s string) error {
		if !compiled.MatchString(s) {
			return fault.Errorf("use "+written, "%q cannot be its name", s)
		}
		return nil
	}
}

func formulaName(s string) error {
	if err := form(`^[a-z0-9][a-z0-9+_.@-]*$`, "small letters, digits and any of + _ . @ -")(s); err != nil {
		return err
	}
	_, err := constant(s)
	return err
}

// wingetName accepts a PackageIdentifier
// (https://aka.ms/winget-manifest.version.1.6.0.schema.json).
func wingetName(s string) error {
	err := form(`^[^.\s\\/:*?"<>|\x00-\x1f]{1,32}(\.[^.\s\\/:*?"<>|\x00-\x1f]{1,32}){1,7}$`, "PUBLISHER.PACKAGE, two to eight parts of at most 32 characters with dots between them")(s)
	if err == nil {
		err = form(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`, "letters, digits and any of . _ + -, since files are called so")(s)
	}
	if err == nil && len(s) > 128 {
		err = fmt.Errorf("%q has %d bytes, more than 128", s, len(s))
	}
	return err
}

// npmName accepts the name of a new package
// (https://docs.npmjs.com/cli/configuring-npm/package-json#name, and npm's
// validate-npm-package-name).
func npmName(s string) error {
	if err := form(`^(@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*$`, "small letters, digits and any of - . _ ~, with @SCOPE/ before it or not, and no . or _ at the beginning")(s); err != nil {
		return err
	}
	const longest = "-freebsd-loong64" // of what platforms add
	switch {
	case len(s)+len(longest) > 214:
		return fmt.Errorf("%q is too long: with a platform it has more than 214 characters", s)
	case slices.Contains(strings.Fields(npmReserved), s):
		return fault.Errorf("put a scope before it: @SCOPE/"+s, "%q is reserved", s)
	}
	return nil
}

// npmReserved are what is in Node.js itself, and two names of files.
const npmReserved = `assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain events fs http http2 https
	inspector module net os path perf_hooks process punycode querystring readline repl stream string_decoder sys timers tls trace_events tty url util v8 vm
	wasi worker_threads zlib node_modules favicon.ico`

var semver = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?$`)

// semantic accepts a version of https://semver.org without build metadata, which package
// managers leave out when they compare.
func semantic(version string) error {
	if !semver.MatchString(version) {
		return fault.Errorf("leave this channel out, or tag with vMAJOR.MINOR.PATCH", "it takes versions of the form MAJOR.MINOR.PATCH, not %q", version)
	}
	return nil
}

// Wrong is what keeps a channel from having files. Key is the key of the profile file
// that it is about.
type Wrong struct {
	Key string
	Err error
}

func (w *Wrong) Error() string { return w.Key + ": " + w.Err.Error() }
func (w *Wrong) Unwrap() error { return w.Err }

// Check finds what is wrong with what a profile file says of a channel, whatever is
// released.
func Check(c *profiles.Channel, project string) error {
	return of(c.Channel).check(c, &Release{Project: project, Version: "1.2.3"})
}

// check finds what is wrong with a channel's settings alone.
func (c channel) check(s *profiles.Channel, r *Release) error {
	var errs []error
	wrong := func(word string, err error) {
		if err != nil {
			errs = append(errs, &Wrong{s.Key(word), err})
		}
	}
	var missing []string
	for _, word := range []string{"name", "description", "homepage", "license", "url", "publisher", "maintainers", "test", "program"} {
		set := s.Key(word) != s.Key("")
		switch {
		case slices.Contains(c.needs, word) && !set:
			missing = append(missing, word)
		case s.Own(word) && word != "name" && !slices.Contains(append(c.needs, c.takes...), word):
			wrong(word, fault.Errorf("leave it out", "%s has no use for it", c.name))
		}
	}
	if len(missing) > 0 {
		where := ", or beside it for all channels"
		if missing[0] == "name" {
			where = ""
		}
		wrong("", fault.Errorf(fmt.Sprintf("write channels: {%s: {%s: …}}%s", c.name, strings.Join(missing, ": …, "), where), "it needs %s", strings.Join(missing, ", ")))
	}
	if s.License != "" && slices.Contains(append(c.needs, c.takes...), "license") {
		wrong("license", checkLicense(s.License))
	}
	name := c.called(s, r)
	if s.Name == "" && !slices.Contains(c.needs, "name") {
		if err := c.checkName(name); err != nil {
			wrong("name", fault.Errorf(fmt.Sprintf("write channels: {%s: {name: …}}", c.name), "the project's name cannot be its name: %w", err))
		}
	} else if s.Name != "" {
		wrong("name", c.checkName(name))
	}
	if c.checkVersion != nil {
		wrong("", c.checkVersion(r.Version))
	}
	if c.name == fact.Winget && s.Description != "" && len(s.Description) < 3 {
		wrong("description", errors.New("it takes descriptions of three characters or more"))
	}
	return errors.Join(errs...)
}

// called is the name of the package.
func (c channel) called(s *profiles.Channel, r *Release) string {
	if s.Name != "" {
		return s.Name
	}
	return c.defaultName(r.Project)
}
