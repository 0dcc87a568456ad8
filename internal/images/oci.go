package images

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/internal/channels"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// Media types of the image specification 1.1
// (https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md).
const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeEmpty    = "application/vnd.oci.empty.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar"
	typeGzip     = typeLayer + "+gzip"
	typeZstd     = typeLayer + "+zstd"
)

// dockerTypes are what Docker called the same content before, which registries still
// have.
var dockerTypes = map[string]string{
	"application/vnd.docker.distribution.manifest.list.v2+json": typeIndex,
	"application/vnd.docker.distribution.manifest.v2+json":      typeManifest,
	"application/vnd.docker.container.image.v1+json":            typeConfig,
	"application/vnd.docker.image.rootfs.diff.tar.gzip":         typeGzip,
	"application/vnd.docker.image.rootfs.diff.tar":              typeLayer,
}

// typeOf is the specification's media type for one of Docker's.
func typeOf(t string) string {
	if own, ok := dockerTypes[t]; ok {
		return own
	}
	return t
}

// Descriptor is a reference to content.
type Descriptor struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	Platform     *Platform         `json:"platform,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// hex is the digest, if it is SHA-256.
func (d Descriptor) hex() (string, error) {
	hex, ok := strings.CutPrefix(d.Digest, "sha256:")
	if !ok || len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%.100q is no digest of SHA-256", d.Digest)
	}
	return hex, nil
}

// Platform is one in the words of images.
type Platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant,omitempty"`
}

func (p Platform) String() string {
	return strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}

// Index is an image of several platforms.
type Index struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType,omitempty"`
	Manifests     []Descriptor      `json:"manifests"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// Manifest is an image of one platform, or what refers to an image.
type Manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType,omitempty"`
	ArtifactType  string            `json:"artifactType,omitempty"`
	Config        Descriptor        `json:"config"`
	Layers        []Descriptor      `json:"layers"`
	Subject       *Descriptor       `json:"subject,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// MaxManifest is the most bytes of a manifest that registries take, and the others are limits
// of what is read of others.
const (
	MaxManifest = 4 << 20         // distribution-spec, "Pushing Manifests"
	maxConfig   = MaxManifest / 2 // with what is said of the image, it is no more than one
	maxLayer    = 16 << 30
	maxLayers   = 256
)

// encode writes a value in the one form that is written: compact, keys sorted.
func encode(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return canonical(data)
}

// canonical is JSON in the form that is written.
func canonical(data []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err == nil {
		return nil, errors.New("there is something behind it")
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decodeOwn reads what [encode] has written of a value of that type: what is written in
// another way, or has a key that the type does not have, is refused.
func decodeOwn(data []byte, to any) error {
	if err := json.Unmarshal(data, to); err != nil {
		return err
	}
	again, err := encode(to)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, data) {
		return errors.New("is not written as mintmark writes it")
	}
	return nil
}

// blob is content that is in memory.
func blob(mediaType string, data []byte) Descriptor {
	return Descriptor{MediaType: mediaType, Digest: "sha256:" + files.DigestBytes(data), Size: int64(len(data))}
}

// platformOf is a platform in the words of images. Their variants are those of 32-bit
// ARM and of amd64
// (https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#platform-variants);
// another one is named only by what every machine of the architecture has.
func platformOf(p profiles.Platform) (Platform, error) {
	out := Platform{OS: p.OS, Architecture: p.Arch}
	variant := p.Canonical().Variant
	switch {
	case p.OS != "linux":
		why := map[string]string{
			"windows": "an image of Windows runs on a base of the very Windows version of its host alone",
		}[p.OS]
		if why == "" {
			why = p.OS + " has no containers of this kind"
		}
		return out, fault.Errorf("name platforms of Linux", "%s: images are made of Linux alone: %s", p, why)
	case p.Arch == "arm":
		number, _, _ := strings.Cut(variant, ",")
		out.Variant = "v" + number
	case p.Arch == "amd64" && variant != "v1":
		out.Variant = variant
	case !channels.Everywhere(p):
		return out, fault.Errorf("leave it out of platforms", "%s: images have no name for this variant of %s", p, p.Arch)
	}
	return out, nil
}

// level is what a machine of that platform can run: programs of its variant and of lower
// ones.
func (p Platform) level() (base string, level string) {
	v := p.Variant
	switch {
	case p.Architecture == "arm64" && v == "", p.Architecture == "arm64" && v == "8":
		v = "v8"
	case p.Architecture == "amd64" && v == "":
		v = "v1"
	case p.Architecture == "arm" && v == "":
		v = "v7"
	case v != "" && v[0] >= '0' && v[0] <= '9':
		v = "v" + v
	}
	return p.OS + "/" + p.Architecture, v
}

// checkTags is all that is wrong with the tags of images that go into one
// repository: each tag is one image's.
func checkTags(list []Image) error {
	type at struct{ repository, tag string }
	seen := map[at]string{}
	var errs []error
	for _, i := range list {
		where := i.settings.Repository
		if where == "" {
			continue
		}
		for _, of := range []struct {
			word string
			tags []string
		}{{"tags", i.settings.Tags}, {"moving", i.settings.Moving}} {
			for _, t := range of.tags {
				if other := seen[at{where, t}]; other != "" {
					errs = append(errs, &channels.Wrong{Key: i.settings.Key(of.word), Err: fault.Errorf("give one of them another tag, or another repository", "the image %s of %s has the tag %s too", other, where, t)})
				}
				seen[at{where, t}] = i.settings.Name
			}
		}
	}
	return errors.Join(errs...)
}

// digestOf is a digest as images write it.
func digestOf(hex string) string { return fact.ImageRef{SHA256: hex}.Digest() }
