package oauth_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/provider/clients"
	"regain/provider/mtls"
	"regain/provider/oauth"
	"regain/provider/problem/problemtest"
	"regain/provider/requests"
)

// bank is the client `bank` of docs/configuration.md: FAPI 2.0 with mutual TLS, DPoP with nonces, signed requests and
// responses.
type bank struct {
	*bench
	signer      *rsa.PrivateKey
	proofs      *ecdsa.PrivateKey
	certificate *x509.Certificate
	stranger    *x509.Certificate // of the same CA, for another subject
}

func openBank(t *testing.T) *bank {
	t.Helper()
	k := &bank{}
	signer, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	k.signer = signer
	k.bench = serverWith(t, func(b *bench) []*clients.Client {
		ca := b.certify(pkix.Name{CommonName: "CA"}, nil)
		b.roots.AddCert(ca)
		k.certificate, k.stranger = b.certify(pkix.Name{CommonName: "bank", Organization: []string{"Example Bank"}, Country: []string{"SE"}}, ca), b.certify(pkix.Name{CommonName: "other"}, ca)
		return []*clients.Client{{
			ID: "bank", Name: "Example Bank", Profile: clients.ProfileFAPI2Signing, AuthMethod: clients.TLSClientAuth, TLSIdentity: mtls.Identity{SubjectDN: "CN=bank,O=Example Bank,C=SE"},
			Keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
				{Key: k.signer.Public(), KeyID: "sig", Use: "sig"}, {Key: b.newKey("bank enc").Public(), KeyID: "enc", Use: "enc"},
			}},
			RedirectURIs: []string{redirect}, DPoPBound: true, DPoPNonce: true, CertificateBound: true, RequestObjectAlgorithm: jose.PS256, RequireRequestObject: true, IDTokenAlgorithm: jose.PS256,
		}}
	})
	k.proofs = k.newKey("bank's proofs")
	return k
}

// certify makes a certificate of a new key, by ca or self-signed.
func (b *bench) certify(subject pkix.Name, ca *x509.Certificate) *x509.Certificate {
	b.t.Helper()
	key := b.newKey(subject.CommonName)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: subject, NotBefore: b.now.Add(-time.Hour), NotAfter: b.now.Add(time.Hour), IsCA: ca == nil, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, key
	if ca != nil {
		parent, signer = ca, b.keys[ca.Subject.CommonName]
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	b.must(err)
	certificate, err := x509.ParseCertificate(der)
	b.must(err)
	return certificate
}

// request is a signed request of the bank's.
func (k *bank) request() url.Values {
	k.t.Helper()
	return k.requestOf(k.requestClaims("openid recovery", 60))
}

// requestClaims are those of a request object that is good for some seconds.
func (k *bank) requestClaims(scope string, seconds int64) map[string]any {
	claims := map[string]any{"iss": "bank", "aud": issuer, "nbf": k.now.Unix(), "exp": k.now.Unix() + seconds, "response_mode": "jwt"}
	for name, values := range request() {
		claims[name] = values[0]
	}
	claims["client_id"], claims["scope"] = "bank", scope
	return claims
}

// requestOf is a request object of these claims.
func (k *bank) requestOf(claims map[string]any) url.Values {
	k.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.PS256, Key: k.signer}, (&jose.SignerOptions{}).WithHeader("kid", "sig").WithType("oauth-authz-req+jwt"))
	k.must(err)
	object, err := jwt.Signed(signer).Claims(claims).Serialize()
	k.must(err)
	return url.Values{"client_id": {"bank"}, "request": {object}}
}

// shown is what a request of the bank's shows beside its form.
type shown struct {
	certificate *x509.Certificate
	proof       map[string]any // changes to a good proof; nil shows none
	scheme      string         // of the Authorization header, at userinfo
	token       string
}

// at makes a request to an endpoint.
func (k *bank) at(method, endpoint string, form url.Values, s shown) (*http.Request, url.Values) {
	k.t.Helper()
	r := httptest.NewRequestWithContext(k.t.Context(), method, endpoint, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.TLS = &tls.ConnectionState{}
	if s.certificate != nil {
		r.TLS.PeerCertificates = []*x509.Certificate{s.certificate}
	}
	if s.proof != nil {
		claims := map[string]any{"htm": method, "htu": endpoint, "nonce": k.DPoPNonce()}
		if s.token != "" {
			sum := sha256.Sum256([]byte(s.token))
			claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
		}
		for name, value := range s.proof {
			claims[name] = value
		}
		r.Header.Set("DPoP", k.proof(k.proofs, claims))
	}
	if s.scheme != "" {
		r.Header.Set("Authorization", s.scheme+" "+s.token)
	}
	read := url.Values{}
	if method == http.MethodPost {
		var err error
		read, err = requests.ReadForm(httptest.NewRecorder(), r)
		k.must(err)
	}
	return r, read
}

// code is a code for a recovery that the bank asked for at the PAR endpoint of base.
func (k *bank) codeAt(base string) string {
	k.t.Helper()
	pushed, err := k.Push(k.at(http.MethodPost, base+"/par", k.request(), shown{certificate: k.certificate}))
	k.must(err)
	a, err := k.Authorize(k.t.Context(), url.Values{"client_id": {"bank"}, "request_uri": {pushed.RequestURI}})
	k.must(err)
	response, err := k.Grant(k.t.Context(), a, oauth.Grant{Transaction: "txn", Subject: "ada@example.org", AuthTime: k.now, ACR: "urn:acr"})
	k.must(err)
	signed, err := jwt.ParseSigned(response.Parameters.Get("response"), []jose.SignatureAlgorithm{jose.PS256})
	k.must(err)
	var claims struct {
		Code string `json:"code"`
	}
	k.must(signed.UnsafeClaimsWithoutVerification(&claims))
	return claims.Code
}

func (k *bank) redeemAt(endpoint, code string, s shown) (string, error) {
	k.t.Helper()
	form := tokenRequest(code)
	form.Set("client_id", "bank")
	r, read := k.at(http.MethodPost, endpoint, form, s)
	redeemed, err := k.Redeem(r, read, unprepared)
	if err != nil {
		return "", err
	}
	tokens, err := k.Tokens(k.t.Context(), redeemed, nil)
	k.must(err)
	if tokens["token_type"] != "DPoP" {
		k.t.Errorf("token_type %v", tokens["token_type"])
	}
	access, _ := tokens["access_token"].(string)
	return access, nil
}

// The htu of a proof is the URL that was called (RFC 9449 §4.3): at the aliases for mutual TLS the alias, where the bank
// has to go, and the issuer's elsewhere.
func TestDPoPAtTheAliases(t *testing.T) {
	k := openBank(t)
	mine := shown{certificate: k.certificate, proof: map[string]any{}}
	access, err := k.redeemAt(alias+"/token", k.codeAt(alias), mine)
	if err != nil {
		t.Fatalf("the documented client gets no token: %v", err)
	}
	for _, base := range []string{issuer, alias} {
		other := map[string]string{issuer: alias, alias: issuer}[base]
		for htu, why := range map[string]string{
			base + "/token": "", base + "/token?x=1#f": "", other + "/token": "htu is not " + base + "/token", base + "/par": "htu is not", "https://evil.example/token": "htu is not",
			base + "/token/": "htu is not", strings.Replace(base, "https", "http", 1) + "/token": "htu is not",
		} {
			_, err := k.redeemAt(base+"/token", k.codeAt(base), shown{certificate: k.certificate, proof: map[string]any{"htu": htu}})
			if why != "" {
				problemtest.WantRefusal(t, err, "invalid_dpop_proof", why)
			} else if err != nil {
				t.Errorf("htu %s at %s: %v", htu, base, err)
			}
		}
		use := shown{certificate: k.certificate, proof: map[string]any{}, scheme: "DPoP", token: access}
		if _, err := k.Access(k.at(http.MethodGet, base+"/userinfo", nil, use)); err != nil {
			t.Errorf("userinfo at %s: %v", base, err)
		}
		use.proof = map[string]any{"htu": other + "/userinfo"}
		_, err := k.Access(k.at(http.MethodGet, base+"/userinfo", nil, use))
		problemtest.WantRefusal(t, err, "invalid_dpop_proof", "htu is not "+base+"/userinfo")
	}
}

// Behind a proxy that writes its own Host nobody can tell which was called; each published URL is good then, and no other.
func TestDPoPBehindAProxyThatRewritesHost(t *testing.T) {
	k := openBank(t)
	for _, htu := range []string{issuer + "/token", alias + "/token"} {
		if _, err := k.redeemAt("http://10.0.0.7:8400/token", k.codeAt("http://10.0.0.7:8400"), shown{certificate: k.certificate, proof: map[string]any{"htu": htu}}); err != nil {
			t.Errorf("htu %s: %v", htu, err)
		}
	}
	_, err := k.redeemAt("http://10.0.0.7:8400/token", k.codeAt("http://10.0.0.7:8400"), shown{certificate: k.certificate, proof: map[string]any{}})
	problemtest.WantRefusal(t, err, "invalid_dpop_proof", "htu is not "+issuer+"/token or "+alias+"/token") // the address that only Host names
}

// A client that registered DPoP, nonces and a certificate gets no token without each of them (RFC 9449 §5, RFC 8705 §3).
func TestNoTokenWithoutItsBinding(t *testing.T) {
	k := openBank(t)
	for name, row := range map[string]struct {
		s         shown
		code, why string
	}{
		"no proof":                {shown{certificate: k.certificate}, "invalid_dpop_proof", "there must be one proof, not 0"},
		"no nonce":                {shown{certificate: k.certificate, proof: map[string]any{"nonce": nil}}, "use_dpop_nonce", "Put the nonce"},
		"a nonce of its own":      {shown{certificate: k.certificate, proof: map[string]any{"nonce": "mine"}}, "use_dpop_nonce", "Put the nonce"},
		"no certificate":          {shown{proof: map[string]any{}}, "invalid_client", "no client certificate was shown"},
		"another's certificate":   {shown{certificate: k.stranger, proof: map[string]any{}}, "invalid_client", "names another subject"},
		"a proof of another call": {shown{certificate: k.certificate, proof: map[string]any{"htm": "GET"}}, "invalid_dpop_proof", "htm is another method"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := k.redeemAt(alias+"/token", k.codeAt(alias), row.s)
			problemtest.WantRefusal(t, err, row.code, row.why)
		})
	}
	access, err := k.redeemAt(alias+"/token", k.codeAt(alias), shown{certificate: k.certificate, proof: map[string]any{}})
	k.must(err)
	for name, row := range map[string]struct {
		s         shown
		code, why string
	}{
		"without the certificate":    {shown{proof: map[string]any{}, scheme: "DPoP"}, "invalid_token", "another certificate"},
		"with another certificate":   {shown{certificate: k.stranger, proof: map[string]any{}, scheme: "DPoP"}, "invalid_token", "another certificate"},
		"without a proof":            {shown{certificate: k.certificate, scheme: "DPoP"}, "invalid_dpop_proof", "there must be one proof, not 0"},
		"as a bearer token":          {shown{certificate: k.certificate, proof: map[string]any{}, scheme: "Bearer"}, "invalid_token", "a DPoP-bound token as Bearer"},
		"with a proof of no nonce":   {shown{certificate: k.certificate, proof: map[string]any{"nonce": nil}, scheme: "DPoP"}, "use_dpop_nonce", "Put the nonce"},
		"with a proof of no ath":     {shown{certificate: k.certificate, proof: map[string]any{"ath": ""}, scheme: "DPoP"}, "invalid_dpop_proof", "ath is not the access token's"},
		"with a proof for another's": {shown{certificate: k.certificate, proof: map[string]any{"ath": "x"}, scheme: "DPoP"}, "invalid_dpop_proof", "ath is not the access token's"},
	} {
		t.Run(name, func(t *testing.T) {
			row.s.token = access
			_, err := k.Access(k.at(http.MethodGet, alias+"/userinfo", nil, row.s))
			problemtest.WantRefusal(t, err, row.code, row.why)
		})
	}
	// The same at the resource server's question: what the token is bound to.
	_, found, err := k.Introspect(k.at(http.MethodPost, alias+"/introspect", url.Values{"client_id": {"bank"}, "token": {access}}, shown{certificate: k.certificate}))
	if err != nil || found.Binding == nil || found.Binding.Certificate != mtls.Thumbprint(k.certificate) || found.Binding.Key == "" || found.TokenType != "DPoP" {
		t.Errorf("introspection: %+v, %v", found, err)
	}
}

func pkixName(name string) pkix.Name { return pkix.Name{CommonName: name} }

// withTLS has a request come with a certificate, or with none.
func withTLS(r *http.Request, certificate *x509.Certificate) {
	r.TLS = &tls.ConnectionState{}
	if certificate != nil {
		r.TLS.PeerCertificates = []*x509.Certificate{certificate}
	}
}
