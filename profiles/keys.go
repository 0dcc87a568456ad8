package profiles

import (
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// kind is the shape of a key's value.
type kind int

const (
	kindText     kind = iota
	kindBool          // true or false
	kindList          // a list of texts
	kindTexts         // one text, or a list of texts
	kindOff           // a list of texts, or `off`
	kindPack          // as kindOff, or a map of further keys
	kindMap           // name: text
	kindSize          // bytes
	kindDuration      // Go's spelling
	kindGroup         // a map of further keys
	kindFiles         // a list of globs, and of maps of further keys
	kindContents      // a list of maps of further keys
	kindOther         // decoded by code of its own
)

// key describes one key of the file. The decoder, the schema, the defaults and
// the test of the reference all read this table.
type key struct {
	name     string // its path in a profile, such as ldflags.strip
	kind     kind
	doc      string // one sentence, for editors
	enum     []string
	truth    map[string]string // what true and false mean, where they may stand for a text
	def      string            // the default as text; what it means depends on the kind
	template bool              // values may be templates
	fields   []string          // of templates, beside those that all templates have
	sub      []key             // of a group, and of an element of kindFiles or kindContents
	// into puts the value that holds into the settings; of all settings but groups.
	into func(*Settings, *value)
}

// last is the word that stands in the file.
func (k key) last() string { return k.name[strings.LastIndex(k.name, ".")+1:] }

// The default of name. Commas of a variant become underscores in it.
const defaultName = `{{.Project}}_{{.Version}}_{{.OS}}_{{.Arch}}{{with .Variant}}_{{.}}{{end}}`

// The default of binary: what go build would call it.
const defaultBinary = `{{.Binary}}`

// topKeys are the keys of the file itself.
func topKeys() []key {
	return append([]key{
		{name: "version", kind: kindOther, doc: "Version of this format; always 1."},
		{name: "project", kind: kindText, doc: "Name of the release; part of every artifact's name."},
		{name: "go", kind: kindText, doc: "Exact toolchain, such as go1.26.8. Default: the version that go.mod names."},
		{name: "dir", kind: kindText, doc: "Directory of the module, relative to this file. Default: that of the file."},
		{name: "tag", kind: kindText, doc: "How the tags that say versions are written, with one {{.Version}} in it, such as release-{{.Version}}. Default: Go's version tags."},
		{name: "snapshot", kind: kindText, template: true, def: defaultSnapshot, doc: "Version of a snapshot."},
		{name: "main", kind: kindTexts, def: "./", doc: "Main packages that every profile builds unless it says otherwise: ./, ./cmd/..., or a list."},
		{name: "untagged", kind: kindText, enum: []string{"refuse", "pseudo"}, def: "refuse", doc: "What to do with a commit without a version tag: refuse it, or release it under Go's pseudo-version."},
		{name: "sign", kind: kindOther, doc: "The key that signs the release, or none.", sub: []key{
			{name: "sign.key", kind: kindText, doc: "Path of the private key, relative to this file, or env://NAME for a variable that holds it, or a KMS URI."},
		}},
		{name: "ledger", kind: kindGroup, doc: "What is told to other rebuilders of the compiles that a release ran, and whose word counts here.", sub: []key{
			{name: "ledger.publish", kind: kindBool, def: "false", doc: "A release writes ledger.json, what it executed of the standard library and of dependencies, signed."},
			{name: "ledger.rebuilders", kind: kindList, doc: "Public keys, as paths relative to this file, env://NAME or KMS URIs, whose published ledgers count."},
		}},
		{name: "require", kind: kindTexts, enum: requirements(), doc: "What a release has to be besides: machines demands that every unit was built on two machines."},
		{name: "generate", kind: kindOther, doc: "Commands that make files before anything is compiled, in order: in every place, confined and without the network.", sub: []key{
			{name: "generate.command", kind: kindList, template: true, doc: "The program, on PATH or in the commit, and its arguments."},
			{name: "generate.inputs", kind: kindList, doc: "Globs of what the files are made of; each must match."},
			{name: "generate.outputs", kind: kindList, doc: "Globs of the files that the command makes, and of no others; each must match."},
			{name: "generate.env", kind: kindMap, template: true, doc: "Further environment variables of the command."},
			{name: "generate.fetch", kind: kindOther, doc: "Files that are fetched before the command runs, which itself has no network.", sub: fetchKeys()},
		}},
		{name: "profiles", kind: kindOther, doc: "The profiles by name."},
	}, publishedKeys()...)
}

// structureKeys are the keys of a profile that are not settings: an override
// cannot hold them (its own `platforms` is a list of patterns).
func structureKeys() []key {
	return []key{
		{name: "inherit", kind: kindText, doc: "Name of the profile whose keys this one starts from."},
		{name: "platforms", kind: kindOther, doc: "What to build for: a list of platforms, or OS × architecture. Without it, or with [], a profile is only inherited from.", sub: []key{
			{name: "platforms.os", kind: kindList, doc: "Operating systems, each combined with each architecture."},
			{name: "platforms.arch", kind: kindList, doc: "Architectures, with a variant where wanted: arm64, arm/6."},
			{name: "platforms.exclude", kind: kindList, doc: "Patterns of combinations to leave out; each must match one."},
			{name: "platforms.include", kind: kindList, doc: "Further platforms; each must add one."},
			{name: "platforms.unknown", kind: kindText, enum: []string{"refuse", "skip"}, def: "refuse", doc: "What to do with combinations of os and arch that the toolchain does not know: refuse them, or leave them out and say so."},
		}},
		{name: "overrides", kind: kindOther, doc: "Settings for some platforms only, applied last and in order."},
	}
}

// settingKeys are the keys of a profile that become [Settings], each with how.
func settingKeys() []key {
	return []key{
		{name: "main", kind: kindTexts, def: "./", doc: "Main packages to build: ./, ./cmd/..., or a list.",
			into: func(s *Settings, v *value) { s.Main = v.list }},
		{name: "cgo", kind: kindBool, def: "false", doc: "CGO_ENABLED.",
			into: func(s *Settings, v *value) { s.CGO = v.flag }},
		{name: "trimpath", kind: kindBool, def: "true", doc: "-trimpath: keep directory names out of the binary.",
			into: func(s *Settings, v *value) { s.Trimpath = v.flag }},
		{name: "buildvcs", kind: kindBool, def: "true", doc: "-buildvcs: stamp the commit and the version into the binary.",
			into: func(s *Settings, v *value) { s.BuildVCS = v.flag }},
		{name: "tags", kind: kindList, doc: "Build tags; sorted before use.",
			into: func(s *Settings, v *value) { s.Tags = slices.Compact(slices.Sorted(slices.Values(v.list))) }},
		{name: "ldflags", kind: kindGroup, doc: "Flags of the linker.", sub: []key{
			{name: "ldflags.strip", kind: kindText, def: StripAll, enum: []string{StripAll, StripDebug, StripNone}, truth: map[string]string{"true": StripAll, "false": StripNone},
				doc:  "all: neither symbol table nor debug information (-s -w); debug: no debug information (-w); none. true is all, false is none.",
				into: func(s *Settings, v *value) { s.Strip = v.textUnless(StripNone) }},
			{name: "ldflags.set", kind: kindMap, template: true, doc: "Values of string variables (-X), as importpath.name: value.",
				into: func(s *Settings, v *value) { s.Set = v.entries }},
			{name: "ldflags.extra", kind: kindList, template: true, doc: "Further flags, one argument per element, in this order.",
				into: func(s *Settings, v *value) { s.LDFlags = v.list }},
		}},
		{name: "gcflags", kind: kindList, doc: "Flags of the compiler, one per element; an element pattern=-flag starts the flags of the packages that match.",
			into: func(s *Settings, v *value) { s.GCFlags = v.list }},
		{name: "asmflags", kind: kindList, doc: "Flags of the assembler, in the form of gcflags.",
			into: func(s *Settings, v *value) { s.ASMFlags = v.list }},
		{name: "buildmode", kind: kindText, def: "default", enum: []string{"default", "exe", "pie", "c-archive", "c-shared"}, doc: "-buildmode; default is the platform's own. c-archive and c-shared make a library for C and its header.",
			into: func(s *Settings, v *value) { s.BuildMode = v.textUnless("default") }},
		{name: "mod", kind: kindText, def: "readonly", enum: []string{"readonly", "vendor"}, doc: "-mod: modules from the module cache, or from the vendor directory.",
			into: func(s *Settings, v *value) { s.Mod = v.text }},
		{name: "pgo", kind: kindText, def: "auto", doc: "Profile for the optimiser: auto (default.pgo of the main package if there is one), off, or a path in the commit.",
			into: func(s *Settings, v *value) { s.PGO = v.textUnless("auto") }},
		{name: "env", kind: kindMap, template: true, doc: "Further environment variables of the build; they are recorded in the release.",
			into: func(s *Settings, v *value) { s.Env = v.entries }},
		{name: "archive", kind: kindTexts, def: fact.TarGz, enum: append(fact.ArchiveFormats(), fact.NoArchive), doc: "Format of the archive, or a list of formats, each of which is published; none leaves bare binaries.",
			into: func(s *Settings, v *value) { s.Archive = slices.Compact(slices.Sorted(slices.Values(v.list))) }},
		{name: "wrap", kind: kindText, template: true, fields: []string{"Binary", "Name"}, doc: "Directory that all files of an archive lie in. Default: none.",
			into: func(s *Settings, v *value) { s.Wrap = v.text }},
		{name: "files", kind: kindFiles, doc: "Further files for the archive: globs, or maps with a glob and where its files go.", sub: []key{
			{name: "files.src", kind: kindText, doc: "Glob of files of the commit."},
			{name: "files.dst", kind: kindText, template: true, doc: "Where they go in the archive: a file's name; of a glob, and where it ends in /, a directory. Default: as in the commit."},
			{name: "files.mode", kind: kindText, enum: fact.Modes(), doc: "Their mode in the archive. Default: the commit's."},
		},
			into: func(s *Settings, v *value) { s.Files = v.files }},
		{name: "binary", kind: kindText, template: true, fields: []string{"Binary"}, def: defaultBinary, doc: "Name of the program in an archive, without .exe; it may hold directories: bin/tool.",
			into: func(s *Settings, v *value) { s.Binary = v.text }},
		{name: "name", kind: kindText, template: true, fields: []string{"Binary"}, def: defaultName, doc: "Name of the artifact, without the extension.",
			into: func(s *Settings, v *value) { s.Name = v.text }},
		{name: "universal", kind: kindText, def: "none", enum: []string{"none", string(fact.BesideSlices), string(fact.ReplaceSlices)}, truth: map[string]string{"true": string(fact.BesideSlices), "false": "none"},
			doc:  "Universal binaries for macOS, of what is built for darwin/amd64 and darwin/arm64: beside these, or replace, in their place. true is beside, false is none.",
			into: func(s *Settings, v *value) { s.Universal = fact.UniversalPolicy(v.textUnless("none")) }},
		packagesKey(),
		{name: "upx", kind: kindPack, def: "off", doc: "Pack with UPX, using these flags; off does not pack. Or a map with upx.flags, and which UPX it has to be.", sub: []key{
			{name: "upx.flags", kind: kindOff, def: "off", doc: "The flags; the same as upx: FLAGS.",
				into: func(s *Settings, v *value) { s.UPX = v.list }},
			{name: "upx.version", kind: kindText, doc: "The version UPX must have, such as 4.2.3. Default: any.",
				into: func(s *Settings, v *value) { s.UPXVersion = v.text }},
			{name: "upx.sha256", kind: kindText, doc: "SHA-256 of the UPX executable, lower-case hex. Default: any.",
				into: func(s *Settings, v *value) { s.UPXSHA256 = v.text }},
		}},
		{name: "budget", kind: kindGroup, doc: "What a binary may cost.", sub: []key{
			{name: "budget.size", kind: kindSize, def: "0", doc: "Largest size of a binary, such as 8MiB; 0 is no limit.",
				into: func(s *Settings, v *value) { s.Budget.Size = v.size }},
			{name: "budget.growth", kind: kindSize, def: "0", doc: "Most bytes that a binary may have more than in the release before, such as 200KiB; 0 is no limit.",
				into: func(s *Settings, v *value) { s.Budget.Growth = v.size }},
			{name: "budget.startup", kind: kindDuration, def: "0", doc: "Longest start-up time, such as 300ms; 0 is no limit.",
				into: func(s *Settings, v *value) { s.Budget.Startup = v.dur }},
		}},
		{name: "bench", kind: kindGroup, doc: "What mintmark bench starts, and which variants of the binary it compares.", sub: []key{
			{name: "bench.main", kind: kindText, doc: "The program to start, if main has several: one path of this module.",
				into: func(s *Settings, v *value) { s.Bench.Main = v.text }},
			{name: "bench.args", kind: kindList, doc: "Its arguments, one per element.",
				into: func(s *Settings, v *value) { s.Bench.Args = v.list }},
			{name: "bench.env", kind: kindList, doc: "Its whole environment, as NAME=VALUE.",
				into: func(s *Settings, v *value) { s.Bench.Env = v.list }},
			{name: "bench.stdin", kind: kindText, doc: "File in the commit that its standard input comes from. Default: an empty input.",
				into: func(s *Settings, v *value) { s.Bench.Stdin = v.text }},
			{name: "bench.ready", kind: kindText, doc: "When it counts as started: exit (the default), first-byte, stdout:REGEXP, tcp:PORT or tcp:HOST:PORT.",
				into: func(s *Settings, v *value) { s.Bench.Ready = v.text }},
			{name: "bench.variants", kind: kindList, doc: "What is compared; the first is the base: profile, plain, stripped, upx FLAGS, pgo off, pgo auto, pgo FILE.",
				into: func(s *Settings, v *value) { s.Bench.Variants = variants(v.list) }},
		}},
		{name: "verify", kind: kindText, def: string(fact.RequireIdentical), enum: []string{string(fact.RequireIdentical), string(fact.ReportVerdicts)}, doc: "require signs nothing that came out different; report signs it and says so.",
			into: func(s *Settings, v *value) { s.Verify = fact.VerifyPolicy(v.text) }},
	}
}

// leafKeys are the settings with the groups unfolded.
func leafKeys() []key {
	var leaves []key
	var unfold func(keys []key)
	unfold = func(keys []key) {
		for _, k := range keys {
			if k.kind == kindGroup || k.kind == kindPack {
				unfold(k.sub)
			} else {
				leaves = append(leaves, k)
			}
		}
	}
	unfold(settingKeys())
	return leaves
}

// templatesWork is the hint for a template where none can be.
func templatesWork() string {
	var names []string
	for _, k := range leafKeys() {
		for _, k := range append([]key{k}, k.sub...) {
			if k.template {
				names = append(names, k.name)
			}
		}
	}
	slices.Sort(names)
	return "templates work in " + strings.Join(names, ", ")
}

// find is the key of that name, which keys have.
func find(keys []key, name string) key {
	return keys[slices.IndexFunc(keys, func(k key) bool { return k.name == name })]
}

func lastNames(keys []key) []string {
	var list []string
	for _, k := range keys {
		list = append(list, k.last())
	}
	return list
}

// elsewhere maps what other tools, or the go command, call a thing to its key.
var elsewhere = map[string]string{
	"goos": "platforms: {os: […]}", "goarch": "platforms: {arch: […]}", "goarm": "platforms: {arch: [arm/6]}",
	"goamd64": "platforms: {arch: [amd64/v3]}", "gomips": "platforms: {arch: [mipsle/softfloat]}", "targets": "platforms",
	"platform": "platforms", "matrix": "platforms", "ignore": "platforms: {exclude: […]}",
	"builds": "profiles", "profile": "profiles", "name_template": "name", "wrap_in_directory": "wrap", "wrap_directory": "wrap", "formats": "archive",
	"source": "src", "destination": "dst", "from": "src", "to": "dst",
	"project_name": "project",
	"goversion":    "go", "go_version": "go", "toolchain": "go", "flags": "tags, trimpath, gcflags or buildmode",
	"tag_prefix": "tag", "monorepo": "tag", "snapshot_template": "snapshot", "version_template": "snapshot", "directory": "dir",
	"extends": "inherit", "parent": "inherit", "inherits": "inherit", "base": "inherit",
	"strip": "ldflags: {strip: …}", "cgo_enabled": "cgo", "compression": "archive", "format": "archive",
	"checksum": "checksums", "checksum_name_template": "checksums: {name: …}",
	"machines": "require: machines", "rebuilders": "ledger: {rebuilders: […]}",
	"brews": "channels: {homebrew: {…}}", "brew": "channels: {homebrew: {…}}", "homebrew_casks": "channels: {cask: {…}}", "scoops": "channels: {scoop: {…}}",
	"dockers": "images: {NAME: {…}}", "docker": "images: {NAME: {…}}", "kos": "images: {NAME: {…}}", "image": "images: {NAME: {…}}",
	"expose": "ports",
	"aurs":   "channels: {aur: {…}}", "krews": "channels: {krew: {…}}", "npms": "channels: {npm: {…}}",
	"universal_binaries": "universal",
	"max_size":           "budget: {size: …}", "signing": "sign", "package": "main", "nfpms": "packages", "nfpm": "packages",
	"deb": "packages: {formats: [deb]}", "rpm": "packages: {formats: [rpm]}", "apk": "packages: {formats: [apk]}",
	"file_info": "mode, owner, group", "preinst": "preinstall", "postinst": "postinstall", "prerm": "preremove", "postrm": "postremove",
	"dependencies": "depends", "package_name": "packages: {name: …}", "licence": "license",
	"x": "set", "flag": "extra", "override": "overrides", "environment": "env", "vendor": "mod: vendor",
	"include": "platforms: {include: […]}", "exclude": "platforms: {exclude: […]}", "os": "platforms: {os: […]}", "arch": "platforms: {arch: […]}",
	"set": "ldflags: {set: …}", "extra": "ldflags: {extra: […]}", "size": "budget: {size: …}", "startup": "budget: {startup: …}",
}
