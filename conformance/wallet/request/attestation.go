package request

import (
	"errors"
	"slices"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/jws"
)

const attestationType = "verifier-attestation+jwt"

// attestation is a Verifier Attestation JWT (OpenID4VP 1.0 §12).
type attestation struct {
	Issuer       string   `json:"iss"`
	Subject      string   `json:"sub"`
	Expires      *float64 `json:"exp"`
	NotBefore    *float64 `json:"nbf"`
	RedirectURIs []string `json:"redirect_uris"`
	Confirmation struct {
		Key json.RawMessage `json:"jwk"`
	} `json:"cnf"`
}

// byAttestation takes a request that is signed with the key in an attestation of a trusted
// attester's, which travels in the header.
func (r *Reader) byAttestation(who claimed, o object) (sender, error) {
	compact, err := mustBeSigned(o)
	if err != nil {
		return sender{}, err
	}
	header, err := jws.ReadHeader(compact)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "%w", err)
	}
	a, err := r.readAttestation(header.JWT)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "reading the attestation: %w", err)
	}
	if a.Subject != who.name {
		return sender{}, turnDown(InvalidRequest, "client_id is not the sub of the attestation")
	}
	key, err := publicKey(a.Confirmation.Key)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "reading cnf: %w", err)
	}
	payload, err := jws.VerifyKey(compact, objectType, key)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "%w", err)
	}
	s := sender{Verifier: Verifier{Name: clip(a.Subject), Authenticated: true}, payload: payload, signed: true}
	if a.RedirectURIs != nil {
		s.mayReceive = func(uri string) bool { return slices.Contains(a.RedirectURIs, uri) }
	}
	return s, nil
}

func (r *Reader) readAttestation(compact string) (attestation, error) {
	if compact == "" {
		return attestation{}, errors.New("the header carries none")
	}
	issuer, err := peekIssuer(compact)
	if err != nil {
		return attestation{}, err
	}
	keys, trusted := r.Policy.Attesters[issuer]
	if !trusted {
		return attestation{}, errors.New("it is of an issuer that this wallet does not trust for it")
	}
	payload, err := verifyAny(compact, attestationType, keys)
	if err != nil {
		return attestation{}, err
	}
	var a attestation
	if err := json.Unmarshal(payload, &a); err != nil {
		return attestation{}, errors.New("its claims are not the JSON expected")
	}
	now := r.Clock()
	switch {
	case a.Expires == nil || a.Confirmation.Key == nil:
		return attestation{}, errors.New("it has no exp or no cnf")
	case !now.Before(unix(*a.Expires)):
		return attestation{}, errors.New("it has expired")
	case a.NotBefore != nil && unix(*a.NotBefore).After(now.Add(clockSkew)):
		return attestation{}, errors.New("it is not valid yet")
	}
	return a, nil
}

// peekIssuer reads iss before the signature is verified, to find the keys to verify it with.
func peekIssuer(compact string) (string, error) {
	signed, err := jose.ParseSignedCompact(compact, jws.Algorithms())
	if err != nil {
		return "", errors.New("it is not a signed JWT of an accepted algorithm")
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims); err != nil {
		return "", errors.New("its claims are not the JSON expected")
	}
	return claims.Issuer, nil
}

func verifyAny(compact, typ string, keys jose.JSONWebKeySet) ([]byte, error) {
	err := errors.New("its issuer has no keys")
	for _, key := range keys.Keys {
		payload, failed := jws.VerifyKey(compact, typ, key.Key)
		if failed == nil {
			return payload, nil
		}
		err = failed
	}
	return nil, err
}

func unix(seconds float64) time.Time { return time.Unix(int64(seconds), 0) }
