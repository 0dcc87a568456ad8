package upx

import (
	"fmt"
	"strconv"
	"strings"
)

// Support is what is known of a version of UPX and a platform.
type Support int

const (
	Unmeasured Support = iota // nobody looked; see the reason
	Packs                     // into something that runs
	Fails                     // to pack, or the result does not run
)

// Measured are the versions that the table of [Supported] was measured with.
func Measured() []string { return []string{"3.94", "4.2.3"} }

// Supported reports whether a version of UPX packs Go binaries for a platform
// into something that runs. The table holds what was measured with Go 1.26
// (packing, and running under qemu), not what UPX claims: UPX exits 0 for some
// platforms where the result crashes. goarch may carry a variant:
// "mipsle/softfloat".
//
// Of what packs, reason is empty or a caution to pass on to the user; else it
// says why not. That nothing was measured is no reason to refuse, but one to run
// what was packed; what is known from UPX's issues of that version is said then.
func Supported(version, goos, goarch string) (is Support, reason string) {
	arch, variant, _ := strings.Cut(goarch, "/")
	old := version == "3.94"
	if !old && version != "4.2.3" {
		return supportedUnmeasured(version, goos, arch)
	}
	switch goos {
	case "linux":
		return supportedLinux(old, arch, variant)
	case "windows":
		switch arch {
		case "amd64", "386":
			return Packs, "upx -d does not restore headers, import table and relocations exactly; virus scanners often report packed programs"
		case "arm64":
			return Fails, "UPX does not pack win64/arm64"
		}
	case "darwin":
		switch {
		case !old:
			return Fails, "UPX 4 refuses macOS without --force-macos"
		case arch == "amd64":
			return Fails, "UPX packs it, but macOS kills the result"
		}
		return Fails, "UPX does not know darwin/" + arch
	case "freebsd", "openbsd":
		return Fails, "UPX does not know Go's " + goos + " executables"
	case "js", "wasip1":
		return Fails, "UPX does not pack WebAssembly"
	}
	return Unmeasured, "unknown: " + goos + "/" + goarch + " was not measured"
}

func supportedLinux(old bool, arch, variant string) (Support, string) {
	switch arch {
	case "amd64", "386", "arm":
		return Packs, ""
	case "arm64":
		if old {
			return Packs, "the packed program crashes when started with about 500 or more environment variables (upx issue 743)"
		}
		return Packs, "the packed program fails to start with about 1000 environment variables (upx issue 743)"
	case "mips":
		return Packs, ""
	case "mipsle":
		if variant == "softfloat" {
			return Packs, ""
		}
		return Fails, "packed hard-float programs die with \"fatal error: float64nan\"; use softfloat"
	case "ppc64le":
		if old {
			return Fails, "UPX 3.94 packs it, but the result crashes"
		}
		return Packs, ""
	case "ppc64":
		if old {
			return Fails, "UPX 3.94 does not know linux/ppc64"
		}
		return Fails, "UPX 4.2.3 packs it, but the result crashes"
	case "mips64", "mips64le", "riscv64", "s390x", "loong64":
		return Fails, "UPX does not know linux/" + arch
	}
	return Unmeasured, "unknown: linux/" + arch + " was not measured"
}

// supportedUnmeasured is about versions that were not measured. WebAssembly is
// no format of any of them; the rest is unknown, with the trouble that others
// reported at github.com/upx/upx/issues.
func supportedUnmeasured(version, goos, arch string) (Support, string) {
	if goos == "js" || goos == "wasip1" {
		return Fails, "UPX does not pack WebAssembly"
	}
	reason := fmt.Sprintf("unknown: UPX %s was not measured, only %s", version, strings.Join(Measured(), " and "))
	major, rest, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(major)
	switch {
	case n == 3 && (rest == "95" || rest == "96") && goos == "linux" && arch == "386":
		reason += "; packed Go programs of this version crash on linux/386 (upx issue 480)"
	case n >= 5 && goos == "linux" && arch == "arm64":
		reason += "; packed programs of version 5.0.2 crash with large environments (upx issue 952)"
	case n >= 5 && goos == "linux":
		reason += "; packed programs of version 5 need memfd_create, which old kernels lack (upx issues 902 and 912)"
	case n >= 4 && goos == "darwin":
		reason += "; macOS kills packed programs (upx issue 612)"
	}
	return Unmeasured, reason
}
