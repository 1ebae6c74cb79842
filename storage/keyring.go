package storage

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// keySize is the size of an AES-256 key in bytes.
const keySize = 32

// keyIDSize is the size of the prefix of a sealed value that identifies its key.
const keyIDSize = 4

// Keyring seals with its first key and opens with any. To rotate, put a new key in front; drop an old key when
// everything sealed with it has expired.
type Keyring struct {
	keys []sealingKey
}

type sealingKey struct {
	id   [keyIDSize]byte
	aead cipher.AEAD
}

// ParseKeyring parses 32-byte keys in base64url, separated by commas, newest first.
func ParseKeyring(text string) (*Keyring, error) {
	var raw [][]byte
	for i, part := range strings.Split(text, ",") {
		key, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(part), "="))
		if err != nil {
			return nil, fmt.Errorf("encryption key %d is not base64url", i+1) // the wrapped error would quote the key
		}
		raw = append(raw, key)
	}
	return NewKeyring(raw...)
}

// NewKeyring returns a keyring of 32-byte keys, newest first.
func NewKeyring(keys ...[]byte) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("keyring without a key")
	}
	ring := &Keyring{}
	for i, key := range keys {
		block, err := aes.NewCipher(key) // which takes keys of AES-128 and AES-192, too
		if err != nil || len(key) != keySize {
			return nil, fmt.Errorf("encryption key %d has %d bytes, not %d: make one with `openssl rand 32 | basenc --base64url`", i+1, len(key), keySize)
		}
		// The AEAD draws a random 96-bit nonce: safe for 2^32 records a key (NIST SP 800-38D §8.3), which is decades
		// of recoveries.
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("encryption key %d: %w", i+1, err)
		}
		sum := sha256.Sum256(append([]byte("regain key id\x00"), key...))
		ring.keys = append(ring.keys, sealingKey{id: [keyIDSize]byte(sum[:keyIDSize]), aead: aead})
	}
	return ring, nil
}

// Seal encrypts data and authenticates place with it, so that a record's data cannot be moved to another record.
func (k *Keyring) Seal(data []byte, place string) []byte {
	key := k.keys[0]
	out := make([]byte, 0, keyIDSize+len(data)+key.aead.Overhead())
	return key.aead.Seal(append(out, key.id[:]...), nil, data, []byte(place))
}

var errSealed = errors.New("stored data cannot be decrypted: the encryption key is missing from secrets.encryption_keys, or the record was changed, or put under another kind, id, group, version or end of life")

// Open decrypts what Seal returned for the same place.
func (k *Keyring) Open(sealed []byte, place string) ([]byte, error) {
	if len(sealed) < keyIDSize {
		return nil, errSealed
	}
	for _, key := range k.keys {
		if [keyIDSize]byte(sealed[:keyIDSize]) != key.id {
			continue
		}
		if data, err := key.aead.Open(nil, nil, sealed[keyIDSize:], []byte(place)); err == nil {
			return data, nil
		}
	}
	return nil, errSealed
}
