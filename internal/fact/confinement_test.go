package fact

import (
	"encoding/json"
	"testing"
)

func TestConfinement(t *testing.T) {
	held, open := Hold{Held: true}, func(why string) Hold { return Hold{Reason: why} }
	for _, tt := range []struct {
		c    Confinement
		want string
		held bool
	}{
		{Confinement{}, "not confined: ", false}, // the zero value claims nothing
		{Confinement{held, held}, "confined: writes only below its own place, no network", true},
		{Confinement{held, open("b")}, "not confined: network: b (writes only below its own place)", false},
		{Confinement{open("a"), held}, "not confined: writes: a (no network)", false},
		{Confinement{open("a"), open("a")}, "not confined: a", false},
		{Confinement{open("a"), open("b")}, "not confined: writes: a; network: b", false},
	} {
		if got := tt.c.String(); got != tt.want || tt.c.Held() != tt.held {
			t.Errorf("%+v: %q, %v", tt.c, got, tt.c.Held())
		}
	}
	data, err := json.Marshal(Confinement{held, open("b")})
	if want := `{"writes":{"confined":true},"network":{"confined":false,"reason":"b"}}`; err != nil || string(data) != want {
		t.Errorf("%s, %v", data, err)
	}
}
