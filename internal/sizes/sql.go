package sizes

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// WriteSQL writes a breakdown as SQL text that makes a database: `sqlite3 sizes.db
// < FILE`. The table ranges has every range of the file, bss the memory without
// bytes in it, modules whose the packages are, info one row about the file.
func WriteSQL(w io.Writer, l *Breakdown) error {
	b := bufio.NewWriter(w)
	b.WriteString(`BEGIN;
CREATE TABLE info (file TEXT, size INTEGER, packed TEXT, packed_size INTEGER, format TEXT, arch TEXT, go_version TEXT, symbols_from TEXT);
CREATE TABLE packages (path TEXT PRIMARY KEY, origin TEXT, module TEXT, version TEXT);
CREATE TABLE ranges ("offset" INTEGER PRIMARY KEY, size INTEGER NOT NULL, package TEXT, symbol TEXT, kind TEXT NOT NULL, confidence TEXT NOT NULL);
CREATE TABLE bss (address INTEGER, size INTEGER NOT NULL, package TEXT, symbol TEXT, confidence TEXT NOT NULL);
`)
	fmt.Fprintf(b, "INSERT INTO info VALUES (%s,%d,%s,%d,%s,%s,%s,%s);\n", QuoteSQL(l.File), l.Size, QuoteSQL(l.Packed), l.PackedSize, QuoteSQL(l.Format), QuoteSQL(l.Arch), QuoteSQL(l.GoVersion), QuoteSQL(l.SymbolsFrom))
	rows := rows{w: b, table: "packages"}
	seen := map[string]bool{"": true}
	for _, r := range l.Ranges {
		if !seen[r.Package] {
			seen[r.Package] = true
			group, mod := l.Modules.Of(r.Package)
			rows.add(QuoteSQL(r.Package), QuoteSQL(group), QuoteSQL(mod.Path), QuoteSQL(mod.Version))
		}
	}
	rows.end("ranges")
	for _, r := range l.Ranges {
		rows.add(fmt.Sprint(r.Offset), fmt.Sprint(r.Size), QuoteSQL(r.Package), QuoteSQL(r.Symbol), QuoteSQL(r.Kind.String()), QuoteSQL(r.Confidence.String()))
	}
	rows.end("bss")
	for _, r := range l.BSS {
		rows.add(fmt.Sprint(r.Offset), fmt.Sprint(r.Size), QuoteSQL(r.Package), QuoteSQL(r.Symbol), QuoteSQL(r.Confidence.String()))
	}
	rows.end("")
	b.WriteString("CREATE INDEX by_package ON ranges (package);\nCOMMIT;\n")
	return b.Flush()
}

// rows writes rows many to a statement: one each takes sqlite3 much longer.
type rows struct {
	w     *bufio.Writer
	table string
	n     int
}

func (r *rows) add(values ...string) {
	switch {
	case r.n%400 == 0:
		if r.n > 0 {
			r.w.WriteString(";\n")
		}
		fmt.Fprintf(r.w, "INSERT INTO %s VALUES\n", r.table)
	default:
		r.w.WriteString(",\n")
	}
	r.w.WriteString("(" + strings.Join(values, ",") + ")")
	r.n++
}

func (r *rows) end(next string) {
	if r.n > 0 {
		r.w.WriteString(";\n")
	}
	r.table, r.n = next, 0
}

// QuoteSQL is an SQL text literal; "" is NULL. A literal cannot hold NUL, and what
// is no UTF-8 would be no text.
func QuoteSQL(s string) string {
	if s == "" {
		return "NULL"
	}
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
