package publish

import (
	"errors"
	"net"
	"path"
	"strconv"
	"strings"
)

// parseRsync reads what comes after rsync: in a target, HOST:PATH or //HOST/MODULE/PATH,
// each with or without USER@. What a shell, rsync or ssh would read as something else
// than a name is refused: options, wildcards, quotes, variables.
func parseRsync(text string) (base, dir string, err error) {
	authority, daemon := strings.CutPrefix(text, "//")
	ok := false
	if daemon {
		authority, dir, ok = strings.Cut(authority, "/")
	} else if i := strings.Index(authority, "]:"); i >= 0 {
		authority, dir, ok = authority[:i+1], authority[i+2:], true // an address of IPv6 has colons
	} else {
		authority, dir, ok = strings.Cut(authority, ":")
	}
	if !ok {
		return "", "", errors.New("names no directory of a host")
	}
	if err := checkAuthority(authority, daemon); err != nil {
		return "", "", err
	}
	if dir, err = remotePath(dir, daemon); err != nil {
		return "", "", err
	}
	if daemon {
		authority = "//" + authority
	}
	return authority, dir, nil
}

// checkAuthority accepts [USER@]HOST, of a daemon [USER@]HOST[:PORT]. What ssh calls a
// host may be a name of the user's own, in which capitals count.
func checkAuthority(text string, daemon bool) error {
	user, host, has := strings.Cut(text, "@")
	if !has {
		host = user
	}
	if daemon {
		if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
			port := host[i+1:]
			host = host[:i]
			switch n, err := strconv.ParseUint(port, 10, 16); {
			case err != nil || n == 0 || strconv.FormatUint(n, 10) != port:
				return errors.New("has no port that there is")
			case n == rsyncPort:
				return errors.New("names the usual port")
			}
		}
	}
	address, v6 := strings.CutPrefix(host, "[")
	if v6 {
		address, v6 = strings.CutSuffix(address, "]")
	}
	switch {
	case has && strings.Contains(user, ":"):
		return errors.New("has a password in it, which everybody on this machine could read: a daemon's is taken from RSYNC_PASSWORD, and ssh has keys")
	case has && (user == "" || strings.HasPrefix(user, "-") || strings.Trim(user, nameCharacters) != ""):
		return errors.New("has a name of a user that is none")
	case v6 && (net.ParseIP(address) == nil || !strings.Contains(address, ":")):
		return errors.New("has an address in brackets that is none of IPv6")
	case !v6 && (host == "" || strings.HasPrefix(host, "-") || strings.HasPrefix(host, ".") || strings.Trim(host, nameCharacters) != ""):
		return errors.New("names no host")
	}
	return nil
}

const rsyncPort = 873

// pathCharacters are what the path of a directory at the other end may have. Blanks and
// the tilde need [protected] arguments.
const pathCharacters = nameCharacters + "/+@,=% ~"

// remotePath reads the path of a directory at the other end; a daemon's begins with the
// name of a module.
func remotePath(p string, daemon bool) (string, error) {
	switch {
	case p == "":
		return "", errors.New("names no directory")
	case !daemon && strings.HasPrefix(p, ":"):
		return "", errors.New("has two colons: write rsync://HOST/MODULE/PATH for a daemon")
	case strings.HasPrefix(p, "~"):
		return "", errors.New("begins with ~: write a path from the home directory, or one that begins with /")
	case strings.Trim(p, pathCharacters) != "":
		return "", errors.New("has a path with a character that a shell or rsync does not read as itself")
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == ".." || strings.HasPrefix(part, "-") || strings.Trim(part, " ") != part {
			return "", errors.New("has a path with a part that is .., that begins with '-', or that begins or ends with a blank")
		}
	}
	clean := path.Clean(p)
	if daemon && (clean == "." || strings.HasPrefix(p, "/") || strings.HasPrefix(p, ".")) {
		return "", errors.New("names no module of the daemon")
	}
	return clean, nil
}

// under is a path at the other end, as rsync is told it.
func (t Target) under(dir string) string {
	if strings.HasPrefix(t.Base, "//") {
		return t.Base + "/" + dir
	}
	return t.Base + ":" + dir
}

// top is a directory that is there at the other end, whatever is made below it, and a
// path below the target's as seen from it.
func (t Target) top(dir string) (top, rel string) {
	if strings.HasPrefix(t.Base, "//") {
		module, rel, _ := strings.Cut(dir, "/")
		return module + "/", rel
	}
	if rel, ok := strings.CutPrefix(dir, "/"); ok {
		return "/", rel
	}
	return "./", dir
}

// protected reports whether the path is one that the shell at the other end may read in
// another way, unless rsync is told to keep it from that shell.
func protected(p string) bool { return strings.Trim(p, nameCharacters+"/+@,%") != "" }
