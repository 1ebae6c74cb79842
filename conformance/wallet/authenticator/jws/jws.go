// Package jws signs and reads the compact JWS (RFC 7515) of wallets whose keys are on secp256k1,
// which is what go-jose does not do: ES256K (RFC 8812 §3.2), and ES256, ES384 and EdDSA beside it,
// the four of the JWT VC Presentation Profile.
//
// An algorithm belongs to its key, never to a header: a header that names another is refused. A
// payload that nobody verified is called so.
package jws

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4/json"
)

// Algorithm is the alg of a header.
type Algorithm string

// The algorithms of the profile.
const (
	ES256K Algorithm = "ES256K"
	ES256  Algorithm = "ES256"
	ES384  Algorithm = "ES384"
	EdDSA  Algorithm = "EdDSA"
)

// What a JWS can be refused for.
var (
	ErrMalformed = errors.New("it is not a compact JWS")
	ErrAlgorithm = errors.New("its alg is not the algorithm of the key")
	ErrSignature = errors.New("its signature is not by the key")
)

const maxLength = 1 << 20

// Token is a JWS taken apart. It proves nothing before Verify.
type Token struct {
	Algorithm Algorithm
	KeyID     string   // kid, empty when it has none
	Type      string   // typ, likewise
	Members   []string // names of all members of the header, sorted

	payload, signature []byte
	signed             string // what the signature is over
}

// Parse takes a compact JWS apart. A header with crit asks for what nobody here understands and is
// refused (RFC 7515 §4.1.11).
func Parse(compact string) (Token, error) {
	if len(compact) > maxLength {
		return Token{}, ErrMalformed
	}
	cut := strings.LastIndexByte(compact, '.')
	segments := strings.Split(compact, ".")
	if len(segments) != 3 {
		return Token{}, ErrMalformed
	}
	var decoded [3][]byte
	for i, segment := range segments {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(segment)
		if err != nil || strings.ContainsAny(segment, "\r\n") { // the decoder skips line breaks
			return Token{}, ErrMalformed
		}
		decoded[i] = raw
	}
	t := Token{payload: decoded[1], signature: decoded[2], signed: compact[:cut]}
	return t, t.readHeader(decoded[0])
}

func (t *Token) readHeader(raw []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil || all == nil { // the error would quote a stranger
		return ErrMalformed
	}
	var header struct {
		Algorithm Algorithm       `json:"alg"`
		KeyID     string          `json:"kid"`
		Type      string          `json:"typ"`
		Critical  json.RawMessage `json:"crit"`
	}
	if err := json.Unmarshal(raw, &header); err != nil || header.Critical != nil || header.Algorithm == "" {
		return ErrMalformed
	}
	t.Algorithm, t.KeyID, t.Type = header.Algorithm, header.KeyID, header.Type
	for name := range all {
		t.Members = append(t.Members, name)
	}
	slices.Sort(t.Members)
	return nil
}

// Verify returns the payload if the signature is by the key, with the key's own algorithm.
func (t Token) Verify(key Public) ([]byte, error) {
	if key.IsZero() || t.Algorithm != key.Algorithm() {
		return nil, ErrAlgorithm
	}
	if !key.verify([]byte(t.signed), t.signature) {
		return nil, ErrSignature
	}
	return t.payload, nil
}

// PayloadUnverified returns what the JWS claims. Whoever signed it may have been anybody.
func (t Token) PayloadUnverified() []byte { return t.payload }

// Header is what a signer writes. Empty members are left out.
type Header struct {
	Type  string // typ
	KeyID string // kid
}

// Sign writes a compact JWS over the claims as JSON.
func (k *Key) Sign(header Header, claims any) (string, error) {
	members := map[string]string{"alg": string(k.Algorithm())}
	if header.Type != "" {
		members["typ"] = header.Type
	}
	if header.KeyID != "" {
		members["kid"] = header.KeyID
	}
	head, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("encoding a header: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding claims: %w", err)
	}
	signed := encode(head) + "." + encode(payload)
	signature, err := k.sign([]byte(signed))
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return signed + "." + encode(signature), nil
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }
