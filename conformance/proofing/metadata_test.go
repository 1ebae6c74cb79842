package proofing_test

import (
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"regain/conformance/jose"
)

func (b *bench) get(path, accept string) (*http.Response, []byte) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.base+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp, raw
}

func TestIssuerMetadata(t *testing.T) {
	b := setUp(t)
	metadata := b.metadata("/.well-known/openid-credential-issuer")
	for name, path := range map[string]string{
		"credential_issuer": "", "credential_endpoint": "/credential", "nonce_endpoint": "/nonce", "notification_endpoint": "/notification", "face_check_endpoint": "/face-check",
	} {
		if metadata[name] != b.base+path {
			t.Errorf("%s is %v", name, metadata[name])
		}
	}
	var configurations map[string]struct {
		Format     string           `json:"format"`
		DocType    string           `json:"doctype"`
		Definition map[string]any   `json:"credential_definition"`
		Binding    []string         `json:"cryptographic_binding_methods_supported"`
		Algorithms []any            `json:"credential_signing_alg_values_supported"`
		Proofs     map[string]any   `json:"proof_types_supported"`
		Metadata   map[string][]any `json:"credential_metadata"`
	}
	if err := json.Unmarshal([]byte(text(t, metadata["credential_configurations_supported"])), &configurations); err != nil {
		t.Fatal(err)
	}
	licence, identity := configurations["MobileDrivingLicence"], configurations["VerifiedIdentity"]
	if licence.Format != "mso_mdoc" || licence.DocType != "org.iso.18013.5.1.mDL" || licence.Binding[0] != "cose_key" || licence.Algorithms[0] != float64(-7) {
		t.Errorf("licence: %+v", licence)
	}
	if identity.Format != "dc+sd-jwt" || identity.Binding[0] != "jwk" || identity.Algorithms[0] != "ES256" || len(configurations) != 3 {
		t.Errorf("identity: %+v", identity)
	}
	vc := configurations["VerifiedIdentityJWT"]
	if vc.Format != "jwt_vc_json" || text(t, vc.Definition) != `{"type":["VerifiableCredential","VerifiedIdentity"]}` || text(t, vc.Binding) != `["did:jwk","did:ion"]` {
		t.Errorf("JWT VC: %+v", vc)
	}
	if algorithms := `{"jwt":{"proof_signing_alg_values_supported":["ES256K","ES256","EdDSA"]}}`; text(t, vc.Proofs) != algorithms || vc.Algorithms[0] != "ES256" {
		t.Errorf("JWT VC: %v, %v", vc.Proofs, vc.Algorithms)
	}
	for id, c := range configurations {
		if c.Proofs["jwt"] == nil || len(c.Metadata["display"]) == 0 || len(c.Metadata["claims"]) == 0 {
			t.Errorf("%s: proofs %v, metadata %v", id, c.Proofs, c.Metadata)
		}
	}
}

// Signed metadata says the same, and who says it.
func TestSignedMetadata(t *testing.T) {
	b := setUp(t)
	for accept, want := range map[string]string{
		"application/jwt": "application/jwt", "application/jwt, application/json;q=0.5": "application/jwt", "APPLICATION/JWT;q=1": "application/jwt",
		"": "application/json", "*/*": "application/json", "application/json, application/jwt": "application/json",
	} {
		if resp, _ := b.get("/.well-known/openid-credential-issuer", accept); resp.Header.Get("Content-Type") != want {
			t.Errorf("Accept %q: %s", accept, resp.Header.Get("Content-Type"))
		}
	}
	_, raw := b.get("/.well-known/openid-credential-issuer", "application/jwt")
	signed, err := jose.ParseTyped(string(raw), "openidvci-issuer-metadata+jwt")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(b.Anchor())
	payload, _, err := signed.VerifyChained(roots, b.now)
	if err != nil {
		t.Fatal(err)
	}
	claims, plain := object(t, payload), b.metadata("/.well-known/openid-credential-issuer")
	if claims["sub"] != b.base || claims["iss"] != b.base || claims["iat"] != float64(b.now.Unix()) {
		t.Errorf("sub %v, iss %v, iat %v", claims["sub"], claims["iss"], claims["iat"])
	}
	for _, name := range []string{"sub", "iss", "iat"} {
		delete(claims, name)
	}
	if !reflect.DeepEqual(claims, plain) {
		t.Errorf("signed %v, plain %v", claims, plain)
	}
}

func TestServerMetadata(t *testing.T) {
	open, closed := setUp(t), setUpKnown(t)
	for name, row := range map[string]struct {
		b         *bench
		method    string
		anonymous bool
		authorize any
	}{
		"open": {open, "none", true, nil}, "closed": {closed.bench, "private_key_jwt", false, closed.base + "/authorize"},
	} {
		m := row.b.metadata("/.well-known/oauth-authorization-server")
		if m["issuer"] != row.b.base || m["pre-authorized_grant_anonymous_access_supported"] != row.anonymous || m["authorization_endpoint"] != row.authorize {
			t.Errorf("%s: %v", name, m)
		}
		if methods, _ := m["token_endpoint_auth_methods_supported"].([]any); len(methods) != 1 || methods[0] != row.method {
			t.Errorf("%s: %v", name, methods)
		}
	}
	resp, raw := closed.get("/authorize?response_type=code", "text/html")
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(raw), "unsupported_response_type") {
		t.Errorf("authorization requests: %d %s", resp.StatusCode, raw)
	}
}
