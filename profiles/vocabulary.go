package profiles

import (
	"maps"
	"slices"
)

// Keys are the paths of all keys that a file of this version can have, such as
// project and checksums.name.
func Keys() []string { return paths(topKeys()) }

// ProfileKeys are those of the keys of a profile, such as archive and ldflags.set.
func ProfileKeys() []string { return append(paths(structureKeys()), paths(settingKeys())...) }

func paths(keys []key) (list []string) {
	for _, k := range keys {
		list = append(list, k.name)
		for _, sub := range k.sub {
			list = append(list, sub.name)
		}
	}
	return list
}

// TemplateFields are what a template may name after a dot, but for Env.
func TemplateFields() []string { return slices.Clone(varNames) }

// TemplateFunctions are the functions of templates, sorted.
func TemplateFunctions() []string { return slices.Sorted(maps.Keys(templateFuncs())) }

// ExpandText is the value of one template; a text without {{ is its own. Of v,
// Env decides which variables there are: with a nil one there is no .Env.
func ExpandText(text string, v Vars) (string, error) { return expandText(text, &v) }
