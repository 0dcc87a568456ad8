package toolchain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/mintmark/mintmark/internal/files"
)

// Compile compiles a program of ours for this host, of one file and the standard
// library's packages, in dir, which must not exist. Any Go since 1.18 must be able to.
func (g *Goroot) Compile(ctx context.Context, place *Place, dir, name, source string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for file, text := range map[string]string{"go.mod": "module " + name + "\n\ngo 1.18\n", "main.go": source} {
		if err := files.Write(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	out := filepath.Join(dir, name)
	if runtime.GOOS == "windows" {
		out += ".exe"
	}
	env := place.Env([]string{"GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH, "CGO_ENABLED=0"}, "off")
	_, err := Run(ctx, Command{
		Path: g.Go(), Args: []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "."}, Dir: dir, Env: env, Confine: place.Confine(dir),
	})
	if err != nil {
		return "", fmt.Errorf("compiling a program of mintmark's, %s: %w", name, err)
	}
	return out, nil
}
