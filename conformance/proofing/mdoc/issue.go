package mdoc

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/fxamacker/cbor/v2"
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
	ID    string // names this very licence, see identify
	Bytes []byte // IssuerSigned
}

// securityObject is the MSO (ISO/IEC 18013-5 §9.1.2.4), with the status of the Token Status List draft §6.3.
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
	Key cbor.RawMessage `cbor:"deviceKey"`
}

type validity struct {
	Signed cbor.Tag `cbor:"signed"`
	From   cbor.Tag `cbor:"validFrom"`
	Until  cbor.Tag `cbor:"validUntil"`
}

// Issue makes a licence.
func (a *Authority) Issue(l Licence, t Terms) (Issued, error) {
	items, digests, err := a.salt(a.elements(l))
	if err != nil {
		return Issued{}, fmt.Errorf("encoding the data elements: %w", err)
	}
	object, err := a.object(digests, t)
	if err != nil {
		return Issued{}, fmt.Errorf("encoding the security object: %w", err)
	}
	auth, err := a.codec.sign(a.key, a.signer.Raw, object)
	if err != nil {
		return Issued{}, fmt.Errorf("signing the security object: %w", err)
	}
	raw, err := a.codec.enc.Marshal(map[string]any{
		"nameSpaces": map[string][]cbor.RawMessage{Namespace: items}, "issuerAuth": auth,
	})
	if err != nil {
		return Issued{}, fmt.Errorf("encoding the licence: %w", err)
	}
	return Issued{ID: identify(object), Bytes: raw}, nil
}

// identify names one licence, which has no identifier of its own: by the digest of what its issuer signed (RFC 6920 §3).
func identify(object []byte) string {
	sum := sha256.Sum256(object)
	return "ni:///sha-256;" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// salt encodes each data element with a salt, and digests what came out. Which digest belongs to which element is drawn
// by lot: in order, the digests that are left would say what was not shown.
func (a *Authority) salt(elements []element) ([]cbor.RawMessage, map[uint64][]byte, error) {
	order, err := shuffle(len(elements))
	if err != nil {
		return nil, nil, err
	}
	items, digests := make([]cbor.RawMessage, len(elements)), make(map[uint64][]byte, len(elements))
	for i, e := range elements {
		next := item{Digest: order[i], Salt: make([]byte, saltLength), Name: e.name}
		if _, err := io.ReadFull(rand.Reader, next.Salt); err != nil {
			return nil, nil, err
		}
		if next.Value, err = a.codec.enc.Marshal(e.value); err != nil {
			return nil, nil, err
		}
		if items[i], err = a.codec.wrap(next); err != nil {
			return nil, nil, err
		}
		sum := sha256.Sum256(items[i])
		digests[next.Digest] = sum[:]
	}
	return items, digests, nil
}

// object encodes the MSO as MobileSecurityObjectBytes.
func (a *Authority) object(digests map[uint64][]byte, t Terms) ([]byte, error) {
	key, err := coseKey(t.Device)
	if err != nil {
		return nil, err
	}
	device, err := a.codec.enc.Marshal(key)
	if err != nil {
		return nil, err
	}
	status, err := a.codec.enc.Marshal(map[string]any{"status_list": map[string]any{"idx": t.StatusIndex, "uri": t.StatusURI}})
	if err != nil {
		return nil, err
	}
	return a.codec.wrap(securityObject{
		Version: "1.0", Algorithm: "SHA-256", Digests: map[string]map[uint64][]byte{Namespace: digests},
		Device: deviceKeyInfo{Key: device}, DocType: DocType, Status: status,
		Validity: validity{Signed: moment(t.Signed), From: moment(t.ValidFrom), Until: moment(t.ValidUntil)},
	})
}

// shuffle draws a permutation of 0 to n-1 (Fisher and Yates).
func shuffle(n int) ([]uint64, error) {
	order := make([]uint64, n)
	for i := range order {
		order[i] = uint64(i)
	}
	for i := n - 1; i > 0; i-- {
		var raw [8]byte
		if _, err := io.ReadFull(rand.Reader, raw[:]); err != nil {
			return nil, err
		}
		j := binary.BigEndian.Uint64(raw[:]) % uint64(i+1)
		order[i], order[j] = order[j], order[i]
	}
	return order, nil
}
