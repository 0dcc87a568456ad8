package upx

import "strings"

// Supported reports whether a version of UPX packs Go binaries for a platform
// into something that runs. The table holds what was measured with Go 1.26
// (packing, and running under qemu), not what UPX claims: UPX exits 0 for some
// platforms where the result crashes. goarch may carry a variant:
// "mipsle/softfloat".
//
// When ok, reason is empty or a caution to pass on to the user. When not ok,
// reason says why; it starts with "unknown" where nothing was measured, which
// is no reason to refuse but one to ask for a word in the profile.
func Supported(version, goos, goarch string) (ok bool, reason string) {
	arch, variant, _ := strings.Cut(goarch, "/")
	old := version == "3.94"
	if !old && version != "4.2.3" {
		return false, "unknown: UPX " + version + " was not measured, only 3.94 and 4.2.3"
	}
	switch goos {
	case "linux":
		return supportedLinux(old, arch, variant)
	case "windows":
		switch arch {
		case "amd64", "386":
			return true, "upx -d does not restore headers, import table and relocations exactly; virus scanners often report packed programs"
		case "arm64":
			return false, "UPX does not pack win64/arm64"
		}
	case "darwin":
		switch {
		case !old:
			return false, "UPX 4 refuses macOS without --force-macos"
		case arch == "amd64":
			return false, "UPX packs it, but macOS kills the result"
		}
		return false, "UPX does not know darwin/" + arch
	case "freebsd", "openbsd":
		return false, "UPX does not know Go's " + goos + " executables"
	case "js", "wasip1":
		return false, "UPX does not pack WebAssembly"
	}
	return false, "unknown: " + goos + "/" + goarch + " was not measured"
}

func supportedLinux(old bool, arch, variant string) (bool, string) {
	switch arch {
	case "amd64", "386", "arm":
		return true, ""
	case "arm64":
		if old {
			return true, "the packed program crashes when started with about 500 or more environment variables (upx issue 743)"
		}
		return true, "the packed program fails to start with about 1000 environment variables (upx issue 743)"
	case "mips":
		return true, ""
	case "mipsle":
		if variant == "softfloat" {
			return true, ""
		}
		return false, "packed hard-float programs die with \"fatal error: float64nan\"; use softfloat"
	case "ppc64le":
		if old {
			return false, "UPX 3.94 packs it, but the result crashes"
		}
		return true, ""
	case "ppc64":
		if old {
			return false, "UPX 3.94 does not know linux/ppc64"
		}
		return false, "UPX 4.2.3 packs it, but the result crashes"
	case "mips64", "mips64le", "riscv64", "s390x", "loong64":
		return false, "UPX does not know linux/" + arch
	}
	return false, "unknown: linux/" + arch + " was not measured"
}
