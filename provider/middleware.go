package provider

import (
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"regain/recovery"
)

// Keys of what one request's event record collects on its way (one log event a request, written once at the end).
const (
	keyCorrelation = "regain.correlation"
	keyTransaction = "regain.transaction"
	keyError       = "regain.error"
)

// record gives every request a correlation id and logs it once: method, route (never the path, which holds handles),
// status, time, transaction, and the cause of a failure.
func (p *Provider) record(c *gin.Context) {
	id, err := p.newCorrelationID()
	if err != nil {
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	c.Set(keyCorrelation, id)
	c.Header("Correlation-Id", id)
	start := p.deps.Clock()
	c.Next()
	level := slog.LevelInfo
	if c.Writer.Status() >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if !p.deps.Logger.Enabled(c.Request.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("correlation_id", id), slog.String("method", c.Request.Method), slog.String("route", c.FullPath()),
		slog.Int("status", c.Writer.Status()), slog.Duration("took", p.deps.Clock().Sub(start)),
	}
	if t, ok := c.Get(keyTransaction); ok {
		attrs = append(attrs, slog.Any("transaction", t))
	}
	if attr, ok := diagnosed(c); ok {
		attrs = append(attrs, attr)
	}
	if e, ok := c.Get(keyError); ok {
		attrs = append(attrs, slog.Any("cause", e))
	}
	p.deps.Logger.LogAttrs(c.Request.Context(), level, "request", attrs...)
}

func (p *Provider) newCorrelationID() (string, error) {
	var buf [8]byte
	if _, err := io.ReadFull(p.deps.Random, buf[:]); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return hex.EncodeToString(buf[:]), nil
}

// recoverPanic keeps a panic in one handler from taking others down, and its text from the client.
func (p *Provider) recoverPanic(c *gin.Context) {
	defer func() {
		if cause := recover(); cause != nil {
			p.failPage(c, fmt.Errorf("panic: %v", cause))
		}
	}()
	c.Next()
}

func correlationID(c *gin.Context) string { return c.GetString(keyCorrelation) }

func note(c *gin.Context, t recovery.Transaction) { c.Set(keyTransaction, t) }

func noteError(c *gin.Context, err error) { c.Set(keyError, err.Error()) }

// secureHeaders are on every page: no framing, no sniffing, no referrer to others (RFC 9700 §4.2),
// nothing from elsewhere.
func secureHeaders(c *gin.Context) {
	setPolicy(c, "'self'")
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // no-referrer would make browsers send `Origin: null` with our own forms
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	noStore(c)
}

// setPolicy sets the Content Security Policy. Forms go to formAction, or anywhere where there is none.
func setPolicy(c *gin.Context, formAction ...string) {
	policy := "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
	if len(formAction) > 0 {
		policy += "; form-action " + strings.Join(formAction, " ")
	}
	c.Header("Content-Security-Policy", policy)
}
