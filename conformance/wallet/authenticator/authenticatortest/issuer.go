package authenticatortest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/wallet/authenticator"
	"regain/conformance/wallet/wallettest"
)

// The types that the issuer issues.
const (
	IdentityType = "VerifiedIdentity"
	ReceiptType  = "FaceCheckReceipt"
)

// Issuer issues JWT VCs and takes Face Checks. A test breaks it by setting a hook.
type Issuer struct {
	T       testing.TB
	Signs   Party
	Base    string // where it is reached, and its credential issuer identifier
	Now     func() time.Time
	Nonces  map[string]bool
	Selfie  []byte                                            // the last one sent for a Face Check
	Subject map[string]any                                    // what a Verified ID says
	Results func(map[string]any)                              // the one of faceCheckResults
	Header  func(map[string]any)                              // of every VC
	Claims  func(map[string]any)                              // of the Verified ID
	Receipt func(map[string]any)                              // of the receipt
	Raw     func(string) string                               // the receipt as text
	Answer  func(w http.ResponseWriter, r *http.Request) bool // answers instead when it returns true
}

// NewIssuer makes an issuer that is reached at base.
func NewIssuer(t testing.TB, signs Party, base string) *Issuer {
	return &Issuer{
		T: t, Signs: signs, Base: base, Now: wallettest.Noon, Nonces: map[string]bool{},
		Subject: map[string]any{
			"firstName": "Ada", "lastName": "Lovelace", "dateOfBirth": "1990-12-10", "documentType": "Passport",
			"portrait": wallettest.Encode([]byte("a picture of Ada")),
		},
	}
}

// Source is what a wallet is told beside the credential.
func (i *Issuer) Source() authenticator.Source {
	return authenticator.Source{Name: "Verified ID", Issuer: i.Base, FaceCheckURL: i.Base + "/face-check", NonceURL: i.Base + "/nonce"}
}

// Identity issues a Verified ID to a DID.
func (i *Issuer) Identity(subject string) string {
	return i.vc(change(i.claims(subject, IdentityType, i.Subject, 24*time.Hour), i.Claims))
}

func (i *Issuer) claims(subject, kind string, about map[string]any, lifetime time.Duration) map[string]any {
	return map[string]any{
		"iss": i.Signs.DID, "sub": subject, "jti": "urn:uuid:" + wallettest.Random(i.T),
		"iat": i.Now().Unix(), "nbf": i.Now().Unix(), "exp": i.Now().Add(lifetime).Unix(),
		"vc": map[string]any{
			"@context": []string{"https://www.w3.org/2018/credentials/v1"},
			"type":     []string{"VerifiableCredential", kind}, "credentialSubject": about,
		},
	}
}

func (i *Issuer) vc(claims map[string]any) string {
	return i.Signs.Sign(i.T, change(map[string]any{"typ": "JWT", "kid": i.Signs.KID()}, i.Header), claims)
}

func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if i.Answer != nil && i.Answer(w, r) {
		return
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/did.json"):
		writeJSON(i.T, w, http.StatusOK, i.Signs.Document(i.T, ""))
	case r.URL.Path == "/nonce" && r.Method == http.MethodPost:
		nonce := wallettest.Random(i.T)
		i.Nonces[nonce] = true
		writeJSON(i.T, w, http.StatusOK, map[string]any{"c_nonce": nonce})
	case r.URL.Path == "/face-check" && r.Method == http.MethodPost:
		i.serveFaceCheck(w, r)
	default:
		http.NotFound(w, r)
	}
}

// serveFaceCheck is docs/protocols.md, part 3, with a presentation of the profile.
func (i *Issuer) serveFaceCheck(w http.ResponseWriter, r *http.Request) {
	var body struct{ Presentation, Selfie string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		writeJSON(i.T, w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
		return
	}
	vp := Read(i.T, body.Presentation)
	did, name := vp.KID("iss")
	nonce := vp.text("nonce")
	credentials := vp.credentials()
	if !jose.IsSignedBy(vp.Text, HolderKey(i.T, did, name)) || vp.text("iss") != did || vp.text("aud") != i.Base || !i.Nonces[nonce] || len(credentials) != 1 {
		writeJSON(i.T, w, http.StatusBadRequest, map[string]any{"error": "invalid_presentation"})
		return
	}
	delete(i.Nonces, nonce)
	source := Read(i.T, credentials[0])
	i.Selfie = wallettest.Decode(i.T, body.Selfie)
	vc, _ := source.Claims["vc"].(map[string]any)
	subject, _ := vc["credentialSubject"].(map[string]any)
	portrait, _ := subject["portrait"].(string)
	result := map[string]any{
		"sourceVcJti": source.text("jti"), "sourcePhotoDigest": wallettest.Digest(portrait),
		"matchConfidenceThreshold": 70, "matchConfidenceScore": 86.31, "sourcePhotoQuality": "HIGH",
	}
	claims := i.claims(source.text("sub"), ReceiptType, map[string]any{"faceCheckResults": []any{change(result, i.Results)}}, 10*time.Minute)
	receipt := i.vc(change(claims, i.Receipt))
	if i.Raw != nil {
		receipt = i.Raw(receipt)
	}
	writeJSON(i.T, w, http.StatusOK, map[string]any{"receipt": receipt})
}

// credentials returns vp.verifiableCredential.
func (s Shown) credentials() []string {
	vp, _ := s.Claims["vp"].(map[string]any)
	list, _ := vp["verifiableCredential"].([]any)
	var credentials []string
	for _, item := range list {
		if text, ok := item.(string); ok {
			credentials = append(credentials, text)
		}
	}
	return credentials
}

func writeJSON(t testing.TB, w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(wallettest.ToJSON(t, body)))
}

// change applies a test's hook.
func change(members map[string]any, hook func(map[string]any)) map[string]any {
	if hook != nil {
		hook(members)
	}
	return members
}
