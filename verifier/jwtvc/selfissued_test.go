package jwtvc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"regain/verifier/did"
	"regain/verifier/jwtvc"
	"regain/verifier/verifiertest"
)

// TestVerifySelfIssued breaks one thing of an ID token (JWT VC Presentation Profile, ID Token Validation): it says who
// answered, and only for this request.
func TestVerifySelfIssued(t *testing.T) {
	type change = func(token *verifiertest.JWT, want *jwtvc.Binding)
	claim := func(name string, value any) change {
		return func(token *verifiertest.JWT, _ *jwtvc.Binding) { token.Claims[name] = value }
	}
	at := func(d time.Duration) change {
		return func(_ *verifiertest.JWT, w *jwtvc.Binding) { w.Now = w.Now.Add(d) }
	}
	other := verifiertest.NewIONIdentity(t, "ES256K", "authentication")
	for name, tt := range map[string]struct {
		change change
		why    string // "" where it is in order
	}{
		"in order":            {at(0), ""},
		"iss without a path":  {claim("iss", "https://self-issued.me/v2"), ""},
		"another issuer":      {claim("iss", "https://issuer.example"), "iss is not https://self-issued.me/v2"},
		"a path of theirs":    {claim("iss", "https://self-issued.me/v2/other"), "iss is not https://self-issued.me/v2"},
		"a host that goes on": {claim("iss", "https://self-issued.me/v2.evil.example"), "iss is not https://self-issued.me/v2"},
		"no iss":              {claim("iss", nil), "iss is not https://self-issued.me/v2"},
		"another nonce":       {claim("nonce", "other"), "nonce is not the one asked for"},
		"another audience":    {claim("aud", "did:web:other.example"), "aud is not the one asked for"},
		"too old":             {at(5*time.Minute + time.Second), "iat, or nbf in its place, is missing or too old"},
		"from the future":     {at(-time.Minute - time.Second), "iat is in the future or is not a date"},
		"expired":             {func(k *verifiertest.JWT, w *jwtvc.Binding) { k.Claims["exp"] = w.Now.Unix() }, "exp is past or is not a date"},
		"another subject":     {claim("sub", other.DID), "kid is of another DID than iss"},
		"no subject":          {claim("sub", nil), "iss: "},
		"another's key":       {func(k *verifiertest.JWT, _ *jwtvc.Binding) { k.Signer = other.Signer }, "signature does not verify"},
		"another, whole": {func(k *verifiertest.JWT, w *jwtvc.Binding) {
			*k = *verifiertest.NewIDToken(other, w.Now)
			k.Claims["sub"] = k.Claims["iss"]
		}, "iss: "},
		"alg none": {func(k *verifiertest.JWT, _ *jwtvc.Binding) { k.Header["alg"] = "none" }, "alg is not accepted"},
		"typ":      {func(k *verifiertest.JWT, _ *jwtvc.Binding) { k.Header["typ"] = "kb+jwt" }, "typ is not accepted"},
		"too long": {claim("pad", strings.Repeat("a", 32<<10)), "ID token: longer than 32768 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "ES256K")
			token, want := verifiertest.NewIDToken(s.holder, s.now), s.binding()
			tt.change(token, &want)
			id, err := jwtvc.VerifySelfIssued(t.Context(), newResolver(t, offline{}), token.Sign(t), want)
			if tt.why == "" {
				if err != nil || id.String() != s.holder.DID {
					t.Errorf("got %v, %v", id, err)
				}
				return
			}
			if !errors.Is(err, jwtvc.ErrHolder) && !errors.Is(err, jwtvc.ErrMalformed) || !strings.Contains(err.Error(), tt.why) || id != (did.DID{}) {
				t.Errorf("got %v, %v, want %q", id, err, tt.why)
			}
		})
	}
}

// TestHolderIs holds that nobody is the same as nobody: an answer without a DID is not that of an ID token without one.
func TestHolderIs(t *testing.T) {
	parse := func(text string) did.DID {
		id, err := did.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	ada, bob := parse("did:web:ada.example"), parse("did:web:bob.example")
	for _, tt := range []struct {
		holder, id did.DID
		is         bool
	}{{ada, ada, true}, {ada, bob, false}, {ada, did.DID{}, false}, {did.DID{}, ada, false}, {did.DID{}, did.DID{}, false}} {
		if got := (jwtvc.Holder{DID: tt.holder}).Is(tt.id); got != tt.is {
			t.Errorf("%v is %v: %t", tt.holder, tt.id, got)
		}
	}
}

// TestLengths holds that what is too long is refused before it is read, and what is just within is read.
func TestLengths(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for name, parse := range map[string]func(string) error{
		"a VP": func(text string) error { _, err := jwtvc.ParseInsecure(text, 0); return err },
		"a VC": func(text string) error { _, err := jwtvc.ParseCredentialInsecure(text); return err },
	} {
		if err := parse(long(256<<10 + 1)); !errors.Is(err, jwtvc.ErrMalformed) || !strings.Contains(err.Error(), "longer than 262144 characters") {
			t.Errorf("%s, too long: %v", name, err)
		}
		if err := parse(long(256 << 10)); !errors.Is(err, jwtvc.ErrMalformed) || !strings.Contains(err.Error(), "not a compact JWS") {
			t.Errorf("%s, as long as it may be: %v", name, err)
		}
	}
	s := newScene(t, "ES256K")
	for n, why := range map[int]string{32 << 10: "not a compact JWS", 32<<10 + 1: "longer than 32768 characters"} {
		if _, err := jwtvc.VerifySelfIssued(t.Context(), newResolver(t, offline{}), long(n), s.binding()); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("an ID token of %d characters: %v", n, err)
		}
	}
}

// TestParseAtItsLimits holds how many VCs and types there may be, and that none before the first is looked for.
func TestParseAtItsLimits(t *testing.T) {
	s := newScene(t, "ES256K")
	s.inside = func(list []any) []any { return append(list, list[0], list[0], list[0]) }
	four := s.present(t)
	for at, why := range map[int]string{0: "", 3: "", 4: "has no credential 4", -1: "has no credential -1"} {
		if _, err := jwtvc.ParseInsecure(four, at); (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("the VC %d of four: %v", at, err)
		}
	}
	for n, why := range map[int]string{16: "", 17: "type is not an array of up to 16"} {
		s := newScene(t, "ES256K")
		types := []any{"VerifiableCredential"}
		for i := range n - 1 {
			types = append(types, fmt.Sprint("Type", i))
		}
		s.vc.VC()["type"] = types
		if _, err := s.parse(t); (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%d types: %v", n, err)
		}
	}
}

// TestTimeOfACredential holds that a date is found in the JWT claim as well as in the property of the VC.
func TestTimeOfACredential(t *testing.T) {
	s := newScene(t, "ES256K")
	delete(s.vc.Claims, "nbf")
	delete(s.vc.Claims, "exp")
	s.vc.Claims["iat"] = 5
	s.vc.VC()["expirationDate"] = "1970-01-01T00:00:07Z"
	parsed, err := s.parse(t)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{"iat": 5, "exp": 7} {
		if seconds, there, err := parsed.Time(name); seconds != want || !there || err != nil {
			t.Errorf("%s: %d, %t, %v", name, seconds, there, err)
		}
	}
	if _, there, err := parsed.Time("other"); there || err != nil {
		t.Errorf("what is not there: %t, %v", there, err)
	}
}
