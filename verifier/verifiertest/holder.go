package verifiertest

import (
	"crypto/ecdsa"
	"testing"
	"time"
)

// Holder has the key that credentials are bound to.
type Holder struct{ Key *ecdsa.PrivateKey }

// NewHolder makes a holder with a new key.
func NewHolder(t testing.TB) *Holder {
	t.Helper()
	return &Holder{Key: NewKey(t)}
}

// Binding is a Key Binding JWT that is not signed yet. A claim set to nil is left out.
type Binding struct {
	Header, Claims map[string]any
}

// Bind makes a valid Key Binding JWT for the default Nonce and Audience, at now. Present adds sd_hash.
func Bind(now time.Time) Binding {
	return Binding{
		Header: map[string]any{"alg": "ES256", "typ": "kb+jwt"},
		Claims: map[string]any{"iat": now.Unix(), "nonce": Nonce, "aud": Audience},
	}
}

// Present signs a draft as its issuer and presents it as its holder.
func (h *Holder) Present(t testing.TB, d *Draft, b Binding) string {
	t.Helper()
	return h.PresentText(t, d.Sign(t), b)
}

// PresentText appends the Key Binding JWT to signed, which ends with a tilde. It keeps a `sd_hash` that b has already.
func (h *Holder) PresentText(t testing.TB, signed string, b Binding) string {
	t.Helper()
	claims := map[string]any{"sd_hash": Hash(signed)}
	for name, value := range b.Claims {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	return signed + Sign(t, h.Key, b.Header, claims)
}
