package publish

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/secret"
)

// Kind is a kind of place that releases are published in.
type Kind string

const (
	GitHub    Kind = "github"  // github.com, GitHub Enterprise
	Gitea     Kind = "gitea"   // any host
	Forgejo   Kind = "forgejo" // any host, such as codeberg.org
	GitLab    Kind = "gitlab"  // gitlab.com, any host
	Directory Kind = "dir"     // a directory of this machine
	Rsync     Kind = "rsync"   // a directory of another one
)

// Kinds are all kinds.
func Kinds() []Kind { return []Kind{GitHub, Gitea, Forgejo, GitLab, Directory, Rsync} }

// Target is where releases are published. The zero value is none.
type Target struct {
	Kind Kind
	// Base is the address of the forge, without a slash at its end: scheme, host in
	// lower case, port, and of Gitea and Forgejo the path that they are below. Of [Rsync]
	// it is [USER@]HOST, or of a daemon //[USER@]HOST[:PORT].
	Base string
	// Repo is the repository: OWNER/REPO, on GitLab GROUP/…/PROJECT.
	Repo string
	// Path is the directory of [Directory] or [Rsync], which has a directory for each
	// release; of a daemon it begins with the module.
	Path string
}

const (
	githubBase = "https://github.com"
	gitlabBase = "https://gitlab.com"
)

// forms are how targets of a kind are written; of no kind, all that there are, those for
// container images among them.
func forms(k Kind) string {
	switch k {
	case GitHub, GitLab:
		repo := "OWNER/REPO"
		if k == GitLab {
			repo = "GROUP/PROJECT"
		}
		return fmt.Sprintf("%s:%s or %[1]s:https://HOST/%[2]s", k, repo)
	case Gitea, Forgejo:
		return string(k) + ":https://HOST/OWNER/REPO"
	case Directory:
		return "dir:PATH"
	case Rsync:
		return "rsync:[USER@]HOST:PATH or rsync://HOST[:PORT]/MODULE/PATH" // with USER@ it would be taken for an address with a secret
	}
	var all []string
	for _, k := range Kinds() {
		all = append(all, strings.ReplaceAll(forms(k), " or ", ", "))
	}
	return strings.Join(all, ", ") + ", " + images + " or " + imagesAt + "HOST/OWNER/NAME"
}

// ParseTarget reads a target: host in lower case, no usual port, no name of a user, no
// slash at the end. The address of github.com or gitlab.com may be written out, so that
// what a runner has in a variable can be named; String leaves it out.
func ParseTarget(text string) (Target, error) {
	t, err := parseTarget(text)
	if err != nil {
		return Target{}, noTarget(text, t.Kind, err)
	}
	return t, nil
}

// noTarget is the error of a text that is no target. All of the text is shown, or
// nothing of it: of an address with a password in it, a part does not show that it has
// one, and is not recognised.
func noTarget(text string, kind Kind, err error) error {
	return fault.Usagef("write "+forms(kind), "target %q: %w", secret.Name(text), err)
}

// ParsePublished reads a target with one release of it, TARGET@TAG.
func ParsePublished(text string) (t Target, tag string, err error) {
	i := strings.IndexByte(text, '@') // a repository has none in its name, a tag may
	if kind, _, _ := strings.Cut(text, ":"); Kind(kind) == Directory || Kind(kind) == Rsync {
		i = strings.LastIndexByte(text, '@')
	}
	if i >= 0 {
		t, err = parseTarget(text[:i])
		if err != nil && t.Kind == Rsync {
			if _, without := parseTarget(text); without == nil {
				i = -1 // it is that of USER@HOST
			}
		}
	}
	if i < 0 {
		example := "github:OWNER/REPO"
		if t, err := parseTarget(text); err == nil {
			example = t.String()
		}
		return Target{}, "", fault.Usagef("write TARGET@TAG, such as "+example+"@v1.2.3", "%q names no tag", secret.Name(text))
	}
	if err != nil {
		return Target{}, "", noTarget(text, t.Kind, err)
	}
	if err := checkTag(text[i+1:]); err != nil {
		return Target{}, "", fault.Usagef("name the release's tag as git does: "+t.String()+"@v1.2.3", "%w", err)
	}
	return t, text[i+1:], nil
}

func parseTarget(text string) (Target, error) {
	kind, rest, ok := strings.Cut(text, ":")
	t := Target{Kind: Kind(kind)}
	if !ok || !slices.Contains(Kinds(), t.Kind) {
		return t, errors.New("does not begin with the kind of the place")
	}
	if t.Kind == Directory {
		if rest == "" || strings.ContainsRune(rest, 0) {
			return t, errors.New("names no directory")
		}
		t.Path = filepath.Clean(rest)
		return t, nil
	}
	if t.Kind == Rsync {
		var err error
		t.Base, t.Path, err = parseRsync(rest)
		return t, err
	}
	below := 2 // parts of a repository's name
	if base, path, ok := cutBase(rest); ok {
		u, err := checkBase(base)
		if err != nil {
			return t, err
		}
		parts := strings.Split(path, "/")
		t.Base = u
		switch {
		case t.Kind == Gitea || t.Kind == Forgejo: // they may be below a path
			if n := len(parts) - 2; n > 0 {
				for _, p := range parts[:n] {
					if err := checkPart(p); err != nil {
						return t, err
					}
				}
				t.Base += "/" + strings.Join(parts[:n], "/")
				parts = parts[n:]
			}
		case t.Kind == GitLab:
			below = max(2, len(parts))
		}
		rest = strings.Join(parts, "/")
	} else {
		switch t.Kind {
		case GitHub:
			t.Base = githubBase
		case GitLab:
			t.Base, below = gitlabBase, max(2, strings.Count(rest, "/")+1)
		default:
			return t, fmt.Errorf("%s has no host of its own: name one, with https://", t.Kind)
		}
	}
	parts := strings.Split(rest, "/")
	if len(parts) != below {
		return t, errors.New("names no repository")
	}
	for _, p := range parts {
		if err := checkPart(p); err != nil {
			return t, err
		}
	}
	if strings.HasSuffix(rest, ".git") {
		return t, errors.New("the name of a repository does not end in .git")
	}
	t.Repo = rest
	return t, nil
}

// cutBase cuts an address in what names the host and what comes after the slash.
func cutBase(s string) (base, path string, ok bool) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return "", "", false
	}
	host, path, _ := strings.Cut(rest, "/")
	return scheme + "://" + host, path, true
}

// checkBase accepts the address of a host: a token goes there, so it is https, or
// http of this machine itself.
func checkBase(base string) (string, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return "", errors.New("names no host")
	case u.User != nil:
		return "", errors.New("has the name of a user in it: the token is read from the environment")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u)):
		return "", errors.New("is not an address with https://")
	case base != strings.ToLower(base):
		return "", errors.New("has capitals in the name of the host")
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || base != u.Scheme+"://"+u.Host:
		return "", errors.New("is no plain address")
	case u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" || strings.HasSuffix(u.Host, ":"):
		return "", errors.New("names the usual port")
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || strconv.FormatUint(n, 10) != p {
			return "", errors.New("has no port that there is")
		}
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil && strings.Trim(u.Hostname(), "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
		return "", errors.New("has a host with a character that names of hosts do not have")
	}
	return base, nil
}

// loopback reports whether an address is of this machine.
func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// checkPart accepts one part of a repository's path: what means the same in a path
// and in an address, escaped or not.
func checkPart(p string) error {
	switch {
	case p == "":
		return errors.New("has an empty part")
	case strings.Trim(p, nameCharacters) != "":
		return errors.New("has a character that names of repositories do not have")
	case strings.HasPrefix(p, ".") && strings.Trim(p, ".") == "" || len(p) > 255:
		return errors.New("has a part that is no name")
	}
	return nil
}

const nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// checkTag accepts the name of a tag: git's rules
// (https://git-scm.com/docs/git-check-ref-format), and no parts that are none in a path.
func checkTag(tag string) error {
	bad := func(why string) error { return fmt.Errorf("the tag %q %s", secret.Name(tag), why) }
	switch {
	case tag == "" || len(tag) > 200:
		return bad("is no name")
	case strings.HasPrefix(tag, "-"):
		return bad("begins with '-'")
	case strings.Contains(tag, "..") || strings.Contains(tag, "@{") || tag == "@" || strings.HasSuffix(tag, "."):
		return bad("is none that git has")
	case strings.ContainsAny(tag, " ~^:?*[\\\"<>|%#"):
		return bad("has a character that tags do not have, or that addresses change")
	}
	for _, r := range tag {
		if r <= ' ' || r >= 0x7f {
			return bad("has a character that is not ASCII, or does not print")
		}
	}
	for p := range strings.SplitSeq(tag, "/") {
		if p == "" || strings.HasPrefix(p, ".") || strings.HasSuffix(p, ".lock") {
			return bad("has a part that git does not have")
		}
	}
	return nil
}

// String is the target as it is written.
func (t Target) String() string {
	switch {
	case t.Kind == Directory:
		return string(t.Kind) + ":" + t.Path
	case t.Kind == Rsync:
		return string(t.Kind) + ":" + t.under(t.Path)
	case t.Kind == GitHub && t.Base == githubBase, t.Kind == GitLab && t.Base == gitlabBase:
		return string(t.Kind) + ":" + t.Repo
	}
	return string(t.Kind) + ":" + t.Base + "/" + t.Repo
}

// Forge reports whether the target is a forge, which has tags and wants a token.
func (t Target) Forge() bool { return t.Kind != Directory && t.Kind != Rsync }

// Token says where a token for the target is looked for: names of variables of the
// environment, in their order; none for a directory. That of github.com is not for
// another host of GitHub's software: for such a one SameAs is the variable that has the
// address of the host that Shared is for, as GitHub's runners set it.
type Token struct {
	Names          []string
	Shared, SameAs string
}

// Token says where the target's token is looked for.
func (t Target) Token() Token {
	switch t.Kind {
	case GitHub:
		if t.Base == githubBase || strings.HasSuffix(t.Base, ".ghe.com") {
			return Token{Names: []string{"GITHUB_TOKEN", "GH_TOKEN"}}
		}
		return Token{Names: []string{"GITHUB_ENTERPRISE_TOKEN", "GH_ENTERPRISE_TOKEN"}, Shared: "GITHUB_TOKEN", SameAs: "GITHUB_SERVER_URL"}
	case Gitea:
		return Token{Names: []string{"GITEA_TOKEN"}}
	case Forgejo:
		return Token{Names: []string{"FORGEJO_TOKEN"}}
	case GitLab:
		return Token{Names: []string{"GITLAB_TOKEN"}}
	}
	return Token{}
}

// images is how targets begin that are registries of container images; package registry
// brings images there.
const (
	images   = "oci:"
	imagesAt = images + "//"
)

// OfImages reports whether a text means registries of container images, and no [Target].
func OfImages(text string) bool { return strings.HasPrefix(strings.ToLower(text), images) }

// Check says what is wrong with a text that is to be a target, or to mean registries.
func Check(text string) error {
	if OfImages(text) {
		_, err := ParseRepository(text)
		return err
	}
	_, err := ParseTarget(text)
	return err
}

// ParseRepository reads oci://HOST/NAME, or oci: for the repository that each image of a
// release names, which is "".
func ParseRepository(text string) (string, error) {
	if text == images {
		return "", nil
	}
	name, ok := strings.CutPrefix(text, imagesAt)
	why := "does not begin with " + imagesAt
	if ok {
		why = fact.NotRepository(name)
	}
	if why != "" {
		return "", fault.Usagef("write oci://HOST/NAME without a tag, or oci: for the repository that the release names", "target %.200q: %s", text, why)
	}
	return name, nil
}
