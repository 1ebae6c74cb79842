package identity

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"regain/internal/strictjson"
)

const attestationType = "verifier-attestation+jwt" // OpenID4VP 1.0 §12

// attestation is a Verifier Attestation JWT (OpenID4VP 1.0 §12), as far as its holder needs to read it.
type attestation struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
	Expires int64  `json:"exp"`
	Confirm struct {
		Key *jose.JSONWebKey `json:"jwk"`
	} `json:"cnf"`
	RedirectURIs []string `json:"redirect_uris"`
}

// Attested is known by what somebody attested about it, in a JWT that goes along in the header of every request
// (OpenID4VP 1.0 §5.9.3, §12). Whether a wallet trusts who signed the attestation, only the wallet knows; what can be
// seen from here is checked: form, type, time, and that it is about this key.
func Attested(jwt string, key crypto.Signer, now time.Time) (*Identity, error) {
	made, err := attested(strings.TrimSpace(jwt), key, now)
	if err != nil {
		return nil, fmt.Errorf("verifier attestation: %w", err)
	}
	return made, nil
}

func attested(jwt string, key crypto.Signer, now time.Time) (*Identity, error) {
	a, err := readAttestation(jwt)
	if err != nil {
		return nil, err
	}
	expires := time.Unix(a.Expires, 0)
	switch {
	case a.Issuer == "" || !plain(a.Subject) || a.Confirm.Key == nil:
		return nil, errors.New("it lacks iss, sub or cnf.jwk")
	case !now.Before(expires):
		return nil, fmt.Errorf("it expired at %s; ask its issuer for another", expires.UTC().Format(time.DateTime))
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	public, ok := a.Confirm.Key.Key.(*ecdsa.PublicKey)
	if !ok || !public.Equal(key.Public()) {
		return nil, errors.New("it is about another key: cnf.jwk is not that of request_signing.key")
	}
	i := &Identity{prefix: AttestedOf, clientID: string(AttestedOf) + ":" + a.Subject, to: expires}
	if i, err = i.signed(key, map[string]any{"jwt": jwt}); err != nil {
		return nil, err
	}
	i.allowed = a.RedirectURIs
	return i, nil
}

// AttestationEnds returns when an attestation ends, and whether it can be read at all. Nothing about it is verified.
func AttestationEnds(jwt string) (time.Time, bool) {
	a, err := readAttestation(strings.TrimSpace(jwt))
	return time.Unix(a.Expires, 0), err == nil
}

func readAttestation(jwt string) (attestation, error) {
	const depth = 8
	var a attestation
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return a, errors.New("it is no compact JWT")
	}
	var header struct {
		Type string `json:"typ"`
	}
	for n, into := range map[int]any{0: &header, 1: &a} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[n])
		if err != nil {
			return a, errors.New("a part of it is not base64url")
		}
		if _, err := strictjson.Object(raw, depth); err != nil {
			return a, err
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return a, fmt.Errorf("a member of it has the wrong type: %w", err)
		}
	}
	if header.Type != attestationType {
		return a, fmt.Errorf("its typ is not %s", attestationType)
	}
	return a, nil
}
