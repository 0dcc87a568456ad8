package git_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// No other package starts git: wherever a command is put together, its program
// is another one. (Tools for developers may.)
func TestOnlyHere(t *testing.T) {
	root := filepath.Join("..", "..")
	commands := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel == "builds/git" || rel == "tools" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && rel != "." {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			return err
		}
		check := func(program ast.Expr) {
			commands++
			if text := types.ExprString(program); strings.Contains(strings.ToLower(text), "git") {
				t.Errorf("%s: starts %s: use builds/git", fset.Position(program.Pos()), text)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if n.Type == nil || !strings.HasSuffix(types.ExprString(n.Type), "Command") {
					break
				}
				for _, e := range n.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok && types.ExprString(kv.Key) == "Path" {
						check(kv.Value)
					}
				}
			case *ast.CallExpr:
				switch types.ExprString(n.Fun) {
				case "exec.Command":
					check(n.Args[0])
				case "exec.CommandContext":
					check(n.Args[1])
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if commands < 10 {
		t.Errorf("only %d commands found: the test does not look where they are", commands)
	}
}
