package recovery

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/mintmark/mintmark/builds/universal"
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
		mode := int64(0o644)
		if isExecutable([]byte(m[1])) {
			mode = 0o755
		}
		if err := w.WriteHeader(&tar.Header{Name: m[0], Mode: mode, Size: int64(len(m[1]))}); err != nil {
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

// linksTar has a program, links and a device.
func linksTar(t testing.TB) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range []tar.Header{
		{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": "a commit"}},
		{Typeflag: tar.TypeDir, Name: "./"}, {Typeflag: tar.TypeReg, Name: "tool", Mode: 0o755, Size: int64(len(elf))},
		{Typeflag: tar.TypeSymlink, Name: "s", Linkname: "/bin/sh"}, {Typeflag: tar.TypeLink, Name: "h", Linkname: "tool"}, {Typeflag: tar.TypeChar, Name: "d"},
	} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			w.Write([]byte(elf))
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func xzOf(t testing.TB, data string) string {
	t.Helper()
	var buf bytes.Buffer
	w, err := xz.NewWriter(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
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

// fatOf lays slices out as lipo does, at multiples of 4096.
func fatOf(parts ...string) []byte {
	head := binary.BigEndian.AppendUint32([]byte(universal.Magic), uint32(len(parts)))
	body := make([]byte, 4096)
	for i, p := range parts {
		body = append(body, make([]byte, -len(body)&4095)...)
		for _, v := range []uint32{[]uint32{0x01000007, 0x0100000c}[i%2], []uint32{3, 0}[i%2], uint32(len(body)), uint32(len(p)), 12} {
			head = binary.BigEndian.AppendUint32(head, v)
		}
		body = append(body, p...)
	}
	copy(body, head)
	return body
}

// thin is the beginning of a Mach-O file for amd64 or arm64, and some text.
func thin(cpu byte, text string) string {
	sub := "\x03\x00\x00\x00"
	if cpu == 0x0c {
		sub = "\x00\x00\x00\x00"
	}
	return "\xcf\xfa\xed\xfe" + string(rune(cpu)) + "\x00\x00\x01" + sub + text
}

// summary writes what was found as names, reasons and kinds.
func summary(t *testing.T, dir string, f *Found) string {
	t.Helper()
	var got []string
	short := func(name string) string {
		return filepath.ToSlash(strings.TrimPrefix(name, dir+string(filepath.Separator)))
	}
	for _, in := range f.Inputs {
		s := short(in.Name)
		if len(in.Versions) > 0 {
			s += fmt.Sprint(" ", in.Versions)
		}
		switch {
		case in.Skip != "":
			s += ": " + in.Skip
		case in.Kind == KindUniversal:
			s += fmt.Sprint(" of ", in.parts)
		default:
			if data, err := os.ReadFile(in.Path); err != nil || !isExecutable(data) {
				t.Errorf("%s: %v, %q", in.Name, err, data)
			}
		}
		got = append(got, s)
	}
	for _, l := range f.Listed {
		got = append(got, fmt.Sprintf("(%s %s)", l.Kind, short(l.Name)))
	}
	return strings.Join(got, "|")
}

func TestCollect(t *testing.T) {
	dir := t.TempDir()
	mac := fatOf(thin(7, "amd64 code"), thin(0x0c, "arm64 code"))
	gzipped := func(s string) string {
		var buf bytes.Buffer
		z := gzip.NewWriter(&buf)
		z.Write([]byte(s))
		z.Close()
		return buf.String()
	}
	for _, tt := range []struct {
		file string
		data []byte
		want string // names, versions and reasons; ends with … where more follows
	}{
		{"tool", []byte(elf), "tool"},
		{"text", []byte("just words, and a few more of them"), "text: neither an executable nor an archive…"},
		{"empty", nil, "empty: neither an executable nor an archive…"},
		{"Class.class", []byte("\xca\xfe\xba\xbe\x00\x00\x00\x34 and so on"), "Class.class: neither…"},
		{"tool-1.4.0.tgz", tarOf(t, true, [2]string{"package/bin/tool", elf}, [2]string{"package/package.json", `{"version": "1.5.0"}`}, [2]string{"package/README", "words"}),
			"tool-1.4.0.tgz!package/bin/tool [v1.5.0 v1.4.0]|(text tool-1.4.0.tgz!package/package.json)|(text tool-1.4.0.tgz!package/README)"},
		{"hooks.tgz", tarOf(t, true, [2]string{"bin", elf}, [2]string{"package.json", `{"version": "1.5.0", "scripts": {"postinstall": "node x"}}`}),
			"hooks.tgz!bin [v1.5.0]|hooks.tgz!package.json [v1.5.0]: not looked at: package.json with a script that runs at installation…"},
		{"tool_2.0.1_linux.zip", zipOf(t, "tool.exe", "MZ and so on, long enough"), "tool_2.0.1_linux.zip!tool.exe [v2.0.1]"},
		{"plain.tar", tarOf(t, false, [2]string{"./a/b", elf}), "plain.tar!a/b"},
		{"tool_1.0.0-1_amd64.deb", arOf([2]string{"debian-binary", "2.0\n"}, [2]string{"control.tar.gz", string(tarOf(t, true, [2]string{"./postinst", "#!/bin/sh\n"}))},
			[2]string{"data.tar.gz/", string(tarOf(t, true, [2]string{"./usr/bin/tool", elf}, [2]string{"./usr/share/man/tool.1.gz", gzipped("a manual")}))}),
			"tool_1.0.0-1_amd64.deb!control.tar.gz!postinst [v1.0.0]: not looked at: script, which no Go build makes|tool_1.0.0-1_amd64.deb!usr/bin/tool [v1.0.0]|" +
				"(text tool_1.0.0-1_amd64.deb!debian-binary)|(compressed text tool_1.0.0-1_amd64.deb!usr/share/man/tool.1.gz)"},
		{"xz.deb", arOf([2]string{"debian-binary", "2.0\n"}, [2]string{"data.tar.xz", xzOf(t, string(tarOf(t, false, [2]string{"./usr/bin/tool", elf})))}), "xz.deb!usr/bin/tool|(text xz.deb!debian-binary)"},
		{"broken.xz.deb", arOf([2]string{"data.tar.xz", "\xfd7zXZ\x00"}), "broken.xz.deb!data.tar.xz: damaged archive…"},
		{"lzma.deb", arOf([2]string{"data.tar.lzma", "\x5d\x00\x00"}), "lzma.deb!data.tar.lzma: not looked at: not a tar that this tool reads"},
		{"tool_1.0.0_linux.gz", []byte(gzipped(elf)), "tool_1.0.0_linux.gz!tool_1.0.0_linux [v1.0.0]"},
		{"tool.xz", []byte(xzOf(t, elf)), "tool.xz!tool"},
		{"tool.tar.xz", []byte(xzOf(t, string(tarOf(t, false, [2]string{"tool", elf})))), "tool.tar.xz!tool"},
		{"fat.gz", []byte(gzipped(string(mac))), "fat.gz!fat!amd64|fat.gz!fat!arm64|fat.gz!fat of [0 1]"},
		{"two.gz", []byte(gzipped(elf) + gzipped("more")), "two.gz: not all of it is in what it unpacks to: a further compressed stream: 28 bytes at offset 51|two.gz!two"},
		{"cut.gz", []byte(gzipped(elf + strings.Repeat("x", 100000))[:60]), "cut.gz: not unpacked: unexpected EOF"},
		{"words.gz", []byte(gzipped("words")), "words.gz: neither an executable nor an archive…"},
		{"padded.deb", bytes.Replace(arOf([2]string{"debian-binary", "2.0"}, [2]string{"data.tar", string(tarOf(t, false, [2]string{"a", elf}))}), []byte("2.0\n"), []byte("2.0x"), 1), "padded.deb: not all of the archive is in its members: padding…"},
		{"libx.a", arOf([2]string{"x.o", elf}), "libx.a: an ar archive that is no Debian package"},
		{"broken.deb", []byte("!<arch>\nnot a header"), "broken.deb: damaged ar archive…"},
		{"words.tgz", tarOf(t, true, [2]string{"README", "words"}), "words.tgz: no executable in this archive|(text words.tgz!README)"},
		{"truncated-1.0.0.tgz", tarOf(t, true, [2]string{"bin", strings.Repeat(elf, 4000)})[:100], "truncated-1.0.0.tgz: damaged archive…"},
		{"universal", mac, "universal!amd64|universal!arm64|universal of [0 1]"},
		{"universal.tgz", tarOf(t, true, [2]string{"tool", string(mac)}), "universal.tgz!tool!amd64|universal.tgz!tool!arm64|universal.tgz!tool of [0 1]"},
		// Each of these had no entry, and the rest came out identical.
		{"nested.tgz", tarOf(t, true, [2]string{"tool", elf}, [2]string{"inner.zip", string(zipOf(t, "x", elf))}), "nested.tgz!tool|nested.tgz!inner.zip!x"},
		{"script.tgz", tarOf(t, true, [2]string{"tool", elf}, [2]string{"run.js", "code()"}, [2]string{"run", "#!/bin/sh\n"}), "script.tgz!tool|script.tgz!run.js: not looked at: script…"},
		// What runs at installation or by name is called neither executable nor a script.
		{"gyp.tgz", tarOf(t, true, [2]string{"package/tool", elf}, [2]string{"package/binding.gyp", `{"targets": [{"sources": ["<!(evil)"]}]}`}),
			"gyp.tgz!package/tool|gyp.tgz!package/binding.gyp: not looked at: script, which no Go build makes"},
		{"bin.tgz", tarOf(t, true, [2]string{"package/tool", elf}, [2]string{"package/run", "evil\n"}, [2]string{"package/load.txt", "evil()"}, [2]string{"package/words", "words"},
			[2]string{"package/package.json", `{"bin": {"x": "./run"}, "main": "load.txt"}`}),
			"bin.tgz!package/tool|bin.tgz!package/run: not looked at: script, which no Go build makes|bin.tgz!package/load.txt: not looked at: script, which no Go build makes|" +
				"(text bin.tgz!package/words)|(text bin.tgz!package/package.json)"},
		{"maintainer.deb", arOf([2]string{"control.tar.gz", string(tarOf(t, true, [2]string{"./postinst", "evil\n"}, [2]string{"./control", "words"}))},
			[2]string{"data.tar", string(tarOf(t, false, [2]string{"tool", elf}, [2]string{"config", "words"}))}),
			"maintainer.deb!control.tar.gz!postinst: not looked at: script, which no Go build makes|maintainer.deb!tool|(text maintainer.deb!control.tar.gz!control)|(text maintainer.deb!config)"},
		{"odd.tgz", tarOf(t, true, [2]string{"tool", elf}, [2]string{"blob", "\x01\x02\x03"}), "odd.tgz!tool|odd.tgz!blob: not looked at: neither a Go binary nor text…"},
		{"class.tgz", tarOf(t, true, [2]string{"tool", elf}, [2]string{"A.class", "\xca\xfe\xba\xbe\x00\x00\x00\x34"}), "class.tgz!tool|class.tgz!A.class: not looked at: code that is not Go's…"},
		{"manual.tgz", tarOf(t, true, [2]string{"tool", elf}, [2]string{"x.gz", gzipped("\x01\x02\x00")}), "manual.tgz!tool|manual.tgz!x.gz: not looked at: an archive or compressed file inside…"},
		{"junk.tgz", append(tarOf(t, true, [2]string{"tool", elf}), "junk"...), "junk.tgz!tool|junk.tgz: not all of the archive is in its members: bytes after the end of the archive…"},
		{"links.tar", linksTar(t), "links.tar!tool|links.tar!s: not looked at: a symbolic link, to \"/bin/sh\"|links.tar!h: not looked at: a hard link, to \"tool\"|links.tar!d: not looked at: other"},
		{"two.tgz", tarOf(t, true, [2]string{"tool", elf}, [2]string{"Tool", elf}), "two.tgz!tool|two.tgz!Tool|two.tgz: not all of the archive is in its members: two members…"},
		{"out.tgz", tarOf(t, true, [2]string{"../tool", elf}), "out.tgz!../tool|out.tgz: not all of the archive is in its members: a name that leads out…"},
	} {
		file := filepath.Join(dir, tt.file)
		if err := os.WriteFile(file, tt.data, 0o644); err != nil {
			t.Fatal(err)
		}
		found, err := Collect(t.Context(), []string{file}, t.TempDir())
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		got := summary(t, dir, found)
		if prefix, ok := strings.CutSuffix(tt.want, "…"); got != tt.want && !ok || !strings.HasPrefix(got, prefix) {
			t.Errorf("%s: %q, want %q", tt.file, got, tt.want)
		}
	}
	if _, err := Collect(t.Context(), []string{filepath.Join(dir, "missing")}, t.TempDir()); !os.IsNotExist(err) {
		t.Errorf("missing file: %v", err)
	}
}

// TestCollectDirectory: of a directory every file has an entry, also what is
// not followed and not read.
func TestCollectDirectory(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string]string{
		"a/tool": elf, "a/README": "words", "a/words.tgz": string(tarOf(t, true, [2]string{"README", "words"})), "a/logo": "\x89PNG\r\n\x1a\n\x00", "a/man.1.gz": string(tarOf(t, true)), "a/empty": "", "a/b.bin": "\x00\x01",
	} {
		if err := os.MkdirAll(filepath.Join(dir, "a"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := "a/b.bin: not looked at: neither a Go binary nor text: nobody here knows what it does|"
	if err := os.Symlink("..", filepath.Join(dir, "a", "loop")); err == nil {
		want += `a/loop: not looked at: a symbolic link, to ".."|`
	}
	want += "a/tool|" +
		"(text a/README)|(empty file a/empty)|(picture or font a/logo)|(text a/words.tgz!README)"
	found, err := Collect(t.Context(), []string{filepath.Join(dir, "a")}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got := summary(t, dir, found); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// A directory that was named by a link is looked at.
	link := filepath.Join(dir, "link")
	if os.Symlink("a", link) == nil {
		again, err := Collect(t.Context(), []string{link}, t.TempDir())
		if err != nil || len(again.Inputs) != len(found.Inputs) || len(again.Listed) != len(found.Listed) {
			t.Errorf("by a link: %v, %+v", err, again)
		}
	}
	if found, err := Collect(t.Context(), []string{t.TempDir()}, t.TempDir()); err != nil || len(found.Inputs) != 1 || found.Inputs[0].Skip == "" {
		t.Errorf("an empty directory: %v, %+v", err, found)
	}
}

// TestCollectBound: what is copied is bounded before it is written.
func TestCollectBound(t *testing.T) {
	dir, work := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "x.tgz")
	if err := os.WriteFile(file, tarOf(t, true, [2]string{"small", elf}, [2]string{"large", elf + strings.Repeat("x", 1000)}, [2]string{"text", "words"}), 0o644); err != nil {
		t.Fatal(err)
	}
	c := &collector{ctx: t.Context(), work: work, copies: 500, looking: 1 << 20, manuals: 1 << 20, nested: 10, unpacking: 1 << 20}
	if err := c.file(item{name: "x.tgz", at: file, mode: 0o644, named: true}); err != nil {
		t.Fatal(err)
	}
	if got := summary(t, dir, &c.Found); !strings.HasPrefix(got, "x.tgz!small|x.tgz!large: not looked at: more or larger") {
		t.Error(got)
	}
	entries, err := os.ReadDir(work)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func FuzzCollect(f *testing.F) {
	f.Add(arOf([2]string{"data.tar.gz", string(tarOf(f, true, [2]string{"x", elf}))}))
	f.Add(fatOf(thin(7, "x"), thin(0x0c, "y")))
	f.Add(tarOf(f, true, [2]string{"package.json", `{"version":"1"}`}, [2]string{"x", elf}))
	f.Add(rpmOf(cpioOf([3]string{"./x", "100755", elf})))
	f.Add(apkOf(f, [2]string{"x", elf}))
	f.Add(tarOf(f, true, [2]string{"x.tgz", string(tarOf(f, true, [2]string{"x", elf}))}))
	f.Add([]byte("!<arch>\n" + strings.Repeat(" ", 48) + "-1        `\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		name := filepath.Join(dir, "file")
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		found, err := Collect(t.Context(), []string{name}, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Inputs) == 0 {
			t.Error("a named file vanished")
		}
	})
}

// TestCollectNoSpace: what cannot be written is an error of this machine, and says
// nothing of the file.
func TestCollectNoSpace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "x.gz")
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	z.Write([]byte(elf))
	z.Close()
	if err := os.WriteFile(file, buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	c := &collector{ctx: t.Context(), work: filepath.Join(dir, "none"), copies: 1 << 20, looking: 1 << 20, manuals: 1 << 20}
	if err := c.file(item{name: "x.gz", at: file, mode: 0o644, named: true}); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "x.gz: ") {
		t.Errorf("%v, and %+v", err, c.Found)
	}
}
