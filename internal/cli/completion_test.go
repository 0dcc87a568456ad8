package cli

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// newFlags are those of a verb that no table has yet.
type newFlags struct {
	Colour string `flag:"colour" values:"red green" help:"of what it makes"`
	Deep   bool   `flag:"deep" help:"into all that is below"`
	Shape  string `arg:"shape" values:"round square" help:"its shape"`
}

func (*newFlags) run(context.Context, *app) error { return nil }

// TestVerbAppears: a verb that is added to the table, its flags, their values and
// its arguments are completed and are in the manual page, with nothing else to do.
func TestVerbAppears(t *testing.T) {
	verbs := append(Verbs(), Verb{"mint", "make[s] a coin", func() runner { return &newFlags{Deep: true} }})
	for _, tt := range []struct {
		words []string
		typed string
		want  []string
	}{
		{nil, "min", []string{"mint"}},
		{[]string{"mint"}, "-", []string{"-colour=", "-deep=false"}},
		{[]string{"mint"}, "--c", []string{"--colour="}},
		{[]string{"mint"}, "-colour=g", []string{"-colour=green"}},
		{[]string{"mint", "-colour"}, "", []string{"red", "green"}},
		{[]string{"mint", "-colour", "red"}, "", []string{"round", "square"}},
		{[]string{"mint", "-colour=red", "round"}, "-", []string{"-deep=false"}},
	} {
		c := completer{verbs: verbs, typed: tt.typed}
		c.line(tt.words)
		var got []string
		for _, w := range c.found {
			got = append(got, w.text)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q and %q: %q, want %q", tt.words, tt.typed, got, tt.want)
		}
	}
	page := manPage(verbs, "v1.2.3", "2026-01-02")
	for _, want := range []string{
		`.TH MINTMARK 1 "2026\-01\-02" "mintmark v1.2.3"`, "\n.SS mint SHAPE\nMake a coin.\n", "\n.I SHAPE\nits shape.\n", "\n.B \\-colour=\nof what it makes.\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the manual page lacks %q", want)
		}
	}
	for _, v := range verbs {
		if !strings.Contains(page, "\n.SS "+v.Name) {
			t.Errorf("the manual page lacks %s", v.Name)
		}
	}
}

// TestComplete: what the answer to a shell is, with names out of a profile file.
func TestComplete(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mintmark.yaml")
	const text = "version: 1\nproject: x\nprofiles:\n  base: {}\n  release: {platforms: [linux]}\n  small: {inherit: base, platforms: [linux/arm64]}\n"
	if err := os.WriteFile(file, []byte(strings.Replace(text, "[linux]", "[linux/amd64]", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(dir, "damaged.yaml")
	if err := os.WriteFile(damaged, []byte(text+"more: $(reboot)\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := &app{}
	for _, tt := range []struct{ words, want string }{
		{"vers", "\nversion\tsay how this mintmark was built\n"},
		{"help veri", "\nverify\tcheck a published release: signatures, checksums, files, record\n"},
		{"nosuch -", "\n"},
		{"release -dir=" + dir + " -profile=", "\n-profile=release\t\n-profile=small\t\n"},
		{"release -dir " + dir + " -profile sm", "\nsmall\t\n"},
		{"release -config=" + file + " -profile=release,s", "\n-profile=release,small\t\n"},
		{"release -config=" + damaged + " -profile=", "\n"},
		{"verify -key=", "file\n"},
		{"verify -key=env://", "\n"},
		{"verify ", "file\n"},
		{"verify a ", "\n"},
		{"verify -commit=", "\n"},
		{"release -dir=", "dir\n"},
		{"size -by=k", "\n-by=kind\t\n"},
		{"pgo m", "\nmerge\t\n"},
		{"pgo merge ", "file\n"},
		{"diff -- -", "file\n"},
		{"completion f", "\nfish\t\n"},
		{"keygen ", "\n-prefix=\twhere to write PREFIX.key and PREFIX.pub (default: mintmark)\n"},
	} {
		words := strings.Split(tt.words, " ")
		words[len(words)-1] = "=" + words[len(words)-1]
		if got := d.complete(words); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.words, got, tt.want)
		}
	}
}

// TestValuesAreTaken: what a shell offers is what a verb takes; a nonsense word is not.
func TestValuesAreTaken(t *testing.T) {
	n := 0
	for _, v := range Verbs() {
		for _, f := range v.Flags() {
			for i, value := range append([]string{"nonsense"}, f.values...) {
				if len(f.values) == 0 || slices.ContainsFunc(f.values, func(s string) bool { return strings.HasSuffix(s, ":") }) {
					continue
				}
				inv := &invocation{verb: v, flags: v.flags(), given: map[string]string{f.Name: value}}
				if err := inv.refuseUnknown(); (err != nil) != (i == 0) {
					t.Errorf("%s -%s=%s: %v", v.Name, f.Name, value, err)
				}
				n++
			}
		}
	}
	if n == 0 {
		t.Error("no flag has values")
	}
}
