package verifier_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"regain/verifier"
)

func TestRedaction(t *testing.T) {
	s := newScene(t)
	p := s.presentation(t)
	verified, err := s.verifier(t).Verify(t.Context(), p, s.expect)
	if err != nil {
		t.Fatal(err)
	}
	jti, _ := s.id.Claims["jti"].(string)
	for name, value := range map[string]any{"presentation": p, "verified": verified, "pointer": &verified, "nested": struct{ V any }{verified}} {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		text := log.String() + string(encoded) + fmt.Sprintf("%v %+v %#v %s %q %x %d", value, value, value, value, value, value, value)
		for _, secret := range []string{"Lovelace", "X1234567", jti, p.VerifiedID[:40], p.FaceCheck[:40], fmt.Sprintf("%x", p.VerifiedID[:20])} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %q: %s", name, secret, text)
			}
		}
	}
}

// TestLogNamesNobody holds that validation failures are logged with their cause and without claims.
func TestLogNamesNobody(t *testing.T) {
	s := newScene(t)
	s.issuer.Status.Set(s.id.Index, 1)
	s.receipt.Claims["exp"] = 1
	if _, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect); err != nil {
		t.Fatal(err)
	}
	jti, _ := s.id.Claims["jti"].(string)
	if text := s.log.String(); text == "" || strings.Contains(text, "Lovelace") || strings.Contains(text, jti) {
		t.Errorf("log is %q", text)
	}
}

func TestZeroVerifiedSaysNo(t *testing.T) {
	var zero verifier.Verified
	if zero.ValidationFailure() == verifier.NoFailure {
		t.Error("a zero Verified is without failure")
	}
	if check, there := zero.FaceCheck(); there || check.Bound || check.ValidationFailure == verifier.NoFailure {
		t.Errorf("face check of a zero Verified is %+v", check)
	}
	if zero.VerifiedID().Claims != nil {
		t.Error("a zero Verified has claims")
	}
}
