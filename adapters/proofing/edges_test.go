package proofing_test

import (
	"io"
	"strings"
	"testing"

	"regain/adapters/proofing"
)

// Each row breaks one part of a start URL that is accepted: a browser would be sent nowhere, or to somebody else.
func TestStartURLs(t *testing.T) {
	for start, ok := range map[string]bool{
		"https://proofing.example/start":  true,
		"http://localhost:8080/start":     true, // the demo's
		"https:///start":                  false,
		"https:proofing.example/start":    false,
		"https://proofing.example:x/":     false,
		"https://proofing.example/%zz":    false,
		"https://proofing.example/\x7f":   false,
		"https://[::1/start":              false,
		"ftp://proofing.example/start":    false,
		"https://proofing.example/start#": true, // an empty fragment is none
	} {
		cfg := valid()
		cfg.StartURL = start
		if _, err := proofing.New(cfg); (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "proofing provider Example Proofing: start_url") {
			t.Errorf("%q: %v", start, err)
		}
	}
	cfg := valid()
	cfg.Issuer = ""
	if _, err := proofing.New(cfg); err == nil || !strings.Contains(err.Error(), "are required") {
		t.Errorf("no issuer: %v", err)
	}
}

// Without randomness nobody is sent: a hand-off that can be guessed is not one-time.
func TestNoRandomnessNoHandOff(t *testing.T) {
	for _, there := range []int64{0, 15} {
		cfg := valid()
		cfg.Random = io.LimitReader(cfg.Random, there)
		p, err := proofing.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if raw, err := p.URL(t.Context(), "r", "u"); err == nil || raw != "" || !strings.Contains(err.Error(), "read randomness") {
			t.Errorf("from %d octets: %q, %v", there, raw, err)
		}
	}
}
