package host

import (
	"os"
	"runtime"
	"testing"
)

// TestIdentify: one machine says the same of itself twice, and says what it is.
func TestIdentify(t *testing.T) {
	h := Identify()
	if h != Identify() {
		t.Errorf("%+v, and then %+v", h, Identify())
	}
	if name, _ := os.Hostname(); h.Name != name || h.System != runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("%+v", h)
	}
	switch runtime.GOOS {
	case "linux", "darwin", "windows":
		if h.Boot == "" || h.Kernel == "" {
			t.Errorf("the system does not say which start of which kernel it is: %+v", h)
		}
	}
}
