package storage

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// Encode encodes a value as the data of a record: CBOR (RFC 8949), using the `json` tags. A recovery reads its
// transaction a dozen times; decoding JSON that often would cost as much as two signatures.
func Encode(value any) ([]byte, error) {
	if keeps, ok := value.(interface{ kept() Newer }); ok {
		return EncodeNewer(value, keeps.kept())
	}
	return EncodeNewer(value, nil)
}

// Decode decodes the data of a record into value, a pointer to a struct. What the struct does not have is lost unless it
// embeds Kept; where it must not be passed over, the error is ErrNewer.
func Decode(data []byte, value any) error {
	newer, err := DecodeNewer(data, value)
	if keeps, ok := value.(interface{ keep(n Newer) }); ok {
		keeps.keep(newer)
	}
	return err
}

// DecodePart decodes a few members of a record that Decode has read, or will, and looks at no others.
func DecodePart(data []byte, value any) error {
	m, err := modes()
	if err == nil {
		err = m.dec.Unmarshal(data, value)
	}
	return decoded(err)
}

type encodingModes struct {
	enc         cbor.EncMode
	dec, strict cbor.DecMode // strict tells of members that a struct does not have
}

// modes are made once and never change. Times keep their nanoseconds.
//
//nolint:gochecknoglobals // see above
var modes = sync.OnceValues(func() (encodingModes, error) {
	enc, err := cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode()
	if err != nil {
		return encodingModes{}, fmt.Errorf("prepare record encoding: %w", err)
	}
	options := cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, FieldNameMatching: cbor.FieldNameMatchingCaseSensitive}
	dec, err := options.DecMode()
	if err != nil {
		return encodingModes{}, fmt.Errorf("prepare record encoding: %w", err)
	}
	options.ExtraReturnErrors = cbor.ExtraDecErrorUnknownField
	strict, err := options.DecMode()
	if err != nil {
		return encodingModes{}, fmt.Errorf("prepare record encoding: %w", err)
	}
	return encodingModes{enc: enc, dec: dec, strict: strict}, nil
})

// Digest returns the SHA-256 of text in base64url: the id of a record whose natural key is a secret or was chosen by
// a stranger.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
