package verifiertest

import (
	"crypto/rand"
	"testing"
	"time"
)

// VCType is the default type of JWT VCs in tests.
const VCType = "VerifiedIdentity"

// JWT is a VC, a VP or an ID token that is not signed yet, for tests to change. A header member set to nil is left out.
type JWT struct {
	Header, Claims map[string]any
	Signer         *Signer
}

// NewVC drafts a VC about a holder. As in the JWT VC Presentation Profile (JWT VCs), JWT claims replace the properties
// of the VC.
func NewVC(issuer, holder *Identity, now time.Time) *JWT {
	return &JWT{
		Signer: issuer.Signer,
		Header: map[string]any{"typ": "JWT", "kid": issuer.KeyID},
		Claims: map[string]any{
			"iss": issuer.DID, "sub": holder.DID, "jti": "urn:pic:" + rand.Text(),
			"iat": now.Unix(), "nbf": now.Unix(), "exp": now.AddDate(1, 0, 0).Unix(),
			"vc": map[string]any{
				"@context": []any{"https://www.w3.org/2018/credentials/v1"}, "type": []any{"VerifiableCredential", VCType},
				"credentialSubject": map[string]any{"firstName": "Ada", "lastName": "Lovelace", "portrait": Encode([]byte("a picture of Ada"))},
			},
		},
	}
}

// NewVP drafts a VP of signed VCs for the default Nonce and Audience.
func NewVP(holder *Identity, now time.Time, vcs ...string) *JWT {
	list := make([]any, len(vcs))
	for i, vc := range vcs {
		list[i] = vc
	}
	return &JWT{
		Signer: holder.Signer,
		Header: map[string]any{"typ": "JWT", "kid": holder.KeyID},
		Claims: map[string]any{
			"iss": holder.DID, "aud": Audience, "nonce": Nonce, "jti": "urn:uuid:" + rand.Text(),
			"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
			"vp": map[string]any{
				"@context": []any{"https://www.w3.org/2018/credentials/v1"}, "type": []any{"VerifiablePresentation"}, "verifiableCredential": list,
			},
		},
	}
}

// NewFaceCheckVC drafts a Face Check receipt for a VC, with its holder, its jti and the digest of its portrait.
func NewFaceCheckVC(issuer, holder *Identity, source *JWT, score float64, now time.Time) *JWT {
	vc := NewVC(issuer, holder, now)
	vc.Claims["exp"] = now.Add(10 * time.Minute).Unix()
	portrait, _ := source.Subject()["portrait"].(string)
	vc.VC()["type"] = []any{"VerifiableCredential", "FaceCheckReceipt"}
	vc.VC()["credentialSubject"] = map[string]any{"faceCheckResults": []any{map[string]any{
		"sourceVcJti": source.Claims["jti"], "sourcePhotoDigest": Hash(portrait),
		"matchConfidenceThreshold": 70, "matchConfidenceScore": score, "sourcePhotoQuality": "HIGH",
	}}}
	return vc
}

// VC returns the vc claim, for tests to change.
func (j *JWT) VC() map[string]any {
	vc, _ := j.Claims["vc"].(map[string]any)
	return vc
}

// Subject returns the credentialSubject of the vc claim, for tests to change.
func (j *JWT) Subject() map[string]any {
	subject, _ := j.VC()["credentialSubject"].(map[string]any)
	return subject
}

// VP returns the vp claim, for tests to change.
func (j *JWT) VP() map[string]any {
	vp, _ := j.Claims["vp"].(map[string]any)
	return vp
}

// Certify gives the JWT an x5c chain in place of a kid, for an issuer with certificates instead of a DID.
func (j *JWT) Certify(chain [][]byte) {
	j.Header["kid"], j.Header["x5c"] = nil, x5c(chain)
}

// Sign returns the signed JWT.
func (j *JWT) Sign(t testing.TB) string {
	t.Helper()
	return j.Signer.Sign(t, j.Header, j.Claims)
}

// NewDomainLinkage drafts a Domain Linkage Credential, by which a DID names its origin. As the specification requires,
// the header has no typ, and JWT claims and VC properties are both there (DIF Well Known DID Configuration, JSON Web
// Token Proof Format).
func NewDomainLinkage(of *Identity, origin string, now time.Time) *JWT {
	until := now.AddDate(1, 0, 0)
	return &JWT{
		Signer: of.Signer,
		Header: map[string]any{"kid": of.KeyID},
		Claims: map[string]any{
			"iss": of.DID, "sub": of.DID, "nbf": now.Unix(), "exp": until.Unix(),
			"vc": map[string]any{
				"@context": []any{"https://www.w3.org/2018/credentials/v1", "https://identity.foundation/.well-known/did-configuration/v1"},
				"issuer":   of.DID, "issuanceDate": now.Format(time.RFC3339), "expirationDate": until.Format(time.RFC3339),
				"type":              []any{"VerifiableCredential", "DomainLinkageCredential"},
				"credentialSubject": map[string]any{"id": of.DID, "origin": origin},
			},
		},
	}
}

// ServeConfiguration sets the site's DID Configuration Resource. Entries are JWTs, or invalid values.
func (s *Site) ServeConfiguration(entries ...any) {
	s.Serve("/.well-known/did-configuration.json", map[string]any{
		"@context": "https://identity.foundation/.well-known/did-configuration/v1", "linked_dids": append([]any{}, entries...), // an empty list, and not null
	})
}
