package wallet_test

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/wallet"
	"regain/conformance/wallet/wallettest"
)

func TestShareAnswersWithWhatWasAskedAndNoMore(t *testing.T) {
	w := wallettest.WithCredential(t)
	r := w.Ready(t)
	redirect, err := w.Wallet.Share(t.Context(), r, wallet.ShareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := w.Verifier.Server.URL + "/done?response_code=abc#x"; redirect != want {
		t.Errorf("redirect is %q, not %q", redirect, want)
	}
	a := w.Verifier.Answer()
	if a.State != w.Verifier.State {
		t.Error("state did not come back")
	}
	if a.Header["alg"] != "ECDH-ES" || a.Header["enc"] != "A256GCM" || a.Header["kid"] != w.Verifier.Key.Public().KeyID {
		t.Errorf("the JWE header is %v", a.Header)
	}
	if a.Header["apu"] == "" || a.Header["apu"] == a.Header["apv"] {
		t.Error("apu and apv are not random")
	}
	if len(a.Token) != 2 || len(a.Token["verified_id"]) != 1 || len(a.Token["face_check"]) != 1 {
		t.Fatalf("vp_token answers %v", slices.Collect(maps.Keys(a.Token)))
	}
	identity, receipt := a.Token["verified_id"][0], a.Token["face_check"][0]
	if got := slices.Sorted(maps.Keys(identity.Disclosed)); !slices.Equal(got, []string{"family_name", "given_name"}) {
		t.Errorf("disclosed are %v", got)
	}
	for id, s := range map[string]wallettest.Shown{"verified_id": identity, "face_check": receipt} {
		if !s.Sound() {
			t.Errorf("%s: the Key Binding JWT does not hold", id)
		}
		if s.Binding["aud"] != w.Verifier.ClientID || s.Binding["nonce"] != w.Verifier.Nonce || s.Binding["iat"] != float64(wallettest.Noon().Unix()) {
			t.Errorf("%s: the Key Binding JWT says %v", id, s.Binding)
		}
		if !jose.IsSignedBy(s.JWT, &w.Issuer.Signs.Key.PublicKey) {
			t.Errorf("%s: the issuer's signature does not hold", id)
		}
	}
	if !identity.Holder().Equal(receipt.Holder()) {
		t.Error("receipt and Verified ID are bound to different keys")
	}
	if string(w.Issuer.Selfie) != "a selfie of Ada" {
		t.Error("the issuer did not get the camera's picture")
	}
}

func TestSharePortraitOnlyWhenAsked(t *testing.T) {
	w := wallettest.WithCredential(t)
	w.Verifier.Query = wallettest.IdentityQuery()
	first := w.Verifier.Query["credentials"].([]any)[0].(map[string]any)
	first["claims"] = append(first["claims"].([]any), map[string]any{"path": []any{"portrait"}})
	r := w.Ready(t)
	if !slices.Contains(r.Shares[0].Claims, "portrait") {
		t.Error("the review does not say that the portrait is asked for")
	}
	if _, err := w.Wallet.Share(t.Context(), r, wallet.ShareOptions{}); err != nil {
		t.Fatal(err)
	}
	if w.Verifier.Answer().Token["verified_id"][0].Disclosed["portrait"] == nil {
		t.Error("the portrait was asked for and not disclosed")
	}
}

func TestShareWithoutClaimsDisclosesNothing(t *testing.T) {
	w := wallettest.WithCredential(t)
	w.Verifier.Query = wallettest.IdentityQuery()
	delete(w.Verifier.Query["credentials"].([]any)[0].(map[string]any), "claims")
	if _, err := w.Wallet.Share(t.Context(), w.Ready(t), wallet.ShareOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := w.Verifier.Answer().Token["verified_id"][0].Disclosed; len(got) != 0 {
		t.Errorf("disclosed %v", got)
	}
}

func TestShareRefusesWhatIsNotReady(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*testing.T, *wallettest.Env) *wallet.Request
		want  error
	}{
		"no Face Check taken": {func(t *testing.T, w *wallettest.Env) *wallet.Request { return w.Review(t) }, wallet.ErrFaceCheckNeeded},
		"Face Check of an earlier request": {func(t *testing.T, w *wallettest.Env) *wallet.Request {
			w.Ready(t)
			w.Now = w.Now.Add(time.Second)
			return w.Review(t)
		}, wallet.ErrFaceCheckNeeded},
		"receipt expired": {func(t *testing.T, w *wallettest.Env) *wallet.Request {
			w.Verifier.Claims = func(c map[string]any) { delete(c, "exp") }
			r := w.Ready(t)
			w.Now = w.Now.Add(11 * time.Minute)
			return r
		}, wallet.ErrFaceCheckNeeded},
		"request expired": {func(t *testing.T, w *wallettest.Env) *wallet.Request {
			r := w.Ready(t)
			w.Now = w.Now.Add(5 * time.Minute)
			return r
		}, wallet.ErrExpired},
		"nothing held": {func(t *testing.T, w *wallettest.Env) *wallet.Request {
			w.Remake(t)
			return w.Review(t)
		}, wallet.ErrNothingToShare},
		"forgotten since": {func(t *testing.T, w *wallettest.Env) *wallet.Request {
			r := w.Ready(t)
			w.Wallet.Forget(w.Wallet.Credentials()[0].ID)
			return r
		}, wallet.ErrNotHeld},
	} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.WithCredential(t)
			r := test.spoil(t, w)
			if _, err := w.Wallet.Share(t.Context(), r, wallet.ShareOptions{}); !errors.Is(err, test.want) {
				t.Errorf("got %v, not %v", err, test.want)
			}
			if len(w.Verifier.Posts) != 0 {
				t.Error("something was sent all the same")
			}
		})
	}
}

func TestShareReadsTheVerifiersAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		status   int
		body     string
		bodyType string
		redirect string
		code     string // of a ResponseError
		fails    bool
	}{
		"no redirect":        {body: `{}`},
		"https redirect":     {body: `{"redirect_uri":"https://verifier.example/x?c=1"}`, redirect: "https://verifier.example/x?c=1"},
		"refused":            {status: 400, body: `{"error":"invalid_request","error_description":"no"}`, code: "invalid_request", fails: true},
		"refused in silence": {status: 500, body: `oops`, fails: true},
		"an HTTP redirect":   {status: 302, body: ``, fails: true},
		"created":            {status: 201, body: `{}`, fails: true},
		"no JSON type":       {body: `{}`, bodyType: "text/plain", fails: true},
		"no JSON":            {body: `<html>`, fails: true},
		"no object":          {body: `[]`, fails: true},
		"script redirect":    {body: `{"redirect_uri":"javascript:alert(1)"}`, fails: true},
		"plain redirect":     {body: `{"redirect_uri":"http://verifier.example/x"}`, fails: true},
		"relative redirect":  {body: `{"redirect_uri":"/x"}`, fails: true},
		"named twice":        {body: `{"redirect_uri":"https://a.example/","redirect_uri":"https://b.example/"}`, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.WithCredential(t)
			w.Verifier.Query = wallettest.IdentityQuery()
			w.Verifier.Body = test.body
			if test.status != 0 {
				w.Verifier.Status = test.status
			}
			if test.bodyType != "" {
				w.Verifier.BodyType = test.bodyType
			}
			redirect, err := w.Wallet.Share(t.Context(), w.Ready(t), wallet.ShareOptions{})
			if (err != nil) != test.fails || redirect != test.redirect {
				t.Fatalf("got %q, %v", redirect, err)
			}
			var refused *wallet.ResponseError
			if test.status >= 300 && (!errors.As(err, &refused) || refused.Status != test.status || refused.Code != test.code) {
				t.Errorf("the refusal is %#v", err)
			}
			if len(w.Verifier.Posts) != 1 {
				t.Errorf("%d posts", len(w.Verifier.Posts))
			}
		})
	}
}

func TestDecline(t *testing.T) {
	w := wallettest.New(t) // an empty wallet can say no as well
	redirect, err := w.Wallet.Decline(t.Context(), w.Review(t))
	if err != nil || redirect == "" {
		t.Fatalf("got %q, %v", redirect, err)
	}
	post := w.Verifier.Posts[0]
	if post.Get("error") != "access_denied" || post.Get("state") != w.Verifier.State || len(post) != 2 {
		t.Errorf("posted %v", post)
	}
	w.Verifier.Status = http.StatusBadRequest
	if _, err := w.Wallet.Decline(t.Context(), w.Review(t)); err == nil {
		t.Error("a refused no is no error")
	}
}
