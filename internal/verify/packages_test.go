package verify

import (
	"bytes"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/forgery"
)

// TestPackages: the programs in packages are those of the manifest, and a package with
// another one is refused, whoever signed it.
func TestPackages(t *testing.T) {
	const program = "small_tiny" // published by itself
	k := newKeys(t)
	pack := func(t *testing.T, members map[string]string, run ...string) string {
		var list []archive.Member
		for name, content := range members {
			list = append(list, archive.Member{Name: "package/" + name, Executable: slices.Contains(run, name), Open: func() (io.ReadCloser, int64, error) {
				return io.NopCloser(strings.NewReader(content)), int64(len(content)), nil
			}})
		}
		var b bytes.Buffer
		if _, err := archive.Write(t.Context(), &b, archive.TarGz, list, time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for _, c := range []struct {
		name    string
		members map[string]string
		run     []string
		raw     string // instead of members
		want    string // of what was checked, open or refused
		code    int
	}{
		{"that of the manifest", map[string]string{"bin/small": program, "package.json": "{}"}, []string{"bin/small"}, "", "programs in 1 npm package against the manifest; what else is in them was not compared", 0},
		{"another one", map[string]string{"bin/small": "x"}, []string{"bin/small"}, "", "small.npm.tgz: package/bin/small is no program of the manifest", fault.Refused},
		{"another one that is not called one", map[string]string{"bin/small": program, "lib/x": "x"}, []string{"bin/small", "lib/x"}, "", "small.npm.tgz: package/lib/x is no program of the manifest", fault.Refused},
		{"another one that cannot be started yet", map[string]string{"bin/small": "x"}, nil, "", "package/bin/small is no program", fault.Refused},
		{"a script", map[string]string{"bin/small.js": "x"}, []string{"bin/small.js"}, "", "the programs in npm packages: there are none: what starts when it is used was not looked at", 0},
		{"no archive", nil, nil, "x", "small.npm.tgz: ", fault.Refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := forgery.Small(t.Context(), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			content := c.raw
			if c.members != nil {
				for name, m := range c.members {
					if m == program {
						data, err := files.Read(filepath.Join(r.Dir, program), 1000)
						if err != nil {
							t.Fatal(err)
						}
						c.members[name] = string(data)
					}
				}
				content = pack(t, c.members, c.run...)
			}
			if _, err := r.Write("small.npm.tgz", content); err != nil {
				t.Fatal(err)
			}
			if err := r.Sign(t.Context(), k.publisher); err != nil {
				t.Fatal(err)
			}
			v, err := Release(t.Context(), Config{Path: r.Dir, Key: k.public})
			if fault.ExitCode(err) != c.code {
				t.Fatalf("exit code %d: %v", fault.ExitCode(err), err)
			}
			var said []string
			if err != nil {
				said = strings.Split(err.Error(), "\n")
			} else {
				checked, open := v.Checks.Sentences()
				said = append(checked, open...)
			}
			if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, c.want) }) {
				t.Errorf("no %q in\n%s", c.want, strings.Join(said, "\n"))
			}
			one, err := At(t.Context(), Config{Path: filepath.Join(r.Dir, "small.npm.tgz"), Key: k.public})
			if fault.ExitCode(err) != c.code {
				t.Errorf("the file alone: exit code %d: %v", fault.ExitCode(err), err)
			}
			if err == nil && !slices.ContainsFunc(one.Checks.Answers(), func(a fact.Answer) bool {
				return a.Check == fact.Packaged && a.Checked == strings.HasPrefix(c.want, "programs")
			}) {
				t.Errorf("the file alone: %+v", one.Checks.Answers())
			}
		})
	}
}
