// Package scaffold proposes what a repository needs for its first release: a
// profile file, the lines of .gitignore, and on request a workflow and a magefiles
// module. It looks at files alone: no command is run, nothing is fetched and nobody
// is asked. What git ignores, whoever asks for the proposal finds out ([Config.Ignored]).
//
// # What is promised
//
//   - The profile file loads. That check accepts it, once it is committed and tagged,
//     is what its rules aim at; check has the go command to know it with.
//   - Nothing is overwritten. All that is there already is named at once, before
//     anything is written; a line of .gitignore is added at its end.
//   - What was left out of the file, and why, is in the notes.
//
// # Exceptions
//
// Which packages a build has, the go command says; here a directory is a program if
// it has a file of package main that a build can have. C code is looked for in the
// packages that the programs import from their own module, not in other modules.
package scaffold
