package publickey_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"regain/internal/publickey"
	"regain/internal/publickey/publickeytest"
)

const usual = 65537 // the exponent that everybody has

func TestParseCertificate(t *testing.T) {
	for name, row := range map[string]struct {
		key  *rsa.PublicKey
		says string // "" for one that is read
	}{
		"8192 bits":               {publickeytest.RSA(8192, usual), ""},
		"1024 bits":               {publickeytest.RSA(1024, usual), ""}, // too weak for what JOSE does; an authority's signature is for x509 to judge
		"exponent 3":              {publickeytest.RSA(2048, 3), ""},
		"the largest exponent":    {publickeytest.RSA(2048, math.MaxInt32), ""},
		"one bit more":            {publickeytest.RSA(8193, usual), "an RSA modulus of 8193 bits; 8192 are the most"},
		"as long as DER may be":   {publickeytest.RSA(120_000, usual), "an RSA modulus of 120000 bits"},
		"130,000 bits":            {publickeytest.RSA(130_000, usual), "bytes; 16384 are the most"},
		"720,000 bits":            {publickeytest.RSA(720_000, usual), "bytes; 16384 are the most"},
		"exponent 1":              {publickeytest.RSA(2048, 1), "an RSA exponent"},
		"an even exponent":        {publickeytest.RSA(2048, 65536), "an RSA exponent"},
		"an exponent of 32 bits":  {publickeytest.RSA(2048, math.MaxInt32+2), "an RSA exponent"},
		"an exponent of 62 bits":  {publickeytest.RSA(2048, 1<<61+1), "an RSA exponent"},
		"everything at its worst": {publickeytest.RSA(100_000, 1<<61+1), "an RSA modulus"},
	} {
		der := publickeytest.Certificate(t, row.key)
		read, err := publickey.ParseCertificate(der)
		if row.says == "" {
			if err != nil || !publickey.Equal(read.PublicKey, row.key) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, publickey.ErrBounds) || !strings.Contains(err.Error(), row.says) || read != nil {
			t.Errorf("%s: got %v, want it to say %q", name, err, row.says)
		}
	}
	if _, err := publickey.ParseCertificate([]byte("none")); !errors.Is(err, publickey.ErrMalformed) {
		t.Errorf("no certificate: %v", err)
	}
}

// The key of every certificate counts, and so does their number.
func TestChains(t *testing.T) {
	good, giant := publickeytest.Certificate(t, publickeytest.RSA(2048, usual)), publickeytest.Certificate(t, publickeytest.RSA(65_536, usual))
	for name, row := range map[string]struct {
		chain [][]byte
		says  string
	}{
		"none":                   {nil, ""},
		"four":                   {[][]byte{good, good, good, good}, ""},
		"five":                   {[][]byte{good, good, good, good, good}, "a chain of 5 certificates; 4 are the most"},
		"a giant at the leaf":    {[][]byte{giant, good}, "certificate 0: "},
		"a giant above the leaf": {[][]byte{good, good, giant}, "certificate 2: "},
	} {
		read, err := publickey.ParseChain(row.chain)
		if row.says == "" && (err != nil || len(read) != len(row.chain)) || row.says != "" && (!errors.Is(err, publickey.ErrBounds) || !strings.Contains(err.Error(), row.says)) {
			t.Errorf("%s: got %d, %v", name, len(read), err)
		}
		parsed := make([]*x509.Certificate, len(row.chain))
		for i, der := range row.chain {
			if parsed[i], err = x509.ParseCertificate(der); err != nil {
				t.Fatal(err)
			}
		}
		if err := publickey.CheckCertificates(parsed); (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s, parsed by others: %v", name, err)
		}
	}
	long := &x509.Certificate{Raw: make([]byte, 16<<10+1)}
	if err := publickey.CheckCertificates([]*x509.Certificate{long}); !errors.Is(err, publickey.ErrBounds) {
		t.Errorf("a long one, parsed by others: %v", err)
	}
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// ec writes a fresh key on a curve.
func ec(t testing.TB, curve elliptic.Curve) map[string]any {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	half := len(point) / 2
	return map[string]any{"kty": "EC", "crv": curve.Params().Name, "x": encode(point[1 : 1+half]), "y": encode(point[1+half:])}
}

func koblitz(t testing.TB) map[string]any {
	t.Helper()
	key, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	point := key.PubKey().SerializeUncompressed()
	return map[string]any{"kty": "EC", "crv": "secp256k1", "x": encode(point[1:33]), "y": encode(point[33:])}
}

func edwards(t testing.TB) map[string]any {
	t.Helper()
	key, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": encode(key)}
}

func all() []publickey.Kind {
	return []publickey.Kind{publickey.RSA, publickey.P256, publickey.P384, publickey.P521, publickey.Secp256k1, publickey.Ed25519}
}

func TestKey(t *testing.T) {
	good := map[publickey.Kind]map[string]any{
		publickey.RSA: publickeytest.JWK(publickeytest.RSA(2048, usual)), publickey.P256: ec(t, elliptic.P256()), publickey.P384: ec(t, elliptic.P384()),
		publickey.P521: ec(t, elliptic.P521()), publickey.Secp256k1: koblitz(t), publickey.Ed25519: edwards(t),
	}
	for kind, jwk := range good {
		if key, err := publickey.Key(jwk, kind); err != nil || key == nil || !publickey.Strong(key) && kind == publickey.RSA {
			t.Errorf("%s: %v", kind, err)
		}
		for _, other := range all() {
			if key, err := publickey.Key(jwk, other); other != kind && (!errors.Is(err, publickey.ErrKind) || key != nil) {
				t.Errorf("%s, where only %s is asked for: %v", kind, other, err)
			}
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
			if key, err := publickey.Key(with(jwk, private, "AQ"), all()...); !errors.Is(err, publickey.ErrPrivate) || key != nil {
				t.Errorf("%s with %s: %v", kind, private, err)
			}
		}
	}
}

func with(jwk map[string]any, name string, value any) map[string]any {
	changed := map[string]any{name: value}
	for n, v := range jwk {
		if n != name {
			changed[n] = v
		}
	}
	return changed
}

// Each row breaks one member of a good key.
func TestKeysThatAreRefused(t *testing.T) {
	rsa2048, p256, ed := publickeytest.JWK(publickeytest.RSA(2048, usual)), ec(t, elliptic.P256()), edwards(t)
	x, _ := p256["x"].(string)
	n, _ := rsa2048["n"].(string)
	for name, row := range map[string]struct {
		jwk  map[string]any
		kind error
		says string
	}{
		"n of 8193 bits":        {publickeytest.JWK(publickeytest.RSA(8193, usual)), publickey.ErrBounds, "8193 bits"},
		"n of 720,000 bits":     {publickeytest.JWK(publickeytest.RSA(720_000, usual)), publickey.ErrBounds, "n has 120000 characters"},
		"n of 2047 bits":        {publickeytest.JWK(publickeytest.RSA(2047, usual)), publickey.ErrBounds, "2048 are the least"},
		"n with zeros before":   {with(rsa2048, "n", encode(make([]byte, 2000))), publickey.ErrBounds, "n has"},
		"n with a line break":   {with(rsa2048, "n", n[:100]+"\n"+n[100:]), publickey.ErrMalformed, "n is not a number"},
		"no n":                  {with(rsa2048, "n", nil), publickey.ErrMalformed, "n is not a number"},
		"n in hex":              {with(rsa2048, "n", "0x+/"), publickey.ErrMalformed, "n is not a number"},
		"e 1":                   {with(rsa2048, "e", "AQ"), publickey.ErrBounds, "an RSA exponent"},
		"e 0":                   {with(rsa2048, "e", "AA"), publickey.ErrBounds, "an RSA exponent"},
		"e even":                {with(rsa2048, "e", "AQAA"), publickey.ErrBounds, "an RSA exponent"},
		"e of 32 bits":          {with(rsa2048, "e", "_____w"), publickey.ErrBounds, "an RSA exponent"},
		"e of a thousand bytes": {with(rsa2048, "e", encode(make([]byte, 1000))), publickey.ErrBounds, "e has"},
		"no e":                  {with(rsa2048, "e", ""), publickey.ErrMalformed, "e is not a number"},
		"x off the curve":       {with(p256, "x", p256["y"]), publickey.ErrMalformed, "not on its curve"},
		"x too long":            {with(p256, "x", encode(make([]byte, 33))), publickey.ErrMalformed, "x or y is not 32 bytes"},
		"y too short":           {with(p256, "y", encode(make([]byte, 31))), publickey.ErrMalformed, "x or y is not 32 bytes"},
		"x of a megabyte":       {with(p256, "x", strings.Repeat("A", 1<<20)), publickey.ErrMalformed, "x or y is not 32 bytes"},
		"x with a line break":   {with(p256, "x", x[:42]+"\n"), publickey.ErrMalformed, "x or y"},
		"the point at infinity": {with(with(p256, "x", encode(make([]byte, 32))), "y", encode(make([]byte, 32))), publickey.ErrMalformed, "not on its curve"},
		"secp256k1, off":        {with(with(p256, "crv", "secp256k1"), "y", p256["x"]), publickey.ErrMalformed, "not on its curve"},
		"Ed25519 of 31 bytes":   {with(ed, "x", encode(make([]byte, 31))), publickey.ErrMalformed, "x is not 32 bytes"},
		"Ed25519 of low order":  {with(ed, "x", encode(make([]byte, 32))), publickey.ErrMalformed, "low order"},
		"Ed448":                 {with(ed, "crv", "Ed448"), publickey.ErrKind, "not used here"},
		"X25519":                {with(ed, "crv", "X25519"), publickey.ErrKind, "not used here"},
		"ML-DSA":                {map[string]any{"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}, publickey.ErrKind, "not used here"},
		"brainpool":             {with(p256, "crv", "BP-256"), publickey.ErrKind, "not used here"},
		"a secret":              {map[string]any{"kty": "oct", "k": "AAAA"}, publickey.ErrPrivate, "k"},
		"no kty":                {with(p256, "kty", nil), publickey.ErrKind, "not used here"},
	} {
		key, err := publickey.Key(row.jwk, all()...)
		if key != nil || !errors.Is(err, row.kind) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: got %v, want %v and %q", name, err, row.kind, row.says)
		}
	}
}

// Java's numbers have a zero in front when the highest bit is set.
func TestNumbersWithALeadingZero(t *testing.T) {
	key := publickeytest.RSA(8192, usual)
	jwk := with(publickeytest.JWK(key), "n", encode(append([]byte{0}, key.N.Bytes()...)))
	if read, err := publickey.Key(jwk, publickey.RSA); err != nil || !publickey.Equal(read, key) {
		t.Errorf("got %v", err)
	}
}

func TestP256Key(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if read, err := publickey.P256Key(point[1:33], point[33:]); err != nil || !publickey.Equal(read, key.Public()) {
		t.Errorf("got %v", err)
	}
	for name, xy := range map[string][2][]byte{"swapped": {point[33:], point[1:33]}, "short": {point[1:32], point[33:]}, "long": {point[1:33], point[32:]}, "none": {}} {
		if read, err := publickey.P256Key(xy[0], xy[1]); !errors.Is(err, publickey.ErrMalformed) || read != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
