package startup

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"io"
	"runtime"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/gobin"
)

// maxProc bounds what is read of the files of /proc, and of an emulator's log.
const maxProc = 1 << 20

// File is what is measured.
type File struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	// Platform is GOOS/GOARCH as the file's first bytes tell it, without a
	// variant; "script" for a text that begins with #!.
	Platform string `json:"platform"`
}

func identify(ctx context.Context, path string) (File, error) {
	f, err := files.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 1<<10))
	if err != nil {
		return File{}, err
	}
	sum, size, err := files.DigestOf(ctx, io.MultiReader(bytes.NewReader(head), f))
	if err != nil {
		return File{}, err
	}
	file := File{Size: size, SHA256: sum, Platform: platform(head)}
	if file.Platform == "" {
		return file, fault.Usagef("name a program that was built", "%s: no executable of a system that Go builds for", path)
	}
	return file, nil
}

// platform reads the header of an executable: ELF, PE, Mach-O or WebAssembly.
// UPX leaves what is read here as it was.
func platform(head []byte) string {
	switch format := gobin.FormatOf(head); {
	case bytes.HasPrefix(head, []byte("#!")):
		return "script"
	case format == gobin.ELF && len(head) >= 64:
		return elfPlatform(head)
	case format == gobin.PE && len(head) >= 0x40:
		at := int64(binary.LittleEndian.Uint32(head[0x3c:]))
		if at+6 > int64(len(head)) || string(head[at:at+4]) != "PE\x00\x00" {
			return ""
		}
		switch binary.LittleEndian.Uint16(head[at+4:]) {
		case 0x14c:
			return "windows/386"
		case 0x8664:
			return "windows/amd64"
		case 0xaa64:
			return "windows/arm64"
		case 0x1c0, 0x1c4:
			return "windows/arm"
		}
	case format == gobin.MachO && bytes.HasPrefix(head, []byte("\xcf")) && len(head) >= 8: // 64 bits
		switch binary.LittleEndian.Uint32(head[4:]) {
		case 0x01000007:
			return "darwin/amd64"
		case 0x0100000c:
			return "darwin/arm64"
		}
	case format == gobin.FatMachO && bytes.HasSuffix(head[:4], []byte("\xbe")): // 32-bit offsets
		return "darwin/universal"
	case format == gobin.Wasm:
		return "wasip1/wasm"
	}
	return ""
}

func elfPlatform(head []byte) string {
	var order binary.ByteOrder = binary.LittleEndian
	big := elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB
	if big {
		order = binary.BigEndian
	}
	goos := "linux" // Go's Linux programs say 0, System V
	switch elf.OSABI(head[elf.EI_OSABI]) {
	case elf.ELFOSABI_FREEBSD:
		goos = "freebsd"
	case elf.ELFOSABI_NETBSD:
		goos = "netbsd"
	case elf.ELFOSABI_OPENBSD:
		goos = "openbsd"
	case elf.ELFOSABI_SOLARIS:
		goos = "solaris"
	}
	wide := elf.Class(head[elf.EI_CLASS]) == elf.ELFCLASS64
	pick := func(small, large string) string {
		if wide {
			return large
		}
		return small
	}
	endian := func(little, other string) string {
		if big {
			return other
		}
		return little
	}
	arch := ""
	switch elf.Machine(order.Uint16(head[18:])) {
	case elf.EM_X86_64:
		arch = "amd64"
	case elf.EM_386:
		arch = "386"
	case elf.EM_ARM:
		arch = "arm"
	case elf.EM_AARCH64:
		arch = "arm64"
	case elf.EM_RISCV:
		arch = "riscv64"
	case elf.EM_S390:
		arch = "s390x"
	case elf.EM_PPC64:
		arch = endian("ppc64le", "ppc64")
	case elf.EM_MIPS:
		arch = pick(endian("mipsle", "mips"), endian("mips64le", "mips64"))
	case elf.EM_LOONGARCH:
		arch = "loong64"
	}
	if arch == "" {
		return ""
	}
	return goos + "/" + arch
}

// native says whether this machine runs programs of a platform by itself. A
// 64-bit PC runs 32-bit programs; whether its kernel was built to, the first run
// tells.
func native(platform string) bool {
	host := runtime.GOOS + "/" + runtime.GOARCH
	return platform == host || platform == "script" || host == "linux/amd64" && platform == "linux/386" ||
		runtime.GOOS == "darwin" && platform == "darwin/universal"
}
