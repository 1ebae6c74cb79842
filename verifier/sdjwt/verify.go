package sdjwt

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"time"

	"regain/verifier/internal/strict"
)

// How far from our clock a Key Binding JWT may be made. Longer ago it may have been prepared for somebody else's use;
// the future is only as long as clocks differ.
const (
	bindingAge  = 5 * time.Minute
	bindingSkew = time.Minute
)

// Expect is what a presentation must be made for.
type Expect struct {
	Nonce    string // ours, fresh for the request
	Audience string // our client identifier with its prefix (OpenID4VP 1.0 §14.10)
	Now      time.Time
}

// ParseAndVerify reads a presentation and verifies that the key in its x5c signed it and that its holder made it for
// expect. The errors are [ErrMalformed], [ErrIssuer] and [ErrBinding]. Whether the credential is valid at this time and
// whether its issuer may issue it is left to the caller.
func ParseAndVerify(compact string, expect Expect) (Credential, error) {
	u, err := ParseInsecure(compact)
	if err != nil {
		return Credential{}, err
	}
	key, err := u.issuer.Leaf()
	if err != nil {
		return Credential{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := u.issuer.Verify(key); err != nil {
		return Credential{}, ErrIssuer
	}
	if err := u.verifyBinding(expect); err != nil {
		return Credential{}, fmt.Errorf("%w: %w", ErrBinding, err)
	}
	return newCredential(u)
}

// verifyBinding follows RFC 9901 §7.3 step 5.
func (u *Unverified) verifyBinding(expect Expect) error {
	switch {
	case expect.Nonce == "" || expect.Audience == "":
		return fmt.Errorf("nonce and audience are not known")
	case u.binding == nil:
		return fmt.Errorf("there is no Key Binding JWT")
	case u.holder.key == nil:
		return fmt.Errorf("the credential names no holder")
	}
	if _, present := u.binding.Header["x5c"]; present {
		return fmt.Errorf("the Key Binding JWT brings a key along")
	}
	if err := u.binding.Verify(u.holder.key); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(u.signed))
	claims := u.binding.Payload
	for _, check := range []struct{ name, want string }{
		{"nonce", expect.Nonce}, {"aud", expect.Audience}, {"sd_hash", base64.RawURLEncoding.EncodeToString(sum[:])},
	} {
		got, err := strict.String(claims, check.name)
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(got), []byte(check.want)) != 1 {
			return fmt.Errorf("%s is not the expected one", check.name)
		}
	}
	return checkTimes(claims, expect.Now)
}

func checkTimes(claims map[string]any, now time.Time) error {
	var times [3]time.Time
	for i, name := range []string{"iat", "nbf", "exp"} {
		var err error
		if times[i], err = strict.Date(claims, name); err != nil {
			return err
		}
	}
	issued, notBefore, expires := times[0], times[1], times[2]
	switch {
	case issued.IsZero():
		return fmt.Errorf("iat is missing")
	case now.Sub(issued) > bindingAge:
		return fmt.Errorf("the Key Binding JWT is too old")
	case issued.Sub(now) > bindingSkew, notBefore.Sub(now) > bindingSkew:
		return fmt.Errorf("the Key Binding JWT is from the future")
	case !expires.IsZero() && !now.Before(expires):
		return fmt.Errorf("the Key Binding JWT has expired")
	}
	return nil
}
