package requests_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/fetch"
	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/keys"
	"regain/provider/problem"
	"regain/provider/remotekeys"
	"regain/provider/requests"
)

const (
	issuer    = "https://recover.example.org"
	redirect  = "https://idp.example.org/callback"
	signedOut = "https://idp.example.org/signed-out"
	verifier  = "a-code-verifier-of-more-than-forty-three-characters"
	secret    = "a-client-secret-of-more-than-thirty-two-characters"
)

// noon is when the tests take place, and fixedKey a key that is the same in each process, so that a seed of a fuzzer is the
// same in each of its processes.
func noon() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

func fixedKey(t testing.TB, secret byte) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{secret}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// core takes the redirect URIs that are registered to the letter, and a code for an answer; and tells what it was shown.
type core struct{ shown url.Values }

func (c *core) Registered(client *clients.Client, address string) bool {
	return slices.Contains(client.RedirectURIs, address)
}

func (c *core) Check(_ context.Context, form url.Values) *problem.Error {
	if c.shown = form; form.Get("response_type") != "code" {
		return problem.New(http.StatusBadRequest, "unsupported_response_type", "The core knows no such response_type.")
	}
	return nil
}

// bench is a reader, with clients of several kinds and what they sign with.
type bench struct {
	*requests.Reader
	t    testing.TB
	now  time.Time
	keys map[string]*ecdsa.PrivateKey
	ring *keys.Ring
	core *core
	deps requests.Deps
}

func setUp(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, now: noon(), core: &core{}, keys: map[string]*ecdsa.PrivateKey{}}
	for i, name := range []string{"server", "main-idp", "other-idp", "publishing", "bank"} {
		b.keys[name] = fixedKey(t, byte(i+1))
	}
	clock := func() time.Time { return b.now }
	var err error
	b.ring, err = keys.NewRing([]keys.Key{{Private: b.keys["server"]}}, clock)
	b.must(err)
	digest := sha256.Sum256([]byte(secret))
	registry, err := clients.NewFixed([]*clients.Client{
		{ID: "main-idp", Name: "Example", AuthMethod: clients.PrivateKeyJWT, RedirectURIs: []string{redirect}, Keys: b.jwks("main-idp")},
		{ID: "other-idp", Name: "Other", AuthMethod: clients.PrivateKeyJWT, RedirectURIs: []string{"https://other.example.org/callback"}, Keys: b.jwks("other-idp")},
		{ // its keys cannot be had
			ID: "publishing", Name: "Publishing", AuthMethod: clients.ClientSecretBasic, SecretDigest: digest, RedirectURIs: []string{redirect},
			JWKSURI: "https://127.0.0.1/jwks", RequestObjectAlgorithm: jose.ES256,
		},
		{
			ID: "bank", Name: "Bank", Profile: clients.ProfileFAPI2Signing, AuthMethod: clients.PrivateKeyJWT, DPoPBound: true, RedirectURIs: []string{redirect}, Keys: b.jwks("bank"),
			RequestObjectAlgorithm: jose.ES256, RequireRequestObject: true,
		},
		{ID: "broker", Name: "Broker", AuthMethod: clients.ClientSecretPost, SecretDigest: digest, AllowNoPKCE: true, RedirectURIs: []string{redirect}, Scopes: []string{"openid", "email", "offline_access"}},
		{ID: "okta", Name: "Okta", Contract: contract.OktaIDV, AuthMethod: clients.ClientSecretPost, SecretDigest: digest, RedirectURIs: []string{redirect}},
		{
			ID: "entra", Name: "Entra", Contract: contract.EntraExternalMethod, AuthMethod: clients.NoAuth, RedirectURIs: []string{redirect},
			Tenant: contract.Tenant{Authority: "https://127.0.0.1", ID: "11111111-2222-4333-8444-555555555555", Application: "66666666-7777-4888-9999-aaaaaaaaaaaa"},
		},
		{ID: "asks", Name: "Asks", AuthMethod: clients.ClientSecretPost, SecretDigest: digest, AskAccount: true, RedirectURIs: []string{redirect}, Scopes: []string{"openid"}},
		{ID: "idp", Name: "Example", AuthMethod: clients.ClientSecretPost, SecretDigest: digest, RedirectURIs: []string{redirect}, Scopes: []string{"openid"}, PostLogoutRedirectURIs: []string{signedOut}},
		{ID: "other", Name: "Other", AuthMethod: clients.ClientSecretPost, SecretDigest: digest, RedirectURIs: []string{redirect}, Scopes: []string{"openid"}},
	})
	b.must(err)
	fetcher, err := fetch.New(fetch.Config{})
	b.must(err)
	remote, err := remotekeys.New(fetcher, clock)
	b.must(err)
	published, err := clients.NewKeySource(remote)
	b.must(err)
	tenants, err := contract.NewTenants(remote, clock)
	b.must(err)
	b.deps = requests.Deps{Clients: registry, Keys: published, Ring: b.ring, Tenants: tenants, Core: b.core, Clock: clock}
	b.Reader, err = requests.New(requests.Config{Issuer: issuer, ACR: "urn:acr"}, b.deps)
	b.must(err)
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) jwks(client string) jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: b.keys[client].Public(), KeyID: "sig", Use: "sig", Algorithm: "ES256"}, {Key: fixedKey(b.t, 99).Public(), KeyID: "enc", Use: "enc"},
	}}
}

// request is a good authorization request.
func request() url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"response_type": {"code"}, "client_id": {"main-idp"}, "redirect_uri": {redirect}, "scope": {"openid recovery"}, "state": {"s"}, "nonce": {"n"},
		"login_hint": {"ada@example.org"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
}

// read reads an authorization request of the client that it names.
func (b *bench) read(form url.Values) (requests.Authorization, error) {
	b.t.Helper()
	client, err := b.Client(b.t.Context(), form.Get("client_id"))
	if err != nil {
		return requests.Authorization{}, err
	}
	reader := b.Authorization
	if client.Contract == contract.EntraExternalMethod {
		reader = b.Entra
	}
	a, refusal := reader(b.t.Context(), client, form)
	if refusal != nil {
		if a.Account != "" || a.Form != nil {
			b.t.Errorf("refused for %v, and read: %+v", refusal, a)
		}
		return a, refusal
	}
	return a, nil
}

// sign signs claims as a client.
func (b *bench) sign(client string, claims map[string]any) string {
	b.t.Helper()
	payload, err := json.Marshal(claims)
	b.must(err)
	return b.signText(client, payload)
}

// signText signs a payload as it stands; the server's own signature is that of an ID token.
func (b *bench) signText(name string, payload []byte) string {
	b.t.Helper()
	kid := "sig"
	if name == "server" {
		kid = b.ring.KeyID()
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: b.keys[name]}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", kid))
	b.must(err)
	signed, err := signer.Sign(payload)
	b.must(err)
	text, err := signed.CompactSerialize()
	b.must(err)
	return text
}

// mint is a token of ours for main-idp.
func (b *bench) mint(typ string, change map[string]any) string {
	b.t.Helper()
	claims := map[string]any{"iss": issuer, "sub": "ada@example.org", "aud": "main-idp"}
	maps.Copy(claims, change)
	text, err := b.ring.Mint(typ, claims)
	b.must(err)
	return text
}
