package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

var commitTime = time.Date(2026, 3, 29, 1, 30, 59, 123456789, time.UTC)

// content makes n bytes that compress about as well as a Go binary, the same
// in every run.
func content(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	words := make([][]byte, 400)
	for i := range words {
		words[i] = make([]byte, 3+r.IntN(20))
		for j := range words[i] {
			words[i][j] = byte(r.Uint32())
		}
	}
	var b []byte
	for len(b) < n {
		b = append(b, words[min(r.IntN(400), r.IntN(400))]...)
	}
	return b[:n]
}

func member(name string, executable bool, b []byte) Member {
	return Member{Name: name, Executable: executable, Open: func() (io.ReadCloser, int64, error) {
		return io.NopCloser(bytes.NewReader(b)), int64(len(b)), nil
	}}
}

// fixed is the input of the pinned digests: never change it.
func fixed() []Member { return sized(3 << 20) }

// sized has a program of so many bytes.
func sized(n int) []Member {
	return []Member{
		member("fixture/fixture", true, content(1, n)),
		member("fixture/README.md", false, []byte("# fixture\n")),
		member("fixture/LICENSE", false, content(2, 11358)),
		member("fixture/empty", false, nil),
		member("fixture/"+strings.Repeat("long/", 20)+"name.txt", false, []byte("split by USTAR")),
		member("fixture/"+strings.Repeat("x", 120)+".txt", false, []byte("too long for USTAR")),
		member("fixture/Füße.txt", false, []byte("not ASCII")),
	}
}

func write(t testing.TB, format string, members []Member, at time.Time) ([]byte, Info) {
	t.Helper()
	var buf bytes.Buffer
	info, err := Write(t.Context(), &buf, format, members, at)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%x", sha256.Sum256(buf.Bytes())); info.SHA256 != want || info.Size != int64(buf.Len()) || info.Format != format || info.Tool != Tool(format) {
		t.Fatalf("info %+v of %d bytes with sha256 %s", info, buf.Len(), want)
	}
	return buf.Bytes(), info
}

// TestPinned fails when an upgrade of klauspost/compress or of Go changes the
// bytes of archives. If that is wanted, it is an entry of the release notes,
// since nobody can rebuild older archives with the newer version.
func TestPinned(t *testing.T) {
	pinned := map[string]string{
		TarGz:  "24ace083f081d9bbe83defe10da34be0cc8b60c5144b721499f7d041b3312100",
		TarZst: "08854ce30f1a0bcc10ad0471ab11e5997ebbc7accf6fb0d6d5779cae052e0ce6",
		Zip:    "ed8d599355343181c9b2b8e2677085d94238bdd9daf9dcb567f17d53c7206251",
	}
	for _, format := range Formats() {
		want := pinned[format]
		if _, info := write(t, format, fixed(), commitTime); info.SHA256 != want {
			t.Errorf("%s: sha256 %s, pinned is %s", format, info.SHA256, want)
		}
	}
}

// TestSameBytes varies everything that must not matter.
func TestSameBytes(t *testing.T) {
	members := fixed
	if testing.Short() { // a few blocks of the compressors, in place of many
		members = func() []Member { return sized(600 << 10) }
	}
	zone := time.FixedZone("elsewhere", -11*3600)
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			want, wantInfo := write(t, format, members(), commitTime)
			check := func(what string, members []Member, at time.Time) {
				t.Helper()
				if got, info := write(t, format, members, at); !bytes.Equal(got, want) || !reflect.DeepEqual(info, wantInfo) {
					t.Errorf("%s changed the archive", what)
				}
			}
			check("the time zone", members(), commitTime.In(zone))
			check("the fraction of a second", members(), commitTime.Truncate(time.Second))
			reversed := members()
			slices.Reverse(reversed)
			check("the order", reversed, commitTime)
			for _, n := range []int{1, 2, 8} {
				old := runtime.GOMAXPROCS(n)
				check(fmt.Sprint("GOMAXPROCS ", n), members(), commitTime)
				runtime.GOMAXPROCS(old)
			}
			for name, wrap := range map[string]func(io.Reader) io.Reader{
				"half reads": iotest.HalfReader, "late EOF": iotest.DataErrReader,
				"small reads": func(r io.Reader) io.Reader { return &chunks{r: r, rand: rand.New(rand.NewPCG(3, 4))} },
			} {
				slow := members()
				for i := range slow {
					open := slow[i].Open
					slow[i].Open = func() (io.ReadCloser, int64, error) {
						r, n, err := open()
						return io.NopCloser(wrap(r)), n, err
					}
				}
				check(name, slow, commitTime)
			}
			if got, _ := write(t, format, members(), commitTime.Add(2*time.Second)); bytes.Equal(got, want) {
				t.Error("another time gave the same archive")
			}
		})
	}
}

// chunks reads 1 to 1000 bytes at a time.
type chunks struct {
	r    io.Reader
	rand *rand.Rand
}

func (c *chunks) Read(b []byte) (int, error) {
	return c.r.Read(b[:min(len(b), 1+c.rand.IntN(1000))])
}

func TestList(t *testing.T) {
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			b, info := write(t, format, fixed(), commitTime)
			got, err := List(t.Context(), bytes.NewReader(b), int64(len(b)), format)
			if err != nil || !reflect.DeepEqual(got, info.Entries) {
				t.Errorf("List: %v, %v\nwant %v", got, err, info.Entries)
			}
			for _, e := range got {
				want := fs.FileMode(0o644)
				if e.Name == "fixture/fixture" {
					want = 0o755
				}
				if e.Mode != want {
					t.Errorf("%s has mode %o", e.Name, e.Mode)
				}
			}
			for _, n := range []int{0, 1, len(b) / 2, len(b) - 1} {
				if _, err := List(t.Context(), bytes.NewReader(b[:n]), int64(n), format); err == nil {
					t.Errorf("the first %d of %d bytes are accepted", n, len(b))
				}
			}
			tail := append(slices.Clone(b), "tail"...)
			if _, err := List(t.Context(), bytes.NewReader(tail), int64(len(tail)), format); err == nil {
				t.Error("data after the end is accepted")
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := List(ctx, bytes.NewReader(b), int64(len(b)), format); !errors.Is(err, context.Canceled) {
				t.Errorf("canceled: %v", err)
			}
		})
	}
	if _, err := List(t.Context(), strings.NewReader(""), 0, "rar"); err == nil {
		t.Error("an unknown format is accepted")
	}
}

// TestListRefuses builds tar archives that Write would not.
func TestListRefuses(t *testing.T) {
	for name, h := range map[string]*tar.Header{
		"symlink":    {Typeflag: tar.TypeSymlink, Name: "a", Linkname: "/etc/passwd"},
		"directory":  {Typeflag: tar.TypeDir, Name: "a/"},
		"absolute":   {Typeflag: tar.TypeReg, Name: "/a"},
		"dot-dot":    {Typeflag: tar.TypeReg, Name: "a/../../b"},
		"PAX record": {Typeflag: tar.TypeReg, Name: "a", PAXRecords: map[string]string{"MINTMARK.x": "y"}},
	} {
		var buf bytes.Buffer
		z := gzip.NewWriter(&buf)
		w := tar.NewWriter(z)
		if err := errors.Join(w.WriteHeader(h), w.Close(), z.Close()); err != nil {
			t.Fatal(err)
		}
		if got, err := List(t.Context(), bytes.NewReader(buf.Bytes()), int64(buf.Len()), TarGz); err == nil {
			t.Errorf("%s: accepted as %v", name, got)
		}
	}
}

// TestTools asks the usual unpackers what they see.
func TestTools(t *testing.T) {
	dir := t.TempDir()
	for _, tool := range []struct {
		format string
		args   []string
		want   string // regular expression for the line of the program
	}{
		{TarGz, []string{"tar", "--utc", "--full-time", "--numeric-owner", "-tvzf"}, `-rwxr-xr-x 0/0 +3145728 2026-03-29 01:30:59 fixture/fixture`},
		{TarZst, []string{"tar", "--utc", "--full-time", "--numeric-owner", "--zstd", "-tvf"}, `-rwxr-xr-x 0/0 +3145728 2026-03-29 01:30:59 fixture/fixture`},
		{Zip, []string{"unzip", "-l"}, `3145728 +2026-03-29 01:30 +fixture/fixture`},
		{Zip, []string{"unzip", "-tq"}, `No errors detected`},
		{Zip, []string{"zipinfo", "-v"}, `Unix file attributes \(100755 octal\):`},
	} {
		t.Run(strings.Join(tool.args, " "), func(t *testing.T) {
			b, _ := write(t, tool.format, fixed(), commitTime)
			path := filepath.Join(dir, "fixture."+tool.format)
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := exec.LookPath(tool.args[0]); err != nil {
				t.Skipf("%s is not installed", tool.args[0])
			}
			cmd := exec.Command(tool.args[0], append(tool.args[1:], path)...)
			cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C.UTF-8")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if !regexp.MustCompile(tool.want).Match(out) || tool.args[0] == "tar" && !bytes.Contains(out, []byte(strings.Repeat("x", 120))) {
				t.Errorf("no %q in\n%s", tool.want, out)
			}
		})
	}
}

// TestHeaders reads the raw header fields that must be fixed.
func TestHeaders(t *testing.T) {
	b, _ := write(t, TarGz, fixed(), commitTime)
	if want := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}; !bytes.Equal(b[:10], want) {
		t.Errorf("gzip header % x, want % x", b[:10], want)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		want := tar.FormatUSTAR
		if len(h.PAXRecords) > 0 {
			want = tar.FormatPAX
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" || !h.ModTime.Equal(commitTime.Truncate(time.Second)) || h.Format != want {
			t.Errorf("%+v", h)
		}
		if (strings.Contains(h.Name, strings.Repeat("x", 120)) || strings.Contains(h.Name, "ü")) != (want == tar.FormatPAX) {
			t.Errorf("%s is %v", h.Name, want)
		}
	}
}

func TestTimes(t *testing.T) {
	one := []Member{member("a", false, []byte("a"))}
	for _, c := range []struct {
		at          time.Time
		date, clock uint16
		extended    bool
	}{
		{time.Unix(0, 0), 1<<5 | 1, 0, true},
		{time.Date(1980, 1, 1, 0, 0, 1, 0, time.UTC), 1<<5 | 1, 0, true},
		{time.Date(2026, 3, 29, 1, 30, 59, 0, time.UTC), 46<<9 | 3<<5 | 29, 1<<11 | 30<<5 | 29, true},
		{time.Date(2038, 1, 19, 3, 14, 7, 0, time.UTC), 58<<9 | 1<<5 | 19, 3<<11 | 14<<5 | 3, true},
		{time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), 58<<9 | 1<<5 | 19, 3<<11 | 14<<5 | 4, false},
		{time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), 127<<9 | 12<<5 | 31, 23<<11 | 59<<5 | 29, false},
	} {
		if date, clock := dosTime(c.at.UTC()); date != c.date || clock != c.clock {
			t.Errorf("%s: DOS fields %#x %#x, want %#x %#x", c.at, date, clock, c.date, c.clock)
		}
		if (extendedTime(c.at) != nil) != c.extended {
			t.Errorf("%s: extended timestamp % x", c.at, extendedTime(c.at))
		}
		for _, format := range Formats() {
			b, _ := write(t, format, one, c.at)
			if _, err := List(t.Context(), bytes.NewReader(b), int64(len(b)), format); err != nil {
				t.Errorf("%s at %s: %v", format, c.at, err)
			}
		}
	}
	for _, at := range []time.Time{{}, time.Unix(-1, 0), time.Unix(1<<33, 0)} {
		for _, format := range Formats() {
			if _, err := Write(t.Context(), io.Discard, format, one, at); err == nil {
				t.Errorf("%s at %s was written", format, at)
			}
		}
	}
}

func TestChangedMember(t *testing.T) {
	for _, format := range Formats() {
		for name, m := range map[string]Member{
			"grown": {Name: "a", Open: func() (io.ReadCloser, int64, error) {
				return io.NopCloser(bytes.NewReader(content(1, 100000))), 99999, nil
			}},
			"shrunk": {Name: "a", Open: func() (io.ReadCloser, int64, error) {
				return io.NopCloser(bytes.NewReader(content(1, 99998))), 99999, nil
			}},
			"not opened": {Name: "a", Open: func() (io.ReadCloser, int64, error) { return nil, 0, fs.ErrPermission }},
			"not read": {Name: "a", Open: func() (io.ReadCloser, int64, error) {
				return io.NopCloser(iotest.TimeoutReader(strings.NewReader("abc"))), 3, nil
			}},
			"other content": {Name: "a", SHA256: strings.Repeat("0", 64), Open: func() (io.ReadCloser, int64, error) {
				return io.NopCloser(strings.NewReader("abc")), 3, nil
			}},
		} {
			_, err := Write(t.Context(), io.Discard, format, []Member{m}, commitTime)
			if err == nil || !strings.Contains(err.Error(), "a: ") {
				t.Errorf("%s, %s: %v", format, name, err)
			}
		}
	}
	ok := member("a", false, []byte("abc"))
	ok.SHA256 = fmt.Sprintf("%x", sha256.Sum256([]byte("abc")))
	write(t, Zip, []Member{ok}, commitTime)
}

func TestWriteErrors(t *testing.T) {
	_, err := Write(t.Context(), io.Discard, "rar", []Member{member("../a", false, nil), member("b", false, nil), member("B", false, nil)}, time.Time{})
	for _, want := range []string{`"rar"`, `"../a"`, `"b" and "B"`, "0001-01-01"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in %v", want, err)
		}
	}
	if fault.Hint(err) == "" {
		t.Error("no hint")
	}
	if _, err := Write(t.Context(), io.Discard, Zip, nil, commitTime); err == nil {
		t.Error("an archive without members was written")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stopped"))
	for _, format := range Formats() {
		if _, err := Write(ctx, io.Discard, format, fixed(), commitTime); err == nil || !strings.Contains(err.Error(), "stopped") {
			t.Errorf("canceled: %v", err)
		}
		full := &fullDisk{left: 5000}
		if _, err := Write(t.Context(), full, format, fixed(), commitTime); !errors.Is(err, errFull) {
			t.Errorf("%s on a full disk: %v", format, err)
		}
	}
}

var errFull = errors.New("no space left on device")

type fullDisk struct{ left int }

func (f *fullDisk) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestCheckNames(t *testing.T) {
	for _, names := range [][]string{
		{"a"}, {"a/b", "a/c"}, {"a-b", "a.b", "a_b"}, {"README.md", "LICENSE"}, {"console", "com", "com10", "nul1"}, {"..a", ".hidden"}, {"ä", "日本"},
	} {
		if err := CheckNames(names); err != nil {
			t.Errorf("%q: %v", names, err)
		}
	}
	for _, names := range [][]string{
		{""}, {"/a"}, {"a/"}, {"a//b"}, {"."}, {".."}, {"a/../b"}, {"./a"}, {`a\b`}, {"c:a"}, {"a\x00b"}, {"a\nb"}, {"a\u202eb"}, {"a\xff"},
		{"a."}, {"a "}, {"dir./a"}, {"NUL"}, {"nul.txt"}, {"x/com1.log"}, {"aux.tar.gz"}, {"a*"}, {strings.Repeat("a", 1025)},
		{"a", "a"}, {"a", "A"}, {"straße", "STRASSE", "Straße"}, {"a", "a/b"}, {"a/b", "A"}, {"ſ", "s"},
	} {
		if err := CheckNames(names); err == nil {
			t.Errorf("%q were accepted", names)
		}
	}
}

// TestToolVersion keeps the version that goes into manifests equal to go.mod.
func TestToolVersion(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^\s*(?:require )?github\.com/klauspost/compress (v\S+)`).FindSubmatch(b)
	if m == nil || string(m[1]) != compressVersion {
		t.Errorf("go.mod has %q, Tool says %s", m, compressVersion)
	}
	for _, f := range Formats() {
		if !strings.Contains(Tool(f), compressVersion) {
			t.Errorf("%s: %q", f, Tool(f))
		}
	}
	if Tool("rar") != "" {
		t.Error("a tool for an unknown format")
	}
}

func FuzzList(f *testing.F) {
	for i, format := range Formats() {
		b, _ := write(f, format, fixed()[1:3], commitTime)
		f.Add(i, b)
	}
	f.Add(0, []byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, format int, b []byte) {
		entries, err := List(t.Context(), bytes.NewReader(b), int64(len(b)), Formats()[uint(format)%3])
		if err != nil {
			return
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name)
			if e.Size < 0 || len(e.SHA256) != 64 || e.Mode&^fs.ModePerm != 0 {
				t.Errorf("%+v", e)
			}
		}
		if err := CheckNames(names); err != nil {
			t.Error(err)
		}
	})
}

func FuzzCheckNames(f *testing.F) {
	f.Add("a/b", "A")
	f.Add("../a", "nul")
	f.Fuzz(func(t *testing.T, a, b string) {
		if CheckNames([]string{a, b}) != nil {
			return
		}
		for _, n := range []string{a, b} {
			if !filepath.IsLocal(filepath.FromSlash(n)) || !fs.ValidPath(n) {
				t.Errorf("%q was accepted", n)
			}
		}
		if strings.EqualFold(a, b) {
			t.Errorf("%q and %q were accepted", a, b)
		}
	})
}

// TestFormatsOfProfiles: what a profile may name is what is written here.
func TestFormatsOfProfiles(t *testing.T) {
	if got, want := Formats(), fact.ArchiveFormats(); !slices.Equal(got, want) {
		t.Errorf("%q, and profiles offer %q", got, want)
	}
}

// TestReadable: no archive is written that is refused when it is read.
func TestReadable(t *testing.T) {
	when := time.Unix(1<<30, 0)
	many := make([]Member, 1<<16+1)
	for i := range many {
		many[i] = Member{Name: fmt.Sprint(i), Open: func() (io.ReadCloser, int64, error) { return io.NopCloser(strings.NewReader("")), 0, nil }}
	}
	if _, err := WriteTar(t.Context(), io.Discard, many, when); err == nil || !strings.Contains(err.Error(), "65537 members") {
		t.Errorf("many members: %v", err)
	}
	if _, _, err := Recipe(t.Context(), TarGz, many, when); err == nil || !strings.Contains(err.Error(), "65537 members") {
		t.Errorf("the recipe of many members: %v", err)
	}
	large := Member{Name: "a", Open: func() (io.ReadCloser, int64, error) { return io.NopCloser(strings.NewReader("")), 9 << 30, nil }}
	list, err := readable([]Member{large, large})
	if err != nil {
		t.Fatal(err)
	}
	if _, size, err := list[0].Open(); err != nil || size != 9<<30 {
		t.Errorf("the first: %d bytes, %v", size, err)
	}
	if _, _, err := list[1].Open(); err == nil || !strings.Contains(err.Error(), "hold more than") {
		t.Errorf("the second: %v", err)
	}
}
