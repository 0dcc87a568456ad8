package source_test

import (
	"slices"
	"strings"
	"testing"
)

// TestGenerated: what commands make is no dirt in the user's tree, unless the commit
// has it, and git passes over it in a private checkout.
func TestGenerated(t *testing.T) {
	r := newRepo(t)
	r.module("mod", "example.com/mod").write("mod/kept_gen.go", "package mod\n").write(".gitignore", "!never_hidden\n").commit()
	r.write("mod/kept_gen.go", "package other\n").write("mod/new_gen.go", "package mod\n").write("new_gen.go", "package mod\n")
	s := r.mustOpen("mod")
	taken := s.Generated(func(name string) bool { return strings.HasSuffix(name, "_gen.go") && !strings.Contains(name, "/") })
	if !slices.Equal(taken, []string{"new_gen.go"}) {
		t.Errorf("taken for generated: %q", taken)
	}
	if want := []string{"mod/kept_gen.go", "new_gen.go"}; !slices.Equal(s.Dirty, want) {
		t.Errorf("dirt %q, want %q: the commit's file, and one that is not in the module", s.Dirty, want)
	}
	if !s.Tracked("kept_gen.go") || s.Tracked("new_gen.go") {
		t.Error("what is tracked")
	}

	dir := r.checkout(s, false)
	odd := []string{"x.go", "sub/[a]*?.txt", "trailing ", "!bang", "#hash", `back\slash`}
	private := r.at(dir)
	for _, name := range odd {
		private.write(name, "x")
	}
	status := func() string { return private.git("status", "--porcelain") }
	if status() == "" {
		t.Fatal("git does not see what is new")
	}
	if err := s.Exclude(t.Context(), topOf(dir), odd); err != nil {
		t.Fatal(err)
	}
	if left := status(); left != "" {
		t.Errorf("git sees\n%s", left)
	}
	private.write("other.go", "x")
	if left := status(); !strings.Contains(left, "other.go") {
		t.Errorf("git passes over what was not generated: %q", left)
	}
	private.write("never_hidden", "x")
	if err := s.Exclude(t.Context(), topOf(dir), []string{"never_hidden"}); err == nil || !strings.Contains(err.Error(), "mod/never_hidden") {
		t.Errorf("a file that .gitignore has git see: %v", err)
	}
}

// topOf is the top of the checkout of the module in the directory mod.
func topOf(module string) string { return strings.TrimSuffix(module, "/mod") }
