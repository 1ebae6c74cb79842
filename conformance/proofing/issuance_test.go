package proofing_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
)

// The Verified ID is as docs/protocols.md §3 has it.
func TestVerifiedID(t *testing.T) {
	b := setUp(t)
	holder := newKey(t)
	options, claims := b.proof(holder)
	status, answer := b.ask(b.access("ada.lindqvist"), credentialBody(sign(t, holder, options, claims)))
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, answer)
	}
	credential := answer["credentials"].([]any)[0].(map[string]any)["credential"].(string) //nolint:forcetypeassert // fails the test
	parts := strings.Split(strings.TrimSuffix(credential, "~"), "~")
	var open struct {
		Issuer  string   `json:"iss"`
		Type    string   `json:"vct"`
		ID      string   `json:"jti"`
		Hash    string   `json:"_sd_alg"`
		Digests []string `json:"_sd"`
		Confirm struct {
			Key jose.JWK `json:"jwk"`
		} `json:"cnf"`
		Status struct {
			List struct {
				URI string `json:"uri"`
			} `json:"status_list"`
		} `json:"status"`
	}
	if header := opened(t, parts[0], &open); header.Type != "dc+sd-jwt" {
		t.Errorf("typ is %v", header.Type)
	}
	if open.Issuer != b.base || open.Type != "urn:regain:verified-identity:1" || !strings.HasPrefix(open.ID, "urn:uuid:") || open.Hash != "sha-256" ||
		!holder.PublicKey.Equal(open.Confirm.Key.Key) || !strings.HasPrefix(open.Status.List.URI, b.base+"/status/") {
		t.Errorf("always open: %+v", open)
	}
	if strings.Contains(text(t, open), "Lindqvist") {
		t.Error("a name is always open")
	}
	values := map[string]any{}
	for _, disclosure := range parts[1:] {
		sum := sha256.Sum256([]byte(disclosure))
		if !slices.Contains(open.Digests, base64.RawURLEncoding.EncodeToString(sum[:])) {
			t.Error("a disclosure has no digest")
		}
		raw, err := base64.RawURLEncoding.DecodeString(disclosure)
		var content [3]any
		if err != nil || json.Unmarshal(raw, &content) != nil {
			t.Fatalf("disclosure %q", disclosure)
		}
		values[content[1].(string)] = content[2] //nolint:forcetypeassert // fails the test
	}
	if values["given_name"] != "Ada" || values["family_name"] != "Lindqvist" || values["portrait"] == nil || len(values) != 6 {
		t.Errorf("%d disclosures, of %v %v", len(values), values["given_name"], values["family_name"])
	}
	if decoys := len(open.Digests) - len(values); decoys != 2 || !slices.IsSorted(open.Digests) {
		t.Errorf("%d decoys; digests in the order of the claims: %t", decoys, !slices.IsSorted(open.Digests))
	}
}

func TestCodes(t *testing.T) {
	b := setUp(t)
	code := b.code("ada.lindqvist")
	for name, row := range map[string]struct {
		body, kind, code string
	}{
		"JSON":               {`{}`, "application/json", "invalid_request"},
		"another grant":      {strings.Replace(tokenForm(code).Encode(), "pre-authorized_code&", "x&", 1), formType, ""},
		"no grant":           {"pre-authorized_code=" + code, formType, "invalid_request"},
		"password":           {"grant_type=password", formType, "unsupported_grant_type"},
		"unknown code":       {tokenForm("x").Encode(), formType, "invalid_grant"},
		"twice":              {tokenForm(code).Encode() + "&pre-authorized_code=x", formType, "invalid_request"},
		"a transaction code": {tokenForm(code).Encode() + "&tx_code=1", formType, "invalid_request"},
	} {
		status, answer := b.post("/token", row.kind, "", row.body)
		if status != http.StatusBadRequest || row.code != "" && answer["error"] != row.code {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	for i, want := range []int{http.StatusOK, http.StatusBadRequest} {
		if status, answer := b.post("/token", formType, "", tokenForm(code).Encode()); status != want {
			t.Errorf("use %d of a code: %d %v", i+1, status, answer)
		}
	}
	late := b.code("ada.lindqvist")
	b.now = b.now.Add(5*time.Minute + time.Second)
	if status, _ := b.post("/token", formType, "", tokenForm(late).Encode()); status != http.StatusBadRequest {
		t.Errorf("a code after five minutes: %d", status)
	}
}

// Each row starts from a good proof and breaks one thing.
func TestProofs(t *testing.T) {
	b := setUp(t)
	access := b.access("ada.lindqvist")
	holder := newKey(t)
	jwk := jose.JWK{Key: holder.Public()}
	for name, row := range map[string]struct {
		options func(map[string]any) map[string]any
		claims  map[string]any
		code    string
	}{
		"typ": {func(map[string]any) map[string]any {
			return map[string]any{"typ": "JWT", "jwk": jwk}
		}, nil, "invalid_proof"},
		"no key": {func(map[string]any) map[string]any {
			return map[string]any{"typ": "openid4vci-proof+jwt"}
		}, nil, "invalid_proof"},
		"a kid too": {func(o map[string]any) map[string]any { o["kid"] = "x"; return o }, nil, "invalid_proof"},
		"another's key": {func(o map[string]any) map[string]any {
			o["jwk"] = jose.JWK{Key: newKey(t).Public()}
			return o
		}, nil, "invalid_proof"},
		"aud":            {nil, map[string]any{"aud": "https://other.example"}, "invalid_proof"},
		"iss":            {nil, map[string]any{"iss": "wallet"}, "invalid_proof"},
		"no nonce":       {nil, map[string]any{"nonce": nil}, "invalid_proof"},
		"made-up nonce":  {nil, map[string]any{"nonce": "x"}, "invalid_nonce"},
		"iat long ago":   {nil, map[string]any{"iat": b.now.Add(-time.Hour).Unix()}, "invalid_proof"},
		"iat far ahead":  {nil, map[string]any{"iat": b.now.Add(time.Hour).Unix()}, "invalid_proof"},
		"good, at last":  {nil, nil, ""},
		"good once more": {nil, nil, ""},
	} {
		options, claims := b.proof(holder)
		if row.options != nil {
			options = row.options(options)
		}
		for claim, value := range row.claims {
			claims[claim] = value
		}
		status, answer := b.ask(access, credentialBody(sign(t, holder, options, claims)))
		if code, _ := answer["error"].(string); code != row.code || (status == http.StatusOK) != (row.code == "") {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
}

func TestANonceWorksOnce(t *testing.T) {
	b := setUp(t)
	access, holder := b.access("ada.lindqvist"), newKey(t)
	options, claims := b.proof(holder)
	proof := sign(t, holder, options, claims)
	for i, want := range []int{http.StatusOK, http.StatusBadRequest} {
		if status, answer := b.ask(access, credentialBody(proof)); status != want {
			t.Errorf("use %d: %d %v", i+1, status, answer)
		}
	}
}

func TestCredentialRequests(t *testing.T) {
	b := setUp(t)
	access, holder := b.access("ada.lindqvist"), newKey(t)
	options, claims := b.proof(holder)
	good := sign(t, holder, options, claims)
	for name, row := range map[string]struct {
		access string
		body   any
		status int
		code   string
	}{
		"no token":              {"", credentialBody(good), http.StatusUnauthorized, ""},
		"another token":         {"x", credentialBody(good), http.StatusUnauthorized, "invalid_token"},
		"no proofs":             {access, credentialBody(), http.StatusBadRequest, "invalid_proof"},
		"another configuration": {access, map[string]any{"credential_configuration_id": "x"}, http.StatusBadRequest, "unknown_credential_configuration"},
		"an identifier":         {access, map[string]any{"credential_identifier": "x"}, http.StatusBadRequest, "unknown_credential_identifier"},
		"one key twice":         {access, credentialBody(good, good), http.StatusBadRequest, "invalid_proof"},
		"too many":              {access, credentialBody(slices.Repeat([]string{good}, 6)...), http.StatusBadRequest, "invalid_credential_request"},
		"a list":                {access, []string{"x"}, http.StatusBadRequest, "invalid_credential_request"},
		"a huge one":            {access, credentialBody(strings.Repeat("x", 100<<10)), http.StatusRequestEntityTooLarge, "invalid_credential_request"},
	} {
		status, answer := b.ask(row.access, row.body)
		if code, _ := answer["error"].(string); status != row.status || code != row.code {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	if strings.Contains(b.log.String(), access) || strings.Contains(b.log.String(), "Lindqvist") {
		t.Error("the log has the access token or a name")
	}
}
