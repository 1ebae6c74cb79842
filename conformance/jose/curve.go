package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/lestrrat-go/jwx/v3/jwa"
	jwxecdsa "github.com/lestrrat-go/jwx/v3/jwk/ecdsa"
	"github.com/lestrrat-go/jwx/v3/jws/jwsbb"
)

// registerSecp256k1 teaches jwx the curve, once, which it knows under a build tag only.
//
//nolint:gochecknoglobals // the registry is jwx's own
var registerSecp256k1 = sync.OnceFunc(func() {
	name := jwa.NewEllipticCurveAlgorithm("secp256k1")
	jwa.RegisterEllipticCurveAlgorithm(name)
	jwxecdsa.RegisterCurve(name, koblitz())
})

// koblitz is secp256k1 as crypto/ecdsa takes a curve, which is how jwx has keys on it.
func koblitz() elliptic.Curve {
	return secp256k1.S256() //nolint:staticcheck // deprecated for speed and safety, and a counterpart needs neither
}

// sign makes a signature. ES256K is ECDSA with SHA-256 on secp256k1 (RFC 8812 §3.2), of which jwx has the parts.
func sign(key any, algorithm string, input []byte) ([]byte, error) {
	if private, ok := key.(*ecdsa.PrivateKey); ok && algorithm == ES256K {
		return jwsbb.SignECDSA(private, input, crypto.SHA256, rand.Reader)
	}
	return jwsbb.Sign(key, algorithm, input, rand.Reader)
}

func verify(key any, algorithm string, input, signature []byte) error {
	if public, ok := key.(*ecdsa.PublicKey); ok && algorithm == ES256K {
		return jwsbb.VerifyECDSA(public, input, signature, crypto.SHA256)
	}
	return jwsbb.Verify(key, algorithm, input, signature)
}

// Generate makes a key for an algorithm on an elliptic curve.
func Generate(algorithm string) (crypto.Signer, error) {
	var curve elliptic.Curve
	switch algorithm {
	case ES256K:
		curve = koblitz()
	case ES256:
		curve = elliptic.P256()
	case ES384:
		curve = elliptic.P384()
	case EdDSA:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	default:
		return nil, fmt.Errorf("making a key: no curve goes with %q", algorithm)
	}
	return ecdsa.GenerateKey(curve, rand.Reader)
}
