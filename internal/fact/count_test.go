package fact

import "testing"

// TestBuilds: what is said of builds says how many there were.
func TestBuilds(t *testing.T) {
	for n, want := range map[int][3]string{
		1: {"once", "one build", "the build"}, 2: {"twice", "two builds", "both builds"},
		3: {"3 times", "3 builds", "all 3 builds"}, 10: {"10 times", "10 builds", "all 10 builds"},
	} {
		if got := [3]string{Times(n), Builds(n), AllBuilds(n)}; got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
