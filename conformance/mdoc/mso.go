package mdoc

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"
)

// securityObject is the MobileSecurityObject (ISO/IEC 18013-5 §9.1.2.4), with a status as the Token Status List has it in
// an mdoc (§6.3).
type securityObject struct {
	Version   string                       `cbor:"version"`
	Algorithm string                       `cbor:"digestAlgorithm"`
	Digests   map[string]map[uint64][]byte `cbor:"valueDigests"`
	Device    deviceKeyInfo                `cbor:"deviceKeyInfo"`
	DocType   string                       `cbor:"docType"`
	Validity  validity                     `cbor:"validityInfo"`
	Status    cbor.RawMessage              `cbor:"status,omitempty"`
}

type deviceKeyInfo struct {
	Key *cose.Key `cbor:"deviceKey"`
}

type validity struct {
	Signed time.Time `cbor:"signed"`
	From   time.Time `cbor:"validFrom"`
	Until  time.Time `cbor:"validUntil"`
}

func readSecurityObject(payload []byte) (securityObject, *ecdsa.PublicKey, error) {
	var o securityObject
	if err := unwrap(payload, &o); err != nil {
		return o, nil, err
	}
	switch {
	case o.DocType == "":
		return o, nil, fmt.Errorf("%w: its MSO names no docType", ErrMalformed)
	case o.Version != "1.0":
		return o, nil, fmt.Errorf("%w: its MSO is not of version 1.0", ErrMalformed)
	case o.digest(nil) == nil:
		return o, nil, fmt.Errorf("%w: its digests are of an unknown algorithm", ErrMalformed)
	case o.Validity.From.IsZero() || o.Validity.Until.IsZero():
		return o, nil, fmt.Errorf("%w: its MSO says nothing of its validity", ErrMalformed)
	}
	key, err := deviceKey(o.Device.Key)
	return o, key, err
}

// digest hashes an IssuerSignedItemBytes, tag included (ISO/IEC 18013-5 §9.1.2.5); nil for an unknown algorithm.
func (o securityObject) digest(item []byte) []byte {
	switch o.Algorithm {
	case "SHA-256":
		sum := sha256.Sum256(item)
		return sum[:]
	case "SHA-384":
		sum := sha512.Sum384(item)
		return sum[:]
	case "SHA-512":
		sum := sha512.Sum512(item)
		return sum[:]
	}
	return nil
}

// item is one IssuerSignedItem, with the bytes that its digest is over.
type item struct {
	ID     uint64          `cbor:"digestID"`
	Random []byte          `cbor:"random"`
	Name   string          `cbor:"elementIdentifier"`
	Value  cbor.RawMessage `cbor:"elementValue"`

	raw cbor.RawMessage // #6.24(bstr), exactly as the issuer wrote it
}

func readItem(raw cbor.RawMessage) (item, error) {
	i := item{raw: raw}
	if err := unwrap(raw, &i); err != nil {
		return item{}, err
	}
	if i.Name == "" || len(i.Value) == 0 {
		return item{}, fmt.Errorf("%w: an item has no name or no value", ErrMalformed)
	}
	if len(i.Random) < 16 { // ISO/IEC 18013-5 §9.1.2.5; less would let a verifier guess what is not shown
		return item{}, fmt.Errorf("%w: an item's salt is short", ErrMalformed)
	}
	return i, nil
}
