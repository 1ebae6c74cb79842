package wallet_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/wallet/wallettest"
)

func TestAcceptByReferenceAndByValue(t *testing.T) {
	for name, link := range map[string]func(*testing.T, *wallettest.Issuer) string{
		"by reference": func(_ *testing.T, i *wallettest.Issuer) string { return i.Link() },
		"by value": func(t *testing.T, i *wallettest.Issuer) string {
			return "openid-credential-offer://?credential_offer=" + url.QueryEscape(wallettest.ToJSON(t, i.Offer()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.New(t)
			c, err := w.Wallet.Accept(t.Context(), link(t, w.Issuer))
			if err != nil {
				t.Fatal(err)
			}
			if c.Type != wallettest.IdentityType || c.Name != "Verified ID" || c.Issuer != "Proof House Issuer" {
				t.Errorf("the credential is %q, %q from %q", c.Type, c.Name, c.Issuer)
			}
			if c.Claim("given_name") != "Ada" || string(c.Portrait()) != "a picture of Ada" || c.Claim("nothing") != "" {
				t.Error("its claims are not those issued")
			}
			if !c.Expires.Equal(wallettest.Noon().Add(24*time.Hour)) || !c.Issued.Equal(wallettest.Noon()) || c.JTI == "" {
				t.Errorf("its dates are %v to %v", c.Issued, c.Expires)
			}
			if held := w.Wallet.Credentials(); len(held) != 1 || held[0].ID != c.ID {
				t.Error("it is not in the wallet")
			}
		})
	}
}

func TestReadOfferTakesNothingUp(t *testing.T) {
	w := wallettest.New(t)
	o, err := w.Wallet.ReadOffer(t.Context(), w.Issuer.Link())
	if err != nil {
		t.Fatal(err)
	}
	if o.IssuerName != "Proof House" || o.CredentialName != "Verified ID" || o.Issuer != w.Issuer.ID() {
		t.Errorf("the offer is of %q by %q, %q", o.CredentialName, o.IssuerName, o.Issuer)
	}
	if len(w.Issuer.Forms) != 0 || len(w.Wallet.Credentials()) != 0 {
		t.Error("the code was redeemed before anybody agreed")
	}
}

func TestEachCredentialHasAKeyOfItsOwn(t *testing.T) {
	w := wallettest.New(t)
	first, second := w.Accept(t), w.Accept(t)
	if wallettest.ReadSDJWT(t, first.SDJWT()).Holder().Equal(wallettest.ReadSDJWT(t, second.SDJWT()).Holder()) {
		t.Error("two credentials share a holder key")
	}
}

func TestAcceptRefusesBrokenOffers(t *testing.T) {
	for name, spoil := range map[string]func(map[string]any){
		"no issuer":           unset("credential_issuer"),
		"plain issuer":        set("credential_issuer", "http://issuer.example"),
		"issuer with a query": set("credential_issuer", "http://127.0.0.1/x?y=1"),
		"no configurations":   unset("credential_configuration_ids"),
		"unknown one":         set("credential_configuration_ids", []string{"Other"}),
		"no grants":           unset("grants"),
		"another grant":       set("grants", map[string]any{"authorization_code": map[string]any{}}),
		"no code":             set("grants", map[string]any{"urn:ietf:params:oauth:grant-type:pre-authorized_code": map[string]any{}}),
		"a transaction code": set("grants", map[string]any{"urn:ietf:params:oauth:grant-type:pre-authorized_code": map[string]any{
			"pre-authorized_code": "x", "tx_code": map[string]any{}}}),
	} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.New(t)
			offer := w.Issuer.Offer()
			spoil(offer)
			refused(t, w, "x://?credential_offer="+url.QueryEscape(wallettest.ToJSON(t, offer)))
		})
	}
	for _, link := range []string{
		"", "x://?", "x://?credential_offer=", "x://?credential_offer={}&credential_offer={}", ":", "x://?credential_offer=[]",
		"x://?credential_offer_uri=http://issuer.example/o", "x://?credential_offer_uri=/o", "x://?credential_offer=" + strings.Repeat("x", 17<<10),
	} {
		refused(t, wallettest.New(t), link)
	}
}

func TestAcceptRefusesBrokenIssuers(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, *wallettest.Env){
		"offer not JSON": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Intercept = answer("/the-offer", 200, "text/html", `{}`)
		},
		"metadata of another issuer": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Metadata = set("credential_issuer", "https://issuer.example")
		},
		"issuer with a slash": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Metadata = set("credential_issuer", w.Issuer.ID()+"/")
		},
		"metadata not there": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Intercept = answer("/.well-known/openid-credential-issuer/tenant", 404, "", "")
		},
		"metadata moved": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Intercept = answer("/.well-known/openid-credential-issuer/tenant", 302, "", "")
		},
		"no credential endpoint": func(_ *testing.T, w *wallettest.Env) { w.Issuer.Metadata = unset("credential_endpoint") },
		"plain nonce endpoint": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Metadata = set("nonce_endpoint", "http://issuer.example/n")
		},
		"plain face check": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Metadata = set("face_check_endpoint", "http://issuer.example/f")
		},
		"another format": func(_ *testing.T, w *wallettest.Env) { w.Issuer.Metadata = configuration("format", "mso_mdoc") },
		"no proofs": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Metadata = configuration("proof_types_supported", nil)
		},
		"other server's metadata": func(_ *testing.T, w *wallettest.Env) { w.Issuer.ASMetadata = set("issuer", "https://as.example") },
		"authorization server absent": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Metadata = set("authorization_servers", []string{w.Issuer.Server.URL + "/as"})
		},
		"no token endpoint":     func(_ *testing.T, w *wallettest.Env) { w.Issuer.ASMetadata = unset("token_endpoint") },
		"no token":              func(_ *testing.T, w *wallettest.Env) { w.Issuer.TokenBody = unset("access_token") },
		"token of another type": func(_ *testing.T, w *wallettest.Env) { w.Issuer.TokenBody = set("token_type", "DPoP") },
		"no nonce": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Intercept = answer("/nonce", 200, "application/json", `{}`)
		},
		"two credentials": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Intercept = answer("/credential", 200, "application/json", `{"credentials":[{},{}]}`)
		},
		"deferred": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Intercept = answer("/credential", 202, "application/json", `{"transaction_id":"x"}`)
		},
		"another typ": func(_ *testing.T, w *wallettest.Env) { w.Issuer.Typ = "vc+sd-jwt" },
		"another vct": func(_ *testing.T, w *wallettest.Env) { w.Issuer.Claims = set("vct", "urn:other") },
		"expired":     func(_ *testing.T, w *wallettest.Env) { w.Issuer.Claims = set("exp", wallettest.Noon().Unix()) },
		"no cnf":      func(_ *testing.T, w *wallettest.Env) { w.Issuer.Claims = unset("cnf") },
		"somebody else's key": func(t *testing.T, w *wallettest.Env) {
			w.Issuer.Claims = set("cnf", map[string]any{"jwk": map[string]any{"kty": "EC", "crv": "P-256",
				"x": "nUWAoAv3XZith8E7i19OdaxOLYFOwM-Z2EuM02TirT4", "y": "HskHU8BjUi1U9Xqi7Swmj8gwAK_0xkcDjEW_71SosEY"}})
		},
		"a digest too few": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Claims = nil
			w.Issuer.Raw = func(s string) string { return s + "WyJhIiwiYiIsImMiXQ~" }
		},
		"a presentation": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Raw = func(s string) string { return s + "e30.e30.e30" }
		},
		"untrusted issuer": func(t *testing.T, w *wallettest.Env) { w.Issuer.Signs = w.Roots.Party(t, "Proof House Issuer") },
		"self-signed issuer": func(t *testing.T, w *wallettest.Env) {
			w.Issuer.Signs = wallettest.SelfSigned(t, "Proof House Issuer")
		},
		"another key signs": func(t *testing.T, w *wallettest.Env) { w.Issuer.Signs.Key = wallettest.NewKey(t) },
		"stale nonce each time": func(_ *testing.T, w *wallettest.Env) {
			w.Issuer.Intercept = answer("/nonce", 200, "application/json", `{"c_nonce":"stale"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.New(t)
			spoil(t, w)
			refused(t, w, w.Issuer.Link())
		})
	}
}

func TestAcceptFetchesAStaleNonceAgain(t *testing.T) {
	w := wallettest.New(t)
	stale := true
	w.Issuer.Intercept = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/nonce" || !stale {
			return false
		}
		stale = false
		return answer("/nonce", 200, "application/json", `{"c_nonce":"stale"}`)(rw, r)
	}
	w.Accept(t)
	if w.Issuer.Proofs != 2 {
		t.Errorf("%d credential requests, not 2", w.Issuer.Proofs)
	}
}

func TestAcceptWithoutIssuerAnchorsTakesAnyIssuer(t *testing.T) {
	w := wallettest.New(t)
	w.Config.IssuerAnchors = nil
	w.Remake(t)
	w.Issuer.Signs = wallettest.NewAuthority(t, "Somebody").Party(t, "Somebody's Issuer")
	w.Accept(t)
}

// refused accepts the link and wants an error and an empty wallet.
func refused(t *testing.T, w *wallettest.Env, link string) {
	t.Helper()
	if c, err := w.Wallet.Accept(t.Context(), link); err == nil {
		t.Errorf("accepted %v", c)
	}
	if len(w.Wallet.Credentials()) != 0 {
		t.Error("something is in the wallet all the same")
	}
}

// answer replaces what one path of the issuer says.
func answer(path string, status int, mediaType, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	}
}

func configuration(name string, value any) func(map[string]any) {
	return func(m map[string]any) {
		m["credential_configurations_supported"].(map[string]any)["VerifiedIdentity"].(map[string]any)[name] = value
	}
}
