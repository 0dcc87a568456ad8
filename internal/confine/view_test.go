package confine

import (
	"errors"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestMountPlaces: a binary's maker says where its directories are to be. Nothing of it
// takes the place of what this machine's programs run, load or believe.
func TestMountPlaces(t *testing.T) {
	keep := []string{"/home/user/.cache/mintmark/run/home", "/home/user/.cache/mintmark/gocache", "/opt/git/bin"}
	for at, want := range map[string]string{
		"/home/runner/work/x/x": "", "/home/ci/go/pkg/mod": "", "/go": "", "/build": "", "/scratch/x": "", "/Users/runner/work": "", "/var/lib/jenkins/x": "", "/usr/src/app": "", "/usr/local/src/x": "", "/a b/ä": "",
		"/opt/hostedtoolcache/go/1.26.4/x64": "", "/home/user/src": "", "/usr/local/gopath": "", "/etcetera": "", "/library": "",

		"": "no absolute path", "x": "no absolute path", "../x": "no absolute path", "C:/Users/x": "no absolute path", `\\server\x`: "no absolute path",
		"/": "the root", "//": "no path in its shortest form", "/x/": "no path in its shortest form", "/x/../etc": "no path in its shortest form", "/./x": "no path in its shortest form", "/x//y": "no path in its shortest form",
		"/x\ny": "characters", "/x\x00y": "characters", "/x\xffy": "characters", "/\x1b[2J": "characters",
		"/" + strings.Repeat("x", 256): "longer than a name", strings.Repeat("/x", 2048): "longer than a path",
		"/proc": "of the system", "/proc/self": "of the system", "/sys/x": "of the system", "/dev/x": "of the system", "/etc": "of the system", "/etc/ld.so.conf.d": "of the system", "/run/user/1000": "of the system",
		"/bin": "of the system", "/lib/x86_64-linux-gnu": "of the system", "/lib64": "of the system", "/usr": "of the system", "/usr/bin": "of the system", "/usr/lib/x86_64-linux-gnu": "of the system", "/usr/local": "of the system",
		"/usr/local/bin": "of the system", "/usr/local/lib/x": "of the system", "/usr/share/x": "of the system", "/usr/include/x": "of the system", "/nix/store/x/lib": "of the system", "/snap/go/1": "of the system",
		"/home": "holds /home/user/.cache/mintmark/run/home", "/home/user": "holds", "/home/user/.cache/mintmark": "holds", "/home/user/.cache/mintmark/gocache/00": "is in /home/user/.cache/mintmark/gocache",
		"/opt": "holds /opt/git/bin", "/opt/git/bin": "holds", "/opt/git/bin/x": "is in",
	} {
		v := &View{Keep: keep, Mounts: []Mount{{From: "/from", At: at, Foreign: true}}}
		err := v.check()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", at, err, want)
		}
		var none *ViewError
		if err != nil && (!errors.As(err, &none) || strings.ContainsAny(err.Error(), "\n\x1b\x00")) {
			t.Errorf("%.60q: %q", at, err)
		}
	}
	// A toolchain is Go's own: it may lie where systems keep theirs.
	for at, fine := range map[string]bool{"/usr/local/go": true, "/usr/lib/go-1.19": true, "/usr/lib/golang": true, "/usr/share/go": true, "/nix/store/x-go-1.26/share/go": true, "/snap/go/1234": true, "/usr/lib": false, "/usr": false, "/lib/go": false, "/etc/go": false, "/proc/x": false} {
		if err := (&View{Mounts: []Mount{{From: "/from", At: at}}}).check(); (err == nil) != fine {
			t.Errorf("a toolchain at %s: %v", at, err)
		}
	}
	if err := (&View{Mounts: []Mount{{From: "/a", At: "/x"}, {From: "/b", At: "/x"}, {From: "/c", At: "/etc"}}}).check(); err == nil || !strings.Contains(err.Error(), "two directories") || !strings.Contains(err.Error(), "/etc") {
		t.Errorf("all that is wrong is said: %v", err)
	}
}

func TestViewPath(t *testing.T) {
	v := &View{Mounts: []Mount{{From: "/cache/mods", At: "/go/pkg/mod"}, {From: "/cache", At: "/c"}, {From: "/src", At: "/"}}}
	for name, want := range map[string]string{"/cache/mods/x": "/go/pkg/mod/x", "/cache/mods": "/go/pkg/mod", "/cache/modsx": "/c/modsx", "/elsewhere": "/elsewhere", "relative": "relative", "": ""} {
		if got := v.Path(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := (*View)(nil).Path("/x"); got != "/x" {
		t.Errorf("without a view: %q", got)
	}
}

// FuzzMountPlaces: what is not refused is a path that could be made, and none of the
// machine's own.
func FuzzMountPlaces(f *testing.F) {
	for _, at := range []string{"/home/runner/work/x", "/etc/", "/usr/lib/x", "C:/x", "/x/../etc", "/\xff", "//"} {
		f.Add(at)
	}
	f.Fuzz(func(t *testing.T, at string) {
		reason := Mount{From: "/from", At: at, Foreign: true}.refused()
		if strings.ContainsFunc(reason, func(r rune) bool { return r < ' ' }) {
			t.Errorf("%q", reason)
		}
		if reason != "" {
			return
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(at, "/"), "/")
		if at == "/" || path.Clean(at) != at || !path.IsAbs(at) || slices.Contains(system, "/"+first) || strings.HasPrefix(at+"/", "/usr/lib/") || strings.ContainsAny(at, "\n\r\x1b\x00") {
			t.Errorf("%q is not refused", at)
		}
	})
}
