package source_test

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/source"
)

// TestVersion holds every version against what the real go command stamps into
// a binary built in the private checkout and in the user's own tree.
func TestVersion(t *testing.T) {
	for _, tt := range []struct {
		name      string
		make      func(r *repo) (dir string)
		want      string // HASH stands for the commit's short hash
		tags      string
		unstamped bool
		stamped   string // what go stamps in place of want, where it reads tags otherwise
		made      string // the tags that the stamp was made of; tags where there is one
	}{
		{name: "no tag", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			return ""
		}, want: "v0.0.0-20260102030405-HASH"},
		{name: "tag", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.2.3")
			return ""
		}, want: "v1.2.3", tags: "v1.2.3"},
		{name: "annotated tag", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.date += 100
			r.git("tag", "-a", "-m", "a release", "v1.2.3")
			return ""
		}, want: "v1.2.3", tags: "v1.2.3"},
		{name: "a tag of a tag", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.git("tag", "-a", "-m", "a release", "inner")
			r.git("tag", "-a", "-m", "a release", "v1.2.3", "inner")
			return ""
		}, want: "v1.2.3", tags: "v1.2.3"},
		{name: "the highest of many", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.2.3", "v1.10.0", "v1.9.9", "v1.11.0-rc.1", "release", "v1.12", "1.13.0", "V1.14.0", "sub/v1.15.0", "v1.16.0.1", "v01.17.0")
			return ""
		}, want: "v1.11.0-rc.1", tags: "v1.10.0 v1.11.0-rc.1 v1.2.3 v1.9.9"},
		{name: "a prerelease is lower than its release", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.2.3-rc.1", "v1.2.3", "v1.2.2")
			return ""
		}, want: "v1.2.3", tags: "v1.2.2 v1.2.3 v1.2.3-rc.1"},
		{name: "v2 tag without v2", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.2.3", "v2.0.0")
			return ""
		}, want: "v1.2.3", tags: "v1.2.3"},
		{name: "only a v2 tag without v2", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v2.0.0")
			return ""
		}, want: "v0.0.0-20260102030405-HASH"},
		{name: "v2", make: func(r *repo) string {
			r.module("", "example.com/m/v2").commit()
			r.tag("v1.2.3", "v2.0.1", "v3.0.0")
			return ""
		}, want: "v2.0.1", tags: "v2.0.1"},
		{name: "v2 without tag", make: func(r *repo) string {
			r.module("", "example.com/m/v2").commit()
			r.tag("v1.2.3")
			r.commit()
			return ""
		}, want: "v2.0.0-20260102040405-HASH"},
		{name: "above a tag", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.2.3", "v1.1.0")
			r.commit()
			return ""
		}, want: "v1.2.4-0.20260102040405-HASH"},
		{name: "above a prerelease", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.2.3-rc.1")
			r.commit()
			return ""
		}, want: "v1.2.3-rc.1.0.20260102040405-HASH"},
		{name: "above an annotated tag", make: func(r *repo) string {
			r.module("", "example.com/m/v3").commit()
			r.git("tag", "-a", "-m", "a release", "v3.1.0")
			r.commit()
			return ""
		}, want: "v3.1.1-0.20260102040405-HASH"},
		{name: "a higher tag below a merge", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.0.0")
			r.git("checkout", "--quiet", "-b", "side")
			r.commit()
			r.tag("v1.5.0")
			r.git("checkout", "--quiet", "main")
			r.commit()
			r.git("merge", "--quiet", "--no-ff", "-m", "merge", "side")
			return ""
		}, want: "v1.5.1-0.20260102060405-HASH"},
		{name: "tags above the commit", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.0.0")
			c := r.commit()
			r.commit()
			r.tag("v1.1.0")
			r.git("checkout", "--quiet", c)
			return ""
		}, want: "v1.0.1-0.20260102040405-HASH"},
		{name: "tags on another branch only", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.git("checkout", "--quiet", "-b", "side")
			r.commit()
			r.tag("v1.5.0")
			r.git("checkout", "--quiet", "main")
			return ""
		}, want: "v0.0.0-20260102030405-HASH"},
		{name: "build metadata", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.2.3+linux")
			return ""
		}, want: "v1.2.4-0.20260102030405-HASH"},
		{name: "build metadata beside a lower tag", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.2.3+linux", "v1.0.0")
			return ""
		}, want: "v1.0.0", tags: "v1.0.0"},
		{name: "a tag like a pseudo-version", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.2.4-0.20200101000000-abcdefabcdef", "v1.0.0")
			return ""
		}, want: "v1.0.0", tags: "v1.0.0"},
		{name: "odd tags", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.0.0", "a,b", "tag'quote\"", "ümläut", "-dash"[1:], "v1.0.1$(id)", "v9.9.8,v9.9.9", "v9.9.7;", "refs/tags/v9.9.6", "heads/v9.9.5")
			return ""
		}, want: "v1.0.0", tags: "v1.0.0"},
		{name: "a tag with a foreign space", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.0.0", "v9.9.9\u3000tag", "v9.9.8\u00a0")
			return ""
		}, want: "v1.0.0", tags: "v1.0.0"},
		{name: "a tag that go takes for another", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.0.0", "v1.9.9\u3000tag")
			return ""
		}, want: "v1.0.0", tags: "v1.0.0", stamped: source.Devel, made: "v1.0.0 v1.9.9\u3000tag"},
		{name: "a tag below that go takes for another", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.0.0", "v1.9.9\u3000tag")
			r.commit()
			return ""
		}, want: "v1.0.1-0.20260102040405-HASH", made: "v1.0.0"},
		{name: "a branch named like a version", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.0.0")
			r.git("branch", "v1.5.0")
			return ""
		}, want: "v1.0.0", tags: "v1.0.0"},
		{name: "retracted by itself", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.0.0")
			r.module("", "example.com/m", "retract v1.0.1").commit()
			r.tag("v1.0.1")
			return ""
		}, want: "v1.0.1", tags: "v1.0.1"},
		{name: "above a retracted one", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.0.0")
			r.commit()
			r.tag("v1.0.1")
			r.module("", "example.com/m", "retract [v1.0.1, v1.0.2]").commit()
			r.tag("v1.0.2")
			r.commit()
			return ""
		}, want: "v1.0.3-0.20260102060405-HASH"},
		{name: "retracted later", make: func(r *repo) string {
			r.module("", "example.com/m").commit()
			r.tag("v1.0.0")
			c := r.commit()
			r.tag("v1.0.1")
			r.module("", "example.com/m", "retract v1.0.1").commit()
			r.tag("v1.0.2")
			r.git("checkout", "--quiet", c)
			return ""
		}, want: "v1.0.1", tags: "v1.0.1"},
		{name: "subdirectory", make: func(r *repo) string {
			r.module("", "example.com/m").module("sub/dir", "example.com/m/sub/dir").commit()
			r.tag("v1.0.0", "sub/dir/v1.2.3", "sub/v1.9.0", "dir/v1.9.1")
			return "sub/dir"
		}, want: "v1.2.3", tags: "sub/dir/v1.2.3"},
		{name: "subdirectory, above a tag", make: func(r *repo) string {
			r.module("", "example.com/m").module("sub", "example.com/m/sub").commit()
			r.tag("v1.9.0", "sub/v1.2.3")
			r.commit()
			r.tag("v1.10.0")
			return "sub"
		}, want: "v1.2.4-0.20260102040405-HASH"},
		{name: "subdirectory v2", make: func(r *repo) string {
			r.module("", "example.com/m/v3").module("sub", "example.com/m/sub/v2").commit()
			r.tag("v3.0.0", "sub/v1.2.3", "sub/v2.0.1")
			return "sub"
		}, want: "v2.0.1", tags: "sub/v2.0.1"},
		{name: "major version in a directory", make: func(r *repo) string {
			r.module("", "example.com/m").module("v2", "example.com/m/v2").commit()
			r.tag("v1.9.0", "v2.0.1", "v2/v2.9.0")
			return "v2"
		}, want: "v2.0.1", tags: "v2.0.1"},
		{name: "major version in a directory of a subdirectory", make: func(r *repo) string {
			r.module("", "example.com/m").module("sub/v2", "example.com/m/sub/v2").commit()
			r.tag("v2.0.0", "sub/v2.0.1", "sub/v2/v2.9.0")
			return "sub/v2"
		}, want: "v2.0.1", tags: "sub/v2.0.1"},
		{name: "no module at the top", make: func(r *repo) string {
			r.module("sub", "example.com/m/sub").commit()
			r.tag("sub/v1.2.3", "v1.9.0")
			return "sub"
		}, want: "v1.2.3", tags: "sub/v1.2.3", unstamped: true},
		{name: "another module at the top", make: func(r *repo) string {
			r.module("", "example.com/m").module("tools", "example.org/tools").commit()
			r.tag("tools/v1.2.3", "v1.9.0")
			return "tools"
		}, want: "v1.2.3", tags: "tools/v1.2.3", unstamped: true},
		{name: "a path that is not the directory", make: func(r *repo) string {
			r.module("", "example.com/m").module("src/tool", "example.com/m/tool").commit()
			r.tag("src/tool/v1.2.3", "v1.9.0", "tool/v1.8.0")
			return "src/tool"
		}, want: "v1.2.3", tags: "src/tool/v1.2.3", unstamped: true},
		{name: "gopkg.in", make: func(r *repo) string {
			r.module("", "gopkg.in/m.v2").commit()
			r.tag("v1.2.3", "v2.0.1")
			return ""
		}, want: "v2.0.1", tags: "v2.0.1", unstamped: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRepo(t)
			dir := tt.make(r)
			s := r.mustOpen(dir)
			short := strings.NewReplacer("HASH", s.Commit[:12])
			want := short.Replace(tt.want)
			if s.Version != want || strings.Join(s.Tags, " ") != tt.tags {
				t.Errorf("version %s, tags %q; want %s, %s", s.Version, s.Tags, want, tt.tags)
			}
			if tag := s.Tag(); (tag != "") != (tt.tags != "") || !strings.HasSuffix(tag, want) && tag != "" {
				t.Errorf("tag %q", tag)
			}
			if s.Unstamped != tt.unstamped {
				t.Errorf("unstamped: %v", s.Unstamped)
			}
			if s.Dir != dir || s.Commit+"\n"+s.Tree != r.git("rev-parse", "HEAD", "HEAD^{tree}") || len(s.Dirty) > 0 {
				t.Errorf("dir %q, commit %s, tree %s, dirty %q", s.Dir, s.Commit, s.Tree, s.Dirty)
			}
			if testing.Short() {
				return
			}
			stamped := want
			if tt.unstamped {
				stamped = "(devel)"
			}
			if foreseen := s.Stamp(runtime.Version()); foreseen != stamped {
				t.Errorf("foreseen: %s, want %s", foreseen, stamped)
			}
			if tt.stamped != "" {
				stamped = tt.stamped
			}
			got := build(t, r.checkout(s, false))
			if got != (stamp{stamped, s.Commit, s.CommitTime.Format(time.RFC3339), "false"}) {
				t.Errorf("go stamps %+v, want %s", got, stamped)
			}
			if own := build(t, filepath.Join(r.dir, dir)); own != got {
				t.Errorf("in the user's tree go stamps %+v", own)
			}
			made, err := s.StampTags(t.Context(), got.version)
			if err != nil || tt.made != "" && strings.Join(made, " ") != tt.made {
				t.Errorf("%s is made of %q, %v; want %s", got.version, made, err, tt.made)
			}
			if again := r.elsewhere(s, source.Built{Commit: s.Commit, Tags: s.Tags, StampTags: made, Stamped: true}); build(t, filepath.Join(again, dir)) != got {
				t.Errorf("in a clone with the tags %q go stamps something else", made)
			}
		})
	}
}

// TestSummary holds the summary against what git describe says, but for how many
// digits of the hash that shows.
func TestSummary(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(r *repo)
		want string // HASH stands for the commit's first digits
	}{
		{"no tag", func(r *repo) {}, "HASH"},
		{"tag", func(r *repo) { r.tag("v1.2.3") }, "v1.2.3"},
		{"a tag that is no version", func(r *repo) { r.tag("nightly-2-gabcdef0") }, "nightly-2-gabcdef0"},
		{"above a tag", func(r *repo) { r.tag("v1.2.3"); r.commit(); r.commit() }, "v1.2.3-2-gHASH"},
		{"the nearest, not the highest", func(r *repo) { r.tag("v2.0.0"); r.commit(); r.tag("sub/v1.0.0"); r.commit() }, "sub/v1.0.0-1-gHASH"},
		{"annotated before light", func(r *repo) { r.tag("v1.9.0"); r.git("tag", "-a", "-m", "a release", "v1.2.3"); r.commit() }, "v1.2.3-1-gHASH"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRepo(t)
			r.module("", "example.com/m").commit()
			tt.make(r)
			repo, err := r.open("")
			if err != nil {
				t.Fatal(err)
			}
			got, err := repo.Summary(t.Context())
			if want := strings.ReplaceAll(tt.want, "HASH", repo.Commit[:7]); err != nil || got != want {
				t.Errorf("%s, %v, want %s", got, err, want)
			}
			if said := strings.TrimSpace(r.git("describe", "--tags", "--always", "--abbrev=7")); said != got {
				t.Errorf("git says %s, not %s", said, got)
			}
		})
	}
}
