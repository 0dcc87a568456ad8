package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// rawZip is one member of a zip that no tool would write.
type rawZip struct {
	name, local string // local: the name in its own header, when it is another
	data        string
	method      uint16
	flags       uint16
	before      string // bytes in front of it
	hidden      string // behind its compressed data, and counted to them
	sameAs      int    // 1 + the member whose bytes it takes for its own
	size        uint64 // as the directory says it; 0 for the true one
	mode        uint32
}

// zipOf writes a zip, with tail between its members and its directory.
func zipOf(tail string, members ...rawZip) []byte {
	le := binary.LittleEndian
	var out, dir []byte
	offsets := make([]int, len(members))
	packed := make([]int, len(members))
	for i, m := range members {
		data := []byte(m.data)
		if m.method == 8 {
			var buf bytes.Buffer
			w, _ := flate.NewWriter(&buf, 6)
			io.WriteString(w, m.data)
			w.Close()
			data = buf.Bytes()
		}
		data = append(data, m.hidden...)
		size := uint64(len(m.data))
		if m.size != 0 {
			size = m.size
		}
		fixed := func(b []byte) []byte {
			for _, v := range []uint16{20, m.flags, m.method, 0, 0x21} {
				b = le.AppendUint16(b, v)
			}
			b = le.AppendUint32(b, crc32.ChecksumIEEE([]byte(m.data)))
			b = le.AppendUint32(b, uint32(packed[i]))
			return le.AppendUint32(b, uint32(size))
		}
		local := m.name
		if m.local != "" {
			local = m.local
		}
		if m.sameAs > 0 {
			offsets[i], packed[i] = offsets[m.sameAs-1], packed[m.sameAs-1]
		} else {
			out = append(out, m.before...)
			offsets[i], packed[i] = len(out), len(data)
			out = fixed(append(out, "PK\x03\x04"...))
			out = le.AppendUint16(le.AppendUint16(out, uint16(len(local))), 0)
			out = append(append(out, local...), data...)
		}
		dir = append(dir, "PK\x01\x02\x14\x03"...)
		dir = fixed(dir)
		for _, v := range []uint16{uint16(len(m.name)), 0, 0, 0, 0} {
			dir = le.AppendUint16(dir, v)
		}
		dir = le.AppendUint32(dir, m.mode<<16)
		dir = le.AppendUint32(dir, uint32(offsets[i]))
		dir = append(dir, m.name...)
	}
	out = append(out, tail...)
	start := len(out)
	out = append(out, dir...)
	out = append(out, "PK\x05\x06\x00\x00\x00\x00"...)
	out = le.AppendUint16(le.AppendUint16(out, uint16(len(members))), uint16(len(members)))
	out = le.AppendUint32(le.AppendUint32(out, uint32(len(dir))), uint32(start))
	return le.AppendUint16(out, 0)
}

// tarOf writes a tar; the content of a regular member is its Linkname.
func tarOf(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		content := ""
		if h.Typeflag == 0 {
			content, h.Linkname, h.Typeflag = h.Linkname, "", tar.TypeReg
			h.Size = int64(len(content))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func gz(b []byte) []byte {
	var buf bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buf, 1)
	w.Write(b)
	w.Close()
	return buf.Bytes()
}

func zst(b []byte) []byte {
	w, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	return w.EncodeAll(b, nil)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

const skippable = "\x50\x2a\x4d\x18\x06\x00\x00\x00hidden"

// TestWalkLoose: every byte of an archive is in a member, is a header, or is named.
func TestWalkLoose(t *testing.T) {
	plain := tarOf(t, tar.Header{Name: "a", Linkname: "content"})
	padded := bytes.Clone(plain)
	padded[512+100] = 'x'
	a, b := rawZip{name: "a", data: strings.Repeat("a", 100), method: 8}, rawZip{name: "b", data: "b"}
	with := func(m rawZip, change func(*rawZip)) rawZip { change(&m); return m }
	for name, c := range map[string]struct {
		data []byte
		want string // the loose things, shortened
	}{
		"tar":                   {plain, ""},
		"tar.gz":                {gz(plain), ""},
		"tar.zst":               {zst(plain), ""},
		"zip":                   {zipOf("", a, b), ""},
		"padding":               {gz(padded), LoosePadding + ` ("a"): 1 bytes at offset 612`},
		"second tar":            {gz(join(plain, plain)), LooseInTar},
		"junk after the tar":    {zst(append(bytes.Clone(plain), "junk"...)), LooseInTar + ": 4 bytes at offset 2048"},
		"junk after gzip":       {append(gz(plain), "junk"...), LooseAfter + ": 4 bytes"},
		"zeros after gzip":      {append(gz(plain), 0, 0), LooseAfter + ": 2 bytes"},
		"gzip in two":           {join(gz(plain[:700]), gz(plain[700:])), LooseStream},
		"junk after zstd":       {append(zst(plain), "junk"...), LooseAfter + ": 4 bytes"},
		"zstd in two":           {join(zst(plain[:700]), zst(plain[700:])), LooseStream},
		"skipped frame":         {join(zst(plain), []byte(skippable)), LooseFrame + ": 14 bytes"},
		"two names":             {tarOf(t, tar.Header{Name: "a/Tool"}, tar.Header{Name: "./a/tool"}), LooseSameName},
		"out by dots":           {tarOf(t, tar.Header{Name: "a/../../b"}), LooseOutside},
		"out by root":           {zipOf("", rawZip{name: "/etc/x"}), LooseOutside},
		"out by backslash":      {zipOf("", rawZip{name: `a\..\..\x`}), LooseOutside},
		"out by drive":          {zipOf("", rawZip{name: `c:x`}), LooseOutside},
		"zip: between":          {zipOf("", a, with(b, func(m *rawZip) { m.before = "junk" })), LooseBetween + ": 4 bytes"},
		"zip: before":           {zipOf("", with(a, func(m *rawZip) { m.before = "PK\x03\x04junk" })), LooseBefore + ": 8 bytes"},
		"zip: before directory": {zipOf("junk", a), LooseBetween + ": 4 bytes"},
		"zip: after":            {append(zipOf("", a), "junk"...), LooseAfter + ": 4 bytes"},
		"zip: other name":       {zipOf("", with(a, func(m *rawZip) { m.local = "z" })), LooseLocalHeader + ` ("a")`},
		"zip: behind data":      {zipOf("", with(a, func(m *rawZip) { m.hidden = "junk" })), LooseCompressed + ` ("a"): 4 bytes`},
		"zip: full directory":   {zipOf("", rawZip{name: "d/", data: "x"}, a), LooseDirectory + ` ("d/"): 1 bytes`},
		"zip: described wrong":  {zipOf("", with(b, func(m *rawZip) { m.flags = 8 }), with(a, func(m *rawZip) { m.before = "\xf9\xef\xbe\x71<sizes>!" })), LooseBetween + ": 12 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "archive")
			if err := os.WriteFile(file, c.data, 0o644); err != nil {
				t.Fatal(err)
			}
			s, err := Scan(t.Context(), file, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range s.Loose {
				got = append(got, l.String())
			}
			if c.want == "" && len(got) > 0 || len(got) != min(len(c.want), 1) || !strings.HasPrefix(strings.Join(got, ""), c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			// What a release may be is stricter still.
			if _, err := List(t.Context(), bytes.NewReader(c.data), int64(len(c.data)), s.Format); (err == nil) != (c.want == "" && s.Format != Tar) {
				t.Errorf("List: %v", err)
			}
		})
	}
}

// TestWalkRefuses: what cannot be read safely is an error, and says why.
func TestWalkRefuses(t *testing.T) {
	a := rawZip{name: "a", data: strings.Repeat("a", 100), method: 8}
	sharing := []rawZip{a}
	for i := range 60 {
		sharing = append(sharing, rawZip{name: fmt.Sprint("b", i), data: a.data, method: 8, local: "a", sameAs: 1})
	}
	var many []tar.Header
	for i := range 100 {
		many = append(many, tar.Header{Name: fmt.Sprint(i)})
	}
	zeros := tarOf(t, tar.Header{Name: "zeros", Linkname: strings.Repeat("\x00", 8<<20)})
	window := join([]byte(zstdMagic), []byte{0x04, 31<<3 | 7}, []byte{1, 0, 0}, []byte{0, 0, 0, 0}) // 3.75 TiB of history
	few := func(l *Limits) { l.Members, l.Headers = 50, 1<<10 }
	for name, c := range map[string]struct {
		data   []byte
		limits func(*Limits)
		want   string
		limit  bool
	}{
		"shared stream":     {zipOf("", sharing...), nil, "shares bytes with another member", false},
		"zip in a member":   {zipOf("", rawZip{name: "a", data: string(zipOf("", rawZip{name: "b", data: "b"}))}, rawZip{name: "b", data: "b", sameAs: 1}), nil, "shares bytes", false},
		"gzip bomb":         {gz(zeros), nil, "more than 200 times", true},
		"zstd bomb":         {zst(zeros), nil, "more than 200 times", true},
		"zip bomb":          {zipOf("", rawZip{name: "zeros", data: strings.Repeat("\x00", 8<<20), method: 8, size: 8 << 20}), nil, "more than 200 times", true},
		"window":            {window, nil, "window size exceeded", false},
		"members of a tar":  {gz(tarOf(t, many...)), few, "more than 50 members", true},
		"members of a zip":  {zipOf("", sharing...), few, "more than 50 members", true},
		"long names":        {gz(tarOf(t, tar.Header{Name: strings.Repeat("n", 5000)})), few, "bytes of names", true},
		"longer than said":  {zipOf("", rawZip{name: "a", data: "aaaa", method: 8, size: 3}), nil, "zip: ", false},
		"shorter than said": {zipOf("", rawZip{name: "a", data: "aaaa", method: 8, size: 1 << 31}), nil, "unexpected EOF", false},
		"encrypted":         {zipOf("", rawZip{name: "a", data: "a", flags: 1}), nil, "encrypted", false},
		"no directory":      {zipOf("", a)[:60], nil, "no end of a directory", false},
		"truncated":         {gz(zeros[:4096])[:60], nil, "EOF", false},
	} {
		t.Run(name, func(t *testing.T) {
			limits := scanLimits()
			limits.Free = 1 << 20
			if c.limits != nil {
				c.limits(&limits)
			}
			w := newWalker(t.Context(), bytes.NewReader(c.data), int64(len(c.data)), limits, Visitor{})
			format, err := w.detect()
			if err != nil {
				t.Fatal(err)
			}
			err = w.walk(format)
			var limit *LimitError
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &limit) != c.limit {
				t.Errorf("%v, want %q", err, c.want)
			}
			if w.used > limits.Free+201*int64(len(c.data))+1<<20 {
				t.Errorf("%d bytes were unpacked of %d before it was refused", w.used, len(c.data))
			}
		})
	}
}

// TestWalkTypes: what is no file is told from files, and what cannot be read does
// not hide the others.
func TestWalkTypes(t *testing.T) {
	data := gz(tarOf(t,
		tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": "c"}},
		tar.Header{Typeflag: tar.TypeDir, Name: "d/"}, tar.Header{Typeflag: tar.TypeSymlink, Name: "s", Linkname: "/etc/passwd"},
		tar.Header{Name: "f", Linkname: "f"}, tar.Header{Typeflag: tar.TypeLink, Name: "h", Linkname: "f"}, tar.Header{Typeflag: tar.TypeFifo, Name: "p"}))
	locked := zipOf("", rawZip{name: "locked", data: "a", flags: 1}, rawZip{name: "odd", data: "x", method: 99}, rawZip{name: "free", data: "b"}, rawZip{name: "link", data: "../x", mode: 0o120777})
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"tar": {data, "header for all members pax_global_header [comment]|directory d/ []|symbolic link s>/etc/passwd []|file f [] =f|hard link h>f []|other p []"},
		"zip": {locked, "unreadable locked: encrypted|unreadable odd: compressed by method 99, which is not read here|file free [] =b|symbolic link link>../x []"},
	} {
		file := filepath.Join(t.TempDir(), "archive")
		if err := os.WriteFile(file, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		var got []string
		s, err := Walk(t.Context(), file, Visitor{
			Member: func(h Header, r io.Reader) error {
				text := fmt.Sprintf("%s %s %v", h.Type, h.Name, h.Records)
				if h.Link != "" {
					text = fmt.Sprintf("%s %s>%s %v", h.Type, h.Name, h.Link, h.Records)
				}
				if r != nil {
					b, err := io.ReadAll(r)
					if err != nil {
						return err
					}
					text += " =" + string(b)
				}
				got = append(got, text)
				return nil
			},
			Unreadable: func(h Header, why *UnreadableError) error {
				got = append(got, "unreadable "+h.Name+": "+why.Reason)
				return nil
			},
		})
		if err != nil || strings.Join(got, "|") != c.want || len(s.Members) != len(got) {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, strings.Join(got, "|"), c.want)
		}
	}
	if err := os.Mkdir(filepath.Join(t.TempDir(), "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Scan(t.Context(), t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a directory: %v", err)
	}
}

func FuzzWalk(f *testing.F) {
	plain := tarOf(f, tar.Header{Name: "a", Linkname: "content"}, tar.Header{Typeflag: tar.TypeSymlink, Name: "s", Linkname: "a"})
	for _, b := range [][]byte{plain, gz(plain), join(gz(plain[:700]), gz(plain[700:])), zst(plain), join([]byte(skippable), zst(plain), []byte(skippable)),
		zipOf("", rawZip{name: "a", data: "aaaa", method: 8}, rawZip{name: "b", data: "b"}), zipOf("junk", rawZip{name: "a", flags: 1})} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w := newWalker(ctx, bytes.NewReader(b), int64(len(b)), scanLimits(), Visitor{})
		format, err := w.detect()
		if err != nil {
			return
		}
		if w.walk(format) != nil {
			return
		}
		for _, l := range w.out.Loose {
			if l.Offset < 0 || l.Size < 0 || l.String() == "" {
				t.Errorf("%+v", l)
			}
		}
		if len(w.out.Loose) > maxLoose || len(w.out.Members) > w.Members {
			t.Errorf("%d loose ranges, %d members", len(w.out.Loose), len(w.out.Members))
		}
	})
}

// TestForeign: archives as others write them are read; one that asks for much memory is
// refused before it gets it.
func TestForeign(t *testing.T) {
	var plain, packed bytes.Buffer
	tw := tar.NewWriter(&plain)
	if err := tw.WriteHeader(&tar.Header{Name: "a", Size: 5, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	tw.Write([]byte("words"))
	tw.Close()
	xw, err := xz.WriterConfig{DictCap: 1 << 20}.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	xw.Write(plain.Bytes())
	xw.Close()
	read := func(data []byte) (string, error) {
		got := ""
		s, err := WalkReader(t.Context(), bytes.NewReader(data), int64(len(data)), Visitor{Member: func(h Header, r io.Reader) error {
			b, err := io.ReadAll(r)
			got += h.Name + "=" + string(b)
			return err
		}})
		if err == nil {
			got += " " + s.Format
		}
		return got, err
	}
	good := packed.Bytes()
	if got, err := read(good); got != "a=words tar.xz" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := read(append(bytes.Clone(good), "junk"...)); err == nil {
		t.Errorf("with something behind it: %q", got)
	}
	// The header of the block: two bytes, the filter, its length, the dictionary.
	huge := bytes.Clone(good)
	if huge[14] != 0x21 {
		t.Fatalf("the block begins with % x", huge[12:20])
	}
	huge[16] = 38
	binary.LittleEndian.PutUint32(huge[12+int(huge[12]+1)*4-4:], crc32.ChecksumIEEE(huge[12:12+int(huge[12]+1)*4-4]))
	var limit *LimitError
	if _, err := read(huge); !errors.As(err, &limit) {
		t.Errorf("a dictionary of a gigabyte: %v", err)
	}
	// bzip2 of a tar with a file that holds "words".
	if got, err := read(bzipped(t)); got != "a=words tar.bz2" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	var out bytes.Buffer
	if s, err := Uncompress(t.Context(), bytes.NewReader(good), int64(len(good)), &out); err != nil || s.Format != "xz" || !bytes.Equal(out.Bytes(), plain.Bytes()) {
		t.Errorf("%+v, %v", s, err)
	}
	var not *NotArchiveError
	if _, err := Uncompress(t.Context(), bytes.NewReader(plain.Bytes()), int64(plain.Len()), io.Discard); !errors.As(err, &not) {
		t.Errorf("what is not compressed: %v", err)
	}
}

// bzipped is what bzip2 makes of a tar with one file.
func bzipped(t *testing.T) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWb4BET4AAGz7gMmAAAJAAG8AAADkAJ6ACAggAFRCAANBiBFTUDRpoGgfbzIRC16IlLVmbUzyQSQSKwMSE4hCdplGk6A6PC8RFNfWERAPi7kinChIXwCInwA=")
	if err != nil {
		t.Fatal(err)
	}
	return data
}
