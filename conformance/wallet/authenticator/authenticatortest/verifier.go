package authenticatortest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/wallet/wallettest"
)

// Verifier is a verifier of the profile. A test breaks it by setting a hook.
type Verifier struct {
	T       testing.TB
	Signs   Party
	Base    string // where it is reached, and the origin that its DID document links
	Nonce   string
	State   string
	Tokens  []any           // of claims.vp_token, each with a presentation_definition; one is sent as it is
	Posts   []url.Values    // answers received
	Fetches []*http.Request // of the request object

	Header        func(map[string]any) // of the request object
	Claims        func(map[string]any)
	Raw           func(string) string
	MediaType     string
	Document      func(map[string]any) // the DID document
	Configuration func(map[string]any) // did-configuration.json
	LinkHeader    func(map[string]any) // of the domain linkage credential
	Link          func(map[string]any) // its claims
	Status        int                  // of the answer to a post
	Body          string
	BodyType      string
	Answer        func(w http.ResponseWriter, r *http.Request) bool // answers instead when it returns true
}

// NewVerifier makes a verifier that is reached at base and asks for a Verified ID and a Face Check.
func NewVerifier(t testing.TB, signs Party, base string) *Verifier {
	return &Verifier{
		T: t, Signs: signs, Base: base, Nonce: wallettest.Random(t), State: wallettest.Random(t),
		MediaType: "application/jwt", Status: http.StatusOK, BodyType: "application/json",
		Body: `{"redirect_uri":"` + base + `/done?response_code=abc#x","unknown":1}`,
		Tokens: []any{Token("recovery",
			Descriptor("verified_id", IdentityType, map[string]any{"path": []string{"$.issuer", "$.vc.issuer", "$.iss"}}),
			Descriptor("face_check", ReceiptType))},
	}
}

// Token is a member of claims.vp_token.
func Token(id string, descriptors ...any) map[string]any {
	return map[string]any{"presentation_definition": map[string]any{"id": id, "input_descriptors": descriptors}}
}

// Descriptor is an input descriptor with constraints.fields.
func Descriptor(id, kind string, fields ...any) map[string]any {
	d := map[string]any{"id": id, "name": kind, "purpose": "To see that it is you", "schema": []any{map[string]any{"uri": kind}},
		"issuance": []any{map[string]any{"manifest": "https://issuer.example/manifest"}}}
	if len(fields) > 0 {
		d["constraints"] = map[string]any{"fields": fields}
	}
	return d
}

// Address is the link that a QR code holds.
func (v *Verifier) Address() string {
	return "openid-vc://?request_uri=" + url.QueryEscape(v.Base+"/request/1")
}

// Object is the payload of the request object.
func (v *Verifier) Object() map[string]any {
	var token any = v.Tokens
	if len(v.Tokens) == 1 {
		token = v.Tokens[0]
	}
	algorithms := map[string]any{"alg": []string{"ES256K", "ES256", "ES384", "EdDSA"}}
	return change(map[string]any{
		"jti": wallettest.Random(v.T), "iat": wallettest.Noon().Unix(), "exp": wallettest.Noon().Add(5 * time.Minute).Unix(),
		"response_type": "id_token", "response_mode": "post", "scope": "openid", "nonce": v.Nonce, "state": v.State,
		"client_id": v.Signs.DID, "redirect_uri": v.Base + "/response", "prompt": "", "claims": map[string]any{"vp_token": token},
		"registration": map[string]any{
			"client_name": "Contoso Recovery", "client_purpose": "To recover your account", "logo_uri": v.Base + "/logo.png",
			"subject_syntax_types_supported": []string{"did:ion", "did:web", "did:jwk"},
			"vp_formats":                     map[string]any{"jwt_vp": algorithms, "jwt_vc": algorithms},
		},
	}, v.Claims)
}

// linkage is the Domain Linkage Credential for its origin.
func (v *Verifier) linkage() string {
	claims := map[string]any{
		"iss": v.Signs.DID, "sub": v.Signs.DID, "nbf": wallettest.Noon().Unix(), "exp": wallettest.Noon().AddDate(1, 0, 0).Unix(),
		"vc": map[string]any{
			"@context": []string{"https://www.w3.org/2018/credentials/v1", "https://identity.foundation/.well-known/did-configuration/v1"},
			"issuer":   v.Signs.DID, "issuanceDate": wallettest.Noon().Format(time.RFC3339),
			"expirationDate":    wallettest.Noon().AddDate(1, 0, 0).Format(time.RFC3339),
			"type":              []string{"VerifiableCredential", "DomainLinkageCredential"},
			"credentialSubject": map[string]any{"id": v.Signs.DID, "origin": v.Base},
		},
	}
	return v.Signs.Sign(v.T, change(map[string]any{"kid": v.Signs.KID()}, v.LinkHeader), change(claims, v.Link))
}

func (v *Verifier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if v.Answer != nil && v.Answer(w, r) {
		return
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/did.json"):
		writeJSON(v.T, w, http.StatusOK, change(v.Signs.Document(v.T, v.Base), v.Document))
	case r.URL.Path == "/.well-known/did-configuration.json":
		writeJSON(v.T, w, http.StatusOK, change(map[string]any{
			"@context": "https://identity.foundation/.well-known/did-configuration/v1", "linked_dids": []any{v.linkage()},
		}, v.Configuration))
	case r.URL.Path == "/request/1" && r.Method == http.MethodGet:
		v.serveRequest(w, r)
	case r.URL.Path == "/response" && r.Method == http.MethodPost:
		_ = r.ParseForm()
		v.Posts = append(v.Posts, r.PostForm)
		if v.BodyType != "" {
			w.Header().Set("Content-Type", v.BodyType)
		} else {
			w.Header()["Content-Type"] = nil
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(v.Status)
		_, _ = w.Write([]byte(v.Body))
	default:
		http.NotFound(w, r)
	}
}

func (v *Verifier) serveRequest(w http.ResponseWriter, r *http.Request) {
	v.Fetches = append(v.Fetches, r)
	raw := v.Signs.Sign(v.T, change(map[string]any{"typ": "JWT", "kid": v.Signs.KID()}, v.Header), v.Object())
	if v.Raw != nil {
		raw = v.Raw(raw)
	}
	w.Header().Set("Content-Type", v.MediaType)
	_, _ = w.Write([]byte(raw))
}
