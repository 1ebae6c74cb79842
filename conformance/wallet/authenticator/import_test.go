package authenticator_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"regain/conformance/spoil"
	"regain/conformance/wallet/authenticator"
	"regain/conformance/wallet/authenticator/authenticatortest"
	"regain/conformance/wallet/wallettest"
)

func TestImport(t *testing.T) {
	w := authenticatortest.New(t)
	c := w.Import(t)
	if c.Type != authenticatortest.IdentityType || c.Name != "Verified ID" || c.Issuer != "did:web:issuer.example" || !strings.HasPrefix(c.JTI, "urn:uuid:") {
		t.Errorf("it is %q, %q from %q", c.Type, c.Name, c.Issuer)
	}
	if c.Claim("firstName") != "Ada" || c.Claim("nothing") != "" || string(c.Portrait()) != "a picture of Ada" {
		t.Error("its claims are not those issued")
	}
	if !c.Issued.Equal(wallettest.Noon()) || !c.Expires.Equal(wallettest.Noon().Add(24*time.Hour)) {
		t.Errorf("its dates are %v to %v", c.Issued, c.Expires)
	}
	if held := w.Wallet.Credentials(); len(held) != 1 || held[0].ID != c.ID {
		t.Error("it is not in the wallet")
	}
	w.Wallet.Forget(c.ID)
	if len(w.Wallet.Credentials()) != 0 {
		t.Error("it is still in the wallet")
	}
}

func TestImportTakes(t *testing.T) {
	for name, change := range map[string]func(*scene){
		"a subject named twice": func(w *scene) {
			w.Issuer.Claims = within("vc", within("credentialSubject", set("id", w.Wallet.DID())))
		},
		"one that does not expire": func(w *scene) { w.Issuer.Claims = unset("exp") },
		"no typ":                   func(w *scene) { w.Issuer.Header = unset("typ") },
		"an issuer on the list":    func(w *scene) { w.Config.Issuers = []string{"did:web:issuer.example"} },
	} {
		w := authenticatortest.New(t)
		change(w)
		if w.Config.Issuers != nil {
			w.Remake(t)
		}
		if c := w.Import(t); len(c.ClaimNames()) != 5 {
			t.Errorf("%s: %v", name, c.ClaimNames())
		}
	}
}

// Each row breaks one thing about a credential that is right.
func TestImportRefuses(t *testing.T) {
	claims := func(hook func(map[string]any)) func(*testing.T, *scene) {
		return func(_ *testing.T, w *scene) { w.Issuer.Claims = hook }
	}
	header := func(hook func(map[string]any)) func(*testing.T, *scene) {
		return func(_ *testing.T, w *scene) { w.Issuer.Header = hook }
	}
	for name, broken := range map[string]func(*testing.T, *scene){
		"typ":                 header(set("typ", "vc+jwt")),
		"no kid":              header(unset("kid")),
		"another's kid":       header(set("kid", "did:web:verifier.example#key-1")),
		"another iss":         claims(set("iss", "did:web:verifier.example")),
		"another subject":     claims(set("sub", "did:web:verifier.example")),
		"another subject.id":  claims(within("vc", within("credentialSubject", set("id", "did:web:verifier.example")))),
		"no jti":              claims(unset("jti")),
		"no iat":              claims(unset("iat")),
		"no nbf":              claims(unset("nbf")),
		"nbf in the future":   claims(set("nbf", wallettest.Noon().Add(time.Hour).Unix())),
		"expired":             claims(set("exp", wallettest.Noon().Unix())),
		"no vc":               claims(unset("vc")),
		"no @context":         claims(within("vc", unset("@context"))),
		"@context of 2.0":     claims(within("vc", set("@context", []string{"https://www.w3.org/ns/credentials/v2"}))),
		"no type of its own":  claims(within("vc", set("type", []string{"VerifiableCredential"}))),
		"type the wrong way":  claims(within("vc", set("type", []string{"X", "VerifiableCredential"}))),
		"another type only":   claims(within("vc", set("type", []string{"X", "Y"}))),
		"no subject":          claims(within("vc", unset("credentialSubject"))),
		"a list of subjects":  claims(within("vc", set("credentialSubject", []any{}))),
		"an untrusted issuer": func(t *testing.T, w *scene) { w.Config.Issuers = []string{"did:web:other.example"}; w.Remake(t) },
		"another key": func(t *testing.T, w *scene) {
			right := w.Issuer.Signs
			w.Issuer.Signs = authenticatortest.NewParty(t, "did:web:issuer.example", "ES256")
			w.Issuer.Answer = answer("/.well-known/did.json", 200, "application/json", wallettest.ToJSON(t, right.Document(t, "")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := authenticatortest.New(t)
			broken(t, w)
			_, err := w.Wallet.Import(t.Context(), w.Issuer.Identity(w.Wallet.DID()), w.Issuer.Source())
			if !errors.Is(err, authenticator.ErrCredential) || len(w.Wallet.Credentials()) != 0 {
				t.Errorf("got %v", err)
			}
		})
	}
	w := authenticatortest.New(t)
	right := w.Issuer.Identity(w.Wallet.DID())
	for name, text := range map[string]string{
		"nothing": "", "no JWS": "x", "a signature": spoil.Signature(right), "alg none": spoil.Unsigned(right),
		"altered": spoil.Subject(right, map[string]any{"firstName": "Eve"}),
	} {
		if _, err := w.Wallet.Import(t.Context(), text, authenticator.Source{}); !errors.Is(err, authenticator.ErrCredential) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The ways in which issuers write a picture.
func TestPortraits(t *testing.T) {
	w := authenticatortest.New(t)
	for text, want := range map[string]string{
		"_-8A": "\xff\xef\x00", "/+8A": "\xff\xef\x00", "%2F%2B8A": "\xff\xef\x00", "data:image/jpeg;base64,/+8A": "\xff\xef\x00", "_w==": "\xff",
		"_w%3D%3D": "\xff", "": "", "!": "", "data:text/html,x": "",
	} {
		w.Issuer.Subject = map[string]any{"photo": text}
		if c := w.Import(t); string(c.Portrait()) != want {
			t.Errorf("%s is %q", text, c.Portrait())
		}
	}
}

func TestIssuerNames(t *testing.T) {
	for id, want := range map[string]string{
		"did:web:issuer.example": "issuer.example", "did:web:issuer.localhost%3A8402:tenant": "issuer.localhost:8402", "did:jwk:eyJ9": "did:jwk", "x": "x",
	} {
		if got := (authenticator.Credential{Issuer: id}).IssuerName(); got != want {
			t.Errorf("%s is shown as %s", id, got)
		}
	}
}
