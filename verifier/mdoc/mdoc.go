// Package mdoc is the verifier's half of mdocs (ISO/IEC 18013-5 §9) as presented over OpenID4VP 1.0 (Appendix B.2): it
// decodes a DeviceResponse, verifies the issuer's and the device's signatures, and checks the disclosed data elements
// against the digests that the issuer signed. Package trust decides whether the issuer is trusted.
//
// A presentation is the base64url of a DeviceResponse in CBOR. Its one document has two halves:
//
//	issuerSigned   data elements, each with a random salt, and IssuerAuth: a COSE_Sign1 over the MobileSecurityObject
//	               (MSO), which has the digest of every element, the device's public key and the validity period
//	deviceSigned   device-signed data elements, and DeviceAuth: a signature with the device's key over the session
//
// The session consists of our nonce, our client_id and response URI, or the origin of our page, and the thumbprint of
// the key that the response is encrypted to. None of it is in the response: a signature over another session does not
// verify, and the verifier cannot tell which part differs.
//
//	ParseInsecure   syntax, sizes, elements ↔ digests; verifies nothing
//	VerifyIssuer    the issuer's signature, with a key that the caller trusts
//	VerifyHolder    the device's signature over the session
//
// Device-signed elements are statements of the holder, not of the issuer. They are checked against KeyAuthorizations
// (ISO 18013-5 §9.1.2.4) and are never part of the claims.
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

// Limits far above any document of a person.
const (
	maxLength   = 256 << 10 // characters
	maxElements = 512       // in an array or a map; data elements in a document
	maxItems    = 16384     // keys and values in the whole presentation: a licence with 512 elements has half of that
	maxDepth    = 16
)

const version = "1.0"

// Parsed is a presentation that is parsed but not verified. Only ParseInsecure makes one.
type Parsed struct {
	issuer  sign1  // IssuerAuth
	payload []byte // MobileSecurityObjectBytes
	chain   [][]byte
	object  securityObject
	holder  *ecdsa.PublicKey
	device  deviceSigned
	claims  map[string]any
}

// ParseInsecure parses a DeviceResponse with one document (HAIP 1.0 §5.3.1). It verifies no signature: anybody could
// have written the result.
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
		return nil, fmt.Errorf("%w: docType is missing or differs from that of the MSO", ErrMalformed)
	}
	if p.claims, err = r.elements(p.object, doc.IssuerSigned.NameSpaces); err != nil {
		return nil, err
	}
	if err := r.deviceAuth(&p.device); err != nil {
		return nil, err
	}
	return p, nil
}

// DocType returns the docType, which is the same in the document and in the MSO.
func (p *Parsed) DocType() string { return string(p.object.DocType) }

// Certificates returns the DER certificates of the issuer's `x5chain` header, leaf first.
func (p *Parsed) Certificates() [][]byte { return p.chain }

// Claims returns the issuer-signed, disclosed data elements: an object of namespaces, each an object of elements by
// identifier. Integers and floats are json.Number, dates text, byte strings base64url. The caller must not change the
// map.
func (p *Parsed) Claims() map[string]any { return p.claims }

// ID returns an identifier for the credential, which has none of its own: the digest of the MobileSecurityObjectBytes
// as `ni:///sha-256;…` (RFC 6920 §3). Since the issuer signs these bytes, the holder cannot change the ID.
func (p *Parsed) ID() string {
	sum := sha256.Sum256(p.payload)
	return "ni:///sha-256;" + jws.Encode(sum[:])
}

// Validity returns signed, validFrom and validUntil of the MSO.
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
