package bindiff

import (
	"cmp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
)

// compareBuildIDs names the parts that differ; nil when one of the files has no
// build ID of four parts.
func compareBuildIDs(a, b *gobin.File) []string {
	pa, pb := a.BuildIDParts(), b.BuildIDParts()
	if pa[0] == "" || pb[0] == "" {
		return nil
	}
	var out []string
	for i, name := range gobin.BuildIDPartNames() {
		if pa[i] != pb[i] {
			out = append(out, name)
		}
	}
	return out
}

// Keys of KeyDiff that are not settings.
const (
	keyGo      = "go"
	keyPath    = "path"
	keyMod     = "mod"
	keyDep     = "dep "
	keyReplace = "replace "
)

// compareBuildInfo lists the entries that differ, sorted by key; none when one
// of the files has no build information at all.
func compareBuildInfo(a, b *debug.BuildInfo) []KeyDiff {
	if a == nil || b == nil {
		return nil
	}
	ka, kb := entries(a), entries(b)
	var out []KeyDiff
	for k, v := range ka {
		if kb[k] != v {
			out = append(out, KeyDiff{Key: k, A: v, B: kb[k]})
		}
	}
	for k, v := range kb {
		if _, ok := ka[k]; !ok && v != "" {
			out = append(out, KeyDiff{Key: k, B: v})
		}
	}
	slices.SortFunc(out, func(x, y KeyDiff) int { return cmp.Compare(x.Key, y.Key) })
	return out
}

func entries(bi *debug.BuildInfo) map[string]string {
	m := map[string]string{}
	m[keyGo], m[keyPath] = bi.GoVersion, bi.Path
	replace := func(mod *debug.Module) {
		if r := mod.Replace; r != nil {
			m[keyReplace+mod.Path] = words(r.Path, r.Version, r.Sum)
		}
	}
	if bi.Main.Path != "" {
		m[keyMod] = words(bi.Main.Path, bi.Main.Version, bi.Main.Sum)
		replace(&bi.Main)
	}
	for _, d := range bi.Deps {
		m[keyDep+d.Path] = words(d.Version, d.Sum)
		replace(d)
	}
	for _, s := range bi.Settings {
		m[s.Key] = s.Value
	}
	return m
}

// words joins what is not empty.
func words(list ...string) string {
	return strings.Join(slices.DeleteFunc(list, func(s string) bool { return s == "" }), " ")
}

// setting returns a build setting and whether it is recorded.
func setting(bi *debug.BuildInfo, key string) (string, bool) {
	if bi == nil {
		return "", false
	}
	for _, s := range bi.Settings {
		if s.Key == key {
			return s.Value, true
		}
	}
	return "", false
}
