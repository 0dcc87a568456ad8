// Package memo keeps what earlier runs found out, so that the next one need
// not find it out again, and decides when that may be relied on.
//
// # Answers
//
// A [Store] is a directory with one file for each answer. The name is the
// SHA-256 of everything the answer depends on: that all of it is in the [Key]
// is what whoever asks answers for. A file is authenticated with the store's
// secret, together with its name. One that is cut off, altered, renamed, or
// made with another secret counts as not there.
//
// # Trees
//
// [Store.Checked] spares looking into files again that were looked into before.
// It goes by what the file system says of every file: name, mode, size, mtime,
// ctime, inode and device. The ctime is what counts: nothing but the system
// sets it, so a file that was altered and given its old mtime is noticed. As in
// git's index, a file that changed just before it was looked into is not
// relied on, because it could change again without a new ctime.
//
// # Exceptions
//
// Who can write the disk below the file system, set the system's clock back to
// the very tick, or holds a file mapped for writing that he wrote to just before
// the check, can alter it unseen; a disk that decays alters it unseen by itself.
// A store with Full looks everything up anew.
//
// Trees are remembered on Linux and macOS, on local file systems that are known
// to keep a ctime. Elsewhere everything is checked each time.
package memo

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mintmark/mintmark/internal/files"
)

// Store is a directory of remembered answers. Several processes may use one at
// the same time. A nil Store remembers nothing, nor does one without a secret.
type Store struct {
	Dir string
	// Secret authenticates the answers: without it, who can write the
	// directory could answer.
	Secret []byte
	// Full makes the store answer nothing. What is found out is kept for later
	// runs all the same.
	Full bool

	written atomic.Bool
}

// Key names an answer by all that it depends on.
type Key [sha256.Size]byte

// NewKey makes a key of a list of texts. The first one should say what the
// answer is, and change with its format.
func NewKey(parts ...string) Key {
	h := sha256.New()
	for _, p := range parts {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		h.Write(size[:])
		io.WriteString(h, p)
	}
	return Key(h.Sum(nil))
}

// Bounds of a file, and of all files of a store together.
const (
	maxFile  = 32 << 20
	maxFiles = 2000
	maxBytes = 256 << 20
)

const (
	header    = "mintmark remembers 1 "
	tmpPrefix = ".new-"
)

func (s *Store) usable() bool { return s != nil && s.Dir != "" && len(s.Secret) > 0 }

// writable makes the directory. One that a symbolic link stands for is not ours.
func (s *Store) writable() bool {
	return s.usable() && os.MkdirAll(s.Dir, 0o755) == nil && files.IsDir(s.Dir) == nil
}

func (s *Store) path(k Key) string { return filepath.Join(s.Dir, hex.EncodeToString(k[:])) }

func (s *Store) mac(k Key, data []byte) string {
	m := hmac.New(sha256.New, s.Secret)
	io.WriteString(m, header)
	m.Write(k[:])
	m.Write(data)
	return hex.EncodeToString(m.Sum(nil))
}

// Get decodes the answer into v, a pointer, and reports whether there is one.
// After false, v may hold anything.
func (s *Store) Get(k Key, v any) bool {
	if !s.usable() || s.Full {
		return false
	}
	data, err := files.ReadOwn(s.path(k), maxFile)
	if err != nil {
		return false
	}
	line, data, ok := bytes.Cut(data, []byte("\n"))
	sum, ok2 := strings.CutPrefix(string(line), header)
	if !ok || !ok2 || !hmac.Equal([]byte(sum), []byte(s.mac(k, data))) {
		return false
	}
	return json.Unmarshal(data, v) == nil
}

// Put remembers v, all or nothing. An answer that cannot be kept is no error:
// it will be found out again.
func (s *Store) Put(k Key, v any) {
	if !s.usable() {
		return
	}
	data, err := json.Marshal(v)
	if err != nil {
		return
	}
	text := header + s.mac(k, data) + "\n" + string(data)
	if len(text) > maxFile || !s.writable() || files.Write(s.path(k), []byte(text), 0o600) != nil {
		return
	}
	s.written.Store(true)
}

// Prune keeps the store within its bounds: when this run has added to it, the
// oldest answers go.
func (s *Store) Prune() {
	if s.usable() && s.written.Swap(false) {
		prune(s.Dir, maxFiles, maxBytes)
	}
}

// ours reports whether a store makes files of that name.
func ours(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == sha256.Size || strings.HasPrefix(name, tmpPrefix)
}

// prune leaves a quarter free, so that it need not be done each time.
func prune(dir string, most int, size int64) {
	if files.IsDir(dir) != nil {
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var all []fs.FileInfo
	var sum int64
	var newest time.Time
	for _, e := range entries {
		if !ours(e.Name()) {
			continue
		}
		if fi, err := e.Info(); err == nil && fi.Mode().IsRegular() {
			all = append(all, fi)
			if fi.ModTime().After(newest) {
				newest = fi.ModTime()
			}
		}
	}
	all = slices.DeleteFunc(all, func(fi fs.FileInfo) bool {
		if !strings.HasPrefix(fi.Name(), tmpPrefix) {
			sum += fi.Size()
			return false
		}
		if newest.Sub(fi.ModTime()) > time.Hour { // its process was killed
			os.Remove(filepath.Join(dir, fi.Name()))
		}
		return true
	})
	if len(all) <= most && sum <= size {
		return
	}
	slices.SortFunc(all, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for i, fi := range all {
		if left := len(all) - i; left <= most*3/4 && sum <= size*3/4 {
			return
		}
		os.Remove(filepath.Join(dir, fi.Name()))
		sum -= fi.Size()
	}
}
