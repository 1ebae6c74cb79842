package wallet_test

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"regain/conformance/wallet"
)

func TestShareAnswersWithWhatWasAskedAndNoMore(t *testing.T) {
	w := withCredential(t)
	r := w.ready(t)
	redirect, err := w.wallet.Share(t.Context(), r, wallet.ShareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := w.verifier.server.URL + "/done?response_code=abc#x"; redirect != want {
		t.Errorf("redirect is %q, not %q", redirect, want)
	}
	a := w.verifier.answer()
	if a.state != w.verifier.state {
		t.Error("state did not come back")
	}
	if a.header["alg"] != "ECDH-ES" || a.header["enc"] != "A256GCM" || a.header["kid"] != w.verifier.kid {
		t.Errorf("the JWE header is %v", a.header)
	}
	if a.header["apu"] == "" || a.header["apu"] == a.header["apv"] {
		t.Error("apu and apv are not random")
	}
	if len(a.token) != 2 || len(a.token["verified_id"]) != 1 || len(a.token["face_check"]) != 1 {
		t.Fatalf("vp_token answers %v", slices.Collect(maps.Keys(a.token)))
	}
	identity, receipt := a.token["verified_id"][0], a.token["face_check"][0]
	if got := slices.Sorted(maps.Keys(identity.disclosed)); !slices.Equal(got, []string{"family_name", "given_name"}) {
		t.Errorf("disclosed are %v", got)
	}
	for id, s := range map[string]shown{"verified_id": identity, "face_check": receipt} {
		if !s.sound() {
			t.Errorf("%s: the Key Binding JWT does not hold", id)
		}
		if s.binding["aud"] != w.verifier.clientID || s.binding["nonce"] != w.verifier.nonce || s.binding["iat"] != float64(noon().Unix()) {
			t.Errorf("%s: the Key Binding JWT says %v", id, s.binding)
		}
		if !isSignedBy(s.jwt, &w.issuer.signs.key.PublicKey) {
			t.Errorf("%s: the issuer's signature does not hold", id)
		}
	}
	if !identity.holder().Equal(receipt.holder()) {
		t.Error("receipt and Verified ID are bound to different keys")
	}
	if string(w.issuer.selfie) != "a selfie of Ada" {
		t.Error("the issuer did not get the camera's picture")
	}
}

func TestSharePortraitOnlyWhenAsked(t *testing.T) {
	w := withCredential(t)
	w.verifier.query = identityQuery()
	first := w.verifier.query["credentials"].([]any)[0].(map[string]any)
	first["claims"] = append(first["claims"].([]any), map[string]any{"path": []any{"portrait"}})
	r := w.ready(t)
	if !slices.Contains(r.Shares[0].Claims, "portrait") {
		t.Error("the review does not say that the portrait is asked for")
	}
	if _, err := w.wallet.Share(t.Context(), r, wallet.ShareOptions{}); err != nil {
		t.Fatal(err)
	}
	if w.verifier.answer().token["verified_id"][0].disclosed["portrait"] == nil {
		t.Error("the portrait was asked for and not disclosed")
	}
}

func TestShareWithoutClaimsDisclosesNothing(t *testing.T) {
	w := withCredential(t)
	w.verifier.query = identityQuery()
	delete(w.verifier.query["credentials"].([]any)[0].(map[string]any), "claims")
	if _, err := w.wallet.Share(t.Context(), w.ready(t), wallet.ShareOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := w.verifier.answer().token["verified_id"][0].disclosed; len(got) != 0 {
		t.Errorf("disclosed %v", got)
	}
}

func TestShareRefusesWhatIsNotReady(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*testing.T, *world) *wallet.Request
		want  error
	}{
		"no Face Check taken": {func(t *testing.T, w *world) *wallet.Request { return w.review(t) }, wallet.ErrFaceCheckNeeded},
		"Face Check of an earlier request": {func(t *testing.T, w *world) *wallet.Request {
			w.ready(t)
			w.now = w.now.Add(time.Second)
			return w.review(t)
		}, wallet.ErrFaceCheckNeeded},
		"receipt expired": {func(t *testing.T, w *world) *wallet.Request {
			w.verifier.claims = func(c map[string]any) { delete(c, "exp") }
			r := w.ready(t)
			w.now = w.now.Add(11 * time.Minute)
			return r
		}, wallet.ErrFaceCheckNeeded},
		"request expired": {func(t *testing.T, w *world) *wallet.Request {
			r := w.ready(t)
			w.now = w.now.Add(5 * time.Minute)
			return r
		}, wallet.ErrExpired},
		"nothing held": {func(t *testing.T, w *world) *wallet.Request {
			w.remake(t)
			return w.review(t)
		}, wallet.ErrNothingToShare},
		"forgotten since": {func(t *testing.T, w *world) *wallet.Request {
			r := w.ready(t)
			w.wallet.Forget(w.wallet.Credentials()[0].ID)
			return r
		}, wallet.ErrNotHeld},
	} {
		t.Run(name, func(t *testing.T) {
			w := withCredential(t)
			r := test.spoil(t, w)
			if _, err := w.wallet.Share(t.Context(), r, wallet.ShareOptions{}); !errors.Is(err, test.want) {
				t.Errorf("got %v, not %v", err, test.want)
			}
			if len(w.verifier.posts) != 0 {
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
			w := withCredential(t)
			w.verifier.query = identityQuery()
			w.verifier.body = test.body
			if test.status != 0 {
				w.verifier.status = test.status
			}
			if test.bodyType != "" {
				w.verifier.bodyType = test.bodyType
			}
			redirect, err := w.wallet.Share(t.Context(), w.ready(t), wallet.ShareOptions{})
			if (err != nil) != test.fails || redirect != test.redirect {
				t.Fatalf("got %q, %v", redirect, err)
			}
			var refused *wallet.ResponseError
			if test.status >= 300 && (!errors.As(err, &refused) || refused.Status != test.status || refused.Code != test.code) {
				t.Errorf("the refusal is %#v", err)
			}
			if len(w.verifier.posts) != 1 {
				t.Errorf("%d posts", len(w.verifier.posts))
			}
		})
	}
}

func TestDecline(t *testing.T) {
	w := newWorld(t) // an empty wallet can say no as well
	redirect, err := w.wallet.Decline(t.Context(), w.review(t))
	if err != nil || redirect == "" {
		t.Fatalf("got %q, %v", redirect, err)
	}
	post := w.verifier.posts[0]
	if post.Get("error") != "access_denied" || post.Get("state") != w.verifier.state || len(post) != 2 {
		t.Errorf("posted %v", post)
	}
	w.verifier.status = http.StatusBadRequest
	if _, err := w.wallet.Decline(t.Context(), w.review(t)); err == nil {
		t.Error("a refused no is no error")
	}
}
