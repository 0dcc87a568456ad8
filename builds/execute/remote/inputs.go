package remote

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/builds/execute/worker"
	"github.com/mintmark/mintmark/internal/files"
)

// Inputs are files on this machine, by their SHA-256. They may be added to while they
// are used.
type Inputs struct {
	mu   sync.Mutex
	file map[string]string
	size map[string]int64
}

// Add adds a file, and returns its SHA-256.
func (in *Inputs) Add(ctx context.Context, name string) (string, error) {
	sum, size, err := files.Digest(ctx, name)
	if err != nil {
		return "", err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.file == nil {
		in.file, in.size = map[string]string{}, map[string]int64{}
	}
	in.file[sum], in.size[sum] = name, size
	return sum, nil
}

// List are those of these digests, sorted.
func (in *Inputs) List(sums []string) (list []worker.Input) {
	in.mu.Lock()
	defer in.mu.Unlock()
	sums = slices.Clone(sums)
	slices.Sort(sums)
	for _, s := range slices.Compact(sums) {
		list = append(list, worker.Input{SHA256: s, Size: in.size[s]})
	}
	return list
}

// files are those of the inputs that are there.
func (in *Inputs) files(sums []string) map[string]string {
	in.mu.Lock()
	defer in.mu.Unlock()
	there := map[string]string{}
	for _, s := range sums {
		if name, ok := in.file[s]; ok {
			there[s] = name
		}
	}
	return there
}

// AddModules adds the files of the download directory of a module cache that holds
// nothing but what is needed.
func (in *Inputs) AddModules(ctx context.Context, modCache string) (list []worker.ModuleFile, err error) {
	top := filepath.Join(modCache, "cache", "download")
	err = filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) && name == top {
			return fs.SkipDir // nothing is needed
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel == "sumdb" {
				return fs.SkipDir
			}
			return nil
		}
		switch filepath.Ext(rel) {
		case ".info", ".mod", ".zip":
		default:
			if !strings.HasSuffix(rel, "/@v/list") {
				return nil // hashes and locks: made anew there
			}
		}
		sum, err := in.Add(ctx, name)
		list = append(list, worker.ModuleFile{Name: rel, Input: sum})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("modules for workers: %w", err)
	}
	return list, nil
}
