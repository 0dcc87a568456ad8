package secret

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// hidden is what stands in the place of a key.
const hidden = "(private key, not shown)"

// Redact returns a text without the secrets that can be recognised in it; see
// the package's description. Redact(Redact(s)) equals Redact(s).
func Redact(text string) string {
	if keys := Find(text); len(keys) > 0 {
		var b strings.Builder
		done := 0
		for _, k := range keys {
			b.WriteString(text[done:k.Start])
			b.WriteString(hidden)
			done = k.End
		}
		b.WriteString(text[done:])
		text = b.String()
	}
	text = addresses(text)
	if strings.Contains(text, "uthorization:") || strings.Contains(text, "UTHORIZATION:") {
		text = headerForm.ReplaceAllString(text, "$1 ***")
	}
	return text
}

var headerForm = regexp.MustCompile(`(?i)\b((?:proxy-)?authorization:) *[^\s*][^\n"']*`)

// addresses takes user names and passwords out of every NAME://… in a text, and
// of NAME:/…, which is what becomes of an address that was taken for a path.
func addresses(text string) string {
	const mark = ":/"
	if !strings.Contains(text, mark) {
		return text
	}
	var b strings.Builder
	for {
		i := strings.Index(text, mark)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		scheme := text[strings.LastIndexFunc(text[:i], func(r rune) bool { return !isScheme(r) })+1 : i]
		start := i + len(mark)
		if strings.HasPrefix(text[start:], "/") {
			start++
		} else if scheme == "file" || len(scheme) < 2 { // C:/
			scheme = ""
		}
		b.WriteString(text[:start])
		text = text[start:]
		if scheme == "" {
			continue
		}
		end := addressEnd(text[:min(len(text), maxAddress)])
		if next := strings.Index(text[:end], mark); next >= 0 {
			// A second address behind it, as in GOPROXY=https://a,https://b.
			if j := strings.LastIndexFunc(text[:next], func(r rune) bool { return !isScheme(r) }); j >= 0 && (text[j] == ',' || text[j] == ';') {
				end = j
			}
		}
		b.WriteString(address(scheme, text[:end]))
		text = text[end:]
	}
}

// addressEnd is where an address ends that text begins with, from behind its
// scheme. What ends an address may stand in a password that was not escaped.
func addressEnd(text string) int {
	const ends = " \t\r\n\"'`<>|"
	end := strings.IndexAny(text, ends)
	if end < 0 {
		return len(text)
	}
	_, password, ok := strings.Cut(text[:end], ":")
	if !ok || strings.ContainsAny(text[:end], "@/?#") {
		return end
	}
	line, _, _ := strings.Cut(text[end:], "\n")
	at := strings.IndexByte(line, '@')
	if at < 0 || strings.Contains(line[:at], ":/") {
		return end
	}
	if port := strings.Trim(password, "0123456789") == ""; port && strings.ContainsAny(line[:at], " \t\r") {
		return end
	}
	behind := end + at + 1
	if i := strings.IndexAny(text[behind:], ends); i >= 0 {
		return behind + i
	}
	return len(text)
}

// maxAddress bounds what is looked through for the end of an address.
const maxAddress = 2 << 10

func isScheme(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("+.-", r)
}

// address is what follows scheme:// without its secrets.
func address(scheme, rest string) string {
	authority := rest
	if i := strings.IndexAny(rest, "/?#\\"); i >= 0 {
		authority = rest[:i]
	}
	at := strings.LastIndexByte(authority, '@')
	_, host, v6 := strings.Cut(authority, "]") // [::1]:8080
	if !v6 {
		host = authority
	}
	if _, port, ok := strings.Cut(host, ":"); at < 0 && ok && strings.Trim(port, "0123456789") != "" {
		at = strings.LastIndexByte(rest, '@') // a password with a slash in it, which was not escaped
		if at < 0 && (scheme == "http" || scheme == "https") {
			return "***" + rest[len(authority):] // it was cut off in the password
		}
	}
	user := ""
	if at >= 0 {
		user, rest = rest[:at], rest[at+1:]
		// The name that ssh logs in with is no secret, and neither is "git".
		if ssh := strings.Contains(scheme, "ssh"); user != "git" && user != "***" && (!ssh || strings.Contains(user, ":")) {
			user = "***"
		}
		user += "@"
	}
	path, query, ok := strings.Cut(rest, "?")
	if !ok {
		return user + rest
	}
	return user + path + "?" + parameterForm.ReplaceAllString(query, "$1=***")
}

var parameterForm = regexp.MustCompile(`(?i)([a-z0-9_.-]*(?:token|key|secret|pass|pwd|auth|sig|credential|jwt|session)[a-z0-9_.-]*)=[^&;#\s]*`)

// Error returns an error whose text has no secrets. errors.Is and errors.As
// find in it what they find in err; its text can be had no other way. An error
// without secrets is returned as it is.
func Error(err error) error { return Without(err) }

// Without is [Error] for when some of the secrets are known: they are taken out
// of the text as well, wherever they stand.
func Without(err error, known ...string) error {
	if err == nil {
		return nil
	}
	before := err.Error()
	text := before
	for _, k := range known {
		if len(k) >= 4 { // shorter ones are in any text
			text = strings.ReplaceAll(text, k, "***")
		}
	}
	if text = Redact(text); text == before {
		return err
	}
	return &redacted{err, text}
}

// redacted does not unwrap: who prints an error may print its parts.
type redacted struct {
	err  error
	text string
}

func (e *redacted) Error() string        { return e.text }
func (e *redacted) Is(target error) bool { return errors.Is(e.err, target) }
func (e *redacted) As(target any) bool   { return errors.As(e.err, target) }

// Hint is the hint of the error, without secrets.
func (e *redacted) Hint() string { return Redact(fault.Hint(e.err)) }

// longest is the longest run of letters and digits that a name is shown with.
const longest = 40

// Name is the name of a file as a message may show it, if what was given as a
// name may be a key by mistake: in one line, of bounded length, and without
// runs of letters and digits as keys in base64 or hexadecimal have them.
func Name(text string) string {
	text = Redact(text)
	var b strings.Builder
	run := 0
	flush := func(end int) {
		if run >= longest {
			fmt.Fprintf(&b, "(%d characters)", run)
		} else {
			b.WriteString(text[end-run : end])
		}
		run = 0
	}
	for i := range len(text) {
		if isBase64(text[i]) && text[i] != '/' {
			run++
			continue
		}
		flush(i)
		if text[i] == '\n' || text[i] == '\r' {
			fmt.Fprintf(&b, " (and %d characters more)", len(text)-i)
			return b.String()
		}
		b.WriteByte(text[i])
	}
	flush(len(text))
	if s := b.String(); len(s) > 300 {
		return fmt.Sprintf("%s… (%d characters)", strings.ToValidUTF8(s[:200], ""), len(s))
	}
	return b.String()
}

// ordered sorts findings and drops those inside of others.
func ordered(all []Found) []Found {
	slices.SortStableFunc(all, func(a, b Found) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	var out []Found
	for _, f := range all {
		if n := len(out); n > 0 && f.Start < out[n-1].End {
			out[n-1].End = max(out[n-1].End, f.End)
			continue
		}
		out = append(out, f)
	}
	return out
}
