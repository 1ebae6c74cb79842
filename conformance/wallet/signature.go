package wallet

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// signatureAlgorithms are the signatures the wallet accepts from issuers and verifiers; HAIP 1.0
// §7 makes ES256 the one everybody has.
func signatureAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.ES512, jose.PS256, jose.RS256}
}

// signer holds what a JWS says about who signed it, once that was verified.
type signer struct {
	leaf  *x509.Certificate
	chain []*x509.Certificate
}

// name is what a person is shown: the common name, or the organisation.
func (s signer) name() string {
	subject := s.leaf.Subject
	if subject.CommonName != "" {
		return subject.CommonName
	}
	return strings.Join(subject.Organization, ", ")
}

// akis returns the base64url KeyIdentifiers that a DCQL query of type aki may name.
func (s signer) akis() []string {
	var ids []string
	for _, c := range s.chain {
		if len(c.AuthorityKeyId) > 0 {
			ids = append(ids, base64.RawURLEncoding.EncodeToString(c.AuthorityKeyId))
		}
	}
	return ids
}

// signedBy says how a JWS has to be signed.
type signedBy struct {
	typ     string
	anchors *x509.CertPool // nil: any certificate, so the signature proves integrity only
	now     time.Time
}

// verify checks a compact JWS: its typ, its certificate chain (leaf first, not self-signed,
// without the trust anchor: HAIP 1.0 §5, §6.1.1) and its signature by the leaf's key.
func (want signedBy) verify(compact string) ([]byte, signer, error) {
	jws, err := jose.ParseSignedCompact(compact, signatureAlgorithms())
	if err != nil { // go-jose's error quotes the header, which is a stranger's text
		return nil, signer{}, errors.New("it is not a signed JWT of an accepted algorithm")
	}
	header, err := protectedHeader(compact)
	if err != nil {
		return nil, signer{}, err
	}
	if header.Type != want.typ {
		return nil, signer{}, fmt.Errorf("its typ is not %s", want.typ)
	}
	chain, err := header.certificates()
	if err != nil {
		return nil, signer{}, err
	}
	by := signer{leaf: chain[0], chain: chain}
	if err := want.trust(chain); err != nil {
		return nil, signer{}, err
	}
	payload, err := jws.Verify(by.leaf.PublicKey)
	if err != nil {
		return nil, signer{}, errors.New("its signature is not by the key of its certificate")
	}
	return payload, by, nil
}

func (want signedBy) trust(chain []*x509.Certificate) error {
	for _, c := range chain {
		if bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil {
			return errors.New("its x5c holds a self-signed certificate")
		}
	}
	if want.anchors == nil {
		return nil
	}
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: want.anchors, Intermediates: intermediates, CurrentTime: want.now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("its certificate is not trusted: %w", err)
	}
	return nil
}

// joseHeader is the part of a protected header that the wallet reads itself.
type joseHeader struct {
	Type string   `json:"typ"`
	X5C  []string `json:"x5c"`
}

func protectedHeader(compact string) (joseHeader, error) {
	segment, _, _ := strings.Cut(compact, ".")
	raw, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		return joseHeader{}, errors.New("its header is not base64url")
	}
	var h joseHeader
	if err := json.Unmarshal(raw, &h); err != nil {
		return joseHeader{}, errors.New("its header is not the JSON expected")
	}
	return h, nil
}

func (h joseHeader) certificates() ([]*x509.Certificate, error) {
	if len(h.X5C) == 0 || len(h.X5C) > 8 {
		return nil, errors.New("its x5c holds no certificate or too many")
	}
	var chain []*x509.Certificate
	for _, entry := range h.X5C {
		der, err := base64.StdEncoding.DecodeString(entry)
		if err != nil {
			return nil, errors.New("its x5c is not base64")
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, errors.New("its x5c holds something that is no certificate")
		}
		chain = append(chain, certificate)
	}
	return chain, nil
}

// sign writes a compact JWS by a holder key. With withKey the public key stands in the header.
func sign(key *ecdsa.PrivateKey, typ string, withKey bool, claims any) (string, error) {
	options := (&jose.SignerOptions{EmbedJWK: withKey}).WithType(jose.ContentType(typ))
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		return "", fmt.Errorf("making a signer for %s: %w", typ, err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding %s: %w", typ, err)
	}
	jws, err := s.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing %s: %w", typ, err)
	}
	return jws.CompactSerialize()
}
