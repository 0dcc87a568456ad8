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
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/shell"
	"github.com/mintmark/mintmark/internal/upx"
)

// audit is what was found to be wrong, or silently without effect, in what will
// be built, before anything is compiled.
type audit struct {
	*Planned
	unseen   []source.Unseen // what git ignores and builds read
	cautions Cautions
	packer   *upx.Tool   // nil when no unit is packed
	signed   string      // what a release would be signed with; "" for none
	typed    *plan.Typed // nil when types were not asked for
}

// audit finds all that is wrong, or silently has no effect, before anything is
// compiled: in the tree, in the profile file, in the plan and all it needs, which
// is fetched, and on this machine. It is the one list of checks: [Check] does
// nothing else, and what builds goes on when it found nothing. So either says it in
// the same words. All errors are reported, and whatever else is found is a caution.
// opened says that the output directory was looked at.
func (s *Subject) audit(ctx context.Context, kind checksums.Kind, opened bool) (*audit, error) {
	errs := []error{s.refusals(ctx, kind)}
	if !opened {
		errs = append(errs, s.outDir().Look(ctx))
	}
	c, err := s.Fetch(ctx)
	if err != nil {
		return nil, errors.Join(append(errs, err)...)
	}
	a := &audit{cautions: Cautions{Run: s.Run}}
	var planErr error
	a.Planned, planErr = c.Expand(ctx, PlanWith{Deps: true})
	if a.unseen, err = s.findUnseen(ctx); err != nil {
		return nil, errors.Join(append(errs, planErr, err)...)
	}
	errs = append(errs, a.explainUnseen(planErr))
	if planErr == nil {
		errs = append(errs, a.checkPlan(ctx), a.checkNames(ctx, kind))
	}
	if kind == checksums.KindRelease {
		errs = append(errs, a.checkKeys(ctx))
	}
	errs = append(errs, a.caution(ctx, planErr == nil))
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return a, nil
}

// checkPlan finds what keeps a plan from being built here.
func (a *audit) checkPlan(ctx context.Context) error {
	var err error
	a.packer, err = a.FindUPX(ctx, a.cautions.add)
	syntax := a.Planner.Syntax(ctx)
	errs := []error{err, a.missingTools(ctx), syntax}
	if a.Types && syntax == nil { // else there is nothing that has types
		a.Phase("checking types")
		a.typed, err = a.Planner.Types(ctx)
		errs = append(errs, a.explainUnseen(err))
	}
	return errors.Join(errs...)
}

// checkKeys looks for private keys in the commit, and notes the one that signs.
func (a *audit) checkKeys(ctx context.Context) error {
	ref, err := a.keyRef()
	if err != nil {
		return nil // it was refused
	}
	keys, err := a.committedKeys(ctx, ref)
	for _, w := range keys.warnings() {
		a.cautions.add("%s", w)
	}
	a.signed = ref.String()
	return errors.Join(err, keys.refuse())
}

// refusals are what the tree, its tags and the profile file alone keep from
// being released.
func (s *Subject) refusals(ctx context.Context, kind checksums.Kind) error {
	errs := []error{s.RefuseDirty()}
	if kind == checksums.KindRelease {
		ref, err := s.keyRef()
		if err == nil {
			err = signingKey(ref.Check(ctx, s.Given))
		}
		errs = append(errs, s.refuseUntagged(), err)
	}
	return errors.Join(errs...)
}

// caution warns of what does not stop a build. Some of it is known only of a plan.
func (s *audit) caution(ctx context.Context, planned bool) error {
	s.sayUnseen()
	for _, p := range s.Planner.Remarks() {
		s.cautions.say(p.Error(), p.Format())
	}
	warnings, err := s.pitfalls(ctx)
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
		s.cautions.add("%s", w)
	}
	return nil
}

// missingTools refuses units whose compilers beside the toolchain are not on this machine.
func (s *audit) missingTools(ctx context.Context) error {
	var errs []error
	said := map[string]bool{}
	for _, u := range s.Plan.Units {
		missing, err := s.Planner.MissingTools(ctx, u)
		if err != nil {
			return fmt.Errorf("%s: %w", u.ID(), err)
		}
		for _, m := range missing {
			if said[m.Variable+m.Command] {
				continue // of all its platforms
			}
			said[m.Variable+m.Command] = true
			errs = append(errs, fault.Errorf(m.Tip(), "%s: %s", u.ID(), m))
		}
	}
	return errors.Join(errs...)
}

// unusedPGO warns of profiles of the optimiser in the commit that no unit uses:
// the go command reads default.pgo beside a main package only. Where the profile
// file says of all units what is read, it was decided.
func (s *audit) unusedPGO() (warnings []string) {
	if s.Repo == nil {
		return nil
	}
	used, decided := map[string]bool{}, true
	for _, u := range s.Plan.Units {
		named := slices.ContainsFunc(u.Flags, func(f string) bool { return strings.HasPrefix(f, "-pgo=") })
		decided = decided && named
		for _, m := range u.Mains {
			if dir, ok := strings.CutPrefix(m.Package+"/", s.Source.ModulePath+"/"); ok && named {
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
	for _, name := range s.Repo.Named("default.pgo") {
		if !used[name] {
			warnings = append(warnings, fmt.Sprintf("%s optimises nothing: the go command reads a default.pgo in the directory of a main package only, and none of those that are built is there; move it beside its program, or name it: pgo: %s", name, name))
		}
	}
	return warnings
}

// pointers warns of what goes into binaries and archives as a Git LFS pointer.
func (s *audit) pointers() (warnings []string) {
	names := s.Planner.Embedded()
	embedded := len(names)
	for _, u := range s.Plan.Units {
		for _, f := range u.Files {
			if !slices.Contains(names, f) {
				names = append(names, f)
			}
		}
	}
	for i, name := range names {
		size, ok := source.PointsTo(filepath.Join(s.Checkout, filepath.FromSlash(name)))
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
func (s *Subject) sayMisnamed(dir, read string) {
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
func (s *Subject) unread(dir string, names []string, instead string) {
	for _, name := range names {
		if !exactly(dir, name) {
			continue
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		shown, advice := name, "rename it, or name it"
		if dir != s.Dir && dir != s.ModuleDir { // of another module, or of all
			shown, advice = s.nearby(file), "if it is this product's, move it there, or name it"
		}
		s.Cautions.add("%s is not read, %s: the profile file is %s in the product's directory; %s with -config=%s", shown, instead, configName, advice, shell.Name(s.nearby(file)))
	}
}

// above are the directories above dir up to the repository's top, the nearest first.
func (s *Subject) above(dir string) (dirs []string) {
	real, err := files.RealPath(dir)
	if s.Repo == nil || err != nil {
		return nil
	}
	for real != s.Repo.Root() && real != filepath.Dir(real) {
		real = filepath.Dir(real)
		dirs = append(dirs, real)
	}
	return dirs
}

// nearby is a path as it can be written in the working directory: relative, where
// it lies in the same repository as that.
func (s *Subject) nearby(name string) string {
	if short := s.shorten(name); short != name || s.Repo == nil {
		return short
	}
	wd, err := os.Getwd()
	if err == nil {
		wd, err = files.RealPath(wd)
	}
	if err != nil {
		return name
	}
	if in, err := filepath.Rel(s.Repo.Root(), wd); err != nil || !filepath.IsLocal(in) {
		return name
	}
	if rel, err := filepath.Rel(wd, name); err == nil {
		return rel
	}
	return name
}

// exactly reports whether there is a file of that name, a slash-separated path
// below dir, in that very spelling: some file systems know it by others.
func exactly(dir, name string) bool {
	entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(path.Dir(name))))
	return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == path.Base(name) && e.Type().IsRegular() })
}

// RefuseDirty is the gate for everything that calls itself a release.
func (s *Subject) RefuseDirty() error {
	if s.Snapshot || len(s.Source.Dirty) == 0 {
		return nil
	}
	list := slices.Clone(s.Source.Dirty)
	var errs []error
	if s.Repo != nil {
		if keys := s.Repo.WithKeys(list); len(keys) > 0 {
			// Apart from the others, whose hint says to commit them.
			list = slices.DeleteFunc(list, func(name string) bool { return slices.Contains(keys, name) })
			errs = append(errs, fault.Errorf("move them out of the tree, or name them in .gitignore and, if git tracks them, git rm --cached "+shell.Names(keys)+". What has been committed and pushed is public: make a new key then",
				"changed or untracked files with private keys in them:\n%s", strings.Join(keys, "\n")))
		}
	}
	const show = 20
	more := ""
	if len(list) > show {
		more = fmt.Sprintf("\n… and %d more", len(list)-show)
		list = list[:show]
	}
	if len(list) == 0 {
		return errors.Join(errs...)
	}
	return errors.Join(append(errs, fault.Errorf("commit what belongs to the release, and name in .gitignore, or put aside with git stash -u, what does not; or build the tree as it is with -snapshot (never signed)",
		"the tree is not the commit; changed or untracked:\n%s%s", strings.Join(list, "\n"), more))...)
}
