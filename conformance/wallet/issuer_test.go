package wallet_test

import (
	"crypto/ecdsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

const (
	identityType = "urn:regain:verified-identity:1"
	receiptType  = "urn:regain:face-check-receipt:1"
)

// issuer is an OpenID4VCI 1.0 issuer of a test. A test breaks it by setting a hook.
type issuer struct {
	t      testing.TB
	server *httptest.Server
	signs  party
	code   string
	token  string
	nonces map[string]bool
	proofs int      // credential requests seen
	selfie []byte   // the last one sent for a Face Check
	forms  []string // token requests seen

	metadata   func(map[string]any)                              // issuer metadata
	asMetadata func(map[string]any)                              // authorization server metadata
	tokenBody  func(map[string]any)                              // token response
	claims     func(map[string]any)                              // open claims of the credential
	receipt    func(map[string]any)                              // open claims of the receipt
	raw        func(string) string                               // the SD-JWT as text
	typ        string                                            // of the credential
	sealed     map[string]any                                    // selectively disclosable claims
	intercept  func(w http.ResponseWriter, r *http.Request) bool // answers instead when it returns true
}

func newIssuer(t testing.TB, signs party) *issuer {
	t.Helper()
	i := &issuer{
		t: t, signs: signs, code: random(t), token: random(t), nonces: map[string]bool{}, typ: "dc+sd-jwt",
		sealed: map[string]any{
			"given_name": "Ada", "family_name": "Lovelace", "birthdate": "1990-12-10",
			"document_type": "passport", "document_number": "X1", "portrait": b64([]byte("a picture of Ada")),
		},
	}
	i.server = httptest.NewServer(i)
	t.Cleanup(i.server.Close)
	return i
}

func (i *issuer) id() string { return i.server.URL + "/tenant" }

// link is an offer by reference.
func (i *issuer) link() string {
	return "http://wallet.localhost/offer?credential_offer_uri=" + url.QueryEscape(i.server.URL+"/the-offer")
}

func (i *issuer) offer() map[string]any {
	return map[string]any{
		"credential_issuer": i.id(), "credential_configuration_ids": []string{"VerifiedIdentity"},
		"grants": map[string]any{"urn:ietf:params:oauth:grant-type:pre-authorized_code": map[string]any{"pre-authorized_code": i.code}},
	}
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if i.intercept != nil && i.intercept(w, r) {
		return
	}
	switch r.URL.Path {
	case "/the-offer":
		i.write(w, http.StatusOK, i.offer())
	case "/.well-known/openid-credential-issuer/tenant":
		i.write(w, http.StatusOK, change(i.issuerMetadata(), i.metadata))
	case "/.well-known/oauth-authorization-server/tenant":
		i.write(w, http.StatusOK, change(map[string]any{"issuer": i.id(), "token_endpoint": i.server.URL + "/token"}, i.asMetadata))
	case "/token":
		i.serveToken(w, r)
	case "/nonce":
		nonce := random(i.t)
		i.nonces[nonce] = true
		i.write(w, http.StatusOK, map[string]any{"c_nonce": nonce})
	case "/credential":
		i.serveCredential(w, r)
	case "/face-check":
		i.serveFaceCheck(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (i *issuer) issuerMetadata() map[string]any {
	return map[string]any{
		"credential_issuer": i.id(), "credential_endpoint": i.server.URL + "/credential",
		"nonce_endpoint": i.server.URL + "/nonce", "face_check_endpoint": i.server.URL + "/face-check",
		"display": []any{map[string]any{"name": "Proof House"}},
		"credential_configurations_supported": map[string]any{"VerifiedIdentity": map[string]any{
			"format": "dc+sd-jwt", "vct": identityType,
			"cryptographic_binding_methods_supported": []string{"jwk"},
			"proof_types_supported":                   map[string]any{"jwt": map[string]any{"proof_signing_alg_values_supported": []string{"ES256"}}},
			"credential_metadata":                     map[string]any{"display": []any{map[string]any{"name": "Verified ID"}}},
		}},
	}
}

func (i *issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	i.forms = append(i.forms, r.PostForm.Encode())
	if r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:pre-authorized_code" || r.PostFormValue("pre-authorized_code") != i.code {
		i.write(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "the code is used up"})
		return
	}
	i.write(w, http.StatusOK, change(map[string]any{"access_token": i.token, "token_type": "Bearer", "expires_in": 60}, i.tokenBody))
}

func (i *issuer) serveCredential(w http.ResponseWriter, r *http.Request) {
	i.proofs++
	var body struct {
		Configuration string `json:"credential_configuration_id"`
		Identifier    string `json:"credential_identifier"`
		Proofs        struct {
			JWT []string `json:"jwt"`
		} `json:"proofs"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Proofs.JWT) != 1 || r.Header.Get("Authorization") != "Bearer "+i.token {
		i.write(w, http.StatusBadRequest, map[string]any{"error": "invalid_credential_request"})
		return
	}
	if (body.Configuration == "") == (body.Identifier == "") {
		i.write(w, http.StatusBadRequest, map[string]any{"error": "unknown_credential_configuration"})
		return
	}
	holder, code := i.checkProof(body.Proofs.JWT[0])
	if code != "" {
		i.write(w, http.StatusBadRequest, map[string]any{"error": code})
		return
	}
	raw := i.credential(holder)
	if i.raw != nil {
		raw = i.raw(raw)
	}
	i.write(w, http.StatusOK, map[string]any{"credentials": []any{map[string]any{"credential": raw}}})
}

// checkProof is OpenID4VCI 1.0 Appendix F.1 and F.4; it returns an error code of §8.3.1.2.
func (i *issuer) checkProof(compact string) (*jose.JSONWebKey, string) {
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, "invalid_proof"
	}
	header := jws.Signatures[0].Protected
	key := header.JSONWebKey
	if header.ExtraHeaders["typ"] != "openid4vci-proof+jwt" || key == nil || !key.IsPublic() || header.KeyID != "" {
		return nil, "invalid_proof"
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return nil, "invalid_proof"
	}
	var claims map[string]any
	fromJSON(i.t, payload, &claims)
	if claims["aud"] != i.id() || claims["iat"] != float64(noon().Unix()) || claims["iss"] != nil {
		return nil, "invalid_proof"
	}
	nonce, _ := claims["nonce"].(string)
	if !i.nonces[nonce] {
		return nil, "invalid_nonce"
	}
	delete(i.nonces, nonce)
	return key, ""
}

func (i *issuer) credential(holder *jose.JSONWebKey) string {
	claims := map[string]any{
		"iss": i.id(), "vct": identityType, "jti": "urn:uuid:" + random(i.t),
		"iat": noon().Unix(), "exp": noon().Add(24 * time.Hour).Unix(), "cnf": map[string]any{"jwk": holder},
		"status": map[string]any{"status_list": map[string]any{"idx": 7, "uri": i.server.URL + "/status"}},
	}
	return i.sdjwt(change(claims, i.claims), i.sealed)
}

// sdjwt seals claims by hand, after RFC 9901 §4.2.
func (i *issuer) sdjwt(open, sealed map[string]any) string {
	var digests, disclosures []string
	for name, value := range sealed {
		disclosure := b64([]byte(toJSON(i.t, []any{random(i.t), name, value})))
		disclosures = append(disclosures, disclosure)
		digests = append(digests, digest(disclosure))
	}
	if digests != nil {
		open["_sd"], open["_sd_alg"] = append(digests, digest("a decoy")), "sha-256"
	}
	return strings.Join(append([]string{i.signs.sign(i.t, i.typ, open)}, append(disclosures, "")...), "~")
}

// serveFaceCheck is docs/protocols.md, part 3.
func (i *issuer) serveFaceCheck(w http.ResponseWriter, r *http.Request) {
	var body struct{ Presentation, Selfie string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		i.write(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
		return
	}
	shown := readPresentation(i.t, body.Presentation)
	nonce, _ := shown.binding["nonce"].(string)
	if len(shown.disclosed) != 1 || shown.disclosed["portrait"] == nil || !shown.sound() || shown.binding["aud"] != i.id() || !i.nonces[nonce] {
		i.write(w, http.StatusBadRequest, map[string]any{"error": "invalid_presentation"})
		return
	}
	i.selfie = unb64(i.t, body.Selfie)
	claims := map[string]any{
		"iss": i.id(), "vct": receiptType, "jti": "urn:uuid:" + random(i.t), "iat": noon().Unix(),
		"exp": noon().Add(10 * time.Minute).Unix(), "cnf": shown.claims["cnf"],
		"faceCheckResults": []any{map[string]any{
			"sourceVcJti": shown.claims["jti"], "sourcePhotoDigest": digest(shown.encoded["portrait"]),
			"matchConfidenceThreshold": 70, "matchConfidenceScore": 86.31, "sourcePhotoQuality": "HIGH",
		}},
	}
	i.write(w, http.StatusOK, map[string]any{"receipt": i.sdjwt(change(claims, i.receipt), nil)})
}

func (i *issuer) write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(toJSON(i.t, body)))
}

// change applies a test's hook.
func change(members map[string]any, hook func(map[string]any)) map[string]any {
	if hook != nil {
		hook(members)
	}
	return members
}

// shown is a presentation, taken apart by hand.
type shown struct {
	text      string // everything before the Key Binding JWT
	jwt       string
	header    map[string]any
	claims    map[string]any
	disclosed map[string]any
	encoded   map[string]string
	kb        string
	kbHeader  map[string]any
	binding   map[string]any
}

func readPresentation(t testing.TB, raw string) shown {
	t.Helper()
	cut := strings.LastIndexByte(raw, '~') + 1
	s := shown{text: raw[:cut], kb: raw[cut:], disclosed: map[string]any{}, encoded: map[string]string{}}
	parts := strings.Split(strings.TrimSuffix(s.text, "~"), "~")
	s.jwt = parts[0]
	s.header, s.claims = readJWT(t, s.jwt)
	s.kbHeader, s.binding = readJWT(t, s.kb)
	for _, part := range parts[1:] {
		var disclosure []any
		fromJSON(t, unb64(t, part), &disclosure)
		name, _ := disclosure[1].(string)
		s.disclosed[name], s.encoded[name] = disclosure[2], part
	}
	return s
}

// holder returns the key in cnf.
func (s shown) holder() *ecdsa.PublicKey {
	var key jose.JSONWebKey
	cnf, _ := s.claims["cnf"].(map[string]any)
	raw, err := json.Marshal(cnf["jwk"])
	if err != nil || key.UnmarshalJSON(raw) != nil {
		return nil
	}
	public, _ := key.Key.(*ecdsa.PublicKey)
	return public
}

// sound reports whether the Key Binding JWT is signed by the holder over what is shown.
func (s shown) sound() bool {
	return s.kbHeader["typ"] == "kb+jwt" && isSignedBy(s.kb, s.holder()) && s.binding["sd_hash"] == digest(s.text)
}
