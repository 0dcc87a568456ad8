package plan

import (
	"fmt"

	"github.com/mintmark/mintmark/profiles"
)

// maxImages bounds the images of a plan.
const maxImages = 100

// images checks what the plan says of container images. Which platforms and programs they
// have follows from the units (package images).
func (c *checker) images() {
	all := c.plan.Images
	if len(all) > maxImages {
		c.report("", "", "%d images, more than %d", len(all), maxImages)
		return
	}
	for n := range all {
		i := &all[n]
		name := fmt.Sprintf("image %.80q", i.Name)
		c.add(name, "", profiles.CheckImage(i))
		if n > 0 && all[n-1].File() >= i.File() {
			c.report(name, "", "the images are not in order, or one is there twice")
		}
	}
}
