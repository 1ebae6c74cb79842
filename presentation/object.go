package presentation

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

const (
	// audience of a wallet that was not discovered (§5.8).
	audience     = "https://self-issued.me/v2"
	responseType = "vp_token"
	responseMode = "direct_post.jwt"
)

// RequestObjectParams are what one fetch of the request URI adds to the request.
type RequestObjectParams struct {
	WalletNonce string     // from the wallet's POST; empty on GET
	WalletKey   *WalletKey // from the wallet's POST: encrypt the request object to it; nil: don't
	Now         time.Time
}

// RequestObject signs the request (RFC 9101 §4): the body of an answer with [ContentType]. It may be
// fetched any number of times until the request expires, and always asks the same. ErrExpired when
// the request is over.
//
// The payload holds what OpenID4VP 1.0 §5 names for this mode and nothing else; iss, which wallets
// have to ignore, is left out, and so is everything that belongs to another mode.
func (s *Signer) RequestObject(r Request, p RequestObjectParams) ([]byte, error) {
	if err := r.usable(p.Now); err != nil {
		return nil, fmt.Errorf("signing a request object: %w", err)
	}
	if err := validAt(s.chain, p.Now); err != nil {
		return nil, fmt.Errorf("signing a request object: %w", err)
	}
	if p.WalletNonce != "" && !isWalletNonce(p.WalletNonce) {
		return nil, fmt.Errorf("signing a request object: %w: wallet_nonce", ErrMalformed)
	}
	payload, err := s.payload(r, p.WalletNonce)
	if err != nil {
		return nil, fmt.Errorf("signing a request object: %w", err)
	}
	object, err := s.sign(payload)
	if err != nil {
		return nil, fmt.Errorf("signing a request object: %w", err)
	}
	if p.WalletKey == nil {
		return object, nil
	}
	return p.WalletKey.encrypt(object)
}

// sign makes a compact JWS (RFC 7515 §7.1). It is put together here, and not by go-jose's Signer,
// because that one encodes the header with its certificates anew each time, which costs as much as
// the signature; the signature itself is go-jose's.
func (s *Signer) sign(payload []byte) ([]byte, error) {
	const signatureSize = 64 // ES256: r and s (RFC 7518 §3.4)
	size := len(s.header) + 2 + base64.RawURLEncoding.EncodedLen(len(payload)) + base64.RawURLEncoding.EncodedLen(signatureSize)
	object := make([]byte, 0, size)
	object = append(object, s.header...)
	object = append(object, '.')
	object = base64.RawURLEncoding.AppendEncode(object, payload)
	signature, err := s.key.SignPayload(object, jose.ES256)
	if err != nil {
		return nil, err
	}
	object = append(object, '.')
	return base64.RawURLEncoding.AppendEncode(object, signature), nil
}

// opening is the part of the payload that is the same in every request, without the closing brace.
func opening(clientID string) []byte {
	return []byte(`{"aud":"` + audience + `","client_id":"` + clientID +
		`","response_type":"` + responseType + `","response_mode":"` + responseMode + `"`)
}

// Every JWK says alg, kid and use (§8.3). HAIP 1.0 §5 wants both content encryptions offered; wallets
// that do not choose take the first, which is the specification's default. client_metadata may not
// hold anything else (§5.1), so neither a name nor a logo of ours.
const (
	metadataKey    = `,"client_metadata":{"jwks":{"keys":[{"kty":"EC","crv":"P-256","use":"enc","alg":"ECDH-ES","kid":"`
	metadataX      = `","x":"`
	metadataY      = `","y":"`
	metadataFormat = `"}]},"encrypted_response_enc_values_supported":["A128GCM","A256GCM"],` +
		`"vp_formats_supported":{"dc+sd-jwt":{"sd-jwt_alg_values":["ES256"],"kb-jwt_alg_values":["ES256"]}}}`
)

// payload appends what is this request's own. Strings that are base64url by construction need no
// escaping; the two that others chose are encoded as JSON.
func (s *Signer) payload(r Request, walletNonce string) ([]byte, error) {
	query, err := json.Marshal(r.Query)
	if err != nil {
		return nil, fmt.Errorf("encoding the query: %w", err)
	}
	uri, errURI := json.Marshal(r.ResponseURI)
	nonce, errNonce := json.Marshal(walletNonce)
	if err := errors.Join(errURI, errNonce); err != nil {
		return nil, err
	}
	b := make([]byte, 0, 1024+len(query)+len(uri)+len(nonce))
	b = append(b, s.opening...)
	b = append(append(b, `,"response_uri":`...), uri...)
	b = append(append(b, `,"nonce":"`...), r.Nonce...)
	b = append(append(b, `","state":"`...), r.State...)
	b = append(append(b, `","iat":`...), strconv.FormatInt(r.IssuedAt.Unix(), 10)...)
	b = append(append(b, `,"exp":`...), strconv.FormatInt(r.ExpiresAt.Unix(), 10)...)
	b = append(append(b, metadataKey...), r.Key.ID...)
	b = append(append(b, metadataX...), r.Key.x()...)
	b = append(append(b, metadataY...), r.Key.y()...)
	b = append(append(b, metadataFormat+`,"dcql_query":`...), query...)
	if walletNonce != "" {
		b = append(append(b, `,"wallet_nonce":`...), nonce...)
	}
	return append(b, '}'), nil
}
