// Package targets are mintmark's Mage targets. A magefile imports it:
//
//	//go:build mage
//
//	package main
//
//	import (
//		//mage:import
//		_ "github.com/mintmark/mintmark/targets"
//	)
//
// Flags are written -name=value after the target's name. Each target is the
// verb of the same name of cmd/mintmark; neither does anything itself.
//
// A target must call the door, not another target: Mage cannot pass flags
// between targets.
package targets

import (
	"context"

	"github.com/magefile/mage/mg"
	"github.com/mintmark/mintmark/internal/cli"
)

// Release builds everything twice, compares bit for bit, archives, checksums and signs.
func Release(
	ctx context.Context,
	config *string, // profile file (default: mintmark.yaml in the product's directory, else the built-in profile)
	profile *string, // profiles, separated by commas (default: all that have platforms)
	platform *string, // platforms or patterns, separated by commas, such as linux,windows/amd64
	out *string, // output directory (default: dist in the product's directory)
	jobs *int, // builds at a time (default: the number of processors)
	json *bool, // print the result as one JSON document
	dir *string, // the product's directory in its git checkout (default: the current one)
	module *string, // take the source from the module proxy: PATH@VERSION
	toolchain *string, // exact toolchain, such as go1.26.8
	snapshot *bool, // build the tree as it is, committed or not, ignored by git or not; never signed
	full *bool, // build everything twice from empty caches and use nothing that was proven or checked before
	ledgers *string, // published ledgers of other rebuilders, separated by commas
	report *bool, // write measurements.json, report.html and report.md into the release (default: true)
	against *string, // compare sizes with an earlier release: its directory or measurements.json
	with *string, // show these too: files that bench -json and size -waterfall -json printed
) error {
	return run(ctx, "release", cli.Flags{
		Config: config, Profile: profile, Platform: platform, Out: out, Jobs: jobs, JSON: json, Dir: dir, Module: module, Toolchain: toolchain, Snapshot: snapshot, Full: full, Ledgers: ledgers,
		Report: report, Against: against, With: with,
	})
}

// Build builds everything once, without checking anything.
func Build(
	ctx context.Context,
	config *string, // profile file (default: mintmark.yaml in the product's directory, else the built-in profile)
	profile *string, // profiles, separated by commas (default: all that have platforms)
	platform *string, // platforms or patterns, separated by commas, such as linux,windows/amd64
	out *string, // output directory (default: dist in the product's directory)
	jobs *int, // builds at a time (default: the number of processors)
	json *bool, // print the result as one JSON document
	dir *string, // the product's directory in its git checkout (default: the current one)
	module *string, // take the source from the module proxy: PATH@VERSION
	toolchain *string, // exact toolchain, such as go1.26.8
	snapshot *bool, // build the tree as it is, committed or not, ignored by git or not; never signed
) error {
	return run(ctx, "build", cli.Flags{
		Config: config, Profile: profile, Platform: platform, Out: out, Jobs: jobs, JSON: json, Dir: dir, Module: module, Toolchain: toolchain, Snapshot: snapshot,
	})
}

// Plan prints what would be built, and builds nothing.
func Plan(
	ctx context.Context,
	config *string, // profile file (default: mintmark.yaml in the product's directory, else the built-in profile)
	profile *string, // profiles, separated by commas (default: all that have platforms)
	platform *string, // platforms or patterns, separated by commas, such as linux,windows/amd64
	json *bool, // print the result as one JSON document
	dir *string, // the product's directory in its git checkout (default: the current one)
	module *string, // take the source from the module proxy: PATH@VERSION
	toolchain *string, // exact toolchain, such as go1.26.8
	snapshot *bool, // build the tree as it is, committed or not, ignored by git or not; never signed
	explain *bool, // print every resolved setting with the file and line it came from
) error {
	return run(ctx, "plan", cli.Flags{
		Config: config, Profile: profile, Platform: platform, JSON: json, Dir: dir, Module: module, Toolchain: toolchain, Snapshot: snapshot, Explain: explain,
	})
}

// Check finds what is wrong before building.
func Check(
	ctx context.Context,
	config *string, // profile file (default: mintmark.yaml in the product's directory, else the built-in profile)
	profile *string, // profiles, separated by commas (default: all that have platforms)
	platform *string, // platforms or patterns, separated by commas, such as linux,windows/amd64
	json *bool, // print the result as one JSON document
	dir *string, // the product's directory in its git checkout (default: the current one)
	module *string, // take the source from the module proxy: PATH@VERSION
	toolchain *string, // exact toolchain, such as go1.26.8
	snapshot *bool, // build the tree as it is, committed or not, ignored by git or not; never signed
	types *bool, // type-check the packages of every unit as well, from their sources; nothing is compiled
) error {
	return run(ctx, "check", cli.Flags{
		Config: config, Profile: profile, Platform: platform, JSON: json, Dir: dir, Module: module, Toolchain: toolchain, Snapshot: snapshot, Types: types,
	})
}

// Verify checks a published release: signatures, checksums, files, record.
func Verify(
	ctx context.Context,
	path string, // a release's directory, or its release.json; with -repeat a checkout
	key *string, // public key of the publisher: file, env://NAME or KMS URI
	project *string, // refuse a release of another project
	module *string, // refuse a release of another module
	version *string, // refuse another version
	commit *string, // refuse another commit
	partial *bool, // accept that listed files are missing
	unsigned *bool, // check without a key that the files agree with each other
	rebuild *bool, // build the release again from its recorded source and toolchain, and compare every stage
	proven *bool, // with -rebuild: build twice, and take from this machine's proof ledger what it has proven
	ledgers *string, // with -rebuild: published ledgers of other rebuilders, separated by commas; -config names their keys
	source *string, // with -rebuild: git repository to take the source from
	threshold *int, // how many rebuilders must vouch for every file
	rebuilder *string, // public keys of rebuilders whose statements count, separated by commas
	statements *string, // rebuild statements: files or directories, separated by commas
	repeat *int, // build the checkout until so many builds agree or two differ
	config *string, // with -repeat: profile file; with -ledgers: yours, for its ledger.rebuilders
	profile *string, // with -repeat: profiles, separated by commas
	platform *string, // with -rebuild or -repeat: platforms or patterns, separated by commas
	jobs *int, // with -rebuild or -repeat: builds at a time
	toolchain *string, // with -repeat: exact toolchain
	json *bool, // print the result as one JSON document
) error {
	return run(ctx, "verify", cli.Flags{
		Key: key, Project: project, Module: module, Version: version, Commit: commit, Partial: partial, Unsigned: unsigned, Repeat: repeat,
		Rebuild: rebuild, Proven: proven, Ledgers: ledgers, Source: source, Threshold: threshold, Rebuilder: rebuilder, Statements: statements,
		Config: config, Profile: profile, Platform: platform, Jobs: jobs, Toolchain: toolchain, JSON: json,
	}, path)
}

// Report checks a release and says what it is.
func Report(
	ctx context.Context,
	path string, // a release's directory
	key *string, // public key of the publisher: file, env://NAME or KMS URI
	project *string, // refuse a release of another project
	module *string, // refuse a release of another module
	version *string, // refuse another version
	commit *string, // refuse another commit
	against *string, // compare sizes with an earlier release: its directory or measurements.json
	with *string, // show these too: files that bench -json and size -waterfall -json printed
	out *string, // directory for report.html and report.md
	json *bool, // print the result as one JSON document
) error {
	return run(ctx, "report", cli.Flags{Key: key, Project: project, Module: module, Version: version, Commit: commit, Against: against, With: with, Out: out, JSON: json}, path)
}

// Attest builds a published release again and signs what came out identical.
func Attest(
	ctx context.Context,
	path string, // a release's directory, or its release.json
	key *string, // public key of the publisher: file, env://NAME or KMS URI
	project *string, // refuse a release of another project
	module *string, // refuse a release of another module
	version *string, // refuse another version
	commit *string, // refuse another commit
	platform *string, // platforms or patterns, separated by commas
	source *string, // git repository to take the source from: a directory or an address
	out *string, // file to write, NAME.rebuild.sigstore.json
	jobs *int, // builds at a time (default: the number of processors)
	json *bool, // print the result as one JSON document
) error {
	return run(ctx, "attest", cli.Flags{
		Key: key, Project: project, Module: module, Version: version, Commit: commit, Platform: platform, Source: source, Out: out, Jobs: jobs, JSON: json,
	}, path)
}

// Diff says why two binaries, archives, directories or releases differ.
func Diff(
	ctx context.Context,
	a string, // a file or directory
	b string, // another
	json *bool, // print the result as one JSON document
) error {
	return run(ctx, "diff", cli.Flags{JSON: json}, a, b)
}

// Inspect prints what a binary says of itself, and whether anybody changed it.
func Inspect(
	ctx context.Context,
	file string, // a Go binary
	json *bool, // print the result as one JSON document
) error {
	return run(ctx, "inspect", cli.Flags{JSON: json}, file)
}

// Size says what every byte of a binary is for, or why it grew.
func Size(
	ctx context.Context,
	file string, // a Go binary, or a directory with some
	by *string, // show one list only: package, module, kind, function or file (embedded ones)
	top *int, // rows of a list; 0 is all
	twin *string, // an unstripped link of the same program, for the names of variables
	old *string, // compare with this older binary
	sql *string, // write every range of the file as SQL text
	svg *string, // write a treemap
	waterfall *bool, // file is a checkout: build a profile's variants for one platform and say what each setting saves
	config *string, // with waterfall: profile file (default: mintmark.yaml in the product's directory)
	profile *string, // with waterfall: profiles, separated by commas
	platform *string, // with waterfall: platforms or patterns, separated by commas
	jobs *int, // with waterfall: build actions at a time
	json *bool, // print the result as one JSON document
) error {
	return run(ctx, "size", cli.Flags{By: by, Top: top, Twin: twin, Old: old, SQL: sql, SVG: svg, Waterfall: waterfall, Config: config, Profile: profile, Platform: platform, Jobs: jobs, JSON: json}, file)
}

// Why says why a package is in the program: by which imports and references.
func Why(
	ctx context.Context,
	path string, // an import path, or the end of one
	config *string, // profile file (default: mintmark.yaml in the product's directory, else the built-in profile)
	profile *string, // profiles, separated by commas (default: all that have platforms)
	platform *string, // platforms or patterns, separated by commas, such as linux,windows/amd64
	json *bool, // print the result as one JSON document
	dir *string, // the product's directory in its git checkout (default: the current one)
	toolchain *string, // exact toolchain, such as go1.26.8
	snapshot *bool, // build the tree as it is, committed or not, ignored by git or not
) error {
	return run(ctx, "why", cli.Flags{Config: config, Profile: profile, Platform: platform, JSON: json, Dir: dir, Toolchain: toolchain, Snapshot: snapshot}, path)
}

// Rebuild rebuilds published binaries of anybody and compares bit for bit.
func Rebuild(
	ctx context.Context,
	binaries string, // a binary, an archive with binaries, or a directory of these
	source *string, // take the source from this git repository, directory or URL
	like *string, // settings for binaries that record none: those of this binary
	keep *string, // directory for recovered profiles and rebuilt files that differ
	key *string, // your own private key, to sign what came out identical
	jobs *int, // builds at a time
	json *bool, // print the result as one JSON document
) error {
	return run(ctx, "rebuild", cli.Flags{Source: source, Like: like, Keep: keep, Key: key, Jobs: jobs, JSON: json}, binaries)
}

// Ledger shows, checks and prunes what earlier releases have proven.
func Ledger(
	ctx context.Context,
	prune *int, // forget what no release has used for so many days
	forget *bool, // forget everything
	json *bool, // print the result as one JSON document
) error {
	return run(ctx, "ledger", cli.Flags{Prune: prune, Forget: forget, JSON: json})
}

// Bench compares the start-up and memory of programs.
func Bench(
	ctx context.Context,
	files *string, // programs, separated by commas; the first is the base
	args *string, // arguments of every program, as in a shell
	env *string, // the programs' whole environment, as in a shell
	stdin *string, // file that their standard input comes from (default: empty)
	ready *string, // when they count as started: exit (default), first-byte, stdout:REGEXP, tcp:PORT
	time *string, // how long the rounds may take, warm and cold each (default: 20s)
	within *string, // stop earlier when all ratios are known to so many percent (default: 2)
	cold *bool, // also start with the program out of the page cache (default: true)
	memory *bool, // also read their memory (default: true)
	sweep *bool, // also start them with 0 to 1000 environment variables: packed programs can crash there
	realtime *bool, // run them before everything else on a busy machine (Linux, root)
	seed *int, // order of the rounds (default: another each time)
	samples *string, // write every start to this file, one JSON object per line
	format *string, // table (default), markdown, or gobench for benchstat
	config *string, // without files: profile file (default: mintmark.yaml in the product's directory)
	profile *string, // without files: profiles, separated by commas
	platform *string, // without files: platforms or patterns, separated by commas
	jobs *int, // without files: build actions at a time
	json *bool, // print the result as one JSON document
	dir *string, // without files: the product's directory in its git checkout
	module *string, // without files: take the source from the module proxy: PATH@VERSION
	toolchain *string, // without files: exact toolchain
	snapshot *bool, // without files: build the tree as it is, committed or not
) error {
	return run(ctx, "bench", cli.Flags{
		Files: files, Args: args, Env: env, Stdin: stdin, Ready: ready, Time: time, Within: within, Cold: cold, Memory: memory,
		Sweep: sweep, Realtime: realtime, Seed: seed, Samples: samples, Format: format, JSON: json,
		Config: config, Profile: profile, Platform: platform, Jobs: jobs, Dir: dir, Module: module, Toolchain: toolchain, Snapshot: snapshot,
	})
}

// Pgo merges CPU profiles for the optimiser: pgo merge OUT -in=A,B.
func Pgo(
	ctx context.Context,
	command string,
	out string,
	in *string, // further profiles to merge, separated by commas
	json *bool, // print the result as one JSON document
) error {
	return run(ctx, "pgo", cli.Flags{In: in, JSON: json}, command, out)
}

// Keygen makes a key pair for signing, encrypted with a passphrase.
func Keygen(
	ctx context.Context,
	prefix *string, // where to write PREFIX.key and PREFIX.pub (default: mintmark)
) error {
	return run(ctx, "keygen", cli.Flags{
		Prefix: prefix,
	})
}

// run calls the verb and hands its exit code to Mage. What went wrong has been
// printed by then; Mage prints the code only.
func run(ctx context.Context, verb string, f cli.Flags, args ...string) error {
	ctx, stop := cli.WithParent(ctx)
	defer stop()
	if code := cli.Open().Run(ctx, verb, f, args...); code != 0 {
		return mg.Fatalf(code, "%s failed with exit code %d", verb, code)
	}
	return nil
}
