package publishtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// GitHub is a GitHub Enterprise Server.
func GitHub() *Forge {
	f := start(&Forge{auth: "Bearer ", routes: (*Forge).github, Immutable: true})
	f.prefix = []string{"/api/v3/repos/" + f.Repo, "/api/uploads/repos/" + f.Repo, "/" + f.Repo}
	return f
}

func (f *Forge) githubRelease(r *Release) map[string]any {
	return map[string]any{"id": r.ID, "tag_name": r.Tag, "draft": r.Draft, "immutable": f.Immutable && !r.Draft,
		"html_url": f.URL + "/" + f.Repo + "/releases/tag/" + r.Tag}
}

func (f *Forge) githubAsset(a *Asset) map[string]any {
	doc := map[string]any{"id": a.ID, "name": a.Name, "size": len(a.Content), "state": "uploaded"}
	switch {
	case a.Starter:
		doc["state"], doc["size"] = "starter", 0
	case !f.NoDigests:
		doc["digest"] = "sha256:" + a.digest()
	}
	return doc
}

// kept is the name that GitHub gives a file.
func kept(name string) string {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+", r) {
			return r
		}
		return '.'
	}, name)
	for strings.Contains(plain, "..") {
		plain = strings.ReplaceAll(plain, "..", ".")
	}
	return strings.Trim(plain, ".")
}

func (f *Forge) github(w http.ResponseWriter, r *http.Request, path string) {
	part := func(prefix string) (string, bool) {
		rest, ok := strings.CutPrefix(path, prefix)
		if text, err := url.PathUnescape(rest); err == nil {
			rest = text
		}
		return rest, ok
	}
	writer := r.Header.Get("Authorization") != "" && !f.ReadOnly
	if r.Method == http.MethodGet && path == "" {
		give(w, http.StatusOK, map[string]any{"full_name": f.Repo})
		return
	}
	if tag, ok := part("/git/ref/tags/"); ok && r.Method == http.MethodGet {
		f.githubTag(w, tag)
		return
	}
	if sha, ok := part("/git/tags/"); ok && r.Method == http.MethodGet {
		give(w, http.StatusOK, map[string]any{"object": map[string]any{"type": "commit", "sha": strings.TrimPrefix(sha, "0000")}})
		return
	}
	if tag, ok := part("/releases/tags/"); ok && r.Method == http.MethodGet {
		if rel := f.published(tag); rel != nil {
			give(w, http.StatusOK, f.githubRelease(rel))
			return
		}
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	if rest, ok := part("/releases/download/"); ok && r.Method == http.MethodGet {
		for _, rel := range f.Releases {
			for _, a := range rel.Assets {
				if rest == rel.Tag+"/"+a.Name && !rel.Draft {
					http.Redirect(w, r, fmt.Sprintf("/storage/%d?sig=x", a.ID), http.StatusFound)
					return
				}
			}
		}
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	if path == "/releases" {
		switch r.Method {
		case http.MethodGet:
			var list []map[string]any
			for _, rel := range f.Releases {
				if !rel.Draft || writer {
					list = append(list, f.githubRelease(rel))
				}
			}
			give(w, http.StatusOK, paged(r, list))
		case http.MethodPost:
			f.githubCreate(w, r)
		}
		return
	}
	if id, ok := part("/releases/assets/"); ok {
		f.githubOneAsset(w, r, id)
		return
	}
	rest, _ := part("/releases/")
	id, assets := strings.CutSuffix(rest, "/assets")
	rel := f.release(id)
	if rel == nil || rel.Draft && !writer {
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	switch {
	case assets && r.Method == http.MethodGet:
		var list []map[string]any
		for _, a := range rel.Assets {
			list = append(list, f.githubAsset(a))
		}
		give(w, http.StatusOK, paged(r, list))
	case assets && r.Method == http.MethodPost:
		f.githubUpload(w, r, rel)
	case r.Method == http.MethodPatch:
		f.githubPublish(w, r, rel)
	default:
		fail(w, http.StatusNotFound, "Not Found")
	}
}

func (f *Forge) githubTag(w http.ResponseWriter, tag string) {
	commit, ok := f.Tags[tag]
	switch {
	case !ok:
		fail(w, http.StatusNotFound, "Not Found")
	case f.Annotated:
		give(w, http.StatusOK, map[string]any{"object": map[string]any{"type": "tag", "sha": "0000" + commit}})
	default:
		give(w, http.StatusOK, map[string]any{"object": map[string]any{"type": "commit", "sha": commit}})
	}
}

func (f *Forge) githubCreate(w http.ResponseWriter, r *http.Request) {
	var doc map[string]any
	data, _ := io.ReadAll(r.Body)
	if json.Unmarshal(data, &doc) != nil {
		fail(w, http.StatusBadRequest, "Problems parsing JSON")
		return
	}
	if doc["target_commitish"] != nil {
		f.wrong("target_commitish was given")
	}
	tag, _ := doc["tag_name"].(string)
	if f.published(tag) != nil {
		fail(w, http.StatusUnprocessableEntity, "Validation Failed", "already_exists")
		return
	}
	rel := &Release{ID: f.next(), Tag: tag, Draft: doc["draft"] == true, Pre: doc["prerelease"] == true}
	rel.Name, _ = doc["name"].(string)
	rel.Body, _ = doc["body"].(string)
	if !rel.Draft {
		f.wrong("a release was made that is no draft")
	}
	f.Releases = append(f.Releases, rel)
	give(w, http.StatusCreated, f.githubRelease(rel))
}

func (f *Forge) githubUpload(w http.ResponseWriter, r *http.Request, rel *Release) {
	if !strings.HasPrefix(r.URL.Path, "/api/uploads/") {
		f.wrong("an upload to %s", r.URL.Path)
	}
	name := kept(r.URL.Query().Get("name"))
	if !rel.Draft {
		f.wrong("an upload to what is published")
		fail(w, http.StatusUnprocessableEntity, "Cannot upload assets to an immutable release.", "custom")
		return
	}
	if rel.asset(name) != nil {
		fail(w, http.StatusUnprocessableEntity, "Validation Failed", "already_exists")
		return
	}
	data, err := io.ReadAll(r.Body)
	a := &Asset{ID: f.next(), Name: name, Content: data, Starter: err != nil || int64(len(data)) != r.ContentLength}
	rel.Assets = append(rel.Assets, a)
	give(w, http.StatusCreated, f.githubAsset(a))
}

func (f *Forge) githubOneAsset(w http.ResponseWriter, r *http.Request, id string) {
	for _, rel := range f.Releases {
		for i, a := range rel.Assets {
			if fmt.Sprint(a.ID) != id {
				continue
			}
			switch {
			case r.Method == http.MethodDelete && (!a.Starter || !rel.Draft):
				f.wrong("%s was deleted", a.Name)
				fail(w, http.StatusUnprocessableEntity, "Cannot delete asset")
			case r.Method == http.MethodDelete:
				rel.Assets = slices.Delete(rel.Assets, i, i+1)
				w.WriteHeader(http.StatusNoContent)
			case r.Header.Get("Accept") == "application/octet-stream":
				http.Redirect(w, r, fmt.Sprintf("%s/storage/%d?sig=x", f.URL, a.ID), http.StatusFound)
			default:
				give(w, http.StatusOK, f.githubAsset(a))
			}
			return
		}
	}
	fail(w, http.StatusNotFound, "Not Found")
}

func (f *Forge) githubPublish(w http.ResponseWriter, r *http.Request, rel *Release) {
	var doc map[string]any
	data, _ := io.ReadAll(r.Body)
	if json.Unmarshal(data, &doc) != nil || doc["draft"] != false {
		f.wrong("a release was changed: %s", data)
		return
	}
	if _, ok := f.Tags[rel.Tag]; !ok {
		f.wrong("the tag %s was made", rel.Tag)
	}
	if other := f.published(rel.Tag); other != nil && other != rel {
		fail(w, http.StatusUnprocessableEntity, "Validation Failed", "already_exists")
		return
	}
	rel.Draft = false
	give(w, http.StatusOK, f.githubRelease(rel))
}
