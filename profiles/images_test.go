package profiles

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// TestImages: what the file says of images is read, and what is wrong with it found at its
// place.
func TestImages(t *testing.T) {
	const head = "version: 1\nproject: tool\nimages:"
	const tail = "\nprofiles: {release: {platforms: [linux/amd64]}}\n"
	digest := "sha256:" + strings.Repeat("0", 64)
	for _, test := range []struct{ text, want string }{
		{" {tool: {}}", "tool [1.2.3] [] /usr/local/bin  []"},
		{" {b: {base: scratch}, a: {tags: ['{{.Tag}}', v1.2.3], moving: [latest, '{{.Major}}.{{.Minor}}'], bin: /opt, user: '0:0', ports: [53/udp, 8080, 8080/tcp]}}",
			"a [v1.2.3] [latest 1.2] /opt 0:0 [53/udp 8080/tcp]; b [1.2.3] [] /usr/local/bin  []"},
		{" {a: {}, a-b: {}}", "a-b [1.2.3] [] /usr/local/bin  []; a [1.2.3] [] /usr/local/bin  []"}, // as their files
		{" {tool: {base: 'e.org/x:1@" + digest + "'}}", "tool [1.2.3] [] /usr/local/bin  []"},
		{" {}", "m.yaml:3:9: images names no image"},
		{" [tool]", "m.yaml:3:9: images wants a map, not a list"},
		{" {a/b: {}}", `m.yaml:3:10: bad name of an image "a/b"`},
		{" {'': {}}", `m.yaml:3:10: bad name of an image ""`},
		{" {tool: ghcr.io/acme/tool}", `m.yaml:3:16: images.tool wants a map, not "ghcr.io/acme/tool"`},
		{" {tool: {name: x}}", `m.yaml:3:17: unknown key "name" in images.tool`},
		{" {tool: {repository: acme/tool}}", `m.yaml:3:29: images.tool.repository: "acme/tool" does not name its registry`},
		{" {tool: {repository: 'ghcr.io/acme/tool:1'}}", "has a part that names of repositories do not have"},
		{" {tool: {repository: 'https://ghcr.io/acme/tool'}}", "does not begin with a host"},
		{" {tool: {repository: 'user:pw@e.org/a'}}", "does not begin with a host"},
		{" {tool: {repository: 'e.org/../a'}}", "has a part that names of repositories do not have"},
		{" {tool: {repository: '--insecure.org/a'}}", "does not begin with a host"},
		{" {tool: {base: 'e.org/x:1'}}", `images.tool.base: "e.org/x:1" has no digest`},
		{" {tool: {base: 'x@" + digest + "'}}", "does not name its registry"},
		{" {tool: {base: 'e.org/x@sha256:00'}}", "has a digest that is not sha256:"},
		{" {tool: {tags: []}}", "images.tool.tags is empty"},
		{" {tool: {tags: ['a b']}}", `images.tool.tags: "a b" is no tag of an image`},
		{" {tool: {tags: ['{{.OS}}']}}", "images.tool.tags is of the whole release, which has no .OS"},
		{" {tool: {tags: ['sha256-" + strings.Repeat("0", 64) + "']}}", "is kept for what refers to an image"},
		{" {tool: {moving: ['{{.Version}}']}}", "images.tool.moving: the tag 1.2.3 is one of tags too"},
		{" {tool: {bin: usr/bin}}", `images.tool.bin: "usr/bin" is no directory of an image`},
		{" {tool: {bin: /usr/../etc}}", "is no directory of an image"},
		{" {tool: {files: {etc/x: x}}}", `a key of images.tool.files: "etc/x" is no directory of an image`},
		{" {tool: {files: {/etc/.wh.x: x}}}", "would hide a file of another layer"},
		{" {tool: {files: {/etc/x: ../x}}}", `images.tool.files./etc/x: a file "../x" leaves the source tree`},
		{" {tool: {files: {/etc/x: /etc/passwd}}}", "is absolute"},
		{" {tool: {certificates: /etc/ssl/certs/ca-certificates.crt}}", "is absolute"},
		{" {tool: {user: 'a b'}}", `images.tool.user: "a b" is no user`},
		{" {tool: {env: {A_TOKEN: x}}}", "the variable A_TOKEN looks like a secret"},
		{" {tool: {env: {'A=B': x}}}", `bad variable "A=B"`},
		{" {tool: {env: {A: \"a\\nb\"}}}", "contains the control character"},
		{" {tool: {labels: {x: \"a\\0b\"}}}", "contains the control character"},
		{" {tool: {labels: {x: '{{.Tga}}'}}}", "unknown field .Tga"},
		{" {tool: {ports: [0]}}", `"0" is no port`},
		{" {tool: {ports: [65536]}}", `"65536" is no port`},
		{" {tool: {ports: [08]}}", `"08" is no port`},
		{" {tool: {ports: [80/icmp]}}", `"80/icmp" is no port`},
		{" {tool: {platforms: [lunix]}}", `unknown OS "lunix"`},
		{" {tool: {entrypoint: /bin/x}}", "images.tool.entrypoint wants a list"},
	} {
		f, err := Load("m.yaml", []byte(head+test.text+tail))
		var got string
		if err == nil {
			var list []fact.Image
			if list, err = f.ImagesOf(Vars{Version: "1.2.3", Tag: "v1.2.3"}); err == nil {
				var all []string
				for _, i := range list {
					if err := CheckImage(&i); err != nil {
						t.Errorf("%s: not in a plan: %v", test.text, err)
					}
					all = append(all, fmt.Sprintf("%s %s %s %s %s %s", i.Name, i.Tags, i.Moving, i.Bin, i.User, i.Ports))
				}
				got = strings.Join(all, "; ")
			}
		}
		if err != nil {
			got, _, _ = strings.Cut(err.Error(), "\n")
		}
		if got != test.want && (err == nil || !strings.Contains(got, test.want)) {
			t.Errorf("%s:\n got %s\nwant %s", test.text, got, test.want)
		}
	}
	if CheckName("tool"+fact.ImageSuffix) == nil {
		t.Error("an artifact can be called as an image")
	}
	// A version that is no tag.
	f, err := Load("m.yaml", []byte(head+" {tool: {}}"+tail))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ImagesOf(Vars{Version: "1.2.3+x"}); err == nil || !strings.Contains(err.Error(), `images.tool.tags: "1.2.3+x" is no tag of an image`) {
		t.Error(err)
	}
}

// TestCheckImage: a plan has nothing of an image that a profile file could not have said.
func TestCheckImage(t *testing.T) {
	for _, c := range []struct {
		change func(i *fact.Image)
		want   string
	}{
		{func(i *fact.Image) {}, ""},
		{func(i *fact.Image) { i.Name = "../x" }, "bad name of an image"},
		{func(i *fact.Image) { i.Repository = "https://e.org/a" }, "images.x.repository"},
		{func(i *fact.Image) { i.Base = "scratch" }, "images.x.base"},
		{func(i *fact.Image) { i.Base = "e.org/a:1" }, "has no digest"},
		{func(i *fact.Image) { i.Bin = "" }, "images.x.bin"},
		{func(i *fact.Image) { i.Bin = "/a/../b" }, "images.x.bin"},
		{func(i *fact.Image) { i.Certificates = "../x" }, "leaves the source tree"},
		{func(i *fact.Image) { i.Files = map[string]string{"/x": "../x"} }, "leaves the source tree"},
		{func(i *fact.Image) { i.Files = map[string]string{"/.wh.x": "x"} }, "would hide a file"},
		{func(i *fact.Image) { i.Files = map[string]string{"x": "x"} }, "is no directory"},
		{func(i *fact.Image) { i.Env = map[string]string{"A_TOKEN": "x"} }, "looks like a secret"},
		{func(i *fact.Image) { i.Env = map[string]string{"A": "\x1b"} }, "control character"},
		{func(i *fact.Image) { i.Labels = map[string]string{"a": "\n"} }, "control character"},
		{func(i *fact.Image) { i.Annotations = map[string]string{"": "x"} }, "is empty"},
		{func(i *fact.Image) { i.Tags = nil }, "images.x.tags: there is none"},
		{func(i *fact.Image) { i.Tags = []string{"a b"} }, "images.x.tags"},
		{func(i *fact.Image) { i.Moving = []string{"-"} }, "images.x.moving"},
		{func(i *fact.Image) { i.Platforms = []string{"lunix"} }, "unknown OS"},
		{func(i *fact.Image) { i.Programs = []string{"a\nb"} }, "images.x.programs"},
		{func(i *fact.Image) { i.Entrypoint = []string{""} }, "images.x.entrypoint"},
		{func(i *fact.Image) { i.Cmd = []string{"\x00"} }, "images.x.cmd"},
		{func(i *fact.Image) { i.Ports = []string{"80"} }, "is not as plans have it, 80/tcp"},
		{func(i *fact.Image) { i.User = "a b" }, "is no user"},
		{func(i *fact.Image) { i.WorkDir = "x" }, "images.x.workdir"},
		{func(i *fact.Image) { i.Profile = " " }, "images.x.profile"},
	} {
		i := fact.Image{Name: "x", Tags: []string{"1"}, Bin: "/bin", Cmd: []string{""}}
		c.change(&i)
		if err := CheckImage(&i); (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
