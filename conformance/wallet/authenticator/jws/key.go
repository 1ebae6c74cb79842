package jws

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	koblitz "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// ErrUnsupported reports an algorithm or a kind of key that is not of the profile.
var ErrUnsupported = errors.New("no such algorithm here")

// Key is a private key. It prints as its algorithm only.
type Key struct {
	private any // *secp256k1.PrivateKey, *ecdsa.PrivateKey or ed25519.PrivateKey
	public  Public
}

// Generate makes a key for an algorithm.
func Generate(random io.Reader, alg Algorithm) (*Key, error) {
	k, err := generate(random, alg)
	if err != nil {
		return nil, fmt.Errorf("making a key for %s: %w", alg, err)
	}
	return k, nil
}

func generate(random io.Reader, alg Algorithm) (*Key, error) {
	switch alg {
	case ES256K:
		private, err := secp256k1.GeneratePrivateKeyFromRand(random)
		if err != nil {
			return nil, err
		}
		return &Key{private, Public{private.PubKey()}}, nil
	case ES256, ES384:
		private, err := ecdsa.GenerateKey(curveOf(alg), random)
		if err != nil {
			return nil, err
		}
		return &Key{private, Public{&private.PublicKey}}, nil
	case EdDSA:
		public, private, err := ed25519.GenerateKey(random)
		if err != nil {
			return nil, err
		}
		return &Key{private, Public{public}}, nil
	}
	return nil, ErrUnsupported
}

func curveOf(alg Algorithm) elliptic.Curve {
	if alg == ES384 {
		return elliptic.P384()
	}
	return elliptic.P256()
}

// Algorithm is the one algorithm that the key signs with.
func (k *Key) Algorithm() Algorithm { return k.public.Algorithm() }

// Public returns the public half.
func (k *Key) Public() Public { return k.public }

// sign returns the signature as JWS has it: two numbers of full length (RFC 7518 §3.4), or
// Ed25519's own.
func (k *Key) sign(message []byte) ([]byte, error) {
	switch private := k.private.(type) {
	case *secp256k1.PrivateKey:
		sum := sha256.Sum256(message)
		return koblitz.SignCompact(private, sum[:], false)[1:], nil // without the recovery code
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(nil, private, digest(private.Curve, message))
		if err != nil {
			return nil, err
		}
		size := (private.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
	case ed25519.PrivateKey:
		return ed25519.Sign(private, message), nil
	}
	return nil, ErrUnsupported
}

func digest(curve elliptic.Curve, message []byte) []byte {
	if curve == elliptic.P384() {
		sum := sha512.Sum384(message)
		return sum[:]
	}
	sum := sha256.Sum256(message)
	return sum[:]
}

func (p Public) verify(message, signature []byte) bool {
	half := len(signature) / 2
	switch key := p.key.(type) {
	case *secp256k1.PublicKey:
		return len(signature) == 64 && verifyKoblitz(key, message, signature)
	case *ecdsa.PublicKey:
		if half != (key.Params().BitSize+7)/8 || len(signature) != 2*half {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
		return ecdsa.Verify(key, digest(key.Curve, message), r, s)
	case ed25519.PublicKey:
		return ed25519.Verify(key, message, signature)
	}
	return false
}

// verifyKoblitz takes both of the two s that verify: RFC 8812 asks for neither.
func verifyKoblitz(key *secp256k1.PublicKey, message, signature []byte) bool {
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(signature[:32]) || s.SetByteSlice(signature[32:]) || r.IsZero() || s.IsZero() {
		return false // a number that is no scalar
	}
	sum := sha256.Sum256(message)
	return koblitz.NewSignature(&r, &s).Verify(sum[:], key)
}

// String names the algorithm.
func (k *Key) String() string { return "private key for " + string(k.Algorithm()) }

// GoString is String: %#v must not print the key either.
func (k *Key) GoString() string { return k.String() }

// LogValue is String for slog.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText is String for JSON.
func (k *Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
