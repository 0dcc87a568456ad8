// Package dep has numbers in its variables and its code that look like addresses.
package dep

var numbers = [...]uint64{0x400000, 0x480000, 0x500000, 0x580000, 0x600000, 0x680000, 0x700000, 0x780000}

// More is something, by n.
//
//go:noinline
func More(n int) int {
	numbers[n&7]++
	for _, x := range []uint64{0x500400, 0x540400, 0x580400, 0x5c0400, 0x600400, 0x640400} {
		n += int(x)
	}
	return n + int(numbers[n&7])
}
