package files

import (
	"path"
	"strings"
)

// Match reports whether the pattern, as path.Match understands it, names the file.
// An element ** stands for any number of directories, at the end for all that is
// below. A bad pattern names nothing.
func Match(pattern, name string) bool {
	if !Deep(pattern) {
		ok, _ := path.Match(pattern, name)
		return ok
	}
	p, n := strings.Split(pattern, "/"), strings.Split(name, "/")
	if last := len(p) - 1; p[last] == "**" {
		p = append(p, "*") // there is something in the last of the directories
	}
	// What the last ** stands for is made longer until the rest fits. Those before
	// it need no second try: what they have left out, it can stand for.
	i, star, from := 0, -1, 0
	for j := 0; j < len(n); {
		if i < len(p) && p[i] == "**" {
			star, from = i, j
			i++
			continue
		}
		if i < len(p) {
			if ok, _ := path.Match(p[i], n[j]); ok {
				i, j = i+1, j+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		from++
		i, j = star+1, from
	}
	return i == len(p)
}

// Deep reports whether an element of the pattern is **.
func Deep(pattern string) bool { return strings.Contains("/"+pattern+"/", "/**/") }
