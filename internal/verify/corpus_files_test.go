package verify

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/report"
)

func remove(name string) func(dir string) error {
	return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
}

func place(name, text string) func(dir string) error {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644) }
}

// linkTo puts a link to the true content, which lies elsewhere, in the place of a file.
func linkTo(name string) func(dir string) error {
	return func(dir string) error {
		elsewhere := dir + ".elsewhere"
		if err := os.Rename(filepath.Join(dir, name), elsewhere); err != nil {
			return err
		}
		return os.Symlink(elsewhere, filepath.Join(dir, name))
	}
}

// directory puts one in the place of a file.
func directory(name string) func(dir string) error {
	return func(dir string) error {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			return err
		}
		return os.Mkdir(filepath.Join(dir, name), 0o755)
	}
}

// diskAttacks change what lies beside a release that is in order.
func diskAttacks() []attack {
	on := func(name string, verbs verbSet, want string, changes ...func(dir string) error) attack {
		return attack{"disk: " + name, verbs, fault.Refused, want, func(f *forged) { f.disk = changes }}
	}
	partial := func(a attack) attack {
		alter := a.alter
		a.name += ", though files may be missing"
		a.alter = func(f *forged) {
			alter(f)
			f.ask = func(vc *Config) { vc.Missing = true }
		}
		return a
	}
	const irregular = "a release has only regular files"
	return []attack{
		on("another artifact of that size", dirs, "small_tiny: has digest", func(dir string) error {
			name := filepath.Join(dir, "small_tiny")
			data, err := os.ReadFile(name)
			if err == nil {
				data[0] ^= 1
				err = os.WriteFile(name, data, 0o755)
			}
			return err
		}),
		on("a longer artifact", dirs, "bytes, the manifest says", place("small_tiny", strings.Repeat("x", 1000))),
		on("an empty artifact", dirs, "has 0 bytes, the manifest says", place("small_tiny", "")),
		on("another page", dirs, "report.html: has digest", place("report.html", "<p>verified</p>\n")),
		on("no artifact", dirs, "small_tiny: is missing", remove("small_tiny")),
		on("no page", dirs, "report.html: is missing", remove("report.html")),
		on("no list", dirs, "checksums.txt: is missing", remove(checksums.ChecksumsFile)),
		on("no manifest", dirs, "release.json: is missing", remove(checksums.ManifestFile)),
		on("no signature", whole, "checksums.txt.sigstore.json: is missing", remove(checksums.ChecksumsBundle)),
		on("no record", signed, "provenance.sigstore.json: is missing", remove(checksums.ProvenanceBundle)),
		on("a link for an artifact", dirs, irregular, linkTo("small_tiny")),
		on("a link for an archive", dirs, irregular, linkTo("small_linux_amd64.tar.gz")),
		on("a link for the list", dirs, irregular, linkTo(checksums.ChecksumsFile)),
		on("a link for the manifest", dirs, irregular, linkTo(checksums.ManifestFile)),
		on("a link for the signature", whole, irregular, linkTo(checksums.ChecksumsBundle)),
		on("a link for the record", signed, irregular, linkTo(checksums.ProvenanceBundle)),
		on("a link to nothing", dirs, irregular, remove("small_tiny"), func(dir string) error { return os.Symlink("nothing", filepath.Join(dir, "small_tiny")) }),
		on("a link to itself", dirs, irregular, remove("small_tiny"), func(dir string) error { return os.Symlink("small_tiny", filepath.Join(dir, "small_tiny")) }),
		on("a directory for an artifact", dirs, irregular, directory("small_tiny")),
		on("a directory for the list", dirs, irregular, directory(checksums.ChecksumsFile)),
		on("a directory for the manifest", dirs, irregular, directory(checksums.ManifestFile)),
		on("a directory for the signature", whole, irregular, directory(checksums.ChecksumsBundle)),
		on("a file more", dirs, "install.sh: is a file that checksums.txt does not list", place("install.sh", "#!/bin/sh\n")),
		on("a hidden file more", dirs, ".profile: is a file", place(".profile", "x")),
		on("a directory more", dirs, "bin: is a directory that", directory("bin")),
		on("a link more", dirs, "bin: is a file that", func(dir string) error { return os.Symlink("/bin", filepath.Join(dir, "bin")) }),
		on("a file of two lines", dirs, "that checksums.txt does not list", place("x\nchecked: all\x1b[2J", "x")),
		on("a file in another case", dirs, "SMALL_TINY: is a file", place("SMALL_TINY", "x")),
		on("the signature of a ledger that is not there", dirs, "ledger.json.sigstore.json: is a file that", place(checksums.LedgerBundle, "{}")),
		on("a directory that is called a statement", dirs, "is a directory that", directory("x"+checksums.StatementSuffix)),
		partial(on("nothing of it", dirs, "no artifact of the release is here", remove("small_tiny"), remove("small_linux_amd64.tar.gz"),
			remove("small_windows_amd64_small.exe"), remove("small_windows_amd64_other.exe"))),
		partial(on("a file more", dirs, "install.sh: is a file that", place("install.sh", "x"))),
		partial(on("no manifest", dirs, "release.json: is missing", remove(checksums.ManifestFile))),
		partial(on("no record", signed, "provenance.sigstore.json: is missing", remove(checksums.ProvenanceBundle))),
		{"disk: the signature of a ledger that was left out", dirs, fault.Refused, "is a signature over ledger.json, which is not here", func(f *forged) {
			withLedger(f)
			f.disk = append(f.disk, remove(checksums.LedgerFile))
			f.ask = func(vc *Config) { vc.Missing = true }
		}},
		{"disk: another ledger", dirs, fault.Refused, "ledger.json: has digest", func(f *forged) {
			withLedger(f)
			f.disk = append(f.disk, place(checksums.LedgerFile, "[]\n"))
		}},
	}
}

// entry is a member of an archive that the tests write by themselves.
type entry struct {
	tar.Header
	text string
}

const (
	binaryText  = "release linux/amd64 linked small\n"
	licenseText = "file   LICENSE\n"
)

func tarEntries() []entry {
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return []entry{
		{tar.Header{Name: "LICENSE", Mode: 0o644, ModTime: when, Typeflag: tar.TypeReg}, licenseText},
		{tar.Header{Name: "small", Mode: 0o755, ModTime: when, Typeflag: tar.TypeReg}, binaryText},
	}
}

func tarBytes(f *forged, entries []entry) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if e.Typeflag == tar.TypeReg {
			e.Size = int64(len(e.text))
		}
		f.must(w.WriteHeader(&e.Header))
		if e.Size > 0 {
			_, err := w.Write([]byte(e.text))
			f.must(err)
		}
	}
	f.must(w.Close())
	return b.Bytes()
}

func gzipped(f *forged, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	f.must(err)
	f.must(w.Close())
	return b.Bytes()
}

// archived puts these bytes in the place of the archive, with their digest and
// size in the manifest, which goes on to describe the members there should be.
func archived(f *forged, data []byte) {
	a := f.Artifact("linux/amd64", fact.Archived)
	digest, err := f.Write(a.Name, string(data))
	f.must(err)
	a.SHA256, a.Size = digest, int64(len(data))
}

func tarball(entries []entry) func(*forged) {
	return func(f *forged) { archived(f, gzipped(f, tarBytes(f, entries))) }
}

// zipEntry is a member of a zip, and what its header says beside its name.
type zipEntry struct {
	zip.FileHeader
	text string
}

func zipEntries() []zipEntry {
	list := []zipEntry{{zip.FileHeader{Name: "LICENSE"}, licenseText}, {zip.FileHeader{Name: "small"}, binaryText}}
	list[0].SetMode(0o644)
	list[1].SetMode(0o755)
	return list
}

func zipBytes(f *forged, entries []zipEntry) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := e.FileHeader
		m, err := w.CreateHeader(&h)
		f.must(err)
		_, err = m.Write([]byte(e.text))
		f.must(err)
	}
	f.must(w.Close())
	return b.Bytes()
}

// zipPlan has the plan want a zip.
func zipPlan(f *forged) {
	f.Plan.Units[0].Archive = archive.Zip
	f.must(f.Build(f.t.Context()))
}

func zipped(entries []zipEntry) func(*forged) {
	return func(f *forged) {
		zipPlan(f)
		archived(f, zipBytes(f, entries))
	}
}

// archiveAttacks hide something in an archive whose digest is in order.
func archiveAttacks() []attack {
	in := func(name, want string, alter func(*forged)) attack {
		return attack{"archive: " + name, dirs, fault.Refused, want, alter}
	}
	tars := func(name, want string, change func([]entry) []entry) attack {
		return in("tar, "+name, want, func(f *forged) { tarball(change(tarEntries()))(f) })
	}
	zips := func(name, want string, change func([]zipEntry) []zipEntry) attack {
		return in("zip, "+name, want, func(f *forged) { zipped(change(zipEntries()))(f) })
	}
	rawZip := func(name, want string, change func(data []byte) []byte) attack {
		return in("zip, "+name, want, func(f *forged) {
			zipPlan(f)
			archived(f, change(zipBytes(f, zipEntries())))
		})
	}
	special := func(kind byte) func([]entry) []entry {
		return func(l []entry) []entry {
			return append(l, entry{Header: tar.Header{Name: "more", Linkname: "/etc/passwd", Typeflag: kind, Mode: 0o644}})
		}
	}
	more := func(name string) func([]entry) []entry {
		return func(l []entry) []entry {
			e := l[0]
			e.Name = name
			return append(l, e)
		}
	}
	moreZip := func(name string, mode fs.FileMode) func([]zipEntry) []zipEntry {
		return func(l []zipEntry) []zipEntry {
			e := zipEntry{zip.FileHeader{Name: name}, "x"}
			e.SetMode(mode)
			return append(l, e)
		}
	}
	return []attack{
		tars("a symbolic link", "not a regular file", special(tar.TypeSymlink)),
		tars("a hard link", "not a regular file", special(tar.TypeLink)),
		tars("a device", "not a regular file", special(tar.TypeChar)),
		tars("a pipe", "not a regular file", special(tar.TypeFifo)),
		tars("a directory", "not a regular file", special(tar.TypeDir)),
		tars("a file more", "holds 3 files, the manifest lists 2", more("install.sh")),
		tars("a file less", "holds 1 files, the manifest lists 2", func(l []entry) []entry { return l[:1] }),
		tars("another order", "is not the one the manifest lists", func(l []entry) []entry { l[0], l[1] = l[1], l[0]; return l }),
		tars("another binary", "member small is not the one the manifest lists", func(l []entry) []entry { l[1].text = "other"; return l }),
		tars("another name", "member smal1 is not the one", func(l []entry) []entry { l[1].Name = "smal1"; return l }),
		tars("rights for all", "is not the one the manifest lists", func(l []entry) []entry { l[1].Mode = 0o777; return l }),
		tars("a binary that sets the user", "small: its mode urwxr-xr-x is more than rights", func(l []entry) []entry { l[1].Mode = 0o4755; return l }),
		tars("a binary of another user", `small: belongs to "1000/0 mallory/"`, func(l []entry) []entry { l[1].Uid, l[1].Uname = 1000, "mallory"; return l }),
		tars("a file above", "unsafe name", more("../x")),
		tars("an absolute file", "unsafe name", more("/etc/x")),
		tars("a device of Windows", "is a device on Windows", more("nul.txt")),
		tars("a name of two lines", "unsafe name", more("x\nidentical")),
		tars("a file twice", `two members are named "small"`, more("small")),
		tars("a file in another case", "differ only in case", more("license")),
		tars("a file in a file", "is a file and the directory of", more("small/x")),
		tars("a record of its own", "PAX record", func(l []entry) []entry {
			l[1].PAXRecords = map[string]string{"MINTMARK.verified": "yes"}
			return l
		}),
		in("tar, bytes after it", archive.LooseAfter, func(f *forged) { archived(f, append(gzipped(f, tarBytes(f, tarEntries())), "x"...)) }),
		in("tar, another one after it", archive.LooseStream, func(f *forged) {
			archived(f, append(gzipped(f, tarBytes(f, tarEntries())), gzipped(f, tarBytes(f, tarEntries()))...))
		}),
		in("tar, another one in it", archive.LooseInTar, func(f *forged) {
			archived(f, gzipped(f, append(tarBytes(f, tarEntries()), tarBytes(f, tarEntries())...)))
		}),
		in("tar, cut off", "unexpected EOF", func(f *forged) {
			data := gzipped(f, tarBytes(f, tarEntries()))
			archived(f, data[:len(data)/2])
		}),
		in("tar, none", "unexpected EOF", func(f *forged) { archived(f, []byte("a program")) }),
		in("tar, a zip", "gzip: invalid header", func(f *forged) { archived(f, zipBytes(f, zipEntries())) }),
		in("tar, empty", "no members", func(f *forged) { archived(f, gzipped(f, tarBytes(f, nil))) }),
		in("tar, a bomb", "holds 1 files, the manifest lists 2", func(f *forged) {
			archived(f, gzipped(f, tarBytes(f, []entry{{tarEntries()[1].Header, strings.Repeat("\x00", 1<<20)}})))
		}),
		zips("a symbolic link", "not a regular file", moreZip("more", fs.ModeSymlink|0o777)),
		zips("a device", "not a regular file", moreZip("more", fs.ModeDevice|fs.ModeCharDevice|0o644)),
		zips("a file more", "holds 3 files, the manifest lists 2", moreZip("install.sh", 0o755)),
		zips("another binary", "member small is not the one the manifest lists", func(l []zipEntry) []zipEntry { l[1].text = "other"; return l }),
		zips("rights for all", "is not the one the manifest lists", func(l []zipEntry) []zipEntry { l[1].SetMode(0o777); return l }),
		zips("a binary that sets the user", "small: its mode urwxr-xr-x is more than rights", func(l []zipEntry) []zipEntry { l[1].SetMode(fs.ModeSetuid | 0o755); return l }),
		zips("a file above", "unsafe name", moreZip("../x", 0o644)),
		zips("a file of Windows above", "unsafe name", moreZip(`..\x`, 0o644)),
		zips("a file twice", "two members are named", moreZip("small", 0o644)),
		zips("a file in another case", "differ only in case", moreZip("SMALL", 0o644)),
		rawZip("bytes before it", archive.LooseBefore, func(b []byte) []byte { return append([]byte("#!/bin/sh\n"), b...) }),
		rawZip("bytes after it", "zip", func(b []byte) []byte { return append(b, "x"...) }),
		rawZip("another name in front of a member", archive.LooseLocalHeader, func(b []byte) []byte {
			return bytes.Replace(b, []byte("small"), []byte("smalI"), 1)
		}),
		rawZip("another one behind it", "zip", func(b []byte) []byte { return append(b, b...) }),
		rawZip("no directory", "zip", func(b []byte) []byte { return b[:len(b)-22] }),
	}
}

// reportAttacks have the page for people show what is not in the release.
func reportAttacks() []attack {
	measured := func(name, want, text string) attack {
		return attack{"report: " + name, reports, fault.Refused, want, func(f *forged) {
			_, err := f.Write(report.MeasurementsFile, text)
			f.must(err)
		}}
	}
	head := `{"schema":"` + string(fact.MeasurementsSchema) + `","project":"small","version":"1.2.3","sizes":[`
	return []attack{
		measured("no measurements", "measurements.json:", "{}"),
		measured("text", "measurements.json:", "verified"),
		measured("a schema to come", "measurements.json:", strings.Replace(head, "v1", "v2", 1)+"]}"),
		measured("more after it", "measurements.json:", head+"]}{}"),
		measured("of a file that it does not have", "is about a file that the manifest does not have", head+
			`{"profile":"release","platform":"linux/amd64","name":"small","sha256":"`+strings.Repeat("0", 64)+`","not_measured":"x"}]}`),
		measured("of another project", "measurements.json:", strings.Replace(head, `"small"`, `"smali"`, 1)+"]}"),
		measured("of another version", "measurements.json:", strings.Replace(head, "1.2.3", "9.9.9", 1)+"]}"),
	}
}
