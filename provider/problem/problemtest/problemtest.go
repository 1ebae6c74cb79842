// Package problemtest holds refusals against what their clients are promised.
package problemtest

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"regain/provider/problem"
)

// status is the HTTP status of an OAuth error code: 400 where this says nothing else (RFC 6749 §5.2, RFC 6750 §3.1).
func status(code, why string) int {
	switch code {
	case "invalid_client", "invalid_token":
		return http.StatusUnauthorized
	case "insufficient_scope", "access_denied":
		return http.StatusForbidden
	case "temporarily_unavailable":
		return http.StatusServiceUnavailable
	case "server_error":
		return http.StatusInternalServerError
	}
	if strings.Contains(why, "This method is not allowed here") {
		return http.StatusMethodNotAllowed
	}
	return http.StatusBadRequest
}

// WantRefusal holds an error against its OAuth code, the status that goes with it, and a part of why, which the client is told
// or the log.
func WantRefusal(t testing.TB, err error, code, why string) {
	t.Helper()
	var refused *problem.Error
	if !errors.As(err, &refused) || refused.Code != code || !strings.Contains(refused.Error(), why) {
		t.Errorf("got %v, want %s: … %s", err, code, why)
		return
	}
	if want := status(code, why); refused.Status != want {
		t.Errorf("%v: status %d, want %d", err, refused.Status, want)
	}
}
