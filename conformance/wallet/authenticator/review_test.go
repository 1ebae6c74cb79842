package authenticator_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/conformance/spoil"
	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator"
	"regain/conformance/wallet/authenticator/authenticatortest"
	"regain/conformance/wallet/wallettest"
)

func TestReview(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	r := w.Review(t)
	if r.Verifier != "Contoso Recovery" || r.Host != "verifier.example" || r.Purpose != "To recover your account" || r.Flow != wallet.SameDevice {
		t.Errorf("it is asked by %q at %q for %q", r.Verifier, r.Host, r.Purpose)
	}
	if !r.Domain.Verified || r.Domain.Host != "verifier.example" || r.Domain.Problem != "" || !r.Expires.Equal(wallettest.Noon().Add(5*time.Minute)) {
		t.Errorf("its domain is %+v, its end %v", r.Domain, r.Expires)
	}
	held := w.Wallet.Credentials()[0].ID
	if len(r.Missing) != 0 || len(r.Shares) != 2 || r.FaceCheckFor() != held || r.RedirectURI() != w.Verifier.Base+"/response" {
		t.Fatalf("%+v", r.Shares)
	}
	identity, check := r.Shares[0], r.Shares[1]
	if identity.Descriptor != "verified_id" || identity.Type != authenticatortest.IdentityType || identity.FaceCheck || identity.Purpose == "" || identity.Credential.ID != held {
		t.Errorf("the first is %+v", identity)
	}
	if got := strings.Join(identity.Credential.ClaimNames(), " "); got != "dateOfBirth documentType firstName lastName portrait" {
		t.Errorf("what is shared is %s", got)
	}
	if check.Descriptor != "face_check" || check.Type != authenticatortest.ReceiptType || !check.FaceCheck || check.Credential.ID != held {
		t.Errorf("the second is %+v", check)
	}
	fetch := w.Verifier.Fetches[0]
	if fetch.Header.Get("Prefer") != "JWT-interop-profile-0.0.1" || fetch.Header.Get("Accept") != "" || fetch.Header.Get("Cookie") != "" {
		t.Errorf("the request was fetched with %v", fetch.Header)
	}
	if len(w.Verifier.Posts) != 0 {
		t.Error("something was shared")
	}
}

func TestScan(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	r, err := w.Wallet.Scan(t.Context(), " "+w.Verifier.Address()+"\n")
	if err != nil || r.Flow != wallet.CrossDevice {
		t.Errorf("%v", err)
	}
	if _, err := w.Wallet.Scan(t.Context(), "x"); err == nil {
		t.Error("a code that is none")
	}
}

func TestLinks(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	target := url.QueryEscape(w.Verifier.Base + "/request/1")
	for _, link := range []string{
		"openid-vc://?request_uri=" + target, "openid-vc:?request_uri=" + target, "openid-vc://anything/at/all?request_uri=" + target + "&x=y",
		"openid://vc?request_uri=" + target, "openid://vc/?request_uri=" + target, "https://wallet.example/authorize?request_uri=" + target,
		"http://wallet.localhost:8403/authorize?request_uri=" + target, "openid-vc://?client_id=did:web:verifier.example&request_uri=" + target,
	} {
		if _, err := w.Wallet.Review(t.Context(), link); err != nil {
			t.Errorf("%s: %v", link, err)
		}
	}
	for _, link := range []string{
		"", "x", ":", "openid-vc://", "openid-vc://?request_uri=", "openid-vc://?request_uri=/x", "openid-vc://?request_uri=http://verifier.example/x",
		"openid-vc://?request_uri=" + target + "&request_uri=" + target, "openid-vc://?request=e30.e30.e30", "openid-vc://?request_uri=%zz",
		"openid-vc://?request_uri=" + target + "%23x", "openid://other?request_uri=" + target, "openid4vp://?request_uri=" + target,
		"http://wallet.example/authorize?request_uri=" + target, "openid-vc://?client_id=did:web:other.example&request_uri=" + target,
		"openid-vc://?request_uri=" + target + "&x=" + strings.Repeat("x", 20<<10),
	} {
		refused(t, w, link, "invalid_request")
	}
}

func refused(t *testing.T, w *scene, link, code string) {
	t.Helper()
	_, err := w.Wallet.Review(t.Context(), link)
	var down *wallet.RequestError
	if !errors.As(err, &down) || down.Code != code {
		t.Errorf("%.80s: got %v, not %s", link, err, code)
	}
}

// Each row breaks one thing about a request that is right.
func TestReviewRefusesBrokenRequests(t *testing.T) {
	registration := func(hook func(map[string]any)) func(map[string]any) { return within("registration", hook) }
	formats := func(format string, algorithms any) func(map[string]any) {
		return registration(within("vp_formats", set(format, map[string]any{"alg": algorithms})))
	}
	token := func(value any) func(map[string]any) { return set("claims", map[string]any{"vp_token": value}) }
	for name, test := range map[string]struct {
		claims func(map[string]any)
		code   string
	}{
		"response_type":             {set("response_type", "vp_token"), "invalid_request"},
		"response_type in capitals": {set("response_type", "ID_TOKEN"), "invalid_request"},
		"no response_type":          {unset("response_type"), "invalid_request"},
		"response_mode":             {set("response_mode", "direct_post"), "invalid_request"},
		"scope":                     {set("scope", "openid profile"), "invalid_scope"},
		"no nonce":                  {unset("nonce"), "invalid_request"},
		"nonce that is a number":    {set("nonce", 1), "invalid_request"},
		"no state":                  {unset("state"), "invalid_request"},
		"no redirect_uri":           {unset("redirect_uri"), "invalid_request"},
		"plain redirect_uri":        {set("redirect_uri", "http://verifier.example/"), "invalid_request"},
		"redirect_uri, fragment":    {set("redirect_uri", "https://verifier.example/#x"), "invalid_request"},
		"an issuance":               {set("prompt", "create"), "invalid_request"},
		"aud that is a list":        {set("aud", []string{"x"}), "invalid_request"},
		"no exp":                    {unset("exp"), "invalid_request"},
		"expired":                   {set("exp", wallettest.Noon().Unix()), "invalid_request"},
		"issued days ago":           {set("iat", wallettest.Noon().AddDate(0, 0, -2).Unix()), "invalid_request"},
		"issued in the future":      {set("iat", wallettest.Noon().Add(time.Hour).Unix()), "invalid_request"},
		"valid in the future":       {set("nbf", wallettest.Noon().Add(time.Hour).Unix()), "invalid_request"},
		"another client_id":         {set("client_id", "did:web:other.example"), "invalid_request"},
		"a key as client_id":        {set("client_id", "did:web:verifier.example#key-1"), "invalid_request"},
		"no registration":           {unset("registration"), "subject_syntax_types_not_supported"},
		"no did:ion":                {registration(set("subject_syntax_types_supported", []string{"did:web", "did:jwk"})), "subject_syntax_types_not_supported"},
		"no vp_formats":             {registration(unset("vp_formats")), "vp_formats_not_supported"},
		"no ES256K for a VP":        {formats("jwt_vp", []string{"ES256", "EdDSA"}), "vp_formats_not_supported"},
		"no ES256K for a VC":        {formats("jwt_vc", []string{"ES256", "EdDSA"}), "vp_formats_not_supported"},
		"alg that is a text":        {formats("jwt_vc", "ES256K"), "invalid_request"},
		"no claims":                 {unset("claims"), "invalid_request"},
		"no vp_token":               {set("claims", map[string]any{}), "invalid_request"},
		"vp_token that is a text":   {token("x"), "invalid_request"},
		"empty vp_token":            {token([]any{}), "invalid_request"},
		"too many definitions":      {token(slices.Repeat([]any{authenticatortest.Token("x")}, 9)), "invalid_request"},
		"no definition":             {token(map[string]any{}), "invalid_request"},
		"no descriptor":             {token(authenticatortest.Token("x")), "invalid_request"},
		"one descriptor's id twice": {token([]any{authenticatortest.Token("x", authenticatortest.Descriptor("a", "A")), authenticatortest.Token("y", authenticatortest.Descriptor("a", "B"))}), "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			w := authenticatortest.WithCredential(t)
			w.Verifier.Claims = test.claims
			refused(t, w, w.Verifier.Address(), test.code)
		})
	}
}

func TestReviewRefusesWhoIsNotWhoTheySay(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, *scene){
		"a signature":             func(_ *testing.T, w *scene) { w.Verifier.Raw = spoil.Signature },
		"alg none":                func(_ *testing.T, w *scene) { w.Verifier.Raw = spoil.Unsigned },
		"another media type":      func(_ *testing.T, w *scene) { w.Verifier.MediaType = "application/oauth-authz-req+jwt" },
		"text":                    func(_ *testing.T, w *scene) { w.Verifier.MediaType = "text/plain" },
		"JSON":                    func(_ *testing.T, w *scene) { w.Verifier.Raw = func(string) string { return "{}" } },
		"a kid of another DID":    func(_ *testing.T, w *scene) { w.Verifier.Header = set("kid", "did:web:issuer.example#key-1") },
		"a relative kid":          func(_ *testing.T, w *scene) { w.Verifier.Header = set("kid", "#key-1") },
		"no kid":                  func(_ *testing.T, w *scene) { w.Verifier.Header = unset("kid") },
		"a key it does not have":  func(_ *testing.T, w *scene) { w.Verifier.Header = set("kid", "did:web:verifier.example#key-2") },
		"crit":                    func(_ *testing.T, w *scene) { w.Verifier.Header = set("crit", []string{"x"}) },
		"a document of another":   func(_ *testing.T, w *scene) { w.Verifier.Document = set("id", "did:web:other.example") },
		"a document without keys": func(_ *testing.T, w *scene) { w.Verifier.Document = unset("verificationMethod") },
		"another's key": func(t *testing.T, w *scene) {
			right := w.Verifier.Signs.Document(t, w.Verifier.Base)
			w.Verifier.Signs = authenticatortest.NewParty(t, "did:web:verifier.example", "ES256")
			w.Verifier.Document = func(d map[string]any) { d["verificationMethod"] = right["verificationMethod"] }
		},
		"no document": func(_ *testing.T, w *scene) {
			w.Verifier.Answer = answer("/.well-known/did.json", http.StatusNotFound, "", "")
		},
		"a DID that nobody serves": func(t *testing.T, w *scene) {
			w.Verifier.Signs = authenticatortest.NewParty(t, "did:web:nobody.example", "ES256")
		},
		"a request that is gone": func(_ *testing.T, w *scene) {
			w.Verifier.Answer = answer("/request/1", http.StatusNotFound, "", "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := authenticatortest.WithCredential(t)
			spoil(t, w)
			refused(t, w, w.Verifier.Address(), "invalid_request")
		})
	}
}

// 404 is how such a verifier says that the time of a request is over.
func TestReviewSaysWhenARequestIsOver(t *testing.T) {
	for name, spoil := range map[string]func(*scene){
		"not found": func(w *scene) { w.Verifier.Answer = answer("/request/1", http.StatusNotFound, "", "") },
		"expired":   func(w *scene) { w.Now = w.Now.Add(5 * time.Minute) },
		"old":       func(w *scene) { w.Verifier.Claims = set("iat", wallettest.Noon().AddDate(0, 0, -2).Unix()) },
	} {
		w := authenticatortest.WithCredential(t)
		spoil(w)
		if _, err := w.Wallet.Review(t.Context(), w.Verifier.Address()); !errors.Is(err, wallet.ErrExpired) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := authenticatortest.WithCredential(t)
	w.Verifier.Answer = answer("/request/1", http.StatusInternalServerError, "application/json", `{"error":"server_error"}`)
	var gone *wallet.ResponseError
	if _, err := w.Wallet.Review(t.Context(), w.Verifier.Address()); !errors.As(err, &gone) || gone.Code != "server_error" {
		t.Errorf("an outage: %v", err)
	}
}

func TestReviewNamesWhatIsMissing(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*testing.T, *scene)
		want  string
	}{
		"nothing held":         {func(t *testing.T, w *scene) { w.Remake(t) }, "VerifiedIdentity FaceCheckReceipt"},
		"expired":              {func(_ *testing.T, w *scene) { w.Now = w.Now.Add(24 * time.Hour); w.Verifier.Claims = today(w) }, "VerifiedIdentity FaceCheckReceipt"},
		"another issuer's":     {tokens(authenticatortest.Descriptor("a", authenticatortest.IdentityType, issuedBy("^did:web:other\\.example$"))), "VerifiedIdentity"},
		"another type":         {tokens(authenticatortest.Descriptor("a", "VerifiedEmployee")), "VerifiedEmployee"},
		"an algorithm too new": {func(_ *testing.T, w *scene) { w.Verifier.Claims = onlyKoblitz }, "VerifiedIdentity FaceCheckReceipt"},
		"no portrait":          {func(t *testing.T, w *scene) { w.Remake(t); delete(w.Issuer.Subject, "portrait"); w.Import(t) }, "FaceCheckReceipt"},
	} {
		t.Run(name, func(t *testing.T) {
			w := authenticatortest.WithCredential(t)
			test.spoil(t, w)
			r := w.Review(t)
			if got := strings.Join(r.Missing, " "); got != test.want {
				t.Errorf("missing are %s, not %s", got, test.want)
			}
			if _, err := w.Wallet.Share(t.Context(), r, authenticator.ShareOptions{}); !errors.Is(err, wallet.ErrNothingToShare) {
				t.Errorf("it was shared: %v", err)
			}
		})
	}
}

func tokens(descriptors ...any) func(*testing.T, *scene) {
	return func(_ *testing.T, w *scene) { w.Verifier.Tokens = []any{authenticatortest.Token("d", descriptors...)} }
}

func today(w *scene) func(map[string]any) {
	return func(m map[string]any) { m["iat"], m["exp"] = w.Now.Unix(), w.Now.Add(time.Minute).Unix() }
}

func onlyKoblitz(m map[string]any) {
	within("registration", within("vp_formats", set("jwt_vc", map[string]any{"alg": []string{"ES256K"}})))(m)
}

// Of several credentials the newest is shared, and one with a Face Check before one without.
func TestReviewPicksTheNewest(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	newer := w.Import(t)
	if r := w.Review(t); r.Shares[0].Credential.ID != newer.ID || r.FaceCheckFor() != newer.ID {
		t.Error("the newest is not what is shared")
	}
	if _, err := w.Wallet.Import(t.Context(), w.Issuer.Identity(w.Wallet.DID()), authenticator.Source{}); err != nil {
		t.Fatal(err)
	}
	if r := w.Review(t); r.Shares[0].Credential.ID != newer.ID {
		t.Error("one without a Face Check is shared before one with")
	}
}

// A Face Check alone may be asked for.
func TestReviewOfAFaceCheckAlone(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	tokens(authenticatortest.Descriptor("face_check", authenticatortest.ReceiptType))(t, w)
	share(t, w, authenticator.ShareOptions{})

}

// A wallet of did:jwk answers only a verifier that says it takes them.
func TestReviewHoldsTheHoldersOwnMethod(t *testing.T) {
	w := authenticatortest.New(t)
	w.Config.Method, w.Config.Algorithm = "did:jwk", "EdDSA"
	w.Remake(t)
	w.Verifier.Claims = within("registration", set("subject_syntax_types_supported", []string{"did:ion", "did:web"}))
	refused(t, w, w.Verifier.Address(), "subject_syntax_types_not_supported")
	w.Verifier.Claims = within("registration", within("vp_formats", set("jwt_vp", map[string]any{"alg": []string{"ES256K"}})))
	refused(t, w, w.Verifier.Address(), "vp_formats_not_supported")
}

// Without a name the verifier is shown by its host.
func TestReviewOfANamelessVerifier(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	w.Verifier.Claims = within("registration", unset("client_name"))
	if r := w.Review(t); r.Verifier != "verifier.example" {
		t.Errorf("it is %q", r.Verifier)
	}
}
