package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/files"
)

// Tag is a tag of a repository.
type Tag struct {
	Name   string // without refs/tags/
	Object string // what the ref points at: the commit, or an annotation
	Commit string // what it finally points at
}

// Repo is somebody's repository, seen through a git directory of our own.
type Repo struct {
	Head string // the commit of HEAD, by hash
	Tags []Tag  // in the order of their names
	// Partial says that the repository leaves objects at the server it was
	// cloned from. They are not fetched.
	Partial bool

	git     *Git
	dir     string   // the git directory of our own
	objects []string // directories of objects: the repository's, then its alternates
	format  string
	tree    []string // variables of commands that look at the work tree; nil where there is none
	root    string
	shallow []byte
	// believed says that a stranger's directory gives the objects their names.
	believed bool
}

// Open makes the repository at l usable, with the user's work tree.
func (g *Git) Open(ctx context.Context, l *Location) (*Repo, error) {
	settings, err := g.settings(ctx, l.Root)
	if err != nil {
		return nil, err
	}
	r, err := g.over(ctx, ask, l, settings)
	if err != nil {
		return nil, err
	}
	_, r.Partial = settings[partialClone]
	r.root = l.Root
	r.tree = []string{"GIT_DIR=" + r.dir, "GIT_WORK_TREE=" + l.Root, "GIT_INDEX_FILE=" + filepath.Join(l.gitDir, "index")}
	for _, name := range []string{"exclude", "attributes", "sparse-checkout"} {
		from := l.common
		if name == "sparse-checkout" {
			from = l.gitDir // each work tree has its own
		}
		if err := copyData(ctx, filepath.Join(from, "info", name), filepath.Join(r.dir, "info", name)); err != nil {
			return nil, err
		}
	}
	// An index may be split: git looks for its other part in the git directory.
	parts, err := filepath.Glob(filepath.Join(globQuote(l.gitDir), "sharedindex.*"))
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		if err := copyData(ctx, part, filepath.Join(r.dir, filepath.Base(part))); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// over makes a git directory of our own over the objects of the repository at l.
func (g *Git) over(ctx context.Context, m mode, l *Location, settings map[string]string) (*Repo, error) {
	dir, err := os.MkdirTemp(g.work, "git-")
	if err != nil {
		return nil, err
	}
	r := &Repo{git: g, dir: dir, format: l.format}
	if r.objects, err = objectDirs(filepath.Join(l.common, "objects")); err != nil {
		return nil, err
	}
	if l.Shallow {
		if r.shallow, err = readSmall(filepath.Join(l.common, "shallow")); err != nil {
			return nil, err
		}
	}
	if err := r.readRefs(ctx, m, l); err != nil {
		return nil, err
	}
	return r, r.write(settings)
}

// readRefs asks for HEAD and the tags. Plumbing only: git tag follows the user's
// settings for columns and sorting.
func (r *Repo) readRefs(ctx context.Context, m mode, l *Location) error {
	out, err := r.git.run(ctx, m, r.git.work, []string{"GIT_DIR=" + l.gitDir}, nil, "show-ref", "--head", "--tags", "--dereference")
	if exit, ok := errors.AsType[*toolchain.ExitError](err); ok && exit.Code == 1 && len(out) == 0 {
		return nil // no refs at all
	}
	if err != nil {
		return err
	}
	at := map[string]int{}
	for line := range strings.Lines(string(out)) {
		hash, ref, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if ref == "HEAD" {
			r.Head = hash
		}
		name, ok := strings.CutPrefix(ref, "refs/tags/")
		if !ok || !isHash(hash) {
			continue
		}
		if peeled, ok := strings.CutSuffix(name, "^{}"); ok {
			if i, ok := at[peeled]; ok {
				r.Tags[i].Commit = hash
			}
			continue
		}
		at[name] = len(r.Tags)
		r.Tags = append(r.Tags, Tag{name, hash, hash})
	}
	return nil
}

// write makes the git directory.
func (r *Repo) write(settings map[string]string) error {
	var alternates strings.Builder
	for _, dir := range r.objects {
		alternates.WriteString(quote(filepath.ToSlash(dir)) + "\n")
	}
	head := r.Head
	if head == "" {
		head = "ref: refs/heads/none"
	}
	return errors.Join(
		os.MkdirAll(filepath.Join(r.dir, "objects", "pack"), 0o700),
		os.MkdirAll(filepath.Join(r.dir, "objects", "info"), 0o700),
		os.MkdirAll(filepath.Join(r.dir, "refs"), 0o700),
		os.MkdirAll(filepath.Join(r.dir, "info"), 0o700),
		files.Write(filepath.Join(r.dir, "HEAD"), []byte(head+"\n"), 0o600),
		files.Write(filepath.Join(r.dir, "objects", "info", "alternates"), []byte(alternates.String()), 0o600),
		files.Write(filepath.Join(r.dir, "packed-refs"), packedRefs(r.Tags), 0o600),
		files.Write(filepath.Join(r.dir, "config"), r.config(settings), 0o600),
		r.writeShallow(r.dir),
	)
}

func (r *Repo) writeShallow(dir string) error {
	if r.shallow == nil {
		return nil
	}
	return files.Write(filepath.Join(dir, "shallow"), r.shallow, 0o600)
}

func packedRefs(tags []Tag) []byte {
	sorted := slices.SortedFunc(slices.Values(tags), func(a, b Tag) int { return strings.Compare(a.Name, b.Name) })
	var b bytes.Buffer
	b.WriteString("# pack-refs with: peeled fully-peeled sorted \n")
	for _, t := range sorted {
		fmt.Fprintf(&b, "%s refs/tags/%s\n", t.Object, t.Name)
		if t.Commit != t.Object {
			fmt.Fprintf(&b, "^%s\n", t.Commit)
		}
	}
	return b.Bytes()
}

// Run runs a git command that reads objects and refs. It sees no work tree and
// nobody's settings.
func (r *Repo) Run(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	return r.git.run(ctx, own, r.dir, []string{"GIT_DIR=" + r.dir, "GIT_ATTR_NOSYSTEM=1"}, stdin, args...)
}

// InTree runs a git command at the top of the user's work tree. Only the
// user's settings of [data] count. A status has to be told to leave submodules
// alone: it would start git in them, with their configurations.
func (r *Repo) InTree(ctx context.Context, args ...string) ([]byte, error) {
	if r.tree == nil {
		return nil, errors.New("git: a repository without a work tree")
	}
	return r.git.run(ctx, own, r.root, r.tree, nil, args...)
}

// Unwatched are files of the index that git was told not to look at in the work
// tree (update-index --assume-unchanged, --skip-worktree, sparse checkouts).
// assumed says that git takes the file to be there and unchanged.
func (r *Repo) Unwatched(ctx context.Context) (names []string, assumed map[string]bool, err error) {
	out, err := r.InTree(ctx, "ls-files", "-v", "-z", "--full-name")
	assumed = map[string]bool{}
	for entry := range bytes.SplitSeq(out, []byte{0}) {
		if len(entry) < 3 || entry[1] != ' ' {
			continue
		}
		tag, name := entry[0], string(entry[2:])
		small := tag >= 'a' && tag <= 'z'
		if tag == 'S' || small {
			names = append(names, name)
			assumed[name] = small && tag != 's'
		}
	}
	return names, assumed, err
}

// Compare is git's status of those files in the work tree, held against a commit
// with git's own filters but not with the user's index, which may have git look
// away. It is as git status -z --porcelain=v1 prints it.
func (r *Repo) Compare(ctx context.Context, commit string, names []string) ([]byte, error) {
	if !isHash(commit) || r.tree == nil {
		return nil, fmt.Errorf("git: %q cannot be compared with a work tree", commit)
	}
	fresh := *r
	fresh.tree = append(slices.Clone(r.tree), "GIT_INDEX_FILE="+filepath.Join(r.dir, "fresh-index")) // the last one counts
	if _, err := fresh.InTree(ctx, "read-tree", "--no-sparse-checkout", commit); err != nil {
		return nil, err
	}
	var all []byte
	for batch := range slices.Chunk(names, 200) { // a command line has an end
		args := []string{"-c", "core.sparseCheckout=false", "--literal-pathspecs", "status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames", "--ignore-submodules=all", "--"}
		out, err := fresh.InTree(ctx, append(args, batch...)...)
		if err != nil {
			return nil, err
		}
		all = append(all, out...)
	}
	return all, nil
}

// Archive writes a zip of the commit's files to out: line endings as committed,
// and without export-ignore and export-subst, which would depend on the version
// of git.
func (r *Repo) Archive(ctx context.Context, commit, out string) error {
	return r.archive(ctx, commit, out, "* -export-subst -export-ignore\n")
}

// Export is [Repo.Archive] of the files as they are in the commit: no attribute
// changes anything of them.
func (r *Repo) Export(ctx context.Context, commit, out string) error {
	return r.archive(ctx, commit, out, "* -export-subst -export-ignore -text !eol -ident -filter !working-tree-encoding\n")
}

func (r *Repo) archive(ctx context.Context, commit, out, attributes string) error {
	// A directory of its own, since that of a work tree has the user's attributes.
	plain := *r
	var err error
	if plain.dir, err = os.MkdirTemp(r.git.work, "git-"); err != nil {
		return err
	}
	defer files.RemoveTree(plain.dir)
	if err := plain.write(map[string]string{"core.autocrlf": "input", "core.eol": "lf", "core.attributesfile": os.DevNull}); err != nil {
		return err
	}
	if err := files.Write(filepath.Join(plain.dir, "info", "attributes"), []byte(attributes), 0o600); err != nil {
		return err
	}
	_, err = plain.Run(ctx, nil, "archive", "--format=zip", "-0", "-o", out, commit)
	return err
}

// Checkout makes a private repository in dir, which must not exist, with the
// full history and those tags, and checks the commit out. Its object files are
// links to the other's where the file system has links, else copies; nothing
// else is shared. Git's later commands there, such as those of the go command,
// find a configuration that names nothing.
func (r *Repo) Checkout(ctx context.Context, dir, commit string, tags []Tag) error {
	if !isHash(commit) {
		return fmt.Errorf("git: %q is not the hash of a commit", commit)
	}
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("%s: %w", dir, os.ErrExist)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	own, writes := *r, *r.git
	writes.checkouts = []string{dir}
	own.git = &writes
	own.dir = filepath.Join(dir, ".git")
	own.tree, own.root = []string{"GIT_DIR=" + own.dir, "GIT_WORK_TREE=" + dir}, dir
	// Git finds out what the file system can do.
	init := []string{"init", "--quiet", "--template="}
	if r.format != "" && r.format != "sha1" {
		init = append(init, "--object-format="+r.format)
	}
	if _, err := own.InTree(ctx, init...); err != nil {
		return err
	}
	config, err := readSmall(filepath.Join(own.dir, "config"))
	if err != nil {
		return err
	}
	config = append(config, section(map[string]string{
		"core.autocrlf": "false", "core.eol": "lf", "core.attributesfile": os.DevNull, "core.excludesfile": os.DevNull,
		"core.fsmonitor": "false", "core.hookspath": os.DevNull, "core.commitgraph": "false", "gc.auto": "0", "maintenance.auto": "false",
	})...)
	err = errors.Join(
		files.Write(filepath.Join(own.dir, "config"), config, 0o644),
		files.Write(filepath.Join(own.dir, "HEAD"), []byte(commit+"\n"), 0o644),
		files.Write(filepath.Join(own.dir, "packed-refs"), packedRefs(tags), 0o644),
		own.writeShallow(own.dir))
	if err != nil {
		return err
	}
	for _, from := range r.objects {
		if err := linkObjects(ctx, from, filepath.Join(own.dir, "objects")); err != nil {
			return err
		}
	}
	_, err = own.InTree(ctx, "checkout", "--quiet", "--detach", commit)
	return err
}

// Has reports whether the repository has the commit.
func (r *Repo) Has(ctx context.Context, commit string) bool {
	_, err := r.Run(ctx, nil, "cat-file", "-e", commit+"^{commit}")
	return err == nil
}

// isHash reports whether s is a full object name: hexadecimal digits of SHA-1
// or SHA-256. Nothing else that strangers name reaches git's command line.
func isHash(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	return strings.Trim(s, "0123456789abcdef") == ""
}

// Exclude has git pass over files that were added to a private checkout, which
// [Repo.Checkout] has made in dir. names are slash-separated paths in it. It returns
// those that git sees all the same, since a .gitignore of the commit has it see them.
func (r *Repo) Exclude(ctx context.Context, dir string, names []string) (seen []string, err error) {
	var b strings.Builder
	for _, name := range names {
		line := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
		if kept := strings.TrimRight(line, " "); kept != line {
			line = kept + strings.Repeat(`\ `, len(line)-len(kept))
		}
		b.WriteString("/" + line + "\n")
	}
	own := *r
	own.dir = filepath.Join(dir, ".git")
	own.tree, own.root = []string{"GIT_DIR=" + own.dir, "GIT_WORK_TREE=" + dir}, dir
	if err := os.MkdirAll(filepath.Join(own.dir, "info"), 0o755); err != nil {
		return nil, err
	}
	if err := files.Write(filepath.Join(own.dir, "info", "exclude"), []byte(b.String()), 0o644); err != nil {
		return nil, err
	}
	// Read as the go command has it read, and without a lock, since that would give
	// the index another time.
	out, err := own.InTree(ctx, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all")
	for entry := range bytes.SplitSeq(out, []byte{0}) {
		if len(entry) > 3 && slices.Contains(names, string(entry[3:])) {
			seen = append(seen, string(entry[3:]))
		}
	}
	return seen, err
}
