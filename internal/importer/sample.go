package importer

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
	"unicode"

	"github.com/mintmark/mintmark/profiles"
)

// sample is one commit that templates are tried with.
type sample struct {
	version, tag, prerelease string
	number                   [3]string
	commit, summary          string
	when                     time.Time
}

// samples are two commits that differ in everything: what comes out the same for
// both does not depend on the commit.
func samples() []sample {
	return []sample{
		{"1.2.3", "v1.2.3", "", [3]string{"1", "2", "3"}, "0123456789abcdef0123456789abcdef01234567", "v1.2.3", time.Date(2024, 3, 5, 6, 7, 8, 0, time.UTC)},
		{"40.5.60-rc.1", "v40.5.60-rc.1", "rc.1", [3]string{"40", "5", "60"}, "fedcba9876543210fedcba9876543210fedcba98", "v40.5.60-rc.1", time.Date(2031, 11, 25, 16, 47, 58, 0, time.UTC)},
	}
}

// scope is what a template of the source can see besides the commit and the
// platform.
type scope struct {
	project string
	binary  string            // as a template of mintmark's; "" where there is none
	aliases map[string]string // of version 1: what replaces names of systems and architectures
}

// alias is the name that replaces one of a system or architecture.
func (s scope) alias(name string) string {
	if a, ok := s.aliases[name]; ok {
		return a
	}
	return name
}

const maxOutput = 16 << 10

var (
	errLong        = errors.New("its text grows too long")
	errUnsupported = errors.New("it has loops, definitions or variables, which no template of a profile has")
)

// supported refuses what could make an evaluation of a stranger's template large:
// loops, and templates that call each other.
func supported(n parse.Node) error {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		for _, c := range n.Nodes {
			if err := supported(c); err != nil {
				return err
			}
		}
	case *parse.IfNode:
		return errors.Join(supported(n.Pipe), supported(n.List), supported(n.ElseList))
	case *parse.WithNode:
		return errors.Join(supported(n.Pipe), supported(n.List), supported(n.ElseList))
	case *parse.ActionNode:
		return supported(n.Pipe)
	case *parse.PipeNode:
		if len(n.Decl) > 0 {
			return errUnsupported
		}
	case *parse.RangeNode, *parse.TemplateNode, *parse.BreakNode, *parse.ContinueNode:
		return errUnsupported
	}
	return nil
}

// functions are GoReleaser's, as far as they depend on their arguments alone. Each
// refuses to make a text much larger than a name.
func functions(s sample) template.FuncMap {
	bound := func(s string) (string, error) {
		if len(s) > maxOutput {
			return "", errLong
		}
		return s, nil
	}
	refuse := func(...any) (string, error) { return "", errUnsupported }
	replace := func(text, old, with string) (string, error) {
		if strings.Count(text, old)*len(with) > maxOutput {
			return "", errLong
		}
		return bound(strings.ReplaceAll(text, old, with))
	}
	return template.FuncMap{
		"replace": replace, "split": strings.Split, "contains": strings.Contains,
		"tolower": strings.ToLower, "toupper": strings.ToUpper, "trim": strings.TrimSpace,
		"trimprefix": strings.TrimPrefix, "trimsuffix": strings.TrimSuffix, "title": title,
		"dir": path.Dir, "base": path.Base,
		"time":         func(layout string) (string, error) { return bound(s.when.Format(layout)) },
		"envOrDefault": func(_, text string) string { return text }, // nothing is set; translate says so
		"isEnvSet":     func(string) bool { return false },
		"printf":       refuse, "print": refuse, "println": refuse, "html": refuse, "js": refuse, "urlquery": refuse, "call": refuse,
	}
}

// title is golang.org/x/text's English title case, of the letters that names have.
func title(text string) string {
	inside := false
	return strings.Map(func(r rune) rune {
		word := unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\'' || r == '_'
		was := inside
		inside = word
		if was {
			return unicode.ToLower(r)
		}
		return unicode.ToTitle(r)
	}, text)
}

// original evaluates nodes of a template of GoReleaser.
func (im *importer) original(nodes string, t target, s sample, sc scope) (string, error) {
	binary := ""
	if sc.binary != "" {
		var err error
		if binary, err = profiles.ExpandText(sc.binary, im.vars(t, s, sc)); err != nil {
			return "", err
		}
	}
	fields := map[string]any{
		"ProjectName": sc.project, "ModulePath": im.Module, "Version": s.version, "RawVersion": strings.Join(s.number[:], "."), "Summary": s.summary,
		"Tag": s.tag, "Commit": s.commit, "FullCommit": s.commit, "ShortCommit": s.commit[:7],
		"CommitDate": s.when.Format(time.RFC3339), "CommitTimestamp": s.when.Unix(), "Date": s.when.Format(time.RFC3339), "Timestamp": s.when.Unix(), "Now": s.when,
		"Major": s.number[0], "Minor": s.number[1], "Patch": s.number[2], "Prerelease": s.prerelease,
		"IsSnapshot": false, "IsNightly": false, "IsDraft": false, "IsSingleTarget": false, "IsGitDirty": false, "IsGitClean": true, "GitTreeState": "clean",
		"Os": sc.alias(t.os), "Arch": sc.alias(t.arch), "Target": t.goreleaser(), "Binary": binary,
		"Env": im.environment(t, s, sc, "Env."), "Var": im.environment(t, s, sc, "Var."),
	}
	for _, v := range variants() {
		fields[v.field] = ""
	}
	// Of these two GoReleaser reads no variant out of its own name of the target.
	if v, ok := variants()[t.arch]; ok && t.arch != "ppc64le" && t.arch != "riscv64" {
		fields[v.field] = sc.alias(t.literal())
	}
	tm, err := template.New("t").Option("missingkey=error").Funcs(functions(s)).Parse(nodes)
	if err != nil {
		return "", err
	}
	var out limited
	if err := tm.Execute(&out, fields); err != nil {
		return "", err
	}
	return out.String(), nil
}

// environment are the variables of the source's own env, or its variables, with
// their values.
func (im *importer) environment(t target, s sample, sc scope, prefix string) map[string]string {
	env := map[string]string{}
	for name, text := range im.values {
		if n, ok := strings.CutPrefix(name, prefix); ok {
			if v, err := profiles.ExpandText(text, im.vars(t, s, sc)); err == nil {
				env[n] = v
			}
		}
	}
	return env
}

// goreleaser is how GoReleaser writes the target.
func (t target) goreleaser() string {
	return strings.TrimSuffix(t.os+"_"+t.arch+"_"+t.literal(), "_")
}

// vars are the same commit and platform for a template of mintmark's.
func (im *importer) vars(t target, s sample, sc scope) profiles.Vars {
	v := s.vars()
	v.Project, v.OS, v.Arch, v.Variant = sc.project, t.os, t.arch, t.variant
	return v
}

// vars are the commit for templates of mintmark's.
func (s sample) vars() profiles.Vars {
	return profiles.Vars{
		Version: s.version, Tag: s.tag, Commit: s.commit, ShortCommit: s.commit[:7], Summary: s.summary,
		CommitDate: s.when.Format(time.RFC3339), CommitTimestamp: fmt.Sprint(s.when.Unix()),
	}
}

// limited is a text that does not grow large.
type limited struct{ strings.Builder }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxOutput {
		return 0, errLong
	}
	return l.Builder.Write(p)
}
