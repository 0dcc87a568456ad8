package verify

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/channels"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/forgery"
	"github.com/mintmark/mintmark/internal/images"
	"github.com/mintmark/mintmark/profiles"
)

// withImage is a small release with an image of its packed program.
func withImage(t *testing.T) *forgery.Release {
	t.Helper()
	r, err := forgery.Small(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var offer channels.Offer
	for _, a := range r.Manifest.Artifacts {
		if a.Name == "small_tiny" && a.Published {
			offer = channels.Offer{Profile: a.Profile, Platform: a.Platform, File: a.Name, Format: fact.NoArchive, SHA256: a.SHA256, Programs: []channels.Program{{Path: a.Name, Name: "small", SHA256: a.SHA256}}}
		}
	}
	f, err := profiles.Load("m.yaml", []byte("version: 1\nproject: small\nimages: {small: {repository: localhost:5000/small, files: {/LICENSE: LICENSE}}}\nprofiles: {release: {platforms: [linux/amd64]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.ImagesOf(profiles.Vars{Version: r.Manifest.Version})
	if err != nil {
		t.Fatal(err)
	}
	when, err := time.Parse(time.RFC3339, r.Manifest.Source.CommitTime)
	if err != nil {
		t.Fatal(err)
	}
	planned, err := images.Plan(list, images.ReleaseOf("small", r.Manifest.Version, when, []channels.Offer{offer}))
	if err != nil {
		t.Fatal(err)
	}
	commit := t.TempDir()
	if err := os.WriteFile(filepath.Join(commit, "LICENSE"), []byte("free"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	made, err := planned[0].Write(t.Context(), &out, &images.Sources{Dir: r.Dir, Copy: commit, Temp: t.TempDir(), Executable: func(string) bool { return false }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write(made.Name, out.String()); err != nil {
		t.Fatal(err)
	}
	made.Size, made.SHA256, made.Made, made.Verdict = int64(out.Len()), files.DigestBytes(out.Bytes()), 2, fact.Identical
	r.Manifest.Images, r.Plan.Images = []checksums.Image{made}, list
	return r
}

// TestImages: an image is what the manifest says of it, or is refused, whoever signed it;
// and the record names it by the digest that registries have.
func TestImages(t *testing.T) {
	k := newKeys(t)
	for _, c := range []struct {
		name   string
		change func(t *testing.T, r *forgery.Release, i *checksums.Image)
		want   string // refused with; "" for none
	}{
		{"as it is", nil, ""},
		{"a program that was not built", func(t *testing.T, r *forgery.Release, i *checksums.Image) {
			i.Platforms[0].Programs[0].SHA256 = strings.Repeat("0", 64)
		}, "is no program of tiny linux/arm64"},
		{"another program than the manifest says", func(t *testing.T, r *forgery.Release, i *checksums.Image) {
			a := r.Artifact("linux/arm64", fact.Linked) // before it was packed
			i.Platforms[0].Programs[0].SHA256, i.Platforms[0].Programs[0].Size = a.SHA256, a.Size
		}, "usr/local/bin/small is not the file that the manifest lists"},
		{"another file", func(t *testing.T, r *forgery.Release, i *checksums.Image) {
			i.Files[0].SHA256 = strings.Repeat("0", 64)
		}, "LICENSE is not the file that the manifest lists"},
		{"a file that the manifest does not have", func(t *testing.T, r *forgery.Release, i *checksums.Image) { i.Files, r.Plan.Images[0].Files = nil, nil }, "it has 2 layers"},
		{"another digest", func(t *testing.T, r *forgery.Release, i *checksums.Image) { i.Digest = strings.Repeat("0", 64) }, "its index has the digest"},
		{"another platform", func(t *testing.T, r *forgery.Release, i *checksums.Image) {
			i.Platforms[0].Profile, i.Platforms[0].Platform = "release", "linux/amd64"
		}, "is no program of release linux/amd64"},
		{"a base that it does not have", func(t *testing.T, r *forgery.Release, i *checksums.Image) {
			i.Base, i.Platforms[0].BaseLayers = "e.org/a@sha256:"+strings.Repeat("0", 64), []string{strings.Repeat("0", 64)}
			r.Plan.Images[0].Base = i.Base
		}, "of which 1 are the base's"},
		{"one that the plan does not have", func(t *testing.T, r *forgery.Release, i *checksums.Image) { r.Plan.Images = nil }, "the plan has no such image, so nobody could make it again"},
		{"none, where the plan has one", func(t *testing.T, r *forgery.Release, i *checksums.Image) { r.Manifest.Images = nil }, "the plan has it, and it is not in the manifest"},
		{"another repository than the plan's", func(t *testing.T, r *forgery.Release, i *checksums.Image) { i.Repository = "localhost:5000/other" }, `its repository: ["localhost:5000/small"] in the plan, ["localhost:5000/other"] in the manifest`},
		{"a moving tag that the plan does not have", func(t *testing.T, r *forgery.Release, i *checksums.Image) { i.Moving = []string{"latest"} }, "its moving tags"},
		{"other files than the plan's", func(t *testing.T, r *forgery.Release, i *checksums.Image) { r.Plan.Images[0].Files = nil }, "its files"},
		{"no image", func(t *testing.T, r *forgery.Release, i *checksums.Image) {
			if _, err := r.Write(i.Name, "x"); err != nil {
				t.Fatal(err)
			}
			i.SHA256, i.Size = files.DigestBytes([]byte("x")), 1
		}, "neither a tar nor a zip"},
		{"made once", func(t *testing.T, r *forgery.Release, i *checksums.Image) { i.Made = 1 }, "nothing was compared"},
		{"a tag of nobody's", func(t *testing.T, r *forgery.Release, i *checksums.Image) { i.Tags = []string{"a b"} }, "is no tag"},
		{"no tag", func(t *testing.T, r *forgery.Release, i *checksums.Image) {
			i.Moving, i.Tags = i.Tags, []string{"x", "x"}
		}, "is there twice"},
		{"a repository that is an address", func(t *testing.T, r *forgery.Release, i *checksums.Image) { i.Repository = "https://e.org/a" }, "repository"},
		{"a whiteout for a file", func(t *testing.T, r *forgery.Release, i *checksums.Image) { i.Files[0].Name = "usr/.wh.local" }, "would hide"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := withImage(t)
			i := &r.Manifest.Images[0]
			if c.change != nil {
				c.change(t, r, i)
			}
			if err := r.Sign(t.Context(), k.publisher); err != nil {
				t.Fatal(err)
			}
			v, err := Release(t.Context(), Config{Path: r.Dir, Key: k.public})
			if c.want != "" {
				if fault.ExitCode(err) != fault.Refused || !strings.Contains(err.Error(), c.want) {
					t.Errorf("exit code %d: %v\nwant %s", fault.ExitCode(err), err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if checked, _ := v.Checks.Sentences(); !slices.ContainsFunc(checked, func(s string) bool { return strings.HasPrefix(s, "programs and files in 1 container image") }) {
				t.Errorf("%q", checked)
			}
			one, err := At(t.Context(), Config{Path: filepath.Join(r.Dir, i.Name), Key: k.public})
			if err != nil || !slices.ContainsFunc(one.Checks.Answers(), func(a fact.Answer) bool { return a.Check == fact.InImage && a.Checked }) {
				t.Errorf("the file alone: %v", err)
			}
			data, err := os.ReadFile(filepath.Join(r.Dir, checksums.ProvenanceBundle))
			if err != nil {
				t.Fatal(err)
			}
			var bundle struct {
				DSSE struct{ Payload []byte } `json:"dsseEnvelope"`
			}
			if err := json.Unmarshal(data, &bundle); err != nil {
				t.Fatal(err)
			}
			if want := `{"name":"localhost:5000/small:1.2.3","digest":{"sha256":"` + i.Digest + `"},"annotations":{"stage":"image"}}`; !strings.Contains(string(bundle.DSSE.Payload), want) {
				t.Errorf("the record has no %s", want)
			}
		})
	}
}
