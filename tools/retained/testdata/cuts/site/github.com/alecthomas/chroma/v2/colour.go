package main

import "io"

func colour(w io.Writer, language, code, style string) error {
	_, err := io.WriteString(w, code)
	return err
}
