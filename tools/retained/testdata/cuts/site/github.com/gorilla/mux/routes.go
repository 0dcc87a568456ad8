package main

import "net/http"

func routes(c *config) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { page(c, w, req.URL.Path) })
}
