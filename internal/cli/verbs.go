package cli

import (
	"context"
	"strings"
)

// Verb is one thing mintmark does.
type Verb struct {
	Name string
	// does is what it does, in the mood of an order; with what is in brackets it
	// has a subject: "build[s] everything once".
	does string
	// flags makes what a command line of the verb is read into: a pointer to a
	// struct of its own, as package cli says, with the defaults that are not zero.
	flags func() runner
}

// runner is the flags and arguments of a verb, with what was given; it does the verb.
type runner interface {
	run(ctx context.Context, a *app) error
}

// Verbs are all verbs, in the order of the help text.
func Verbs() []Verb {
	return []Verb{
		{"init", "write[s] a profile file for this repository, or import[s] another tool's configuration", func() runner { return &initFlags{} }},
		{"release", "build[s] everything twice, compare[s], archive[s], checksum[s] and sign[s]", func() runner { return &releaseFlags{Report: true} }},
		{"merge", "make[s] a release of parts that other machines have built: release -shard", func() runner { return &mergeFlags{Report: true} }},
		{"build", "build[s] everything once, without checking anything", func() runner { return &buildFlags{} }},
		{"plan", "print[s] what would be built, and build[s] nothing", func() runner { return &planFlags{} }},
		{"check", "find[s] what is wrong before building", func() runner { return &checkFlags{} }},
		{"verify", "check[s] a published release: signatures, checksums, files, record", func() runner { return &verifyFlags{} }},
		{"publish", "bring[s] a release that verify accepts to a forge, once, when all of it is there", func() runner { return &publishFlags{} }},
		{"report", "check[s] a release and say[s] what it is: verdict, files, sizes, start-up, provenance", func() runner { return &reportFlags{} }},
		{"attest", "build[s] a published release again and sign[s] what came out identical", func() runner { return &attestFlags{} }},
		{"diff", "say[s] why two binaries, archives, directories or releases differ", func() runner { return &diffFlags{} }},
		{"inspect", "print[s] what a binary says of itself, and whether anybody changed it", func() runner { return &inspectFlags{} }},
		{"size", "say[s] what every byte of a binary is for, or why it grew", func() runner { return &sizeFlags{} }},
		{"why", "say[s] why a package is in the program, what to remove until it is gone, and what method look-ups keep", func() runner { return &whyFlags{} }},
		{"rebuild", "rebuild[s] published binaries of anybody and compare[s] bit for bit", func() runner { return &rebuildFlags{} }},
		{"ledger", "show[s], check[s] and prune[s] what earlier releases have proven", func() runner { return &ledgerFlags{} }},
		{"cache", "show[s] what the cache directory holds, or clear[s] parts of it", func() runner { return &cacheFlags{} }},
		{"bench", "compare[s] the start-up and memory of programs, or of the variants of a profile", func() runner { return &benchFlags{Cold: true, Memory: true} }},
		{"pgo", "merge[s] CPU profiles for the optimiser: pgo merge OUT IN...", func() runner { return &pgoFlags{} }},
		{"keygen", "make[s] a key pair for signing, encrypted with a passphrase", func() runner { return &keygenFlags{} }},
		{"worker", "build[s] one unit for a mintmark elsewhere: reads a request, writes the answer", func() runner { return &workerFlags{} }},
		{"version", "say[s] how this mintmark was built", func() runner { return &versionFlags{} }},
		{"completion", "print[s] what makes a shell complete mintmark's verbs and flags", func() runner { return &completionFlags{} }},
		{"man", "print[s] the manual page", func() runner { return &manFlags{} }},
	}
}

// commandOnly is in the flags of a verb that is about the command itself.
type commandOnly struct{}

func (commandOnly) aboutCommand() {}

// CommandOnly reports whether the verb is about the command mintmark itself, so
// that there is no Mage target for it.
func (v Verb) CommandOnly() bool {
	_, ok := v.flags().(interface{ aboutCommand() })
	return ok
}

// Find gives the verb of that name.
func Find(name string) (Verb, bool) {
	for _, v := range Verbs() {
		if v.Name == name {
			return v, true
		}
	}
	return Verb{}, false
}

// Summary is what the verb does, as in "build everything once".
func (v Verb) Summary() string { return strings.ReplaceAll(v.does, "[s]", "") }

// Predicate is the same with a subject before it, as in "builds everything once".
func (v Verb) Predicate() string { return strings.ReplaceAll(v.does, "[s]", "s") }
