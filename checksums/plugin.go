package checksums

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/common"
)

// Sigstore's own client of its plugin protocol (cliplugin.PluginClient,
// v1.10.11) reads whatever a plugin prints, without end, hands it the whole
// environment, waits for ever, and takes an answer to another question for
// one to its own. This is a client of the same protocol, v1, that does not.

const (
	// pluginPrefix is what the names of plugins begin with.
	pluginPrefix = "sigstore-kms-"
	// maxAnswer bounds what a plugin may print on standard output. A public key
	// or a signature in base64 has some thousand bytes.
	maxAnswer = 1 << 20
	// maxSaid bounds what is read of a plugin's standard error.
	maxSaid = 64 << 10
)

// pluginPatience is how long one answer may take: somebody may have to touch a
// device or to confirm on another one.
const pluginPatience = 3 * time.Minute

// Plugins says how KMS plugins are started.
type Plugins struct {
	// Env is the whole environment of the plugin sigstore-kms-NAME; its PATH is
	// also where the plugin is looked for. Nil is none: no plugin is found then.
	Env func(name string) []string
	// Say is told the lines that a plugin writes to standard error, which may
	// ask the user to do something. May be nil.
	Say func(name, line string)
	// Patience is how long one answer may take; 0 means 3 minutes.
	Patience time.Duration
}

type pluginsKey struct{}

// WithPlugins gives the keys that are opened with ctx KMS plugins. Without it
// no plugin is started: this package reads no environment.
func WithPlugins(ctx context.Context, p Plugins) context.Context {
	return context.WithValue(ctx, pluginsKey{}, p)
}

// errNoPlugin says that there is no such program.
var errNoPlugin = errors.New("no such program")

// plugin is one key behind a plugin.
type plugin struct {
	Plugins
	name, key string // NAME://KEY
	path      string
	env       []string
	hash      crypto.Hash
}

// openPlugin finds the program for the key uri, NAME://….
func openPlugin(ctx context.Context, uri string) (*plugin, error) {
	p := &plugin{}
	p.Plugins, _ = ctx.Value(pluginsKey{}).(Plugins)
	p.name, p.key, _ = strings.Cut(uri, "://")
	if p.Env == nil || !isPluginName(p.name) {
		return nil, errNoPlugin
	}
	if p.Patience == 0 {
		p.Patience = pluginPatience
	}
	p.env = p.Env(p.name)
	for _, kv := range p.env {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.EqualFold(name, "PATH") {
			continue
		}
		for _, dir := range filepath.SplitList(value) {
			if !filepath.IsAbs(dir) {
				continue // "." on PATH is how the wrong program is run
			}
			if path, err := exec.LookPath(filepath.Join(dir, pluginPrefix+p.name)); err == nil {
				p.path = path
				return p, nil
			}
		}
	}
	return nil, errNoPlugin
}

// publicKey asks for the public half of the key.
func (p *plugin) publicKey(ctx context.Context) (crypto.PublicKey, error) {
	args := common.MethodArgs{MethodName: common.PublicKeyMethodName, PublicKey: &common.PublicKeyArgs{PublicKeyOptions: &common.PublicKeyOptions{}}}
	answer, err := p.ask(ctx, nil, &args)
	if err != nil {
		return nil, err
	}
	if answer.PublicKey == nil {
		return nil, errOtherAnswer
	}
	return cryptoutils.UnmarshalPEMToPublicKey(answer.PublicKey.PublicKeyPEM)
}

// sign asks for a signature of the message.
func (p *plugin) sign(ctx context.Context, message []byte) ([]byte, error) {
	args := common.MethodArgs{MethodName: common.SignMessageMethodName, SignMessage: &common.SignMessageArgs{SignOptions: &common.SignOptions{}}}
	answer, err := p.ask(ctx, message, &args)
	if err != nil {
		return nil, err
	}
	if answer.SignMessage == nil {
		return nil, errOtherAnswer
	}
	return answer.SignMessage.Signature, nil
}

var errOtherAnswer = errors.New("the plugin's answer does not belong to the question")

// ask runs the plugin once: the question is an argument, the message its
// standard input, and its standard output is the answer.
func (p *plugin) ask(ctx context.Context, message []byte, method *common.MethodArgs) (*common.PluginResp, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.Patience, fmt.Errorf("no answer within %v", p.Patience))
	defer cancel()
	deadline, _ := ctx.Deadline()
	rpc := common.RPCOptions{CtxDeadline: &deadline}
	if method.PublicKey != nil {
		method.PublicKey.PublicKeyOptions.RPCOptions = rpc
	}
	if method.SignMessage != nil {
		method.SignMessage.SignOptions.RPCOptions = rpc
	}
	question, err := json.Marshal(common.PluginArgs{
		InitOptions: &common.InitOptions{
			ProtocolVersion: common.ProtocolVersion, KeyResourceID: p.key, HashFunc: p.hash, CtxDeadline: &deadline, RPCOptions: &rpc,
		},
		MethodArgs: method,
	})
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, p.path, common.ProtocolVersion, string(question))
	cmd.Env = p.env
	if len(cmd.Env) == 0 {
		cmd.Env = []string{"LC_ALL=C"} // none would mean: that of this process
	}
	cmd.Stdin = bytes.NewReader(message)
	cmd.WaitDelay = 2 * time.Second // something it started may hold its output open
	out := &answerBuffer{end: cancel}
	said := &sayings{say: func(line string) {
		if p.Say != nil {
			p.Say(pluginPrefix+p.name, line)
		}
	}}
	cmd.Stdout, cmd.Stderr = out, said
	err = cmd.Run()
	said.flush()
	if out.over {
		return nil, fmt.Errorf("%s printed more than %d bytes", pluginPrefix+p.name, maxAnswer)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %w", pluginPrefix+p.name, context.Cause(ctx))
	}
	// The protocol takes an exit status of 1 and more for an answer as well: it
	// tells an error on standard output.
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 1) {
		return nil, fmt.Errorf("%s: %w", pluginPrefix+p.name, err)
	}
	var answer common.PluginResp
	if jsonErr := json.Unmarshal(out.kept.Bytes(), &answer); jsonErr != nil {
		return nil, errors.Join(fmt.Errorf("%s: the answer is not understood: %w", pluginPrefix+p.name, jsonErr), err)
	}
	if answer.ErrorMessage != "" {
		return nil, fmt.Errorf("%s: %s", pluginPrefix+p.name, answer.ErrorMessage)
	}
	return &answer, nil
}

// answerBuffer keeps an answer, and ends the plugin that prints more. It must
// not embed the buffer: io.Copy would use its ReadFrom, which knows no bound.
type answerBuffer struct {
	kept bytes.Buffer
	end  func()
	over bool
}

func (b *answerBuffer) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > maxAnswer {
		b.over = true
		b.end()
		return 0, errors.New("too long")
	}
	return b.kept.Write(p)
}

// sayings passes on the lines of a plugin's standard error, up to maxSaid bytes.
type sayings struct {
	say  func(line string)
	line []byte
	read int
}

func (s *sayings) Write(p []byte) (int, error) {
	for _, c := range p[:min(len(p), max(0, maxSaid-s.read))] {
		if c == '\n' {
			s.flush()
			continue
		}
		s.line = append(s.line, c)
	}
	s.read += len(p)
	return len(p), nil
}

func (s *sayings) flush() {
	if text := strings.TrimSpace(string(s.line)); text != "" {
		s.say(text)
	}
	s.line = s.line[:0]
}
