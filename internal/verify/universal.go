package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/universal"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// verifySlices looks into universal binaries: each is put together of the programs that
// the manifest says it is made of, and has nothing else. It is read where it is
// published, by itself or in an archive.
func verifySlices(ctx context.Context, v *checksums.Verification, at func(name string) string, refused *checksums.VerifyError) error {
	for _, a := range v.Manifest.Artifacts {
		if a.Stage != fact.Universal {
			continue
		}
		published, member, ok := holder(v, a)
		if !ok {
			continue
		}
		content, err := slicesOf(v.Manifest, a)
		if err == nil {
			err = readMember(ctx, at(published), member, func(r io.Reader) error { return universal.Check(r, content) })
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			v.Checks.Open(fact.Slices, a.Key(), "it is not here")
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			name := published
			if member != "" {
				name += "!" + member
			}
			refused.Refusals = append(refused.Refusals, checksums.RefusedError{Name: name, Reason: "the universal binary: " + err.Error(), Remedy: "it is not made of the programs of its own manifest: do not use it"})
		default:
			v.Checks.Done(fact.Slices, a.Key(), "")
		}
	}
	return nil
}

// holder is the published file that a universal binary is read from: itself, or the
// first archive that has it under the name member. ok is false if neither is what is
// verified.
func holder(v *checksums.Verification, a checksums.Artifact) (name, member string, ok bool) {
	if v.Found != nil && v.Found.Artifact == a.Key() {
		return v.File, "", true
	}
	for _, b := range v.Manifest.Published() {
		if b.Unit() != a.Unit() || v.File != "" && b.Name != v.File {
			continue
		}
		if b.Key() == a.Key() {
			return b.Name, "", true
		}
		if i := slices.IndexFunc(b.Members, func(m checksums.Member) bool { return m.SHA256 == a.SHA256 }); i >= 0 {
			return b.Name, b.Members[i].Name, true
		}
	}
	return "", "", false
}

// slicesOf are the programs that a universal binary is made of, by the manifest.
func slicesOf(m *checksums.Manifest, a checksums.Artifact) (list []universal.Content, err error) {
	for _, sum := range a.From {
		i := slices.IndexFunc(m.Artifacts, func(b checksums.Artifact) bool {
			return b.Stage == fact.Linked && b.Profile == a.Profile && b.SHA256 == sum
		})
		if i < 0 {
			return nil, fmt.Errorf("the manifest has no program with digest %s", sum)
		}
		list = append(list, universal.Content{Size: m.Artifacts[i].Size, SHA256: sum})
	}
	return list, nil
}

// readMember reads a file, or, if member is not "", that of an archive.
func readMember(ctx context.Context, path, member string, read func(io.Reader) error) error {
	if member == "" {
		f, err := files.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return read(files.Reader(ctx, f))
	}
	found := false
	_, err := archive.Scan(ctx, path, func(h archive.Header, r io.Reader) error {
		if h.Name != member {
			return nil
		}
		found = true
		return read(r)
	})
	if err == nil && !found {
		err = fmt.Errorf("%s is not in it", member)
	}
	return err
}
