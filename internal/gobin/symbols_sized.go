package gobin

// SizedSymbols is [File.Symbols] with the sizes of the symbols. Only ELF has
// sizes; elsewhere they are 0.
func (f *File) SizedSymbols(found func(name []byte, addr, size uint64) bool) error {
	return f.symbols(found)
}
