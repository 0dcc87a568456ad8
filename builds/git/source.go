package git

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/childenv"
	"github.com/mintmark/mintmark/internal/secret"
)

// Source makes the repository from usable: a directory, or an address that git
// fetches from with the user's configuration and credentials. commit is fetched
// by its hash if no ref leads to it; "" asks for none.
func (g *Git) Source(ctx context.Context, from, commit string) (*Repo, error) {
	if strings.HasPrefix(from, "-") || from == "" {
		return nil, fmt.Errorf("%q is neither a directory nor an address", secret.Redact(from))
	}
	if dir, ok := localDir(from); ok {
		r, err := g.Borrow(ctx, dir)
		if err == nil {
			r.believed = true
		}
		return r, err
	}
	dir, err := os.MkdirTemp(g.work, "fetched-")
	if err != nil {
		return nil, err
	}
	more, err := g.quiet(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := g.run(ctx, fetch, g.work, more, nil, "clone", "--quiet", "--bare", "--template=", "--no-recurse-submodules", "--", from, dir); err != nil {
		return nil, err
	}
	r, err := g.Borrow(ctx, dir)
	if err != nil || commit == "" || !isHash(commit) || r.Has(ctx, commit) {
		return r, err
	}
	// Whether it can be had that way is for the server to say; who asks for the
	// commit finds out.
	_, err = g.run(ctx, fetch, g.work, append(more, "GIT_DIR="+dir), nil, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "origin", commit)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	return r, nil
}

// Adopt has a repository that [Git.Source] has found in a directory show the commit
// and its history, and nothing else, from a pack of our own, in which every object
// is called what its content hashes to. Git believes the name that an object is
// stored under, and whoever made the directory may have stored any content under
// it. What is fetched git names by its content itself: then there is nothing to do.
func (r *Repo) Adopt(ctx context.Context, commit string) error {
	if !r.believed {
		return nil
	}
	if !isHash(commit) {
		return fmt.Errorf("git: %q is not the hash of a commit", commit)
	}
	dir, err := os.MkdirTemp(r.git.work, "git-")
	if err != nil {
		return err
	}
	own := *r
	own.dir, own.Head, own.Tags, own.objects, own.believed = dir, commit, nil, nil, false
	if err := own.write(nil); err != nil {
		return err
	}
	packs := filepath.Join(dir, "objects", "pack")
	if _, err := r.Run(ctx, []byte(commit+"\n"), "pack-objects", "--quiet", "--revs", "--include-tag", filepath.Join(packs, "pack")); err != nil {
		return err
	}
	made, err := os.ReadDir(packs)
	if err != nil {
		return err
	}
	for _, f := range made { // the names that were believed are in the index
		if filepath.Ext(f.Name()) != ".pack" {
			if err := os.Remove(filepath.Join(packs, f.Name())); err != nil {
				return err
			}
		}
	}
	for _, f := range made {
		if filepath.Ext(f.Name()) == ".pack" {
			if _, err := own.Run(ctx, nil, "index-pack", filepath.Join(packs, f.Name())); err != nil {
				return err
			}
		}
	}
	if _, err := own.Run(ctx, nil, "rev-list", "--quiet", "--objects", commit); err != nil {
		return fmt.Errorf("an object is not what it is called: %w", err)
	}
	out, err := own.Run(ctx, nil, "rev-list", commit)
	if err != nil {
		return err
	}
	history := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		history[strings.TrimSuffix(line, "\n")] = true
	}
	for _, t := range r.Tags {
		if history[t.Commit] {
			own.Tags = append(own.Tags, t)
		}
	}
	if err := own.write(nil); err != nil {
		return err
	}
	own.objects = []string{filepath.Join(dir, "objects")}
	*r = own
	return nil
}

// localDir is the directory that from names, if it is one here.
func localDir(from string) (string, bool) {
	name := from
	if u, err := url.Parse(from); err == nil && u.Scheme == "file" && (u.Host == "" || u.Host == "localhost") {
		name = filepath.FromSlash(u.Path)
	}
	fi, err := os.Stat(name)
	if err != nil || !fi.IsDir() {
		return "", false
	}
	name, err = filepath.Abs(name)
	return name, err == nil
}

// Borrow makes a repository in a directory usable, bare or not, whoever owns
// it. Its work tree is not looked at.
func (g *Git) Borrow(ctx context.Context, dir string) (*Repo, error) {
	var answers []string
	for _, q := range []string{"--absolute-git-dir", "--git-common-dir", "--is-shallow-repository", "--show-object-format"} {
		out, err := g.run(ctx, stranger, dir, nil, nil, "rev-parse", q)
		if err != nil {
			return nil, err
		}
		answers = append(answers, strings.TrimSuffix(string(out), "\n"))
	}
	return g.over(ctx, stranger, &Location{
		gitDir: answers[0], common: absolute(dir, answers[1]), Shallow: answers[2] == "true", format: answers[3],
	}, nil)
}

// quiet are variables that turn off what runs unasked in a fetch, and clear the
// filters and hooks that the user's own configuration defines under free names.
// No server can add one: a name that the configuration does not define means
// nothing.
func (g *Git) quiet(ctx context.Context) ([]string, error) {
	names, err := g.run(ctx, ask, g.work, nil, nil, "config", "--list", "-z", "--name-only")
	if err != nil {
		return nil, err
	}
	var set []string
	seen := map[string]bool{}
	for name := range strings.SplitSeq(string(names), "\x00") {
		filter := strings.HasPrefix(name, "filter.")
		switch {
		case seen[name]:
		case filter && strings.HasSuffix(name, ".required"):
			set = append(set, name+"=false")
		case filter, strings.HasPrefix(name, "hook.") && strings.HasSuffix(name, ".event"):
			set = append(set, name+"=")
		}
		seen[name] = true
	}
	return childenv.Quiet(g.environ, set), nil
}

// Quiet is network, variables of a fetch phase, with what keeps the git processes
// in it from running anything but what reaches the server; see quiet.
func (g *Git) Quiet(ctx context.Context, network []string) ([]string, error) {
	more, err := g.quiet(ctx)
	return append(slices.Clone(network), more...), err
}
