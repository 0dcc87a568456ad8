package publish

import (
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// gitea is Gitea and Forgejo, whose interfaces are the same in what is used here:
// https://docs.gitea.com/api and https://codeberg.org/api/swagger. They give no digests,
// so everything is downloaded to be compared; and they take several files of one name.
type gitea struct {
	*client
	*about
	api string // of the repository, without a slash at the end
}

func newGitea(cfg *Config, a *about) *gitea {
	g := &gitea{about: a, api: a.target.Base + "/api/v1/repos/" + a.target.Repo}
	g.client = newClient(cfg, func(h http.Header, token string) { h.Set("Authorization", "token "+token) }, a.target.Base)
	return g
}

type giteaRelease struct {
	ID     int64  `json:"id"`
	Tag    string `json:"tag_name"`
	Draft  bool   `json:"draft"`
	URL    string `json:"html_url"`
	Assets []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
		Size int64  `json:"size"`
		UUID string `json:"uuid"`
		Type string `json:"type"` // of Forgejo: attachment, or external for a link
		URL  string `json:"browser_download_url"`
	} `json:"assets"`
}

func (g *gitea) remote(r giteaRelease) *remote {
	return &remote{ID: strconv.FormatInt(r.ID, 10), Draft: r.Draft, URL: plainURL(r.URL, g.target.Base)}
}

func (g *gitea) rehearse() { g.would = true }

func (g *gitea) get(address string) call {
	return call{method: http.MethodGet, url: address, again: true}
}

func (g *gitea) commit(ctx context.Context) (string, error) {
	var tag struct {
		Commit struct{ SHA string } `json:"commit"`
	}
	err := g.json(ctx, g.get(g.api+"/tags/"+escape(g.tag)), &tag)
	if status(err) == http.StatusNotFound {
		return "", g.json(ctx, g.get(g.api), nil) // or is it the repository?
	}
	return tag.Commit.SHA, err
}

func (g *gitea) find(ctx context.Context) (*remote, []*remote, error) {
	var drafts []*remote
	for page := 1; page <= 1000; page++ {
		var list []giteaRelease
		if err := g.json(ctx, g.get(fmt.Sprintf("%s/releases?limit=50&page=%d", g.api, page)), &list); err != nil {
			return nil, nil, err
		}
		for _, r := range list {
			switch {
			case r.Tag != g.tag:
			case r.Draft:
				drafts = append(drafts, g.remote(r))
			default:
				return g.remote(r), nil, nil
			}
		}
		if len(list) == 0 { // how many come at once is a setting of the server
			break
		}
	}
	return nil, drafts, nil
}

func (g *gitea) create(ctx context.Context) (*remote, error) {
	var r giteaRelease
	err := g.send(ctx, call{method: http.MethodPost, url: g.api + "/releases"}, map[string]any{
		"tag_name": g.tag, "name": g.release.title(), "body": g.notes, "draft": true, "prerelease": g.prerelease,
	}, &r)
	if err != nil {
		return nil, err
	}
	return g.remote(r), nil
}

func (g *gitea) assets(ctx context.Context, r *remote) ([]asset, error) {
	var rel giteaRelease
	if err := g.json(ctx, g.get(g.api+"/releases/"+r.ID), &rel); err != nil {
		return nil, err
	}
	var all []asset
	for _, a := range rel.Assets {
		one := asset{ID: strconv.FormatInt(a.ID, 10), Name: a.Name, Size: a.Size, Complete: true}
		if a.Type == "external" || checkPart(a.UUID) != nil {
			one.Size, one.Link = -1, a.URL
		}
		// The address that the server gives is made of its settings; this one is of the
		// host that the user has named.
		one.ref = g.target.Base + "/attachments/" + a.UUID
		all = append(all, one)
	}
	return all, nil
}

func (g *gitea) upload(ctx context.Context, r *remote, f File) error {
	q := g.file(call{method: http.MethodPost, url: g.api + "/releases/" + r.ID + "/assets?name=" + url.QueryEscape(f.Name)}, f)
	q, err := asForm(q, "attachment", f.Name)
	if err != nil {
		return err
	}
	return g.json(ctx, q, nil)
}

// asForm makes a request with a file one with a form that has the file.
func asForm(q call, field, name string) (call, error) {
	var head strings.Builder
	form := multipart.NewWriter(&head)
	if _, err := form.CreateFormFile(field, name); err != nil {
		return q, err
	}
	tail := "\r\n--" + form.Boundary() + "--\r\n"
	open := q.body
	q.body = func() (io.ReadCloser, error) {
		f, err := open()
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.MultiReader(strings.NewReader(head.String()), f, strings.NewReader(tail)), f}, nil
	}
	q.size += int64(head.Len() + len(tail))
	q.content = form.FormDataContentType()
	return q, nil
}

func (g *gitea) remove(context.Context, asset) error { return nil } // nothing is ever incomplete

func (g *gitea) read(ctx context.Context, a asset, to func(io.Reader) error) error {
	return g.download(ctx, a.ref, "*/*", to)
}

func (g *gitea) publish(ctx context.Context, r *remote) error {
	return g.send(ctx, call{method: http.MethodPatch, url: g.api + "/releases/" + r.ID}, map[string]any{"draft": false}, nil)
}
