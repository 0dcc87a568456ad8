package main

import (
	"encoding/json"

	"github.com/rogpeppe/go-internal/testscript"
)

// lastsize SAVINGS SIZE compares the size after the last measured step of a
// waterfall with that of a file.
func lastsize(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lastsize savings.json size.json")
	}
	var savings struct {
		Steps []struct{ Size int64 }
	}
	var file struct{ Size int64 }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &savings))
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &file))
	last := int64(0)
	for _, s := range savings.Steps {
		if s.Size > 0 {
			last = s.Size
		}
	}
	if last == 0 || last != file.Size {
		ts.Fatalf("the last step has %d bytes, the file %d", last, file.Size)
	}
}
