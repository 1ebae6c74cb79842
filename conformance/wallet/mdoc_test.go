package wallet_test

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/wallet"
	"regain/conformance/wallet/wallettest"
)

func licensed(t *testing.T) *wallettest.Env {
	t.Helper()
	w := wallettest.New(t)
	w.Issuer.Licensed = true
	w.Verifier.Query = wallettest.LicenceQuery()
	return w
}

func TestAcceptTakesAnMdoc(t *testing.T) {
	w := licensed(t)
	c := w.Accept(t)
	if c.Format != "mso_mdoc" || c.Type != wallettest.LicenceType || c.Name != "Driving licence" || c.Issuer != "Proof House Issuer" || !strings.HasPrefix(c.JTI, "ni:///sha-256;") {
		t.Errorf("got %s, %s, %s, %s, %s", c.Format, c.Type, c.Name, c.Issuer, c.JTI)
	}
	if !c.Issued.Equal(wallettest.Noon().Add(-time.Hour)) || !c.Expires.Equal(wallettest.Noon().Add(24*time.Hour)) || c.Document().DocType() != c.Type {
		t.Errorf("from %v to %v", c.Issued, c.Expires)
	}
	for name, want := range map[string]string{
		"given_name": "Ada", wallettest.LicenceSpace + "/family_name": "Lovelace", "sex": "", "iban": "", "other/given_name": "",
	} {
		if got := c.Claim(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if string(c.Portrait()) != "a picture of Ada" {
		t.Error("no portrait")
	}
	if printed := fmt.Sprintf("%v %+v %#v", c, c, c) + wallettest.ToJSON(t, c); strings.Contains(printed, "Lovelace") {
		t.Errorf("printed %s", printed)
	}
}

func TestAcceptRefusesBrokenMdocs(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, *wallettest.Env){
		"no base64url":     func(_ *testing.T, w *wallettest.Env) { w.Issuer.Raw = func(s string) string { return s + "=" } },
		"no mdoc":          func(_ *testing.T, w *wallettest.Env) { w.Issuer.Raw = func(string) string { return "oA" } },
		"an SD-JWT":        func(_ *testing.T, w *wallettest.Env) { w.Issuer.Raw = func(string) string { return "e30.e30.e30~" } },
		"another docType":  licence(func(l *wallettest.Licence) { l.DocType = "org.iso.23220.photoID.1" }),
		"another's key":    licence(func(l *wallettest.Licence) { l.Holder = &wallettest.NewKey(t).PublicKey }),
		"expired":          licence(func(l *wallettest.Licence) { l.Until = wallettest.Noon() }),
		"not yet valid":    licence(func(l *wallettest.Licence) { l.From = wallettest.Noon().Add(time.Minute) }),
		"signature broken": licence(func(l *wallettest.Licence) { l.Signature = func(s []byte) []byte { s[9] ^= 1; return s } }),
		"untrusted issuer": func(t *testing.T, w *wallettest.Env) { w.Issuer.Signs = w.Roots.Party(t, "Proof House Issuer") },
		"no docType in the metadata": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Metadata = func(m map[string]any) {
				delete(m["credential_configurations_supported"].(map[string]any)["DrivingLicence"].(map[string]any), "doctype")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := licensed(t)
			spoil(t, w)
			refused(t, w, w.Issuer.Link())
		})
	}
}

func licence(spoil func(*wallettest.Licence)) func(*testing.T, *wallettest.Env) {
	return func(_ *testing.T, w *wallettest.Env) { w.Issuer.Licence = spoil }
}

// bind writes the credential bound to a key, or to nobody.
func bind(t *testing.T, w *wallettest.Env, bound bool) wallet.Imported {
	t.Helper()
	key := wallettest.NewKey(t)
	holder := jose.JWK{Key: &key.PublicKey}
	if !bound {
		w.Issuer.Claims = unset("cnf")
		return wallet.Imported{Format: "dc+sd-jwt", Credential: w.Issuer.Credential(&holder)}
	}
	return wallet.Imported{Format: "dc+sd-jwt", Credential: w.Issuer.Credential(&holder), Key: key}
}

func TestImport(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*testing.T, *wallet.Imported)
		ok    bool
	}{
		"as issued":             {func(*testing.T, *wallet.Imported) {}, true},
		"with a name":           {func(_ *testing.T, i *wallet.Imported) { i.Name = "My ID" }, true},
		"another key":           {func(t *testing.T, i *wallet.Imported) { i.Key = wallettest.NewKey(t) }, false},
		"no key":                {func(_ *testing.T, i *wallet.Imported) { i.Key = nil }, false},
		"another format":        {func(_ *testing.T, i *wallet.Imported) { i.Format = "mso_mdoc" }, false},
		"unknown format":        {func(_ *testing.T, i *wallet.Imported) { i.Format = "ldp_vc" }, false},
		"plain http Face Check": {func(_ *testing.T, i *wallet.Imported) { i.FaceCheckURL = "http://issuer.example/f" }, false},
		"plain http nonce":      {func(_ *testing.T, i *wallet.Imported) { i.NonceURL = "http://issuer.example/n" }, false},
	} {
		w := wallettest.New(t)
		i := bind(t, w, true)
		test.spoil(t, &i)
		c, err := w.Wallet.Import(i)
		if (err == nil) != test.ok || len(w.Wallet.Credentials()) != map[bool]int{true: 1}[test.ok] {
			t.Errorf("%s: got %v, %v", name, c, err)
		}
		if test.ok && (c.Name == "") {
			t.Errorf("%s: no name", name)
		}
	}
}

func TestCredentialsOfNobody(t *testing.T) {
	w := wallettest.New(t)
	if _, err := w.Wallet.Import(bind(t, w, false)); err != nil {
		t.Fatal(err)
	}
	w.Verifier.Query = wallettest.IdentityQuery()
	if r := w.Review(t); len(r.Missing) != 1 {
		t.Error("a credential of nobody's answers a query for its holder")
	}
	w.Verifier.Query["credentials"].([]any)[0].(map[string]any)["require_cryptographic_holder_binding"] = false
	for range 2 {
		if _, err := w.Wallet.Share(t.Context(), w.Review(t), wallet.ShareOptions{}); err != nil {
			t.Fatal(err)
		}
		if shown := w.Verifier.Answer().Token["verified_id"][0]; shown.KB != "" || shown.Disclosed["given_name"] != "Ada" {
			t.Errorf("a Key Binding JWT nobody asked for: %v", shown.Binding)
		}
		w.Issuer.Claims = nil
		w.Accept(t) // one that has a holder is shown without as well: no more than is asked for
	}
}

func TestSeveralWhereSeveralAreAllowed(t *testing.T) {
	w := wallettest.WithCredential(t)
	w.Accept(t)
	w.ImportLicence(t, nil)
	w.ImportLicence(t, func(l *wallettest.Licence) { l.Elements["sex"] = 9 })
	w.ImportLicence(t, nil)
	w.Verifier.Query = wallettest.BothQuery()
	for multiple, want := range map[bool]int{false: 1, true: 2} {
		for _, c := range w.Verifier.Query["credentials"].([]any) {
			c.(map[string]any)["multiple"] = multiple
		}
		r := w.Review(t)
		if _, err := w.Wallet.Share(t.Context(), r, wallet.ShareOptions{}); err != nil {
			t.Fatal(err)
		}
		a := w.Verifier.Answer()
		if len(r.Shares) != 2*want || len(a.Token["verified_id"]) != want || len(a.Devices["licence"]) != want {
			t.Errorf("multiple %v: %d shares, %d and %d presentations", multiple, len(r.Shares), len(a.Token["verified_id"]), len(a.Devices["licence"]))
		}
		for _, shown := range a.Devices["licence"] {
			if shown.HeldOver(w.Verifier.Transcript()) != nil {
				t.Error("one of them does not hold")
			}
		}
	}
}

func TestFormatsOfTheVerifierNarrowWhatIsShared(t *testing.T) {
	formats := func(sdjwt, mdoc map[string]any) func(map[string]any) {
		return metadata("vp_formats_supported", map[string]any{"dc+sd-jwt": sdjwt, "mso_mdoc": mdoc})
	}
	for name, test := range map[string]struct {
		claims  func(map[string]any)
		missing []string
	}{
		"both":                  {formats(map[string]any{}, map[string]any{}), nil},
		"by either name":        {formats(map[string]any{"sd-jwt_alg_values": []string{"ES256"}}, map[string]any{"issuerauth_alg_values": []int{-7}, "deviceauth_alg_values": []int{-9}}), nil},
		"another issuer's alg":  {formats(map[string]any{"sd-jwt_alg_values": []string{"ES384"}}, map[string]any{}), []string{wallettest.IdentityType}},
		"another mdoc alg":      {formats(map[string]any{}, map[string]any{"issuerauth_alg_values": []int{-35, -51}}), []string{wallettest.LicenceType}},
		"another device's alg":  {formats(map[string]any{}, map[string]any{"deviceauth_alg_values": []int{-65537}}), []string{wallettest.LicenceType}},
		"another key binding's": {formats(map[string]any{"kb-jwt_alg_values": []string{"ES384"}}, map[string]any{}), []string{wallettest.IdentityType}},
	} {
		w := wallettest.WithCredential(t)
		w.ImportLicence(t, nil)
		w.Verifier.Query, w.Verifier.Claims = wallettest.BothQuery(), test.claims
		if r := w.Review(t); !slices.Equal(r.Missing, test.missing) {
			t.Errorf("%s: missing %v", name, r.Missing)
		}
	}
}

func TestReviewOfAnMdocSaysWhat(t *testing.T) {
	w := licensed(t)
	w.Accept(t)
	r := w.Review(t)
	want := []string{wallettest.LicenceSpace + "/given_name", wallettest.LicenceSpace + "/sex"}
	if len(r.Shares) != 1 || r.Shares[0].Type != wallettest.LicenceType || !slices.Equal(r.Shares[0].Claims, want) || r.Shares[0].Credential.Claim(want[0]) != "Ada" {
		t.Errorf("would share %v", r.Shares)
	}
	delete(w.Verifier.Query["credentials"].([]any)[0].(map[string]any), "claims")
	if _, err := w.Wallet.Share(t.Context(), w.Review(t), wallet.ShareOptions{}); err != nil {
		t.Fatal(err)
	}
	if shown := w.Verifier.Answer().Devices["licence"][0]; len(wallettest.Elements(shown)) != 0 || shown.HeldOver(w.Verifier.Transcript()) != nil {
		t.Errorf("without claims, %v is shown", wallettest.Elements(shown))
	}
}

func TestMdocAuthorities(t *testing.T) {
	for aki, missing := range map[string]int{"Issuer Root": 0, "Other": 1} {
		w := licensed(t)
		w.Accept(t)
		w.Verifier.Query["credentials"].([]any)[0].(map[string]any)["trusted_authorities"] = []any{
			map[string]any{"type": "aki", "values": []string{wallettest.Encode([]byte(aki))}}}
		if r := w.Review(t); len(r.Missing) != missing {
			t.Errorf("%s: missing %v", aki, r.Missing)
		}
	}
}

func TestFaceCheckOfAnMdocRefuses(t *testing.T) {
	result := func(name string, value any) func(*wallettest.Env) {
		return func(w *wallettest.Env) {
			w.Issuer.Receipt = func(c map[string]any) { c["faceCheckResults"].([]any)[0].(map[string]any)[name] = value }
		}
	}
	for name, spoil := range map[string]func(*wallettest.Env){
		"no portrait": func(w *wallettest.Env) {
			w.Issuer.Licence = func(l *wallettest.Licence) { delete(l.Elements, "portrait") }
		},
		"of another document": result("sourceVcJti", "ni:///sha-256;x"),
		"of another portrait": result("sourcePhotoDigest", "x"),
		"of another holder": func(w *wallettest.Env) {
			w.Issuer.Receipt = set("cnf", map[string]any{"jwk": jose.JWK{Key: &wallettest.NewKey(t).PublicKey}})
		},
	} {
		w := licensed(t)
		spoil(w)
		c := w.Accept(t)
		if err := w.Wallet.FaceCheck(t.Context(), c.ID); err == nil || len(w.Wallet.Receipts(c.ID)) != 0 {
			t.Errorf("%s: got %v", name, err)
		}
		if name == "no portrait" && !errors.Is(w.Wallet.FaceCheck(t.Context(), c.ID), wallet.ErrNoFaceCheck) {
			t.Error("no portrait is not the reason")
		}
	}
}

// FuzzRequestObject feeds payloads that nobody signed to a wallet that holds nothing: none may end
// in a panic, and an error never goes anywhere but to the client_id.
func FuzzRequestObject(f *testing.F) {
	w := wallettest.New(f)
	w.As(f, "redirect_uri")
	w.Config.Requests.Plain = true
	w.Config.HTTPClient = unreachableClient()
	w.Remake(f)
	object := w.Verifier.Object()
	f.Add(wallettest.ToJSON(f, object))
	object["transaction_data"], object["verifier_info"] = []string{"e30"}, []any{map[string]any{"format": "jwt", "data": "x"}}
	f.Add(wallettest.ToJSON(f, object))
	f.Add(`{"client_id":"` + w.Verifier.ClientID + `","client_metadata":{"jwks":{"keys":[{}]}}}`)
	f.Fuzz(func(t *testing.T, payload string) {
		header := wallettest.Encode([]byte(`{"alg":"none","typ":"oauth-authz-req+jwt"}`))
		query := url.Values{"client_id": {w.Verifier.ClientID}, "request": {header + "." + wallettest.Encode([]byte(payload)) + "."}}
		r, err := w.Wallet.Review(t.Context(), "openid4vp://?"+query.Encode())
		var down *wallet.RequestError
		if errors.As(err, &down) && down.To != nil && down.To.ResponseURI != w.Verifier.ResponseURI() {
			t.Errorf("an error would go to %s", down.To.ResponseURI)
		}
		if err == nil && (len(r.Shares) > 0 || r.ResponseURI() != w.Verifier.ResponseURI()) {
			t.Errorf("got %v", r)
		}
	})
}
