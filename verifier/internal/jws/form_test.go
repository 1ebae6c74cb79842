package jws_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"regain/verifier/internal/jws"
	"regain/verifier/verifiertest"
)

// everything takes what JWT VCs of 2022 are: any of the algorithms, typ JWT or none.
func everything() jws.Form {
	return jws.Form{Types: []string{"JWT", ""}, Algorithms: []jws.Algorithm{jws.ES256, jws.ES256K, jws.EdDSA, jws.Ed25519}}
}

func TestVerifyEachAlgorithm(t *testing.T) {
	signers := map[string]*verifiertest.Signer{}
	for _, name := range []string{"ES256", "ES256K", "EdDSA"} {
		signers[name] = verifiertest.NewSigner(t, name)
	}
	for name, signer := range signers {
		parsed, err := everything().ParseInsecure(signer.Sign(t, map[string]any{"typ": "JWT", "kid": "#1"}, map[string]any{"a": 1}))
		if err != nil {
			t.Fatal(err)
		}
		if parsed.KeyID != "#1" {
			t.Errorf("%s: kid is %q", name, parsed.KeyID)
		}
		for other, signs := range signers { // first the wrong ones: a success is remembered
			if err := parsed.Verify(signs.Public()); other != name && !errors.Is(err, jws.ErrSignature) {
				t.Errorf("%s with the key of %s: %v", name, other, err)
			}
		}
		if err := parsed.Verify(verifiertest.NewSigner(t, name).Public()); !errors.Is(err, jws.ErrSignature) {
			t.Errorf("%s with another key: %v", name, err)
		}
		for range 2 {
			if err := parsed.Verify(signer.Public()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, none := range []any{nil, (*ecdsa.PublicKey)(nil), (*secp256k1.PublicKey)(nil), ed25519.PublicKey(nil), "key"} {
			if err := parsed.Verify(none); !errors.Is(err, jws.ErrSignature) {
				t.Errorf("%s with %T: %v", name, none, err)
			}
		}
	}
}

// TestVerifyRefusesAnotherAlg signs well with a key and says in alg that it was another.
func TestVerifyRefusesAnotherAlg(t *testing.T) {
	for _, tt := range [][2]string{{"ES256", "ES256K"}, {"ES256K", "ES256"}, {"EdDSA", "ES256K"}, {"ES256", "EdDSA"}, {"ES256K", "Ed25519"}} {
		signer := verifiertest.NewSigner(t, tt[0])
		parsed, err := everything().ParseInsecure(signer.Sign(t, map[string]any{"alg": tt[1]}, map[string]any{}))
		if err != nil {
			t.Fatal(err)
		}
		if err := parsed.Verify(signer.Public()); !errors.Is(err, jws.ErrSignature) {
			t.Errorf("%s as %s: %v", tt[0], tt[1], err)
		}
	}
	signer := verifiertest.NewSigner(t, "EdDSA") // but for Ed25519, which is a name of the same (RFC 9864 §2.2)
	parsed, err := everything().ParseInsecure(signer.Sign(t, map[string]any{"alg": "Ed25519"}, map[string]any{}))
	if err != nil || parsed.Verify(signer.Public()) != nil {
		t.Errorf("Ed25519: %v, %v", err, parsed.Verify(signer.Public()))
	}
}

func TestFormRefuses(t *testing.T) {
	signer := verifiertest.NewSigner(t, "ES256K")
	for name, row := range map[string]struct {
		header map[string]any
		why    string
	}{
		"none":             {map[string]any{"alg": "none"}, "alg is not accepted"},
		"HS256":            {map[string]any{"alg": "HS256"}, "alg is not accepted"},
		"ES384":            {map[string]any{"alg": "ES384"}, "alg is not accepted"},
		"lower case":       {map[string]any{"alg": "es256k"}, "alg is not accepted"},
		"a list of alg":    {map[string]any{"alg": []string{"ES256K"}}, "alg is not accepted"},
		"no alg":           {map[string]any{"alg": nil}, "alg is not accepted"},
		"another typ":      {map[string]any{"typ": "dc+sd-jwt"}, "typ is not accepted"},
		"typ in lower":     {map[string]any{"typ": "jwt"}, "typ is not accepted"},
		"typ that is none": {map[string]any{"typ": ""}, "typ is not accepted"},
		"typ no string":    {map[string]any{"typ": 1}, "typ is not accepted"},
		"kid no string":    {map[string]any{"kid": 1}, "kid is not a string"},
		"kid that is none": {map[string]any{"kid": ""}, "kid is not a string"},
		"crit":             {map[string]any{"crit": []string{"exp"}}, "header has crit"},
		"jwk":              {map[string]any{"jwk": signer.JWK(t)}, "header has jwk"},
	} {
		_, err := everything().ParseInsecure(signer.Sign(t, row.header, map[string]any{}))
		malformed(t, name, err, row.why)
	}
	text := signer.Sign(t, map[string]any{"typ": "JWT"}, map[string]any{})
	for name, row := range map[string]struct {
		form jws.Form
		why  string
	}{
		"nothing":           {jws.Form{}, "alg is not accepted"},
		"no algorithm":      {jws.Form{Types: []string{"JWT"}}, "alg is not accepted"},
		"another algorithm": {jws.Form{Types: []string{"JWT"}, Algorithms: []jws.Algorithm{jws.ES256, jws.EdDSA}}, "alg is not accepted"},
		"none but no typ":   {jws.Form{Types: []string{""}, Algorithms: []jws.Algorithm{jws.ES256K}}, "typ is not accepted"},
	} {
		_, err := row.form.ParseInsecure(text)
		malformed(t, "form takes "+name, err, row.why)
	}
	_, err := jws.ParseInsecure(text, "JWT")
	malformed(t, "ES256K where ES256 alone is taken", err, "alg is not accepted")
	_, err = jws.ParseInsecure(verifiertest.NewSigner(t, "ES256").Sign(t, nil, map[string]any{}), "JWT")
	malformed(t, "no typ where one is asked for", err, "typ is not accepted")
}

// TestVerifyKoblitzSignatures spells one signature in every way that it has. The two that verify are (r, s) and (r, n-s).
func TestVerifyKoblitzSignatures(t *testing.T) {
	signer := verifiertest.NewSigner(t, "ES256K")
	text := signer.Sign(t, nil, map[string]any{"a": 1})
	cut := strings.LastIndexByte(text, '.') + 1
	raw, err := base64.RawURLEncoding.DecodeString(text[cut:])
	if err != nil {
		t.Fatal(err)
	}
	n := secp256k1.Params().N
	r, s := new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])
	for name, tt := range map[string]struct {
		r, s *big.Int
		ok   bool
	}{
		"as signed":    {r, s, true},
		"the other s":  {r, new(big.Int).Sub(n, s), true},
		"the other r":  {new(big.Int).Sub(n, r), s, false},
		"r of zero":    {new(big.Int), s, false},
		"s of zero":    {r, new(big.Int), false},
		"s is n":       {r, n, false},
		"r is n":       {n, s, false},
		"all bits set": {new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)), s, false},
		"swapped":      {s, r, false},
	} {
		signature := make([]byte, 64)
		tt.r.FillBytes(signature[:32])
		tt.s.FillBytes(signature[32:])
		parsed, err := everything().ParseInsecure(text[:cut] + verifiertest.Encode(signature))
		if err != nil {
			t.Fatal(err)
		}
		if err := parsed.Verify(signer.Public()); tt.ok != (err == nil) || err != nil && !errors.Is(err, jws.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, changed := range map[string][]byte{"DER": append([]byte{0x30, 0x44}, raw...), "with a recovery id": append(raw[:64:64], 0), "r alone": raw[:32], "nothing": {}} {
		_, err := everything().ParseInsecure(text[:cut] + verifiertest.Encode(changed))
		malformed(t, name, err, "signature is not 64 bytes")
	}
}

func TestKey(t *testing.T) {
	for _, name := range []string{"ES256", "ES256K", "EdDSA"} {
		signer := verifiertest.NewSigner(t, name)
		key, err := jws.Key(signer.JWK(t))
		if err != nil || !jws.SameKey(key, signer.Public()) || !jws.SameKey(signer.Public(), key) {
			t.Errorf("%s: %v", name, err)
		}
		for _, other := range []any{nil, verifiertest.NewSigner(t, name).Public(), (*ecdsa.PublicKey)(nil), (*secp256k1.PublicKey)(nil), ed25519.PublicKey(nil)} {
			if jws.SameKey(key, other) || jws.SameKey(other, key) || jws.SameKey(other, nil) {
				t.Errorf("%s is the same as %T", name, other)
			}
		}
	}
}

// TestNoKeyIsTheSame holds that two that are missing are not the same: a Face Check of nobody's key is bound to nobody.
func TestNoKeyIsTheSame(t *testing.T) {
	for _, none := range []any{nil, (*ecdsa.PublicKey)(nil), (*secp256k1.PublicKey)(nil), ed25519.PublicKey(nil), "key"} {
		if jws.SameKey(none, none) {
			t.Errorf("%T is the same as itself", none)
		}
	}
}

func TestKeyRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		change func(jwk map[string]any)
		why    string
	}{
		"private":         {func(jwk map[string]any) { jwk["d"] = jwk["x"] }, "a private key: it has the member d"},
		"symmetric":       {func(jwk map[string]any) { jwk["k"] = jwk["x"] }, "a private key: it has the member k"},
		"kty":             {func(jwk map[string]any) { jwk["kty"] = "RSA" }, "a kind of key that is not used here"},
		"kty no string":   {func(jwk map[string]any) { jwk["kty"] = map[string]any{} }, "a kind of key that is not used here"},
		"curve":           {func(jwk map[string]any) { jwk["crv"] = "P-384" }, "a kind of key that is not used here"},
		"no curve":        {func(jwk map[string]any) { delete(jwk, "crv") }, "a kind of key that is not used here"},
		"X25519":          {func(jwk map[string]any) { jwk["kty"], jwk["crv"] = "OKP", "X25519" }, "a kind of key that is not used here"},
		"curve of others": {func(jwk map[string]any) { jwk["kty"] = map[any]any{"EC": "OKP", "OKP": "EC"}[jwk["kty"]] }, "a kind of key that is not used here"},
		"no x":            {func(jwk map[string]any) { delete(jwk, "x") }, "32 bytes of base64url"},
		"x no string":     {func(jwk map[string]any) { jwk["x"] = 1 }, "32 bytes of base64url"},
		"x too short":     {func(jwk map[string]any) { jwk["x"] = verifiertest.Encode(make([]byte, 31)) }, "32 bytes of base64url"},
		"x too long":      {func(jwk map[string]any) { jwk["x"] = verifiertest.Encode(make([]byte, 33)) }, "32 bytes of base64url"},
		"x with padding":  {func(jwk map[string]any) { jwk["x"] = jwk["x"].(string) + "=" }, "32 bytes of base64url"},
	} {
		for _, algorithm := range []string{"ES256", "ES256K", "EdDSA"} {
			jwk := verifiertest.NewSigner(t, algorithm).JWK(t)
			row.change(jwk)
			if key, err := jws.Key(jwk); !errors.Is(err, jws.ErrMalformed) || !strings.Contains(err.Error(), row.why) || key != nil {
				t.Errorf("%s, %s: %v, %v", algorithm, name, key, err)
			}
		}
	}
	for _, algorithm := range []string{"ES256", "ES256K"} {
		for name, row := range map[string]struct {
			change func(jwk map[string]any)
			why    string
		}{
			"off the curve": {func(jwk map[string]any) { jwk["x"], jwk["y"] = jwk["y"], jwk["x"] }, "it is not on its curve"},
			"no y":          {func(jwk map[string]any) { delete(jwk, "y") }, "32 bytes of base64url"},
			"infinity": {func(jwk map[string]any) {
				jwk["x"], jwk["y"] = verifiertest.Encode(make([]byte, 32)), verifiertest.Encode(make([]byte, 32))
			}, "it is not on its curve"},
			"the other curve": {func(jwk map[string]any) {
				jwk["crv"] = map[any]any{"P-256": "secp256k1", "secp256k1": "P-256"}[jwk["crv"]]
			}, "it is not on its curve"},
		} {
			jwk := verifiertest.NewSigner(t, algorithm).JWK(t)
			row.change(jwk)
			if key, err := jws.Key(jwk); !errors.Is(err, jws.ErrMalformed) || !strings.Contains(err.Error(), row.why) || key != nil {
				t.Errorf("%s, %s: %v, %v", algorithm, name, key, err)
			}
		}
	}
}

// TestVerifyKoblitzReducesNothing makes a key for which s = 1 verifies, and writes s as n + 1, which fits 32 bytes too.
func TestVerifyKoblitzReducesNothing(t *testing.T) {
	text := verifiertest.Encode([]byte(`{"alg":"ES256K"}`)) + "." + verifiertest.Encode([]byte(`{}`))
	n, digest := secp256k1.Params().N, sha256.Sum256([]byte(text))
	k, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	r := new(big.Int).Mod(k.PubKey().X(), n)
	d := new(big.Int).SetBytes(k.Serialize()) // s = (z + rd)/k, so that s = 1 where d = (k - z)/r
	d.Sub(d, new(big.Int).SetBytes(digest[:]))
	d.Mul(d, new(big.Int).ModInverse(r, n)).Mod(d, n)
	key := secp256k1.PrivKeyFromBytes(d.FillBytes(make([]byte, 32))).PubKey()
	for s, ok := range map[*big.Int]bool{big.NewInt(1): true, new(big.Int).Add(n, big.NewInt(1)): false} {
		parsed, err := everything().ParseInsecure(text + "." + verifiertest.Encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)))
		if err != nil {
			t.Fatal(err)
		}
		if err := parsed.Verify(key); ok != (err == nil) {
			t.Errorf("s of %d bits: %v", s.BitLen(), err)
		}
	}
}
