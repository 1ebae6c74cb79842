package wallet_test

import (
	"context"
	"errors"
	"testing"

	"regain/conformance/wallet"
	"regain/conformance/wallet/wallettest"
)

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
		spoil func(*testing.T, *wallettest.Env)
		want  error
	}{
		"no portrait":        {func(_ *testing.T, w *wallettest.Env) { delete(w.Issuer.Sealed, "portrait") }, wallet.ErrNoFaceCheck},
		"issuer offers none": {func(_ *testing.T, w *wallettest.Env) { w.Issuer.Metadata = unset("face_check_endpoint") }, wallet.ErrNoFaceCheck},
		"camera broken":      {func(t *testing.T, w *wallettest.Env) { w.Config.Camera = brokenCamera{}; w.Remake(t) }, errCamera},
		"endpoint says no": {func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Intercept = answer("/face-check", 400, "application/json", `{"error":"invalid_selfie"}`)
		}, nil},
		"no receipt": {func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Intercept = answer("/face-check", 200, "application/json", `{}`)
		}, nil},
		"receipt of another type":  {func(_ *testing.T, w *wallettest.Env) { w.Issuer.Receipt = set("vct", wallettest.IdentityType) }, nil},
		"receipt expired":          {func(_ *testing.T, w *wallettest.Env) { w.Issuer.Receipt = set("exp", wallettest.Noon().Unix()) }, nil},
		"receipt without a holder": {func(_ *testing.T, w *wallettest.Env) { w.Issuer.Receipt = unset("cnf") }, nil},
		"receipt without results":  {func(_ *testing.T, w *wallettest.Env) { w.Issuer.Receipt = unset("faceCheckResults") }, nil},
		"of another credential":    {func(_ *testing.T, w *wallettest.Env) { w.Issuer.Receipt = result("sourceVcJti", "urn:uuid:other") }, nil},
		"of another portrait":      {func(_ *testing.T, w *wallettest.Env) { w.Issuer.Receipt = result("sourcePhotoDigest", "other") }, nil},
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
