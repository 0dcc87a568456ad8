// Package retained says what of a program leaves with a dependency: not only the
// bytes of its own packages, but also those of all that is there because of it.
//
// # Method
//
// The program is linked again with the dependency emptied ([Empty]): every
// function of it is there and does nothing, so that the callers' code stays as it
// is, and the real linker decides what nobody needs any more. With the dependency
// go the packages that are imported through it alone ([Graph.Without]): those of
// other modules are emptied too. What is still in the binary of emptied packages
// and of packages that only they import (types, stubs) would not be there without
// the dependency either, and is counted with what has left ([Compare]).
//
// # What it cannot know
//
//   - Code of the callers that is there for the dependency's sake alone stays, and
//     so does what only such code needs. A real cut out of the source, which takes
//     it away, saves more.
//   - The compiler sees that an emptied function keeps none of its arguments:
//     callers may hold on the stack what they had on the heap, and have a little
//     less or more code.
//   - The owners of some data are inferred (see package sizes).
//   - Linker directives (go:linkname) of the dependency are gone: who reaches into
//     it by one is an error of the linker, and the module not measured.
package retained
