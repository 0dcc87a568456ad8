package sizes

import "github.com/mintmark/mintmark/internal/gobin"

// relocate puts the addresses into the copy of a position-independent ELF file
// that the dynamic linker would: the file itself has them in its relocations
// only. The sizes of parts do not change by that.
func (m *image) relocate() {
	if m.Format != gobin.ELF || m.ptr != 8 {
		return
	}
	var relative uint32 // R_*_RELATIVE of the psABI of each machine
	switch m.Arch {
	case "amd64":
		relative = 8
	case "arm64":
		relative = 1027
	case "riscv64":
		relative = 3
	case "loong64":
		relative = 3
	case "ppc64le", "ppc64":
		relative = 22
	case "s390x":
		relative = 12
	default:
		return
	}
	for _, s := range m.Sections {
		if s.Name != ".rela" && s.Name != ".rela.dyn" {
			continue
		}
		b := m.b[s.Offset : s.Offset+s.Size]
		for ; len(b) >= 24; b = b[24:] {
			if uint32(m.order.Uint64(b[8:])) != relative {
				continue
			}
			// Not into the relocations themselves, nor into headers.
			in := m.section(m.order.Uint64(b))
			if in == nil || in.Kind == gobin.KindOther || in.Name == s.Name || in.Kind == gobin.KindPCLNTab {
				continue
			}
			if off, ok := m.at(m.order.Uint64(b), 8); ok {
				m.order.PutUint64(m.b[off:], m.order.Uint64(b[16:]))
			}
		}
	}
}
