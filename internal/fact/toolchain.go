package fact

// Toolchain is one exact Go toolchain and how it is known. Who made a release,
// and who rebuilds one, uses one for everything. Empty fields are not known.
type Toolchain struct {
	Version string `json:"version,omitempty"` // go1.26.8
	Host    string `json:"host,omitempty"`    // platform it runs on, such as linux/amd64
	Module  string `json:"module,omitempty"`  // golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64
	Sum     string `json:"sum,omitempty"`     // h1: of that module's zip
	SumDB   bool   `json:"sumdb"`             // Sum was checked against the checksum database
}

// Modification is what is different in a toolchain that was made of a release and a
// patch of its sources. It goes by the version of the release, as all others do, so
// that nothing but this tells them apart. No release of mintmark is built with one.
type Modification struct {
	Patch string   `json:"patch_sha256"`    // of the unified diff, lower-case hex
	Files []string `json:"files"`           // of GOROOT, that were changed; sorted
	Tools []string `json:"tools,omitempty"` // programs that were built anew, by import path; sorted
	// Left are files that the patch changes and no build reads: tests and their data.
	Left []string `json:"files_left_alone,omitempty"`
	// Recipe is where the patch comes from; nil for one that somebody brought.
	Recipe *ToolchainRecipe `json:"recipe,omitempty"`
}

// ToolchainRecipe is a known modification by the makers of a module.
type ToolchainRecipe struct {
	Name   string `json:"name"`
	Module string `json:"module"`
	From   string `json:"from"`         // the first version that it is of
	To     string `json:"to,omitempty"` // the last; "" while none is known without it
	Source string `json:"source"`       // where the makers say so
}

// Versions are those that the recipe is of, in words.
func (r *ToolchainRecipe) Versions() string {
	if r.To == "" {
		return "since " + r.From
	}
	return r.From + " to " + r.To
}

// Packer is a program that packed a file, and how it was called.
type Packer struct {
	Name    string   `json:"name"` // UPX
	Version string   `json:"version"`
	SHA256  string   `json:"sha256"` // of its executable
	Flags   []string `json:"flags"`
}
