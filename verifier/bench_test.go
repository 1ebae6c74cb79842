package verifier_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"regain/verifier"
)

// BenchmarkVerify is a whole verification with the status list at hand: four signatures and no network.
func BenchmarkVerify(b *testing.B) {
	s := newScene(b)
	v, p := s.verifier(b), s.presentation(b)
	b.ReportAllocs()
	for b.Loop() {
		if got, err := v.Verify(b.Context(), p, s.expect); err != nil || got.ValidationFailure() != verifier.NoFailure {
			b.Fatal(err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	s := newScene(t)
	good := verifier.Deps{Fetch: s.issuer.Fetcher(), Clock: s.clock.Now, Logger: slog.New(slog.DiscardHandler)}
	for name, row := range map[string]struct {
		change func(*verifier.Config, *verifier.Deps)
		why    string
	}{
		"no clock":      {func(_ *verifier.Config, d *verifier.Deps) { d.Clock = nil }, "Clock and Logger are required"},
		"no logger":     {func(_ *verifier.Config, d *verifier.Deps) { d.Logger = nil }, "Clock and Logger are required"},
		"no fetcher":    {func(_ *verifier.Config, d *verifier.Deps) { d.Fetch = nil }, "status lists: Fetch"},
		"no anchors":    {func(c *verifier.Config, _ *verifier.Deps) { c.Trust[0].Anchors = nil }, "and anchors, signers or dids, are required"},
		"min above max": {func(c *verifier.Config, _ *verifier.Deps) { c.MinStatusTTL = 2 * time.Hour }, "MinTTL ≤ MaxTTL are required"},
	} {
		cfg, deps := verifier.Config{Trust: s.issuer.Rules(), MaxStatusTTL: time.Hour}, good
		if _, err := verifier.New(cfg, deps); err != nil {
			t.Fatal(err)
		}
		row.change(&cfg, &deps)
		if _, err := verifier.New(cfg, deps); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestVerifyDecidesNothingForWhoLeft holds that a wallet that hangs up does not turn into a verdict on its credential.
func TestVerifyDecidesNothingForWhoLeft(t *testing.T) {
	s := newScene(t)
	ctx, leave := context.WithCancel(t.Context())
	asked := make(chan struct{})
	s.issuer.Status.Answer = func(_ http.ResponseWriter, r *http.Request) {
		leave()
		<-asked
	}
	_, err := s.verifier(t).Verify(ctx, s.presentation(t), s.expect)
	close(asked)
	if !errors.Is(err, context.Canceled) || errors.Is(err, verifier.ErrRefused) {
		t.Errorf("got %v", err)
	}
}
