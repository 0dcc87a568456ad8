package profiles

import (
	"maps"
	"slices"
)

// Keys are the paths of all keys that a file of this version can have, such as
// project, archive and ldflags.set: those of the file, then those of a profile.
// A key that both can have is in it once.
func Keys() []string {
	var paths []string
	add := func(list []key) {
		for _, k := range list {
			for _, k := range append([]key{k}, k.sub...) {
				if !slices.Contains(paths, k.name) {
					paths = append(paths, k.name)
				}
			}
		}
	}
	add(topKeys())
	add(structureKeys())
	add(settingKeys())
	return paths
}

// TemplateFields are what a template may name after a dot, but for Env.
func TemplateFields() []string { return slices.Clone(varNames) }

// TemplateFunctions are the functions of templates, sorted.
func TemplateFunctions() []string { return slices.Sorted(maps.Keys(templateFuncs())) }

// ExpandText is the value of one template; a text without {{ is its own. Of v,
// Env decides which variables there are: with a nil one there is no .Env.
func ExpandText(text string, v Vars) (string, error) { return expandText(text, &v) }
