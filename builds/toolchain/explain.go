package toolchain

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/shell"
)

// complaint is something the go command says, and what can be done about it.
// The hint may name $1, the first group of the expression, and $file, which is
// the same as the name of a file in the module.
type complaint struct {
	re   *regexp.Regexp
	hint string
}

// complaints are the go command's most frequent ones about packages and
// modules; the first that fits counts. The texts are those of go1.21 to go1.26
// (cmd/go/internal/{modload,modfetch,load,web}).
var complaints = []complaint{
	{regexp.MustCompile(`requires go >=|requires newer Go version`), "pin a newer toolchain: go: in mintmark.yaml, or -toolchain="},
	{regexp.MustCompile(`updates to go.mod needed|missing go.sum entry`), "run go mod tidy and commit go.mod and go.sum"},
	{regexp.MustCompile(`no required module provides package|cannot find module providing package|is replaced but not required`),
		"run go mod tidy (it adds what is imported to go.mod) and commit go.mod and go.sum"},
	{regexp.MustCompile(`SECURITY ERROR|checksum mismatch`), "a module's content is not what go.sum or the checksum database says: do not release before you know why"},
	{regexp.MustCompile(`401 Unauthorized|407 Proxy Authentication Required|terminal prompts disabled|could not read Username`),
		"the server wants credentials: put them into ~/.netrc (machine HOST login NAME password TOKEN), or name the module in GOPRIVATE and let git have them, or vendor the module (go mod vendor) and commit that"},
	{regexp.MustCompile(`403 Forbidden|404 Not Found|410 Gone|reading file://\S+: no such file`), "the module proxy does not serve this module; set GOPROXY or GOPRIVATE so that it can be fetched, or vendor it"},
	{regexp.MustCompile(`dial tcp|no such host|i/o timeout|module lookup disabled`), "modules are fetched before the build, and this one is not on the machine yet: check the network and GOPROXY"},
	{regexp.MustCompile(`inconsistent vendoring`), "run go mod vendor and commit the result"},
	{regexp.MustCompile(`pattern (\S+): no matching files found`),
		"the commit has no $file: make it before the release and commit it, git add -f $file if git ignores it; or embed a file that is in the commit"},
	{regexp.MustCompile(`pattern (\S+): cannot embed`), "git ls-files $file says what the commit has there: only its regular files can be embedded"},
	{regexp.MustCompile(`package (\S+) is not in std`), "write the whole path of the package, which begins with its module's, or a newer toolchain: go: in mintmark.yaml"},
	{regexp.MustCompile(`import cycle not allowed`), "go vet ./... shows the cycle: one of its packages must not import the next"},
}

// Explain adds what to do to the go command's most frequent complaints.
func Explain(err error) error {
	text := err.Error()
	for _, c := range complaints {
		m := c.re.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		hint := c.hint
		if len(m) > 1 {
			hint = strings.NewReplacer("$1", m[1], "$file", shell.Word(embedded(text, m[1]))).Replace(hint)
		}
		return &fault.Error{Err: err, Tip: hint}
	}
	return err
}

// position is where the go command finds a fault.
var position = regexp.MustCompile(`^(\S+\.go):[0-9]+:[0-9]+: `)

// embedded is what a pattern of //go:embed names, in the module: patterns are
// relative to the directory of the file that has them, which text begins with.
func embedded(text, pattern string) string {
	pattern = strings.TrimPrefix(pattern, "all:")
	m := position.FindStringSubmatch(text)
	if m == nil || !filepath.IsLocal(filepath.FromSlash(m[1])) {
		return pattern
	}
	return path.Join(path.Dir(m[1]), pattern)
}

// Relative makes paths in dir relative to it, in a text: a checkout has a
// different place each time. dir may be "".
func Relative(text, dir string) string {
	if dir == "" {
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, dir+string(filepath.Separator), ""), dir, ".")
}
