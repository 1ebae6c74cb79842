package verifiertest

import (
	"crypto/rand"
	"time"
)

// NewIDToken drafts a self-issued ID token (JWT VC Presentation Profile, ID Token Validation) for the default Nonce and
// Audience.
func NewIDToken(holder *Identity, now time.Time) *JWT {
	return &JWT{
		Signer: holder.Signer,
		Header: map[string]any{"typ": "JWT", "kid": holder.KeyID},
		Claims: map[string]any{
			"iss": "https://self-issued.me/v2/openid-vc", "sub": holder.DID, "aud": Audience, "nonce": Nonce, "jti": "urn:uuid:" + rand.Text(),
			"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		},
	}
}
