package proofing_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/proofing"
)

// bench is a provider, and a relying party that publishes its keys as Regain does.
type bench struct {
	*proofing.Server
	t      *testing.T
	now    time.Time
	base   string
	regain string
	key    *ecdsa.PrivateKey // Regain's
	log    *bytes.Buffer
}

func setUp(t *testing.T) *bench {
	t.Helper()
	return setUpWith(t, func(*proofing.Config) {})
}

// setUpWith is setUp with some of the configuration changed.
func setUpWith(t *testing.T, change func(*proofing.Config)) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Now().Truncate(time.Second), key: newKey(t), log: &bytes.Buffer{}}
	regain := httptest.NewServer(http.HandlerFunc(b.publish))
	t.Cleanup(regain.Close)
	b.regain = regain.URL
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	b.base = server.URL
	config := proofing.Config{
		BaseURL: server.URL, RegainIssuer: b.regain, WalletOfferEndpoint: "https://wallet.example/offer", StatusTTL: time.Minute,
		Clock: func() time.Time { return b.now }, Random: rand.Reader, Logger: slog.New(slog.NewTextHandler(b.log, nil)), HTTPClient: server.Client(),
	}
	change(&config)
	var err error
	if b.Server, err = proofing.New(config); err != nil {
		t.Fatal(err)
	}
	handler = b.Handler()
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

func (b *bench) publish(w http.ResponseWriter, r *http.Request) {
	answer := any(map[string]string{"issuer": b.regain, "jwks_uri": b.regain + "/jwks"})
	if r.URL.Path == "/jwks" {
		answer = jose.JWKSet{Keys: []jose.JWK{{Key: b.key.Public(), KeyID: "regain", Use: "sig", Algorithm: "ES256"}}}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// sign signs claims; nil values are left out.
func sign(t *testing.T, key *ecdsa.PrivateKey, options map[string]any, claims map[string]any) string {
	t.Helper()
	kept := maps.Clone(claims)
	maps.DeleteFunc(kept, func(_ string, v any) bool { return v == nil })
	return signBytes(t, key, options, []byte(text(t, kept)))
}

func signBytes(t *testing.T, key *ecdsa.PrivateKey, options map[string]any, payload []byte) string {
	t.Helper()
	token, err := jose.SignBytes(key, options, payload)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// opened returns the claims of a JWT, and its header, which another test holds against a key.
func opened(t *testing.T, compact string, claims any) jose.Header {
	t.Helper()
	token, err := jose.Parse(compact)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(token.PayloadUnverified(), claims); err != nil {
		t.Fatal(err)
	}
	return token.Header
}

func newHolder(t testing.TB, method did.Method, algorithm string) did.Identity {
	t.Helper()
	holder, err := did.New(method, algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return holder
}

// signBy signs with the key of a DID; members of the header that are nil are left out.
func signBy(t testing.TB, holder did.Identity, header, claims map[string]any) string {
	t.Helper()
	compact, err := holder.Sign(header, claims)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// post sends a body and reads the JSON answer.
func (b *bench) post(path, contentType, authorization, body string) (int, map[string]any) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	return b.do(req)
}

func (b *bench) do(req *http.Request) (int, map[string]any) {
	b.t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	var answer map[string]any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			b.t.Fatalf("%s: %s", req.URL.Path, text)
		}
	}
	return resp.StatusCode, answer
}

// code is a fresh pre-authorized code, read from the offer as a wallet would.
func (b *bench) code(person string) string {
	b.t.Helper()
	offer, err := b.Offer(person)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.codeAt(offer)
}

func (b *bench) codeAt(offer string) string {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, offer, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	_, answer := b.do(req)
	grants, _ := answer["grants"].(map[string]any)
	grant, _ := grants["urn:ietf:params:oauth:grant-type:pre-authorized_code"].(map[string]any)
	code, _ := grant["pre-authorized_code"].(string)
	if code == "" {
		b.t.Fatalf("the offer has no code: %v", answer)
	}
	return code
}

func tokenForm(code string) url.Values {
	return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:pre-authorized_code"}, "pre-authorized_code": {code}}
}

const formType = "application/x-www-form-urlencoded"

func (b *bench) access(person string) string {
	b.t.Helper()
	status, answer := b.post("/token", formType, "", tokenForm(b.code(person)).Encode())
	token, _ := answer["access_token"].(string)
	if status != http.StatusOK || token == "" {
		b.t.Fatalf("token: %d %v", status, answer)
	}
	return token
}

func (b *bench) nonce() string {
	b.t.Helper()
	_, answer := b.post("/nonce", "", "", "")
	nonce, _ := answer["c_nonce"].(string)
	return nonce
}

// proof is a good key proof, as header options and claims to break.
func (b *bench) proof(holder *ecdsa.PrivateKey) (map[string]any, map[string]any) {
	options := map[string]any{"typ": "openid4vci-proof+jwt", "jwk": jose.JWK{Key: holder.Public()}}
	return options, map[string]any{"aud": b.base, "iat": b.now.Unix(), "nonce": b.nonce()}
}

func credentialBody(proofs ...string) map[string]any {
	return map[string]any{"credential_configuration_id": "VerifiedIdentity", "proofs": map[string]any{"jwt": proofs}}
}

func (b *bench) ask(access string, body any) (int, map[string]any) {
	b.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.post("/credential", "application/json", "Bearer "+access, string(text))
}
