package publish

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
)

// github is GitHub and GitHub Enterprise:
// https://docs.github.com/en/rest/releases and
// https://docs.github.com/en/rest/git/refs.
type github struct {
	*client
	*about
	api, uploads string // addresses of the repository, without a slash at the end
}

// perPage is the most that GitHub gives at once.
const perPage = 100

func newGitHub(cfg *Config, a *about) *github {
	api, uploads := githubAddresses(a.target.Base)
	g := &github{about: a, api: api + "/repos/" + a.target.Repo, uploads: uploads + "/repos/" + a.target.Repo}
	g.client = newClient(cfg, func(h http.Header, token string) { h.Set("Authorization", "Bearer "+token) }, api, uploads)
	g.fixed = http.Header{"X-Github-Api-Version": {"2022-11-28"}}
	return g
}

// githubAddresses are where GitHub has its interface and takes uploads, by the address
// for people. They are not taken from any answer: a token goes there.
func githubAddresses(base string) (api, uploads string) {
	switch scheme, host, _ := strings.Cut(base, "://"); {
	case base == githubBase:
		return "https://api.github.com", "https://uploads.github.com"
	case strings.HasSuffix(host, ".ghe.com"): // with data residency
		return scheme + "://api." + host, scheme + "://uploads." + host
	}
	return base + "/api/v3", base + "/api/uploads" // GitHub Enterprise Server
}

const githubJSON = "application/vnd.github+json"

func (g *github) get(address string) call {
	return call{method: http.MethodGet, url: address, accept: githubJSON, again: true}
}

// githubRelease is what is read of a release.
type githubRelease struct {
	ID        int64  `json:"id"`
	Tag       string `json:"tag_name"`
	Draft     bool   `json:"draft"`
	Immutable bool   `json:"immutable"`
	URL       string `json:"html_url"`
}

func (g *github) remote(r githubRelease) *remote {
	return &remote{ID: strconv.FormatInt(r.ID, 10), Draft: r.Draft, Immutable: r.Immutable, URL: plainURL(r.URL, g.target.Base)}
}

// plainURL is an address that a forge gives for people, if it is one of the forge's;
// else that of the forge.
func plainURL(text, base string) string {
	if u, err := url.Parse(text); err == nil && u.User == nil && strings.HasPrefix(text, base+"/") && u.RawQuery == "" {
		return u.String()
	}
	return base
}

func (g *github) rehearse() { g.would = true }

func (g *github) commit(ctx context.Context) (string, error) {
	var ref struct {
		Object struct{ Type, SHA string } `json:"object"`
	}
	err := g.json(ctx, g.get(g.api+"/git/ref/tags/"+escape(g.tag)), &ref)
	if status(err) == http.StatusNotFound {
		// Of a repository that is not there, or that the token may not see, the answer is
		// the same.
		return "", g.json(ctx, g.get(g.api), nil)
	}
	// An annotated tag is an object of its own, which may name another one.
	for range 8 {
		if err != nil || ref.Object.Type != "tag" {
			break
		}
		sha := ref.Object.SHA
		err = g.json(ctx, g.get(g.api+"/git/tags/"+escape(sha)), &ref)
	}
	if err == nil && ref.Object.Type != "commit" && !g.would {
		return "", fmt.Errorf("the tag %s is of no commit, but of a %.50q", g.tag, ref.Object.Type)
	}
	return ref.Object.SHA, err
}

func (g *github) find(ctx context.Context) (*remote, []*remote, error) {
	var one githubRelease
	err := g.json(ctx, g.get(g.api+"/releases/tags/"+url.PathEscape(g.tag)), &one)
	if err == nil && !one.Draft {
		return g.remote(one), nil, nil
	}
	if err != nil && status(err) != http.StatusNotFound {
		return nil, nil, err
	}
	// A draft has no address by its tag; it is in the list, for who may write.
	var drafts []*remote
	for page := 1; page <= 100; page++ {
		var list []githubRelease
		if err := g.json(ctx, g.get(fmt.Sprintf("%s/releases?per_page=%d&page=%d", g.api, perPage, page)), &list); err != nil {
			return nil, nil, err
		}
		for _, r := range list {
			switch {
			case r.Tag != g.tag:
			case r.Draft:
				drafts = append(drafts, g.remote(r))
			default: // it was published just now
				return g.remote(r), nil, nil
			}
		}
		if len(list) < perPage {
			break
		}
	}
	return nil, drafts, nil
}

func (g *github) create(ctx context.Context) (*remote, error) {
	var r githubRelease
	// Without target_commitish: it would say where a tag is made that is missing.
	err := g.send(ctx, call{method: http.MethodPost, url: g.api + "/releases", accept: githubJSON}, map[string]any{
		"tag_name": g.tag, "name": g.release.title(), "body": g.notes, "draft": true, "prerelease": g.prerelease,
	}, &r)
	if err != nil {
		return nil, err
	}
	return g.remote(r), nil
}

func (g *github) assets(ctx context.Context, r *remote) ([]asset, error) {
	var all []asset
	for page := 1; page <= 100; page++ {
		var list []struct {
			ID     int64  `json:"id"`
			Name   string `json:"name"`
			State  string `json:"state"`
			Size   int64  `json:"size"`
			Digest string `json:"digest"`
		}
		if err := g.json(ctx, g.get(fmt.Sprintf("%s/releases/%s/assets?per_page=%d&page=%d", g.api, r.ID, perPage, page)), &list); err != nil {
			return nil, err
		}
		for _, a := range list {
			// Other digests than SHA-256, and none, are as if it said nothing.
			sum, _ := strings.CutPrefix(a.Digest, "sha256:")
			if sum == a.Digest {
				sum = ""
			}
			id := strconv.FormatInt(a.ID, 10)
			all = append(all, asset{ID: id, Name: a.Name, Size: a.Size, SHA256: sum, Complete: a.State == "uploaded", ref: g.api + "/releases/assets/" + id})
		}
		if len(list) < perPage {
			break
		}
	}
	return all, nil
}

func (g *github) upload(ctx context.Context, r *remote, f File) error {
	q := call{method: http.MethodPost, url: g.uploads + "/releases/" + r.ID + "/assets?name=" + url.QueryEscape(f.Name), accept: githubJSON}
	return g.json(ctx, g.file(q, f), nil)
}

// file puts a file of the release into a request.
func (a *about) file(q call, f File) call {
	q.content, q.size, q.file = "application/octet-stream", f.Size, f.Name
	q.body = func() (io.ReadCloser, error) { return files.Open(filepath.Join(a.release.Dir, f.Name)) }
	return q
}

func (g *github) remove(ctx context.Context, a asset) error {
	err := g.json(ctx, call{method: http.MethodDelete, url: g.api + "/releases/assets/" + a.ID, accept: githubJSON, again: true}, nil)
	if status(err) == http.StatusNotFound {
		return nil // it is gone
	}
	return err
}

func (g *github) read(ctx context.Context, a asset, to func(io.Reader) error) error {
	address := a.ref
	if g.cfg.Token.Reveal() == "" {
		// What everybody may see is not counted there, as requests without a token are.
		address = g.target.Base + "/" + g.target.Repo + "/releases/download/" + escape(g.tag) + "/" + url.PathEscape(a.Name)
	}
	return g.download(ctx, address, "application/octet-stream", to)
}

func (g *github) publish(ctx context.Context, r *remote) error {
	// legacy: which release is the latest one is found by version, so that a mended old
	// one is not.
	return g.send(ctx, call{method: http.MethodPatch, url: g.api + "/releases/" + r.ID, accept: githubJSON},
		map[string]any{"draft": false, "make_latest": "legacy"}, nil)
}
