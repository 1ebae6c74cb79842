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
	m, err := modes()
	var data []byte
	if err == nil {
		data, err = m.enc.Marshal(value)
	}
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return data, nil
}

// Decode decodes the data of a record into value.
func Decode(data []byte, value any) error {
	m, err := modes()
	if err == nil {
		err = m.dec.Unmarshal(data, value)
	}
	if err != nil {
		return fmt.Errorf("decode record: %w", err)
	}
	return nil
}

type encodingModes struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

// modes are made once and never change. Times keep their nanoseconds.
//
//nolint:gochecknoglobals // see above
var modes = sync.OnceValues(func() (encodingModes, error) {
	enc, err := cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode()
	if err != nil {
		return encodingModes{}, fmt.Errorf("prepare record encoding: %w", err)
	}
	dec, err := cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, FieldNameMatching: cbor.FieldNameMatchingCaseSensitive}.DecMode()
	if err != nil {
		return encodingModes{}, fmt.Errorf("prepare record encoding: %w", err)
	}
	return encodingModes{enc: enc, dec: dec}, nil
})

// Digest returns the SHA-256 of text in base64url: the id of a record whose natural key is a secret or was chosen by
// a stranger.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
