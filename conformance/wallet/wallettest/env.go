package wallettest

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"testing"
	"time"

	"regain/conformance/wallet"
)

// Env is a wallet between an issuer and a verifier, everything in order.
type Env struct {
	Roots    Authority // who may ask
	Proofs   Authority // who may issue
	Issuer   *Issuer
	Verifier *Verifier
	Now      time.Time
	Config   wallet.Config
	Wallet   *wallet.Wallet
}

// StillCamera always takes the same picture.
type StillCamera string

// Selfie returns the picture.
func (c StillCamera) Selfie(context.Context) ([]byte, error) { return []byte(c), nil }

// New is a test environment with an empty wallet.
func New(t testing.TB) *Env {
	t.Helper()
	w := &Env{Roots: NewAuthority(t, "Verifier Root"), Proofs: NewAuthority(t, "Issuer Root"), Now: Noon()}
	w.Issuer = NewIssuer(t, w.Proofs.Party(t, "Proof House Issuer"))
	w.Verifier = NewVerifier(t, w.Roots.Party(t, "Contoso Recovery"))
	w.Config = wallet.Config{
		HTTPClient: wallet.NewHTTPClient(10 * time.Second), Clock: func() time.Time { return w.Now }, Random: rand.Reader,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Camera: StillCamera("a selfie of Ada"),
		RequestAnchors: w.Roots.Pool(), IssuerAnchors: w.Proofs.Pool(),
	}
	w.Remake(t)
	return w
}

// Remake builds the wallet anew from the configuration.
func (w *Env) Remake(t testing.TB) {
	t.Helper()
	made, err := wallet.New(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	w.Wallet = made
}

// WithCredential is newWorld with the Verified ID already added.
func WithCredential(t testing.TB) *Env {
	t.Helper()
	w := New(t)
	w.Accept(t)
	return w
}

func (w *Env) Accept(t testing.TB) wallet.Credential {
	t.Helper()
	c, err := w.Wallet.Accept(t.Context(), w.Issuer.Link())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *Env) Review(t testing.TB) *wallet.Request {
	t.Helper()
	r, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Ready is a reviewed request whose Face Check has been taken.
func (w *Env) Ready(t testing.TB) *wallet.Request {
	t.Helper()
	r := w.Review(t)
	if id := r.FaceCheckFor(); id != "" {
		if err := w.Wallet.FaceCheck(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// ImportLicence puts a driving licence of the issuer's into the wallet. spoil may be nil.
func (w *Env) ImportLicence(t testing.TB, spoil func(*Licence)) wallet.Credential {
	t.Helper()
	key := NewKey(t)
	licence := NewLicence(&key.PublicKey)
	if spoil != nil {
		spoil(licence)
	}
	c, err := w.Wallet.Import(wallet.Imported{
		Format: "mso_mdoc", Credential: Encode(licence.Issue(t, w.Issuer.Signs)), Key: key, Name: "Driving licence",
		Issuer: w.Issuer.ID(), NonceURL: w.Issuer.Server.URL + "/nonce", FaceCheckURL: w.Issuer.Server.URL + "/face-check",
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
