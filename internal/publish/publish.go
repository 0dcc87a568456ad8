// Package publish brings a verified release to where its users get it, and says
// whether what is there is that release.
//
// # What is promised
//
//   - Only a [Release] can be published, and only [Verified] makes one.
//   - A release is published once, when all of its files are there and were read back
//     with the digests that they have here. Until then it is a draft, which its users do
//     not see. Some forges let nothing be changed afterwards
//     (https://docs.github.com/en/code-security/concepts/supply-chain-security/immutable-releases).
//   - Nothing is overwritten and nothing is deleted: a file that is there with the same
//     digest is done, one with another digest is an error. Exception: of an upload that
//     broke, GitHub keeps a file without content in the state "starter", under whose
//     name nothing can be uploaded; its own advice is to delete it
//     (https://docs.github.com/en/rest/releases/assets#upload-a-release-asset). Such a
//     one is deleted if it has the name of a file of the release. The same goes for the
//     unfinished files of a draft in a directory, here or at the other end of rsync.
//   - A tag is never made: it has to be there, on the commit that the release says,
//     before the first file is uploaded and again before the release is published.
//     Forges make a tag that is missing, of whatever is at the head of a branch.
//   - Wherever it stops, the same command goes on: what is there is asked for, and
//     nothing is kept here. A request whose effect is not known (the connection broke,
//     the server failed) is not made again before it was looked for.
//   - The token is for the hosts that the target names and for GitHub's host of
//     uploads. It is in no event, no result and no error, and follows no redirect.
//
// # Who else publishes
//
// Two that publish the same release at once end with one release and no error, or with
// an error after which the command ends well: both look for what is there before they
// say that something is wrong. On GitHub both may make a draft, since several may have
// the same tag; the one that is left is named in the result, and somebody may delete it.
//
// # Forges without drafts
//
// GitLab has none: files are uploaded as a package of the project, and the release
// that links to them is made when all are there. Whoever knows where to look sees the
// package before. In a directory the draft is one beside the release's, whose name
// begins with a dot.
package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/secret"
)

// Config says where and how a release is published.
type Config struct {
	Target Target
	Token  secret.Text // of the forge; empty: only what everybody may see is read
	Tag    string      // for a version that no tag says; else it is the release's own
	Notes  string      // file with the text beside the files; "" is report.md of the release, if there is one
	Draft  bool        // stop when the draft is complete
	DryRun bool        // only ask what is there, and say what would be done

	Transport http.RoundTripper
	// Env is what rsync gets: see [childenv.Rsync].
	Env []string
	// Say is told of each request and each wait; nil: nobody.
	Say func(Event)
	// MaxWait is how long is waited for rate limits in all; 0 is 20 minutes. Idle is how
	// long a connection may do nothing; 0 is two minutes.
	MaxWait, Idle time.Duration
	// Sleep and Now are for tests; nil: the clock's.
	Sleep func(context.Context, time.Duration) error
	Now   func() time.Time
}

// Event is a request, or something else that is worth saying.
type Event struct {
	Method, URL string // of a request; of a directory, what is done to which path; of rsync, its arguments
	Size        int64  // bytes that go with it
	File        string // that is uploaded
	Would       bool   // it is not made: only said
	Text        string // of what is no request
}

// State is what became of a release.
type State string

const (
	Published State = "published"
	Already   State = "already published" // all of it, by somebody before
	Drafted   State = "draft"             // complete, and not published, as was asked for
	Rehearsed State = "not published"     // a dry run
)

// Result is what there is at the target.
type Result struct {
	Target string `json:"target"`
	Tag    string `json:"tag"`
	Commit string `json:"commit"`
	State  State  `json:"state"`
	URL    string `json:"url"` // for people
	// Immutable: the forge says that nothing of it can be changed any more.
	Immutable bool         `json:"immutable,omitempty"`
	Files     []FileResult `json:"files"`
	// Drafts are other drafts of the tag, which nobody needs: their addresses.
	Drafts []string `json:"other_drafts,omitempty"`
}

// FileResult is a file, and whether it was there already.
type FileResult struct {
	File
	There bool `json:"there"`
}

// remote is a release at a forge.
type remote struct {
	ID        string
	Draft     bool
	Immutable bool
	URL       string // for people
}

// asset is a file of a remote.
type asset struct {
	ID, Name string
	Size     int64
	SHA256   string // "" if the forge does not say
	Complete bool   // else it is what an upload left that broke
	Ours     bool   // of what is not complete: no name of a file, but one that only we give
	Link     string // it leads elsewhere, and nobody knows to what
	ref      string // where it is downloaded from
}

// host is one kind of place. What it is asked for is about one tag.
type host interface {
	// commit is the commit that the tag names; "" if there is no such tag.
	commit(ctx context.Context) (string, error)
	// find gives what has the tag: the published release, or all drafts.
	find(ctx context.Context) (published *remote, drafts []*remote, err error)
	create(ctx context.Context) (*remote, error)
	assets(ctx context.Context, r *remote) ([]asset, error)
	upload(ctx context.Context, r *remote, f File) error
	// remove removes what is not complete.
	remove(ctx context.Context, a asset) error
	// read gives the content of a file to what reads it, from the start each time.
	read(ctx context.Context, a asset, to func(io.Reader) error) error
	publish(ctx context.Context, r *remote) error
	// rehearse has the requests that follow said, and not made.
	rehearse()
}

// together is a host that takes files at once, so that a connection is made once for all
// of them.
type together interface {
	uploadAll(ctx context.Context, r *remote, list []File) error
}

// about is what a host has to know of the release; the rest is empty where a published
// one is only read.
type about struct {
	target     Target
	tag        string
	release    *Release
	notes      string
	prerelease bool
}

// closing is the file that publishes a release where nothing else does, since without it
// nobody takes the directory for a release: the list. It is uploaded by host.publish; ""
// elsewhere.
func (a *about) closing() string {
	if a.target.Kind != Rsync || a.release == nil {
		return ""
	}
	return a.release.Manifest.List().Name
}

// publication is one release on its way.
type publication struct {
	cfg  *Config
	host host
	about
	digests map[string]string // by ID: what was downloaded
}

func (cfg *Config) say(e Event) {
	if cfg.Say != nil {
		cfg.Say(e)
	}
}

func (cfg *Config) now() time.Time {
	if cfg.Now != nil {
		return cfg.Now()
	}
	return time.Now()
}

// pause waits before a further try.
func (cfg *Config) pause(ctx context.Context, try int) error {
	return cfg.sleep(ctx, firstPause<<(try-1))
}

func (cfg *Config) sleep(ctx context.Context, d time.Duration) error {
	if cfg.Sleep != nil {
		return cfg.Sleep(ctx, d)
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// Publish publishes a release, or goes on with what was begun. What is there already,
// published and the same, is no error.
func Publish(ctx context.Context, r *Release, cfg Config) (*Result, error) {
	p, err := prepare(r, &cfg)
	if err != nil {
		return nil, err
	}
	defer p.close()
	res, err := p.run(ctx)
	return res, p.explain(err)
}

func prepare(r *Release, cfg *Config) (*publication, error) {
	tag, err := r.tag(cfg.Tag)
	if err != nil {
		return nil, err
	}
	p := open(cfg, about{target: cfg.Target, tag: tag, release: r, prerelease: r.prerelease()})
	if cfg.Target.Kind != Directory {
		err = errors.Join(r.names(), r.limits(cfg.Target.Kind))
		if names := cfg.Target.Token().Names; cfg.Target.Forge() && cfg.Token.Reveal() == "" && !cfg.DryRun {
			err = errors.Join(err, fault.Usagef("set "+names[0]+" to a token that may write releases of "+cfg.Target.Repo, "%s: no token in %s", cfg.Target, strings.Join(names, " or ")))
		}
	}
	var nerr error
	p.notes, nerr = notes(r, cfg.Notes)
	return p, errors.Join(err, nerr)
}

// close removes what the host has put aside here.
func (p *publication) close() {
	if c, ok := p.host.(interface{ close() }); ok {
		c.close()
	}
}

func open(cfg *Config, a about) *publication {
	p := &publication{cfg: cfg, about: a, digests: map[string]string{}}
	switch a.target.Kind {
	case GitHub:
		p.host = newGitHub(cfg, &p.about)
	case GitLab:
		p.host = newGitLab(cfg, &p.about)
	case Directory:
		p.host = newDirectory(cfg, &p.about)
	case Rsync:
		p.host = newRsync(cfg, &p.about)
	default:
		p.host = newGitea(cfg, &p.about)
	}
	return p
}

// variable is a variable of what rsync gets.
func (cfg *Config) variable(name string) (value string) {
	for _, v := range cfg.Env {
		if n, rest, _ := strings.Cut(v, "="); n == name {
			value = rest
		}
	}
	return value
}

// maxNotes is the most characters of a release's text on GitHub.
const maxNotes = 125_000

func notes(r *Release, name string) (string, error) {
	if name == "" {
		if _, ok := r.file(fact.MarkdownFile); !ok {
			return "", nil
		}
		name = filepath.Join(r.Dir, fact.MarkdownFile)
	}
	data, err := files.Read(name, 1<<20)
	if err != nil {
		return "", fault.Usagef("name a file with text: -notes=FILE", "notes: %w", err)
	}
	if !utf8.Valid(data) {
		return "", fault.Usagef("name a file with text in UTF-8: -notes=FILE", "notes: %s is no text", name)
	}
	if n := utf8.RuneCount(data); n > maxNotes {
		return "", fault.Usagef("name a shorter text: -notes=FILE", "notes: %s has %d characters, a release takes %d", name, n, maxNotes)
	}
	return string(data), nil
}

// explain adds what can be done about an error of a forge, and takes the token out of
// whatever it may have got into.
func (p *publication) explain(err error) error {
	if err == nil {
		return nil
	}
	const again = "run the same command again: it goes on where this one stopped"
	if fault.Hint(err) == "" {
		hint := again
		token := p.target.Token()
		switch code := status(err); {
		case code == http.StatusUnauthorized:
			hint = fmt.Sprintf("set %s to a token that %s takes: this one is none of its own, or no longer", token.Names[0], p.target)
		case code == http.StatusForbidden && p.cfg.Token.Reveal() == "", code == http.StatusNotFound && p.cfg.Token.Reveal() == "":
			hint = fmt.Sprintf("check the name; what not everybody may see needs a token in %s", token.Names[0])
		case code == http.StatusForbidden, code == http.StatusNotFound:
			hint = fmt.Sprintf("check the name, and that the token in %s may write there: %s", token.Names[0], rights(p.target.Kind))
		case code >= 300 && code < 400:
			hint = "the repository has moved: name where it is now"
		case code != 0 && code < 500:
			hint = "nothing was published by this; see what the server says, mend it, and run the same command again"
		}
		err = &fault.Error{Err: err, Tip: hint}
	}
	return secret.Without(err, p.cfg.Token.Reveal(), p.cfg.variable("RSYNC_PASSWORD"))
}

// rights are what a token needs.
func rights(k Kind) string {
	switch k {
	case GitHub:
		return "in a workflow, permissions: {contents: write}; of a fine-grained token, Contents: read and write; of a classic one, repo or public_repo"
	case GitLab:
		return "scope api, role Developer"
	}
	return "scope write:repository"
}
