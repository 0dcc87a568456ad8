package images

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/channels"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

var when = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// bench is a release whose units publish an archive with a program for each platform.
type bench struct {
	t       *testing.T
	dir     string // of the release
	copy    string // of the commit
	release *Release
}

func newBench(t *testing.T, platforms ...string) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), copy: t.TempDir()}
	b.release = &Release{Commit: strings.Repeat("ab", 20), Module: "github.com/acme/tool", Licenses: []string{"MIT"}}
	b.release.Project, b.release.Version, b.release.Time = "tool", "1.2.3", when
	for _, p := range platforms {
		b.add("release", p, "tool")
	}
	return b
}

// add publishes an archive with these programs.
func (b *bench) add(profile, platform string, programs ...string) {
	b.t.Helper()
	o := channels.Offer{Profile: profile, Platform: platform, Format: fact.TarGz, File: strings.ReplaceAll(profile+"_"+platform, "/", "_") + ".tar.gz"}
	var members []archive.Member
	for _, name := range programs {
		data := []byte("program " + name + " of " + profile + " for " + platform)
		m := text("top/"+name, data)
		m.Executable = true
		members = append(members, m)
		o.Programs = append(o.Programs, channels.Program{Path: "top/" + name, Name: name, SHA256: files.DigestBytes(data)})
	}
	f, err := os.Create(filepath.Join(b.dir, o.File))
	if err == nil {
		_, err = archive.Write(b.t.Context(), f, archive.TarGz, members, when)
	}
	if err != nil || f.Close() != nil {
		b.t.Fatal(err)
	}
	b.release.Offers = append(b.release.Offers, o)
}

// file is one of the commit.
func (b *bench) file(name, content string) {
	b.t.Helper()
	at := filepath.Join(b.copy, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// settings are those of the images in a profile file.
func settings(t *testing.T, lines string) []fact.Image {
	t.Helper()
	f, err := profiles.Load("m.yaml", []byte("version: 1\nproject: tool\nimages:\n"+lines+"profiles: {release: {platforms: [linux/amd64]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.ImagesOf(profiles.Vars{Version: "1.2.3", Tag: "v1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// make makes the one image of these settings.
func (b *bench) make(lines string, cache Blobs) ([]byte, *checksums.Image) {
	b.t.Helper()
	list, err := Plan(settings(b.t, lines), b.release)
	if err != nil {
		b.t.Fatal(err)
	}
	var out bytes.Buffer
	made, err := list[0].Write(b.t.Context(), &out, &Sources{
		Dir: b.dir, Copy: b.copy, Temp: b.t.TempDir(), Cache: cache, Executable: func(name string) bool { return strings.HasSuffix(name, ".sh") },
	})
	if err != nil {
		b.t.Fatal(err)
	}
	made.Size, made.SHA256, made.Made, made.Verdict = int64(out.Len()), files.DigestBytes(out.Bytes()), 2, fact.Identical
	return out.Bytes(), &made
}

// members are those of a layout.
func members(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	list := map[string][]byte{}
	_, err := archive.WalkReader(t.Context(), bytes.NewReader(data), int64(len(data)), archive.Visitor{Member: func(h archive.Header, r io.Reader) (err error) {
		list[h.Name], err = io.ReadAll(r)
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

const usual = `  tool:
    repository: ghcr.io/acme/tool
    moving: [latest]
    files: {/etc/tööl/run.sh: conf/run.sh, /etc/tool.yaml: conf/tool.yaml}
    ports: [8080, 53/udp, 8080/tcp]
    env: {B: "2", A: "1"}
    cmd: [serve]
    labels: {org.example.tag: "{{.Tag}}"}
    annotations: {org.opencontainers.image.title: Tool}
`

// TestWrite: an image is the same when it is made again elsewhere, has what the profile
// file says, and is accepted by who verifies it.
func TestWrite(t *testing.T) {
	platforms := []string{"linux/amd64", "linux/arm64", "linux/arm/6", "linux/arm/7", "darwin/arm64", "windows/amd64", "linux/amd64/v3"}
	var first []byte
	for range 2 {
		b := newBench(t, platforms...)
		b.file("conf/run.sh", "#!/bin/sh")
		b.file("conf/tool.yaml", "a: b")
		data, made := b.make(usual, Blobs{})
		if first != nil && !bytes.Equal(first, data) {
			t.Error("came out different when it was made again")
		}
		first = data
		if err := Verify(t.Context(), made, bytes.NewReader(data), made.Size); err != nil {
			t.Error(err)
		}
		var got []string
		for _, p := range made.Platforms {
			got = append(got, fmt.Sprintf("%s %s %s %s", p.Profile, p.Platform, p.Programs[0].Name, p.Programs[0].Mode))
		}
		want := []string{
			"release linux/amd64 usr/local/bin/tool 0755", "release linux/arm/6 usr/local/bin/tool 0755",
			"release linux/arm/7 usr/local/bin/tool 0755", "release linux/arm64 usr/local/bin/tool 0755",
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		if len(made.Files) != 2 || made.Files[0].Name != "etc/tool.yaml" || made.Files[1].Mode != "0755" {
			t.Errorf("%+v", made.Files)
		}
	}
	all := members(t, first)
	var top, index Index
	blobOf := func(d Descriptor, to any) {
		t.Helper()
		if err := json.Unmarshal(all["blobs/"+strings.Replace(d.Digest, ":", "/", 1)], to); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.Unmarshal(all["index.json"], &top); err != nil || len(top.Manifests) != 1 {
		t.Fatal(err)
	}
	if a := top.Manifests[0].Annotations; a["io.containerd.image.name"] != "ghcr.io/acme/tool:1.2.3" || a["org.opencontainers.image.ref.name"] != "1.2.3" {
		t.Error(a)
	}
	blobOf(top.Manifests[0], &index)
	var as []string
	for _, d := range index.Manifests {
		as = append(as, d.Platform.String())
	}
	if want := []string{"linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64"}; !slices.Equal(as, want) {
		t.Errorf("%q", as)
	}
	var m Manifest
	blobOf(index.Manifests[1], &m)
	var c struct {
		Architecture, OS, Variant, Created string
		Config                             map[string]any
	}
	blobOf(m.Config, &c)
	run, _ := json.Marshal(c.Config)
	const want = `{"Cmd":["serve"],"Entrypoint":["/usr/local/bin/tool"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","A=1","B=2"],` +
		`"ExposedPorts":{"53/udp":{},"8080/tcp":{}},"Labels":{"org.example.tag":"v1.2.3","org.opencontainers.image.created":"2026-01-02T03:04:05Z",` +
		`"org.opencontainers.image.licenses":"MIT","org.opencontainers.image.revision":"abababababababababababababababababababab","org.opencontainers.image.source":"https://github.com/acme/tool",` +
		`"org.opencontainers.image.title":"tool","org.opencontainers.image.version":"1.2.3"},"User":"65532:65532","WorkingDir":"/"}`
	if string(run) != want || c.Architecture+c.OS+c.Variant+c.Created != "armlinuxv62026-01-02T03:04:05Z" {
		t.Errorf("%s %+v", run, c)
	}
	if index.Annotations["org.opencontainers.image.title"] != "Tool" || m.Annotations["org.opencontainers.image.title"] != "Tool" {
		t.Error(index.Annotations)
	}
}

// TestDifferences: two images of the same files differ in what they say of themselves.
func TestDifferences(t *testing.T) {
	image := func(lines string) (string, *checksums.Image) {
		b := newBench(t, "linux/amd64", "linux/arm64")
		b.file("LICENSE", "free")
		data, made := b.make(lines, Blobs{})
		name := filepath.Join(t.TempDir(), "x.oci.tar")
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return name, made
	}
	const plain = "  tool: {files: {/LICENSE: LICENSE}}\n"
	published, of := image(plain)
	for lines, want := range map[string][]string{
		plain: nil,
		"  tool: {files: {/LICENSE: LICENSE}, cmd: [-v]}\n":              {"the configuration for linux/amd64", "the configuration for linux/arm64"},
		"  tool: {files: {/LICENSE: LICENSE}, env: {LD_PRELOAD: /x}}\n":  {"the configuration for linux/amd64", "the configuration for linux/arm64"},
		"  tool: {files: {/LICENSE: LICENSE}, annotations: {a: b}}\n":    {"the index", "the manifest for linux/amd64", "the manifest for linux/arm64"},
		"  tool: {files: {/LICENSE: LICENSE}, repository: e.org/tool}\n": {"index.json"},
	} {
		made, _ := image(lines)
		got, err := Differences(t.Context(), of, published, made)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", lines, got, err)
		}
	}
}

// TestWrong: what keeps an image from being made is said with the key that is wrong.
func TestWrong(t *testing.T) {
	for _, test := range []struct {
		lines string
		with  func(b *bench)
		want  string
	}{
		{"  tool: {platforms: [windows]}\n", nil, "images.tool.platforms: windows/amd64: images are made of Linux alone: an image of Windows runs on a base"},
		{"  tool: {platforms: [darwin]}\n", nil, "images.tool.platforms: darwin/arm64: images are made of Linux alone: darwin has no containers"},
		{"  tool: {platforms: [linux/s390x]}\n", nil, `images.tool.platforms: no program is published for "linux/s390x"`},
		{"  tool: {profile: other}\n", nil, `images.tool.profile: profile "other" publishes no program`},
		{"  tool: {programs: [x]}\n", nil, `images.tool.programs: there is no program "x"; known: tool`},
		{"  tool: {}\n", func(b *bench) { b.add("debug", "linux/amd64", "tool") }, "images.tool: linux/amd64: it can be that of profile release, linux/amd64, or of profile debug"},
		{"  tool: {profile: two}\n", func(b *bench) { b.add("two", "linux/amd64", "a", "b") }, "images.tool: linux/amd64 has several programs"},
		{"  tool: {profile: two, entrypoint: [/usr/local/bin/a]}\n", func(b *bench) { b.add("two", "linux/amd64", "a", "b") }, ""},
		{"  tool: {profile: same, entrypoint: [/x]}\n", func(b *bench) {
			b.add("same", "linux/amd64", "a", "b")
			b.release.Offers[len(b.release.Offers)-1].Programs[1].Name = "a"
		}, `images.tool.files: two members are named "usr/local/bin/a"`},
		{"  tool: {profile: two, programs: [b]}\n", func(b *bench) { b.add("two", "linux/amd64", "a", "b") }, ""},
		{"  tool: {platforms: [linux/arm/7, 'linux/arm/7,softfloat']}\n", func(b *bench) {
			b.add("release", "linux/arm/7", "tool")
			b.add("release", "linux/arm/7,softfloat", "tool")
		}, "images.tool: linux/arm/v7: it can be that of"},
		{"  tool: {platforms: [linux/arm64/v8.2]}\n", func(b *bench) { b.add("release", "linux/arm64/v8.2", "tool") }, "images have no name for this variant of arm64"},
		{"  tool: {files: {/usr/local/bin/tool: x}}\n", nil, `images.tool.files: two members are named "usr/local/bin/tool"`},
		{"  tool: {files: {/usr: x}}\n", nil, `images.tool.files: "usr" is a file and the directory of`},
		{"  tool: {certificates: ca.pem, files: {/etc/ssl/certs/ca-certificates.crt: x}}\n", nil, "images.tool.certificates: /etc/ssl/certs/ca-certificates.crt is one of files too"},
		{"  a: {repository: e.org/x}\n  b: {repository: e.org/x}\n", nil, "images.b.tags: the image a of e.org/x has the tag 1.2.3 too"},
		{"  a: {}\n  A: {}\n", nil, "images.a: another image's name differs in case only"},
	} {
		b := newBench(t, "linux/amd64", "darwin/arm64", "windows/amd64")
		if test.with != nil {
			test.with(b)
		}
		_, err := Plan(settings(t, test.lines), b.release)
		switch {
		case test.want == "" && err == nil:
		case test.want != "" && err != nil && strings.Contains(err.Error()+"; "+fault.Hint(err), test.want):
		default:
			t.Errorf("%s: %v\nwant %s", test.lines, err, test.want)
		}
	}
}

// TestSources: what goes into an image is a file of the commit, and certificates are some.
func TestSources(t *testing.T) {
	b := newBench(t, "linux/amd64")
	b.file("text", "x")
	b.file("key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n") // of nobody
	b.file("bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(b.copy, "link")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(b.copy, "dir")); err != nil {
		t.Fatal(err)
	}
	for lines, want := range map[string]string{
		"  tool: {files: {/x: text}}\n":        "",
		"  tool: {files: {/x: none}}\n":        "images.tool.files: none: not in the commit",
		"  tool: {files: {/x: link}}\n":        "images.tool.files: ",
		"  tool: {files: {/x: dir/secret}}\n":  "images.tool.files: dir/secret: ",
		"  tool: {certificates: text}\n":       "images.tool.certificates: text: has no certificate",
		"  tool: {certificates: key.pem}\n":    `images.tool.certificates: key.pem: has a block of type "PRIVATE KEY"`,
		"  tool: {certificates: bad.pem}\n":    "images.tool.certificates: bad.pem: certificate 1: ",
		"  tool: {certificates: dir/secret}\n": "images.tool.certificates: dir/secret: ",
	} {
		list, err := Plan(settings(t, lines), b.release)
		if err != nil {
			t.Fatal(err)
		}
		if err := list[0].CheckSources(b.copy); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", lines, err, want)
		}
	}
}

// based is a base of two platforms in a directory that stands for a registry, and its
// reference. change changes the content by what it is.
func based(t *testing.T, change func(name string, v map[string]any)) (registry Blobs, ref string) {
	t.Helper()
	registry = Blobs{Dir: t.TempDir()}
	put := func(name string, v any) map[string]any {
		data, ok := v.([]byte)
		if !ok {
			m := v.(map[string]any)
			if change != nil {
				change(name, m)
			}
			var err error
			if data, err = json.MarshalIndent(m, "", "  "); err != nil { // as others write it
				t.Fatal(err)
			}
		}
		hex := files.DigestBytes(data)
		if err := os.WriteFile(registry.path(hex), data, 0o644); err != nil {
			t.Fatal(err)
		}
		return map[string]any{"digest": "sha256:" + hex, "size": len(data)}
	}
	var list []any
	for _, p := range []map[string]any{{"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm", "variant": "v5"}, {"os": "linux", "architecture": "arm64", "variant": "v8"}} {
		data, _ := layerOf(t, &tar.Header{Name: "./usr/", Typeflag: tar.TypeDir}, &tar.Header{Name: "usr/bin/sh", Uname: fmt.Sprint(p)}, &tar.Header{Name: "bin", Typeflag: tar.TypeSymlink, Linkname: "usr/bin"})
		layer := put("layer", data)
		layer["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip"
		config := put("config", map[string]any{
			"os": p["os"], "architecture": p["architecture"], "author": "somebody", "rootfs": map[string]any{"type": "layers", "diff_ids": []any{"sha256:" + strings.Repeat("1", 64)}},
			"config":  map[string]any{"User": "1000", "Env": []any{"PATH=/bin", "A=base"}, "Cmd": []any{"/bin/sh"}, "Entrypoint": []any{"/init"}, "StopSignal": "SIGQUIT", "Labels": map[string]any{"base": "yes", "org.opencontainers.image.licenses": "GPL", "org.opencontainers.image.vendor": "somebody"}},
			"history": []any{map[string]any{"created_by": "x", "empty_layer": true}, map[string]any{"created_by": "y"}},
		})
		config["mediaType"] = "application/vnd.docker.container.image.v1+json"
		m := put("manifest", map[string]any{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "config": config, "layers": []any{layer}})
		m["mediaType"], m["platform"] = "application/vnd.docker.distribution.manifest.v2+json", p
		list = append(list, m)
	}
	top := put("index", map[string]any{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json", "manifests": list})
	return registry, "docker.io/library/base:1@" + top["digest"].(string)
}

// getter gets from a directory as from a registry.
func getter(from Blobs) Getter {
	return func(_ context.Context, hex string, _ bool, to io.Writer) error {
		data, err := os.ReadFile(from.path(hex))
		if err == nil {
			_, err = to.Write(data)
		}
		return err
	}
}

// TestBase: the layers of a base are taken as they are, once, and its configuration is
// what nobody has said otherwise.
func TestBase(t *testing.T) {
	registry, ref := based(t, nil)
	b := newBench(t, "linux/amd64", "linux/arm/7", "linux/arm64")
	lines := "  tool: {base: '" + ref + "', env: {A: own}}\n"
	list, err := Plan(settings(t, lines), b.release)
	if err != nil {
		t.Fatal(err)
	}
	cache := Blobs{Dir: t.TempDir()}
	if err := cache.Fetch(t.Context(), list[0].Base(), list[0].Platforms(), nil); err == nil || !strings.Contains(err.Error(), "is not here") || fault.Hint(err) == "" {
		t.Errorf("without the network: %v", err)
	}
	if err := cache.Fetch(t.Context(), list[0].Base(), list[0].Platforms(), getter(registry)); err != nil {
		t.Fatal(err)
	}
	if err := cache.Fetch(t.Context(), list[0].Base(), list[0].Platforms(), nil); err != nil {
		t.Errorf("what was fetched is asked for again: %v", err)
	}
	data, made := b.make(lines, cache)
	if err := Verify(t.Context(), made, bytes.NewReader(data), made.Size); err != nil {
		t.Error(err)
	}
	all := members(t, data)
	for _, p := range made.Platforms {
		var m Manifest
		if err := json.Unmarshal(all[blobDir+p.Digest], &m); err != nil || len(m.Layers) != 2 || m.Layers[0].MediaType != typeGzip || m.Layers[0].Digest != digestOf(p.BaseLayers[0]) {
			t.Errorf("%s: %v %+v", p.Platform, err, m)
		}
		_, dirs, _, err := archive.ListLayer(t.Context(), bytes.NewReader(all[blobDir+strings.TrimPrefix(m.Layers[1].Digest, "sha256:")]), m.Layers[1].Size, archive.TarGz)
		if err != nil || !slices.Equal(dirs, []string{"usr/local", "usr/local/bin"}) {
			t.Errorf("%s: %q, %v", p.Platform, dirs, err)
		}
		config := string(all[blobDir+strings.TrimPrefix(m.Config.Digest, "sha256:")])
		for _, want := range []string{`"User":"1000"`, `"StopSignal":"SIGQUIT"`, `"Env":["PATH=/bin","A=own"]`, `"base":"yes"`, `"Entrypoint":["/usr/local/bin/tool"]`, `"created_by":"y"},{"comment":"tool 1.2.3"`, `"org.opencontainers.image.base.name":"docker.io/library/base:1"`} {
			if !strings.Contains(config, want) {
				t.Errorf("no %s in %s", want, config)
			}
		}
		if strings.Contains(config, "/bin/sh") || strings.Contains(config, "somebody") {
			t.Error(config)
		}
	}

	// A cache directory is a stranger's file.
	layer := cache.path(made.Platforms[0].BaseLayers[0])
	fi, err := os.Stat(layer)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(layer, bytes.Repeat([]byte("x"), int(fi.Size())), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = list[0].Write(t.Context(), io.Discard, &Sources{Dir: b.dir, Copy: b.copy, Temp: t.TempDir(), Cache: cache})
	if err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("a layer was changed: %v", err)
	}
	if err := cache.Fetch(t.Context(), list[0].Base(), list[0].Platforms(), getter(registry)); err != nil {
		t.Errorf("a layer that was changed is not mended: %v", err)
	}
}

// TestHostileBase: what a registry gives is refused if it is not what was asked for.
func TestHostileBase(t *testing.T) {
	one := []Platform{{OS: "linux", Architecture: "amd64"}}
	for name, test := range map[string]struct {
		change    func(name string, v map[string]any)
		get       func(Getter) Getter
		platforms []Platform
		want      string
	}{
		"another platform": {platforms: []Platform{{OS: "linux", Architecture: "s390x"}}, want: "it has no image for linux/s390x, but for linux/amd64, linux/arm/v5"},
		"other content": {get: func(Getter) Getter {
			return func(_ context.Context, _ string, _ bool, to io.Writer) error {
				_, err := to.Write([]byte("{}"))
				return err
			}
		}, want: "what was asked for by the digest"},
		"no end": {get: func(g Getter) Getter {
			return func(_ context.Context, _ string, _ bool, to io.Writer) (err error) {
				for err == nil {
					_, err = to.Write(make([]byte, 1<<20))
				}
				return err
			}
		}, want: "there is more than was announced"},
		"a configuration of another platform": {change: func(name string, v map[string]any) {
			if name == "config" {
				v["architecture"] = "s390x"
			}
		}, want: "it is of linux/s390x, not of linux/amd64"},
		"fewer diffs": {change: func(name string, v map[string]any) {
			if name == "config" {
				v["rootfs"] = map[string]any{"diff_ids": []any{}}
			}
		}, want: "it has 1 layers, its configuration has 0"},
		"a foreign layer": {change: func(name string, v map[string]any) {
			if name == "manifest" {
				v["layers"].([]any)[0].(map[string]any)["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
			}
		}, want: "which is not distributed"},
		"a digest that leads out": {change: func(name string, v map[string]any) {
			if name == "manifest" {
				v["layers"].([]any)[0].(map[string]any)["digest"] = "sha256:../../../../etc/passwd"
			}
		}, want: "is no digest of SHA-256"},
		"a size that lies": {change: func(name string, v map[string]any) {
			if name == "manifest" {
				v["layers"].([]any)[0].(map[string]any)["size"] = 1
			}
		}, want: "there is more than was announced"},
		"no image": {change: func(name string, v map[string]any) {
			if name == "manifest" {
				v["config"].(map[string]any)["mediaType"] = "application/vnd.cncf.helm.config.v1+json"
			}
		}, want: "it is no container image"},
	} {
		t.Run(name, func(t *testing.T) {
			registry, text := based(t, test.change)
			ref, why := fact.ParseImageRef(text)
			if why != "" {
				t.Fatal(why)
			}
			get := getter(registry)
			if test.get != nil {
				get = test.get(get)
			}
			platforms := test.platforms
			if platforms == nil {
				platforms = one
			}
			err := Blobs{Dir: t.TempDir()}.Fetch(t.Context(), &ref, platforms, get)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v\nwant %s", err, test.want)
			}
		})
	}
}

// TestPick: of the images of an index it is the one that a machine takes.
func TestPick(t *testing.T) {
	of := func(platforms ...string) (list []Descriptor) {
		for _, p := range platforms {
			parts := append(strings.Split(p, "/"), "")
			list = append(list, Descriptor{MediaType: typeManifest, Digest: p, Platform: &Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}})
		}
		return list
	}
	all := of("linux/amd64", "linux/amd64/v3", "linux/arm/v5", "linux/arm/v7", "linux/arm64/v8", "windows/amd64")
	for want, p := range map[string]Platform{
		"linux/amd64": {"amd64", "linux", ""}, "linux/amd64/v3": {"amd64", "linux", "v4"}, "linux/arm/v5": {"arm", "linux", "v6"},
		"linux/arm/v7": {"arm", "linux", "v7"}, "linux/arm64/v8": {"arm64", "linux", ""},
	} {
		if d, err := pick(all, p); err != nil || d.Digest != want {
			t.Errorf("%s: %s, %v", p, d.Digest, err)
		}
	}
	long := Descriptor{MediaType: typeManifest, Platform: &Platform{strings.Repeat("x", 1<<20), "linux", ""}}
	for _, p := range []Platform{{"386", "linux", ""}, {"arm", "linux", "v4"}} {
		if d, err := pick(append(all, long), p); err == nil || len(err.Error()) > 1000 {
			t.Errorf("%s: %s", p, d.Digest)
		}
	}
}

// TestBelow: a layer has the directories that the base does not have in the end, and
// replaces no link.
func TestBelow(t *testing.T) {
	dir := func(name string) *tar.Header { return &tar.Header{Name: name + "/", Typeflag: tar.TypeDir} }
	file := func(name string) *tar.Header { return &tar.Header{Name: name, Uname: "x"} }
	link := func(name, to string) *tar.Header {
		return &tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to}
	}
	for _, test := range []struct {
		name   string
		layers [][]*tar.Header
		file   string
		want   string
	}{
		{"nothing", nil, "a/b/c", ""},
		{"some", [][]*tar.Header{{dir("a"), file("x")}}, "a/b/c", "a"},
		{"by a file in it", [][]*tar.Header{{file("a/b/x")}}, "a/b/c", "a a/b"},
		{"as a path from the top", [][]*tar.Header{{dir("/a"), dir("./a/b")}}, "a/b/c", "a a/b"},
		{"as strange paths", [][]*tar.Header{{dir("//a"), dir("../a/./b"), dir("/"), dir("..")}}, "a/b/c", "a a/b"},
		{"hidden", [][]*tar.Header{{dir("a"), dir("a/b")}, {file("a/.wh.b")}}, "a/b/c", "a"},
		{"hidden with all in it", [][]*tar.Header{{dir("a"), dir("a/b")}, {file(".wh.a")}}, "a/b/c", ""},
		{"hidden and made again", [][]*tar.Header{{dir("a"), dir("a/b")}, {dir("a/b"), file("a/.wh.b")}}, "a/b/c", "a a/b"},
		{"opaque", [][]*tar.Header{{dir("a"), dir("a/b")}, {dir("a"), file("a/.wh..wh..opq")}}, "a/b/c", "a"},
		{"a link", [][]*tar.Header{{link("a", "usr/a")}}, "a/b/c", "error /a is a symbolic link; /a leads to usr/a"},
		{"a link below", [][]*tar.Header{{dir("a"), link("a/b", "/x")}}, "a/b/c", "error /a/b is a symbolic link; /a/b leads to /x"},
		{"a link that was replaced", [][]*tar.Header{{link("a", "x")}, {file(".wh.a")}, {dir("a")}}, "a/b/c", "a"},
		{"a file", [][]*tar.Header{{file("a")}}, "a/b/c", "error /a is a file; /a leads to elsewhere"},
		{"a directory that became a file", [][]*tar.Header{{dir("a"), dir("a/b")}, {file("a")}}, "a/b/c", "error /a is a file; /a leads to elsewhere"},
		{"a directory that became a file and one again", [][]*tar.Header{{dir("a"), dir("a/b")}, {file("a")}, {dir("a")}}, "a/b/c", "a"},
		{"a link of the file's own name", [][]*tar.Header{{dir("a"), link("a/c", "/x")}}, "a/c", "a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &maker{&Image{base: &fact.ImageRef{}}, &Sources{Cache: Blobs{Dir: t.TempDir()}}, t.Context(), nil}
			base := &layered{}
			for _, headers := range test.layers {
				data, _ := layerOf(t, headers...)
				d := blob(typeGzip, data)
				if err := os.WriteFile(m.Cache.path(files.DigestBytes(data)), data, 0o644); err != nil {
					t.Fatal(err)
				}
				base.manifest.Layers = append(base.manifest.Layers, d)
			}
			has, err := m.below(base, []archive.Member{{Name: test.file}})
			got := strings.Join(slices.Sorted(maps.Keys(has)), " ")
			if err != nil {
				_, what, _ := strings.Cut(err.Error(), ": ")
				what, _, _ = strings.Cut(what, ",")
				_, hint, _ := strings.Cut(fault.Hint(err), ": ")
				got = "error " + what + "; " + hint
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// TestUnpackBudget: what a stranger's layers unpack to is bounded for all of them, however
// often one is there.
func TestUnpackBudget(t *testing.T) {
	data, _ := layerOf(t, &tar.Header{Name: "a/", Typeflag: tar.TypeDir})
	left := int64(20 << 10) // a tar of nothing has 10 KiB
	m := &maker{&Image{base: &fact.ImageRef{}}, &Sources{Cache: Blobs{Dir: t.TempDir(), Unpack: &left}}, t.Context(), nil}
	if err := os.WriteFile(m.Cache.path(files.DigestBytes(data)), data, 0o644); err != nil {
		t.Fatal(err)
	}
	base := &layered{}
	base.manifest.Layers = []Descriptor{blob(typeGzip, data)}
	n := 0
	for n < 100 {
		if _, err := m.below(base, []archive.Member{{Name: "a/b"}}); err != nil {
			if !strings.Contains(err.Error(), "more than is read of a stranger's") {
				t.Error(err)
			}
			break
		}
		n++
	}
	if n == 0 || n == 100 {
		t.Errorf("it was read %d times", n)
	}
}

// TestLoader: a program that a C library's loader starts is not put where there is none.
func TestLoader(t *testing.T) {
	// The header of an ELF file with one segment, which names the loader.
	var program bytes.Buffer
	const loader = "/lib/ld.so.1\x00"
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT), Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	}
	segment := elf.Prog64{Type: uint32(elf.PT_INTERP), Off: 64 + 56, Filesz: uint64(len(loader)), Memsz: uint64(len(loader))}
	for _, v := range []any{header, segment, []byte(loader)} {
		if err := binary.Write(&program, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	registry, ref := based(t, nil)
	for lines, want := range map[string]string{
		"  tool: {}\n": "/usr/local/bin/tool is started by /lib/ld.so.1, which an image without a base does not have",
		"  tool: {files: {/lib/ld.so.1: ld.so}}\n": "",
		"  tool: {base: '" + ref + "'}\n":          "",
	} {
		b := newBench(t)
		b.file("ld.so", "x")
		if err := os.WriteFile(filepath.Join(b.dir, "tool"), program.Bytes(), 0o755); err != nil {
			t.Fatal(err)
		}
		b.release.Offers = []channels.Offer{{Profile: "release", Platform: "linux/amd64", File: "tool", Format: fact.NoArchive, Programs: []channels.Program{{Path: "tool", Name: "tool", SHA256: files.DigestBytes(program.Bytes())}}}}
		list, err := Plan(settings(t, lines), b.release)
		if err != nil {
			t.Fatal(err)
		}
		_, err = list[0].Write(t.Context(), io.Discard, &Sources{Dir: b.dir, Copy: b.copy, Temp: t.TempDir(), Cache: registry, Executable: func(string) bool { return true }})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", lines, err, want)
		}
	}
}
