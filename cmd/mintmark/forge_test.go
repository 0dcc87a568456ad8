package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/forgery"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/verify"
	"github.com/rogpeppe/go-internal/testscript"
)

// forgerelease FROM TO KEY WHAT makes a copy of a release in which WHAT is not
// true, and signs it as its publisher would: artifact (a byte of the binary),
// toolchain and source (their hashes), plan (its version), flag (a program to
// run), extra (an artifact that no unit makes), file (one that nothing describes),
// blank (a file to overwrite, behind a blank), mains (none), double (a unit
// twice), units (very many), bill (the version of the standard library in the bills of
// materials; another version of mintmark made them).
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
	case "bill":
		m.Builder.Version = "v1.2.3"
		alter := strings.NewReplacer("\"name\": \"mintmark\"\n", "\"name\": \"mintmark\",\n          \"version\": \"v1.2.3\"\n", `"version": "`+toolchain+`"`, `"version": "go1.26.7"`)
		bills, err := filepath.Glob(filepath.Join(r.Dir, "*.cdx.json"))
		ts.Check(err)
		for _, name := range bills {
			data, err := os.ReadFile(name)
			ts.Check(err)
			_, err = r.Write(filepath.Base(name), alter.Replace(string(data)))
			ts.Check(err)
		}
	default:
		ts.Fatalf("forgerelease: %s", what)
	}
	signer, err := checksums.LoadSigner(ctx, checksums.KeyFile(ts.MkAbs(args[2])), func() ([]byte, error) { return nil, nil })
	ts.Check(err)
	ts.Check(r.Sign(ctx, signer))
}

// rebuildAs is the program rebuildas VERSION KEY SOURCE DIR: verify -rebuild as a mintmark
// of that version does it, and what became of the files that no unit makes.
func rebuildAs() {
	version, key, source, dir := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	cfg := run.Config{Cache: os.Getenv("MINTMARK_CACHE"), Environ: os.Environ(), Tool: version, Now: time.Now()}
	v, err := verify.Rebuild(context.Background(), cfg, verify.Config{Path: dir, Key: checksums.KeyFile(key)}, source)
	if v != nil {
		for _, r := range v.RebuiltFiles {
			fmt.Println(r.Name, r.Verdict, r.Reason)
			for _, f := range r.Findings {
				fmt.Println(strings.Join(f.Evidence, "\n"))
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(fault.ExitCode(err))
	}
}
