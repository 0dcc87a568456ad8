package output

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// BuildFile is the manifest of what [Build] makes.
const BuildFile = "build.json"

// outDir is what is in an output directory.
type outDir struct {
	own     []string // files that mintmark made, and that are as it made them
	foreign []string // everything else, each with the reason
}

// read tells what in a directory is a release or build of mintmark from
// what is not. The directory itself is what shows it: a file counts as ours when
// the manifest knows its name and the checksums have its digest, so that a file
// that somebody put there, or has changed since, does not count.
func (d Dir) read(ctx context.Context, dir string) (*outDir, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	o := &outDir{}
	names := map[string]bool{}
	for _, e := range entries {
		if e.Type().IsRegular() {
			names[e.Name()] = true
		} else {
			o.foreign = append(o.foreign, e.Name()+": is "+files.Kind(e.Type()))
		}
	}
	k := &known{dir: dir, of: fact.DefaultList()}
	k.read(names)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		reason, err := k.whyNotOurs(ctx, name)
		if err != nil {
			return nil, err
		}
		if reason == "" {
			o.own = append(o.own, name)
		} else {
			o.foreign = append(o.foreign, name+": "+reason)
		}
	}
	return o, nil
}

// known is what the files about a release say of its files.
type known struct {
	dir       string
	manifest  string            // its name; "" when there is none that mintmark wrote
	published map[string]string // name → digest by the manifest
	listed    map[string]string // name → digest by checksums.txt; nil without one
	list      string            // digest of checksums.txt
	of        fact.DigestList   // the list that is meant by checksums.txt
}

func (k *known) read(names map[string]bool) {
	for _, name := range []string{checksums.ManifestFile, BuildFile} {
		var m struct {
			Schema string `json:"schema"`
			Source struct {
				Name   string `json:"name"`
				SHA256 string `json:"sha256"`
			} `json:"source_archive"`
			Artifacts []struct {
				Name      string `json:"name"`
				SHA256    string `json:"sha256"`
				Published bool   `json:"published"`
			} `json:"artifacts"`
		}
		if k.manifest != "" || !names[name] {
			continue
		}
		// Loosely, since an older version may have written it.
		data, err := files.ReadOwn(filepath.Join(k.dir, name), checksums.MaxManifestSize)
		if err != nil || json.Unmarshal(data, &m) != nil || !strings.HasPrefix(m.Schema, fact.SchemaRoot) {
			continue
		}
		k.manifest, k.published, k.of = name, map[string]string{}, checksums.ListOf(data)
		if m.Source.Name != "" {
			k.published[m.Source.Name] = m.Source.SHA256
		}
		for _, a := range m.Artifacts {
			if a.Published {
				k.published[a.Name] = a.SHA256
			}
		}
	}
	data, err := files.ReadOwn(filepath.Join(k.dir, k.of.Name), checksums.MaxListSize)
	if err != nil {
		return
	}
	list, err := checksums.ParseLines(k.of, data)
	if err != nil {
		return
	}
	k.listed = map[string]string{}
	for _, l := range list {
		k.listed[l.Name] = l.Digest
	}
	sum := sha256.Sum256(data)
	k.list = hex.EncodeToString(sum[:])
}

const (
	notMade = "mintmark did not make it"
	changed = "was changed since mintmark made it"
)

// whyNotOurs says why a file is not as mintmark made it; "" when it is.
func (k *known) whyNotOurs(ctx context.Context, name string) (string, error) {
	switch {
	case k.manifest == "":
		return notMade, nil
	case k.manifest == BuildFile:
		if name == BuildFile {
			return "", nil
		}
		return k.compare(ctx, name, k.published[name])
	case k.published[name] == "" && k.of.KindOf(name) == fact.Unknown:
		return notMade, nil
	}
	switch name {
	case k.of.Name:
		for listed := range k.listed {
			if k.published[listed] == "" && k.of.KindOf(listed) == fact.Unknown {
				return changed, nil
			}
		}
		if k.listed == nil {
			return changed, nil
		}
		return "", nil
	case k.of.Bundle():
		return k.signature(name, k.list)
	case checksums.ProvenanceBundle:
		return k.signature(name, k.list)
	case checksums.LedgerBundle:
		sum, _, err := files.Digest(ctx, filepath.Join(k.dir, checksums.LedgerFile))
		if err != nil || k.listed[checksums.LedgerFile] == "" {
			return changed, nil
		}
		return k.signature(name, sum)
	}
	return k.compareBy(ctx, k.of.Algorithm, name, k.listed[name])
}

func (k *known) compare(ctx context.Context, name, want string) (string, error) {
	return k.compareBy(ctx, fact.SHA256, name, want)
}

func (k *known) compareBy(ctx context.Context, a fact.Algorithm, name, want string) (string, error) {
	if want == "" {
		return notMade, nil
	}
	f, err := files.Open(filepath.Join(k.dir, name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := a.New()
	if _, err := io.Copy(h, files.Reader(ctx, f)); err != nil {
		return "", err
	}
	got := hex.EncodeToString(h.Sum(nil))
	if got != want {
		return changed, nil
	}
	return "", nil
}

// signature asks what a bundle is about: nothing is verified, anybody's will do
// that signs the file with that digest.
func (k *known) signature(name, digest string) (string, error) {
	data, err := files.ReadOwn(filepath.Join(k.dir, name), checksums.MaxBundleSize)
	if err != nil {
		return "", err
	}
	var b struct {
		Message struct {
			Digest struct {
				Digest []byte `json:"digest"`
			} `json:"messageDigest"`
		} `json:"messageSignature"`
		Envelope struct {
			Payload string `json:"payload"`
		} `json:"dsseEnvelope"`
	}
	if json.Unmarshal(data, &b) != nil || digest == "" {
		return notMade, nil
	}
	if hex.EncodeToString(b.Message.Digest.Digest) == digest {
		return "", nil
	}
	var statement struct {
		Subject []struct {
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
	}
	payload, err := base64.StdEncoding.DecodeString(b.Envelope.Payload)
	if err == nil && json.Unmarshal(payload, &statement) == nil {
		for _, s := range statement.Subject {
			if s.Digest["sha256"] == digest {
				return "", nil
			}
		}
	}
	return changed, nil
}

// refusal is the error of an output directory that holds what is not ours; nil
// when it holds nothing of the kind.
func (o *outDir) refusal(dir string) error {
	if len(o.foreign) == 0 {
		return nil
	}
	const show = 10
	list := o.foreign
	if len(list) > show {
		list = append(slices.Clone(list[:show]), fmt.Sprintf("and %d more", len(o.foreign)-show))
	}
	return fault.Errorf("nothing was removed: move these files elsewhere, or name another directory with -out=DIR",
		"output directory: %s holds files that are not mintmark's (%s)", dir, strings.Join(list, "; "))
}
