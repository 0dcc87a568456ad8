package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/builds/generate"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/workspace"
)

// generate puts the release's generated files into the source that is built: made
// anew by its commands if whoever verifies says so, else as the release has them.
func (f *fetching) generate(ctx context.Context, c *fetch.Copied) error {
	if f.m.Generated == nil {
		return nil
	}
	published, perr := f.publishedGenerated(ctx)
	if !f.Run.Generate {
		if perr != nil {
			return perr
		}
		for _, x := range f.m.Generated.Files {
			f.out.Checks.Open(fact.GeneratedAgain, x.Name, "taken from "+fact.GeneratedArchive+" of the release, not generated again (-generate runs its commands)")
		}
		f.generation = fact.GenerationTaken
		return c.UseGenerated(ctx, published, f.m.Generated.Files)
	}
	f.generation = fact.GenerationExecuted
	made, err := c.Generate(ctx, f.plan.Generate)
	if err != nil {
		return err
	}
	if perr != nil {
		published = "" // then it is not known where files differ
	}
	differ, err := generate.Compare(ctx, made, &generate.Made{Place: "release", Dir: published, Files: f.m.Generated.Files})
	if err != nil {
		return err
	}
	if len(differ) == 0 {
		for _, x := range f.m.Generated.Files {
			f.out.Checks.Done(fact.GeneratedAgain, x.Name, f.GoToolchain.Host)
		}
		return nil
	}
	return f.otherGenerated(made, differ)
}

// publishedGenerated unpacks the release's generated files, and returns where.
func (t *reproduction) publishedGenerated(ctx context.Context) (string, error) {
	name := filepath.Join(t.dir, fact.GeneratedArchive)
	const hint = "download it into the release's directory and name that, or have the commands of the release run here with -generate"
	if t.dir == "" {
		return "", fault.Errorf(hint, "the release has generated files, and without its directory there is no %s", fact.GeneratedArchive)
	}
	if _, err := os.Lstat(name); errors.Is(err, os.ErrNotExist) {
		return "", fault.Errorf(hint, "the release has generated files, and %s is not here", fact.GeneratedArchive)
	}
	dir := filepath.Join(t.Workspace.Dir, "generated")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", workspace.Error(err)
	}
	if err := generate.Unpack(ctx, name, t.m.Generated.Files, dir); err != nil {
		return "", &checksums.VerifyError{Refusals: []checksums.RefusedError{{
			Name: fact.GeneratedArchive, Reason: err.Error(), Remedy: "what the release says of itself does not hold: do not use it",
		}}}
	}
	return dir, nil
}

// otherGenerated is the error of commands that make other files here than those of
// the release, with the programs that were others.
func (t *reproduction) otherGenerated(made *generate.Made, differ []generate.Difference) error {
	var lines []string
	for _, d := range differ {
		lines = append(lines, d.String())
	}
	theirs := map[string]fact.GeneratorTool{}
	key := func(x fact.GeneratorTool) string { return fmt.Sprint(x.Command, " ", x.Name) }
	for _, x := range t.m.Generated.Tools {
		theirs[key(x)] = x
	}
	for _, x := range made.Tools {
		y, ok := theirs[key(x)]
		if ok && (x.SHA256 != y.SHA256 || x.Module != y.Module || x.Sum != y.Sum) {
			lines = append(lines, fmt.Sprintf("command %d ran another %s here: %s, and for the release %s", x.Command, x.Name, toolDigest(x), toolDigest(y)))
		}
	}
	return fault.NotReproduciblef("the programs that commands run are this machine's: with those of the release they may make the same; without -generate the files are taken from the release",
		"not reproduced: the commands of the release make other files here; nothing was compiled\n%s", strings.Join(lines, "\n"))
}

func toolDigest(x fact.GeneratorTool) string {
	if x.Module != "" {
		return x.Module + " " + x.Sum
	}
	return "sha256 " + x.SHA256
}
