package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// RequestType is the typ of a signed request object (RFC 9101 §10.8, OpenID4VP 1.0 §5).
const RequestType = "oauth-authz-req+jwt"

var errUnsigned = errors.New("this identity has no key to sign requests with")

// Signs reports whether requests of this identity are signed.
func (i *Identity) Signs() bool { return i.key != nil }

// Sign returns a request object: a compact JWS (RFC 7515 §7.1) of the payload.
//
// It does not use go-jose's Signer, which encodes the header with the certificates for every request; that costs as
// much as the signature. The signature itself is go-jose's.
func (i *Identity) Sign(payload []byte) ([]byte, error) {
	const signatureSize = 64 // ES256: r and s (RFC 7518 §3.4)
	if !i.Signs() {
		return nil, errUnsigned
	}
	size := len(i.encoded) + 2 + base64.RawURLEncoding.EncodedLen(len(payload)) + base64.RawURLEncoding.EncodedLen(signatureSize)
	object := make([]byte, 0, size)
	object = append(append(object, i.encoded...), '.')
	object = base64.RawURLEncoding.AppendEncode(object, payload)
	signature, err := i.key.SignPayload(object, jose.ES256)
	if err != nil {
		return nil, fmt.Errorf("signing a request: %w", err)
	}
	return base64.RawURLEncoding.AppendEncode(append(object, '.'), signature), nil
}

// Signature is one of several signatures over the same payload in JSON serialization (RFC 7515 §7.2.1).
type Signature struct {
	Protected string `json:"protected"`
	Signature string `json:"signature"`
}

// SignOneOf returns one signature of a multi-signed request. client_id and verifier_info (nil for none) differ per
// signer, so they are in the protected header and not in the shared payload (OpenID4VP 1.0 Appendix A.3.2).
// encodedPayload is base64url.
func (i *Identity) SignOneOf(encodedPayload string, verifierInfo json.RawMessage) (Signature, error) {
	if !i.Signs() {
		return Signature{}, errUnsigned
	}
	header := maps.Clone(i.header)
	header["client_id"] = i.clientID
	if verifierInfo != nil {
		header["verifier_info"] = verifierInfo
	}
	protected, err := encodeHeader(header)
	if err != nil {
		return Signature{}, err
	}
	signature, err := i.key.SignPayload([]byte(protected+"."+encodedPayload), jose.ES256)
	if err != nil {
		return Signature{}, fmt.Errorf("signing a request: %w", err)
	}
	return Signature{Protected: protected, Signature: encode(signature)}, nil
}

// signing completes an identity that signs: it sets the key, and a header that tells wallets where to find the public
// key.
func (i *Identity) signing(key crypto.Signer, header map[string]any) (*Identity, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	i.key = cryptosigner.Opaque(key)
	i.header = map[string]any{"alg": string(jose.ES256), "typ": RequestType}
	maps.Copy(i.header, header)
	encoded, err := encodeHeader(i.header)
	if err != nil {
		return nil, err
	}
	i.encoded = encoded
	return i, nil
}

func encodeHeader(header map[string]any) (string, error) {
	raw, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("encoding the request header: %w", err)
	}
	return encode(raw), nil
}

// checkKey returns an error unless the key is for ES256. The key may be in an HSM.
func checkKey(key crypto.Signer) error {
	if key == nil {
		return errors.New("there is no key")
	}
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return errors.New("its key is not on P-256, which ES256 needs")
	}
	return nil
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }
