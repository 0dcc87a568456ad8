// Package forgery makes releases as a dishonest publisher would: signed with the
// right key, every digest, list and record in order, and not true. It is for
// tests alone, of every room that reads releases, and imported by nothing else.
//
// What it writes follows the formats by itself, since the rooms that write
// releases refuse to write what is not true. An unaltered release comes out as
// they write it, byte for byte; a test of this package holds the two together.
package forgery

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// Release is a release that is altered and then signed.
type Release struct {
	Dir      string
	Manifest *checksums.Manifest // its plan and plan ID are made by Sign
	Plan     *plan.Plan
	// Contents are what Build made that is no archive, by digest.
	Contents map[string]string
	// RawPlan, if it is not empty, is signed in place of Plan.
	RawPlan string
}

// Copy makes a copy of a release, to be altered.
func Copy(from, to string) (*Release, error) {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(to, checksums.ManifestFile))
	if err != nil {
		return nil, err
	}
	r := &Release{Dir: to}
	if r.Manifest, err = checksums.ParseManifest(data); err != nil {
		return nil, err
	}
	r.Plan, err = plan.Decode(append(bytes.Clone(r.Manifest.Plan), '\n'))
	return r, err
}

// Write puts a file into the release, as it will be listed. It returns its digest.
func (r *Release) Write(name, content string) (sha256hex string, err error) {
	return files.DigestBytes([]byte(content)), os.WriteFile(filepath.Join(r.Dir, name), []byte(content), 0o644)
}

// Publish adds an artifact of its own, with a file, to release and manifest.
func (r *Release) Publish(profile, platform string, stage fact.Stage, name string) error {
	content := strings.Join([]string{"extra", profile, platform, string(stage), name}, " ")
	sum, err := r.Write(name, content)
	r.Manifest.Artifacts = append(r.Manifest.Artifacts, checksums.Artifact{
		Name: name, Profile: profile, Platform: platform, Stage: stage, Size: int64(len(content)), SHA256: sum,
		Published: true, Verdict: fact.Identical,
	})
	return err
}

// Artifact is the first artifact of that platform and stage, to be altered. It
// panics if there is none, as the test is wrong then.
func (r *Release) Artifact(platform string, stage fact.Stage) *checksums.Artifact {
	for i := range r.Manifest.Artifacts {
		if a := &r.Manifest.Artifacts[i]; a.Platform == platform && a.Stage == stage {
			return a
		}
	}
	panic("forgery: no artifact " + platform + " " + string(stage))
}

// Drop takes artifacts out of the manifest, and their files out of the release.
func (r *Release) Drop(drop func(checksums.Artifact) bool) error {
	var err error
	r.Manifest.Artifacts = slices.DeleteFunc(r.Manifest.Artifacts, func(a checksums.Artifact) bool {
		if drop(a) && a.Published && err == nil {
			err = os.Remove(filepath.Join(r.Dir, a.Name))
		}
		return drop(a)
	})
	return err
}

// Sign writes manifest, list and record of what the release says now and of the
// files that lie in its directory, and signs them.
func (r *Release) Sign(ctx context.Context, signer checksums.Signer) error {
	plan := []byte(r.RawPlan)
	if len(plan) == 0 {
		data, err := r.Plan.Encode()
		if err != nil {
			return err
		}
		plan = data
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, plan); err != nil {
		return fmt.Errorf("forgery: plan: %w", err)
	}
	m := r.Manifest
	m.Plan, m.PlanID = compact.Bytes(), files.DigestBytes(append(bytes.Clone(compact.Bytes()), '\n'))
	slices.SortFunc(m.Artifacts, func(a, b checksums.Artifact) int {
		return strings.Compare(a.Profile+"\x00"+a.Platform+"\x00"+string(a.Stage)+"\x00"+a.Name, b.Profile+"\x00"+b.Platform+"\x00"+string(b.Stage)+"\x00"+b.Name)
	})
	data, err := encode(m)
	if err != nil {
		return err
	}
	if err := r.put(checksums.ManifestFile, data, nil); err != nil {
		return err
	}
	entries, err := r.entries()
	if err != nil {
		return err
	}
	list, err := checksums.FormatList(entries)
	if err := r.put(checksums.ChecksumsFile, list, err); err != nil {
		return err
	}
	bundle, err := checksums.SignBlob(ctx, signer, list)
	if err := r.put(checksums.ChecksumsBundle, bundle, err); err != nil {
		return err
	}
	if ledger, err := os.ReadFile(filepath.Join(r.Dir, checksums.LedgerFile)); err == nil {
		bundle, err := checksums.SignBlob(ctx, signer, ledger)
		if err := r.put(checksums.LedgerBundle, bundle, err); err != nil {
			return err
		}
	}
	st := statement(m, append(entries, checksums.Entry{Name: checksums.ChecksumsFile, SHA256: files.DigestBytes(list)}))
	payload, err := st.Encode()
	if err != nil {
		return err
	}
	bundle, err = checksums.SignStatement(ctx, signer, payload)
	return r.put(checksums.ProvenanceBundle, bundle, err)
}

func (r *Release) put(name string, data []byte, err error) error {
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.Dir, name), data, 0o644)
}

// entries are the files to list.
func (r *Release) entries() ([]checksums.Entry, error) {
	list, err := os.ReadDir(r.Dir)
	if err != nil {
		return nil, err
	}
	var entries []checksums.Entry
	for _, f := range list {
		if f.Name() != checksums.ManifestFile && fact.KindOf(f.Name()) == fact.About {
			continue
		}
		sum, _, err := files.Digest(context.Background(), filepath.Join(r.Dir, f.Name()))
		if err != nil {
			return nil, err
		}
		entries = append(entries, checksums.Entry{Name: f.Name(), SHA256: sum})
	}
	return entries, nil
}

// encode writes a manifest in its canonical form, whatever it says.
func encode(m *checksums.Manifest) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(m)
	return b.Bytes(), err
}

// statement is the record of a manifest, whatever that says.
func statement(m *checksums.Manifest, files []checksums.Entry) *checksums.Statement {
	s := &checksums.Statement{Type: checksums.StatementType, PredicateType: checksums.PredicateType}
	for _, e := range files {
		s.Subject = append(s.Subject, checksums.Resource{Name: e.Name, Digest: map[string]string{"sha256": e.SHA256}})
	}
	run := &s.Predicate.RunDetails
	run.Builder = checksums.BuilderInfo{ID: checksums.BuilderID, Version: map[string]string{m.Builder.Name: m.Builder.Version}}
	for _, a := range m.Artifacts {
		if !a.Published && (a.Stage == fact.Linked || a.Stage == fact.Header || a.Stage == fact.Packed || a.Stage == fact.Universal) {
			s.Subject = append(s.Subject, checksums.Resource{Name: a.Key(), Digest: map[string]string{"sha256": a.SHA256}, Annotations: map[string]string{"stage": string(a.Stage)}})
		}
		r := checksums.Resource{Name: a.Key(), Digest: map[string]string{"sha256": a.SHA256}, Annotations: map[string]string{"stage": string(a.Stage), "verdict": string(a.Verdict)}}
		annotate(r.Annotations, map[string]string{"buildId": a.BuildID, "from": strings.Join(a.From, " "), "package": a.Package, "reason": a.Reason, "tool": a.Tool})
		run.Byproducts = append(run.Byproducts, r)
	}
	for _, a := range m.Artifacts {
		for _, x := range a.Members {
			if a.Published {
				s.Subject = append(s.Subject, checksums.Resource{Name: a.Name + "/" + x.Name, Digest: map[string]string{"sha256": x.SHA256}, Annotations: map[string]string{"stage": "member"}})
			}
		}
	}
	for _, i := range m.Images {
		s.Subject = append(s.Subject, checksums.Resource{Name: i.Subject(), Digest: map[string]string{"sha256": i.Digest}, Annotations: map[string]string{"stage": "image"}})
	}
	slices.SortFunc(s.Subject, func(a, b checksums.Resource) int { return strings.Compare(a.Name, b.Name) })
	d := &s.Predicate.BuildDefinition
	d.BuildType = checksums.BuildType
	d.ExternalParameters = checksums.ExternalParameters{Project: m.Project, Version: m.Version, Plan: m.Plan, PlanID: m.PlanID}
	d.InternalParameters.Rebuild, d.InternalParameters.Members = m.Rebuild, checksums.AllMembers
	src := resource("source", m.Source.Module, m.Source.Version, m.Source.Sum, m.Source.SumDB)
	annotate(src.Annotations, map[string]string{"commitTime": m.Source.CommitTime, "kind": string(m.Source.Kind), "tags": strings.Join(m.Source.Tags, " "), "stamp": m.Source.Stamp, "stampTags": strings.Join(m.Source.StampTags, " "), "dir": m.Source.Dir})
	annotate(src.Digest, map[string]string{"gitCommit": m.Source.Commit, "gitTree": m.Source.Tree})
	module, version, _ := strings.Cut(m.Toolchain.Module, "@")
	tc := resource("toolchain", module, version, m.Toolchain.Sum, m.Toolchain.SumDB)
	annotate(tc.Annotations, map[string]string{"host": m.Toolchain.Host, "version": m.Toolchain.Version})
	d.ResolvedDependencies = []checksums.Resource{src, tc}
	return s
}

func resource(name, module, version, sum string, sumdb bool) checksums.Resource {
	return checksums.Resource{
		Name: name, URI: "pkg:golang/" + module + "@" + version,
		Digest:      map[string]string{"dirHash": hashHex(sum)},
		Annotations: map[string]string{"h1": sum, "sumdb": strconv.FormatBool(sumdb)},
	}
}

func annotate(to, values map[string]string) {
	for k, v := range values {
		if v != "" {
			to[k] = v
		}
	}
}
