package images

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mintmark/mintmark/internal/files"
)

// Referrer is a file that says something of an image, as it lies beside it in a registry:
// a manifest whose subject is the image
// (https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage).
type Referrer struct {
	Type string // media type of the file, and artifact type
	Name string // of the file
	Data []byte
	// Annotations are further ones of the manifest.
	Annotations map[string]string
}

// emptyConfig is what stands in the place of a configuration.
const emptyConfig = "{}"

// annotationTitle is the name of a file, as ORAS has it.
const annotationTitle = annotationPrefix + "title"

// Manifest is the manifest that refers to an index of that digest, lower-case hex, and
// size.
func (r *Referrer) Manifest(index string, size int64, when time.Time) ([]byte, error) {
	layer := blob(r.Type, r.Data)
	layer.Annotations = map[string]string{annotationTitle: r.Name}
	m := Manifest{
		SchemaVersion: 2, MediaType: typeManifest, ArtifactType: r.Type,
		Config: blob(typeEmpty, []byte(emptyConfig)), Layers: []Descriptor{layer},
		Subject:     &Descriptor{MediaType: typeIndex, Digest: digestOf(index), Size: size},
		Annotations: map[string]string{annotationPrefix + "created": when.UTC().Format(time.RFC3339)},
	}
	for k, v := range r.Annotations {
		m.Annotations[k] = v
	}
	return encode(m)
}

// WriteDir writes what a manifest of the referrer leads to as a layout into an empty
// directory.
func (r *Referrer) WriteDir(dir string, manifest []byte) error {
	index, err := encode(Index{SchemaVersion: 2, MediaType: typeIndex, Manifests: []Descriptor{blob(typeManifest, manifest)}})
	if err != nil {
		return err
	}
	at := filepath.Join(dir, filepath.FromSlash(blobDir))
	if err := os.MkdirAll(at, 0o700); err != nil {
		return err
	}
	errs := []error{
		files.Write(filepath.Join(dir, layoutFile), []byte(layoutContent), 0o644),
		files.Write(filepath.Join(dir, indexFile), index, 0o644),
	}
	for _, data := range [][]byte{manifest, []byte(emptyConfig), r.Data} {
		errs = append(errs, files.Write(filepath.Join(at, files.DigestBytes(data)), data, 0o644))
	}
	return errors.Join(errs...)
}

// Referred is what a manifest of anybody's says of a file that it holds.
type Referred struct {
	Type, Name string
	Subject    string // digest of the index that it is about, lower-case hex
	Layer      string // digest of the file, lower-case hex
	Size       int64
}

// ParseReferrer reads the manifest of a referrer with one file.
func ParseReferrer(data []byte) (r Referred, err error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return r, err
	}
	if m.Subject == nil || len(m.Layers) != 1 {
		return r, errors.New("is not about an image, or has not one file")
	}
	r.Type, r.Name, r.Size = m.ArtifactType, m.Layers[0].Annotations[annotationTitle], m.Layers[0].Size
	if r.Subject, err = m.Subject.hex(); err != nil {
		return r, err
	}
	r.Layer, err = m.Layers[0].hex()
	return r, err
}

// maxReferrers bounds what is read of what refers to one image.
const maxReferrers = 1000

// ParseReferrers reads a list of what refers to an image: digests of manifests by
// artifact type.
func ParseReferrers(data []byte) (map[string][]string, error) {
	var index Index
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, err
	}
	if len(index.Manifests) > maxReferrers {
		return nil, fmt.Errorf("%d manifests refer to it, more than %d", len(index.Manifests), maxReferrers)
	}
	list := map[string][]string{}
	for _, d := range index.Manifests {
		hex, err := d.hex()
		if err != nil {
			return nil, err
		}
		list[d.ArtifactType] = append(list[d.ArtifactType], hex)
	}
	return list, nil
}
