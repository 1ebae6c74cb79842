package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	strict "github.com/go-jose/go-jose/v4/json"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

// ErrKey reports a JWK that is no public key of a kind that is read here.
var ErrKey = errors.New("it is no public JWK on a known curve, and no RSA key")

// JWK is a public key as JSON (RFC 7517). A private one can be written, for the configuration of another program, and is
// refused when it is read: shown to others it is private no more.
type JWK struct {
	Key                   any // *ecdsa.PublicKey, ed25519.PublicKey, *rsa.PublicKey
	KeyID, Use, Algorithm string
	Certificate           *x509.Certificate // of the key, written as x5c
}

// JWKSet is a set of keys (RFC 7517 §5).
type JWKSet struct {
	Keys []JWK `json:"keys"`
}

// UnmarshalJSON passes over keys that are not understood: they are there for others (RFC 7517 §5).
func (s *JWKSet) UnmarshalJSON(raw []byte) error {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := strict.Unmarshal(raw, &set); err != nil {
		return errors.New("it is no JWK Set")
	}
	s.Keys = nil
	for _, one := range set.Keys {
		var key JWK
		if key.UnmarshalJSON(one) == nil {
			s.Keys = append(s.Keys, key)
		}
	}
	return nil
}

// Key are the keys of the set with that kid.
func (s JWKSet) Key(kid string) []JWK {
	return slices.DeleteFunc(slices.Clone(s.Keys), func(key JWK) bool { return key.KeyID != kid })
}

// Usable are the keys of the set that may have made a signature with ES256; a kid narrows them down.
func (s JWKSet) Usable(kid string) []any {
	var keys []any
	for _, key := range s.Keys {
		fits := kid == "" || key.KeyID == "" || key.KeyID == kid
		if IsP256(&key) && fits && (key.Use == "" || key.Use == "sig") && (key.Algorithm == "" || key.Algorithm == ES256) {
			keys = append(keys, key.Key)
		}
	}
	return keys
}

// Public is the public part, under the same name.
func (k JWK) Public() JWK {
	if private, ok := k.Key.(crypto.Signer); ok {
		k.Key = private.Public()
	}
	return k
}

// MarshalJSON writes the key.
func (k JWK) MarshalJSON() ([]byte, error) {
	registerSecp256k1()
	key, err := jwk.Import(k.Key)
	if err != nil {
		return nil, fmt.Errorf("writing a JWK: %w", err)
	}
	raw, err := json.Marshal(key)
	if err != nil {
		return nil, fmt.Errorf("writing a JWK: %w", err)
	}
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, fmt.Errorf("writing a JWK: %w", err)
	}
	for name, value := range map[string]string{"kid": k.KeyID, "use": k.Use, "alg": k.Algorithm} {
		if value != "" {
			members[name] = value
		}
	}
	if k.Certificate != nil {
		members["x5c"] = [][]byte{k.Certificate.Raw}
	}
	return json.Marshal(members)
}

// UnmarshalJSON reads a public key. Members that say more than the key are ignored.
func (k *JWK) UnmarshalJSON(raw []byte) error {
	registerSecp256k1()
	var members struct {
		KeyID     string   `json:"kid"`
		Use       string   `json:"use"`
		Algorithm string   `json:"alg"`
		X5C       [][]byte `json:"x5c"`
	}
	var written map[string]json.RawMessage
	if strict.Unmarshal(raw, &members) != nil || strict.Unmarshal(raw, &written) != nil {
		return ErrKey
	}
	bare, err := json.Marshal(material(written))
	if err != nil {
		return ErrKey
	}
	parsed, err := jwk.ParseKey(bare)
	if err != nil { // the error quotes a stranger
		return ErrKey
	}
	again, err := json.Marshal(parsed)
	if err != nil || string(again) != string(bare) { // another spelling of the same key
		return ErrKey
	}
	var key any
	if err := jwk.Export(parsed, &key); err != nil || Algorithms(key) == nil {
		return ErrKey
	}
	*k = JWK{Key: key, KeyID: members.KeyID, Use: members.Use, Algorithm: members.Algorithm}
	if len(members.X5C) == 0 {
		return nil
	}
	if k.Certificate, err = x509.ParseCertificate(members.X5C[0]); err != nil || !Equal(key, k.Certificate.PublicKey) { // RFC 7517 §4.7
		return ErrKey
	}
	return nil
}

// material are the members that make a key (RFC 7518 §6, RFC 8037 §2), its private ones among them.
func material(written map[string]json.RawMessage) map[string]json.RawMessage {
	key := map[string]json.RawMessage{}
	for _, name := range []string{"kty", "crv", "x", "y", "d", "n", "e", "k", "pub"} {
		if value, found := written[name]; found {
			key[name] = value
		}
	}
	return key
}

// Thumbprint is that of RFC 7638 with SHA-256.
func (k JWK) Thumbprint() ([]byte, error) {
	registerSecp256k1()
	key, err := jwk.Import(k.Key)
	if err != nil {
		return nil, fmt.Errorf("naming a JWK: %w", err)
	}
	return key.Thumbprint(crypto.SHA256)
}

// Algorithms are the signature algorithms of a public key, the only ones that it is ever used with; nil for a key of
// another kind.
func Algorithms(key any) []string {
	switch public := key.(type) {
	case *ecdsa.PublicKey:
		name, known := map[elliptic.Curve]string{
			koblitz(): ES256K, elliptic.P256(): ES256, elliptic.P384(): ES384, elliptic.P521(): ES512,
		}[public.Curve]
		if known {
			return []string{name}
		}
	case ed25519.PublicKey:
		return []string{EdDSA}
	case *rsa.PublicKey:
		return []string{PS256, RS256}
	}
	return nil
}

// IsP256 reports whether it is a public key on P-256, and nothing but that.
func IsP256(key *JWK) bool {
	if key == nil {
		return false
	}
	public, ok := key.Key.(*ecdsa.PublicKey)
	return ok && public.Curve == elliptic.P256()
}

// Equal reports whether two public keys are the same.
func Equal(a, b any) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}
