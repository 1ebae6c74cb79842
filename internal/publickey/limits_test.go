package publickey_test

import (
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/publickey"
	"regain/internal/publickey/publickeytest"
)

// limited fails the test unless err is this kind of error and says this.
func limited(t *testing.T, what string, err, kind error, says string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: got %v, want %q", what, err, says)
	}
}

// TestCertificatesAtTheirLimit holds that the length is looked at first, and that the limit itself is allowed.
func TestCertificatesAtTheirLimit(t *testing.T) {
	_, err := publickey.ParseCertificate(make([]byte, 16<<10))
	limited(t, "as long as it may be", err, publickey.ErrMalformed, "malformed")
	_, err = publickey.ParseCertificate(make([]byte, 16<<10+1))
	limited(t, "a byte longer", err, publickey.ErrBounds, "a certificate of 16385 bytes; 16384 are the most")
	for n, says := range map[int]string{16 << 10: "", 16<<10 + 1: "certificate 1: outside the accepted bounds: 16385 bytes; 16384 are the most"} {
		err := publickey.CheckCertificates([]*x509.Certificate{{}, {Raw: make([]byte, n)}})
		if says == "" && err != nil {
			t.Errorf("%d bytes: %v", n, err)
		} else if says != "" {
			limited(t, "parsed elsewhere", err, publickey.ErrBounds, says)
		}
	}
	even := publickeytest.Certificate(t, publickeytest.RSA(2048, 65538)) // two divides it, four does not
	_, err = publickey.ParseCertificate(even)
	limited(t, "an even exponent", err, publickey.ErrBounds, "an RSA exponent that is not odd, or not from 3 to 2147483647")
}

// TestSetsAtTheirLimits holds that what is just within is read, and that an error names some of the keys and not all.
func TestSetsAtTheirLimits(t *testing.T) {
	pad := func(frame string, n int) []byte {
		return []byte(strings.Replace(frame, "PAD", strings.Repeat("x", n-len(frame)+3), 1))
	}
	if _, err := publickey.ParseSet(pad(`{"keys":[],"x":"PAD"}`, 512<<10)); err != nil {
		t.Errorf("as long as it may be: %v", err)
	}
	_, err := publickey.ParseSet(pad(`{"keys":[],"x":"PAD"}`, 512<<10+1))
	limited(t, "a byte longer", err, publickey.ErrBounds, "524289 bytes; 524288 are the most")
	_, err = publickey.ParseJWK(pad(`{"kty":"PAD"}`, 512<<10))
	limited(t, "a JWK as long as it may be", err, publickey.ErrKind, "JWK: ")
	_, err = publickey.ParseJWK(pad(`{"kty":"PAD"}`, 512<<10+1))
	limited(t, "a JWK a byte longer", err, publickey.ErrBounds, "JWK: outside the accepted bounds: 524289 bytes; 524288 are the most")
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	if _, err := publickey.ParseSet([]byte(`{"keys":[],"x":` + nested(7) + `}`)); err != nil {
		t.Errorf("as deep as it may be: %v", err)
	}
	_, err = publickey.ParseSet([]byte(`{"keys":[],"x":` + nested(8) + `}`))
	limited(t, "a level deeper", err, publickey.ErrMalformed, "nested too deep")
	_, err = publickey.ParseJWK([]byte(`{"kty":"x","x":` + nested(8) + `}`))
	limited(t, "a JWK a level deeper", err, publickey.ErrMalformed, "nested too deep")
	_, err = publickey.ParseJWK([]byte(`{"kty":"x","x":` + nested(7) + `}`))
	limited(t, "a JWK as deep as it may be", err, publickey.ErrKind, "a kind of key")
	_, err = publickey.ParseSet(set(t, slices.Repeat([]any{map[string]any{"kty": "LWE"}}, 5)...))
	limited(t, "five that are not understood", err, publickey.ErrKind, "key 3: ")
	if strings.Contains(err.Error(), "key 4") {
		t.Errorf("all are named: %v", err)
	}
	var read publickey.Set
	limited(t, "in other JSON", json.Unmarshal([]byte(`{"keys":1}`), &read), publickey.ErrSet, "keys is not an array")
}

// TestCertificatesOfAKey breaks one thing of x5c and x5t#S256 (RFC 7517 §4.7, §4.9): what a client shows over TLS is held
// against them.
func TestCertificatesOfAKey(t *testing.T) {
	public := publickeytest.RSA(2048, usual)
	own, other := publickeytest.Certificate(t, public), publickeytest.Certificate(t, publickeytest.RSA(2048, 3))
	sum, wrong := sha256.Sum256(own), sha256.Sum256(other)
	for name, row := range map[string]struct {
		x5c, thumbprint any
		says            string
	}{
		"alone":               {x5c(own), nil, ""},
		"its thumbprint":      {x5c(own), encode(sum[:]), ""},
		"four":                {x5c(own, other, other, other), nil, ""},
		"five":                {x5c(own, other, other, other, other), nil, "x5c is not an array of 1 to 4 certificates"},
		"none":                {[]string{}, nil, "x5c is not an array of 1 to 4 certificates"},
		"no array":            {x5c(own)[0], nil, "x5c is not an array of 1 to 4 certificates"},
		"no base64":           {[]string{"%"}, nil, "x5c is not base64"},
		"a number":            {[]any{x5c(own)[0], 1}, nil, "x5c: certificate 1: "},
		"another's":           {x5c(other), nil, "x5c is of another key"},
		"another's first":     {x5c(other, own), nil, "x5c is of another key"},
		"another thumbprint":  {x5c(own), encode(wrong[:]), "x5t#S256 is of another certificate"},
		"thumbprint a number": {x5c(own), 1, "x5t#S256 is of another certificate"},
	} {
		jwk := with(publickeytest.JWK(public), "x5c", row.x5c)
		if row.thumbprint != nil {
			jwk = with(jwk, "x5t#S256", row.thumbprint)
		}
		text, err := json.Marshal(jwk)
		if err != nil {
			t.Fatal(err)
		}
		key, err := publickey.ParseJWK(text)
		if row.says != "" {
			limited(t, name, err, publickey.ErrMalformed, row.says)
			continue
		}
		if err != nil || !slices.Equal(key.Certificates[0].Raw, own) || row.thumbprint != nil && !slices.Equal(key.CertificateThumbprintSHA256, sum[:]) {
			t.Errorf("%s: %x, %v", name, key.CertificateThumbprintSHA256, err)
		}
	}
}

// TestTokensAtTheirLimits holds that go-jose is given nothing that is longer, deeper or has more certificates.
func TestTokensAtTheirLimits(t *testing.T) {
	algorithms := []jose.SignatureAlgorithm{jose.ES256}
	certificate := publickeytest.Certificate(t, publickeytest.RSA(2048, usual))
	compact := func(header string) string { return encode([]byte(header)) + ".e30." + encode(make([]byte, 64)) }
	list, err := json.Marshal(x5c(slices.Repeat([][]byte{certificate}, 4)...))
	if err != nil {
		t.Fatal(err)
	}
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	for name, text := range map[string]string{
		"four certificates":    compact(`{"alg":"ES256","x5c":` + string(list) + `}`),
		"as deep as it may be": compact(`{"alg":"ES256","x":` + nested(7) + `}`),
	} {
		if _, err := publickey.ParseToken(text, algorithms); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, row := range map[string]struct {
		text string
		kind error
		says string
	}{
		"too deep":            {compact(`{"alg":"ES256","x":` + nested(8) + `}`), publickey.ErrMalformed, "header: malformed: not strict JSON: nested too deep"},
		"a character longer":  {strings.Repeat("A", 64<<10+1), publickey.ErrBounds, "65537 characters; 65536 are the most"},
		"as long as it may":   {strings.Repeat("A", 64<<10), publickey.ErrMalformed, "header: malformed: not strict JSON"},
		"header no base64url": {"e30=.e30.AA", publickey.ErrMalformed, "header is not base64url"},
		"header with a break": {"e3\n0.e30.AA", publickey.ErrMalformed, "header is not base64url"},
		"jwk no object":       {compact(`{"alg":"ES256","jwk":1}`), publickey.ErrMalformed, "jwk: malformed: not an object"},
	} {
		token, err := publickey.ParseToken(row.text, algorithms)
		limited(t, name, err, row.kind, row.says)
		if token != nil {
			t.Errorf("%s: a token beside the error", name)
		}
	}
}

// TestP256KeyAtItsLength holds that a coordinate of another length is told, and never padded.
func TestP256KeyAtItsLength(t *testing.T) {
	for _, lengths := range [][2]int{{31, 32}, {32, 31}, {33, 32}, {32, 33}, {0, 0}, {16, 48}} {
		key, err := publickey.P256Key(make([]byte, lengths[0]), make([]byte, lengths[1]))
		limited(t, fmt.Sprint(lengths), err, publickey.ErrMalformed, "x or y is not 32 bytes")
		if key != nil {
			t.Errorf("%v: a key beside the error", lengths)
		}
	}
}

// TestPointsOffTheirCurve swaps the coordinates of a point: whoever computes with what is left gives the private key away.
func TestPointsOffTheirCurve(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		jwk := ec(t, curve)
		swapped := with(with(jwk, "x", jwk["y"]), "y", jwk["x"])
		key, err := publickey.Key(swapped, all()...)
		limited(t, curve.Params().Name, err, publickey.ErrMalformed, "it is not on its curve")
		if key != nil {
			t.Errorf("%s: a key beside the error", curve.Params().Name)
		}
	}
}
