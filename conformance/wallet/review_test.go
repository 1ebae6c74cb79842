package wallet_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/conformance/wallet"
	"regain/conformance/wallet/wallettest"
)

func TestReviewSaysWhoAsksAndForWhat(t *testing.T) {
	for _, method := range []string{"", "get", "post"} {
		t.Run("method "+method, func(t *testing.T) {
			w := wallettest.WithCredential(t)
			w.Verifier.Query["credential_sets"] = []any{map[string]any{"options": []any{[]string{"verified_id", "face_check"}}, "purpose": "Recover your account"}}
			r, err := w.Wallet.Review(t.Context(), w.Verifier.Link(method))
			if err != nil {
				t.Fatal(err)
			}
			if r.Verifier != "Contoso Recovery" || r.Purpose != "Recover your account" || r.Flow != wallet.SameDevice {
				t.Errorf("the request says %q, %q, %q", r.Verifier, r.Purpose, r.Flow)
			}
			if r.ResponseURI() != w.Verifier.Server.URL+"/response" || !strings.Contains(r.ResponseURI(), r.Host) {
				t.Errorf("the answer goes to %q, %q", r.Host, r.ResponseURI())
			}
			if len(r.Missing) != 0 || len(r.Shares) != 2 || !slices.Equal(r.Shares[0].Claims, []string{"given_name", "family_name"}) {
				t.Fatalf("shares %v, missing %v", r.Shares, r.Missing)
			}
			if held := w.Wallet.Credentials()[0].ID; r.FaceCheckFor() != held || !r.Shares[1].FaceCheck {
				t.Errorf("a Face Check is wanted for %q, held is %q", r.FaceCheckFor(), held)
			}
			if !r.Expires.Equal(wallettest.Noon().Add(5 * time.Minute)) {
				t.Errorf("it expires %v", r.Expires)
			}
			fetched := w.Verifier.Fetches[0]
			if fetched.Header.Get("Accept") != "application/oauth-authz-req+jwt" || (fetched.Method == http.MethodPost) != (method == "post") {
				t.Errorf("fetched by %s, accepting %s", fetched.Method, fetched.Header.Get("Accept"))
			}
		})
	}
}

func TestReviewByPostTellsWhatTheWalletCan(t *testing.T) {
	w := wallettest.WithCredential(t)
	w.Review(t)
	w.Review(t)
	first, second := w.Verifier.Fetches[0].PostForm, w.Verifier.Fetches[1].PostForm
	if len(first.Get("wallet_nonce")) < 20 || first.Get("wallet_nonce") == second.Get("wallet_nonce") {
		t.Error("wallet_nonce is short or repeated")
	}
	var metadata map[string]any
	wallettest.FromJSON(t, []byte(first.Get("wallet_metadata")), &metadata)
	if formats, _ := metadata["vp_formats_supported"].(map[string]any); formats["dc+sd-jwt"] == nil {
		t.Errorf("wallet_metadata is %v", metadata)
	}
}

func TestScanIsCrossDevice(t *testing.T) {
	w := wallettest.WithCredential(t)
	r, err := w.Wallet.Scan(t.Context(), "  "+w.Verifier.Link("post")+"\n")
	if err != nil || r.Flow != wallet.CrossDevice {
		t.Fatalf("got %v, %v", r, err)
	}
}

func TestReviewTurnsDownBrokenLinks(t *testing.T) {
	with := func(name, value string) func(url.Values) { return func(q url.Values) { q.Set(name, value) } }
	for name, test := range map[string]struct {
		spoil func(url.Values)
		says  string
	}{
		"no client_id":          {func(q url.Values) { q.Del("client_id") }, "client_id has no prefix"},
		"unknown prefix":        {with("client_id", "openid_federation:https://verifier.example"), "client_id has no prefix"},
		"no prefix":             {with("client_id", "verifier"), "client_id has no prefix"},
		"another hash":          {with("client_id", "x509_hash:"+wallettest.Digest("x")), "not the hash of the certificate"},
		"client_id twice":       {func(q url.Values) { q.Add("client_id", q.Get("client_id")) }, "names client_id twice"},
		"no request_uri":        {func(q url.Values) { q.Del("request_uri") }, "request_uri_method without request_uri"},
		"plain http":            {with("request_uri", "http://verifier.example/r"), "it is not https"},
		"file":                  {with("request_uri", "file:///etc/passwd"), "not an absolute URL"},
		"user in request_uri":   {with("request_uri", "https://a:b@verifier.example/"), "carries a user name"},
		"fragment":              {func(q url.Values) { q.Set("request_uri", q.Get("request_uri")+"#x") }, "it has a fragment"},
		"method in capitals":    {with("request_uri_method", "POST"), "invalid_request_uri_method"},
		"empty method":          {with("request_uri_method", ""), "invalid_request_uri_method"},
		"empty request_uri":     {with("request_uri", ""), "request_uri: address not allowed: it is empty"},
		"two requests":          {with("request", "eyJ"), "both by value and by reference"},
		"a link without an end": {with("x", strings.Repeat("x", 17<<10)), "the link is longer"},
	} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.WithCredential(t)
			base, raw, _ := strings.Cut(w.Verifier.Link("post"), "?")
			query, err := url.ParseQuery(raw)
			if err != nil {
				t.Fatal(err)
			}
			test.spoil(query)
			_, err = w.Wallet.Review(t.Context(), base+"?"+query.Encode())
			turnedDown(t, err, test.says)
		})
	}
	for _, link := range []string{"", "no link", "openid4vp://authorize?%zz", ":", "openid4vp://authorize"} {
		_, err := wallettest.New(t).Wallet.Review(t.Context(), link)
		turnedDown(t, err, "invalid_request")
	}
}

func TestReviewTurnsDownBrokenRequests(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(map[string]any)
		says  string
		want  error
	}{
		"another client_id inside": {set("client_id", "x509_hash:other"), "client_id inside", nil},
		"no client_id inside":      {unset("client_id"), "client_id inside", nil},
		"aud a list":               {set("aud", []string{"https://self-issued.me/v2"}), "aud is not", nil},
		"not encrypted":            {set("response_mode", "direct_post"), "response_mode", nil},
		"plain response_uri":       {set("response_uri", "http://verifier.example/r"), "response_uri", wallet.ErrAddress},
		"short nonce":              {set("nonce", "abc"), "nonce is short", nil},
		"query as text":            {set("dcql_query", "{}"), "not the JSON of a query", nil},
		"transaction data":         {set("transaction_data", []string{"e30"}), "invalid_transaction_data", nil},
		"nonce not echoed":         {unset("wallet_nonce"), "wallet_nonce did not come back", nil},
		"another nonce echoed":     {set("wallet_nonce", "0123456789abcdef0123"), "wallet_nonce did not come back", nil},
		"expired":                  {set("exp", wallettest.Noon().Unix()), "has expired", wallet.ErrExpired},
		"issued tomorrow":          {set("iat", wallettest.Noon().Add(2*time.Minute).Unix()), "in the future", nil},
		"issued two days ago":      {set("iat", wallettest.Noon().Add(-48*time.Hour).Unix()), "more than a day ago", wallet.ErrExpired},
		"not yet valid":            {set("nbf", wallettest.Noon().Add(2*time.Minute).Unix()), "in the future", nil},
		"exp as text":              {set("exp", "soon"), "not the JSON expected", nil},
		"no keys":                  {metadata("jwks", map[string]any{}), "no ECDH-ES key", nil},
		"no enc it can do":         {metadata("encrypted_response_enc_values_supported", []string{"A128CBC-HS256"}), "no offered enc", nil},
		"formats without ES256": {metadata("vp_formats_supported", map[string]any{"dc+sd-jwt": map[string]any{
			"kb-jwt_alg_values": []string{"EdDSA"}}}), "vp_formats_not_supported", nil},
		"key not on the curve": {key("x", wallettest.Encode(make([]byte, 32))), "no ECDH-ES key", nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.WithCredential(t)
			w.Verifier.Claims = test.spoil
			_, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
			turnedDown(t, err, test.says)
			if test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("got %v, not %v", err, test.want)
			}
		})
	}
}

func TestReviewTurnsDownOtherSigners(t *testing.T) {
	for name, test := range map[string]struct {
		says  string
		spoil func(*testing.T, *wallettest.Env)
	}{
		"another typ": {"typ is not", func(_ *testing.T, w *wallettest.Env) { w.Verifier.Typ = "JWT" }},
		"another root": {"not trusted", func(t *testing.T, w *wallettest.Env) {
			signWith(w, wallettest.NewAuthority(t, "X").Party(t, "Contoso"))
		}},
		"self-signed":     {"self-signed", func(t *testing.T, w *wallettest.Env) { signWith(w, wallettest.SelfSigned(t, "Contoso")) }},
		"no certificate":  {"no certificate or too many", func(_ *testing.T, w *wallettest.Env) { w.Verifier.Signs.DER = nil }},
		"no JWS":          {"not a compact JWS", func(_ *testing.T, w *wallettest.Env) { w.Verifier.Raw = func(string) string { return "e30.e30.e30" } }},
		"x5c of nonsense": {"no certificate", func(_ *testing.T, w *wallettest.Env) { w.Verifier.Signs.DER = [][]byte{[]byte("x")} }},
		"anchor in x5c": {"self-signed", func(_ *testing.T, w *wallettest.Env) {
			w.Verifier.Signs.DER = append(w.Verifier.Signs.DER, w.Roots.Certificate.Raw)
		}},
		"another key signs": {"not by the key", func(t *testing.T, w *wallettest.Env) { w.Verifier.Signs.Key = wallettest.NewKey(t) }},
		"certificate expired": {"not trusted", func(t *testing.T, w *wallettest.Env) {
			w.Now = w.Now.Add(100 * 24 * time.Hour)
			w.Verifier.Claims = func(c map[string]any) { c["iat"], c["exp"] = w.Now.Unix(), w.Now.Add(time.Minute).Unix() }
		}},
		"payload exchanged": {"not by the key", func(t *testing.T, w *wallettest.Env) {
			w.Verifier.Raw = func(jws string) string {
				parts := strings.Split(jws, ".")
				raw := strings.Replace(string(wallettest.Decode(t, parts[1])), "vp_token", "vp_tokem", 1)
				return parts[0] + "." + wallettest.Encode([]byte(raw)) + "." + parts[2]
			}
		}},
		"alg none": {"not the algorithm of the key", func(t *testing.T, w *wallettest.Env) {
			w.Verifier.Raw = func(jws string) string {
				parts := strings.Split(jws, ".")
				header := strings.Replace(string(wallettest.Decode(t, parts[0])), "ES256", "none", 1)
				return wallettest.Encode([]byte(header)) + "." + parts[1] + "."
			}
		}},
		"media type": {"application/jwt, not", func(_ *testing.T, w *wallettest.Env) { w.Verifier.MediaType = "application/jwt" }},
		"too long": {"longer than", func(_ *testing.T, w *wallettest.Env) {
			w.Verifier.Raw = func(string) string { return strings.Repeat("x", 2<<20) }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.WithCredential(t)
			test.spoil(t, w)
			_, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
			if name == "too long" { // a fault of the connection, not of the request
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("got %v", err)
				}
				return
			}
			turnedDown(t, err, test.says)
		})
	}
}

func TestReviewTakesWhatTheSpecificationAllows(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"no iat, no exp":         func(c map[string]any) { delete(c, "iat"); delete(c, "exp") },
		"no state":               unset("state"),
		"iss":                    set("iss", "whoever"),
		"default enc":            metadataUnset("encrypted_response_enc_values_supported"),
		"key without use":        key("use", nil),
		"enc it cannot do first": metadata("encrypted_response_enc_values_supported", []string{"A256CBC-HS512", "A192GCM"}),
		"no algorithms":          metadata("vp_formats_supported", map[string]any{"dc+sd-jwt": map[string]any{}}),
		"other formats":          metadata("vp_formats_supported", map[string]any{"mso_mdoc": map[string]any{}, "dc+sd-jwt": map[string]any{}}),
		"clock a bit off":        set("iat", wallettest.Noon().Add(50*time.Second).Unix()),
		"other keys first": func(c map[string]any) {
			set := c["client_metadata"].(map[string]any)["jwks"].(map[string]any)
			set["keys"] = append([]any{
				map[string]any{"kty": "OKP", "crv": "X448", "kid": "o", "alg": "ECDH-ES", "x": "AA"},
			}, set["keys"].([]any)...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.WithCredential(t)
			w.Verifier.Query = wallettest.IdentityQuery()
			w.Verifier.Claims = change
			if _, err := w.Wallet.Share(t.Context(), w.Ready(t), wallet.ShareOptions{}); err != nil {
				t.Fatal(err)
			}
			if a := w.Verifier.Answer(); !a.Token["verified_id"][0].Sound() {
				t.Error("the answer does not hold")
			}
		})
	}
}

func TestReviewByGetWantsNoWalletNonce(t *testing.T) {
	w := wallettest.WithCredential(t)
	w.Verifier.Claims = set("wallet_nonce", "0123456789abcdef0123")
	_, err := w.Wallet.Review(t.Context(), w.Verifier.Link("get"))
	turnedDown(t, err, "invalid_request")
}

func TestReviewStopsAtHTTPErrors(t *testing.T) {
	w := wallettest.WithCredential(t)
	_, err := w.Wallet.Review(t.Context(), strings.Replace(w.Verifier.Link("post"), "request%2F1", "gone", 1))
	var refused *wallet.ResponseError
	if !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
		t.Errorf("got %v", err)
	}
	w.Verifier.Server.Close()
	if _, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post")); err == nil {
		t.Error("a verifier that is not there is no error")
	}
}

// turnedDown checks that the request was turned down for the reason meant: says is a part of the text.
func turnedDown(t *testing.T, err error, says string) {
	t.Helper()
	var down *wallet.RequestError
	if !errors.As(err, &down) {
		t.Fatalf("not turned down: %v", err)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("turned down with %v, not %s", err, says)
	}
}

func signWith(w *wallettest.Env, p wallettest.Party) {
	w.Verifier.Signs, w.Verifier.ClientID = p, p.ClientID()
}

func set(name string, value any) func(map[string]any) {
	return func(c map[string]any) { c[name] = value }
}

func unset(name string) func(map[string]any) {
	return func(c map[string]any) { delete(c, name) }
}

func metadata(name string, value any) func(map[string]any) {
	return func(c map[string]any) { c["client_metadata"].(map[string]any)[name] = value }
}

func metadataUnset(name string) func(map[string]any) {
	return func(c map[string]any) { delete(c["client_metadata"].(map[string]any), name) }
}

// key changes a member of the verifier's one key; nil removes it.
func key(name string, value any) func(map[string]any) {
	return func(c map[string]any) {
		keys := c["client_metadata"].(map[string]any)["jwks"].(map[string]any)["keys"].([]any)
		if value == nil {
			delete(keys[0].(map[string]any), name)
			return
		}
		keys[0].(map[string]any)[name] = value
	}
}
