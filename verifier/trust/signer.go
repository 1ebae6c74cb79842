package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"
)

// documentSigner is id-mdl-kp-mdlDS, the extended key usage of who may sign mdocs (ISO 18013-5 Annex B.1.4).
func documentSigner() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 0, 18013, 5, 1, 2} }

// CheckDocument is Check for an mdoc, which names no issuer beside its certificates. The leaf must be a document
// signer's: an authority that issues driving licences certifies readers and lists of revoked ones too. And it must have
// been valid when the MSO was signed (ISO 18013-5 §9.3.1). The MSO may end after its certificate, as it does in the
// standard's own example; it is worth nothing from then on all the same, since the chain has to hold now.
func (r *Rules) CheckDocument(chain [][]byte, docType string, signed, now time.Time) error {
	v, err := r.check(chain, docType, "", now)
	if err != nil {
		return err
	}
	if !v.pinned && !slices.ContainsFunc(v.leaf.UnknownExtKeyUsage, documentSigner().Equal) {
		return fmt.Errorf("%w: the leaf is not a document signer's", ErrUntrusted)
	}
	if signed.Before(v.leaf.NotBefore) || signed.After(v.leaf.NotAfter) {
		return fmt.Errorf("%w: signed when its certificate was not valid", ErrUntrusted)
	}
	return nil
}

// signer is a pinned one.
type signer struct {
	*x509.Certificate
	key *ecdsa.PublicKey
}

// pin refuses signers with whose key no credential could be verified.
func pin(certificates []*x509.Certificate) ([]signer, error) {
	signers := make([]signer, 0, len(certificates))
	for _, c := range certificates {
		if c == nil {
			return nil, errors.New("a signer is missing")
		}
		key, ok := c.PublicKey.(*ecdsa.PublicKey)
		if !ok || key.Curve != elliptic.P256() {
			return nil, errors.New("a signer's key is not on P-256")
		}
		signers = append(signers, signer{Certificate: c, key: key})
	}
	return signers, nil
}

// pinned returns the signer that a chain's leaf is, or nil. What follows the leaf does not matter, and must not get into
// the cache: in an mdoc nobody signs it.
func (r rule) pinned(chain [][]byte) *signer {
	for i, one := range r.signers {
		if len(chain) > 0 && bytes.Equal(chain[0], one.Raw) {
			return &r.signers[i]
		}
	}
	return nil
}

func verifiedSigner(s *signer, now time.Time) (verified, error) {
	if now.Before(s.NotBefore) || now.After(s.NotAfter) {
		return verified{}, fmt.Errorf("%w: the pinned signer has expired, or is not valid yet", ErrUntrusted)
	}
	return verified{notBefore: s.NotBefore, notAfter: s.NotAfter, key: s.key, leaf: s.Certificate, pinned: true}, nil
}
