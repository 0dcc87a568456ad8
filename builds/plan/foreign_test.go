package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// foreignPlan is a plan with all that may be in one of somebody else.
func foreignPlan() *Plan {
	p := samplePlan()
	p.Source.Sum = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	p.Source.Dir = "tools/fx"
	p.Generate = []Generate{{
		Command: []string{"npm", "run", "build"}, Inputs: []string{"web/**"}, Outputs: []string{"web/dist/**"}, Env: []string{"A=1", "NODE_ENV=production"},
		Fetch: []profiles.Fetch{{URL: "https://example.com/x", SHA256: strings.Repeat("a", 64), Path: "x", Mode: "0755"}},
	}}
	p.Units = []*Unit{
		{
			Profile: "release", Platform: "linux/arm/7",
			Env: []string{"GOOS=linux", "GOARCH=arm", "GOARM=7", "CGO_ENABLED=1", "CC=arm-linux-gnueabihf-gcc-12", "CGO_CFLAGS=-O2 -g -DX=1", "GOEXPERIMENT=jsonv2"},
			Flags: []string{"-trimpath", "-buildvcs=true", "-mod=vendor", "-tags=a,b", "-gcflags=-N", "-gcflags=all=-l -B", "-asmflags=-D=X=1",
				"-ldflags=-s -w -X main.a=-toolexec=x -X 'main.text=two words' -X main.version=1.2.3 -linkmode=external -extldflags '-static -s'", "-pgo=cmd/my.pgo", "-buildmode=pie"},
			Mains:   []fact.Main{{Package: "example.com/fx/cmd/a", Binary: "a"}, {Package: "example.com/fx/cmd/b", Binary: "b"}},
			PGO:     []PGO{{Path: "cmd/my.pgo", SHA256: strings.Repeat("a", 64)}},
			UPX:     []string{"--best", "--lzma"},
			Archive: "tar.gz", Name: "fx_1.2.3_linux_arm_7", Files: []string{"README.md", "docs/a.md"}, Verify: "require", MaxSize: 1 << 20,
		},
		{
			Profile: "release", Platform: "windows/amd64", Env: []string{"GOOS=windows", "GOARCH=amd64", "GOAMD64=v1", "CGO_ENABLED=0"},
			Flags: []string{"-trimpath", "-buildvcs=true", "-mod=readonly"}, Mains: []fact.Main{{Package: "example.com/fx/cmd/a", Binary: "a"}},
			PGO:     []PGO{{Path: "cmd/a/default.pgo", SHA256: strings.Repeat("a", 64)}},
			Archive: "none", Name: "fx_1.2.3_windows_amd64", Verify: "report",
		},
	}
	return p
}

// TestCheckForeign changes one thing of a good plan and sees it refused for that.
func TestCheckForeign(t *testing.T) {
	if err := foreignPlan().CheckForeign(); err != nil {
		t.Fatal(err)
	}
	unit := func(change func(*Unit)) func(*Plan) { return func(p *Plan) { change(p.Units[0]) } }
	// flag puts a flag in the place of those of its name, or at the end.
	flag := func(f string) func(*Plan) {
		return unit(func(u *Unit) {
			name, _, _ := strings.Cut(f, "=")
			for i, g := range u.Flags {
				if strings.HasPrefix(g, name+"=") {
					u.Flags[i] = f
					return
				}
			}
			u.Flags = append(u.Flags, f)
		})
	}
	env := func(kv string) func(*Plan) {
		return unit(func(u *Unit) { u.Env = append(u.Env, kv); slices.Sort(u.Env[4:]) })
	}
	name := func(s string) func(*Plan) { return unit(func(u *Unit) { u.Name = s }) }
	main := func(pkg, binary string) func(*Plan) {
		return unit(func(u *Unit) { u.Mains = []fact.Main{{Package: pkg, Binary: binary}} })
	}
	placed := func(files ...fact.File) func(*Plan) {
		return unit(func(u *Unit) { u.PlacedFiles = files })
	}
	command := func(change func(*Generate)) func(*Plan) { return func(p *Plan) { change(&p.Generate[0]) } }
	type changes = map[string]func(*Plan)
	for want, list := range map[string]changes{
		"generate: command 1: ": {
			"no program": command(func(g *Generate) { g.Command = nil }), "program of a machine": command(func(g *Generate) { g.Command[0] = "/bin/sh" }),
			"outside": command(func(g *Generate) { g.Outputs[0] = "../x" }), "git's": command(func(g *Generate) { g.Outputs[0] = ".git/config" }),
			"search path": command(func(g *Generate) { g.Env[0] = "PATH=/tmp" }), "order of variables": command(func(g *Generate) { slices.Reverse(g.Env) }),
			"fetch to elsewhere": command(func(g *Generate) { g.Fetch[0].Path = "/etc/x" }), "fetch of anything": command(func(g *Generate) { g.Fetch[0].SHA256 = "" }),
			"fetch of a file here": command(func(g *Generate) { g.Fetch[0].URL = "file:///etc/passwd" }), "very much": command(func(g *Generate) { g.Inputs = make([]string, 2000) }),
		},
		"images.": {
			"base of the moment": images(func(i *fact.Image) { i.Base = "e.org/a:latest" }), "file of this machine": images(func(i *fact.Image) { i.Files = map[string]string{"/etc/x": "/etc/passwd"} }),
			"file beside the checkout": images(func(i *fact.Image) { i.Certificates = "../x" }), "lines": images(func(i *fact.Image) { i.Labels = map[string]string{"a\nb": "c\nd"} }),
			"name of a file elsewhere": images(func(i *fact.Image) { i.Name = "../../x" }), "long name": images(func(i *fact.Image) { i.Name = strings.Repeat("x", 100_000) }),
		},
		"the images are not in order":       {"twice": func(p *Plan) { p.Images = []fact.Image{someImage(), someImage()} }},
		"images, more than":                 {"very many": func(p *Plan) { p.Images = make([]fact.Image, 1000) }},
		"files are generated from a commit": {"of a module": func(p *Plan) { p.Source.Kind = fact.SourceModule }},
		"no setting of a profile gives it": {
			"toolexec": flag("-toolexec=/bin/sh"), "overlay": flag("-overlay=x.json"), "output": flag("-o=/etc/passwd"), "other directory": flag("-C=/"),
			"modfile": flag("-modfile=/tmp/go.mod"), "package": flag("./evil"), "empty flag": flag(""), "shared": flag("-linkshared"),
		},
		"none of the flags known": {
			"extld": flag("-ldflags=-extld=/bin/sh"), "extld, apart": flag("-ldflags=-checklinkname=0 -extld /bin/sh"), "extldflags": flag("-ldflags=-extldflags=-fplugin=x.so"),
			"cpu profile": flag("-gcflags=-cpuprofile=/home/me/.profile"), "patterned": flag("-gcflags=all=-cpuprofile=/home/me/.profile"), "linker writes": flag("-ldflags=-checklinkname=0 -cpuprofile=x"),
			"assembler reads": flag("-asmflags=-I/etc"), "plugin": env("CGO_CXXFLAGS=-fplugin=x.so"), "linker flags": env("CGO_LDFLAGS=-Wl,-plugin,x.so"),
		},
		"not in the form in which mintmark writes": {
			"blank first": flag("-gcflags= -cpuprofile=-d=/../../x/y"), "tab first": flag("-gcflags=\t-o=-d=/../../x/y"), "two blanks": flag("-ldflags=-s  -w"),
			"order": flag("-trimpath=x"), "twice": unit(func(u *Unit) { u.Flags = append(u.Flags, "-buildmode=pie") }), "order of -X": flag("-ldflags=-X main.b=1 -X main.a=2"),
			"no -buildvcs": unit(func(u *Unit) { u.Flags = u.Flags[2:] }), "pgo auto twice": unit(func(u *Unit) { u.Flags = append(u.Flags, "-gcflags=-l") }),
			"spelling": flag("-ldflags=-X 'main.a=b'"),
		},
		"separates nothing": {"no-break space": flag("-gcflags=\u00a0-linkobj=-d=/../../x/y"), "em space": flag("-ldflags=-s\u2003")},
		"debug setting":     {"dump": flag("-gcflags=-d=ssa/all/dump=main"), "properties": flag("-gcflags=-d=dumpinlfuncprops=x")},
		"is no flag":        {"a file": flag("-ldflags=-checklinkname=0 @/etc/passwd"), "two dashes": flag("-ldflags=--extld=/bin/sh"), "an argument": flag("-ldflags=-checklinkname=0 x")},
		"has a quote in it": {"quoted": flag("-ldflags='-extld=/bin/sh'")},
		"PGO profile": {
			"another": flag("-pgo=x.pgo"), "off": flag("-pgo=off"), "above": unit(func(u *Unit) { u.PGO[0].Path = "../x" }), "digest": unit(func(u *Unit) { u.PGO[0].SHA256 = "x" }),
			"not the default": func(p *Plan) { p.Units[1].PGO[0].Path = "cmd/a/x.pgo" },
		},
		"pgo":       {"elsewhere": flag("-pgo=/etc/passwd"), "above ": flag("-pgo=../x")},
		"buildmode": {"library": flag("-buildmode=c-shared"), "unknown": flag("-buildmode=x y")},
		"not of the form": {
			"compiler": env("CXX=/tmp/evil"), "compiler here": env("CXX=./gcc"), "compiler's arguments": env("CXX=gcc -fplugin=x.so"), "fips": env("GOFIPS140=../x"),
		},
		"variable": {
			"preload": env("LD_PRELOAD=x.so"), "path": env("PATH=/tmp"), "go flags": env("GOFLAGS=-toolexec=x"), "go root": env("GOROOT=/tmp"), "pkg-config": env("PKG_CONFIG=/tmp/evil"),
			"platform": unit(func(u *Unit) { u.Env[0] = "GOOS=darwin" }), "no cgo": unit(func(u *Unit) { u.Env = u.Env[:3] }), "no variables": unit(func(u *Unit) { u.Env = nil }),
			"unsorted": unit(func(u *Unit) { u.Env[5], u.Env[6] = u.Env[6], u.Env[5] }), "twice": env("GOEXPERIMENT=x"), "other case": env("goexperiment=x"), "no value": env("HELLO"),
		},
		"malformed import path": {"a flag": main("-toolexec=x", "x"), "a path": main("./cmd/b", "b"), "all below": main("example.com/...", "x"), "empty": main("", "x"), "version": main("a.b/x@v1.0.0", "x")},
		"the name": {
			"binary above": main("example.com/x", "../x"), "binary is a device": main("example.com/x", "aux"), "above": name("../../x"), "absolute": name("/etc/x"), "backslash": name("a\\b"),
			"device": name("con"), "device with extension": name("LPT1.x"), "dot": name("."), "dots": name(".."), "empty": name(""), "newline": name("a\nb"), "colon": name("c:x"), "control": name("a\x1b[2J"),
			"list": name("checksums.txt"), "long": name(strings.Repeat("a", 300)), "ends with a dot": name("a."),
		},
		"both make a binary": {"case": unit(func(u *Unit) { u.Mains[1].Binary = "A" })},
		"no main package":    {"none": unit(func(u *Unit) { u.Mains = []fact.Main{} }), "null": func(p *Plan) { p.Units[1].Mains = nil }},
		"are not in order":   {"mains": unit(func(u *Unit) { u.Mains[0], u.Mains[1] = u.Mains[1], u.Mains[0] }), "same main": unit(func(u *Unit) { u.Mains[1] = fact.Main{Package: "example.com/fx/cmd/a", Binary: "c"} })},
		"units are not in":   {"units": func(p *Plan) { p.Units[0], p.Units[1] = p.Units[1], p.Units[0] }},
		"is the same build as": {"same unit": func(p *Plan) { u := *p.Units[0]; u.Name = "x"; p.Units = []*Unit{p.Units[0], &u} }, "same platform": func(p *Plan) {
			u := *p.Units[1]
			u.Platform, u.Name = "windows/amd64/v1", "x"
			p.Units = append(p.Units, &u)
		}},
		"would publish": {"same file": func(p *Plan) {
			p.Units[0].Name, p.Units[0].Archive = "X", "zip"
			u := *p.Units[0]
			u.Profile, u.Name = "zelease", "x"
			p.Units = []*Unit{p.Units[0], &u}
		}},
		"archive": {"format": unit(func(u *Unit) { u.Archive = "rar" }), "no format": unit(func(u *Unit) { u.Archive = "" }), "path": unit(func(u *Unit) { u.Archive = "../x" }), "files of none": func(p *Plan) { p.Units[1].Files = []string{"x"} }},
		" are not in order": {
			"formats": unit(func(u *Unit) { u.Archive, u.MoreArchives = "zip", []string{"tar.gz"} }), "a format twice": unit(func(u *Unit) { u.Archive, u.MoreArchives = "zip", []string{"zip"} }),
			"places": placed(fact.File{Src: "b", Dst: "y"}, fact.File{Src: "a", Dst: "x"}),
		},
		"archives beside none":     {"none and zip": func(p *Plan) { p.Units[1].MoreArchives = []string{"zip"} }, "zip and none": unit(func(u *Unit) { u.MoreArchives = []string{"none"} })},
		"unsafe name ":             {"wrap": unit(func(u *Unit) { u.Wrap = "../x" }), "dst": placed(fact.File{Src: "b", Dst: "../x"}), "absolute dst": placed(fact.File{Src: "b", Dst: "/x"}), "device dst": placed(fact.File{Src: "b", Dst: "aux"})},
		"leads out of the archive": {"wrap": unit(func(u *Unit) { u.Wrap = "a/../../x" }), "binary": unit(func(u *Unit) { u.Mains[0].Path = "../x" })},
		"is absolute":              {"wrap": unit(func(u *Unit) { u.Wrap = "C:x" }), "binary": unit(func(u *Unit) { u.Mains[0].Path = "/bin/x" })},
		"a backslash":              {"wrap": unit(func(u *Unit) { u.Wrap = `a\b` }), "binary": unit(func(u *Unit) { u.Mains[0].Path = `bin\x` })},
		"is a device":              {"binary": unit(func(u *Unit) { u.Mains[0].Path = "bin/NUL" })},
		"its path is its name":     {"binary": unit(func(u *Unit) { u.Mains[0].Path = u.Mains[0].Binary })},
		"no archive":               {"wrap": func(p *Plan) { p.Units[1].Wrap = "x" }, "binary": func(p *Plan) { p.Units[1].Mains[0].Path = "x" }, "placed": func(p *Plan) { p.Units[1].PlacedFiles = []fact.File{{Src: "a", Dst: "b"}} }},
		"no path in the commit":    {"above": placed(fact.File{Src: "../b", Dst: "x"}), "absolute": placed(fact.File{Src: "/b", Dst: "x"})},
		"the mode":                 {"setuid": placed(fact.File{Src: "b", Dst: "x", Mode: "4755"}), "other": placed(fact.File{Src: "b", Dst: "x", Mode: "0600"})},
		"its mode is another":      {"as it is": placed(fact.File{Src: "b", Dst: "b"})},
		"two members are named":    {"places": placed(fact.File{Src: "b", Dst: "x"}, fact.File{Src: "c", Dst: "x"}), "place of a program": unit(func(u *Unit) { u.PlacedFiles = []fact.File{{Src: "b", Dst: u.Mains[0].Binary}} })},
		"beside the unit's": {"in an archive": unit(func(u *Unit) { u.Mains[0].Name = "x" }), "one of two": func(p *Plan) { p.Units[1].Mains[0].Name = "x" }, "and the unit's": func(p *Plan) {
			u := p.Units[1]
			for i := range u.Mains {
				u.Mains[i].Name = fmt.Sprint("x", i)
			}
		}},
		"is a file and the dir": {"programs": unit(func(u *Unit) { u.Mains[0].Path, u.Mains[1].Path = "x", "x/y" })},
		"bad verify":            {"verify": unit(func(u *Unit) { u.Verify = "no" })},
		"unsafe name":           {"above": unit(func(u *Unit) { u.Files = []string{"../../etc/passwd"} }), "absolute": unit(func(u *Unit) { u.Files = []string{"/etc/passwd"} })},
		"files are not sorted":  {"unsorted": unit(func(u *Unit) { u.Files = []string{"b", "a"} })},
		"two members":           {"twice": unit(func(u *Unit) { u.Files = []string{"x", "x"} }), "binary": unit(func(u *Unit) { u.Files = []string{"a"} })},
		"differ only in case":   {"case": unit(func(u *Unit) { u.Files = []string{"X", "x"} })},
		"device on Windows":     {"device": unit(func(u *Unit) { u.Files = []string{"docs/NUL.md"} })},
		"UPX flag":              {"out": unit(func(u *Unit) { u.UPX = []string{"-o/etc/x"} }), "word": unit(func(u *Unit) { u.UPX = []string{"x"} }), "path": unit(func(u *Unit) { u.UPX = []string{"--x=/y"} })},
		"upx":                   {"pin": func(p *Plan) { p.Units[1].UPXVersion = "4.0.0" }, "digest": unit(func(u *Unit) { u.UPXSHA256 = "x" }), "version": unit(func(u *Unit) { u.UPXVersion = "../x" })},
		"budget":                {"budget": unit(func(u *Unit) { u.MaxSize = -1 })},
		"platform":              {"none": unit(func(u *Unit) { u.Platform = "" }), "one part": unit(func(u *Unit) { u.Platform = "linux" }), "four parts": unit(func(u *Unit) { u.Platform = "linux/arm/7/x" }), "pattern": unit(func(u *Unit) { u.Platform = "linux/*" })},
		"unknown OS":            {"OS": unit(func(u *Unit) { u.Platform = "linus/arm/7" })},
		"profile name":          {"profile": unit(func(u *Unit) { u.Profile = "a b\nidentical" }), "no profile": unit(func(u *Unit) { u.Profile = "" })},
		"more than": {
			"units": func(p *Plan) {
				for i := range 20_000 {
					u := *p.Units[0]
					u.Profile, u.Name = fmt.Sprintf("p%05d", i), fmt.Sprint("x", i)
					p.Units = append(p.Units, &u)
				}
			},
			"mains": unit(func(u *Unit) { u.Mains = make([]fact.Main, 20_000) }), "files": unit(func(u *Unit) { u.Files = make([]string, 20_000) }),
			"flags": unit(func(u *Unit) { u.Flags = make([]string, 20_000) }), "a flag": unit(func(u *Unit) { u.Flags[7] = "-ldflags=-X main.v=" + strings.Repeat("x", 100_000) }),
		},
		"packages": {
			"of windows": func(p *Plan) { p.Units[1].Packages = somePackages() }, "no format": packages(func(p *fact.Packages) { p.Formats = nil }), "format": packages(func(p *fact.Packages) { p.Formats = []string{"msi"} }),
			"release": packages(func(p *fact.Packages) { p.Release = "../1" }), "version": packages(func(p *fact.Packages) { p.Version = "1.2.4" }), "vendor": packages(func(p *fact.Packages) { p.Vendor = "$(id)" }),
			"license": packages(func(p *fact.Packages) { p.License = "MIT\nDepends: x" }), "depends": packages(func(p *fact.Packages) { p.Depends = []string{"-x"} }), "script": packages(func(p *fact.Packages) { p.Scripts.PostInstall = "../../x" }),
			"many lines": packages(func(p *fact.Packages) { p.Description = strings.Repeat("x\n", 10_000) }), "library": func(p *Plan) {
				p.Units[0].Packages = somePackages()
				p.Units[0].Flags = append([]string{"-buildmode=c-shared"}, p.Units[0].Flags...)
			},
		},
		"the formats":  {"order": packages(func(p *fact.Packages) { p.Formats = []string{"rpm", "deb"} })},
		"is no name":   {"capitals": packages(func(p *fact.Packages) { p.Name = "Fx" })},
		"a maintainer": {"none": packages(func(p *fact.Packages) { p.Maintainer = "" })},
		"does not begin with /": {
			"bindir": packages(func(p *fact.Packages) { p.Bin = "usr" }), "content": packages(func(p *fact.Packages) { p.Contents[0].Dst = "../etc" }),
		},
		"content": {
			"type": packages(func(p *fact.Packages) { p.Contents[0].Type = "fifo" }), "src": packages(func(p *fact.Packages) { p.Contents[0].Src = "/etc/passwd" }), "unclean": packages(func(p *fact.Packages) { p.Contents[0].Src = "a//b" }),
			"order": packages(func(p *fact.Packages) { p.Contents[0], p.Contents[1] = p.Contents[1], p.Contents[0] }),
		},
		"the mode ":         {"setuid": packages(func(p *fact.Packages) { p.Contents[0].Mode = "4755" })},
		"no name of a user": {"owner": packages(func(p *fact.Packages) { p.Contents[0].Owner = "a b" })},
		"in the package":    {"twice": packages(func(p *fact.Packages) { p.Contents[1].Dst = p.Contents[0].Dst }), "program": packages(func(p *fact.Packages) { p.Contents[1].Dst = "/usr/bin/a" })},
		"no units":          {"no units": func(p *Plan) { p.Units = nil }, "empty units": func(p *Plan) { p.Units = []*Unit{} }},
		"another build env": {"environment": func(p *Plan) { p.Env = append(p.Env, "GOFLAGS=-toolexec=x") }},
		"snapshot":          {"snapshot": func(p *Plan) { p.Snapshot, p.Version = true, "1.2.3-snapshot.abc" }},
		"toolchain":         {"no release": func(p *Plan) { p.Go = "go1.26" }, "word": func(p *Plan) { p.Go = "latest" }, "path": func(p *Plan) { p.Go = "go1.26.8/../x" }, "loose": func(p *Plan) { p.Go = "1.26.8" }, "none": func(p *Plan) { p.Go = "" }},
		"project":           {"project": func(p *Plan) { p.Project = "../x" }},
		"kind of source":    {"kind": func(p *Plan) { p.Source.Kind = "svn" }},
		"import path":       {"module": func(p *Plan) { p.Source.Module = "../x" }},
		"hash":              {"sum": func(p *Plan) { p.Source.Sum = "h1:x" }, "no commit": func(p *Plan) { p.Source.Commit = "" }, "an option": func(p *Plan) { p.Source.Commit = "--upload-pack=x" }, "a branch": func(p *Plan) { p.Source.Commit = "main" }},
		"time":              {"time": func(p *Plan) { p.Source.CommitTime = "today" }, "zone": func(p *Plan) { p.Source.CommitTime = "2026-01-02T03:04:05+01:00" }},
		"directory":         {"directory": func(p *Plan) { p.Source.Dir = "../x" }, "absolute": func(p *Plan) { p.Source.Dir = "/x" }},
		"version":           {"version": func(p *Plan) { p.Version = "1.2.4" }, "latest": func(p *Plan) { p.Source.Version, p.Version = "latest", "latest" }, "none": func(p *Plan) { p.Source.Version, p.Version = "", "" }},
	} {
		for what, change := range list {
			p := foreignPlan()
			change(p)
			err := p.CheckForeign() // without bounds, some of these ran for minutes
			switch {
			case err == nil:
				t.Errorf("%s: passes, want %q", what, want)
				continue
			case !strings.Contains(err.Error(), want):
				t.Errorf("%s: %v\nwant %q", what, err, want)
			case len(fault.Leaves(err)) > maxReported+1 || len(err.Error()) > 40_000:
				t.Errorf("%s: %d errors, %d bytes", what, len(fault.Leaves(err)), len(err.Error()))
			}
			for _, err := range fault.Leaves(err) {
				var broken *RuleError
				switch {
				case fault.Hint(err) != "" && errors.As(err, &broken) && !strings.ContainsAny(err.Error(), "\n\x1b"):
				case fault.Hint(err) != "" && strings.HasPrefix(want, "another build env"): // another version may build it
				default:
					t.Errorf("%s: %T without a hint, or on several lines: %q", what, err, err)
				}
			}
		}
	}
	p := foreignPlan()
	p.Source.Kind, p.Source.Commit, p.Source.Dir, p.Generate = fact.SourceModule, "", "", nil
	p.Units = p.Units[1:]
	p.Units[0].Flags = []string{"-trimpath"}
	if err := p.CheckForeign(); err != nil {
		t.Error(err)
	}
}

// someImage is a good one.
func someImage() fact.Image {
	return fact.Image{Name: "x", Tags: []string{"1"}, Bin: "/usr/local/bin", Files: map[string]string{"/etc/x": "x"}}
}

// images gives the plan an image with something wrong.
func images(change func(i *fact.Image)) func(*Plan) {
	return func(p *Plan) {
		p.Images = []fact.Image{someImage()}
		change(&p.Images[0])
	}
}

// somePackages are good ones for the first unit.
func somePackages() *fact.Packages {
	return &fact.Packages{
		Formats: []string{"deb", "rpm"}, Name: "fx", Version: "1.2.3", Release: "1", Bin: "/usr/bin",
		PackageAbout: fact.PackageAbout{Maintainer: "Jo Doe <jo@example.org>", Description: "Does it.\n\nWell.", License: "MIT"},
		Contents:     []fact.PackageContent{{Src: "a", Dst: "/etc/a", Type: fact.ContentConfig}, {Src: "../x", Dst: "/usr/bin/z", Type: fact.ContentSymlink}},
	}
}

// packages gives the first unit packages with something wrong.
func packages(change func(p *fact.Packages)) func(*Plan) {
	return func(p *Plan) {
		p.Units[0].Packages = somePackages()
		change(p.Units[0].Packages)
	}
}

// TestForeignPackages: with nothing wrong, they are not refused, nor are images.
func TestForeignPackages(t *testing.T) {
	p := foreignPlan()
	packages(func(*fact.Packages) {})(p)
	images(func(*fact.Image) {})(p)
	if err := p.CheckForeign(); err != nil {
		t.Error(err)
	}
}
