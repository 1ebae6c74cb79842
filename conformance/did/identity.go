package did

import (
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"

	"regain/conformance/jose"
)

// Method is a DID method under which an identity can be made.
type Method string

// The methods that need no registry and no domain.
const (
	ION Method = "did:ion" // in its long form
	JWK Method = "did:jwk"
)

// Identity is a DID with the key that signs for it. It prints as its method only: a holder's DID
// is the holder's for ever.
type Identity struct {
	DID     string
	KeyName string // the part of the kid after its #

	key crypto.Signer
}

// New makes an identity.
func New(method Method, algorithm string) (Identity, error) {
	key, err := jose.Generate(algorithm)
	if err != nil {
		return Identity{}, err
	}
	if method == JWK {
		raw, err := json.Marshal(jose.JWK{Key: key.Public()})
		return Identity{DID: jwkPrefix + base64.RawURLEncoding.EncodeToString(raw), KeyName: jwkKeyName, key: key}, err
	}
	if method != ION {
		return Identity{}, ErrMethod
	}
	return newION(key, algorithm)
}

// newION makes a long-form DID of three fresh keys, of the shape that the Android library makes:
// one key for authentication whose JWK has a kid and a use. The keys for updates are thrown away,
// for a DID that was never published cannot be updated.
func newION(key crypto.Signer, algorithm string) (Identity, error) {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return Identity{}, fmt.Errorf("reading randomness: %w", err)
	}
	name, kind := hex.EncodeToString(raw), "JsonWebKey2020"
	if algorithm == jose.ES256K {
		kind = "EcdsaSecp256k1VerificationKey2019"
	}
	var spare [2]jose.JWK // update, recovery: on secp256k1 whatever signs (Sidetree v1.0.0, KEY_ALGORITHM)
	for i := range spare {
		made, err := jose.Generate(jose.ES256K)
		if err != nil {
			return Identity{}, err
		}
		spare[i].Key = made.Public()
	}
	long, err := LongForm(map[string]any{"publicKeys": []any{map[string]any{
		"id": name, "type": kind, "publicKeyJwk": jose.JWK{Key: key.Public(), KeyID: name, Use: "sig"}, "purposes": []any{"authentication"},
	}}}, spare[0], spare[1])
	return Identity{DID: long, KeyName: name, key: key}, err
}

// KeyID is the kid of what the identity signs.
func (i Identity) KeyID() string { return i.DID + "#" + i.KeyName }

// Algorithm is what the identity signs with.
func (i Identity) Algorithm() string { return jose.Algorithms(i.key.Public())[0] }

// Public is the key that verifies what the identity signs.
func (i Identity) Public() crypto.PublicKey { return i.key.Public() }

// Sign writes a JWS of the identity, whose kid is KeyID unless the header has another, or nil for none.
func (i Identity) Sign(header map[string]any, claims any) (string, error) {
	all := map[string]any{"kid": i.KeyID()}
	maps.Copy(all, header)
	return jose.Sign(i.key, all, claims)
}

// WithKey is the identity in the hands of somebody who has another key, for tests of verifiers.
func (i Identity) WithKey(key crypto.Signer) Identity {
	i.key = key
	return i
}

// String names the method.
func (i Identity) String() string {
	if len(i.DID) < len(ION) {
		return "no identity"
	}
	return i.DID[:len(ION)] + " identity"
}

// Format keeps the DID and the key out of every verb of fmt.
func (i Identity) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, i.String()) }

// LogValue is String for slog.
func (i Identity) LogValue() slog.Value { return slog.StringValue(i.String()) }

// MarshalText is String for JSON.
func (i Identity) MarshalText() ([]byte, error) { return []byte(i.String()), nil }
