package possession_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/clients"
	"regain/provider/dpop"
	"regain/provider/mtls"
	"regain/provider/possession"
	"regain/provider/problem/problemtest"
	"regain/provider/published"
	"regain/storage"
	"regain/storage/memory"
)

const (
	issuer = "https://recover.example.org"
	token  = "an-access-token"
)

// bench is a checker, and what a client can show to it.
type bench struct {
	*possession.Checker
	t                  *testing.T
	now                time.Time
	store              *failing
	key, another       *ecdsa.PrivateKey
	certificate, other *x509.Certificate
	jti                int
}

// failing is a store that stops to take records while err is set.
type failing struct {
	storage.Store
	err error
}

func (f *failing) Create(ctx context.Context, r storage.Record) error {
	if f.err != nil {
		return f.err
	}
	return f.Store.Create(ctx, r)
}

func setUp(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Now().Truncate(time.Second)}
	clock := func() time.Time { return b.now }
	store, err := memory.New(clock)
	b.must(err)
	b.store = &failing{Store: store}
	proofs, err := dpop.New(dpop.Config{Store: b.store, Clock: clock, Key: bytes.Repeat([]byte{2}, 32)})
	b.must(err)
	source, err := mtls.New(mtls.Config{})
	b.must(err)
	endpoints, err := published.New(issuer, "")
	b.must(err)
	b.Checker, err = possession.New(endpoints, proofs, source)
	b.must(err)
	b.key, b.certificate = b.certify()
	b.another, b.other = b.certify()
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) certify() (*ecdsa.PrivateKey, *x509.Certificate) {
	b.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	b.must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotBefore: b.now.Add(-time.Hour), NotAfter: b.now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	b.must(err)
	certificate, err := x509.ParseCertificate(der)
	b.must(err)
	return key, certificate
}

func (b *bench) thumbprint(key *ecdsa.PrivateKey) string {
	b.t.Helper()
	sum, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	b.must(err)
	return base64.RawURLEncoding.EncodeToString(sum)
}

// call is a request to the path, with a certificate unless nil.
func (b *bench) call(certificate *x509.Certificate) *http.Request {
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, issuer+"/token", nil)
	r.TLS = &tls.ConnectionState{}
	if certificate != nil {
		r.TLS.PeerCertificates = []*x509.Certificate{certificate}
	}
	return r
}

// proven is the request with a proof of the key's for it, with changes.
func (b *bench) proven(r *http.Request, key *ecdsa.PrivateKey, change map[string]any) *http.Request {
	b.t.Helper()
	b.jti++
	claims := map[string]any{"jti": strings.Repeat("p", b.jti), "htm": http.MethodPost, "htu": issuer + "/token", "iat": b.now.Unix()}
	for name, value := range change {
		claims[name] = value
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	b.must(err)
	payload, err := json.Marshal(claims)
	b.must(err)
	signed, err := signer.Sign(payload)
	b.must(err)
	text, err := signed.CompactSerialize()
	b.must(err)
	r.Header.Set(dpop.Header, text)
	return r
}

// ath is the claim of a proof that goes with the token.
func ath() map[string]any {
	sum := sha256.Sum256([]byte(token))
	return map[string]any{"ath": base64.RawURLEncoding.EncodeToString(sum[:])}
}

// broken is a request whose connection showed more certificates than are looked at.
func (b *bench) broken() *http.Request {
	r := b.call(b.certificate)
	for range 4 {
		r.TLS.PeerCertificates = append(r.TLS.PeerCertificates, b.certificate)
	}
	return r
}

// A token is bound to what the client registered, or shows of its own accord; without what it registered it gets none.
func TestBind(t *testing.T) {
	b := setUp(t)
	plain, dpopBound := &clients.Client{}, &clients.Client{DPoPBound: true}
	nonced, certified := &clients.Client{DPoPNonce: true}, &clients.Client{CertificateBound: true}
	mine := b.thumbprint(b.key)
	for name, row := range map[string]struct {
		r         *http.Request
		client    *clients.Client
		wanted    string
		want      possession.Binding
		code, why string
	}{
		"nothing":                      {b.call(nil), plain, "", possession.Binding{}, "", ""},
		"a certificate nobody asks of": {b.call(b.certificate), plain, "", possession.Binding{}, "", ""},
		"a proof of its own accord":    {b.proven(b.call(nil), b.key, nil), plain, "", possession.Binding{Key: mine}, "", ""},
		"the registered proof":         {b.proven(b.call(nil), b.key, nil), dpopBound, "", possession.Binding{Key: mine}, "", ""},
		"the wanted key":               {b.proven(b.call(nil), b.key, nil), plain, mine, possession.Binding{Key: mine}, "", ""},
		"the current nonce":            {b.proven(b.call(nil), b.key, map[string]any{"nonce": b.Nonce()}), nonced, "", possession.Binding{Key: mine}, "", ""},
		"the certificate":              {b.call(b.certificate), certified, "", possession.Binding{Certificate: mtls.Thumbprint(b.certificate)}, "", ""},
		"no proof":                     {b.call(nil), dpopBound, "", possession.Binding{}, "invalid_dpop_proof", "there must be one proof, not 0"},
		"no proof of the wanted key":   {b.call(nil), plain, mine, possession.Binding{}, "invalid_dpop_proof", "there must be one proof, not 0"},
		"another key":                  {b.proven(b.call(nil), b.another, nil), plain, mine, possession.Binding{}, "invalid_dpop_proof", "another key is bound"},
		"no nonce":                     {b.proven(b.call(nil), b.key, nil), nonced, "", possession.Binding{}, "use_dpop_nonce", "Put the nonce"},
		"another method":               {b.proven(b.call(nil), b.key, map[string]any{"htm": "GET"}), plain, "", possession.Binding{}, "invalid_dpop_proof", "htm is another method"},
		"another URL":                  {b.proven(b.call(nil), b.key, map[string]any{"htu": issuer + "/par"}), plain, "", possession.Binding{}, "invalid_dpop_proof", "htu is not"},
		"no certificate":               {b.call(nil), certified, "", possession.Binding{}, "invalid_request", "bound to its certificate"},
		"too many certificates":        {b.broken(), certified, "", possession.Binding{}, "invalid_request", "a chain of 5 certificates"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := b.Bind(row.r, row.client, row.wanted)
			if row.why != "" {
				problemtest.WantRefusal(t, err, row.code, row.why)
			} else if err != nil {
				t.Error(err)
			}
			if got != row.want {
				t.Errorf("bound to %+v, not %+v", got, row.want)
			}
		})
	}
	b.store.err = errors.New("down")
	_, err := b.Bind(b.proven(b.call(nil), b.key, nil), plain, "")
	problemtest.WantRefusal(t, err, "temporarily_unavailable", "down")
	for binding, want := range map[possession.Binding]string{{}: "Bearer", {Certificate: "x"}: "Bearer", {Key: "k"}: "DPoP", {Key: "k", Certificate: "x"}: "DPoP"} {
		if got := binding.TokenType(); got != want {
			t.Errorf("%+v is a %s token", binding, got)
		}
	}
}

// A pushed request names the key of its code by a parameter, by a proof, or by both, which agree (RFC 9449 §10.1).
func TestPushedKey(t *testing.T) {
	b := setUp(t)
	mine, client := b.thumbprint(b.key), &clients.Client{}
	for name, row := range map[string]struct {
		r               *http.Request
		parameter, want string
		why             string
	}{
		"neither":      {b.call(nil), "", "", ""},
		"a parameter":  {b.call(nil), mine, mine, ""},
		"a proof":      {b.proven(b.call(nil), b.key, nil), "", mine, ""},
		"both":         {b.proven(b.call(nil), b.key, nil), mine, mine, ""},
		"two keys":     {b.proven(b.call(nil), b.another, nil), mine, "", "another key is bound"},
		"a bad proof":  {b.proven(b.call(nil), b.key, map[string]any{"htm": "GET"}), mine, "", "htm is another method"},
		"proof of old": {b.proven(b.call(nil), b.key, map[string]any{"iat": b.now.Add(-time.Hour).Unix()}), "", "", "iat"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := b.PushedKey(row.r, client, row.parameter)
			if row.why != "" {
				problemtest.WantRefusal(t, err, "invalid_dpop_proof", row.why)
			} else if err != nil {
				t.Error(err)
			}
			if got != row.want {
				t.Errorf("bound to %q", got)
			}
		})
	}
}

// A bound token is of no use to who stole it: each row is a use of one without what it is bound to.
func TestCheck(t *testing.T) {
	b := setUp(t)
	key, certificate := possession.Binding{Key: b.thumbprint(b.key)}, possession.Binding{Certificate: mtls.Thumbprint(b.certificate)}
	both := possession.Binding{Key: key.Key, Certificate: certificate.Certificate}
	for name, row := range map[string]struct {
		r         *http.Request
		bound     possession.Binding
		scheme    string
		code, why string
	}{
		"unbound":                         {b.call(nil), possession.Binding{}, "Bearer", "", ""},
		"unbound, beside a certificate":   {b.call(b.certificate), possession.Binding{}, "Bearer", "", ""},
		"with the key":                    {b.proven(b.call(nil), b.key, ath()), key, "DPoP", "", ""},
		"with the key, in small letters":  {b.proven(b.call(nil), b.key, ath()), key, "dpop", "", ""},
		"with the certificate":            {b.call(b.certificate), certificate, "Bearer", "", ""},
		"with both":                       {b.proven(b.call(b.certificate), b.key, ath()), both, "DPoP", "", ""},
		"unbound, as DPoP":                {b.proven(b.call(nil), b.key, ath()), possession.Binding{}, "DPoP", "invalid_token", "an unbound token as DPoP"},
		"bound to a certificate, as DPoP": {b.proven(b.call(b.certificate), b.key, ath()), certificate, "DPoP", "invalid_token", "an unbound token as DPoP"},
		"as a bearer token":               {b.proven(b.call(nil), b.key, ath()), key, "Bearer", "invalid_token", "a DPoP-bound token as Bearer"},
		"without a proof":                 {b.call(nil), key, "DPoP", "invalid_dpop_proof", "there must be one proof, not 0"},
		"with another's key":              {b.proven(b.call(nil), b.another, ath()), key, "DPoP", "invalid_dpop_proof", "another key is bound"},
		"with a proof of no token":        {b.proven(b.call(nil), b.key, nil), key, "DPoP", "invalid_dpop_proof", "ath is not the access token's"},
		"without the certificate":         {b.call(nil), certificate, "Bearer", "invalid_token", "another certificate"},
		"with another certificate":        {b.call(b.other), certificate, "Bearer", "invalid_token", "another certificate"},
		"with too many":                   {b.broken(), certificate, "Bearer", "invalid_request", "a chain of 5 certificates"},
		"with the key alone":              {b.proven(b.call(nil), b.key, ath()), both, "DPoP", "invalid_token", "another certificate"},
		"with the certificate alone":      {b.call(b.certificate), both, "DPoP", "invalid_dpop_proof", "there must be one proof, not 0"},
	} {
		t.Run(name, func(t *testing.T) {
			err := b.Check(row.r, &clients.Client{}, row.bound, possession.Presented{Scheme: row.scheme, Token: token})
			if row.why != "" {
				problemtest.WantRefusal(t, err, row.code, row.why)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// An access token is sent once, in the header or in the body of a POST (RFC 6750 §2).
func TestPresentedToken(t *testing.T) {
	body := url.Values{"access_token": {token}}
	for name, row := range map[string]struct {
		method    string
		headers   []string
		form      url.Values
		scheme    string
		code, why string
	}{
		"in the header":           {http.MethodGet, []string{"Bearer " + token}, nil, "Bearer", "", ""},
		"in the header, as DPoP":  {http.MethodGet, []string{"DPoP " + token}, nil, "DPoP", "", ""},
		"in small letters":        {http.MethodGet, []string{"bearer " + token}, nil, "bearer", "", ""},
		"in the header of a POST": {http.MethodPost, []string{"Bearer " + token}, nil, "Bearer", "", ""},
		"in the body":             {http.MethodPost, nil, body, "Bearer", "", ""},
		"in both, of a GET":       {http.MethodGet, []string{"Bearer " + token}, body, "Bearer", "", ""},
		"in the body of a GET":    {http.MethodGet, nil, body, "", "invalid_token", "Send the access token as Authorization"},
		"in both":                 {http.MethodPost, []string{"Bearer " + token}, body, "", "invalid_request", "Send the access token once"},
		"in two headers":          {http.MethodGet, []string{"Bearer " + token, "Bearer " + token}, nil, "", "invalid_request", "Send the access token once"},
		"nowhere":                 {http.MethodPost, nil, nil, "", "invalid_token", "Send the access token as Authorization"},
		"as a scheme alone":       {http.MethodGet, []string{"Bearer"}, nil, "", "invalid_token", "Send the access token as Authorization"},
		"as an empty token":       {http.MethodGet, []string{"Bearer "}, nil, "", "invalid_token", "Send the access token as Authorization"},
		"with another scheme":     {http.MethodGet, []string{"Basic " + token}, nil, "", "invalid_token", "Send the access token as Authorization"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), row.method, issuer+"/userinfo", nil)
			for _, header := range row.headers {
				r.Header.Add("Authorization", header)
			}
			got, err := possession.PresentedToken(r, row.form)
			if row.why != "" {
				problemtest.WantRefusal(t, err, row.code, row.why)
			} else if err != nil || got != (possession.Presented{Scheme: row.scheme, Token: token}) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// Nothing of a checker may be missing.
func TestNewNeedsEverything(t *testing.T) {
	endpoints, err := published.New(issuer, "")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := possession.New(endpoints, nil, &mtls.Source{}); err == nil || c != nil {
		t.Errorf("without proofs: %v", err)
	}
	if c, err := possession.New(endpoints, &dpop.Checker{}, nil); err == nil || c != nil {
		t.Errorf("without certificates: %v", err)
	}
}
