package plan

import (
	"reflect"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/profiles"
)

// TestEverySettingIsFollowed: a setting that is in no unit would be ignored.
func TestEverySettingIsFollowed(t *testing.T) {
	elsewhere := map[string]string{
		"Main": "the source has the main packages", "Files": "the source has the files", "Bench": "nothing is built by it",
		"Name": "named", "Binary": "named", "Wrap": "named", // see TestEveryNameIsFollowed
		"Universal": "made of several units",    // see TestUniversal
		"Packages":  "the source has the files", // see TestEveryPackageSettingIsFollowed
	}
	platform := profiles.Platform{OS: "linux", Arch: "amd64"}
	unit := func(s profiles.Settings) *Unit {
		u := &Unit{}
		u.follow(s, platform, "go1.26.8", fact.SourceGit)
		return u
	}
	var s profiles.Settings
	before, tried := unit(s), 0
	var try func(name string, v reflect.Value)
	try = func(name string, v reflect.Value) {
		if elsewhere[name] != "" {
			return
		}
		if v.Kind() == reflect.Struct {
			for i := range v.NumField() {
				try(v.Type().Field(i).Name, v.Field(i))
			}
			return
		}
		tried++
		switch value := v.Addr().Interface().(type) {
		case *bool:
			*value = true
		case *string:
			if *value = "x"; name == "Strip" {
				*value = profiles.StripDebug
			}
		case *[]string:
			*value = []string{"-x"}
		case *map[string]string:
			*value = map[string]string{"x": "x"}
		default:
			if v.Kind() == reflect.String {
				v.SetString("x")
			} else {
				v.SetInt(1)
			}
		}
		if reflect.DeepEqual(unit(s), before) {
			t.Errorf("the unit is the same whatever %s is", name)
		}
		v.SetZero()
	}
	try("", reflect.ValueOf(&s).Elem())
	if tried < 18 {
		t.Errorf("only %d settings were tried", tried)
	}
}

// TestEveryNameIsFollowed: so would a name be.
func TestEveryNameIsFollowed(t *testing.T) {
	unit := func(s profiles.Settings) *Unit {
		u := &Unit{Mains: []fact.Main{{Package: "example.com/tool", Binary: "tool"}}}
		n, err := s.Names(profiles.Vars{}, []string{"tool"})
		if err != nil {
			t.Fatal(err)
		}
		u.named(n)
		return u
	}
	plain := profiles.Settings{Name: "x", Binary: "tool", Archive: []string{"zip"}}
	before := unit(plain)
	if m := before.Mains[0]; m.Path != "" || m.Name != "" || before.Wrap != "" {
		t.Errorf("what is so by default is in the unit: %+v", before)
	}
	for key, change := range map[string]func(*profiles.Settings){
		"Name": func(s *profiles.Settings) { s.Name = "y" }, "Binary": func(s *profiles.Settings) { s.Binary = "bin/y" }, "Wrap": func(s *profiles.Settings) { s.Wrap = "y" },
	} {
		s := plain
		change(&s)
		if reflect.DeepEqual(unit(s), before) {
			t.Errorf("the unit is the same whatever %s is", key)
		}
	}
}

// TestEveryPackageSettingIsFollowed: so would one of packages be.
func TestEveryPackageSettingIsFollowed(t *testing.T) {
	before := newPackages(profiles.Packages{}, "tool", "1.2.3")
	tried := 0
	var try func(s *profiles.Packages, v reflect.Value)
	try = func(s *profiles.Packages, v reflect.Value) {
		for i := range v.NumField() {
			name, f := v.Type().Field(i).Name, v.Field(i)
			switch value := f.Addr().Interface().(type) {
			case *string:
				*value = "x"
			case *[]string:
				*value = []string{"x"}
			case *fact.Scripts, *fact.PackageAbout:
				try(s, f)
				continue
			case *[]profiles.ContentRule:
				continue // the source has the files
			}
			tried++
			if name != "Formats" && reflect.DeepEqual(newPackages(*s, "tool", "1.2.3"), before) { // those that know the platform
				t.Errorf("packages are the same whatever %s is", name)
			}
			f.SetZero()
		}
	}
	var s profiles.Packages
	try(&s, reflect.ValueOf(&s).Elem())
	if tried < 20 {
		t.Errorf("only %d settings were tried", tried)
	}
}
