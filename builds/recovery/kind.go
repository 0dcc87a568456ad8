package recovery

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/universal"
	"github.com/mintmark/mintmark/internal/gobin"
)

// Kind is what a file is, as far as its content, name and mode tell. It decides
// what can be said of a file that nobody can rebuild.
type Kind string

// Kinds of files. Those that are programs, can hold one, or are not known cost
// the promise that all of what was named has been rebuilt; text, pictures and
// empty files do not.
const (
	KindProgram   Kind = "program"
	KindUniversal Kind = "universal binary"
	KindScript    Kind = "script"
	KindMarked    Kind = "text that is marked as executable"
	KindHook      Kind = "package.json with a script that runs at installation"
	KindCode      Kind = "code that is not Go's" // Java classes, object files
	KindPacked    Kind = "archive or compressed file"
	KindDirectory Kind = "directory"
	KindArchive   Kind = "archive"
	KindLink      Kind = "link"
	KindSpecial   Kind = "neither a file nor a directory"
	KindRest      Kind = "bytes that are in no member"
	KindUnknown   Kind = "unknown"

	KindText     Kind = "text"
	KindManual   Kind = "compressed text"
	KindPicture  Kind = "picture or font"
	KindEmpty    Kind = "empty file"
	maxManifest       = 1 << 20  // bytes of a package.json
	maxManual         = 16 << 20 // bytes that a compressed text unpacks to
	maxAllManual      = 256 << 20
)

// inert reports whether a file of that kind runs nothing and holds nothing that does.
func (k Kind) inert() bool {
	return slices.Contains([]Kind{KindText, KindManual, KindPicture, KindEmpty}, k)
}

// isExecutable goes by the first bytes; whether it is Go's is seen later.
func isExecutable(b []byte) bool {
	f := gobin.FormatOf(b)
	return f != "" && f != gobin.FatMachO
}

// A Java class begins as a universal binary does; where that has the number of
// its slices, it has its version, which begins at 45.
const firstJava = 45

// isFat recognises universal binaries. A number of slices that no Java class
// has for a version is one, however wrong.
func isFat(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	return hasMagic(b, universal.Magic) && binary.BigEndian.Uint32(b[4:]) < firstJava || hasMagic(b, universal.Magic64)
}

func hasMagic(b []byte, magics ...string) bool {
	return slices.ContainsFunc(magics, func(m string) bool { return bytes.HasPrefix(b, []byte(m)) })
}

// scriptNames are endings of texts that programs run: interpreters by their
// names, shells by asking for their completions.
var scriptNames = []string{
	".bash", ".bat", ".cjs", ".cmd", ".com", ".csh", ".elv", ".fish", ".hta", ".js", ".jse", ".jsx", ".ksh", ".lua", ".mjs", ".nu", ".php", ".pl", ".pm",
	".ps1", ".psd1", ".psm1", ".py", ".pyw", ".rb", ".reg", ".scpt", ".sh", ".tcl", ".ts", ".tsx", ".vbe", ".vbs", ".wsf", ".zsh",
}

// sniffer finds out what a file is from its content, which is written to it.
type sniffer struct {
	name    string
	mode    fs.FileMode
	h       hash.Hash
	head    []byte
	size    int64
	control bool   // bytes that no text has
	run     bool   // something runs it by its name
	whole   []byte // of a package.json, or what describes an image
}

func (s *sniffer) Write(p []byte) (int, error) {
	if s.h != nil {
		s.h.Write(p)
	}
	if n := 512 - len(s.head); n > 0 {
		s.head = append(s.head, p[:min(n, len(p))]...)
	}
	if (s.manifest() || s.describes()) && len(s.whole) <= maxManifest {
		s.whole = append(s.whole, p...)
	}
	s.size += int64(len(p))
	s.control = s.control || bytes.ContainsFunc(p, func(r rune) bool {
		return r < ' ' && !strings.ContainsRune("\t\n\v\f\r\b\x1b", r) || r == 0x7f
	})
	return len(p), nil
}

func (s *sniffer) manifest() bool { return s.base() == "package.json" }

func (s *sniffer) base() string {
	return strings.ToLower(path.Base(strings.ReplaceAll(s.name, `\`, "/")))
}

// kind is what everything that was written makes.
func (s *sniffer) kind() Kind {
	head := bytes.TrimPrefix(s.head, []byte("\xef\xbb\xbf")) // a byte order mark
	switch {
	case isFat(s.head):
		return KindUniversal
	case isExecutable(s.head):
		return KindProgram
	case s.size == 0:
		return KindEmpty
	case hasMagic(head, "#!"), s.base() == "binding.gyp", slices.Contains(scriptNames, path.Ext(s.base())), hasMagic(s.head, "#compdef", "#autoload"):
		return KindScript
	case hasMagic(s.head, universal.Magic, "dex\n", "BC\xc0\xde", "\xde\xc0\x17\x0b", "!<arch>\n", "!<thin>\n"):
		return KindCode
	case hasMagic(s.head, "\x1f\x8b", "\x28\xb5\x2f\xfd", "BZh", "\xfd7zXZ\x00", "7z\xbc\xaf\x27\x1c", "Rar!\x1a\x07", "PK\x03\x04", "PK\x05\x06", "MSCF", "\xed\xab\xee\xdb", "070701", "070702", "hsqs", "\x04\x22\x4d\x18", "LZIP", "\x1f\x9d"),
		len(s.head) > 262 && string(s.head[257:262]) == "ustar":
		return KindPacked
	case s.manifest() && !s.control:
		if _, _, hooks, err := readManifest(s.whole); hooks || err != nil {
			return KindHook
		}
		return KindText
	case !s.control && s.run:
		return KindScript
	case !s.control && s.mode.IsRegular() && s.mode&0o111 != 0:
		return KindMarked // a shell would run it, whatever it is called
	case !s.control:
		return KindText
	case hasMagic(s.head, "\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF87a", "GIF89a", "\x00\x00\x01\x00", "wOFF", "wOF2", "OTTO", "\x00\x01\x00\x00\x00") || len(s.head) > 12 && string(s.head[:4]) == "RIFF" && string(s.head[8:12]) == "WEBP":
		return KindPicture
	}
	return KindUnknown
}

// why says, of a kind that is not inert, what keeps the file from being rebuilt.
func (k Kind) why() string {
	switch k {
	case KindScript, KindMarked, KindCode, KindHook:
		return "not looked at: " + string(k) + ", which no Go build makes"
	case KindPacked:
		return "not looked at: an archive or compressed file inside; unpack it and name its files"
	case KindUnknown:
		return "not looked at: neither a Go binary nor text: nobody here knows what it does"
	}
	return "not looked at: " + string(k)
}

// readManifest reads what of a package.json matters here: the version, the files
// that npm makes executable or node loads as code, whatever they are called, and
// whether installing the package runs a program (docs.npmjs.com, "scripts", "bin"
// and "main").
func readManifest(data []byte) (version string, runs []string, hooks bool, err error) {
	if len(data) > maxManifest {
		return "", nil, false, errors.New("package.json is too long")
	}
	var pkg struct {
		Version string         `json:"version"`
		Scripts map[string]any `json:"scripts"`
		Bin     any            `json:"bin"`
		Main    any            `json:"main"`
	}
	if err := json.Unmarshal(data, &pkg); err != nil {
		return "", nil, false, err
	}
	for _, name := range []string{"preinstall", "install", "postinstall", "prepare", "preprepare", "postprepare"} {
		if pkg.Scripts[name] != nil {
			hooks = true
		}
	}
	named := []any{pkg.Bin, pkg.Main}
	if several, ok := pkg.Bin.(map[string]any); ok {
		named = slices.AppendSeq(named, maps.Values(several))
	}
	for _, v := range named {
		if name, ok := v.(string); ok && name != "" {
			runs = append(runs, path.Join("/", name)[1:])
		}
	}
	return pkg.Version, runs, hooks, nil
}

// maintainers reports whether dpkg runs a member of a control archive, which it
// makes executable first (deb-postinst(5)).
func maintainers(name string) bool {
	return slices.Contains([]string{"preinst", "postinst", "prerm", "postrm", "config"}, path.Base(name))
}

// compressedText reports whether all that a gzip holds is text: manual pages and
// changelogs of packages are. It reads r to the end when it is.
func compressedText(name string, r io.Reader, left *int64) bool {
	z, err := gzip.NewReader(r)
	if err != nil {
		return false
	}
	s := &sniffer{name: strings.TrimSuffix(name, path.Ext(name))}
	limit := min(maxManual, *left)
	n, err := io.Copy(s, io.LimitReader(z, limit+1))
	*left -= n
	return err == nil && n <= limit && (s.kind() == KindText || s.kind() == KindEmpty)
}
