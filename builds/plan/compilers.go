package plan

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
)

// Missing is a program, or a library that pkg-config is asked for, that a unit cannot be
// built without and that its builds will not find on this machine.
type Missing struct {
	Library  string // as pkg-config calls it; "" for a program
	Variable string // that names it: CC, CXX, FC or PKG_CONFIG; "" for swig, which is found on PATH alone
	Command  string
	Path     string   // where builds look
	For      []string // packages, sorted; none when the linker needs it
}

func (m Missing) String() string {
	needs := "the linker"
	if n := len(m.For); n > 0 {
		of := "C code"
		switch m.Variable {
		case "FC":
			of = "Fortran code"
		case "":
			of = "SWIG code"
		}
		needs = "the " + of + " of " + strings.Join(m.For[:min(n, 3)], ", ")
		if n > 3 {
			needs += fmt.Sprintf(" and %d more", n-3)
		}
	}
	if m.Library != "" {
		return fmt.Sprintf("%s needs the library %s, and %s knows none of that name", needs, m.Library, m.Command)
	}
	by := ""
	if m.Variable != "" {
		by = " (" + m.Variable + ")"
	}
	return fmt.Sprintf("%s needs %s%s, and there is none in %s", needs, m.Command, by, m.Path)
}

// Tip says how to get it.
func (m Missing) Tip() string {
	if m.Library != "" {
		return fmt.Sprintf("install its development files, or name the directory of its %s.pc in the profile, as in env: {PKG_CONFIG_PATH: /usr/local/lib/pkgconfig}; where a build tag asks for it, leave that out of tags", m.Library)
	}
	if m.Variable == "" {
		return fmt.Sprintf("install %s; the go command finds it on PATH alone", m.Command)
	}
	return fmt.Sprintf("install %s, or name another one in the profile, as in env: {%s: /usr/bin/%s}; cgo: false builds programs that can do without C code", m.Command, m.Variable, m.Command)
}

// Tool is a program beside the toolchain that a unit needs.
type Tool struct {
	Variable string   // that names it: CC, CXX, FC or PKG_CONFIG; "" for swig
	Command  string   // absolute, or to be found on PATH
	For      []string // packages, sorted; none when the linker needs it

	libraries map[string][]string // that pkg-config is asked for, and by which packages
}

// MissingTools looks for the programs that a unit needs on this machine, and for what
// pkg-config is asked for. It is known after a plan with Deps. That a compiler is there
// does not say that it compiles for the unit's platform.
func (pl *Planner) MissingTools(ctx context.Context, u *Unit) ([]Missing, error) {
	tools, err := pl.Tools(ctx, u)
	if err != nil || len(tools) == 0 {
		return nil, err
	}
	l := pl.Loader
	env := l.Place.Env(u.Env, "off")
	path := ""
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			path = v // the last one counts
		}
	}
	var missing []Missing
	for _, t := range tools {
		where, base := path, t.Command
		if filepath.IsAbs(base) {
			where, base = filepath.Dir(base), filepath.Base(base)
		}
		found, err := toolchain.LookPath(base, where)
		if err != nil {
			missing = append(missing, Missing{Variable: t.Variable, Command: base, Path: where, For: t.For})
			continue
		}
		for _, library := range slices.Sorted(maps.Keys(t.libraries)) {
			_, err := toolchain.Run(ctx, toolchain.Command{Path: found, Args: []string{"--exists", library}, Dir: l.Place.Empty, Env: env, Confine: l.Place.Confine()})
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil {
				missing = append(missing, Missing{Library: library, Variable: t.Variable, Command: filepath.Base(found), For: t.libraries[library]})
			}
		}
	}
	return missing, nil
}

// Tools are the programs beside the toolchain that a unit needs: the compilers of C, C++
// and Fortran, swig and pkg-config. The linker asks the C compiler where its ar is. They
// are known after a plan with Deps. One that is named by a path that is not absolute is
// another one in each package's directory, and left out.
func (pl *Planner) Tools(ctx context.Context, u *Unit) ([]Tool, error) {
	pl.mu.Lock()
	c, own := slices.Sorted(maps.Keys(pl.c[u.ID()])), pl.cPackages[u.ID()]
	pl.mu.Unlock()
	external := slices.ContainsFunc(u.Flags, func(f string) bool {
		v, ok := strings.CutPrefix(f, "-ldflags=")
		return ok && linksOutside(words(v))
	})
	if len(c) == 0 && !external {
		return nil, nil
	}
	need := map[string][]string{"CC": c}
	libraries := map[string][]string{} // packages that ask for them
	var swig, fortran []string
	for _, p := range own {
		if len(p.SwigFiles)+len(p.SwigCXXFiles) > 0 {
			swig = append(swig, p.ImportPath)
		}
		if len(p.FFiles) > 0 {
			fortran = append(fortran, p.ImportPath)
		}
		if len(p.CXXFiles)+len(p.SwigCXXFiles) > 0 {
			need["CXX"] = append(need["CXX"], p.ImportPath)
		}
		if len(p.CgoPkgConfig) > 0 {
			need["PKG_CONFIG"] = append(need["PKG_CONFIG"], p.ImportPath)
			for _, name := range p.CgoPkgConfig {
				if !strings.HasPrefix(name, "-") {
					libraries[name] = append(libraries[name], p.ImportPath)
				}
			}
		}
	}
	l := pl.Loader
	env := l.Place.Env(u.Env, "off")
	names := slices.Sorted(maps.Keys(need))
	res, err := toolchain.Run(ctx, toolchain.Command{Path: l.Goroot.Go(), Args: append([]string{"env"}, names...), Dir: l.Place.Empty, Env: env, Confine: l.Place.Confine()})
	if err != nil {
		return nil, fmt.Errorf("asking go for its C compiler: %w", err)
	}
	var tools []Tool
	add := func(variable, line string, packages []string, libraries map[string][]string) {
		command := words(strings.TrimSpace(line))
		if len(command) == 0 || !filepath.IsAbs(command[0]) && strings.ContainsAny(command[0], `/\`) {
			return
		}
		slices.Sort(packages)
		tools = append(tools, Tool{variable, command[0], packages, libraries})
	}
	lines := strings.Split(strings.TrimRight(string(res.Stdout), "\r\n"), "\n")
	for i, name := range names {
		if i >= len(lines) {
			break
		}
		if name == "PKG_CONFIG" {
			add(name, lines[i], need[name], libraries)
		} else {
			add(name, lines[i], need[name], nil)
		}
	}
	if len(fortran) > 0 { // of which go env says nothing
		command := "gfortran"
		for _, kv := range u.Env {
			if v, ok := strings.CutPrefix(kv, "FC="); ok && v != "" {
				command = v
			}
		}
		add("FC", command, fortran, nil)
	}
	if len(swig) > 0 {
		add("", "swig", swig, nil)
	}
	return tools, nil
}

// linksOutside reports whether linker flags ask for the system's linker, which
// the C compiler starts.
func linksOutside(flags []string) bool {
	for i, f := range flags {
		f = strings.TrimLeft(f, "-")
		if f == "linkmode=external" || f == "linkmode" && i+1 < len(flags) && flags[i+1] == "external" {
			return true
		}
	}
	return false
}
