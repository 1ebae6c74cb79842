package wallet_test

import (
	"context"
	"errors"
	"testing"

	"regain/conformance/wallet"
	"regain/conformance/wallet/wallettest"
)

func TestFaceCheckKeepsAReceipt(t *testing.T) {
	w := wallettest.WithCredential(t)
	id := w.Wallet.Credentials()[0].ID
	for range 2 {
		if err := w.Wallet.FaceCheck(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	receipts := w.Wallet.Receipts(id)
	if len(receipts) != 2 || receipts[0].Type != wallettest.ReceiptType || receipts[0].ID == receipts[1].ID {
		t.Fatalf("receipts are %v", receipts)
	}
	if held := w.Wallet.Credentials(); len(held) != 1 {
		t.Errorf("a receipt is shown as a credential: %v", held)
	}
	w.Wallet.Forget(id)
	if len(w.Wallet.Receipts(id))+len(w.Wallet.Credentials()) != 0 {
		t.Error("forgetting left something behind")
	}
}

type brokenCamera struct{}

var errCamera = errors.New("no light")

func (brokenCamera) Selfie(context.Context) ([]byte, error) { return nil, errCamera }

func TestFaceCheckRefuses(t *testing.T) {
	result := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) {
			c["faceCheckResults"].([]any)[0].(map[string]any)[name] = value
		}
	}
	for name, test := range map[string]struct {
		spoil func(*testing.T, *wallettest.World)
		want  error
	}{
		"no portrait":        {func(_ *testing.T, w *wallettest.World) { delete(w.Issuer.Sealed, "portrait") }, wallet.ErrNoFaceCheck},
		"issuer offers none": {func(_ *testing.T, w *wallettest.World) { w.Issuer.Metadata = unset("face_check_endpoint") }, wallet.ErrNoFaceCheck},
		"camera broken":      {func(t *testing.T, w *wallettest.World) { w.Config.Camera = brokenCamera{}; w.Remake(t) }, errCamera},
		"endpoint says no": {func(_ *testing.T, w *wallettest.World) {
			w.Issuer.Intercept = answer("/face-check", 400, "application/json", `{"error":"invalid_selfie"}`)
		}, nil},
		"no receipt": {func(_ *testing.T, w *wallettest.World) {
			w.Issuer.Intercept = answer("/face-check", 200, "application/json", `{}`)
		}, nil},
		"receipt of another type":  {func(_ *testing.T, w *wallettest.World) { w.Issuer.Receipt = set("vct", wallettest.IdentityType) }, nil},
		"receipt expired":          {func(_ *testing.T, w *wallettest.World) { w.Issuer.Receipt = set("exp", wallettest.Noon().Unix()) }, nil},
		"receipt without a holder": {func(_ *testing.T, w *wallettest.World) { w.Issuer.Receipt = unset("cnf") }, nil},
		"receipt without results":  {func(_ *testing.T, w *wallettest.World) { w.Issuer.Receipt = unset("faceCheckResults") }, nil},
		"of another credential":    {func(_ *testing.T, w *wallettest.World) { w.Issuer.Receipt = result("sourceVcJti", "urn:uuid:other") }, nil},
		"of another portrait":      {func(_ *testing.T, w *wallettest.World) { w.Issuer.Receipt = result("sourcePhotoDigest", "other") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.New(t)
			test.spoil(t, w)
			id := w.Accept(t).ID
			err := w.Wallet.FaceCheck(t.Context(), id)
			if err == nil || (test.want != nil && !errors.Is(err, test.want)) {
				t.Errorf("got %v, not %v", err, test.want)
			}
			if len(w.Wallet.Receipts(id)) != 0 {
				t.Error("a receipt was kept all the same")
			}
		})
	}
	if err := wallettest.New(t).Wallet.FaceCheck(t.Context(), "x"); !errors.Is(err, wallet.ErrNotHeld) {
		t.Errorf("got %v", err)
	}
}

func TestFaceCheckKeepsTheScoreWhateverItIs(t *testing.T) {
	w := wallettest.New(t)
	w.Issuer.Receipt = func(c map[string]any) {
		c["faceCheckResults"].([]any)[0].(map[string]any)["matchConfidenceScore"] = 3.5
	}
	if err := w.Wallet.FaceCheck(t.Context(), w.Accept(t).ID); err != nil {
		t.Error("a bad score is for the verifier to judge, not the wallet:", err)
	}
}
