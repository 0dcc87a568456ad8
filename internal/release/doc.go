// Package release is the spine: from a profile file to a signed release, in stages
// that each take what the one before returned.
//
//	Open     *Subject    tools, source, profile file; what is selected (package fetch)
//	Fetch    *Copied     the toolchain, and a private copy of the source
//	Expand   *Planned    the plan
//	All      *Linted     a plan that nothing is wrong with (package lint)
//	Prepare  *Prepared   executors, ready to build without the network
//	build    outcomes    what each executor gave for a unit
//	compare  compared    verdicts, by holding the outcomes against each other
//	make     *UnitResult packed, proven, archived
//	Finish   *Finished   all units; the three above run for each unit as soon as they can
//	gate     error       what must not be published
//	publish  error       the files about the release, the signatures last
//
// No stage writes into what another has returned, and there is no other way to get
// executors than Prepare. Whoever verifies, repeats, measures variants or asks why
// something is linked calls the same stages ([Release], [Build], [Plan],
// [Repeat], [WhyLinked]; packages lint, verify and measure).
//
// Everything that can be refused without building is refused first: the tree, the
// profile file, the toolchain, the key, the output directory. Then the fetch phase,
// the only one that may use the network. All builds of all units are one queue under
// one budget. The signature comes last, after every verdict, over files hashed from
// the disk. The output directory appears in one rename; whatever fails before leaves
// none.
//
// It is free of Mage, flags and terminals: it takes a [run.Config], sends
// [run.Event]s and returns data.
package release
