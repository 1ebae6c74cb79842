package issuance_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/wallet/issuance"
)

// stub is an issuer that says whatever a test wants it to, and keeps what it heard.
type stub struct {
	t      testing.TB
	base   string
	answer map[string]http.HandlerFunc // by path; a test replaces them
	heard  map[string][]*heard         // by path

	metadata, server map[string]any
	offer            map[string]any
	key              *jose.EncryptionKey // for encrypted requests
}

// heard is a request with its body.
type heard struct {
	header http.Header
	body   string
}

func newStub(t testing.TB) *stub {
	t.Helper()
	key, err := jose.NewEncryptionKey()
	if err != nil {
		t.Fatal(err)
	}
	s := &stub{t: t, heard: map[string][]*heard{}, key: key}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.base = server.URL
	s.offer = map[string]any{
		"credential_issuer": s.base + "/tenant/", "credential_configuration_ids": []string{"ID"},
		"grants": map[string]any{"urn:ietf:params:oauth:grant-type:pre-authorized_code": map[string]any{"pre-authorized_code": "code"}},
	}
	s.metadata = map[string]any{
		"credential_issuer": s.base + "/tenant/", "credential_endpoint": s.base + "/credential", "nonce_endpoint": s.base + "/nonce",
		"notification_endpoint": s.base + "/notification", "deferred_credential_endpoint": s.base + "/deferred",
		"batch_credential_issuance": map[string]any{"batch_size": 4},
		"credential_configurations_supported": map[string]any{"ID": map[string]any{
			"format": "dc+sd-jwt", "vct": "urn:id", "proof_types_supported": map[string]any{"jwt": map[string]any{"proof_signing_alg_values_supported": []string{"ES256"}}},
		}},
	}
	s.server = map[string]any{"issuer": s.base + "/tenant/", "token_endpoint": s.base + "/token", "dpop_signing_alg_values_supported": []string{"ES256"}}
	s.answer = map[string]http.HandlerFunc{
		// The one keeps the slash at the end of the identifier, the other drops it.
		"/.well-known/openid-credential-issuer/tenant/":  func(w http.ResponseWriter, _ *http.Request) { say(w, 200, s.metadata) },
		"/.well-known/oauth-authorization-server/tenant": func(w http.ResponseWriter, _ *http.Request) { say(w, 200, s.server) },
		"/offer":        func(w http.ResponseWriter, _ *http.Request) { say(w, 200, s.offer) },
		"/token":        says(200, map[string]any{"access_token": "token", "token_type": "DPoP"}),
		"/nonce":        says(200, map[string]any{"c_nonce": "nonce"}),
		"/credential":   says(200, credentials("one")),
		"/notification": says(204, nil),
		"/challenge":    says(200, map[string]any{"attestation_challenge": "challenge"}),
	}
	return s
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func credentials(all ...string) map[string]any {
	list := make([]any, len(all))
	for i, one := range all {
		list[i] = map[string]any{"credential": one}
	}
	return map[string]any{"credentials": list, "notification_id": "notification"}
}

func says(status int, body any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { say(w, status, body) }
}

func say(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.heard[r.URL.Path] = append(s.heard[r.URL.Path], &heard{r.Header.Clone(), string(raw)})
	r.Body = io.NopCloser(strings.NewReader(string(raw)))
	if answer := s.answer[r.URL.Path]; answer != nil {
		answer(w, r)
		return
	}
	http.NotFound(w, r)
}

// grant is the offer's grant, to be changed.
func (s *stub) grant() map[string]any {
	return s.offer["grants"].(map[string]any)["urn:ietf:params:oauth:grant-type:pre-authorized_code"].(map[string]any) //nolint:forcetypeassert // a stub of ours
}

func (s *stub) configuration() map[string]any {
	return s.metadata["credential_configurations_supported"].(map[string]any)["ID"].(map[string]any) //nolint:forcetypeassert // a stub of ours
}

// encrypts makes the issuer able to encrypt.
func (s *stub) encrypts() {
	s.metadata["credential_request_encryption"] = map[string]any{
		"jwks":                 jose.JWKSet{Keys: []jose.JWK{s.key.Public()}},
		"enc_values_supported": []string{"A256GCM"}, "encryption_required": false,
	}
	s.metadata["credential_response_encryption"] = map[string]any{
		"alg_values_supported": []string{"ECDH-ES"}, "enc_values_supported": []string{"A128CBC-HS256", "A256GCM"}, "encryption_required": false,
	}
	s.answer["/credential"] = s.sealed(credentials("one"), nil)
}

// sealed answers an encrypted request as it asks, or to another key.
func (s *stub) sealed(body any, other *ecdsa.PublicKey) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		request := s.unseal(string(raw))
		encryption, _ := request["credential_response_encryption"].(map[string]any)
		var jwk jose.JWK
		if err := json.Unmarshal([]byte(text(s.t, encryption["jwk"])), &jwk); err != nil {
			s.t.Errorf("the wallet's key: %v", err)
			return
		}
		if other != nil {
			jwk.Key = other
		}
		compact, err := jose.Recipient{Key: jwk, Encoding: "A256GCM"}.Seal([]byte(text(s.t, body)), nil)
		if err != nil {
			s.t.Error(err)
			return
		}
		w.Header().Set("Content-Type", "application/jwt")
		_, _ = io.WriteString(w, compact)
	}
}

func (s *stub) unseal(compact string) map[string]any {
	plain, err := s.key.Open(compact)
	if err != nil {
		s.t.Errorf("%q cannot be decrypted: %v", compact, err)
	}
	var body map[string]any
	_ = json.Unmarshal(plain, &body)
	return body
}

func text(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// client is a wallet's client with some of the configuration changed.
func client(t testing.TB, change func(*issuance.Config)) *issuance.Client {
	t.Helper()
	cfg := issuance.Config{
		HTTPClient: &http.Client{Timeout: 10 * time.Second}, Clock: time.Now, Random: rand.Reader, Formats: []string{issuance.SDJWT, issuance.Mdoc},
	}
	if change != nil {
		change(&cfg)
	}
	c, err := issuance.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *stub) link() string {
	return "openid-credential-offer://?" + url.Values{"credential_offer": {text(s.t, s.offer)}}.Encode()
}

// take walks the whole way, and returns what came back.
func (s *stub) take(c *issuance.Client, typed string) (issuance.Issued, error) {
	offer, err := c.Read(s.t.Context(), s.link())
	if err != nil {
		return issuance.Issued{}, err
	}
	session, err := c.Redeem(s.t.Context(), offer, typed)
	if err != nil {
		return issuance.Issued{}, err
	}
	issued, err := session.Request(s.t.Context(), offer.Credentials[0])
	if err != nil {
		return issued, err
	}
	return issued, session.Notify(s.t.Context(), issued, issuance.Accepted)
}

// claims decodes a JWT without verifying it.
func claims(t testing.TB, compact string) map[string]any {
	t.Helper()
	signed, err := jose.Parse(compact)
	if err != nil {
		t.Fatalf("%q: %v", compact, err)
	}
	var all map[string]any
	if err := json.Unmarshal(signed.PayloadUnverified(), &all); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(all, func(name string, _ any) bool { return slices.Contains([]string{"iat", "exp"}, name) })
	return all
}
