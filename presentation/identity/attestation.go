package identity

import (
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json" // names match exactly, unlike in encoding/json

	"regain/internal/publickey"
	"regain/internal/strictjson"
)

const attestationType = "verifier-attestation+jwt" // OpenID4VP 1.0 §12

// attestation is the part of a Verifier Attestation JWT (OpenID4VP 1.0 §12) that we, its holder, need.
type attestation struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
	Confirm   struct {
		Key json.RawMessage `json:"jwk"`
	} `json:"cnf"`
	RedirectURIs []string `json:"redirect_uris"`
	signed       bool     // with an asymmetric algorithm; the signature is not verified
}

// Attested makes an identity for the prefix verifier_attestation: a third party attests it in a JWT, which is in the
// header of every request (OpenID4VP 1.0 §5.9.3, §12). Whether a wallet trusts the issuer of the attestation cannot be
// checked here. Attested checks the syntax, the type, the validity period, and that cnf is this key.
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
	if !a.signed {
		return nil, errors.New("it is not signed with a private key")
	}
	if a.Issuer == "" || !plain(a.Subject) || a.Expires <= 0 || a.Confirm.Key == nil {
		return nil, errors.New("it lacks iss, sub, exp or cnf.jwk")
	}
	i := &Identity{
		prefix: AttestedOf, clientID: string(AttestedOf) + ":" + a.Subject, allowed: a.RedirectURIs,
		from: time.Unix(a.NotBefore, 0), to: time.Unix(a.Expires-1, 0), // at exp it has expired already (RFC 7519 §4.1.4)
	}
	if i.Usable(now) != nil {
		return nil, fmt.Errorf("it is valid from %s to %s only; ask its issuer for another",
			i.from.UTC().Format(time.DateTime), i.to.UTC().Format(time.DateTime))
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	confirmed, err := publickey.ParseJWK(a.Confirm.Key)
	if err != nil {
		return nil, fmt.Errorf("cnf.jwk: %w", err)
	}
	if !publickey.Equal(confirmed.Key, key.Public()) {
		return nil, errors.New("it is about another key: cnf.jwk is not that of request_signing.key")
	}
	return i.signing(key, map[string]any{"jwt": jwt})
}

// AttestationEnds returns the exp of an attestation, and whether the attestation can be parsed. It verifies nothing.
func AttestationEnds(jwt string) (time.Time, bool) {
	a, err := readAttestation(strings.TrimSpace(jwt))
	return time.Unix(a.Expires, 0), err == nil
}

func readAttestation(jwt string) (a attestation, err error) {
	header, rest, _ := strings.Cut(jwt, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	var said struct {
		Type      string `json:"typ"`
		Algorithm string `json:"alg"`
	}
	if err := readPart(header, &said); err != nil {
		return a, fmt.Errorf("its header: %w", err)
	}
	if said.Type != attestationType {
		return a, fmt.Errorf("its typ is not %s", attestationType)
	}
	if err := readPart(payload, &a); err != nil {
		return a, fmt.Errorf("its payload: %w", err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	a.signed = err == nil && len(raw) > 0 && said.Algorithm != "" && said.Algorithm != "none" && !strings.HasPrefix(said.Algorithm, "HS")
	return a, nil
}

// readPart parses a part of a JWT strictly, so that no wallet can read it differently.
func readPart(part string, into any) error {
	const depth = 8
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return errors.New("it is no compact JWT in base64url")
	}
	if _, err := strictjson.Object(raw, depth); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("a member has the wrong type: %w", err)
	}
	return nil
}
