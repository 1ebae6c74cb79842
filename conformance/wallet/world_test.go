package wallet_test

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"regain/conformance/wallet"
)

// world is a wallet between an issuer and a verifier, everything in order.
type world struct {
	roots    authority // who may ask
	proofs   authority // who may issue
	issuer   *issuer
	verifier *verifier
	now      time.Time
	config   wallet.Config
	wallet   *wallet.Wallet
}

type stillCamera string

func (c stillCamera) Selfie(context.Context) ([]byte, error) { return []byte(c), nil }

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{roots: newAuthority(t, "Verifier Root"), proofs: newAuthority(t, "Issuer Root"), now: noon()}
	w.issuer = newIssuer(t, w.proofs.party(t, "Proof House Issuer"))
	w.verifier = newVerifier(t, w.roots.party(t, "Contoso Recovery"))
	w.config = wallet.Config{
		HTTPClient: &http.Client{Timeout: 10 * time.Second}, Clock: func() time.Time { return w.now }, Random: rand.Reader,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Camera: stillCamera("a selfie of Ada"),
		RequestAnchors: w.roots.pool(), IssuerAnchors: w.proofs.pool(),
	}
	w.remake(t)
	return w
}

// remake builds the wallet anew from the configuration.
func (w *world) remake(t testing.TB) {
	t.Helper()
	made, err := wallet.New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.wallet = made
}

// withCredential is newWorld with the Verified ID already added.
func withCredential(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	w.accept(t)
	return w
}

func (w *world) accept(t testing.TB) wallet.Credential {
	t.Helper()
	c, err := w.wallet.Accept(t.Context(), w.issuer.link())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) review(t testing.TB) *wallet.Request {
	t.Helper()
	r, err := w.wallet.Review(t.Context(), w.verifier.link("post"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ready is a reviewed request whose Face Check has been taken.
func (w *world) ready(t testing.TB) *wallet.Request {
	t.Helper()
	r := w.review(t)
	if id := r.FaceCheckFor(); id != "" {
		if err := w.wallet.FaceCheck(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	return r
}
