package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/lestrrat-go/dsig"
	"github.com/lestrrat-go/jwx/v3/jwa"
	jwxecdsa "github.com/lestrrat-go/jwx/v3/jwk/ecdsa"
	"github.com/lestrrat-go/jwx/v3/jws"
)

// registerES256K teaches jwx ES256K and its curve, once, which it knows under a build tag only.
//
//nolint:gochecknoglobals // jwx has a registry of its own
var registerES256K = sync.OnceFunc(func() {
	curve := jwa.NewEllipticCurveAlgorithm("secp256k1")
	jwa.RegisterEllipticCurveAlgorithm(curve)
	jwxecdsa.RegisterCurve(curve, secp256k1.S256())
	jws.RegisterAlgorithmForCurve(curve, jwa.ES256K())
	err := errors.Join(jws.RegisterSigner(jwa.ES256K(), es256k{}), jws.RegisterVerifier(jwa.ES256K(), es256k{}))
	if err != nil {
		panic(err) // only for types that are no signer and no verifier
	}
})

// es256k signs with ECDSA on secp256k1 and SHA-256 (RFC 8812 §3.2).
type es256k struct{}

// Algorithm names it.
func (es256k) Algorithm() jwa.SignatureAlgorithm { return jwa.ES256K() }

// Sign is jws.Signer2.
func (es256k) Sign(key any, payload []byte) ([]byte, error) {
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok || private.Curve != secp256k1.S256() {
		return nil, errors.New("it is no private key on secp256k1")
	}
	return dsig.SignECDSA(private, payload, crypto.SHA256, rand.Reader)
}

// Verify is jws.Verifier2.
func (es256k) Verify(key any, payload, signature []byte) error {
	public, ok := key.(*ecdsa.PublicKey)
	if !ok || public.Curve != secp256k1.S256() {
		return errors.New("it is no public key on secp256k1")
	}
	return dsig.VerifyECDSA(public, payload, signature, crypto.SHA256)
}

// Generate makes a key for an algorithm on an elliptic curve.
func Generate(algorithm string) (crypto.Signer, error) {
	var curve elliptic.Curve
	switch algorithm {
	case ES256K:
		curve = secp256k1.S256()
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
