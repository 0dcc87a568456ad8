package images

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/files"
)

// forged is an image that a dishonest publisher has made, with all digests in order.
type forged struct {
	t    *testing.T
	all  map[string][]byte
	made *checksums.Image
}

// put adds content.
func (f *forged) put(mediaType string, data []byte) Descriptor {
	d := blob(mediaType, data)
	f.all[blobDir+files.DigestBytes(data)] = data
	return d
}

// layer is a compressed tar with these members.
func layerOf(t *testing.T, headers ...*tar.Header) (compressed []byte, diff string) {
	t.Helper()
	var plain, out bytes.Buffer
	w := tar.NewWriter(&plain)
	for _, h := range headers {
		content := []byte(h.Uname) // of what is a file, for the tests
		h.Uname = ""
		if h.Size = int64(len(content)); h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o755
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(&out)
	if _, err := z.Write(plain.Bytes()); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return out.Bytes(), digestOf(files.DigestBytes(plain.Bytes()))
}

// change makes another image of the first platform, and what leads to it.
func (f *forged) change(how func(m *Manifest, config map[string]any), of func(index *Index)) {
	f.t.Helper()
	var top, index Index
	var m Manifest
	config := map[string]any{}
	take := func(d Descriptor, to any) {
		name := blobDir + strings.TrimPrefix(d.Digest, "sha256:")
		if err := json.Unmarshal(f.all[name], to); err != nil {
			f.t.Fatal(err)
		}
		delete(f.all, name)
	}
	encoded := func(v any) []byte {
		data, err := encode(v)
		if err != nil {
			f.t.Fatal(err)
		}
		return data
	}
	if err := json.Unmarshal(f.all[indexFile], &top); err != nil {
		f.t.Fatal(err)
	}
	take(top.Manifests[0], &index)
	take(index.Manifests[0], &m)
	take(m.Config, &config)
	if how != nil {
		how(&m, config)
	}
	m.Config = f.put(m.Config.MediaType, encoded(config))
	d := f.put(typeManifest, encoded(m))
	d.Platform = index.Manifests[0].Platform
	index.Manifests[0] = d
	f.made.Platforms[0].Digest = strings.TrimPrefix(d.Digest, "sha256:")
	if of != nil {
		of(&index)
	}
	i := f.put(typeIndex, encoded(index))
	i.Annotations = top.Manifests[0].Annotations
	f.made.Digest = strings.TrimPrefix(i.Digest, "sha256:")
	top.Manifests[0] = i
	f.all[indexFile] = encoded(top)
}

// addLayer puts a layer above all others.
func (f *forged) addLayer(headers ...*tar.Header) {
	f.change(func(m *Manifest, config map[string]any) {
		data, diff := layerOf(f.t, headers...)
		m.Layers = append(m.Layers, f.put(typeGzip, data))
		fs := config["rootfs"].(map[string]any)
		fs["diff_ids"] = append(fs["diff_ids"].([]any), diff)
	}, nil)
}

// replaceLayer puts a layer in the place of that with the programs.
func (f *forged) replaceLayer(keep bool, headers ...*tar.Header) {
	f.change(func(m *Manifest, config map[string]any) {
		data, diff := layerOf(f.t, headers...)
		last := len(m.Layers) - 1
		if !keep {
			delete(f.all, blobDir+strings.TrimPrefix(m.Layers[last].Digest, "sha256:"))
		}
		m.Layers[last] = f.put(typeGzip, data)
		diffs := config["rootfs"].(map[string]any)["diff_ids"].([]any)
		diffs[last] = diff
	}, nil)
}

// tar is the image as a file.
func (f *forged) tar(more ...*tar.Header) []byte {
	f.t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	write := func(h *tar.Header, data []byte) {
		if err := w.WriteHeader(h); err != nil {
			f.t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			f.t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.all)) {
		write(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(f.all[name]))}, f.all[name])
	}
	for _, h := range more {
		write(h, nil)
	}
	if err := w.Close(); err != nil {
		f.t.Fatal(err)
	}
	return b.Bytes()
}

// TestHostile: an image with anything else in it than the manifest says is refused, by
// whomever it was made and signed.
func TestHostile(t *testing.T) {
	const program = "program tool of release for linux/amd64"
	const path = "usr/local/bin/tool"
	member := func(name, content string) *tar.Header { return &tar.Header{Name: name, Uname: content} }
	for _, test := range []struct {
		name string
		make func(f *forged) []byte
		want string
	}{
		{"as it is", func(f *forged) []byte { return f.tar() }, ""},
		{"forged without a change", func(f *forged) []byte { f.change(nil, nil); return f.tar() }, ""},
		{"another program", func(f *forged) []byte { f.replaceLayer(false, member(path, "evil")); return f.tar() }, "usr/local/bin/tool is not the file that the manifest lists"},
		{"a further program", func(f *forged) []byte {
			f.replaceLayer(false, member("usr/bin/evil", "x"), member(path, program))
			return f.tar()
		}, "holds 2 files, the manifest lists 1"},
		{"setuid", func(f *forged) []byte {
			f.replaceLayer(false, &tar.Header{Name: path, Uname: program, Mode: 0o4755})
			return f.tar()
		}, "is more than rights"},
		{"a link in its place", func(f *forged) []byte {
			f.replaceLayer(false, &tar.Header{Name: path, Typeflag: tar.TypeSymlink, Linkname: "/bin/sh"})
			return f.tar()
		}, "not a regular file (symbolic link)"},
		{"a directory of none of its files", func(f *forged) []byte {
			f.replaceLayer(false, &tar.Header{Name: "etc/", Typeflag: tar.TypeDir}, member(path, program))
			return f.tar()
		}, "etc is a directory of none of its files"},
		{"a directory that all may write", func(f *forged) []byte {
			f.replaceLayer(false, &tar.Header{Name: "usr/", Typeflag: tar.TypeDir, Mode: 0o777}, member(path, program))
			return f.tar()
		}, "is not that of a directory for all"},
		{"a directory of somebody", func(f *forged) []byte {
			f.replaceLayer(false, &tar.Header{Name: "usr/", Typeflag: tar.TypeDir, Uid: 1}, member(path, program))
			return f.tar()
		}, "belongs to"},
		{"a directory twice", func(f *forged) []byte {
			f.replaceLayer(false, &tar.Header{Name: "usr/", Typeflag: tar.TypeDir}, &tar.Header{Name: "usr/", Typeflag: tar.TypeDir}, member(path, program))
			return f.tar()
		}, "is there twice"},
		{"a path that leads out", func(f *forged) []byte { f.replaceLayer(false, member("../../etc/passwd", "x")); return f.tar() }, "name that leads out"},
		{"a device", func(f *forged) []byte {
			f.replaceLayer(false, &tar.Header{Name: "dev/sda", Typeflag: tar.TypeBlock}, member(path, program))
			return f.tar()
		}, "not a regular file"},
		{"a second layer above the program", func(f *forged) []byte { f.addLayer(member(path, "evil")); return f.tar() }, "it has 2 layers, and its configuration 2; the manifest says 1, of which 0 are the base's"},
		{"a whiteout above the program", func(f *forged) []byte { f.addLayer(member("usr/local/bin/.wh.tool", "")); return f.tar() }, "it has 2 layers"},
		{"a layer that says it is the base's", func(f *forged) []byte {
			f.addLayer(member(path, "evil"))
			f.made.Base = "e.org/base@sha256:" + strings.Repeat("0", 64)
			f.made.Platforms[0].BaseLayers = []string{strings.Repeat("0", 64)}
			return f.tar()
		}, "a layer of the base is"},
		{"a whiteout beside the program", func(f *forged) []byte {
			f.replaceLayer(false, member("usr/local/bin/.wh..wh..opq", ""), member(path, program))
			return f.tar()
		}, "holds 2 files"},
		{"the content of another layer when it is unpacked", func(f *forged) []byte {
			f.change(func(_ *Manifest, config map[string]any) {
				config["rootfs"].(map[string]any)["diff_ids"].([]any)[0] = digestOf(strings.Repeat("0", 64))
			}, nil)
			return f.tar()
		}, "unpacks to"},
		{"two gzip streams", func(f *forged) []byte {
			f.change(func(m *Manifest, _ map[string]any) {
				name := blobDir + strings.TrimPrefix(m.Layers[0].Digest, "sha256:")
				more, _ := layerOf(f.t, member(path, "evil"))
				data := append(f.all[name], more...)
				delete(f.all, name)
				m.Layers[0] = f.put(typeGzip, data)
			}, nil)
			return f.tar()
		}, "a further compressed stream"},
		{"a layer that is not of that type", func(f *forged) []byte {
			f.change(func(m *Manifest, _ map[string]any) { m.Layers[0].MediaType = typeZstd }, nil)
			return f.tar()
		}, "is of type"},
		{"an address for a layer", func(f *forged) []byte {
			f.change(func(m *Manifest, _ map[string]any) { m.Layers[0].Digest = "sha256:../../x" }, nil)
			return f.tar()
		}, "is no digest of SHA-256"},
		{"a further platform", func(f *forged) []byte {
			f.change(nil, func(i *Index) {
				d := i.Manifests[0]
				d.Platform = &Platform{OS: "linux", Architecture: "s390x"}
				i.Manifests = append(i.Manifests, d)
			})
			return f.tar()
		}, "it is for 2 platforms, the manifest says 1"},
		{"another platform", func(f *forged) []byte {
			f.change(nil, func(i *Index) { i.Manifests[0].Platform = &Platform{OS: "linux", Architecture: "arm64"} })
			return f.tar()
		}, "the index has linux/arm64 in its place"},
		{"a configuration of another platform", func(f *forged) []byte {
			f.change(func(_ *Manifest, c map[string]any) { c["architecture"] = "arm64" }, nil)
			return f.tar()
		}, "it is of linux/arm64, not of linux/amd64"},
		{"not an image", func(f *forged) []byte {
			f.change(func(m *Manifest, _ map[string]any) { m.ArtifactType = "application/x" }, nil)
			return f.tar()
		}, "is not that of a container image"},
		{"content that nothing leads to", func(f *forged) []byte { f.put("", []byte("evil")); return f.tar() }, "is of no platform"},
		{"content that is not here", func(f *forged) []byte {
			f.change(func(m *Manifest, _ map[string]any) {
				delete(f.all, blobDir+strings.TrimPrefix(m.Layers[0].Digest, "sha256:"))
			}, nil)
			return f.tar()
		}, "is not here"},
		{"content with another digest", func(f *forged) []byte {
			for name := range f.all {
				if strings.HasPrefix(name, blobDir) {
					f.all[name] = append(f.all[name], ' ')
				}
			}
			return f.tar()
		}, "has the digest"},
		{"two keys in JSON", func(f *forged) []byte {
			f.all[indexFile] = bytes.Replace(f.all[indexFile], []byte(`{"manifests":`), []byte(`{"manifests":[],"manifests":`), 1)
			return f.tar()
		}, "is not written as mintmark writes it"},
		{"a key in capitals", func(f *forged) []byte {
			f.all[indexFile] = bytes.Replace(f.all[indexFile], []byte(`{"manifests":`), []byte(`{"Manifests":[],"manifests":`), 1)
			return f.tar()
		}, "is not written as mintmark writes it"},
		{"another layout", func(f *forged) []byte { f.all[layoutFile] = []byte(`{"imageLayoutVersion":"2"}`); return f.tar() }, "oci-layout is not"},
		{"a further file", func(f *forged) []byte { f.all["manifest.json"] = []byte("[]"); return f.tar() }, "manifest.json: is no member of an image"},
		{"a name that leads out", func(f *forged) []byte { f.all["../x"] = []byte("x"); return f.tar() }, "is no member of an image"},
		{"a link for content", func(f *forged) []byte {
			return f.tar(&tar.Header{Name: blobDir + strings.Repeat("0", 64), Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})
		}, "is a symbolic link"},
		{"one name twice", func(f *forged) []byte { return f.tar(&tar.Header{Name: indexFile, Mode: 0o644}) }, "one file on some systems"},
		{"something behind it", func(f *forged) []byte { return append(f.tar(), bytes.Repeat([]byte("x"), 1024)...) }, "after the end of the tar"},
		{"compressed", func(f *forged) []byte {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			z.Write(f.tar())
			z.Close()
			return b.Bytes()
		}, "is a tar.gz, not a tar"},
		{"no tar", func(*forged) []byte { return []byte("x") }, "neither a tar nor a zip"},
		{"nothing", func(*forged) []byte { return nil }, "neither a tar nor a zip"},
		{"JSON without end", func(f *forged) []byte {
			for n := range 5 {
				f.put("", append([]byte(fmt.Sprintf(`{"%d":"`, n)), bytes.Repeat([]byte("x"), 4_000_000)...))
			}
			return f.tar()
		}, "more than 16777216 bytes of JSON"},
		{"a bomb", func(f *forged) []byte {
			f.change(func(m *Manifest, config map[string]any) {
				var out bytes.Buffer
				z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
				w := tar.NewWriter(z)
				w.WriteHeader(&tar.Header{Name: path, Mode: 0o755, Size: 1 << 40})
				for range 8 {
					w.Write(make([]byte, 1<<20))
				}
				z.Close()
				delete(f.all, blobDir+strings.TrimPrefix(m.Layers[0].Digest, "sha256:"))
				m.Layers[0] = f.put(typeGzip, out.Bytes())
			}, nil)
			return f.tar()
		}, "layer 1: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, "linux/amd64")
			data, made := b.make("  tool: {repository: e.org/tool}\n", Blobs{})
			f := &forged{t, members(t, data), made}
			data = test.make(f)
			err := Verify(t.Context(), f.made, bytes.NewReader(data), int64(len(data)))
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v\nwant %s", err, test.want)
			}
			if dir := t.TempDir(); err != nil && len(data) < 1<<20 {
				// What is unpacked stays in its directory.
				Unpack(t.Context(), bytes.NewReader(data), int64(len(data)), dir, f.made.Digest)
			}
		})
	}
}

// FuzzVerify: an image of which some bytes are others is read without harm, and is refused
// unless all of its content is the same.
func FuzzVerify(f *testing.F) {
	f.Add([]byte("x"), 0)
	f.Add([]byte("0"), 600)
	f.Add([]byte("\x00\x00"), 2048)
	f.Fuzz(func(t *testing.T, with []byte, at int) {
		b := newBench(t, "linux/amd64")
		data, made := b.make("  tool: {repository: e.org/tool}\n", Blobs{})
		if at < 0 || at >= len(data) {
			return
		}
		changed := append(append(bytes.Clone(data[:at]), with...), data[min(at+len(with), len(data)):]...)
		if err := Verify(t.Context(), made, bytes.NewReader(changed), int64(len(changed))); err != nil {
			return
		}
		if !maps.EqualFunc(members(t, data), members(t, changed), bytes.Equal) {
			t.Errorf("accepted with %q at %d", with, at)
		}
	})
}
