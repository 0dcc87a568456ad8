package foreign

import "testing"

// A binary's build information is its maker's word: it must not become a
// command on the machine of whoever looks at it.
func TestHarmless(t *testing.T) {
	for _, tc := range []struct {
		key, value, ldflags string
		fine                bool
	}{
		{"-tags", "netgo,osusergo", "-s -w -X main.version=1", true},
		{"-gcflags", "all=-l", "", true},
		{"CGO_LDFLAGS", "-O2 -g", "", true},
		{"-tags", "x", "-s -w -extldflags '-static' -linkmode external", true},
		{"-tags", "x", "-extldflags=-static -X main.a=b", true},
		{"-tags", "x", "-extldflags=-static,-fplugin=x.so", false},
		{"-tags", "x", "-extldflags -static-libgcc -extld=x", false},
		{"-tags", "x", "-extldflags", false},
		{"-gcflags", "-extldflags=-static", "", false},
		{"-gcflags", "-cpuprofile=/etc/passwd", "", false},
		{"-asmflags", "-I/etc", "", false},
		{"CGO_LDFLAGS", "-fplugin=x.so", "", false},
		{"-tags", "x", "-s -extld=/tmp/x", false},
		{"-tags", "x", "-extldflags '-fplugin=x.so'", false},
	} {
		c := &Claim{}
		c.setting(tc.key, tc.value)
		j := &job{claim: c, out: t.TempDir()}
		if err := j.harmless(tc.ldflags); (err == nil) != tc.fine {
			t.Errorf("%s=%s, -ldflags=%s: %v", tc.key, tc.value, tc.ldflags, err)
		}
		if !tc.fine {
			if _, _, err := j.build(t.Context(), "x", tc.ldflags, true); err == nil {
				t.Errorf("%s=%s, -ldflags=%s was built", tc.key, tc.value, tc.ldflags)
			}
		}
	}
}
