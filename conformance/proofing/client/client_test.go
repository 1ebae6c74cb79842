package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/proofing/client"
)

const issuer = "https://proofing.example"

// bench is a door, a registered wallet, and a wallet provider.
type bench struct {
	*client.Door
	t                          testing.TB
	now                        time.Time
	wallet, provider, instance *ecdsa.PrivateKey
}

func setUp(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), wallet: newKey(t), provider: newKey(t), instance: newKey(t)}
	var err error
	b.Door, err = client.NewDoor(client.Config{
		Issuer: issuer, Clock: func() time.Time { return b.now },
		Wallets:   []client.Wallet{{ID: "wallet", Keys: set(b.wallet, "w")}, {ID: "another", Keys: set(newKey(t), "x")}},
		Attesters: []client.Attester{{Issuer: "https://provider.example", Keys: set(b.provider, "p")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func set(key *ecdsa.PrivateKey, kid string) jose.JWKSet {
	return jose.JWKSet{Keys: []jose.JWK{{Key: key.Public(), KeyID: kid, Use: "sig", Algorithm: "ES256"}}}
}

// sign signs claims with some changed; nil leaves one out.
func (b *bench) sign(key *ecdsa.PrivateKey, typ, kid string, claims, change map[string]any) string {
	b.t.Helper()
	header := map[string]any{"typ": typ, "kid": kid}
	maps.DeleteFunc(header, func(_ string, v any) bool { return v == "" })
	kept := maps.Clone(claims)
	maps.Copy(kept, change)
	maps.DeleteFunc(kept, func(_ string, v any) bool { return v == nil })
	compact, err := jose.Sign(key, header, kept)
	if err != nil {
		b.t.Fatal(err)
	}
	return compact
}

func random() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (b *bench) assertionClaims() map[string]any {
	return map[string]any{
		"iss": "wallet", "sub": "wallet", "aud": issuer, "jti": random(), "iat": b.now.Unix(), "nbf": b.now.Unix(), "exp": b.now.Add(time.Minute).Unix(),
	}
}

func form(assertion string) url.Values {
	return url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion}}
}

func TestAssertions(t *testing.T) {
	b := setUp(t)
	for _, typ := range []string{"", "JWT", "client-authentication+jwt"} {
		f := form(b.sign(b.wallet, typ, "w", b.assertionClaims(), nil))
		if who, err := b.Authenticate(f, http.Header{}); err != nil || who != "wallet" {
			t.Errorf("typ %q: %q, %v", typ, who, err)
		}
		if _, err := b.Authenticate(f, http.Header{}); !errors.Is(err, client.ErrClient) {
			t.Errorf("typ %q again: %v", typ, err)
		}
	}
	f := form(b.sign(b.wallet, "", "", b.assertionClaims(), map[string]any{"nbf": nil, "iat": nil}))
	f.Set("client_id", "wallet")
	if who, err := b.Authenticate(f, http.Header{}); err != nil || who != "wallet" {
		t.Errorf("with no kid: %q, %v", who, err)
	}
}

// Each row starts from a good assertion and breaks one thing.
func TestAssertionsThatAreRefused(t *testing.T) {
	b := setUp(t)
	with := func(change map[string]any) url.Values {
		return form(b.sign(b.wallet, "JWT", "w", b.assertionClaims(), change))
	}
	changed := func(name, value string) url.Values {
		f := with(nil)
		f.Set(name, value)
		return f
	}
	for name, f := range map[string]url.Values{
		"nothing":                   {},
		"no assertion":              {"client_assertion_type": form("")["client_assertion_type"]},
		"another type":              changed("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
		"another client":            changed("client_id", "another"),
		"not a JWT":                 form("x"),
		"another typ":               form(b.sign(b.wallet, "dpop+jwt", "w", b.assertionClaims(), nil)),
		"another key":               form(b.sign(newKey(t), "JWT", "w", b.assertionClaims(), nil)),
		"another kid":               form(b.sign(b.wallet, "JWT", "x", b.assertionClaims(), nil)),
		"another wallet":            with(map[string]any{"iss": "another", "sub": "another"}),
		"an unknown one":            with(map[string]any{"iss": "stranger", "sub": "stranger"}),
		"iss is not sub":            with(map[string]any{"iss": "another"}),
		"no iss":                    with(map[string]any{"iss": nil}),
		"no aud":                    with(map[string]any{"aud": nil}),
		"aud is a list":             with(map[string]any{"aud": []string{issuer}}),
		"aud is the token endpoint": with(map[string]any{"aud": issuer + "/token"}),
		"no exp":                    with(map[string]any{"exp": nil}),
		"expired":                   with(map[string]any{"exp": b.now.Unix()}),
		"lives long":                with(map[string]any{"exp": b.now.Add(time.Hour).Unix()}),
		"from long ago":             with(map[string]any{"iat": b.now.Add(-time.Hour).Unix()}),
		"not yet":                   with(map[string]any{"nbf": b.now.Add(2 * time.Minute).Unix()}),
		"no jti":                    with(map[string]any{"jti": nil}),
	} {
		if who, err := b.Authenticate(f, http.Header{}); !errors.Is(err, client.ErrClient) || who != "" {
			t.Errorf("%s: %q, %v", name, who, err)
		}
	}
	if _, err := b.Authenticate(with(nil), b.headers(nil, nil)); !errors.Is(err, client.ErrClient) {
		t.Errorf("two methods at once: %v", err)
	}
}

func (b *bench) headers(attestation, proof map[string]any) http.Header {
	b.t.Helper()
	return http.Header{
		"Oauth-Client-Attestation":     {b.sign(b.provider, "oauth-client-attestation+jwt", "p", b.attestationClaims(), attestation)},
		"Oauth-Client-Attestation-Pop": {b.sign(b.instance, "oauth-client-attestation-pop+jwt", "", b.proofClaims(), proof)},
	}
}

func (b *bench) attestationClaims() map[string]any {
	return map[string]any{
		"iss": "https://provider.example", "sub": "app", "iat": b.now.Unix(), "nbf": b.now.Unix(), "exp": b.now.Add(time.Hour).Unix(),
		"cnf": map[string]any{"jwk": jose.JWK{Key: b.instance.Public()}},
	}
}

func (b *bench) proofClaims() map[string]any {
	return map[string]any{"iss": "app", "aud": issuer, "jti": random(), "iat": b.now.Unix(), "exp": b.now.Add(time.Minute).Unix()}
}

func TestAttestations(t *testing.T) {
	b := setUp(t)
	headers := b.headers(nil, nil)
	if who, err := b.Authenticate(url.Values{"client_id": {"app"}}, headers); err != nil || who != "app" {
		t.Errorf("%q, %v", who, err)
	}
	if _, err := b.Authenticate(nil, headers); !errors.Is(err, client.ErrAttestation) {
		t.Errorf("the same proof again: %v", err)
	}
}

// Each row starts from a good attestation and breaks one thing.
func TestAttestationsThatAreRefused(t *testing.T) {
	b := setUp(t)
	replaced := func(name, value string) http.Header {
		h := b.headers(nil, nil)
		h.Set(name, value)
		return h
	}
	without := func(name string) http.Header {
		h := b.headers(nil, nil)
		h.Del(name)
		return h
	}
	const attestation, proof = "OAuth-Client-Attestation", "OAuth-Client-Attestation-PoP"
	for name, h := range map[string]http.Header{
		"no proof":             without(proof),
		"no attestation":       without(attestation),
		"not a JWT":            replaced(attestation, "x"),
		"another typ":          replaced(attestation, b.sign(b.provider, "JWT", "p", b.attestationClaims(), nil)),
		"another provider":     replaced(attestation, b.sign(newKey(t), "oauth-client-attestation+jwt", "p", b.attestationClaims(), nil)),
		"another iss":          b.headers(map[string]any{"iss": "https://other.example"}, nil),
		"no sub":               b.headers(map[string]any{"sub": nil}, nil),
		"no exp":               b.headers(map[string]any{"exp": nil}, nil),
		"expired":              b.headers(map[string]any{"exp": b.now.Add(-10 * time.Minute).Unix()}, nil),
		"not yet":              b.headers(map[string]any{"nbf": b.now.Add(time.Hour).Unix()}, nil),
		"from ahead":           b.headers(map[string]any{"iat": b.now.Add(time.Hour).Unix()}, nil),
		"no cnf":               b.headers(map[string]any{"cnf": nil}, nil),
		"a private cnf":        b.headers(map[string]any{"cnf": map[string]any{"jwk": jose.JWK{Key: b.instance}}}, nil),
		"another's cnf":        b.headers(map[string]any{"cnf": map[string]any{"jwk": jose.JWK{Key: newKey(t).Public()}}}, nil),
		"proof of another typ": replaced(proof, b.sign(b.instance, "JWT", "", b.proofClaims(), nil)),
		"proof by another key": replaced(proof, b.sign(newKey(t), "oauth-client-attestation-pop+jwt", "", b.proofClaims(), nil)),
		"proof of another":     b.headers(nil, map[string]any{"iss": "other"}),
		"proof for another":    b.headers(nil, map[string]any{"aud": "https://other.example"}),
		"proof for nobody":     b.headers(nil, map[string]any{"aud": nil}),
		"proof without iat":    b.headers(nil, map[string]any{"iat": nil}),
		"proof of long ago":    b.headers(nil, map[string]any{"iat": b.now.Add(-time.Hour).Unix()}),
		"proof from ahead":     b.headers(nil, map[string]any{"nbf": b.now.Add(time.Hour).Unix()}),
		"proof expired":        b.headers(nil, map[string]any{"exp": b.now.Unix()}),
		"proof without jti":    b.headers(nil, map[string]any{"jti": nil}),
	} {
		if who, err := b.Authenticate(nil, h); !errors.Is(err, client.ErrAttestation) || who != "" {
			t.Errorf("%s: %q, %v", name, who, err)
		}
	}
	if _, err := b.Authenticate(url.Values{"client_id": {"other"}}, b.headers(nil, nil)); !errors.Is(err, client.ErrAttestation) {
		t.Errorf("another client_id: %v", err)
	}
}

func TestAnOpenDoor(t *testing.T) {
	clock := func() time.Time { return time.Time{} }
	open, err := client.NewDoor(client.Config{Issuer: issuer, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	if who, err := open.Authenticate(url.Values{}, http.Header{}); err != nil || who != "" || open.Closed() || open.Methods()[0] != "none" {
		t.Errorf("%q, %v, %v", who, err, open.Methods())
	}
	if _, err := open.Authenticate(form("x"), http.Header{}); !errors.Is(err, client.ErrClient) {
		t.Errorf("a forged assertion at an open door: %v", err)
	}
	if b := setUp(t); !b.Closed() || len(b.Methods()) != 2 {
		t.Errorf("a closed one: %v", b.Methods())
	}
	for name, c := range map[string]client.Config{
		"no issuer": {Clock: clock}, "no clock": {Issuer: issuer},
		"a wallet without keys":   {Issuer: issuer, Clock: clock, Wallets: []client.Wallet{{ID: "w"}}},
		"a provider without keys": {Issuer: issuer, Clock: clock, Attesters: []client.Attester{{Issuer: "p"}}},
	} {
		if _, err := client.NewDoor(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
