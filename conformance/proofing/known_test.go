package proofing_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/proofing"
	"regain/conformance/proofing/client"
	"regain/conformance/proofing/offer"
)

// known is a bench whose wallets are registered, and one of them: it signs assertions, DPoP proofs and key proofs.
type known struct {
	*bench
	wallet, dpop *ecdsa.PrivateKey
	nonces       map[string]string // the last DPoP nonce of each endpoint
}

const walletID = "wallet"

func setUpKnown(t *testing.T) *known {
	t.Helper()
	k := &known{wallet: newKey(t), dpop: newKey(t), nonces: map[string]string{}}
	k.bench = setUpWith(t, func(c *proofing.Config) {
		c.Wallets = []client.Wallet{{ID: walletID, Keys: jose.JWKSet{Keys: []jose.JWK{{Key: k.wallet.Public(), KeyID: "w", Algorithm: "ES256"}}}}}
		c.BareStatusKey = true
	})
	return k
}

func random() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// assertion is a good client assertion.
func (k *known) assertion() string {
	return sign(k.t, k.wallet, map[string]any{"kid": "w"}, map[string]any{
		"iss": walletID, "sub": walletID, "aud": k.base, "jti": random(), "iat": k.now.Unix(), "exp": k.now.Add(time.Minute).Unix(),
	})
}

// proofOf is a DPoP proof for an endpoint, with its last nonce.
func (k *known) proofOf(key *ecdsa.PrivateKey, path, token string) string {
	claims := map[string]any{"jti": random(), "htm": "POST", "htu": k.base + path, "iat": k.now.Unix(), "nonce": k.nonces[path]}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return sign(k.t, key, map[string]any{"typ": "dpop+jwt", "jwk": jose.JWK{Key: key.Public()}}, claims)
}

// send posts with a DPoP proof, and once more when the server wants its nonce in it.
func (k *known) send(path, contentType, token, body string) (int, string, []byte) {
	k.t.Helper()
	return k.sendAs(k.dpop, path, contentType, token, body)
}

func (k *known) sendAs(key *ecdsa.PrivateKey, path, contentType, token, body string) (int, string, []byte) {
	k.t.Helper()
	for tries := 0; ; tries++ {
		req, err := http.NewRequestWithContext(k.t.Context(), http.MethodPost, k.base+path, strings.NewReader(body))
		if err != nil {
			k.t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		req.Header.Set("DPoP", k.proofOf(key, path, token))
		if token != "" {
			req.Header.Set("Authorization", "DPoP "+token)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			k.t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			k.t.Fatal(err)
		}
		k.nonces[path] = resp.Header.Get("DPoP-Nonce")
		if tries == 0 && bytes.Contains(text, []byte("use_dpop_nonce")) {
			body = k.renew(body)
			continue
		}
		return resp.StatusCode, resp.Header.Get("Content-Type"), text
	}
}

// renew puts a fresh assertion into a token request: each works once.
func (k *known) renew(body string) string {
	form, err := url.ParseQuery(body)
	if err != nil || !form.Has("client_assertion") {
		return body
	}
	form.Set("client_assertion", k.assertion())
	return form.Encode()
}

func (k *known) tokenForm(o offer.Link) url.Values {
	k.t.Helper()
	var offer struct {
		Grants map[string]struct {
			Code string `json:"pre-authorized_code"`
		} `json:"grants"`
	}
	if err := json.Unmarshal([]byte(o.JSON), &offer); err != nil {
		k.t.Fatal(err)
	}
	form := tokenForm(offer.Grants["urn:ietf:params:oauth:grant-type:pre-authorized_code"].Code)
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", k.assertion())
	return form
}

func (k *known) offer(o proofing.OfferOptions) offer.Link {
	k.t.Helper()
	if o.PersonID == "" {
		o.PersonID = "ada.lindqvist"
	}
	made, err := k.MakeOffer(o)
	if err != nil {
		k.t.Fatal(err)
	}
	return made
}

// take gets an access token for an offer, with some of the form changed.
func (k *known) take(o proofing.OfferOptions, change func(url.Values)) (int, map[string]any) {
	k.t.Helper()
	form := k.tokenForm(k.offer(o))
	if change != nil {
		change(form)
	}
	status, _, text := k.send("/token", formType, "", form.Encode())
	return status, object(k.t, text)
}

func (k *known) token(o proofing.OfferOptions) string {
	k.t.Helper()
	status, answer := k.take(o, nil)
	token, _ := answer["access_token"].(string)
	if status != http.StatusOK || answer["token_type"] != "DPoP" || token == "" {
		k.t.Fatalf("token: %d %v", status, answer)
	}
	return token
}

func object(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var answer map[string]any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return answer
}

// keyProofs are good key proofs of fresh keys, under one nonce; change breaks their claims.
func (k *known) keyProofs(n int, change map[string]any) []string {
	nonce, proofs := k.nonce(), make([]string, n)
	for i := range proofs {
		key := newKey(k.t)
		options, claims := k.proof(key)
		claims["nonce"], claims["iss"] = nonce, walletID
		maps.Copy(claims, change)
		proofs[i] = sign(k.t, key, options, claims)
	}
	return proofs
}

func (k *known) request(configuration string, n int) map[string]any {
	return map[string]any{"credential_configuration_id": configuration, "proofs": map[string]any{"jwt": k.keyProofs(n, nil)}}
}

func text(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
