package fact

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// TestSentences: answers of one kind are one sentence, and a later answer
// replaces the earlier one, sentence and all.
func TestSentences(t *testing.T) {
	var c Checks
	c.Open(FromSource, "release linux/amd64", "the publisher states it")
	c.Open(FromSource, "release windows/amd64", "the publisher states it")
	c.Done(Identity, "version", "1.2.3")
	if _, open := c.Sentences(); !reflect.DeepEqual(open, []string{"that the binaries come from the source: the publisher states it"}) {
		t.Errorf("%q", open)
	}
	c.Done(FromSource, "release linux/amd64", "")
	c.Open(FromSource, "release windows/amd64", "left out")
	checked, open := c.Sentences()
	if !reflect.DeepEqual(checked, []string{"version is 1.2.3, as expected"}) || !reflect.DeepEqual(open, []string{"that the binaries of release windows/amd64 come from the source: left out"}) {
		t.Errorf("%q, %q", checked, open)
	}
	if c.All(FromSource) || !c.All(Identity) || c.All(Signature) {
		t.Error("what was not checked, or not asked, counts as checked")
	}
	data, err := json.Marshal(&c)
	if err != nil {
		t.Fatal(err)
	}
	var again Checks
	if err := json.Unmarshal(data, &again); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%v: %s", err, data)
	}
	if checked, open := new(Checks).Sentences(); checked == nil || open == nil {
		t.Error("no checks are null in JSON, and were empty lists")
	}
}

// TestWordings: every check has a sentence for when it was not made.
func TestWordings(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "check.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != "Check" {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		n++
		w := wordings[Check(value)]
		if w.open == nil {
			t.Errorf("%s: nothing is said when it is not checked", value)
			return true
		}
		for _, answer := range []Answer{{Check(value), "SUBJECT", false, "DETAIL"}, {Check(value), "SUBJECT", true, "DETAIL"}} {
			var c Checks
			c.put(answer)
			checked, open := c.Sentences()
			for _, s := range append(checked, open...) {
				if strings.Contains(s, "%!") {
					t.Errorf("%s: %s", value, s)
				}
			}
			if !answer.Checked && (len(open) != 1 || len(checked) != 0) || answer.Checked && len(open) != 0 {
				t.Errorf("%+v: %q, %q", answer, checked, open)
			}
		}
		return true
	})
	if n != len(wordings) {
		t.Errorf("%d checks, %d wordings", n, len(wordings))
	}
}

// TestFileNames: a name is told from the sentence that it is in.
func TestFileNames(t *testing.T) {
	var c Checks
	c.Done(Digest, "tool is signed by key K=,\u00a0and", ManifestFile)
	checked, _ := c.Sentences()
	if want := `"tool is signed by key K=,\u00a0and" has the digest that release.json says`; checked[0] != want {
		t.Errorf("%s, want %s", checked[0], want)
	}
	if FileName("tool_1.0.0.tar.gz") != "tool_1.0.0.tar.gz" {
		t.Error("a plain name is quoted")
	}
}
