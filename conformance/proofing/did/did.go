// Package did finds the keys of the DIDs that wallets like Microsoft Authenticator hold, without asking anybody: did:jwk,
// whose identifier is the key, and the long form of did:ion, whose identifier is the document (Sidetree v1.0.0). So no
// stranger can have this server fetch anything.
package did

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// ErrUnusable means that a DID, or a URL into its document, leads to no key that its holder authenticates with. Messages
// name rules, never values: a DID names a person.
var ErrUnusable = errors.New("unusable DID")

// ES256K is ECDSA on secp256k1 with SHA-256 (RFC 8812 §3.2).
const ES256K = jose.SignatureAlgorithm("ES256K")

// Algorithms are those of the keys that are found here.
func Algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{ES256K, jose.ES256, jose.EdDSA}
}

// Methods are the names of the methods, as credential issuer metadata lists them.
func Methods() []string { return []string{"did:jwk", "did:ion"} }

const maxLength = 4096 // characters of a DID URL; a long form has about 700

// Holder is a DID with a key that authenticates it. It is personal data.
type Holder struct {
	DID string
	// Key is what go-jose verifies with: an *ecdsa.PublicKey on P-256, an ed25519.PublicKey, or for secp256k1 a
	// jose.OpaqueVerifier.
	Key any
}

// KeyOf finds the key that an absolute DID URL names, if it is under authentication (DID Core §5.3.1).
func KeyOf(url string) (Holder, error) {
	id, name, _ := strings.Cut(url, "#")
	keys, err := resolve(id)
	if err != nil {
		return Holder{}, err
	}
	key, found := keys[name]
	if !found {
		return Holder{}, fmt.Errorf("%w: no key of that name authenticates it", ErrUnusable)
	}
	return Holder{DID: id, Key: key}, nil
}

// Check reports why a DID is none that a credential could be bound to.
func Check(id string) error {
	keys, err := resolve(id)
	if err == nil && len(keys) == 0 {
		return fmt.Errorf("%w: no key authenticates it", ErrUnusable)
	}
	return err
}

// resolve returns the keys that authenticate a DID, by their fragments.
func resolve(id string) (map[string]any, error) {
	if len(id) > maxLength {
		return nil, fmt.Errorf("%w: longer than %d characters", ErrUnusable, maxLength)
	}
	if encoded, ok := strings.CutPrefix(id, "did:jwk:"); ok {
		return resolveJWK(encoded)
	}
	if rest, ok := strings.CutPrefix(id, "did:ion:"); ok {
		return resolveION(rest)
	}
	return nil, fmt.Errorf("%w: neither did:jwk nor did:ion", ErrUnusable)
}

// resolveJWK reads the key that a did:jwk is. Its fragment is always 0; a key for encryption signs nothing (did:jwk, Read).
func resolveJWK(encoded string) (map[string]any, error) {
	raw, err := decode(encoded)
	if err != nil {
		return nil, fmt.Errorf("%w: did:jwk: %w", ErrUnusable, err)
	}
	key, use, err := readKey(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: did:jwk: %w", ErrUnusable, err)
	}
	if use == "enc" {
		return map[string]any{}, nil
	}
	return map[string]any{"0": key}, nil
}

const redacted = "holder[redacted]"

// Format keeps who it is out of every verb of fmt.
func (Holder) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, redacted) }

// LogValue keeps who it is out of slog.
func (Holder) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps who it is out of JSON.
func (Holder) MarshalText() ([]byte, error) { return []byte(redacted), nil }
