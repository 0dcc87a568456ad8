package fact

import (
	"fmt"
	"strings"
)

// uploadCharacters are those that GitHub, GitLab and their like keep in the name of an
// uploaded file. GitHub replaces others by dots, and says so in general words only
// (https://docs.github.com/en/rest/releases/assets#upload-a-release-asset). It keeps a
// plus that is escaped in the address (https://github.com/github/rest-api-description/issues/2968),
// and has replaced ~ @ = ( ) and blanks (https://github.com/travis-ci/dpl/issues/821); GitLab
// refuses them (https://docs.gitlab.com/user/packages/generic_packages).
const uploadCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+"

// NotUploaded says why a file cannot be published on a forge under its own name; ""
// if it can. A release whose files are called otherwise than its list says is another
// one to everybody who checks it.
func NotUploaded(name string) string {
	if i := strings.IndexFunc(name, func(r rune) bool { return !strings.ContainsRune(uploadCharacters, r) }); i >= 0 {
		for _, r := range name[i:] {
			return fmt.Sprintf("has the character %q", r)
		}
	}
	switch {
	case name == "":
		return "is empty"
	case strings.HasPrefix(name, ".") || strings.HasSuffix(name, "."):
		return "begins or ends with a dot"
	case strings.Contains(name, ".."):
		return "has two dots in a row"
	}
	return ""
}
