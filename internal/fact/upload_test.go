package fact

import "testing"

func TestNotUploaded(t *testing.T) {
	for name, want := range map[string]string{
		"tool_1.2.3_linux_amd64.tar.gz": "", "a+b-c_d.e": "", "checksums.txt.sigstore.json": "",
		"": "is empty", "a b": "has the character ' '", "tool~1.deb": "has the character '~'", "ü": "has the character 'ü'", "a(1)": "has the character '('",
		".x": "begins or ends with a dot", "x.": "begins or ends with a dot", "a..b": "has two dots in a row",
	} {
		if got := NotUploaded(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	for _, name := range AboutFiles() {
		if why := NotUploaded(name); why != "" {
			t.Errorf("%s %s", name, why)
		}
	}
}
