// Package jws strictly parses and verifies compact JSON Web Signatures (RFC 7515 §7.1, RFC 8725). The caller names the
// accepted typ values and algorithms.
//
// It does not use go-jose, which accepts duplicate names in the header and base64url that is not canonical, parses
// `x5c` before the rest of the message is checked, and has no ES256K. The cryptography is the standard library's,
// except for secp256k1.
package jws

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"regain/internal/publickey"
	"regain/internal/strictjson"
)

const (
	headerDepth    = 4
	payloadDepth   = 16
	maxHeader      = 16 << 10 // characters of base64url; certificates make it kilobytes
	signatureChars = 86       // of 64 bytes: r and s (RFC 7518 §3.4, RFC 8812 §3.2), or R and S (RFC 8037 §3.1)
)

// Errors of this package. Their messages name members, never values.
var (
	ErrMalformed = errors.New("malformed JWS")
	ErrSignature = errors.New("signature does not verify")
)

// JWS is a message that is parsed but not verified.
type JWS struct {
	Payload      map[string]any
	Certificates [][]byte // x5c as DER, leaf first; may be empty
	KeyID        string   // kid; may be ""

	algorithm Algorithm
	signed    string // the JWS Signing Input (RFC 7515 §5.1)
	signature []byte
	proved    *atomic.Pointer[crypto.PublicKey] // the key with which the signature verified; shared by copies
}

// Bytes estimates the memory that the message takes: the text, and what it was parsed into. A value of JSON has two
// characters at least, and takes 16 bytes as an element of an array.
func (j JWS) Bytes() int {
	const parsed = 8
	if j.Payload == nil {
		return len(j.signed)
	}
	return (1 + parsed) * len(j.signed)
}

// Form lists the accepted typ values and algorithms. A message with others is refused before the rest of it is parsed:
// the verifier decides how a key is used, never the message (RFC 8725 §3.1, §3.11).
type Form struct {
	Types      []string // accepted typ values; "" accepts a header without typ
	Algorithms []Algorithm
}

// ParseInsecure parses a JWS with the given typ and ES256, the only algorithm of HAIP 1.0 §7. It verifies nothing.
func ParseInsecure(compact, typ string) (JWS, error) {
	return Form{Types: []string{typ}, Algorithms: []Algorithm{ES256}}.ParseInsecure(compact)
}

// ParseInsecure parses a JWS of this form. It verifies nothing.
func (f Form) ParseInsecure(compact string) (JWS, error) {
	parts := strings.SplitN(compact, ".", 4)
	if len(parts) != 3 || len(parts[0]) > maxHeader {
		return JWS{}, fmt.Errorf("%w: not a compact JWS", ErrMalformed)
	}
	header, err := object(parts[0], headerDepth)
	if err != nil {
		return JWS{}, fmt.Errorf("header: %w", err)
	}
	j := JWS{proved: new(atomic.Pointer[crypto.PublicKey]), signed: compact[:len(parts[0])+1+len(parts[1])]}
	if err := f.header(&j, header); err != nil {
		return JWS{}, err
	}
	if len(parts[2]) != signatureChars {
		return JWS{}, fmt.Errorf("%w: signature is not 64 bytes", ErrMalformed)
	}
	if j.signature, err = Decode(parts[2]); err != nil {
		return JWS{}, fmt.Errorf("signature: %w", err)
	}
	if j.Payload, err = object(parts[1], payloadDepth); err != nil {
		return JWS{}, fmt.Errorf("payload: %w", err)
	}
	return j, nil
}

// header validates the JOSE header and copies alg, kid and x5c into j.
func (f Form) header(j *JWS, header map[string]any) (err error) {
	alg, _ := header["alg"].(string)
	if j.algorithm = Algorithm(alg); !slices.Contains(f.Algorithms, j.algorithm) {
		return fmt.Errorf("%w: alg is not accepted", ErrMalformed)
	}
	typ, there := header["typ"]
	text, _ := typ.(string)
	if there != (text != "") || !slices.Contains(f.Types, text) {
		return fmt.Errorf("%w: typ is not accepted", ErrMalformed)
	}
	// crit and b64 announce extensions, of which we support none (RFC 7515 §4.1.11). jwk, jku and x5u would let the
	// sender choose the key (RFC 8725 §3.10).
	for _, name := range []string{"crit", "b64", "jwk", "jku", "x5u"} {
		if _, there := header[name]; there {
			return fmt.Errorf("%w: header has %s", ErrMalformed, name)
		}
	}
	if kid, there := header["kid"]; there {
		if j.KeyID, _ = kid.(string); j.KeyID == "" {
			return fmt.Errorf("%w: kid is not a string", ErrMalformed)
		}
	}
	j.Certificates, err = certificates(header["x5c"])
	return err
}

// certificates reads x5c: standard base64, leaf first (RFC 7515 §4.1.6).
func certificates(x5c any) ([][]byte, error) {
	if x5c == nil {
		return nil, nil
	}
	list, ok := x5c.([]any)
	if !ok || len(list) == 0 || len(list) > publickey.MaxChain {
		return nil, fmt.Errorf("%w: x5c is not an array of 1 to %d certificates", ErrMalformed, publickey.MaxChain)
	}
	chain := make([][]byte, 0, len(list))
	for _, element := range list {
		text, _ := element.(string)
		der, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || len(der) == 0 || strings.ContainsAny(text, "\r\n") {
			return nil, fmt.Errorf("%w: x5c is not base64", ErrMalformed)
		}
		chain = append(chain, der)
	}
	return chain, nil
}

func object(encoded string, depth int) (map[string]any, error) {
	raw, err := Decode(encoded)
	if err != nil {
		return nil, err
	}
	parsed, err := strictjson.Object(raw, depth)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return parsed, nil
}

// Decode decodes base64url without padding in its canonical form: no line breaks, and no stray bits after the last
// byte. Otherwise one message would have several spellings.
func Decode(text string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, errors.New("not base64url in its canonical form"))
	}
	return raw, nil
}

// Encode encodes base64url without padding.
func Encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// NumericDate converts a NumericDate (RFC 7519 §2) to whole seconds since 1970, and drops fractions.
func NumericDate(value any) (int64, error) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, fmt.Errorf("%w: not a number", ErrMalformed)
	}
	float, err := number.Float64()
	if err != nil || float < 0 || float >= maxDate {
		return 0, fmt.Errorf("%w: not a date", ErrMalformed)
	}
	return int64(float), nil // no whole number below maxDate is rounded
}

// maxDate is the end of the year 9999.
const maxDate = 253_402_300_800
