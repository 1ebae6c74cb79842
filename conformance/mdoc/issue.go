package mdoc

import (
	"crypto/ecdsa"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"
)

// saltLength is twice what ISO/IEC 18013-5 §9.1.2.5 asks for: a salt must not be guessed beside a birth date.
const saltLength = 32

// Terms say to whom a licence is bound, for how long, and where its status stands.
type Terms struct {
	Device                        *ecdsa.PublicKey // on P-256
	Signed, ValidFrom, ValidUntil time.Time
	StatusURI                     string // Token Status List
	StatusIndex                   int
}

// Issued is a licence as its holder gets it.
type Issued struct {
	ID    string // names this very licence, see Document.ID
	Bytes []byte // IssuerSigned
}

// Issue makes a licence.
func (a *Authority) Issue(l Licence, t Terms) (Issued, error) {
	items, digests, err := salt(a.elements(l))
	if err != nil {
		return Issued{}, fmt.Errorf("encoding the data elements: %w", err)
	}
	object, err := encodeSecurityObject(digests, t)
	if err != nil {
		return Issued{}, fmt.Errorf("encoding the security object: %w", err)
	}
	auth, err := sign(rand.Reader, a.key, a.signer.Raw, object)
	if err != nil {
		return Issued{}, fmt.Errorf("signing the security object: %w", err)
	}
	rawAuth, err := auth.MarshalCBOR()
	if err != nil {
		return Issued{}, fmt.Errorf("encoding the signature: %w", err)
	}
	raw, err := encode(issuerSigned{NameSpaces: map[string][]cbor.RawMessage{Namespace: items}, IssuerAuth: rawAuth})
	if err != nil {
		return Issued{}, fmt.Errorf("encoding the licence: %w", err)
	}
	return Issued{ID: identify(object), Bytes: raw}, nil
}

// salt encodes the data elements and their digests. The identifiers of the digests are in random order, so that they say
// nothing about elements that are not shown.
func salt(elements []element) ([]cbor.RawMessage, map[uint64][]byte, error) {
	var seed [32]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, nil, err
	}
	order := mathrand.New(mathrand.NewChaCha8(seed)).Perm(len(elements)) //nolint:gosec // a stream cipher under a random key
	items, digests := make([]cbor.RawMessage, len(elements)), make(map[uint64][]byte, len(elements))
	for i, e := range elements {
		next := item{ID: uint64(order[i]), Random: make([]byte, saltLength), Name: e.name} //nolint:gosec // below the number of elements
		_, err := rand.Read(next.Random)
		if err != nil {
			return nil, nil, err
		}
		if next.Value, err = encode(e.value); err != nil {
			return nil, nil, err
		}
		if items[i], err = wrap(next); err != nil {
			return nil, nil, err
		}
		digests[next.ID] = securityObject{Algorithm: "SHA-256"}.digest(items[i])
	}
	return items, digests, nil
}

// encodeSecurityObject writes the MSO as MobileSecurityObjectBytes.
func encodeSecurityObject(digests map[uint64][]byte, t Terms) ([]byte, error) {
	key, err := cose.NewKeyFromPublic(t.Device)
	if err != nil {
		return nil, err
	}
	key.Algorithm = cose.AlgorithmReserved // a COSE_Key of a device names no algorithm (ISO/IEC 18013-5 §9.1.2.4)
	status, err := encode(map[string]any{"status_list": map[string]any{"idx": t.StatusIndex, "uri": t.StatusURI}})
	if err != nil {
		return nil, err
	}
	second := func(at time.Time) time.Time { return at.UTC().Truncate(time.Second) } // without fractions, in UTC (§9.1.2.4)
	return wrap(securityObject{
		Version: "1.0", Algorithm: "SHA-256", Digests: map[string]map[uint64][]byte{Namespace: digests},
		Device: deviceKeyInfo{Key: key}, DocType: DocType, Status: status,
		Validity: validity{Signed: second(t.Signed), From: second(t.ValidFrom), Until: second(t.ValidUntil)},
	})
}
