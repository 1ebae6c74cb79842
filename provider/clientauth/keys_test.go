package clientauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/fetch"
	"regain/provider/clientauth"
	"regain/provider/clients"
	"regain/provider/mtls"
	"regain/provider/problem"
	"regain/provider/remotekeys"
	"regain/storage/memory"
)

const issuer = "https://recover.example.org"

// jwkSets are the JWK Sets that clients publish; err is in their place.
type jwkSets struct {
	set  jose.JSONWebKeySet
	next *jose.JSONWebKeySet // what a renewal brings; nil for the same
	err  error
	last context.Context
}

func (p *jwkSets) Renew(ctx context.Context, _ string) (jose.JSONWebKeySet, error) {
	if p.next != nil {
		p.set = *p.next
	}
	return p.Keys(ctx, "", "")
}

func (p *jwkSets) Keys(ctx context.Context, _, _ string) (jose.JSONWebKeySet, error) {
	p.last = ctx
	return p.set, p.err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// setUp is two clients that publish their keys, and the key of both.
func setUp(t *testing.T, keys clients.RemoteKeys) (*clientauth.Authenticator, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	store, err := memory.New(time.Now)
	must(t, err)
	source, err := mtls.New(mtls.Config{})
	must(t, err)
	found, err := clients.NewKeySource(keys)
	must(t, err)
	client := func(id string, method clients.AuthMethod) *clients.Client {
		return &clients.Client{
			ID: id, Name: id, AuthMethod: method, JWKSURI: "https://idp.example.org/jwks", RedirectURIs: []string{"https://idp.example.org/callback"}, Scopes: []string{"openid"},
		}
	}
	registry, err := clients.NewFixed([]*clients.Client{client("signs", clients.PrivateKeyJWT), client("certified", clients.SelfSignedTLSClientAuth)})
	must(t, err)
	a, err := clientauth.New(clientauth.Config{Issuer: issuer, Registry: registry, Keys: found, Source: source, Store: store, Clock: time.Now})
	must(t, err)
	return a, key
}

// withAssertion is RFC 7523 §2.2.
func withAssertion(t *testing.T, key *ecdsa.PrivateKey) (*http.Request, url.Values) {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	must(t, err)
	assertion, err := jwt.Signed(signer).Claims(map[string]any{
		"iss": "signs", "sub": "signs", "aud": issuer, "jti": rand.Text(), "exp": time.Now().Add(time.Minute).Unix(),
	}).Serialize()
	must(t, err)
	return httptest.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/token", http.NoBody), url.Values{
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion},
	}
}

// withCertificate is RFC 8705 §2.
func withCertificate(t *testing.T, key *ecdsa.PrivateKey) (*http.Request, url.Values) {
	t.Helper()
	template := &x509.Certificate{NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	certificate, err := x509.ParseCertificate(der)
	must(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/token", http.NoBody)
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}}
	return r, url.Values{"client_id": {"certified"}}
}

// Whoever cannot be told from a stranger because their keys cannot be had is asked to try again, and the log says why.
func TestClientsWhoseKeysCannotBeHad(t *testing.T) {
	down := fmt.Errorf("%w: fetch: %w: 503", remotekeys.ErrUnavailable, fetch.ErrStatus)
	for name, request := range map[string]func(*testing.T, *ecdsa.PrivateKey) (*http.Request, url.Values){"assertion": withAssertion, "certificate": withCertificate} {
		keys := &jwkSets{err: down}
		a, key := setUp(t, keys)
		keys.set = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "sig"}}}
		r, form := request(t, key)
		_, err := a.Authenticate(r, form)
		var shown *problem.Error
		if !errors.As(err, &shown) || shown.Code != "temporarily_unavailable" || !errors.Is(err, fetch.ErrStatus) || !strings.Contains(err.Error(), "503") {
			t.Errorf("%s, while the server of the keys is down: %v", name, err)
		}
		if keys.last != r.Context() {
			t.Errorf("%s: the keys were fetched with another context than the request's", name)
		}
		keys.err = nil
		r, form = request(t, key)
		if _, err := a.Authenticate(r, form); err != nil {
			t.Errorf("%s, when it is up again: %v", name, err)
		}
		keys.set = jose.JSONWebKeySet{}
		r, form = request(t, key)
		if _, err := a.Authenticate(r, form); !errors.As(err, &shown) || shown.Code != "invalid_client" {
			t.Errorf("%s, by another's key: %v", name, err)
		}
	}
}

// A key that was replaced, under its old name or under none, is found by fetching the set once more.
func TestKeysThatWereReplaced(t *testing.T) {
	old, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	for name, request := range map[string]func(*testing.T, *ecdsa.PrivateKey) (*http.Request, url.Values){"assertion": withAssertion, "certificate": withCertificate} {
		for _, kid := range []string{"", "sig"} {
			keys := &jwkSets{set: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: old.Public(), KeyID: kid}}}}
			a, key := setUp(t, keys)
			r, form := request(t, key)
			if _, err := a.Authenticate(r, form); err == nil {
				t.Errorf("%s: a key that nobody published", name)
			}
			keys.next = &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: kid}}}
			r, form = request(t, key)
			if _, err := a.Authenticate(r, form); err != nil {
				t.Errorf("%s, kid %q: %v", name, kid, err)
			}
		}
	}
}
