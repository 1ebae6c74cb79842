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

// errUnsigned is what becomes of a request that an identity without a key should sign.
var errUnsigned = errors.New("this identity signs nothing")

// Signs reports whether requests of this identity are signed.
func (i *Identity) Signs() bool { return i.key != nil }

// Sign makes a compact JWS (RFC 7515 §7.1) of a request's payload.
//
// It is put together here, and not by go-jose's Signer, because that one encodes the header with its certificates anew
// each time, which costs as much as the signature; the signature itself is go-jose's.
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

// Signature is one of several over the same payload (RFC 7515 §7.2.1).
type Signature struct {
	Protected string `json:"protected"`
	Signature string `json:"signature"`
}

// SignOneOf signs a payload that others sign too. What differs from signer to signer, the client_id and verifier_info
// (nil for none), stands in the protected header then, since the payload is everybody's (OpenID4VP 1.0 Appendix A.3.2).
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

// signing completes an identity that signs: with this key, and a header that says where its public part is found.
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

// checkKey wants a key for ES256, which may live in an HSM.
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
