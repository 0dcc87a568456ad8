package cli

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
)

// TestMachines: who names no machines builds on those of the user's file; a flag wins.
func TestMachines(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} { // for os.UserConfigDir
		t.Setenv(name, dir)
	}
	config, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, file, env string // env "-": not set
		flag            []string
		want            string
		wrong           string
	}{
		{"nothing", "", "-", nil, "", ""},
		{"the file", "on: [here, ssh://a]\n", "-", nil, "here ssh://a", ""},
		{"the flag wins", "on: [here, ssh://a]\n", "-", []string{"ssh://x"}, "ssh://x", ""},
		{"the flag wins over a bad file", "on: 3\n", "-", []string{"here"}, "here", ""},
		{"another file", "on: [here]\n", other, nil, "ssh://b", ""},
		{"no file", "on: [here]\n", "", nil, "", ""},
		{"a file that is not there", "", filepath.Join(dir, "none"), nil, "", "none"},
		{"unknown key", "on: [here]\nof: 1\n", "-", nil, "", "machines.yaml:2:1: unknown key"},
	} {
		name := filepath.Join(config, "mintmark", "machines.yaml")
		os.Remove(name)
		if tt.file != "" {
			write(name, tt.file)
		}
		write(other, "on: [ssh://b]\n")
		d := &app{env: []string{"MINTMARK_CACHE=" + filepath.Join(dir, "cache"), "MINTMARK_LEDGER_KEY=0123456789abcdef"}}
		if tt.env != "-" {
			d.env = append(d.env, "MINTMARK_MACHINES="+tt.env)
		}
		c, err := d.config(onFlag{On: tt.flag})
		if tt.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), tt.wrong) || fault.ExitCode(err) != fault.Usage {
				t.Errorf("%s: %v, exit code %d", tt.name, err, fault.ExitCode(err))
			}
			continue
		}
		if err != nil || !slices.Equal(c.On, strings.Fields(tt.want)) || (c.Self != "") != (tt.want != "") {
			t.Errorf("%s: %q %q %v", tt.name, c.On, c.Self, err)
		}
		if c, err := d.config(); err != nil || c.On != nil {
			t.Errorf("%s: a verb that does not take -on: %q %v", tt.name, c.On, err)
		}
	}
}
