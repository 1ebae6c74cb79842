package storage

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
)

// keySize is the size of an AES-256 key in bytes.
const keySize = 32

// KeyID tells encryption keys apart, and tells nothing of them: four octets of a hash. It stands in front of whatever its
// key sealed.
type KeyID [4]byte

// String returns the id in hexadecimal, as messages and `regain keys status` show it.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// ParseKeyID parses what String returns.
func ParseKeyID(text string) (id KeyID, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(id) {
		return id, fmt.Errorf("%.20q is no key id: it has %d hexadecimal digits", text, hex.EncodedLen(len(id)))
	}
	return KeyID(raw), nil
}

// SealedBy returns the id of the key that sealed the data of a record, false for data that nothing sealed. It needs no
// more than the first octets.
func SealedBy(data []byte) (id KeyID, ok bool) {
	if len(data) < len(id) {
		return id, false
	}
	return KeyID(data[:len(id)]), true
}

// Keyring seals with its first key and opens with any. To rotate, a key is announced at the end of the list of every node,
// then used at the front of it, and retired when nothing needs the old one: at no time does a node seal what another cannot
// open. Its keys can be replaced while it is in use.
type Keyring struct {
	keys atomic.Pointer[[]sealingKey]
}

type sealingKey struct {
	id   KeyID
	aead cipher.AEAD
}

// ParseKeyring parses 32-byte keys in base64url, with commas or line ends between them. The first one seals.
func ParseKeyring(text string) (*Keyring, error) {
	raw, err := ParseKeys(text, "encryption key")
	if err != nil {
		return nil, err
	}
	return NewKeyring(raw...)
}

// ParseKeys parses a list of keys of 32 bytes in base64url, with commas or line ends between them. what names one for
// errors, which never quote a key.
func ParseKeys(text, what string) (keys [][]byte, err error) {
	text = strings.TrimFunc(text, separates)
	for i, part := range strings.Split(strings.NewReplacer("\r\n", ",", "\n", ",").Replace(text), ",") {
		key, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(part), "="))
		if err != nil {
			return nil, fmt.Errorf("%s %d is not base64url: make one with `openssl rand 32 | basenc --base64url`", what, i+1) // the wrapped error would quote the key
		}
		if len(key) != keySize {
			return nil, fmt.Errorf("%s %d has %d bytes, not %d: make one with `openssl rand 32 | basenc --base64url`", what, i+1, len(key), keySize)
		}
		if first := slices.IndexFunc(keys, func(other []byte) bool { return slices.Equal(other, key) }); first >= 0 {
			return nil, fmt.Errorf("%s %d is the same as number %d: leave one of them out", what, i+1, first+1)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func separates(r rune) bool { return r == ',' || unicode.IsSpace(r) }

// NewKeyring returns a keyring of 32-byte keys, of which the first one seals.
func NewKeyring(keys ...[]byte) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("keyring without a key")
	}
	made := make([]sealingKey, 0, len(keys))
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
		made = append(made, sealingKey{id: KeyID(sum[:]), aead: aead})
	}
	ring := &Keyring{}
	ring.keys.Store(&made)
	return ring, nil
}

// Replace takes over the keys of another ring. Whoever is sealing or opening meanwhile works with one ring or the other.
func (k *Keyring) Replace(with *Keyring) { k.keys.Store(with.keys.Load()) }

// IDs returns the ids of the keys; the first one is that of the key that seals.
func (k *Keyring) IDs() []KeyID {
	keys := *k.keys.Load()
	ids := make([]KeyID, 0, len(keys))
	for _, key := range keys {
		ids = append(ids, key.id)
	}
	return ids
}

// Seal encrypts data and authenticates place with it, so that a record's data cannot be moved to another record.
func (k *Keyring) Seal(data []byte, place string) []byte {
	key := (*k.keys.Load())[0]
	out := make([]byte, 0, len(key.id)+len(data)+key.aead.Overhead())
	return key.aead.Seal(append(out, key.id[:]...), nil, data, []byte(place))
}

// errSealed means that the key is there and the data is not what it sealed.
var errSealed = errors.New("stored data cannot be decrypted: " + changed)

const changed = "the record was changed, or put under another kind, id, group, version or end of life"

// UnknownKeyError means that data was sealed by a key that the ring does not have: it was retired too early, or was used by
// another node before it was announced to this one. Data that somebody overwrote looks the same.
type UnknownKeyError struct {
	Missing KeyID
	Known   []KeyID
}

// Error names the key by its id, and the cure.
func (e *UnknownKeyError) Error() string {
	return fmt.Sprintf("stored data cannot be decrypted: the encryption key %s that sealed it is not in secrets.encryption_keys, which holds %s: put it there, behind the key that is used; or, if there never was such a key, %s",
		e.Missing, JoinIDs(e.Known), changed)
}

// JoinIDs lists ids for a message.
func JoinIDs(ids []KeyID) string {
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		names = append(names, id.String())
	}
	return strings.Join(names, ", ")
}

// Open decrypts what Seal returned for the same place. Its error is an *UnknownKeyError where the key is not in the ring.
func (k *Keyring) Open(sealed []byte, place string) ([]byte, error) {
	id, ok := SealedBy(sealed)
	if !ok {
		return nil, errSealed
	}
	known := false
	for _, key := range *k.keys.Load() {
		if id != key.id {
			continue
		}
		known = true
		if data, err := key.aead.Open(nil, nil, sealed[len(id):], []byte(place)); err == nil {
			return data, nil
		}
	}
	if !known {
		return nil, &UnknownKeyError{Missing: id, Known: k.IDs()}
	}
	return nil, errSealed
}
