package generate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// tools finds the program of a command, and says what is known of it.
func (r *run) tools(ctx context.Context, n int, c plan.Generate, env []string) (program string, list []fact.GeneratorTool, err error) {
	name := c.Command[0]
	tool := fact.GeneratorTool{Command: n, Name: name}
	if strings.Contains(name, "/") {
		program = filepath.Join(r.made.Dir, filepath.FromSlash(name))
		if _, err := os.Lstat(program); err != nil {
			return "", nil, fault.Errorf("name a file of the commit or of fetch, relative to the module's directory, or a program on PATH", "there is no %s", name)
		}
		tool.SHA256, _, err = files.Digest(ctx, program)
		return program, []fact.GeneratorTool{tool}, err
	}
	path := ""
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, "PATH="); ok {
			path = value
		}
	}
	program, err = toolchain.LookPath(name, path)
	if err != nil {
		return "", nil, fault.Errorf("install it and put its directory on PATH, or name it under fetch and write its path as the command", "no program %s on PATH", name)
	}
	if filepath.Dir(program) == filepath.Dir(r.Goroot.Go()) {
		of, err := r.built(ctx, n, c, env) // the toolchain's own has the toolchain's hash
		return program, append([]fact.GeneratorTool{tool}, of...), err
	}
	tool.Path = program
	tool.SHA256, _, err = files.Digest(ctx, program)
	return program, []fact.GeneratorTool{tool}, err
}

// built is what a go command builds of other modules to run it: go run PACKAGE, go
// tool NAME. What go generate runs stands in the source.
func (r *run) built(ctx context.Context, n int, c plan.Generate, env []string) ([]fact.GeneratorTool, error) {
	if c.Command[0] != "go" || len(c.Command) < 3 {
		return nil, nil
	}
	verb, rest := c.Command[1], c.Command[2:]
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		rest = rest[1:]
	}
	if len(rest) == 0 || verb != "run" && verb != "tool" {
		return nil, nil
	}
	what := rest[0]
	if verb == "tool" {
		what = "tool" // all of them
	}
	cmd := toolchain.Command{
		Path: r.Goroot.Go(), Args: []string{"list", "-e", "-json=ImportPath,Module", "--", what}, Dir: r.made.Dir, Env: env,
		Confine: r.Place.Place.Confine(r.Work),
	}
	res, err := toolchain.Run(ctx, cmd)
	if err != nil {
		return nil, ctx.Err() // the command itself will say what is wrong
	}
	type listed struct {
		ImportPath string
		Module     *struct {
			Path, Version, Sum string
			Main               bool
			Replace            *struct{ Path, Version, Sum string }
		}
	}
	for dec := json.NewDecoder(bytes.NewReader(res.Stdout)); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			return nil, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if verb == "tool" && p.ImportPath != rest[0] && path.Base(p.ImportPath) != rest[0] || p.Module == nil || p.Module.Main {
			continue // of the commit itself, or of the toolchain
		}
		m := p.Module
		tool := fact.GeneratorTool{Command: n, Name: p.ImportPath, Module: m.Path + "@" + m.Version, Sum: m.Sum}
		if m.Replace != nil {
			tool.Module, tool.Sum = strings.TrimSuffix(m.Replace.Path+"@"+m.Replace.Version, "@"), m.Replace.Sum
		}
		return []fact.GeneratorTool{tool}, nil
	}
}

// SameTools reports whether two places ran the same programs.
func SameTools(a, b *Made) bool {
	return slices.EqualFunc(a.Tools, b.Tools, func(x, y fact.GeneratorTool) bool { return x == y })
}
