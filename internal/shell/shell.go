// Package shell writes words as a POSIX shell reads them back, for the command
// lines in hints, reports and plans.
package shell

import "strings"

// plain are the characters that no shell reads as something else than themselves.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+@:=,%"

// Word quotes a text, where it must be, so that it is one word.
func Word(s string) string {
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Words are texts as the words of one command line.
func Words(list []string) string { return join(list, Word) }

// Name is Word for the name of a file as an argument: quotes do not keep one
// that begins with - from being an option.
func Name(s string) string {
	if strings.HasPrefix(s, "-") {
		s = "./" + s
	}
	return Word(s)
}

// Names are names of files as arguments of a command.
func Names(list []string) string { return join(list, Name) }

// Env are NAME=VALUE as they stand before a command, for which it sets them.
func Env(env []string) string {
	return join(env, func(kv string) string {
		name, value, _ := strings.Cut(kv, "=")
		if value != "" {
			value = Word(value)
		}
		return name + "=" + value
	})
}

func join(list []string, write func(string) string) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(write(s))
	}
	return b.String()
}
