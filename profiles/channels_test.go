package profiles

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// TestChannels: what is said for all channels is said for each that says nothing else,
// and what is wrong is found at its place.
func TestChannels(t *testing.T) {
	const head = "version: 1\nproject: tool\nchannels:"
	const tail = "\nprofiles: {release: {platforms: [linux/amd64]}}\n"
	for _, test := range []struct{ text, want string }{
		{" {npm: {}}", `npm  |||channels.npm|channels.npm`},
		{" {url: 'https://e.org/{{.Tag}}/', license: MIT, scoop: {name: x, license: ISC}, homebrew: {}}",
			`homebrew  MIT|https://e.org/v1.2.3|[]|channels.license|channels.url; scoop x ISC|https://e.org/v1.2.3|[]|channels.scoop.license|channels.url`},
		{" {npm: {platforms: [linux, darwin]}}", `npm  ||[linux darwin]|channels.npm|channels.npm`},
		{" {}", "m.yaml:3:11: channels names no channel"},
		{" {license: MIT}", "m.yaml:3:11: channels names no channel"},
		{" [npm]", "m.yaml:3:11: channels wants a map, not a list"},
		{" {npm: }", "m.yaml:3:17: channels.npm wants a map, not nothing"},
		{" {npm: true}", `m.yaml:3:17: channels.npm wants a map, not "true"`},
		{" {brew: {}, npm: {}}", `m.yaml:3:12: unknown key "brew" in channels`},
		{" {name: x, npm: {}}", `m.yaml:3:12: unknown key "name" in channels`},
		{" {npm: {nam: x}}", `m.yaml:3:18: unknown key "nam" in channels.npm`},
		{` {npm: {description: "a\nb"}}`, `m.yaml:3:31: channels.npm.description contains '\n'`},
		{` {npm: {description: "a\u202eb"}}`, `m.yaml:3:31: channels.npm.description contains '\u202e'`},
		{" {npm: {description: ''}}", `m.yaml:3:31: channels.npm.description is empty`},
		{" {npm: {description: [a]}}", `m.yaml:3:31: channels.npm.description wants one text, not a list`},
		{" {npm: {test: ['a', \"\\t\"]}}", `m.yaml:3:30: an element of channels.npm.test begins or ends with a space`},
		{" {npm: {homepage: e.org}}", `m.yaml:3:28: channels.npm.homepage: "e.org" is no URL of http or https`},
		{" {npm: {homepage: 'https://a:b@e.org'}}", `m.yaml:3:28: channels.npm.homepage: "https://***@e.org" names a user`},
		{" {npm: {homepage: 'https://e.org/a b'}}", `m.yaml:3:28: channels.npm.homepage: "https://e.org/a b" is not how this URL is written`},
		{" {npm: {url: 'https://e.org/?f='}}", `m.yaml:3:23: channels.npm.url: "https://e.org/?f=" has ? or #, and names of files come after it`},
		{" {npm: {url: 'https://e.org/{{.OS}}'}}", `m.yaml:3:23: channels.npm.url is of the whole release, which has no .OS`},
		{" {npm: {url: 'https://e.org/{{.Tga}}'}}", `m.yaml:3:40: unknown field .Tga`},
		{" {npm: {platforms: [lunix/amd64]}}", `m.yaml:3:30: unknown OS "lunix"`},
		{" {npm: {platforms: []}}", `m.yaml:3:29: channels.npm.platforms is empty`},
	} {
		f, err := Load("m.yaml", []byte(head+test.text+tail))
		var got string
		if err != nil {
			got, _, _ = strings.Cut(err.Error(), "\n")
		} else {
			list, err := f.ChannelsOf(Vars{Version: "1.2.3", Tag: "v1.2.3"})
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, c := range list {
				all = append(all, fmt.Sprintf("%s %s %s|%s|%s|%s|%s", c.Channel, c.Name, c.License, c.URL, c.Platforms, c.Key("license"), c.Key("url")))
			}
			got = strings.ReplaceAll(strings.Join(all, "; "), "||[]|", "|||")
		}
		if got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.text, got, test.want)
		}
	}
	f, err := Load("m.yaml", []byte(head+" {url: 'https://e.org/{{.Tag}}', npm: {}}"+tail))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ChannelsOf(Vars{Version: "1.2.3"}); err == nil || !strings.Contains(err.Error(), "m.yaml:3:17: channels.url: .Tag is empty") {
		t.Errorf("without a tag: %v", err)
	}
	for _, c := range fact.Channels() {
		for _, s := range c.Suffixes() {
			if CheckName("tool"+s) == nil {
				t.Errorf("an artifact can be called tool%s", s)
			}
		}
	}
}
