package fact

import (
	"encoding/json"
	"testing"
)

// TestSignerID: in documents a key is its bare ID, as it was before there were
// other signers, and every name is read as it was written.
func TestSignerID(t *testing.T) {
	for _, c := range []struct {
		id           SignerID
		text, people string
	}{
		{KeyID("AbC+/="), "AbC+/=", "key AbC+/="},
		{SignerID{"identity", "https://example.com/a:b"}, "identity:https://example.com/a:b", "identity https://example.com/a:b"},
	} {
		if c.id.Text() != c.text || c.id.String() != c.people || ParseSignerID(c.text) != c.id {
			t.Errorf("%+v: %q, %q, read as %+v", c.id, c.id.Text(), c.id, ParseSignerID(c.text))
		}
		var doc struct {
			By   SignerID   `json:"by,omitzero"`
			None SignerID   `json:"none,omitzero"`
			All  []SignerID `json:"all"`
		}
		doc.By, doc.All = c.id, []SignerID{c.id}
		data, err := json.Marshal(doc)
		if want := `{"by":"` + c.text + `","all":["` + c.text + `"]}`; err != nil || string(data) != want {
			t.Errorf("%s, %v; want %s", data, err, want)
		}
		doc.By, doc.All = SignerID{}, nil
		if err := json.Unmarshal(data, &doc); err != nil || doc.By != c.id || len(doc.All) != 1 || doc.All[0] != c.id {
			t.Errorf("%+v, %v", doc, err)
		}
	}
	if (SignerID{}).Text() != "" || !ParseSignerID("").IsZero() {
		t.Error("nobody has a name")
	}
}
