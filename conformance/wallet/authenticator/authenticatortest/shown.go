package authenticatortest

import (
	"strings"
	"testing"

	"regain/conformance/did"
	"regain/conformance/wallet/wallettest"
)

// Shown is a JWT taken apart.
type Shown struct {
	Text   string
	Header map[string]any
	Claims map[string]any
}

// Read takes a JWT apart without verifying it.
func Read(t testing.TB, compact string) Shown {
	t.Helper()
	header, claims := wallettest.ReadJWT(t, compact)
	return Shown{Text: compact, Header: header, Claims: claims}
}

// KID returns the DID and the key's name in kid; a relative one belongs to self.
func (s Shown) KID(self string) (did, name string) {
	kid, _ := s.Header["kid"].(string)
	did, name, _ = strings.Cut(kid, "#")
	if did == "" {
		did, _ = s.Claims[self].(string)
	}
	return did, name
}

// text returns a claim that is a text.
func (s Shown) text(name string) string {
	text, _ := s.Claims[name].(string)
	return text
}

// HolderKey returns the public key of that name in a did:jwk or the long form of a did:ion, nil when it is not there.
func HolderKey(t testing.TB, id, name string) any {
	t.Helper()
	_, _, key, err := did.Resolver{}.Signer(t.Context(), id+"#"+name)
	if err != nil {
		return nil
	}
	return key
}
