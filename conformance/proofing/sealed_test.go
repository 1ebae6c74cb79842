package proofing_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"regain/conformance/jose"
	"regain/conformance/proofing"
)

// requestKey is the issuer's key for encrypted requests, from its metadata.
func (b *bench) requestKey() jose.JWK {
	b.t.Helper()
	var metadata struct {
		Requests struct {
			Set jose.JWKSet `json:"jwks"`
		} `json:"credential_request_encryption"`
	}
	if err := json.Unmarshal([]byte(text(b.t, b.metadata("/.well-known/openid-credential-issuer"))), &metadata); err != nil {
		b.t.Fatal(err)
	}
	return metadata.Requests.Set.Keys[0]
}

func (b *bench) metadata(path string) map[string]any {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.base+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	_, answer := b.do(req)
	return answer
}

// seal encrypts a request to the issuer.
func (b *bench) seal(body any) string {
	b.t.Helper()
	key := b.requestKey()
	compact, err := jose.Recipient{Key: key, Encoding: "A256GCM"}.Seal([]byte(text(b.t, body)), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return compact
}

// Each row starts from a good encrypted request and breaks one thing. Errors are never encrypted.
func TestEncryptedRequestsThatAreRefused(t *testing.T) {
	k := setUpKnown(t)
	token := k.token(proofing.OfferOptions{})
	jwk := func() map[string]any {
		return object(t, []byte(text(t, jose.JWK{Key: newKey(t).Public(), Algorithm: "ECDH-ES"})))
	}
	with := func(change func(map[string]any)) map[string]any {
		encryption := map[string]any{"jwk": jwk(), "enc": "A256GCM"}
		change(encryption)
		body := k.request(proofing.ConfigurationID, 1)
		body["credential_response_encryption"] = encryption
		return body
	}
	alg := with(func(e map[string]any) { e["jwk"].(map[string]any)["alg"] = "UNSUPPORTED_ALG" }) //nolint:forcetypeassert // fails the test
	for name, row := range map[string]struct{ kind, body, code string }{
		"unsupported alg":      {"application/jwt", k.seal(alg), "invalid_encryption_parameters"},
		"unsupported enc":      {"application/jwt", k.seal(with(func(e map[string]any) { e["enc"] = "A128CBC-HS256" })), "invalid_encryption_parameters"},
		"unsupported zip":      {"application/jwt", k.seal(with(func(e map[string]any) { e["zip"] = "GZIP" })), "invalid_encryption_parameters"},
		"no enc":               {"application/jwt", k.seal(with(func(e map[string]any) { delete(e, "enc") })), "invalid_encryption_parameters"},
		"no jwk":               {"application/jwt", k.seal(with(func(e map[string]any) { delete(e, "jwk") })), "invalid_encryption_parameters"},
		"a jwk that is none":   {"application/jwt", k.seal(with(func(e map[string]any) { e["jwk"] = "x" })), "invalid_encryption_parameters"},
		"in the clear":         {"application/json", text(t, with(func(map[string]any) {})), "invalid_encryption_parameters"},
		"for another key":      {"application/jwt", setUp(t).seal(k.request(proofing.ConfigurationID, 1)), "invalid_credential_request"},
		"not encrypted at all": {"application/jwt", text(t, k.request(proofing.ConfigurationID, 1)), "invalid_credential_request"},
		"another media type":   {"text/plain", text(t, k.request(proofing.ConfigurationID, 1)), "invalid_credential_request"},
		"not JSON inside":      {"application/jwt", k.seal("x"), "invalid_credential_request"},
	} {
		status, kind, answer := k.send("/credential", row.kind, token, row.body)
		if status != http.StatusBadRequest || kind != "application/json" || object(t, answer)["error"] != row.code {
			t.Errorf("%s: %d %s %s", name, status, kind, answer)
		}
	}
	if strings.Contains(k.log.String(), token) {
		t.Error("the log has the access token")
	}
}
