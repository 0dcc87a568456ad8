package main

import "io"

func render(w io.Writer, data []byte, style string) error {
	return colour(w, "markdown", string(data), style)
}
