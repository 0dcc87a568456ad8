package git

var (
	Quote   = quote
	Unquote = unquote
)
