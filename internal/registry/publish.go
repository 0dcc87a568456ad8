package registry

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/images"
)

// Image is an image of a release that was verified.
type Image struct {
	checksums.Image
	Path       string // of its file
	Repository string // where it goes
	When       time.Time
	// Referrers are the files of the release that say something of it.
	Referrers []images.Referrer
}

// Artifact types of what refers to an image, each the media type of its file: those that
// cosign, ORAS and gh look for, and one of our own.
const (
	TypeBundle    = "application/vnd.dev.sigstore.bundle.v0.3+json"
	TypeCycloneDX = "application/vnd.cyclonedx+json"
	TypeSPDX      = "application/spdx+json"
	TypeManifest  = "application/vnd.mintmark.release+json" // release.json
)

// maxReferrer bounds a file that refers to an image, which is held in memory.
const maxReferrer = 64 << 20

// Images are those of a release in a directory that was verified, as they go into a
// registry. to is the repository, "" for the one that the manifest says of each. sums are
// the SHA-256 of the files of the release.
func Images(dir string, m *checksums.Manifest, to string, sums map[string]string) (list []Image, err error) {
	if len(m.Images) == 0 {
		return nil, fault.Usagef("say in the profile file which it has: images: {NAME: {repository: HOST/OWNER/NAME}}", "%s: the release has no container images", dir)
	}
	if to != "" && len(m.Images) > 1 {
		return nil, fault.Usagef("write -to=oci: and say in the profile file where each of them goes, with repository", "-to=oci://%s: the release has %d images", to, len(m.Images))
	}
	when, err := time.Parse(time.RFC3339, m.Source.CommitTime)
	if err != nil {
		return nil, err
	}
	var about []images.Referrer
	for _, f := range []struct {
		name, mediaType string
		annotations     map[string]string
	}{
		// As cosign and gh write and look for them
		// (https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md).
		{checksums.ProvenanceBundle, TypeBundle, map[string]string{"dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": checksums.PredicateType}},
		{checksums.ManifestFile, TypeManifest, nil},
		{fact.CycloneDX.File(), TypeCycloneDX, nil},
		{fact.SPDX.File(), TypeSPDX, nil},
	} {
		sum, ok := sums[f.name]
		if !ok {
			continue
		}
		data, err := files.Read(filepath.Join(dir, f.name), maxReferrer)
		if err != nil {
			return nil, err
		}
		if files.DigestBytes(data) != sum {
			return nil, fault.Refusedf("verify the directory again, and let nothing write into it", "%s: was changed after it was verified", f.name)
		}
		about = append(about, images.Referrer{Type: f.mediaType, Name: f.name, Data: data, Annotations: f.annotations})
	}
	var errs []error
	for _, i := range m.Images {
		one := Image{Image: i, Path: filepath.Join(dir, i.Name), Repository: to, When: when, Referrers: about}
		if to == "" {
			one.Repository = i.Repository
		}
		if one.Repository == "" {
			errs = append(errs, fault.Usagef("name it: -to=oci://HOST/OWNER/NAME; or say it in the profile file, with repository, and release again", "%s: nothing says which repository it is for", i.Name))
		}
		list = append(list, one)
	}
	return list, errors.Join(errs...)
}

// State is what became of an image, a tag, or what refers to an image.
type State string

const (
	There State = "there"     // it was there, by somebody before
	Done  State = "published" // it was not
	Moved State = "moved"     // of a tag that led elsewhere
	Would State = "would be"  // a dry run
)

// Result is what a registry has of one image.
type Result struct {
	Image      string           `json:"image"` // its file
	Repository string           `json:"repository"`
	Digest     string           `json:"digest"` // sha256:…
	State      State            `json:"state"`
	Tags       []TagResult      `json:"tags"`
	Referrers  []ReferrerResult `json:"referrers"`
}

// TagResult is what became of a tag.
type TagResult struct {
	Tag   string `json:"tag"`
	State State  `json:"state"`
	Was   string `json:"was,omitempty"` // digest that a moved tag led to
}

// ReferrerResult is what became of what refers to an image.
type ReferrerResult struct {
	Type   string `json:"type"`
	Digest string `json:"digest,omitempty"` // not where the image is not there yet, of a dry run
	State  State  `json:"state"`
}

// Publish publishes images, or goes on with what was begun. What is there and is the same
// is no error. With dry nothing is written, and the states say what would be.
func (c *Client) Publish(ctx context.Context, list []Image, dry bool, say func(format string, args ...any)) ([]Result, error) {
	results := make([]Result, len(list))
	var errs []error
	for n := range list { // of all, before anything of one is written
		err := c.look(ctx, &list[n], &results[n])
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil || dry {
		return results, err
	}
	for n := range list {
		if err := c.publish(ctx, &list[n], &results[n], say); err != nil {
			return nil, fmt.Errorf("%s: %w", list[n].Name, err)
		}
	}
	return results, nil
}

// look finds what a registry has of an image.
func (c *Client) look(ctx context.Context, i *Image, r *Result) error {
	*r = Result{Image: i.Name, Repository: i.Repository, Digest: sha(i.Digest), State: Would, Tags: []TagResult{}, Referrers: []ReferrerResult{}}
	size, there, err := c.has(ctx, i.Repository, i.Digest)
	if err != nil {
		return err
	}
	if there {
		r.State = There
	}
	var errs []error
	for n := range i.Referrers {
		one := ReferrerResult{Type: i.Referrers[n].Type, State: Would}
		if there { // else nothing can refer to it
			_, one, err = c.referrer(ctx, i, &i.Referrers[n], size)
			errs = append(errs, err)
		}
		r.Referrers = append(r.Referrers, one)
	}
	for _, tag := range slices.Concat(i.Tags, i.Moving) {
		t, err := c.tag(ctx, i, tag)
		errs = append(errs, err)
		r.Tags = append(r.Tags, t)
	}
	return errors.Join(errs...)
}

// tag finds what a tag leads to. One that is for this image alone leads to it or to
// nothing.
func (c *Client) tag(ctx context.Context, i *Image, tag string) (TagResult, error) {
	t := TagResult{Tag: tag, State: Would}
	data, ok, err := c.Manifest(ctx, i.Repository+":"+tag)
	if err != nil || !ok {
		return t, err
	}
	got := files.DigestBytes(data)
	switch {
	case got == i.Digest:
		t.State = There
	case slices.Contains(i.Moving, tag):
		t.Was = sha(got)
	default:
		return t, fault.Refusedf("release under another version; or, if nobody has that image yet, delete the tag in the registry by hand",
			"%s:%s leads to %s, the release has %s", i.Repository, tag, sha(got), sha(i.Digest))
	}
	return t, nil
}

// referrer is the manifest of a file that refers to an image with an index of that size,
// and whether it is there.
func (c *Client) referrer(ctx context.Context, i *Image, ref *images.Referrer, size int64) (manifest []byte, r ReferrerResult, err error) {
	r = ReferrerResult{Type: ref.Type, State: Would}
	if manifest, err = ref.Manifest(i.Digest, size, i.When); err != nil {
		return nil, r, err
	}
	hex := files.DigestBytes(manifest)
	r.Digest = sha(hex)
	_, there, err := c.has(ctx, i.Repository, hex)
	if there {
		r.State = There
	}
	return manifest, r, err
}

// has reports whether a repository has a manifest or an index by its digest, and its size.
func (c *Client) has(ctx context.Context, repository, hex string) (size int64, ok bool, err error) {
	data, ok, err := c.Manifest(ctx, repository+"@"+sha(hex))
	if err != nil || !ok {
		return 0, false, err
	}
	if got := files.DigestBytes(data); got != hex {
		return 0, false, fault.Refusedf("the registry, or what lies between, is not to be trusted", "%s gives for %s what has the SHA-256 %s", repository, sha(hex), got)
	}
	return int64(len(data)), true, nil
}

// publish brings all of an image: content, what refers to it, tags.
func (c *Client) publish(ctx context.Context, i *Image, r *Result, say func(format string, args ...any)) error {
	dir, err := c.layout("image")
	if err != nil {
		return err
	}
	f, err := files.Open(i.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	index, err := images.Unpack(ctx, f, i.Size, dir, i.Digest)
	if err != nil {
		return err
	}
	if r.State != There {
		say("pushing %s to %s", i.Name, i.Repository)
		if err := c.Push(ctx, dir, i.Repository+"@"+sha(i.Digest)); err != nil {
			return again(err)
		}
		if err := c.readBack(ctx, i); err != nil {
			return err
		}
		r.State = Done
	}
	if r.Referrers, err = c.refer(ctx, i, int64(len(index)), say); err != nil {
		return again(err)
	}
	for n, tag := range slices.Concat(i.Tags, i.Moving) {
		t, err := c.tag(ctx, i, tag) // pushing takes time
		if err != nil {
			return err
		}
		if t.State != There {
			if err := c.Tag(ctx, i.Repository+"@"+sha(i.Digest), tag); err != nil {
				return again(fmt.Errorf("tag %s: %w", tag, err))
			}
			after, err := c.tag(ctx, i, tag)
			if err != nil {
				return err
			}
			if after.State != There {
				return again(fmt.Errorf("the tag %s was set to %s, and leads to %q", tag, sha(i.Digest), after.Was))
			}
			if t.State = Done; t.Was != "" {
				t.State = Moved
			}
		}
		r.Tags[n] = t
	}
	return nil
}

// readBack looks whether the registry has the index and the image of each platform.
func (c *Client) readBack(ctx context.Context, i *Image) error {
	digests := []string{i.Digest}
	for _, p := range i.Platforms {
		digests = append(digests, p.Digest)
	}
	for _, hex := range digests {
		if _, ok, err := c.has(ctx, i.Repository, hex); err != nil {
			return again(err)
		} else if !ok {
			return again(fmt.Errorf("%s@%s was pushed, and is not there", i.Repository, sha(hex)))
		}
	}
	return nil
}

// refer brings what refers to an image, and sees that all of it is listed under the tag
// that is for registries without the referrers API
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema),
// also where a registry has the API: there is one place that everybody can read.
func (c *Client) refer(ctx context.Context, i *Image, size int64, say func(format string, args ...any)) (list []ReferrerResult, err error) {
	for n := range i.Referrers {
		ref := &i.Referrers[n]
		manifest, r, err := c.referrer(ctx, i, ref, size)
		if err != nil {
			return nil, err
		}
		if r.State != There {
			say("pushing %s, which refers to %s", ref.Name, i.Name)
			dir, err := c.layout("referrer")
			if err != nil {
				return nil, err
			}
			if err := ref.WriteDir(dir, manifest); err != nil {
				return nil, err
			}
			if err := c.Push(ctx, dir, i.Repository+"@"+r.Digest); err != nil {
				return nil, fmt.Errorf("%s: %w", ref.Name, err)
			}
			r.State = Done
		}
		list = append(list, r)
	}
	missing, there, err := c.unlisted(ctx, i, list)
	if err == nil && len(missing) > 0 {
		if err = c.Append(ctx, i.Repository, referrersTag(i.Digest), there, missing...); err == nil {
			missing, _, err = c.unlisted(ctx, i, list)
		}
		if err == nil && len(missing) > 0 {
			err = fmt.Errorf("%d files that refer to the image were pushed, and are not listed under the tag %s", len(missing), referrersTag(i.Digest))
		}
	}
	return list, err
}

// unlisted are the digests, lower-case hex, of what the tag of what refers to an image
// does not list.
func (c *Client) unlisted(ctx context.Context, i *Image, list []ReferrerResult) (missing []string, there bool, err error) {
	listed, there, err := c.referrers(ctx, i.Repository, i.Digest)
	if err != nil {
		return nil, there, err
	}
	var all []string
	for _, hexes := range listed {
		all = append(all, hexes...)
	}
	for _, r := range list {
		if hex := r.Digest[len(shaPrefix):]; !slices.Contains(all, hex) {
			missing = append(missing, hex)
		}
	}
	return missing, there, nil
}

// referrers are the digests of what refers to an image, by artifact type; there is whether
// the tag for them is.
func (c *Client) referrers(ctx context.Context, repository, hex string) (list map[string][]string, there bool, err error) {
	data, there, err := c.Manifest(ctx, repository+":"+referrersTag(hex))
	if err != nil || !there {
		return nil, there, err
	}
	list, err = images.ParseReferrers(data)
	if err != nil {
		err = fmt.Errorf("%s:%s: %w", repository, referrersTag(hex), err)
	}
	return list, true, err
}

// again adds that the same command goes on.
func again(err error) error {
	if fault.Hint(err) != "" {
		return err
	}
	return &fault.Error{Err: err, Tip: "run the same command again: it goes on where this one stopped"}
}

const shaPrefix = "sha256:"

func sha(hex string) string          { return shaPrefix + hex }
func referrersTag(hex string) string { return "sha256-" + hex }
