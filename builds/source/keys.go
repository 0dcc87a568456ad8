package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/secret"
)

// HeldKey is a private key in a file of a commit.
type HeldKey struct {
	Name string // slash-separated path from the top
	Kind secret.Kind
	Sum  [32]byte // see [secret.Found]
	Test bool     // below testdata, or in the source of a test
}

// maxHolder is the most bytes a file may have to be searched for private keys.
const maxHolder = 1 << 20

// Keys finds the private keys in the files below dir, which is a checkout. Its
// .git is not looked into, nor are files of more than 1 MiB and links.
func Keys(ctx context.Context, dir string) (keys []HeldKey, err error) {
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		if rel = filepath.ToSlash(rel); rel == ".git" {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		for _, k := range secret.Keys(content(name)) {
			keys = append(keys, HeldKey{rel, k.Kind, k.Sum, strings.Contains("/"+rel, "/testdata/") || strings.HasSuffix(rel, "_test.go")})
		}
		return nil
	})
	return keys, err
}

// content is what is in a regular file that may hold a key, and "" for
// anything else: links and pipes are not opened.
func content(name string) string {
	if fi, err := os.Lstat(name); err != nil || !fi.Mode().IsRegular() {
		return ""
	}
	data, err := files.Read(name, maxHolder)
	if err != nil {
		return ""
	}
	return string(data)
}

func (r *Repo) file(name string) string { return filepath.Join(r.root, filepath.FromSlash(name)) }

// WithKeys are those of the files, paths from the top of the user's tree, that
// have a private key in them, as a file of its own or among other things.
func (r *Repo) WithKeys(names []string) (with []string) {
	for _, n := range names {
		if len(secret.Keys(content(r.file(n)))) > 0 {
			with = append(with, n)
		}
	}
	return with
}

// keygens reports whether a file that git calls changed is one of those that
// mintmark keygen leaves in a tree: an untracked private key, which nobody must
// be told to commit, the public key beside it, or the lines of .gitignore that
// name such keys. status is git's: two letters.
func (r *Repo) keygens(ctx context.Context, status, name string) bool {
	untracked := status == "??"
	if path.Base(name) == ".gitignore" && (untracked || status == " M") {
		return r.onlyKeysIgnored(ctx, untracked, name)
	}
	if !untracked {
		return false
	}
	text := content(r.file(name))
	if _, ok := secret.KeyFile(text); ok {
		r.Notes = append(r.Notes, fmt.Sprintf("%s is a private key, and git does not ignore it: git add -A would publish it; add the line %s to .gitignore", name, ignorePattern(name)))
		return true
	}
	private, ok := strings.CutSuffix(name, ".pub")
	if !ok || !secret.IsPublicKeyFile(text) {
		return false
	}
	_, ok = secret.KeyFile(content(r.file(private + ".key")))
	return ok
}

// ignoreComment stands above the lines that [IgnoreKey] adds to .gitignore.
const ignoreComment = "# private keys (mintmark keygen)"

// onlyKeysIgnored reports whether the .gitignore of that name is the commit's
// but for lines at its end that [IgnoreKey] wrote.
func (r *Repo) onlyKeysIgnored(ctx context.Context, untracked bool, name string) bool {
	before := ""
	if !untracked {
		out, err := r.git.Run(ctx, nil, "cat-file", "blob", r.Commit+":"+name)
		if err != nil {
			return false
		}
		before = lines(string(out))
	}
	added, ok := strings.CutPrefix(lines(content(r.file(name))), before)
	if !ok || added == "" {
		return false
	}
	for line := range strings.SplitSeq(added, "\n") {
		if line == "" || line == ignoreComment {
			continue
		}
		key := path.Join(path.Dir(name), unescape.Replace(line))
		if _, ok := secret.KeyFile(content(r.file(key))); !ok || !strings.HasPrefix(line, "/") {
			return false
		}
	}
	return true
}

// lines ends every line with "\n", the last one too.
func lines(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

var (
	escape   = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, " ", `\ `)
	unescape = strings.NewReplacer(`\\`, `\`, `\*`, "*", `\?`, "?", `\[`, "[", `\ `, " ")
)

// ignorePattern is the line of .gitignore for one file, a slash-separated path.
func ignorePattern(name string) string { return "/" + escape.Replace(name) }

// IgnoreKey has git ignore the private key in that file: it adds a line to the
// .gitignore at the top of the work tree around it, unless there is one already.
// It returns the .gitignore and the line; both are "" where there is no
// repository. No git process is run.
func IgnoreKey(key string) (ignore, line string, err error) {
	abs, err := filepath.Abs(key)
	if err != nil {
		return "", "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", "", err
	}
	abs = filepath.Join(dir, filepath.Base(abs))
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			return "", "", nil
		}
	}
	rel, err := filepath.Rel(dir, abs)
	if err != nil {
		return "", "", err
	}
	rel = filepath.ToSlash(rel)
	if strings.ContainsAny(rel, "\r\n") {
		return "", "", errors.New("its name has a line end, which .gitignore cannot hold")
	}
	ignore, line = filepath.Join(dir, ".gitignore"), ignorePattern(rel)
	return ignore, line, addLine(ignore, line, path.Base(rel))
}

// addLine adds a line to a .gitignore that does not ignore the file base already.
func addLine(name, line, base string) error {
	mode, before := fs.FileMode(0o644), ""
	switch fi, err := os.Lstat(name); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !fi.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file; git follows no link there, and neither does mintmark", name)
	default:
		data, err := files.Read(name, maxHolder)
		if err != nil {
			return err
		}
		mode, before = fi.Mode().Perm(), string(data)
	}
	known := false
	for l := range strings.SplitSeq(before, "\n") {
		switch l = strings.TrimRight(l, "\r"); {
		case strings.HasPrefix(l, "!"):
			known = false // what it brings back is not looked into
		case l == line, l == base, l == "*"+path.Ext(base) && path.Ext(base) != "":
			known = true
		}
	}
	if known {
		return nil
	}
	end := "\n"
	if strings.Contains(before, "\r\n") {
		end = "\r\n"
	}
	text := ""
	if before != "" && !strings.HasSuffix(before, "\n") {
		text = end
	}
	if !strings.Contains(before, ignoreComment) {
		text += ignoreComment + end
	}
	return files.Write(name, []byte(before+text+line+end), mode)
}
