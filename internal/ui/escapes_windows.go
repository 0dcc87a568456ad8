package ui

import "golang.org/x/sys/windows"

// enableEscapes asks the console to obey escape sequences. It stays so after
// the program's end, as with other programs; consoles before Windows 10 refuse.
func enableEscapes(fd uintptr) bool {
	var mode uint32
	h := windows.Handle(fd)
	if err := windows.GetConsoleMode(h, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_PROCESSED_OUTPUT|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
