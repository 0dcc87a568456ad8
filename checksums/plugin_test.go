package checksums

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// script is a plugin that is a shell script.
func script(t *testing.T, text string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: the plugins are shell scripts")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, pluginPrefix+"mm"), []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A plugin can neither fill the memory, nor hang, nor write to the terminal.
func TestHostilePlugins(t *testing.T) {
	for name, tt := range map[string]struct{ script, want string }{
		"endless output":                {"yes", "printed more than 1048576 bytes"},
		"endless output, TERM ignored":  {"trap '' TERM PIPE; while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done", "printed more than 1048576 bytes"},
		"endless standard error":        {"yes >&2", "no answer within"},
		"silence":                       {"exec /bin/sleep 1000", "no answer within"},
		"a child that holds the output": {"/bin/sleep 8 & echo '{}'", "WaitDelay"},
		"nothing":                       {"exit 0", "is not understood"},
		"no JSON":                       {"echo hello; exit 3", "is not understood"},
		"another answer":                {`echo '{"signMessage":{"signature":"AAAA"}}'`, "does not belong to the question"},
		"null":                          {"echo null", "does not belong to the question"},
		"no key":                        {`echo '{"publicKey":{"publicKeyPEM":"AAAA"}}'`, "PEM"},
		"an error":                      {`echo '{"errorMessage":"no such key"}'; exit 1`, "sigstore-kms-mm: no such key"},
		"killed":                        {"kill -9 $$", "signal: killed"},
	} {
		t.Run(name, func(t *testing.T) {
			// All are written before any is started: a file that is open for writing in
			// a process that another test starts cannot be executed (Go issue 22315).
			dir := script(t, "PATH=/usr/bin:/bin\n"+tt.script)
			t.Parallel()
			said := 0
			// On a busy machine the others take longer than that.
			var patience time.Duration
			if strings.HasPrefix(tt.want, "no answer") {
				patience = time.Second
			}
			ctx := WithPlugins(t.Context(), Plugins{
				Env:      func(string) []string { return []string{"PATH=" + dir} },
				Say:      func(_, line string) { said += len(line) + 1 },
				Patience: patience,
			})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := LoadSigner(ctx, NewKeyRef("mm://key", nil), nil)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if said > maxSaid+1 {
				t.Errorf("%d bytes of standard error", said)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 512<<20 {
				t.Errorf("%d bytes of memory", grown)
			}
		})
	}
}

func TestPluginIsStopped(t *testing.T) {
	dir := script(t, "exec /bin/sleep 1000")
	cause := errors.New("the user pressed ctrl-C")
	ctx, cancel := context.WithCancelCause(withPath(t, dir))
	time.AfterFunc(100*time.Millisecond, func() { cancel(cause) })
	if _, err := LoadSigner(ctx, NewKeyRef("mm://key", nil), nil); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

// A plugin has the environment that it is given, and says to the caller what it
// has to say.
func TestPluginEnvironment(t *testing.T) {
	t.Setenv("MINTMARK_PASSWORD", "secret")
	t.Setenv("GITHUB_TOKEN", "secret")
	log := filepath.Join(t.TempDir(), "log")
	dir := script(t, "/usr/bin/env >'"+log+"'; echo touch the device >&2; echo '{\"errorMessage\":\"no\"}'")
	var said []string
	ctx := WithPlugins(t.Context(), Plugins{
		Env: func(name string) []string { return []string{"PATH=" + dir, "PLUGIN=" + name} },
		Say: func(name, line string) { said = append(said, name+": "+line) },
	})
	if _, err := LoadSigner(ctx, NewKeyRef("mm://key", nil), nil); err == nil || !strings.Contains(err.Error(), "sigstore-kms-mm: no") {
		t.Errorf("got %v", err)
	}
	data, err := os.ReadFile(log)
	if err != nil || strings.Contains(string(data), "secret") || !strings.Contains(string(data), "PLUGIN=mm\n") {
		t.Errorf("%s, %v", data, err)
	}
	if len(said) != 1 || said[0] != "sigstore-kms-mm: touch the device" {
		t.Errorf("said %q", said)
	}
	// "." and relative directories are no places to look for programs.
	ctx = WithPlugins(t.Context(), Plugins{Env: func(string) []string { return []string{"PATH=.:" + filepath.Base(dir)} }})
	t.Chdir(dir)
	if _, err := LoadSigner(ctx, NewKeyRef("mm://key", nil), nil); err == nil || !strings.Contains(err.Error(), "no program") {
		t.Errorf("got %v", err)
	}
}
