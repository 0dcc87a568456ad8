package profiles

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// Bench is what `mintmark bench` starts, and which variants of the binary it
// compares. It is no part of a plan: it changes nothing that is built.
type Bench struct {
	Main     string   // package pattern of the one program; "" when main has only one
	Args     []string // arguments
	Env      []string // the whole environment, NAME=VALUE
	Stdin    string   // path in the commit; "" is an empty input
	Ready    string   // exit, first-byte, stdout:REGEXP, tcp:PORT, tcp:HOST:PORT
	Variants []Variant
}

// Kinds of a [Variant].
const (
	AsProfile = "profile"  // what the profile says, packed if it says so
	Plain     = "plain"    // not stripped, not packed
	Stripped  = "stripped" // stripped, not packed
	WithUPX   = "upx"      // as the profile, packed with flags of the variant
	WithPGO   = "pgo"      // as the profile with another PGO setting, not packed
)

// Variant is one way to build a profile's binary.
type Variant struct {
	Name string // as it is written
	Kind string
	UPX  []string // of WithUPX; empty means no flags
	PGO  string   // of WithPGO: off, "" for auto, or a path in the commit
}

// parseVariant reads a variant: "profile", "plain", "stripped", "upx" with flags
// behind it ("upx --best --lzma"), "pgo off", "pgo auto" or "pgo FILE".
func parseVariant(s string) (Variant, error) {
	const hint = "it is one of profile, plain, stripped, upx FLAGS, pgo off, pgo auto and pgo FILE"
	words := strings.Fields(s)
	if len(words) == 0 {
		return Variant{}, fault.Errorf(hint, "a variant is empty")
	}
	v := Variant{Name: strings.Join(words, " "), Kind: words[0]}
	rest := words[1:]
	switch v.Kind {
	case AsProfile, Plain, Stripped:
		if len(rest) > 0 {
			return Variant{}, fault.Errorf(hint, "the variant %q has a word too much: %q", s, rest[0])
		}
	case WithUPX:
		for _, f := range rest {
			if err := checkUPXFlag(f); err != nil {
				return Variant{}, err
			}
		}
		v.UPX = append([]string{}, rest...)
	case WithPGO:
		if len(rest) != 1 {
			return Variant{}, fault.Errorf(hint, "the variant %q wants one word after pgo", s)
		}
		if v.PGO = rest[0]; v.PGO == "auto" {
			v.PGO = ""
		} else if v.PGO != "off" {
			if err := checkInCommit("pgo", v.PGO); err != nil {
				return Variant{}, err
			}
		}
	default:
		return Variant{}, fault.Errorf(hint, "unknown variant %q", s)
	}
	return v, nil
}

func checkVariant(s string) error {
	_, err := parseVariant(s)
	return err
}

// checkReady checks bench.ready as far as it can be seen here; package startup
// reads it.
func checkReady(s string) error {
	const hint = "it is one of exit, first-byte, stdout:REGEXP, tcp:PORT and tcp:HOST:PORT"
	kind, arg, has := strings.Cut(s, ":")
	switch {
	case !has && (kind == "exit" || kind == "first-byte"):
		return nil
	case has && kind == "stdout" && arg != "":
		if re, err := regexp.Compile(arg); err != nil {
			return fault.Errorf(hint, "bench.ready: %v", err)
		} else if re.MatchString("") {
			return fault.Errorf("name something that it prints", "bench.ready %q matches before anything is written", s)
		}
		return nil
	case has && kind == "tcp":
		port := arg[strings.LastIndex(arg, ":")+1:]
		if n, err := strconv.Atoi(port); err == nil && n >= 1 && n <= 65535 {
			return nil
		}
		return fault.Errorf(hint, "bench.ready %q has no port from 1 to 65535", s)
	}
	return fault.Errorf(hint, "unknown readiness %q", s)
}

func checkBenchEnv(s string) error {
	name, _, ok := strings.Cut(s, "=")
	if !ok || !variableForm.MatchString(name) {
		return fault.Errorf("write NAME=VALUE, one per element", "bad environment variable %q", s)
	}
	return checkEnvValue(s)
}

// variants reads them; those that are none were reported.
func variants(texts []string) (list []Variant) {
	for _, s := range texts {
		if v, err := parseVariant(s); err == nil {
			list = append(list, v)
		}
	}
	return list
}
