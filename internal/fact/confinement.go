package fact

import "fmt"

// Confinement is what held the commands of a build while they ran, as the
// system was told for those very processes: two walls, each of which stood for
// all of the commands or did not. The zero value claims nothing.
type Confinement struct {
	Writes  Hold `json:"writes"`  // they could write nothing but below their own place
	Network Hold `json:"network"` // they could reach no network
}

// Hold is one wall.
type Hold struct {
	Held   bool   `json:"confined"`
	Reason string `json:"reason,omitempty"` // why not; "" if Held
}

// Held reports whether both walls stood.
func (c Confinement) Held() bool { return c.Writes.Held && c.Network.Held }

// String says what held, for people: "confined: …" or "not confined: …".
func (c Confinement) String() string {
	const writes, network = "writes only below its own place", "no network"
	switch {
	case c.Held():
		return "confined: " + writes + ", " + network
	case c.Writes.Held:
		return fmt.Sprintf("not confined: network: %s (%s)", c.Network.Reason, writes)
	case c.Network.Held:
		return fmt.Sprintf("not confined: writes: %s (%s)", c.Writes.Reason, network)
	case c.Writes.Reason == c.Network.Reason:
		return "not confined: " + c.Writes.Reason
	}
	return fmt.Sprintf("not confined: writes: %s; network: %s", c.Writes.Reason, c.Network.Reason)
}
