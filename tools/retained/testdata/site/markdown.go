package main

import (
	"io"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

func render(w io.Writer, data []byte, style string) error {
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	doc := md.Parser().Parse(text.NewReader(data))
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		block, ok := n.(*ast.FencedCodeBlock)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		var code []byte
		for i := range block.Lines().Len() {
			line := block.Lines().At(i)
			code = append(code, line.Value(data)...)
		}
		return ast.WalkSkipChildren, colour(w, string(block.Language(data)), string(code), style)
	})
	if err != nil {
		return err
	}
	return md.Renderer().Render(w, data, doc)
}
