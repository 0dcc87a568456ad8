package verify

import (
	"context"
	"os"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/images"
)

// verifyImages holds the programs and files in container images against the manifest.
func verifyImages(ctx context.Context, v *checksums.Verification, at func(name string) string, refused *checksums.VerifyError) error {
	for n := range v.Manifest.Images {
		i := &v.Manifest.Images[n]
		if v.File != "" && i.Name != v.File {
			continue
		}
		f, err := files.Open(at(i.Name))
		if os.IsNotExist(err) {
			v.Checks.Open(fact.InImage, i.Name, "it is not here")
			continue
		}
		if err != nil {
			return err
		}
		err = images.Verify(ctx, i, f, i.Size)
		f.Close()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, e := range fault.Leaves(err) {
			refused.Refusals = append(refused.Refusals, checksums.RefusedError{Name: i.Name, Reason: e.Error(), Remedy: "the image is not what its own manifest describes: do not use it"})
		}
		if err == nil {
			v.Checks.Done(fact.InImage, i.Name, "")
			imageOpen(v, i, "its layers are named by digest, and what is in them was not looked at")
		}
	}
	return nil
}

// imageOpen says what of an image was not checked: whether it is what its plan says, and
// its base, if it has one.
func imageOpen(v *checksums.Verification, i *checksums.Image, why string) {
	v.Checks.Open(fact.ImageAgain, i.Name, "the publisher states it, -rebuild of the release makes it again")
	if i.Base != "" {
		v.Checks.Open(fact.ImageBase, i.Name+" ("+i.Base+")", why)
	}
}
