package recovery

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/universal"
	"github.com/mintmark/mintmark/internal/fact"
)

// TestUniversal: a universal binary is identical only if its slices put together
// are the file, whatever lies between and behind them.
func TestUniversal(t *testing.T) {
	amd, arm := thin(7, strings.Repeat("amd64 code ", 1000)), thin(0x0c, strings.Repeat("arm64 code ", 500))
	good := fatOf(amd, arm)
	wide := wideOf(amd, arm)
	change := func(b []byte, f func([]byte)) []byte { b = bytes.Clone(b); f(b); return b }
	gap := (4096 + len(amd) + 4095) &^ 4095 // of the second slice
	spread := fatOf(amd+strings.Repeat("\x00", 4096), arm)
	binary.BigEndian.PutUint32(spread[20:], uint32(len(amd)))
	for name, c := range map[string]struct {
		data    []byte
		verdict fact.Verdict // of the whole, when its slices come out as built
		reason  string       // also why it is not taken apart
	}{
		"as lipo writes it":    {good, fact.Identical, ""},
		"wide":                 {wide, fact.Identical, ""},
		"one slice":            {fatOf(amd), fact.Identical, ""},
		"between":              {change(good, func(b []byte) { b[gap-100], b[gap-1] = 1, 2 }), fact.Different, "bytes between members: 100 bytes"},
		"behind the header":    {change(good, func(b []byte) { b[60] = 1 }), fact.Different, "bytes between members: 1 bytes at offset 60"},
		"at the end":           {append(bytes.Clone(good), "junk"...), fact.Different, "bytes after the end of the archive: 4 bytes"},
		"zeros at the end":     {append(bytes.Clone(good), 0), fact.Different, "bytes after the end"},
		"more padding":         {spread, fact.Different, "header or padding"},
		"alignment":            {change(good, func(b []byte) { b[27] = 13 }), fact.Different, "header or padding"},
		"absurd alignment":     {change(good, func(b []byte) { b[27] = 40 }), fact.Different, "aligned to 2^40"},
		"machine of the table": {change(good, func(b []byte) { b[15] = 4 }), fact.Different, "header or padding"},
		"capabilities":         {change(good, func(b []byte) { b[12] = 0x80 }), fact.Identical, ""},
		"reserved":             {change(wide, func(b []byte) { b[39] = 1 }), fact.Different, "header or padding"},
		"overlap":              {change(good, func(b []byte) { binary.BigEndian.PutUint32(b[36:], 4096) }), "", "overlaps what is before it"},
		"in the table":         {change(good, func(b []byte) { binary.BigEndian.PutUint32(b[16:], 16) }), "", "overlaps"},
		"twice":                {change(good, func(b []byte) { copy(b[28:36], b[8:16]) }), "", "two slices for amd64"},
		"beyond the end":       {change(good, func(b []byte) { binary.BigEndian.PutUint32(b[20:], 1<<31) }), "", "ends beyond its end"},
		"beyond 64 bits":       {change(wide, func(b []byte) { b[16], b[24] = 0x80, 0x80 }), "", "ends beyond its end"},
		"no slices":            {append([]byte(universal.Magic), 0, 0, 0, 0), "", "0 slices"},
		"more than any":        {append([]byte(universal.Magic), 0, 0, 0, 44), "", "44 slices"},
		"cut short":            {good[:20], "", "ends within its table"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "tool")
			if err := os.WriteFile(file, c.data, 0o644); err != nil {
				t.Fatal(err)
			}
			found, err := Collect(t.Context(), []string{file}, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			whole := found.Inputs[len(found.Inputs)-1]
			if c.verdict == "" {
				if len(found.Inputs) != 1 || !strings.Contains(whole.Skip, c.reason) {
					t.Errorf("%+v, want %q", found.Inputs, c.reason)
				}
				return
			}
			var parts []*Result
			for _, in := range found.Inputs[:len(found.Inputs)-1] {
				if in.Skip != "" {
					t.Fatal(in.Skip)
				}
				parts = append(parts, &Result{Name: in.Name, Verdict: fact.Identical, made: in.Path})
			}
			r := &Result{Name: whole.Name}
			if err := r.whole(t.Context(), whole, parts); err != nil || r.Verdict != c.verdict || !strings.Contains(r.Reason, c.reason) || (r.Reason == "") != (c.reason == "") {
				t.Errorf("%s, %q, %v", r.Verdict, r.Reason, err)
			}
			if (r.Rebuilt == r.SHA256) != (c.verdict == fact.Identical) {
				t.Errorf("%+v", r)
			}
			// A slice that did not come out is never made good by the rest.
			for verdict, want := range map[fact.Verdict]fact.Verdict{fact.Different: fact.Different, fact.Unchecked: fact.Unchecked, "": fact.Unchecked} {
				parts[0].Verdict = verdict
				r := &Result{Name: whole.Name}
				if err := r.whole(t.Context(), whole, parts); err != nil || r.Verdict == fact.Identical || c.verdict == fact.Identical && r.Verdict != want {
					t.Errorf("a slice that is %q: %s, %v", verdict, r.Verdict, err)
				}
			}
		})
	}
	// A slice that is no Mach-O file is not a binary of its own.
	file := filepath.Join(t.TempDir(), "tool")
	if err := os.WriteFile(file, fatOf(amd, string(fatOf(arm))), 0o644); err != nil {
		t.Fatal(err)
	}
	found, err := Collect(t.Context(), []string{file}, t.TempDir())
	if err != nil || len(found.Inputs) != 3 || !strings.Contains(found.Inputs[1].Skip, "no Mach-O file") {
		t.Errorf("%v, %+v", err, found)
	}
}

// wideOf is fatOf with offsets of 64 bits.
func wideOf(parts ...string) []byte {
	narrow := fatOf(parts...)
	bo := binary.BigEndian
	head := bo.AppendUint32([]byte(universal.Magic64), uint32(len(parts)))
	for i := range parts {
		e := narrow[8+20*i:]
		head = append(head, e[:8]...)
		head = bo.AppendUint64(bo.AppendUint64(head, uint64(bo.Uint32(e[8:]))), uint64(bo.Uint32(e[12:])))
		head = bo.AppendUint32(append(head, e[16:20]...), 0)
	}
	return append(head, narrow[len(head):]...)
}

func FuzzUniversal(f *testing.F) {
	f.Add(fatOf(thin(7, "x"), thin(0x0c, "y")))
	f.Add(wideOf(thin(7, "x"), thin(0x0c, "y")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !isFat(b) {
			return
		}
		u, err := universal.Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		rest, err := loose(u, bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		// Slices, header, padding and what is loose are the file.
		n := u.Header()
		for _, s := range u.Slices {
			n += s.Size
		}
		for _, l := range rest {
			n += l.Size
		}
		if n > int64(len(b)) {
			t.Errorf("%d bytes of %d", n, len(b))
		}
	})
}
