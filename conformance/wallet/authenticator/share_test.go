package authenticator_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator"
	"regain/conformance/wallet/authenticator/authenticatortest"
)

type (
	scene = authenticatortest.Env
)

func share(t *testing.T, w *scene, o authenticator.ShareOptions) authenticatortest.Answer {
	t.Helper()
	if _, err := w.Wallet.Share(t.Context(), w.Ready(t), o); err != nil {
		t.Fatal(err)
	}
	return w.Verifier.Last()
}

// What the answer of the Android library looks like, member by member.
func TestTheAnswerIsThatOfTheLibrary(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	a := share(t, w, authenticator.ShareOptions{LibraryBare: true})
	if len(a.Form) != 3 || len(a.Form["id_token"]) != 1 || len(a.Form["vp_token"]) != 1 || len(a.Form["state"]) != 1 {
		t.Errorf("the form has %d members", len(a.Form))
	}
	for what, test := range map[string]struct {
		got  map[string]any
		want string
	}{
		"header of the ID token": {a.IDToken.Header, "alg kid typ"},
		"ID token":               {a.IDToken.Claims, "_vp_token aud exp iat iss nonce sub"},
		"header of the VP":       {a.Presentations[0].Header, "alg kid typ"},
		"VP":                     {a.Presentations[0].Claims, "aud exp iat iss jti nbf nonce vp"},
		"vp":                     {a.Presentations[0].Claims["vp"].(map[string]any), "@context type verifiableCredential"},
	} {
		if got := names(test.got); got != test.want {
			t.Errorf("the %s holds %s", what, got)
		}
	}
	const submission = `{"presentation_submission":{"definition_id":"recovery","descriptor_map":[` +
		`{"format":"jwt_vp","id":"verified_id","path":"$","path_nested":{"format":"jwt_vc","id":"verified_id","path":"$.verifiableCredential[0]"}},` +
		`{"format":"jwt_vp","id":"face_check","path":"$","path_nested":{"format":"jwt_vc","id":"face_check","path":"$.verifiableCredential[1]"}}],"id":"`
	raw, err := json.Marshal(a.IDToken.Claims["_vp_token"])
	if err != nil || !strings.HasPrefix(string(raw), submission) {
		t.Errorf("_vp_token is %s", raw)
	}
	if a.IDToken.Header["alg"] != "ES256K" || a.IDToken.Header["typ"] != "JWT" || a.Presentations[0].Header["kid"] != a.IDToken.Header["kid"] {
		t.Errorf("the header is %v", a.IDToken.Header)
	}

}

// Several definitions want a presentation each, and tell of them in an array.
func TestShareForSeveralDefinitions(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	w.Verifier.Tokens = []any{
		authenticatortest.Token("one", authenticatortest.Descriptor("verified_id", authenticatortest.IdentityType)),
		authenticatortest.Token("two", authenticatortest.Descriptor("face_check", authenticatortest.ReceiptType)),
	}
	a := share(t, w, authenticator.ShareOptions{})
	if submissions, ok := a.IDToken.Claims["_vp_token"].([]any); !ok || len(submissions) != 2 || len(a.Form["vp_token"]) != 2 {
		t.Errorf("_vp_token is %v", a.IDToken.Claims["_vp_token"])
	}

}

func TestShareRefusesWhatIsNotReady(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*testing.T, *scene) *authenticator.Request
		want  error
	}{
		"no Face Check taken": {func(t *testing.T, w *scene) *authenticator.Request { return w.Review(t) }, wallet.ErrFaceCheckNeeded},
		"Face Check of an earlier request": {func(t *testing.T, w *scene) *authenticator.Request {
			w.Ready(t)
			w.Now = w.Now.Add(time.Second)
			return w.Review(t)
		}, wallet.ErrFaceCheckNeeded},
		"receipt expired": {func(t *testing.T, w *scene) *authenticator.Request {
			w.Verifier.Claims = set("exp", w.Now.Add(time.Hour).Unix())
			r := w.Ready(t)
			w.Now = w.Now.Add(11 * time.Minute)
			return r
		}, wallet.ErrFaceCheckNeeded},
		"request expired": {func(t *testing.T, w *scene) *authenticator.Request {
			r := w.Ready(t)
			w.Now = w.Now.Add(5 * time.Minute)
			return r
		}, wallet.ErrExpired},
		"nothing held": {func(t *testing.T, w *scene) *authenticator.Request {
			w.Remake(t)
			return w.Review(t)
		}, wallet.ErrNothingToShare},
		"forgotten since": {func(t *testing.T, w *scene) *authenticator.Request {
			r := w.Ready(t)
			w.Wallet.Forget(w.Wallet.Credentials()[0].ID)
			return r
		}, wallet.ErrNotHeld},
		"a receipt that is not what was asked for": {func(t *testing.T, w *scene) *authenticator.Request {
			w.Verifier.Tokens = []any{authenticatortest.Token("d",
				authenticatortest.Descriptor("verified_id", authenticatortest.IdentityType),
				authenticatortest.Descriptor("face_check", authenticatortest.ReceiptType, issuedBy("^did:web:other\\.example$")))}
			return w.Ready(t)
		}, wallet.ErrNothingToShare},
	} {
		t.Run(name, func(t *testing.T) {
			w := authenticatortest.WithCredential(t)
			r := test.spoil(t, w)
			if _, err := w.Wallet.Share(t.Context(), r, authenticator.ShareOptions{}); !errors.Is(err, test.want) {
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
		"nothing but 200":         {bodyType: "none"},
		"a page":                  {body: `<html>`, bodyType: "text/html"},
		"no redirect":             {body: `{}`},
		"https redirect":          {body: `{"redirect_uri":"https://verifier.example/x?c=1"}`, redirect: "https://verifier.example/x?c=1"},
		"local redirect":          {body: `{"redirect_uri":"http://regain.localhost:1/x"}`, redirect: "http://regain.localhost:1/x"},
		"refused":                 {status: 400, body: `{"error":"invalid_request","error_description":"no"}`, code: "invalid_request", fails: true},
		"refused in silence":      {status: 500, body: `oops`, fails: true},
		"an HTTP redirect":        {status: 302, fails: true},
		"accepted":                {status: 202, body: `{}`, fails: true},
		"no JSON":                 {body: `<html>`, fails: true},
		"no object":               {body: `[]`, fails: true},
		"a script":                {body: `{"redirect_uri":"javascript:alert(1)"}`, fails: true},
		"a plain redirect":        {body: `{"redirect_uri":"http://verifier.example/x"}`, fails: true},
		"a relative redirect":     {body: `{"redirect_uri":"/x"}`, fails: true},
		"a redirect named twice":  {body: `{"redirect_uri":"https://a.example/","redirect_uri":"https://b.example/"}`, fails: true},
		"a redirect that is null": {body: `{"redirect_uri":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := authenticatortest.WithCredential(t)
			w.Verifier.Body = test.body
			if test.status != 0 {
				w.Verifier.Status = test.status
			}
			switch test.bodyType {
			case "none":
				w.Verifier.BodyType = ""
			case "":
			default:
				w.Verifier.BodyType = test.bodyType
			}
			redirect, err := w.Wallet.Share(t.Context(), w.Ready(t), authenticator.ShareOptions{})
			if (err != nil) != test.fails || redirect != test.redirect {
				t.Fatalf("got %q, %v", redirect, err)
			}
			var refused *wallet.ResponseError
			if test.status > 0 && (!errors.As(err, &refused) || refused.Status != test.status || refused.Code != test.code) {
				t.Errorf("the refusal is %#v", err)
			}
			if len(w.Verifier.Posts) != 1 {
				t.Errorf("%d posts", len(w.Verifier.Posts))
			}
		})
	}
}

// A redirect is followed to nobody, with or without an answer in it.
func TestNoRedirectIsFollowed(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	elsewhere := 0
	w.Site.Serve("elsewhere.example", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	for _, path := range []string{"/request/1", "/.well-known/did.json", "/.well-known/did-configuration.json", "/response"} {
		w.Verifier.Answer = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == path {
				http.Redirect(rw, r, "https://elsewhere.example"+path, http.StatusTemporaryRedirect)
			}
			return r.URL.Path == path
		}
		if r, err := w.Wallet.Review(t.Context(), w.Verifier.Address()); err == nil {
			_ = w.Wallet.FaceCheck(t.Context(), r.FaceCheckFor())
			_, _ = w.Wallet.Share(t.Context(), r, authenticator.ShareOptions{})
		}
	}
	if elsewhere != 0 {
		t.Errorf("%d redirects were followed", elsewhere)
	}
}
