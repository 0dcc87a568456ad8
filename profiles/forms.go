package profiles

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// MaxPlatforms is how many platforms all profiles of a file may have together,
// and so how many units a plan.
const MaxPlatforms = maxPlatforms

// CheckProject reports whether a project's name is one that a file can have.
func CheckProject(name string) error { return checkProject(name) }

// CheckProfileName reports whether a profile's name is one that a file can have.
func CheckProfileName(name string) error { return checkProfileName(name) }

// CheckChoice reports whether a key that has a list of values, such as archive
// or verify, can have this one.
func CheckChoice(key, value string) error { return oneOf(key, value) }

// CheckFile reports whether a path can be that of a file of the commit; what
// says what it is the path of.
func CheckFile(what, path string) error { return checkInCommit(what, path) }

// CheckEnv reports everything that keeps these variables, as NAME=VALUE, from
// being the env of a profile on one platform: what a profile cannot set, what is
// there twice (where names that differ in case only are one), and another order
// than that of the names.
func CheckEnv(env []string) error {
	var errs []error
	seen := map[string]string{}
	var names []string
	for _, kv := range env {
		name, value, ok := strings.Cut(kv, "=")
		if !ok {
			errs = append(errs, fmt.Errorf("variable %q has no value", clip(kv)))
			continue
		}
		if err := errors.Join(checkEnvName(name), checkEnvValue(value)); err != nil {
			errs = append(errs, fmt.Errorf("variable %q: %w", clip(kv), err))
		}
		if other, ok := seen[strings.ToUpper(name)]; ok {
			errs = append(errs, fmt.Errorf("the variables %s and %s are one on Windows", other, name))
		}
		seen[strings.ToUpper(name)] = name
		names = append(names, name)
	}
	if !slices.IsSorted(names) {
		errs = append(errs, fmt.Errorf("the variables are not sorted: %s", strings.Join(slices.Sorted(maps.Values(seen)), ", ")))
	}
	return errors.Join(errs...)
}

// CheckUPX reports everything that keeps these from being the settings of upx.
// Flags are nil where nothing is packed, and then there is no pin.
func CheckUPX(flags []string, version, sha256 string) error {
	var errs []error
	for _, f := range flags {
		errs = append(errs, checkUPXFlag(f))
	}
	if version != "" {
		errs = append(errs, checkUPXVersion(version))
	}
	if sha256 != "" && !digestForm.MatchString(sha256) {
		errs = append(errs, fmt.Errorf("upx.sha256 %q is not 64 lower-case hexadecimal digits", clip(sha256)))
	}
	if len(flags) == 0 && (version != "" || sha256 != "") {
		errs = append(errs, errors.New("upx is pinned, and nothing says how to pack"))
	}
	return errors.Join(errs...)
}
