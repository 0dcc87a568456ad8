package profiles

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"go.yaml.in/yaml/v4"
)

// Generate is one element of the top-level key `generate`: a command that makes
// files of the commit's before anything is compiled.
type Generate struct {
	// Command is the program and its arguments. The program is a name on PATH, or a
	// path in the module's directory that has a slash. All of it may be templates.
	Command []string
	// Inputs are globs of what the files are made of, and Outputs of the files that
	// the command makes, both relative to the module's directory.
	Inputs, Outputs []string
	// Env are further variables of the command; their values may be templates.
	Env map[string]string
	// Fetch are files that the command needs and the commit does not have.
	Fetch []Fetch
}

// Fetch is a file that is fetched before a command runs.
type Fetch struct {
	URL    string `json:"url"`    // http or https; who serves it need not be believed
	SHA256 string `json:"sha256"` // of the file, lower-case hex
	// Path is where the command finds it, relative to the module's directory. It is
	// there while the command runs, and is no output.
	Path string `json:"path"`
	Mode string `json:"mode,omitempty"` // "0755" for a program; "" is 0644
}

// Limits of what `generate` may say.
const (
	MaxGenerate = 100 // commands
	maxFetch    = 100 // files of one command
)

const generateHint = "write generate: [{command: [go, generate, ./...], outputs: [\"**/*_gen.go\"]}]"

// platformField is a field of templates that only a unit has.
var platformField = regexp.MustCompile(`\{\{[^}]*\.(Profile|OS|Arch|Variant|Binary|Name)\b`)

// Expand is the command with its templates replaced by what vars and the file say.
// It sees nothing of a profile or a platform: it runs once for all of them.
func (g *Generate) Expand(f *File, vars Vars) (Generate, error) {
	vars.Project, vars.Env = f.Project, nil
	out := *g
	out.Command, out.Env = nil, map[string]string{}
	var errs []error
	expand := func(text string) string {
		s, err := expandText(text, &vars)
		errs = append(errs, err)
		return s
	}
	for _, word := range g.Command {
		out.Command = append(out.Command, expand(word))
	}
	for _, name := range slices.Sorted(maps.Keys(g.Env)) {
		out.Env[name] = expand(g.Env[name])
	}
	return out, errors.Join(errs...)
}

// Variables are those of Env as NAME=VALUE, sorted.
func (g *Generate) Variables() (env []string) {
	for _, name := range slices.Sorted(maps.Keys(g.Env)) {
		env = append(env, name+"="+g.Env[name])
	}
	return env
}

// CheckGenerate reports what the reader of a file would refuse in an expanded command.
func CheckGenerate(command, inputs, outputs, env []string, fetch []Fetch) error {
	var errs []error
	if len(command) == 0 {
		errs = append(errs, errors.New("no command"))
	} else {
		errs = append(errs, checkProgram(command[0]))
	}
	for _, word := range command {
		errs = append(errs, checkEnvValue(word))
	}
	if len(outputs) == 0 {
		errs = append(errs, errors.New("no outputs"))
	}
	if len(fetch) > maxFetch {
		return fmt.Errorf("%d files to fetch, more than %d", len(fetch), maxFetch)
	}
	for _, s := range inputs {
		errs = append(errs, checkGlob("inputs", s))
	}
	for _, s := range outputs {
		errs = append(errs, checkOutput(s))
	}
	errs = append(errs, CheckEnv(env))
	for _, f := range fetch {
		errs = append(errs, checkURL(f.URL), checkFetchDigest(f.SHA256), checkInCommit("path", f.Path))
		if f.Mode != "" && f.Mode != "0755" {
			errs = append(errs, fmt.Errorf("the mode %.20q of what is fetched is not 0755, nor left out", f.Mode))
		}
	}
	return errors.Join(errs...)
}

func checkProgram(s string) error {
	const hint = "name a program that is on PATH, such as go, or a file of the commit, such as ./generate.sh"
	switch {
	case s == "":
		return fault.Errorf(hint, "the command has no program")
	case strings.ContainsAny(s, " \t") && !strings.Contains(s, "/"):
		return fault.Errorf("write one word per element, such as "+listYAML(strings.Fields(s))+"; no shell reads it", "the program %q has spaces", s)
	case strings.Contains(s, "/"):
		return checkInCommit("the program", s)
	}
	return checkEnvValue(s)
}

// checkGlob checks a pattern of files of the module, as [files.Match] understands it.
func checkGlob(what, s string) error {
	if err := checkInCommit(what, s); err != nil {
		return err
	}
	if _, err := path.Match(s, ""); err != nil {
		return fault.Errorf("* and ? stand for characters of a name, [a-z] for one of a range", "bad glob %q", s)
	}
	for _, e := range strings.Split(s, "/") {
		if e != "**" && strings.Contains(e, "**") {
			return fault.Errorf("write * for characters of one name, or ** alone between slashes, as in **/*.md", "glob %q: ** stands for directories, and %s is one name", s, e)
		}
	}
	return nil
}

func checkOutput(s string) error {
	if err := checkGlob("outputs", s); err != nil {
		return err
	}
	switch first, _, _ := strings.Cut(path.Clean(s), "/"); {
	case first == ".git":
		return fault.Errorf("name the files that the command makes", "outputs %q is git's", s)
	case strings.HasSuffix(s, "/"):
		return fault.Errorf("write "+s+"** for all that is below it", "outputs %q is a directory", s)
	case path.Clean(s) != s:
		return fault.Errorf("write "+path.Clean(s), "outputs %q is not in its shortest form", s)
	case s == "**":
		return fault.Errorf("name the directory or the ending, such as web/dist/** or **/*_gen.go", "outputs %q is every file of the module: then nothing is written where it should not be", s)
	}
	return nil
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	const hint = "write the whole address, such as https://example.com/tool-1.2.3.tar.gz"
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return fault.Errorf(hint, "url %.200q is no http or https address", s)
	case u.User != nil:
		return fault.Errorf("the file is published with its address; name one that needs no password", "the url holds a user or a password")
	}
	return checkEnvValue(s)
}

func checkFetchDigest(s string) error {
	if !digestForm.MatchString(s) {
		return fault.Errorf("sha256sum prints it", "sha256 wants 64 lower-case hexadecimal digits, not %.80q", s)
	}
	return nil
}

// generate decodes the commands that make files before anything is compiled.
func (d *decoder) generate(n *yaml.Node) {
	if n.Kind != yaml.SequenceNode || !d.plainTag(n, "!!seq") {
		d.errorAt(d.pos(n), generateHint, "generate wants a list of commands, not %s", describeNode(n))
		return
	}
	if len(n.Content) > MaxGenerate {
		d.errorAt(d.pos(n), "", "generate has more than %d commands", MaxGenerate)
		return
	}
	for i, item := range n.Content {
		item = d.follow(item)
		d.file.positions[fmt.Sprintf("generate[%d]", i)] = d.pos(item)
		d.file.Generate = append(d.file.Generate, d.generateCommand(i, item))
	}
}

func (d *decoder) generateCommand(i int, n *yaml.Node) (g Generate) {
	entries, ok := d.mapEntries(n, "an element of generate", generateHint)
	if !ok {
		return g
	}
	has := map[string]bool{}
	for _, e := range entries {
		has[e.name] = true
		at := fmt.Sprintf("generate[%d].%s", i, e.name)
		d.file.positions[at] = d.pos(e.value)
		switch e.name {
		case "command":
			g.Command = d.command(e.value)
		case "inputs":
			g.Inputs = d.checked(e.value, "generate.inputs", at, func(s string) error { return checkGlob("inputs", s) })
		case "outputs":
			g.Outputs = d.checked(e.value, "generate.outputs", at, checkOutput)
			if e.value.Kind == yaml.SequenceNode && len(e.value.Content) == 0 {
				d.errorAt(d.pos(e.value), "name the files that the command makes", "outputs is empty: nothing of the command would be kept")
			}
		case "env":
			g.Env = d.generateEnv(e.value)
		case "fetch":
			g.Fetch = d.fetches(e.value, at)
		default:
			has[d.unknownKey(e, "generate", find(topKeys(), "generate").sub, nil)] = true
		}
	}
	for name, hint := range map[string]string{
		"command": "write command: [go, generate, ./...]", "outputs": "write outputs: [GLOB], the files that the command makes",
	} {
		if !has[name] {
			d.errorAt(d.pos(n), hint, "an element of generate wants the key %s", name)
		}
	}
	return g
}

// checked decodes a list of texts that each have to pass a check.
func (d *decoder) checked(n *yaml.Node, what, at string, check func(string) error) (good []string) {
	list, nodes, _ := d.texts(n, what, "")
	for i, s := range list {
		d.file.positions[fmt.Sprintf("%s[%d]", at, i)] = d.pos(nodes[i])
		if err := check(s); err != nil {
			d.err(d.pos(nodes[i]), err)
			continue
		}
		good = append(good, s)
	}
	return good
}

func (d *decoder) command(n *yaml.Node) []string {
	hint := ""
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		hint = "write " + listYAML(strings.Fields(n.Value)) + "; no shell reads it"
	}
	list, nodes, ok := d.texts(n, "generate.command", hint)
	if ok && len(list) == 0 {
		d.errorAt(d.pos(n), "write command: [go, generate, ./...]", "the command is empty")
	}
	for i, s := range list {
		if i == 0 {
			if err := checkProgram(s); err != nil {
				d.err(d.pos(nodes[i]), err)
				continue
			}
		}
		if err := checkEnvValue(s); err != nil {
			d.err(d.pos(nodes[i]), err)
		}
		d.fileTemplate(nodes[i], s)
	}
	return list
}

// fileTemplate reports what is wrong with a template that is about no platform.
func (d *decoder) fileTemplate(n *yaml.Node, text string) {
	_, faults := parseTemplate(text, templateScope{})
	for _, f := range faults {
		d.errorAt(d.inside(n, f.offset), f.hint, "%s", f.msg)
	}
	if m := platformField.FindStringSubmatchIndex(text); m != nil && len(faults) == 0 {
		d.errorAt(d.inside(n, m[2]-1), "leave it out: what differs from platform to platform is for build tags and overrides", "a command runs once for all platforms, and knows no .%s", text[m[2]:m[3]])
	}
}

func (d *decoder) generateEnv(n *yaml.Node) map[string]string {
	env := map[string]string{}
	entries, _ := d.mapEntries(n, "generate.env", "write env: {NAME: VALUE}")
	for _, e := range entries {
		s, ok := d.text(e.value, "generate.env."+e.name)
		if !ok || !d.checkEntryName(key{name: "env"}, e) {
			continue
		}
		if err := checkEnvValue(s); err != nil {
			d.err(d.pos(e.value), err)
		}
		d.fileTemplate(e.value, s)
		env[e.name] = s
	}
	return env
}

func (d *decoder) fetches(n *yaml.Node, at string) (list []Fetch) {
	const hint = "write fetch: [{url: https://…, sha256: …, path: tools/name.tar.gz}]"
	if n.Kind != yaml.SequenceNode || !d.plainTag(n, "!!seq") {
		d.errorAt(d.pos(n), hint, "generate.fetch wants a list, not %s", describeNode(n))
		return nil
	}
	if len(n.Content) > maxFetch {
		d.errorAt(d.pos(n), "", "generate.fetch has more than %d elements", maxFetch)
		return nil
	}
	for i, item := range n.Content {
		item = d.follow(item)
		d.file.positions[fmt.Sprintf("%s[%d]", at, i)] = d.pos(item)
		entries, ok := d.mapEntries(item, "an element of generate.fetch", hint)
		if !ok {
			continue
		}
		list = append(list, d.fetch(item, entries))
	}
	return list
}

// fetchKeys are the keys of an element of generate.fetch.
func fetchKeys() []key {
	return []key{
		{name: "generate.fetch.url", kind: kindText, doc: "Address of a file, http or https."},
		{name: "generate.fetch.sha256", kind: kindText, doc: "SHA-256 of the file, lower-case hex."},
		{name: "generate.fetch.path", kind: kindText, doc: "Where the command finds it, relative to the module's directory."},
		{name: "generate.fetch.mode", kind: kindText, enum: []string{"0644", "0755"}, def: "0644", doc: "0755 makes it executable."},
	}
}

func (d *decoder) fetch(n *yaml.Node, entries []entry) (f Fetch) {
	has := map[string]bool{}
	for _, e := range entries {
		has[e.name] = true
		var into *string
		check := func(string) error { return nil }
		switch e.name {
		case "url":
			into, check = &f.URL, checkURL
		case "sha256":
			into, check = &f.SHA256, checkFetchDigest
		case "path":
			into, check = &f.Path, func(s string) error { return checkInCommit("path", s) }
		case "mode":
			into = &f.Mode
		default:
			has[d.unknownKey(e, "generate.fetch", fetchKeys(), nil)] = true
			continue
		}
		s, ok := d.text(e.value, "generate.fetch."+e.name)
		if !ok || e.name == "mode" && !d.enum(d.pos(e.value), "generate.fetch.mode", s, find(fetchKeys(), "generate.fetch.mode").enum) {
			continue
		}
		if err := check(s); err != nil {
			d.err(d.pos(e.value), err)
		}
		*into = s
	}
	if f.Mode == "0644" {
		f.Mode = "" // the default has one spelling in a plan
	}
	for _, name := range []string{"url", "sha256", "path"} {
		if !has[name] {
			d.errorAt(d.pos(n), "write fetch: [{url: https://…, sha256: …, path: tools/name.tar.gz}]", "an element of generate.fetch wants the key %s", name)
		}
	}
	return f
}
