package fact

import (
	"regexp"
	"strings"
)

// ImageSuffix is how the name of a container image ends in a release: an OCI image
// layout in a tar (https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md).
const ImageSuffix = ".oci.tar"

// Names of images by the distribution specification
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests).
// The registry is always there: which one is meant without it is a setting of whoever pulls.
var (
	registryForm   = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[1-9][0-9]{0,4})?$`)
	repositoryPart = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$`)
	imageTagForm   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	referrersTag   = regexp.MustCompile(`^sha(256|512)-[0-9a-f]{32,}`)
	imageDigest    = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

const (
	maxRepository = 255
	digestPrefix  = "sha256:"
)

// NotRepository says why a text does not name a repository of images with its registry,
// such as ghcr.io/acme/greet; "" if it does.
func NotRepository(s string) string {
	host, path, ok := strings.Cut(s, "/")
	switch {
	case len(s) > maxRepository:
		return "is longer than 255 bytes"
	case !ok || !strings.ContainsAny(host, ".:") && host != "localhost":
		return "does not name its registry"
	case !registryForm.MatchString(host):
		return "does not begin with a host"
	}
	for p := range strings.SplitSeq(path, "/") {
		if !repositoryPart.MatchString(p) {
			return "has a part that names of repositories do not have: small letters and digits, with . _ or - between them"
		}
	}
	return ""
}

// NotImageTag says why a text is no tag that an image can be given; "" if it is one.
func NotImageTag(s string) string {
	switch {
	case !imageTagForm.MatchString(s):
		return "is no tag of an image: letters, digits, _ . - and at most 128 of them"
	case referrersTag.MatchString(s):
		return "is kept for what refers to an image, in registries that have no other place for it"
	}
	return ""
}

// ImageRef is an image by its digest, as it is written: REPOSITORY[:TAG]@sha256:HEX. The
// tag says nothing but to people.
type ImageRef struct {
	Repository, Tag string
	SHA256          string // of the manifest or index, lower-case hex
}

// ParseImageRef reads one; why says what is wrong with it, "" if nothing is.
func ParseImageRef(s string) (r ImageRef, why string) {
	name, digest, ok := strings.Cut(s, "@")
	r.Repository = name
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		r.Repository, r.Tag = name[:i], name[i+1:]
	}
	if why := NotRepository(r.Repository); why != "" {
		return r, why
	}
	if r.Tag != "" || strings.HasSuffix(name, ":") {
		if why := NotImageTag(r.Tag); why != "" {
			return r, "has a tag that " + why
		}
	}
	if !ok {
		return r, "has no digest: what a tag names is another image tomorrow"
	}
	hex, ok := strings.CutPrefix(digest, digestPrefix)
	if !ok || !imageDigest.MatchString(hex) {
		return r, "has a digest that is not sha256: and 64 lower-case hexadecimal digits"
	}
	r.SHA256 = hex
	return r, ""
}

// Name is the reference without the digest.
func (r ImageRef) Name() string {
	if r.Tag == "" {
		return r.Repository
	}
	return r.Repository + ":" + r.Tag
}

// Digest is the digest as images are named by it.
func (r ImageRef) Digest() string { return digestPrefix + r.SHA256 }

// String is the reference as it is written.
func (r ImageRef) String() string { return r.Name() + "@" + r.Digest() }
