package startup

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/sys/unix"
)

// evict takes a file out of the page cache. The file must have been written to
// its disk (fsync), and nobody may have it mapped.
func evict(path string) error {
	f, err := files.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("posix_fadvise: %w", err)
	}
	return nil
}

// evictable says why evict does not help here: the kernel need not follow the
// advice, and a file system in memory cannot.
func evictable(path string) error {
	if err := evict(path); err != nil {
		return err
	}
	in, all, err := resident(path)
	switch {
	case err != nil:
		return err
	case in > all/10:
		return fmt.Errorf("%d of the file's %d pages stay in the page cache (a file system in memory?)", in, all)
	}
	return nil
}

// resident counts a file's pages, and those in the page cache.
func resident(path string) (in, all int, err error) {
	f, err := files.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil || fi.Size() == 0 {
		return 0, 0, err
	}
	m, err := unix.Mmap(int(f.Fd()), 0, int(fi.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0, 0, fmt.Errorf("mmap: %w", err)
	}
	page := os.Getpagesize()
	vec := make([]byte, (len(m)+page-1)/page)
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&m[0])), uintptr(len(m)), uintptr(unsafe.Pointer(&vec[0])))
	if errno != 0 {
		err = fmt.Errorf("mincore: %w", errno)
	}
	for _, v := range vec {
		in += int(v & 1)
	}
	return in, len(vec), errors.Join(err, unix.Munmap(m))
}
