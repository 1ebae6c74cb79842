package provider_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/conformance/testenv"
	"regain/internal/config"
	"regain/internal/node"
	"regain/provider/keys"
)

// published is a test environment whose discovery document is held against what the server does: for each thing that a list
// names a client registers itself for it, and uses it.
type published struct {
	*fixture
	t        *testing.T
	document map[string]any
	mutual   *http.Client // shows the certificate
	shown    *x509.Certificate
	jti      int
}

// signers are the keys of every client here, by algorithm.
var signers = sync.OnceValues(func() (map[string]crypto.Signer, error) {
	ec, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rsa, err2 := rsa.GenerateKey(rand.Reader, 2048)
	_, ed, err3 := ed25519.GenerateKey(rand.Reader)
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return nil, err
		}
	}
	return map[string]crypto.Signer{"ES256": ec, "PS256": rsa, "RS256": rsa, "EdDSA": ed}, nil
})

// everySigningRing can sign with each algorithm there is.
var everySigningRing = sync.OnceValues(func() ([]byte, error) {
	list, err := keys.GenerateRing(rand.Reader, jose.ES256, jose.RS256, jose.EdDSA)
	if err != nil {
		return nil, err
	}
	return keys.EncodeRing(list)
})

func setUpPublished(t *testing.T) *published {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &published{t: t}
	certificate := p.makeCertificate()
	directory := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(directory, name)
		p.must(os.WriteFile(path, data, 0o600))
		return path
	}
	ring, err := everySigningRing()
	p.must(err)
	yes, no := true, false
	p.fixture = setUpEnv(t, testenv.Options{Change: func(cfg *config.Config) {
		cfg.Secrets.SigningKey = config.Secret{File: write("ring.pem", ring)}
		cfg.MutualTLS.BaseURL = fmt.Sprintf("https://regain.localhost:%d", listener.Addr().(*net.TCPAddr).Port) //nolint:forcetypeassert // TCP
		cfg.MutualTLS.RootsFile = write("roots.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.shown.Raw}))
		cfg.Metadata = config.MetadataConfig{ServiceDocumentation: "https://help.example.org/", PolicyURI: "https://example.org/privacy", TermsURI: "https://example.org/terms"}
		cfg.Registration = config.RegistrationConfig{
			Tokens: config.Secret{File: write("tokens", []byte(invitation))}, RequirePAR: &no, RequirePKCE: &no, AskAccount: true, ReuseSession: true, TokenAud: &yes,
			Scope: []string{"openid", "profile", "email", "address", "phone", "offline_access", "recovery"},
		}
		cfg.Directory.File = write("directory.yaml", []byte(fullAccount))
	}})
	server := node.NewServer(p.Node, slog.New(slog.DiscardHandler))
	go server.Serve(tls.NewListener(listener, p.PKI.MutualTLS())) //nolint:errcheck // ends with the test
	t.Cleanup(func() { _ = server.Close() })
	transport := p.Client.Transport.(*http.Transport).Clone() //nolint:forcetypeassert // testenv's
	transport.TLSClientConfig.Certificates = []tls.Certificate{certificate}
	p.mutual = &http.Client{Transport: transport}
	t.Cleanup(p.mutual.CloseIdleConnections)
	_, body := p.send(t, http.MethodGet, p.Regain+"/.well-known/openid-configuration", "", "")
	p.must(json.Unmarshal([]byte(body), &p.document))
	return p
}

// fullAccount has an attribute for every claim that a directory can deliver.
const fullAccount = `accounts:
  - name: ada.lindqvist@example.org
    groups: [employees]
    attributes: {given_name: Ada, family_name: Lindqvist, middle_name: M, nickname: A, profile: "https://p.example", picture: "https://p.example/a", website: "https://w.example",
      gender: female, birthdate: "1988-03-14", zoneinfo: Europe/Stockholm, locale: sv, updated_at: "1767225600", email: ada@example.org, email_verified: "true",
      phone_number: "+46 1", phone_number_verified: "false", address.country: SE}
groups: [executives]
`

func (p *published) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// makeCertificate makes the one certificate of every client here: self-signed, and its own CA.
func (p *published) makeCertificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p.must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, DNSNames: []string{"client.example.org"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	p.must(err)
	p.shown, err = x509.ParseCertificate(der)
	p.must(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// list is a list of the document.
func (p *published) list(name string) []string {
	p.t.Helper()
	raw, _ := p.document[name].([]any)
	var list []string
	for _, one := range raw {
		text, _ := one.(string)
		list = append(list, text)
	}
	if len(list) == 0 {
		p.t.Errorf("the document has no %s", name)
	}
	return list
}

func (p *published) endpoint(name string) string {
	address, _ := p.document[name].(string)
	return address
}

func (p *published) signer(alg string, options *jose.SignerOptions) jose.Signer {
	p.t.Helper()
	all, err := signers()
	p.must(err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: all[alg]}, options)
	p.must(err)
	return signer
}

func (p *published) jwks() jose.JSONWebKeySet {
	p.t.Helper()
	all, err := signers()
	p.must(err)
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: p.shown.PublicKey, KeyID: "certificate", Use: "sig", Certificates: []*x509.Certificate{p.shown}},
		{Key: all["ES256"].Public(), KeyID: "enc", Use: "enc"},
	}}
	for _, alg := range []string{"ES256", "RS256", "EdDSA"} {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: all[alg].Public(), KeyID: alg, Use: "sig"})
	}
	return set
}

// registered is a client that registered itself.
type registered struct {
	p              *published
	id, secret     string
	method, signed string // token_endpoint_auth_method, and the algorithm of its assertions
}

// register registers a client with these members beside the usual ones.
func (p *published) register(change object) registered {
	p.t.Helper()
	m := metadata(object{"jwks": p.jwks(), "scope": "openid profile"})
	for name, value := range change {
		m[name] = value
	}
	if m["token_endpoint_auth_method"] == "tls_client_auth" {
		m["tls_client_auth_san_dns"] = "client.example.org"
	}
	status, info := p.manage(p.t, http.MethodPost, p.Regain+"/register", invitation, m)
	if status != http.StatusCreated {
		p.t.Fatalf("register %v: %d %v", change, status, info)
	}
	signed := "ES256"
	if alg := text(info, "token_endpoint_auth_signing_alg"); alg != "" {
		signed = alg
	}
	return registered{p, text(info, "client_id"), text(info, "client_secret"), text(info, "token_endpoint_auth_method"), signed}
}

// call posts a form to the endpoint of this name, authenticated in the client's way, and returns the status and the answer.
func (c registered) call(name string, form url.Values, header http.Header) (int, string) {
	c.p.t.Helper()
	address, client := c.p.endpoint(name), c.p.Client
	form.Set("client_id", c.id)
	if aliases, _ := c.p.document["mtls_endpoint_aliases"].(map[string]any); strings.Contains(c.method, "tls") {
		address, client = text(aliases, name), c.p.mutual
	}
	switch c.method {
	case "client_secret_post":
		form.Set("client_secret", c.secret)
	case "private_key_jwt":
		c.p.jti++
		assertion, err := jwt.Signed(c.p.signer(c.signed, nil)).Claims(jwt.Claims{
			Issuer: c.id, Subject: c.id, Audience: jwt.Audience{c.p.Regain}, ID: fmt.Sprint("jti ", c.p.jti), Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute)),
		}).Serialize()
		c.p.must(err)
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
	}
	req, err := http.NewRequestWithContext(c.p.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	c.p.must(err)
	for key, values := range header {
		req.Header[key] = values
	}
	req.Header.Set("Content-Type", formType)
	if c.method == "client_secret_basic" {
		req.SetBasicAuth(c.id, c.secret)
	}
	resp, err := client.Do(req)
	c.p.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	c.p.must(err)
	return resp.StatusCode, string(body)
}

// authorization is a good request of the client's.
func (c registered) authorization() url.Values {
	return url.Values{
		"response_type": {"code"}, "client_id": {c.id}, "redirect_uri": {brokerRedirect}, "scope": {"openid profile"}, "state": {"s"}, "nonce": {"n"},
		"login_hint": {"ada.lindqvist@example.org"},
	}
}

// TestDiscoveryOfClientAuthentication uses every method and algorithm that the document lists for an endpoint there, and
// has those that it does not list refused.
func TestDiscoveryOfClientAuthentication(t *testing.T) {
	p := setUpPublished(t)
	calls := map[string]url.Values{"token": {"grant_type": {"refresh_token"}, "refresh_token": {"x"}}, "introspection": {"token": {"x"}}, "revocation": {"token": {"x"}}}
	wanted := map[string]string{"token": "invalid_grant", "introspection": `"active":false`, "revocation": ""}
	use := func(what, endpoint string, client registered) {
		if status, body := client.call(endpoint+"_endpoint", maps.Clone(calls[endpoint]), nil); status == http.StatusUnauthorized || !strings.Contains(body, wanted[endpoint]) {
			t.Errorf("%s at the %s endpoint: %d %s", what, endpoint, status, body)
		}
		// PAR has no list of its own: it is the token endpoint's (RFC 9126 §5).
		if status, body := client.call("pushed_authorization_request_endpoint", client.authorization(), nil); status != http.StatusCreated {
			t.Errorf("%s at PAR: %d %s", what, status, body)
		}
	}
	for endpoint := range calls {
		for _, method := range p.list(endpoint + "_endpoint_auth_methods_supported") {
			use(method, endpoint, p.register(object{"token_endpoint_auth_method": method}))
		}
		for _, alg := range p.list(endpoint + "_endpoint_auth_signing_alg_values_supported") {
			use(alg, endpoint, p.register(object{"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": alg}))
		}
	}
	for _, method := range []string{"client_secret_jwt", "none"} {
		if slices.Contains(p.list("token_endpoint_auth_methods_supported"), method) {
			continue
		}
		if status, answer := p.manage(t, http.MethodPost, p.Regain+"/register", invitation, metadata(object{"token_endpoint_auth_method": method})); status != http.StatusBadRequest {
			t.Errorf("%s is not listed, and registers: %d %v", method, status, answer)
		}
	}
}

// TestDiscoveryWithoutMutualTLS holds that nothing is promised that needs a certificate where none can be shown, and that
// no client can ask for it.
func TestDiscoveryWithoutMutualTLS(t *testing.T) {
	f := setUpRegistration(t, nil)
	_, body := f.send(t, http.MethodGet, f.Regain+"/.well-known/openid-configuration", "", "")
	if strings.Contains(body, "tls_client_auth") || strings.Contains(body, "mtls_endpoint_aliases") || !strings.Contains(body, `"tls_client_certificate_bound_access_tokens":false`) {
		t.Error(body)
	}
	for _, absent := range []string{"service_documentation", "op_policy_uri", "op_tos_uri"} {
		if strings.Contains(body, absent) {
			t.Errorf("%s is there, and nobody configured it", absent)
		}
	}
	key := privateJWK(t)
	for why, change := range map[string]object{
		"does not offer the token_endpoint_auth_method tls_client_auth":             {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "client.example.org"},
		"does not offer the token_endpoint_auth_method self_signed_tls_client_auth": {"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}},
		"does not offer tls_client_certificate_bound_access_tokens":                 {"tls_client_certificate_bound_access_tokens": true},
	} {
		if status, answer := f.manage(t, http.MethodPost, f.Regain+"/register", invitation, metadata(change)); status != http.StatusBadRequest || !strings.Contains(text(answer, "error_description"), why) {
			t.Errorf("%v: %d %v", change, status, answer)
		}
	}
}
