package did

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"

	"regain/conformance/wallet/authenticator/jws"
)

// Method is a DID method under which an identity can be made.
type Method string

// The methods that need nobody else.
const (
	ION Method = "did:ion" // in its long form
	JWK Method = "did:jwk"
)

// Identity is a DID with the key that signs for it. It prints as its method only: a holder's DID
// is the holder's for ever.
type Identity struct {
	DID     string
	KeyName string // the part of the kid after its #

	key *jws.Key
}

// New makes an identity.
func New(random io.Reader, method Method, alg jws.Algorithm) (Identity, error) {
	key, err := jws.Generate(random, alg)
	if err != nil {
		return Identity{}, err
	}
	if method == JWK {
		raw, err := canonical(key.Public().JWK())
		if err != nil {
			return Identity{}, err
		}
		return Identity{DID: jwkPrefix + base64.RawURLEncoding.EncodeToString(raw), KeyName: jwkKeyName, key: key}, nil
	}
	if method != ION {
		return Identity{}, ErrMethod
	}
	return newION(random, key)
}

// newION makes a long-form DID of three fresh keys, of the shape that the Android library makes:
// one key for authentication whose JWK has a kid and a use. The keys for updates are thrown away,
// for a DID that nobody published cannot be updated.
func newION(random io.Reader, key *jws.Key) (Identity, error) {
	name := make([]byte, 16)
	if _, err := io.ReadFull(random, name); err != nil {
		return Identity{}, fmt.Errorf("reading randomness: %w", err)
	}
	jwk := key.Public().JWK()
	jwk["kid"], jwk["use"] = hex.EncodeToString(name), "sig"
	kind := "JsonWebKey2020"
	if key.Algorithm() == jws.ES256K {
		kind = "EcdsaSecp256k1VerificationKey2019"
	}
	var commitments [2]map[string]any // update, recovery
	for i := range commitments {
		spare, err := jws.Generate(random, jws.ES256K) // whatever the signing key, these are secp256k1 (Sidetree, KEY_ALGORITHM)
		if err != nil {
			return Identity{}, err
		}
		commitments[i] = spare.Public().JWK()
	}
	long, err := LongForm(map[string]any{"publicKeys": []any{map[string]any{
		"id": jwk["kid"], "type": kind, "publicKeyJwk": jwk, "purposes": []any{"authentication"},
	}}}, commitments[0], commitments[1])
	if err != nil {
		return Identity{}, err
	}
	return Identity{DID: long, KeyName: hex.EncodeToString(name), key: key}, nil
}

// KeyID is the kid of what the identity signs.
func (i Identity) KeyID() string { return i.DID + "#" + i.KeyName }

// Algorithm is what the identity signs with.
func (i Identity) Algorithm() jws.Algorithm { return i.key.Algorithm() }

// Public is the key that verifies what the identity signs.
func (i Identity) Public() jws.Public { return i.key.Public() }

// Sign writes a JWS of the identity.
func (i Identity) Sign(header jws.Header, claims any) (string, error) {
	return i.key.Sign(header, claims)
}

// WithKey is the identity in the hands of somebody who has another key, for tests of verifiers.
func (i Identity) WithKey(key *jws.Key) Identity {
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

// GoString is String.
func (i Identity) GoString() string { return i.String() }

// LogValue is String for slog.
func (i Identity) LogValue() slog.Value { return slog.StringValue(i.String()) }

// MarshalText is String for JSON.
func (i Identity) MarshalText() ([]byte, error) { return []byte(i.String()), nil }
