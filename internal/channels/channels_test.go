package channels

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

var update = flag.Bool("update", false, "write testdata anew")

// unit is of one program with a licence in its archives.
func unit(platform, name string, formats ...string) fact.UnitShape {
	u := fact.UnitShape{
		Profile: "release", Platform: platform, Name: name, Archives: formats,
		Mains: []fact.Main{{Package: "example.com/tool", Binary: "tool"}}, Files: []fact.File{{Src: "LICENSE", Dst: "LICENSE"}},
	}
	if len(formats) == 0 {
		u.Files = nil
	}
	return u
}

func digest(u fact.UnitShape, a fact.Expected) string {
	sum := sha256.Sum256([]byte(u.Platform + " " + a.Name))
	return hex.EncodeToString(sum[:])
}

func release(units ...fact.UnitShape) *Release {
	return &Release{Project: "tool", Version: "1.2.3", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Offers: Offers(units, digest)}
}

// usual is a release for the platforms that most projects have.
func usual() *Release {
	var units []fact.UnitShape
	for _, p := range []string{"darwin/amd64", "darwin/arm64", "linux/amd64", "linux/arm64", "linux/arm/6", "linux/amd64/v3"} {
		units = append(units, unit(p, "tool_1.2.3_"+strings.ReplaceAll(p, "/", "_"), fact.TarGz))
	}
	for _, p := range []string{"windows/amd64", "windows/arm64"} {
		units = append(units, unit(p, "tool_1.2.3_"+strings.ReplaceAll(p, "/", "_"), fact.TarGz, fact.Zip))
	}
	return release(units...)
}

// load is the channels of a profile file with these lines in channels.
func load(t *testing.T, lines string) []profiles.Channel {
	t.Helper()
	f, err := profiles.Load("m.yaml", []byte("version: 1\nproject: tool\nchannels:\n"+lines+"profiles: {release: {platforms: [linux/amd64]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.ChannelsOf(profiles.Vars{Version: "1.2.3", Tag: "v1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

const all = `
  description: Greets the world
  homepage: https://example.com/tool
  license: MIT
  url: https://github.com/acme/tool/releases/download/{{.Tag}}
  publisher: Acme
  maintainers: [Jo Doe <jo at example.com>]
  homebrew: {test: [--version]}
  cask: {}
  scoop: {}
  winget: {name: Acme.Tool}
  aur: {}
  krew: {}
  npm: {name: "@acme/tool"}
`

// made are the files that are one text each.
func made(t *testing.T, list []profiles.Channel, r *Release) map[string][]byte {
	t.Helper()
	files, err := Files(list, r)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		out[f.Name] = f.Text // nil for archives
	}
	return out
}

// packed is a file that is an archive.
func packed(t *testing.T, f File, dir string, r *Release) ([]byte, error) {
	t.Helper()
	members, err := f.Members(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_, err = archive.Write(t.Context(), &b, f.Format, members, r.Time)
	return b.Bytes(), err
}

// TestFiles: what each channel has of a release is what testdata has.
func TestFiles(t *testing.T) {
	files := made(t, load(t, all), usual())
	var names []string
	for name, data := range files {
		names = append(names, name)
		if data == nil {
			continue
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(data, want) {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
		wellFormed(t, name, data)
	}
	slices.Sort(names)
	want := []string{
		"Acme.Tool.winget.installer.yaml", "Acme.Tool.winget.locale.en-US.yaml", "Acme.Tool.winget.yaml",
		"acme-tool-darwin-arm64.npm.tgz", "acme-tool-darwin-x64.npm.tgz", "acme-tool-linux-arm.npm.tgz", "acme-tool-linux-arm64.npm.tgz", "acme-tool-linux-x64.npm.tgz",
		"acme-tool-win32-arm64.npm.tgz", "acme-tool-win32-x64.npm.tgz", "acme-tool.npm.tgz",
		"tool-bin.aur.PKGBUILD", "tool-bin.aur.SRCINFO", "tool.cask.rb", "tool.homebrew.rb", "tool.krew.yaml", "tool.scoop.json",
	}
	if !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
	for _, c := range fact.Channels() {
		for _, s := range c.Suffixes() {
			if !slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, s) && fact.KindOf(n) == fact.ChannelFile }) {
				t.Errorf("no file ends in %s", s)
			}
		}
	}
}

// wellFormed reads a file as those do who get it, as far as they are here.
func wellFormed(t *testing.T, name string, data []byte) (value any) {
	t.Helper()
	var err error
	var tool, arg string
	switch ext := filepath.Ext(name); ext {
	case ".json":
		err = json.Unmarshal(data, &value)
	case ".yaml":
		err = yaml.Unmarshal(data, &value)
	case ".rb":
		tool, arg = "ruby", "-c"
	case ".PKGBUILD":
		tool, arg = "bash", "-n"
	}
	if tool != "" {
		if _, missing := exec.LookPath(tool); missing != nil {
			t.Logf("%s: not read by %s, which is not here", name, tool)
			return nil
		}
		cmd := exec.Command(tool, arg)
		cmd.Stdin = bytes.NewReader(data)
		var out []byte
		if out, err = cmd.CombinedOutput(); err != nil {
			err = errors.New(string(out))
		}
	}
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, data)
	}
	return value
}

// TestHostile: a text that would end its quotes, or begin something, in one of the
// formats is that text in all of them.
func TestHostile(t *testing.T) {
	const text = "a\"b'c`id`$(id)#{1+1}#$x #@y \\ \\n %w: [x] & {{.Name}} </script> é ü\u2026"
	list := load(t, all)
	for i := range list {
		list[i].Description, list[i].Publisher = text, text
		list[i].Maintainers = []string{text}
		list[i].Homepage = "https://example.com/a'b$(id)"
		if list[i].Channel == fact.Homebrew {
			list[i].Test = []string{text}
		}
	}
	files := made(t, list, usual())
	for name, data := range files {
		if data == nil {
			continue
		}
		value := wellFormed(t, name, data)
		switch filepath.Ext(name) {
		case ".json", ".yaml":
			if name != "Acme.Tool.winget.yaml" && name != "Acme.Tool.winget.installer.yaml" && !has(value, text) {
				t.Errorf("%s does not say the text:\n%s", name, data)
			}
		case ".SRCINFO":
			if !bytes.Contains(data, []byte("\tpkgdesc = "+text+"\n")) {
				t.Errorf("%s:\n%s", name, data)
			}
		}
	}
	if bash, err := exec.LookPath("bash"); err == nil {
		cmd := exec.Command(bash, "-c", `. /dev/stdin && printf %s "$pkgdesc"`)
		cmd.Stdin = bytes.NewReader(files["tool-bin.aur.PKGBUILD"])
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != text {
			t.Errorf("bash reads %q, %v", out, err)
		}
	}
	for name, want := range map[string][][]string{
		"tool.homebrew.rb": {
			{"desc", text}, {"homepage", "https://example.com/a'b$(id)"}, {"license", "MIT"}, {"on_macos"}, {"on_arm"}, {"system", "BIN/tool", text},
			{"url", "https://github.com/acme/tool/releases/download/v1.2.3/tool_1.2.3_darwin_arm64.tar.gz"}, {"install", "tool"},
		},
		"tool.cask.rb": {{"cask", "tool"}, {"desc", text}, {"on_linux"}, {"binary", "tool"}},
	} {
		said := evaluated(t, files[name])
		for _, w := range want {
			if said != nil && !slices.ContainsFunc(said, func(call []string) bool { return slices.Equal(call, w) }) {
				t.Errorf("%s does not say %q: %q", name, w, said)
			}
		}
	}
}

// evaluated are the calls with their texts that Ruby makes of a formula or a cask; nil
// where there is no Ruby.
func evaluated(t *testing.T, data []byte) (calls [][]string) {
	t.Helper()
	ruby, err := exec.LookPath("ruby")
	if err != nil {
		t.Log("not evaluated: ruby is not here")
		return nil
	}
	const homebrew = `
		require "json"
		$said = []
		module Any
			def method_missing(name, *args, &block)
				$said << [name, *args.map(&:to_s)]
				instance_eval(&block) if block
			end
			def respond_to_missing?(*) = true
			def bin = Bin.new
			def system(*args) = $said << ["system", *args.map(&:to_s)]
			def test(&block) = instance_eval(&block)
		end
		class Bin
			def /(name) = "BIN/" + name
			def install(name) = $said << ["install", name]
		end
		class Formula
			extend Any
			include Any
			def self.inherited(c) = ($formula = c)
		end
		class Cask
			include Any
		end
		def cask(name, &block)
			$said << ["cask", name]
			Cask.new.instance_eval(&block)
		end
		eval(STDIN.read)
		$formula.new.install if $formula
		print $said.to_json`
	cmd := exec.Command(ruby, "-e", homebrew)
	cmd.Stdin = bytes.NewReader(data)
	cmd.Env = append(os.Environ(), "LANG=C.UTF-8")
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &calls)
	}
	if err != nil {
		t.Errorf("ruby: %v: %s\n%s", err, out, data)
	}
	return calls
}

// has reports whether a value has a text somewhere.
func has(value any, text string) bool {
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.String:
		return v.String() == text
	case reflect.Map:
		return slices.ContainsFunc(v.MapKeys(), func(k reflect.Value) bool { return has(v.MapIndex(k).Interface(), text) })
	case reflect.Slice:
		for i := range v.Len() {
			if has(v.Index(i).Interface(), text) {
				return true
			}
		}
	}
	return false
}

// TestQuote: what no text of a profile file has is written as that too, or refused.
func TestQuote(t *testing.T) {
	hostile := []string{"", "a\nb", "\x00", "\x7f\u0085\u2028\ufeff", "\xff", "\U000e0001", "# x", "#", "'", "\\", "-", "yes", "1.10", "\r\n"}
	for _, s := range hostile {
		want := strings.ToValidUTF8(s, "\ufffd")
		q, err := quoteYAML(s)
		var got string
		if err != nil || yaml.Unmarshal([]byte("a: "+q), &struct{ A *string }{&got}) != nil || got != want {
			t.Errorf("YAML: %q is %s, which is %q", s, q, got)
		}
		q, err = quoteJSON(s)
		if err != nil || json.Unmarshal([]byte(q), &got) != nil || got != want {
			t.Errorf("JSON: %q is %s, which is %q", s, q, got)
		}
		if q, _ := quoteRuby(s); strings.ContainsAny(q, "\n\r\x00\x7f\u0085\u2028") || len(q) < 2 {
			t.Errorf("Ruby: %q is %s", s, q)
		}
		if _, err := oneLine(s); (err == nil) != (s != "" && strings.Trim(s, "-#' \\x1.0yes") == "" || s == "") {
			t.Errorf("line: %q, %v", s, err)
		}
	}
	for in, want := range map[string]string{"tool": "Tool", "my-tool": "MyTool", "tool@1.2": "ToolAT12", "a+b": "Axb", "MyTool": "Mytool", "a_b.c": "ABC"} {
		if got, err := constant(in); got != want || err != nil {
			t.Errorf("class of %s: %s, %v", in, got, err)
		}
	}
	for in, want := range map[string]string{
		"MIT": `"MIT"`, "MIT OR Apache-2.0": `any_of: ["MIT", "Apache-2.0"]`, "MIT AND BSD-3-Clause": `all_of: ["MIT", "BSD-3-Clause"]`,
		"GPL-2.0-only WITH Classpath-exception-2.0": `"GPL-2.0-only" => { with: "Classpath-exception-2.0" }`, "(MIT OR ISC) AND Zlib": ":cannot_represent", "MIT OR ISC AND Zlib": ":cannot_represent",
	} {
		if got, err := rubyLicense(in); got != want || err != nil {
			t.Errorf("license %s: %s, %v", in, got, err)
		}
	}
}

// TestTemplates: no template of the directory is without a row, and each evaluates.
func TestTemplates(t *testing.T) {
	entries, err := templates.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	var used []string
	for _, c := range channels() {
		for _, f := range c.templates {
			used = append(used, f.name+".tmpl")
			if !slices.Contains(c.name.Suffixes(), "."+f.name) {
				t.Errorf("%s: package fact does not know files of that name", f.name)
			}
		}
	}
	used = append(used, "npm.package.json.tmpl", "npm.shim.js.tmpl")
	for _, e := range entries {
		if !slices.Contains(used, e.Name()) {
			t.Errorf("%s: no channel has it", e.Name())
		}
	}
	var names []fact.Channel
	for _, c := range channels() {
		names = append(names, c.name)
	}
	if !slices.Equal(names, fact.Channels()) {
		t.Errorf("%q", names)
	}
}

// TestWrong: what keeps a file from being made is said with the key that is wrong and what to
// do, and all of it.
func TestWrong(t *testing.T) {
	const basis = "  description: Greets\n  homepage: https://example.com\n  license: MIT\n  url: https://example.com/{{.Tag}}\n  publisher: Acme\n"
	debug := unit("linux/amd64", "debug", fact.TarGz)
	debug.Profile = "debug"
	two := unit("linux/amd64", "two", fact.TarGz)
	two.Mains = append(two.Mains, fact.Main{Package: "example.com/other", Binary: "other"})
	bare := two
	bare.Archives, bare.Files = nil, nil
	library := unit("linux/amd64", "lib", fact.TarGz)
	library.Mode = fact.CShared
	linux := unit("linux/amd64", "tool", fact.TarGz)
	for _, c := range []struct {
		lines string
		r     *Release
		want  []string // key: message; hint
	}{
		{"  scoop: {}\n", usual(), []string{
			"channels.scoop: it needs description, homepage, license, url; write channels: {scoop: {description: …, homepage: …, license: …, url: …}}, or beside it for all channels",
		}},
		{basis + "  winget: {}\n", usual(), []string{"channels.winget: it needs name;"}},
		{basis + "  winget: {name: Tool}\n", usual(), []string{`channels.winget.name: "Tool" cannot be its name; use PUBLISHER.PACKAGE`}},
		{basis + "  scoop: {test: [-v]}\n", usual(), []string{"channels.scoop.test: scoop has no use for it; leave it out"}},
		{basis + "  homebrew: {name: Tool}\n  npm: {name: Tool}\n  krew: {name: a_b}\n  aur: {name: -x}\n  cask: {name: a--b}\n", usual(), []string{
			`channels.homebrew.name: "Tool"`, `channels.cask.name: "a--b"`, `channels.aur.name: "-x"`, `channels.krew.name: "a_b"`, `channels.npm.name: "Tool"`,
		}},
		{basis + "  npm: {name: http}\n", usual(), []string{`channels.npm.name: "http" is reserved; put a scope before it: @SCOPE/http`}},
		{basis + "  scoop: {license: Apache 2.0}\n  aur: {license: apache-2.0}\n  npm: {license: GPL-3.0}\n", usual(), []string{
			`channels.scoop.license: SPDX has no licence "Apache 2.0"; write Apache-2.0`, `channels.aur.license: SPDX has no licence "apache-2.0"; write Apache-2.0`, `channels.npm.license: SPDX has no licence "GPL-3.0"; write GPL-3.0-only or`,
		}},
		{basis + "  scoop: {}\n", release(linux), []string{"channels.scoop: no program is published for a platform of scoop; leave it out"}},
		{basis + "  homebrew: {}\n", release(library), []string{"channels.homebrew: no program is published"}},
		{basis + "  winget: {name: A.B}\n", release(unit("windows/amd64", "tool", fact.TarGz)), []string{"channels.winget: x64: it cannot use tool.tar.gz; let archive have one of zip, none for this platform"}},
		{basis + "  npm: {}\n", release(linux, debug), []string{"channels.npm: linux x64: it can have one of these files: tool.tar.gz (profile release, linux/amd64), debug.tar.gz (profile debug, linux/amd64); say which with channels: {npm: {profile: release}}"}},
		{basis + "  npm: {profile: other}\n", release(linux, debug), []string{`channels.npm.profile: profile "other" publishes no program; name one of debug, release`}},
		{basis + "  npm: {platforms: [linux/arm]}\n", release(linux), []string{`channels.npm.platforms: no program is published for "linux/arm"`}},
		{basis + "  npm: {}\n", release(unit("linux/arm/6", "a", fact.Zip), unit("linux/arm/7", "b", fact.Zip)), []string{"channels.npm: linux arm: it can have one of these files: a.zip (profile release, linux/arm/6), b.zip (profile release, linux/arm/7); say which with channels: {npm: {platforms: [linux/arm/6, …]}}"}},
		{basis + "  krew: {}\n", release(two), []string{"channels.krew: linux amd64: it can have one of the programs in two.tar.gz: tool, other; say which with channels: {krew: {program: tool}}"}},
		{basis + "  krew: {program: third}\n", release(two), []string{`channels.krew.program: linux amd64: there is no program "third"`}},
		{basis + "  homebrew: {}\n", release(bare), []string{"channels.homebrew: on_linux on_intel: it can have one of these files: two_tool (profile release, linux/amd64), two_other (profile release, linux/amd64); say which with channels: {homebrew: {program: tool}}"}},
		{basis + "  krew: {}\n  npm: {}\n", func() *Release { r := usual(); r.Version = "7"; return r }(), []string{"channels.krew: it takes versions of the form", "channels.npm: it takes versions"}},
	} {
		_, err := Files(load(t, c.lines), c.r)
		var got []string
		for _, e := range fault.Leaves(err) {
			var w *Wrong
			if !errors.As(e, &w) {
				t.Errorf("%s: %v names no key", c.lines, e)
			}
			got = append(got, e.Error()+"; "+fault.Hint(e))
		}
		if len(got) != len(c.want) {
			t.Errorf("%s:\n%s", c.lines, strings.Join(got, "\n"))
			continue
		}
		for i := range got {
			if !strings.Contains(got[i], c.want[i]) {
				t.Errorf("%s:\n got %s\nwant %s", c.lines, got[i], c.want[i])
			}
		}
	}
}

// TestChosen: of what is there, the file that fits.
func TestChosen(t *testing.T) {
	two := unit("linux/amd64", "two", fact.TarGz)
	two.Wrap = "two-1"
	two.Mains = append(two.Mains, fact.Main{Package: "example.com/other", Binary: "other", Path: "bin/other"})
	bare := unit("darwin/arm64", "alone")
	bare.Packed = true
	list := load(t, "  description: Greets\n  homepage: https://example.com\n  url: https://example.com\n  homebrew: {}\n  krew: {program: other, platforms: [linux]}\n")
	files := made(t, list, release(two, bare))
	for name, want := range map[string][]string{
		"tool.homebrew.rb": {`bin.install "tool"`, `bin.install "bin/other"`, `bin.install "alone" => "tool"`, "define_method(:install)", "depends_on arch: :arm64", `url "https://example.com/alone"`},
		"tool.krew.yaml":   {`bin: "two-1/bin/other"`},
	} {
		wellFormed(t, name, files[name])
		for _, w := range want {
			if !strings.Contains(string(files[name]), w) {
				t.Errorf("%s lacks %s:\n%s", name, w, files[name])
			}
		}
	}
	alone := made(t, list[:1], release(two))["tool.homebrew.rb"]
	wellFormed(t, "tool.homebrew.rb", alone)
	if !strings.Contains(string(alone), "\n  depends_on :linux\n") || strings.Contains(string(alone), "define_method") {
		t.Errorf("of one system:\n%s", alone)
	}
	v3 := made(t, load(t, "  npm: {platforms: [linux/amd64/v3]}\n"), usual())
	if _, ok := v3["tool-linux-x64.npm.tgz"]; !ok || len(v3) != 2 {
		t.Errorf("%v", v3)
	}
}

// TestNPM: npm installs the packages, and the command starts the program of this
// machine's platform with its arguments, input and exit code.
func TestNPM(t *testing.T) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not here")
	}
	out, err := exec.Command("node", "-p", "process.platform+'/'+process.arch").Output()
	if err != nil || strings.TrimSpace(string(out)) != "linux/x64" {
		t.Skipf("the program of this test is a script for linux/x64, this is %s", out)
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nread line\necho \"$line\" \"$@\"\nexit 7\n"
	other := unit("windows/arm64", "tool_windows", fact.Zip)
	linux := unit("linux/amd64", "tool_linux", fact.TarGz)
	linux.Wrap = "tool-1"
	units := []fact.UnitShape{linux, other}
	r := &Release{Project: "tool", Version: "1.2.3", Time: time.Unix(1e9, 0)}
	sums := map[string]string{}
	for _, u := range units {
		for _, a := range u.Artifacts() {
			if a.Stage != fact.Archived {
				continue
			}
			f, err := os.Create(filepath.Join(dir, a.Name))
			if err != nil {
				t.Fatal(err)
			}
			info, err := archive.Write(t.Context(), f, a.Format, []archive.Member{text(a.Members[0], []byte(script), true), text(a.Members[1], []byte("free"), false)}, r.Time)
			if err := errors.Join(err, f.Close()); err != nil {
				t.Fatal(err)
			}
			sums[a.Name] = info.SHA256
			for _, e := range info.Entries {
				if e.Name == a.Members[0] {
					sums["program"] = e.SHA256
				}
			}
		}
	}
	r.Offers = Offers(units, func(_ fact.UnitShape, a fact.Expected) string {
		if a.Stage == fact.Archived {
			return sums[a.Name]
		}
		return sums["program"]
	})
	files, err := Files(load(t, "  npm: {name: \"@acme/tool\"}\n"), r)
	if err != nil {
		t.Fatal(err)
	}
	dependencies := map[string]string{}
	for _, f := range files {
		data, err := packed(t, f, dir, r)
		again, err2 := packed(t, f, dir, r)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, again) {
			t.Errorf("%s came out different", f.Name)
		}
		if err := os.WriteFile(filepath.Join(dir, f.Name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		name := strings.Replace(strings.TrimSuffix(f.Name, ".npm.tgz"), "acme-", "@acme/", 1)
		dependencies[name] = "file:../" + f.Name
	}
	// npm takes what the command depends on from these files too, and no registry is asked.
	in := filepath.Join(dir, "in")
	manifest, _ := json.Marshal(map[string]any{
		"name": "in", "version": "1.0.0", "dependencies": map[string]string{"@acme/tool": dependencies["@acme/tool"]},
		"overrides": map[string]string{
			"@acme/tool-linux-x64": dependencies["@acme/tool-linux-x64"], "@acme/tool-win32-arm64": dependencies["@acme/tool-win32-arm64"],
		},
	})
	if err := errors.Join(os.Mkdir(in, 0o755), os.WriteFile(filepath.Join(in, "package.json"), manifest, 0o644)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(npm, "install", "--offline", "--no-audit", "--no-fund")
	cmd.Dir, cmd.Env = in, append(os.Environ(), "npm_config_cache="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(in, "node_modules/@acme/tool-win32-arm64")); err == nil {
		t.Error("npm installed the program of another platform")
	}
	for _, file := range []string{"LICENSE", "bin/tool"} {
		if _, err := os.Stat(filepath.Join(in, "node_modules/@acme/tool-linux-x64", file)); err != nil {
			t.Error(err)
		}
	}
	cmd = exec.Command(filepath.Join(in, "node_modules/.bin/tool"), "a b", "$x")
	cmd.Stdin = strings.NewReader("said\n")
	got, err := cmd.CombinedOutput()
	if string(got) != "said a b $x\n" || cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("%q, %v", got, err)
	}
	// A program that is not the one of the manifest is in no package.
	r.Offers[0].Programs[0].SHA256 = placeholder
	if files, err = Files(load(t, "  npm: {}\n"), r); err != nil {
		t.Fatal(err)
	}
	if _, err := packed(t, files[0], dir, r); err == nil || !strings.Contains(err.Error(), "was expected") {
		t.Errorf("another program: %v", err)
	}
}

// FuzzTexts: whatever a text is, it is that text to who reads it, or refused; and no
// expression of licences is accepted that has a name which nobody knows.
func FuzzTexts(f *testing.F) {
	for _, s := range []string{"a", "a'b", "\"#{x}\"", "MIT OR (Apache-2.0 AND ISC)", "GPL-2.0-only WITH Classpath-exception-2.0", "((", "MIT MIT", "\u2028\x00", "- a: b # c"} {
		f.Add(s)
	}
	ids := strings.Fields(identifiers)
	f.Fuzz(func(t *testing.T, s string) {
		want := string([]rune(s)) // what is no UTF-8 is a sign for that
		for name, of := range map[string]struct {
			quote func(string) (string, error)
			read  func([]byte, *string) error
		}{
			"YAML": {quoteYAML, func(q []byte, s *string) error {
				return yaml.Unmarshal(append([]byte("a: "), q...), &struct{ A *string }{s})
			}},
			"JSON": {quoteJSON, func(q []byte, s *string) error { return json.Unmarshal(q, s) }},
		} {
			q, err := of.quote(s)
			var got string
			if err != nil || of.read([]byte(q), &got) != nil || got != want || strings.ContainsAny(q, "\n\r\x00") {
				t.Errorf("%s: %q is %s, which is %q", name, s, q, got)
			}
		}
		if q, err := quoteShell(s); err == nil && strings.ReplaceAll(strings.Trim(strings.ReplaceAll(q, `'\''`, "\x00"), "'"), "\x00", "'") != s {
			t.Errorf("shell: %q is %s", s, q)
		}
		if checkLicense(s) != nil {
			return
		}
		for _, w := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ()\t\n\r\v\f", r) || r == 0x85 || r == 0xa0 }) {
			if !slices.Contains([]string{"AND", "OR", "WITH"}, w) && !slices.Contains(ids, strings.TrimSuffix(w, "+")) && !strings.Contains(w, "LicenseRef-") && !strings.Contains(s, "WITH "+w) {
				t.Errorf("%q: nobody knows %q", s, w)
			}
		}
	})
}

// TestUniversal: a universal binary that is there in place of the programs that are in it
// is what each of their platforms gets.
func TestUniversal(t *testing.T) {
	for _, formats := range [][]string{{fact.TarGz}, nil} {
		amd64, arm64, linux := unit("darwin/amd64", ""), unit("darwin/arm64", ""), unit("linux/amd64", "tool_linux_amd64", formats...)
		amd64.Replaced, arm64.Replaced = true, true
		all := unit("darwin/all", "tool_darwin_all", formats...)
		all.Slices = []string{amd64.Platform, arm64.Platform}
		r := release(amd64, arm64, linux, all)
		var got []string
		for _, o := range r.Offers {
			got = append(got, o.Platform+" "+o.File+" "+o.Programs[0].Name)
		}
		ext := ""
		if formats != nil {
			ext = ".tar.gz"
		}
		want := []string{"linux/amd64 tool_linux_amd64" + ext + " tool", "darwin/amd64 tool_darwin_all" + ext + " tool", "darwin/arm64 tool_darwin_all" + ext + " tool"}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		files := made(t, load(t, "  description: Greets\n  homepage: https://example.com\n  url: https://example.com\n  homebrew: {}\n"), r)
		formula := string(files["tool.homebrew.rb"])
		wellFormed(t, "tool.homebrew.rb", files["tool.homebrew.rb"])
		if strings.Count(formula, "/tool_darwin_all"+ext+"\"") == 0 || strings.Contains(formula, "darwin_amd64") {
			t.Errorf("%s", formula)
		}
	}
}
