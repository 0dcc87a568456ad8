package startup

import (
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// Kinds of readiness.
const (
	OnExit      = "exit"       // it has ended
	OnFirstByte = "first-byte" // it has written to standard output
	OnStdout    = "stdout"     // what it has written to standard output matches
	OnTCP       = "tcp"        // it accepts a connection
)

// Ready says when a program counts as started. The zero value is its exit.
type Ready struct {
	kind    string
	pattern *regexp.Regexp
	addr    string
}

// ParseReady reads "exit", "first-byte", "stdout:REGEXP", "tcp:PORT" (of the
// loopback interface) or "tcp:HOST:PORT". Empty is "exit".
func ParseReady(text string) (Ready, error) {
	kind, arg, has := strings.Cut(text, ":")
	bad := func(format string, args ...any) (Ready, error) {
		return Ready{}, fault.Errorf("it is one of exit, first-byte, stdout:REGEXP, tcp:PORT and tcp:HOST:PORT", "ready %q: "+format, append([]any{text}, args...)...)
	}
	switch kind {
	case "", OnExit, OnFirstByte:
		if has {
			return bad("%s takes nothing after a colon", kind)
		}
		if kind == "" {
			kind = OnExit
		}
		return Ready{kind: kind}, nil
	case OnStdout:
		if arg == "" {
			return bad("no regular expression")
		}
		re, err := regexp.Compile(arg)
		if err != nil {
			return bad("%w", err)
		}
		if re.MatchString("") {
			return bad("it matches before anything is written")
		}
		return Ready{kind: kind, pattern: re}, nil
	case OnTCP:
		if !strings.Contains(arg, ":") {
			arg = "127.0.0.1:" + arg
		}
		_, port, err := net.SplitHostPort(arg)
		if err != nil {
			return bad("%w", err)
		}
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return bad("no such port: %s", port)
		}
		return Ready{kind: kind, addr: arg}, nil
	}
	return bad("unknown kind")
}

// Kind is one of the kinds of readiness.
func (r Ready) Kind() string {
	if r.kind == "" {
		return OnExit
	}
	return r.kind
}

// String is what [ParseReady] reads.
func (r Ready) String() string {
	switch r.kind {
	case OnStdout:
		return OnStdout + ":" + r.pattern.String()
	case OnTCP:
		return OnTCP + ":" + r.addr
	}
	return r.Kind()
}
