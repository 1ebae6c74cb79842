package authenticator_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"regain/conformance/spoil"
	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator"
	"regain/conformance/wallet/authenticator/authenticatortest"
	"regain/conformance/wallet/wallettest"
)

func TestFaceCheckRefuses(t *testing.T) {
	results := func(hook func(map[string]any)) func(*testing.T, *scene) {
		return func(_ *testing.T, w *scene) { w.Issuer.Results = hook }
	}
	receipt := func(hook func(map[string]any)) func(*testing.T, *scene) {
		return func(_ *testing.T, w *scene) { w.Issuer.Receipt = hook }
	}
	for name, broken := range map[string]func(*testing.T, *scene){
		"another credential's":   results(set("sourceVcJti", "urn:uuid:x")),
		"another portrait's":     results(set("sourcePhotoDigest", wallettest.Digest("x"))),
		"another type":           receipt(within("vc", set("type", []string{"VerifiableCredential", "Other"}))),
		"two results":            receipt(within("vc", within("credentialSubject", set("faceCheckResults", []any{1, 2})))),
		"no result":              receipt(within("vc", within("credentialSubject", unset("faceCheckResults")))),
		"another subject":        receipt(set("sub", "did:web:x.example")),
		"expired":                receipt(set("exp", wallettest.Noon().Unix())),
		"a signature":            func(_ *testing.T, w *scene) { w.Issuer.Raw = spoil.Signature },
		"no receipt":             func(_ *testing.T, w *scene) { w.Issuer.Raw = func(string) string { return "" } },
		"an answer without one":  func(_ *testing.T, w *scene) { w.Issuer.Answer = answer("/face-check", 200, "application/json", `{}`) },
		"an answer that is none": func(_ *testing.T, w *scene) { w.Issuer.Answer = answer("/face-check", 200, "application/json", `x`) },
		"no nonce":               func(_ *testing.T, w *scene) { w.Issuer.Answer = answer("/nonce", 200, "application/json", `{}`) },
		"a nonce of nobody's": func(_ *testing.T, w *scene) {
			w.Issuer.Answer = answer("/nonce", 200, "application/json", `{"c_nonce":"x"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := authenticatortest.WithCredential(t)
			broken(t, w)
			id := w.Wallet.Credentials()[0].ID
			if err := w.Wallet.FaceCheck(t.Context(), id); err == nil || len(w.Wallet.Receipts(id)) != 0 {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFaceCheckKeepsTheIssuersErrorCode(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	w.Issuer.Answer = answer("/face-check", http.StatusBadRequest, "application/json", `{"error":"invalid_selfie","error_description":"no face"}`)
	var refused *wallet.ResponseError
	if err := w.Wallet.FaceCheck(t.Context(), w.Wallet.Credentials()[0].ID); !errors.As(err, &refused) || refused.Code != "invalid_selfie" {
		t.Errorf("got %v", err)
	}
}

type brokenCamera struct{}

func (brokenCamera) Selfie(context.Context) ([]byte, error) { return nil, errors.New("too dark") }

func TestFaceCheckNeedsAPortraitAnIssuerAndACamera(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	if err := w.Wallet.FaceCheck(t.Context(), "x"); !errors.Is(err, wallet.ErrNotHeld) {
		t.Errorf("nothing held: %v", err)
	}
	c, err := w.Wallet.Import(t.Context(), w.Issuer.Identity(w.Wallet.DID()), authenticator.Source{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Wallet.FaceCheck(t.Context(), c.ID); !errors.Is(err, wallet.ErrNoFaceCheck) {
		t.Errorf("an issuer without: %v", err)
	}
	delete(w.Issuer.Subject, "portrait")
	if err := w.Wallet.FaceCheck(t.Context(), w.Import(t).ID); !errors.Is(err, wallet.ErrNoFaceCheck) {
		t.Errorf("no portrait: %v", err)
	}
	w = authenticatortest.New(t)
	w.Config.Camera = brokenCamera{}
	w.Remake(t)
	if err := w.Wallet.FaceCheck(t.Context(), w.Import(t).ID); err == nil || w.Issuer.Selfie != nil {
		t.Errorf("no camera: %v", err)
	}
}

// An issuer without a nonce endpoint gets a presentation whose nonce is empty.
func TestFaceCheckWithoutANonceEndpoint(t *testing.T) {
	w := authenticatortest.New(t)
	w.Issuer.Nonces[""] = true
	source := w.Issuer.Source()
	source.NonceURL = ""
	c, err := w.Wallet.Import(t.Context(), w.Issuer.Identity(w.Wallet.DID()), source)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Wallet.FaceCheck(t.Context(), c.ID); err != nil {
		t.Error(err)
	}
}
