package wallettest

import (
	"crypto/ecdsa"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/mdoc"
)

const (
	IdentityType = "urn:regain:verified-identity:1"
	ReceiptType  = "urn:regain:face-check-receipt:1"
)

// Issuer is an OpenID4VCI 1.0 issuer of a test. A test breaks it by setting a hook.
type Issuer struct {
	T      testing.TB
	Server *httptest.Server
	Signs  Party
	Code   string
	Token  string
	Nonces map[string]bool
	Proofs int      // credential requests seen
	Selfie []byte   // the last one sent for a Face Check
	Forms  []string // token requests seen

	Metadata   func(map[string]any)                              // issuer metadata
	ASMetadata func(map[string]any)                              // authorization server metadata
	TokenBody  func(map[string]any)                              // token response
	Claims     func(map[string]any)                              // open claims of the credential
	Receipt    func(map[string]any)                              // open claims of the receipt
	Raw        func(string) string                               // the SD-JWT as text
	Typ        string                                            // of the credential
	Licensed   bool                                              // offers a driving licence instead of a Verified ID
	Licence    func(*Licence)                                    // the licence before it is signed
	Sealed     map[string]any                                    // selectively disclosable claims
	Intercept  func(w http.ResponseWriter, r *http.Request) bool // answers instead when it returns true
}

func NewIssuer(t testing.TB, signs Party) *Issuer {
	t.Helper()
	i := &Issuer{
		T: t, Signs: signs, Code: Random(t), Token: Random(t), Nonces: map[string]bool{}, Typ: "dc+sd-jwt",
		Sealed: map[string]any{
			"given_name": "Ada", "family_name": "Lovelace", "birthdate": "1990-12-10",
			"document_type": "passport", "document_number": "X1", "portrait": Encode([]byte("a picture of Ada")),
		},
	}
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Server.Close)
	return i
}

func (i *Issuer) ID() string { return i.Server.URL + "/tenant" }

// Link is an offer by reference.
func (i *Issuer) Link() string {
	return "http://wallet.localhost/offer?credential_offer_uri=" + url.QueryEscape(i.Server.URL+"/the-offer")
}

func (i *Issuer) Offer() map[string]any {
	return map[string]any{
		"credential_issuer": i.ID(), "credential_configuration_ids": []string{i.configuration()},
		"grants": map[string]any{"urn:ietf:params:oauth:grant-type:pre-authorized_code": map[string]any{"pre-authorized_code": i.Code}},
	}
}

func (i *Issuer) configuration() string {
	if i.Licensed {
		return "DrivingLicence"
	}
	return "VerifiedIdentity"
}

func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if i.Intercept != nil && i.Intercept(w, r) {
		return
	}
	switch r.URL.Path {
	case "/the-offer":
		i.write(w, http.StatusOK, i.Offer())
	case "/.well-known/openid-credential-issuer/tenant":
		i.write(w, http.StatusOK, change(i.IssuerMetadata(), i.Metadata))
	case "/.well-known/oauth-authorization-server/tenant":
		i.write(w, http.StatusOK, change(map[string]any{"issuer": i.ID(), "token_endpoint": i.Server.URL + "/token"}, i.ASMetadata))
	case "/token":
		i.serveToken(w, r)
	case "/nonce":
		nonce := Random(i.T)
		i.Nonces[nonce] = true
		i.write(w, http.StatusOK, map[string]any{"c_nonce": nonce})
	case "/credential":
		i.serveCredential(w, r)
	case "/face-check":
		i.serveFaceCheck(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (i *Issuer) IssuerMetadata() map[string]any {
	return map[string]any{
		"credential_issuer": i.ID(), "credential_endpoint": i.Server.URL + "/credential",
		"nonce_endpoint": i.Server.URL + "/nonce", "face_check_endpoint": i.Server.URL + "/face-check",
		"display": []any{map[string]any{"name": "Proof House"}},
		"credential_configurations_supported": map[string]any{"VerifiedIdentity": map[string]any{
			"format": "dc+sd-jwt", "vct": IdentityType,
			"cryptographic_binding_methods_supported": []string{"jwk"},
			"proof_types_supported":                   map[string]any{"jwt": map[string]any{"proof_signing_alg_values_supported": []string{"ES256"}}},
			"credential_metadata":                     map[string]any{"display": []any{map[string]any{"name": "Verified ID"}}},
		}, "DrivingLicence": map[string]any{
			"format": "mso_mdoc", "doctype": LicenceType,
			"cryptographic_binding_methods_supported": []string{"cose_key"},
			"proof_types_supported":                   map[string]any{"jwt": map[string]any{"proof_signing_alg_values_supported": []string{"ES256"}}},
			"credential_metadata":                     map[string]any{"display": []any{map[string]any{"name": "Driving licence"}}},
		}},
	}
}

func (i *Issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	i.Forms = append(i.Forms, r.PostForm.Encode())
	if r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:pre-authorized_code" || r.PostFormValue("pre-authorized_code") != i.Code {
		i.write(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "the code is used up"})
		return
	}
	i.write(w, http.StatusOK, change(map[string]any{"access_token": i.Token, "token_type": "Bearer", "expires_in": 60}, i.TokenBody))
}

func (i *Issuer) serveCredential(w http.ResponseWriter, r *http.Request) {
	i.Proofs++
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var body struct {
		Configuration string `json:"credential_configuration_id"`
		Identifier    string `json:"credential_identifier"`
		Proofs        struct {
			JWT []string `json:"jwt"`
		} `json:"proofs"`
	}
	if err := json.Unmarshal(raw, &body); err != nil || len(body.Proofs.JWT) != 1 || r.Header.Get("Authorization") != "Bearer "+i.Token {
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
	credential := i.issue(holder)
	if i.Raw != nil {
		credential = i.Raw(credential)
	}
	i.write(w, http.StatusOK, map[string]any{"credentials": []any{map[string]any{"credential": credential}}})
}

// checkProof is OpenID4VCI 1.0 Appendix F.1 and F.4; it returns an error code of §8.3.1.2.
func (i *Issuer) checkProof(compact string) (*jose.JWK, string) {
	token, err := jose.ParseTyped(compact, "openid4vci-proof+jwt")
	if err != nil || !jose.IsP256(token.Key) || token.KeyID != "" {
		return nil, "invalid_proof"
	}
	payload, err := token.Verify(token.Key.Key)
	if err != nil {
		return nil, "invalid_proof"
	}
	var claims map[string]any
	FromJSON(i.T, payload, &claims)
	if claims["aud"] != i.ID() || claims["iat"] != float64(Noon().Unix()) || claims["iss"] != nil {
		return nil, "invalid_proof"
	}
	nonce, _ := claims["nonce"].(string)
	if !i.Nonces[nonce] {
		return nil, "invalid_nonce"
	}
	delete(i.Nonces, nonce)
	return token.Key, ""
}

func (i *Issuer) issue(holder *jose.JWK) string {
	if !i.Licensed {
		return i.Credential(holder)
	}
	public, ok := holder.Key.(*ecdsa.PublicKey)
	if !ok {
		i.T.Fatal("the holder's key is not on a curve")
	}
	licence := NewLicence(public)
	if i.Licence != nil {
		i.Licence(licence)
	}
	return Encode(licence.Issue(i.T, i.Signs))
}

func (i *Issuer) Credential(holder *jose.JWK) string {
	claims := map[string]any{
		"iss": i.ID(), "vct": IdentityType, "jti": "urn:uuid:" + Random(i.T),
		"iat": Noon().Unix(), "exp": Noon().Add(24 * time.Hour).Unix(), "cnf": map[string]any{"jwk": holder},
		"status": map[string]any{"status_list": map[string]any{"idx": 7, "uri": i.Server.URL + "/status"}},
	}
	return i.SDJWT(change(claims, i.Claims), i.Sealed)
}

// SDJWT seals claims by hand, after RFC 9901 §4.2.
func (i *Issuer) SDJWT(open, sealed map[string]any) string {
	var digests, disclosures []string
	for name, value := range sealed {
		disclosure := Encode([]byte(ToJSON(i.T, []any{Random(i.T), name, value})))
		disclosures = append(disclosures, disclosure)
		digests = append(digests, Digest(disclosure))
	}
	if digests != nil {
		open["_sd"], open["_sd_alg"] = append(digests, Digest("a decoy")), "sha-256"
	}
	return strings.Join(append([]string{i.Signs.Sign(i.T, i.Typ, open)}, append(disclosures, "")...), "~")
}

// serveFaceCheck is docs/protocols.md, part 3.
func (i *Issuer) serveFaceCheck(w http.ResponseWriter, r *http.Request) {
	var body struct{ Presentation, Selfie string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		i.write(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
		return
	}
	about := i.checkPortrait(body.Presentation)
	if about == nil {
		i.write(w, http.StatusBadRequest, map[string]any{"error": "invalid_presentation"})
		return
	}
	i.Selfie = Decode(i.T, body.Selfie)
	claims := map[string]any{
		"iss": i.ID(), "vct": ReceiptType, "jti": "urn:uuid:" + Random(i.T), "iat": Noon().Unix(),
		"exp": Noon().Add(10 * time.Minute).Unix(), "cnf": about.cnf,
		"faceCheckResults": []any{map[string]any{
			"sourceVcJti": about.id, "sourcePhotoDigest": about.digest,
			"matchConfidenceThreshold": 70, "matchConfidenceScore": 86.31, "sourcePhotoQuality": "HIGH",
		}},
	}
	i.write(w, http.StatusOK, map[string]any{"receipt": i.SDJWT(change(claims, i.Receipt), nil)})
}

// portrait is what a Face Check is about.
type portrait struct {
	id, digest string
	cnf        any
}

// checkPortrait reads a presentation that shows a portrait and nothing else; nil when it does not.
func (i *Issuer) checkPortrait(presentation string) *portrait {
	if !strings.Contains(presentation, "~") {
		return i.checkLicence(readDevice(i.T, presentation))
	}
	shown := ReadPresentation(i.T, presentation)
	nonce, _ := shown.Binding["nonce"].(string)
	if len(shown.Disclosed) != 1 || shown.Disclosed["portrait"] == nil || !shown.Sound() || shown.Binding["aud"] != i.ID() || !i.Nonces[nonce] {
		return nil
	}
	id, _ := shown.Claims["jti"].(string)
	return &portrait{id: id, digest: Digest(shown.Encoded["portrait"]), cnf: shown.Claims["cnf"]}
}

// checkLicence is checkPortrait for an mdoc: its session transcript is that of a request from the
// issuer, answered at the Face Check endpoint.
func (i *Issuer) checkLicence(shown mdoc.Response) *portrait {
	_, digest, found := shown.Document.Find("portrait")
	if elements := Elements(shown); len(elements) != 1 || !found || !IssuedBy(shown, i.Signs) {
		return nil
	}
	for nonce := range i.Nonces {
		transcript, err := mdoc.Redirect(i.ID(), nonce, nil, i.Server.URL+"/face-check")
		if err == nil && shown.HeldOver(transcript) == nil {
			key := map[string]any{"jwk": jose.JWK{Key: shown.Document.DeviceKey()}}
			return &portrait{id: shown.Document.ID(), digest: digest, cnf: key}
		}
	}
	return nil
}

func (i *Issuer) write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(ToJSON(i.T, body)))
}

// change applies a test's hook.
func change(members map[string]any, hook func(map[string]any)) map[string]any {
	if hook != nil {
		hook(members)
	}
	return members
}
