package archive

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// packagesOf are packages that nfpm v2.45.2 has made of the same two files, a directory
// and a link, with a script, by format.
func packagesOf(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/packages/*")
	if err != nil || len(names) != len(fact.PackageFormats()) {
		t.Fatalf("%q, %v", names, err)
	}
	of := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		of[fact.PackageFormat(name)] = data
	}
	return of
}

var (
	packageFiles = []Entry{
		{"etc/greet.conf", 12, "8df72938ef53ed630b964cd93455f4b9748f6298b066605e2ef767c5c15f65ba", 0o640},
		{"usr/bin/greet", 8, "fba13a37a73d657dc0f1e671f0dc714f9891dd4da15ec45bd2a6f83e0434648e", 0o755},
	}
	packagePlan = &fact.Packages{Contents: []fact.PackageContent{
		{Type: fact.ContentConfig, Src: "greet.conf", Dst: "/etc/greet.conf", Mode: "0640"},
		{Type: fact.ContentSymlink, Src: "greet", Dst: "/usr/bin/hello"},
		{Type: fact.ContentDir, Dst: "/var/lib/greet", Mode: "0750"},
	}}
)

func listPackage(format string, data []byte) ([]Installed, error) {
	return ListPackage(context.Background(), bytes.NewReader(data), int64(len(data)), format)
}

// TestPackages: what nfpm was given is what is read, in all formats, and nothing else.
func TestPackages(t *testing.T) {
	for format, data := range packagesOf(t) {
		list, err := listPackage(format, data)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if err := CheckInstalled(list, packageFiles, packagePlan); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		var content strings.Builder
		_, err = WalkPackage(t.Context(), bytes.NewReader(data), int64(len(data)), format, func(name string, r io.Reader) error {
			content.WriteString(name + ": ")
			_, err := io.Copy(&content, r)
			return err
		})
		if got := content.String(); err != nil || got != "etc/greet.conf: name: world\nusr/bin/greet: program\n" {
			t.Errorf("%s: %v, %q", format, err, got)
		}
		for name, change := range map[string]func(files []Entry, p *fact.Packages) []Entry{
			"another digest": func(files []Entry, _ *fact.Packages) []Entry { files[1].SHA256 = files[0].SHA256; return files },
			"another mode":   func(files []Entry, _ *fact.Packages) []Entry { files[1].Mode = 0o4755; return files },
			"a file more":    func(files []Entry, _ *fact.Packages) []Entry { return files[:1] },
			"a file less":    func(files []Entry, _ *fact.Packages) []Entry { return append(files, Entry{Name: "usr/bin/other"}) },
			"another link":   func(files []Entry, p *fact.Packages) []Entry { p.Contents[1].Src = "/bin/sh"; return files },
			"a link less": func(files []Entry, p *fact.Packages) []Entry {
				p.Contents = append(p.Contents, fact.PackageContent{Type: fact.ContentSymlink, Src: "x", Dst: "/usr/bin/x"})
				return files
			},
			"a directory more": func(files []Entry, p *fact.Packages) []Entry { p.Contents = p.Contents[:2]; return files },
		} {
			p := &fact.Packages{Contents: slices.Clone(packagePlan.Contents)}
			if err := CheckInstalled(list, change(slices.Clone(packageFiles), p), p); err == nil {
				t.Errorf("%s: %s was not noticed", format, name)
			}
		}
	}
}

// TestDamagedPackages: of a package that is cut off or has a byte more, nothing is
// believed, and neither of one of another format.
func TestDamagedPackages(t *testing.T) {
	all := packagesOf(t)
	for format, data := range all {
		for _, n := range []int{0, 1, 7, len(data) / 3, len(data) / 2, len(data) - 1} {
			list, err := listPackage(format, data[:n])
			if err == nil && CheckInstalled(list, packageFiles, packagePlan) == nil {
				t.Errorf("%s: of %d bytes, the first %d are a package", format, len(data), n)
			}
		}
		if _, err := listPackage(format, append(slices.Clone(data), "more than it has"...)); err == nil {
			t.Errorf("%s: bytes behind the end are not noticed", format)
		}
	}
	for _, format := range []string{fact.Deb, fact.RPM} {
		for other, data := range all {
			if _, err := listPackage(format, data); err == nil && other != format {
				t.Errorf("%s is read as %s", other, format)
			}
		}
	}
	if _, err := listPackage("msi", nil); err == nil {
		t.Error("an unknown format is read")
	}
}

// FuzzPackage: no bytes end the program, and what is read has names that lead nowhere else.
func FuzzPackage(f *testing.F) {
	formats := fact.PackageFormats()
	for i, format := range formats {
		f.Add(i, packagesOf(f)[format])
	}
	f.Fuzz(func(t *testing.T, i int, data []byte) {
		list, err := listPackage(formats[uint(i)%uint(len(formats))], data)
		if err != nil {
			return
		}
		for _, in := range list {
			if !filepath.IsLocal(filepath.FromSlash(in.Name)) {
				t.Errorf("%q leads out", in.Name)
			}
		}
	})
}
