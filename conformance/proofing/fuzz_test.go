package proofing_test

import (
	"crypto/rand"
	"io"
	"log/slog"
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

// stranger is a provider that is called without a network.
type stranger struct {
	*proofing.Server
	t testing.TB
}

func newStranger(t testing.TB, changes ...func(*proofing.Config)) stranger {
	t.Helper()
	config := proofing.Config{
		BaseURL: "https://proofing.example", RegainIssuer: "https://regain.example", WalletOfferEndpoint: "https://wallet.example/offer", StatusTTL: time.Minute,
		Clock: time.Now, Random: rand.Reader, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), HTTPClient: http.DefaultClient,
	}
	for _, change := range changes {
		change(&config)
	}
	s, err := proofing.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return stranger{s, t}
}

func (s stranger) post(path, contentType, authorization, proof, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", authorization)
	if proof != "" {
		req.Header.Set("DPoP", proof)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, req)
	return w
}

// access is a bearer token for the body that is fuzzed.
func (s stranger) access() string {
	s.t.Helper()
	made, err := s.MakeOffer(proofing.OfferOptions{PersonID: "ada.lindqvist", Configurations: []string{proofing.ConfigurationID, proofing.LicenceID, proofing.JWTID}})
	if err != nil {
		s.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(made.JSON, `"pre-authorized_code":"`)
	code, _, _ := strings.Cut(rest, `"`)
	_, rest, _ = strings.Cut(s.post("/token", formType, "", "", tokenForm(code).Encode()).Body.String(), `"access_token":"`)
	token, _, _ := strings.Cut(rest, `"`)
	if token == "" {
		s.t.Fatal("no token")
	}
	return token
}

// Whatever is sent gets an answer that blames the sender, and never a credential: nothing here holds a fresh nonce.
func refusedPolitely(t *testing.T, path string, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code < 400 || w.Code >= 500 || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s: %d %s", path, w.Code, w.Body)
	}
}

func FuzzCredentialRequest(f *testing.F) {
	s := newStranger(f)
	token := s.access()
	f.Add("application/json", `{"credential_configuration_id":"VerifiedIdentity","proofs":{"jwt":["e30.e30.e30"]}}`)
	f.Add("application/json", `{"credential_identifier":"x","credential_response_encryption":{"jwk":{"kty":"EC"},"enc":"A256GCM","zip":"DEF"}}`)
	f.Add("application/json", `{"credential_configuration_id":"MobileDrivingLicence","proofs":{"attestation":[{}]}}`)
	f.Add("application/jwt", "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSIsImtpZCI6InJlcXVlc3RzIn0....")
	f.Fuzz(func(t *testing.T, kind, body string) {
		refusedPolitely(t, "/credential", s.post("/credential", kind, "Bearer "+token, "", body))
	})
}

func FuzzKeyProof(f *testing.F) {
	s := newStranger(f)
	token := s.access()
	key, err := jose.JWK{Key: newKey(f)}.MarshalJSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("eyJhbGciOiJFUzI1NiIsInR5cCI6Im9wZW5pZDR2Y2ktcHJvb2Yrand0In0.e30.AAAA")
	f.Add(string(key))
	holder := newHolder(f, did.ION, "ES256K")
	f.Add(signBy(f, holder, map[string]any{"typ": "openid4vci-proof+jwt"}, map[string]any{"aud": "https://proofing.example", "iat": time.Now().Unix(), "nonce": "x"}))
	f.Fuzz(func(t *testing.T, proof string) {
		for _, body := range []map[string]any{credentialBody(proof), vcBody(proof)} {
			refusedPolitely(t, "/credential", s.post("/credential", "application/json", "Bearer "+token, "", text(t, body)))
		}
	})
}

// What a wallet provider attests is not to be trusted to be well-formed either.
func FuzzKeyAttestation(f *testing.F) {
	attester, holder := newKey(f), newKey(f)
	s := newStranger(f, func(c *proofing.Config) { c.KeyAttesters.Keys = []jose.JWK{{Key: attester.Public()}} })
	token := s.access()
	f.Add([]byte(text(f, map[string]any{"iat": 1, "exp": 9999999999, "nonce": "x", "attested_keys": []any{jose.JWK{Key: holder.Public()}}})))
	f.Add([]byte(`{"iat":1,"exp":9999999999,"attested_keys":[{"kty":"oct","k":""},null]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		options := map[string]any{"typ": "openid4vci-proof+jwt", "jwk": jose.JWK{Key: holder.Public()}}
		options["key_attestation"] = signBytes(t, attester, map[string]any{"typ": "key-attestation+jwt"}, payload)
		proof := sign(t, holder, options, map[string]any{"aud": "https://proofing.example", "iat": time.Now().Unix(), "nonce": "x"})
		refusedPolitely(t, "/credential", s.post("/credential", "application/json", "Bearer "+token, "", text(t, credentialBody(proof))))
	})
}

func FuzzTokenRequest(f *testing.F) {
	s := newStranger(f)
	f.Add("x", "493536", `[{"type":"openid_credential","credential_configuration_id":"VerifiedIdentity"}]`, "e30.e30.e30", "e30.e30.e30")
	f.Add("", "", "", "", "")
	f.Fuzz(func(t *testing.T, code, tx, details, assertion, proof string) {
		form := url.Values{"grant_type": tokenForm("")["grant_type"], "pre-authorized_code": {code}, "tx_code": {tx}, "authorization_details": {details}, "client_assertion": {assertion}}
		refusedPolitely(t, "/token", s.post("/token", formType, "", proof, form.Encode()))
	})
}

func FuzzNotification(f *testing.F) {
	s := newStranger(f)
	token := s.access()
	f.Add(`{"notification_id":"x","event":"credential_accepted","event_description":"fine"}`)
	f.Fuzz(func(t *testing.T, body string) {
		refusedPolitely(t, "/notification", s.post("/notification", "application/json", "Bearer "+token, "", body))
	})
}

func FuzzFaceCheck(f *testing.F) {
	s := newStranger(f)
	f.Add("x~y~z", "", "AAAA")
	f.Add("omdkb2NUeXBl", "n", "AAAA")
	f.Add("e30.e30.AAAA", "", "AAAA")
	f.Fuzz(func(t *testing.T, presentation, nonce, selfie string) {
		body := text(t, map[string]string{"presentation": presentation, "nonce": nonce, "selfie": selfie})
		refusedPolitely(t, "/face-check", s.post("/face-check", "application/json", "", "", body))
	})
}
