package sdjwt

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"time"

	"regain/internal/clock"
	"regain/internal/publickey"
	"regain/verifier/internal/jws"
)

// bindingType is the typ of a key binding JWT (RFC 9901 §4.3).
const bindingType = "kb+jwt"

const bindingAge = 5 * time.Minute

// Binding is what a key binding JWT must contain.
type Binding struct {
	Nonce    string
	Audience string // our client_id with its prefix (OpenID4VP 1.0 §14.10)
	// TransactionData are the base64url texts of the request whose hashes the holder must have signed; nil for none.
	TransactionData []string
	Now             time.Time
}

// Holder returns the holder's public key, from `cnf.jwk`.
func (p *Parsed) Holder() (*ecdsa.PublicKey, error) {
	confirmation, _ := p.claims["cnf"].(map[string]any)
	jwk, ok := confirmation["jwk"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: cnf.jwk is missing", ErrMalformed)
	}
	key, err := publickey.Key(jwk, publickey.P256)
	if err != nil {
		return nil, fmt.Errorf("%w: cnf.jwk is not a public key on P-256: %w", ErrMalformed, err)
	}
	public, _ := key.(*ecdsa.PublicKey)
	return public, nil
}

// VerifyHolder verifies the key binding JWT (RFC 9901 §7.3): signed with the key in cnf, for this nonce and audience,
// at this time, over exactly the presented credential and disclosures (sd_hash). It returns the holder's key.
func (p *Parsed) VerifyHolder(want Binding) (*ecdsa.PublicKey, error) {
	key, err := p.Holder()
	if err != nil {
		return nil, err
	}
	binding, err := jws.ParseInsecure(p.binding, bindingType)
	if err != nil {
		return nil, fmt.Errorf("%w: key binding JWT: %w", ErrHolder, err)
	}
	if len(binding.Certificates) > 0 {
		return nil, fmt.Errorf("%w: key binding JWT has certificates, but its key is in cnf", ErrHolder)
	}
	sum := sha256.Sum256([]byte(p.hashed))
	for _, member := range []struct{ name, want string }{{"nonce", want.Nonce}, {"aud", want.Audience}, {"sd_hash", jws.Encode(sum[:])}} {
		got, _ := binding.Payload[member.name].(string)
		if member.want == "" || subtle.ConstantTimeCompare([]byte(got), []byte(member.want)) != 1 {
			return nil, fmt.Errorf("%w: %s is not the one asked for", ErrHolder, member.name)
		}
	}
	if err := binding.Verify(key); err != nil { // after the nonce: who does not know that costs no signature
		return nil, fmt.Errorf("%w: key binding JWT: %w", ErrHolder, err)
	}
	if err := checkTransactionData(binding.Payload, want.TransactionData); err != nil {
		return nil, err
	}
	seconds, err := jws.NumericDate(binding.Payload["iat"])
	if err != nil {
		return nil, fmt.Errorf("%w: iat is missing", ErrHolder)
	}
	if at := time.Unix(seconds, 0); at.Before(want.Now.Add(-bindingAge)) || clock.Issuers.InFuture(at, want.Now) {
		return nil, fmt.Errorf("%w: iat is too old or in the future", ErrHolder)
	}
	return key, nil
}
