package fact

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// PlanShape is of a plan what can be held against a manifest: what it is a plan
// of, and what its units make.
type PlanShape struct {
	Project, Version, Go string
	From                 VersionFrom // of Version
	Tag                  string      // that says it
	Snapshot             bool
	Source               SourceID
	Units                []UnitShape
	Universal            []UnitShape    // what is published of universal binaries
	Commands             []CommandShape // that generate files
	Images               []ImageShape
}

// ImageShape is of a container image what its release says of it without a look at the
// programs that are in it.
type ImageShape struct {
	Name, Repository, Base string
	Tags, Moving           []string
	Files                  []string // of the commit: where they lie, without the slash at the beginning; sorted
}

// CommandShape is of a command that generates files what it makes, and what was
// fetched for it.
type CommandShape struct {
	Outputs []string // globs
	Fetched []Fetched
}

// Fetched is a file that was fetched for a command.
type Fetched struct{ URL, SHA256, Path string }

// ReadPlan reads a plan's shape. Keys are taken by their exact spelling, once;
// the values that decide what is made must be there and be what they ought to
// be: no null, no unit without a main package, no plan without a unit, no two
// units of one profile and platform. Everything wrong is reported. Keys that
// decide nothing of it are not looked at; whoever builds the plan reads them.
func ReadPlan(data []byte) (*PlanShape, error) {
	r := &planReader{}
	p := &PlanShape{}
	top := r.object("plan", data)
	p.Project, p.Version, p.Go = r.text("plan", top, "project"), r.text("plan", top, "version"), r.text("plan", top, "go")
	p.From, p.Tag = VersionFrom(r.optional("plan", top, "version_from")), r.optional("plan", top, "tag")
	if raw, ok := top["snapshot"]; ok && (json.Unmarshal(raw, &p.Snapshot) != nil || !p.Snapshot) {
		r.addf("plan: snapshot is %s; it is true or not there", short(raw))
	}
	if raw, ok := top["source"]; !ok {
		r.addf("plan: has no source")
	} else {
		src := r.object("plan: source", raw)
		p.Source = SourceID{
			Kind: SourceKind(r.text("plan: source", src, "kind")), Module: r.text("plan: source", src, "module"), Version: r.text("plan: source", src, "version"),
			Sum: r.text("plan: source", src, "sum"), CommitTime: r.text("plan: source", src, "commit_time"),
			Commit: r.optional("plan: source", src, "commit"), Dir: r.optional("plan: source", src, "dir"),
		}
	}
	for i, raw := range r.list("plan", top, "generate") {
		what := fmt.Sprintf("plan: generate: command %d", i+1)
		p.Commands = append(p.Commands, r.command(what, raw))
	}
	units := r.list("plan", top, "units")
	if len(units) == 0 {
		r.addf("plan: has no units; nothing is built by it")
	}
	seen := map[string]bool{}
	byID := map[string]UnitShape{}
	inSlices := map[string]bool{}
	for i, raw := range units {
		u := r.unit(fmt.Sprintf("plan: unit %d", i+1), raw)
		if id := u.Profile + "\x00" + u.Platform; seen[id] {
			r.addf("plan: unit %d: %s is there twice", i+1, Plain(u.ID()))
		} else {
			seen[id] = true
		}
		byID[u.Profile+"\x00"+u.Platform] = u
		p.Units = append(p.Units, u)
	}
	for i, raw := range r.list("plan", top, "universal") {
		u := r.universal(fmt.Sprintf("plan: universal %d", i+1), raw, byID)
		for _, platform := range u.Slices {
			inSlices[u.Profile+"\x00"+platform] = true
		}
		if id := u.Profile + "\x00" + u.Platform; seen[id] {
			r.addf("plan: universal %d: %s is there twice", i+1, Plain(u.ID()))
		} else {
			seen[id] = true
		}
		p.Universal = append(p.Universal, u)
	}
	for _, u := range p.Units {
		if u.Replaced && !inSlices[u.Profile+"\x00"+u.Platform] {
			r.addf("plan: %s: is replaced, and nothing is there in its place", Plain(u.ID()))
		}
	}
	for i, raw := range r.list("plan", top, "images") {
		p.Images = append(p.Images, r.image(fmt.Sprintf("plan: image %d", i+1), raw))
	}
	if len(r.errs) > 0 {
		return nil, errors.Join(r.errs...)
	}
	return p, nil
}

// planReader collects what is wrong with a plan.
type planReader struct{ errs []error }

func (r *planReader) addf(format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf(format, args...))
}

func (r *planReader) command(what string, raw json.RawMessage) CommandShape {
	o := r.object(what, raw)
	c := CommandShape{Outputs: r.texts(what, o, "outputs")}
	if len(c.Outputs) == 0 {
		r.addf("%s: has no outputs; nothing is made by it", what)
	}
	for i, raw := range r.list(what, o, "fetch") {
		what := fmt.Sprintf("%s: fetch %d", what, i+1)
		f := r.object(what, raw)
		c.Fetched = append(c.Fetched, Fetched{r.text(what, f, "url"), r.text(what, f, "sha256"), r.text(what, f, "path")})
	}
	return c
}

func (r *planReader) image(what string, raw json.RawMessage) ImageShape {
	o := r.object(what, raw)
	i := Image{
		Name: r.text(what, o, "name"), Repository: r.optional(what, o, "repository"), Base: r.optional(what, o, "base"),
		Tags: r.texts(what, o, "tags"), Moving: r.texts(what, o, "moving"), Certificates: r.optional(what, o, "certificates"),
	}
	if raw, ok := o["files"]; ok {
		what := what + ": files"
		from := r.object(what, raw)
		i.Files = map[string]string{}
		for to := range from {
			i.Files[to] = r.text(what, from, to)
		}
	}
	s := ImageShape{Name: i.File(), Repository: i.Repository, Base: i.Base, Tags: i.Tags, Moving: i.Moving}
	sources, _ := i.Sources()
	for to := range sources {
		s.Files = append(s.Files, strings.TrimPrefix(to, "/"))
	}
	slices.Sort(s.Files)
	return s
}

func (r *planReader) unit(what string, raw json.RawMessage) UnitShape {
	o := r.object(what, raw)
	u := UnitShape{Profile: r.text(what, o, "profile"), Platform: r.text(what, o, "platform")}
	if u.Profile != "" && u.Platform != "" {
		what += ", " + Plain(u.ID())
	}
	u.Mode = r.mode(what, o)
	if raw, ok := o["replaced"]; ok {
		if json.Unmarshal(raw, &u.Replaced) != nil || !u.Replaced {
			r.addf("%s: replaced is %s; it is true or not there", what, short(raw))
		}
	}
	if _, ok := o["upx"]; ok {
		u.Packed = true
		if len(r.texts(what, o, "upx")) == 0 {
			r.addf("%s: upx has no flags; it has some or is not there", what)
		}
	}
	r.published(what, o, &u)
	if u.Replaced && len(u.Archives) > 0 {
		r.addf("%s: is replaced, and has an archive", what)
	}
	return u
}

// universal reads what is published of universal binaries. It is made of units of one
// profile that have the mains that it has, each of another platform.
func (r *planReader) universal(what string, raw json.RawMessage, units map[string]UnitShape) UnitShape {
	o := r.object(what, raw)
	u := UnitShape{Profile: r.text(what, o, "profile"), Platform: r.text(what, o, "platform"), Slices: r.texts(what, o, "slices")}
	if u.Profile != "" && u.Platform != "" {
		what += ", " + Plain(u.ID())
	}
	r.published(what, o, &u)
	if len(u.Slices) == 0 {
		r.addf("%s: has no slices; nothing is in it", what)
	}
	seen := map[string]bool{}
	for _, platform := range u.Slices {
		x, ok := units[u.Profile+"\x00"+platform]
		switch {
		case seen[platform]:
			r.addf("%s: has the slice %s twice", what, Plain(platform))
		case !ok:
			r.addf("%s: the plan has no unit of its slice %s", what, Plain(platform))
		case x.Mode.Library() || x.Packed || !slices.EqualFunc(x.Mains, u.Mains, func(a, b Main) bool { return a.Package == b.Package && a.Binary == b.Binary }):
			r.addf("%s: the unit of its slice %s links other programs", what, Plain(platform))
		}
		seen[platform] = true
	}
	return u
}

// published reads what decides how that is called which is published of programs.
func (r *planReader) published(what string, o map[string]json.RawMessage, u *UnitShape) {
	u.Archives = r.archives(what, o)
	u.Wrap = r.optional(what, o, "wrap")
	mains := r.list(what, o, "mains")
	if len(mains) == 0 {
		r.addf("%s: has no main packages; nothing is built by it", what)
	}
	packages := map[string]bool{}
	named := len(u.Archives) == 0 && len(mains) > 0 && !u.Replaced // each of them by itself
	for i, raw := range mains {
		what := fmt.Sprintf("%s: main %d", what, i+1)
		o := r.object(what, raw)
		m := Main{
			Package: r.text(what, o, "package"), Binary: r.text(what, o, "binary"),
			Path: r.optional(what, o, "path"), Name: r.optional(what, o, "name"),
		}
		named = named && m.Name != ""
		if packages[m.Package] {
			r.addf("%s: %s is there twice", what, Plain(m.Package))
		}
		packages[m.Package] = true
		u.Mains = append(u.Mains, m)
	}
	switch raw := o["name"]; {
	case u.Replaced && string(raw) == `""`: // nothing is called so
	case !named || string(raw) != `""`:
		u.Name = r.text(what, o, "name")
	}
	if _, ok := o["files"]; ok {
		for _, name := range r.texts(what, o, "files") {
			u.Files = append(u.Files, File{Src: name, Dst: name})
		}
	}
	for i, raw := range r.list(what, o, "placed_files") {
		what := fmt.Sprintf("%s: placed file %d", what, i+1)
		o := r.object(what, raw)
		u.Files = append(u.Files, File{Src: r.text(what, o, "src"), Dst: r.text(what, o, "dst"), Mode: r.optional(what, o, "mode")})
	}
	if raw, ok := o["packages"]; ok {
		u.Packages = r.packages(what+": packages", raw)
	}
}

// packages are what decides which packages a unit has, how they are called and what is
// in them.
func (r *planReader) packages(what string, raw json.RawMessage) *Packages {
	o := r.object(what, raw)
	p := &Packages{
		Formats: r.texts(what, o, "formats"), Name: r.text(what, o, "name"), Version: r.text(what, o, "version"), Release: r.text(what, o, "release"),
		Bin: r.text(what, o, "bindir"),
	}
	for i, f := range p.Formats {
		if !slices.Contains(PackageFormats(), f) || slices.Contains(p.Formats[:i], f) {
			r.addf("%s: the format %s is there twice, or none", what, Plain(f))
		}
	}
	if len(p.Formats) == 0 {
		r.addf("%s: has no formats; it has some or is not there", what)
	}
	for i, raw := range r.list(what, o, "contents") {
		what := fmt.Sprintf("%s: content %d", what, i+1)
		o := r.object(what, raw)
		c := PackageContent{Type: ContentType(r.optional(what, o, "type")), Src: r.optional(what, o, "src"), Dst: r.text(what, o, "dst"), Mode: r.optional(what, o, "mode")}
		if c.Type != ContentFile && !slices.Contains(ContentTypes(), string(c.Type)) {
			r.addf("%s: the type %s", what, Plain(string(c.Type)))
		}
		p.Contents = append(p.Contents, c)
	}
	return p
}

// archives are the formats of a unit's archives, none if it has no archive.
func (r *planReader) archives(what string, o map[string]json.RawMessage) (formats []string) {
	first := r.text(what, o, "archive")
	if first != NoArchive {
		formats = append(formats, first)
	}
	if _, ok := o["more_archives"]; !ok {
		return formats
	}
	if first == NoArchive {
		r.addf("%s: more_archives of no archive", what)
	}
	return append(formats, r.texts(what, o, "more_archives")...)
}

// mode reads the build mode off the unit's flags. Who has none writes null.
func (r *planReader) mode(what string, o map[string]json.RawMessage) BuildMode {
	if raw, ok := o["flags"]; !ok || string(raw) == "null" {
		return ""
	}
	flags := r.texts(what, o, "flags")
	modes := 0
	for _, f := range flags {
		if ModeOf([]string{f}) != "" {
			modes++
		}
	}
	if modes > 1 {
		r.addf("%s: flags have %d build modes; a unit has one", what, modes)
	}
	return ModeOf(flags)
}

// object reads an object, whose keys must be different from each other. It
// returns nil when it has noted that it is none.
func (r *planReader) object(what string, data []byte) map[string]json.RawMessage {
	dec := json.NewDecoder(bytes.NewReader(data))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		r.addf("%s: is not a JSON object", what)
		return nil
	}
	o := map[string]json.RawMessage{}
	for dec.More() {
		var raw json.RawMessage
		tok, err := dec.Token()
		if err == nil {
			err = dec.Decode(&raw)
		}
		key, ok := tok.(string)
		if err != nil || !ok {
			r.addf("%s: is not JSON", what)
			return nil
		}
		if _, twice := o[key]; twice {
			r.addf("%s: has the key %q twice", what, key)
		}
		o[key] = raw
	}
	if _, err := dec.Token(); err != nil {
		r.addf("%s: is not JSON", what)
		return nil
	}
	if _, err := dec.Token(); err != io.EOF {
		r.addf("%s: has something after its end", what)
		return nil
	}
	return o
}

// text reads a string that must be there. A nil object was noted before.
func (r *planReader) text(what string, o map[string]json.RawMessage, key string) string {
	if o == nil {
		return ""
	}
	raw, ok := o[key]
	if !ok {
		r.addf("%s: has no %s", what, key)
		return ""
	}
	s, err := text(raw)
	if err == nil && s == "" {
		err = errors.New("is empty")
	}
	if err != nil {
		r.addf("%s: %s %w", what, key, err)
	}
	return s
}

func (r *planReader) optional(what string, o map[string]json.RawMessage, key string) string {
	if _, ok := o[key]; !ok {
		return ""
	}
	return r.text(what, o, key)
}

// list reads an array. One that is not there is empty, as null is not.
func (r *planReader) list(what string, o map[string]json.RawMessage, key string) []json.RawMessage {
	raw, ok := o[key]
	if !ok {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || list == nil {
		r.addf("%s: %s is %s, not a list", what, key, short(raw))
	}
	return list
}

func (r *planReader) texts(what string, o map[string]json.RawMessage, key string) []string {
	var out []string
	for i, raw := range r.list(what, o, key) {
		s, err := text(raw)
		if err != nil {
			r.addf("%s: %s: element %d %w", what, key, i+1, err)
		}
		out = append(out, s)
	}
	return out
}

// text is a JSON string; null is none, though encoding/json takes it for one.
func text(raw json.RawMessage) (string, error) {
	var s *string
	if json.Unmarshal(raw, &s) != nil || s == nil {
		return "", fmt.Errorf("is %s, not a text", short(raw))
	}
	return *s, nil
}

// short quotes the beginning of a value for an error.
func short(raw json.RawMessage) string {
	const most = 40
	if len(raw) > most {
		return fmt.Sprintf("%.40q…", raw)
	}
	return fmt.Sprintf("%q", []byte(raw))
}

// Plain is a name for an error: quoted if a terminal would do more than show it.
func Plain(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}
