// Package table has numbers that look like addresses of the others' data, and
// tables of elements wider than a byte.
package table

// Sum uses all of them.
//
//go:noinline
func Sum(n int) int {
	sum := int(Wide[n]) + int(Array[n]) + int(Numbers[n].low) + int(local(n))
	for _, x := range constants() {
		sum += int(x)
	}
	for _, w := range words {
		sum += len(w.text) + w.number
	}
	return sum
}
