package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/measure"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/startup"
	"github.com/mintmark/mintmark/internal/ui"
)

func TestParseFiles(t *testing.T) {
	v, _ := Find("bench")
	for _, args := range []string{"", "a", "a -json b c"} {
		inv, _, err := v.parse(strings.Fields(args))
		want := strings.Fields(strings.ReplaceAll(args, "-json", ""))
		if err != nil {
			t.Errorf("%q: %v", args, err)
		} else if files := inv.flags.(*benchFlags).Programs; !slices.Equal(files, want) {
			t.Errorf("%q: %q, want %q", args, files, want)
		}
	}
	if help := v.help(); !strings.HasPrefix(help, "mintmark bench [-name=value]... [FILE]...\n") {
		t.Errorf("%.80s", help)
	}
}

func TestSplitWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                     nil,
		"  ":                   nil,
		"a b\tc\n":             {"a", "b", "c"},
		`'a b' "c d" e\ f`:     {"a b", "c d", "e f"},
		`A="x y"z ''`:          {"A=x yz", ""},
		`"a\"b" 'a\b' \\`:      {`a"b`, `a\b`, `\`},
		`--x=$HOME *.go; echo`: {"--x=$HOME", "*.go;", "echo"},
	} {
		if got, err := splitWords(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{`"`, `'a`, `a\`, `"a'`} {
		if got, err := splitWords(text); err == nil {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func FuzzSplitWords(f *testing.F) {
	f.Add(`a "b c" 'd' \e`)
	f.Fuzz(func(t *testing.T, s string) {
		words, err := splitWords(s)
		if err != nil {
			return
		}
		quoted := make([]string, len(words))
		for i, w := range words {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		if again, err := splitWords(strings.Join(quoted, " ")); err != nil || !slices.Equal(again, words) {
			t.Errorf("%q: %q, quoted again %q, %v", s, words, again, err)
		}
	})
}

func TestPrograms(t *testing.T) {
	names := func(files ...string) (out []string) {
		for _, p := range programs(files) {
			out = append(out, p.Name)
		}
		return out
	}
	for _, c := range []struct{ files, want []string }{
		{[]string{"a", "x/b"}, []string{"a", "b"}},
		{[]string{"old/tool", "new/tool", "./y"}, []string{"old/tool", "new/tool", "y"}},
		{[]string{"tool", "copy/tool"}, []string{"tool", "copy/tool"}},
		{[]string{"a/b/c/tool", "x/b/c/tool"}, []string{"a/b/c/tool", "x/b/c/tool"}},
		{[]string{"tool", "./tool"}, []string{"1:tool", "2:tool"}},
	} {
		if got := names(c.files...); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.files, got, c.want)
		}
	}
}

func TestFormatNano(t *testing.T) {
	for ns, want := range map[float64]string{
		0: "0 ns", 999: "999 ns", 999.6: "1.00 µs", 1000: "1.00 µs", 142_300: "142 µs", 999_400: "999 µs", 999_600: "1.00 ms",
		1.0149e6: "1.01 ms", 9.996e6: "10.0 ms", 46.72e6: "46.7 ms", 99.96e6: "100 ms", 288.8e6: "289 ms", 1.234e9: "1.23 s", 75e9: "75.0 s", -13.3e6: "-13.3 ms",
	} {
		if got := ui.FormatNanoseconds(ns); got != want {
			t.Errorf("%v: %s, want %s", ns, got, want)
		}
	}
	for v, want := range map[float64]string{0.983: "0.983", 1.0004: "1.000", 1.999: "1.999", 2: "2.00", 9.99: "9.99", 10: "10.0", 288.4: "288"} {
		if got := digits(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

// TestRemarks: whatever was not measured is said, with the reason.
func TestRemarks(t *testing.T) {
	r := &measure.Benched{
		Startup: report.Startup{Packing: []report.Packed{{Program: "p", Plain: "a", Packer: "UPX", NotComputed: "too few"}}, Result: &startup.Result{
			Programs: []startup.Subject{
				{Name: "a", Memory: &startup.Memory{NotMeasured: "no ptrace"}},
				{Name: "b", NotMeasured: "foreign", Smoke: &startup.Smoke{Emulator: "qemu-arm", Failure: "it crashed"}},
				{Name: "c", NotMeasured: "foreign", Smoke: &startup.Smoke{Emulator: "qemu-arm", OK: true, Instructions: 5}},
			},
			Runs:  []startup.Run{{Cache: startup.Warm, Rounds: 3, Control: &startup.Comparison{Program: "a (fresh copy)", Ratio: 1}}, {Cache: startup.Cold, NotMeasured: "in memory"}},
			Notes: []string{"a note"},
		}},
		Sweeps: []measure.Swept{
			{Program: "a", SweepResult: &startup.SweepResult{FirstFailure: -1, Tried: []startup.SweepStep{{Starts: fact.Starts{Starts: 36}}, {Starts: fact.Starts{Variables: 1000, Starts: 36}}}}},
			{Program: "b", SweepResult: &startup.SweepResult{FirstFailure: 472, Emulator: "qemu-aarch64", Tried: []startup.SweepStep{{Starts: fact.Starts{Variables: 471, Starts: 3}}, {Starts: fact.Starts{Variables: 472, Starts: 5, Failed: 5}, Failure: "killed by SIGSEGV"}}}},
			{Program: "c", NotSwept: "no qemu"},
		},
	}
	text := strings.Join(benchRemarks(r), "\n")
	for _, want := range []string{
		"memory of a: not measured: no ptrace", "b: not measured: foreign", "b: FAILS under qemu-arm: it crashed", "c: started once under qemu-arm, it ended as it should",
		"c: 5 emulated user-mode instructions", "no noise floor: too few rounds, so nothing is called a difference", "cold: not measured: in memory", "a note", "packing of p: not computed: too few",
		"environments of a: 36 starts with each of 0 and 1000 environment variables of various lengths, none failed, each of which would have missed a crash of 1 start in 3 with probability 4.6e-07", "environments of b under qemu-aarch64: it FAILS: 5 of 5 starts failed with 472 environment variables, 0 of 3 with 471: killed by SIGSEGV", "environments of c: not swept: no qemu",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if s := packingSheet(r.Packing); len(s.rows) != 1 || len(s.rows[0]) != len(s.header) {
		t.Errorf("%+v", s)
	}
}
