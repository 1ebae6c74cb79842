package mdoc

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"regain/verifier/internal/jws"
)

// securityObject is the MobileSecurityObject, MSO (ISO 18013-5 §9.1.2.4). Unknown members are ignored, since other
// versions may add some.
type securityObject struct {
	Version         text                         `cbor:"version"`
	DigestAlgorithm text                         `cbor:"digestAlgorithm"`
	ValueDigests    map[string]map[uint64]octets `cbor:"valueDigests"` // by namespace and digestID
	DeviceKeyInfo   deviceKeyInfo                `cbor:"deviceKeyInfo"`
	DocType         text                         `cbor:"docType"`
	ValidityInfo    validityInfo                 `cbor:"validityInfo"`
	Status          cbor.RawMessage              `cbor:"status"` // Token Status List §6.3
}

type deviceKeyInfo struct {
	DeviceKey         cbor.RawMessage `cbor:"deviceKey"`
	KeyAuthorizations authorizations  `cbor:"keyAuthorizations"`
}

type validityInfo struct {
	Signed     date `cbor:"signed"`
	ValidFrom  date `cbor:"validFrom"`
	ValidUntil date `cbor:"validUntil"`
}

// date is a tdate: an RFC 3339 text with tag 0.
type date time.Time

// UnmarshalCBOR implements cbor.Unmarshaler.
func (d *date) UnmarshalCBOR(raw []byte) error {
	major, number, rest, ok := head(raw)
	content, whole := stringIn(rest, majorText)
	if !ok || major != majorTag || number != tagDateTime || !whole {
		return errType
	}
	at, err := time.Parse(time.RFC3339, string(content))
	if err != nil {
		return errType // err would quote it
	}
	*d = date(at)
	return nil
}

func (r reader) issuerAuth(p *Parsed, raw []byte) (err error) {
	if p.issuer, err = r.sign1("IssuerAuth", raw); err != nil {
		return err
	}
	if p.chain, err = r.certificates(p.issuer.Unprotected.Chain); err != nil {
		return err
	}
	payload, ok := stringIn(p.issuer.Payload, majorBytes)
	if !ok {
		return fmt.Errorf("%w: IssuerAuth has no payload", ErrMalformed)
	}
	p.payload = payload
	inner, err := embedded("IssuerAuth's payload", payload)
	if err != nil {
		return err
	}
	if err := r.open("MSO", majorMap, inner, &p.object); err != nil {
		return err
	}
	if p.object.Version != version {
		return fmt.Errorf("%w: MSO is not of version %s", ErrMalformed, version)
	}
	v := p.object.ValidityInfo
	for _, at := range []date{v.Signed, v.ValidFrom, v.ValidUntil} {
		if time.Time(at).IsZero() {
			return fmt.Errorf("%w: validityInfo lacks a date", ErrMalformed)
		}
	}
	p.holder, err = r.deviceKey(p.object.DeviceKeyInfo.DeviceKey)
	return err
}

// VerifyIssuer verifies the issuer's signature with key. That key is the issuer's is for the caller to check.
func (p *Parsed) VerifyIssuer(key *ecdsa.PublicKey) error {
	if err := p.issuer.verify(key, p.payload); err != nil {
		return fmt.Errorf("IssuerAuth: %w", err)
	}
	return nil
}

// Digests returns the digests of all elements in the MSO, disclosed or not, in base64url and sorted.
func (p *Parsed) Digests() []string {
	var all []string
	for _, digests := range p.object.ValueDigests {
		for _, digest := range digests {
			all = append(all, jws.Encode(digest))
		}
	}
	slices.Sort(all)
	return all
}

// Status returns the status list entry that the MSO names (Token Status List §6.3). there is also true for a status
// that cannot be read, together with an error: a revoked credential must not pass for one without a status.
func (p *Parsed) Status() (uri string, index int64, there bool, err error) {
	if p.object.Status == nil {
		return "", 0, false, nil
	}
	var status struct {
		List struct {
			Index *number `cbor:"idx"`
			URI   text    `cbor:"uri"`
		} `cbor:"status_list"`
	}
	r, err := newReader()
	if err == nil {
		err = r.open("status", majorMap, p.object.Status, &status)
	}
	if err != nil {
		return "", 0, true, err
	}
	if status.List.URI == "" || status.List.Index == nil || *status.List.Index < 0 {
		return "", 0, true, fmt.Errorf("%w: status_list is missing, has no uri or no valid idx", ErrMalformed)
	}
	return string(status.List.URI), int64(*status.List.Index), true, nil
}

// sum returns the digest function of an algorithm, nil for an unknown one (ISO 18013-5 §9.1.2.5).
func sum(algorithm text) func([]byte) []byte {
	switch algorithm {
	case "SHA-256":
		return func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }
	case "SHA-384":
		return func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }
	case "SHA-512":
		return func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }
	}
	return nil
}
