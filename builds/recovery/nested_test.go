package recovery

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/archive"
)

// cpioOf has members of a name, a mode in octal digits and content.
func cpioOf(members ...[3]string) []byte {
	var buf bytes.Buffer
	add := func(name string, mode, links int, data string) {
		fmt.Fprintf(&buf, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
		buf.WriteString(name + "\x00")
		buf.Write(make([]byte, -buf.Len()&3))
		buf.WriteString(data)
		buf.Write(make([]byte, -buf.Len()&3))
	}
	for _, m := range members {
		var mode int
		fmt.Sscanf(m[1], "%o", &mode)
		links := 1
		if strings.HasPrefix(m[0], "linked") {
			links = 2
		}
		add(m[0], mode, links, m[2])
	}
	add("TRAILER!!!", 0, 1, "")
	return buf.Bytes()
}

func gzipOf(data []byte) []byte {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	z.Write(data)
	z.Close()
	return buf.Bytes()
}

// Tags of an RPM package, and the type of a text (rpmtag.h).
const (
	rpmVersion       = 1001
	rpmPayloadFormat = 1124
	rpmString        = 6
)

// rpmOf is a package of version 1.7.0 with a script.
func rpmOf(payload []byte) []byte {
	header := func(tags ...any) []byte {
		var index, data []byte
		for i := 0; i < len(tags); i += 2 {
			for _, v := range []uint32{uint32(tags[i].(int)), rpmString, uint32(len(data)), 1} {
				index = binary.BigEndian.AppendUint32(index, v)
			}
			data = append(append(data, tags[i+1].(string)...), 0)
		}
		out := append([]byte(archive.RPMHeader), 0, 0, 0, 0)
		out = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(out, uint32(len(tags)/2)), uint32(len(data)))
		return append(append(out, index...), data...)
	}
	b := append([]byte(archive.RPMMagic), make([]byte, archive.RPMLead-4)...)
	b = append(b, header(1000, "x")...)
	b = append(b, make([]byte, -len(b)&7)...)
	b = append(b, header(1000, "tool", rpmVersion, "1.7.0", 1024, "ldconfig", 1086, "/bin/sh", rpmPayloadFormat, "cpio")...)
	return append(b, payload...)
}

// apkOf is an Alpine package: three streams, of which the last alone has an end.
func apkOf(t testing.TB, members ...[2]string) []byte {
	open := func(members ...[2]string) []byte {
		return bytes.TrimSuffix(tarOf(t, false, members...), make([]byte, 1024))
	}
	out := append(gzipOf(open([2]string{".SIGN.RSA.x.pub", "\x01\x02"})), gzipOf(open([2]string{".PKGINFO", "pkgver = 1.0"}, [2]string{".post-install", "evil\n"}))...)
	return append(out, gzipOf(tarOf(t, false, members...))...)
}

func collect(t *testing.T, name string, data []byte) (string, *Found) {
	t.Helper()
	dir, work := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	found, err := Collect(t.Context(), []string{file}, work)
	if err != nil {
		t.Fatal(err)
	}
	copies, err := os.ReadDir(work)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range copies {
		if strings.HasPrefix(c.Name(), "nested") {
			t.Errorf("%s: a copy of an archive is left", name)
		}
	}
	return summary(t, dir, found), found
}

func TestNested(t *testing.T) {
	layer := tarOf(t, true, [2]string{"usr/bin/tool", elf}, [2]string{"etc/x", "words"})
	deep := tarOf(t, true, [2]string{"tool", elf})
	for range MaxDepth {
		deep = tarOf(t, true, [2]string{"a.tgz", string(deep)})
	}
	signature := "apk!.SIGN.RSA.x.pub: not looked at: neither a Go binary nor text: nobody here knows what it does|apk!.post-install: not looked at: script, which no Go build makes|"
	for _, tt := range []struct {
		file   string
		data   []byte
		want   string
		format string // of the last holder
	}{
		{"rpm", rpmOf(cpioOf([3]string{"./usr/bin/tool", "100755", elf}, [3]string{"./usr/share/doc", "100644", "words"}, [3]string{"./link", "120777", "tool"}, [3]string{"./dir", "40755", ""}, [3]string{"linked1", "100755", ""}, [3]string{"linked2", "100755", elf})),
			"rpm!(postin): not looked at: script, which no Go build makes|rpm!usr/bin/tool [v1.7.0]|rpm!link [v1.7.0]: not looked at: a symbolic link, to \"tool\"|rpm!linked1 [v1.7.0]: not looked at: a hard link, to \"another member, which has the content\"|rpm!linked2 [v1.7.0]|(text rpm!usr/share/doc)", "rpm"},
		{"rpm.gz", rpmOf(gzipOf(cpioOf([3]string{"/usr/bin/tool", "100755", elf}))), "rpm.gz!(postin): not looked at: script, which no Go build makes|rpm.gz!usr/bin/tool [v1.7.0]", "rpm"},
		{"out.rpm", rpmOf(cpioOf([3]string{"./../tool", "100755", elf})), "out.rpm!(postin): not looked at: script, which no Go build makes|out.rpm!../tool [v1.7.0]|out.rpm: not all of the archive is in its members: a name that leads out…", "rpm"},
		{"odd.rpm", rpmOf(append(cpioOf([3]string{"./tool", "100755", elf}), "junk"...)), "odd.rpm!(postin): not looked at: script, which no Go build makes|odd.rpm!tool [v1.7.0]|odd.rpm: not all of the archive is in its members: bytes after the end of the cpio archive…", "rpm"},
		{"cut.rpm", rpmOf(cpioOf([3]string{"./tool", "100755", elf}))[:400], "cut.rpm!(postin)…", ""},
		{"lzma.rpm", rpmOf([]byte("\x5d\x00\x00\x80")), "lzma.rpm!(postin): not looked at: script, which no Go build makes|lzma.rpm: not looked at: its payload is no cpio archive…", "rpm"},
		{"short.rpm", []byte(archive.RPMMagic + "x"), "short.rpm: damaged RPM package: signatures: it does not begin as one", ""},
		{"apk", apkOf(t, [2]string{"usr/bin/tool", elf}), signature + "apk!usr/bin/tool|(text apk!.PKGINFO)", "apk"},
		{"more.apk", append(apkOf(t, [2]string{"tool", elf}), gzipOf(nil)...), "more.apk!.SIGN.RSA.x.pub: not…", "apk"},
		{"docker.tar", tarOf(t, false, [2]string{"0123.json", `{"config":{}}`}, [2]string{"4567/layer.tar", string(tarOf(t, false, [2]string{"tool", elf}))}, [2]string{"manifest.json", `[{"Config":"0123.json","RepoTags":["example.com:5000/x/tool:1.9.2"],"Layers":["4567/layer.tar"]}]`}),
			"docker.tar!4567/layer.tar!tool [v1.9.2]|(text docker.tar!0123.json)|(text docker.tar!manifest.json)", "OCI image, tar"},
		{"oci.tgz", tarOf(t, true, [2]string{"oci-layout", `{"imageLayoutVersion":"1.0.0"}`}, [2]string{"blobs/sha256/0123", string(layer)}, [2]string{"blobs/sha256/4567", `{"config":{"Labels":{"org.opencontainers.image.version":"v2.3.4"}}}`}, [2]string{"index.json", `{}`}),
			"oci.tgz!blobs/sha256/0123!usr/bin/tool [v2.3.4]|(text oci.tgz!oci-layout)|(text oci.tgz!blobs/sha256/0123!etc/x)|(text oci.tgz!blobs/sha256/4567)|(text oci.tgz!index.json)", "OCI image, tar.gz"},
		{"tool-1.2.3-py3-none-any.whl", zipOf(t, "tool-1.2.3.data/scripts/tool", elf), "tool-1.2.3-py3-none-any.whl!tool-1.2.3.data/scripts/tool [v1.2.3]", "zip"},
		{"deep.tgz", deep, "deep.tgz!a.tgz!a.tgz!a.tgz!tool", "tar.gz"},
		{"deeper.tgz", tarOf(t, true, [2]string{"a.tgz", string(deep)}), "deeper.tgz!a.tgz!a.tgz!a.tgz!a.tgz: not looked at: an archive or compressed file in 4 others, more than are opened; unpack it and name its files", "tar.gz"},
		{"deb.zip", zipOf(t, "x_1.2.3_amd64.deb", string(arOf([2]string{"data.tar", string(tarOf(t, false, [2]string{"tool", elf}))}))), "deb.zip!x_1.2.3_amd64.deb!tool [v1.2.3]", "zip"},
		{"lib.zip", zipOf(t, "x.a", string(arOf([2]string{"x.o", "x"}))), "lib.zip!x.a: an ar archive that is no Debian package", "zip"},
		{"gz.zip", zipOf(t, "tool.gz", string(gzipOf([]byte(elf)))), "gz.zip!tool.gz!tool", "zip"},
		{"broken.zip", zipOf(t, "tool.tgz", string(layer[:60])), "broken.zip!tool.tgz: damaged archive…", "zip"},
	} {
		got, found := collect(t, tt.file, tt.data)
		if prefix, ok := strings.CutSuffix(tt.want, "…"); got != tt.want && !ok || !strings.HasPrefix(got, prefix) {
			t.Errorf("%s: %q, want %q", tt.file, got, tt.want)
		}
		if n := len(found.Holders); tt.format != "" && (n == 0 || found.Holders[n-1].Format != tt.format) {
			t.Errorf("%s: %+v", tt.file, found.Holders)
		}
	}
	if got, _ := collect(t, "more.apk", append(apkOf(t, [2]string{"tool", elf}), gzipOf(nil)...)); !strings.Contains(got, "more.apk: not all of the archive is in its members: a further compressed stream") {
		t.Error(got)
	}
	_, found := collect(t, "x.zip", zipOf(t, "a/b.tgz", string(layer)))
	if in := found.Inputs[0]; in.Member != "a/b.tgz!usr/bin/tool" {
		t.Errorf("%+v", in)
	}
}

// Archives in archives multiply: what they cost together is bounded.
func TestNestedBound(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.tgz")
	inner := string(tarOf(t, true, [2]string{"zeros", strings.Repeat("\x00", 1<<20)}))
	if err := os.WriteFile(file, tarOf(t, true, [2]string{"a.tgz", inner}, [2]string{"b.tgz", inner}, [2]string{"c.tgz", inner}, [2]string{"tool", elf}), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		c    collector
		want string
	}{
		{collector{nested: 2, unpacking: 1 << 30}, "x.tgz!c.tgz: not looked at: more or larger archives"},
		{collector{nested: 9, unpacking: 3 << 19}, "x.tgz!b.tgz: not read to its end: zeros: more than this tool unpacks of archives in archives"},
	} {
		tt.c.ctx, tt.c.work, tt.c.copies, tt.c.looking, tt.c.manuals = t.Context(), t.TempDir(), 1<<20, 1<<20, 1<<20
		if err := tt.c.file(item{name: "x.tgz", at: file, mode: 0o644, named: true}); err != nil {
			t.Fatal(err)
		}
		if got := summary(t, dir, &tt.c.Found); !strings.Contains(got, tt.want) || !strings.Contains(got, "x.tgz!tool") {
			t.Errorf("%q, want %q", got, tt.want)
		}
		if tt.c.copies != 1<<20-int64(len(elf)) {
			t.Errorf("%d bytes may be copied", tt.c.copies)
		}
	}
}

func FuzzRPM(f *testing.F) {
	f.Add(rpmOf(cpioOf([3]string{"x", "100755", elf})))
	f.Add([]byte(archive.RPMMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := archive.ReadRPM(bytes.NewReader(data), int64(len(data)))
		if err == nil && (p.Payload < archive.RPMLead || p.Payload > int64(len(data))) {
			t.Errorf("%+v", p)
		}
	})
}

func FuzzCPIO(f *testing.F) {
	f.Add(cpioOf([3]string{"x", "100755", elf}, [3]string{"l", "120777", "x"}))
	f.Add(gzipOf(cpioOf([3]string{"x", "100755", elf})))
	f.Fuzz(func(t *testing.T, data []byte) {
		archive.WalkCPIO(t.Context(), bytes.NewReader(data), int64(len(data)), archive.Visitor{})
	})
}
