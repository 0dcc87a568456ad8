package ui

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func artifacts() *Table {
	tab := &Table{Columns: []Column{
		{Title: "platform"},
		{Title: "size", Align: Right},
		{Title: "verdict"},
		{Title: "name", Flexible: true},
	}}
	tab.Row(Plain.Text("linux/arm/7"), Plain.Text("8.4 MiB"), Good.Text("identical"), Faint.Text("prog_1.9.0_linux_arm_7.tar.gz"))
	tab.Row(Plain.Text("windows/amd64"), Plain.Text("12.0 MiB"), Bad.Text("different"), Faint.Text("prog_大小_1.9.0_windows_amd64.zip"))
	tab.Row(Plain.Text("a\x1b[2J\nb"), Plain.Text(""), Doubt.Text("unchecked"))
	tab.Row(Plain.Text("total"), Plain.Text("20.4 MiB"))
	return tab
}

func TestTable(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limit  int
		colour bool
		want   string
	}{
		{"plain", 0, false, `
platform           size  verdict    name
linux/arm/7     8.4 MiB  identical  prog_1.9.0_linux_arm_7.tar.gz
windows/amd64  12.0 MiB  different  prog_大小_1.9.0_windows_amd64.zip
a\x1b[2J\nb              unchecked
total          20.4 MiB
`},
		{"cut", 54, false, `
platform           size  verdict    name
linux/arm/7     8.4 MiB  identical  prog_1.9.…7.tar.gz
windows/amd64  12.0 MiB  different  prog_大小…md64.zip
a\x1b[2J\nb              unchecked
total          20.4 MiB
`},
		{"no narrower than 8", 30, false, `
platform           size  verdict    name
linux/arm/7     8.4 MiB  identical  prog….gz
windows/amd64  12.0 MiB  different  prog…zip
a\x1b[2J\nb              unchecked
total          20.4 MiB
`},
		{"colour", 54, true, `
{1}platform{0}           {1}size{0}  {1}verdict{0}    {1}name{0}
linux/arm/7     8.4 MiB  {32}identical{0}  {2}prog_1.9.…7.tar.gz{0}
windows/amd64  12.0 MiB  {31}different{0}  {2}prog_大小…md64.zip{0}
a\x1b[2J\nb              {33}unchecked{0}
total          20.4 MiB
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want[1:]
			want = strings.NewReplacer("{", "\x1b[", "}", "m").Replace(want)
			got, err := artifacts().render(tt.limit, tt.colour)
			if err != nil || got != want {
				t.Errorf("got %v\n%s\nwant\n%s\n%q", err, got, want, got)
			}
		})
	}
}

func TestTableElsewhere(t *testing.T) {
	want, err := artifacts().render(0, false)
	if err != nil {
		t.Fatal(err)
	}
	var plain, out bytes.Buffer
	if err := artifacts().Write(&plain); err != nil || plain.String() != want {
		t.Errorf("to any writer: %v\n%s", err, &plain)
	}
	term := New(nil, &out, &out, func(key string) string { return map[string]string{"COLUMNS": "20", "TERM": "xterm"}[key] })
	if err := artifacts().Write(term.Stdout()); err != nil || out.String() != want {
		t.Errorf("to standard output that is no terminal: %v\n%s", err, &out)
	}
}

// TestTableSpare: where there is no room, spare columns go before the flexible one
// is cut to less than half, the last one first.
func TestTableSpare(t *testing.T) {
	table := &Table{Columns: []Column{{Title: "profile", Spare: true}, {Title: "name", Flexible: true}, {Title: "verdict"}, {Title: "digest", Spare: true}}}
	table.Row(Plain.Text("release"), Plain.Text("prog_1.9.0_linux_arm64.tar.gz"), Plain.Text("identical"), Plain.Text("0123456789abcdef"))
	for limit, want := range map[int]string{
		0:  "profile  name                           verdict    digest\nrelease  prog_1.9.0_linux_arm64.tar.gz  identical  0123456789abcdef\n",
		60: "profile  name                    verdict    digest\nrelease  prog_1.9.0_…m64.tar.gz  identical  0123456789abcdef\n",
		50: "profile  name                           verdict\nrelease  prog_1.9.0_linux_arm64.tar.gz  identical\n",
		45: "profile  name                       verdict\nrelease  prog_1.9.0_l…arm64.tar.gz  identical\n",
		28: "name               verdict\nprog_1.9…4.tar.gz  identical\n",
	} {
		if got, err := table.render(limit, false); err != nil || got != want {
			t.Errorf("%d: %v\n%swant\n%s", limit, err, got, want)
		}
	}
}

// wrapped is a writer around that of a terminal, as package cli has one.
type wrapped struct{ *Writer }

// TestTableFits: on a terminal no line is wider than it, also through a writer
// around its own.
func TestTableFits(t *testing.T) {
	var out bytes.Buffer
	term := &Terminal{out: device{w: &out, fd: -1, tty: true}}
	term.cells.columns = 54
	want, err := artifacts().render(54, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := artifacts().Write(wrapped{term.Stdout()}); err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, &out)
	}
}

func TestTableEdges(t *testing.T) {
	var b bytes.Buffer
	if err := new(Table).Write(&b); err != nil || b.Len() != 0 {
		t.Errorf("empty table: %v, %q", err, &b)
	}
	tab := &Table{Columns: make([]Column, 2)}
	tab.Row(Plain.Text("key"), Plain.Text("value"))
	if err := tab.Write(&b); err != nil || b.String() != "key  value\n" {
		t.Errorf("without titles: %v, %q", err, &b)
	}
	b.Reset()
	tab.Row(make([]Cell, 3)...)
	if err := tab.Write(&b); err == nil || b.Len() != 0 {
		t.Errorf("a row too long: %v, %q", err, &b)
	}
	full := errors.New("disk full")
	if err := artifacts().Write(failing{full}); !errors.Is(err, full) {
		t.Errorf("failed write: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
