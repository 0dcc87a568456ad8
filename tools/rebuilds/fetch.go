package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
)

// fetch gets the file of an entry into a directory, with the registry's own client,
// and its digest.
func fetch(ctx context.Context, e entry, dir string) (file, sum string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", "", err
	}
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", "--ignore-scripts", e.Name+"@"+e.Version)
	pattern := "*.tgz"
	if e.Kind == kindDebian {
		cmd = exec.CommandContext(ctx, "apt-get", "-qq", "download", e.Name+":"+e.Arch+"="+e.Version)
		pattern = "*.deb"
	}
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("%s: %s: %w\n%s", e, strings.Join(cmd.Args, " "), err, out)
	}
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%s: %s left %d files", e, strings.Join(cmd.Args, " "), len(found))
	}
	if err != nil {
		return "", "", err
	}
	sum, _, err = files.Digest(ctx, found[0])
	return found[0], sum, err
}

// pin writes the digest of an entry that has none into the list.
func pin(e entry, sum string) error {
	text, err := os.ReadFile(listFile)
	if err != nil {
		return err
	}
	return os.WriteFile(listFile, []byte(withDigest(string(text), e, sum)), 0o644)
}

// withDigest is the list with the digest of one entry added, before a comment.
func withDigest(text string, want entry, sum string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		body, comment, hasComment := strings.Cut(line, "#")
		if words := strings.Fields(body); len(words) > 0 && is(words, want) {
			line = want.String() + " sha256:" + sum
			if hasComment {
				line += " #" + strings.TrimRight(comment, "\n")
			}
			line += "\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

func is(words []string, want entry) bool {
	e, err := parseEntry(words)
	return err == nil && e == want
}
