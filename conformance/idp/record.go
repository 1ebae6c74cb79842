package idp

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// notes are what a handler adds to the log event of its request. No secret is among them.
type notes struct{ attrs []slog.Attr }

type notesKey struct{}

func note(r *http.Request, key, value string) {
	if n, ok := r.Context().Value(notesKey{}).(*notes); ok {
		n.attrs = append(n.attrs, slog.String(key, value))
	}
}

// recorder writes one event for each request.
type recorder struct {
	logger *slog.Logger
	clock  func() time.Time
}

// record runs an action, renders its error and logs one event: the route and never the URL, which may hold a code.
func (e recorder) record(do action, render func(http.ResponseWriter, error) int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &notes{}
		r = r.WithContext(context.WithValue(r.Context(), notesKey{}, n))
		began, level := e.clock(), slog.LevelInfo
		err := attempted(do, w, r)
		if err != nil {
			level = slog.LevelWarn
			status := render(w, err)
			if status == http.StatusInternalServerError {
				level = slog.LevelError
			}
			n.attrs = append(n.attrs, slog.Int("status", status), slog.String("cause", err.Error()))
		}
		attrs := append([]slog.Attr{slog.String("method", r.Method), slog.String("route", r.Pattern), slog.Duration("took", e.clock().Sub(began))}, n.attrs...)
		e.logger.LogAttrs(r.Context(), level, "request", attrs...)
	})
}

// attempted runs an action whose form has been read.
func attempted(do action, w http.ResponseWriter, r *http.Request) error {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return fmt.Errorf("%w: the form cannot be read", errAccountName)
		}
	}
	return do(w, r)
}
