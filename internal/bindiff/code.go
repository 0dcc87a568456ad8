package bindiff

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
)

// What the function tables of both files tell: which functions there are, in
// which package and file, and whether their code and line tables are the same
// apart from the addresses they mention.

// change of a function.
type funcChange uint8

const (
	funcAdded funcChange = iota
	funcRemoved
	funcSize  // another size
	funcCode  // the same size, other instructions
	funcLines // the same code at other lines
)

func (c funcChange) String() string {
	return [...]string{"added", "removed", "of another size", "with other code", "at other lines"}[c]
}

// packageChange is what changed in one package.
type packageChange struct {
	name  string
	funcs [5]int   // by funcChange
	names []string // of the first functions that changed, with what did
	files []string // in which they are, sorted; as the binary names them
	moved int      // functions that start at another line of a file that somebody wrote
}

// codeDiff is the comparison of two function tables.
type codeDiff struct {
	packages  []packageChange // that changed, sorted by name
	functions int             // compared, of the same name in both
	std       int             // of these, in the standard library
	used      int             // of the standard library that only the program's use of it added, removed or changed
	starts    int             // that start at another line of their file
	unread    int             // whose code could not be compared: no known text, or another kind of machine
	generated int             // that differ in code or lines that cgo wrote
	reordered int             // of the standard library, in another order within their package
	aligned   [2]uint64       // largest power of two that divides the addresses of all functions of Go
}

// same reports whether no function changed and the code of all was compared.
func (d *codeDiff) same() bool {
	return d != nil && len(d.packages) == 0 && d.used == 0 && d.generated == 0 && d.functions > 0 && d.unread == 0
}

// maxShown bounds what is kept of a package for evidence.
const maxShown = 6

// code compares the function tables, once for all passes; nil when one of the
// files has none that can be read.
func (p *pair) code() *codeDiff {
	if p.codeDone {
		return p.codeDiff
	}
	p.codeDone = true
	var tabs [2]*gobin.FuncTable
	for i, s := range []*side{p.a, p.b} {
		if s.r == nil {
			return nil
		}
		t, err := s.file.Functions()
		if err != nil {
			_, unknown := errors.AsType[*gobin.UnknownTableError](err)
			if unknown || !errors.Is(err, gobin.ErrNoPCLNTab) {
				p.note(s, err)
			}
			return nil
		}
		tabs[i] = t
	}
	c := newCoder(p, tabs[0], tabs[1])
	if err := c.run(p.ctx); err != nil {
		p.note(p.a, err)
		return nil
	}
	p.codeDiff = c.result()
	return p.codeDiff
}

func (p *pair) note(s *side, err error) {
	text := fmt.Sprintf("%s: %v", s.path, err)
	if !slices.Contains(p.notes, text) {
		p.notes = append(p.notes, text)
	}
}

// coder compares two function tables.
type coder struct {
	p          *pair
	a, b       *gobin.FuncTable
	fa, fb     window
	comparable bool // code can be compared
	moved      *relocator
	packages   map[string]*packageChange
	functions  int
	std        int
	starts     int
	used       int
	unread     int
	generated  int
	reordered  int
	last       map[string]uint32 // entry in B of the last function of each package of the standard library
	movedPkgs  map[string]int    // lines of a package that differ, by package
	addresses  [2]uint64         // of Go's functions, or'ed
	budget     int64             // bytes of line tables; hostile files share them
}

func newCoder(p *pair, a, b *gobin.FuncTable) *coder {
	c := &coder{p: p, a: a, b: b, packages: map[string]*packageChange{}, last: map[string]uint32{}, movedPkgs: map[string]int{}}
	c.fa, c.fb = window{r: p.a.r}, window{r: p.b.r}
	ta, tb := a.Text(), b.Text()
	c.moved = &relocator{fa: p.a.file, fb: p.b.file, a: a, b: b}
	// Each address is looked up among the sections; no linker writes hundreds.
	const most = 256
	few := len(p.a.file.Sections) <= most && len(p.b.file.Sections) <= most
	c.comparable = few && ta.Size > 0 && tb.Size > 0 && p.a.file.Arch == p.b.file.Arch
	c.budget = 16 * (p.a.size + p.b.size)
	return c
}

func (c *coder) run(ctx context.Context) error {
	// Most functions are in the same order in both: compare what is the same
	// from both ends, and look only the middle up by name.
	na, nb := c.a.Len(), c.b.Len()
	n := min(na, nb)
	head := 0
	for ; head < n; head++ {
		fa, fb, same, err := c.both(head, head)
		if err != nil {
			return err
		}
		if !same || !c.alike(fa, fb) {
			break
		}
		if err := c.compare(fa, fb); err != nil {
			return err
		}
		if head%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	seed := maphash.MakeSeed()
	key := func(name []byte) uint64 { return maphash.Bytes(seed, name) }
	type entry struct {
		hash uint64
		at   int32
	}
	rest := make([]entry, 0, nb-head)
	for i := head; i < nb; i++ {
		f, err := c.b.Func(i)
		if err != nil {
			return err
		}
		rest = append(rest, entry{key(f.Name), int32(i)})
	}
	// By hash, and functions of the same name in their order.
	slices.SortFunc(rest, func(x, y entry) int { return cmp.Or(cmp.Compare(x.hash, y.hash), cmp.Compare(x.at, y.at)) })
	taken := make([]bool, len(rest))
	next := make(map[uint64]int) // of names that occur more than once, what is taken
	for i := head; i < na; i++ {
		if i%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		fa, err := c.a.Func(i)
		if err != nil {
			return err
		}
		h := key(fa.Name)
		at, ok := slices.BinarySearchFunc(rest, h, func(e entry, h uint64) int { return cmp.Compare(e.hash, h) })
		if ok && at+1 < len(rest) && rest[at+1].hash == h {
			// Functions of one name are those of two ABIs, one of which calls the
			// other, or the linker's copies: the one of the same file, line and shape.
			skip := next[h]
			next[h] = skip + 1
			alike := -1
			for j := at; j < len(rest) && j < at+maxSameName && rest[j].hash == h && alike < 0; j++ {
				fb, err := c.b.Func(int(rest[j].at))
				if err != nil {
					return err
				}
				if !taken[j] && c.alike(fa, fb) {
					alike = j
				}
			}
			if at += skip; alike >= 0 {
				at = alike
			}
			ok = at < len(rest) && rest[at].hash == h
		}
		if !ok || taken[at] {
			c.add(c.a, fa, funcRemoved)
			continue
		}
		fb, err := c.b.Func(int(rest[at].at))
		if err != nil {
			return err
		}
		taken[at] = true
		if err := c.compare(fa, fb); err != nil {
			return err
		}
	}
	for i, e := range rest {
		if !taken[i] {
			f, err := c.b.Func(int(e.at))
			if err != nil {
				return err
			}
			c.add(c.b, f, funcAdded)
		}
	}
	return nil
}

func (c *coder) both(i, j int) (fa, fb gobin.Func, same bool, err error) {
	if fa, err = c.a.Func(i); err != nil {
		return fa, fb, false, err
	}
	if fb, err = c.b.Func(j); err != nil {
		return fa, fb, false, err
	}
	return fa, fb, bytes.Equal(fa.Name, fb.Name), nil
}

// maxSameName bounds the search among functions of one name; hostile files have many.
const maxSameName = 8

// alike reports whether two functions of one name start at one line of one kind
// of file and have the same shape.
func (c *coder) alike(fa, fb gobin.Func) bool {
	return fa.StartLine == fb.StartLine && fa.Shape == fb.Shape
}

// compare compares two functions of one name.
func (c *coder) compare(fa, fb gobin.Func) error {
	c.functions++
	pkg := packageOf(fa.Name)
	if standard(pkg, c.p) {
		c.std++
		if fb.Entry < c.last[pkg] {
			c.reordered++
		}
		c.last[pkg] = fb.Entry
	}
	if pkg != noPackage {
		c.addresses[0] |= c.a.Text().Addr + uint64(fa.Entry)
		c.addresses[1] |= c.b.Text().Addr + uint64(fb.Entry)
	}
	if fa.StartLine != fb.StartLine && !cgoWrote(c.b.File(fb)) {
		c.starts++
		c.movedIn(pkg)
	}
	// Padding between functions belongs to the one before: the size up to the
	// next can differ while the code does not.
	switch same, err := c.sameCode(fa, fb); {
	case err != nil:
		return err
	case !same && fa.Size != fb.Size:
		c.add(c.b, fb, funcSize)
		return nil
	case !same:
		c.add(c.b, fb, funcCode)
		return nil
	}
	if c.budget < 0 {
		return nil
	}
	lines := func(f func(gobin.Func) uint32) bool {
		x, y := c.a.Steps(f(fa)), c.b.Steps(f(fb))
		c.budget -= int64(len(x) + len(y))
		return bytes.Equal(x, y)
	}
	switch {
	case fa.StartLine == fb.StartLine && lines(func(f gobin.Func) uint32 { return f.PCLine }):
	case fa.StartLine == fb.StartLine && slices.Equal(c.written(c.a, fa), c.written(c.b, fb)):
		c.generated++ // only lines of what cgo wrote, which is inlined here
	default:
		c.movedIn(pkg)
		c.add(c.b, fb, funcLines)
	}
	return nil
}

// movedIn notes that lines of a package's source differ.
func (c *coder) movedIn(pkg string) {
	if len(c.movedPkgs) < 1<<14 {
		c.movedPkgs[pkg]++
	}
}

// cgoWrote reports whether a file is one that the cgo command generates. What
// is in it follows from the flags of the C compiler and linker as well as from
// the source: CGO_LDFLAGS shifts its lines, a constant of C changes its code.
func cgoWrote(file string) bool {
	i := strings.LastIndexAny(file, `/\`)
	return strings.HasPrefix(file[i+1:], "_cgo_")
}

// written are the lines of a function that somebody wrote, with the places of
// their code.
func (c *coder) written(t *gobin.FuncTable, f gobin.Func) (out []uint64) {
	t.EachLine(f, func(pc uint32, file string, line int32) {
		c.budget--
		if !cgoWrote(file) && c.budget > 0 {
			out = append(out, uint64(pc)<<32|uint64(uint32(line)))
		}
	})
	return out
}

// sameCode compares the code of two functions apart from addresses.
func (c *coder) sameCode(fa, fb gobin.Func) (bool, error) {
	if fa.Shape != fb.Shape {
		return false, nil
	}
	if string(fa.Name) == "go:buildid" { // in formats without notes, the ID is at the start of the text
		return true, nil
	}
	if !c.comparable {
		c.unread++
		return padded(fa.Size) == padded(fb.Size), nil
	}
	ta, tb := c.a.Text(), c.b.Text()
	x, err := c.fa.at(ta.Offset+int64(fa.Entry), int64(fa.Size))
	if err != nil {
		return false, err
	}
	y, err := c.fb.at(tb.Offset+int64(fb.Entry), int64(fb.Size))
	if err != nil {
		return false, err
	}
	if bytes.Equal(x, y) {
		return true, nil
	}
	arch := c.p.a.file.Arch
	x, y = trimPadding(arch, x), trimPadding(arch, y)
	if len(x) != len(y) {
		return false, nil
	}
	same, known := c.moved.equal(arch, x, y, ta.Addr+uint64(fa.Entry), tb.Addr+uint64(fb.Entry))
	if !known {
		c.unread++
	}
	return same, nil
}

// padded is a size rounded up to the alignment of functions.
func padded(n uint32) uint32 { return (n + 63) &^ 63 }

// trimPadding removes what the linker fills the space behind a function with.
func trimPadding(arch string, b []byte) []byte {
	fill := make([]byte, 4) // as long as an instruction, whose last bytes can be zero
	switch arch {           // CodePad of cmd/link/internal/*/obj.go
	case "amd64", "386":
		fill = []byte{0xcc}
	case "riscv64", "s390x":
		fill = fill[:2]
	case "loong64":
		fill[2] = 0x2a
	}
	for len(b) > 0 && bytes.HasSuffix(b, fill) {
		b = b[:len(b)-len(fill)]
	}
	return b
}

// add records a change.
func (c *coder) add(t *gobin.FuncTable, f gobin.Func, what funcChange) {
	name := packageOf(f.Name)
	if cgoWrote(t.File(f)) {
		c.generated++
		return
	}
	if bytes.Contains(f.Name, []byte("-tramp")) {
		c.generated++ // the linker's, for calls that reach too far
		return
	}
	if standard(name, c.p) && (what == funcAdded || what == funcRemoved || bytes.IndexByte(f.Name, '[') >= 0 || bytes.HasSuffix(f.Name, []byte(".init"))) {
		// What the program uses of the standard library depends on the program:
		// which functions there are, their instances, and which maps init fills.
		c.used++
		return
	}
	p := c.packages[name]
	if p == nil {
		if len(c.packages) >= 1<<14 {
			return // more packages than any program has
		}
		p = &packageChange{name: name}
		c.packages[name] = p
	}
	p.funcs[what]++
	if len(p.names) < maxShown {
		p.names = append(p.names, clip(string(f.Name), 120)+" "+what.String())
	}
	if file := t.File(f); file != "" && len(p.files) < maxShown && !slices.Contains(p.files, file) {
		p.files = append(p.files, file)
	}
}

func (c *coder) result() *codeDiff {
	d := &codeDiff{
		functions: c.functions, std: c.std, starts: c.starts, used: c.used, unread: c.unread,
		generated: c.generated, reordered: c.reordered,
		aligned: [2]uint64{alignment(c.addresses[0]), alignment(c.addresses[1])},
	}
	for _, p := range c.packages {
		p.moved = c.movedPkgs[p.name]
		slices.Sort(p.files)
		slices.Sort(p.names)
		d.packages = append(d.packages, *p)
	}
	slices.SortFunc(d.packages, func(x, y packageChange) int { return cmp.Compare(x.name, y.name) })
	return d
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}
