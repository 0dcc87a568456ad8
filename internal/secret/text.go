package secret

import "fmt"

// Text is a text that prints as its public form, with whatever verb and inside
// of whatever it is. Only Reveal tells it. The zero value is empty.
type Text struct {
	public string
	// A function, since of an unexported field fmt calls no method, but prints
	// what it finds: of a function only the address.
	reveal func() string
}

// NewText hides a text behind another one.
func NewText(secret, public string) Text {
	return Text{public, func() string { return secret }}
}

// Reveal returns the text itself.
func (t Text) Reveal() string {
	if t.reveal == nil {
		return ""
	}
	return t.reveal()
}

// String returns the public form.
func (t Text) String() string { return t.public }

// Format writes the public form, whatever the verb: %x and %#v as well.
func (t Text) Format(s fmt.State, verb rune) {
	if verb == 'q' || verb == 'v' && s.Flag('#') {
		fmt.Fprintf(s, "%q", t.String())
		return
	}
	fmt.Fprint(s, t.String())
}

// GoString returns the public form.
func (t Text) GoString() string { return fmt.Sprintf("%q", t.String()) }

// MarshalText returns the public form, for JSON as well.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
