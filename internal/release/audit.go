package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/shell"
	"github.com/mintmark/mintmark/internal/upx"
	"github.com/mintmark/mintmark/profiles"
)

// audited is what an audit found that did not stop it.
type audited struct {
	packer *upx.Tool   // nil when no unit is packed
	signed string      // what a release would be signed with; "" for none
	typed  *plan.Typed // nil when types were not asked for
}

// audit finds all that is wrong, or silently has no effect, before anything is
// compiled: in the tree, in the profile file, in the plan and all it needs, which
// is fetched, and on this machine. It is the one list of checks: [Check] does
// nothing else, and what builds goes on when it found nothing. So either says it in
// the same words. All errors are reported, and whatever else is found is a caution.
func (s *session) audit(ctx context.Context, kind string) (*audited, error) {
	a := &audited{}
	errs := []error{s.refusals(ctx, kind)}
	if !s.builds || errs[0] != nil { // else it was opened
		errs = append(errs, lookOut(ctx, s.Out))
	}
	if err := s.fetch(ctx); err != nil {
		return nil, errors.Join(append(errs, err)...)
	}
	perr := s.makePlan(ctx, true)
	if err := s.findUnseen(ctx); err != nil {
		return nil, errors.Join(append(errs, perr, err)...)
	}
	errs = append(errs, s.explainUnseen(perr))
	if perr == nil {
		var err error
		a.packer, err = s.findUPX(ctx)
		syntax := s.planner.Syntax(ctx)
		errs = append(errs, err, s.missingTools(ctx), syntax)
		if s.Types && syntax == nil { // else there is nothing that has types
			s.phase("checking types")
			a.typed, err = s.planner.Types(ctx)
			errs = append(errs, s.explainUnseen(err))
		}
	}
	if kind == checksums.KindRelease {
		if ref, err := s.keyRef(); err == nil { // else it was refused
			keys, err := s.committedKeys(ctx, ref)
			errs = append(errs, err, keys.refuse())
			for _, w := range keys.warnings() {
				s.caution("%s", w)
			}
			a.signed = ref.String()
		}
	}
	errs = append(errs, s.cautions(ctx, perr == nil))
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return a, nil
}

// refusals are what the tree, its tags and the profile file alone keep from
// being released.
func (s *session) refusals(ctx context.Context, kind string) error {
	errs := []error{s.refuseDirty()}
	if kind == checksums.KindRelease {
		ref, err := s.keyRef()
		if err == nil {
			err = signingKey(ref.Check(ctx, s.Given))
		}
		errs = append(errs, s.refuseUntagged(), err)
	}
	return errors.Join(errs...)
}

// fetch gets the toolchain and the source.
func (s *session) fetch(ctx context.Context) error {
	if err := s.fetchToolchain(ctx); err != nil {
		return err
	}
	if s.builds {
		if err := s.useCaches(); err != nil {
			return err
		}
	}
	return s.copySource(ctx)
}

// cautions warn of what does not stop a build. Some of it is known only of a plan.
func (s *session) cautions(ctx context.Context, planned bool) error {
	s.sayUnseen()
	for _, p := range s.planner.Remarks() {
		s.say(p.Error(), p.Format())
	}
	warnings, err := s.prevent(ctx)
	if err != nil {
		return err
	}
	if planned {
		stale, err := s.stalePGO(ctx)
		if err != nil {
			return err
		}
		warnings = slices.Concat(warnings, stale, s.unusedPGO(), s.pointers(), s.versionWarnings())
	}
	warnings = slices.Concat(warnings, s.dropped(), s.newerToolchain(ctx))
	for _, w := range warnings {
		s.caution("%s", w)
	}
	return nil
}

// caution warns of something that stops nothing. [Checked] has all of them.
func (s *session) caution(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.say(text, text)
}

// say is caution for what is shown otherwise than recorded.
func (s *session) say(text, shown string) {
	s.said = append(s.said, text)
	s.warn("%s", shown)
}

// missingTools refuses units whose compilers beside the toolchain are not on this machine.
func (s *session) missingTools(ctx context.Context) error {
	var errs []error
	said := map[string]bool{}
	for _, u := range s.plan.Units {
		missing, err := s.planner.MissingTools(ctx, u)
		if err != nil {
			return fmt.Errorf("%s: %w", u.ID(), err)
		}
		for _, m := range missing {
			if said[m.Variable+m.Command] {
				continue // of all its platforms
			}
			said[m.Variable+m.Command] = true
			errs = append(errs, hinted(m.Tip(), "%s: %s", u.ID(), m))
		}
	}
	return errors.Join(errs...)
}

// unusedPGO warns of profiles of the optimiser in the commit that no unit uses:
// the go command reads default.pgo beside a main package only. Where the profile
// file says of all units what is read, it was decided.
func (s *session) unusedPGO() (warnings []string) {
	if s.repo == nil {
		return nil
	}
	used, decided := map[string]bool{}, true
	for _, u := range s.plan.Units {
		named := slices.ContainsFunc(u.Flags, func(f string) bool { return strings.HasPrefix(f, "-pgo=") })
		decided = decided && named
		for _, m := range u.Mains {
			if dir, ok := strings.CutPrefix(m.Package+"/", s.source.ModulePath+"/"); ok && named {
				used[dir+"default.pgo"] = true // or left out on purpose
			}
		}
		for _, p := range u.PGO {
			used[p.Path] = true
		}
	}
	if decided {
		return nil
	}
	for _, name := range s.repo.Named("default.pgo") {
		if !used[name] {
			warnings = append(warnings, fmt.Sprintf("%s optimises nothing: the go command reads a default.pgo in the directory of a main package only, and none of those that are built is there; move it beside its program, or name it: pgo: %s", name, name))
		}
	}
	return warnings
}

// pointers warns of what goes into binaries and archives as a Git LFS pointer.
func (s *session) pointers() (warnings []string) {
	names := s.planner.Embedded()
	embedded := len(names)
	for _, u := range s.plan.Units {
		for _, f := range u.Files {
			if !slices.Contains(names, f) {
				names = append(names, f)
			}
		}
	}
	for i, name := range names {
		size, ok := source.PointsTo(filepath.Join(s.checkout, filepath.FromSlash(name)))
		if !ok {
			continue
		}
		where := "embedded"
		if i >= embedded {
			where = "in an archive"
		}
		warnings = append(warnings, fmt.Sprintf("%s is %s, and the commit has a Git LFS pointer in its place, to a file of %d bytes: no filter runs in a build of the commit, nor in the module proxy; commit the file itself (git lfs untrack)", name, where, size))
	}
	return warnings
}

// misnamed are names of profile files that are not read.
var misnamed = []string{
	"mintmark.yml", ".mintmark.yaml", ".mintmark.yml", "Mintmark.yaml", "mintmark.json",
	".config/mintmark.yaml", ".config/mintmark.yml", ".github/mintmark.yaml",
}

// sayMisnamed warns of files in dir that look like the profile file and are not
// it. read is the one that is; "" for the built-in profile: then those above it, up
// to the repository's top, may be meant as well.
func (s *session) sayMisnamed(dir, read string) {
	if read != "" {
		s.unread(dir, misnamed, read+" is")
		return
	}
	const instead = "the built-in profile is used"
	s.unread(dir, misnamed, instead)
	for _, above := range s.above(dir) {
		s.unread(above, append([]string{configName}, misnamed...), instead)
	}
}

// unread warns of files of these names in dir, which nobody reads.
func (s *session) unread(dir string, names []string, instead string) {
	for _, name := range names {
		if !exactly(dir, name) {
			continue
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		shown, advice := name, "rename it, or name it"
		if dir != s.Dir && dir != s.moduleDir { // of another module, or of all
			shown, advice = s.nearby(file), "if it is this product's, move it there, or name it"
		}
		s.caution("%s is not read, %s: the profile file is %s in the product's directory; %s with -config=%s", shown, instead, configName, advice, shell.Name(s.nearby(file)))
	}
}

// above are the directories above dir up to the repository's top, the nearest first.
func (s *session) above(dir string) (dirs []string) {
	real, err := realPath(dir)
	if s.repo == nil || err != nil {
		return nil
	}
	for real != s.repo.Root() && real != filepath.Dir(real) {
		real = filepath.Dir(real)
		dirs = append(dirs, real)
	}
	return dirs
}

// nearby is a path as it can be written in the working directory: relative, where
// it lies in the same repository as that.
func (s *session) nearby(name string) string {
	if short := s.shorten(name); short != name || s.repo == nil {
		return short
	}
	wd, err := os.Getwd()
	if err == nil {
		wd, err = realPath(wd)
	}
	if err != nil {
		return name
	}
	if in, err := filepath.Rel(s.repo.Root(), wd); err != nil || !filepath.IsLocal(in) {
		return name
	}
	if rel, err := filepath.Rel(wd, name); err == nil {
		return rel
	}
	return name
}

// remarked are the problems of the profile file that do not stop it.
func (s *session) remarked(list []profiles.Problem) {
	for _, w := range list {
		w.Warning = false // the event says it is one
		s.say(w.Error(), w.Format())
	}
}

// exactly reports whether there is a file of that name, a slash-separated path
// below dir, in that very spelling: some file systems know it by others.
func exactly(dir, name string) bool {
	entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(path.Dir(name))))
	return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == path.Base(name) && e.Type().IsRegular() })
}
