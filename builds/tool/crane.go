package tool

// Crane speaks to registries of container images
// (https://github.com/google/go-containerregistry/tree/main/cmd/crane). It reads what
// strangers send, so it is built with the patch release that was the newest when its
// version was chosen, not with the oldest that its go.mod takes.
func Crane() Known {
	return Known{
		Name: "crane", Module: "github.com/google/go-containerregistry", Version: "v0.22.1",
		Sum: "h1:RZuuSYhTvlDvtsK+NkutoCZ//C0X2ebLK8X8l3ULs84=", Package: "./cmd/crane", Go: "go1.26.8",
	}
}
