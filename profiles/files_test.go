package profiles

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestWrongFiles: each wrong element of files is reported once, at its own place,
// whatever else is wrong with others, and in however many profiles it is.
func TestWrongFiles(t *testing.T) {
	const text = `version: 1
project: tool
profiles:
  release:
    platforms: [linux/amd64, linux/arm64]
    files:
      - {src: a, dst: ../b}
      - {src: a, dst: "{{.Nope}}"}
      - {src: a, dst: "{{.Version}}/../../x"}
      - {src: b, mode: "0777"}
      - {dst: x}
      - [x]
      - /abs
      - {src: c, dst: "/{{.OS}}"}
      - {src: c, dst: "fine/{{.OS}}"}
  b: {inherit: release, platforms: [windows/arm64]}
`
	_, err := Load("m.yaml", []byte(text))
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%d:%d", p.Pos.Line, p.Pos.Column))
	}
	if want := strings.Fields("7:23 8:26 9:23 10:24 11:9 12:9 13:9 14:23"); !slices.Equal(got, want) {
		t.Errorf("at %q, want %q\n%v", got, want, err)
	}
}
