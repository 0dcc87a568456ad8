package channels

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// identifiers are those of the SPDX licence list (https://spdx.org/licenses/, as in version
// 3.0.24 of https://www.npmjs.com/package/spdx-license-ids) that
// are not deprecated, one a line, sorted.
//
//go:embed spdx.txt
var identifiers string

var (
	licenseWords = regexp.MustCompile(`[()]|[^()\s]+`)
	ownLicense   = regexp.MustCompile(`^(DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+$`)
	exception    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)
	oldFamilies  = regexp.MustCompile(`^(A|L)?GPL-[0-9.]+$`)
)

// checkLicense accepts an SPDX expression (https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/).
// Which exceptions there are for WITH is not looked at.
func checkLicense(s string) error {
	words := licenseWords.FindAllString(s, -1)
	p := &licenseParser{words: words, ids: strings.Fields(identifiers)}
	err := p.expression(0)
	if whole := strings.ReplaceAll(s, " ", "-"); err != nil && slices.Contains(p.ids, whole) {
		return fault.Errorf("write "+whole, "SPDX has no licence %q", s)
	}
	if err == nil && len(p.words) > 0 {
		err = fault.Errorf("put AND, OR or WITH between two names, in capitals", "%q is no SPDX expression at %q", s, p.words[0])
	}
	return err
}

type licenseParser struct{ words, ids []string }

func (p *licenseParser) next() (word string) {
	if len(p.words) > 0 {
		word, p.words = p.words[0], p.words[1:]
	}
	return word
}

const maxNesting = 20 // of parentheses

func (p *licenseParser) expression(depth int) error {
	for {
		switch word := p.next(); {
		case word == "" || word == ")" || depth > maxNesting:
			return fault.Errorf("write a name such as MIT or Apache-2.0", "the SPDX expression has no name where one has to be")
		case word == "(":
			if err := p.expression(depth + 1); err != nil {
				return err
			}
			if p.next() != ")" {
				return fault.Errorf("add )", "the SPDX expression has a ( without its )")
			}
		default:
			if err := p.identifier(word); err != nil {
				return err
			}
			if len(p.words) > 1 && p.words[0] == "WITH" {
				if p.next(); !exception.MatchString(p.next()) {
					return fault.Errorf("write a name such as Classpath-exception-2.0", "the SPDX expression has no exception after WITH")
				}
			}
		}
		if len(p.words) == 0 || p.words[0] != "AND" && p.words[0] != "OR" {
			return nil
		}
		p.next()
	}
}

func (p *licenseParser) identifier(word string) error {
	id := strings.TrimSuffix(word, "+")
	if ownLicense.MatchString(word) || slices.Contains(p.ids, id) {
		return nil
	}
	hint := "its names are at https://spdx.org/licenses; one that is in none of them is LicenseRef-NAME"
	if i := slices.IndexFunc(p.ids, func(x string) bool { return strings.EqualFold(x, id) }); i >= 0 {
		hint = "write " + p.ids[i]
	} else if oldFamilies.MatchString(id) {
		hint = "write " + id + "-only or " + id + "-or-later"
	} else if near := profiles.Nearest(id, p.ids); near != "" {
		hint = "did you mean " + near + "?"
	}
	return fault.Errorf(hint, "SPDX has no licence %q", word)
}
