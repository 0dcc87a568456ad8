package profiles

import (
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// linkerKeys are the linker's flags that have keys of their own.
var linkerKeys = []string{"-s", "-w", "-X", "-buildmode"}

// linkerOwned are the linker's flags that the go command gives, or that change
// what it prints and not what it links.
var linkerOwned = []string{
	"-o", "-importcfg", "-tmpdir", "-cpuprofile", "-memprofile", "-blockprofile", "-memprofilerate", "-L", "-V", "-v", "-h",
	"-race", "-msan", "-asan", "-installsuffix", "-n",
}

// checkExtra checks ldflags.extra.
func (d *decoder) checkExtra(k key, v *value) {
	wantsArgument := false
	for i, s := range v.list {
		pos := v.items[i]
		d.checkTemplate(k, v, i, s)
		if err := checkQuotable(s); err != nil {
			d.err(pos, err)
		}
		if !strings.HasPrefix(s, "-") || wantsArgument && i > 0 && takesText(v.list[i-1]) {
			if !wantsArgument {
				d.errorAt(pos, "leave it out, or write the flag that it is the value of before it: [-extldflags, -static]", "%q is no flag and does not follow one", s)
			}
			wantsArgument = false
			continue
		}
		name, value, hasValue := strings.Cut(s, "=")
		wantsArgument = !hasValue
		switch name = "-" + strings.TrimLeft(name, "-"); {
		case !hasValue && strings.ContainsAny(s, " \t") && !strings.Contains(s, "{{"):
			d.errorAt(pos, severalHint(s), "%q is several arguments", s)
		case name == "-s" || name == "-w":
			d.errorAt(pos, "use "+ldflagsYAML([]string{name}), "%s is set by strip", name)
		case name == "-X":
			d.errorAt(pos, "use "+ldflagsYAML(v.list[i:min(i+2, len(v.list))]), "-X is set by set")
		case name == "-buildid" && value != "":
			d.errorAt(pos, "leave it out", "-buildid is computed by the go command")
		case name == "-buildid":
			d.warnAt(pos, "leave it out", "without a build ID nobody can tell which input of two builds differs, or that a binary was edited")
		case name == "-buildmode":
			d.errorAt(pos, "use the key buildmode", "-buildmode has a key of its own")
		case slices.Contains(linkerOwned, name):
			d.errorAt(pos, "leave it out", "the linker flag %s is the go command's own", name)
		}
		d.warnAbsolute(pos, s)
	}
	if len(v.list) > 0 && strings.HasPrefix(v.list[0], "'") {
		d.errorAt(v.items[0], "", "the first flag begins with a quote")
	}
}

// checkCompilerFlags checks gcflags and asmflags.
func (d *decoder) checkCompilerFlags(key string, v *value) {
	for i, s := range v.list {
		pos := v.items[i]
		flag := s
		if !strings.HasPrefix(s, "-") {
			pattern, rest, ok := strings.Cut(s, "=")
			flag = rest
			if !ok || pattern == "" || !strings.HasPrefix(rest, "-") || strings.ContainsAny(pattern, " '\"") {
				d.errorAt(pos, "write -FLAG, or PATTERN=-FLAG such as all=-l", "bad element of %s: %q", key, s)
				continue
			}
		}
		name, _, _ := strings.Cut(flag, "=")
		switch err := checkQuotable(s); {
		case err != nil:
			d.err(pos, err)
		case strings.Contains(s, "{{"):
			d.errorAt(pos, templatesWork(), "%s cannot hold a template", key)
		case strings.ContainsAny(flag, " \t"):
			d.errorAt(pos, "write "+listYAML(fieldsOf(s)), "%q is several flags", s)
		case slices.Contains([]string{"-o", "-p", "-trimpath", "-importcfg", "-embedcfg", "-buildid", "-pack", "-complete", "-V", "-cpuprofile", "-memprofile", "-mutexprofile", "-blockprofile", "-traceprofile", "-goversion", "-symabis", "-asmhdr", "-linkobj", "-D", "-json", "-pgoprofile", "-race", "-msan", "-asan"}, name):
			hint := "leave it out"
			switch name {
			case "-trimpath":
				hint = "use the key trimpath"
			case "-pgoprofile":
				hint = "use the key pgo"
			case "-D":
				if key == "asmflags" { // defines a symbol there
					continue
				}
			}
			d.errorAt(pos, hint, "the flag %s is the go command's own", name)
		}
		d.warnAbsolute(pos, s)
	}
}

func (d *decoder) warnAbsolute(pos Position, s string) {
	if absoluteForm.MatchString(s) {
		d.warnAt(pos, "another machine may have something else there", "an absolute path in %q", clip(s))
	}
}

func clip(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}

// checkEntryName checks a name in env or ldflags.set.
func (d *decoder) checkEntryName(k key, e entry) bool {
	var err error
	if k.name == "env" {
		err = checkEnvName(e.name)
		if looksSecret(strings.ToUpper(e.name)) {
			d.secret[e.pos.Line] = true
		}
	} else {
		err = checkVariable(e.name)
	}
	if err != nil {
		d.err(e.pos, err)
	}
	return err == nil
}

// checkVariable checks the importpath.name of a -X.
func checkVariable(s string) error {
	dot := strings.LastIndex(s, ".")
	switch {
	case strings.HasPrefix(s, "-X"):
		return fault.Errorf("leave -X out", "bad variable %q", s)
	case strings.Contains(s, "="):
		return fault.Errorf("write importpath.name: value", "bad variable %q", s)
	case dot <= strings.LastIndex(s, "/"):
		return fault.Errorf("write importpath.name, such as main."+path.Base(s), "the variable %q has no package", s)
	case dot == 0 || !variableForm.MatchString(s[dot+1:]) || strings.ContainsAny(s, " \t\r\n'\"{}\\"):
		return fault.Errorf("write importpath.name, such as main.version", "bad variable %q", s)
	}
	return nil
}

// envOwned are the variables that mintmark sets or clears for every build,
// beside everything that begins with GO, GIT_, LC_, XDG_ or MINTMARK_.
var envOwned = []string{
	"CGO_ENABLED", "HOME", "PATH", "TMPDIR", "TMP", "TEMP", "PWD", "OLDPWD", "USER", "LOGNAME", "USERNAME", "HOSTNAME", "SHELL",
	"USERPROFILE", "APPDATA", "LOCALAPPDATA", "SYSTEMROOT", "COMSPEC", "PATHEXT", "TZ", "LANG", "LANGUAGE",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "LD_PRELOAD", "LD_LIBRARY_PATH", "NETRC", "SSH_AUTH_SOCK", "UPX", "GCCGO",
}

// checkEnvName refuses variables that would break the promise of the build, or
// that hold a secret, which the record of a release would publish.
func checkEnvName(name string) error {
	upper := strings.ToUpper(name)
	hint := "the build's environment is mintmark's; leave it out"
	switch upper {
	case "CGO_ENABLED":
		hint = "use the key cgo"
	case "GOFLAGS":
		hint = "use the keys tags, ldflags, gcflags, trimpath, mod"
	case "GOOS", "GOARCH", "GOARM", "GOARM64", "GOAMD64", "GO386", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM":
		hint = "use the key platforms"
	case "GOTOOLCHAIN":
		hint = "use the key go at the top of the file"
	case "TZ", "LANG", "LANGUAGE":
		hint = "mintmark changes it between two builds to show that it does not matter"
	}
	switch {
	case !variableForm.MatchString(name):
		if n, _, ok := strings.Cut(name, "="); ok {
			return fault.Errorf("write "+n+": VALUE", "bad variable %q", name)
		}
		return fault.Errorf("use letters, digits and underscore", "bad variable %q", name)
	case upper == "GOEXPERIMENT" || upper == "GOFIPS140":
		if name != upper {
			return fault.Errorf("write "+upper, "bad variable %q", name)
		}
		return nil
	case strings.HasPrefix(upper, "GO") && !strings.Contains(upper, "_"),
		strings.HasPrefix(upper, "GO_"), strings.HasPrefix(upper, "GIT_"), strings.HasPrefix(upper, "LC_"), strings.HasPrefix(upper, "XDG_"),
		strings.HasPrefix(upper, "MINTMARK_"), strings.HasPrefix(upper, "DYLD_"), slices.Contains(envOwned, upper):
		return fault.Errorf(hint, "env cannot set %s", name)
	case looksSecret(upper):
		return fault.Errorf("env is published in the record of the release, and a build must not need a secret", "the variable %s looks like a secret", name)
	}
	return nil
}

func looksSecret(upper string) bool {
	for _, word := range []string{"TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "CREDENTIAL", "APIKEY", "API_KEY", "PRIVATE_KEY", "ACCESS_KEY", "PRIVATEKEY", "ACCESSKEY"} {
		if strings.Contains(upper, word) {
			return true
		}
	}
	return strings.HasSuffix(upper, "_PAT") || strings.HasSuffix(upper, "_AUTH") || strings.HasSuffix(upper, "_PASS")
}

// forCgo reports whether a variable matters only if cgo is on.
func forCgo(name string) bool {
	return slices.Contains([]string{"CC", "CXX", "FC", "AR", "PKG_CONFIG"}, name) || strings.HasPrefix(name, "PKG_CONFIG_") || strings.HasPrefix(name, "CGO_")
}

// checkEntry checks the value of an entry of env or ldflags.set.
func (d *decoder) checkEntry(k key, name string, v *value) {
	d.checkTemplate(k, v, -1, v.text)
	check := checkEnvValue
	if k.name == "ldflags.set" {
		check = checkQuotable
	}
	if err := check(v.text); err != nil {
		d.err(v.pos, err)
	}
	d.warnAbsolute(v.pos, v.text)
	if k.name != "ldflags.set" {
		return
	}
	literal := v.text
	if strings.Contains(literal, "{{") {
		literal = ""
	}
	switch {
	case dateForm.MatchString(literal):
		d.warnAt(v.pos, "use {{.CommitDate}}", "%q looks like a date that somebody has to change for every release", clip(literal))
	case hashForm.MatchString(literal):
		d.warnAt(v.pos, "use {{.Commit}}", "%q looks like a commit that somebody has to change for every release", clip(literal))
	case hostForm.MatchString(literal):
		d.warnAt(v.pos, "a stranger's rebuild needs the same value, wherever it runs", "%q looks like the name of a machine or a person", clip(literal))
	case shellForm.MatchString(literal):
		d.warnAt(v.pos, "no shell sees it; templates such as {{.Version}}, {{.Commit}} and {{.CommitDate}} do", "%q looks like shell, and would be used as it stands", clip(literal))
	}
}

// checkTemplate reports what is wrong with a template, at the place inside the
// text. Which variables .Env has is only known after inheritance.
func (d *decoder) checkTemplate(k key, v *value, item int, text string) {
	_, faults := parseTemplate(text, k.scope(func(string) bool { return true }))
	for _, f := range faults {
		d.errorAt(v.at(item, f.offset), f.hint, "%s", f.msg)
	}
}
