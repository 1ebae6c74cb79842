package presentation

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Sizes of a P-256 key in bytes.
const (
	scalarSize = 32                    // the private part, and each coordinate
	pointSize  = 1 + 2*scalarSize      // an uncompressed point: 0x04, x, y
	keyIDSize  = 16                    // 128 bits, so that a kid cannot be guessed
	keyIDChars = (keyIDSize*8 + 5) / 6 // of base64url
)

// EncryptionKey is the key pair to which the response to one request is encrypted: ECDH-ES on P-256, new for every
// request (HAIP 1.0 §5), so that no other request's key can decrypt the response.
//
// Its JSON is a private JWK, for a storage that encrypts it. fmt and slog do not print it. Delete it with the
// transaction.
type EncryptionKey struct {
	ID string // kid: 128 random bits in base64url

	private, point []byte // scalarSize, pointSize
}

// newEncryptionKey makes a key and its id. The id comes from random, the key from crypto/rand: crypto/ecdh makes no
// reproducible keys from another source.
func newEncryptionKey(random io.Reader) (EncryptionKey, error) {
	id, err := randomText(random, keyIDSize)
	if err != nil {
		return EncryptionKey{}, err
	}
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return EncryptionKey{}, err
	}
	return EncryptionKey{ID: id, private: private.Bytes(), point: private.PublicKey().Bytes()}, nil
}

// randomText returns n random bytes in base64url, whose characters OpenID4VP 1.0 §5.2 allows in nonce and state.
func randomText(random io.Reader, n int) (string, error) {
	raw := make([]byte, n)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("reading random bytes: %w", err)
	}
	return encode(raw), nil
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// is reports, in constant time, whether id is the key's id. A key without an id never matches.
func (k EncryptionKey) is(id string) bool {
	return k.ID != "" && subtle.ConstantTimeCompare([]byte(k.ID), []byte(id)) == 1
}

func (k EncryptionKey) x() string { return encode(k.point[1 : 1+scalarSize]) }
func (k EncryptionKey) y() string { return encode(k.point[1+scalarSize:]) }

// thumbprint returns the SHA-256 JWK thumbprint (RFC 7638 §3): the hash of the required members in lexicographic order.
func (k EncryptionKey) thumbprint() []byte {
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + k.x() + `","y":"` + k.y() + `"}`))
	return sum[:]
}

// storedKey is the key as a private JWK (RFC 7518 §6.2).
type storedKey struct {
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	ID    string `json:"kid"`
	X     string `json:"x"`
	Y     string `json:"y"`
	D     string `json:"d"`
}

// MarshalJSON writes the key with its private part, for encrypted storage.
func (k EncryptionKey) MarshalJSON() ([]byte, error) {
	if len(k.point) != pointSize || len(k.private) != scalarSize {
		return nil, errors.New("an empty encryption key cannot be stored")
	}
	return json.Marshal(storedKey{"EC", "P-256", k.ID, k.x(), k.y(), encode(k.private)})
}

// UnmarshalJSON reads a key that MarshalJSON wrote. That the public part belongs to the private part is checked when
// the key is used, because the public part is computed there anyway.
func (k *EncryptionKey) UnmarshalJSON(raw []byte) error {
	var stored storedKey
	if err := json.Unmarshal(raw, &stored); err != nil {
		return errors.New("a stored encryption key cannot be read") // without the cause, which may quote the key
	}
	x, errX := decode(stored.X)
	y, errY := decode(stored.Y)
	d, errD := decode(stored.D)
	if err := errors.Join(errX, errY, errD); err != nil || len(x) != scalarSize || len(y) != scalarSize ||
		len(d) != scalarSize || len(stored.ID) != keyIDChars || stored.Type != "EC" || stored.Curve != "P-256" {
		return errors.New("a stored encryption key is damaged")
	}
	*k = EncryptionKey{ID: stored.ID, private: d, point: append(append([]byte{4}, x...), y...)}
	return nil
}

// Format keeps the key out of every fmt verb.
func (EncryptionKey) Format(f fmt.State, _ rune) { redact(f, "EncryptionKey") }

// LogValue keeps the key out of slog.
func (EncryptionKey) LogValue() slog.Value { return slog.StringValue(redacted) }

const redacted = "[redacted]"

func redact(w io.Writer, name string) { _, _ = io.WriteString(w, name+redacted) }
