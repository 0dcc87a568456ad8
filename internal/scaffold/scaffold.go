package scaffold

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/importer"
	"github.com/mintmark/mintmark/profiles"
)

// ProfileFile is the name of the file that is proposed.
const ProfileFile = "mintmark.yaml"

// Config says for what something is proposed.
type Config struct {
	Dir  string // the product's directory
	From string // the configuration to import, a path; "" for what is found, or none
	Key  bool   // there will be a key, mintmark.key beside the profile file
	CI   string // "", github or gitlab
	Mage bool   // a magefiles module is wanted
	Host profiles.Platform
	// Ignored are those of the paths, from the top of the repository around dir, that
	// its .gitignore files ignore. Where it is nil or has an error, as without git,
	// the lines of the .gitignore at the top are read instead.
	Ignored func(dir string, names []string) ([]string, error)
}

// File is one file to be made.
type File struct {
	Name string `json:"name"` // slash-separated, relative to Config.Dir
	Text string `json:"text"`
	Adds bool   `json:"adds,omitempty"` // the text is added at the end of a file that may be there
}

// Proposal is what a repository needs, and what to do then.
type Proposal struct {
	Dir    string           `json:"-"`
	Root   string           `json:"-"` // of the repository, where .gitignore is
	Module string           `json:"module"`
	Files  []File           `json:"files"` // the profile file first
	Source string           `json:"source,omitempty"`
	Import *importer.Result `json:"import,omitempty"`
	Notes  []string         `json:"notes,omitempty"`
	Tag    string           `json:"tag"` // an example of the next one
	Tags   bool             `json:"-"`   // there are version tags

	version string // that of Tag
	pinned  string // the toolchain that the file has to name; "" for go.mod's
	layout  layout
	cfg     Config
}

// Propose looks at a directory. Its error names what keeps a profile file from being
// made.
func Propose(cfg Config) (*Proposal, error) {
	dir, err := files.RealPath(cmp.Or(cfg.Dir, "."))
	if err != nil {
		return nil, err
	}
	if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
		return nil, fault.Usagef("name the product's checkout with -dir=DIR", "%s is not a directory", cfg.Dir)
	}
	p := &Proposal{Dir: dir, cfg: cfg}
	if p.Root, err = repository(dir); err != nil {
		return nil, err
	}
	if rel, err := filepath.Rel(p.Root, dir); err != nil || strings.ContainsFunc(rel, unicode.IsControl) || !utf8.ValidString(rel) {
		return nil, fault.Errorf("rename it", "the directory %q has a line end or another character in its name that .gitignore cannot hold", rel)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	tree := root.FS()
	l, err := look(tree, cfg.Host)
	if err != nil {
		return nil, err
	}
	p.layout, p.Module = *l, l.module
	if len(l.modules) == 0 || l.module == "" && len(l.modules) > 1 {
		return nil, p.chooseModule()
	}
	if p.Module == "" {
		p.Module = l.modules[0].path
	}
	p.layout.work = p.workspace()
	p.notes()
	if err := p.toolchain(tree); err != nil {
		return nil, err
	}
	p.tags()
	text, err := p.profileFile(tree)
	if err != nil {
		return nil, err
	}
	if err := p.meaning(text); err != nil {
		return nil, err
	}
	p.Files = []File{{Name: ProfileFile, Text: text}}
	p.ignore()
	if err := p.workflow(); err != nil {
		return nil, err
	}
	p.mage()
	return p, nil
}

func (p *Proposal) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

// repository is the top of the git work tree around dir.
func repository(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fault.Errorf("git init makes one; mintmark releases commits", "%s is in no git repository", dir)
		}
	}
}

// source finds the configuration to import; "" for none.
func (p *Proposal) source(tree fs.FS) (string, error) {
	if p.cfg.From != "" {
		abs, err := files.RealPath(p.cfg.From)
		if err != nil {
			return "", fault.Usagef("-from= names a .goreleaser.yaml, a .promu.yml or a Makefile", "-from=%s: %w", p.cfg.From, err)
		}
		rel, err := filepath.Rel(p.Dir, abs)
		if err != nil || !filepath.IsLocal(rel) {
			return "", fault.Usagef("copy it there, or name the product's directory with -dir=", "-from=%s lies outside of %s, and what it names would not be found", p.cfg.From, p.Dir)
		}
		return filepath.ToSlash(rel), nil
	}
	var found []string
	for _, name := range append(profiles.GoReleaserFiles(), ".promu.yml") {
		if fi, err := fs.Stat(tree, name); err == nil && fi.Mode().IsRegular() {
			found = append(found, name)
		}
	}
	for _, name := range []string{"GNUmakefile", "makefile", "Makefile"} {
		if fi, err := fs.Stat(tree, name); err != nil || !fi.Mode().IsRegular() || fi.Size() > 1<<20 {
			continue
		}
		if data, err := fs.ReadFile(tree, name); err == nil && strings.Contains(string(data), "-X") {
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		return "", nil
	}
	for _, other := range found[1:] {
		p.note("%s is not read; -from=%s imports it in the place of %s", other, other, found[0])
	}
	return found[0], nil
}

// profileFile is the text of the profile file: imported, or made of what is there.
func (p *Proposal) profileFile(tree fs.FS) (string, error) {
	from, err := p.source(tree)
	if err != nil {
		return "", err
	}
	sign := "none"
	if p.cfg.Key {
		sign = KeyName + ".key"
	}
	plain := p.plain()
	plain.Go = p.pinned
	plain.Tag = p.tagKey()
	if from == "" {
		return importer.Propose(plain, sign)
	}
	p.Source = from
	if p.Import, err = importer.Import(importer.Source{Name: from, Tree: tree, Module: p.Module, Remote: remoteName(p.Root), Sign: sign, Plain: plain}); err != nil {
		return "", err
	}
	return p.Import.Text, nil
}

// Existing are the files of the proposal that are there already, those of the key
// pair among them.
func (p *Proposal) Existing() (names []string) {
	for _, f := range p.Files {
		if _, err := os.Lstat(filepath.Join(p.Dir, filepath.FromSlash(f.Name))); err == nil && !f.Adds {
			names = append(names, f.Name)
		}
	}
	if p.cfg.Key {
		for _, name := range []string{KeyName + ".key", KeyName + ".pub"} {
			if _, err := os.Lstat(filepath.Join(p.Dir, name)); err == nil {
				names = append(names, name)
			}
		}
	}
	return names
}

// Write makes the files. If one of them is there, all that are there are named and
// none is made; if one cannot be made, those made before it are removed.
func (p *Proposal) Write() error {
	var there error
	if names := p.Existing(); len(names) > 0 {
		there = fault.Errorf("move them away, or see with -print what would be in them", "already there, and nothing is overwritten: %s", strings.Join(names, ", "))
	}
	if err := errors.Join(there, p.checkPlaces()); err != nil {
		return err
	}
	var undo []func() error
	for _, f := range p.Files {
		back, err := p.write(f)
		if err != nil {
			errs := []error{fmt.Errorf("%s: %w", f.Name, err)}
			for _, u := range undo {
				errs = append(errs, u())
			}
			return errors.Join(errs...)
		}
		undo = append(undo, back)
	}
	return nil
}

// checkPlaces names what is in the way of the files. A link is: one on the way to a
// file leads to where nobody asked for one, and what one in the place of a file that
// is added to leads to, however private, would be in the repository afterwards.
func (p *Proposal) checkPlaces() error {
	var errs []error
	seen := map[string]bool{}
	for _, f := range p.Files {
		rel, err := filepath.Rel(p.Root, filepath.Join(p.Dir, filepath.FromSlash(f.Name)))
		if err != nil || !filepath.IsLocal(rel) {
			errs = append(errs, fmt.Errorf("%s is not in the repository %s", f.Name, p.Root))
			continue
		}
		for at := rel; at != "."; at = filepath.Dir(at) {
			name := filepath.Join(p.Root, at)
			fi, err := os.Lstat(name)
			switch {
			case seen[name] || errors.Is(err, fs.ErrNotExist):
			case err != nil:
				errs = append(errs, err)
			case at == rel && f.Adds && !fi.Mode().IsRegular():
				errs = append(errs, fmt.Errorf("%s: %w", f.Name, &files.NotRegularError{Path: name, Mode: fi.Mode()}))
			case at != rel && !fi.IsDir():
				errs = append(errs, fault.Errorf("put a directory there: links are not followed in this place", "%s: %w", f.Name, &files.NotDirError{Path: name, Mode: fi.Mode()}))
			}
			seen[name] = true
		}
	}
	return errors.Join(errs...)
}

// write makes one file, and says how to take it back.
func (p *Proposal) write(f File) (undo func() error, err error) {
	name := filepath.Join(p.Dir, filepath.FromSlash(f.Name))
	if f.Adds {
		old, err := files.Read(name, 1<<20)
		there := err == nil
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		mode := fs.FileMode(0o644)
		if fi, err := os.Stat(name); err == nil {
			mode = fi.Mode().Perm()
		}
		text := string(old)
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		if err := files.Write(name, []byte(text+f.Text), mode); err != nil {
			return nil, err
		}
		return func() error {
			if !there {
				return os.Remove(name)
			}
			return files.Write(name, old, mode)
		}, nil
	}
	made := ""
	for dir := filepath.Dir(name); dir != p.Dir; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); err == nil || filepath.Dir(dir) == dir {
			break
		}
		made = dir
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	err = files.Create(name, 0o644, func(w *os.File) error {
		_, err := w.WriteString(f.Text)
		return err
	})
	if err != nil {
		return nil, err
	}
	return func() error {
		err := os.Remove(name)
		for dir := filepath.Dir(name); err == nil && made != "" && len(dir) >= len(made); dir = filepath.Dir(dir) {
			err = os.Remove(dir)
		}
		return err
	}, nil
}

// rel is a path of the repository's top, seen from the product's directory.
func (p *Proposal) rel(name string) string {
	rel, err := filepath.Rel(p.Dir, filepath.Join(p.Root, filepath.FromSlash(name)))
	if err != nil {
		return name
	}
	return path.Clean(filepath.ToSlash(rel))
}
