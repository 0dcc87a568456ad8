package profiles

import "testing"

func TestDateForm(t *testing.T) {
	for text, want := range map[string]bool{
		"2026-01-02": true, "2026-01-02T03:04:05Z": true, "built 2026-01-02 by hand": true, "03:04:05": true, "1767323045": true, "20260102T030405Z": true,
		"v1.2.3": false, "1.20.26": false, "2026": false, "7f56dbbc4b59": false, "1767323045a": false, "10.0.0.1:8080": false,
	} {
		if dateForm.MatchString(text) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}
