package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/ui"
)

// say runs a command line with this environment, without a terminal.
func say(env []string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	get := func(string) string { return "" }
	d := &app{term: ui.New(strings.NewReader(""), &out, &errs, get), env: env}
	code = d.main(context.Background(), args)
	return code, out.String(), errs.String()
}

var hintLine = regexp.MustCompile(`(?m)^mintmark: hint: (.*)$`)

// TestHintsOfCommandLines gives every verb command lines that cannot be read,
// and does what the hint says: the next command line is read.
func TestHintsOfCommandLines(t *testing.T) {
	type try struct {
		args       string
		text, hint string
	}
	tries := []try{
		{"", "no verb", "mintmark -help lists them"},
		{"relase", `there is no verb "relase"`, "did you mean mintmark release?"},
		{"verfy -unsigned .", `there is no verb "verfy"`, "did you mean mintmark verify?"},
		{"help relase", `there is no verb "relase"`, "did you mean mintmark release?"},
		{"frobnicate", `there is no verb "frobnicate"`, "mintmark -help lists them"},
	}
	for _, v := range Verbs() {
		words := ""
		args, open := v.Args(), false // open: more may be given
		for _, a := range args {
			if !a.Optional {
				words += " " + a.Name
			}
			open = open || a.many || a.Optional
		}
		if flags := v.Flags(); len(flags) > 0 {
			first := flags[0].Name
			tries = append(tries, try{v.Name + " -" + first + "x=1" + words, "flag provided but not defined: -" + first + "x", "did you mean -" + first + "?"})
		}
		tries = append(tries,
			try{v.Name + " -qqqqqqqq" + words, "flag provided but not defined: -qqqqqqqq", "mintmark " + v.Name + " -help lists its flags"})
		if words != "" {
			tries = append(tries, try{v.Name, "missing argument: " + strings.Fields(words)[0], "mintmark " + v.Name + " -help lists its flags"})
		}
		if !open {
			tries = append(tries, try{v.Name + words + " more", `unexpected argument "more"`, "mintmark " + v.Name + " -help lists its flags"})
		}
	}
	followed := 0
	for _, c := range tries {
		code, _, stderr := say(nil, strings.Fields(c.args)...)
		m := hintLine.FindAllStringSubmatch(stderr, -1)
		if code != 2 || len(m) != 1 || !strings.Contains(stderr, c.text) || m[0][1] != c.hint {
			t.Errorf("mintmark %s: exit code %d\n%swant %q, and the hint %q once", c.args, code, stderr, c.text, c.hint)
			continue
		}
		if err := followCommand(c.args, m[0][1]); err != nil {
			t.Errorf("mintmark %s: its hint %q: %v", c.args, m[0][1], err)
			continue
		}
		followed++
	}
	t.Logf("%d hints followed", followed)
}

// followCommand does what a hint about a command line says.
func followCommand(args, hint string) error {
	if cmd, ok := strings.CutSuffix(hint, " lists them"); ok {
		return shows(cmd)
	}
	if cmd, ok := strings.CutSuffix(hint, " lists its flags"); ok {
		return shows(cmd)
	}
	meant := strings.TrimSuffix(strings.TrimPrefix(hint, "did you mean "), "?")
	words := strings.Fields(args)
	switch verb, isVerb := strings.CutPrefix(meant, "mintmark "); {
	case isVerb && words[0] == "help":
		return shows("mintmark help " + verb)
	case isVerb:
		words[0] = verb
	case strings.HasPrefix(meant, "-"):
		v, _ := Find(words[0])
		flag, value, _ := strings.Cut(words[1], "=")
		words[1] = meant + "=" + value
		_, _, err := v.parse(words[1:])
		if flag == meant {
			return fmt.Errorf("it is what was written")
		}
		return err
	default:
		return fmt.Errorf("nobody knows how to follow it")
	}
	v, ok := Find(words[0])
	if !ok {
		return fmt.Errorf("%s is no verb", words[0])
	}
	_, _, err := v.parse(words[1:])
	return err
}

// shows runs a command that prints help.
func shows(cmd string) error {
	code, stdout, stderr := say(nil, strings.Fields(cmd)[1:]...)
	if code != 0 || stderr != "" || !strings.Contains(stdout, "mintmark ") {
		return fmt.Errorf("%s: exit code %d, %s", cmd, code, stderr)
	}
	return nil
}

// TestMessages: what is said of the things that need no build.
func TestMessages(t *testing.T) {
	dir := t.TempDir()
	env := []string{"MINTMARK_CACHE=" + dir, "MINTMARK_LEDGER_KEY=0123456789abcdef"}
	file, ours := filepath.Join(t.TempDir(), "file.json"), filepath.Join(t.TempDir(), "ours.json")
	for name, text := range map[string]string{file: "{}", ours: `{"schema":"` + string(fact.ManifestSchema) + `"}`} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	one := t.TempDir()
	if err := os.WriteFile(filepath.Join(one, "release.json"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		text string
		hint string
	}{
		{[]string{"keygen", "-prefix=" + dir + "/k"}, 1, "standard input is not a terminal", "MINTMARK_PASSWORD"},
		{[]string{"verify", dir}, 2, "no key to verify with", "-unsigned"},
		{[]string{"verify", "-unsigned", dir}, 4, "not a release of mintmark: neither release.json nor checksums.txt is there", "mintmark rebuild"},
		{[]string{"verify", "-unsigned", "hints_test.go"}, 2, "hints_test.go is one file, and nothing beside it says what it should be", "put checksums.txt of its release beside it"},
		{[]string{"report", dir + "/nowhere"}, 2, "no such file", "name the release's directory"},
		{[]string{"report", file}, 2, "file.json is not a directory", "name the release's directory"},
		{[]string{"report", one + "/release.json"}, 2, "release.json is not a directory", "name the release's directory: " + one},
		{[]string{"report", one}, 4, "not a release of mintmark: the release.json here is no JSON", "mintmark rebuild"},
		{[]string{"verify", "-unsigned", file}, 2, "file.json is one file, and nothing beside it says what it should be", "put checksums.txt of its release beside it"},
		{[]string{"verify", "-unsigned", one + "/release.json"}, 2, "is one file, not a release and not its release.json", "name the directory of the release"},
		{[]string{"verify", "-unsigned", ours}, 4, "ours.json: ", ""},
		{[]string{"verify", "-unsigned", dir + "/nowhere"}, 2, "no such file", "name a release's directory"},
		{[]string{"release", "-commit="}, 2, "flag provided but not defined", "mintmark release -help lists its flags"},
		{[]string{"verify", "-version=", dir}, 2, "-version= has no value", "leave the flag out"},
		{[]string{"release", "-jobs=0", "-dir=" + dir}, 2, "-jobs=0", "at least one"},
	} {
		code, _, stderr := say(env, c.args...)
		if code != c.code || !strings.Contains(stderr, c.text) || c.hint != "" && !strings.Contains(stderr, c.hint) {
			t.Errorf("%q: exit code %d, want %d with %q and %q\n%s", c.args, code, c.code, c.text, c.hint, stderr)
		}
		for _, m := range hintLine.FindAllString(stderr, -1) {
			if strings.Count(stderr, m) != 1 {
				t.Errorf("%q: the hint is there twice\n%s", c.args, stderr)
			}
		}
	}
	// What is wrong with the name is said before anybody is asked for a passphrase,
	// and how to use the key is a word of a shell.
	blank := filepath.Join(dir, "a b")
	if code, stdout, stderr := say(append(env, "MINTMARK_PASSWORD="), "keygen", "-prefix="+blank); code != 0 || !strings.Contains(stdout, "MINTMARK_KEY='"+blank+".key' signs") {
		t.Errorf("keygen: %d, %s%s", code, stdout, stderr)
	}
	if code, _, stderr := say(env, "keygen", "-prefix="+blank); code != 1 || !strings.Contains(stderr, "a b.key: file already exists") {
		t.Errorf("keygen: %d, %s", code, stderr)
	}
	// The passphrase in the variable that the hint names makes the key.
	if code, _, stderr := say(append(env, "MINTMARK_PASSWORD="), "keygen", "-prefix="+dir+"/k"); code != 0 {
		t.Errorf("keygen with the variable that the hint names: %d, %s", code, stderr)
	}
}

// TestEnvironmentMessages: a variable that is no use is said once, with what
// helps, and nothing else is.
func TestEnvironmentMessages(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args, cache, secret string
		text, hint          string
	}{
		{"ledger", dir, "short", "MINTMARK_LEDGER_KEY is shorter than 16 characters", "unset it"},
		{"ledger", file, "0123456789abcdef", "MINTMARK_CACHE=" + file + " is a file, not a directory", "set MINTMARK_CACHE to a directory"},
		{"plan", file, "0123456789abcdef", "MINTMARK_CACHE=" + file + " is a file, not a directory", "set MINTMARK_CACHE to a directory"},
		{"plan", file + "/below", "0123456789abcdef", file + " is a file, not a directory", "set MINTMARK_CACHE to a directory"},
	} {
		env := []string{"MINTMARK_CACHE=" + c.cache, "MINTMARK_LEDGER_KEY=" + c.secret}
		code, _, stderr := say(env, c.args)
		want := "mintmark: error: " + c.text + "\nmintmark: hint: "
		if code != 2 || !strings.HasPrefix(stderr, want) || !strings.Contains(stderr, c.hint) || strings.Count(stderr, "mintmark: ") != 2 {
			t.Errorf("%s: exit code %d\n%s", c.args, code, stderr)
		}
		code, stdout, _ := say(env, c.args, "-json")
		if code != 2 || !strings.Contains(stdout, c.text) || !strings.Contains(stdout, c.hint) || strings.Count(stdout, `"message"`) != 1 {
			t.Errorf("%s -json: exit code %d\n%s", c.args, code, stdout)
		}
	}
	if code, _, stderr := say([]string{"MINTMARK_CACHE=" + filepath.Join(dir, "new", "cache"), "MINTMARK_LEDGER_KEY=0123456789abcdef"}, "ledger"); code != 0 {
		t.Errorf("a cache directory that can be made: exit code %d\n%s", code, stderr)
	}
}

// TestStopped: a verb that builds nothing says nothing of builds.
func TestStopped(t *testing.T) {
	if hint := fault.Hint(stopped(context.Canceled, false)); hint != "" {
		t.Errorf("keygen: %q", hint)
	}
	if hint := fault.Hint(stopped(context.Canceled, true)); !strings.Contains(hint, "builds compiled") {
		t.Errorf("release: %q", hint)
	}
}

// TestClosedPipe: whoever writes the result, a reader who has seen enough is no error.
func TestClosedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	d := &app{term: ui.New(strings.NewReader(""), w, &bytes.Buffer{}, nil)}
	table := ui.Table{Columns: []ui.Column{{Title: "A"}}}
	table.Row(ui.Plain.Text("x"))
	if err := table.Write(d.stdout()); err != nil || d.outErr != nil {
		t.Errorf("a table: %v, %v", err, d.outErr)
	}
}

// TestCounts: what is printed for people counts with fact.Count, so that there
// is no "1 units"; and no verb writes to standard output past app.stdout.
func TestCounts(t *testing.T) {
	plural := regexp.MustCompile(`%d [a-z]+s\b`)
	for name, text := range sources(t) {
		for i, line := range strings.Split(text, "\n") {
			if m := plural.FindString(line); m != "" && !strings.Contains(line, "// any number") {
				t.Errorf("%s:%d: %s: count with fact.Count", name, i+1, m)
			}
			if strings.Contains(line, "term.Stdout()") && name != "app.go" {
				t.Errorf("%s:%d: write to d.stdout()", name, i+1)
			}
		}
	}
}

func sources(t *testing.T) map[string]string {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(data)
	}
	return texts
}

// TestPinned: where no toolchain is named, a hint says -toolchain=, so that each verb
// that plans what a profile says has the flag.
func TestPinned(t *testing.T) {
	for _, v := range Verbs() {
		flags := map[string]bool{}
		for _, f := range v.Flags() {
			flags[f.Name] = true
		}
		if flags["config"] && flags["platform"] && !flags["toolchain"] {
			t.Errorf("mintmark %s has -config and -platform, and no -toolchain", v.Name)
		}
	}
}
