package keep_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"regain/internal/keep"
	"regain/storage"
)

// asked is a shared store that answers with err.
type asked struct {
	storage.Store
	err error
}

func (a *asked) Versions(context.Context, storage.Kind, []string) (map[string]int64, error) {
	return nil, a.err
}

// That other nodes' changes are not heard of shows on no page: the log tells it, once, and that it is over.
func TestASharedStoreThatDoesNotTell(t *testing.T) {
	var log bytes.Buffer
	store := &asked{}
	polled := keep.SharedBy(slog.New(slog.NewTextHandler(&log, nil)), struct{ storage.Store }{store}, store) // below one that hides it
	ask := func(ctx context.Context, err error, level string) {
		t.Helper()
		log.Reset()
		store.err = err
		if _, got := polled.Versions(ctx, "transaction", nil); !errors.Is(got, err) {
			t.Errorf("%v became %v", err, got)
		}
		if told := log.String(); strings.Contains(told, "level=") != (level != "") || !strings.Contains(told, level) {
			t.Errorf("after %v the log says %q, want %q", err, told, level)
		}
	}
	down := errors.New("connection refused")
	left, leave := context.WithCancel(t.Context())
	leave()
	ask(left, context.Canceled, "") // nobody waits any more
	ask(t.Context(), nil, "")
	ask(t.Context(), down, "level=ERROR")
	ask(t.Context(), down, "")
	ask(t.Context(), nil, "level=INFO")
	ask(t.Context(), down, "level=ERROR")
	if keep.SharedBy(slog.New(slog.DiscardHandler), struct{ storage.Store }{store}) != nil {
		t.Error("the store of one node is polled")
	}
}
