package builds

import (
	"strings"
	"testing"
)

func TestCheckForeign(t *testing.T) {
	plan := func() *Plan {
		return &Plan{Env: CommonEnv(), Units: []*Unit{{
			Profile: "release", Platform: "linux/arm/7",
			Env: []string{"GOOS=linux", "GOARCH=arm", "GOARM=7", "CGO_ENABLED=1", "CC=arm-linux-gnueabihf-gcc-12", "CGO_CFLAGS=-O2 -g -DX=1"},
			Flags: []string{"-trimpath", "-buildvcs=true", "-mod=vendor", "-tags=a,b", "-gcflags=all=-l -B", "-asmflags=-D X=1",
				"-ldflags=-s -w -X main.version=1.2.3 -X 'main.text=two words' -X=main.a=-toolexec=x -linkmode=external -buildid=", "-pgo=default.pgo", "-buildmode=pie", "-race"},
			Mains:   []Main{{"example.com/x/cmd/a", "a"}, {"./cmd/b", "b"}},
			PGO:     []PGO{{Path: "cmd/default.pgo"}},
			Archive: "tar.gz", Name: "x_1.2.3_linux_arm_7", Files: []string{"README.md", "docs/a.md"},
		}}}
	}
	if err := plan().CheckForeign(); err != nil {
		t.Fatal(err)
	}
	u := func(change func(*Unit)) func(*Plan) { return func(p *Plan) { change(p.Units[0]) } }
	flag := func(f string) func(*Plan) { return u(func(u *Unit) { u.Flags = append(u.Flags, f) }) }
	env := func(kv string) func(*Plan) { return u(func(u *Unit) { u.Env = append(u.Env, kv) }) }
	for name, change := range map[string]func(*Plan){
		"toolexec":       flag("-toolexec=/bin/sh"),
		"overlay":        flag("-overlay=x.json"),
		"output":         flag("-o=/etc/passwd"),
		"other dir":      flag("-C=/"),
		"modfile":        flag("-modfile=/tmp/go.mod"),
		"extld":          flag("-ldflags=-extld=/bin/sh"),
		"extld, apart":   flag("-ldflags=-s -extld /bin/sh"),
		"extldflags":     flag("-ldflags=-extldflags=-fplugin=x.so"),
		"quoted":         flag("-ldflags='-extld=/bin/sh'"),
		"two dashes":     flag("-ldflags=--extld=/bin/sh"),
		"cpu profile":    flag("-gcflags=-cpuprofile=/home/me/.profile"),
		"patterned":      flag("-gcflags=all=-cpuprofile=/home/me/.profile"),
		"linker writes":  flag("-ldflags=-s -cpuprofile=x"),
		"package":        flag("./evil"),
		"pgo elsewhere":  flag("-pgo=/etc/passwd"),
		"pgo above":      flag("-pgo=../x"),
		"compiler":       env("CC=/tmp/evil"),
		"compiler here":  env("CC=./gcc"),
		"compiler args":  env("CC=gcc -fplugin=x.so"),
		"plugin":         env("CGO_CFLAGS=-fplugin=x.so"),
		"specs":          env("CGO_CFLAGS=-specs=x"),
		"linker flags":   env("CGO_LDFLAGS=-Wl,-plugin,x.so"),
		"mode":           flag("-buildmode=x y"),
		"preload":        env("LD_PRELOAD=x.so"),
		"path":           env("PATH=/tmp"),
		"go flags":       env("GOFLAGS=-toolexec=x"),
		"go root":        env("GOROOT=/tmp"),
		"pkg-config":     env("PKG_CONFIG=/tmp/evil"),
		"main is a flag": u(func(u *Unit) { u.Mains[0].Package = "-toolexec=x" }),
		"binary above":   u(func(u *Unit) { u.Mains[0].Binary = "../x" }),
		"name above":     u(func(u *Unit) { u.Name = "../../x" }),
		"name absolute":  u(func(u *Unit) { u.Name = "/etc/x" }),
		"file above":     u(func(u *Unit) { u.Files = []string{"../../etc/passwd"} }),
		"file absolute":  u(func(u *Unit) { u.Files = []string{"/etc/passwd"} }),
		"environment":    func(p *Plan) { p.Env = append(p.Env, "GOFLAGS=-toolexec=x") },
		"snapshot":       func(p *Plan) { p.Snapshot = true },
	} {
		p := plan()
		change(p)
		if err := p.CheckForeign(); err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one error: %v", name, err)
		}
	}
}
