package recovery

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/gobin/gobintest"
)

// What becomes of the linker's signature where there is one.
const (
	replace = iota
	keep
	blank
)

// signMachO signs as tools do.
func signMachO(t *testing.T, data []byte, own int) []byte {
	t.Helper()
	le, be := binary.LittleEndian, binary.BigEndian
	out := bytes.Clone(data)
	n, size := le.Uint32(out[16:]), le.Uint32(out[20:])
	command, linkedit := 0, 0
	for at, i := 32, uint32(0); i < n; i++ {
		switch le.Uint32(out[at:]) {
		case 0x1d:
			command = at
		case 0x19:
			if bytes.HasPrefix(out[at+8:], []byte("__LINKEDIT")) {
				linkedit = at
			}
		}
		at += int(le.Uint32(out[at+4:]))
	}
	if command == 0 {
		command = 32 + int(size)
		le.PutUint32(out[16:], n+1)
		le.PutUint32(out[20:], size+16)
		le.PutUint32(out[command:], 0x1d)
		le.PutUint32(out[command+4:], 16)
	} else if at := le.Uint32(out[command+8:]); own == replace {
		out = out[:at]
	} else if own == blank {
		clear(out[at:])
	}
	out = append(out, make([]byte, -len(out)&15)...)
	// A code directory of nothing, and a CMS signature.
	blob := be.AppendUint32(nil, 0xfade0cc0)
	for _, v := range []uint32{0, 2, 0, 28, 0x10000, 28 + 60} {
		blob = be.AppendUint32(blob, v)
	}
	directory := make([]byte, 60)
	for i, v := range []uint32{0xfade0c02, 60, 0x20400, 0, 0, 52} {
		be.PutUint32(directory[4*i:], v)
	}
	copy(directory[52:], "org.me")
	blob = append(blob, directory...)
	blob = append(be.AppendUint32(be.AppendUint32(blob, 0xfade0b01), 12), "cms."...)
	be.PutUint32(blob[4:], uint32(len(blob)))
	le.PutUint32(out[command+8:], uint32(len(out)))
	le.PutUint32(out[command+12:], uint32(len(blob)))
	out = append(out, blob...)
	length := uint64(len(out)) - le.Uint64(out[linkedit+40:])
	le.PutUint64(out[linkedit+32:], (length+0x3fff)&^0x3fff)
	le.PutUint64(out[linkedit+48:], length)
	return out
}

// TestResign: of a signed file everything but the signature, and what signing may write,
// is compared.
func TestResign(t *testing.T) {
	g := hostGo(t)
	place := testPlace(t, "")
	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module example.com/tool\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() { println(\"hello\") }\n"})
	for _, tt := range []struct {
		os, arch string
		sign     func([]byte) []byte
	}{
		{"windows", "amd64", func(b []byte) []byte { return gobintest.SignPE(b, []byte("certificate")) }},
		{"darwin", "amd64", func(b []byte) []byte { return signMachO(t, b, replace) }},
		{"darwin", "arm64", func(b []byte) []byte { return signMachO(t, b, replace) }},
		{"darwin", "arm64", func(b []byte) []byte { return signMachO(t, b, keep) }},
		{"darwin", "arm64", func(b []byte) []byte { return signMachO(t, b, blank) }},
	} {
		t.Run(tt.os+" "+tt.arch, func(t *testing.T) {
			r := testRecipe(g, place, dir, t.TempDir(), "GOOS="+tt.os, "GOARCH="+tt.arch)
			r.vcs = false
			made, err := r.build(t.Context(), "tool", testFlag("-ldflags=-w"))
			if err != nil {
				t.Fatal(err)
			}
			built, err := os.ReadFile(made.Path)
			if err != nil {
				t.Fatal(err)
			}
			again := func(published []byte) ([]byte, error) {
				name, out := filepath.Join(t.TempDir(), "published"), filepath.Join(t.TempDir(), "out")
				if err := os.WriteFile(name, published, 0o644); err != nil {
					t.Fatal(err)
				}
				sig, err := Resign(t.Context(), name, made.Path, out)
				if err != nil {
					return nil, err
				}
				if sig.Kind != gobin.SignatureIdentity {
					t.Errorf("%+v", sig)
				}
				data, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				return data, nil
			}
			signed := tt.sign(built)
			if got, err := again(signed); err != nil || !bytes.Equal(got, signed) {
				t.Fatalf("%v, equal: %v", err, bytes.Equal(got, signed))
			}
			if _, err := again(built); err == nil {
				t.Error("what nobody has signed is given a signature")
			}
			// Whatever else is changed shows: every byte of the file but those of the
			// signature and of the fields that signing writes.
			f, err := gobin.Open(made.Path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for at := 0; at < min(len(built), len(signed)); at += 1 + len(built)/400 {
				changed := bytes.Clone(signed)
				changed[at] ^= 0x40
				if got, err := again(changed); err == nil && bytes.Equal(got, changed) {
					if allowed := signatureField(t, signed, at); !allowed {
						t.Errorf("a change at %#x does not show", at)
					}
				}
			}
			for name, data := range map[string][]byte{"junk behind": append(bytes.Clone(signed), "junk junk junk!!"...), "cut": signed[:len(signed)-1]} {
				if got, err := again(data); err == nil && bytes.Equal(got, data) {
					t.Errorf("%s does not show", name)
				}
			}
		})
	}
}

// signatureField reports whether the byte is of the signature, or of a field that
// signing writes.
func signatureField(t *testing.T, data []byte, at int) bool {
	t.Helper()
	name := filepath.Join(t.TempDir(), "signed")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := gobin.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, s := range f.Sections {
		if s.Kind == gobin.KindSignature && int64(at) >= s.Offset && int64(at) < s.Offset+s.Size {
			return true
		}
		if s.Name == gobin.LinkeditCommand && int64(at) >= s.Offset+32 && int64(at) < s.Offset+40 {
			return true // its size in memory, within bounds
		}
	}
	return false
}

// TestUnreadableSignature: what is in the place of a signature and names nobody hides a
// difference: the file is not called identical.
func TestUnreadableSignature(t *testing.T) {
	g := hostGo(t)
	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module example.com/tool\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() {}\n"})
	r := testRecipe(g, testPlace(t, ""), dir, t.TempDir(), "GOOS=windows", "GOARCH=amd64")
	r.vcs = false
	made, err := r.build(t.Context(), "tool", testFlag("-ldflags=-w"))
	if err != nil {
		t.Fatal(err)
	}
	built, err := os.ReadFile(made.Path)
	if err != nil {
		t.Fatal(err)
	}
	signed := filepath.Join(dir, "signed")
	if err := os.WriteFile(signed, gobintest.SignPE(built, []byte("anything")), 0o644); err != nil {
		t.Fatal(err)
	}
	sum, _, err := files.Digest(t.Context(), signed)
	if err != nil {
		t.Fatal(err)
	}
	b := &subject{Result: &Result{}, work: t.TempDir(), file: signed, sum: sum}
	ok, err := b.resigned(t.Context(), &attempt{file: made.Path, sum: made.SHA256})
	if ok || err != nil || b.Signature != "" || len(b.Notes) != 1 {
		t.Errorf("%v, %v: %+v", ok, err, b.Result)
	}
}
