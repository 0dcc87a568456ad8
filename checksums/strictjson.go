package checksums

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/mintmark/mintmark/internal/fault"
)

// maxDepth bounds the nesting of JSON from outside. Ours has about ten levels.
const maxDepth = 64

// checkJSON refuses what encoding/json lets pass and two readers would read
// differently: a key twice in one object, bytes after the value, text that is
// not UTF-8, deep nesting.
func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	type level struct {
		keys   map[string]bool // nil in an array
		isName bool            // the next token is a key
	}
	var stack []level
	for {
		tok, err := dec.Token()
		if err == io.EOF && len(stack) == 0 {
			return errors.New("is empty")
		}
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("is not JSON: %w", err)
		}
		top := len(stack) - 1
		switch t := tok.(type) {
		case json.Delim:
			switch t {
			case '{', '[':
				if len(stack) == maxDepth {
					return fmt.Errorf("is nested more than %d deep", maxDepth)
				}
				if top >= 0 && stack[top].keys != nil {
					stack[top].isName = true
				}
				l := level{}
				if t == '{' {
					l = level{keys: map[string]bool{}, isName: true}
				}
				stack = append(stack, l)
				continue
			default:
				stack = stack[:top]
			}
		case string:
			if top >= 0 && stack[top].isName {
				if stack[top].keys[t] {
					return fmt.Errorf("has the key %q twice", t)
				}
				stack[top].keys[t] = true
				stack[top].isName = false
				continue
			}
			if top >= 0 && stack[top].keys != nil {
				stack[top].isName = true
			}
		default:
			if top >= 0 && stack[top].keys != nil {
				stack[top].isName = true
			}
		}
		if len(stack) == 0 {
			break
		}
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("has something after its end")
	}
	return nil
}

// decodeStrict decodes one JSON value, refusing unknown fields and everything
// that [checkJSON] refuses.
func decodeStrict(data []byte, v any) error {
	if err := checkJSON(data); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return fault.Errorf("it may be written by a newer mintmark", "has a key that this version does not know: %s", name)
		}
		return fmt.Errorf("has a value of the wrong type: %w", err)
	}
	return nil
}

// planPlace stands for the plan while the rest is encoded. These bytes cannot
// be part of a string, in which quotes are escaped, and no other key of ours is
// called plan.
const planPlace = `"plan":null`

// encodeJSON returns v as compact JSON without HTML escaping. v must have one
// field "plan" that is null. The plan is put there afterwards as it stands,
// since its digest depends on every byte: encoding/json rewrites U+2028 in raw
// JSON under GOEXPERIMENT=jsonv2 and not otherwise (seen in Go 1.26).
func encodeJSON(v any, plan []byte) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	data := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if n := bytes.Count(data, []byte(planPlace)); n != 1 {
		return nil, fmt.Errorf("%d places for the plan", n)
	}
	return bytes.Replace(data, []byte(planPlace), append([]byte(`"plan":`), plan...), 1), nil
}

// indentJSON adds white space and nothing else: two spaces a level, a newline
// at the end.
func indentJSON(data []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// compactJSON removes white space and nothing else.
func compactJSON(data []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
