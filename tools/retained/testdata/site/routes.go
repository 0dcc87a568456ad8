package main

import (
	"net/http"

	"github.com/gorilla/mux"
)

func routes(c *config) http.Handler {
	r := mux.NewRouter()
	r.HandleFunc("/page/{name}", func(w http.ResponseWriter, req *http.Request) { page(c, w, mux.Vars(req)["name"]) }).Methods(http.MethodGet)
	r.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) { page(c, w, "index") })
	return r
}
