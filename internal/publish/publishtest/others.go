package publishtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Gitea is a Gitea or a Forgejo.
func Gitea() *Forge {
	f := start(&Forge{auth: "token ", routes: (*Forge).gitea})
	f.prefix = []string{"/api/v1/repos/" + f.Repo, "/attachments"}
	return f
}

func (f *Forge) giteaRelease(r *Release) map[string]any {
	assets := []map[string]any{}
	for _, a := range r.Assets {
		kind := "attachment"
		if a.Link != "" {
			kind = "external"
		}
		assets = append(assets, map[string]any{"id": a.ID, "name": a.Name, "size": len(a.Content), "uuid": fmt.Sprintf("uuid-%d", a.ID), "type": kind, "browser_download_url": a.Link})
	}
	return map[string]any{"id": r.ID, "tag_name": r.Tag, "draft": r.Draft, "assets": assets, "html_url": f.URL + "/" + f.Repo + "/releases/tag/" + r.Tag}
}

func (f *Forge) gitea(w http.ResponseWriter, r *http.Request, path string) {
	writer := r.Header.Get("Authorization") != "" && !f.ReadOnly
	if id, ok := strings.CutPrefix(r.URL.Path, "/attachments/uuid-"); ok {
		http.Redirect(w, r, "/storage/"+id, http.StatusTemporaryRedirect)
		return
	}
	if tag, ok := strings.CutPrefix(path, "/tags/"); ok {
		if commit, ok := f.Tags[tag]; ok {
			give(w, http.StatusOK, map[string]any{"commit": map[string]any{"sha": commit}})
			return
		}
		fail(w, http.StatusNotFound, "not found")
		return
	}
	switch {
	case path == "":
		give(w, http.StatusOK, map[string]any{"full_name": f.Repo})
		return
	case path == "/releases" && r.Method == http.MethodGet:
		var list []map[string]any
		for _, rel := range f.Releases {
			if !rel.Draft || writer {
				list = append(list, f.giteaRelease(rel))
			}
		}
		give(w, http.StatusOK, paged(r, list))
		return
	case path == "/releases" && r.Method == http.MethodPost:
		var doc struct {
			Tag    string `json:"tag_name"`
			Name   string
			Body   string
			Draft  bool
			Target string `json:"target_commitish"`
		}
		data, _ := io.ReadAll(r.Body)
		if json.Unmarshal(data, &doc) != nil || doc.Target != "" || !doc.Draft {
			f.wrong("made with %s", data)
		}
		for _, rel := range f.Releases {
			if rel.Tag == doc.Tag {
				fail(w, http.StatusConflict, "Release is has no Tag")
				return
			}
		}
		rel := &Release{ID: f.next(), Tag: doc.Tag, Name: doc.Name, Body: doc.Body, Draft: true}
		f.Releases = append(f.Releases, rel)
		give(w, http.StatusCreated, f.giteaRelease(rel))
		return
	}
	rest, _ := strings.CutPrefix(path, "/releases/")
	id, assets := strings.CutSuffix(rest, "/assets")
	rel := f.release(id)
	switch {
	case rel == nil || rel.Draft && !writer:
		fail(w, http.StatusNotFound, "not found")
	case assets && r.Method == http.MethodPost:
		if !rel.Draft {
			f.wrong("an upload to what is published")
		}
		file, _, err := r.FormFile("attachment")
		if err != nil {
			fail(w, http.StatusInternalServerError, err.Error())
			return
		}
		data, err := io.ReadAll(file)
		if err != nil {
			fail(w, http.StatusInternalServerError, err.Error())
			return
		}
		rel.Assets = append(rel.Assets, &Asset{ID: f.next(), Name: r.URL.Query().Get("name"), Content: data})
		give(w, http.StatusCreated, map[string]any{})
	case r.Method == http.MethodPatch:
		if _, ok := f.Tags[rel.Tag]; !ok {
			f.wrong("the tag %s was made", rel.Tag)
		}
		rel.Draft = false
		give(w, http.StatusOK, f.giteaRelease(rel))
	case r.Method == http.MethodGet:
		give(w, http.StatusOK, f.giteaRelease(rel))
	default:
		f.wrong("%s %s", r.Method, path)
		fail(w, http.StatusNotFound, "not found")
	}
}

// GitLab is a GitLab.
func GitLab() *Forge {
	f := start(&Forge{auth: "", routes: (*Forge).gitlab})
	f.Repo = "group/sub/tool"
	f.prefix = []string{"/api/v4/projects/" + url.PathEscape(f.Repo)}
	return f
}

func (f *Forge) gitlab(w http.ResponseWriter, r *http.Request, path string) {
	const project, version = "small", "1.2.3"
	part := func(prefix string) (string, bool) {
		rest, ok := strings.CutPrefix(path, prefix)
		text, _ := url.PathUnescape(rest)
		return text, ok
	}
	if tag, ok := part("/repository/tags/"); ok {
		if commit, ok := f.Tags[tag]; ok {
			give(w, http.StatusOK, map[string]any{"name": tag, "commit": map[string]any{"id": commit}})
			return
		}
		fail(w, http.StatusNotFound, "404 Tag Not Found")
		return
	}
	if file, ok := part("/packages/generic/" + project + "/" + version + "/"); ok {
		if r.Method == http.MethodPut {
			data, err := io.ReadAll(r.Body)
			if err != nil || int64(len(data)) != r.ContentLength {
				fail(w, http.StatusBadRequest, "cut")
				return
			}
			f.Package = append(f.Package, &Asset{ID: f.next(), Name: file, Content: data})
			give(w, http.StatusCreated, map[string]any{"message": "201 Created"})
			return
		}
		for i := len(f.Package) - 1; i >= 0; i-- {
			if f.Package[i].Name == file {
				http.Redirect(w, r, fmt.Sprintf("/storage/%d", f.Package[i].ID), http.StatusFound)
				return
			}
		}
		fail(w, http.StatusNotFound, "404 Not Found")
		return
	}
	if path == "/packages" {
		list := []map[string]any{{"id": 8, "name": project + "-other", "version": version}}
		if len(f.Package) > 0 {
			list = append(list, map[string]any{"id": 9, "name": project, "version": version})
		}
		give(w, http.StatusOK, paged(r, list))
		return
	}
	if path == "/packages/9/package_files" {
		var list []map[string]any
		for _, a := range f.Package {
			list = append(list, map[string]any{"id": a.ID, "file_name": a.Name, "size": len(a.Content), "file_sha256": a.digest()})
		}
		give(w, http.StatusOK, paged(r, list))
		return
	}
	if path == "/releases" && r.Method == http.MethodPost {
		f.gitlabRelease(w, r)
		return
	}
	rest, ok := part("/releases/")
	tag, links := strings.CutSuffix(rest, "/assets/links")
	rel := f.published(tag)
	switch {
	case path == "":
		give(w, http.StatusOK, map[string]any{})
	case !ok || rel == nil || r.Method != http.MethodGet:
		fail(w, http.StatusNotFound, "404 Not Found")
	case links:
		var list []map[string]any
		for _, a := range rel.Assets {
			list = append(list, map[string]any{"name": a.Name, "url": a.Link})
		}
		give(w, http.StatusOK, paged(r, list))
	default:
		give(w, http.StatusOK, map[string]any{"tag_name": rel.Tag})
	}
}

func (f *Forge) gitlabRelease(w http.ResponseWriter, r *http.Request) {
	var doc struct {
		Tag    string `json:"tag_name"`
		Ref    string
		Assets struct {
			Links []struct{ Name, URL string }
		}
	}
	data, _ := io.ReadAll(r.Body)
	if json.Unmarshal(data, &doc) != nil || doc.Ref != "" {
		f.wrong("made with %s", data)
	}
	if _, ok := f.Tags[doc.Tag]; !ok {
		fail(w, http.StatusUnprocessableEntity, "Ref is not specified")
		return
	}
	if f.published(doc.Tag) != nil {
		fail(w, http.StatusConflict, "Release already exists")
		return
	}
	rel := &Release{ID: f.next(), Tag: doc.Tag}
	for _, l := range doc.Assets.Links {
		a := &Asset{ID: f.next(), Name: l.Name, Link: l.URL, Content: []byte("(a link to nothing)")}
		for _, p := range f.Package {
			if strings.HasSuffix(l.URL, "/"+p.Name) {
				a.Content = p.Content
			}
		}
		rel.Assets = append(rel.Assets, a)
	}
	f.Releases = append(f.Releases, rel)
	give(w, http.StatusCreated, map[string]any{"tag_name": doc.Tag})
}
