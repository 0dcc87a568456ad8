package checksums

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// TestNotARelease: of a directory without a manifest of ours is said what is
// there, and not that it is damaged; beside our own files it is.
func TestNotARelease(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		files      map[string]string
		text, hint string // in the one refusal; "" where the release is damaged
	}{
		"nothing":               {nil, "not a release of mintmark: neither release.json nor checksums.txt is there", "mintmark rebuild"},
		"list":                  {map[string]string{"checksums.txt": sum + "  a\n"}, "no release.json is here, which every release of mintmark has; there is a checksums.txt", "sha256sum -c"},
		"empty list":            {map[string]string{"checksums.txt": ""}, "a checksums.txt that is no list of sums", "mintmark rebuild"},
		"words":                 {map[string]string{"checksums.txt": "abc  foo\n"}, "a checksums.txt that is no list of sums", "mintmark rebuild"},
		"MD5":                   {map[string]string{"checksums.txt": sum[:32] + "  a\n"}, "a checksums.txt of MD5 sums", "md5sum -c checksums.txt"},
		"SHA-1":                 {map[string]string{"checksums.txt": sum[:40] + "  a\n"}, "a checksums.txt of SHA-1 sums", "sha1sum -c checksums.txt"},
		"SHA-512":               {map[string]string{"checksums.txt": sum + sum + "  a\n"}, "a checksums.txt of SHA-512 sums", "sha512sum -c checksums.txt"},
		"empty manifest":        {map[string]string{"release.json": ""}, "the release.json here is empty, and not one of mintmark, and there is no checksums.txt", "mintmark rebuild"},
		"garbage":               {map[string]string{"release.json": "x"}, "the release.json here is no JSON", "mintmark rebuild"},
		"another's":             {map[string]string{"release.json": `{"schema":"https://example.com"}`, "checksums.txt": sum + "  a\n"}, "the release.json here is of another schema", "sha256sum -c"},
		"signed":                {map[string]string{"checksums.txt": sum[:40] + "  a\n", "checksums.txt.asc": "x"}, "of SHA-1 sums with a detached signature of OpenPGP", "gpg --verify"},
		"damaged":               {map[string]string{"release.json": `{"schema":"` + string(fact.ManifestSchema) + `"`}, "", ""},
		"damaged and signed":    {map[string]string{"release.json": "", "checksums.txt.sigstore.json": "{}"}, "", ""},
		"damaged with a record": {map[string]string{"release.json": "x", "provenance.sigstore.json": "{}"}, "", ""},
		"damaged and listed":    {map[string]string{"release.json": "x", "checksums.txt": sum + "  release.json\n"}, "", ""},
		"listed and lost":       {map[string]string{"checksums.txt": sum + "  release.json\n"}, "", ""},
		"list damaged":          {map[string]string{"checksums.txt": sum[:60] + "  release.json\n"}, "", ""},
		"record alone":          {map[string]string{"provenance.sigstore.json": "{}"}, "", ""},
	} {
		dir := t.TempDir()
		for file, text := range c.files {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, err := VerifyRelease(t.Context(), dir, VerifyConfig{AllowUnsigned: true})
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		foreign := strings.Contains(err.Error(), "not a release of mintmark")
		if foreign != (c.text != "") || !strings.Contains(err.Error(), c.text) || !strings.Contains(fault.Hint(err), c.hint) || foreign && strings.Contains(fault.Hint(err), lost) {
			t.Errorf("%s: %v\nhint: %s", name, err, fault.Hint(err))
		}
	}
}
