package report

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
)

// Address is where a link leads: "./FILE", a file beside the page, or a page of a
// host of repositories, https://HOST/…. Renderings write no others.
type Address string

// safeAddress has no byte that ends an attribute of HTML or a link of Markdown, no
// other scheme, and no element that leads upwards.
var safeAddress = regexp.MustCompile(`^(\./[A-Za-z0-9_~%@=$&:+-][A-Za-z0-9._~%@=$&:+-]*|https://[a-z0-9.]+(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+)$`)

func (a Address) safe() bool { return safeAddress.MatchString(string(a)) }

// beside is the address of a file in the page's own directory; "" where its name is
// more than one.
func beside(name string) Address {
	a := Address("./" + url.PathEscape(name))
	if strings.ContainsAny(name, `/\`) || !a.safe() {
		return ""
	}
	return a
}

// Beside is the address of a file in a page's own directory; "" where its name is
// more than one, or has what no address has.
func Beside(name string) Address { return beside(name) }

// hosts are hosts of repositories whose module paths begin with the repository's,
// and whose pages of commits have a known address.
var hosts = map[string]struct {
	elements int    // of a repository's path, the host's name included; 0: any number
	page     string // between the repository and the commit
}{
	"github.com":    {3, "/commit/"},
	"gitlab.com":    {0, "/-/commit/"},
	"codeberg.org":  {3, "/commit/"},
	"gitea.com":     {3, "/commit/"},
	"bitbucket.org": {3, "/commits/"},
	"git.sr.ht":     {3, "/commit/"},
}

var (
	commitHash = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	major      = regexp.MustCompile(`/v[0-9]+$`)
)

// commitPage is the page of the commit at the host that the module path names; ""
// where it names none that is known. The manifest has no address of a repository: of
// two clones of one commit it would not be the same.
func commitPage(s checksums.Source) Address {
	if s.Kind != fact.SourceGit || !commitHash.MatchString(s.Commit) {
		return ""
	}
	root, ok := s.Module, true
	if s.Dir != "" {
		if root, ok = strings.CutSuffix(s.Module, "/"+s.Dir); !ok {
			root, ok = strings.CutSuffix(major.ReplaceAllString(s.Module, ""), "/"+s.Dir)
		}
	}
	root = major.ReplaceAllString(root, "")
	elements := strings.Split(root, "/")
	host, known := hosts[elements[0]]
	if !ok || !known || len(elements) < 3 || host.elements != 0 && len(elements) != host.elements {
		return ""
	}
	if a := Address("https://" + root + host.page + s.Commit); a.safe() {
		return a
	}
	return ""
}
