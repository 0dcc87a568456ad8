// Package goflags reads the flags of go build as those read them who act on
// them: the go command, and behind it the compiler, the assembler and the
// linker. It is the one place that splits and quotes such text, so that what
// was judged and what is executed cannot be two readings of one text.
//
// # Reading
//
// [Split] and [Join] are the go command's lists of quoted words, [ParsePerPackage]
// is a value of -gcflags, -asmflags or -ldflags, [Tool.Parse] what such a value
// is to the tool. Text that the go command of some release could read in another
// way, such as a U+00A0 at an end that it trims, is an error.
//
// # Judging
//
// What a stranger wrote goes through [ForeignFlag] and [ForeignVariable]. Only
// those make a [Flag] and a [Variable], and whoever executes a stranger's
// settings takes nothing else. A list says what may be there, not what may not:
// a flag that names a program to run, or a file to read or write, is not in it,
// and neither is one that nobody has thought about yet. The tables are held
// against the tools' own lists of flags in the tests.
//
// # Exceptions
//
// That a flag is harmless does not say that the source is. The go command runs
// nothing of what it builds (https://go.dev/security/policy), but it is a large
// program, as are a C compiler and a linker.
package goflags
