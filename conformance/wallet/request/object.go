package request

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
	"regain/conformance/wallet/dcql"
)

const (
	objectType      = "oauth-authz-req+jwt"
	objectMediaType = "application/oauth-authz-req+jwt"
)

// object is a request as it came: a request object, or bare parameters.
type object struct {
	compact    string
	parameters json.RawMessage
}

// obtain gets the request. It returns the nonce that has to come back in it, nil when none was sent.
func (r *Reader) obtain(ctx context.Context, l link, prefix Prefix) (object, *string, error) {
	switch {
	case l.parameters != nil:
		return object{parameters: l.parameters}, nil, nil
	case l.reference == "":
		if jose.IsEncrypted(l.value) {
			return object{}, nil, turnDown(InvalidRequest, "the request is encrypted, and this wallet published no key")
		}
		return object{compact: l.value}, nil, nil
	case l.post:
		compact, nonce, err := r.post(ctx, l.reference, prefix)
		return object{compact: compact}, nonce, err
	}
	body, mediaType, err := r.Transport.Get(ctx, l.reference, objectMediaType)
	if err != nil {
		return object{}, nil, fmt.Errorf("fetching the request: %w", err)
	}
	return object{compact: string(body)}, nil, checkMediaType(mediaType)
}

func checkMediaType(mediaType string) error {
	if mediaType != objectMediaType {
		return turnDown(InvalidRequest, "the request is %s, not %s", mediaType, objectMediaType)
	}
	return nil
}

// post fetches a request object by POST, with a nonce of ours and what this wallet can do (OpenID4VP 1.0 §5.10).
func (r *Reader) post(ctx context.Context, endpoint string, prefix Prefix) (string, *string, error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(r.Random, raw); err != nil {
		return "", nil, fmt.Errorf("reading randomness: %w", err)
	}
	nonce := base64.RawURLEncoding.EncodeToString(raw)
	var key *jose.EncryptionKey
	if r.Policy.SealedObject {
		made, err := jose.NewEncryptionKey()
		if err != nil {
			return "", nil, err
		}
		key = made
	}
	metadata, err := json.Marshal(r.Policy.walletMetadata(prefix, key))
	if err != nil {
		return "", nil, fmt.Errorf("encoding wallet_metadata: %w", err)
	}
	form := url.Values{"wallet_nonce": {nonce}, "wallet_metadata": {string(metadata)}}
	body, mediaType, err := r.Transport.PostForm(ctx, endpoint, objectMediaType, form.Encode())
	if err != nil {
		return "", nil, fmt.Errorf("fetching the request: %w", err)
	}
	if err := checkMediaType(mediaType); err != nil {
		return "", nil, err
	}
	compact, err := unseal(string(body), key)
	return compact, &nonce, err
}

// unseal opens what was encrypted to the key, and refuses what was not although a key was sent.
func unseal(compact string, key *jose.EncryptionKey) (string, error) {
	switch {
	case key == nil && jose.IsEncrypted(compact):
		return "", turnDown(InvalidRequest, "the request is encrypted, and this wallet published no key")
	case key == nil:
		return compact, nil
	case !jose.IsEncrypted(compact):
		return "", turnDown(InvalidRequest, "the request had to be encrypted, and is not")
	}
	plain, err := key.Open(compact)
	if err != nil {
		return "", turnDown(InvalidRequest, "opening the request: %w", err)
	}
	return string(plain), nil
}

// walletMetadata tells a verifier what this wallet can do (OpenID4VP 1.0 §10, §5.10).
func (p Policy) walletMetadata(prefix Prefix, key *jose.EncryptionKey) map[string]any {
	modes := []string{"direct_post.jwt"}
	if p.Plain {
		modes = append(modes, "direct_post")
	}
	m := map[string]any{
		"response_types_supported":                      []string{"vp_token"},
		"response_modes_supported":                      modes,
		"client_id_prefixes_supported":                  p.prefixes(),
		"authorization_encryption_alg_values_supported": []string{"ECDH-ES"},
		"authorization_encryption_enc_values_supported": jose.Encodings(),
		"vp_formats_supported": map[string]any{
			dcql.SDJWT: map[string]any{"sd-jwt_alg_values": jose.SignatureAlgorithms(), "kb-jwt_alg_values": []string{"ES256"}},
			dcql.Mdoc:  map[string]any{"issuerauth_alg_values": []int{-7, -9, -35, -51, -36, -52, -8, -19}, "deviceauth_alg_values": []int{-7, -9}},
		},
	}
	if prefix != RedirectURI { // OpenID4VP 1.0 §5.10: MUST NOT be there where nothing can be signed
		m["request_object_signing_alg_values_supported"] = jose.SignatureAlgorithms()
	}
	if key != nil {
		m["jwks"] = jose.JWKSet{Keys: []jose.JWK{key.Public()}}
		m["request_object_encryption_alg_values_supported"] = []string{"ECDH-ES"}
		m["request_object_encryption_enc_values_supported"] = jose.Encodings()
	}
	return m
}
