// Command sigstore-kms-mmtest is a KMS plugin for the tests: its keys are PEM
// files, named by path. It speaks Sigstore's plugin protocol v1. The key
// "empty" answers every question with an empty object, as a broken plugin may.
package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/common"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/handler"
)

type fileKey struct{ signature.SignerVerifier }

func (fileKey) CreateKey(context.Context, string) (crypto.PublicKey, error) {
	return nil, errors.New("not supported")
}

func (fileKey) CryptoSigner(context.Context, func(error)) (crypto.Signer, crypto.SignerOpts, error) {
	return nil, nil, errors.New("not supported")
}
func (fileKey) SupportedAlgorithms() []string { return nil }
func (fileKey) DefaultAlgorithm() string      { return "" }

func main() {
	if len(os.Args) < 3 || os.Args[1] != common.ProtocolVersion {
		fmt.Fprintln(os.Stderr, "not called by a client of protocol "+common.ProtocolVersion)
		os.Exit(1)
	}
	args, err := handler.GetPluginArgs(os.Args)
	if err == nil {
		err = answer(args)
	}
	if err != nil {
		handler.WriteErrorResponse(os.Stdout, err)
		os.Exit(1)
	}
}

func answer(args *common.PluginArgs) error {
	path := args.InitOptions.KeyResourceID
	if path == "empty" {
		return handler.WriteResponse(os.Stdout, &common.PluginResp{})
	}
	// "swap|A|B" tells the public key of A and signs with B.
	if pair, ok := strings.CutPrefix(path, "swap|"); ok {
		a, b, _ := strings.Cut(pair, "|")
		if path = a; args.MethodName == common.SignMessageMethodName {
			path = b
		}
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	priv, err := cryptoutils.UnmarshalPEMToPrivateKey(pem, cryptoutils.SkipPassword)
	if err != nil {
		return err
	}
	sv, err := signature.LoadSignerVerifier(priv, args.InitOptions.HashFunc)
	if err != nil {
		return err
	}
	_, err = handler.Dispatch(os.Stdout, os.Stdin, args, fileKey{sv})
	return err
}
