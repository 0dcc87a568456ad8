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

// Packer is a program that packed a file, and how it was called.
type Packer struct {
	Name    string   `json:"name"` // UPX
	Version string   `json:"version"`
	SHA256  string   `json:"sha256"` // of its executable
	Flags   []string `json:"flags"`
}
