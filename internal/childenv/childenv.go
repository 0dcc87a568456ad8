// Package childenv makes the environments of the programs that mintmark starts
// out of the user's. It is the one home of that: what is not named here reaches
// no child.
//
// Every kind of child has an allow-list. A list of what is harmful would never
// be complete: a token has whatever name the service gave it. What mintmark
// itself is told in secret (its passphrases, the key of its ledger) is on no
// list, and no rule below lets it in; see [Secret].
//
// # What no kind gets
//
// Tokens (GITHUB_TOKEN, NPM_TOKEN, AWS_SECRET_ACCESS_KEY, …) reach nobody but
// a KMS plugin, and that gets the ones of clouds only; rsync gets its own password. Where the fetch phase
// needs a credential, git's credential helpers, .netrc and ssh's agent have it;
// a helper that wants it in a variable does not find it.
package childenv

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Kind is a kind of child.
type Kind uint8

const (
	// None is for what gets nothing but what its caller writes down: builds,
	// UPX, programs that are measured, and git where the objects are here.
	None Kind = iota
	// Settings is git or go that is asked what the user has set, and starts nothing.
	Settings
	// Fetch is git or go that uses the network: it needs the user's
	// configuration, proxies, certificates and credential helpers.
	Fetch
	// Carry is ssh or a container engine that reaches another machine with the user's
	// own settings.
	Carry
	// Rsync is rsync, with the ssh that it starts.
	Rsync
)

// system are the variables without which nothing starts on Windows.
var system = []string{"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "PATHEXT", "COMSPEC"}

// settings say where the user's settings are and what overrides them.
var settings = []string{
	"HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "XDG_CONFIG_HOME",
	"GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EXEC_PATH",
	"GIT_CONFIG_COUNT", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM",
}

// network are the variables with which a server is reached.
var network = []string{
	"PATH",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC", "SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "DISPLAY",
	"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_ASKPASS", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_PROXY_COMMAND",
	"GIT_TERMINAL_PROMPT",
}

// carriers are the variables that say where a container engine is, and how it is
// spoken to.
var carriers = []string{
	"USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "XDG_RUNTIME_DIR",
	"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION",
	"BUILDX_BUILDER", "BUILDX_CONFIG", "KUBECONFIG",
}

// rsync are the variables with which rsync and ssh reach another machine
// (https://download.samba.org/pub/rsync/rsync.1#ENVIRONMENT_VARIABLES). The password is
// there for the daemon that asks for it; what changes how arguments and names are read,
// such as RSYNC_OLD_ARGS and RSYNC_ICONV, is not.
var rsync = []string{
	"HOME", "USERPROFILE", "PATH", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "XDG_RUNTIME_DIR",
	"SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "DISPLAY",
	"RSYNC_RSH", "RSYNC_PASSWORD", "RSYNC_PROXY", "RSYNC_CONNECT_PROG",
}

// lists is what each kind gets of the user's environment.
var lists = map[Kind][]string{
	None:     system,
	Settings: slices.Concat(system, settings),
	Fetch:    slices.Concat(system, settings, network),
	Carry:    slices.Concat(system, settings, network, carriers),
	Rsync:    slices.Concat(system, rsync),
}

// Of is the part of the user's environment, in the form of os.Environ, that a
// child of that kind gets.
func Of(kind Kind, environ []string) []string {
	list := lists[kind]
	return filter(environ, func(name string) bool {
		// One setting of git's in two variables, counted by GIT_CONFIG_COUNT.
		pair := strings.HasPrefix(name, "GIT_CONFIG_KEY_") || strings.HasPrefix(name, "GIT_CONFIG_VALUE_")
		return slices.Contains(list, name) || kind != None && kind != Rsync && pair
	})
}

// pluginNames and pluginPrefixes are what a KMS plugin gets: where its settings
// are, how it reaches the network, and the credentials of the known clouds and
// key stores.
var (
	pluginNames = []string{
		"USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TERM", "GPG_TTY", "WAYLAND_DISPLAY",
		"DBUS_SESSION_BUS_ADDRESS", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "SOFTHSM2_CONF", "GNUPGHOME",
		"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
	}
	pluginPrefixes = []string{
		"AWS_", "AZURE_", "MSI_", "IDENTITY_", "GOOGLE_", "GCP_", "GCE_", "CLOUDSDK_", "VAULT_", "BAO_", "OCI_", "IBMCLOUD_",
		"ALIBABA_CLOUD_", "TENCENTCLOUD_", "OVH_", "SCW_", "KMS_", "PKCS11_", "YUBIHSM_",
	}
)

// Plugin is the part of the user's environment that the KMS plugin of that
// name gets (NAME of sigstore-kms-NAME): settings and network, what the known
// clouds and key stores read, and variables that begin with the plugin's own
// name, such as ACME_HSM_PIN for acme-hsm.
func Plugin(name string, environ []string) []string {
	own := strings.ToUpper(strings.NewReplacer("-", "_", "+", "_").Replace(name)) + "_"
	return filter(environ, func(variable string) bool {
		if slices.Contains(lists[Fetch], variable) && !strings.HasPrefix(variable, "GIT_") || slices.Contains(pluginNames, variable) {
			return true
		}
		has := func(prefix string) bool { return strings.HasPrefix(variable, prefix) }
		return slices.ContainsFunc(pluginPrefixes, has) || has(own)
	})
}

// Secret reports whether a variable tells mintmark itself a secret. No child
// gets one, whatever it is called.
func Secret(name string) bool {
	return strings.HasPrefix(name, "MINTMARK_") || strings.HasPrefix(name, "COSIGN_")
}

// filter keeps the variables whose names are allowed. Windows does not tell
// capitals from small letters in them: Path, SystemRoot.
func filter(environ []string, allowed func(name string) bool) []string {
	var out []string
	for _, kv := range environ {
		name, _, ok := strings.Cut(kv, "=")
		if runtime.GOOS == "windows" {
			name = strings.ToUpper(name)
		}
		if ok && !Secret(name) && allowed(name) {
			out = append(out, kv)
		}
	}
	return out
}

// Quiet are variables for git in a fetch phase, beside the user's own: what git
// runs unasked is off. settings, NAME=VALUE, come after that, and all of them
// after those settings that the environment holds already.
func Quiet(environ, settings []string) []string {
	n := 0
	for _, kv := range environ {
		if v, ok := strings.CutPrefix(kv, "GIT_CONFIG_COUNT="); ok {
			if n, _ = strconv.Atoi(v); n < 0 {
				n = 0
			}
		}
	}
	out := []string{"GIT_TEMPLATE_DIR="}
	for _, setting := range slices.Concat([]string{
		"core.hooksPath=" + os.DevNull, "core.fsmonitor=false", "protocol.ext.allow=never", "uploadpack.packObjectsHook=", "core.pager=cat",
	}, settings) {
		i := strings.LastIndexByte(setting, '=') // the middle of a name may have one
		out = append(out, "GIT_CONFIG_KEY_"+strconv.Itoa(n)+"="+setting[:i], "GIT_CONFIG_VALUE_"+strconv.Itoa(n)+"="+setting[i+1:])
		n++
	}
	return append(out, "GIT_CONFIG_COUNT="+strconv.Itoa(n))
}

// Path is the PATH of a child that needs the system's programs and those beside
// the given ones, and nothing of the user's.
func Path(programs ...string) string {
	var dirs []string
	add := func(dir string) {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, p := range programs {
		if p != "" {
			add(filepath.Dir(p))
		}
	}
	if runtime.GOOS == "windows" {
		add(`C:\Windows\System32`)
		add(`C:\Windows`)
	} else {
		for _, d := range []string{"/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"} {
			add(d)
		}
	}
	return strings.Join(dirs, string(os.PathListSeparator))
}
