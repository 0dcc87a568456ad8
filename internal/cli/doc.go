// Package cli is what the two doors of mintmark have in common: the verbs,
// their flags, what they print and the codes they exit with. The packages
// targets (Mage) and cmd/mintmark hold nothing but the calls.
//
// Results go to standard output, everything else to standard error. With
// -json the result is one JSON document, also when the verb fails.
//
// Exit codes: 0 everything is as it should be; 1 error; 2 usage or profile
// file; 3 not reproducible, or over budget; 4 signature or checksum refused.
package cli
