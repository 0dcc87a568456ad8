package profiles

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/goflags"
)

// TestEveryKey: every key of a profile changes one setting, and every setting has
// a key. What a key changes of the flags of go build is read back from them.
func TestEveryKey(t *testing.T) {
	others := map[string]string{"ldflags.set": "main.x", "bench.variants": "plain", "tags": "x"}
	base := maps.Clone(defaults())
	base["upx.flags"] = &value{list: []string{"-1"}} // pins are of no use without
	base["packages.formats"] = &value{list: []string{"deb"}}
	before := base.settings()
	reached := map[string]bool{}
	for _, k := range leafKeys() {
		if k.into == nil {
			t.Errorf("%s changes no setting: it has no into", k.name)
			continue
		}
		l, name := maps.Clone(base), k.name
		v := &value{text: "x", list: []string{cmp.Or(others[name], "-x")}, files: []FileRule{{Src: "x"}}, contents: []ContentRule{{Src: "x"}}, size: 1, dur: 1}
		switch {
		case k.kind == kindMap:
			name += "." + cmp.Or(others[name], "X")
		case k.kind == kindBool:
			v.flag = !base[name].flag
		case k.enum != nil:
			v.text, v.list = k.enum[len(k.enum)-1], k.enum[len(k.enum)-1:]
		}
		l[name] = v
		after := l.settings()
		changed := differing("", reflect.ValueOf(before), reflect.ValueOf(after))
		if len(changed) != 1 {
			t.Errorf("%s changes the settings %q", k.name, changed)
		}
		for _, field := range changed {
			reached[field] = true
		}
		if flags := after.BuildFlags(""); !slices.Equal(flags, before.BuildFlags("")) {
			s, err := ReadBuildFlags(flags)
			if again := s.BuildFlags(""); err != nil || !slices.Equal(again, flags) {
				t.Errorf("%s: the flags %q are read back as %q: %v", k.name, flags, again, err)
			}
			for _, flag := range flags {
				name, _, _ := strings.Cut(flag, "=")
				if _, err := goflags.ForeignFlag(flag); err != nil && !strings.HasSuffix(name, "flags") {
					t.Errorf("%s: no stranger may build with it: %v", k.name, err)
				}
			}
		}
	}
	for _, field := range fields("", reflect.TypeFor[Settings]()) {
		if !reached[field] {
			t.Errorf("no key changes the setting %s", field)
		}
	}
}

// differing are the fields of two structs that are not the same.
func differing(prefix string, a, b reflect.Value) (names []string) {
	for i := range a.NumField() {
		name := prefix + a.Type().Field(i).Name
		switch {
		case a.Field(i).Kind() == reflect.Struct:
			names = append(names, differing(name+".", a.Field(i), b.Field(i))...)
		case !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()):
			names = append(names, name)
		}
	}
	return names
}

func fields(prefix string, t reflect.Type) (names []string) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Type.Kind() == reflect.Struct {
			names = append(names, fields(prefix+f.Name+".", f.Type)...)
		} else {
			names = append(names, prefix+f.Name)
		}
	}
	return names
}
