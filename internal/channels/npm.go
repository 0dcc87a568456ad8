package channels

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/template"
)

// npm packs everything below this directory.
const npmRoot = "package/"

// npmPackages are the packages of npm: one of each platform, which npm installs where
// the system and the processor are those it names, and one that has all these as
// optional dependencies and starts the program of the one that is there.
func npmPackages(d *drawn) (all []File, err error) {
	manifest, shim := templated{"npm.package.json", jsonFormat()}, templated{"npm.shim.js", scriptFormat()}
	var packages []template.Record
	programs := map[string][]template.Record{} // by name: the packages that have it
	var names []string
	for _, o := range d.files {
		platform := o.system + "-" + o.arch
		name := d.name + "-" + platform
		fields := d.fields()
		fields["Package"], fields["System"], fields["Arch"] = template.Raw(name), template.Raw(o.system), template.Raw(o.arch)
		data, err := d.text(manifest, fields)
		if err != nil {
			return nil, err
		}
		members := []archive.Member{text(npmRoot+"package.json", data, false)}
		for _, p := range o.Programs {
			file := "bin/" + p.Name
			if o.system == "win32" {
				file += ".exe"
			}
			if programs[p.Name] == nil {
				names = append(names, p.Name)
			}
			programs[p.Name] = append(programs[p.Name], template.Record{
				"Key": template.Raw(o.system + " " + o.arch), "Package": template.Raw(name), "Path": template.Raw(file),
			})
			members = append(members, archive.Member{Name: npmRoot + file, Executable: true, SHA256: p.SHA256})
		}
		packages = append(packages, template.Record{"Package": template.Raw(name)})
		all = append(all, npmPackage(name, o.Platform, func(ctx context.Context, dir string) ([]archive.Member, error) {
			return platformMembers(ctx, filepath.Join(dir, o.File), o, members)
		}))
	}
	slices.Sort(names)
	var members []archive.Member
	var shims []template.Record
	for _, name := range names {
		fields := d.fields()
		fields["Name"], fields["Packages"] = template.Raw(name), records(programs[name]...)
		data, err := d.text(shim, fields)
		if err != nil {
			return nil, err
		}
		file := "bin/" + name + ".js"
		shims = append(shims, template.Record{"Name": template.Raw(name), "Shim": template.Raw(file)})
		members = append(members, text(npmRoot+file, data, true))
	}
	fields := d.fields()
	fields["Package"], fields["System"], fields["Programs"], fields["Packages"] = template.Raw(d.name), template.Raw(""), records(shims...), records(packages...)
	data, err := d.text(manifest, fields)
	if err != nil {
		return nil, err
	}
	members = append(members, text(npmRoot+"package.json", data, false))
	return append(all, npmPackage(d.name, "", func(context.Context, string) ([]archive.Member, error) { return members, nil })), nil
}

// npmPackage is the file of a package. It is called without the scope's @ and /, as npm
// itself calls it.
func npmPackage(name, platform string, members func(ctx context.Context, dir string) ([]archive.Member, error)) File {
	file := strings.ReplaceAll(strings.TrimPrefix(name, "@"), "/", "-") + ".npm.tgz"
	return File{Name: file, Format: archive.TarGz, Platform: platform, Members: members}
}

// text is a member of an archive with that content.
func text(name string, data []byte, executable bool) archive.Member {
	return archive.Member{Name: name, Executable: executable, Open: func() (io.ReadCloser, int64, error) {
		return io.NopCloser(bytes.NewReader(data)), int64(len(data)), nil
	}}
}

// platformMembers are what is in the package of a platform: the programs that lie in a
// published file, with the digests that the manifest has of them, and what that archive
// says of their licence.
func platformMembers(ctx context.Context, file string, o chosen, members []archive.Member) ([]archive.Member, error) {
	list := slices.Clone(members)
	if o.Format == fact.NoArchive {
		list[len(list)-1].Open = archive.Opener(file)
		return list, nil
	}
	to := map[string]int{} // path in the archive → its member
	for i, p := range o.Programs {
		to[p.Path] = i + 1
	}
	for _, doc := range o.Documents {
		if named(doc, "LICENSE", "LICENCE", "COPYING", "NOTICE", "README") && !slices.ContainsFunc(list, func(m archive.Member) bool { return strings.EqualFold(m.Name, npmRoot+path.Base(doc)) }) {
			to[doc] = len(list)
			list = append(list, archive.Member{Name: npmRoot + path.Base(doc)})
		}
	}
	_, err := archive.Scan(ctx, file, func(h archive.Header, r io.Reader) error {
		i, ok := to[h.Name]
		if !ok {
			return nil
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		one := text(list[i].Name, data, list[i].Executable)
		list[i].Open = one.Open
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if m.Open == nil {
			return nil, fmt.Errorf("%s is not in %s", m.Name, filepath.Base(file))
		}
	}
	return list, nil
}
