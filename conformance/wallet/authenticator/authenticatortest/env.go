package authenticatortest

import (
	"crypto/rand"
	"io"
	"log/slog"
	"testing"
	"time"

	"regain/conformance/wallet/authenticator"
	"regain/conformance/wallet/wallettest"
)

// Env is a wallet between an issuer and a verifier, everything in order.
type Env struct {
	Site     *Site
	Issuer   *Issuer
	Verifier *Verifier
	Now      time.Time
	Config   authenticator.Config
	Wallet   *authenticator.Wallet
}

// New is a test environment with an empty wallet.
func New(t testing.TB) *Env {
	t.Helper()
	w := &Env{Site: NewSite(t), Now: wallettest.Noon()}
	w.Issuer = NewIssuer(t, NewParty(t, "did:web:issuer.example", "ES256"), "https://issuer.example")
	w.Verifier = NewVerifier(t, NewParty(t, "did:web:verifier.example", "ES256"), "https://verifier.example")
	w.Site.Serve("issuer.example", w.Issuer)
	w.Site.Serve("verifier.example", w.Verifier)
	w.Config = authenticator.Config{
		HTTPClient: w.Site.Client(), Clock: func() time.Time { return w.Now }, Random: rand.Reader,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Camera: wallettest.StillCamera("a selfie of Ada"),
	}
	w.Remake(t)
	return w
}

// Remake builds the wallet anew from the configuration.
func (w *Env) Remake(t testing.TB) {
	t.Helper()
	made, err := authenticator.New(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	w.Wallet = made
}

// WithCredential is New with a Verified ID already in the wallet.
func WithCredential(t testing.TB) *Env {
	t.Helper()
	w := New(t)
	w.Import(t)
	return w
}

// Import issues a Verified ID to the wallet.
func (w *Env) Import(t testing.TB) authenticator.Credential {
	t.Helper()
	c, err := w.Wallet.Import(t.Context(), w.Issuer.Identity(w.Wallet.DID()), w.Issuer.Source())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Review opens the verifier's link.
func (w *Env) Review(t testing.TB) *authenticator.Request {
	t.Helper()
	r, err := w.Wallet.Review(t.Context(), w.Verifier.Address())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Ready is a reviewed request whose Face Check has been taken.
func (w *Env) Ready(t testing.TB) *authenticator.Request {
	t.Helper()
	r := w.Review(t)
	if id := r.FaceCheckFor(); id != "" {
		if err := w.Wallet.FaceCheck(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	return r
}
