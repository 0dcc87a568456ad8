package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/patch"
)

// earlier are results of earlier runs, kept in a file that is written after each binary,
// so that a run that was ended goes on where it was. Only verdicts about all bytes are
// kept: what was unchecked may come out another time.
type earlier struct {
	name string

	mu sync.Mutex
	earlierFile
	err error // of the last write
}

// earlierFile is the file. Results are good for the run that made them and for its like.
type earlierFile struct {
	Schema  fact.Schema        `json:"schema"`
	Tool    string             `json:"mintmark"`
	Source  string             `json:"source,omitempty"` // -source
	Like    string             `json:"like,omitempty"`   // -like
	Patch   string             `json:"patch,omitempty"`  // of -patch, its SHA-256
	Results []*recovery.Result `json:"results"`
}

// maxEarlier bounds the file.
const maxEarlier = 256 << 20

// loadEarlier reads the file, if it is there.
func loadEarlier(name, tool string, what BinariesConfig, changed *patch.Patch) (*earlier, error) {
	e := &earlier{name: name}
	mine := earlierFile{Schema: fact.RebuildResume, Tool: tool, Source: what.Source, Like: what.Like}
	if changed != nil {
		mine.Patch = changed.SHA256
	}
	data, err := files.Read(name, maxEarlier)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.earlierFile = mine
		return e, nil
	case err != nil:
		return nil, err
	}
	const hint = "name a file that is not there yet: it is made"
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e.earlierFile); err != nil {
		return nil, fault.Usagef(hint, "%s: not a file of -resume: %w", name, err)
	}
	if e.Schema != mine.Schema || e.Tool != mine.Tool || e.Source != mine.Source || e.Like != mine.Like || e.Patch != mine.Patch {
		return nil, fault.Usagef(hint, "%s: of a run with another mintmark, -source, -like or -patch (%s, %q, %q, %q)", name, e.Tool, e.Source, e.Like, e.Patch)
	}
	for _, r := range e.Results {
		if r == nil || r.SHA256 == "" || r.Verdict != fact.Identical && r.Verdict != fact.Different {
			return nil, fault.Usagef(hint, "%s: not a file of -resume: a result without digest or verdict", name)
		}
	}
	return e, nil
}

// of is what came of the file with that digest; nil if that is not known. What is
// different may have come from another version than its name suggests.
func (e *earlier) of(name, sha256 string) *recovery.Result {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.Results {
		if r.SHA256 == sha256 && (r.Verdict == fact.Identical || r.Name == name) {
			return r
		}
	}
	return nil
}

// add keeps a result, if it is one to be kept.
func (e *earlier) add(r *recovery.Result) {
	if r.Earlier || r.SHA256 == "" || r.Kind == recovery.KindUniversal || r.Verdict != fact.Identical && r.Verdict != fact.Different {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Results = append(e.Results, r)
	data, err := json.MarshalIndent(e.earlierFile, "", " ")
	if err == nil {
		err = files.Write(e.name, append(data, '\n'), 0o644)
	}
	if err != nil {
		e.err = fmt.Errorf("the results so far: %w", err)
	}
}

// failed is the error of the last write, since which a later run knows less.
func (e *earlier) failed() error {
	if e == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}
