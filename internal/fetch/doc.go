// Package fetch is the beginning of the spine, from a configuration to a plan. It is
// the part that may use the network, and in which nothing is built:
//
//	Open    *Subject  tools, source, profile file; what is selected
//	Fetch   *Copied   the toolchain, and a private copy of the source
//	Expand  *Planned  the plan
//
// What is wrong with these is found by package lint, and what is done with them is
// for package release. No stage writes into what another has returned.
package fetch
