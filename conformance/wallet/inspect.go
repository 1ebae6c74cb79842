package wallet

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/jws"
	"regain/conformance/wallet/sdjwt"
)

// inspect checks a credential that an issuer handed over before the wallet keeps it: signature and
// chain, type, dates, the holder key in it, and that every disclosure has its digest.
func (w *Wallet) inspect(raw, vct string, holder *ecdsa.PublicKey) (Credential, error) {
	token, err := sdjwt.Parse(raw)
	if err != nil {
		return Credential{}, err
	}
	want := jws.Chained{Type: sdJWTFormat, Anchors: w.cfg.IssuerAnchors, Now: w.cfg.Clock()}
	payload, by, err := want.Verify(token.JWT())
	if err != nil {
		return Credential{}, err
	}
	var open struct {
		VCT string `json:"vct"`
		JTI string `json:"jti"`
		IAT int64  `json:"iat"`
		EXP int64  `json:"exp"`
		CNF struct {
			JWK *jose.JSONWebKey `json:"jwk"`
		} `json:"cnf"`
	}
	if err := json.Unmarshal(payload, &open); err != nil {
		return Credential{}, fmt.Errorf("reading its claims: %w", err)
	}
	if open.VCT != vct {
		return Credential{}, fmt.Errorf("its vct is not %s", vct)
	}
	if open.EXP != 0 && !w.cfg.Clock().Before(time.Unix(open.EXP, 0)) {
		return Credential{}, errors.New("it has expired already")
	}
	if open.CNF.JWK == nil || !holder.Equal(open.CNF.JWK.Key) {
		return Credential{}, errors.New("it is not bound to the key that was proven")
	}
	id, err := w.text(12)
	if err != nil {
		return Credential{}, err
	}
	c := Credential{
		ID: id, Type: open.VCT, Name: open.VCT, Issuer: by.Name(), JTI: open.JTI,
		Issued: time.Unix(open.IAT, 0), token: token, akis: by.AKIs(),
	}
	if open.EXP != 0 {
		c.Expires = time.Unix(open.EXP, 0)
	}
	return c, nil
}

func (c Credential) expired(now time.Time) bool {
	return !c.Expires.IsZero() && !now.Before(c.Expires)
}
