package toolchain

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/childenv"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/files"
)

// Place is where one of the builds happens: directories and circumstances that
// it shares with no other place. Two places with nothing in common are what
// makes a rebuild worth something.
type Place struct {
	Home     string // HOME, USERPROFILE
	Tmp      string // TMPDIR, TEMP, TMP
	GoCache  string // GOCACHE
	ModCache string // GOMODCACHE
	Empty    string // an empty directory, outside of any module
	Git      string // the git command; its directory is on PATH

	// The circumstances; all of them may differ without changing a byte.
	TimeZone  string // TZ
	Language  string // LANG, LC_ALL
	MaxProcs  int    // GOMAXPROCS of the go command and its tools; 0: not set
	Umask     int    // file mode mask of the build; negative: that of this process. Unix only.
	Hostname  string // host name the build sees, where the system permits; see [CanSetHostname]
	OtherUser bool   // USER and LOGNAME say somebody else
	// Nonce tells one execution from all others; "" where nobody could take two for
	// one. It changes nothing of what is built.
	Nonce string

	// Confined is told what held the commands that ran in the place; see Confine.
	Confined *confine.Log
	// Ready looks at a build cache that earlier runs may have filled: whoever could
	// write there chose what the go command writes into. It is asked of GoCache
	// before each command, and not at all if none is needed; nil if nothing of
	// earlier runs can be there. It may be called from several goroutines.
	Ready func(goCache string) error
}

// Check is what Ready says of the place's build cache, for whoever reads or
// changes it by himself.
func (p *Place) Check() error {
	if p.Ready == nil {
		return nil
	}
	return p.Ready(p.GoCache)
}

// Confine are the limits of a command in this place after the fetch phase: it
// may write the place's own directories, and what is named, and nothing else. The
// module cache is not among them: it is filled by then, and it outlives the build.
func (p *Place) Confine(write ...string) confine.Limits {
	return confine.Limits{Write: append([]string{p.Home, p.Tmp, p.GoCache}, write...), Log: p.Confined, Ready: p.Check}
}

// Fetching are the limits of a command of the fetch phase, which are none: it may
// need the user's network, settings, credential helpers and repository. It does
// not build.
func Fetching() confine.Limits {
	return confine.Limits{Waived: "it fetches, with the user's own settings, credential helpers and network"}
}

// Fetching are the limits of a command of the fetch phase in this place: no more
// than that its build cache is looked at.
func (p *Place) Fetching() confine.Limits {
	l := Fetching()
	l.Ready = p.Check
	return l
}

// Make creates the place's directories.
func (p *Place) Make() error {
	for _, dir := range []string{p.Home, p.Tmp, p.GoCache, p.ModCache, p.Empty} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	// Otherwise the go command starts a process that outlives it and writes
	// into HOME (golang.org/x/telemetry). No variable turns that off.
	mode := filepath.Join(p.configDir(), "go", "telemetry", "mode")
	if err := os.MkdirAll(filepath.Dir(mode), 0o755); err != nil {
		return err
	}
	return files.Write(mode, []byte("off"), 0o644)
}

// configDir is what os.UserConfigDir gives in the place.
func (p *Place) configDir() string {
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(p.Home, "AppData", "Roaming")
	case "darwin", "ios":
		return filepath.Join(p.Home, "Library", "Application Support")
	}
	return filepath.Join(p.Home, ".config")
}

// UnitEnv are the variables that can change the bytes of a build, apart from
// the unit's own: every one is explicit, and the ones that are cleared are
// cleared because they leak into the product otherwise.
func UnitEnv() []string {
	return []string{
		"GOENV=off",           // `go env -w` settings; GOFLAGS= alone does not clear them
		"GOFLAGS=",            // all flags are on the command line
		"GOWORK=off",          // a go.work in any parent changes DefaultGODEBUG
		"GOTOOLCHAIN=local",   // the toolchain is the one whose go is run
		"GO111MODULE=on",      //
		"GODEBUG=",            //
		"GOFIPS140=off",       // recorded in the binary
		"GOEXPERIMENT=",       // recorded in the binary, changes the version string
		"GO_EXTLINK_ENABLED=", // changes the build ID
		"GOCOMPILEDEBUG=",     // changes the build ID
		"GOVCS=*:off",         // no version control of dependencies in a build
	}
}

// Env is the whole environment of a build in this place: unit's variables (see
// [UnitEnv]; they win), then what only the place decides. proxy is GOPROXY:
// "off", or the download directory of the place's own module cache.
func (p *Place) Env(unit []string, proxy string) []string {
	env := append(UnitEnv(), unit...)
	env = append(env, "GOPROXY="+proxy, "GOSUMDB=off", "GONOSUMDB=", "GOPRIVATE=", "GONOPROXY=", "GOINSECURE=", "GOAUTH=off")
	return append(env, p.own()...)
}

// own is what the place decides for every command.
func (p *Place) own() []string {
	env := []string{
		"HOME=" + p.Home,
		"TMPDIR=" + p.Tmp,
		"GOCACHE=" + p.GoCache,
		"GOMODCACHE=" + p.ModCache,
		"GOPATH=" + filepath.Join(p.Home, "go"),
		"PATH=" + childenv.Path(p.Git),
		"TZ=" + p.TimeZone,
		"LANG=" + p.Language,
		"LC_ALL=" + p.Language,
		// git: nobody's configuration, no questions, no helpers
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_CONFIG_SYSTEM=" + os.DevNull,
		"GIT_TERMINAL_PROMPT=0",
		"GIT_OPTIONAL_LOCKS=0",
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_NO_LAZY_FETCH=1",
		"GIT_ALLOW_PROTOCOL=none",
	}
	if p.MaxProcs > 0 {
		env = append(env, "GOMAXPROCS="+strconv.Itoa(p.MaxProcs))
	}
	if p.Nonce != "" {
		env = append(env, "MINTMARK_NONCE="+p.Nonce)
	}
	if p.OtherUser {
		env = append(env, "USER=mintmark", "LOGNAME=mintmark")
	}
	if runtime.GOOS == "windows" {
		// Without these neither go nor git starts.
		root := `C:\Windows`
		env = append(env, "SYSTEMROOT="+root, "WINDIR="+root, "USERPROFILE="+p.Home,
			"APPDATA="+p.configDir(), "LOCALAPPDATA="+filepath.Join(p.Home, "AppData", "Local"),
			"TEMP="+p.Tmp, "TMP="+p.Tmp, "PATHEXT=.COM;.EXE;.BAT;.CMD")
	}
	return env
}

// FetchEnv is the environment of the fetch phase: the network and the user's
// module proxy are allowed, the checksum database is on, and nothing that
// steers a build is let in.
func (p *Place) FetchEnv(s Settings) []string {
	env := append(UnitEnv(), p.own()...)
	for _, name := range []string{"GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_NO_LAZY_FETCH", "GIT_ALLOW_PROTOCOL"} {
		env = without(env, name) // private modules may need the user's git configuration
	}
	env = append(env, s.Network...) // after own: HOME and PATH are the user's here, for .netrc and credential helpers
	env = append(env, childenv.Quiet(s.Network, nil)...)
	proxy := s.GOPROXY
	if s.ModCache != "" { // also with GOPROXY=off, as the go command itself does
		if _, err := os.Stat(filepath.Join(s.ModCache, "cache", "download")); err == nil {
			proxy = proxyURL(s.ModCache) + "," + proxy
		}
	}
	vcs := s.GOVCS
	return append(env,
		"GOPROXY="+proxy, "GOSUMDB="+s.GOSUMDB, "GOPRIVATE="+s.GOPRIVATE, "GONOPROXY="+s.GONOPROXY,
		"GONOSUMDB="+s.GONOSUMDB, "GOINSECURE="+s.GOINSECURE, "GOAUTH="+s.GOAUTH, "GOVCS="+vcs,
	)
}

// minRoom is the least room that is worth giving: with less than this the
// collector would run more often than by itself.
const minRoom = 512 << 20

// Roomy are the variables that let a go command and the tools it starts fill up
// to room bytes each before they collect garbage as often as Go programs do. A
// quarter of the CPU time of a build that compiles little goes into collecting
// garbage of processes that end in a moment. One that compiles much would only
// need more memory: compilers take what they are given. No byte of a build and
// no action ID depends on them. Too little room gives none.
func Roomy(room int64) []string {
	if room < minRoom {
		return nil
	}
	return []string{"GOGC=400", "GOMEMLIMIT=" + strconv.FormatInt(room, 10)}
}

// Proxy is the GOPROXY value that serves what this place has downloaded.
func (p *Place) Proxy() string { return proxyURL(p.ModCache) }

func without(env []string, name string) []string {
	var out []string
	for _, kv := range env {
		if n, _, _ := strings.Cut(kv, "="); n != name {
			out = append(out, kv)
		}
	}
	return out
}
