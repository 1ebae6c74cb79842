package presentation

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"slices"

	jose "github.com/go-jose/go-jose/v4"

	"regain/internal/publickey"
	"regain/presentation/identity"
)

const (
	maxKeys     = 16
	maxWalletID = 256 // characters of a wallet's kid
)

// WalletKey is a wallet's public key, to which it wants the request object encrypted, so that no intermediary can read
// the request (OpenID4VP 1.0 §5.10, RFC 9101 §6.1).
type WalletKey struct {
	id     string
	public *ecdsa.PublicKey
	enc    jose.ContentEncryption
}

// key returns the wallet's encryption key in the metadata, nil if the wallet does not ask for encryption. It ignores
// keys with another use. The error is ErrUnsupportedWallet if we support none of the wallet's keys and algorithms.
func (m metadata) key() (*WalletKey, error) {
	candidates, err := m.encryptionKeys()
	if err != nil || len(candidates) == 0 {
		return nil, err
	}
	if err := requireAny(m, "request_object_encryption_alg_values_supported", string(jose.ECDH_ES)); err != nil {
		return nil, err
	}
	enc, err := m.contentEncryption()
	if err != nil {
		return nil, err
	}
	var damaged error // a key that cannot be read is passed over like one of another kind (RFC 7517 §5), and told if no other is good
	for _, jwk := range candidates {
		public, err := p256(jwk)
		if errors.Is(err, publickey.ErrKind) || jwk["alg"] != nil && jwk["alg"] != string(jose.ECDH_ES) {
			continue
		}
		if err != nil {
			damaged = fmt.Errorf("%w: wallet_metadata: jwks: %w", ErrMalformed, err)
			continue
		}
		id, _ := jwk["kid"].(string)
		if len(id) > maxWalletID {
			return nil, fmt.Errorf("%w: wallet_metadata: jwks: kid", ErrTooLarge)
		}
		return &WalletKey{id: id, public: public, enc: enc}, nil
	}
	if damaged != nil {
		return nil, damaged
	}
	return nil, fmt.Errorf("%w: no key for ECDH-ES on P-256 in jwks", ErrUnsupportedWallet)
}

// encryptionKeys returns the keys in jwks whose use is enc or absent.
func (m metadata) encryptionKeys() (candidates []map[string]any, err error) {
	value, there := m["jwks"]
	if !there {
		return nil, nil
	}
	set, _ := value.(map[string]any)
	keys, ok := set["keys"].([]any)
	if !ok {
		return nil, fmt.Errorf("%w: wallet_metadata: jwks has no keys", ErrMalformed)
	}
	if len(keys) > maxKeys {
		return nil, fmt.Errorf("%w: wallet_metadata: jwks", ErrTooLarge)
	}
	objects := 0
	for _, key := range keys {
		jwk, ok := key.(map[string]any)
		if !ok {
			continue
		}
		objects++
		if use, there := jwk["use"]; !there || use == "enc" {
			candidates = append(candidates, jwk)
		}
	}
	if len(keys) > 0 && objects == 0 {
		return nil, fmt.Errorf("%w: wallet_metadata: jwks holds something else than keys", ErrMalformed)
	}
	return candidates, nil
}

// contentEncryption returns the first of our algorithms that the wallet supports. For a wallet that lists none it
// returns A128GCM, the default for encrypted responses (OpenID4VP 1.0 §8.3).
func (m metadata) contentEncryption() (jose.ContentEncryption, error) {
	const name = "request_object_encryption_enc_values_supported"
	ours := []string{string(jose.A256GCM), string(jose.A128GCM), string(jose.A128CBC_HS256), string(jose.A256CBC_HS512)}
	if err := requireAny(m, name, ours...); err != nil {
		return "", err
	}
	theirs, _ := elements[string](m[name])
	for _, enc := range ours {
		if slices.Contains(theirs, enc) {
			return jose.ContentEncryption(enc), nil
		}
	}
	return jose.A128GCM, nil
}

// encrypt returns a JWE of a signed request object. It is a nested JWT, so cty is JWT (RFC 7519 §5.2).
func (k *WalletKey) encrypt(object []byte) ([]byte, error) {
	options := (&jose.EncrypterOptions{}).WithType(identity.RequestType).WithContentType("JWT")
	encrypter, err := jose.NewEncrypter(k.enc, jose.Recipient{Algorithm: jose.ECDH_ES, Key: k.public, KeyID: k.id}, options)
	if err != nil {
		return nil, fmt.Errorf("encrypting a request object: %w", err)
	}
	message, err := encrypter.Encrypt(object)
	if err != nil {
		return nil, fmt.Errorf("encrypting a request object: %w", err)
	}
	compact, err := message.CompactSerialize()
	return []byte(compact), err
}
