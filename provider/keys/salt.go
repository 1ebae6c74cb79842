package keys

import (
	"crypto"
	"crypto/rsa"
	"io"
)

// saltOfHashLength signs PS256 with a salt of 32 octets, as RFC 7518 §3.5 requires: "The size of the salt value is
// the same size as the hash function output." The signer behind go-jose uses the longest possible salt, which Go's
// verifiers accept and all others refuse.
type saltOfHashLength struct{ crypto.Signer }

// Sign implements crypto.Signer.
func (s saltOfHashLength) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: pss.Hash}
	}
	return s.Signer.Sign(random, digest, opts)
}
