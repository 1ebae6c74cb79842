package authenticator

import (
	"fmt"
	"io"
	"time"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/spoil"
)

const (
	selfIssued = "https://self-issued.me/v2/openid-vc" // iss of the ID token, profile
	lifetime   = time.Hour                             // of both, in the Android library
)

// writer writes answers in the holder's name.
type writer struct {
	holder    did.Identity
	method    did.Method // for somebody else, in a tampered answer
	algorithm string
	clock     func() time.Time
	random    io.Reader
}

// present writes a verifiable presentation of JWT VCs (profile, VP Token).
func (w writer) present(audience, nonce string, credentials []string, o ShareOptions) (string, error) {
	claims := map[string]any{
		"vp": map[string]any{
			"@context": []string{credentialsV1}, "type": []string{"VerifiablePresentation"}, "verifiableCredential": credentials,
		},
		"purpose": "verify", "nonce": nonce, "aud": audience,
	}
	if o.LibraryBare {
		delete(claims, "purpose")
	}
	return w.sign(claims, "iss", o, o.Tamper.VP)
}

// idToken writes the ID token, which carries where in the presentations what is.
func (w writer) idToken(r *Request, submissions any, o ShareOptions) (string, error) {
	claims := map[string]any{"iss": selfIssued, "aud": r.clientID, "nonce": r.nonce, "_vp_token": submissions}
	if o.Tamper.NoSubmission {
		delete(claims, "_vp_token")
	}
	return w.sign(claims, "sub", o, o.Tamper.IDToken)
}

// sign completes the claims with the holder's DID, under the name self, and the times, and signs.
func (w writer) sign(claims map[string]any, self string, o ShareOptions, wrong Wrong) (string, error) {
	holder, err := w.signer(wrong)
	if err != nil {
		return "", err
	}
	if claims["jti"], err = w.uuid(); err != nil {
		return "", err
	}
	now := w.clock()
	if !wrong.IssuedAt.IsZero() {
		now = wrong.IssuedAt
	}
	claims[self], claims["iat"], claims["exp"] = holder.DID, now.Unix(), now.Add(lifetime).Unix()
	if self == "iss" {
		claims["nbf"] = now.Unix()
	} else if o.LibraryBare {
		delete(claims, "jti")
	}
	wrong.write(claims)
	kid := holder.KeyID()
	if o.RelativeKid {
		kid = "#" + holder.KeyName
	}
	compact, err := holder.Sign(map[string]any{"typ": "JWT", "kid": kid}, claims)
	if err != nil {
		return "", err
	}
	return wrong.mark(compact), nil
}

// signer is the holder, but for a tampered answer.
func (w writer) signer(wrong Wrong) (did.Identity, error) {
	holder := w.holder
	if wrong.OtherHolder {
		other, err := did.New(w.method, w.algorithm)
		if err != nil {
			return did.Identity{}, fmt.Errorf("making somebody else: %w", err)
		}
		holder = other
	}
	if wrong.OtherKey {
		key, err := jose.Generate(w.algorithm)
		if err != nil {
			return did.Identity{}, err
		}
		holder = holder.WithKey(key)
	}
	return holder, nil
}

// write changes claims before they are signed.
func (wrong Wrong) write(claims map[string]any) {
	if wrong.Nonce != "" {
		claims["nonce"] = wrong.Nonce
	}
	if wrong.Audience != "" {
		claims["aud"] = wrong.Audience
	}
	for name, value := range wrong.Claims {
		if value == nil {
			delete(claims, name)
			continue
		}
		claims[name] = value
	}
}

// mark changes a JWS after it was signed.
func (wrong Wrong) mark(compact string) string {
	if wrong.BreakSignature {
		compact = spoil.Signature(compact)
	}
	if wrong.Unsigned {
		compact = spoil.Unsigned(compact)
	}
	return compact
}

// uuid returns a random UUID (RFC 9562 §5.4), which is what the library names its tokens by.
func (w writer) uuid() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(w.random, b[:]); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
