package plan

import "testing"

// A unit whose compiler or assembler reads what no action ID holds proves nothing.
func TestProvable(t *testing.T) {
	for _, c := range []struct {
		flags []string
		want  bool
	}{
		{nil, true},
		{[]string{"-trimpath", "-tags=a,b", "-ldflags=-s -w -X main.D=-I", "-pgo=default.pgo"}, true},
		{[]string{"-gcflags=-N -l"}, true},
		{[]string{"-gcflags=all=-N -l", "-asmflags=-S"}, true},
		{[]string{"-gcflags=-embedcfg=/x"}, false},
		{[]string{"-gcflags=all=-importcfg /x"}, false},
		{[]string{"-gcflags='-symabis=x'"}, false},
		{[]string{"-gcflags=--linkobj=x"}, false},
		{[]string{"-asmflags=-I/usr/include"}, false},
		{[]string{"-asmflags=all=-I /usr/include"}, false},
		{[]string{"-gcflags=-l @flags"}, false},
		{[]string{"-gcflags=\u00a0-l"}, false},
		{[]string{"-toolexec=wrap"}, false},
		{[]string{"-overlay=o.json"}, false},
		{[]string{"-compiler=gccgo"}, false},
	} {
		if got := (&Unit{Flags: c.flags}).Provable(); got != c.want {
			t.Errorf("%q: %v", c.flags, got)
		}
	}
}

// A link is kept only where its action ID holds all that it reads.
func TestProvableLinks(t *testing.T) {
	for _, c := range []struct {
		env, flags []string
		want       bool
	}{
		{[]string{"GOOS=linux", "CGO_ENABLED=0"}, nil, true},
		{[]string{"CGO_ENABLED=0"}, []string{"-trimpath", "-ldflags=-s -w -X main.v=1 -X 'main.w=a b' -H=windowsgui"}, true},
		{[]string{"CGO_ENABLED=0"}, []string{"-ldflags=--s"}, true},
		{[]string{"CGO_ENABLED=1"}, nil, false},
		{nil, nil, false},
		{[]string{"CGO_ENABLED=0"}, []string{"-toolexec=wrap"}, false},
		{[]string{"CGO_ENABLED=0"}, []string{"-buildmode=exe"}, true},
		{[]string{"CGO_ENABLED=0"}, []string{"-buildmode=pie"}, false},
		{[]string{"CGO_ENABLED=0"}, []string{"-linkshared"}, false},
		{[]string{"CGO_ENABLED=0"}, []string{"-ldflags=-s -linkmode=external"}, false},
		{[]string{"CGO_ENABLED=0"}, []string{"-ldflags=-linkmode external"}, false},
		{[]string{"CGO_ENABLED=0"}, []string{"-ldflags='-extldflags=-static'"}, false},
		{[]string{"CGO_ENABLED=0"}, []string{"-ldflags=--extld=./x"}, false},
		{[]string{"CGO_ENABLED=0"}, []string{"-ldflags=-s\t-L /lib"}, false},
		{[]string{"CGO_ENABLED=0"}, []string{"-ldflags=-importcfg=x"}, false},
		{[]string{"CGO_ENABLED=0"}, []string{"-ldflags=-s @flags"}, false},
		{[]string{"CGO_ENABLED=0"}, []string{"-ldflags=all=-s"}, false},
		{[]string{"CGO_ENABLED=0"}, []string{"-ldflags=-buildid=of/another"}, false},
	} {
		if got := (&Unit{Env: c.env, Flags: c.flags}).ProvableLinks(); got != c.want {
			t.Errorf("%q %q: %v", c.env, c.flags, got)
		}
	}
}
