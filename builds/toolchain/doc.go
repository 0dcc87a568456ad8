// Package toolchain resolves, checks and installs one exact Go toolchain and
// runs its go command in an environment that nothing of the user's reaches.
// It is the only package of mintmark that runs go.
//
// # Which toolchain
//
// A toolchain is a released Go version, fetched as the module
// golang.org/toolchain through the module proxy and checked against the
// checksum database, which cmd/go does for this module even where GONOSUMDB
// or GOSUMDB=off would skip it for others (the one exception is below). Its hash is the h1 of that module's
// zip. The version string alone proves nothing: an altered compiler reports
// the same version and hits the same cache entries.
//
// # Installing
//
// [Toolchain.Install] unpacks the zip file by file, computes the h1 of every
// file on the way and refuses a zip whose h1 is not the one the checksum
// database gave. What a build never reads (tests, test data, the source of the
// go command itself) is hashed but not written. [Goroot.Verify] hashes the
// installed files again. Install does that before each use, so that a toolchain
// altered on disk is noticed, unless the system says that no file of it has
// changed since it was last done: see package remember for what that rests on.
//
// # Modified toolchains
//
// [Toolchain.Modify] makes of a release and a patch what somebody else built with. It
// goes by the version of the release; what tells them apart is [Toolchain.DirName]
// and [Toolchain.Modification].
//
// # The environment
//
// [Place.Env] is an allow-list: a build sees what it names and nothing else.
// The user's own settings are looked at once, by [UserSettings], and only
// those that say where modules come from (GOPROXY, GOPRIVATE, …), for the
// fetch phase.
//
// # Exceptions
//
// With a GOPROXY that is a single file:// URL and nothing else, cmd/go trusts
// that directory for the toolchain if GOSUMDB or GONOSUMDB says so
// (cmd/go/internal/modfetch.useSumDB); [Toolchain.SumDB] is false then.
//
// Killing this process outright takes the command it runs with it on Linux, but
// not what that command started; on Windows and where a command is cancelled
// there, neither. All of it writes below private directories only.
//
// PATH in a build holds the directory of git and the system's standard
// directories, because cmd/go runs git for the version stamp, and the C
// compiler for cgo. What cgo finds there is not checked by anybody.
package toolchain
