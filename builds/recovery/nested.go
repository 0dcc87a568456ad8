package recovery

import (
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
)

// holds reports whether a file begins as an archive or compressed file does that is
// opened here. head is its first bytes, as [readHead] gives them.
func holds(head []byte) bool {
	return hasMagic(head, "\x1f\x8b", "\x28\xb5\x2f\xfd", "BZh", "\xfd7zXZ\x00", "PK\x03\x04", "PK\x05\x06", archive.ArMagic, archive.RPMMagic) ||
		len(head) > 262 && string(head[257:262]) == "ustar"
}

// nest opens a member that is an archive or compressed. Its copy is gone afterwards:
// what is in it has copies of its own.
func (m *members) nest(name string, h archive.Header, r io.Reader) error {
	if m.depth+1 > MaxDepth {
		m.skip(name, "", KindPacked, fmt.Sprintf("not looked at: an archive or compressed file in %d others, more than are opened; unpack it and name its files", m.depth+1))
		return nil
	}
	if m.nested--; m.nested < 0 || h.Size > maxMember || h.Size > m.copies {
		m.nested = max(m.nested, 0)
		m.skip(name, "", KindPacked, "not looked at: more or larger archives in archives than this tool opens in one run")
		return nil
	}
	left := m.copies
	at, err := m.copy("nested", r)
	if err != nil {
		return err
	}
	size := left - m.copies
	err = m.file(item{name: name, member: m.inner(h), at: at, mode: h.Mode, depth: m.depth + 1})
	os.Remove(at)
	m.copies += size
	return err
}

// An Alpine package is three tars, each compressed by itself: signatures, what the
// package is, and its files. The first two have no end, so that all are one
// (wiki.alpinelinux.org, "Apk spec").
func alpine(sum *archive.Summary) bool {
	return sum.Format == archive.TarGz && len(sum.Members) > 0 && alpineFirst(sum.Members[0].Name) &&
		slices.ContainsFunc(sum.Members, func(h archive.Header) bool { return h.Name == ".PKGINFO" })
}

func alpineFirst(name string) bool {
	return name == ".PKGINFO" || strings.HasPrefix(name, ".SIGN.")
}

// alpineScripts reports whether apk runs a member of a package.
func alpineScripts(name string) bool {
	return slices.Contains([]string{".pre-install", ".post-install", ".pre-upgrade", ".post-upgrade", ".pre-deinstall", ".post-deinstall", ".trigger"}, name)
}

// image reports whether a tar is an image of containers: one in the layout of the OCI
// (image-layout.md), or what docker save writes. Its layers are members.
func image(sum *archive.Summary) bool {
	names := map[string]bool{}
	layer := false
	for _, h := range sum.Members {
		name := memberName(h.Name)
		names[name] = true
		layer = layer || path.Base(name) == "layer.tar" || strings.HasPrefix(name, "blobs/")
	}
	return layer && (names["oci-layout"] && names["index.json"] || names["manifest.json"])
}

// describes reports whether a member may be what describes an image: its manifest, its
// configuration.
func (s *sniffer) describes() bool {
	name := memberName(s.name)
	return name == "manifest.json" || name == "index.json" || strings.HasPrefix(name, "blobs/") || path.Dir(name) == "." && path.Ext(name) == ".json"
}

// The version of an image, in its labels and annotations (annotations.md), and in the
// tags that docker save writes.
var imageVersion = regexp.MustCompile(`"org\.opencontainers\.image\.(?:version|ref\.name)"\s*:\s*"v?([0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.]+)?)"|"RepoTags"\s*:\s*\[\s*"[^"]*:v?([0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.]+)?)"`)

// imageVersions are the module versions that the description of an image suggests.
func imageVersions(data []byte) (out []string) {
	for _, m := range imageVersion.FindAllSubmatch(data, 8) {
		out = merge(out, []string{"v" + string(m[1]) + string(m[2])})
	}
	return out
}
