package publish

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// gitlab is GitLab. Files are uploaded into the project's registry of generic packages
// (https://docs.gitlab.com/user/packages/generic_packages), as the package that has the
// project's name, in the release's version; the release links to them
// (https://docs.gitlab.com/api/releases).
type gitlab struct {
	*client
	*about
	api string // of the project, without a slash at the end
}

func newGitLab(cfg *Config, a *about) *gitlab {
	g := &gitlab{about: a, api: a.target.Base + "/api/v4/projects/" + url.PathEscape(a.target.Repo)}
	g.client = newClient(cfg, func(h http.Header, token string) { h.Set("PRIVATE-TOKEN", token) }, a.target.Base)
	return g
}

func (g *gitlab) rehearse() { g.would = true }

func (g *gitlab) get(address string) call {
	return call{method: http.MethodGet, url: address, again: true}
}

// page is where people see the release.
func (g *gitlab) page() string {
	return g.target.Base + "/" + g.target.Repo + "/-/releases/" + escape(g.tag)
}

// packageFile is where a file is, in a package of that version.
func (g *gitlab) packageFile(name, version, file string) string {
	return g.api + "/packages/generic/" + url.PathEscape(name) + "/" + url.PathEscape(version) + "/" + url.PathEscape(file)
}

func (g *gitlab) commit(ctx context.Context) (string, error) {
	var tag struct {
		Commit struct{ ID string } `json:"commit"`
	}
	err := g.json(ctx, g.get(g.api+"/repository/tags/"+url.PathEscape(g.tag)), &tag)
	if status(err) == http.StatusNotFound {
		return "", g.json(ctx, g.get(g.api), nil)
	}
	return tag.Commit.ID, err
}

func (g *gitlab) find(ctx context.Context) (*remote, []*remote, error) {
	err := g.json(ctx, g.get(g.api+"/releases/"+url.PathEscape(g.tag)), nil)
	if err == nil {
		return &remote{ID: g.tag, URL: g.page()}, nil, nil
	}
	if status(err) != http.StatusNotFound {
		return nil, nil, err
	}
	// What is in the package is what a draft has.
	return nil, []*remote{{Draft: true, URL: g.target.Base + "/" + g.target.Repo + "/-/packages"}}, nil
}

// create has nothing to make: the package begins with its first file.
func (g *gitlab) create(context.Context) (*remote, error) {
	return &remote{Draft: true, URL: g.target.Base + "/" + g.target.Repo + "/-/packages"}, nil
}

func (g *gitlab) assets(ctx context.Context, r *remote) ([]asset, error) {
	if r.Draft {
		return g.packaged(ctx, g.release.Manifest.Project, g.release.Manifest.Version)
	}
	// Of what is published, the links say what belongs to it.
	var links []struct{ Name, URL string }
	if err := g.pages(ctx, g.api+"/releases/"+url.PathEscape(g.tag)+"/assets/links?per_page=100", func(address string) (int, error) {
		var list []struct{ Name, URL string }
		err := g.json(ctx, g.get(address), &list)
		links = append(links, list...)
		return len(list), err
	}); err != nil {
		return nil, err
	}
	packages := map[string][]asset{} // by the address before the file's name
	var all []asset
	for _, l := range links {
		a := asset{Name: l.Name, Size: -1, Complete: true, Link: l.URL}
		if name, version, ok := g.packageOf(l.URL, l.Name); ok {
			key := name + " " + version
			if packages[key] == nil {
				list, err := g.packaged(ctx, name, version)
				if err != nil {
					return nil, err
				}
				packages[key] = list
			}
			for _, f := range packages[key] {
				if f.Name == l.Name {
					a = f // of two of the name the later one, which is the one that is downloaded
				}
			}
		}
		all = append(all, a)
	}
	return all, nil
}

// packageOf is the package that a link leads into; ok is false if it leads elsewhere.
func (g *gitlab) packageOf(link, file string) (name, version string, ok bool) {
	rest, ok := strings.CutPrefix(link, g.api+"/packages/generic/")
	if !ok {
		return "", "", false
	}
	parts := strings.Split(rest, "/")
	if len(parts) != 3 {
		return "", "", false
	}
	for i, p := range parts {
		text, err := url.PathUnescape(p)
		if err != nil {
			return "", "", false
		}
		parts[i] = text
	}
	return parts[0], parts[1], parts[2] == file
}

// packaged are the files of a package; none if there is no such package.
func (g *gitlab) packaged(ctx context.Context, name, version string) ([]asset, error) {
	var all []asset
	id := int64(0)
	err := g.pages(ctx, g.api+"/packages?package_type=generic&per_page=100&package_name="+url.QueryEscape(name), func(address string) (int, error) {
		var list []struct {
			ID            int64
			Name, Version string
		}
		err := g.json(ctx, g.get(address), &list)
		for _, p := range list { // the name is a part of it that is searched
			if p.Name == name && p.Version == version {
				id = p.ID
			}
		}
		return len(list), err
	})
	if err != nil || id == 0 {
		return nil, err
	}
	err = g.pages(ctx, fmt.Sprintf("%s/packages/%d/package_files?per_page=100", g.api, id), func(address string) (int, error) {
		var list []struct {
			ID     int64  `json:"id"`
			Name   string `json:"file_name"`
			Size   int64  `json:"size"`
			SHA256 string `json:"file_sha256"`
		}
		err := g.json(ctx, g.get(address), &list)
		for _, f := range list {
			all = append(all, asset{ID: strconv.FormatInt(f.ID, 10), Name: f.Name, Size: f.Size, SHA256: f.SHA256, Complete: true, ref: g.packageFile(name, version, f.Name)})
		}
		return len(list), err
	})
	return all, err
}

// pages reads a list in parts of at most 100.
func (g *gitlab) pages(ctx context.Context, address string, one func(address string) (int, error)) error {
	for page := 1; page <= 100; page++ {
		n, err := one(fmt.Sprintf("%s&page=%d", address, page))
		if err != nil || n < perPage {
			return err
		}
	}
	return nil
}

func (g *gitlab) upload(ctx context.Context, _ *remote, f File) error {
	m := g.release.Manifest
	q := call{method: http.MethodPut, url: g.packageFile(m.Project, m.Version, f.Name)}
	return g.json(ctx, g.file(q, f), nil)
}

func (g *gitlab) remove(context.Context, asset) error { return nil } // nothing is ever incomplete

func (g *gitlab) read(ctx context.Context, a asset, to func(io.Reader) error) error {
	return g.download(ctx, a.ref, "*/*", to)
}

func (g *gitlab) publish(ctx context.Context, _ *remote) error {
	m := g.release.Manifest
	links := []map[string]string{}
	for _, f := range g.release.Files {
		links = append(links, map[string]string{"name": f.Name, "url": g.packageFile(m.Project, m.Version, f.Name), "direct_asset_path": "/" + f.Name, "link_type": "other"})
	}
	return g.send(ctx, call{method: http.MethodPost, url: g.api + "/releases"}, map[string]any{
		"tag_name": g.tag, "name": g.release.title(), "description": g.notes, "assets": map[string]any{"links": links},
	}, nil)
}
