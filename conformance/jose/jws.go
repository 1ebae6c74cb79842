package jose

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	strict "github.com/go-jose/go-jose/v4/json"

	"regain/conformance/chain"
)

// The signature algorithms (RFC 7518 §3.1, RFC 8037 §3.1, RFC 8812 §3.2).
const (
	ES256K = "ES256K"
	ES256  = "ES256"
	ES384  = "ES384"
	ES512  = "ES512"
	EdDSA  = "EdDSA"
	PS256  = "PS256"
	RS256  = "RS256"
)

// SignatureAlgorithms are what a wallet accepts from issuers and verifiers; HAIP 1.0 §7 makes ES256 the one that all
// have.
func SignatureAlgorithms() []string { return []string{ES256, ES384, ES512, PS256, RS256, EdDSA} }

// What a JWS can be refused for. All of them are Err. No message quotes the JWS: it is a stranger's text.
var (
	Err          = errors.New("unacceptable JWT")
	ErrMalformed = fmt.Errorf("%w: it is not a compact JWS", Err)
	ErrAlgorithm = fmt.Errorf("%w: its alg is not the algorithm of the key", Err)
	ErrSignature = fmt.Errorf("%w: its signature is not by the key", Err)
)

const maxLength = 1 << 20

// Header is the part of a protected header that counterparts read.
type Header struct {
	Algorithm      string          `json:"alg"`
	Type           string          `json:"typ"`
	KeyID          string          `json:"kid"`
	Key            *JWK            `json:"jwk"`
	X5C            [][]byte        `json:"x5c"`
	Critical       json.RawMessage `json:"crit"`
	Attestation    string          `json:"jwt"`             // a verifier attestation, OpenID4VP 1.0 §12
	ClientID       string          `json:"client_id"`       // of a signature among several, OpenID4VP 1.0 Appendix A.3.2
	Info           json.RawMessage `json:"verifier_info"`   // likewise
	KeyAttestation string          `json:"key_attestation"` // OpenID4VCI 1.0 Appendix D
}

// Token is a JWS taken apart. It proves nothing before Verify.
type Token struct {
	Header
	Members []string // names of all members of the header

	signed             string // what the signature is over
	payload, signature []byte
}

// Parse takes a compact JWS apart, signed or not.
func Parse(compact string) (Token, error) {
	segments := strings.Split(compact, ".")
	if len(compact) > maxLength || len(segments) != 3 {
		return Token{}, ErrMalformed
	}
	var decoded [3][]byte
	for i, segment := range segments {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(segment)
		if err != nil || base64.RawURLEncoding.EncodedLen(len(raw)) != len(segment) { // the decoder skips line breaks
			return Token{}, ErrMalformed
		}
		decoded[i] = raw
	}
	t := Token{signed: segments[0] + "." + segments[1], payload: decoded[1], signature: decoded[2]}
	var all map[string]json.RawMessage
	if strict.Unmarshal(decoded[0], &all) != nil || strict.Unmarshal(decoded[0], &t.Header) != nil {
		return Token{}, ErrMalformed
	}
	if t.Critical != nil || t.Algorithm == "" {
		return Token{}, ErrMalformed
	}
	for name := range all {
		t.Members = append(t.Members, name)
	}
	return t, nil
}

// ParseTyped is Parse for one media type in typ (RFC 8725 §3.11): a JWT made for one place is nothing anywhere else.
func ParseTyped(compact, typ string) (Token, error) {
	t, err := Parse(compact)
	if err == nil && t.Type != typ {
		return Token{}, fmt.Errorf("%w: its typ is not %s", Err, typ)
	}
	return t, err
}

// Has reports whether the header has a member of that name, good or bad.
func (t Token) Has(name string) bool { return slices.Contains(t.Members, name) }

// Verify returns the payload if the signature is by the public key, with the key's own algorithm.
func (t Token) Verify(key any) ([]byte, error) {
	if !slices.Contains(Algorithms(key), t.Algorithm) {
		return nil, ErrAlgorithm
	}
	if err := verify(key, t.Algorithm, []byte(t.signed), t.signature); err != nil {
		return nil, ErrSignature
	}
	return t.payload, nil
}

// Open verifies the JWS and decodes its claims into a struct. Names that occur twice are refused.
func (t Token) Open(key, claims any) error {
	payload, err := t.Verify(key)
	if err != nil {
		return err
	}
	if err := strict.Unmarshal(payload, claims); err != nil {
		return fmt.Errorf("%w: its claims are not the JSON expected", Err)
	}
	return nil
}

// Chain is x5c.
func (h Header) Chain() (chain.Chain, error) {
	c, err := chain.Parse(h.X5C)
	if err != nil {
		return nil, fmt.Errorf("reading x5c: %w", err)
	}
	return c, nil
}

// VerifyChained verifies the JWS with the key of its own certificate, whose chain has to lead to the anchors. Without
// any, every certificate will do, so the signature proves integrity only.
func (t Token) VerifyChained(anchors *x509.CertPool, now time.Time) ([]byte, chain.Chain, error) {
	signer, err := t.Chain()
	if err != nil {
		return nil, nil, err
	}
	if err := signer.Trusted(anchors, now); err != nil {
		return nil, nil, fmt.Errorf("judging x5c: %w", err)
	}
	payload, err := t.Verify(signer.Leaf().PublicKey)
	return payload, signer, err
}

// OpenUnsigned returns the payload of a JWT that says itself that it is not signed: alg is none and the signature is
// empty (RFC 7519 §6.1).
func (t Token) OpenUnsigned() ([]byte, error) {
	if len(t.signature) != 0 || t.Algorithm != "none" {
		return nil, errors.New("it is not an unsigned JWT")
	}
	return t.payload, nil
}

// PayloadUnverified returns the claims of a signer who is not known yet.
func (t Token) PayloadUnverified() []byte { return t.payload }

// Sign writes a compact JWS over the claims as JSON. The algorithm is the first one of the key where the header names
// none; members of the header that are nil are left out.
func Sign(key crypto.Signer, header map[string]any, claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding claims: %w", err)
	}
	return SignBytes(key, header, payload)
}

// SignBytes is Sign for any payload.
func SignBytes(key crypto.Signer, header map[string]any, payload []byte) (string, error) {
	members := map[string]any{}
	if algorithms := Algorithms(key.Public()); algorithms != nil {
		members["alg"] = algorithms[0]
	}
	maps.Copy(members, header)
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == nil })
	protected, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("encoding a header: %w", err)
	}
	algorithm, _ := members["alg"].(string)
	signed := base64.RawURLEncoding.EncodeToString(protected) + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := sign(key, algorithm, []byte(signed))
	if err != nil {
		return "", fmt.Errorf("signing a JWT with %q: %w", algorithm, err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// IsSignedBy reports whether a compact JWS is signed by the public key.
func IsSignedBy(compact string, key any) bool {
	t, err := Parse(compact)
	if err != nil {
		return false
	}
	_, err = t.Verify(key)
	return err == nil
}

// Fresh reports whether iat is neither further back than age nor more than a minute ahead.
func Fresh(iat int64, now time.Time, age time.Duration) bool {
	return iat >= now.Add(-age).Unix() && iat <= now.Add(time.Minute).Unix()
}
