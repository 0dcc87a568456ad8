package sizes

import "slices"

// sortBy sorts by a number, and what has the same number by cmp. The order of what is
// equal in both stays. Numbers alone are sorted several times faster than elements with a
// function that compares them; each element is then moved once.
func sortBy[T any](list []T, number func(*T) uint32, cmp func(a, b T) int) {
	keys := make([]uint64, len(list)) // number, and where the element is
	for i := range list {
		keys[i] = uint64(number(&list[i]))<<32 | uint64(uint32(i))
	}
	slices.Sort(keys)
	for i := range keys {
		first, to := list[i], i
		for {
			from := int(uint32(keys[to]))
			keys[to] = keys[to]&^(1<<32-1) | uint64(uint32(to))
			if from == i {
				list[to] = first
				break
			}
			list[to] = list[from]
			to = from
		}
	}
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && keys[j]>>32 == keys[i]>>32 {
			j++
		}
		if j-i > 1 {
			slices.SortStableFunc(list[i:j], cmp)
		}
		i = j
	}
}
