// Package fact is the words that all rooms share, as types: what came of
// comparing a file ([Verdict]) and why it differs ([Finding]), how far a file
// has come ([Stage]), what it was made with ([Toolchain], [SourceID]) and under
// which [Circumstances], what a plan's unit publishes ([UnitShape]), what kind of
// file lies in a release ([FileKind]), which form a document has ([Schema]), and
// which question about a release was answered ([Check]). Each has one spelling,
// in code, in files and in what people read, and its JSON form is a promise.
//
// It holds no policy and imports the standard library only, so that whoever
// checks a release can use it without trusting the code that built it.
package fact
