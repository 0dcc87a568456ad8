// Package release is the pipeline: the one place that knows every stage from
// profile file to signed release. It is free of Mage, flags and terminals: it
// takes a [Config], sends [Event]s and returns data.
//
// The order is fixed. Everything that can be refused without building is
// refused first: the tree, the profile file, the toolchain, the key, the output
// directory. Then the fetch phase, the only one that may use the network. Then
// both builds of every unit, interleaved under one budget; when both builds of
// a unit are done they are compared, packed, archived. The signature comes
// last, after every verdict, over files hashed from the disk. The output
// directory appears in one rename; whatever fails before leaves none.
package release
