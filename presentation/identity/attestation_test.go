package identity_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"regain/presentation/identity"
)

// attest is a Verifier Attestation JWT (OpenID4VP 1.0 §12) about a key, as its issuer makes it; change edits the claims.
func attest(t fatal, about any, change func(claims map[string]any)) string {
	t.Helper()
	claims := map[string]any{
		"iss": "https://attester.example", "sub": "recover.example.org", "iat": noon.Add(-time.Hour).Unix(), "exp": noon.Add(time.Hour).Unix(),
		"cnf": map[string]any{"jwk": jose.JSONWebKey{Key: about}},
	}
	if change != nil {
		change(claims)
	}
	payload, err := json.Marshal(claims)
	must(t, payload, err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: newKey(t)}, (&jose.SignerOptions{}).WithType("verifier-attestation+jwt"))
	must(t, signer, err)
	object, err := signer.Sign(payload)
	must(t, object, err)
	compact, err := object.CompactSerialize()
	return must(t, compact, err)
}

func TestAttested(t *testing.T) {
	key := newKey(t)
	jwt := attest(t, key.Public(), nil)
	who, err := identity.Attested(jwt+"\n", hsm{key}, noon) // as a file ends
	must(t, who, err)
	if header := signed(t, who, key.Public()); header["jwt"] != jwt || len(header) != 3 {
		t.Errorf("header %v", header)
	}
	if who.ClientID("https://r.example/") != "verifier_attestation:recover.example.org" || who.Prefix() != identity.AttestedOf {
		t.Errorf("%s", who.ClientID(""))
	}
	if err := who.CheckResponseURI("https://anywhere.example/"); err != nil {
		t.Error(err)
	}
	for after, ok := range map[time.Duration]bool{0: true, time.Hour - time.Second: true, time.Hour: false} { // on exp it has expired (RFC 7519 §4.1.4)
		if err := who.Usable(noon.Add(after)); (err == nil) != ok {
			t.Errorf("%s later: %v", after, err)
		}
	}
}

// When an attestation ends is told of those that can be read.
func TestAttestationEnds(t *testing.T) {
	if ends, ok := identity.AttestationEnds(attest(t, newKey(t).Public(), nil) + "\n"); !ok || !ends.Equal(noon.Add(time.Hour)) {
		t.Errorf("%s, %t", ends, ok)
	}
	if ends, ok := identity.AttestationEnds("e30.e30.AA"); ok {
		t.Errorf("of nothing: %s", ends)
	}
}

// Wallets compare redirect_uris character by character.
func TestAttestedRedirectURIs(t *testing.T) {
	key := newKey(t)
	who, err := identity.Attested(attest(t, key.Public(), func(c map[string]any) {
		c["redirect_uris"] = []string{"https://recover.example.org/a", "https://recover.example.org/b"}
	}), key, noon)
	must(t, who, err)
	for uri, ok := range map[string]bool{
		"https://recover.example.org/a": true, "https://recover.example.org/b": true,
		"https://recover.example.org/a/": false, "https://recover.example.org/c": false, "https://RECOVER.example.org/a": false, "": false,
	} {
		if err := who.CheckResponseURI(uri); (err == nil) != ok {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

func TestAttestationsThatAWalletWouldRefuse(t *testing.T) {
	key := newKey(t)
	set := func(name string, value any) string {
		return attest(t, key.Public(), func(c map[string]any) { c[name] = value })
	}
	without := func(name string) string {
		return attest(t, key.Public(), func(c map[string]any) { delete(c, name) })
	}
	good := strings.Split(attest(t, key.Public(), nil), ".")
	header := func(text string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + good[1] + "." + good[2]
	}
	payload := func(text string) string {
		return good[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + good[2]
	}
	for name, row := range map[string]struct{ jwt, says string }{
		"nothing":                          {"", "strict JSON"},
		"one part":                         {good[0], "strict JSON"},
		"two parts":                        {good[0] + "." + good[1], "not signed with a private key"},
		"an empty signature":               {good[0] + "." + good[1] + ".", "not signed with a private key"},
		"four parts":                       {strings.Join(good, ".") + ".x", "not signed with a private key"},
		"not base64url":                    {"!." + good[1] + "." + good[2], "no compact JWT"},
		"not JSON":                         {header("typ"), "strict JSON"},
		"is missing or has the wrong type": {header(`{"alg":"ES256","typ":"JWT"}`), "typ"},
		"no type":                          {header(`{"alg":"ES256"}`), "typ"},
		"type in capitals":                 {header(`{"alg":"ES256","TYP":"verifier-attestation+jwt"}`), "typ"},
		"alg none":                         {header(`{"alg":"none","typ":"verifier-attestation+jwt"}`), "not signed with a private key"},
		"no alg":                           {header(`{"typ":"verifier-attestation+jwt"}`), "not signed with a private key"},
		"a shared secret":                  {header(`{"alg":"HS256","typ":"verifier-attestation+jwt"}`), "not signed with a private key"},
		"alg is a number":                  {header(`{"alg":1,"typ":"verifier-attestation+jwt"}`), "wrong type"},
		"a name twice":                     {payload(`{"sub":"a","sub":"b"}`), "twice"},
		"a list":                           {payload(`[]`), "object"},
		"endless depth":                    {payload(strings.Repeat(`{"a":`, 50) + "1" + strings.Repeat("}", 50)), "deep"},
		"no iss":                           {without("iss"), "lacks"},
		"no sub":                           {without("sub"), "lacks"},
		"no exp":                           {without("exp"), "lacks"},
		"no cnf":                           {without("cnf"), "lacks"},
		"cnf without a jwk":                {set("cnf", map[string]any{"kid": "x"}), "lacks"},
		"cnf is text":                      {set("cnf", "x"), "wrong type"},
		"exp is text":                      {set("exp", "tomorrow"), "wrong type"},
		"sub with a space":                 {set("sub", "a b"), "lacks"},
		"sub with a quote":                 {set("sub", `a"b`), "lacks"},
		"expired":                          {set("exp", noon.Unix()), "valid from"},
		"negative exp":                     {set("exp", -1), "lacks"},
		"not yet valid":                    {set("nbf", noon.Add(time.Minute).Unix()), "valid from"},
		"about another key":                {attest(t, newKey(t).Public(), nil), "another key"},
		"about a private":                  {attest(t, key, nil), "a private key"},
		"one redirect_uri":                 {set("redirect_uris", "https://recover.example.org/"), "wrong type"},
	} {
		if who, err := identity.Attested(row.jwt, key, noon); err == nil || who != nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", name, err, row.says)
		}
	}
	if who, err := identity.Attested(strings.Join(good, "."), nil, noon); err == nil || !strings.Contains(err.Error(), "there is no key") || who != nil {
		t.Error("without a key: accepted")
	}
}

// Whatever stands in the file, Attested does not panic, and what it accepts is a client_id that a wallet can read.
func FuzzAttested(f *testing.F) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32)) // the same in every process that fuzzes
	must(f, key, err)
	f.Add(attest(f, key.Public(), nil))
	f.Add(attest(f, key.Public(), func(c map[string]any) { c["redirect_uris"] = []string{"https://x"} }))
	f.Add(attest(f, newKey(f).Public(), nil))
	f.Add("e30.e30.AA")
	f.Add("..")
	f.Fuzz(func(t *testing.T, jwt string) {
		who, err := identity.Attested(jwt, key, noon)
		if err != nil {
			if who != nil {
				t.Error("an error, and an identity too")
			}
			return
		}
		sub, ok := strings.CutPrefix(who.ClientID(""), "verifier_attestation:")
		if !ok || sub == "" || strings.ContainsAny(sub, " \"\\\n") || !who.NotAfter().After(noon) || who.Usable(noon) != nil {
			t.Errorf("it became %q, until %s", who.ClientID(""), who.NotAfter())
		}
		if header := signed(t, who, key.Public()); header["jwt"] != strings.TrimSpace(jwt) {
			t.Error("another text is in the header")
		}
	})
}
