package checksums

import (
	"slices"

	"github.com/mintmark/mintmark/internal/fact"
)

// Found says what a file of a release is that the release does not publish under its
// name, such as a program that somebody took out of an archive: what the manifest, or
// without one the record, has of its digest. At least one of Artifact and Archives is there.
type Found struct {
	// Artifact is the binary or header that it is, as PROFILE/PLATFORM/STAGE/NAME; ""
	// for a file that no build made.
	Artifact string `json:"artifact,omitempty"`
	// Archives are the published archives that have it, in the order of the manifest or
	// the record, and Member is its name in the first of them.
	Archives []string `json:"archives,omitempty"`
	Member   string   `json:"member,omitempty"`
}

// Find says what in the release has a SHA-256, besides what is published under a name
// of its own in a form that nobody takes apart: members of archives, binaries and
// headers. nil if nothing has it.
func (m *Manifest) Find(sum string) *Found {
	var f Found
	for _, a := range m.Artifacts {
		if f.Artifact == "" && a.SHA256 == sum && !a.Stage.Holds() {
			f.Artifact = a.Key()
		}
	}
	for _, x := range m.members() {
		if x.sum == sum {
			f.member(x.archive, x.name)
		}
	}
	return f.orNil()
}

// archived is a file in a published archive.
type archived struct{ archive, name, sum string }

// members are those of all published archives, in the manifest's order, generated
// files last.
func (m *Manifest) members() (list []archived) {
	for _, a := range m.Artifacts {
		for _, x := range a.Members {
			if a.Published {
				list = append(list, archived{a.Name, x.Name, x.SHA256})
			}
		}
	}
	if m.Generated != nil {
		for _, g := range m.Generated.Files {
			list = append(list, archived{fact.GeneratedArchive, g.Name, g.SHA256})
		}
	}
	return list
}

// orNil is what was found, if anything was.
func (f *Found) orNil() *Found {
	if f.Artifact == "" && len(f.Archives) == 0 {
		return nil
	}
	return f
}

// member notes that an archive has it under that name.
func (f *Found) member(archive, name string) {
	if slices.Contains(f.Archives, archive) {
		return
	}
	if len(f.Archives) == 0 {
		f.Member = name
	}
	f.Archives = append(f.Archives, archive)
}

// ArtifactOf is the artifact that a file which was found is, or that it is in; ok is
// false for a generated file.
func (m *Manifest) ArtifactOf(f *Found) (a Artifact, ok bool) {
	i := slices.IndexFunc(m.Artifacts, func(a Artifact) bool {
		return f.Artifact != "" && a.Key() == f.Artifact || f.Artifact == "" && a.Published && slices.Contains(f.Archives, a.Name)
	})
	if i < 0 {
		return a, false
	}
	return m.Artifacts[i], true
}
