package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// Sources are what an image is made of.
type Sources struct {
	Dir string // with the files that the units publish
	// Copy is a private copy of the module's directory in the commit, and Executable
	// says which of its files, by their slash-separated paths, can be run.
	Copy       string
	Executable func(name string) bool
	Cache      Blobs  // what was fetched of the base
	Temp       string // an empty directory, for layers
}

// defaultUser is who a container without a base runs as: nobody, as in the images that
// are called distroless.
const defaultUser = "65532:65532"

// maker makes one image.
type maker struct {
	*Image
	*Sources
	ctx   context.Context
	blobs map[string]archive.Member // by digest, lower-case hex
}

// Write writes the image as a tar with an OCI image layout, and says what is in it but
// the name, the size, the digest and how often it was made, which whoever writes the
// file knows.
func (i *Image) Write(ctx context.Context, w io.Writer, from *Sources) (made checksums.Image, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", i.Name(), err)
		}
	}()
	m := &maker{i, from, ctx, map[string]archive.Member{}}
	s := i.settings
	made = checksums.Image{
		Name: i.Name(), Repository: s.Repository, Tags: s.Tags, Moving: s.Moving, Tool: archive.Tool(archive.TarGz),
	}
	var bases []layered
	if i.base != nil {
		made.Base = i.base.String()
		if bases, err = from.Cache.read(ctx, i.base, i.Platforms(), nil); err != nil {
			return made, err
		}
	}
	files := m.files()
	index := Index{SchemaVersion: 2, MediaType: typeIndex, Annotations: m.annotations()}
	for n, c := range i.platforms {
		var base *layered
		if bases != nil {
			base = &bases[n]
		}
		d, p, shared, err := m.platform(c, base, files)
		if err != nil {
			return made, fmt.Errorf("%s: %w", c.as, err)
		}
		made.Files = shared // the same in all
		index.Manifests = append(index.Manifests, d)
		made.Platforms = append(made.Platforms, p)
	}
	top, err := m.put(typeIndex, index)
	if err != nil {
		return made, err
	}
	made.Digest = strings.TrimPrefix(top.Digest, "sha256:")
	return made, writeLayout(ctx, w, top, &made, m.blobs, m.release.Time)
}

// writeLayout writes the tar of an image: the content by its digest, what leads to it, and
// which form that has.
func writeLayout(ctx context.Context, w io.Writer, top Descriptor, of *checksums.Image, blobs map[string]archive.Member, when time.Time) error {
	// What reads an image from a file calls it so
	// (https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md, and containerd's images/archive).
	top.Annotations = map[string]string{annotationPrefix + "ref.name": of.Tags[0]}
	if of.Repository != "" {
		top.Annotations["io.containerd.image.name"] = of.Repository + ":" + of.Tags[0]
	}
	index, err := encode(Index{SchemaVersion: 2, MediaType: typeIndex, Manifests: []Descriptor{top}})
	if err != nil {
		return err
	}
	members := []archive.Member{text(layoutFile, []byte(layoutContent)), text(indexFile, index)}
	for _, hex := range slices.Sorted(maps.Keys(blobs)) {
		members = append(members, blobs[hex])
	}
	_, err = archive.WriteTar(ctx, w, members, when)
	return err
}

// Members of a layout.
const (
	layoutFile    = "oci-layout"
	layoutContent = `{"imageLayoutVersion":"1.0.0"}`
	indexFile     = "index.json"
	blobDir       = "blobs/sha256/"
)

// text is a member of an archive with that content.
func text(name string, data []byte) archive.Member {
	return archive.Member{Name: name, Open: func() (io.ReadCloser, int64, error) {
		return io.NopCloser(bytes.NewReader(data)), int64(len(data)), nil
	}}
}

// put adds a value as content.
func (m *maker) put(mediaType string, v any) (Descriptor, error) {
	data, err := encode(v)
	if err != nil {
		return Descriptor{}, err
	}
	d := blob(mediaType, data)
	hex := strings.TrimPrefix(d.Digest, "sha256:")
	m.blobs[hex] = text(blobDir+hex, data)
	return d, nil
}

// layer is one that was made.
type layer struct {
	Descriptor
	diff    string // digest of it when it is unpacked
	members []checksums.Member
}

// layer makes a layer of these files, with their directories but those that are below it
// already, which has is; it adds them. Name is that of a file for it.
func (m *maker) layer(name string, list []archive.Member, has map[string]bool) (*layer, error) {
	l := &layer{}
	for _, f := range slices.Clone(list) {
		for _, d := range parents(f.Name) {
			if !has[d] {
				has[d] = true
				list = append(list, archive.Member{Name: d, Directory: true})
			}
		}
	}
	sum := sha256.New()
	if _, err := archive.WriteTar(m.ctx, sum, list, m.release.Time); err != nil {
		return nil, err
	}
	l.diff = digestOf(hex.EncodeToString(sum.Sum(nil)))
	to := filepath.Join(m.Temp, name+".layer")
	var info archive.Info
	err := files.Create(to, 0o644, func(f *os.File) (err error) {
		info, err = archive.Write(m.ctx, f, archive.TarGz, list, m.release.Time)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, e := range info.Entries {
		l.members = append(l.members, checksums.Member{Name: e.Name, Size: e.Size, SHA256: e.SHA256, Mode: fmt.Sprintf("%04o", e.Mode.Perm())})
	}
	l.Descriptor = Descriptor{MediaType: typeGzip, Digest: digestOf(info.SHA256), Size: info.Size}
	m.blobs[info.SHA256] = archive.Member{Name: blobDir + info.SHA256, SHA256: info.SHA256, Open: archive.Opener(to)}
	return l, nil
}

// files are the files of the commit, as members of a layer.
func (m *maker) files() (list []archive.Member) {
	for to, from := range m.sources() {
		list = append(list, archive.Member{
			Name: to, Executable: to != inImage(fact.CertificatesPath) && m.Executable(from),
			Open: func() (io.ReadCloser, int64, error) { return openSource(m.Copy, from) },
		})
	}
	return list
}

// programs are those of a platform, as members of a layer. What is in an archive is
// unpacked to where a layer is.
func (m *maker) programs(c chosen) (list []archive.Member, err error) {
	byFile := map[string][]program{}
	for _, p := range c.programs {
		byFile[p.file] = append(byFile[p.file], p)
	}
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		at := filepath.Join(m.Dir, file)
		to := map[string]string{} // path in the file → file
		for _, p := range byFile[file] {
			open := archive.Opener(at)
			if p.format != fact.NoArchive {
				to[p.Path] = filepath.Join(m.Temp, fmt.Sprintf("program-%d", len(list)))
				open = archive.Opener(to[p.Path])
			}
			list = append(list, archive.Member{Name: p.path, Executable: true, SHA256: p.SHA256, Open: open})
		}
		if len(to) == 0 {
			continue
		}
		_, err := archive.Scan(m.ctx, at, func(h archive.Header, r io.Reader) error {
			out, ok := to[h.Name]
			if !ok {
				return nil
			}
			return files.WriteFrom(out, r, 0o644)
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// startable refuses programs that a system starts by another one, the loader of a C
// library, which an image without a base does not have.
func (m *maker) startable(programs []archive.Member) error {
	for _, p := range programs {
		loader, err := loaderOf(p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		if _, ok := m.sources()[inImage(loader)]; loader == "" || ok {
			continue
		}
		return fault.Errorf("name a base that has it, or link the program without a C library: cgo: false", "/%s is started by %s, which an image without a base does not have", p.Name, loader)
	}
	return nil
}

// maxLoader bounds the name of a loader.
const maxLoader = 4096

// loaderOf is the program that starts another one (PT_INTERP); "" for none, and for what
// is no program of Linux.
func loaderOf(p archive.Member) (string, error) {
	in, _, err := p.Open()
	if err != nil {
		return "", err
	}
	defer in.Close()
	at, ok := in.(io.ReaderAt)
	if !ok {
		return "", nil
	}
	f, err := elf.NewFile(at)
	if err != nil {
		return "", nil
	}
	for _, s := range f.Progs {
		if s.Type == elf.PT_INTERP {
			name, err := files.ReadAll(s.Open(), maxLoader)
			return strings.TrimRight(string(name), "\x00"), err
		}
	}
	return "", nil
}

// platform makes the image of one platform.
func (m *maker) platform(c chosen, base *layered, shared []archive.Member) (d Descriptor, p checksums.ImagePlatform, files []checksums.Member, err error) {
	p = checksums.ImagePlatform{Profile: c.profile, Platform: c.platform.String()}
	members, err := m.programs(c)
	if err != nil {
		return d, p, nil, err
	}
	has, err := m.below(base, append(slices.Clone(shared), members...))
	if err != nil {
		return d, p, nil, err
	}
	var above []*layer
	name := strings.ReplaceAll(c.as.String(), "/", "-")
	if len(shared) > 0 {
		l, err := m.layer("files-"+name, shared, has)
		if err != nil {
			return d, p, nil, err
		}
		files, above = l.members, append(above, l)
	}
	programs, err := m.layer("programs-"+name, members, has)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("a program is not where the plan has it: %w", err)
	}
	if err != nil {
		return d, p, nil, err
	}
	p.Programs, above = programs.members, append(above, programs)
	if base == nil {
		if err := m.startable(members); err != nil {
			return d, p, nil, err
		}
	}
	manifest := Manifest{SchemaVersion: 2, MediaType: typeManifest, Annotations: m.annotations()}
	if base != nil {
		for _, l := range base.manifest.Layers {
			sum, err := l.hex()
			if err != nil {
				return d, p, nil, err
			}
			p.BaseLayers = append(p.BaseLayers, sum)
			m.blobs[sum] = archive.Member{Name: blobDir + sum, SHA256: sum, Open: archive.Opener(m.Cache.path(sum))}
			manifest.Layers = append(manifest.Layers, l)
		}
	}
	for _, l := range above {
		manifest.Layers = append(manifest.Layers, l.Descriptor)
	}
	if manifest.Config, err = m.put(typeConfig, m.config(c, base, above)); err != nil {
		return d, p, nil, err
	}
	if d, err = m.put(typeManifest, manifest); err != nil {
		return d, p, nil, err
	}
	p.Digest = strings.TrimPrefix(d.Digest, "sha256:")
	d.Platform = &c.as
	return d, p, files, nil
}

// config is the configuration of an image: that of the base, with what is said of this
// one.
func (m *maker) config(c chosen, base *layered, above []*layer) map[string]any {
	s := m.settings
	run, history, diffs := map[string]any{}, []any{}, []any{}
	if base != nil {
		if of, ok := base.config["config"].(map[string]any); ok {
			maps.Copy(run, of)
		}
		layers := 0
		of, _ := base.config["history"].([]any)
		for _, h := range of {
			entry, _ := h.(map[string]any)
			if entry["empty_layer"] != true {
				layers++
			}
		}
		if layers == len(base.diffs) {
			history = append(history, of...)
		} else { // it has none, or one that says nothing
			for range base.diffs {
				history = append(history, map[string]any{"created_by": "base " + m.base.String()})
			}
		}
		for _, d := range base.diffs {
			diffs = append(diffs, d)
		}
	}
	created := m.release.Time.UTC().Format(time.RFC3339)
	for _, l := range above {
		diffs = append(diffs, l.diff)
		history = append(history, map[string]any{"created": created, "created_by": "mintmark", "comment": m.release.Project + " " + m.release.Version})
	}
	// What started the base starts nothing here.
	delete(run, "Cmd")
	if s.Entrypoint == nil {
		run["Entrypoint"] = []string{"/" + c.programs[0].path}
	} else if len(s.Entrypoint) > 0 {
		run["Entrypoint"] = s.Entrypoint
	} else {
		delete(run, "Entrypoint")
	}
	if len(s.Cmd) > 0 {
		run["Cmd"] = s.Cmd
	}
	if s.User != "" {
		run["User"] = s.User
	} else if base == nil {
		run["User"] = defaultUser
	}
	if s.WorkDir != "" {
		run["WorkingDir"] = s.WorkDir
	} else if base == nil {
		run["WorkingDir"] = "/"
	}
	run["Env"] = m.env(run["Env"])
	if len(s.Ports) > 0 {
		ports := map[string]any{}
		if of, ok := run["ExposedPorts"].(map[string]any); ok {
			maps.Copy(ports, of)
		}
		for _, p := range s.Ports {
			ports[p] = map[string]any{}
		}
		run["ExposedPorts"] = ports
	}
	labels := map[string]any{}
	if of, ok := run["Labels"].(map[string]any); ok {
		maps.Copy(labels, of)
	}
	// What the base says of itself, such as its licence, is not of what is in it here.
	maps.DeleteFunc(labels, func(k string, _ any) bool { return strings.HasPrefix(k, annotationPrefix) })
	for k, v := range m.derived() {
		labels[k] = v
	}
	for k, v := range s.Labels {
		labels[k] = v
	}
	run["Labels"] = labels
	out := map[string]any{
		"architecture": c.as.Architecture, "os": c.as.OS, "created": created, "config": run,
		"rootfs": map[string]any{"type": "layers", "diff_ids": diffs}, "history": history,
	}
	if c.as.Variant != "" {
		out["variant"] = c.as.Variant
	}
	return out
}

// defaultPath is what Docker sets where an image says nothing.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// env are the variables of the base, with those of this image in their places.
func (m *maker) env(of any) (list []string) {
	base, _ := of.([]any)
	for _, v := range base {
		list = append(list, textOf(v))
	}
	if m.base == nil {
		list = []string{defaultPath}
	}
	for _, name := range slices.Sorted(maps.Keys(m.settings.Env)) {
		value := name + "=" + m.settings.Env[name]
		if n := slices.IndexFunc(list, func(v string) bool { return strings.HasPrefix(v, name+"=") }); n >= 0 {
			list[n] = value
		} else {
			list = append(list, value)
		}
	}
	return list
}

// annotationPrefix begins the names of annotations that the specification has.
const annotationPrefix = "org.opencontainers.image."

// derived are the annotations that follow from the release
// (https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md).
func (m *maker) derived() map[string]string {
	r := m.release
	const of = annotationPrefix
	list := map[string]string{
		of + "title": r.Project, of + "version": r.Version, of + "created": r.Time.UTC().Format(time.RFC3339),
	}
	if r.Commit != "" {
		list[of+"revision"] = r.Commit
	}
	if at := repositoryOf(r.Module); at != "" {
		list[of+"source"] = at
	}
	if len(r.Licenses) == 1 { // of several nobody said whether both hold or one may be chosen
		list[of+"licenses"] = r.Licenses[0]
	}
	if m.base != nil {
		list[of+"base.name"], list[of+"base.digest"] = m.base.Name(), m.base.Digest()
	}
	return list
}

// repositoryOf is the page of the repository that a module is in, where its path says it;
// "" where it does not.
func repositoryOf(module string) string {
	parts := strings.Split(module, "/")
	if len(parts) < 3 || !slices.Contains([]string{"github.com", "gitlab.com", "codeberg.org", "bitbucket.org"}, parts[0]) {
		return ""
	}
	if parts[0] == "gitlab.com" && len(parts) > 3 {
		return "" // groups are below groups: where the repository ends is not in the path
	}
	return "https://" + strings.Join(parts[:3], "/")
}

// annotations are those of the index and of each image.
func (m *maker) annotations() map[string]string {
	list := m.derived()
	maps.Copy(list, m.settings.Annotations)
	return list
}
