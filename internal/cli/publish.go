package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/childenv"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/lint"
	"github.com/mintmark/mintmark/internal/publish"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/secret"
	"github.com/mintmark/mintmark/internal/ui"
	"github.com/mintmark/mintmark/internal/verify"
)

// publishFlags are what mintmark publish takes.
type publishFlags struct {
	To     string `flag:"to" values:"github: gitea: forgejo: gitlab: dir: rsync: oci:" help:"where to: github:OWNER/REPO, gitlab:GROUP/PROJECT, and with a host github:https://HOST/OWNER/REPO, gitea:…, forgejo:…, gitlab:…; dir:PATH; rsync:[USER@]HOST:PATH, rsync://HOST/MODULE/PATH; or for container images oci://HOST/OWNER/NAME, and oci: where the release says (default: what publish in the profile file says)"`
	Config string `flag:"config" takes:"file" help:"without -to: profile file (default: mintmark.yaml in the current directory)"`
	publishedFlags
	Unsigned bool   `flag:"unsigned" help:"publish a release whose signatures were not checked"`
	Tag      string `flag:"tag" help:"the tag, for a version that no tag says (default: the release's own)"`
	Notes    string `flag:"notes" reads:"name a file with the text of the release" help:"file with the text of the release (default: its report.md, if there is one)"`
	Draft    bool   `flag:"draft" help:"stop when everything is uploaded and compared, before it is published"`
	DryRun   bool   `flag:"dryrun" also:"dry-run" help:"only ask what is there, and print every request that would be made (-dry-run as well)"`
	jsonFlag
	Path string `arg:"path" help:"a release's directory"`
}

// publishDoc is what publish prints with -json.
type publishDoc struct {
	Schema  fact.Schema `json:"schema"`
	Project string      `json:"project"`
	Version string      `json:"version"`
	*publish.Result
	Requests []requestDoc `json:"requests,omitempty"` // of a dry run
}

// requestDoc is one request of a dry run.
type requestDoc struct {
	Made   bool   `json:"made"` // only what asks is
	Method string `json:"method"`
	URL    string `json:"url"`
	Size   int64  `json:"size,omitempty"`
}

func (f *publishFlags) run(ctx context.Context, d *app) error {
	if f.To != "" {
		return f.to(ctx, d)
	}
	targets, err := lint.Targets(f.Config)
	if err != nil {
		return f.withKey(ctx, d, err)
	}
	for _, target := range targets {
		g := *f
		g.To = target
		if publish.OfImages(target) {
			if f.Draft {
				d.term.Note("%s: nothing is pushed with -draft, which registries do not have", target)
				continue
			}
			g.Tag, g.Notes = "", "" // they are for forges
		}
		if err := g.to(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// to publishes to one target.
func (f *publishFlags) to(ctx context.Context, d *app) error {
	if publish.OfImages(f.To) {
		return f.images(ctx, d)
	}
	target, err := f.target(ctx, d)
	if err != nil {
		return err
	}
	v, r, err := f.verified(ctx, d)
	if err != nil {
		return err
	}
	cfg, err := d.forge(target)
	if err != nil {
		return err
	}
	doc := publishDoc{Schema: fact.PublishReport, Project: v.Project, Version: v.Version}
	cfg.Tag, cfg.Notes, cfg.Draft, cfg.DryRun = f.Tag, f.Notes, f.Draft, f.DryRun
	cfg.Say = func(e publish.Event) {
		switch {
		case e.Text != "":
			d.term.Note("%s", e.Text)
		case f.DryRun:
			doc.Requests = append(doc.Requests, requestDoc{!e.Would, e.Method, e.URL, e.Size})
		case e.File != "":
			d.term.Note("uploading %s (%s)", e.File, ui.FormatBytes(e.Size))
		}
	}
	res, err := publish.Publish(ctx, r, cfg)
	if err != nil {
		return err
	}
	doc.Result = res
	if f.JSON {
		return report.WriteJSON(d.stdout(), doc)
	}
	d.published(doc)
	return nil
}

// verified is the release of the directory, which was verified.
func (f *publishFlags) verified(ctx context.Context, d *app) (*checksums.Verification, *publish.Release, error) {
	if fi, err := os.Stat(f.Path); err == nil && !fi.IsDir() {
		return nil, nil, fault.Usagef("name the directory that it is in", "%s is one file, not a release with all its files", f.Path)
	}
	vc := f.expected(d, f.Path)
	vc.Unsigned = f.Unsigned
	v, err := verify.Release(ctx, vc)
	if err != nil {
		return nil, nil, err
	}
	r, err := publish.Verified(ctx, f.Path, v, f.Unsigned)
	return v, r, err
}

// target is where to.
func (f *publishFlags) target(ctx context.Context, d *app) (publish.Target, error) {
	t, err := publish.ParseTarget(f.To)
	return t, f.withKey(ctx, d, err)
}

// withKey says together with what is wrong with a target what is wrong with the key: the
// release is not looked at before that is mended.
func (f *publishFlags) withKey(ctx context.Context, d *app, err error) error {
	if err != nil && f.Key != "" {
		if _, kerr := checksums.LoadTrust(ctx, f.Key.ref(d)); kerr != nil {
			err = errors.Join(err, fmt.Errorf("public key: %w", kerr))
		}
	}
	return err
}

// published says what became of a release.
func (d *app) published(doc publishDoc) {
	for _, q := range doc.Requests {
		word, size := "would", ""
		if q.Made {
			word = "asked"
		}
		if q.Size > 0 {
			size = " (" + ui.FormatBytes(q.Size) + ")"
		}
		d.printf("%s  %-6s %s%s\n", word, q.Method, ui.CleanLine(q.URL), size)
	}
	there := 0
	for _, file := range doc.Files {
		if file.There {
			there++
		}
	}
	all, sent := fact.Count(len(doc.Files), "file"), len(doc.Files)-there
	what := doc.Project + " " + doc.Version
	switch doc.State {
	case publish.Already:
		d.printf("%s has %s as %s already: the same %s\n", doc.Target, what, doc.Tag, all)
	case publish.Drafted:
		d.printf("%s has a draft of %s for %s: %s, %d uploaded, %d there before, all compared; it is published by the same command without -draft\n", doc.Target, what, doc.Tag, all, sent, there)
	case publish.Rehearsed:
		d.printf("nothing was written: %s of %s, %d would be uploaded, %d are there\n", all, what, sent, there)
	default:
		d.printf("%s has %s as %s: %s, %d uploaded, %d there before, all compared\n", doc.Target, what, doc.Tag, all, sent, there)
	}
	if doc.Immutable {
		d.printf("nothing of it can be changed any more\n")
	}
	if doc.URL != "" {
		d.printf("%s\n", ui.CleanLine(doc.URL))
	}
	for _, url := range doc.Drafts {
		d.term.Warn("there is another draft for %s, which nobody needs; delete it by hand: %s", doc.Tag, url)
	}
}

// forge is how a target is spoken to: with the proxies of the environment, and with
// the token that the environment has for it, if there is one. rsync gets what it needs of
// the environment.
func (d *app) forge(t publish.Target) (publish.Config, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	cfg := publish.Config{Target: t, Transport: transport, Env: childenv.Of(childenv.Rsync, d.env)}
	where := t.Token()
	names := where.Names
	if where.SameAs != "" && d.getenv(where.SameAs) == t.Base {
		names = append(names[:len(names):len(names)], where.Shared)
	}
	for _, name := range names {
		token := strings.TrimSpace(d.getenv(name))
		if token == "" {
			continue
		}
		if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return cfg, fault.Usagef("set it to the token alone", "%s has a character that tokens do not have", name)
		}
		cfg.Token = secret.NewText(token, "$"+name)
		break
	}
	return cfg, nil
}

// tokenless says which targets the environment has no token for.
func (d *app) tokenless(targets []string) {
	for _, text := range targets {
		t, err := publish.ParseTarget(text)
		if err != nil { // registries, whose credentials are not ours
			continue
		}
		cfg, err := d.forge(t)
		if names := t.Token().Names; len(names) > 0 && err == nil && cfg.Token.Reveal() == "" {
			d.printf("not checked: whether %s lets in who publishes: no token is here, mintmark publish needs %s where it runs\n", t, strings.Join(names, " or "))
		}
	}
}

// publishedAt is one release of a target, which another one is held against.
type publishedAt struct {
	cfg publish.Config
	tag string
}

// at reads what -published names.
func (d *app) at(text string) (*publishedAt, error) {
	target, tag, err := publish.ParsePublished(text)
	if err != nil {
		return nil, err
	}
	cfg, err := d.forge(target)
	cfg.Say = func(e publish.Event) {
		if e.Text != "" {
			d.term.Note("%s", e.Text)
		}
	}
	return &publishedAt{cfg, tag}, err
}

// fetch brings what is published into a directory of this machine, which is the
// caller's to close.
func (p *publishedAt) fetch(ctx context.Context) (*verify.Fetched, error) {
	dir, err := os.MkdirTemp("", "mintmark-verify-")
	if err != nil {
		return nil, err
	}
	if err := publish.Fetch(ctx, p.cfg, p.tag, dir); err != nil {
		files.RemoveTree(dir)
		return nil, err
	}
	return &verify.Fetched{Path: dir, Dir: dir}, nil
}

// notReleased is the error of a verification of what was fetched from where it is
// published: what to do about a directory of one's own does not help there.
func notReleased(err error) error {
	refused, ok := errors.AsType[*checksums.VerifyError](err)
	if !ok {
		return err
	}
	all := slices.Clone(refused.Refusals)
	for i := range all {
		all[i].Remedy = "what is published there now is not what was released: do not use it, and tell the publisher"
	}
	return &checksums.VerifyError{Refusals: all}
}

// same holds what is published against a directory that was verified, and adds what
// was found to the verification.
func (p *publishedAt) same(ctx context.Context, path string, v *checksums.Verification, unsigned bool) error {
	name := p.cfg.Target.String() + "@" + p.tag
	if v.OtherTool || v.Manifest == nil {
		v.Checks.Open(fact.PublishedFiles, name, "nothing here says which files the release has")
		return nil
	}
	r, err := publish.Verified(ctx, path, v, unsigned)
	if err != nil {
		return err
	}
	res, err := publish.Same(ctx, r, p.cfg, p.tag)
	if err != nil {
		return err
	}
	found := fact.Count(len(res.Files), "file") + " with these digests, and no others"
	if p.cfg.Target.Forge() {
		found += "; its tag is on the release's commit"
		if v.Manifest.From == fact.OfTag {
			v.Checks.Done(fact.VersionTag, v.Manifest.Tag, "")
		}
	}
	if res.Immutable {
		found += ", and the forge lets nothing of it be changed any more"
	}
	v.Checks.Done(fact.PublishedFiles, name, found)
	return nil
}
