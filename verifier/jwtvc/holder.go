package jwtvc

import (
	"context"
	"crypto"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"regain/internal/clock"
	"regain/verifier/did"
	"regain/verifier/internal/jws"
)

// Resolver resolves DIDs. In production it is a *did.Resolver.
type Resolver interface {
	Resolve(ctx context.Context, id did.DID) (*did.Document, error)
}

// presentationAge is the maximum age of a VP, the same as of a key binding JWT.
const presentationAge = 5 * time.Minute

// Binding is what a VP must contain.
type Binding struct {
	Nonce    string
	Audience string // our client_id with its prefix, if it has one (OpenID4VP 1.0 §14.10)
	Now      time.Time
}

// Holder is the verified holder of a credential.
type Holder struct {
	DID did.DID // zero when the credential is bound to a key (cnf) and its sub is not a DID
	Key crypto.PublicKey
}

// Same reports whether two credentials have the same holder. It compares keys, since a holder may have several DIDs.
func (h Holder) Same(other Holder) bool { return jws.SameKey(h.Key, other.Key) }

// Format keeps the holder's identity out of every fmt verb.
func (Holder) Format(f fmt.State, _ rune) { fmt.Fprint(f, "holder[redacted]") }

// LogValue keeps the holder's identity out of slog.
func (Holder) LogValue() slog.Value { return slog.StringValue("holder[redacted]") }

// MarshalJSON keeps the holder's identity out of JSON.
func (Holder) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// VerifyHolder verifies that the holder of the VC signed the VP for this request, at this time (OpenID4VP 1.0 Appendix
// B.1.3.1.5; JWT VC Presentation Profile, VP Token Validation). The holder is the owner of the key in the VC's `cnf`
// or, without cnf, of the DID in its `sub`. Nonce, audience and time are checked before a DID is resolved: a sender who
// does not know the nonce cannot make us send a request to a host of their choice.
func (p *Parsed) VerifyHolder(ctx context.Context, r Resolver, want Binding) (Holder, error) {
	if err := p.checkRequest(want); err != nil {
		return Holder{}, err
	}
	if err := p.checkTime(want.Now); err != nil {
		return Holder{}, err
	}
	holder, err := p.holder(ctx, r)
	if err != nil {
		return Holder{}, err
	}
	if err := p.presentation.Verify(holder.Key); err != nil {
		return Holder{}, fmt.Errorf("%w: VP: %w", ErrHolder, err)
	}
	return holder, nil
}

// checkRequest compares nonce and aud. aud must have exactly one value: a VP with several audiences could be replayed
// by one of them to another.
func (p *Parsed) checkRequest(want Binding) error {
	audience := p.presentation.Payload["aud"]
	if list, ok := audience.([]any); ok && len(list) == 1 {
		audience = list[0]
	}
	for _, member := range []struct {
		name, want string
		got        any
	}{{"nonce", want.Nonce, p.presentation.Payload["nonce"]}, {"aud", want.Audience, audience}} {
		got, _ := member.got.(string)
		if member.want == "" || subtle.ConstantTimeCompare([]byte(got), []byte(member.want)) != 1 {
			return fmt.Errorf("%w: %s is not the one asked for", ErrHolder, member.name)
		}
	}
	return nil
}

// checkTime checks the age of the VP by iat or, without iat, by nbf, the only one that VCDM 1.1 §6.3.1 defines.
func (p *Parsed) checkTime(now time.Time) error {
	var made time.Time
	for _, claim := range []string{"nbf", "iat"} {
		seconds, there, err := numericDate(p.presentation.Payload, claim)
		if err != nil || there && clock.Issuers.InFuture(time.Unix(seconds, 0), now) {
			return fmt.Errorf("%w: %s is in the future or is not a date", ErrHolder, claim)
		}
		if there {
			made = time.Unix(seconds, 0)
		}
	}
	if made.Before(now.Add(-presentationAge)) { // also true for the zero time, when both are missing
		return fmt.Errorf("%w: iat, or nbf in its place, is missing or too old", ErrHolder)
	}
	seconds, there, err := numericDate(p.presentation.Payload, "exp")
	if err != nil || there && clock.Over(time.Unix(seconds, 0), now) {
		return fmt.Errorf("%w: exp is past or is not a date", ErrHolder)
	}
	return nil
}

func (p *Parsed) holder(ctx context.Context, r Resolver) (Holder, error) {
	iss, there := p.presentation.Payload["iss"]
	if there && p.Subject() != "" && iss != p.Subject() {
		return Holder{}, fmt.Errorf("%w: VP has another iss than the VC's sub", ErrHolder)
	}
	if confirmation, there := p.signed.Payload["cnf"]; there { // the issuer named the key, so no DID can replace it
		key, err := confirmationKey(confirmation)
		if err != nil {
			return Holder{}, err
		}
		id, _ := did.Parse(p.Subject()) // zero unless sub is a DID; only the key is authenticated
		return Holder{DID: id, Key: key}, nil
	}
	text, _ := iss.(string)
	if text == "" || text != p.Subject() {
		return Holder{}, fmt.Errorf("%w: VP has no iss, or the VC no sub", ErrHolder)
	}
	id, key, err := keyOf(ctx, r, p.presentation, text, did.Authentication)
	if err != nil {
		return Holder{}, wrapUnlessOutage(ErrHolder, "VP", err)
	}
	return Holder{DID: id, Key: key}, nil
}

// confirmationKey returns the key in cnf.jwk (RFC 7800 §3.2).
func confirmationKey(value any) (crypto.PublicKey, error) {
	confirmation, _ := value.(map[string]any)
	jwk, ok := confirmation["jwk"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: cnf has no jwk", ErrMalformed)
	}
	key, err := jws.Key(jwk)
	if err != nil {
		return nil, fmt.Errorf("cnf.jwk: %w", err)
	}
	return key, nil
}

// keyOf returns the key that a JWT's kid names in the DID document of its iss. The DID in an absolute kid must equal
// iss (JWT VC Presentation Profile, `kid` JOSE header), or a signer could name somebody else's iss and its own key.
func keyOf(ctx context.Context, r Resolver, signed jws.JWS, iss string, purpose did.Purpose) (did.DID, crypto.PublicKey, error) {
	id, err := did.Parse(iss)
	if err != nil {
		return did.DID{}, nil, fmt.Errorf("iss: %w", err)
	}
	url, err := did.ParseURL(signed.KeyID, id)
	if err != nil {
		return did.DID{}, nil, fmt.Errorf("kid: %w", err)
	}
	if url.DID != id {
		return did.DID{}, nil, errors.New("kid is of another DID than iss")
	}
	document, err := r.Resolve(ctx, id)
	if err != nil {
		return did.DID{}, nil, err
	}
	key, err := document.Key(url, purpose)
	return id, key, err
}

// wrapUnlessOutage wraps an error in a sentinel of this package, unless it is an outage (did.ErrUnresolvable).
func wrapUnlessOutage(class error, what string, err error) error {
	if errors.Is(err, did.ErrUnresolvable) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%w: %s: %w", class, what, err)
}
