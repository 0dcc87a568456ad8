package main

func choose(names []string) (string, error) {
	if len(names) == 0 {
		return "", nil
	}
	return names[0], nil
}
