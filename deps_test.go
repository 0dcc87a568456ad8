package main_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// depsRules is which of our packages may import which. It is a statement of
// policy, in the manner of go/build's deps_test.go: when this test fails, the
// code is wrong until somebody has thought about the rule.
//
// "a, b < c" means that c may import a and b, and nothing else of ours; unlike
// go/build's rules, it does not follow that c may import what a imports. Each
// package is on the right of exactly one rule, and on the left only below that,
// so that the rules are in the order of the layers and cannot hold a cycle.
// NONE is no package. A name may end in "/*" (what is directly below) or "/**"
// (that and everything below), "*" is every package defined so far, and "!a"
// takes a out again. The comment above a rule is the reason that a failure gives.
const depsRules = `
	# The words that all share are types over the standard library.
	NONE < internal/fact;

	# What can be done about an error, and what it exits with, is said in one way.
	NONE < internal/fault;
	# How the go command reads its flags is known in one place, to all who write or judge them.
	NONE < internal/goflags;

	# What must not be shown is known in one place, below everything that makes a message.
	internal/fault < internal/secret;

	# How a template is evaluated is known in one place, whatever its fields and functions are.
	NONE < internal/template;

	# Profiles are data: what to build, and nothing about how. A key pasted into one is not quoted.
	internal/goflags, internal/fact, internal/fault, internal/secret, internal/template < profiles;

	# What has one spelling only is read in one way only: by who writes it, and by who checks it.
	NONE < internal/exact;

	# How a file is opened, written and removed without harm is said once, for everybody.
	internal/fault < internal/files;

	# Who checks a release must not have to trust the code that built it. What a unit
	# publishes is a word of both. How a file is opened says nothing of what is in it,
	# and a pipe in the place of a key must stop nobody; that a key is not printed,
	# and how a hint is carried, is nobody's verdict.
	internal/exact, internal/fact, internal/fault, internal/files, internal/secret < checksums;

	# A hint that holds a command line is followed in a shell.
	NONE < internal/shell;

	# Texts and numbers only.
	NONE < internal/stats, internal/childenv;

	# The terminal is the second wall in front of a secret.
	internal/fault, internal/secret < internal/ui;

	# Readers, estimators and tools of their own; useful without the rest.
	internal/fault, internal/files < internal/gobin, internal/pgo, internal/filelock, internal/memo, internal/patch;

	# Which machine this is, its system is asked in one place.
	internal/fact, internal/files < internal/host;

	# Which formats of archives there are is a word that profiles use too.
	internal/fault, internal/files, internal/fact < builds/archive;

	# A universal binary is put together of files, whoever made them.
	internal/files < builds/universal;

	# The cache directory is a stranger's file, whoever uses it.
	internal/fact, internal/fault, internal/files, internal/filelock, internal/shell < internal/workspace;

	# The output directory is made, claimed and cleared as the cache directory is; what a release in it is made of, its formats say.
	internal/fact, internal/workspace, internal/fault, internal/files, internal/filelock, internal/shell, checksums < internal/output;

	# What holds a command is the system's matter; who runs one says what it may.
	internal/fact < internal/confine;

	# Tests take away what confines, and see what is said.
	NONE < internal/confine/forbid;

	# UPX is given strangers' files: it is run within limits.
	internal/confine, internal/fault, internal/files < internal/upx;

	# Where an instruction ends is known in one place.
	NONE < internal/x86;

	# A comparison of binaries needs to read them, and the flags that they record; not to know where they come from.
	internal/fact, internal/fault, internal/gobin, internal/files, internal/x86, internal/goflags < internal/bindiff;

	# What takes how much of a binary is read in it alone.
	internal/fact, internal/fault, internal/gobin, internal/files, internal/x86 < internal/sizes;

	# A benchmark runs files; it does not know who built them. How a binary begins is known
	# in one place. What a number of starts
	# proves is said in the same words wherever it is read.
	internal/stats, internal/files, internal/fact, internal/fault, internal/gobin < internal/startup;

	# What package managers are told follows from the profile file, the plan and the digests; a package of npm holds what archives hold.
	profiles, builds/archive, internal/fact, internal/fault, internal/files, internal/template < internal/channels;

	# An image is made of what the units publish, by its digest in the manifest, and is held against that.
	profiles, checksums, builds/archive, internal/channels, internal/fact, internal/fault, internal/files < internal/images;

	# What another tool's configuration says is written as a profile file; nothing of it is run.
	profiles, internal/channels, internal/fact, internal/fault, internal/files, internal/template < internal/importer;

	# The only place that runs the go command gets its settings as data.
	profiles, internal/childenv, internal/filelock, internal/memo, internal/confine, internal/fact, internal/fault, internal/files, internal/patch, internal/secret, internal/shell < builds/toolchain;

	# What a repository needs is read off its files: no command is run to find it,
	# and of toolchains it takes which versions there are.
	profiles, builds/toolchain, internal/importer, internal/fault, internal/files, internal/shell < internal/scaffold;

	# A program of somebody else's is built as everything is, from files with a pinned hash, and kept as a stranger's file.
	builds/toolchain, internal/confine, internal/fault, internal/filelock, internal/files, internal/memo < builds/tool;

	# Registries are spoken to by a program of somebody else's; what it gives is held against the manifest.
	checksums, builds/tool, builds/toolchain, internal/images, internal/fact, internal/fault, internal/files < internal/registry;

	# The only place that runs git lets nothing else of it run; it starts processes as the go command is started.
	builds/toolchain, internal/childenv, internal/confine, internal/files, internal/secret < builds/git;

	# What somebody says of a source is stamped by a program in git's place.
	builds/toolchain, internal/files < builds/stamp;

	# A checkout needs git and the go command, and no profile.
	internal/fact, builds/toolchain, builds/git, builds/stamp, internal/fault, internal/memo, internal/files, internal/secret, internal/shell < builds/source;

	# What the go command says of a build is in files whose format is its own.
	internal/files, internal/exact < builds/actions;

	# The ledger knows cmd/go's cache and shares its files with other processes.
	builds/actions, internal/fact, internal/fault, internal/filelock, internal/files, internal/exact < builds/ledger;

	# What will be built is known before anything is: nothing here compiles. The optimiser's profiles are read, and the go command's list of packages is remembered.
	profiles, builds/toolchain, builds/source, builds/archive, builds/universal, builds/actions, internal/fact, internal/fault, internal/memo, internal/pgo, internal/goflags, internal/confine, internal/files, internal/secret, internal/shell < builds/plan;

	# What runs when depends on numbers alone.
	internal/files < builds/schedule;

	# What commands make is taken from a copy of the source and packed; which commands, the plan says. What they need is fetched.
	profiles, builds/plan, builds/toolchain, builds/archive, internal/fact, internal/fault, internal/files < builds/generate;

	# An execution does not know that there are others. It keeps the go command's account of its actions, and links as that does.
	builds/plan, builds/schedule, builds/toolchain, builds/source, builds/actions, internal/goflags, internal/fact, internal/fault, internal/memo, internal/files, internal/host, internal/confine < builds/execute;

	# What an execution gave travels, and says of itself where and what it was.
	builds/plan, builds/schedule, builds/execute, builds/actions, internal/exact, internal/fact, internal/files < builds/execute/parcel;

	# A worker builds as every place does, from what it is sent: hostile until it is checked.
	builds/plan, builds/schedule, builds/execute, builds/execute/parcel, builds/source, builds/stamp, builds/toolchain, internal/confine, internal/exact, internal/fact, internal/fault, internal/filelock, internal/files, internal/host, internal/memo, internal/childenv < builds/execute/worker;

	# Whoever asks a worker believes nothing of the answer that its receipt does not show.
	builds/plan, builds/execute, builds/execute/parcel, builds/execute/worker, internal/confine, internal/fact, internal/files < builds/execute/remote;

	# What reaches another machine is the user's ssh or container engine, started as go is.
	builds/toolchain, builds/execute/remote, internal/confine, internal/fault, internal/files, internal/shell < builds/execute/carry;

	# The second place uses the first one's parts; a comparison says where two executions differ.
	builds/execute, builds/plan, builds/toolchain, builds/actions, internal/bindiff, internal/fact < builds/compare;

	# What others publish is read, unpacked, searched for settings and built; what was found is written as a profile.
	profiles, builds/plan, builds/schedule, builds/execute, builds/compare, builds/actions, builds/toolchain, builds/source, builds/archive, builds/git, builds/stamp, builds/universal, internal/bindiff, internal/gobin, internal/sizes, internal/goflags, internal/confine, internal/fact, internal/fault, internal/files, internal/patch, internal/secret < builds/recovery;

	# The map of the rooms below it.
	NONE < builds;

	# A small module for the tests of the rooms that plan and build.
	internal/fact, builds/source, builds/toolchain, internal/pgo < builds/buildstest;

	# A comparison of anything descends to binaries, and reads archives and manifests on the way.
	internal/fact, internal/bindiff, internal/fault, internal/files, internal/gobin, builds/archive, checksums < internal/diff;

	# What leaves with a dependency is found in a program's packages and in what its binaries are made of; who builds them is not known here.
	internal/fault, internal/files, internal/sizes < internal/retained;

	# A report holds results and draws them; it neither builds nor measures, but
	# knows the results of those who do, and says sizes as the terminal does.
	profiles, checksums, builds/plan, builds/compare, builds/actions, internal/fact, internal/retained, internal/sizes, internal/startup, internal/stats, internal/shell, internal/ui < internal/report;

	# A bill of materials says what the manifest and the figures of its files say, in the words of others.
	checksums, internal/fact, internal/sizes < internal/sbom;

	# A run has a private directory, and what earlier ones found out; of what is done in it it knows the names of tasks, to say how far they are.
	builds/schedule, checksums, internal/confine, internal/fact, internal/fault, internal/filelock, internal/memo, internal/workspace < internal/run;

	# Up to the plan nothing is built but what commands generate, and programs of others that are fetched: a place is made to fetch in, and what is asked of UPX is whether it packs what is planned.
	profiles, checksums, builds/actions, builds/execute, builds/generate, builds/git, builds/plan, builds/source, builds/tool, builds/toolchain, internal/run, internal/fact, internal/fault, internal/files, internal/output, internal/shell, internal/upx, internal/workspace < internal/fetch;

	# What is published was verified by whoever asks for it, and how it was built is not known here:
	# a forge gets files and digests. The one child is rsync, started as go is, and no token reaches it.
	checksums, builds/toolchain, internal/confine, internal/fact, internal/fault, internal/files, internal/secret, internal/shell < internal/publish;

	# What is wrong with a plan is found before anything is built, so that nothing here can build.
	profiles, checksums, builds/plan, builds/recovery, builds/source, builds/archive, internal/channels, internal/images, internal/publish, internal/run, internal/fetch, internal/fact, internal/fault, internal/files, internal/memo, internal/output, internal/pgo, internal/secret, internal/shell, internal/upx < internal/lint;

	# The spine is the one place that knows every stage. It has no door and no terminal.
	*, !internal/ui < internal/release;

	# Whoever checks what others have published builds as a release does.
	*, !internal/ui, !internal/sizes < internal/verify;

	# Variants are built as releases are, and are measured.
	profiles, builds/*, internal/run, internal/fetch, internal/lint, internal/release, internal/report, internal/retained, internal/files, internal/fault, internal/fact, internal/gobin, internal/sizes, internal/startup, internal/upx, internal/workspace < internal/measure;

	# What both doors share: verbs, flags, and how results are shown.
	internal/run, internal/workspace, internal/lint, internal/release, internal/verify, internal/measure, internal/publish, internal/registry, internal/report, internal/diff, internal/importer, internal/scaffold, internal/fact, internal/fault, internal/pgo, internal/sizes, internal/startup, internal/stats, internal/ui, internal/childenv, profiles, checksums, internal/files, internal/secret, internal/shell < internal/cli;

	# The doors are thin: flags in, exit codes out.
	internal/cli < targets, cmd/mintmark;

	# A model of machines runs the very scheduler that real ones run.
	builds/schedule < tools/benchmark/simulate;

	# Forged releases are for tests, which may import what they like.
	builds/plan, builds/archive, builds/universal, checksums, internal/fact, internal/files < internal/forgery;
	# Hostile inputs for all of it, a real UPX, small binaries of no toolchain, and forges: tests only.
	NONE < internal/attack, internal/upx/upxtest, internal/gobin/gobintest, internal/publish/publishtest;

	# The benchmark measures the built tool from outside, as it measures the others.
	tools/benchmark/simulate, internal/files < tools/benchmark;

	# The Mage door is written by a program that reads the table of verbs.
	internal/cli < tools/maketargets;

	# The page of rebuilt binaries reads what the verb prints as JSON.
	internal/verify, internal/fact, internal/files, builds/recovery < tools/rebuilds;

	# What leaves with a module by measurement is held against programs that were rewritten without it.
	internal/run, internal/measure, internal/report, internal/retained < tools/retained;

	# The page of imported configurations is made by the importer, and asks check.
	profiles, internal/importer, internal/lint, internal/run < tools/imports;

	# The check of this repository for other systems knows nothing of it.
	NONE < tools/vet;

	# This repository's own targets, beside those that everybody gets.
	targets < magefile.go;
`

// moduleRules is who may import which modules of others: "a < b" means that b
// may import the packages of module a, any major version. A module that is not
// here may not be imported at all.
const moduleRules = `
	# YAML is how profiles are written, and the release configuration of others.
	go.yaml.in/yaml < profiles, builds/recovery, internal/importer;

	# Compressors belong to archives, whose bytes depend on them.
	github.com/klauspost/compress, github.com/ulikunitz/xz < builds/archive;

	# Concurrency belongs to the rooms that build and to the pipeline.
	golang.org/x/sync < builds/**, internal/release;

	# Signatures are checked where they are made.
	github.com/sigstore/protobuf-specs, github.com/sigstore/sigstore,
	github.com/secure-systems-lab/go-securesystemslib < checksums;

	# A bundle is JSON made by the message's own rules; of a CPU profile the fields are read one by one.
	google.golang.org/protobuf < checksums, internal/pgo;

	# Mage is one of two doors; without a magefile mintmark works all the same.
	github.com/magefile/mage < targets, magefile.go;

	# Module versions and hashes are about sources, toolchains and our own version; a go.mod names emptied modules.
	golang.org/x/mod < builds/**, internal/lint, internal/cli, internal/retained, internal/scaffold;

	# One package alone knows what a terminal is.
	golang.org/x/term < internal/ui;

	# The operating system is met where processes, files and terminals are.
	golang.org/x/sys < internal/ui, builds/**, internal/host, internal/confine, internal/confine/forbid, internal/upx, internal/startup, internal/filelock, internal/cli;

	# The analyzers of go vet are for this repository's own check.
	golang.org/x/tools < tools/vet;

	# Which rights a kernel can take away is known in one place.
	github.com/landlock-lsm/go-landlock < internal/confine;
`

// stdRules limits what of the standard library is used where: "a < b" means
// that a is for b alone, and "a !< b" that it is for all but b. A name with a
// dot in its last part is a function or variable, and may end in "*"; one
// without is a package.
const stdRules = `
	# Processes are started where their environment is written down, so that none inherits the user's:
	# go, git and plugins of key stores get what internal/childenv lets through.
	os/exec, os.StartProcess, syscall.Exec, syscall.ForkExec, syscall.StartProcess
	< builds/toolchain, checksums, internal/confine, internal/upx, internal/startup, tools/benchmark, tools/rebuilds, tools/retained, tools/imports, internal/upx/upxtest, builds/buildstest;

	# What the environment says must come in through a door, or a build could depend on it unseen.
	os.Getenv, os.LookupEnv, os.Environ, os.ExpandEnv, os.Setenv, os.Unsetenv, os.Clearenv,
	os.UserHomeDir, os.UserCacheDir, os.UserConfigDir, syscall.Getenv, syscall.Environ
	< targets, cmd/mintmark, internal/ui, internal/cli, tools/benchmark, tools/rebuilds, tools/retained, tools/imports, tools/vet, internal/upx/upxtest, magefile.go;

	# Libraries return data and errors; only a door prints, asks or ends the process.
	fmt.Print*, fmt.Scan*, os.Stdin, os.Stdout, os.Stderr, os.Exit, syscall.Exit, log, log/slog
	< targets, cmd/mintmark, internal/ui, internal/cli, tools/benchmark, tools/rebuilds, tools/retained, tools/imports, tools/maketargets, tools/vet, magefile.go;

	# What a user or a stranger names may be a pipe, a device or a link, and so may
	# anything in the cache directory: internal/files opens what is a regular file,
	# writes the whole or nothing, and follows no link where none should be. The
	# benchmark, the page of rebuilt binaries, the maker of targets, forged releases and
	# the UPX of tests read and write what they made themselves.
	os.Open, os.ReadFile, os.WriteFile, os.Create, os.Truncate, syscall.Open, io/ioutil,
	archive/zip.OpenReader, debug/elf.Open, debug/pe.Open, debug/macho.Open, debug/macho.OpenFat, debug/plan9obj.Open, debug/buildinfo.ReadFile
	< internal/files, internal/forgery, tools/benchmark, tools/benchmark/simulate, tools/rebuilds, tools/retained, tools/imports, tools/maketargets, internal/upx/upxtest, builds/buildstest;

	# The same; internal/startup gives programs the null device to read and write, and
	# internal/confine writes to files of the kernel's.
	os.OpenFile < internal/files, tools/benchmark, tools/rebuilds, internal/startup, internal/confine;

	# Whoever removes a tree says that he made it: see internal/files.RemoveTree.
	os.RemoveAll < internal/files, tools/benchmark, tools/rebuilds, tools/retained, tools/imports, internal/upx/upxtest, builds/buildstest;

	# A program that calls methods by names which it reads keeps all exported methods of
	# all its types: with a template in it, mintmark is a tenth larger.
	text/template, html/template !< targets, cmd/mintmark, profiles, builds/**, checksums, internal/**;

	# What these make must be the same tomorrow: time comes from the commit.
	time.Now, time.Since, time.Until !< profiles, builds/**, checksums;
`

const (
	modulePath = "github.com/mintmark/mintmark"
	rootName   = "magefile.go" // what rules call the package at the root
)

func TestDependencies(t *testing.T) {
	policy, err := newPolicy(depsRules, moduleRules, stdRules)
	if err != nil {
		t.Fatal(err)
	}
	violations, err := policy.check(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		t.Error(v)
	}
}

// rule is one statement, as written and as read.
type rule struct {
	left, right []string
	not         bool // !<
	text, why   string
}

func (r *rule) String() string { return fmt.Sprintf("%s\n\twhy: %s", r.text, r.why) }

// parseRules reads "# why", then "a, b < c, d;" or "a, b !< c, d;".
func parseRules(text string) ([]*rule, error) {
	var rules []*rule
	var why, statement []string
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if reason, ok := strings.CutPrefix(line, "#"); ok {
			if len(statement) > 0 {
				return nil, fmt.Errorf("line %d: comment within a rule", n+1)
			}
			why = append(why, strings.TrimSpace(reason))
			continue
		}
		if line == "" {
			continue
		}
		statement = append(statement, line)
		body, ends := strings.CutSuffix(line, ";")
		if strings.Contains(body, ";") {
			return nil, fmt.Errorf("line %d: more than one rule in a line", n+1)
		}
		if !ends {
			continue
		}
		r := &rule{text: strings.TrimSuffix(strings.Join(statement, " "), ";"), why: strings.Join(why, " ")}
		left, right, ok := strings.Cut(r.text, "<")
		if left, r.not = strings.CutSuffix(left, "!"); !ok || strings.Contains(right, "<") {
			return nil, fmt.Errorf("line %d: want one < in %q", n+1, r.text)
		}
		for side, to := range map[string]*[]string{left: &r.left, right: &r.right} {
			for name := range strings.SplitSeq(side, ",") {
				name = strings.TrimSpace(name)
				if name == "" || strings.ContainsAny(name, " \t") {
					return nil, fmt.Errorf("line %d: bad name %q in %q", n+1, name, r.text)
				}
				*to = append(*to, name)
			}
		}
		if r.why == "" {
			return nil, fmt.Errorf("line %d: %q gives no reason", n+1, r.text)
		}
		rules = append(rules, r)
		why, statement = nil, nil
	}
	if len(statement) > 0 {
		return nil, fmt.Errorf("the last rule does not end: %q", strings.Join(statement, " "))
	}
	return rules, nil
}

// policy is the three kinds of rules, by what they are about.
type policy struct {
	packages map[string]*rule           // our package → the rule that defines it
	allowed  map[string]map[string]bool // our package → our packages that it may import
	modules  map[string]*limit          // module → who may import it
	std      map[string]*limit          // package, or package.name → who may use it
}

// limit is a rule with its right side resolved to packages.
type limit struct {
	*rule
	users map[string]bool
}

func (l *limit) allows(pkg string) bool { return l.users[pkg] != l.not }

func newPolicy(deps, modules, std string) (*policy, error) {
	p := &policy{map[string]*rule{}, map[string]map[string]bool{}, map[string]*limit{}, map[string]*limit{}}
	rules, err := parseRules(deps)
	if err != nil {
		return nil, fmt.Errorf("rules for our packages: %w", err)
	}
	for _, r := range rules {
		if r.not {
			return nil, fmt.Errorf("%q: !< has no meaning here", r.text)
		}
		allowed, err := p.resolve(r.left)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", r.text, err)
		}
		for _, pkg := range r.right {
			if p.packages[pkg] != nil || strings.ContainsAny(pkg, "*!") {
				return nil, fmt.Errorf("%q: %s is a pattern or defined before", r.text, pkg)
			}
			p.packages[pkg], p.allowed[pkg] = r, allowed
		}
	}
	for text, to := range map[string]map[string]*limit{modules: p.modules, std: p.std} {
		rules, err := parseRules(text)
		if err != nil {
			return nil, fmt.Errorf("rules for packages of others: %w", err)
		}
		for _, r := range rules {
			users, err := p.resolve(r.right)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", r.text, err)
			}
			for _, name := range r.left {
				if to[name] != nil {
					return nil, fmt.Errorf("%q: there is a rule for %s already", r.text, name)
				}
				to[name] = &limit{r, users}
			}
		}
	}
	return p, nil
}

// resolve expands a list of names and patterns to packages defined so far.
func (p *policy) resolve(names []string) (map[string]bool, error) {
	set := map[string]bool{}
	for _, name := range names {
		if name == "NONE" {
			continue
		}
		name, out := strings.CutPrefix(name, "!")
		hits := 0
		for pkg := range p.packages {
			dir, all := strings.CutSuffix(name, "/**")
			match := pkg == name || name == "*" || all && (pkg == dir || strings.HasPrefix(pkg, dir+"/"))
			if dir, ok := strings.CutSuffix(name, "/*"); ok {
				match = path.Dir(pkg) == dir
			}
			if match {
				hits++
				if out {
					delete(set, pkg)
				} else {
					set[pkg] = true
				}
			}
		}
		if hits == 0 {
			return nil, fmt.Errorf("%s is not defined above", name)
		}
	}
	return set, nil
}

// check reads every Go file of a module that is not a test, whatever its build
// constraints, and returns what breaks the policy. As for the go command,
// testdata, vendor, nested modules and names that begin with "." or "_" are no
// part of the module.
func (p *policy) check(tree fs.FS) (violations []string, err error) {
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		skip := name != "." && (base[0] == '.' || base[0] == '_')
		if d.IsDir() {
			if name != "." {
				_, nested := fs.Stat(tree, name+"/go.mod")
				skip = skip || nested == nil || base == "testdata" || base == "vendor"
			}
			if skip {
				return fs.SkipDir
			}
			return nil
		}
		if skip || path.Ext(base) != ".go" || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		violations = append(violations, p.checkFile(name, source)...)
		return nil
	})
	return violations, err
}

func (p *policy) checkFile(name string, source []byte) (violations []string) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, 0) // not ImportsOnly: uses are checked too
	if err != nil {
		return []string{fmt.Sprintf("%s: cannot be read, so it cannot be checked: %v", name, err)}
	}
	pkg := path.Dir(name)
	if pkg == "." {
		pkg = rootName
	}
	complain := func(pos token.Pos, format string, args ...any) {
		at := fset.Position(pos)
		violations = append(violations, fmt.Sprintf("%s:%d: %s", at.Filename, at.Line, fmt.Sprintf(format, args...)))
	}
	if p.packages[pkg] == nil {
		complain(file.Package, "package %s is not in the policy\n\twhy: every package has its place in depsRules of deps_test.go", pkg)
		return violations
	}

	names := map[string]string{} // what the file calls a standard package that has limits → its path
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			complain(spec.Pos(), "bad import %s", spec.Path.Value)
			continue
		}
		switch ours, isOurs := strings.CutPrefix(imported+"/", modulePath+"/"); {
		case isOurs:
			ours = strings.TrimSuffix(ours, "/")
			if ours == "" {
				ours = rootName
			}
			if !p.allowed[pkg][ours] {
				complain(spec.Pos(), "%s may not import %s\n\trule: %s", pkg, ours, p.packages[pkg])
			}
		case strings.Contains(strings.Split(imported, "/")[0], "."):
			module := p.module(imported)
			if module == nil {
				complain(spec.Pos(), "%s may not import %s\n\trule: no rule names its module\n\twhy: modules of others are imported only where moduleRules of deps_test.go says so", pkg, imported)
			} else if !module.allows(pkg) {
				complain(spec.Pos(), "%s may not import %s\n\trule: %s", pkg, imported, module)
			}
		default:
			if l := p.std[imported]; l != nil && !l.allows(pkg) {
				complain(spec.Pos(), "%s may not import %s\n\trule: %s", pkg, imported, l)
			}
			limited := p.limited(imported, pkg)
			if limited == nil {
				continue
			}
			local := path.Base(imported)
			if spec.Name != nil {
				local = spec.Name.Name
			}
			if local == "." {
				complain(spec.Pos(), "%s may not import all names of %s\n\trule: %s", pkg, imported, limited)
			}
			names[local] = imported
		}
	}

	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		// An identifier that the parser has resolved is a variable, not an import.
		x, ok := selector.X.(*ast.Ident)
		if !ok || x.Obj != nil || names[x.Name] == "" {
			return true
		}
		full := names[x.Name] + "." + selector.Sel.Name
		if l := p.symbol(full); l != nil && !l.allows(pkg) {
			complain(selector.Pos(), "%s may not use %s\n\trule: %s", pkg, full, l)
		}
		return true
	})
	return violations
}

// module finds the rule of the module that a package belongs to.
func (p *policy) module(imported string) *limit {
	for dir := imported; dir != "."; dir = path.Dir(dir) {
		if l := p.modules[dir]; l != nil {
			return l
		}
	}
	return nil
}

// symbol finds the rule for a function or variable of the standard library.
func (p *policy) symbol(full string) *limit {
	for _, name := range slices.Sorted(maps.Keys(p.std)) {
		prefix, wild := strings.CutSuffix(name, "*")
		if name == full || wild && strings.HasPrefix(full, prefix) {
			return p.std[name]
		}
	}
	return nil
}

// limited finds a rule that keeps a name of a standard package from pkg.
func (p *policy) limited(imported, pkg string) *limit {
	for _, name := range slices.Sorted(maps.Keys(p.std)) {
		if strings.HasPrefix(name, imported+".") && !p.std[name].allows(pkg) {
			return p.std[name]
		}
	}
	return nil
}

// TestDependenciesFail breaks each kind of rule and sees the checker complain.
func TestDependenciesFail(t *testing.T) {
	policy, err := newPolicy(depsRules, moduleRules, stdRules)
	if err != nil {
		t.Fatal(err)
	}
	ours := func(pkg string) string { return "package p\nimport _ \"" + modulePath + "/" + pkg + "\"\n" }
	for _, tt := range []struct {
		file, source string
		want         string // the beginning of the one violation, or "" for none
	}{
		{"builds/plan/plan.go", ours("profiles"), ""},
		{"builds/plan/plan.go", ours("internal/ui"), "builds/plan/plan.go:2: builds/plan may not import internal/ui\n\trule: profiles, builds/toolchain, builds/source, builds/archive, builds/universal, builds/actions, internal/fact, internal/fault, internal/memo, internal/pgo, internal/goflags, internal/confine, internal/files, internal/secret, internal/shell < builds/plan\n\twhy: What will be built"},
		{"builds/plan/plan.go", ours("builds/compare"), "builds/plan/plan.go:2: builds/plan may not import builds/compare"},
		{"builds/plan/plan.go", ours("nowhere"), "builds/plan/plan.go:2: builds/plan may not import nowhere"},
		{"builds/source/a.go", ours("profiles"), "builds/source/a.go:2: builds/source may not import profiles"}, // although builds/toolchain may
		{"builds/compare/a.go", ours("builds/actions"), ""},
		{"builds/compare/a.go", ours("builds/plan"), ""},
		{"builds/compare/a.go", ours("internal/sizes"), "builds/compare/a.go:2: builds/compare may not"},
		{"profiles/a.go", ours("checksums"), "profiles/a.go:2: profiles may not import checksums\n\trule: internal/goflags, internal/fact, internal/fault, internal/secret, internal/template < profiles"},
		{"checksums/a.go", ours("builds/plan"), "checksums/a.go:2: checksums may not"},
		{"internal/release/a.go", ours("internal/startup"), ""},
		{"internal/release/a.go", ours("internal/report"), ""},
		{"internal/release/a.go", ours("internal/ui"), "internal/release/a.go:2: internal/release may not"},
		{"internal/release/a.go", ours("internal/cli"), "internal/release/a.go:2: internal/release may not"},
		{"targets/a.go", ours("internal/release"), "targets/a.go:2: targets may not"},
		{"magefile.go", ours("targets"), ""},
		{"magefile.go", ours("internal/cli"), "magefile.go:2: magefile.go may not"},
		{"profiles/a.go", "package p\nimport _ \"" + modulePath + "\"\n", "profiles/a.go:2: profiles may not import magefile.go"},
		{"profiles/a.go", "package p\nimport _ \"" + modulePath + "er/x\"\n", "profiles/a.go:2: profiles may not import github.com/mintmark/mintmarker/x\n\trule: no rule"},

		{"internal/new/a.go", "package p\n", "internal/new/a.go:1: package internal/new is not in the policy"},
		{"internal/new/a_test.go", ours("internal/cli"), ""},
		{"internal/ui/testdata/a.go", ours("internal/cli"), ""},
		{"internal/ui/_old/a.go", ours("internal/cli"), ""},
		{"internal/ui/_a.go", ours("internal/cli"), ""},
		{"nested/x/a.go", ours("internal/cli"), ""}, // nested/go.mod exists
		{"internal/ui/a.txt", "not Go", ""},
		{"internal/ui/a.go", "pack", "internal/ui/a.go: cannot be read"},
		{"internal/ui/a_plan9.go", "//go:build ignore\n\n" + ours("internal/cli"), "internal/ui/a_plan9.go:4: internal/ui may not"},

		{"profiles/a.go", `package p; import "go.yaml.in/yaml/v4"`, ""},
		{"builds/plan/a.go", `package p; import "go.yaml.in/yaml/v4"`, "builds/plan/a.go:1: builds/plan may not import go.yaml.in/yaml/v4\n\trule: go.yaml.in/yaml < profiles, builds/recovery, internal/importer\n\twhy: YAML"},
		{"builds/plan/a.go", `package p; import "golang.org/x/mod/semver"`, ""},
		{"builds/source/a.go", `package p; import "golang.org/x/mod/semver"`, ""},
		{"internal/report/a.go", `package p; import "golang.org/x/mod/semver"`, "internal/report/a.go:1: internal/report may not"},
		{"builds/plan/a.go", `package p; import "golang.org/x/text/width"`, "builds/plan/a.go:1: builds/plan may not import golang.org/x/text/width\n\trule: no rule names its module"},
		{"magefile.go", `package main; import "github.com/magefile/mage/mg"`, ""},

		{"builds/toolchain/a.go", `package p; import "os/exec"`, ""},
		{"builds/plan/a.go", `package p; import "os/exec"`, "builds/plan/a.go:1: builds/plan may not import os/exec\n\trule: os/exec, os.StartProcess"},
		{"internal/cli/a.go", `package p; import x "os/exec"`, "internal/cli/a.go:1: internal/cli may not import os/exec"},
		{"builds/plan/a.go", "package p\nimport \"os\"\nvar _, _ = os.Stat(os.DevNull)\n", ""},
		{"builds/plan/a.go", "package p\nimport \"os\"\n\nvar get = os.Getenv\n", "builds/plan/a.go:4: builds/plan may not use os.Getenv\n\trule: os.Getenv, os.LookupEnv"},
		{"builds/plan/a.go", "package p\nimport sys \"os\"\nfunc f() { sys.Exit(1) }\n", "builds/plan/a.go:3: builds/plan may not use os.Exit"},
		{"builds/plan/a.go", "package p\nimport . \"os\"\n", "builds/plan/a.go:2: builds/plan may not import all names of os"},
		{"builds/plan/a.go", "package p\nimport \"os\"\nfunc f(os struct{ Stdout int }) int { return os.Stdout }\nvar _ = os.Stat\n", ""},
		{"internal/cli/a.go", "package p\nimport \"os\"\nvar _ = os.ReadFile\n", "internal/cli/a.go:3: internal/cli may not use os.ReadFile"},
		{"builds/plan/a.go", "package p\nimport \"os\"\nvar _ = os.OpenFile\n", "builds/plan/a.go:3: builds/plan may not use os.OpenFile"},
		{"internal/startup/a.go", "package p\nimport \"os\"\nvar _ = os.OpenFile\n", ""},
		{"internal/files/a.go", "package p\nimport \"os\"\nvar _ = os.RemoveAll\n", ""},
		{"builds/plan/a.go", "package p\nvar os struct{ Stdout int }\nvar _ = os.Stdout\n", ""},
		{"builds/plan/a.go", "package p\nimport \"fmt\"\nvar _ = fmt.Sprintf(\"\")\n", ""},
		{"builds/plan/a.go", "package p\nimport \"fmt\"\nfunc f() { fmt.Println() }\n", "builds/plan/a.go:3: builds/plan may not use fmt.Println\n\trule: fmt.Print*"},
		{"internal/cli/a.go", "package p\nimport \"fmt\"\nfunc f() { fmt.Println() }\n", ""},
		{"internal/release/a.go", "package p\nimport \"log\"\n", "internal/release/a.go:2: internal/release may not import log"},
		{"builds/actions/a.go", "package p\nimport \"time\"\nvar now = time.Now\n", "builds/actions/a.go:3: builds/actions may not use time.Now\n\trule: time.Now, time.Since, time.Until !< profiles, builds/**, checksums\n\twhy: What these make"},
		{"builds/plan/a.go", "package p\nimport \"time\"\nvar _ = time.Second\n", ""},
		{"internal/release/a.go", "package p\nimport \"time\"\nvar _ = time.Now()\n", ""},
	} {
		tree := fstest.MapFS{
			tt.file:         {Data: []byte(tt.source)},
			"go.mod":        {Data: []byte("module " + modulePath)},
			"nested/go.mod": {Data: []byte("module nested")},
		}
		got, err := policy.check(tree)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case tt.want == "" && len(got) == 0:
		case tt.want != "" && len(got) == 1 && strings.HasPrefix(got[0], tt.want):
		default:
			t.Errorf("%s:\n%s\ngot %q\nwant %q", tt.file, tt.source, got, tt.want)
		}
	}
}

// TestRules breaks the rules themselves.
func TestRules(t *testing.T) {
	const deps, modules, std = "# why\nNONE < a, a/b;", "# why\nm.org/x < a;", "# why\nos.Exit < a/**;"
	if _, err := newPolicy(deps, modules, std); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ deps, modules, std, want string }{
		{"NONE < a;", modules, std, "gives no reason"},
		{"# why\nNONE < a", modules, std, "does not end"},
		{"# why\nNONE a;", modules, std, "want one <"},
		{"# why\nNONE < a < b;", modules, std, "want one <"},
		{"# why\nNONE < a; a < b;", modules, std, "more than one rule"},
		{"# why\nNONE < a b;", modules, std, "bad name"},
		{"# why\nNONE < a,;", modules, std, "bad name"},
		{"# why\nNONE <\n# so\na;", modules, std, "comment within"},
		{"# why\nNONE < a, a;", modules, std, "defined before"},
		{"# why\nNONE < a/*;", modules, std, "is a pattern"},
		{"# why\nb < a;\n# why\na < b;", modules, std, "b is not defined above"},
		{"# why\na < a;", modules, std, "a is not defined above"},
		{"# why\nNONE !< a;", modules, std, "no meaning"},
		{deps, "# why\nm.org/x < c;", std, "c is not defined"},
		{deps, "# why\nm.org/x, m.org/x < a;", std, "already"},
		{deps, modules, "# why\nos.Exit < c/**;", "c/** is not defined"},
	} {
		if _, err := newPolicy(tt.deps, tt.modules, tt.std); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q, %q, %q: got %v, want %q", tt.deps, tt.modules, tt.std, err, tt.want)
		}
	}
}
