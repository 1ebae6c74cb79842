package web

import (
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
)

// Keys of what one request's event record collects on its way.
const (
	keyCorrelation = "regain.correlation"
	keyAttributes  = "regain.attributes"
	keyError       = "regain.error"
)

// Record gives every request a correlation id and logs it once: method, route (never the path, which holds handles),
// status, time, what the handlers noted, and the cause of a failure.
func (w *Web) Record(c *gin.Context) {
	id, err := w.NewID()
	if err != nil {
		w.Fail(c, err)
		return
	}
	c.Set(keyCorrelation, id)
	c.Header("Correlation-Id", id)
	if w.hsts != "" {
		c.Header("Strict-Transport-Security", w.hsts)
	}
	start := w.cfg.Clock()
	c.Next()
	w.log(c, id, start)
}

// log is apart from Record, whose frame is part of the stack of every live page that waits.
func (w *Web) log(c *gin.Context, id string, start time.Time) {
	level := slog.LevelInfo
	if c.Writer.Status() >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if !w.cfg.Logger.Enabled(c.Request.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("correlation_id", id), slog.String("method", c.Request.Method), slog.String("route", c.FullPath()),
		slog.Int("status", c.Writer.Status()), slog.Duration("took", w.cfg.Clock().Sub(start)),
	}
	attrs = append(attrs, noted(c)...)
	if cause, ok := c.Get(keyError); ok {
		attrs = append(attrs, slog.Any("cause", cause))
	}
	w.cfg.Logger.LogAttrs(c.Request.Context(), level, "request", attrs...)
}

// NewID returns 16 random hexadecimal digits: a correlation id, or the jti of a token of ours.
func (w *Web) NewID() (string, error) {
	var buf [8]byte
	if _, err := io.ReadFull(w.cfg.Random, buf[:]); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return hex.EncodeToString(buf[:]), nil
}

// Logger is for what happens after a request.
func (w *Web) Logger() *slog.Logger { return w.cfg.Logger }

// RecoverPanic keeps a panic in one handler from taking others down, and its text from the client.
func (w *Web) RecoverPanic(c *gin.Context) {
	defer func() {
		if cause := recover(); cause != nil {
			w.Fail(c, fmt.Errorf("panic: %v", cause))
		}
	}()
	c.Next()
}

// CorrelationID returns the request's correlation id, which finds its event record in the log.
func CorrelationID(c *gin.Context) string { return c.GetString(keyCorrelation) }

// Note adds an attribute to the request's event record, in place of an earlier one of the same key.
func Note(c *gin.Context, attr slog.Attr) {
	attrs := slices.DeleteFunc(noted(c), func(a slog.Attr) bool { return a.Key == attr.Key })
	c.Set(keyAttributes, append(attrs, attr))
}

func noted(c *gin.Context) []slog.Attr {
	value, _ := c.Get(keyAttributes)
	attrs, _ := value.([]slog.Attr)
	return attrs
}

// NoteError notes the cause of a failure. It is logged and shown to nobody.
func NoteError(c *gin.Context, err error) { c.Set(keyError, err.Error()) }
