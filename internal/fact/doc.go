// Package fact is the words that all rooms share, as types: what a plan's unit
// publishes ([UnitShape]), what kind of file lies in a release ([FileKind]), and
// which question about a release was answered ([Check]). It holds no policy and
// imports the standard library only, so that whoever checks a release can use it
// without trusting the code that built it.
package fact
