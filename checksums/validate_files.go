package checksums

import (
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// list checks what the manifest says of the list of files.
func (v *validation) list(m *Manifest) {
	l := m.Checksums
	if l == nil {
		return
	}
	v.check("checksums", checkListName(l.Name))
	if !l.Algorithm.Known() {
		v.addf("checksums: algorithm %q; want %s", string(l.Algorithm), strings.Join(fact.Algorithms(), ", "))
	}
	if *l == fact.DefaultList() {
		v.addf("checksums: %s of %s is what a release has that says nothing", l.Name, l.Algorithm)
	}
}

// checkListName accepts the name of a list: the usual one, or one that no other
// file of a release has.
func checkListName(name string) error {
	if name == ChecksumsFile {
		return nil
	}
	if err := checkName(name); err != nil {
		return err
	}
	if err := checkName(name + fact.BundleSuffix); err != nil {
		return fmt.Errorf("its signature: %w", err)
	}
	if fact.KindOf(name) != fact.Unknown || fact.KindOf(name+fact.BundleSuffix) != fact.Unknown {
		return fmt.Errorf("name %q is that of another file of the release", name)
	}
	return nil
}

// sourceArchive checks the archive of the source; published are the names, folded,
// of the artifacts.
func (v *validation) sourceArchive(m *Manifest, published map[string]string) {
	const what = "source archive"
	a := m.SourceArchive
	v.check(what, checkName(a.Name))
	v.check(what+": archive", is(a.Format, fact.ArchiveFormats()...))
	if !strings.HasSuffix(a.Name, "."+a.Format) {
		v.addf("%s: %q does not end in .%s", what, a.Name, a.Format)
	}
	if a.Wrap != "" {
		v.check(what+": wrap", checkPath(a.Wrap))
	}
	v.check(what, checkDigest(a.SHA256))
	if a.Size < 0 {
		v.addf("%s: size %d", what, a.Size)
	}
	v.check(what+": tool", checkText(a.Tool))
	v.check(what+": verdict", is(a.Verdict, fact.Identical))
	if a.Made < 2 {
		v.addf("%s: identical after it was made %s; nothing was compared", what, fact.Times(a.Made))
	}
	if m.Source.Kind != fact.SourceGit || len(m.Source.Dirty) > 0 {
		v.addf("%s: the source is no commit", what)
	}
	if _, ok := published[foldName(a.Name)]; ok || m.List().KindOf(a.Name) != fact.Unknown {
		v.addf("%s: the name %q belongs to another file of the release", what, a.Name)
	}
}
