package fact

import (
	"strings"
	"testing"
)

// TestPrivate: a base is asked for only where its registry has a public name.
func TestPrivate(t *testing.T) {
	for name, want := range map[string]bool{
		"ghcr.io/a": false, "gcr.io/distroless/static": false, "registry.example.org:5000/a": false, "localhost.example.org/a": false,
		"localhost/a": true, "localhost:5000/a": true, "registry:5000/a": true, "127.0.0.1:5000/a": true, "10.0.0.1/a": true, "8.8.8.8/a": true,
		"127.1/a": true, "0177.0.0.1/a": true, "0x7f.0.0.1:80/a": true, "127.0.0.0x1/a": true, "127.0x/a": true, "2130706433:80/a": true,
		"home.arpa/a": true, "nas.lan/a": true, "registry.corp:443/a": true, "a.intranet/a": true,
		"0x7f.example.org/a": false, "1.2.3.4.example.org/a": false, "lan.example.org/a": false, "a.wlan.org/a": false,
		"a.localhost/a": true, "printer.local:80/a": true, "metadata.google.internal/a": true, "nas.home.arpa/a": true,
	} {
		r, why := ParseImageRef(name + "@sha256:" + strings.Repeat("0", 64))
		if why != "" || r.Private() != want {
			t.Errorf("%s: %t %s", name, r.Private(), why)
		}
	}
}
