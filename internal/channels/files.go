package channels

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/template"
	"github.com/mintmark/mintmark/profiles"
)

//go:embed templates
var templates embed.FS

var digestForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// File is a file of a release that a channel reads.
type File struct {
	Name string
	Text []byte // nil for an archive

	// Of an archive: Platform is that of its programs, "" for none. Members gives what is
	// in it. dir is the directory of the release, which has the files of its units.
	Format   string
	Platform string
	Members  func(ctx context.Context, dir string) ([]archive.Member, error)
}

// Files are the files of the channels, in their order. All that can fail of them but
// reading archives has been done; all that is wrong is reported, each a [Wrong] where it
// is the profile file's.
func Files(list []profiles.Channel, r *Release) (all []File, err error) {
	var errs []error
	for i := range list {
		made, err := filesOf(&list[i], r)
		errs = append(errs, err)
		all = append(all, made...)
	}
	for i, f := range all {
		if fact.KindOf(f.Name) != fact.ChannelFile {
			errs = append(errs, fmt.Errorf("%s: is not called as a file of a channel", f.Name))
		}
		if slices.ContainsFunc(all[:i], func(g File) bool { return strings.EqualFold(f.Name, g.Name) }) {
			errs = append(errs, fmt.Errorf("%s: two channels have this file", f.Name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return all, nil
}

func filesOf(s *profiles.Channel, r *Release) ([]File, error) {
	c := of(s.Channel)
	invalid := c.check(s, r)
	picked, err := c.choose(s, r)
	if err := errors.Join(invalid, err); err != nil {
		return nil, err
	}
	for _, o := range picked {
		for _, p := range append(slices.Clone(o.Programs), Program{Path: o.File, SHA256: o.SHA256}) {
			if !digestForm.MatchString(p.SHA256) {
				return nil, fmt.Errorf("%s: the manifest has no digest of it", p.Path)
			}
		}
	}
	d := &drawn{channel: c, settings: s, release: r, files: picked, name: c.called(s, r)}
	if c.files != nil {
		return c.files(d)
	}
	var out []File
	for _, t := range c.templates {
		data, err := d.text(t, d.fields())
		if err != nil {
			return nil, &Wrong{s.Key(""), err}
		}
		out = append(out, File{Name: d.name + "." + t.name, Text: data})
	}
	return out, nil
}

// drawn is what the files of one channel are made of.
type drawn struct {
	channel
	settings *profiles.Channel
	release  *Release
	files    []chosen
	name     string // of the package
}

// text evaluates a template with these fields.
func (d *drawn) text(t templated, fields template.Record) ([]byte, error) {
	source, err := templates.ReadFile("templates/" + t.name + ".tmpl")
	if err != nil {
		return nil, err
	}
	tree := parse.New(t.name)
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(string(source), "", "", map[string]*parse.Tree{}); err != nil {
		return nil, err
	}
	language := template.Language{Funcs: t.format.funcs(), Field: func(names []string) (template.Value, error) {
		if v, ok := fields[names[0]]; ok && len(names) == 1 {
			return v, nil
		}
		return nil, fmt.Errorf("no field .%s", strings.Join(names, "."))
	}}
	text, err := language.Text(tree.Root.Nodes...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	data := []byte(text)
	if t.format.finish != nil {
		if data, err = t.format.finish(data); err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return append(bytes.TrimSpace(data), '\n'), nil
}

// fields are what templates see of a channel.
func (d *drawn) fields() template.Record {
	s, r := d.settings, d.release
	f := template.Record{
		"Project": template.Raw(r.Project), "Name": template.Raw(d.name),
		"Version":         template.Raw(r.Version),
		"ArchVersion":     template.Raw(strings.ReplaceAll(r.Version, "-", "_")),
		"SemanticVersion": template.Raw("v" + r.Version),
		"Date":            template.Raw(r.Time.UTC().Format("2006-01-02")),
		"Description":     template.Raw(s.Description), "Homepage": template.Raw(s.Homepage), "License": template.Raw(s.License),
		"Publisher": template.Raw(s.Publisher), "Maintainers": texts(s.Maintainers), "Test": texts(s.Test),
		"Provides": template.Raw(""), "Program": template.Raw(""),
		"Files": d.records(d.files),
	}
	if base, ok := strings.CutSuffix(d.name, binSuffix); ok {
		f["Provides"] = template.Raw(base)
	}
	if len(d.files) > 0 {
		f["Program"] = template.Raw(d.files[0].Programs[0].Name)
		if s.Program != "" {
			f["Program"] = template.Raw(s.Program)
		}
		f["Programs"] = f["Files"].(template.List)[0]["Programs"]
	}
	f["Systems"], f["Alike"] = d.systems(), d.alike()
	return f
}

// records are files as templates see them.
func (d *drawn) records(list []chosen) template.List {
	var all []template.Record
	for _, o := range list {
		at := d.settings.URL + "/" + url.PathEscape(o.File)
		var programs, licenses []template.Record
		for _, p := range o.Programs {
			inner := p.Path
			if top := o.Top(); top != "" {
				inner = strings.TrimPrefix(inner, top+"/")
			}
			executable := p.Path
			if o.Format == fact.NoArchive {
				executable = p.Name + ".exe"
			}
			programs = append(programs, template.Record{
				"Path": template.Raw(p.Path), "Inner": template.Raw(inner), "Name": template.Raw(p.Name), "Executable": template.Raw(executable),
				"Renamed": path.Base(p.Path) != p.Name,
			})
		}
		for _, l := range o.licenses() {
			licenses = append(licenses, template.Record{"Path": template.Raw(l), "Name": template.Raw(path.Base(l))})
		}
		all = append(all, template.Record{
			"System": o.system, "Arch": o.arch, "Archive": o.Format != fact.NoArchive,
			"File": template.Raw(o.File), "URL": template.Raw(at), "SHA256": template.Raw(o.SHA256), "UpperSHA256": template.Raw(strings.ToUpper(o.SHA256)),
			"RenamedURL": template.Raw(at + "#/" + o.Programs[0].Name + ".exe"),
			"Programs":   records(programs...), "Licenses": records(licenses...),
		})
	}
	return records(all...)
}

// systems are the files by system, as Homebrew has them.
func (d *drawn) systems() template.List {
	bySystem := map[string][]chosen{}
	var order []string
	for _, o := range d.files {
		if bySystem[o.system] == nil {
			order = append(order, o.system)
		}
		bySystem[o.system] = append(bySystem[o.system], o)
	}
	slices.Sort(order)
	slices.Reverse(order) // macOS first, as formulas have it
	var list []template.Record
	for _, system := range order {
		of := bySystem[system]
		requires := ""
		if len(of) == 1 {
			requires = map[string]string{"on_intel": ":x86_64", "on_arm": ":arm64"}[of[0].arch]
		}
		list = append(list, template.Record{
			"System": system, "Files": d.records(of), "Alone": len(order) == 1, "Requirement": ":" + strings.TrimPrefix(system, "on_"), "Requires": requires,
		})
	}
	return records(list...)
}

// alike reports whether the programs of all files are in the same places.
func (d *drawn) alike() bool {
	inner := func(o chosen) (list []string) {
		for _, p := range o.Programs {
			list = append(list, strings.TrimPrefix(p.Path, o.Top()+"/"), p.Name)
		}
		return list
	}
	return !slices.ContainsFunc(d.files, func(o chosen) bool { return !slices.Equal(inner(o), inner(d.files[0])) })
}
