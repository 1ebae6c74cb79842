// Package recoverytest looks for secrets in what is printed, for tests.
package recoverytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
)

// Shows prints a value in every way there is, and returns what was printed if the secret is in it, else "".
func Shows(holder any, secret string) string {
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, holder)
	}
	if encoded, err := json.Marshal(holder); err == nil {
		out.Write(encoded)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "holder", holder)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "holder", holder)
	for _, trace := range []string{secret, fmt.Sprintf("%x", secret)} {
		if strings.Contains(out.String(), trace) {
			return out.String()
		}
	}
	return ""
}
