package request

import (
	"errors"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
	"regain/conformance/wallet/agent"
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
		Key *jose.JWK `json:"jwk"`
	} `json:"cnf"`
}

// byAttestation takes a request that is signed with the key in an attestation of a trusted
// attester's, which travels in the header.
func (r *Reader) byAttestation(who claimed, o object) (sender, error) {
	compact, err := mustBeSigned(o)
	if err != nil {
		return sender{}, err
	}
	token, err := jose.ParseTyped(compact, objectType)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "%w", err)
	}
	a, err := r.readAttestation(token.Attestation)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "reading the attestation: %w", err)
	}
	if a.Subject != who.name {
		return sender{}, turnDown(InvalidRequest, "client_id is not the sub of the attestation")
	}
	payload, err := token.Verify(a.Confirmation.Key.Key)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "%w", err)
	}
	s := sender{Verifier: Verifier{Name: agent.Clip(a.Subject), Authenticated: true}, payload: payload, signed: true}
	if a.RedirectURIs != nil {
		s.mayReceive = func(uri string) bool { return slices.Contains(a.RedirectURIs, uri) }
	}
	return s, nil
}

func (r *Reader) readAttestation(compact string) (attestation, error) {
	if compact == "" {
		return attestation{}, errors.New("the header carries none")
	}
	token, err := jose.ParseTyped(compact, attestationType)
	if err != nil {
		return attestation{}, err
	}
	var a attestation
	if err := json.Unmarshal(token.PayloadUnverified(), &a); err != nil { // to find the keys to verify it with
		return attestation{}, errors.New("its claims are not the JSON expected")
	}
	keys, trusted := r.Policy.Attesters[a.Issuer]
	if !trusted {
		return attestation{}, errors.New("it is of an issuer that this wallet does not trust for it")
	}
	if _, err := verifyAny(token, keys.Keys); err != nil {
		return attestation{}, err
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

func verifyAny(token jose.Token, keys []jose.JWK) ([]byte, error) {
	err := errors.New("its issuer has no keys")
	for _, key := range keys {
		var payload []byte
		if payload, err = token.Verify(key.Key); err == nil {
			return payload, nil
		}
	}
	return nil, err
}

func unix(seconds float64) time.Time { return time.Unix(int64(seconds), 0) }
