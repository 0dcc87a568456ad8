package main

import (
	"context"
	"path/filepath"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/forgery"
	"github.com/rogpeppe/go-internal/testscript"
)

// forgerelease FROM TO KEY WHAT makes a copy of a release in which WHAT is not
// true, and signs it as its publisher would: artifact (a byte of the binary),
// toolchain and source (their hashes), plan (its version), flag (a program to
// run), extra (an artifact that no unit makes), file (one that nothing describes),
// blank (a file to overwrite, behind a blank), mains (none), double (a unit
// twice), units (very many).
func forgerelease(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: forgerelease from to key what")
	}
	ctx := context.Background()
	r, err := forgery.Copy(ts.MkAbs(args[0]), ts.MkAbs(args[1]))
	ts.Check(err)
	m := r.Manifest
	const wrong = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	switch what := args[3]; what {
	case "artifact":
		for i, a := range m.Artifacts {
			if a.Published && a.Stage == fact.Linked {
				name := filepath.Join(r.Dir, a.Name)
				flip(ts, false, []string{name})
				m.Artifacts[i].SHA256, _, err = files.Digest(context.Background(), name)
				ts.Check(err)
			}
		}
	case "toolchain":
		m.Toolchain.Sum = wrong
	case "source":
		m.Source.Sum, r.Plan.Source.Sum = wrong, wrong
	case "plan":
		r.Plan.Version = "9.9.9"
	case "unstamped": // as records were before they said what a stamp is made of
		m.Source.Stamp, m.Source.StampTags = "", nil
	case "flag":
		r.Plan.Units[0].Flags = append(r.Plan.Units[0].Flags, "-toolexec=/bin/false")
	case "extra":
		ts.Check(r.Publish(m.Artifacts[0].Profile, "linux/arm64", fact.Linked, "extra_linux_arm64"))
	case "file":
		_, err := r.Write("install.sh", "#!/bin/sh\n")
		ts.Check(err)
	case "blank":
		r.Plan.Units[0].Flags = append(r.Plan.Units[0].Flags, "-gcflags= -cpuprofile=-d=/../../x/y")
	case "mains":
		r.Plan.Units[0].Mains = []fact.Main{}
	case "double":
		r.Plan.Units = append(r.Plan.Units, r.Plan.Units[len(r.Plan.Units)-1])
	case "units":
		for range 20_000 {
			r.Plan.Units = append(r.Plan.Units, r.Plan.Units[0])
		}
	default:
		ts.Fatalf("forgerelease: %s", what)
	}
	signer, err := checksums.LoadSigner(ctx, checksums.KeyFile(ts.MkAbs(args[2])), func() ([]byte, error) { return nil, nil })
	ts.Check(err)
	ts.Check(r.Sign(ctx, signer))
}
