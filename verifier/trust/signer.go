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

// documentSigner is id-mdl-kp-mdlDS, the extended key usage of mdoc document signers (ISO 18013-5 Annex B.1.4).
func documentSigner() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 0, 18013, 5, 1, 2} }

// CheckDocument is Check for an mdoc, which names no issuer besides its certificates. The leaf must be a document
// signer: an issuing authority certifies mdoc readers and CRL signers under the same anchor. It must have been valid
// when the MSO was signed (ISO 18013-5 §9.3.1). validUntil of the MSO may be later than the end of the certificate, as
// in the example of ISO 18013-5, but the chain must be valid at now, so the mdoc ends with its certificate.
func (r *Rules) CheckDocument(chain [][]byte, docType string, signed, now time.Time) error {
	v, err := r.check(chain, docType, "", now)
	if err != nil {
		return err
	}
	if !v.pinned && !slices.ContainsFunc(v.leaf.UnknownExtKeyUsage, documentSigner().Equal) {
		return fmt.Errorf("%w: the leaf is not a document signer certificate", ErrUntrusted)
	}
	if signed.Before(v.leaf.NotBefore) || signed.After(v.leaf.NotAfter) {
		return fmt.Errorf("%w: signed when its certificate was not valid", ErrUntrusted)
	}
	return nil
}

type signer struct {
	*x509.Certificate
	key *ecdsa.PublicKey
}

// pin refuses signer certificates whose key is not on P-256: no credential could be verified with it.
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

// pinned returns the pinned signer that equals the chain's leaf, or nil. The rest of the chain is ignored and must not
// be cached: in an mdoc it is not signed, so the holder can vary it at will.
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
