package verify

import (
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// planAttacks are plans that name settings which could run a program, write a
// file or reach a host of somebody else's choosing, or break the rules of plans
// in another way. Manifest, record and files are in accord with them. They are
// refused by whoever would build by them, before anything is fetched.
func planAttacks() []attack {
	withPlan := func(name, want string, change func(*plan.Plan)) attack {
		return attack{"plan: " + name, builds3, fault.Refused, want, func(f *forged) {
			change(f.Plan)
			f.must(f.Build(f.t.Context()))
		}}
	}
	unit := func(name, want string, change func(*plan.Unit)) attack {
		return withPlan(name, want, func(p *plan.Plan) { change(p.Units[0]) })
	}
	flag := func(want string, flags ...string) attack {
		return unit("flags "+strings.Join(flags, " "), want, func(u *plan.Unit) { u.Flags = append(u.Flags, flags...) })
	}
	env := func(want, kv string) attack {
		return unit("variable "+kv, want, func(u *plan.Unit) { u.Env = append(u.Env, kv) })
	}
	const (
		noSetting = "no setting of a profile gives it"
		unknown   = "none of the flags known"
		form      = "not in the form in which mintmark writes"
	)
	return []attack{
		flag(noSetting, "-toolexec=/bin/sh"), flag(noSetting, "-overlay=x.json"), flag(noSetting, "-o=/etc/passwd"), flag(noSetting, "-C=/"),
		flag(noSetting, "-modfile=/tmp/go.mod"), flag(noSetting, "./evil"), flag(noSetting, ""), flag(noSetting, "-exec=/bin/sh"),
		flag(noSetting, "-pkgdir=/tmp"), flag(noSetting, "-modcacherw"), flag(noSetting, "-n"), flag(noSetting, "-work"), flag(noSetting, "-json"),
		flag(unknown, "-gcflags=-cpuprofile=x"), flag(unknown, "-gcflags=all=-memprofile=x"), flag(unknown, "-gcflags=-o=x"), flag(unknown, "-gcflags=-linkobj=x"),
		flag(unknown, "-gcflags=-asmhdr=x"), flag(unknown, "-gcflags=-embedcfg=x"), flag(unknown, "-gcflags=-traceprofile=x"), flag(unknown, "-asmflags=-I/etc"),
		flag(unknown, "-asmflags=-o=x"), flag(unknown, "-ldflags=-extld=/bin/sh"), flag(unknown, "-ldflags=-extldflags=-fplugin=x.so"), flag(unknown, "-ldflags=-o=x"),
		flag(unknown, "-ldflags=-cpuprofile=x"), flag(unknown, "-ldflags=-s -w -memprofile=x"), flag(unknown, "-ldflags=-tmpdir=/tmp"),
		flag(form, "-gcflags= -cpuprofile=-d=/../../x/y"), flag(form, "-gcflags=\t-o=-d=/../../x/y"), flag("separates nothing", "-gcflags=\u00a0-linkobj=-d=/../../x/y"),
		flag(form, "-ldflags=-s  -w"), flag(form, "-trimpath"), flag("has a quote in it", "-ldflags='-extld=/bin/sh'"), flag("is neither -FLAGS nor PATTERN=-FLAGS", "-ldflags=@/etc/passwd"),
		flag("is no flag", "-ldflags=--extld=/bin/sh"), flag("debug setting", "-gcflags=-d=ssa/all/dump=main"), flag("pgo", "-pgo=/etc/passwd"), flag("pgo", "-pgo=../x"),
		flag("buildmode", "-buildmode=c-shared"), flag("buildmode", "-buildmode=plugin"),
		env("variable", "LD_PRELOAD=x.so"), env("variable", "PATH=/tmp"), env("variable", "GOFLAGS=-toolexec=x"), env("variable", "GOROOT=/tmp"),
		env("variable", "GOPROXY=https://example.com"), env("variable", "GOTOOLCHAIN=path"), env("variable", "PKG_CONFIG=/tmp/evil"), env("variable", "GIT_SSH_COMMAND=x"),
		env("not of the form", "CC=/tmp/evil"), env("not of the form", "CC=gcc -fplugin=x.so"), env("not of the form", "GOFIPS140=../x"),
		env("none of the flags known", "CGO_CFLAGS=-fplugin=x.so"), env("none of the flags known", "CGO_LDFLAGS=-Wl,-plugin,x.so"), env("variable", "goexperiment=x"), env("variable", "HELLO"),
		unit("another platform", "variable", func(u *plan.Unit) { u.Env[0] = "GOOS=darwin" }),
		unit("no variables", "variable", func(u *plan.Unit) { u.Env = nil }),
		unit("no flags", form, func(u *plan.Unit) { u.Flags = nil }),
		unit("a system of nobody", "unknown OS", func(u *plan.Unit) { u.Platform = "linus/amd64" }),
		unit("a package that is a path", "malformed import path", func(u *plan.Unit) { u.Mains[0].Package = "./cmd" }),
		unit("a package that is a flag", "malformed import path", func(u *plan.Unit) { u.Mains[0].Package = "-toolexec=x" }),
		unit("all packages", "malformed import path", func(u *plan.Unit) { u.Mains[0].Package = "example.com/..." }),
		unit("another version of a package", "malformed import path", func(u *plan.Unit) { u.Mains[0].Package = "example.com/small@v9.9.9" }),
		unit("a hidden binary", `the name ".small" begins with`, func(u *plan.Unit) { u.Mains[0].Binary = ".small" }),
		unit("a hidden archive", `the name ".small" begins with`, func(u *plan.Unit) { u.Name = ".small" }),
		unit("a long name", "the name has 220 bytes", func(u *plan.Unit) { u.Name = strings.Repeat("x", 220) }),
		unit("a blank in a name", `contains ' '`, func(u *plan.Unit) { u.Name = "small linux" }),
		unit("a verdict that may be", "bad verify", func(u *plan.Unit) { u.Verify = "off" }),
		unit("less than nothing", "a budget is negative", func(u *plan.Unit) { u.MaxSize = -1 }),
		unit("less than no time", "a budget is negative", func(u *plan.Unit) { u.MaxStartup = -1 }),
		unit("files out of order", "the files are not sorted", func(u *plan.Unit) { u.Files = []string{"b", "a"} }),
		unit("formats out of order", "are not in order", func(u *plan.Unit) { u.Archive, u.MoreArchives = "zip", []string{"tar.gz"} }),
		unit("a path that says nothing", "its path is its name", func(u *plan.Unit) { u.Mains[0].Path = u.Mains[0].Binary }),
		unit("a path that is a flag", "looks like a flag", func(u *plan.Unit) { u.Mains[0].Path = "-rf" }),
		unit("a directory that is a flag", "looks like a flag", func(u *plan.Unit) { u.Wrap = "-rf" }),
		unit("a file from above", "no path in the commit", func(u *plan.Unit) { u.PlacedFiles = []fact.File{{Src: "../../etc/passwd", Dst: "x"}} }),
		unit("files by place out of order", "are not in order", func(u *plan.Unit) { u.PlacedFiles = []fact.File{{Src: "a", Dst: "y"}, {Src: "b", Dst: "x"}} }),
		unit("a PGO profile above", "PGO profile", func(u *plan.Unit) { u.PGO = []plan.PGO{{Path: "../default.pgo", SHA256: strings.Repeat("a", 64)}} }),
		unit("a PGO profile without a digest", "is no SHA-256", func(u *plan.Unit) { u.PGO = []plan.PGO{{Path: "default.pgo", SHA256: "x"}} }),
		withPlan("UPX writes", "UPX flag", func(p *plan.Plan) { p.Units[2].UPX = []string{"-o/etc/x"} }),
		withPlan("UPX of no digest", "upx", func(p *plan.Plan) { p.Units[2].UPXSHA256 = "x" }),
		withPlan("UPX from above", "upx", func(p *plan.Plan) { p.Units[2].UPXVersion = "../x" }),
		withPlan("units out of order", "the units are not in order", func(p *plan.Plan) { p.Units[0], p.Units[2] = p.Units[2], p.Units[0] }),
		withPlan("a unit twice in two spellings", "is the same build as", func(p *plan.Plan) {
			u := *p.Units[1]
			u.Platform, u.Name = "windows/amd64/v1", "small_again"
			p.Units = append(p.Units[:2:2], &u, p.Units[2])
		}),
		withPlan("packages out of order", "are not in order", func(p *plan.Plan) {
			m := p.Units[1].Mains
			m[0], m[1] = m[1], m[0]
		}),
		withPlan("very many flags", "flags, more than 1000", func(p *plan.Plan) { p.Units[0].Flags = make([]string, 2000) }),
		withPlan("a very long flag", "bytes, more than", func(p *plan.Plan) {
			p.Units[0].Flags = append(p.Units[0].Flags, "-ldflags=-X main.v="+strings.Repeat("x", 100_000))
		}),
		withPlan("very many variables", "variables, more than 1000", func(p *plan.Plan) {
			for i := range 2000 {
				p.Units[0].Env = append(p.Units[0].Env, fmt.Sprintf("CGO_CFLAGS=-DX=%d", i))
			}
		}),
	}
}

// planTextAttacks are plans that are not what their manifest says, or that
// readers could read differently.
func planTextAttacks() []attack {
	swap := func(name string, verbs verbSet, code int, want, old, by string) attack {
		return attack{"plan text: " + name, verbs, code, want, func(f *forged) {
			data, err := f.Plan.Encode()
			f.must(err)
			f.RawPlan = f.swap(string(data), old, by)
		}}
	}
	withPlan := func(name, want string, change func(*plan.Plan, *checksums.Manifest)) attack {
		return attack{"plan: " + name, all, fault.Refused, want, func(f *forged) { change(f.Plan, f.Manifest) }}
	}
	name := func(s, want string) attack {
		return attack{fmt.Sprintf("plan: published as %.20q", s), all, fault.Refused, want, func(f *forged) {
			f.Plan.Units[2].Name = s
			a := f.Artifact("linux/arm64", fact.Packed)
			f.disk = append(f.disk, remove(a.Name))
			a.Name = s
		}}
	}
	const unit = `"units":[{`
	return []attack{
		swap("another schema", builds3, fault.Failed, "another schema", "plan/v1", "plan/v2"),
		swap("another environment", builds3, fault.Failed, "another build environment", `"GOSUMDB=off"`, `"GOSUMDB=off","GOFLAGS=-toolexec=x"`),
		swap("an unknown field", builds3, fault.Refused, `unknown field "toolexec"`, unit, unit+`"toolexec":"/bin/sh",`),
		swap("an unknown field of it all", builds3, fault.Refused, `unknown field "hooks"`, `"units"`, `"hooks":["/bin/sh"],"units"`),
		swap("a field in another case", builds3, fault.Refused, "plan: not in canonical form", `"flags":`, `"Flags":`),
		swap("an escaped letter", builds3, fault.Refused, "plan: not in canonical form", `"-trimpath"`, `"-trimpat\u0068"`),
		swap("flags that are none", builds3, fault.Refused, "plan: not in canonical form", `"flags":["-trimpath","-buildvcs=true","-mod=readonly"],`, ``),
		swap("a text for flags", all, fault.Refused, "not a list", `"flags":["-trimpath","-buildvcs=true","-mod=readonly"]`, `"flags":"-toolexec=x"`),
		swap("a number beyond all", builds3, fault.Refused, "cannot unmarshal", unit, unit+`"max_size":92233720368547758070,`),
		swap("an empty snapshot", all, fault.Refused, "snapshot is", `"units"`, `"snapshot":false,"units"`),
		swap("a unit that is null", all, fault.Refused, "is not a JSON object", unit, `"units":[null,{`),
		swap("a unit that is a text", all, fault.Refused, "is not a JSON object", unit, `"units":["release",{`),
		swap("mains that are a text", all, fault.Refused, "not a list", `"mains":[`, `"mains":"x","y":[`),
		swap("no archive", all, fault.Refused, "has no archive", `"archive":"tar.gz",`, ``),
		swap("an empty name", all, fault.Refused, "name is empty", `"name":"small_tiny"`, `"name":""`),
		swap("UPX without flags", all, fault.Refused, "upx has no flags", `"upx":["--best"]`, `"upx":[]`),
		swap("no source", all, fault.Refused, "has no source", `"source":`, `"origin":`),
		withPlan("another toolchain", `the toolchain is "go1.26.7" in the plan`, func(p *plan.Plan, _ *checksums.Manifest) { p.Go = "go1.26.7" }),
		withPlan("another directory", `the directory is "../x" in the plan`, func(p *plan.Plan, _ *checksums.Manifest) { p.Source.Dir = "../x" }),
		withPlan("another hash", `the source's h1 is`, func(p *plan.Plan, _ *checksums.Manifest) { p.Source.Sum = "h1:x" }),
		withPlan("another time", "the commit's time is", func(p *plan.Plan, _ *checksums.Manifest) { p.Source.CommitTime = "today" }),
		withPlan("an archive of no format", "archive small_linux_amd64.rar: the plan makes it", func(p *plan.Plan, _ *checksums.Manifest) { p.Units[0].Archive = "rar" }),
		withPlan("two programs of one name", "would make two artifacts", func(p *plan.Plan, _ *checksums.Manifest) {
			p.Units[1].Mains[1].Binary = p.Units[1].Mains[0].Binary
		}),
		withPlan("a package twice", "is there twice", func(p *plan.Plan, _ *checksums.Manifest) { p.Units[1].Mains[1].Package = p.Units[1].Mains[0].Package }),
		{"plan: a toolchain that is none", builds3, fault.Refused, `is no exact release`, func(f *forged) {
			f.Plan.Go = "go1.26.8/../x"
			f.Manifest.Toolchain.Version = f.Plan.Go
		}},
		{"plan: a version that is none", builds3, fault.Refused, "the version", func(f *forged) {
			f.Plan.Version, f.Plan.Source.Version = "latest", "latest"
			f.Manifest.Version, f.Manifest.Source.Version = "latest", "latest"
		}},
		{"plan: a version of another module", builds3, fault.Refused, `the version "9.9" is not that of the module`, func(f *forged) {
			f.Plan.Version, f.Manifest.Version = "9.9", "9.9"
		}},
		{"plan: a version from above", all, fault.Refused, `"9/../9" is no version`, func(f *forged) {
			f.Plan.Version, f.Plan.From = "9/../9", fact.Given
			f.Manifest.Version, f.Manifest.From = f.Plan.Version, f.Plan.From
		}},
		{"plan: a tag that git does not permit", builds3, fault.Refused, "does not say the version", func(f *forged) {
			f.Plan.From, f.Plan.Tag = fact.OfTag, "-x:1.2.3"
			f.Manifest.From, f.Manifest.Tag = f.Plan.From, f.Plan.Tag
		}},
		{"plan: a module from above", builds3, fault.Refused, "malformed import path", func(f *forged) {
			f.Plan.Source.Module = "../x"
			f.Manifest.Source.Module = "../x"
		}},
		{"plan: a project from above", builds3, fault.Refused, "project", func(f *forged) { f.Plan.Project, f.Manifest.Project = "../x", "../x" }},
		name("../../x", "has a directory"), name("/etc/x", "has a directory"), name(`a\b`, "has a directory"), name("con", "is a device on Windows"),
		name("a\nb", "does not print"), name("c:x", "Windows does not allow"), name("a\x1b[2J", "does not print"), name("checksums.txt", "the name belongs to a file about the release"),
		name("-x", "begins with '-'"), name("SMALL_linux_AMD64.tar.gz", "two published files have this name"),
	}
}
