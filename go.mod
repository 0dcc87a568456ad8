module github.com/mintmark/mintmark

go 1.26.0

tool github.com/magefile/mage // the runner of magefile.go: `go tool mage`

require (
	github.com/klauspost/compress v1.20.3 // gzip and zstd whose bytes do not change with the Go version; three times faster than compress/gzip
	github.com/landlock-lsm/go-landlock v0.11.2 // confinement of builds on Linux: which rights the kernel knows, and the rules
	github.com/magefile/mage v1.17.2 // the Mage door
	github.com/rogpeppe/go-internal v1.16.0 // tests only: testscript
	github.com/secure-systems-lab/go-securesystemslib v0.11.1 // DSSE and cosign's encrypted key format
	github.com/sigstore/protobuf-specs v0.5.2 // the Sigstore bundle
	github.com/sigstore/sigstore v1.10.11 // keys, signatures, KMS plugins; pinned: v1.10.10 and v1.11 want go 1.27
	github.com/ulikunitz/xz v0.5.15 // .deb packages and archives of others
	go.yaml.in/yaml/v4 v4.0.0 // YAML nodes with positions; decoding is our own and strict
	golang.org/x/mod v0.42.0 // module versions, zips and h1 hashes
	golang.org/x/sync v0.24.0 // errgroup, semaphore
	golang.org/x/sys v0.49.0 // file locks, memory size, process groups
	golang.org/x/term v0.47.0 // terminal width, passphrase prompt
	golang.org/x/tools v0.51.0 // tools/vet only: the analyzers of go vet
	google.golang.org/protobuf v1.36.12 // encoding of the bundle; fields of CPU profiles
)

require (
	github.com/youmark/pkcs8 v0.0.0-20240726163527-a2c0da244d78 // indirect
	golang.org/x/crypto v0.55.0 // indirect
	google.golang.org/genproto/googleapis/api v0.0.0-20260727163830-6c54dddc4772 // indirect
	kernel.org/pub/linux/libs/security/libcap/psx v1.2.78 // indirect
)
