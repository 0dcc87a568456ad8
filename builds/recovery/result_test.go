package recovery

import (
	"encoding/json"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// TestResultForm: the document keeps its keys, whatever types it shares with others.
func TestResultForm(t *testing.T) {
	for want, v := range map[string]any{
		`{"cause":"source","confidence":"likely","evidence":["x"],"remedy":"y"}`:                                       Finding{Finding: fact.Finding{Cause: fact.CauseSource, Confidence: fact.Likely, Evidence: []string{"x"}, Remedy: "y", Bytes: 7}},
		`{"claimed":"go1.26.8","sumdb":false}`:                                                                         Toolchain{Claimed: "go1.26.8"},
		`{"version":"go1.26.8","host":"linux/amd64","module":"golang.org/toolchain@v0.0.1","sum":"h1:x","sumdb":true}`: Toolchain{Toolchain: fact.Toolchain{Version: "go1.26.8", Host: "linux/amd64", Module: "golang.org/toolchain@v0.0.1", Sum: "h1:x", SumDB: true}},
	} {
		if got, err := json.Marshal(v); err != nil || string(got) != want {
			t.Errorf("got %s, %v\nwant %s", got, err, want)
		}
	}
}
