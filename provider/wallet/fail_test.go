package wallet

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"regain/presentation"
	"regain/provider/web"
	"regain/recovery"
	"regain/verifier"
)

// Whatever a wallet is refused for, it is told the id that finds the cause in the log, and nothing of the cause.
func TestEveryRefusalHasItsCorrelationID(t *testing.T) {
	for err, status := range map[error]int{
		presentation.ErrMalformed: http.StatusBadRequest, presentation.ErrTooLarge: http.StatusBadRequest, presentation.ErrUnsupportedWallet: http.StatusBadRequest,
		presentation.ErrPlaintext: http.StatusBadRequest, presentation.ErrAlgorithm: http.StatusBadRequest, presentation.ErrUnknownKey: http.StatusBadRequest,
		presentation.ErrDecrypt: http.StatusBadRequest, presentation.ErrState: http.StatusBadRequest, presentation.ErrNotAsked: http.StatusBadRequest,
		presentation.ErrMissing: http.StatusBadRequest, presentation.ErrProtocol: http.StatusBadRequest, presentation.ErrRejected: http.StatusBadRequest,
		presentation.ErrExpired: http.StatusGone, recovery.ErrExpired: http.StatusGone, recovery.ErrClosed: http.StatusGone, recovery.ErrNoTransaction: http.StatusNotFound,
		recovery.ErrAnswered: http.StatusBadRequest, recovery.ErrConflict: http.StatusBadRequest, recovery.ErrIllegalStep: http.StatusBadRequest,
		verifier.ErrUnavailable: http.StatusServiceUnavailable, verifier.ErrRefused: http.StatusBadRequest,
		web.ErrNotNow: http.StatusInternalServerError, errors.New("disk"): http.StatusInternalServerError,
	} {
		got, body := errorFor(fmt.Errorf("secret cause: %w", err), "0123456789abcdef")
		text, marshalErr := json.Marshal(body)
		if marshalErr != nil {
			t.Fatal(marshalErr)
		}
		var told map[string]string
		if err := json.Unmarshal(text, &told); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got != status || len(told) != 3 || told["error"] == "" || told["error_description"] == "" || told["correlation_id"] != "0123456789abcdef" {
			t.Errorf("%v: %d %s", err, got, text)
		}
	}
}
