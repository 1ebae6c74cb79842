package openid

import (
	"context"
	"errors"
	"maps"

	"github.com/gin-gonic/gin"

	"regain/provider/problem"
	"regain/provider/web"
	"regain/storage"
)

// together runs a handler whose changes of the store are committed with each other: those that may wait go with the next
// one, and what then still waits is committed when the handler writes the first byte of its answer, or ends. If that fails,
// nothing of its answer is sent, and the error takes the place of its own.
func together(c *gin.Context, next web.Handler) (err error) {
	ctx, unit := storage.Begin(c.Request.Context())
	c.Request = c.Request.WithContext(ctx)
	answer, before := &committedAnswer{c.Writer, ctx, unit}, c.Writer.Header().Clone()
	c.Writer = answer
	defer func() { // after a panic, too: what the client showed is used up
		c.Writer = answer.ResponseWriter
		if failed := finished(ctx, unit); failed != nil {
			err = failed
			clear(c.Writer.Header()) // of what the handler would have answered
			maps.Copy(c.Writer.Header(), before)
		}
	}()
	return next(c)
}

// finished commits what is postponed, and returns the error that the request has to end with.
func finished(ctx context.Context, unit *storage.Unit) error {
	err := unit.Finish(ctx)
	var shown *problem.Error
	if err == nil || errors.As(err, &shown) {
		return err
	}
	return problem.Unavailable(err)
}

// committedAnswer is where a handler writes: nothing gets out before everything that it rests on is committed.
type committedAnswer struct {
	gin.ResponseWriter
	ctx  context.Context //nolint:containedctx // of the one request that it answers
	unit *storage.Unit
}

func (a *committedAnswer) committed() bool { return a.unit.Finish(a.ctx) == nil }

// Write implements http.ResponseWriter.
func (a *committedAnswer) Write(content []byte) (int, error) {
	if !a.committed() {
		return len(content), nil
	}
	return a.ResponseWriter.Write(content) //nolint:wrapcheck // the writer's own
}

// WriteString implements io.StringWriter.
func (a *committedAnswer) WriteString(content string) (int, error) { return a.Write([]byte(content)) }

// WriteHeaderNow implements gin.ResponseWriter.
func (a *committedAnswer) WriteHeaderNow() {
	if a.committed() {
		a.ResponseWriter.WriteHeaderNow()
	}
}

// Flush implements http.Flusher.
func (a *committedAnswer) Flush() {
	if a.committed() {
		a.ResponseWriter.Flush()
	}
}
