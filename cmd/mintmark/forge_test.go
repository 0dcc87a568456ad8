package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/builds"
	"github.com/mintmark/mintmark/checksums"
	"github.com/rogpeppe/go-internal/testscript"
)

// forgerelease FROM TO KEY WHAT makes a copy of a release in which WHAT is not
// true, and signs it as its publisher would: artifact (a byte of the binary),
// toolchain and source (their hashes), plan (its version), flag (a program to
// run).
func forgerelease(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: forgerelease from to key what")
	}
	from, to, what := ts.MkAbs(args[0]), ts.MkAbs(args[1]), args[3]
	ctx := context.Background()
	ts.Check(os.CopyFS(to, os.DirFS(from)))
	data, err := os.ReadFile(filepath.Join(to, checksums.ManifestFile))
	ts.Check(err)
	m, err := checksums.ParseManifest(data)
	ts.Check(err)
	plan, err := builds.Decode(append(bytes.Clone(m.Plan), '\n'))
	ts.Check(err)
	const wrong = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	switch what {
	case "artifact":
		for i, a := range m.Artifacts {
			if a.Published && a.Stage == checksums.StageLinked {
				name := filepath.Join(to, a.Name)
				flip(ts, false, []string{name})
				m.Artifacts[i].SHA256, _, err = checksums.FileDigest(name)
				ts.Check(err)
			}
		}
	case "toolchain":
		m.Toolchain.Sum = wrong
	case "source":
		m.Source.Sum, plan.Source.Sum = wrong, wrong
	case "plan":
		plan.Version = "9.9.9"
	case "flag":
		plan.Units[0].Flags = append(plan.Units[0].Flags, "-toolexec=/bin/false")
	default:
		ts.Fatalf("forgerelease: %s", what)
	}
	encoded, err := plan.Encode()
	ts.Check(err)
	m.Plan = json.RawMessage(bytes.TrimSuffix(encoded, []byte("\n")))
	m.PlanID, err = plan.ID()
	ts.Check(err)
	write := func(name string, data []byte, err error) {
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(to, name), data, 0o644))
	}
	data, err = m.Encode()
	write(checksums.ManifestFile, data, err)
	files, err := os.ReadDir(to)
	ts.Check(err)
	var entries []checksums.Entry
	for _, f := range files {
		if f.Name() == checksums.ChecksumsFile || strings.HasSuffix(f.Name(), ".sigstore.json") {
			continue
		}
		sum, _, err := checksums.FileDigest(filepath.Join(to, f.Name()))
		ts.Check(err)
		entries = append(entries, checksums.Entry{Name: f.Name(), SHA256: sum})
	}
	list, err := checksums.FormatList(entries)
	write(checksums.ChecksumsFile, list, err)
	signer, err := checksums.LoadSigner(ctx, checksums.KeyFile(ts.MkAbs(args[2])), func() ([]byte, error) { return nil, nil })
	ts.Check(err)
	bundle, err := checksums.SignBlob(ctx, signer, list)
	write(checksums.ChecksumsBundle, bundle, err)
	sum, _, err := checksums.FileDigest(filepath.Join(to, checksums.ChecksumsFile))
	ts.Check(err)
	st, err := checksums.NewStatement(m, append(entries, checksums.Entry{Name: checksums.ChecksumsFile, SHA256: sum}))
	ts.Check(err)
	payload, err := st.Encode()
	ts.Check(err)
	bundle, err = checksums.SignStatement(ctx, signer, payload)
	write(checksums.ProvenanceBundle, bundle, err)
}
