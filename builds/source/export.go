package source

import (
	"archive/zip"
	"io"
	"io/fs"
	"strings"

	modzip "golang.org/x/mod/zip"
)

// exported lists the files of the module in dir of a zip of the whole
// repository. golang.org/x/mod/zip.CreateFromVCS would do it, but runs git with
// the user's settings. What does not belong to a module (nested modules,
// vendored packages) is left out later, by x/mod/zip.CheckFiles.
func exported(zipFile, dir string) ([]modzip.File, func() error, error) {
	z, err := zip.OpenReader(zipFile)
	if err != nil {
		return nil, nil, err
	}
	prefix := ""
	if dir != "" {
		prefix = dir + "/"
	}
	var files []modzip.File
	var license *zip.File
	haveLicense := false
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if f.Name == "LICENSE" {
			license = f
		}
		if name, ok := strings.CutPrefix(f.Name, prefix); ok {
			files = append(files, zipEntry{f, name})
			haveLicense = haveLicense || name == "LICENSE"
		}
	}
	if !haveLicense && license != nil {
		// A module in a subdirectory takes the repository's licence
		// (https://go.dev/ref/mod#vcs-license).
		files = append(files, zipEntry{license, "LICENSE"})
	}
	return files, z.Close, nil
}

// zipEntry is a zip member as x/mod/zip wants a file.
type zipEntry struct {
	f    *zip.File
	name string
}

func (e zipEntry) Path() string                 { return e.name }
func (e zipEntry) Lstat() (fs.FileInfo, error)  { return e.f.FileInfo(), nil }
func (e zipEntry) Open() (io.ReadCloser, error) { return e.f.Open() }
