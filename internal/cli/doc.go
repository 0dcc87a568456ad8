// Package cli is what the two doors of mintmark have in common: the verbs,
// their flags, what they print and the codes they exit with. The packages
// targets (Mage) and cmd/mintmark hold nothing but the calls.
//
// Results go to standard output, everything else to standard error. With
// -json the result is one JSON document, also when the verb fails.
//
// Exit codes: 0 everything is as it should be; 1 error; 2 usage or profile
// file; 3 not reproducible, or over budget; 4 signature or checksum refused.
//
// # Adding a verb
//
// Write one file with the verb's struct and its method run, add a line to
// [Verbs], and run go generate ./targets, which writes the Mage target.
//
// The struct holds all that the verb is given, and nothing else is given to it:
//
//	type whyFlags struct {
//		selectFlags // -config, -profile, -platform: a group that verbs share, see groups.go
//		Depth *int   `flag:"depth" with:"tree" help:"how many levels to show"`
//		Path  string `arg:"path" help:"an import path, or the end of one"`
//	}
//
// The type of a field is bool, int, string, or a list of strings that commas
// separate; a pointer where not given is another thing than zero; or publicKey,
// publicKeys or privateKey. The order of the fields is that of the help. Tags:
//
//	flag:"name"    the flag that the field is the value of
//	help:"text"    what it means, for this verb; a default that is not zero is set in Verbs
//	with:"a b"     it means something beside -a or -b only, and is refused without them.
//	               Of with:"a|b" and help:"x|y", x is what it means beside -a, y beside -b
//	reads:"hint"   it names files, which must be there; the hint for one that is not
//	dirs:"true"    a directory will do as well
//	adds:"true"    given again it adds to the list; without, it replaces it
//	values:"a b"   all that it may be, else it is refused; of a flag or an argument. With
//	               one that ends in a colon they are for shells only: the verb reads what follows
//	takes:"file"   it names a file, which need not be there; or a dir, or a profile: for shells
//	arg:"name"     the field is an argument; of a list, the last ones. With "?" after the
//	               name it is optional, and there is a flag for it, since a Mage target has
//	               required arguments only; before the others it is that flag's field itself
//	also:"name"    another spelling of the flag, for what others call it; a Mage target has
//	               parameters of Go, which have no hyphens, and takes the flag's name alone
//	unless:"name"  an argument that need not be given beside -name
//
// When run is called, what is wrong with any verb has been refused: a text flag
// without a value, so that "" means not given; a key in the place of a key's
// name; a flag without the one it goes with; a file that cannot be read.
package cli
