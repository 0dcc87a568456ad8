package profiles

import (
	"reflect"
	"strings"
	"testing"
)

func TestLedger(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", `{false []}`},
		{"ledger: {publish: true}", `{true []}`},
		{"ledger: {publish: false, rebuilders: []}", `{false []}`},
		{"ledger: {rebuilders: [a.pub, /b.pub, gcpkms://c]}", `{false [a.pub /b.pub gcpkms://c]}`},
		{"x: &keys [a.pub, b.pub]\nledger: {rebuilders: *keys}", `m.yaml:3:1: unknown key "x"`},
		{"ledger: true", `m.yaml:3:9: ledger wants a map, not "true"`},
		{"ledger:", `m.yaml:3:8: ledger wants a map, not nothing`},
		{"ledger: [a.pub]", `m.yaml:3:9: ledger wants a map, not a list`},
		{"ledger: {}", `m.yaml:3:9: ledger says nothing`},
		{"ledger: !x {publish: true}", `m.yaml:3:9: the YAML tag !x is not supported`},
		{"ledger: {publish: }", `m.yaml:3:19: ledger.publish wants true or false, not nothing`},
		{`ledger: {publish: "true"}`, `m.yaml:3:19: ledger.publish wants true or false, not "true"`},
		{"ledger: {publish: [true]}", `m.yaml:3:19: ledger.publish wants true or false, not a list`},
		{"ledger: {rebuilders: }", `m.yaml:3:22: ledger.rebuilders has no value`},
		{"ledger: {rebuilders: a.pub}", `m.yaml:3:22: ledger.rebuilders wants a list, not "a.pub"`},
		{"ledger: {rebuilders: {a: b}}", `m.yaml:3:22: ledger.rebuilders wants a list, not a map`},
		{"ledger: {rebuilders: [' ']}", `m.yaml:3:23: an element of ledger.rebuilders is empty`},
		{"ledger: {rebuilders: [k/a.pub, k/./a.pub]}", `m.yaml:3:32: the rebuilder "k/./a.pub" is there twice`},
		{"ledger: {publish: true}\nledger: {publish: true}", `m.yaml:4:1: key "ledger" is there twice`},
	} {
		f, err := Load("m.yaml", []byte("version: 1\nproject: tool\n"+test.text+"\nprofiles: {release: {platforms: [linux/amd64]}}\n"))
		if err != nil {
			if first, _, _ := strings.Cut(err.Error(), "\n"); first != test.want {
				t.Errorf("%s:\n got %s\nwant %s", test.text, first, test.want)
			}
			continue
		}
		if got := ledgerText(f.Ledger); got != test.want {
			t.Errorf("%s: got %s, want %s", test.text, got, test.want)
		}
	}
}

func ledgerText(l Ledger) string {
	publish := "false"
	if l.Publish {
		publish = "true"
	}
	return "{" + publish + " [" + strings.Join(l.Rebuilders, " ") + "]}"
}

func TestLedgerPositions(t *testing.T) {
	f, err := Load("m.yaml", []byte(`version: 1
project: tool
sign: {key: alice.key}
ledger:
  rebuilders: [a.pub,
    "b.pub"]
  publish: true
profiles: {release: {platforms: [linux/amd64]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Ledger{Publish: true, Rebuilders: []string{"a.pub", "b.pub"}}); !reflect.DeepEqual(f.Ledger, want) {
		t.Errorf("%+v", f.Ledger)
	}
	for key, want := range map[string]string{
		"ledger": "m.yaml:5:3", "ledger.publish": "m.yaml:7:12", "ledger.rebuilders": "m.yaml:5:15",
		"ledger.rebuilders[0]": "m.yaml:5:16", "ledger.rebuilders[1]": "m.yaml:6:5", "ledger.rebuilders[2]": "m.yaml:5:15",
	} {
		if got := f.Pos(key).String(); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	for _, key := range []string{"ledger", "ledger.publish", "ledger.rebuilders[0]"} {
		if got := Builtin("tool").Pos(key).String(); got != "built-in" {
			t.Errorf("%s without a file: %s", key, got)
		}
	}
}
