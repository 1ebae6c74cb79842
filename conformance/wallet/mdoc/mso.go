package mdoc

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// mso is the MobileSecurityObject (ISO/IEC 18013-5 §9.1.2.4).
type mso struct {
	Version   string                       `cbor:"version"`
	Algorithm string                       `cbor:"digestAlgorithm"`
	Digests   map[string]map[uint64][]byte `cbor:"valueDigests"`
	DeviceKey struct {
		Key coseKey `cbor:"deviceKey"`
	} `cbor:"deviceKeyInfo"`
	DocType  string `cbor:"docType"`
	Validity struct {
		Signed time.Time `cbor:"signed"`
		From   time.Time `cbor:"validFrom"`
		Until  time.Time `cbor:"validUntil"`
	} `cbor:"validityInfo"`
}

func readMSO(payload []byte) (mso, *ecdsa.PublicKey, error) {
	inner, err := unwrap(payload)
	if err != nil {
		return mso{}, nil, err
	}
	var m mso
	if err := decode(inner, &m); err != nil {
		return mso{}, nil, err
	}
	switch {
	case m.DocType == "":
		return mso{}, nil, fmt.Errorf("%w: its MSO names no docType", ErrMalformed)
	case m.Version != "1.0":
		return mso{}, nil, fmt.Errorf("%w: its MSO is not of version 1.0", ErrMalformed)
	case m.digest(nil) == nil:
		return mso{}, nil, fmt.Errorf("%w: its digests are of an unknown algorithm", ErrMalformed)
	case m.Validity.From.IsZero() || m.Validity.Until.IsZero():
		return mso{}, nil, fmt.Errorf("%w: its MSO says nothing of its validity", ErrMalformed)
	}
	key, err := m.DeviceKey.Key.p256()
	return m, key, err
}

// digest hashes an IssuerSignedItemBytes, tag included (§9.1.2.5); nil for an unknown algorithm.
func (m mso) digest(item []byte) []byte {
	switch m.Algorithm {
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
	inner, err := unwrap(raw)
	if err != nil {
		return item{}, err
	}
	i := item{raw: raw}
	if err := decode(inner, &i); err != nil {
		return item{}, err
	}
	if i.Name == "" || len(i.Value) == 0 {
		return item{}, fmt.Errorf("%w: an item has no name or no value", ErrMalformed)
	}
	if len(i.Random) < 16 { // §9.1.2.5; less would let a verifier guess what is not shown
		return item{}, fmt.Errorf("%w: an item's salt is short", ErrMalformed)
	}
	return i, nil
}
