package proofing_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/people"
	"regain/conformance/proofing"
)

// accessTo is an access token for one configuration.
func (b *bench) accessTo(configuration string) string {
	b.t.Helper()
	made, err := b.MakeOffer(proofing.OfferOptions{PersonID: "ada.lindqvist", Configurations: []string{configuration}})
	if err != nil {
		b.t.Fatal(err)
	}
	_, answer := b.post("/token", formType, "", tokenForm(b.codeAt(made.URL)).Encode())
	token, _ := answer["access_token"].(string)
	if token == "" {
		b.t.Fatalf("token: %v", answer)
	}
	return token
}

// didProof is a key proof of a holder of a DID, with one thing changed.
func (b *bench) didProof(holder did.Identity, nonce string, header, claims map[string]any) string {
	b.t.Helper()
	head, body := map[string]any{"typ": "openid4vci-proof+jwt"}, map[string]any{"aud": b.base, "iat": b.now.Unix(), "nonce": nonce}
	maps.Copy(head, header)
	maps.Copy(body, claims)
	return signBy(b.t, holder, head, body)
}

func vcBody(proofs ...string) map[string]any {
	body := credentialBody(proofs...)
	body["credential_configuration_id"] = proofing.JWTID
	return body
}

// opened verifies a JWT VC with the key that the DID document publishes, and returns its claims.
func (b *bench) opened(compact string) map[string]any {
	b.t.Helper()
	_, raw := b.get("/.well-known/did.json", "")
	var document struct {
		ID      string `json:"id"`
		Methods []struct {
			ID  string   `json:"id"`
			JWK jose.JWK `json:"publicKeyJwk"`
		} `json:"verificationMethod"`
		Asserts []string `json:"assertionMethod"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		b.t.Fatal(err)
	}
	signed, err := jose.Parse(compact)
	if err != nil {
		b.t.Fatal(err)
	}
	payload, err := signed.Verify(document.Methods[0].JWK.Key)
	if kid := signed.KeyID; err != nil || document.ID != b.DID() || kid != document.Methods[0].ID || !slices.Contains(document.Asserts, kid) {
		b.t.Fatalf("kid %s: %v", kid, err)
	}
	return object(b.t, payload)
}

func subjectOf(claims map[string]any) map[string]any {
	vc, _ := claims["vc"].(map[string]any)
	subject, _ := vc["credentialSubject"].(map[string]any)
	return subject
}

// A JWT VC is fetched with a proof of the holder's DID, and is as docs/protocols.md §3 has it.
func TestVC(t *testing.T) {
	b := setUp(t)
	for _, alg := range []string{"ES256K", "ES256", "EdDSA"} {
		for _, holder := range []did.Identity{newHolder(t, did.ION, alg), newHolder(t, did.JWK, alg)} {
			status, answer := b.ask(b.accessTo(proofing.JWTID), vcBody(b.didProof(holder, b.nonce(), nil, nil)))
			if status != http.StatusOK {
				t.Fatalf("%s: %d %v", alg, status, answer)
			}
			claims := b.opened(answer["credentials"].([]any)[0].(map[string]any)["credential"].(string)) //nolint:forcetypeassert // fails the test
			if claims["iss"] != b.DID() || claims["sub"] != holder.DID || !strings.HasPrefix(claims["jti"].(string), "urn:pic:") {
				t.Errorf("%s: from %v, named %v", alg, claims["iss"], claims["jti"])
			}
			if at := float64(b.now.Truncate(time.Hour).Unix()); claims["nbf"] != at || claims["exp"] != at+180*24*3600 {
				t.Errorf("from %v until %v", claims["nbf"], claims["exp"])
			}
			if subject := subjectOf(claims); subject["firstName"] != "Ada" || subject["lastName"] != "Lindqvist" || subject["dateOfBirth"] == "" || len(subject) != 4 {
				t.Errorf("it has %d claims", len(subject))
			}
			if !strings.Contains(text(t, claims["status"]), b.base+"/status/1") {
				t.Errorf("status: %v", claims["status"])
			}
		}
	}
}

// Each row changes one thing about a proof that is right.
func TestDIDProofs(t *testing.T) {
	b := setUp(t)
	access, holder, other := b.accessTo(proofing.JWTID), newHolder(t, did.ION, "ES256K"), newHolder(t, did.JWK, "EdDSA")
	jwk := jose.JWK{Key: newKey(t).Public()}
	for name, row := range map[string]struct {
		by             did.Identity
		header, claims map[string]any
		code           string
	}{
		"typ":               {holder, map[string]any{"typ": "JWT"}, nil, "invalid_proof"},
		"another's key":     {other, map[string]any{"kid": holder.KeyID()}, nil, "invalid_proof"},
		"no kid":            {holder, map[string]any{"kid": nil}, nil, "invalid_proof"},
		"a relative kid":    {holder, map[string]any{"kid": "#key-1"}, nil, "invalid_proof"},
		"a DID to fetch":    {holder, map[string]any{"kid": "did:web:wallet.example#key-1"}, nil, "invalid_proof"},
		"a jwk too":         {holder, map[string]any{"jwk": jwk}, nil, "invalid_proof"},
		"a jwk alone":       {newHolder(t, did.JWK, "ES256"), map[string]any{"jwk": jwk, "kid": nil}, nil, "invalid_proof"},
		"another audience":  {holder, nil, map[string]any{"aud": "https://other.example"}, "invalid_proof"},
		"iss":               {holder, nil, map[string]any{"iss": holder.DID}, "invalid_proof"},
		"no nonce":          {holder, nil, map[string]any{"nonce": nil}, "invalid_proof"},
		"a made-up nonce":   {holder, nil, map[string]any{"nonce": "x"}, "invalid_nonce"},
		"made an hour ago":  {holder, nil, map[string]any{"iat": b.now.Add(-time.Hour).Unix()}, "invalid_proof"},
		"right, at last":    {holder, nil, nil, ""},
		"right, of another": {other, nil, nil, ""},
	} {
		status, answer := b.ask(access, vcBody(b.didProof(row.by, b.nonce(), row.header, row.claims)))
		if code, _ := answer["error"].(string); code != row.code || (status == http.StatusOK) != (row.code == "") {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	if strings.Contains(b.log.String(), holder.DID) || strings.Contains(b.log.String(), "Lindqvist") {
		t.Error("the log names the holder")
	}
}

func TestIssueVC(t *testing.T) {
	b := setUp(t)
	holder := newHolder(t, did.ION, "ES256K")
	issued, err := b.IssueVC("ada.lindqvist", holder.DID)
	if err != nil {
		t.Fatal(err)
	}
	if claims := b.opened(issued.Credential); claims["jti"] != issued.JTI || claims["sub"] != holder.DID {
		t.Errorf("it is named %v", claims["jti"])
	}
	if err := b.Revoke(issued.JTI); err != nil {
		t.Error(err)
	}
	for name, row := range map[string][2]string{
		"nobody": {"nobody", holder.DID}, "no DID": {"ada.lindqvist", "x"}, "a DID to fetch": {"ada.lindqvist", "did:web:wallet.example"},
	} {
		if _, err := b.IssueVC(row[0], row[1]); err == nil || strings.Contains(err.Error(), "web:") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Everybody may read who issues.
func TestDIDAndItsDomain(t *testing.T) {
	b := setUp(t)
	for _, path := range []string{"/.well-known/did.json", "/.well-known/did-configuration.json"} {
		resp, raw := b.get(path, "")
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
		if path == "/.well-known/did.json" {
			continue
		}
		linked, _ := object(t, raw)["linked_dids"].([]any)
		if len(linked) != 1 || subjectOf(b.opened(fmt.Sprint(linked[0])))["origin"] != b.base {
			t.Errorf("%s", raw)
		}
	}
}

// shownVC is a VC in a VP, as its holder shows it to the Face Check, with some of the VP changed.
func (b *bench) shownVC(credential string, holder did.Identity, change map[string]any) string {
	b.t.Helper()
	claims := map[string]any{
		"iss": holder.DID, "aud": b.base, "nonce": b.nonce(), "iat": b.now.Unix(), "exp": b.now.Add(time.Hour).Unix(),
		"vp": map[string]any{"@context": []string{"https://www.w3.org/2018/credentials/v1"}, "type": []string{"VerifiablePresentation"}, "verifiableCredential": []string{credential}},
	}
	maps.Copy(claims, change)
	return signBy(b.t, holder, map[string]any{"typ": "JWT"}, claims)
}

// What else is wrong with a VP, package jwtvc tests: here it is told apart from a nonce and a selfie that are.
func TestFaceChecksOfVCsThatAreRefused(t *testing.T) {
	b, holder := setUp(t), newHolder(t, did.ION, "ES256K")
	issued, err := b.IssueVC("ada.lindqvist", holder.DID)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := setUp(t).IssueVC("ada.lindqvist", holder.DID)
	if err != nil {
		t.Fatal(err)
	}
	picture, other := selfie(t, "ada.lindqvist", people.Good), newHolder(t, did.ION, "ES256K")
	_, answer := b.faceCheck(b.shownVC(issued.Credential, holder, nil), picture)
	receipt := fmt.Sprint(answer["receipt"])
	for name, row := range map[string]struct{ presentation, selfie, code string }{
		"another audience":  {b.shownVC(issued.Credential, holder, map[string]any{"aud": "https://x.example"}), picture, "invalid_presentation"},
		"another's key":     {b.shownVC(issued.Credential, other, nil), picture, "invalid_presentation"},
		"another issuer's":  {b.shownVC(foreign.Credential, holder, nil), picture, "invalid_presentation"},
		"a receipt":         {b.shownVC(receipt, holder, nil), picture, "invalid_presentation"},
		"the VC itself":     {issued.Credential, picture, "invalid_presentation"},
		"dots":              {"..", picture, "invalid_presentation"},
		"a made-up nonce":   {b.shownVC(issued.Credential, holder, map[string]any{"nonce": "x"}), picture, "invalid_nonce"},
		"no nonce":          {b.shownVC(issued.Credential, holder, map[string]any{"nonce": nil}), picture, "invalid_nonce"},
		"selfie not a JPEG": {b.shownVC(issued.Credential, holder, nil), "AAAA", "invalid_selfie"},
	} {
		if status, answer := b.faceCheck(row.presentation, row.selfie); status != http.StatusBadRequest || answer["error"] != row.code {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	used := b.shownVC(issued.Credential, holder, nil)
	for i, want := range []int{http.StatusOK, http.StatusBadRequest} {
		if status, answer := b.faceCheck(used, picture); status != want {
			t.Errorf("use %d of a presentation: %d %v", i+1, status, answer)
		}
	}
	if strings.Contains(b.log.String(), holder.DID) {
		t.Error("the log names the holder")
	}
}
