package importer

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"text/template/parse"
	"time"
	"unicode"

	"github.com/mintmark/mintmark/internal/template"
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

var (
	errUnsupported = errors.New("it has loops, definitions or variables, which no template of a profile has")
	errNoField     = errors.New("it has no value that follows from the commit, the profile and the platform")
)

// supported refuses what no template of a profile has, also where it is not reached:
// loops, definitions, variables, and functions of other names than those of
// functions.
func supported(n parse.Node) error {
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			return each(n.Nodes)
		}
	case *parse.IfNode:
		return cmp.Or(supported(n.Pipe), supported(n.List), supported(n.ElseList))
	case *parse.WithNode:
		return cmp.Or(supported(n.Pipe), supported(n.List), supported(n.ElseList))
	case *parse.ActionNode:
		return supported(n.Pipe)
	case *parse.PipeNode:
		if len(n.Decl) > 0 {
			return errUnsupported
		}
		return each(n.Cmds)
	case *parse.CommandNode:
		return each(n.Args)
	case *parse.IdentifierNode:
		if !(template.Language{Funcs: functions(sample{})}).Has(n.Ident) {
			return noFunction(n.Ident)
		}
	case *parse.RangeNode, *parse.TemplateNode, *parse.BreakNode, *parse.ContinueNode:
		return errUnsupported
	}
	return nil
}

func each[N parse.Node](nodes []N) error {
	for _, n := range nodes {
		if err := supported(n); err != nil {
			return err
		}
	}
	return nil
}

func noFunction(name string) error {
	return fmt.Errorf("no template of a profile has the function %s", name)
}

// functions are GoReleaser's, as far as they depend on their arguments alone, give
// one text or condition, and are of use in names.
func functions(s sample) map[string]template.Func {
	type value = template.Value
	texts := template.Texts
	one := func(f func(string) string) template.Func {
		return texts(1, func(a []string) (value, error) { return f(a[0]), nil })
	}
	return map[string]template.Func{
		"tolower": one(strings.ToLower), "toupper": one(strings.ToUpper), "trim": one(strings.TrimSpace), "title": one(title),
		"dir": one(path.Dir), "base": one(path.Base), "time": one(s.when.Format),
		"replace":      texts(3, func(a []string) (value, error) { return template.Replace(a[0], a[1], a[2]) }),
		"contains":     texts(2, func(a []string) (value, error) { return strings.Contains(a[0], a[1]), nil }),
		"trimprefix":   texts(2, func(a []string) (value, error) { return strings.TrimPrefix(a[0], a[1]), nil }),
		"trimsuffix":   texts(2, func(a []string) (value, error) { return strings.TrimSuffix(a[0], a[1]), nil }),
		"envOrDefault": texts(2, func(a []string) (value, error) { return a[1], nil }), // nothing is set; translate says so
		"isEnvSet":     texts(1, func([]string) (value, error) { return false, nil }),
		"index":        index,
		"slice":        slice,
	}
}

// index is a variable's value, "" if it is not set: index .Env "CC".
func index(args []template.Value) (template.Value, error) {
	if len(args) == 2 {
		variables, isMap := args[0].(map[string]string)
		if name, ok := args[1].(string); ok && isMap {
			return variables[name], nil
		}
	}
	return nil, errors.New("only variables have an index here: index .Env NAME")
}

// slice is a part of a text: slice .Commit 0 7.
func slice(args []template.Value) (template.Value, error) {
	wrong := errors.New("a part of a text is written slice TEXT FROM TO, with numbers that it has")
	if len(args) == 0 || len(args) > 3 {
		return nil, wrong
	}
	text, ok := args[0].(string)
	at := []int64{0, int64(len(text))}
	for i, a := range args[1:] {
		n, isNumber := a.(int64)
		at[i], ok = n, ok && isNumber
	}
	if !ok || at[0] < 0 || at[0] > at[1] || at[1] > int64(len(text)) {
		return nil, wrong
	}
	return text[at[0]:at[1]], nil
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

// seen is what GoReleaser's templates see of one target and commit, but .Now.
func (im *importer) seen(t target, s sample, sc scope) (map[string]template.Value, error) {
	binary := ""
	if sc.binary != "" {
		var err error
		if binary, err = profiles.ExpandText(sc.binary, im.vars(t, s, sc)); err != nil {
			return nil, err
		}
	}
	fields := map[string]template.Value{
		"ProjectName": sc.project, "ModulePath": im.Module, "Version": s.version, "RawVersion": strings.Join(s.number[:], "."), "Summary": s.summary,
		"Tag": s.tag, "Commit": s.commit, "FullCommit": s.commit, "ShortCommit": s.commit[:7],
		"CommitDate": s.when.Format(time.RFC3339), "CommitTimestamp": s.when.Unix(), "Date": s.when.Format(time.RFC3339), "Timestamp": s.when.Unix(),
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
	return fields, nil
}

// original is the language of GoReleaser's templates for one target and commit.
func (im *importer) original(t target, s sample, sc scope) (template.Language, error) {
	fields, err := im.seen(t, s, sc)
	if err != nil {
		return template.Language{}, err
	}
	field := func(names []string) (template.Value, error) {
		v, ok := fields[names[0]]
		if env, isMap := v.(map[string]string); isMap && len(names) == 2 {
			v, ok = env[names[1]]
		} else if slices.Equal(names, []string{"Now", "Format"}) {
			v, ok = functions(s)["time"], true
		} else if len(names) > 1 {
			ok = false
		}
		if !ok {
			return nil, errNoField
		}
		return v, nil
	}
	return template.Language{Field: field, Funcs: functions(s)}, nil
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
