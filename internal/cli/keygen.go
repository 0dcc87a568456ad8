package cli

import (
	"context"
	"errors"

	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/shell"
)

// keygenFlags are what mintmark keygen takes.
type keygenFlags struct {
	Prefix string `flag:"prefix" takes:"file" help:"where to write PREFIX.key and PREFIX.pub (default: mintmark)"`
}

func (f *keygenFlags) run(_ context.Context, d *app) error {
	prefix := f.Prefix
	if prefix == "" {
		prefix = "mintmark"
	}
	if err := release.CheckPrefix(prefix); err != nil {
		return err
	}
	pass, err := d.newPassword()
	if err != nil {
		return err
	}
	g, err := release.Keygen(release.KeygenConfig{Prefix: prefix, Password: pass})
	if err != nil {
		return err
	}
	d.printf("%s  private key; keep it out of the repository; %s signs with it\n%s  public key; publish it where your users will look for it, apart from the releases\n", g.Key, shell.Env([]string{"MINTMARK_KEY=" + g.Key}), g.Pub)
	switch {
	case g.NotIgnored != nil:
		d.term.Warn("git does not ignore %s: %v; add the line %s to .gitignore, or keep the key elsewhere", g.Key, g.NotIgnored, g.Line)
	case g.Ignore == "":
		d.printf("nothing for git to ignore: %s is in no repository\n", g.Key)
	default:
		d.printf("%s  ignores %s\n", g.Ignore, g.Line)
	}
	return nil
}

// newPassword asks twice; one from the environment is taken as it is.
func (d *app) newPassword() ([]byte, error) {
	if p, ok := d.givenPassword(); ok {
		return p, nil
	}
	first, err := d.term.Password("passphrase for the new key (empty for none): ")
	if err != nil {
		return nil, err
	}
	second, err := d.term.Password("again: ")
	if err != nil {
		return nil, err
	}
	if string(first) != string(second) {
		return nil, errors.New("the two passphrases differ")
	}
	return first, nil
}
