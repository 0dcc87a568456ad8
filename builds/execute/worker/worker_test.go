package worker

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/execute/parcel"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/stamp"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/mod/sumdb/dirhash"
)

const (
	testGo  = "go1.26.8"
	version = "v1.2.3-test"
	h1      = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
)

// fakeGo is a go command that compiles nothing: what it makes says in which environment,
// and of which source. A source may want it to take its time, or to fail.
const fakeGo = `#!/bin/sh
[ "$1" = mod ] && exit 0
out= graph=
for a in "$@"; do
	case "$before" in -o) out=$a ;; esac
	case "$a" in -debug-actiongraph=*) graph=${a#*=} ;; esac
	before=$a
done
case "$*" in *-ldflags=-s*) printf 'the program\n' >"$out"; exit 0 ;; esac
[ -f fails ] && { echo "main.go:1: it fails" >&2; exit 1; }
printf '[{"ID":0,"Mode":"build","Package":"example.com/tool","ActionID":"a","BuildID":"a/b"}]' >"$graph"
{ env; echo "wd=$(pwd)"; echo "asks=$(git 2>&1)"; cat main.go; } >"${out}tool"
`

// kit is what a request is made of.
type kit struct {
	t    testing.TB
	dir  string
	file map[string]string // inputs
	w    *Worker
	tc   fact.Toolchain
	zip  Input
}

func newKit(t testing.TB) *kit {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("its go command is a shell script")
	}
	k := &kit{t: t, dir: t.TempDir(), file: map[string]string{}}
	k.w = &Worker{Dir: filepath.Join(k.dir, "worker"), Version: version, Now: time.Now}
	host := runtime.GOOS + "/" + runtime.GOARCH
	k.tc = fact.Toolchain{Version: testGo, Host: host, Module: toolchain.ModuleOf(testGo, host)}
	k.tc, k.zip = k.toolchain(fakeGo)
	return k
}

// toolchain makes a toolchain of a go command.
func (k *kit) toolchain(text string) (fact.Toolchain, Input) {
	k.t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	tc := k.tc
	for name, text := range map[string]string{"bin/go": text, "VERSION": testGo + "\n"} {
		w, err := z.Create(tc.Module + "/" + name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			k.t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		k.t.Fatal(err)
	}
	in := k.input(buf.Bytes())
	sum, err := dirhash.HashZip(k.file[in.SHA256], dirhash.Hash1)
	if err != nil {
		k.t.Fatal(err)
	}
	tc.Sum = sum
	return tc, in
}

func (k *kit) input(data []byte) Input {
	k.t.Helper()
	sum := files.DigestBytes(data)
	name := filepath.Join(k.dir, sum)
	if err := os.WriteFile(name, data, 0o644); err != nil {
		k.t.Fatal(err)
	}
	k.file[sum] = name
	return Input{sum, int64(len(data))}
}

// archive is a source archive with these files.
func (k *kit) archive(texts map[string]string) Input {
	k.t.Helper()
	dir := k.t.TempDir()
	for name, text := range texts {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			k.t.Fatal(err)
		}
	}
	var buf bytes.Buffer
	if err := PackSource(k.t.Context(), &buf, dir, func(string) bool { return false }); err != nil {
		k.t.Fatal(err)
	}
	return k.input(buf.Bytes())
}

// aPlan is one that planners of this version could make.
func aPlan() *plan.Plan {
	return &plan.Plan{
		Schema: fact.PlanSchema, Project: "tool", Version: "1.2.3", Go: testGo, Env: plan.CommonEnv(),
		Source: fact.SourceID{Kind: fact.SourceGit, Module: "example.com/tool", Version: "v1.2.3", Sum: h1, Commit: strings.Repeat("c", 40), CommitTime: "2026-01-02T03:04:05Z"},
		Units: []*plan.Unit{{
			Profile: "release", Platform: "linux/amd64", Env: []string{"GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "CGO_ENABLED=0"},
			Flags: []string{"-trimpath", "-buildvcs=true", "-mod=readonly"}, Mains: []fact.Main{{Package: "example.com/tool", Binary: "tool"}},
			Archive: fact.NoArchive, Name: "tool", Verify: fact.RequireIdentical,
		}},
	}
}

// use puts a plan into a build.
func (b *Build) use(t testing.TB, p *plan.Plan) {
	t.Helper()
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	b.Plans, b.Plan = bytes.TrimSpace(data), files.DigestBytes(data)
}

var nonces int

func nonce() string {
	nonces++
	return fmt.Sprintf("%032x", nonces)
}

// request asks for a build of a source archive, of a run of its own.
func (k *kit) request(source Input) *Request {
	k.t.Helper()
	r := NewRequest(version)
	b := &Build{Run: nonce(), Toolchain: k.tc, Zip: k.zip.SHA256}
	b.Job = parcel.Job{Profile: "release", Platform: "linux/amd64", Build: First, Nonce: nonce()}
	b.use(k.t, aPlan())
	b.Source = Source{
		Kind: fact.SourceGit, Archive: source.SHA256, Module: "example.com/tool", Version: "v1.2.3", Sum: h1,
		Stamp: &stamp.Claim{Revision: strings.Repeat("c", 40), Time: time.Unix(1, 0).UTC(), Tags: []string{"v1.2.3"}},
	}
	r.Build = b
	k.inputs(r, k.zip, source)
	return r
}

// inputs sorts the inputs of a request.
func (k *kit) inputs(r *Request, list ...Input) {
	sums := map[string]Input{}
	for _, in := range list {
		sums[in.SHA256] = in
	}
	r.Inputs = nil
	for len(sums) > 0 {
		least := ""
		for s := range sums {
			if least == "" || s < least {
				least = s
			}
		}
		r.Inputs = append(r.Inputs, sums[least])
		delete(sums, least)
	}
}

// send sends a request with all its inputs.
func (k *kit) send(r *Request) (*Answer, []*parcel.Entry) {
	k.t.Helper()
	var sums []string
	for _, in := range r.Inputs {
		sums = append(sums, in.SHA256)
	}
	var in bytes.Buffer
	if err := WriteRequest(k.t.Context(), &in, r, k.file, sums); err != nil {
		k.t.Fatal(err)
	}
	return k.serve(in.Bytes(), r)
}

// serve has the worker answer, and reads that.
func (k *kit) serve(in []byte, r *Request) (*Answer, []*parcel.Entry) {
	k.t.Helper()
	var out bytes.Buffer
	ok, err := k.w.Serve(k.t.Context(), bytes.NewReader(in), &out)
	if err != nil {
		k.t.Fatal(err)
	}
	tr := tar.NewReader(parcel.Whole(&out))
	a, err := ReadAnswer(tr, version)
	if err != nil {
		k.t.Fatal(err)
	}
	if ok != (a.Error == nil) {
		k.t.Errorf("%v, and the error is %v", ok, a.Error)
	}
	p := aPlan()
	if r != nil && r.Build != nil {
		if p, err = plan.Decode(append(bytes.Clone(r.Build.Plans), '\n')); err != nil {
			p = aPlan()
		}
	}
	list, err := parcel.ReadSome(k.t.Context(), tr, p, filepath.Join(k.t.TempDir(), "in"), 1)
	if err != nil {
		k.t.Fatal(err)
	}
	return a, list
}

// built is what the fake go command has made.
func (k *kit) built(r *Request) string {
	k.t.Helper()
	a, list := k.send(r)
	if a.Error != nil || len(list) != 1 {
		k.t.Fatalf("%+v, %d outcomes", a.Error, len(list))
	}
	if err := list[0].Of(r.Build.Job); err != nil {
		k.t.Error(err)
	}
	o, err := list[0].Outcome("x")
	if err != nil {
		k.t.Fatal(err)
	}
	data, err := os.ReadFile(o.Products[0].Path)
	if err != nil {
		k.t.Fatal(err)
	}
	return string(data)
}

// refused sends a request, which must be refused with an error that says so.
func (k *kit) refused(what, want string, r *Request) {
	k.t.Helper()
	a, list := k.send(r)
	if a.Error == nil || !strings.Contains(a.Error.Text, want) || len(list) > 0 {
		k.t.Errorf("%s: %+v, %d outcomes; want %q", what, a.Error, len(list), want)
	}
}

// TestServe: a unit is built, with a receipt for it, and of the execution nothing stays.
// Nothing of the worker's own environment reaches the go command.
func TestServe(t *testing.T) {
	k := newKit(t)
	for _, name := range []string{"MINTMARK_KEY", "MINTMARK_KEY_PASSWORD", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "HTTP_PROXY"} {
		t.Setenv(name, "secret-of-the-worker")
	}
	for _, name := range []string{First, Second} {
		r := k.request(k.archive(map[string]string{"main.go": "package main // one\n", "go.mod": "module example.com/tool\n"}))
		r.Build.Build = name
		text := k.built(r)
		if strings.Contains(text, "secret-of-the-worker") {
			t.Errorf("%s: the go command gets\n%s", name, text)
		}
		for _, want := range []string{"package main // one", "MINTMARK_NONCE=" + r.Build.Nonce, r.Build.Nonce + "\n", "GOPROXY=file:", "GOSUMDB=off"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
		k.refused("the same nonce again", "was used", r)
		filepath.WalkDir(k.w.Dir, func(path string, d os.DirEntry, err error) error {
			if d.Name() == r.Build.Nonce && filepath.Base(filepath.Dir(path)) != noncesName {
				t.Errorf("%s: %s stays", name, path)
			}
			return err
		})
	}
	a, list := k.send(NewRequest(version))
	if a.Error != nil || len(list) > 0 || a.CPUs != runtime.NumCPU() || a.Memory <= 0 {
		t.Errorf("the greeting: %+v, %d outcomes", a, len(list))
	}
}

// TestFails: what the go command says arrives, and nothing stays of the attempt.
func TestFails(t *testing.T) {
	k := newKit(t)
	r := k.request(k.archive(map[string]string{"main.go": "x", "fails": ""}))
	k.refused("a build that fails", "it fails", r)
	filepath.WalkDir(filepath.Join(k.w.Dir, runsName), func(path string, d os.DirEntry, err error) error {
		if d.Name() == r.Build.Nonce {
			t.Errorf("%s stays", path)
		}
		return err
	})
}

// TestOtherVersions: both are named, whatever else the other one says.
func TestOtherVersions(t *testing.T) {
	k := newKit(t)
	for what, text := range map[string]string{
		"another version":  fmt.Sprintf(`{"schema":%q,"protocol":1,"version":"v9.9.9","news":[]}`, fact.WorkerSchema),
		"another protocol": fmt.Sprintf(`{"schema":%q,"protocol":77,"version":"v9.9.9","build":7}`, fact.WorkerSchema),
		"another schema":   `{"schema":"https://example.com/x","protocol":1,"version":"v9.9.9"}`,
	} {
		a, _ := k.serve(tarOf(t, member{name: requestName, text: text}), nil)
		if a.Error == nil || !strings.Contains(a.Error.Text, "v9.9.9") || !strings.Contains(a.Error.Text, version) || a.Error.Hint == "" {
			t.Errorf("%s: %+v", what, a.Error)
		}
	}
	a, _ := k.serve(tarOf(t, member{name: requestName, text: fmt.Sprintf(`{"schema":%q,"protocol":77,"version":%q}`, fact.WorkerSchema, version)}), nil)
	if want := fmt.Sprintf("(versions 77 and %d of the protocol)", Protocol); a.Error == nil || !strings.Contains(a.Error.Text, want) {
		t.Errorf("%+v, want %s", a.Error, want)
	}
}

// member is one of a tar.
type member struct {
	name, text, link string
	kind             byte
	mode             int64
}

func tarOf(t testing.TB, list ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, m := range list {
		h := &tar.Header{Name: m.name, Linkname: m.link, Typeflag: m.kind, Mode: m.mode, Size: int64(len(m.text)), Format: tar.FormatPAX}
		if m.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, m.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestNotCanonical: a request has one form, in one tar.
func TestNotCanonical(t *testing.T) {
	k := newKit(t)
	good, err := encode(k.request(k.archive(map[string]string{"main.go": "x"})))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readRequest(tar.NewReader(bytes.NewReader(tarOf(t, member{name: requestName, text: string(good)}))), version); err != nil {
		t.Fatal(err)
	}
	for what, list := range map[string][]member{
		"nothing":             nil,
		"another name":        {{name: "x", text: string(good)}},
		"a link":              {{name: requestName, kind: tar.TypeSymlink, link: "/etc/passwd"}},
		"empty":               {{name: requestName}},
		"no JSON":             {{name: requestName, text: "{"}},
		"a blank":             {{name: requestName, text: " " + string(good)}},
		"no newline":          {{name: requestName, text: strings.TrimSpace(string(good))}},
		"two":                 {{name: requestName, text: string(good) + string(good)}},
		"an unknown key":      {{name: requestName, text: strings.Replace(string(good), `"build":{`, `"build":{"x":1,`, 1)}},
		"a key twice":         {{name: requestName, text: strings.Replace(string(good), `"p":0`, `"p":1,"p":0`, 1)}},
		"another case":        {{name: requestName, text: strings.Replace(string(good), `"run"`, `"Run"`, 1)}},
		"a blank in the plan": {{name: requestName, text: strings.Replace(string(good), `"plan_json":{`, `"plan_json":{ `, 1)}},
	} {
		a, n := k.serve(tarOf(t, list...), nil)
		if a.Error == nil || len(n) > 0 {
			t.Errorf("%s: taken", what)
		}
	}
	whole := tarOf(t, member{name: requestName, text: string(good)})
	for _, n := range []int{0, 100, 512, 1024, len(whole) - 1024} {
		if a, _ := k.serve(whole[:n], nil); a.Error == nil {
			t.Errorf("%d bytes of %d: taken", n, len(whole))
		}
	}
}

// hostileNames lead elsewhere on one of the systems, or are no names at all.
func hostileNames() []string {
	return []string{
		"", ".", "..", "../x", "a/../../x", "a/..", "/x", "//x", "a//b", "./a", "a/", `..\x`, `a\..\..\x`, `C:\x`, "C:x", "a\x00b", "a/b:stream", "a/.",
	}
}

// TestChecked: what no request of ours says is refused before anything is made of it.
func TestChecked(t *testing.T) {
	k := newKit(t)
	source := k.archive(map[string]string{"main.go": "x"})
	type change struct {
		what string
		f    func(*Request)
	}
	changes := []change{
		{"a digest as a path", func(r *Request) { r.Inputs[0].SHA256 = "../../x" }},
		{"a digest in capitals", func(r *Request) { r.Inputs[0].SHA256 = strings.ToUpper(r.Inputs[0].SHA256) }},
		{"a negative size", func(r *Request) { r.Inputs[0].Size = -1 }},
		{"a very large input", func(r *Request) { r.Inputs[0].Size = maxInput + 1 }},
		{"inputs that are not sorted", func(r *Request) { r.Inputs[0], r.Inputs[1] = r.Inputs[1], r.Inputs[0] }},
		{"an input twice", func(r *Request) { r.Inputs = append(r.Inputs, r.Inputs[1]) }},
		{"an archive that is no input", func(r *Request) { r.Build.Source.Archive = strings.Repeat("0", 64) }},
		{"a toolchain that is no input", func(r *Request) { r.Build.Zip = strings.Repeat("0", 64) }},
		{"no nonce", func(r *Request) { r.Build.Nonce = "" }},
		{"a nonce as a path", func(r *Request) { r.Build.Nonce = "../../../../../../../../../../../x" }},
		{"a nonce in capitals", func(r *Request) { r.Build.Nonce = strings.Repeat("AB", 16) }},
		{"a run as a path", func(r *Request) { r.Build.Run = "../../../../../../../../../../../x" }},
		{"no run", func(r *Request) { r.Build.Run = "" }},
		{"a build of another name", func(r *Request) { r.Build.Build = "../first" }},
		{"negative width", func(r *Request) { r.Build.P = -1 }},
		{"a width of thousands", func(r *Request) { r.Build.P = 1 << 20 }},
		{"a toolchain version as a path", func(r *Request) { r.Build.Toolchain.Version = "go1.26.8/../../x" }},
		{"no exact toolchain", func(r *Request) { r.Build.Toolchain.Version = "go1.26" }},
		{"a toolchain hash as a path", func(r *Request) { r.Build.Toolchain.Sum = `h1:\..\..\x` }},
		{"no toolchain hash", func(r *Request) { r.Build.Toolchain.Sum = "" }},
		{"a toolchain of another module", func(r *Request) { r.Build.Toolchain.Module = "example.com/x@v1.0.0" }},
		{"a toolchain of another system", func(r *Request) { r.Build.Toolchain.Host = "plan9/386" }},
		{"a flag in the place of a module", func(r *Request) { r.Build.Fetch = []string{"-modfile=/x"} }},
		{"no module", func(r *Request) { r.Build.Fetch = []string{""} }},
		{"another kind of source", func(r *Request) { r.Build.Source.Kind = "svn" }},
		{"a commit without stamp", func(r *Request) { r.Build.Source.Stamp = nil }},
		{"a commit without files", func(r *Request) { r.Build.Source.Archive = "" }},
		{"another plan", func(r *Request) { r.Build.Plan = strings.Repeat("0", 64) }},
		{"no plan", func(r *Request) { r.Build.Plans = nil }},
		{"a unit that is not there", func(r *Request) { r.Build.Platform = "plan9/386" }},
		{"another version of the source", func(r *Request) { r.Build.Source.Version = "v1.2.4" }},
		{"another module", func(r *Request) { r.Build.Source.Module = "example.com/other" }},
		{"another hash of the source", func(r *Request) { r.Build.Source.Sum = "h1:x" }},
		{"another directory than the plan's", func(r *Request) { r.Build.Source.Dir = "sub" }},
		{"a line of the stamp in a revision", func(r *Request) { r.Build.Source.Stamp.Revision = "c\nroot /" }},
		{"a line of the stamp in a tag", func(r *Request) { r.Build.Source.Stamp.Tags = []string{"v1.2.3\nroot /"} }},
	}
	for _, name := range hostileNames() {
		changes = append(changes, change{fmt.Sprintf("a module's file %q", name), func(r *Request) {
			r.Build.Modules = []ModuleFile{{Name: name, Input: r.Inputs[0].SHA256}}
		}})
		if name != "" {
			changes = append(changes, change{fmt.Sprintf("the directory %q", name), func(r *Request) { r.Build.Source.Dir = name }})
		}
	}
	changes = append(changes, change{"a module's file twice", func(r *Request) {
		sum := r.Inputs[0].SHA256
		r.Build.Modules = []ModuleFile{{Name: "a/@v/list", Input: sum}, {Name: "A/@v/list", Input: sum}}
	}})
	for _, c := range changes {
		r := k.request(source)
		c.f(r)
		k.refusedRaw(c.what, r)
	}
	if list, _ := os.ReadDir(k.dir); len(list) != 3 { // the worker's, and two inputs
		t.Errorf("%v", list)
	}
}

// refusedRaw is refused for a request whose inputs may not be there.
func (k *kit) refusedRaw(what string, r *Request) {
	k.t.Helper()
	data, err := encode(r)
	if err != nil {
		k.t.Fatal(err)
	}
	list := []member{{name: requestName, text: string(data)}}
	for sum, name := range k.file {
		for _, in := range r.Inputs {
			if in.SHA256 == sum {
				text, err := os.ReadFile(name)
				if err != nil {
					k.t.Fatal(err)
				}
				list = append(list, member{name: inputDir + sum, text: string(text)})
				break
			}
		}
	}
	a, n := k.serve(tarOf(k.t, list...), r)
	if a.Error == nil || len(n) > 0 {
		k.t.Errorf("%s: taken: %d outcomes, missing %q", what, len(n), a.Missing)
	}
}

// TestForeignFlags: what a stranger must not choose in a plan, the worker does not run.
func TestForeignFlags(t *testing.T) {
	k := newKit(t)
	source := k.archive(map[string]string{"main.go": "x"})
	ask := func(f func(*plan.Plan)) *Request {
		r := k.request(source)
		p := aPlan()
		f(p)
		r.Build.use(t, p)
		r.Build.Profile, r.Build.Platform = p.Units[0].Profile, p.Units[0].Platform
		return r
	}
	k.built(ask(func(p *plan.Plan) {
		p.Units[0].Flags = []string{"-trimpath", "-buildvcs=true", "-mod=readonly", "-ldflags=-w"}
	}))
	for _, flag := range []string{
		"-toolexec=/bin/sh", "-exec=/bin/sh", "-overlay=/x", "-C=/", "-C", "-modfile=/x", "-o=/x", "-work", "-n", "-pkgdir=/x", "-modcacherw",
		"-debug-actiongraph=/x", "-compiler=gccgo", "-gccgoflags=-x", "-mod=mod;x", "-pgo=/etc/passwd", "-pgo=../x", "-buildmode=plugin", "--", "example.com/other", "-coverpkg=x", "-json",
	} {
		k.refusedRaw(flag, ask(func(p *plan.Plan) { p.Units[0].Flags = append(p.Units[0].Flags, flag) }))
	}
	for _, kv := range []string{"GOFLAGS=-toolexec=/bin/sh", "PATH=/x", "LD_PRELOAD=/x", "GOROOT=/x", "GOTOOLDIR=/x", "HOME=/", "GOPROXY=https://example.com", "GIT_EXEC_PATH=/x", "x"} {
		k.refusedRaw(kv, ask(func(p *plan.Plan) { p.Units[0].Env = append(p.Units[0].Env, kv) }))
	}
	for what, f := range map[string]func(*plan.Plan){
		"a flag as package":   func(p *plan.Plan) { p.Units[0].Mains[0].Package = "-toolexec=/bin/sh" },
		"a path as binary":    func(p *plan.Plan) { p.Units[0].Mains[0].Binary = "../x" },
		"a path as profile":   func(p *plan.Plan) { p.Units[0].Profile = "../x" },
		"a path as platform":  func(p *plan.Plan) { p.Units[0].Platform = "../../x" },
		"another environment": func(p *plan.Plan) { p.Env = p.Env[1:] },
		"another toolchain":   func(p *plan.Plan) { p.Go = "go1.26.7" },
	} {
		k.refusedRaw(what, ask(f))
	}
}

// TestInputs: an input is what it is called by, of the size that was said, and asked for.
func TestInputs(t *testing.T) {
	k := newKit(t)
	r := k.request(k.archive(map[string]string{"main.go": "x"}))
	data, err := encode(r)
	if err != nil {
		t.Fatal(err)
	}
	head := member{name: requestName, text: string(data)}
	sum := r.Inputs[0].SHA256
	content, err := os.ReadFile(k.file[sum])
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for what, list := range map[string][]member{
		"other content":    {{name: inputDir + sum, text: "x" + text[1:]}},
		"smaller":          {{name: inputDir + sum, text: text[1:]}},
		"larger":           {{name: inputDir + sum, text: text + "x"}},
		"not asked for":    {{name: inputDir + strings.Repeat("0", 64), text: "x"}},
		"twice":            {{name: inputDir + sum, text: text}, {name: inputDir + sum, text: text}},
		"a path":           {{name: inputDir + "../" + sum, text: text}},
		"elsewhere":        {{name: "runs/" + sum, text: text}},
		"a link":           {{name: inputDir + sum, kind: tar.TypeSymlink, link: "/etc/passwd"}},
		"a hard link":      {{name: inputDir + sum, kind: tar.TypeLink, link: requestName}},
		"a second request": {head},
	} {
		a, n := k.serve(tarOf(t, append([]member{head}, list...)...), nil)
		if a.Error == nil || len(n) > 0 {
			t.Errorf("%s: taken", what)
		}
	}
	a, n := k.serve(tarOf(t, head), nil)
	if a.Error != nil || len(n) > 0 {
		t.Fatalf("%+v", a.Error)
	}
	if err := r.Lacks(a.Missing); err != nil || len(a.Missing) == 0 {
		t.Errorf("missing %q, %v", a.Missing, err)
	}
	// What was altered in the directory is not used, and sent again the next time.
	k.send(r)
	name := filepath.Join(k.w.Dir, inputsName, r.Build.Source.Archive)
	old, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, append([]byte("x"), old[1:]...), 0o644); err != nil {
		t.Fatal(err)
	}
	again := k.request(Input{r.Build.Source.Archive, int64(len(old))})
	k.sendNothing("an altered input", "has the sha256", again)
	if a, _ := k.serve(tarOf(t, head), nil); len(a.Missing) != 1 || a.Missing[0] != r.Build.Source.Archive {
		t.Errorf("missing %q", a.Missing)
	}
}

// sendNothing sends a request without its inputs.
func (k *kit) sendNothing(what, want string, r *Request) {
	k.t.Helper()
	data, err := encode(r)
	if err != nil {
		k.t.Fatal(err)
	}
	if a, _ := k.serve(tarOf(k.t, member{name: requestName, text: string(data)}), r); a.Error == nil || !strings.Contains(a.Error.Text, want) {
		k.t.Errorf("%s: %+v, want %q", what, a.Error, want)
	}
}

// TestReadAnswer: a worker says what machines have, and an error is one.
func TestReadAnswer(t *testing.T) {
	read := func(f func(*Answer)) (*Answer, error) {
		a := &Answer{Schema: fact.WorkerSchema, Protocol: Protocol, Version: version, Host: fact.Host{Name: "h", System: "linux/amd64"}, CPUs: 1}
		f(a)
		var buf bytes.Buffer
		if err := writeJSON(tar.NewWriter(&buf), answerName, a); err != nil {
			t.Fatal(err)
		}
		return ReadAnswer(tar.NewReader(&buf), version)
	}
	if _, err := read(func(*Answer) {}); err != nil {
		t.Fatal(err)
	}
	for what, f := range map[string]func(*Answer){
		"no processors":      func(a *Answer) { a.CPUs = 0 },
		"a billion of them":  func(a *Answer) { a.CPUs = 1e9 },
		"negative memory":    func(a *Answer) { a.Memory = -1 },
		"much memory":        func(a *Answer) { a.Memory = 1 << 60 },
		"no system":          func(a *Answer) { a.Host.System = "" },
		"a flag as system":   func(a *Answer) { a.Host.System = "-x/../y" },
		"an escape as name":  func(a *Answer) { a.Host.Name = "\x1b[2J" },
		"another version":    func(a *Answer) { a.Version = "v9" },
		"another protocol":   func(a *Answer) { a.Protocol = 2 },
		"a very long kernel": func(a *Answer) { a.Host.Kernel = strings.Repeat("x", 1<<20) },
	} {
		if _, err := read(f); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
	for _, code := range []int{-1, 0, 5, 1 << 20} {
		a, err := read(func(a *Answer) {
			a.Error = &Error{Text: strings.Repeat("x", 1<<20), Hint: strings.Repeat("y", 1<<20), Code: code}
		})
		if err != nil {
			t.Fatal(err)
		}
		e := a.Error.Err().(interface {
			error
			Exit() int
			Hint() string
		})
		if e.Exit() != 1 || len(e.Error()) > 2*maxText || len(e.Hint()) > 2*maxText {
			t.Errorf("code %d: exit code %d, %d bytes", code, e.Exit(), len(e.Error()))
		}
	}
	r := NewRequest(version)
	r.Inputs = []Input{{SHA256: "a"}, {SHA256: "b"}}
	for _, tt := range []struct {
		missing []string
		ok      bool
	}{{nil, true}, {[]string{"b"}, true}, {[]string{"a", "b"}, true}, {[]string{"b", "a"}, false}, {[]string{"a", "a"}, false}, {[]string{"c"}, false}, {[]string{"../x"}, false}} {
		if err := r.Lacks(tt.missing); (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.missing, err)
		}
	}
}

// TestCancelled: a worker whose asker is gone says why.
func TestCancelled(t *testing.T) {
	k := newKit(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("whoever asked is gone"))
	var out bytes.Buffer
	k.w.Serve(ctx, bytes.NewReader(tarOf(t)), &out)
	a, err := ReadAnswer(tar.NewReader(&out), version)
	if err != nil || a.Error == nil || !strings.Contains(a.Error.Text, "is gone") {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestAbsent: a worker says which programs builds would not find on its machine.
func TestAbsent(t *testing.T) {
	k := newKit(t)
	there := filepath.Join(t.TempDir(), "there")
	if err := os.WriteFile(there, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	r := NewRequest(version)
	r.Programs = []string{there + "-not", there, "no-such-program", "sh"}
	if a, _ := k.send(r); a.Error != nil || !slices.Equal(a.Absent, []string{there + "-not", "no-such-program"}) {
		t.Errorf("%q %+v", a.Absent, a.Error)
	}
	for _, bad := range [][]string{{""}, {"a\x00b"}, slices.Repeat([]string{"cc"}, maxPrograms+1)} {
		r.Programs = bad
		if a, _ := k.send(r); a.Error == nil {
			t.Errorf("%.20q of %d is taken", bad[0], len(bad))
		}
	}
}
