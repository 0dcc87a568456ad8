package profiles

import (
	"encoding/json"
	"strings"
)

// profileSchema is the JSON Schema (draft 2020-12) of a profile file, from the table
// the decoder reads, for editors. It is looser than Load in what a platform, a
// template or a flag may be.
func profileSchema() []byte {
	override := map[string]any{"platforms": described(listOf(text(), 1), "Patterns of platforms: windows, linux/arm, */arm64.")}
	profile := map[string]any{}
	for _, k := range settingKeys() {
		override[k.name] = schemaOf(k)
		profile[k.name] = schemaOf(k)
	}
	for _, k := range structureKeys() {
		switch k.name {
		case "platforms":
			matrix := object(groupProperties(k.sub))
			matrix["required"] = []string{"os", "arch"}
			profile[k.name] = described(map[string]any{"anyOf": []any{listOf(text(), 0), matrix}}, k.doc)
		case "overrides":
			o := object(override)
			o["required"] = []string{"platforms"}
			profile[k.name] = described(map[string]any{"type": "array", "items": o}, k.doc)
		default:
			profile[k.name] = schemaOf(k)
		}
	}
	top := map[string]any{}
	for _, k := range topKeys() {
		switch k.name {
		case "version":
			top[k.name] = described(map[string]any{"const": 1}, k.doc)
		case "sign":
			group := object(groupProperties(k.sub))
			group["required"] = []string{"key"}
			top[k.name] = described(map[string]any{"anyOf": []any{map[string]any{"const": "none"}, group}}, k.doc)
		case "generate":
			properties := groupProperties(k.sub)
			fetch := object(groupProperties(fetchKeys()))
			fetch["required"] = []string{"url", "sha256", "path"}
			properties["fetch"] = described(listOf(fetch, 0), find(k.sub, "generate.fetch").doc)
			command := object(properties)
			command["required"] = []string{"command", "outputs"}
			top[k.name] = described(listOf(command, 0), k.doc)
		case "images":
			top[k.name] = described(map[string]any{
				"type": "object", "minProperties": 1, "additionalProperties": object(groupProperties(k.sub)),
				"propertyNames": map[string]any{"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$"},
			}, k.doc)
		case "profiles":
			top[k.name] = described(map[string]any{
				"type": "object", "minProperties": 1, "additionalProperties": map[string]any{"$ref": "#/$defs/profile"},
				"propertyNames": map[string]any{"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$"},
			}, k.doc)
		case "project":
			top[k.name] = described(map[string]any{"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$"}, k.doc)
		case "go":
			top[k.name] = described(map[string]any{"type": "string", "pattern": `^go1\.[0-9]+(\.[0-9]+|rc[0-9]+)?$`}, k.doc)
		default:
			top[k.name] = schemaOf(k)
		}
	}
	root := object(top)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "mintmark.yaml"
	root["description"] = "What mintmark builds and how. Reference: docs/profiles.md."
	root["required"] = []string{"version", "project", "profiles"}
	root["$defs"] = map[string]any{"profile": object(profile)}
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic("profiles: schema: " + err.Error()) // only maps, slices and texts above
	}
	return append(data, '\n')
}

func schemaOf(k key) map[string]any {
	var s map[string]any
	switch k.kind {
	case kindBool:
		s = map[string]any{"type": "boolean", "default": k.def == "true"}
		return described(s, k.doc)
	case kindList:
		s = listOf(text(), 0)
	case kindTexts:
		item, one := text(), map[string]any{"type": "string"}
		if k.enum != nil {
			item = map[string]any{"enum": k.enum}
			one = item
		}
		s = map[string]any{"anyOf": []any{one, listOf(item, 1)}}
	case kindOff:
		s = map[string]any{"anyOf": []any{map[string]any{"const": "off"}, listOf(text(), 0)}}
	case kindPack:
		s = map[string]any{"anyOf": []any{map[string]any{"const": "off"}, listOf(text(), 0), object(groupProperties(k.sub))}}
	case kindFiles:
		file := object(groupProperties(k.sub))
		file["required"] = []string{"src"}
		item := map[string]any{"anyOf": []any{text(), file}}
		s = listOf(item, 0)
	case kindContents:
		content := object(groupProperties(k.sub))
		content["required"] = []string{"dst"}
		s = listOf(content, 0)
	case kindMap:
		s = map[string]any{"type": "object", "additionalProperties": text()}
	case kindGroup:
		s = object(groupProperties(k.sub))
	case kindSize:
		s = map[string]any{"type": []string{"string", "integer"}, "pattern": "^[0-9]+ *(B|[KMG]iB|[kKMG]B)?$"}
	case kindDuration:
		s = map[string]any{"type": []string{"string", "integer"}}
	default:
		s = map[string]any{"type": "string"}
	}
	if k.enum != nil && k.kind != kindTexts {
		s["enum"] = k.enum
	}
	if k.truth != nil {
		delete(s, "type")
		values := []any{true, false}
		for _, e := range k.enum {
			values = append(values, e)
		}
		s["enum"] = values
	}
	if k.def != "" && k.kind != kindSize && k.kind != kindDuration {
		s["default"] = k.def
	}
	doc := k.doc
	if k.template {
		doc += " May hold templates such as {{.Version}}."
	}
	return described(s, doc)
}

// text is a text that YAML may take for a number or a truth value: tags: [1.10].
func text() map[string]any {
	return map[string]any{"type": []string{"string", "number", "boolean"}}
}

func listOf(item map[string]any, least int) map[string]any {
	s := map[string]any{"type": "array", "items": item}
	if least > 0 {
		s["minItems"] = least
	}
	return s
}

func object(properties map[string]any) map[string]any {
	return map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
}

func groupProperties(keys []key) map[string]any {
	properties := map[string]any{}
	for _, k := range keys {
		properties[k.last()] = schemaOf(k)
	}
	return properties
}

func described(s map[string]any, doc string) map[string]any {
	s["description"] = strings.TrimSpace(doc)
	return s
}
