package wallet

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
	"regain/conformance/mdoc"
	"regain/conformance/sdjwt"
)

var errNotBound = errors.New("it is not bound to the key that was proven")

// inspector checks credentials before the wallet keeps them.
type inspector struct {
	anchors *x509.CertPool // nil takes every issuer, checking signatures only
	clock   func() time.Time
	random  io.Reader // names
}

// inspect checks a credential that an issuer handed over before the wallet keeps it: signature and
// chain, type, dates, the holder key in it, and that everything in it has its digest. No type
// means any type; no holder means that there must be none in it.
func (i inspector) inspect(format, raw, typ string, holder *ecdsa.PublicKey) (Credential, error) {
	var c Credential
	var err error
	switch format {
	case sdJWTFormat:
		c, err = i.inspectSDJWT(raw, holder)
	case mdocFormat:
		c, err = i.inspectMdoc(raw, holder)
	default:
		err = errors.New("it is of a format that this wallet cannot hold")
	}
	if err != nil {
		return Credential{}, err
	}
	if typ != "" && c.Type != typ {
		return Credential{}, fmt.Errorf("its type is not %s", typ)
	}
	if c.expired(i.clock()) {
		return Credential{}, errors.New("it has expired already")
	}
	c.Format, c.Name = format, c.Type
	c.ID, err = i.name()
	return c, err
}

func (i inspector) inspectSDJWT(raw string, holder *ecdsa.PublicKey) (Credential, error) {
	token, err := sdjwt.Parse(raw)
	if err != nil {
		return Credential{}, err
	}
	signed, err := jose.ParseTyped(token.JWT(), sdJWTFormat)
	if err != nil {
		return Credential{}, err
	}
	payload, by, err := signed.VerifyChained(i.anchors, i.clock())
	if err != nil {
		return Credential{}, err
	}
	var open struct {
		VCT string `json:"vct"`
		JTI string `json:"jti"`
		IAT int64  `json:"iat"`
		EXP int64  `json:"exp"`
		CNF *struct {
			JWK *jose.JWK `json:"jwk"`
		} `json:"cnf"`
	}
	if err := json.Unmarshal(payload, &open); err != nil {
		return Credential{}, fmt.Errorf("reading its claims: %w", err)
	}
	switch {
	case open.VCT == "":
		return Credential{}, errors.New("it has no vct")
	case holder == nil && open.CNF != nil:
		return Credential{}, errors.New("it is bound to a key that is not this wallet's")
	case holder != nil && (open.CNF == nil || open.CNF.JWK == nil || !holder.Equal(open.CNF.JWK.Key)):
		return Credential{}, errNotBound
	}
	c := Credential{
		Type: open.VCT, Issuer: by.Name(), JTI: open.JTI, Issued: time.Unix(open.IAT, 0), token: token, akis: by.AKIs(),
	}
	if open.EXP != 0 {
		c.Expires = time.Unix(open.EXP, 0)
	}
	return c, nil
}

// inspectMdoc reads a base64url IssuerSigned (OpenID4VCI 1.0 Appendix A.2.4).
func (i inspector) inspectMdoc(raw string, holder *ecdsa.PublicKey) (Credential, error) {
	bytes, err := base64.RawURLEncoding.DecodeString(raw)
	if err != nil {
		return Credential{}, errors.New("it is not base64url")
	}
	doc, err := mdoc.Parse(bytes)
	if err != nil {
		return Credential{}, err
	}
	if err := doc.Verify(i.anchors, i.clock()); err != nil {
		return Credential{}, err
	}
	if holder == nil || !holder.Equal(doc.DeviceKey()) {
		return Credential{}, errNotBound
	}
	return Credential{
		Type: doc.DocType(), Issuer: doc.Chain().Name(), JTI: doc.ID(), Issued: doc.Signed(), Expires: doc.Until(),
		doc: doc, akis: doc.Chain().AKIs(),
	}, nil
}

// name draws what the wallet calls a credential.
func (i inspector) name() (string, error) {
	var raw [12]byte
	if _, err := io.ReadFull(i.random, raw[:]); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}

func (c Credential) expired(now time.Time) bool {
	return !c.Expires.IsZero() && !now.Before(c.Expires)
}
