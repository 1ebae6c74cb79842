package provider

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"regain/storage"
)

// serveHead answers HEAD as GET, without the content (RFC 9110 §9.3.2), at every address that has a GET.
//
// HEAD is safe (§9.2.1): a preview of a link, a prefetcher or a scanner of mails sends it before the person comes, perhaps
// with the person's cookies. The GET of a browser that comes back, or of a wallet, takes a step; HEAD takes none, since the
// store refuses its changes. The route table has no other method that is safe but GET.
func serveHead(w http.ResponseWriter, r *http.Request, next http.Handler) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	ctx, refused := storage.ReadOnly(ctx)
	get := r.Clone(context.WithValue(ctx, refusedKey{}, refused))
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

type refusedKey struct{}

// takeNoStep answers a HEAD whose GET would take a step: 200, and none of what only the step could tell. An error would be
// no truth about the address, and has link checkers try GET next.
func takeNoStep(c *gin.Context) {
	if refused, ok := c.Request.Context().Value(refusedKey{}).(func() bool); ok {
		c.Writer = &steplessWriter{c.Writer, refused}
	}
}

// steplessWriter forgets what a handler says after its change was refused. It stands in the router's own writer, so that the
// event record of the request says what was sent.
type steplessWriter struct {
	gin.ResponseWriter
	refused func() bool
}

// Unwrap is for http.ResponseController.
func (w *steplessWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *steplessWriter) WriteHeader(status int) {
	if !w.refused() || w.Written() {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	h := w.Header()
	for name := range h {
		switch name {
		case "Correlation-Id", "Strict-Transport-Security":
		default:
			h.Del(name)
		}
	}
	h.Set("Cache-Control", "no-store")
	w.ResponseWriter.WriteHeader(http.StatusOK)
}
