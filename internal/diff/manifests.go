package diff

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// isManifest reports whether a file looks like mintmark's release.json.
func isManifest(name string) bool {
	data, err := files.Read(name, checksums.MaxManifestSize)
	return err == nil && strings.Contains(string(data[:min(len(data), 512)]), `"`+string(fact.ManifestSchema)+`"`)
}

func readManifest(name string) (*checksums.Manifest, error) {
	data, err := files.Read(name, checksums.MaxManifestSize)
	if err != nil {
		return nil, err
	}
	m, err := checksums.ParseManifest(data)
	if err != nil {
		return nil, fault.Usagef("the manifest is damaged, or of another version of mintmark", "%s: %w", name, err)
	}
	return m, nil
}

// manifests compares two releases: the manifests as files, what they say they
// were made of, then the published files, matched by profile, platform and
// stage, since names hold versions. Files that are not there are unchecked
// unless their digests differ.
func (c *comparison) manifests(a, b string) error {
	ma, errA := readManifest(a)
	mb, errB := readManifest(b)
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	if equal, _, err := c.equal(a, b); err != nil {
		return err
	} else if equal {
		c.verdict("release.json", fact.Identical, "")
	} else {
		c.verdict("release.json", fact.Different, "")
	}
	say := func(cause fact.Cause, what, x, y, remedy string) {
		if x != y {
			c.add("release.json", fact.Finding{Cause: cause, Confidence: fact.Certain, Evidence: []string{fmt.Sprintf("%s: %q in A, %q in B", what, x, y)}, Remedy: remedy})
		}
	}
	say(fact.CauseVCSRevision, "commit", ma.Source.Commit, mb.Source.Commit, "compare releases of one commit")
	say(fact.CauseVersionStamp, "version", ma.Source.Version, mb.Source.Version, "compare releases of one version, with the same tags")
	if ma.Source.Commit == mb.Source.Commit {
		say(fact.CauseSource, "module hash", ma.Source.Sum, mb.Source.Sum, "the same commit gave two module hashes: look for .gitattributes and filters")
	}
	say(fact.CauseToolchainVersion, "toolchain", ma.Toolchain.Version, mb.Toolchain.Version, "pin one toolchain with go: in the profile file")
	if ma.Toolchain.Version == mb.Toolchain.Version && ma.Toolchain.Host == mb.Toolchain.Host {
		say(fact.CauseToolchainModified, "hash of the toolchain", ma.Toolchain.Sum, mb.Toolchain.Sum, "the same version with other bytes: do not trust one of the two machines")
	}
	key := func(x checksums.Artifact) counterpart {
		if x.Published {
			x.Name = strings.ReplaceAll(x.Name, mb.Version, ma.Version)
		}
		return counterpart{x.Profile, x.Platform, x.Stage, x.Name}
	}
	other := map[counterpart]checksums.Artifact{}
	for _, y := range mb.Artifacts {
		other[key(y)] = y
	}
	for _, x := range ma.Artifacts {
		k := key(x)
		y, ok := other[k]
		delete(other, k)
		switch {
		case !ok:
			c.only(k.String(), "A")
		case x.SHA256 == y.SHA256 && !x.Published && !y.Published:
			// What is inside of an archive was compared with the archive, if at
			// all: an equal digest in two manifests is no comparison.
		case x.Published && y.Published:
			fa, fb := filepath.Join(filepath.Dir(a), x.Name), filepath.Join(filepath.Dir(b), y.Name)
			if !exists(fa) || !exists(fb) {
				c.digests(k.String(), x, y, "the files are not beside the manifests")
				continue
			}
			if err := c.file(k.String(), fa, fb); err != nil {
				return err
			}
		default:
			c.digests(k.String(), x, y, "not published by itself")
		}
	}
	for _, y := range mb.Artifacts {
		if k := key(y); other[k].SHA256 != "" {
			c.only(k.String(), "B")
		}
	}
	return nil
}

// counterpart is what an artifact and the same one of another release have in common.
type counterpart struct {
	profile, platform string
	stage             fact.Stage
	name              string // with one version in the place of both
}

func (c counterpart) String() string {
	return strings.Join([]string{c.profile, c.platform, string(c.stage), c.name}, " ")
}

// besides compares what two release directories hold beside the manifests and
// what those publish: the checksums, the signatures, and whatever else there is.
func (c *comparison) besides(a, b string) error {
	published := map[string]bool{"release.json": true}
	for _, dir := range []string{a, b} {
		m, err := readManifest(filepath.Join(dir, "release.json"))
		if err != nil {
			return err
		}
		for _, x := range m.Published() {
			published[x.Name] = true
		}
	}
	return c.eachFile(a, b, func(name string) bool { return !published[name] }, func(name, fa, fb string) error {
		// They are about the other files: why those differ has been said.
		equal, _, err := c.equal(fa, fb)
		if err == nil {
			c.verdict(name, map[bool]fact.Verdict{true: fact.Identical, false: fact.Different}[equal], "")
		}
		return err
	})
}

// digests gives the verdict that two digests allow.
func (c *comparison) digests(name string, x, y checksums.Artifact, why string) {
	if x.SHA256 == y.SHA256 {
		c.verdict(name, fact.Unchecked, "the manifests say equal; "+why)
		return
	}
	c.verdict(name, fact.Different, "")
	if x.Published {
		c.add(name, fact.Finding{Cause: fact.CauseUnknown, Confidence: fact.Certain, Evidence: []string{fmt.Sprintf("sha256 %s in A, %s in B; %s", x.SHA256, y.SHA256, why)}, Remedy: "get both files and compare them"})
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return !errors.Is(err, fs.ErrNotExist)
}
