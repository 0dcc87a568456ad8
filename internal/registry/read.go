package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/images"
)

// Scheme begins the name of an image in a registry where it could be something else.
const Scheme = "oci://"

// Ref is an image in a registry, by a tag, a digest, or both.
type Ref struct{ fact.ImageRef }

// ParseRef reads oci://HOST/NAME:TAG, or with @sha256:… in the place of the tag or behind
// it.
func ParseRef(text string) (r Ref, err error) {
	name, ok := strings.CutPrefix(text, Scheme)
	why := "does not begin with " + Scheme
	if ok {
		r.ImageRef, why = fact.ParseImageRef(name)
		if !strings.Contains(name, "@") && fact.NotRepository(r.Repository) == "" {
			switch {
			case r.Tag == "" && !strings.HasSuffix(name, ":"):
				why = "names neither a tag nor a digest"
			case fact.NotImageTag(r.Tag) == "":
				why = "" // by its tag alone
			}
		}
	}
	if why != "" {
		return r, fault.Usagef("write oci://HOST/NAME:TAG or oci://HOST/NAME@sha256:…", "%.200q %s", text, why)
	}
	return r, nil
}

// String is the reference as it is written.
func (r Ref) String() string {
	if r.SHA256 == "" {
		return Scheme + r.Name()
	}
	return Scheme + r.ImageRef.String()
}

// Resolve is the digest, lower-case hex, that the reference leads to now.
func (c *Client) Resolve(ctx context.Context, r Ref) (string, error) {
	if r.SHA256 != "" {
		return r.SHA256, nil
	}
	data, ok, err := c.Manifest(ctx, r.Name())
	if err != nil {
		return "", fmt.Errorf("%s: %w", r, err)
	}
	if !ok {
		return "", fault.Errorf("look at the name and the tag", "%s: %w", r, errAbsent)
	}
	return files.DigestBytes(data), nil
}

// maxAttached bounds how many files of one type are read of those that refer to an image:
// whoever may push to the repository can add some.
const maxAttached = 16

// Attached are the files of that artifact type that refer to an image of a repository, by
// its digest.
func (c *Client) Attached(ctx context.Context, repository, hex, artifactType string) (list [][]byte, err error) {
	all, _, err := c.referrers(ctx, repository, hex)
	if err != nil {
		return nil, err
	}
	found := all[artifactType]
	if len(found) > maxAttached {
		return nil, fmt.Errorf("%d files of type %s refer to %s@%s, more than %d", len(found), artifactType, repository, sha(hex), maxAttached)
	}
	for _, at := range found {
		data, err := c.attached(ctx, repository, hex, at, artifactType)
		if err != nil {
			return nil, fmt.Errorf("%s@%s: %w", repository, sha(at), err)
		}
		list = append(list, data)
	}
	return list, nil
}

func (c *Client) attached(ctx context.Context, repository, hex, at, artifactType string) ([]byte, error) {
	manifest, ok, err := c.Manifest(ctx, repository+"@"+sha(at))
	if err != nil || !ok {
		if err == nil {
			err = errAbsent
		}
		return nil, err
	}
	if got := files.DigestBytes(manifest); got != at {
		return nil, fmt.Errorf("the registry gives what has the SHA-256 %s", got)
	}
	r, err := images.ParseReferrer(manifest)
	if err != nil {
		return nil, err
	}
	if r.Subject != hex || r.Type != artifactType {
		return nil, fmt.Errorf("is a %.100q about %s", r.Type, sha(r.Subject))
	}
	if r.Size < 0 || r.Size > checksums.MaxManifestSize { // a record is smaller
		return nil, fmt.Errorf("has %d bytes, more than %d", r.Size, checksums.MaxManifestSize)
	}
	var b bytes.Buffer
	if err := c.Get(ctx, repository, r.Layer, false, images.Limit(&b, r.Size)); err != nil {
		return nil, err
	}
	if got := files.DigestBytes(b.Bytes()); got != r.Layer {
		return nil, fmt.Errorf("the registry gives for %s what has the SHA-256 %s", sha(r.Layer), got)
	}
	return b.Bytes(), nil
}

// Compare pulls an image by the digest that the manifest of a release has of it, makes the
// release's file of it again, and holds that against the manifest: it is that file, byte
// for byte, and programs and files in it are those of the release.
func (c *Client) Compare(ctx context.Context, repository string, want *checksums.Image, commitTime string) error {
	when, err := time.Parse(time.RFC3339, commitTime)
	if err != nil {
		return err
	}
	dir, err := c.layout("pulled")
	if err != nil {
		return err
	}
	name := filepath.Join(c.dir, "image"+fact.ImageSuffix)
	sum := sha256.New()
	err = files.Create(name, 0o600, func(f *os.File) error {
		return images.Blobs{Dir: dir}.Assemble(ctx, io.MultiWriter(f, sum), want, when, func(ctx context.Context, hex string, manifest bool, to io.Writer) error {
			return c.Get(ctx, repository, hex, manifest, to)
		})
	})
	if err != nil {
		return fmt.Errorf("%s@%s: %w", repository, sha(want.Digest), err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want.SHA256 {
		return fmt.Errorf("%s@%s: as a file it has the SHA-256 %s, %s has %s", repository, sha(want.Digest), got, want.Name, want.SHA256)
	}
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return images.Verify(ctx, want, f, want.Size)
}
