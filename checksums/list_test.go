package checksums

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/files"
)

var (
	hexA = strings.Repeat("0123456789abcdef", 4)
	hexB = strings.Repeat("fedcba9876543210", 4)
)

func TestFormatList(t *testing.T) {
	got, err := FormatList([]Entry{{"b.zip", hexB}, {"a.tar.gz", hexA}, {"B2", hexA}})
	if err != nil {
		t.Fatal(err)
	}
	want := hexA + "  B2\n" + hexA + "  a.tar.gz\n" + hexB + "  b.zip\n"
	if string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	entries, err := ParseList(got)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 3 || entries[2] != (Entry{"b.zip", hexB}) {
		t.Errorf("got %v", entries)
	}
	for _, bad := range [][]Entry{
		nil,
		{{"a", hexA}, {"a", hexB}},
		{{"a", hexA}, {"A", hexA}},
		{{"a", hexA[1:]}},
		{{"../a", hexA}},
		{{ChecksumsFile, hexA}},
		{{ProvenanceBundle, hexA}},
		{{LedgerBundle, hexA}},
		{{"Checksums.txt", hexA}},
	} {
		if out, err := FormatList(bad); err == nil {
			t.Errorf("%v accepted: %q", bad, out)
		}
	}
	// All errors, not just the first.
	_, err = FormatList([]Entry{{"../a", hexA}, {"b", "x"}, {"-c", hexA}})
	for _, want := range []string{"../a", `"b"`, "-c"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not mention %s", err, want)
		}
	}
}

func TestParseListRefuses(t *testing.T) {
	line := func(name string) string { return hexA + "  " + name + "\n" }
	for _, tc := range []struct{ name, in, want string }{
		{"empty", "", "empty"},
		{"only newline", "\n", "line 1: is empty"},
		{"no last newline", hexA + "  a", "cut short"},
		{"trailing garbage", line("a") + "garbage", "cut short"},
		{"trailing garbage line", line("a") + "garbage\n", "line 2: is too short"},
		{"blank line", line("a") + "\n" + line("b"), "line 2: is empty"},
		{"comment", "# made by x\n" + line("a"), "line 1: is too short"},
		{"CRLF", hexA + "  a\r\n", "CRLF"},
		{"upper-case hex", strings.ToUpper(hexA) + "  a\n", "not lower-case hex"},
		{"short digest", hexA[:63] + "  aa\n", "no two spaces"},
		{"long digest", hexA + "0  a\n", "no two spaces"},
		{"SHA-1", hexA[:40] + "  " + strings.Repeat("a", 40) + "\n", "no two spaces"},
		{"SHA-512", hexA + hexA + "  a\n", "no two spaces"},
		{"no name", hexA + "  \n", "name is empty"},
		{"binary marker", hexA + " *a\n", "binary marker"},
		{"tab", hexA + "\t a\n", "no two spaces"},
		{"one space", hexA + " aa\n", "no two spaces"},
		{"three spaces", hexA + "   a\n", "begins or ends with a space"},
		{"escaped", "\\" + hexA + "  a\n", "no two spaces"},
		{"BSD style", "SHA256 (a) = " + hexA + "\n", "no two spaces"},
		{"path", line("dir/a"), "has a directory"},
		{"dot dot", line(".."), "is a directory"},
		{"dot", line("."), "is a directory"},
		{"up", line("../a"), "has a directory"},
		{"absolute", line("/etc/passwd"), "has a directory"},
		{"backslash", line(`..\a`), "has a directory"},
		{"drive", line("C:a"), "Windows does not allow"},
		{"stream", line("a:b"), "Windows does not allow"},
		{"device", line("NUL"), "device"},
		{"device with extension", line("com1.tar.gz"), "device"},
		{"ends with dot", line("a."), "ends with a dot"},
		{"option", line("-rf"), "begins with '-'"},
		{"NUL byte", line("a\x00b"), "does not print"},
		{"escape sequence", line("a\x1b[2J"), "does not print"},
		{"right-to-left override", line("a\u202egpj.exe"), "does not print"},
		{"no-break space", line("a\u00a0b"), "does not print"},
		{"not UTF-8", line("a\xff"), "not UTF-8"},
		{"long name", line(strings.Repeat("a", 256)), "file systems take 255"},
		{"duplicate", line("a") + line("a"), "listed twice"},
		{"case duplicate", line("A") + line("a"), "one file on Windows"},
		{"fold duplicate", line("K") + line("\u212a"), "one file on Windows"}, // Kelvin sign
		{"unsorted", line("b") + line("a"), "not sorted"},
		{"itself", line(ChecksumsFile), "cannot be in the list"},
		{"its bundle", line(ChecksumsBundle), "cannot be in the list"},
		{"the ledger's bundle", line("Ledger.json.sigstore.json"), "cannot be in the list"},
		{"too large", strings.Repeat(line("a"), MaxListSize/67+1), "more than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParseList([]byte(tc.in))
			if err == nil {
				t.Fatalf("accepted: %v", got)
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %q, want %q in it", err, tc.want)
			}
		})
	}
}

func TestParseListReportsAll(t *testing.T) {
	_, err := ParseList([]byte(hexA + "  ../a\n" + strings.ToUpper(hexA) + "  b\n" + hexA + " *c\n"))
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"line 1", "line 2", "line 3"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in %v", want, err)
		}
	}
}

// TestRealTools checks the list with the programs that users have.
func TestRealTools(t *testing.T) {
	dir := t.TempDir()
	var entries []Entry
	for _, name := range []string{"b_1.0_linux_arm_7.tar.gz", "a.zip", "with space.txt", "änderung.txt", "z"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("content of "+name), 0o600); err != nil {
			t.Fatal(err)
		}
		sum, _, err := files.Digest(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, Entry{name, sum})
	}
	list, err := FormatList(entries)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ChecksumsFile), list, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tool := range [][]string{
		{"sha256sum", "--strict", "-c", ChecksumsFile},
		{"shasum", "-a", "256", "-c", ChecksumsFile},
	} {
		t.Run(tool[0], func(t *testing.T) {
			if _, err := exec.LookPath(tool[0]); err != nil {
				t.Skipf("%s is not on this machine: the list was not tried with it", tool[0])
			}
			cmd := exec.Command(tool[0], tool[1:]...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %v\n%s", tool, err, out)
			}
			// The tool must be looking at the files at all.
			path := filepath.Join(dir, "z")
			if err := os.WriteFile(path, []byte("changed"), 0o600); err != nil {
				t.Fatal(err)
			}
			defer os.WriteFile(path, []byte("content of z"), 0o600)
			cmd = exec.Command(tool[0], tool[1:]...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err == nil {
				t.Errorf("%v accepts a changed file\n%s", tool, out)
			}
		})
	}
	// What sha256sum itself writes is what we read.
	if _, err := exec.LookPath("sha256sum"); err == nil && runtime.GOOS != "windows" {
		cmd := exec.Command("sha256sum", "a.zip", "b_1.0_linux_arm_7.tar.gz", "with space.txt")
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseList(out); err != nil {
			t.Errorf("sha256sum's own list: %v", err)
		}
	}
}

func FuzzParseList(f *testing.F) {
	for _, seed := range []string{
		"", "\n", hexA + "  a\n", hexA + "  a\n" + hexB + "  b\n", hexA + " *a\n", hexA + "  ../a\r\n",
		hexA + "  K\n" + hexA + "  \u212a\n", "\\" + hexA + "  a\\nb\n", strings.ToUpper(hexA) + "  x\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := ParseList(data)
		if err != nil {
			return
		}
		for _, e := range entries {
			if !filepath.IsLocal(e.Name) || filepath.Base(e.Name) != e.Name || strings.ContainsAny(e.Name, "\r\n\x00") {
				t.Errorf("accepted name %q", e.Name)
			}
		}
		out, err := FormatList(entries)
		if err != nil {
			t.Fatalf("accepted what cannot be written: %v", err)
		}
		if !bytes.Equal(out, data) {
			t.Errorf("%q reads and writes as %q", data, out)
		}
	})
}
