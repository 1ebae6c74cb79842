package provider

import (
	"context"
	"net/http"
)

// serveHead answers HEAD as GET, without the content (RFC 9110 §9.3.2), at every address that has a GET.
func serveHead(w http.ResponseWriter, r *http.Request, next http.Handler) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	get := r.Clone(ctx)
	get.Method = http.MethodGet
	next.ServeHTTP(&headWriter{w, cancel}, get)
}

// headWriter sends headers only. A stream is over with them: nobody listens to it.
type headWriter struct {
	http.ResponseWriter
	over context.CancelFunc
}

// Write implements http.ResponseWriter.
func (w *headWriter) Write(content []byte) (int, error) { return len(content), nil }

// Flush implements http.Flusher.
func (w *headWriter) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
	w.over()
}

// Unwrap is for http.ResponseController.
func (w *headWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
