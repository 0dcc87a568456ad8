package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const mit = `Copyright (c) 2026 Somebody

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`

func TestRecognise(t *testing.T) {
	t.Parallel()
	own, err := os.ReadFile(filepath.Join("..", "..", "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{mit, "MIT"},
		{strings.ToUpper("The MIT License\n\n" + mit), "MIT"},
		{string(own), "Apache-2.0"},
		// What was added to it may be anything.
		{mit + strings.Repeat("The Software shall not be used by anybody. ", 10), LicenseUnknown},
		{strings.Replace(mit, "without restriction", "", 1) + strings.Repeat("Other terms. ", 60) + mit, LicenseUnknown},
		{strings.Replace(mit, "free of charge, ", "", 1), LicenseUnknown},
		{"All rights reserved.", LicenseUnknown},
		{"", LicenseUnknown},
	} {
		if got := recognise(c.text); got != c.want {
			t.Errorf("%.60q…: %s, want %s", c.text, got, c.want)
		}
	}
	dir := t.TempDir()
	if got := licenseOf(dir); got != LicenseUnknown {
		t.Errorf("without a file: %s", got)
	}
	for name, text := range map[string]string{"LICENSE": mit, "LICENSE-2": string(own), "COPYING.txt": "Ask us.", "license.go": "package x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := licenseOf(dir); got != "Apache-2.0, MIT, unknown" {
		t.Errorf("of three files: %s", got)
	}
}

func TestSameModule(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"example.com/x", "example.com/x/v2", true},
		{"gopkg.in/yaml.v2", "gopkg.in/yaml.v3", true},
		{"example.com/x", "example.com/x/y", false},
		{"example.com/x", "example.com/xv2", false},
	} {
		if got := sameModule(c.a, c.b); got != c.same {
			t.Errorf("%s, %s: %v", c.a, c.b, got)
		}
	}
}
