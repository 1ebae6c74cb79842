package load

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// nothing is a path of the measured server that reads a form and answers with a line of JSON: what a request costs in
// the standard library's server before anybody does anything with it.
const nothing = "/nothing"

func answerNothing(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "not a form", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	io.WriteString(w, `{"nothing":true}`) //nolint:errcheck // the client will notice
}

// knock sends n requests to nothing.
func (k *worker) knock(ctx context.Context, n int64) error {
	for range n {
		if _, err := form(ctx, k.client, k.env.Regain+nothing, url.Values{"a": {"form"}}); err != nil {
			return fmt.Errorf("measure the bare server: %w", err)
		}
	}
	return nil
}
