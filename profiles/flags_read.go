package profiles

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/goflags"
)

// ReadBuildFlags is the way back from [Settings.BuildFlags]: the settings that
// are spelled so. Other flags than BuildFlags writes are errors, all of which
// are reported. It reads more spellings than there are: that flags are in the
// one spelling is seen when the settings are spelled again.
func ReadBuildFlags(flags []string) (Settings, error) {
	var s Settings
	var errs []error
	for _, flag := range flags {
		if err := s.readFlag(flag); err != nil {
			errs = append(errs, fmt.Errorf("flag %q: %w", clip(flag), err))
		}
	}
	return s, errors.Join(errs...)
}

func (s *Settings) readFlag(flag string) error {
	name, value, _ := strings.Cut(flag, "=")
	for _, f := range buildFlags() {
		if f.name == name {
			return f.read(s, value)
		}
	}
	return errors.New("no setting of a profile gives it")
}

func (s *Settings) readTags(value string) error {
	s.Tags = strings.Split(value, ",")
	for i, tag := range s.Tags {
		if err := checkTag(tag); err != nil {
			return err
		}
		if i > 0 && s.Tags[i-1] >= tag {
			return errors.New("the tags are not sorted")
		}
	}
	return nil
}

func (s *Settings) readPGO(value string) error {
	if s.PGO = value; value == "off" || value == "auto" {
		return nil
	}
	return checkInCommit("pgo", value)
}

// oneOf checks the value of a key that has a list of them.
func oneOf(key, value string) error {
	for _, k := range leafKeys() {
		if k.name == key && !slices.Contains(k.enum, value) {
			if why, hint := notOffered(key, value); why != "" {
				return fault.Errorf(hint, "%s %s is not offered: %s", key, value, why)
			}
			return fault.Errorf("it is one of "+strings.Join(k.enum, ", "), "bad %s %q", key, value)
		}
	}
	return nil
}

// readPerPackage adds a value of -gcflags to a list in the form of the key.
func readPerPackage(value string, list *[]string) error {
	p, err := goflags.ParsePerPackage(value)
	if err != nil {
		return err
	}
	elements, err := elements(p.Words)
	if err != nil {
		return err
	}
	if p.Pattern != "" && len(elements) > 0 {
		elements[0] = p.Pattern + "=" + elements[0]
	}
	for _, e := range elements {
		if _, rest, ok := strings.Cut(e, "="); !strings.HasPrefix(e, "-") && !(ok && strings.HasPrefix(rest, "-")) {
			return fmt.Errorf("%q is no flag", e)
		}
	}
	*list = append(*list, elements...)
	return nil
}

// elements undoes what joinQuoted does to words with blanks or quotes: they are
// written apart from their flags.
func elements(words []string) ([]string, error) {
	var list []string
	for _, w := range words {
		if err := checkQuotable(w); err != nil {
			return nil, err
		}
		last := len(list) - 1
		if goflags.Quote(w) != w && last >= 0 && strings.HasPrefix(list[last], "-") && !strings.Contains(list[last], "=") {
			list[last] += "=" + w
			continue
		}
		list = append(list, w)
	}
	return list, nil
}

func (s *Settings) readLinkerFlags(value string) error {
	p, err := goflags.ParsePerPackage(value)
	if err != nil {
		return err
	}
	words := p.Words
	switch {
	case p.Pattern != "":
		return fmt.Errorf("the pattern %q: a profile's flags are for all that it links", p.Pattern)
	case len(words) == 0:
		return errors.New("it is empty")
	case len(words) > 1 && words[0] == "-s" && words[1] == "-w":
		s.Strip, words = StripAll, words[2:]
	case words[0] == "-w":
		s.Strip, words = StripDebug, words[1:]
	}
	for len(words) > 1 && words[0] == "-X" {
		name, text, ok := strings.Cut(words[1], "=")
		if err := checkVariable(name); !ok || err != nil {
			return errors.Join(err, checkQuotable(words[1]), fmt.Errorf("-X %q", clip(words[1])))
		}
		if s.Set == nil {
			s.Set = map[string]string{}
		}
		s.Set[name], words = text, words[2:]
	}
	s.LDFlags, err = elements(words)
	for _, e := range s.LDFlags {
		name, _, _ := strings.Cut(e, "=")
		if slices.Contains(linkerKeys, "-"+strings.TrimLeft(name, "-")) && strings.HasPrefix(e, "-") {
			err = errors.Join(err, fmt.Errorf("%s is not where a profile's key writes it", name))
		}
	}
	return err
}
