package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/secret"
)

// refuse refuses what is wrong with any verb, before anything else is done.
func (c *invocation) refuse() error {
	if err := errors.Join(c.refuseEmpty(), c.refuseKeys()); err != nil {
		return err
	}
	return errors.Join(c.refuseAlone(), c.refuseUnread(), c.refuseUnknown())
}

// texts are the flags that were given a text, with that text.
func (c *invocation) texts(yield func(f Flag, text string) bool) {
	for _, f := range c.verb.Flags() {
		if text, ok := c.given[f.Name]; ok && f.Type() == "string" && !yield(f, text) {
			return
		}
	}
}

// on reports whether a flag was given; one that was switched off counts as not given.
func (c *invocation) on(name string) bool {
	_, given := c.given[name]
	if f, ok := c.verb.flag(name); ok && f.Type() == "bool" {
		return given && reflect.ValueOf(c.flags).Elem().FieldByIndex(f.field.Index).Bool()
	}
	return given
}

// refuseEmpty refuses flags with an empty value. It is mostly that of a
// variable that was not set, and -version= would verify any version. Hence a
// text flag that is empty when a verb runs was not given.
func (c *invocation) refuseEmpty() error {
	var errs []error
	for f, text := range c.texts {
		if strings.Trim(text, ",") == "" {
			errs = append(errs, fault.Usagef("leave the flag out or give it one", "%s", "-"+f.Name+"="+text+" has no value"))
		}
	}
	return errors.Join(errs...)
}

// refuseUnread refuses every flag that names what cannot be read: that is wrong
// usage, with whatever verb.
func (c *invocation) refuseUnread() error {
	var errs []error
	for f, text := range c.texts {
		if f.reads == "" {
			continue
		}
		names := []string{text}
		if f.kind() == reflect.Slice {
			names = words(text)
		}
		for _, name := range names {
			errs = append(errs, unread("-"+f.Name+": ", name, f.reads, f.dirs))
		}
	}
	return errors.Join(errs...)
}

// refuseUnknown refuses what is none of the values that a flag or an argument can have.
func (c *invocation) refuseUnknown() error {
	var errs []error
	refuse := func(shown, text string, values []string) {
		open := slices.ContainsFunc(values, func(v string) bool { return strings.HasSuffix(v, ":") })
		if len(values) > 0 && !open && !slices.Contains(values, text) {
			errs = append(errs, fault.Usagef("it is "+orList(values), "%s: unknown %s", c.verb.Name, shown))
		}
	}
	for f, text := range c.texts {
		refuse("-"+f.Name+"="+text, text, f.values)
	}
	flags := reflect.ValueOf(c.flags).Elem()
	for _, a := range c.verb.Args() {
		if text := flags.FieldByIndex(a.field.Index); text.Kind() == reflect.String && text.String() != "" {
			refuse(fmt.Sprintf("%s %q", a.Name, text), text.String(), a.values)
		}
	}
	return errors.Join(errs...)
}

// orList is a list of words of which one is meant: "a, b or c".
func orList(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// unread is wrong usage where a flag or an argument names no regular file, nor a
// directory if that will do; nil for what can be read.
func unread(what, name, hint string, dirs bool) error {
	if fi, err := os.Stat(name); dirs && err == nil && fi.IsDir() {
		return nil
	}
	f, err := files.Open(name)
	if err == nil {
		return f.Close()
	}
	if e, ok := errors.AsType[*files.NotRegularError](err); ok && e.Mode&fs.ModeNamedPipe != 0 {
		hint = e.Hint()
	}
	return fault.Usagef(hint, "%s", what+err.Error())
}

// unreadAll is unread for arguments.
func unreadAll(names []string, hint string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, unread("", name, hint, false))
	}
	return errors.Join(errs...)
}

// refuseAlone refuses flags that mean something beside another one only, as
// their help says, when none of these is given.
func (c *invocation) refuseAlone() error {
	var errs []error
	for _, f := range c.verb.Flags() {
		with := f.partners()
		if !c.on(f.Name) || len(with) == 0 || slices.ContainsFunc(with, c.on) {
			continue
		}
		list := "-" + strings.Join(with, " or -")
		errs = append(errs, fault.Usagef("leave out -"+f.Name+", or add "+list, "%s", c.verb.Name+": -"+f.Name+" goes with "+list))
	}
	return errors.Join(errs...)
}

// refuseKeys refuses every flag and argument that is a private key itself. It
// is none of our words, and wherever it went on to, a message, the name of a
// file, a result, it would be written down once more.
func (c *invocation) refuseKeys() error {
	var errs []error
	refuse := func(what, text, hint string) {
		if kind, ok := secret.IsKey(text); ok {
			errs = append(errs, fault.Usagef(hint+". A command line can be read by others and is kept in the shell's history: make a new key", "%s", what+" is "+string(kind)+", not the name of one"))
		}
	}
	const none = "no key belongs there"
	for f, text := range c.texts {
		hint := none
		switch f.field.Type {
		case reflect.TypeFor[privateKey]():
			hint = "name its file, mintmark.key, or the variable that holds it: env://MINTMARK_KEY_PEM"
		case reflect.TypeFor[publicKey](), reflect.TypeFor[publicKeys]():
			hint = "verify with the public key: name its file, mintmark.pub, or the variable that holds it: env://MINTMARK_PUB"
		}
		refuse("-"+f.Name+"=", text, hint)
	}
	for i, a := range c.words {
		refuse(fmt.Sprintf("argument %d", i+1), a, none)
	}
	return errors.Join(errs...)
}
