package cli

import (
	"context"
	"path/filepath"
	"runtime"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/importer"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/scaffold"
	"github.com/mintmark/mintmark/internal/ui"
	"github.com/mintmark/mintmark/profiles"
)

// initFlags are what mintmark init takes.
type initFlags struct {
	dirFlag
	From  string `flag:"from" reads:"-from= names a .goreleaser.yaml, a .promu.yml or a Makefile" help:"import this configuration: GoReleaser's, promu's or a Makefile (default: the one that is there)"`
	Print bool   `flag:"print" help:"write nothing, and print the files that would be written"`
	Key   bool   `flag:"key" help:"make a key pair for signing too; its passphrase is MINTMARK_PASSWORD, else it has none"`
	CI    string `flag:"ci" help:"write a workflow that releases each version tag: github or gitlab"`
	Mage  bool   `flag:"mage" help:"write a module of its own for the Mage targets"`
	jsonFlag
}

// initDocument is the result for machines.
type initDocument struct {
	Schema  fact.Schema `json:"schema"`
	Written bool        `json:"written"`
	*scaffold.Proposal
	Next []scaffold.Step `json:"next"`
}

func (f *initFlags) run(ctx context.Context, d *app) error {
	if err := scaffold.CheckCI(f.CI); err != nil {
		return err
	}
	p, err := scaffold.Propose(scaffold.Config{
		Dir: f.Dir, From: f.From, Key: f.Key, CI: f.CI, Mage: f.Mage, Host: profiles.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH},
		Ignored: func(dir string, names []string) ([]string, error) { return release.Ignored(ctx, dir, d.env, names) },
	})
	if err != nil {
		return err
	}
	prefix := filepath.Join(p.Dir, scaffold.KeyName)
	if !f.Print {
		if f.Key && len(p.Existing()) == 0 {
			if err := release.CheckPrefix(prefix); err != nil {
				return err
			}
		}
		if err := p.Write(); err != nil {
			return err
		}
		if f.Key {
			if err := f.makeKey(d, prefix); err != nil {
				return err
			}
		}
	}
	if f.JSON {
		return report.WriteJSON(d.stdout(), initDocument{fact.InitReport, !f.Print, p, p.Next()})
	}
	f.show(d, p)
	return nil
}

// makeKey makes the key pair. Nobody is asked: a passphrase comes from the
// environment.
func (f *initFlags) makeKey(d *app, prefix string) error {
	pass, given := d.givenPassword()
	g, err := release.Keygen(release.KeygenConfig{Prefix: prefix, Password: pass})
	if err != nil {
		return err
	}
	if g.NotIgnored != nil {
		d.term.Warn("git does not ignore %s: %v; add the line %s to .gitignore, or keep the key elsewhere", g.Key, g.NotIgnored, g.Line)
	}
	if !given || len(pass) == 0 {
		d.term.Warn("%s has no passphrase: MINTMARK_PASSWORD is not set; mintmark keygen asks for one", g.Key)
	}
	return nil
}

// show prints what was written or would be, what became of the source's keys, and
// what to do next.
func (f *initFlags) show(d *app, p *scaffold.Proposal) {
	if f.Print {
		for _, file := range p.Files {
			what := ""
			if file.Adds {
				what = " (added at the end)"
			}
			d.printf("==> %s%s\n%s\n", file.Name, what, ui.Block(file.Text))
		}
	}
	if r := p.Import; r != nil {
		d.printf("%s (%s): of %s, kept %d, so by default %d, changed %d, cannot %d\n", p.Source, r.Tool, fact.Count(r.Total(), "key"),
			r.Count(importer.Kept), r.Count(importer.Default), r.Count(importer.Changed), r.Count(importer.Cannot))
		for _, l := range r.Lines {
			d.printf("%s\n", l)
		}
		d.printf("\n")
	}
	for _, n := range p.Notes {
		d.printf("note: %s\n", n)
	}
	for _, file := range p.Files {
		if !f.Print {
			d.printf("wrote %s\n", file.Name)
		}
	}
	if f.Key && !f.Print {
		d.printf("wrote %s.key, which git ignores, and %s.pub\n", scaffold.KeyName, scaffold.KeyName)
	}
	d.printf("\nNext%s:\n", map[bool]string{true: ", once the files are there"}[f.Print])
	for _, s := range p.Next() {
		if s.Why != "" {
			d.printf("  # %s\n", s.Why)
		}
		d.printf("  %s\n", s.Command)
	}
}
