package jwtvc

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"regain/conformance/did"
	"regain/conformance/jose"
)

// ErrPresentation means that what was presented is not one VC of this issuer in its holder's hand.
var ErrPresentation = errors.New("unacceptable presentation of a VC")

// presentationAge is how old a VP may be.
const presentationAge = 5 * time.Minute

// Shown is a VC that was presented with its portrait, and verified. It is personal data.
type Shown struct {
	ID       string // jti
	Holder   string // their DID
	Nonce    string // which the holder signed; the caller spends it
	Portrait []byte
	Digest   string // of the portrait's text; base64url
}

// Format keeps it out of every verb of fmt.
func (Shown) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, redacted) }

// LogValue keeps it out of slog.
func (Shown) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps it out of JSON.
func (Shown) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// vpPayload are the claims of a VP (JWT VC Presentation Profile, VP Token).
type vpPayload struct {
	Issuer    string `json:"iss"`
	Audience  any    `json:"aud"`
	Nonce     string `json:"nonce"`
	Issued    int64  `json:"iat"`
	NotBefore *int64 `json:"nbf"`
	Expires   *int64 `json:"exp"`
	VP        struct {
		Context     []string `json:"@context"`
		Type        []string `json:"type"`
		Credentials []string `json:"verifiableCredential"`
	} `json:"vp"`
	VC json.RawMessage `json:"vc"`
}

// Open verifies a VP with one VC of a type by this issuer: the holder's signature for this audience, now, the issuer's,
// and that the one is about the other.
func (i *Issuer) Open(compact, kind, audience string, now time.Time) (Shown, error) {
	holder, vp, err := openVP(compact, audience, now)
	if err != nil {
		return Shown{}, fmt.Errorf("%w: VP: %w", ErrPresentation, err)
	}
	shown, err := i.openVC(vp.VP.Credentials[0], kind, now)
	if err != nil {
		return Shown{}, fmt.Errorf("%w: VC: %w", ErrPresentation, err)
	}
	if holder != shown.Holder {
		return Shown{}, fmt.Errorf("%w: the VP is by another than the VC is about", ErrPresentation)
	}
	shown.Nonce = vp.Nonce
	return shown, nil
}

// openVP verifies the holder's part, and returns who that is.
func openVP(compact, audience string, now time.Time) (holder string, vp vpPayload, err error) {
	parsed, err := jose.ParseTyped(compact, "JWT")
	if err != nil {
		return "", vp, err
	}
	id, key, err := did.Holder(parsed.KeyID)
	if err != nil {
		return "", vp, err
	}
	if err := parsed.Open(key, &vp); err != nil {
		return "", vp, err
	}
	switch {
	case vp.VC != nil || !slices.Contains(vp.VP.Type, "VerifiablePresentation") || !isV1(vp.VP.Context):
		return "", vp, errors.New("it is no presentation of the data model 1.1")
	case len(vp.VP.Credentials) != 1:
		return "", vp, errors.New("it does not hold one credential")
	case vp.Issuer != id:
		return "", vp, errors.New("its iss is not the DID in its kid")
	case vp.Audience != audience:
		return "", vp, errors.New("it is meant for somebody else")
	case !jose.Fresh(vp.Issued, now, presentationAge) || vp.NotBefore != nil && *vp.NotBefore > now.Add(time.Minute).Unix():
		return "", vp, errors.New("it is not of now")
	case vp.Expires != nil && *vp.Expires <= now.Unix():
		return "", vp, errors.New("it has expired")
	}
	return id, vp, nil
}

// openVC verifies the issuer's part. Only one key could have signed, and it is here.
func (i *Issuer) openVC(compact, kind string, now time.Time) (Shown, error) {
	parsed, err := jose.ParseTyped(compact, "JWT")
	if err != nil {
		return Shown{}, err
	}
	if parsed.KeyID != i.kid() {
		return Shown{}, errors.New("it is not by this issuer")
	}
	var claims payload
	if err := parsed.Open(i.key.Public(), &claims); err != nil {
		return Shown{}, err
	}
	portrait, _ := claims.VC.Subject["portrait"].(string)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(portrait)
	switch {
	case claims.Issuer != i.DID || !slices.Equal(claims.VC.Type, []string{genericType, kind}) || !isV1(claims.VC.Context):
		return Shown{}, errors.New("it is of another type")
	case claims.NotBefore > now.Unix() || claims.Expires <= now.Unix():
		return Shown{}, errors.New("it is not valid now")
	case err != nil || len(raw) == 0:
		return Shown{}, errors.New("it has no portrait")
	}
	sum := sha256.Sum256([]byte(portrait))
	return Shown{ID: claims.ID, Holder: claims.Subject, Portrait: raw, Digest: base64.RawURLEncoding.EncodeToString(sum[:])}, nil
}

func isV1(context []string) bool { return len(context) > 0 && context[0] == credentialsV1 }
