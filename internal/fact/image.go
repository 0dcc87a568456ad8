package fact

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// ImageSuffix is how the name of a container image ends in a release: an OCI image
// layout in a tar (https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md).
const ImageSuffix = ".oci.tar"

// Image is what is decided of a container image before it is made: an entry of the profile
// file's `images`, with its templates expanded.
type Image struct {
	// Name is that of the entry, and of the file without [ImageSuffix].
	Name string `json:"name"`
	// Repository is where it is published, with the registry; "" where -to has to say it.
	Repository string   `json:"repository,omitempty"`
	Tags       []string `json:"tags"` // each is for this image alone
	Moving     []string `json:"moving,omitempty"`
	Base       string   `json:"base,omitempty"`      // as [ParseImageRef] reads it; "" for none
	Profile    string   `json:"profile,omitempty"`   // whose programs it has; "" is whichever has some
	Programs   []string `json:"programs,omitempty"`  // names of those it has; none: all of the profile's
	Platforms  []string `json:"platforms,omitempty"` // patterns of those it has; none: all of Linux that every machine of an architecture can run
	Bin        string   `json:"bin"`                 // directory that the programs are in, absolute
	// Certificates is the file of the commit that lies where programs look for the
	// certificates of authorities; "" for none.
	Certificates string            `json:"certificates,omitempty"`
	Files        map[string]string `json:"files,omitempty"` // path in the image → file of the commit
	// Entrypoint and Cmd are what starts. Of the entrypoint nil is the one program.
	Entrypoint  []string          `json:"entrypoint,omitzero"`
	Cmd         []string          `json:"cmd,omitempty"`
	User        string            `json:"user,omitempty"` // "" is the base's, and 65532:65532 without one
	WorkDir     string            `json:"workdir,omitempty"`
	Env         map[string]string `json:"env,omitempty"`
	Ports       []string          `json:"ports,omitempty"` // as 8080/tcp, sorted
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Key is the key of the profile file that says something of the image, by its last word.
func (i *Image) Key(word string) string {
	if word == "" {
		return "images." + i.Name
	}
	return "images." + i.Name + "." + word
}

// File is what the image is called in a release.
func (i *Image) File() string { return i.Name + ImageSuffix }

// CertificatesPath is where Go programs look for certificates on all distributions
// (crypto/x509/root_linux.go, the first of the list).
const CertificatesPath = "/etc/ssl/certs/ca-certificates.crt"

// Sources are the files of the commit by their absolute paths in the image. twice says
// that something else stands where the certificates go.
func (i *Image) Sources() (list map[string]string, twice bool) {
	list = maps.Clone(i.Files)
	if c := i.Certificates; c != "" {
		if list == nil {
			list = map[string]string{}
		}
		_, twice = list[CertificatesPath]
		list[CertificatesPath] = c
	}
	return list, twice
}

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

// addressForm is a host that systems take for an address, whatever form of it: 127.1, or
// 0x7f.0.0.1 (https://url.spec.whatwg.org/#ends-in-a-number-checker). No domain ends so.
var addressForm = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)$`)

// privateDomains are those that no public DNS has: RFC 6761, 6762 with its appendix G, 8375,
// ICANN's reservation of 2024, and what routers hand out.
var privateDomains = []string{"local", "localhost", "localdomain", "internal", "home.arpa", "intranet", "private", "corp", "home", "lan", "test", "invalid", "example"}

// Private says that the registry is one of this machine or of a private network by its
// name: an address, or a host that no public DNS has.
func (r ImageRef) Private() bool {
	host, _, _ := strings.Cut(r.Repository, "/")
	host, _, _ = strings.Cut(host, ":")
	return !strings.Contains(host, ".") || addressForm.MatchString(host) ||
		slices.ContainsFunc(privateDomains, func(top string) bool { return host == top || strings.HasSuffix(host, "."+top) })
}

// Digest is the digest as images are named by it.
func (r ImageRef) Digest() string { return digestPrefix + r.SHA256 }

// String is the reference as it is written.
func (r ImageRef) String() string { return r.Name() + "@" + r.Digest() }
