package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/channels"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/images"
	"github.com/mintmark/mintmark/profiles"
)

// memory is a registry without the referrers API that is held in memory, as crane shows
// it: what is pushed and has a subject is listed under the tag for that.
type memory struct {
	content map[string][]byte // by digest
	tags    map[string]string // digest by HOST/NAME:TAG
	calls   []string          // what was asked to be written
	// api says that it has the referrers API: it lists nothing under a tag.
	api bool
	// before is asked before each request; its error is the request's, which is then not
	// made, and after when it was made.
	before, after func(what string) error
}

var errBroken = errors.New("connection reset by peer")

func newMemory() *memory { return &memory{content: map[string][]byte{}, tags: map[string]string{}} }

func (m *memory) do(what string, f func() error) error {
	if m.before != nil {
		if err := m.before(what); err != nil {
			return err
		}
	}
	if err := f(); err != nil || m.after == nil {
		return err
	}
	return m.after(what)
}

func (m *memory) Get(_ context.Context, _, hex string, _ bool, to io.Writer) error {
	return m.do("get", func() error {
		data, ok := m.content[hex]
		if !ok {
			return errAbsent
		}
		_, err := to.Write(data)
		return err
	})
}

func (m *memory) digest(ref string) string {
	if _, hex, ok := strings.Cut(ref, "@sha256:"); ok {
		return hex
	}
	return m.tags[ref]
}

func (m *memory) Manifest(_ context.Context, ref string) (data []byte, ok bool, err error) {
	err = m.do("manifest "+ref, func() error {
		data, ok = m.content[m.digest(ref)]
		return nil
	})
	return data, ok && err == nil, err
}

func (m *memory) Push(_ context.Context, layout, ref string) error {
	what := "push " + ref
	m.calls = append(m.calls, what)
	return m.do(what, func() error {
		entries, err := os.ReadDir(filepath.Join(layout, "blobs", "sha256"))
		if err != nil {
			return err
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(layout, "blobs", "sha256", e.Name()))
			if err != nil {
				return err
			}
			if files.DigestBytes(data) != e.Name() {
				return fmt.Errorf("%s has another digest", e.Name())
			}
			m.content[e.Name()] = data
		}
		repository, hex, _ := strings.Cut(ref, "@sha256:")
		r, err := images.ParseReferrer(m.content[hex])
		if err != nil || m.api {
			return nil
		}
		return m.list(repository, r.Subject, hex)
	})
}

// list lists what refers to an image.
func (m *memory) list(repository, subject string, hexes ...string) error {
	at := repository + ":" + referrersTag(subject)
	var index images.Index
	if data, ok := m.content[m.tags[at]]; ok {
		if err := json.Unmarshal(data, &index); err != nil {
			return err
		}
	}
	for _, hex := range hexes {
		r, err := images.ParseReferrer(m.content[hex])
		if err != nil {
			return err
		}
		index.Manifests = append(index.Manifests, images.Descriptor{Digest: sha(hex), ArtifactType: r.Type})
	}
	data, err := json.Marshal(index)
	m.tags[at] = files.DigestBytes(data)
	m.content[m.tags[at]] = data
	return err
}

func (m *memory) Tag(_ context.Context, ref, tag string) error {
	m.calls = append(m.calls, "tag "+tag)
	return m.do("tag "+tag, func() error {
		repository, hex, _ := strings.Cut(ref, "@sha256:")
		if _, ok := m.content[hex]; !ok {
			return errAbsent
		}
		m.tags[repository+":"+tag] = hex
		return nil
	})
}

func (m *memory) Append(_ context.Context, repository, tag string, _ bool, hexes ...string) error {
	m.calls = append(m.calls, "append "+tag)
	return m.do("append", func() error { return m.list(repository, strings.TrimPrefix(tag, "sha256-"), hexes...) })
}

const where = "ghcr.io/acme/tool"

// release is one with an image in a directory, and its manifest.
func release(t *testing.T, version string) (dir string, m *checksums.Manifest, sums map[string]string) {
	t.Helper()
	dir = t.TempDir()
	program := []byte("program " + version)
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := os.WriteFile(filepath.Join(dir, "tool"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	r := images.ReleaseOf("tool", version, when, []channels.Offer{{
		Profile: "release", Platform: "linux/amd64", File: "tool", Format: fact.NoArchive,
		Programs: []channels.Program{{Path: "tool", Name: "tool", SHA256: files.DigestBytes(program)}},
	}})
	f, err := profiles.Load("m.yaml", []byte("version: 1\nproject: tool\nimages: {tool: {repository: "+where+", moving: [latest]}}\nprofiles: {release: {platforms: [linux/amd64]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.ImagesOf(profiles.Vars{Version: version})
	if err != nil {
		t.Fatal(err)
	}
	planned, err := images.Plan(list, r)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	made, err := planned[0].Write(t.Context(), &out, &images.Sources{Dir: dir, Temp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	made.Size, made.SHA256 = int64(out.Len()), files.DigestBytes(out.Bytes())
	sums = map[string]string{}
	for name, content := range map[string]string{made.Name: out.String(), checksums.ManifestFile: "{}", checksums.ProvenanceBundle: "{\"b\":1}", fact.CycloneDX.File(): "{\"c\":1}"} {
		sums[name] = files.DigestBytes([]byte(content))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m = &checksums.Manifest{Images: []checksums.Image{made}}
	m.Source.CommitTime = when.Format(time.RFC3339)
	return dir, m, sums
}

// publisher publishes releases by their versions.
func publisher(t *testing.T) func(m *memory, version string, dry bool) (string, error) {
	type made struct {
		list     []Image
		manifest *checksums.Manifest
	}
	all := map[string]made{}
	return func(m *memory, version string, dry bool) (string, error) {
		r, ok := all[version]
		if !ok {
			dir, manifest, sums := release(t, version)
			list, err := Images(dir, manifest, "", sums)
			if err != nil {
				t.Fatal(err)
			}
			r = made{list, manifest}
			all[version] = r
		}
		return publish(t, m, r.list, r.manifest, dry)
	}
}

// publish publishes a release, and says what became of it in short.
func publish(t *testing.T, m *memory, list []Image, manifest *checksums.Manifest, dry bool) (string, error) {
	t.Helper()
	c := &Client{m, t.TempDir()}
	m.calls = nil
	res, err := c.Publish(t.Context(), list, dry, func(string, ...any) {})
	if err != nil {
		return "", err
	}
	m.before, m.after = nil, nil
	r := res[0]
	said := []string{string(r.State)}
	for _, x := range r.Referrers {
		said = append(said, string(x.State))
	}
	for _, x := range r.Tags {
		said = append(said, x.Tag+" "+string(x.State))
	}
	if !dry {
		if err := c.Compare(t.Context(), where, &manifest.Images[0], manifest.Source.CommitTime); err != nil {
			t.Errorf("what was published is not what was released: %v", err)
		}
		for typ, want := range map[string]string{TypeBundle: "{\"b\":1}", TypeManifest: "{}", TypeCycloneDX: "{\"c\":1}"} {
			got, err := c.Attached(t.Context(), where, manifest.Images[0].Digest, typ)
			if err != nil || len(got) != 1 || string(got[0]) != want {
				t.Errorf("%s: %q, %v", typ, got, err)
			}
		}
	}
	return strings.Join(said, ", "), nil
}

// TestPublish: content comes first, what refers to it next, tags last; what is there is
// done, and a tag that is another image's is not taken away.
func TestPublish(t *testing.T) {
	publish := publisher(t)
	for _, api := range []bool{false, true} {
		m := newMemory()
		m.api = api
		for _, step := range []struct {
			version string
			dry     bool
			want    string
			calls   int
		}{
			{"1.0.0", true, "would be, would be, would be, would be, 1.0.0 would be, latest would be", 0},
			{"1.0.0", false, "published, published, published, published, 1.0.0 published, latest published", 6},
			{"1.0.0", false, "there, there, there, there, 1.0.0 there, latest there", 0},
			{"1.1.0", false, "published, published, published, published, 1.1.0 published, latest moved", 6},
			{"1.0.0", true, "there, there, there, there, 1.0.0 there, latest would be", 0},
		} {
			got, err := publish(m, step.version, step.dry)
			calls := step.calls
			if api && calls > 0 {
				calls++ // the tag for those that have no API
			}
			if err != nil || got != step.want || len(m.calls) != calls {
				t.Errorf("%+v, api %t: %s, %v, %q", step, api, got, err, m.calls)
			}
			if n := slices.IndexFunc(m.calls, func(c string) bool { return strings.HasPrefix(c, "tag ") }); n >= 0 && n != len(m.calls)-2 {
				t.Errorf("a tag is not the last: %q", m.calls)
			}
		}

		// Another image has the tag.
		m.tags[where+":1.2.0"] = m.tags[where+":1.0.0"]
		tags := maps.Clone(m.tags)
		_, err := publish(m, "1.2.0", false)
		if fault.ExitCode(err) != fault.Refused || len(m.calls) > 0 || !maps.Equal(tags, m.tags) || !strings.Contains(err.Error(), where+":1.2.0 leads to sha256:") {
			t.Errorf("%v, %q", err, m.calls)
		}
	}
}

// TestBroken: wherever it breaks, before a request had its effect or after it, the same
// command goes on and ends with the same; and no tag leads to what is not all there.
func TestBroken(t *testing.T) {
	publish := publisher(t)
	whole := newMemory()
	if _, err := publish(whole, "1.0.0", false); err != nil {
		t.Fatal(err)
	}
	for _, after := range []bool{false, true} {
		for n := 0; ; n++ {
			m := newMemory()
			requests, broke := 0, false
			fail := func(string) error {
				if requests++; requests == n+1 {
					broke = true
					return errBroken
				}
				return nil
			}
			if after {
				m.after = fail
			} else {
				m.before = fail
			}
			_, err := publish(m, "1.0.0", false)
			if !broke {
				break
			}
			if len(m.tags) > 0 && m.tags[where+":1.0.0"] != "" && len(m.content) != len(whole.content) {
				t.Errorf("request %d: a tag leads to what is not all there", n)
			}
			m.before, m.after = nil, nil
			if err == nil {
				t.Errorf("request %d broke, and nobody noticed", n)
			} else if _, err := publish(m, "1.0.0", false); err != nil || !maps.EqualFunc(m.content, whole.content, bytes.Equal) && !after || m.tags[where+":1.0.0"] != whole.tags[where+":1.0.0"] {
				t.Errorf("request %d: the same command again: %v", n, err)
			}
			if n > 60 {
				t.Fatal("no end")
			}
		}
	}
}

// TestChanged: what a registry gives is held against digests, and what others attach
// against what it says it is.
func TestChanged(t *testing.T) {
	dir, manifest, sums := release(t, "1.0.0")
	list, err := Images(dir, manifest, "", sums)
	if err != nil {
		t.Fatal(err)
	}
	i := &manifest.Images[0]
	for name, test := range map[string]struct {
		change func(m *memory)
		want   string
	}{
		"nothing": {func(*memory) {}, ""},
		"all content": {func(m *memory) {
			for k, v := range m.content {
				m.content[k] = append([]byte("x"), v[1:]...)
			}
		}, "has the SHA-256"},
		"content is away": {func(m *memory) { clear(m.content) }, "there is no such image"},
		"content that is longer": {func(m *memory) {
			for k, v := range m.content {
				m.content[k] = append(bytes.Clone(v), 'x')
			}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			c := &Client{m, t.TempDir()}
			if _, err := c.Publish(t.Context(), list, false, func(string, ...any) {}); err != nil {
				t.Fatal(err)
			}
			test.change(m)
			err := c.Compare(t.Context(), where, i, manifest.Source.CommitTime)
			if name == "nothing" != (err == nil) || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v\nwant %s", err, test.want)
			}
		})
	}
	m := newMemory()
	c := &Client{m, t.TempDir()}
	if _, err := c.Publish(t.Context(), list, false, func(string, ...any) {}); err != nil {
		t.Fatal(err)
	}
	other := *i
	other.Tags = []string{"2.0.0"} // by which the file calls it
	if err := c.Compare(t.Context(), where, &other, manifest.Source.CommitTime); err == nil || !strings.Contains(err.Error(), "as a file it has the SHA-256") {
		t.Errorf("another file with the same index: %v", err)
	}
	// A file that was changed after it was verified is not pushed.
	if err := os.WriteFile(filepath.Join(dir, checksums.ManifestFile), []byte("{ }"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Images(dir, manifest, "", sums); fault.ExitCode(err) != fault.Refused {
		t.Errorf("a changed file: %v", err)
	}
	if err := os.WriteFile(list[0].Path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	m.calls = nil
	if _, err := c.Publish(t.Context(), list, false, func(string, ...any) {}); err == nil || len(m.calls) > 0 {
		t.Errorf("a changed image: %v %q", err, m.calls)
	}
}

// TestAttached: of what refers to an image, only what has the digest and is about it is
// taken.
func TestAttached(t *testing.T) {
	m := newMemory()
	c := &Client{m, t.TempDir()}
	image := strings.Repeat("a", 64)
	attach := func(subject string, r images.Referrer) string {
		manifest, err := r.Manifest(subject, 1, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := r.WriteDir(dir, manifest); err != nil {
			t.Fatal(err)
		}
		if err := m.Push(t.Context(), dir, where+"@"+sha(files.DigestBytes(manifest))); err != nil {
			t.Fatal(err)
		}
		return files.DigestBytes(manifest)
	}
	attach(image, images.Referrer{Type: TypeBundle, Name: "a", Data: []byte("a")})
	attach(image, images.Referrer{Type: TypeSPDX, Name: "b", Data: []byte("b")})
	if got, err := c.Attached(t.Context(), where, image, TypeBundle); err != nil || len(got) != 1 || string(got[0]) != "a" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := c.Attached(t.Context(), where, strings.Repeat("b", 64), TypeBundle); err != nil || len(got) != 0 {
		t.Errorf("%q, %v", got, err)
	}
	// One about another image is listed as if it were about this one.
	other := attach(strings.Repeat("c", 64), images.Referrer{Type: TypeBundle, Name: "a", Data: []byte("c")})
	if err := m.list(where, image, other); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Attached(t.Context(), where, image, TypeBundle); err == nil || !strings.Contains(err.Error(), "about sha256:"+strings.Repeat("c", 64)) {
		t.Errorf("%q, %v", got, err)
	}
	// Somebody attaches many.
	for n := range maxAttached + 1 {
		attach(image, images.Referrer{Type: TypeManifest, Name: "a", Data: []byte{byte('a' + n)}})
	}
	if _, err := c.Attached(t.Context(), where, image, TypeManifest); err == nil || !strings.Contains(err.Error(), "more than 16") {
		t.Error(err)
	}
}

// TestParse: references are read as they are meant, or refused.
func TestParse(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	for in, want := range map[string]string{
		"oci://ghcr.io/acme/tool:1.0": "oci://ghcr.io/acme/tool:1.0", "oci://localhost:5000/a:x": "oci://localhost:5000/a:x",
		"oci://e.org/a@" + digest: "oci://e.org/a@" + digest, "oci://e.org/a:1@" + digest: "oci://e.org/a:1@" + digest,
		"oci://e.org/a": "", "oci://a:1": "", "oci://e.org/A:1": "", "oci://e.org/a:": "", "oci://e.org/a:-x": "", "https://e.org/a:1": "",
		"oci://user:pw@e.org/a:1": "", "oci://e.org/a@sha256:00": "", "oci://e.org/../a:1": "", "oci://e.org/a:1 --x": "", "oci://-x.org/a:1": "",
		"oci://e.org/a:" + referrersTag(digest[7:]): "",
	} {
		r, err := ParseRef(in)
		if (err == nil) != (want != "") || err == nil && r.String() != want {
			t.Errorf("%s: %s, %v", in, r, err)
		}
		if in == "oci://e.org/a" && !strings.Contains(err.Error(), "names neither a tag nor a digest") {
			t.Error(err)
		}
		if err != nil && fault.ExitCode(err) != fault.Usage {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// TestExplained: what a registry's answer means is read off its code.
func TestExplained(t *testing.T) {
	for output, want := range map[string]struct {
		absent bool
		hint   string
	}{
		"x\nError: fetching manifest e.org/a:1: GET https://e.org/v2/a/manifests/1: MANIFEST_UNKNOWN: manifest unknown":     {true, ""},
		"Error: GET https://e.org/v2/a/manifests/1: NAME_UNKNOWN: repository name not known to registry":                    {true, ""},
		"Error: GET https://e.org/v2/a/manifests/1: unexpected status code 404 Not Found: no":                               {true, ""},
		"Error: GET https://e.org/v2/a/manifests/1: UNAUTHORIZED: authentication required":                                  {false, "log in"},
		"Error: HEAD https://e.org/v2/a/blobs/x: unexpected status code 401 Unauthorized (HEAD has no body)":                {false, "log in"},
		"Error: PUT https://e.org/v2/a/manifests/1: unexpected status code 500 Internal Server Error":                       {false, ""},
		`Error: fetching manifest e.org/a:1: Get "https://e.org/v2/": dial tcp: lookup e.org on 192.0.2.1:53: no such host`: {false, "the registry cannot be reached"},
	} {
		err := explained(&toolchain.ExitError{Command: "crane", Code: 1, Output: output})
		if _, request := errors.AsType[*RequestError](err); request == want.absent {
			t.Errorf("%s: %v: that nothing is known: %t", output, err, request)
		}
		if errors.Is(err, errAbsent) != want.absent || !strings.HasPrefix(fault.Hint(err), want.hint) || want.hint == "" && fault.Hint(err) != "" || strings.Contains(err.Error(), "Error: ") {
			t.Errorf("%s: %v; %s", output, err, fault.Hint(err))
		}
	}
	const signed = `Error: Get "https://s3.example/blob?X-Amz-Signature=abc&x=1": EOF`
	if err := explained(&toolchain.ExitError{Output: signed}); strings.Contains(err.Error(), "abc") || err.Error() != `Get "https://s3.example/blob?…": EOF` {
		t.Error(err)
	}
	if err := explained(&toolchain.ExitError{Output: "Error: " + strings.Repeat("x", 1<<20)}); len(err.Error()) > 2000 {
		t.Errorf("the answer has %d bytes", len(err.Error()))
	}
	if err := explained(errBroken); !errors.Is(err, errBroken) || explained(nil) != nil {
		t.Error(err)
	}
}
