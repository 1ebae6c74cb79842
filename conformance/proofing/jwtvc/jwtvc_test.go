package jwtvc_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/proofing/jwtvc"
)

const (
	base  = "https://proofing.localhost:8402"
	kind  = "VerifiedIdentity"
	nonce = "a-nonce"
)

func noon() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

func newIssuer(t testing.TB) *jwtvc.Issuer {
	t.Helper()
	made, err := jwtvc.New(jwtvc.Config{BaseURL: base, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// credential is what is issued to a holder; a test changes it.
func credential(holder string) jwtvc.Credential {
	return jwtvc.Credential{
		Type: kind, Subject: holder, About: map[string]any{"firstName": "Ada", "portrait": base64.RawURLEncoding.EncodeToString([]byte("a picture"))},
		From: noon(), Until: noon().Add(time.Hour), Status: &jwtvc.Status{URI: base + "/status/1", Index: 7},
	}
}

func issue(t testing.TB, i *jwtvc.Issuer, c jwtvc.Credential) string {
	t.Helper()
	_, compact, err := i.Issue(c)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// presentation is a good VP, as claims to break.
func presentation(holder did.Identity, credentials ...string) map[string]any {
	return map[string]any{
		"iss": holder.DID, "aud": base, "nonce": nonce, "iat": noon().Unix(), "nbf": noon().Unix(), "exp": noon().Add(time.Minute).Unix(), "jti": "x",
		"vp": map[string]any{"@context": []string{"https://www.w3.org/2018/credentials/v1"}, "type": []string{"VerifiablePresentation"}, "verifiableCredential": credentials},
	}
}

func vp(t testing.TB, holder did.Identity, claims map[string]any) string {
	return signBy(t, holder, map[string]any{"typ": "JWT"}, claims)
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

// payload reads a part of a JWS: 0 is the header, 1 the claims.
func part(t testing.TB, compact string, n int) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(compact, ".")[n])
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatal(err)
	}
	return members
}

// published is the key under assertionMethod in the DID document, as a stranger reads it.
func published(t testing.TB, i *jwtvc.Issuer) (kid string, key jose.JWK) {
	t.Helper()
	raw, err := json.Marshal(i.Document())
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		ID      string `json:"id"`
		Methods []struct {
			ID         string   `json:"id"`
			Controller string   `json:"controller"`
			JWK        jose.JWK `json:"publicKeyJwk"`
		} `json:"verificationMethod"`
		Asserts []string `json:"assertionMethod"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	if document.ID != i.DID || len(document.Methods) != 1 || !slices.Equal(document.Asserts, []string{document.Methods[0].ID}) || document.Methods[0].Controller != i.DID {
		t.Fatalf("document of %s: %s", document.ID, raw)
	}
	return document.Methods[0].ID, document.Methods[0].JWK
}

// verified are the claims of a JWS that is by the published key.
func verified(t testing.TB, i *jwtvc.Issuer, compact string) map[string]any {
	t.Helper()
	kid, key := published(t, i)
	signed, err := jose.Parse(compact)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signed.Verify(key.Key); err != nil || signed.KeyID != kid {
		t.Fatalf("kid %s: %v", signed.KeyID, err)
	}
	return part(t, compact, 1)
}

func TestIssue(t *testing.T) {
	i := newIssuer(t)
	if i.DID != "did:web:proofing.localhost%3A8402" {
		t.Errorf("its DID is %s", i.DID)
	}
	id, compact, err := i.Issue(credential("did:jwk:x"))
	if err != nil {
		t.Fatal(err)
	}
	claims, header := verified(t, i, compact), part(t, compact, 0)
	if header["typ"] != "JWT" || len(header) != 3 {
		t.Errorf("header: %v", header)
	}
	if claims["iss"] != i.DID || claims["sub"] != "did:jwk:x" || claims["jti"] != id || len(id) != len("urn:pic:")+32 {
		t.Errorf("claims: %v", claims)
	}
	if at := float64(noon().Unix()); claims["iat"] != at || claims["nbf"] != at || claims["exp"] != at+3600 {
		t.Errorf("times: %v", claims)
	}
	if fmt.Sprint(claims["status"]) != "map[status_list:map[idx:7 uri:"+base+"/status/1]]" {
		t.Errorf("status: %v", claims["status"])
	}
	vc := claims["vc"].(map[string]any)
	if fmt.Sprint(vc["type"]) != "[VerifiableCredential VerifiedIdentity]" || vc["credentialSubject"].(map[string]any)["firstName"] != "Ada" || len(vc) != 3 {
		t.Errorf("vc: %v", vc)
	}
	brief := credential("did:jwk:x")
	brief.Status = nil
	if _, there := part(t, issue(t, i, brief), 1)["status"]; there {
		t.Error("one without a status has one")
	}
}

// The domain vouches for the DID in the form that DIF Well Known DID Configuration has for JWTs.
func TestConfiguration(t *testing.T) {
	i := newIssuer(t)
	configuration, err := i.Configuration(noon())
	if err != nil {
		t.Fatal(err)
	}
	linked, _ := configuration["linked_dids"].([]string)
	if len(linked) != 1 || configuration["@context"] != "https://identity.foundation/.well-known/did-configuration/v1" {
		t.Fatalf("%v", configuration)
	}
	claims := verified(t, i, linked[0])
	if header := part(t, linked[0], 0); len(header) != 2 || len(claims) != 5 {
		t.Errorf("header %v, claims %v", header, claims)
	}
	vc := claims["vc"].(map[string]any)
	subject := vc["credentialSubject"].(map[string]any)
	if claims["iss"] != i.DID || claims["sub"] != i.DID || vc["issuer"] != i.DID || subject["id"] != i.DID || subject["origin"] != base {
		t.Errorf("%v", claims)
	}
	if vc["issuanceDate"] != "2026-11-26T12:00:00Z" || claims["nbf"] != float64(noon().Unix()) || fmt.Sprint(vc["type"]) != "[VerifiableCredential DomainLinkageCredential]" {
		t.Errorf("%v", vc)
	}
}

func TestNewWantsAllParts(t *testing.T) {
	for name, config := range map[string]jwtvc.Config{
		"no URL": {Random: rand.Reader}, "no host": {BaseURL: "x", Random: rand.Reader}, "no randomness": {BaseURL: base},
	} {
		if _, err := jwtvc.New(config); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}

// What is about a person writes itself as a placeholder.
func TestCredentialsAreNotPrinted(t *testing.T) {
	c, shown := credential("did:jwk:eyJ9"), jwtvc.Shown{ID: "urn:pic:1", Holder: "did:jwk:eyJ9", Portrait: []byte("a picture")}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "credential", c, "shown", shown)
	raw, err := json.Marshal([]any{c, shown})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%v %+v %#v %x %v %+v %#v %x", c, c, c, c, shown, shown, shown, shown) + string(raw) + log.String()
	for _, secret := range []string{"Ada", "eyJ9", "urn:pic", "picture", "416461"} {
		if strings.Contains(all, secret) {
			t.Errorf("%s is in %s", secret, all)
		}
	}
}
