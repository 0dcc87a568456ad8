package plan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
)

// LicenseUnknown is a license that is not recognised for sure.
const LicenseUnknown = "unknown"

// licenseOf names the licenses in the files of a module that are called so, as SPDX
// does; "unknown" among them for a file that is not recognised.
func licenseOf(dir string) string {
	list, err := os.ReadDir(dir)
	if err != nil {
		return LicenseUnknown
	}
	var found []string
	for _, e := range list {
		upper := strings.ToUpper(e.Name())
		if !e.Type().IsRegular() || strings.HasSuffix(upper, ".GO") || !slices.ContainsFunc([]string{"LICENSE", "LICENCE", "COPYING", "UNLICENSE"}, func(p string) bool { return strings.HasPrefix(upper, p) }) {
			continue
		}
		name := LicenseUnknown
		if data, err := files.Read(filepath.Join(dir, e.Name()), 1<<20); err == nil {
			name = recognise(string(data))
		}
		if !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	if found == nil {
		return LicenseUnknown
	}
	slices.Sort(found)
	return strings.Join(found, ", ")
}

// licenses are the texts that are recognised: all phrases are there in this order, and
// the words beside them are no more than the text has, so that nothing was added to it.
// Before the first phrase stands who has the copyright.
var licenses = []struct {
	name    string
	words   int // from the first phrase on, at most
	phrases []string
}{
	{"MIT", 180, []string{"permission is hereby granted free of charge to any person obtaining a copy of this software and associated documentation files", "the above copyright notice and this permission notice shall be included in all copies or substantial portions of the software", "the software is provided as is without warranty of any kind"}},
	{"ISC", 130, []string{"permission to use copy modify and or distribute this software for any purpose with or without fee is hereby granted provided that the above copyright notice and this permission notice appear in all copies", "the software is provided as is"}},
	{"BSD-3-Clause", 240, []string{"redistribution and use in source and binary forms with or without modification are permitted provided that the following conditions are met", "redistributions of source code must retain the above copyright", "redistributions in binary form must reproduce the above copyright", "neither the name of", "this software is provided by"}},
	{"BSD-2-Clause", 205, []string{"redistribution and use in source and binary forms with or without modification are permitted provided that the following conditions are met", "redistributions of source code must retain the above copyright", "redistributions in binary form must reproduce the above copyright", "this software is provided by"}},
	{"Apache-2.0", 1800, []string{"apache license version 2 0 january 2004", "terms and conditions for use reproduction and distribution", "grant of patent license", "limitation of liability", "accepting warranty or additional liability"}},
	{"MPL-2.0", 2700, []string{"mozilla public license version 2 0", "1 definitions", "covered software", "exhibit a source code form license notice"}},
	{"Unlicense", 240, []string{"this is free and unencumbered software released into the public domain", "the software is provided as is"}},
	{"LGPL-3.0", 1300, []string{"gnu lesser general public license version 3 29 june 2007", "0 additional definitions"}},
	{"AGPL-3.0", 5900, []string{"gnu affero general public license version 3 19 november 2007", "preamble", "end of terms and conditions"}},
	{"GPL-3.0", 5900, []string{"gnu general public license version 3 29 june 2007", "preamble", "end of terms and conditions"}},
	{"GPL-2.0", 3100, []string{"gnu general public license version 2 june 1991", "preamble", "end of terms and conditions"}},
}

// recognise names the license of a text, by its words alone.
func recognise(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	plain := " " + strings.Join(words, " ") + " "
	for _, l := range licenses {
		start, at := -1, 0
		for _, p := range l.phrases {
			i := strings.Index(plain[at:], " "+p+" ")
			if i < 0 {
				start = -1
				break
			}
			if start < 0 {
				start = at + i
			}
			at += i + len(p)
		}
		// Names of holders in front are few words; a list of other licenses is not.
		if start >= 0 && len(strings.Fields(plain[start:])) <= l.words && len(strings.Fields(plain[:start])) <= 60 {
			return l.name
		}
	}
	return LicenseUnknown
}
