package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/shell"
	"github.com/mintmark/mintmark/internal/ui"
)

// planFlags are what mintmark plan takes.
type planFlags struct {
	selectFlags
	jsonFlag
	dirFlag
	moduleFlag
	treeFlags
	versionFlag
	Explain bool `flag:"explain" help:"print every resolved setting with the file and line it came from"`
}

func (f *planFlags) run(ctx context.Context, d *app) error {
	if f.JSON && f.Explain {
		return fault.Usagef("-json prints the plan, which does not depend on where its values come from", "-json and -explain contradict each other")
	}
	c, err := d.config(f.selectFlags, f.dirFlag, f.moduleFlag, f.treeFlags, f.versionFlag)
	if err != nil {
		return err
	}
	stop := d.watch(&c)
	p, err := release.Plan(ctx, c, f.Explain)
	stop()
	if err != nil {
		return err
	}
	if len(p.Dirty) > 0 && !f.Snapshot {
		d.term.Warn("the tree is not the commit (%s): this is the commit's plan, and release would refuse", fact.Count(len(p.Dirty), "file"))
	}
	if f.JSON {
		data := p.JSON // its hash is the plan ID
		if d.term.StdoutIsTerminal() {
			data = ui.EscapeJSON(data)
		}
		_, err := d.stdout().Write(data)
		return err
	}
	src := p.Plan.Source
	d.printf("%s %s\n", p.Plan.Project, p.Plan.Version)
	d.printf("source     %s %s, %s %s\n", src.Module, src.Version, src.Commit, src.CommitTime)
	d.printf("           %s\n", src.Sum)
	d.notTaken(p.VersionLines)
	d.skipped(p.Plan.Go, p.Skipped)
	d.printf("toolchain  %s (%s)\n", p.Plan.Go, p.Toolchain.Module)
	d.printf("           %s\n", p.Toolchain.Sum)
	d.printf("plan ID    %s\n", p.ID)
	d.printf("always     %s\n", strings.Join(p.Plan.Env, " "))
	for _, g := range p.Plan.Generate {
		d.printf("generate   %s → %s\n", strings.TrimSpace(shell.Env(g.Env)+" "+shell.Words(g.Command)), strings.Join(g.Outputs, " "))
		for _, f := range g.Fetch {
			d.printf("           with %s from %s, sha256 %s\n", f.Path, f.URL, f.SHA256)
		}
	}
	for _, u := range p.Plan.Units {
		d.printf("\n%s\n", u.ID())
		d.printf("  %s \\\n    %s\n", shell.Env(u.Env), goCommand(append([]string{"go"}, u.Command(src.Kind, src.Version, "$OUT/")...)))
		for _, pgo := range u.PGO {
			d.printf("  pgo   %s sha256 %s\n", pgo.Path, pgo.SHA256)
		}
		if u.UPX != nil {
			d.printf("  upx   %s\n", strings.Join(u.UPX, " "))
			if pin := pinnedUPX(u.UPXVersion, u.UPXSHA256); pin != "" {
				d.printf("        by UPX %s\n", pin)
			}
		}
		d.publishes(u.Shape())
		for _, v := range p.Explained[u.ID()] {
			d.printf("    %-28s %-40s %s\n", v.Key, v.Value, v.Pos)
		}
	}
	for _, x := range p.Plan.Universal {
		d.printf("\n%s\n  of    %s\n", x.ID(), strings.Join(x.Slices, ", "))
		d.publishes(x.Shape())
	}
	return nil
}

// publishes prints what is published of a unit, and what is in its archive.
func (d *app) publishes(u fact.UnitShape) {
	if u.Replaced {
		d.printf("  → universal binaries alone\n")
		return
	}
	d.printf("  → %s\n", strings.Join(u.Published(), " "))
	for _, name := range u.Packaged() {
		if u.Wrap != "" || slices.ContainsFunc(u.Mains, func(m fact.Main) bool { return m.Path != "" }) {
			d.printf("    as %s\n", name)
		}
	}
	var plain []string
	for _, f := range u.Files {
		if f.Src == f.Dst && f.Mode == "" {
			plain = append(plain, f.Src)
		}
	}
	if len(plain) > 0 {
		d.printf("    with %s\n", strings.Join(plain, " "))
	}
	for _, f := range u.Files {
		if f.Src != f.Dst || f.Mode != "" {
			d.printf("    with %s\n", strings.TrimSpace(f.Src+" as "+u.Path(f.Dst)+" "+f.Mode))
		}
	}
	if u.Packages == nil {
		return
	}
	for _, c := range u.Packages.Contents {
		d.printf("    packaged with %s\n", strings.Join(strings.Fields(strings.Join([]string{string(c.Type), c.Src, "as", c.Dst, c.Mode}, " ")), " "))
	}
}

// notTaken prints which tag the version is of, and why it is not of the others.
func (d *app) notTaken(lines []string) {
	title := "tag"
	for _, line := range lines {
		d.printf("%-10s %s\n", title, line)
		title = ""
	}
}

// skipped prints the platforms that the toolchain does not know and that were to be
// skipped.
func (d *app) skipped(goVersion string, skipped []fact.Skipped) {
	for _, s := range skipped {
		d.printf("%-10s %s of profile %s, which %s cannot build for: %s\n", "skipped", fact.Count(len(s.Platforms), "platform"), s.Profile, goVersion, strings.Join(s.Platforms, ", "))
	}
}

// pinnedUPX names the UPX that a unit has to be packed with; "" if it is any.
func pinnedUPX(version, sum string) string {
	if sum != "" {
		sum = "sha256:" + sum
	}
	return strings.TrimSpace(version + " " + sum)
}

// goCommand writes a go command that a shell reads back as it is, except for the
// variable OUT, which is ours, for the reader to set.
func goCommand(args []string) string {
	var out []string
	for _, a := range args {
		if rest, ours := strings.CutPrefix(a, "$OUT/"); ours {
			a = "$OUT/"
			if rest != "" {
				a += shell.Word(rest)
			}
		} else {
			a = shell.Word(a)
		}
		out = append(out, a)
	}
	return strings.Join(out, " ")
}
