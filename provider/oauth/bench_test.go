package oauth_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/fetch"
	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/keys"
	"regain/provider/mtls"
	"regain/provider/oauth"
	"regain/provider/remotekeys"
	"regain/provider/requests"
	"regain/recovery"
	"regain/storage"
	"regain/storage/memory"
)

const (
	issuer   = "https://recover.example.org"
	alias    = "https://mtls.recover.example.org" // of mutual TLS; serverWith
	redirect = "https://idp.example.org/callback"
	verifier = "a-code-verifier-of-more-than-forty-three-characters"
	secret   = "a-client-secret-of-more-than-thirty-two-characters"
)

// bench is a server with two clients and their keys.
type bench struct {
	*oauth.Server
	t    *testing.T
	now  time.Time
	keys map[string]*ecdsa.PrivateKey
	jti  int
	// accounts says who may have tokens.
	accounts *accounts

	roots *x509.CertPool // for tls_client_auth; serverWith
}

// accounts finds every account eligible, unless told otherwise.
type accounts struct{ err error }

func (a *accounts) Eligible(_ context.Context, id recovery.AccountID, under recovery.ProfileName) (recovery.Account, error) {
	return recovery.Account{ID: id, Name: "ada@example.org"}, a.err
}

func setUp(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Now().Truncate(time.Second), keys: map[string]*ecdsa.PrivateKey{}, accounts: &accounts{}}
	clock := func() time.Time { return b.now }
	backend, err := memory.New(clock)
	b.must(err)
	ring, err := storage.NewKeyring(bytes.Repeat([]byte{1}, 32))
	b.must(err)
	store, err := storage.NewSealed(backend, ring)
	b.must(err)
	signer, err := keys.NewRing([]keys.Key{{Private: b.newKey("server")}}, clock)
	b.must(err)
	registry, err := clients.NewFixed([]*clients.Client{
		{ID: "main-idp", Name: "Example", AuthMethod: clients.PrivateKeyJWT, AllowUnpushed: true, RedirectURIs: []string{redirect}, Keys: b.jwks("main-idp")},
		{ID: "other-idp", Name: "Other", AuthMethod: clients.PrivateKeyJWT, AllowUnpushed: true, RedirectURIs: []string{"https://other.example.org/callback"}, Keys: b.jwks("other-idp")},
		{
			ID: "legacy idp", Name: "Legacy", AuthMethod: clients.ClientSecretBasic, SecretDigest: sha256.Sum256([]byte(secret)),
			RedirectURIs: []string{redirect}, Keys: b.jwks("legacy idp"),
		},
		{ // its keys cannot be had
			ID: "publishing", Name: "Publishing", AuthMethod: clients.ClientSecretBasic, SecretDigest: sha256.Sum256([]byte(secret)), AllowUnpushed: true,
			RedirectURIs: []string{redirect}, JWKSURI: "https://127.0.0.1/jwks", RequestObjectAlgorithm: jose.ES256,
		},
		{
			ID: "broker", Name: "Broker", AuthMethod: clients.ClientSecretPost, SecretDigest: sha256.Sum256([]byte(secret)), AllowUnpushed: true, AllowNoPKCE: true,
			RedirectURIs: []string{"https://broker.example.org/callback"}, Scopes: []string{"openid", "email", "phone", "offline_access"},
		},
	})
	b.must(err)
	source, err := mtls.New(mtls.Config{})
	b.must(err)
	b.Server, err = oauth.New(oauth.Config{Issuer: issuer, Secret: bytes.Repeat([]byte{2}, 32)},
		oauth.Deps{Clients: registry, Keys: b.published(), Store: store, Ring: signer, Source: source, Tenants: b.tenants(), Accounts: b.accounts, Clock: clock})
	b.must(err)
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) newKey(name string) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	b.must(err)
	b.keys[name] = key
	return key
}

func (b *bench) jwks(client string) jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: b.newKey(client).Public(), KeyID: "sig", Use: "sig", Algorithm: "ES256"}, {Key: b.newKey(client + " enc").Public(), KeyID: "enc", Use: "enc"},
	}}
}

// sign signs claims as a client; nil values are left out.
func (b *bench) sign(client string, claims map[string]any) string {
	b.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: b.keys[client]}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", "sig"))
	b.must(err)
	kept := maps.Clone(claims)
	maps.DeleteFunc(kept, func(_ string, v any) bool { return v == nil })
	token, err := jwt.Signed(signer).Claims(kept).Serialize()
	b.must(err)
	return token
}

// assertion are the claims of a good client assertion.
func (b *bench) assertion(client string) map[string]any {
	b.jti++
	return map[string]any{
		"iss": client, "sub": client, "aud": issuer, "jti": strings.Repeat("j", 20) + string(rune('A'+b.jti)),
		"iat": b.now.Unix(), "exp": b.now.Add(time.Minute).Unix(),
	}
}

func (b *bench) authenticated(client string, form url.Values) url.Values {
	form = cloned(form)
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", b.sign(client, b.assertion(client)))
	return form
}

func cloned(form url.Values) url.Values {
	c := url.Values{}
	for name, values := range form {
		c[name] = append([]string(nil), values...)
	}
	return c
}

// request is a good authorization request.
func request() url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"response_type": {"code"}, "client_id": {"main-idp"}, "redirect_uri": {redirect}, "scope": {"openid recovery"}, "state": {"s"}, "nonce": {"n"},
		"login_hint": {"ada@example.org"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
}

// post makes the request that a handler would pass on, its form read.
func (b *bench) post(form url.Values) (*http.Request, url.Values, error) {
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, issuer+"/x", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	read, err := requests.ReadForm(httptest.NewRecorder(), r)
	return r, read, err
}

// query is a form as a handler reads it from the query.
func (b *bench) query(form url.Values) (url.Values, error) {
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodGet, issuer+"/authorize?"+form.Encode(), nil)
	return requests.ReadForm(httptest.NewRecorder(), r)
}

func (b *bench) push(form url.Values) (oauth.Pushed, error) {
	r, read, err := b.post(form)
	if err != nil {
		return oauth.Pushed{}, err
	}
	return b.Push(r, read)
}

// authorized is a validated request, by value.
func (b *bench) authorized(form url.Values) requests.Authorization {
	b.t.Helper()
	a, err := b.Authorize(b.t.Context(), form)
	b.must(err)
	return a
}

// code is a code for a recovery that was approved.
func (b *bench) code() string {
	b.t.Helper()
	u, err := b.Grant(b.t.Context(), b.authorized(request()), oauth.Grant{
		Transaction: "txn", Subject: "ada@example.org", AuthTime: b.now.Add(-time.Minute), ACR: "urn:acr", AMR: []string{"face"},
	})
	b.must(err)
	if u.Parameters.Get("code") == "" || u.Parameters.Get("state") != "s" || u.Parameters.Get("iss") != issuer {
		b.t.Fatalf("authorization response: %v", u.Parameters)
	}
	return u.Parameters.Get("code")
}

func tokenRequest(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier}}
}

// redeem redeems and makes tokens, as the token endpoint does.
func (b *bench) redeem(form url.Values) (map[string]any, error) {
	r, read, err := b.post(form)
	if err != nil {
		return nil, err
	}
	redeemed, err := b.Redeem(r, read, unprepared)
	if err != nil {
		return nil, err
	}
	return b.Tokens(b.t.Context(), redeemed, nil)
}

func (b *bench) userInfo(header, query string) (oauth.Access, error) {
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodGet, issuer+"/userinfo"+query, nil)
	if header != "" {
		r.Header.Set("Authorization", header)
	}
	return b.Access(r, nil)
}

// remote can reach nobody.
func (b *bench) remote() *remotekeys.Store {
	b.t.Helper()
	fetcher, err := fetch.New(fetch.Config{})
	b.must(err)
	keys, err := remotekeys.New(fetcher, func() time.Time { return b.now })
	b.must(err)
	return keys
}

func (b *bench) tenants() *contract.Tenants {
	b.t.Helper()
	tenants, err := contract.NewTenants(b.remote(), func() time.Time { return b.now })
	b.must(err)
	return tenants
}

func (b *bench) published() *clients.KeySource {
	b.t.Helper()
	source, err := clients.NewKeySource(b.remote())
	b.must(err)
	return source
}

// unprepared is for a redemption that needs nothing before its code is claimed.
func unprepared(oauth.Redemption) error { return nil }
