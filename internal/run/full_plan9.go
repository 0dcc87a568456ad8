package run

// isFull reports whether this system said that a disk is full, which has no number here.
func isFull(error) bool { return false }
