package presentation_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"regain/presentation"
)

// show is everything that a log could make of a value.
func show(value any) string {
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", value)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		fmt.Fprintf(&log, verb, value)
	}
	return log.String()
}

// Secrets and presentations show themselves to nobody, in any mode.
func TestRedaction(t *testing.T) {
	for mode, made := range modes(t) {
		r := made.r
		got, err := open(made.p, r, answerTo(t, r))
		must(t, got, err)
		values := map[string]any{"request": r, "pointer": &r, "answer": got, "presentations": got.Presentations}
		secrets := []string{r.Nonce, "a~b"}
		if r.State != "" {
			secrets = append(secrets, r.State)
		}
		if r.Key != nil {
			values["key"] = r.Key
			secrets = append(secrets, objectOf(t, text(t, r.Key))["d"].(string))
		}
		for name, value := range values {
			for _, secret := range secrets {
				if shown := show(value); strings.Contains(shown, secret) || strings.Contains(shown, fmt.Sprintf("%x", secret)) {
					t.Errorf("%s: the %s shows a secret: %.300s", mode, name, shown)
				}
			}
		}
	}
}

// TestPrintedAs holds what is printed instead: enough to know what it was.
func TestPrintedAs(t *testing.T) {
	r := newRequest(t)
	got, err := r.Open(answerTo(t, r), noon)
	must(t, got, err)
	refused, err := r.Open(map[string][]string{"error": {"access_denied"}, "state": {r.State}}, noon)
	must(t, refused, err)
	for want, value := range map[string]any{
		"Request[redacted]": r, "EncryptionKey[redacted]": *r.Key, "[face_check verified_id][redacted]": got.Presentations,
		"TransactionData x [redacted]": presentation.TransactionData{Type: "x"}, "WalletError access_denied [redacted]": *refused.Error,
	} {
		if said := fmt.Sprint(value); said != want {
			t.Errorf("printed as %s, want %s", said, want)
		}
	}
	if said := text(t, got.Presentations); said != `["face_check","verified_id"]` {
		t.Errorf("in JSON %s", said)
	}
}

// A wallet's error may name a person in its own words. Logs and JSON get the code.
func TestRedactionOfErrors(t *testing.T) {
	r := newRequest(t)
	got, err := r.Open(map[string][]string{"error": {"access_denied"}, "state": {r.State}, "error_description": {"Jane Doe said no"}}, noon)
	must(t, got, err)
	raw, err := json.Marshal(got)
	must(t, raw, err)
	shown := show(got.Error) + show(*got.Error) + show(got) + got.Error.Error() + string(raw)
	if strings.Contains(shown, "Jane") || !strings.Contains(shown, presentation.CodeAccessDenied) {
		t.Errorf("shown: %s", shown)
	}
}
