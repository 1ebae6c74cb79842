package requests_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/provider/keys"
	"regain/provider/problem"
)

// idToken is an ID token of ours for the client idp, with changes.
func idToken(t testing.TB, ring *keys.Ring, typ string, change map[string]any) string {
	t.Helper()
	claims := map[string]any{"iss": issuer, "sub": "ada@example.org", "aud": "idp", "sid": "S1", "iat": noon().Add(-time.Hour).Unix(), "exp": noon().Add(-time.Minute).Unix()}
	for name, value := range change {
		claims[name] = value
	}
	token, err := ring.MintWith("ES256", typ, claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// A valid request to sign out, with one thing broken.
func TestReadLogout(t *testing.T) {
	b := setUp(t)
	stranger, err := keys.NewRing([]keys.Key{{Private: fixedKey(t, 9)}}, noon)
	if err != nil {
		t.Fatal(err)
	}
	good := idToken(t, b.ring, "JWT", nil)
	const notOurs = "id_token_hint is not an ID token of this server"
	for name, row := range map[string]struct {
		change url.Values
		says   string // "" for a request that is read
		client string
		sid    string
	}{
		"valid, though expired":          {nil, "", "idp", "S1"},
		"without a way back":             {url.Values{"post_logout_redirect_uri": nil}, "", "idp", "S1"},
		"with its client_id":             {url.Values{"client_id": {"idp"}}, "", "idp", "S1"},
		"with an empty client_id":        {url.Values{"client_id": {""}}, "", "idp", "S1"},
		"a client_id and no hint":        {url.Values{"client_id": {"idp"}, "id_token_hint": nil}, "", "idp", ""},
		"nothing":                        {url.Values{"post_logout_redirect_uri": nil, "id_token_hint": nil}, "", "", ""},
		"another client_id":              {url.Values{"client_id": {"other"}}, "client_id is not the client", "", ""},
		"a client_id of nobody":          {url.Values{"client_id": {"nobody"}, "id_token_hint": nil}, "names no registered client", "", ""},
		"neither hint nor client_id":     {url.Values{"id_token_hint": nil}, "needs an id_token_hint or a client_id", "", ""},
		"an address of another client's": {url.Values{"client_id": {"other"}, "id_token_hint": nil}, "not registered for this client", "", ""},
		"a longer address":               {url.Values{"post_logout_redirect_uri": {signedOut + "/x"}}, "not registered for this client", "", ""},
		"an access token":                {url.Values{"id_token_hint": {idToken(t, b.ring, "at+jwt", nil)}}, notOurs, "", ""},
		"a logout token":                 {url.Values{"id_token_hint": {idToken(t, b.ring, "logout+jwt", nil)}}, notOurs, "", ""},
		"another issuer's":               {url.Values{"id_token_hint": {idToken(t, b.ring, "JWT", map[string]any{"iss": "https://evil.example"})}}, notOurs, "", ""},
		"for two clients":                {url.Values{"id_token_hint": {idToken(t, b.ring, "JWT", map[string]any{"aud": []string{"idp", "other"}})}}, notOurs, "", ""},
		"for nobody":                     {url.Values{"id_token_hint": {idToken(t, b.ring, "JWT", map[string]any{"aud": []string{}})}}, notOurs, "", ""},
		"for a client that was removed":  {url.Values{"id_token_hint": {idToken(t, b.ring, "JWT", map[string]any{"aud": "nobody"})}}, "names no registered client", "", ""},
		"sid a number":                   {url.Values{"id_token_hint": {idToken(t, b.ring, "JWT", map[string]any{"sid": 7})}}, notOurs, "", ""},
		"a hint at its limit":            {url.Values{"id_token_hint": {strings.Repeat("x", 8<<10)}}, notOurs, "", ""},
		"a hint past it":                 {url.Values{"id_token_hint": {strings.Repeat("x", 8<<10+1)}}, "too long", "", ""},
		"a state at its limit":           {url.Values{"state": {strings.Repeat("x", 4<<10)}}, "", "idp", "S1"},
		"a state past it":                {url.Values{"state": {strings.Repeat("x", 4<<10+1)}}, "too long", "", ""},
		"a changed signature":            {url.Values{"id_token_hint": {good[:len(good)-4] + map[bool]string{true: "BBBA", false: "AAAA"}[strings.HasSuffix(good, "AAAA")]}}, notOurs, "", ""},
		"another's signature":            {url.Values{"id_token_hint": {idToken(t, stranger, "JWT", nil)}}, notOurs, "", ""},
		"not a token":                    {url.Values{"id_token_hint": {"x"}}, notOurs, "", ""},
		"a hint without end":             {url.Values{"id_token_hint": {strings.Repeat("x", 1<<20)}}, "too long", "", ""},
		"a state without end":            {url.Values{"state": {strings.Repeat("x", 1<<20)}}, "too long", "", ""},
	} {
		form := url.Values{"id_token_hint": {good}, "post_logout_redirect_uri": {signedOut}, "state": {"x"}}
		for parameter, values := range row.change {
			if form[parameter] = values; values == nil {
				form.Del(parameter)
			}
		}
		got, err := b.Logout(t.Context(), form)
		if row.says != "" {
			var refused *problem.Error
			if !errors.As(err, &refused) || !strings.Contains(refused.Description, row.says) {
				t.Errorf("%s: %v, want %q", name, err, row.says)
			}
			continue
		}
		client := ""
		if got.Client != nil {
			client = got.Client.ID
		}
		if err != nil || client != row.client || got.Session != row.sid || (got.Subject != "") != (row.sid != "") || got.RedirectURI != form.Get("post_logout_redirect_uri") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// A hint that is accepted is an ID token that we signed, as another reading of it says, and names what it says.
func FuzzLogoutHint(f *testing.F) {
	b := setUp(f)
	public := fixedKey(f, 1).PublicKey
	good := idToken(f, b.ring, "JWT", nil)
	if got, err := b.Logout(f.Context(), url.Values{"id_token_hint": {good}}); err != nil || got.Session != "S1" {
		f.Fatalf("the seed is not accepted: %+v, %v", got, err)
	}
	for _, hint := range []string{good, idToken(f, b.ring, "JWT", map[string]any{"sid": nil}), idToken(f, b.ring, "logout+jwt", nil), good[:len(good)-1], strings.Replace(good, ".", "..", 1), good + "=", "a.b.c"} {
		f.Add(hint)
	}
	f.Fuzz(func(t *testing.T, hint string) {
		got, err := b.Logout(t.Context(), url.Values{"id_token_hint": {hint}})
		if err != nil || hint == "" {
			if got.Subject != "" || got.Session != "" || got.RedirectURI != "" {
				t.Errorf("%q is refused, and read: %+v", hint, got)
			}
			return
		}
		parts := strings.Split(hint, ".")
		if len(parts) != 3 {
			t.Fatalf("%q has %d parts", hint, len(parts))
		}
		var header struct{ Typ, Alg string }
		var claims struct{ Iss, Sub, Aud, Sid string }
		signature, err := base64.RawURLEncoding.DecodeString(parts[2])
		if err != nil || len(signature) != 64 {
			t.Fatalf("%q has a signature of %d octets, %v", hint, len(signature), err)
		}
		for i, into := range []any{&header, &claims} {
			text, err := base64.RawURLEncoding.DecodeString(parts[i])
			if err == nil {
				err = json.Unmarshal(text, into)
			}
			if err != nil {
				t.Fatalf("%q: %v", hint, err)
			}
		}
		digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		if !ecdsa.Verify(&public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) || header.Typ != "JWT" || header.Alg != "ES256" {
			t.Errorf("%q was not signed by us as an ID token", hint)
		}
		if claims.Iss != issuer || claims.Aud != got.Client.ID || claims.Sub != got.Subject || claims.Sid != got.Session {
			t.Errorf("%q says %+v, and is read as %+v", hint, claims, got)
		}
	})
}
