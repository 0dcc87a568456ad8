// Package attack holds tests only: hostile inputs for the whole of mintmark, by
// the ways in which they come in. It imports what reads them and is imported by
// nothing.
package attack
