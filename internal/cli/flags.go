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

// refuseEmpty refuses flags with an empty value. It is mostly that of a
// variable that was not set, and -version= would verify any version.
func (f *Flags) refuseEmpty() error {
	var errs []error
	rv := reflect.ValueOf(f).Elem()
	for i := range rv.NumField() {
		if s, ok := rv.Field(i).Interface().(*string); ok && s != nil && strings.Trim(*s, ",") == "" {
			errs = append(errs, fault.Usagef("leave the flag out or give it one", "-%s=%s has no value", rv.Type().Field(i).Tag.Get("flag"), *s))
		}
	}
	return errors.Join(errs...)
}

// refuseUnread refuses every flag that names what cannot be read, before anything
// else is done: that is wrong usage, with whatever verb.
func (f *Flags) refuseUnread() error {
	var errs []error
	rv := reflect.ValueOf(f).Elem()
	for i := range rv.NumField() {
		tag := rv.Type().Field(i).Tag
		if s, ok := rv.Field(i).Interface().(*string); ok && s != nil && tag.Get("reads") != "" {
			for _, name := range words(s) {
				errs = append(errs, unread("-"+tag.Get("flag")+": ", name, tag.Get("reads"), tag.Get("dirs") != ""))
			}
		}
	}
	return errors.Join(errs...)
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
	return fault.Usagef(hint, "%s%v", what, err)
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
func (f *Flags) refuseAlone(v Verb) error {
	given := map[string]bool{}
	rv := reflect.ValueOf(f).Elem()
	for i := range rv.NumField() {
		if p := rv.Field(i); !p.IsNil() && !(p.Type() == reflect.TypeFor[*bool]() && !p.Elem().Bool()) {
			given[rv.Type().Field(i).Tag.Get("flag")] = true
		}
	}
	var errs []error
	for i := range rv.NumField() {
		field := rv.Type().Field(i)
		name, with := field.Tag.Get("flag"), v.partners(field)
		if !given[name] || len(with) == 0 || slices.ContainsFunc(with, func(w string) bool { return given[w] }) {
			continue
		}
		list := "-" + strings.Join(with, " or -")
		errs = append(errs, fault.Usagef("leave out -"+name+", or add "+list, "%s: -%s goes with %s", v.Name, name, list))
	}
	return errors.Join(errs...)
}

// refuseKeys refuses every flag and argument that is a private key itself. It
// is none of our words, and wherever it went on to, a message, the name of a
// file, a result, it would be written down once more.
func (f *Flags) refuseKeys(v Verb, args []string) error {
	var errs []error
	refuse := func(what, text string) {
		if kind, ok := secret.IsKey(text); ok {
			hint := "no key belongs there"
			switch {
			case what == "-key=" && v.Name == "rebuild":
				hint = "name its file, mintmark.key, or the variable that holds it: env://MINTMARK_KEY_PEM"
			case what == "-key=" || what == "-rebuilder=":
				hint = "verify with the public key: name its file, mintmark.pub, or the variable that holds it: env://MINTMARK_PUB"
			}
			errs = append(errs, fault.Usagef(hint+". A command line can be read by others and is kept in the shell's history: make a new key", "%s is %s, not the name of one", what, kind))
		}
	}
	rv := reflect.ValueOf(f).Elem()
	for i := range rv.NumField() {
		if s, ok := rv.Field(i).Interface().(*string); ok && s != nil {
			refuse("-"+rv.Type().Field(i).Tag.Get("flag")+"=", *s)
		}
	}
	for i, a := range args {
		refuse(fmt.Sprintf("argument %d", i+1), a)
	}
	return errors.Join(errs...)
}
