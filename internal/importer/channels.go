package importer

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/channels"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// way is a section of GoReleaser's about a package manager, and the channel that it is
// here.
type way struct {
	sections []string // the key of the file, and what it was called before
	channel  fact.Channel
	// keys are its keys and what they are here, of two with one meaning the first that
	// is there.
	keys [][2]string
}

func ways() []way {
	common := [][2]string{{"name", "name"}, {"homepage", "homepage"}, {"license", "license"}, {"url_template", "url"}}
	and := func(more ...[2]string) [][2]string { return slices.Concat(common, more) }
	description := [2]string{"description", "description"}
	return []way{
		{[]string{"brews", "brew"}, fact.Homebrew, and(description, [2]string{"test", "test"})},
		{[]string{"homebrew_casks"}, fact.Cask, and(description)},
		{[]string{"scoops", "scoop"}, fact.Scoop, and(description)},
		{[]string{"winget"}, fact.Winget, slices.Concat([][2]string{{"package_identifier", "name"}}, and([2]string{"publisher", "publisher"}, [2]string{"short_description", "description"}, description))},
		{[]string{"aurs"}, fact.AUR, and(description, [2]string{"maintainers", "maintainers"})},
		{[]string{"krews"}, fact.Krew, and([2]string{"short_description", "description"}, description)},
		{[]string{"npms"}, fact.NPM, and(description, [2]string{"author", "publisher"})},
	}
}

// channels takes over what the file says of package managers, and what all of them say.
func (g *goreleaser) channels() {
	var list []pair
	for _, w := range ways() {
		for _, name := range w.sections {
			f := g.field(name)
			entries := elements(f.value)
			if f.there() && len(entries) == 0 {
				g.sayAll(f, Default, "none")
				continue
			}
			for i, e := range entries {
				one := field{f.name, f.key, e}
				if i > 0 || slices.ContainsFunc(list, func(p pair) bool { return p.key == "channels."+string(w.channel) }) {
					for _, x := range g.importer.fields(e) {
						g.sayAll(x, Cannot, "one %s of a release is made, and that is the first", w.channel)
					}
					continue
				}
				list = append(list, g.channel(w, one))
			}
		}
	}
	if len(list) == 0 {
		return
	}
	at, from := g.downloads()
	if at != "" {
		g.draft.top = append(g.draft.top, pair{"channels.url", value{text: quote(at), from: []any{from}}})
	}
	for _, x := range g.importer.fields(g.field("metadata").value) {
		switch x.name {
		case "description", "homepage", "license":
			if tr, err := g.ofProject(text(x.value)); err == nil && tr.text != "" && !strings.Contains(tr.text, "{{") {
				g.draft.top = append(g.draft.top, pair{"channels." + x.name, value{text: quote(tr.text), from: []any{x.key}}})
				g.keep(x.key, tr.changes, "channels.%s", x.name)
			}
		case "maintainers":
			if list := texts(x.value); len(list) > 0 {
				g.draft.top = append(g.draft.top, pair{"channels.maintainers", value{list: quoted(list), from: []any{x.key}}})
				g.say(x.key, Kept, "channels.maintainers")
			}
		}
	}
	g.draft.top = append(g.draft.top, list...)
}

// ofProject is a text of the whole release, with the project's name written out.
func (g *goreleaser) ofProject(src string) (translation, error) {
	tr, err := g.translate(src, []target{{"linux", "amd64", ""}}, g.scope())
	tr.text = strings.ReplaceAll(tr.text, "{{.Project}}", g.name)
	return tr, err
}

// inMetadata reports whether a key of metadata is one of channels.
func (g *goreleaser) inMetadata(name string) bool {
	return slices.ContainsFunc(g.draft.top, func(p pair) bool { return p.key == "channels."+name })
}

// downloads is where the files of a release are, and the key that says it.
func (g *goreleaser) downloads() (at string, from any) {
	switch forge, repo, key := g.repository(); forge {
	case "github":
		return "https://github.com/" + repo + "/releases/download/{{.Tag}}", key
	case "gitlab":
		return "https://gitlab.com/" + repo + "/-/releases/{{.Tag}}/downloads", key
	}
	if parts := strings.Split(g.Module, "/"); len(parts) > 2 && parts[0] == "github.com" {
		at := fmt.Sprintf("https://github.com/%s/%s/releases/download/{{.Tag}}", parts[1], parts[2])
		g.unwritten("release.github", Kept, "channels.url: %s, of the module's path; change it if the repository is another", at)
		return at, nil
	}
	return "", nil
}

// channel is one section as a channel.
func (g *goreleaser) channel(w way, f field) pair {
	in := g.importer.fields(f.value)
	v := value{from: []any{f.key}, of: f}
	set := map[string]bool{}
	var parts []string
	add := func(key, text string) {
		set[key] = true
		parts = append(parts, key+": "+text)
	}
	for _, k := range w.keys {
		x := fieldOf(in, k[0])
		if !x.there() {
			continue
		}
		v.from = append(v.from, x.key)
		what := "channels." + string(w.channel) + "." + k[1]
		if set[k[1]] {
			g.sayAll(x, Changed, "%s is what the other key says", what)
			continue
		}
		switch k[1] {
		case "maintainers":
			add(k[1], "["+strings.Join(quoted(texts(x.value)), ", ")+"]")
			g.say(x.key, Kept, "%s", what)
			continue
		case "test":
			if args := testArguments(text(x.value)); len(args) > 0 {
				add(k[1], "["+strings.Join(quoted(args), ", ")+"]")
				g.say(x.key, Kept, "%s", what)
			} else {
				g.say(x.key, Cannot, "a test is a run of the program; write test: [ARGUMENTS]")
			}
			continue
		}
		src, named := text(x.value), true
		if k[1] == "url" {
			src, named = cutArtifact(src)
		}
		tr, err := g.ofProject(src)
		if err == nil && !named {
			err = errors.New("it does not end in /{{ .ArtifactName }}")
		}
		said := tr.text
		switch {
		case err != nil:
			g.say(x.key, Cannot, "%v", err)
			continue
		case said == "":
			g.say(x.key, Default, "none")
			continue
		case k[1] != "url" && strings.Contains(said, "{{"):
			g.say(x.key, Cannot, "it is one text for all versions; write it out in %s", what)
			continue
		case w.channel == fact.Winget && k[0] == "name":
			said = publisherOf(g, in) + "." + said
		case w.channel == fact.AUR && k[0] == "name" && !strings.HasSuffix(said, "-bin"):
			said += "-bin" // as GoReleaser does
		}
		add(k[1], quote(said))
		g.keep(x.key, tr.changes, "%s", what)
	}
	if w.channel == fact.Winget && !set["name"] {
		add("name", quote(publisherOf(g, in)+"."+g.name))
	}
	for _, x := range in {
		if !slices.ContainsFunc(w.keys, func(k [2]string) bool { return k[0] == x.name }) {
			g.aboutChannel(w, x)
		}
	}
	v.text = "{" + strings.Join(parts, ", ") + "}"
	return pair{"channels." + string(w.channel), v}
}

var artifactName = regexp.MustCompile(`/{{-?\s*\.ArtifactName\s*-?}}$`)

// cutArtifact is a URL without the name of the file at its end, if there is one.
func cutArtifact(at string) (string, bool) {
	return artifactName.ReplaceAllLiteralString(at, ""), artifactName.MatchString(at)
}

// publisherOf is the publisher that a section names, without spaces.
func publisherOf(g *goreleaser, in []field) string {
	tr, err := g.ofProject(text(fieldOf(in, "publisher").value))
	if err != nil {
		return ""
	}
	return strings.ReplaceAll(tr.text, " ", "")
}

var (
	plainTest    = regexp.MustCompile(`^system\s+"#\{bin\}/[\w.-]+((?:\s+[\w./=:-]+)*)"((?:\s*,\s*"[^"\\#]*")*)$`)
	quotedText   = regexp.MustCompile(`"([^"]*)"`)
	plainInstall = regexp.MustCompile(`^(\s*bin\.install\s+"[\w.-]+"\s*;?\s*)*$`)
)

// testArguments are those of the program in a test of a formula that does nothing else
// but run it.
func testArguments(ruby string) (args []string) {
	m := plainTest.FindStringSubmatch(strings.TrimSpace(ruby))
	if m == nil {
		return nil
	}
	args = strings.Fields(m[1])
	for _, q := range quotedText.FindAllStringSubmatch(m[2], -1) {
		args = append(args, q[1])
	}
	return args
}

// aboutChannel says what became of a key that no channel has.
func (g *goreleaser) aboutChannel(w way, x field) {
	file := "dist/NAME" + w.channel.Suffixes()[0]
	switch x.name {
	case "repository", "tap", "bucket", "index", "commit_author", "commit_msg_template", "directory", "git_url", "git_ssh_command", "private_key", "skip_upload", "access", "tag":
		g.sayAll(x, Cannot, "nothing is sent to anybody: a workflow puts %s where it belongs", file)
	case "ids", "goarm", "goamd64", "format":
		g.sayAll(x, Changed, "which file it is follows from what the channel can unpack; where several could be meant, profile and platforms of the channel say which")
	case "install", "package":
		if plainInstall.MatchString(text(x.value)) {
			g.sayAll(x, Default, "all programs of the archive are installed")
			return
		}
		g.sayAll(x, Cannot, "the programs of the archive are installed, and nothing else")
	default:
		g.sayAll(x, Cannot, "%s has nothing of it", path.Base(file))
	}
}

// unfit says why channels of a profile file that loads would have no file, and which of
// its keys are to be left out.
func (im *importer) unfit(f *profiles.File) (left []slot) {
	whole := len(f.Channels) > 0
	for i := range f.Channels {
		c := &f.Channels[i]
		var why []string
		for _, e := range fault.Leaves(channels.Check(c, f.Project)) {
			why = append(why, strings.TrimPrefix(e.Error(), "channels."+string(c.Channel)+": ")+"; "+fault.Hint(e))
		}
		if len(why) == 0 {
			whole = false
			continue
		}
		s := slot{"", "channels." + string(c.Channel)}
		left = append(left, s)
		im.noChannel(s, "no file is made for it: "+strings.Join(why, ". "))
	}
	if whole { // what is said for all is for none
		for _, t := range im.draft.top {
			if s := (slot{"", t.key}); strings.HasPrefix(t.key, "channels.") && !slices.Contains(left, s) {
				left = append(left, s)
				why := "no file is made for it: there is no channel that it is for"
				if t.key == "channels.url" {
					why = "there is no channel with addresses of the release's files; publish says where it goes"
				}
				im.noChannel(s, why)
			}
		}
	}
	return left
}

func (im *importer) noChannel(s slot, why string) {
	for _, t := range im.draft.top {
		if t.key != s.key {
			continue
		}
		for _, k := range t.value.from {
			delete(im.said, k) // what was kept of it
			im.say(k, Cannot, "%s", why)
		}
		if t.value.of.there() {
			for _, k := range t.value.from {
				delete(im.said, k)
			}
			im.sayAll(t.value.of, Cannot, "%s", why)
		}
	}
}
