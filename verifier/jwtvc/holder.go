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

// Resolver finds DID documents; *did.Resolver in production.
type Resolver interface {
	Resolve(ctx context.Context, id did.DID) (*did.Document, error)
}

// presentationAge is how old a VP may be: as key binding JWTs are held to.
const presentationAge = 5 * time.Minute

// Binding is what a VP must say.
type Binding struct {
	Nonce    string
	Audience string // our client_id with its prefix, if it has one (OpenID4VP 1.0 §14.10)
	Now      time.Time
}

// Holder is who presented a credential, and is the one that it is for.
type Holder struct {
	DID did.DID // none when the credential names a key (cnf) and no DID
	Key crypto.PublicKey
}

// Same reports whether two credentials have one holder, by their keys: a holder may have a DID for each issuer.
func (h Holder) Same(other Holder) bool { return jws.SameKey(h.Key, other.Key) }

// Format keeps who it is out of every fmt verb.
func (Holder) Format(f fmt.State, _ rune) { fmt.Fprint(f, "holder[redacted]") }

// LogValue keeps who it is out of slog.
func (Holder) LogValue() slog.Value { return slog.StringValue("holder[redacted]") }

// MarshalJSON keeps who it is out of JSON.
func (Holder) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// VerifyHolder checks that the VP was signed for this request, now, by the holder of the VC (OpenID4VP 1.0 §B.1.3.1.5,
// JWT VC Presentation Profile, VP Token Validation). The holder is whoever has the key in the VC's `cnf`, or, when it
// has none, the DID in its `sub`. What needs nobody's DID document comes first: a stranger who does not know the nonce
// cannot have one fetched.
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

// checkRequest compares nonce and aud. The audience is one: a VP for several verifiers is one that each of them can
// show to the others.
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

// checkTime checks when the VP was made: by iat, or by nbf, which is all that VCDM 1.1 asks for.
func (p *Parsed) checkTime(now time.Time) error {
	var made time.Time
	for _, claim := range []string{"nbf", "iat"} {
		seconds, there, err := numericDate(p.presentation.Payload, claim)
		if err != nil || there && clock.Issuers.InFuture(time.Unix(seconds, 0), now) {
			return fmt.Errorf("%w: %s is in the future, or no date", ErrHolder, claim)
		}
		if there {
			made = time.Unix(seconds, 0)
		}
	}
	if made.Before(now.Add(-presentationAge)) { // or never
		return fmt.Errorf("%w: iat, or nbf in its place, is missing or too old", ErrHolder)
	}
	seconds, there, err := numericDate(p.presentation.Payload, "exp")
	if err != nil || there && clock.Over(time.Unix(seconds, 0), now) {
		return fmt.Errorf("%w: exp is past, or no date", ErrHolder)
	}
	return nil
}

// holder returns who must have signed the VP.
func (p *Parsed) holder(ctx context.Context, r Resolver) (Holder, error) {
	iss, there := p.presentation.Payload["iss"]
	if there && p.Subject() != "" && iss != p.Subject() {
		return Holder{}, fmt.Errorf("%w: VP has another iss than the VC's sub", ErrHolder)
	}
	if confirmation, there := p.signed.Payload["cnf"]; there { // the issuer's word; there is no way around it
		key, err := confirmed(confirmation)
		if err != nil {
			return Holder{}, err
		}
		id, _ := did.Parse(p.Subject()) // none unless it is one: the key is what counts
		return Holder{DID: id, Key: key}, nil
	}
	text, _ := iss.(string)
	if text == "" || text != p.Subject() {
		return Holder{}, fmt.Errorf("%w: VP has no iss, or the VC no sub", ErrHolder)
	}
	id, key, err := keyOf(ctx, r, p.presentation, text, did.Authentication)
	if err != nil {
		return Holder{}, classed(ErrHolder, "VP", err)
	}
	return Holder{DID: id, Key: key}, nil
}

// confirmed reads cnf.jwk (RFC 7800 §3.2).
func confirmed(value any) (crypto.PublicKey, error) {
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

// keyOf finds the key that a JWT's kid names in the DID document of its iss. An absolute kid must be of that very DID: it
// is the signer who writes kid, and iss is what everybody reads.
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

// classed puts an error into a class of this package, unless it is an outage.
func classed(class error, what string, err error) error {
	if errors.Is(err, did.ErrUnresolvable) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%w: %s: %w", class, what, err)
}
