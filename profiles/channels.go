package profiles

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// Channel is one channel of the top-level key `channels`, with what the file says for
// all of them where it says nothing for this one. Texts are one line each.
type Channel struct {
	Channel     fact.Channel
	Name        string   // of the package there; "" is the project's
	Description string   // one sentence
	Homepage    string   // http or https
	License     string   // an SPDX expression
	URL         string   // template; where the release's files are, without a slash at the end
	Profile     string   // whose files it takes; "" is whichever has some
	Platforms   []string // patterns of those it has; none: all that there are
	Publisher   string
	Maintainers []string
	Test        []string // arguments of a program that ends well
	Program     string   // where it can have one and there are several

	patterns []Pattern
	set      map[string]string // which key of the file says it, by the last word of the key
}

// Key is the key of the file that says something, by its last word: to say where it is
// wrong. It is the channel's own where nothing is said.
func (c *Channel) Key(word string) string {
	if k, ok := c.set[word]; ok {
		return k
	}
	return "channels." + string(c.Channel)
}

// Own reports whether the file says something for this channel, not for all.
func (c *Channel) Own(word string) bool { return c.set[word] == c.own(word) }

func (c *Channel) own(word string) string { return "channels." + string(c.Channel) + "." + word }

// Selects are those of the platforms that the channel is to have, and the patterns that
// match none.
func (c *Channel) Selects(all []Platform) (selected []Platform, idle []string) {
	return selects(c.patterns, c.Platforms, all)
}

// selects are those of the platforms that patterns match, all if there is no pattern, and
// the patterns, as they are written, that match none.
func selects(patterns []Pattern, written []string, all []Platform) (selected []Platform, idle []string) {
	if written == nil {
		return all, nil
	}
	for _, p := range all {
		if slices.ContainsFunc(patterns, func(pat Pattern) bool { return pat.Match(p) }) {
			selected = append(selected, p)
		}
	}
	for i, pat := range patterns {
		if !slices.ContainsFunc(all, pat.Match) {
			idle = append(idle, written[i])
		}
	}
	return selected, idle
}

// channelKeys are the keys for all channels below a path, and those of one of them.
func channelKeys(in string, own bool) []key {
	list := []key{
		{name: "description", kind: kindText, doc: "What the project is, in one sentence."},
		{name: "homepage", kind: kindText, doc: "URL of the project's page."},
		{name: "license", kind: kindText, doc: "Licence, as an SPDX expression such as MIT or Apache-2.0."},
		{name: "url", kind: kindText, template: true, doc: "Where the files of the release can be downloaded from: URL without their names."},
		{name: "profile", kind: kindText, doc: "Name of the profile whose files are meant, where several have some for a platform."},
		{name: "platforms", kind: kindList, doc: "Patterns of the platforms that are meant. Default: all."},
		{name: "publisher", kind: kindText, doc: "Who publishes the project."},
		{name: "maintainers", kind: kindList, doc: "Who looks after the package, such as Jo Doe <jo@example.org>."},
		{name: "test", kind: kindList, doc: "Arguments with which the program ends well, such as --version."},
	}
	if own {
		list = append([]key{
			{name: "name", kind: kindText, doc: "Name of the package in the channel. Default: the project's."},
			{name: "program", kind: kindText, doc: "Which of several programs is meant, where the channel has one."},
		}, list...)
	}
	for i := range list {
		list[i].name = in + "." + list[i].name
	}
	return list
}

// channelsKey is `channels`.
func channelsKey() key {
	k := key{name: "channels", kind: kindGroup, doc: "Package managers that a release has files for, and what these say.", sub: channelKeys("channels", false)}
	for _, c := range fact.Channels() {
		name := "channels." + string(c)
		k.sub = append(k.sub, key{name: name, kind: kindGroup, doc: "Settings for " + string(c) + " alone; {} for none.", sub: channelKeys(name, true)})
	}
	return k
}

// channels decodes `channels`.
func (d *decoder) channels(n *yaml.Node) {
	const hint = "write channels: {homebrew: {}}, with url, homepage and description beside it"
	entries, ok := d.mapEntries(n, "channels", hint)
	if !ok {
		return
	}
	group := channelsKey().sub
	common := Channel{set: map[string]string{}}
	own := map[fact.Channel][]entry{}
	for _, e := range entries {
		i := slices.IndexFunc(group, func(k key) bool { return k.last() == e.name })
		switch {
		case i < 0:
			d.unknownKey(e, "channels", group, func(name string) string {
				if slices.Contains(lastNames(channelKeys("", true)), name) {
					return name + " is of one channel: channels: {homebrew: {" + name + ": …}}"
				}
				return ""
			})
		case group[i].kind == kindGroup:
			d.file.positions[group[i].name] = e.pos
			own[fact.Channel(e.name)], _ = d.mapEntries(e.value, group[i].name, "write "+e.name+": {}")
		default:
			d.channelSetting(&common, group[i], e)
		}
	}
	for _, c := range fact.Channels() {
		of, ok := own[c]
		if !ok {
			continue
		}
		one := common
		one.Channel, one.set = c, map[string]string{}
		for word, k := range common.set {
			one.set[word] = k
		}
		keys := channelKeys("channels."+string(c), true)
		for _, e := range of {
			if i := slices.IndexFunc(keys, func(k key) bool { return k.last() == e.name }); i >= 0 {
				d.channelSetting(&one, keys[i], e)
			} else {
				d.unknownKey(e, "channels."+string(c), keys, nil)
			}
		}
		d.file.Channels = append(d.file.Channels, one)
	}
	if len(own) == 0 {
		d.errorAt(d.pos(n), hint, "channels names no channel")
	}
}

// channelSetting decodes one value of a channel, or of all.
func (d *decoder) channelSetting(c *Channel, k key, e entry) {
	d.file.positions[k.name] = d.pos(e.value)
	c.set[k.last()] = k.name
	one := map[string]*string{
		"name": &c.Name, "program": &c.Program, "description": &c.Description, "homepage": &c.Homepage, "license": &c.License,
		"url": &c.URL, "profile": &c.Profile, "publisher": &c.Publisher,
	}
	if to, ok := one[k.last()]; ok {
		s, ok := d.text(e.value, k.name)
		if !ok {
			return
		}
		if err := checkLine(s); err != nil {
			d.errorAt(d.pos(e.value), fault.Hint(err), "%s %v", k.name, err)
			return
		}
		*to = s
		switch k.last() {
		case "url":
			*to = strings.TrimSuffix(s, "/")
			d.publishedTemplate(k, e.value, *to)
		case "homepage":
			if err := checkPage(s); err != nil {
				d.errorAt(d.pos(e.value), fault.Hint(err), "%s: %v", k.name, err)
			}
		}
		return
	}
	list, nodes, _ := d.texts(e.value, k.name, "")
	for i, s := range list {
		if err := checkLine(s); err != nil {
			d.errorAt(d.pos(nodes[i]), fault.Hint(err), "an element of %s %v", k.name, err)
		}
	}
	switch k.last() {
	case "platforms":
		c.patterns, _ = d.patterns(e.value, k.name)
		if c.Platforms = list; len(list) == 0 {
			d.errorAt(d.pos(e.value), "leave it out for all", "%s is empty", k.name)
		}
	case "maintainers":
		c.Maintainers = list
	case "test":
		c.Test = list
	}
}

// maxLine is the most bytes that a text of a channel has.
const maxLine = 1000

// checkLine accepts a text of one line, which has no characters that are not seen.
func checkLine(s string) error {
	switch {
	case strings.TrimSpace(s) != s:
		return fault.Errorf("leave it out", "begins or ends with a space")
	case s == "":
		return errors.New("is empty")
	case len(s) > maxLine:
		return fmt.Errorf("has %d bytes, more than %d", len(s), maxLine)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return fault.Errorf("write one line of text", "contains %q", r)
		}
	}
	return nil
}

// checkPage accepts a URL of the web, as it is written everywhere.
func checkPage(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return fault.Errorf("write https://…", "%q is no URL", clip(s))
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Opaque != "":
		return fault.Errorf("write https://…", "%q is no URL of http or https", clip(s))
	case u.User != nil:
		return fault.Errorf("everybody can read it", "%q names a user", u.Redacted())
	case u.String() != s:
		return fault.Errorf("write "+u.String(), "%q is not how this URL is written", clip(s))
	}
	return nil
}

// checkDownloads accepts a URL that the name of a file can be put behind.
func checkDownloads(s string) error {
	if err := checkPage(s); err != nil {
		return err
	}
	if strings.ContainsAny(s, "?#") {
		return fault.Errorf("name the directory that the files are in", "%q has ? or #, and names of files come after it", clip(s))
	}
	return nil
}

// ChannelsOf are the channels for that commit and version.
func (f *File) ChannelsOf(v Vars) (list []Channel, err error) {
	var errs []error
	for _, c := range f.Channels {
		if c.URL != "" {
			c.URL, err = f.published(c.Key("url"), c.URL, v, checkDownloads)
			errs = append(errs, err)
		}
		list = append(list, c)
	}
	return list, errors.Join(errs...)
}
