package foreign

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const elf = "\x7fELF and so on, long enough"

func tarOf(t testing.TB, zipped bool, members ...[2]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	w := tar.NewWriter(z)
	if !zipped {
		w = tar.NewWriter(&buf)
	}
	for _, m := range members {
		if err := w.WriteHeader(&tar.Header{Name: m[0], Mode: 0o755, Size: int64(len(m[1]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if zipped {
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}

func zipOf(t testing.TB, name, data string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	m, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	m.Write([]byte(data))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func arOf(members ...[2]string) []byte {
	var buf bytes.Buffer
	buf.WriteString("!<arch>\n")
	for _, m := range members {
		fmt.Fprintf(&buf, "%-16s%-12d%-6d%-6d%-8o%-10d`\n%s", m[0], 0, 0, 0, 0o644, len(m[1]), m[1])
		if len(m[1])%2 == 1 {
			buf.WriteByte('\n')
		}
	}
	return buf.Bytes()
}

func fatOf(parts ...string) []byte {
	head := binary.BigEndian.AppendUint32([]byte("\xca\xfe\xba\xbe"), uint32(len(parts)))
	var body []byte
	for i, p := range parts {
		for _, v := range []uint32{[]uint32{0x01000007, 0x0100000c}[i%2], 0, uint32(1000 + len(body)), uint32(len(p)), 0} {
			head = binary.BigEndian.AppendUint32(head, v)
		}
		body = append(body, p...)
	}
	return append(append(head, make([]byte, 1000-len(head))...), body...)
}

func TestCollect(t *testing.T) {
	dir := t.TempDir()
	files := map[string][]byte{
		"tool":                   []byte(elf),
		"text":                   []byte("just words, and a few more of them"),
		"tool-1.4.0.tgz":         tarOf(t, true, [2]string{"package/bin/tool", elf}, [2]string{"package/package.json", `{"version": "1.5.0"}`}, [2]string{"package/README", "words"}),
		"tool_2.0.1_linux.zip":   zipOf(t, "tool.exe", "MZ and so on, long enough"),
		"plain.tar":              tarOf(t, false, [2]string{"./a/b", elf}),
		"tool_1.0.0-1_amd64.deb": arOf([2]string{"debian-binary", "2.0\n"}, [2]string{"control.tar.gz", "odd"}, [2]string{"data.tar.gz/", string(tarOf(t, true, [2]string{"./usr/bin/tool", elf}))}),
		"xz.deb":                 arOf([2]string{"debian-binary", "2.0\n"}, [2]string{"data.tar.xz", "\xfd7zXZ"}),
		"libx.a":                 arOf([2]string{"x.o", elf}),
		"broken.deb":             []byte("!<arch>\nnot a header"),
		"words.tgz":              tarOf(t, true, [2]string{"README", "words"}),
		"truncated-1.0.0.tgz":    tarOf(t, true, [2]string{"bin", strings.Repeat(elf, 4000)})[:100],
		"universal":              fatOf("\xcf\xfa\xed\xfe amd64 code", "\xcf\xfa\xed\xfe arm64 code"),
		"Class.class":            []byte("\xca\xfe\xba\xbe\x00\x00\x00\x34 and so on"),
		"empty":                  nil,
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		file string
		want string // names, versions and reasons
	}{
		{"tool", "tool"},
		{"text", "text: neither an executable nor an archive"},
		{"empty", "empty: neither an executable nor an archive"},
		{"Class.class", "Class.class: neither"},
		{"tool-1.4.0.tgz", "tool-1.4.0.tgz!package/bin/tool [v1.5.0 v1.4.0]"},
		{"tool_2.0.1_linux.zip", "tool_2.0.1_linux.zip!tool.exe [v2.0.1]"},
		{"plain.tar", "plain.tar!a/b"},
		{"tool_1.0.0-1_amd64.deb", "tool_1.0.0-1_amd64.deb!usr/bin/tool [v1.0.0]"},
		{"xz.deb", "xz.deb: its content is compressed as xz"},
		{"libx.a", "libx.a: an ar archive that is no Debian package"},
		{"broken.deb", "broken.deb: damaged ar archive"},
		{"words.tgz", "words.tgz: no executable in this archive"},
		{"truncated-1.0.0.tgz", "truncated-1.0.0.tgz: damaged archive"},
		{"universal", "universal!amd64|universal!arm64"},
	} {
		inputs, err := Collect(t.Context(), []string{filepath.Join(dir, tt.file)}, t.TempDir())
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		var got []string
		for _, in := range inputs {
			s := strings.TrimPrefix(in.Name, dir+string(filepath.Separator))
			if len(in.Versions) > 0 {
				s += fmt.Sprint(" ", in.Versions)
			}
			if in.Skip != "" {
				s += ": " + in.Skip
			} else if data, err := os.ReadFile(in.Path); err != nil || !isExecutable(data) {
				t.Errorf("%s: %v, %q", tt.file, err, data)
			}
			got = append(got, s)
		}
		if s := strings.Join(got, "|"); s != tt.want && !strings.Contains(tt.want, ": ") || !strings.HasPrefix(s, tt.want) {
			t.Errorf("%s: %q, want %q", tt.file, s, tt.want)
		}
	}
	// Of a directory, what is no executable is left out, what is damaged is not.
	inputs, err := Collect(t.Context(), []string{dir}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var skipped []string
	for _, in := range inputs {
		if in.Skip != "" {
			skipped = append(skipped, filepath.Base(in.Name))
		}
	}
	if s := strings.Join(skipped, " "); len(inputs) != 10 || s != "broken.deb truncated-1.0.0.tgz xz.deb" {
		t.Errorf("%d inputs, skipped %s", len(inputs), s)
	}
	if _, err := Collect(t.Context(), []string{filepath.Join(dir, "missing")}, t.TempDir()); !os.IsNotExist(err) {
		t.Errorf("missing file: %v", err)
	}
}

func FuzzCollect(f *testing.F) {
	f.Add(arOf([2]string{"data.tar.gz", string(tarOf(f, true, [2]string{"x", elf}))}))
	f.Add(fatOf("\xcf\xfa\xed\xfe x", "\xcf\xfa\xed\xfe y"))
	f.Add(tarOf(f, true, [2]string{"package.json", `{"version":"1"}`}, [2]string{"x", elf}))
	f.Add([]byte("!<arch>\n" + strings.Repeat(" ", 48) + "-1        `\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		name := filepath.Join(dir, "file")
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		inputs, err := Collect(t.Context(), []string{name}, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if len(inputs) == 0 {
			t.Error("a named file vanished")
		}
	})
}
