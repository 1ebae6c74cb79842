package oauth_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/keys"
	"regain/provider/mtls"
	"regain/provider/oauth"
	"regain/storage"
	"regain/storage/memory"
)

var errDown = errors.New("down")

// faulty is a store of which one operation on one kind of record fails.
type faulty struct {
	storage.Store
	fail string // operation and kind, such as "create code"; "" for none
	err  error
	// garbled is in the place of the data of each record that is read, unless nil.
	garbled []byte
}

func (f *faulty) broken(operation string, kind storage.Kind) error {
	if f.fail == operation+" "+string(kind) {
		return f.err
	}
	return nil
}

func (f *faulty) Create(ctx context.Context, r storage.Record) error {
	if err := f.broken("create", r.Kind); err != nil {
		return err
	}
	return f.Store.Create(ctx, r)
}

func (f *faulty) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	if err := f.broken("get", kind); err != nil {
		return storage.Record{}, err
	}
	row, err := f.Store.Get(ctx, kind, id)
	if f.garbled != nil {
		row.Data = f.garbled
	}
	return row, err
}

func (f *faulty) Update(ctx context.Context, r storage.Record) error {
	if err := f.broken("update", r.Kind); err != nil {
		return err
	}
	return f.Store.Update(ctx, r)
}

func (f *faulty) Delete(ctx context.Context, kind storage.Kind, id string) error {
	if err := f.broken("delete", kind); err != nil {
		return err
	}
	return f.Store.Delete(ctx, kind, id)
}

func (f *faulty) List(ctx context.Context, kind storage.Kind, group, after string, limit int) ([]storage.Record, error) {
	if err := f.broken("list", kind); err != nil {
		return nil, err
	}
	return f.Store.List(ctx, kind, group, after, limit)
}

func (f *faulty) Increment(ctx context.Context, kind storage.Kind, id string, window time.Duration) (int64, error) {
	if err := f.broken("increment", kind); err != nil {
		return 0, err
	}
	return f.Store.Increment(ctx, kind, id, window)
}

// registered are the clients of a parts; while err is set, they cannot be looked up.
type registered struct {
	clients.Fixed
	err error
}

func (r *registered) Client(ctx context.Context, id string) (*clients.Client, error) {
	if r.err != nil {
		return nil, r.err
	}
	return r.Fixed.Client(ctx, id)
}

// parts is a server of which each part can be made to fail, with a client of each kind.
type parts struct {
	*bench
	store    *faulty
	registry *registered
	ring     []keys.Key
	cfg      oauth.Config
	deps     oauth.Deps
}

func assemble(t *testing.T, tenant contract.Tenant, tenants *contract.Tenants, algorithms ...jose.SignatureAlgorithm) *parts {
	t.Helper()
	p := &parts{bench: &bench{t: t, now: time.Now().Truncate(time.Second), keys: map[string]*ecdsa.PrivateKey{}, accounts: &accounts{}}}
	clock := func() time.Time { return p.now }
	backend, err := memory.New(clock)
	p.must(err)
	p.store = &faulty{Store: backend, err: errDown}
	p.ring, err = keys.GenerateRing(rand.Reader, append(algorithms, jose.ES256, jose.EdDSA)...)
	p.must(err)
	ring, err := keys.NewRing(p.ring, clock)
	p.must(err)
	digest := sha256.Sum256([]byte(secret))
	list := []*clients.Client{
		{ID: "main-idp", Name: "Example", AuthMethod: clients.PrivateKeyJWT, AllowUnpushed: true, RedirectURIs: []string{redirect}, Keys: p.jwks("main-idp"), UserInfoAlgorithm: jose.ES256},
		{
			ID: "broker", Name: "Broker", AuthMethod: clients.ClientSecretPost, SecretDigest: digest, AllowUnpushed: true, AllowNoPKCE: true, RedirectURIs: []string{"https://broker.example.org/callback"},
			Scopes: []string{"openid", "email", "phone", "offline_access"},
		},
		{ID: "asks", Name: "Asks", AuthMethod: clients.ClientSecretPost, SecretDigest: digest, AllowUnpushed: true, AskAccount: true, RedirectURIs: []string{redirect}, Scopes: []string{"openid"}},
		{ID: "edwards", Name: "Edwards", AuthMethod: clients.ClientSecretPost, SecretDigest: digest, AllowUnpushed: true, RedirectURIs: []string{redirect}, Scopes: []string{"openid"}, IDTokenAlgorithm: jose.EdDSA},
		{ID: "unsigned", Name: "Unsigned", AuthMethod: clients.ClientSecretPost, SecretDigest: digest, AllowUnpushed: true, RedirectURIs: []string{redirect}, Scopes: []string{"openid"}, IDTokenAlgorithm: jose.PS256},
		{ID: "okta", Name: "Okta", Contract: contract.OktaIDV, AuthMethod: clients.ClientSecretPost, SecretDigest: digest, RedirectURIs: []string{redirect}},
	}
	if tenants == nil {
		tenants = p.tenants()
	} else {
		list = append(list, &clients.Client{ID: "entra", Name: "Entra", Contract: contract.EntraExternalMethod, Tenant: tenant, AuthMethod: clients.NoAuth, RedirectURIs: []string{redirect}})
	}
	fixed, err := clients.NewFixed(list)
	p.must(err)
	p.registry = &registered{Fixed: fixed}
	source, err := mtls.New(mtls.Config{})
	p.must(err)
	p.cfg = oauth.Config{Issuer: issuer, ACR: "urn:acr", Secret: bytes.Repeat([]byte{2}, 32)}
	p.deps = oauth.Deps{Clients: p.registry, Keys: p.published(), Store: p.store, Ring: ring, Source: source, Tenants: tenants, Accounts: p.accounts, Clock: clock}
	p.Server, err = oauth.New(p.cfg, p.deps)
	p.must(err)
	return p
}

// failing runs a call while an operation on a kind of record fails.
func (p *parts) failing(what string, call func() error) error {
	p.store.fail = what
	defer func() { p.store.fail = "" }()
	return call()
}

// code is a code of the broker, and its request for tokens.
func (p *parts) brokersCode() url.Values {
	p.t.Helper()
	return p.broker(url.Values{"grant_type": {"authorization_code"}, "code": {p.grant(stock()).Parameters.Get("code")}, "redirect_uri": {"https://broker.example.org/callback"}})
}

func (p *parts) introspect(form url.Values) (oauth.Introspection, error) {
	r, read, err := p.post(form)
	p.must(err)
	_, found, err := p.Introspect(r, read)
	return found, err
}

func (p *parts) revoke(form url.Values) error {
	r, read, err := p.post(form)
	p.must(err)
	return p.Revoke(r, read)
}

func (p *parts) access(token any) error {
	text, _ := token.(string)
	_, err := p.userInfo("Bearer "+text, "")
	return err
}

func tokenForm(token any) url.Values {
	text, _ := token.(string)
	return url.Values{"token": {text}}
}

// signOf returns a request that carries a proof.
func (p *parts) withProof(form url.Values, key *ecdsa.PrivateKey) (*http.Request, url.Values) {
	p.t.Helper()
	r, read, err := p.post(form)
	p.must(err)
	r.Header.Set("DPoP", p.proof(key, nil))
	return r, read
}
