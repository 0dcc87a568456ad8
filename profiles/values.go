package profiles

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
)

const maxProject = 100

var (
	wordForm       = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	goForm         = regexp.MustCompile(`^go1\.(0|[1-9][0-9]{0,3})(?:\.(0|[1-9][0-9]{0,3})|rc([1-9][0-9]?))?$`)
	goLooseForm    = regexp.MustCompile(`^(?:go|v)?1\.([0-9]{1,4})(?:\.([0-9x*]{1,4}))?$`)
	tagForm        = regexp.MustCompile(`^[\pL\pN_.]+$`)
	variableForm   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	dateForm       = regexp.MustCompile(`\b(19|20)\d\d-[01]\d-[0-3]\d(\b|T)|\b(19|20)\d\d/[01]\d/[0-3]\d\b|\b(19|20)\d\d[01]\d[0-3]\d([T._-]?\d{4,6}Z?)?\b|\b[0-2]\d:[0-5]\d:[0-5]\d\b|^1[0-9]{9}$`)
	hashForm       = regexp.MustCompile(`\b[0-9a-f]{40}\b`)
	hostForm       = regexp.MustCompile(`\b[\w.-]+@[\w-]+|\b[\w-]+\.(local|lan|localdomain)\b|\blocalhost\b`)
	shellForm      = regexp.MustCompile("\\$\\(|`|\\$\\{?[A-Za-z_]")
	absoluteForm   = regexp.MustCompile(`(^|[=\s:'"]|-[ILBF])(/(usr|opt|home|root|tmp|var|etc|Users|Library|Applications|mnt|nix|build|workspace)/|[A-Za-z]:[\\/])`)
	digestForm     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	sizeForm       = regexp.MustCompile(`^([0-9]{1,18})\s*([A-Za-z]*)$`)
	upxVersionForm = regexp.MustCompile(`^[0-9]+\.[0-9][0-9A-Za-z.+-]*$`)
	fractionForm   = regexp.MustCompile(`^[0-9]+\.[0-9]+\s*[A-Za-z]*$`)
)

func checkProject(s string) error {
	switch {
	case !wordForm.MatchString(s):
		return fault.Errorf("use letters, digits, dot, underscore and minus", "bad project name %q", s)
	case len(s) > maxProject:
		return fmt.Errorf("the project name has more than %d bytes", maxProject)
	case !isAlnum(rune(s[0])):
		return fmt.Errorf("the project name %q does not begin with a letter or digit", s)
	}
	return nil
}

func checkProfileName(s string) error {
	if !wordForm.MatchString(s) || !isAlnum(rune(s[0])) || len(s) > maxProject {
		return fault.Errorf("use letters, digits, dot, underscore and minus", "bad profile name %q", s)
	}
	return nil
}

// checkGoVersion accepts the name of one Go release: go1.N.P, go1.NrcN, and
// go1.N for N < 21, whose first release was named so.
func checkGoVersion(s string) error {
	hint := "such as go1.26.8"
	if m := goForm.FindStringSubmatch(s); m != nil {
		minor, _ := strconv.Atoi(m[1])
		switch {
		case m[2] == "" && m[3] == "" && minor >= 21: // a language version, not a release
			hint = onePatch(minor)
		case m[2] == "0" && minor < 21:
			hint = onePatch(minor) + "; the first release had no .0 before go1.21"
		default:
			return nil
		}
	} else if m := goLooseForm.FindStringSubmatch(s); m != nil {
		minor, _ := strconv.Atoi(m[1])
		patch, err := strconv.Atoi(m[2])
		switch {
		case err == nil && (patch > 0 || minor >= 21):
			hint = fmt.Sprintf("did you mean go1.%d.%d?", minor, patch)
		default:
			hint = onePatch(minor)
		}
	} else if s == "latest" || s == "stable" || s == "local" || s == "auto" {
		hint = "name one release, such as go1.26.8: " + s + " is another one tomorrow"
	}
	return fault.Errorf(hint, "go wants go1.N.P, the exact name of a release, not %q", s)
}

// onePatch is the hint for a Go release without its patch. Which is the newest is
// not known here, and the first lacks what was mended since.
func onePatch(minor int) string {
	return fmt.Sprintf("name its patch release as well, the newest that https://go.dev/dl lists: go1.%d.P", minor)
}

// parseSize reads bytes: 8MiB, 900KiB, 10MB, 1000000. KB and kB are 1000.
func parseSize(s string) (int64, error) {
	units := map[string]int64{
		"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
	}
	const want = "a size wants a whole number with B, KiB, MiB, GiB, kB, MB or GB, not %q"
	m := sizeForm.FindStringSubmatch(s)
	if m == nil {
		hint := "such as 8MiB"
		if fractionForm.MatchString(s) {
			hint = "use a smaller unit: 1536KiB, not 1.5MiB"
		}
		return 0, fault.Errorf(hint, want, s)
	}
	unit, ok := units[m[2]]
	if !ok {
		hint := "such as 8MiB"
		for name := range units {
			if strings.EqualFold(name, m[2]) || strings.EqualFold(strings.TrimSuffix(name, "iB"), m[2]) && strings.HasSuffix(name, "iB") {
				hint = fmt.Sprintf("did you mean %s%s?", m[1], name)
				if strings.HasSuffix(name, "iB") { // the map has no order; prefer these
					break
				}
			}
		}
		return 0, fault.Errorf(hint, want, s)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || n > (1<<62)/unit {
		return 0, fmt.Errorf("the size %q is too large", s)
	}
	return n * unit, nil
}

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		hint := "such as 300ms or 1.5s"
		if _, err := strconv.Atoi(s); err == nil {
			hint = fmt.Sprintf("did you mean %sms?", s)
		}
		return 0, fault.Errorf(hint, "a time wants a number with a unit, not %q", s)
	case d < 0:
		return 0, fmt.Errorf("the time %q is negative", s)
	}
	return d, nil
}

// checkInCommit checks a path or glob that must be inside the source tree.
func checkInCommit(what, s string) error {
	const hint = "write a path relative to the module's root, inside the commit"
	switch {
	case s == "":
		return fault.Errorf(hint, "%s is empty", what)
	case strings.Contains(s, `\`):
		return fault.Errorf("write / between the parts of a path, on every system", "%s %q contains a backslash", what, s)
	case path.IsAbs(s) || len(s) > 1 && s[1] == ':':
		return fault.Errorf(hint, "%s %q is absolute: another machine has something else there", what, s)
	case strings.HasPrefix(s, "~"):
		return fault.Errorf(hint, "%s %q is in somebody's home directory", what, s)
	case slices.Contains(strings.Split(s, "/"), ".."):
		return fault.Errorf(hint, "%s %q leaves the source tree", what, s)
	case strings.HasPrefix(s, "-"):
		return fault.Errorf("write ./"+s, "%s %q looks like a flag", what, s)
	case strings.Contains(s, "{{"):
		return fault.Errorf(templatesWork(), "%s %q cannot be a template", what, s)
	}
	return checkEnvValue(s)
}

// checkMain checks one package pattern.
func checkMain(s string) error {
	err := mainFault(s)
	if err == nil {
		return nil
	}
	return fault.Errorf(suggested(mainFault, fault.Hint(err), mainCandidates(s)...), "%v", err)
}

func mainFault(s string) error {
	const hint = "name the package's directory, such as ./cmd/tool"
	first, _, _ := strings.Cut(s, "/")
	switch err := checkInCommit("main", s); {
	case s == "./..." || err == nil && (s == "." || strings.HasPrefix(s, "./")):
	case err != nil:
		return err
	case s == "all" || s == "std" || s == "cmd":
		return fault.Errorf("write ./... for all main packages of the module", "main %q does not name packages of this module", s)
	case !strings.Contains(first, ".") || strings.HasSuffix(first, ".go"):
		return fault.Errorf(hint, "main %q is not a path of this module", s)
	}
	switch {
	case strings.HasSuffix(s, ".go"):
		return fault.Errorf(hint, "main %q is a file: its binary would lack the package's path", s)
	case strings.Contains(s, "@"):
		return fault.Errorf(hint, "main %q has a version: only packages of this commit can be built", s)
	case strings.ContainsAny(s, " *?[]"):
		return fault.Errorf("./cmd/... stands for all below ./cmd", "bad package pattern %q", s)
	}
	return nil
}

// mainCandidates are what may be meant by something that names no package.
func mainCandidates(s string) []string {
	if s == "all" || s == "std" || s == "cmd" || path.IsAbs(s) {
		return nil
	}
	s, _, _ = strings.Cut(strings.ReplaceAll(s, `\`, "/"), "@")
	if all, ok := strings.CutSuffix(s, "/*"); ok {
		s = all + "/..."
	}
	if strings.HasSuffix(s, ".go") {
		s = path.Dir(s)
	}
	if dir, ok := strings.CutSuffix(s, "/"); ok && dir != "." {
		s = dir + "/..." // whatever is below: there may be no package in it
	}
	if s == "." || strings.HasPrefix(s, "./") {
		return []string{s}
	}
	return []string{s, "./" + s}
}

// checkValue checks the value of a setting that is no map entry, and reports.
func (d *decoder) checkValue(k key, v *value) {
	each := func(check func(string) error) {
		seen := map[string]bool{}
		for i, s := range v.list {
			if err := check(s); err != nil {
				d.err(v.items[i], err)
			} else if seen[s] && k.name != "ldflags.extra" && k.name != "gcflags" && k.name != "asmflags" {
				d.warnAt(v.items[i], "", "%s has %q twice", k.name, s)
			}
			seen[s] = true
		}
	}
	switch k.name {
	case "main":
		if len(v.list) == 0 {
			d.errorAt(v.pos, "write ./ for the package at the module's root", "main is empty")
		}
		each(checkMain)
	case "trimpath":
		if !v.flag {
			d.warnAt(v.pos, "leave it out", "without trimpath the binary depends on the directories of the build")
		}
	case "tags":
		each(checkTag)
	case "ldflags.extra":
		d.checkExtra(k, v)
	case "gcflags", "asmflags":
		d.checkCompilerFlags(k.name, v)
	case "buildmode":
		if v.text == "exe" {
			d.warnAt(v.pos, "leave it out: it is the default nearly everywhere", "naming buildmode exe changes the build ID, and a binary does not tell it from the default")
		}
	case "pgo":
		if v.text != "off" && v.text != "auto" {
			if err := checkInCommit("pgo", v.text); err != nil {
				d.err(v.pos, err)
			} else if slices.Contains([]string{"true", "false", "none", "no"}, v.text) {
				d.errorAt(v.pos, "did you mean off?", "pgo wants auto, off or a path, not %q", v.text)
			}
		}
	case "archive", "packages.formats":
		d.checkArchive(k, v)
	case "name", "binary", "wrap":
		d.checkTemplate(k, v, -1, v.text)
	case "upx.flags":
		each(checkUPXFlag)
	case "upx.version":
		if err := checkUPXVersion(v.text); err != nil {
			d.err(v.pos, err)
		}
	case "upx.sha256":
		if !digestForm.MatchString(v.text) {
			d.errorAt(v.pos, "sha256sum prints it", "upx.sha256 wants 64 lower-case hexadecimal digits, not %q", v.text)
		}
	case "bench.main":
		if err := checkMain(v.text); err != nil {
			d.err(v.pos, err)
		}
	case "bench.env":
		each(checkBenchEnv)
	case "bench.stdin":
		if err := checkInCommit(k.name, v.text); err != nil {
			d.err(v.pos, err)
		}
	case "bench.ready":
		if err := checkReady(v.text); err != nil {
			d.err(v.pos, err)
		}
	case "bench.variants":
		each(checkVariant)
	default:
		if word, ok := strings.CutPrefix(k.name, "packages."); ok && k.kind == kindText {
			if err := checkPackage(word, v.text); err != nil {
				d.err(v.pos, err)
			}
		} else if ok && k.kind == kindList {
			each(func(s string) error { return checkPackage(word, s) })
		}
	}
}

func checkTag(s string) error {
	switch {
	case strings.ContainsAny(s, ", "):
		return fault.Errorf("write "+listYAML(strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })), "the tag %q is several", s)
	case strings.HasPrefix(s, "!"):
		return fault.Errorf("a build sets tags; leave out what it should not have", "bad tag %q", s)
	case strings.Contains(s, "{{"):
		return fault.Errorf(templatesWork(), "a tag cannot be a template")
	case !tagForm.MatchString(s):
		return fault.Errorf("use letters, digits, underscore and dot", "bad tag %q", s)
	}
	return nil
}

// upxOwned are the commands and flags that mintmark gives to UPX itself.
var upxOwned = []string{"-o", "-d", "--decompress", "-t", "--test", "-l", "--list", "--fileinfo", "-V", "--version", "-h", "--help", "-k", "--backup", "-f", "--force", "-L", "--license", "--sysinfo"}

func checkUPXVersion(s string) error {
	if m := upxVersionForm.FindString(s); m == "" {
		return fault.Errorf("as upx -V prints it, in quotes: \"3.94\"", "upx.version wants a version, not %q", s)
	}
	return nil
}

func checkUPXFlag(s string) error {
	name, _, _ := strings.Cut(s, "=")
	switch {
	case !strings.HasPrefix(s, "-") || s == "-" || s == "--" || strings.ContainsAny(s, " '\"{"):
		return fault.Errorf("one flag per element, such as --best or --lzma", "bad UPX flag %q", s)
	case slices.Contains(upxOwned, name) || strings.HasPrefix(s, "-o") && !strings.HasPrefix(s, "--"):
		return fault.Errorf("leave it out", "the UPX flag %q is mintmark's own", s)
	}
	return nil
}
