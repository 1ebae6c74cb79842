// Package mdoc is the verifier's half of mdocs (ISO/IEC 18013-5 §9) as OpenID4VP 1.0 Appendix B.2 carries them: reading
// what a holder's device presents, checking the issuer's and the device's signatures, and opening the data elements
// that were disclosed. Who the issuer is, and whether anybody trusts it, is for package trust to say.
//
// A presentation is the base64url of a DeviceResponse in CBOR. Its one document has two halves:
//
//	issuerSigned   data elements, each with a random salt, and IssuerAuth: a COSE_Sign1 over the Mobile Security Object
//	               (MSO), which has the digest of every element, the device's public key, and until when it is valid
//	deviceSigned   data elements of the device's own, and DeviceAuth: a signature with that key over the session
//
// The session is our nonce, our client_id, the key that the answer is encrypted to and the address that it goes to, or
// the origin of our page. None of it is in the answer: a signature over another session does not verify, and that is
// all that anybody learns.
//
//	ParseInsecure   form, sizes, elements ↔ digests; nothing is verified yet
//	VerifyIssuer    the issuer's signature, with a key that the caller trusts
//	VerifyHolder    the device's signature over the session
//
// What the device signs of its own is the holder's word about themselves. It is checked against what the issuer lets the
// device say (§9.1.2.4), and it never gets among the claims.
package mdoc

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"regain/verifier/internal/jws"
)

// Errors of this package. Their messages name rules and members, never values.
var (
	ErrMalformed = errors.New("malformed mdoc")
	ErrSignature = errors.New("signature does not verify")
	ErrHolder    = errors.New("not presented by the holder for this request")
)

// Limits that no document of a person comes near.
const (
	maxLength   = 256 << 10 // characters
	maxElements = 512       // in an array or a map; data elements in a document
	maxItems    = 16384     // in all of it, keys and values: a licence with 512 elements has half of that
	maxDepth    = 16
)

// version is the one of DeviceResponse and of MobileSecurityObject.
const version = "1.0"

// Parsed is a presentation that was read and not verified. Only ParseInsecure makes one.
type Parsed struct {
	issuer  sign1  // IssuerAuth
	payload []byte // MobileSecurityObjectBytes
	chain   [][]byte
	object  securityObject
	holder  *ecdsa.PublicKey
	device  deviceSigned
	claims  map[string]any
}

// ParseInsecure reads the DeviceResponse of one document (HAIP 1.0 §5.3.1). Nothing about it is verified: not even who
// wrote it.
func ParseInsecure(presentation string) (*Parsed, error) {
	if len(presentation) > maxLength {
		return nil, fmt.Errorf("%w: longer than %d characters", ErrMalformed, maxLength)
	}
	raw, err := jws.Decode(presentation)
	if err != nil {
		return nil, fmt.Errorf("%w: not base64url in its canonical form", ErrMalformed)
	}
	r, err := newReader()
	if err != nil {
		return nil, err
	}
	doc, err := r.document(raw)
	if err != nil {
		return nil, err
	}
	p := &Parsed{device: doc.DeviceSigned}
	if err := r.issuerAuth(p, doc.IssuerSigned.IssuerAuth); err != nil {
		return nil, err
	}
	if doc.DocType == "" || doc.DocType != p.object.DocType {
		return nil, fmt.Errorf("%w: docType is missing, or not the issuer's", ErrMalformed)
	}
	if p.claims, err = r.elements(p.object, doc.IssuerSigned.NameSpaces); err != nil {
		return nil, err
	}
	if err := r.deviceAuth(&p.device); err != nil {
		return nil, err
	}
	return p, nil
}

// DocType returns the type of the document, as the device and the issuer both have it.
func (p *Parsed) DocType() string { return string(p.object.DocType) }

// Certificates returns the DER certificates of the issuer's `x5chain` header, leaf first.
func (p *Parsed) Certificates() [][]byte { return p.chain }

// Claims returns the data elements that the issuer signed and the holder disclosed: an object of namespaces, in each its
// elements by identifier. Integers and floats are json.Number, dates text, byte strings base64url. The map belongs to p.
func (p *Parsed) Claims() map[string]any { return p.claims }

// ID names the credential, which has no identifier of its own: by the digest of what its issuer signed, as
// `ni:///sha-256;…` (RFC 6920 §3). Nobody but the issuer can give one document a second ID.
func (p *Parsed) ID() string {
	sum := sha256.Sum256(p.payload)
	return "ni:///sha-256;" + jws.Encode(sum[:])
}

// Validity returns when the MSO was signed, and from when until when it is valid.
func (p *Parsed) Validity() (signed, from, until time.Time) {
	v := p.object.ValidityInfo
	return time.Time(v.Signed), time.Time(v.ValidFrom), time.Time(v.ValidUntil)
}

// Format keeps claims out of every fmt verb.
func (p *Parsed) Format(f fmt.State, _ rune) { fmt.Fprint(f, "mdoc[redacted]") }

// LogValue keeps claims out of slog.
func (p *Parsed) LogValue() slog.Value { return slog.StringValue("mdoc[redacted]") }

// MarshalJSON keeps claims out of JSON.
func (p *Parsed) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }
