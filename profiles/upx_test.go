package profiles

import (
	"reflect"
	"strings"
	"testing"
)

const upxFile = `version: 1
project: tool
profiles:
  base:
    upx: {version: 3.94, sha256: 9bbff015d99dfece857ac14ad8fef0e3b658da719d394d5c4ae49687250b8f39}
  release:
    inherit: base
    upx: [--best]
    platforms: [linux/amd64, linux/arm64, linux/386, linux/arm]
    overrides:
      - platforms: [linux/386]
        upx: {flags: [-1, --lzma], version: "4.2.3"}
      - platforms: [linux/arm64]
        upx: off
      - platforms: [linux/arm]
        upx: {flags: off}
`

// TestUPX: flags and pin are keys of their own, so a child's flags keep the
// parent's pin. 3.94 stays the text it is.
func TestUPX(t *testing.T) {
	f, err := Load("m.yaml", []byte(upxFile))
	if err != nil {
		t.Fatal(err)
	}
	if w := f.Warnings(); len(w) > 0 {
		t.Errorf("warnings: %v", w)
	}
	const sum = "9bbff015d99dfece857ac14ad8fef0e3b658da719d394d5c4ae49687250b8f39"
	p := f.profile("release")
	for platform, want := range map[Platform]Settings{
		{"linux", "amd64", ""}: {UPX: []string{"--best"}, UPXVersion: "3.94", UPXSHA256: sum},
		{"linux", "386", ""}:   {UPX: []string{"-1", "--lzma"}, UPXVersion: "4.2.3", UPXSHA256: sum},
		{"linux", "arm64", ""}: {},
		{"linux", "arm", ""}:   {},
	} {
		s := p.Settings(platform)
		if !reflect.DeepEqual(s.UPX, want.UPX) || s.UPXVersion != want.UPXVersion || s.UPXSHA256 != want.UPXSHA256 {
			t.Errorf("%s: %q %q %q", platform, s.UPX, s.UPXVersion, s.UPXSHA256)
		}
	}
	if pos := p.Pos(Platform{"linux", "386", ""}, "upx.version").String(); pos != "m.yaml:12:45" {
		t.Errorf("upx.version is at %s", pos)
	}
	if pos := p.Pos(Platform{"linux", "386", ""}, "upx.flags[1]").String(); pos != "m.yaml:12:27" {
		t.Errorf("the second flag is at %s", pos)
	}

	for text, want := range map[string]string{
		"upx: {flags: [-o, x]}":                             `the UPX flag "-o" is mintmark's own`,
		"upx: {flgs: [-1]}":                                 "did you mean flags?",
		"upx: {flags: [-1], version: newest}":               `upx.version wants a version, not "newest"`,
		"upx: {flags: [-1], sha256: ABC}":                   "upx.sha256 wants 64 lower-case hexadecimal digits",
		"upx: {flags: [-1], sha256: " + sum + "0}":          "upx.sha256 wants 64",
		"upx: {flags: [-1], sha256: [" + sum + "]}":         "upx.sha256 wants one text, not a list",
		"upx: {flags: true}":                                "upx.flags wants a list of flags or off",
		"upx: {flags: {best: true}}":                        "upx.flags wants a list",
		"upx: {flags: [-1], version: \"3.94\", version: 4}": "twice",
		"upx: --best":                                       "write a list of flags such as [--best], or off",
	} {
		_, err := Load("m.yaml", []byte("version: 1\nproject: tool\nprofiles:\n  a:\n    platforms: [linux/amd64]\n    "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "m.yaml:6:") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	f, err = Load("m.yaml", []byte("version: 1\nproject: tool\nprofiles:\n  a:\n    platforms: [linux/amd64]\n    upx: {version: \"3.94\"}\n"))
	if err != nil || len(f.Warnings()) != 1 || !strings.Contains(f.Warnings()[0].Message, "nothing says how to pack") {
		t.Errorf("a pin without flags: %v, %v", f.Warnings(), err)
	}
}
