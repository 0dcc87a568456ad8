package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/shell"
)

// run goes all the way: tag, draft, files, comparison, publication. Each step looks at
// what is there before it says that something is wrong, and nothing is made whose
// effect may be there already.
func (p *publication) run(ctx context.Context) (*Result, error) {
	res := &Result{Target: p.target.String(), Tag: p.tag, Commit: p.release.Manifest.Source.Commit, State: Rehearsed}
	if p.cfg.DryRun && p.cfg.Token.Reveal() == "" && p.target.Forge() {
		p.cfg.say(Event{Text: "no token in " + p.target.Token().Names[0] + ": drafts, which not everybody may see, are taken for not there"})
	}
	if err := p.checkTag(ctx); err != nil {
		return nil, err
	}
	published, drafts, err := p.host.find(ctx)
	if err != nil {
		return nil, err
	}
	if published != nil {
		res.State = Already
		return res, p.finished(ctx, res, published, drafts)
	}
	draft, found, err := p.choose(ctx, drafts)
	if err != nil {
		return nil, err
	}
	if p.cfg.DryRun {
		return res, p.rehearse(ctx, res, draft, found)
	}
	if draft == nil {
		if draft, found, err = p.create(ctx); err != nil {
			return nil, err
		}
	}
	for send, batch := range p.batches(p.missing(found)) {
		if err := p.upload(ctx, draft, batch, send); err != nil {
			return nil, err
		}
	}
	for _, f := range p.release.Files {
		if !p.cfg.Draft || f.Name != p.closing() {
			res.Files = append(res.Files, FileResult{f, found.done[f.Name]})
		}
	}
	// Read back: the release is published only if all of it is there, and nothing else.
	if err := p.exact(ctx, draft); err != nil {
		return nil, err
	}
	for _, d := range drafts {
		if d.ID != draft.ID {
			res.Drafts = append(res.Drafts, d.URL)
		}
	}
	if p.cfg.Draft {
		res.State, res.URL = Drafted, draft.URL
		return res, nil
	}
	if err := p.checkTag(ctx); err != nil { // uploading takes time
		return nil, err
	}
	if published, err = p.publish(ctx, draft); err != nil {
		return nil, err
	}
	res.State = Published
	return res, p.finished(ctx, res, published, nil)
}

// checkTag demands the tag, on the release's commit.
func (p *publication) checkTag(ctx context.Context) error {
	if !p.target.Forge() {
		return nil
	}
	want := p.release.Manifest.Source.Commit
	commit, err := p.host.commit(ctx)
	tag := shell.Word(p.tag)
	switch {
	case err != nil:
		return err
	case commit == "":
		return fault.Errorf("push it: git push origin "+tag, "%s has no tag %s, and one that the forge made would be on another commit", p.target, p.tag)
	case commit != want:
		return fault.Refusedf(fmt.Sprintf("release the commit that the tag is on; or, if nobody has the tag yet, move it: git tag -f %s %s && git push -f origin %s", tag, want, tag),
			"%s: the tag %s is on the commit %.100s, the release is of %s", p.target, p.tag, commit, want)
	}
	return nil
}

// found is how far an upload is.
type found struct {
	done   map[string]bool
	broken []asset // not complete
	wrong  error   // what does not belong there, all of it; nil: nothing
}

// compare holds the files of a remote against those of the release.
func (p *publication) compare(ctx context.Context, list []asset) (found, error) {
	got := found{done: map[string]bool{}}
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, a := range list {
		f, ok := p.release.file(a.Name)
		switch {
		case !a.Complete && (ok || a.Ours):
			got.broken = append(got.broken, a)
			continue
		case !ok:
			wrong("%.100q is there, and is no file of the release", a.Name)
			continue
		case got.done[a.Name]:
			wrong("%s is there twice", a.Name)
			continue
		case a.Link != "":
			wrong("%s leads elsewhere, to %.200q", a.Name, a.Link)
			continue
		case a.Size >= 0 && a.Size != f.Size:
			wrong("%s has %d bytes there, and %d here", a.Name, a.Size, f.Size)
			continue
		}
		sum, err := p.digest(ctx, a, f.Size)
		if err != nil {
			return found{}, err
		}
		if sum != f.SHA256 {
			wrong("%s has the digest %.100s there, and %s here", a.Name, sum, f.SHA256)
			continue
		}
		got.done[a.Name] = true
	}
	got.wrong = errors.Join(errs...)
	return got, nil
}

// digest is the SHA-256 of a file there: what the forge says, or what is downloaded.
func (p *publication) digest(ctx context.Context, a asset, size int64) (string, error) {
	if a.SHA256 != "" {
		return a.SHA256, nil
	}
	if sum, ok := p.digests[a.ID]; ok {
		return sum, nil
	}
	sum := ""
	err := p.host.read(ctx, a, func(r io.Reader) error {
		n := int64(0)
		var err error
		if sum, n, err = files.DigestOf(ctx, io.LimitReader(r, size+1)); err == nil && n > size {
			sum = "of more bytes"
		}
		return err
	})
	if err == nil {
		p.digests[a.ID] = sum
	}
	return sum, err
}

// mismatch is the error of a remote that is not the release.
func (p *publication) mismatch(r *remote, err error) error {
	if err == nil {
		return nil
	}
	if r.Draft {
		return fault.Refusedf("look at it, delete it by hand if nobody needs it, and publish again: "+r.URL, "%s has a draft for %s that is another release; nothing was overwritten: %w", p.target, p.tag, err)
	}
	return fault.Refusedf("what is published is not changed: release another version. What is there: "+r.URL, "%s has published %s, and it is another release: %w", p.target, p.tag, err)
}

// exact demands that a remote has all files of the release and no others.
func (p *publication) exact(ctx context.Context, r *remote) error {
	list, err := p.host.assets(ctx, r)
	if err != nil {
		return err
	}
	got, err := p.compare(ctx, list)
	if err != nil {
		return err
	}
	errs := []error{got.wrong}
	for _, f := range p.release.Files {
		there := func(a asset) bool { return a.Name == f.Name }
		if !got.done[f.Name] && !slices.ContainsFunc(list, there) && !(r.Draft && f.Name == p.closing()) {
			errs = append(errs, fmt.Errorf("%s is not there", f.Name))
		}
	}
	for _, a := range got.broken {
		errs = append(errs, fmt.Errorf("%.100q was not uploaded in full", a.Name))
	}
	return p.mismatch(r, errors.Join(errs...))
}

// finished demands a release that is published and exact, and says so.
func (p *publication) finished(ctx context.Context, res *Result, r *remote, drafts []*remote) error {
	if err := p.exact(ctx, r); err != nil {
		return err
	}
	if res.Files == nil {
		for _, f := range p.release.Files {
			res.Files = append(res.Files, FileResult{f, true})
		}
	}
	res.URL, res.Immutable = r.URL, r.Immutable
	for _, d := range drafts {
		res.Drafts = append(res.Drafts, d.URL)
	}
	return nil
}

// choose finds the draft to go on with: of those that have nothing wrong the one that
// is furthest, and of two the one that comes first.
func (p *publication) choose(ctx context.Context, drafts []*remote) (best *remote, got found, err error) {
	var errs []error
	for _, d := range drafts {
		list, err := p.host.assets(ctx, d)
		if err != nil {
			return nil, found{}, err
		}
		f, err := p.compare(ctx, list)
		switch {
		case err != nil:
			return nil, found{}, err
		case f.wrong != nil:
			errs = append(errs, p.mismatch(d, f.wrong))
		case best == nil || len(f.done) > len(got.done):
			best, got = d, f
		}
	}
	if best == nil {
		return nil, found{}, errors.Join(errs...)
	}
	return best, got, p.clear(ctx, got.broken)
}

// clear removes what uploads left that broke.
func (p *publication) clear(ctx context.Context, broken []asset) error {
	if p.cfg.DryRun {
		return nil // rehearse says it
	}
	for _, a := range broken {
		if err := p.host.remove(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// create makes the draft. What may have been made is looked for, and not made again.
func (p *publication) create(ctx context.Context) (*remote, found, error) {
	for try := 1; ; try++ {
		r, err := p.host.create(ctx)
		if err == nil {
			return r, found{}, nil
		}
		if !p.repairable(ctx, err) || try == tries {
			return nil, found{}, err
		}
		if err := p.cfg.pause(ctx, try); err != nil {
			return nil, found{}, err
		}
		published, drafts, ferr := p.host.find(ctx)
		switch {
		case ferr != nil:
			return nil, found{}, ferr
		case published != nil:
			return nil, found{}, fault.Errorf("run the same command again: it says whether it is the same release", "%s: somebody else has published %s meanwhile", p.target, p.tag)
		case len(drafts) > 0:
			return p.choose(ctx, drafts)
		case !unsure(err):
			return nil, found{}, err
		}
	}
}

// repairable reports whether a look at what is there may show that all is well: the
// effect is not known, or somebody else was first.
func (p *publication) repairable(ctx context.Context, err error) bool {
	first := []int{http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity}
	return ctx.Err() == nil && (unsure(err) || slices.Contains(first, status(err)))
}

// taken reports whether a forge says that the name is in use.
func taken(err error) bool {
	e, ok := errors.AsType[*StatusError](err)
	return ok && slices.Contains(e.Codes, "already_exists")
}

// missing are the files that a draft lacks: all but what publishes it.
func (p *publication) missing(got found) (list []File) {
	for _, f := range p.release.Files {
		if !got.done[f.Name] && f.Name != p.closing() {
			list = append(list, f)
		}
	}
	return list
}

// batches are files as the host takes them, with what sends them: all at once, or one
// after the other.
func (p *publication) batches(list []File) iter.Seq2[send, []File] {
	return func(yield func(send, []File) bool) {
		if many, ok := p.host.(together); ok {
			if len(list) > 0 {
				yield(many.uploadAll, list)
			}
			return
		}
		one := func(ctx context.Context, r *remote, list []File) error { return p.host.upload(ctx, r, list[0]) }
		for i := range list {
			if !yield(one, list[i:i+1]) {
				return
			}
		}
	}
}

// send uploads files.
type send func(ctx context.Context, r *remote, list []File) error

// upload brings files there. After whatever broke it looks before it sends again what is
// not there.
func (p *publication) upload(ctx context.Context, r *remote, left []File, send send) error {
	for try := 1; ; try++ {
		err := send(ctx, r, left)
		if err == nil {
			return nil
		}
		if len(left) == 1 {
			err = fmt.Errorf("%s: %w", left[0].Name, err)
		}
		if !p.repairable(ctx, err) || try == tries {
			return err
		}
		if err := p.cfg.pause(ctx, try); err != nil {
			return err
		}
		list, lerr := p.host.assets(ctx, r)
		if lerr != nil {
			return lerr
		}
		got, cerr := p.compare(ctx, list)
		switch {
		case cerr != nil:
			return cerr
		case got.wrong != nil:
			return p.mismatch(r, got.wrong)
		}
		left = slices.DeleteFunc(slices.Clone(left), func(f File) bool { return got.done[f.Name] })
		switch {
		case len(left) == 0:
			return nil
		case !unsure(err) && !taken(err):
			return err
		}
		if err := p.clear(ctx, got.broken); err != nil {
			return err
		}
	}
}

// publish makes the draft a release, and finds it published.
func (p *publication) publish(ctx context.Context, draft *remote) (*remote, error) {
	for try := 1; ; try++ {
		err := p.host.publish(ctx, draft)
		if err != nil && !p.repairable(ctx, err) {
			return nil, err
		}
		if err != nil {
			if err := p.cfg.pause(ctx, try); err != nil {
				return nil, err
			}
		}
		published, _, ferr := p.host.find(ctx)
		switch {
		case ferr != nil:
			return nil, ferr
		case published != nil:
			return published, nil
		case try < tries && (err == nil || unsure(err)):
			if err == nil { // it shows a little later
				if err := p.cfg.pause(ctx, try); err != nil {
					return nil, err
				}
			}
		case err != nil:
			return nil, err
		default:
			return nil, fault.Errorf("look at it: "+draft.URL, "%s: %s was published, and is still a draft", p.target, p.tag)
		}
	}
}

// rehearse says what would be done.
func (p *publication) rehearse(ctx context.Context, res *Result, draft *remote, got found) error {
	p.host.rehearse()
	for _, a := range got.broken {
		if err := p.host.remove(ctx, a); err != nil {
			return err
		}
	}
	if draft == nil {
		if _, err := p.host.create(ctx); err != nil {
			return err
		}
		draft = &remote{ID: "ID", Draft: true}
	}
	for send, batch := range p.batches(p.missing(got)) {
		if err := send(ctx, draft, batch); err != nil {
			return err
		}
	}
	for _, f := range p.release.Files {
		res.Files = append(res.Files, FileResult{f, got.done[f.Name]})
	}
	res.URL = draft.URL
	if _, err := p.host.assets(ctx, draft); err != nil {
		return err
	}
	if p.cfg.Draft {
		return nil
	}
	if _, err := p.host.commit(ctx); err != nil {
		return err
	}
	if err := p.host.publish(ctx, draft); err != nil {
		return err
	}
	if _, _, err := p.host.find(ctx); err != nil {
		return err
	}
	_, err := p.host.assets(ctx, draft)
	return err
}
