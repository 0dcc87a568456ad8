package generate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// maxFetched is the most bytes that a file to fetch may have.
const maxFetched = 2 << 30

// Fetcher fetches what commands need. It is the only part of this room that uses the
// network, in the fetch phase.
type Fetcher struct {
	Client *http.Client
	Dir    string // where fetched files are kept, by digest; each is hashed whenever it is used
}

// Fetch gets all files of the commands. It returns where they are, by digest. All
// that could not be fetched is reported.
func (f *Fetcher) Fetch(ctx context.Context, commands []plan.Generate) (map[string]string, error) {
	got := map[string]string{}
	var errs []error
	for i, c := range commands {
		for _, what := range c.Fetch {
			if got[what.SHA256] != "" {
				continue
			}
			name, err := f.get(ctx, what)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: fetch: %w", Title(i+1, c), err))
				continue
			}
			got[what.SHA256] = name
		}
	}
	return got, errors.Join(errs...)
}

func (f *Fetcher) get(ctx context.Context, what profiles.Fetch) (string, error) {
	dir, err := files.MakeDir(f.Dir)
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, what.SHA256)
	if sum, _, err := files.DigestOwn(ctx, name, maxFetched); err == nil && sum == what.SHA256 {
		return name, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, what.URL, nil)
	if err != nil {
		return "", err
	}
	res, err := f.Client.Do(req)
	if err != nil {
		return "", fault.Errorf("check that the address can be reached from here", "%w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", fault.Errorf("check the address in a browser", "%s: the server says %s", what.URL, res.Status)
	}
	if err := files.WriteFrom(name, io.LimitReader(res.Body, maxFetched+1), 0o600); err != nil {
		return "", fmt.Errorf("%s: %w", what.URL, err)
	}
	sum, size, err := files.DigestOwn(ctx, name, maxFetched)
	if err == nil && sum != what.SHA256 {
		err = fault.Errorf("if that is the file you mean, write this digest; if you did not expect another, ask who serves it", "%s: sha256 is %s, not %s (%d bytes)", what.URL, sum, what.SHA256, size)
	}
	if err != nil {
		os.Remove(name)
		return "", err
	}
	return name, nil
}
