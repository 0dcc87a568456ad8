package patch

import (
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
)

const old = "one\ntwo\nthree\nfour\nfive\n"

func apply(t *testing.T, text, data string) (string, error) {
	t.Helper()
	p, err := Parse("x.patch", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Files) != 1 {
		t.Fatalf("%d files", len(p.Files))
	}
	out, err := p.Files[0].Apply([]byte(data))
	return string(out), err
}

func TestApply(t *testing.T) {
	const head = "--- a/src/x.go\n+++ b/src/x.go\n"
	for name, c := range map[string]struct{ patch, data, want, err string }{
		"where it says":    {head + "@@ -2,3 +2,3 @@ func\n two\n-three\n+THREE\n four\n", old, "one\ntwo\nTHREE\nfour\nfive\n", ""},
		"moved":            {head + "@@ -40,3 +40,3 @@\n two\n-three\n+THREE\n four\n", old, "one\ntwo\nTHREE\nfour\nfive\n", ""},
		"two hunks":        {head + "@@ -1,1 +1,2 @@\n one\n+1.5\n@@ -5 +6 @@\n-five\n+FIVE\n", old, "one\n1.5\ntwo\nthree\nfour\nFIVE\n", ""},
		"there first":      {head + "@@ -3 +3 @@\n-x\n+y\n", "x\na\nx\n", "x\na\ny\n", ""},
		"not there":        {head + "@@ -2,3 +2,3 @@\n two\n-three\n+THREE\n fore\n", old, "", "x.patch:3:1: b/src/x.go: the hunk does not apply: its old lines are not in the file"},
		"several":          {head + "@@ -2 +2 @@\n-x\n+y\n", "x\na\nx\n", "", "more than one other place"},
		"before the last":  {head + "@@ -4 +4 @@\n-four\n+4\n@@ -1 +1 @@\n-one\n+1\n", old, "", "x.patch:6:1: b/src/x.go: the hunk does not apply"},
		"no newline":       {head + "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n", "a\nb", "a\nc\n", ""},
		"newline taken":    {head + "@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n", "a\nb\n", "a\nc", ""},
		"within":           {head + "@@ -1,1 +1,1 @@\n-a\n+c\n\\ No newline at end of file\n", "a\nb\n", "", "in the middle of the file"},
		"carriage returns": {head + "@@ -1,1 +1,1 @@\n-a\r\n+b\r\n", "a\r\n", "b\r\n", ""},
		"new":              {"diff --git a/src/x.go b/src/x.go\nnew file mode 100644\nindex 0000000..0123abc\n--- /dev/null\n+++ b/src/x.go\n@@ -0,0 +1,2 @@\n+a\n+b\n", "", "a\nb\n", ""},
		"deleted":          {"diff --git a/src/x.go b/src/x.go\ndeleted file mode 100644\nindex 0123abc..0000000\n--- a/src/x.go\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", "a\n", "", ""},
		"not all deleted":  {"--- a/src/x.go\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", "a\nb\n", "", "more is in the file"},
		"in a mail":        {"From 0123 Mon\nSubject: x\n\n--- not a header\n---\n x.go | 2 +-\n\ndiff --git a/src/x.go b/src/x.go\nindex 0123abc..0123abd 100644\n" + head + "@@ -1 +1 @@\n-one\n+1\n-- \n2.40.1\n\n", old, "1\ntwo\nthree\nfour\nfive\n", ""},
		"times":            {"diff -u a/src/x.go b/src/x.go\n--- a/src/x.go\t2026-01-01\n+++ b/src/x.go\t2026-01-02\n@@ -1 +1 @@\n-one\n+1\n", old, "1\ntwo\nthree\nfour\nfive\n", ""},
		"dashes":           {head + "@@ -1,2 +1,2 @@\n--- one\n+++ two\n x\n", "-- one\nx\n", "++ two\nx\n", ""},
	} {
		got, err := apply(t, c.patch, c.data)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// A patch is a stranger's file: what it may name and make is little.
func TestHostile(t *testing.T) {
	const hunk = "@@ -1 +1 @@\n-a\n+b\n"
	const head = "--- a/src/x.go\n+++ b/src/x.go\n"
	for name, c := range map[string]struct{ patch, err string }{
		"upwards":           {"--- a/../../etc/passwd\n+++ b/../../etc/passwd\n" + hunk, `x.patch:1:5: "a/../../etc/passwd": a name that leads upwards` + "\n" + `x.patch:2:5: `},
		"absolute":          {"--- /etc/passwd\n+++ /etc/passwd\n" + hunk, `x.patch:1:5: "/etc/passwd": an absolute name`},
		"drive":             {"--- C:/x\n+++ C:/x\n" + hunk, "other characters"},
		"backslash":         {"--- a\\..\\x\n+++ a\\..\\x\n" + hunk, "other characters"},
		"quoted":            {"--- \"a/src/\\303.go\"\n+++ \"b/src/\\303.go\"\n" + hunk, "x.patch:1:5: \"\\\"a/src"},
		"not clean":         {"--- a//x\n+++ a//x\n" + hunk, "spelled in another way"},
		"link":              {"diff --git a/src/x b/src/x\nnew file mode 120000\n--- /dev/null\n+++ b/src/x\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n", "x.patch:2:1: neither a regular file nor"},
		"submodule":         {"diff --git a/src/x b/src/x\nindex 0123abc..0123abd 160000\n--- a/src/x\n+++ b/src/x\n" + hunk, "x.patch:2:1: neither a regular file nor"},
		"binary":            {"diff --git a/src/x b/src/x\nindex 0123abc..0123abd 100644\nBinary files a/src/x and b/src/x differ\n", "x.patch:3:1: a binary file"},
		"git's binary":      {"diff --git a/src/x b/src/x\nindex 0123abc..0123abd 100644\nGIT binary patch\nliteral 2\nJcmYx\n", "x.patch:3:1: a binary file"},
		"rename":            {"diff --git a/src/x b/src/y\nsimilarity index 100%\nrename from src/x\nrename to src/y\n", "x.patch:2:1: a renamed or copied file"},
		"two names":         {"--- a/src/x.go\n+++ b/src/y.go\n" + hunk, "x.patch:2:5: "},
		"mode":              {"diff --git a/src/x b/src/x\nold mode 100644\nnew mode 100755\n", "x.patch:2:1: a changed file mode"},
		"twice":             {head + hunk + "--- a/src/X.go\n+++ b/src/X.go\n" + hunk, "x.patch:6:5: b/src/X.go is changed twice"},
		"nothing":           {"", "x.patch:1:1: no file is changed"},
		"text":              {"hello\n", "no file is changed"},
		"no hunk":           {head, "x.patch:1:1: no hunk"},
		"no second name":    {"diff --git a/src/x b/src/x\n--- a/src/x\n" + hunk, "x.patch:3:1: no line that begins"},
		"truncated":         {head + "@@ -1,2 +1,2 @@\n-a\n+b\n", "x.patch:5:1: the patch ends within a hunk"},
		"half a line":       {head + "@@ -1,1 +1,1 @@\n-a\n+b", "x.patch:5:3: the patch ends within a line"},
		"too many":          {head + hunk + " c\n", "x.patch:6:1: more lines than"},
		"too many old":      {head + "@@ -1 +1,2 @@\n-a\n-b\n+c\n", "x.patch:5:1: another number of lines"},
		"empty line":        {head + "@@ -1,2 +1,2 @@\n-a\n+b\n\n", "x.patch:6:1: a line of a hunk begins with"},
		"no context":        {head + "@@ -1,0 +2 @@\n+b\n", "x.patch:3:1: no line of the file as it was"},
		"nothing changes":   {head + "@@ -1 +1 @@\n a\n", "x.patch:3:1: nothing changes"},
		"header":            {head + "@@ -x +1 @@\n a\n", "x.patch:3:1: malformed header"},
		"huge number":       {head + "@@ -1,9999999999 +1 @@\n a\n", "x.patch:3:1: malformed header"},
		"junk between":      {head + hunk + "Only in a: y\n" + head + hunk, "is no line of a unified diff"},
		"empty new file":    {"diff --git a/src/x b/src/x\nnew file mode 100644\nindex 0000000..e69de29\ndiff --git a/y b/y\n", "x.patch:1:1: no lines of the file change"},
		"neither":           {"--- /dev/null\n+++ /dev/null\n" + hunk, "both names"},
		"old of a new file": {"--- /dev/null\n+++ b/src/x\n" + hunk, "x.patch:3:1: lines of a file that is new"},
	} {
		_, err := Parse("x.patch", []byte(c.patch))
		if err == nil || !strings.Contains(err.Error(), c.err) || fault.ExitCode(err) != fault.Usage {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBelow(t *testing.T) {
	const hunk = "@@ -1 +1 @@\n-a\n+b\n"
	for text, want := range map[string]string{
		"--- a/src/x.go\n+++ b/src/x.go\n" + hunk:                                         "src/x.go",
		"--- src/x.go\n+++ src/x.go\n" + hunk:                                             "src/x.go",
		"--- go.orig/src/x.go\n+++ go/src/x.go\n" + hunk:                                  "src/x.go",
		"--- a/VERSION\n+++ b/VERSION\n" + hunk:                                           "",
		"--- a/b/src/x.go\n+++ a/b/src/x.go\n" + hunk:                                     "",
		"--- a/bin/go\n+++ b/bin/go\n" + hunk:                                             "",
		"--- a/srcx/x.go\n+++ b/srcx/x.go\n" + hunk:                                       "",
		"--- src/x.go\n+++ src/x.go\n" + hunk + "--- a/src/y.go\n+++ b/src/y.go\n" + hunk: "",
	} {
		p, err := Parse("x.patch", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		err = p.Below("src")
		if (err == nil) != (want != "") || err == nil && p.Files[0].Path != want || err != nil && (fault.ExitCode(err) != fault.Usage || !strings.Contains(err.Error(), "x.patch:")) {
			t.Errorf("%q: %v, %q", text, err, p.Files[0].Path)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("--- a/src/x.go\n+++ b/src/x.go\n@@ -2,3 +2,3 @@ func\n two\n-three\n+THREE\n four\n", old)
	f.Add("diff --git a/src/x.go b/src/x.go\nnew file mode 100644\n--- /dev/null\n+++ b/src/x.go\n@@ -0,0 +1 @@\n+a\n\\ No newline\n", "")
	f.Add("--- a/src/x.go\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", "a\n")
	f.Fuzz(func(t *testing.T, text, data string) {
		p, err := Parse("x", []byte(text))
		if err != nil {
			return
		}
		for _, file := range p.Files {
			for _, part := range strings.Split(file.Path, "/") {
				if part == ".." || part == "" || strings.ContainsAny(part, ":\\\x00") {
					t.Fatalf("name %q", file.Path)
				}
			}
			if out, err := file.Apply([]byte(data)); err == nil && file.Deleted != (out == nil) && len(file.hunks[0].new) > 0 {
				t.Fatalf("%q of a file that is deleted: %v", out, file.Deleted)
			}
		}
		p.Below("src")
	})
}
