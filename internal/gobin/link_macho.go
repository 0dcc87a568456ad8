package gobin

import (
	"fmt"
	"strings"
)

// Load commands beside those of macho.go.
const (
	machLoadDylib     = 0xc
	machLoadDylinker  = 0xe
	machWeakDylib     = 0x18
	machRpath         = 0x1c
	machVersionMin    = 0x24
	machMain          = 0x28
	machSourceVersion = 0x2a
	machBuildVersion  = 0x32

	machPIE = 1 << 21 // in the flags of the header
)

// machPlatforms are the systems that LC_BUILD_VERSION names (mach-o/loader.h).
var machPlatforms = map[uint32]string{1: "macOS", 2: "iOS", 3: "tvOS", 4: "watchOS", 6: "Mac Catalyst", 7: "iOS Simulator", 11: "visionOS"}

var machFlags = []string{"NOUNDEFS", 2: "DYLDLINK", 7: "TWOLEVEL", 17: "ALLOW_STACK_EXECUTION", 21: "PIE", 24: "NO_HEAP_EXECUTION"}

func (l *linkReader) macho() error {
	f, bo := l.f, l.f.order()
	hdr := int64(24 + f.PtrSize) // in the wide form, with a reserved word
	h, err := f.in.bytes(0, hdr)
	if err != nil {
		return err
	}
	pie := bo.Uint32(h[24:])&machPIE != 0
	l.needs.PIE = &pie
	l.flags(LinkHeader, "flags of the Mach-O header", uint64(bo.Uint32(h[24:])), machFlags)
	cmds, err := f.in.bytes(hdr, min(int64(bo.Uint32(h[20:])), maxCommands))
	if err != nil {
		return err
	}
	var libraries, rpaths []string
	linker := goLinker
	for n := bo.Uint32(h[16:]); n > 0 && len(cmds) >= 8; n-- {
		size := int(min(uint64(bo.Uint32(cmds[4:])), uint64(len(cmds))))
		if size < 8 {
			return malformedf("load command of %d bytes", size)
		}
		c := cmds[:size]
		cmds = cmds[size:]
		text := func(at int) string {
			if len(c) < at+4 || int64(bo.Uint32(c[at:])) >= int64(len(c)) {
				return ""
			}
			b := c[bo.Uint32(c[at:]):]
			return cstr(b[:min(len(b), maxLinkText)])
		}
		version := func(at int) string {
			if len(c) < at+4 {
				return ""
			}
			v := bo.Uint32(c[at:])
			return fmt.Sprintf("%d.%d.%d", v>>16, v>>8&0xff, v&0xff)
		}
		switch bo.Uint32(c) &^ machReqDyld {
		case machLoadDylib, machWeakDylib:
			if len(libraries) < maxLibraries {
				l.needs.Libraries = append(l.needs.Libraries, text(8))
				libraries = append(libraries, strings.TrimSpace(text(8)+" "+version(16)))
			}
		case machRpath:
			if len(rpaths) < maxLibraries {
				rpaths = append(rpaths, text(8))
			}
		case machLoadDylinker:
			l.add(LinkInterpreter, "dynamic linker", text(8))
			l.needs.Interpreter = text(8)
		case machVersionMin:
			l.needs.Platform, l.needs.MinimumOS = "macOS", version(8)
			l.add(LinkHeader, "least version of the system", version(8))
			l.add(LinkHeader, "version of the SDK", version(12))
		case machBuildVersion:
			if len(c) >= 12 {
				if l.needs.Platform = machPlatforms[bo.Uint32(c[8:])]; l.needs.Platform == "" {
					l.needs.Platform = fmt.Sprintf("platform %d", bo.Uint32(c[8:]))
				}
			}
			l.needs.MinimumOS = version(12)
			l.add(LinkHeader, "least version of the system", version(12))
			l.add(LinkHeader, "version of the SDK", version(16))
		case machMain:
			if len(c) >= 24 {
				if v := bo.Uint64(c[16:]); v != 0 {
					l.add(LinkHeader, "size of the stack", fmt.Sprintf("%#x", v))
				}
			}
		case machUUID:
			l.add(LinkHeader, "UUID", "present")
		case machSegment, machSegment64:
			if len(c) >= 32 && cstr(c[8:24]) == "__TEXT" {
				l.add(LinkLayout, "lowest address", fmt.Sprintf("%#x", f.Word(c[24:])))
			}
		case machSourceVersion:
			linker = cLinker
		}
	}
	l.add(LinkDynamic, "libraries", strings.Join(libraries, ", "))
	l.needs.RPATH = rpaths
	l.add(LinkDynamic, "RPATH", strings.Join(rpaths, ", "))
	l.add(LinkLinker, "linker", linker)
	return nil
}
