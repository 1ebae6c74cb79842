package verifiertest

import (
	"crypto/rand"
	"testing"
	"time"
)

// VCType is the type of JWT VCs that tests use when they have no reason for another.
const VCType = "VerifiedIdentity"

// JWT is a VC or a VP before it is signed. Tests change what they want; members of the header set to nil are left out.
type JWT struct {
	Header, Claims map[string]any
	Signer         *Signer
}

// NewVC drafts a VC about a holder, as the JWT VC Presentation Profile has it: what the JWT says, the VC leaves out.
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

// NewVP drafts a VP of signed VCs, for the nonce and the audience of tests.
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

// NewFaceCheckVC drafts a Face Check receipt for a VC: for its holder, its jti and its portrait.
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

// VC is the VC in a VC's claims, for tests to change.
func (j *JWT) VC() map[string]any {
	vc, _ := j.Claims["vc"].(map[string]any)
	return vc
}

// Subject is a VC's credentialSubject, for tests to change.
func (j *JWT) Subject() map[string]any {
	subject, _ := j.VC()["credentialSubject"].(map[string]any)
	return subject
}

// VP is the VP in a VP's claims, for tests to change.
func (j *JWT) VP() map[string]any {
	vp, _ := j.Claims["vp"].(map[string]any)
	return vp
}

// Certify makes the issuer one that has certificates instead of a DID: a chain in x5c, and no kid.
func (j *JWT) Certify(chain [][]byte) {
	j.Header["kid"], j.Header["x5c"] = nil, x5c(chain)
}

// Sign signs it.
func (j *JWT) Sign(t testing.TB) string {
	t.Helper()
	return j.Signer.Sign(t, j.Header, j.Claims)
}

// NewDomainLinkage drafts a Domain Linkage Credential (DIF Well Known DID Configuration): a DID about itself and an
// origin, with everything said twice and no typ, as that specification has it.
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

// ServeConfiguration sets the site's DID configuration. Entries are JWTs, or whatever a test puts there.
func (s *Site) ServeConfiguration(entries ...any) {
	s.Serve("/.well-known/did-configuration.json", map[string]any{
		"@context": "https://identity.foundation/.well-known/did-configuration/v1", "linked_dids": entries,
	})
}
