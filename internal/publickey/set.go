package publickey

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/strictjson"
)

// Bounds of a JWK Set.
const (
	maxKeys  = 64
	maxSet   = 512 << 10 // bytes of JSON
	setDepth = 8
)

// Set is a JWK Set (RFC 7517 §5). Keys that are not understood are skipped: one key of a new kind must not make all
// others unusable. A set whose keys are all skipped is an error; an empty set is not.
type Set struct {
	jose.JSONWebKeySet
	Skipped []error `json:"-"` // why keys were skipped: each an ErrKind, ErrPrivate, ErrBounds or ErrMalformed
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Set) UnmarshalJSON(text []byte) error {
	parsed, err := ParseSet(text)
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// ParseSet parses a JWK Set in JSON. Every error is an ErrSet.
func ParseSet(text []byte) (Set, error) {
	if len(text) > maxSet {
		return Set{}, fmt.Errorf("%w: %w: %d bytes; %d are the most", ErrSet, ErrBounds, len(text), maxSet)
	}
	object, err := strictjson.Object(text, setDepth)
	if err != nil {
		return Set{}, fmt.Errorf("%w: %w: %w", ErrSet, ErrMalformed, err)
	}
	list, ok := object["keys"].([]any)
	if !ok {
		return Set{}, fmt.Errorf("%w: %w: keys is not an array", ErrSet, ErrMalformed)
	}
	if len(list) > maxKeys {
		return Set{}, fmt.Errorf("%w: %w: %d keys; %d are the most", ErrSet, ErrBounds, len(list), maxKeys)
	}
	set := Set{JSONWebKeySet: jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, 0, len(list))}}
	for i, element := range list {
		key, err := joseKey(element)
		if err != nil {
			set.Skipped = append(set.Skipped, fmt.Errorf("key %d: %w", i, err))
			continue
		}
		set.Keys = append(set.Keys, key)
	}
	if len(set.Keys) == 0 && len(list) > 0 {
		return Set{}, fmt.Errorf("%w: none of its keys: %w", ErrSet, errors.Join(set.Skipped[:min(len(set.Skipped), maxTold)]...))
	}
	return set, nil
}

const maxTold = 4 // number of reasons in one error

// ParseJWK parses a public key in JSON, of a kind that go-jose supports.
func ParseJWK(text []byte) (jose.JSONWebKey, error) {
	if len(text) > maxSet {
		return jose.JSONWebKey{}, fmt.Errorf("JWK: %w: %d bytes; %d are the most", ErrBounds, len(text), maxSet)
	}
	object, err := strictjson.Object(text, setDepth)
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("JWK: %w: %w", ErrMalformed, err)
	}
	key, err := joseKey(object)
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("JWK: %w", err)
	}
	return key, nil
}

// joseKey parses a key with the parameters of RFC 7517 §4. x5u is not followed; x5t, which is SHA-1, is ignored.
func joseKey(element any) (jose.JSONWebKey, error) {
	var k jose.JSONWebKey
	jwk, ok := element.(map[string]any)
	if !ok {
		return k, fmt.Errorf("%w: not an object", ErrMalformed)
	}
	for name, into := range map[string]*string{"kid": &k.KeyID, "use": &k.Use, "alg": &k.Algorithm} {
		value, there := jwk[name]
		if *into, ok = value.(string); there && !ok {
			return k, fmt.Errorf("%w: %s is not a string", ErrMalformed, name)
		}
	}
	var err error
	if k.Key, err = Key(jwk, RSA, P256, P384, P521, Ed25519); err != nil {
		return k, err
	}
	return k, addCertificates(&k, jwk)
}

// addCertificates parses x5c, whose first certificate must contain the key itself (RFC 7517 §4.7).
func addCertificates(k *jose.JSONWebKey, jwk map[string]any) error {
	list, there := jwk["x5c"]
	if !there {
		return nil
	}
	elements, ok := list.([]any)
	if !ok || len(elements) == 0 || len(elements) > MaxChain {
		return fmt.Errorf("%w: x5c is not an array of 1 to %d certificates", ErrMalformed, MaxChain)
	}
	chain := make([][]byte, 0, len(elements))
	for _, element := range elements {
		text, _ := element.(string)
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return fmt.Errorf("%w: x5c is not base64", ErrMalformed)
		}
		chain = append(chain, der)
	}
	certificates, err := ParseChain(chain)
	if err != nil {
		return fmt.Errorf("x5c: %w", err)
	}
	if !Equal(certificates[0].PublicKey, k.Key) {
		return fmt.Errorf("%w: x5c is of another key", ErrMalformed)
	}
	k.Certificates = certificates
	if said, there := jwk["x5t#S256"]; there {
		sum := sha256.Sum256(certificates[0].Raw)
		if said != base64.RawURLEncoding.EncodeToString(sum[:]) {
			return fmt.Errorf("%w: x5t#S256 is of another certificate", ErrMalformed)
		}
		k.CertificateThumbprintSHA256 = sum[:]
	}
	return nil
}
