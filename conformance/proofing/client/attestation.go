package client

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"regain/conformance/jose"
)

// The headers of attestation-based client authentication (§6.1), and how far from now a proof may be made.
const (
	attestationHeader = "OAuth-Client-Attestation"
	proofHeader       = "OAuth-Client-Attestation-PoP"
	proofAge          = 5 * time.Minute
)

// attestation are the claims of a client attestation (§5.1).
type attestation struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Expires   int64  `json:"exp"`
	Issued    *int64 `json:"iat"`
	NotBefore *int64 `json:"nbf"`
	Confirm   struct {
		Key *jose.JWK `json:"jwk"`
	} `json:"cnf"`
}

// proof are the claims of the proof of possession (§5.2).
type proof struct {
	Issuer    string `json:"iss"`
	Audience  any    `json:"aud"`
	ID        string `json:"jti"`
	Issued    *int64 `json:"iat"`
	NotBefore *int64 `json:"nbf"`
	Expires   *int64 `json:"exp"`
}

func (d *Door) checkAttestation(form url.Values, header http.Header) (string, error) {
	attestations, proofs := header.Values(attestationHeader), header.Values(proofHeader)
	if len(attestations) != 1 || len(proofs) != 1 {
		return "", fmt.Errorf("%w: there have to be one attestation and one proof", ErrAttestation)
	}
	claims, err := d.openAttestation(attestations[0])
	if err != nil {
		return "", err
	}
	now := d.config.Clock()
	switch {
	case claims.Subject == "" || len(claims.Subject) > maxName:
		return "", fmt.Errorf("%w: sub is missing or too long", ErrAttestation)
	case form.Has("client_id") && form.Get("client_id") != claims.Subject: // §6.2
		return "", fmt.Errorf("%w: client_id is another one than the attestation's", ErrAttestation)
	case claims.Expires <= now.Unix():
		return "", fmt.Errorf("%w: it has expired", ErrAttestation)
	case ahead(claims.Issued, now) || ahead(claims.NotBefore, now):
		return "", fmt.Errorf("%w: it is not valid yet", ErrAttestation)
	case !jose.IsP256(claims.Confirm.Key):
		return "", fmt.Errorf("%w: cnf holds no public P-256 key", ErrAttestation)
	}
	if err := d.checkProof(proofs[0], claims); err != nil {
		return "", err
	}
	return claims.Subject, nil
}

func (d *Door) openAttestation(compact string) (attestation, error) {
	parsed, err := jose.ParseTyped(compact, "oauth-client-attestation+jwt")
	if err != nil {
		return attestation{}, fmt.Errorf("%w: not an oauth-client-attestation+jwt signed with ES256", ErrAttestation)
	}
	for _, attester := range d.config.Attesters {
		for _, key := range attester.Keys.Usable(parsed.KeyID) {
			var claims attestation
			if parsed.Open(key, &claims) == nil && claims.Issuer == attester.Issuer {
				return claims, nil
			}
		}
	}
	return attestation{}, fmt.Errorf("%w: nobody who is trusted signed it", ErrAttestation)
}

func (d *Door) checkProof(compact string, of attestation) error {
	parsed, err := jose.ParseTyped(compact, "oauth-client-attestation-pop+jwt")
	if err != nil {
		return fmt.Errorf("%w: the proof is no oauth-client-attestation-pop+jwt signed with ES256", ErrAttestation)
	}
	var claims proof
	if err := parsed.Open(of.Confirm.Key.Key, &claims); err != nil {
		return fmt.Errorf("%w: the attested key did not sign the proof", ErrAttestation)
	}
	now := d.config.Clock()
	switch {
	case claims.Issuer != "" && claims.Issuer != of.Subject:
		return fmt.Errorf("%w: the proof is of another client", ErrAttestation)
	case claims.Audience != d.config.Issuer:
		return fmt.Errorf("%w: the proof is for another server", ErrAttestation)
	case claims.Issued == nil || !jose.Fresh(*claims.Issued, now, proofAge) || ahead(claims.NotBefore, now):
		return fmt.Errorf("%w: the proof is not of now", ErrAttestation)
	case claims.Expires != nil && *claims.Expires <= now.Unix():
		return fmt.Errorf("%w: the proof has expired", ErrAttestation)
	case claims.ID == "" || len(claims.ID) > maxName:
		return fmt.Errorf("%w: the proof's jti is missing or too long", ErrAttestation)
	}
	return d.use("proof", of.Subject, claims.ID, ErrAttestation)
}

// ahead reports whether a time that is given lies ahead, clocks that differ aside.
func ahead(at *int64, now time.Time) bool { return at != nil && *at > now.Add(time.Minute).Unix() }
