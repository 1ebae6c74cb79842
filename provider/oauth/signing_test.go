package oauth_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/provider/clients"
	"regain/provider/keys"
	"regain/provider/mtls"
	"regain/provider/oauth"
	"regain/provider/problem/problemtest"
	"regain/storage/memory"
)

// serverWith is a bench whose server has a key for each algorithm, and these clients beside the usual ones.
func serverWith(t *testing.T, more func(b *bench) []*clients.Client) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Now().Truncate(time.Second), keys: map[string]*ecdsa.PrivateKey{}, roots: x509.NewCertPool()}
	clock := func() time.Time { return b.now }
	store, err := memory.New(clock)
	b.must(err)
	list, err := keys.GenerateRing(rand.Reader, jose.ES256, jose.RS256, jose.EdDSA)
	b.must(err)
	ring, err := keys.NewRing(list, clock)
	b.must(err)
	registry, err := clients.NewFixed(append(more(b), &clients.Client{
		ID: "main-idp", Name: "Example", AuthMethod: clients.PrivateKeyJWT, AllowUnpushed: true, RedirectURIs: []string{redirect}, Keys: b.jwks("main-idp"),
	}))
	b.must(err)
	source, err := mtls.New(mtls.Config{Header: "Client-Cert", Host: "recover.example.org", Proxies: []string{"192.0.2.1"}, Roots: b.roots})
	b.must(err)
	b.Server, err = oauth.New(oauth.Config{Issuer: issuer, MutualTLS: alias, Secret: bytes.Repeat([]byte{2}, 32)}, oauth.Deps{Clients: registry, Keys: b.published(), Store: store, Ring: ring, Source: source, Tenants: b.tenants(), Accounts: &accounts{}, Clock: clock})
	b.must(err)
	return b
}

// One key signs, as ES256 or RS256, for every client.
func TestFositeSignsWithOneAlgorithm(t *testing.T) {
	algorithms := []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.RS256, jose.EdDSA}
	b := serverWith(t, func(b *bench) []*clients.Client {
		var list []*clients.Client
		for _, alg := range algorithms {
			id := "wants " + string(alg)
			list = append(list, &clients.Client{
				ID: id, Name: "Example", AuthMethod: clients.PrivateKeyJWT, AllowUnpushed: true, RedirectURIs: []string{redirect}, Keys: b.jwks(id),
				IDTokenAlgorithm: alg, UserInfoAlgorithm: alg,
			})
		}
		return list
	})
	for _, alg := range algorithms {
		id := "wants " + string(alg)
		form := request()
		form.Set("client_id", id)
		code := b.grant(form).Parameters.Get("code")
		tokens, err := b.redeem(b.authenticated(id, tokenRequest(code)))
		b.must(err)
		text, _ := tokens["id_token"].(string)
		signed, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{alg})
		if err != nil || signed.Headers[0].Algorithm != string(alg) {
			t.Fatalf("ID token for %s: %v", alg, err)
		}
		// fosite hashes with SHA-256 for every algorithm; Ed25519 wants SHA-512, so there the optional hash is left out.
		var own map[string]any
		b.must(signed.UnsafeClaimsWithoutVerification(&own))
		access, _ := tokens["access_token"].(string)
		sum := sha256.Sum256([]byte(access))
		want := any(base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]))
		if alg == jose.EdDSA {
			want = nil
		}
		if own["at_hash"] != want {
			t.Errorf("at_hash for %s is %v", alg, own["at_hash"])
		}
		client, err := b.Client(t.Context(), id)
		b.must(err)
		info, err := b.SignedUserInfo(client, map[string]any{"sub": "ada", "iss": "https://evil.example"})
		b.must(err)
		token, err := jwt.ParseSigned(info, []jose.SignatureAlgorithm{alg})
		b.must(err)
		var claims map[string]any
		b.must(token.UnsafeClaimsWithoutVerification(&claims))
		if claims["iss"] != issuer || claims["aud"] != id || claims["sub"] != "ada" {
			t.Errorf("userinfo for %s: %v", alg, claims)
		}
	}
}

// Numbers and objects in a request object come out as Go prints them, and what stands beside the object is used.
func TestFositeManglesRequestObjects(t *testing.T) {
	b := serverWith(t, func(b *bench) []*clients.Client {
		return []*clients.Client{{
			ID: "bank", Name: "Bank", Profile: clients.ProfileFAPI2Signing, AuthMethod: clients.PrivateKeyJWT, DPoPBound: true, RedirectURIs: []string{redirect},
			Keys: b.jwks("bank"), RequestObjectAlgorithm: jose.ES256, RequireRequestObject: true,
		}}
	})
	signed := map[string]any{
		"iss": "bank", "aud": issuer, "nbf": b.now.Unix(), "exp": b.now.Add(time.Minute).Unix(), "client_id": "bank", "response_mode": "jwt",
		"max_age": 60, "claims": map[string]any{"userinfo": map[string]any{"email": nil}},
	}
	for name, values := range request() {
		signed[name] = values[0]
	}
	signed["client_id"] = "bank"
	outside := b.authenticated("bank", url.Values{"client_id": {"bank"}, "nonce": {"outside"}, "login_hint": {"outside@example.org"}, "state": {"outside"}})
	outside.Set("request", b.sign("bank", signed))
	pushed, err := b.push(outside)
	b.must(err)
	a, err := b.Authorize(t.Context(), url.Values{"client_id": {"bank"}, "request_uri": {pushed.RequestURI}})
	b.must(err)
	if a.AuthnRequirements.MaxAge == nil || *a.AuthnRequirements.MaxAge != 60 || a.Claims != `{"userinfo":{"email":null}}` || a.Account != "ada@example.org" || a.State != "s" || a.Form.Get("nonce") != "n" {
		t.Errorf("%+v", a)
	}
	unsigned := request()
	unsigned.Set("client_id", "bank")
	_, err = b.push(b.authenticated("bank", unsigned))
	problemtest.WantRefusal(t, err, "invalid_request", "This client must sign its requests")
	signed["aud"] = "https://evil.example"
	outside = b.authenticated("bank", url.Values{"request": {b.sign("bank", signed)}})
	_, err = b.push(outside)
	problemtest.WantRefusal(t, err, "invalid_request_object", "aud does not name the issuer")
	array := b.assertion("bank")
	array["aud"] = []string{issuer}
	outside.Set("client_assertion", b.sign("bank", array))
	_, err = b.push(outside)
	problemtest.WantRefusal(t, err, "invalid_client", "aud must be the issuer") // FAPI 2.0: the audience is one string
}

// There is no mutual TLS. With ours, a client is its certificate, and a token goes with it.
func TestFositeNoMutualTLS(t *testing.T) {
	certificates := map[string]*x509.Certificate{}
	b := serverWith(t, func(b *bench) []*clients.Client {
		var set jose.JSONWebKeySet
		for _, name := range []string{"tls", "stranger"} {
			key := b.newKey(name)
			template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: b.now.Add(-time.Hour), NotAfter: b.now.Add(time.Hour)}
			der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
			b.must(err)
			certificates[name], err = x509.ParseCertificate(der)
			b.must(err)
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: certificates["tls"].PublicKey, KeyID: "tls", Use: "sig", Certificates: []*x509.Certificate{certificates["tls"]}})
		return []*clients.Client{{
			ID: "bank", Name: "Bank", Profile: clients.ProfileFAPI2, AuthMethod: clients.SelfSignedTLSClientAuth, CertificateBound: true,
			RedirectURIs: []string{redirect}, Scopes: []string{"openid"}, Keys: set,
		}}
	})
	shown := func(form url.Values, name string) (*oauth.Redemption, oauth.Pushed, error) {
		r, read, err := b.post(form)
		b.must(err)
		if name != "" {
			r.Header.Set("Client-Cert", ":"+base64Of(certificates[name].Raw)+":")
		}
		if form.Has("code") {
			redeemed, err := b.Redeem(r, read, unprepared)
			return &redeemed, oauth.Pushed{}, err
		}
		pushed, err := b.Push(r, read)
		return nil, pushed, err
	}
	form := request()
	form.Set("client_id", "bank")
	form.Set("scope", "openid")
	for name, why := range map[string]string{"": "no client certificate was shown", "stranger": "in no key of the client's jwks"} {
		_, _, err := shown(form, name)
		problemtest.WantRefusal(t, err, "invalid_client", why)
	}
	_, pushed, err := shown(form, "tls")
	b.must(err)
	a, err := b.Authorize(t.Context(), url.Values{"client_id": {"bank"}, "request_uri": {pushed.RequestURI}})
	b.must(err)
	response, err := b.Grant(t.Context(), a, oauth.Grant{Transaction: "txn", Subject: "ada@example.org", AuthTime: b.now, ACR: "urn:acr"})
	b.must(err)
	exchange := tokenRequest(response.Parameters.Get("code"))
	exchange.Set("client_id", "bank")
	redeemed, _, err := shown(exchange, "tls")
	b.must(err)
	tokens, err := b.Tokens(t.Context(), *redeemed, nil)
	b.must(err)
	access, _ := tokens["access_token"].(string)
	use := func(name string) error {
		r := httptest.NewRequestWithContext(t.Context(), "GET", issuer+"/userinfo", nil)
		r.Header.Set("Authorization", "Bearer "+access)
		if name != "" {
			r.Header.Set("Client-Cert", ":"+base64Of(certificates[name].Raw)+":")
		}
		_, err := b.Access(r, nil)
		return err
	}
	if err := use("tls"); err != nil {
		t.Errorf("its holder: %v", err)
	}
	problemtest.WantRefusal(t, use(""), "invalid_token", "another certificate")
	problemtest.WantRefusal(t, use("stranger"), "invalid_token", "another certificate")
}

func base64Of(der []byte) string {
	text, _ := json.Marshal(der) //nolint:errcheck,errchkjson // bytes always encode
	return string(bytes.Trim(text, `"`))
}
