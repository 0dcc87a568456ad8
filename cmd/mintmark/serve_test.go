package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// servetls DIR serves a directory over https below $SERVER/files/, and has mintmark
// believe its certificate. Below $SERVER/file/ everything leads to a file of this
// machine, below $SERVER/endless/ nothing ends, and below $SERVER/short/ everything
// ends before it should.
func serveTLS(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: servetls dir")
	}
	dir := ts.MkAbs(args[0])
	mux := http.NewServeMux()
	mux.Handle("/files/", http.StripPrefix("/files/", http.FileServer(http.Dir(dir))))
	mux.HandleFunc("/file/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "file://"+filepath.ToSlash(filepath.Join(dir, filepath.Base(r.URL.Path))))
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/endless/", func(w http.ResponseWriter, r *http.Request) {
		for block := make([]byte, 1<<16); ; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/short/", func(w http.ResponseWriter, r *http.Request) {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(r.URL.Path, "/short/"))))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", "1000000")
		w.Write(data[:len(data)/2])
	})
	s := httptest.NewTLSServer(mux)
	ts.Defer(s.Close)
	cert := filepath.Join(ts.Getenv("WORK"), "server.pem")
	ts.Check(os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o644))
	ts.Setenv("SERVER", s.URL)
	ts.Setenv("SSL_CERT_FILE", cert)
}
