package upx

import (
	"errors"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// checkFlags reports every flag that is not allowed. Allowed is what chooses a
// compression and nothing else: the files, the verbosity and the operation are
// Pack's business. --force has to be spelled out, since it packs what UPX
// itself calls suspicious.
func checkFlags(flags []string) error {
	var errs []error
	for _, f := range flags {
		if allowed(f) {
			continue
		}
		hint := "allowed are " + strings.Join(allowedFlags(), " ") + " and --filter=N, --crp-ms=N"
		if f == "-f" {
			hint = "spell it --force if you mean it"
		}
		errs = append(errs, fault.Errorf(hint, "upx: flag %q is not allowed", f))
	}
	return errors.Join(errs...)
}

func allowedFlags() []string {
	return []string{
		"-1", "-2", "-3", "-4", "-5", "-6", "-7", "-8", "-9", "--best", "--brute", "--ultra-brute",
		"--lzma", "--no-lzma", "--nrv2b", "--nrv2d", "--nrv2e", "--ucl",
		"--all-methods", "--all-filters", "--no-filter", "--small", "--exact",
		"--preserve-build-id", "--strip-relocs=0", "--strip-relocs=1",
		"--compress-exports=0", "--compress-exports=1",
		"--compress-icons=0", "--compress-icons=1", "--compress-icons=2", "--compress-icons=3",
		"--compress-resources=0", "--compress-resources=1",
		"--force", "--force-macos",
	}
}

func allowed(flag string) bool {
	if slices.Contains(allowedFlags(), flag) {
		return true
	}
	for _, p := range []string{"--filter=", "--crp-ms="} {
		if v, ok := strings.CutPrefix(flag, p); ok && v != "" && len(v) <= 9 && strings.Trim(v, "0123456789abcdefx") == "" {
			return true
		}
	}
	return false
}
