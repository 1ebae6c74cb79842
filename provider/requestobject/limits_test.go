package requestobject_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/clients"
)

// A request object ends at 32 kilobytes and 16 levels: more is not looked at.
func TestLimitsOfObjects(t *testing.T) {
	b := setUp(t)
	filled := func(length int) string {
		for fill := 0; ; {
			claims := b.claims()
			claims["fill"] = strings.Repeat("x", fill)
			object := b.sign(jose.ES256, b.key, "", claims)
			if len(object) >= length {
				return object
			}
			fill += max(1, (length-len(object))*3/4-3)
		}
	}
	if object := filled(32 << 10); len(object) != 32<<10 {
		t.Fatalf("%d octets", len(object))
	} else if _, err := b.verify(object); err != nil {
		t.Errorf("as long as may be: %v", err)
	}
	if _, err := b.verify(filled(32<<10 + 1)); err == nil || !strings.Contains(err.Error(), "is too long") {
		t.Errorf("longer: %v", err)
	}
	for levels, why := range map[int]string{14: "", 15: "nested too deep"} {
		var nested any = map[string]any{}
		for range levels {
			nested = []any{nested}
		}
		claims := b.claims()
		claims["claims"] = nested
		_, err := b.verify(b.sign(jose.ES256, b.key, "", claims))
		if why == "" && err != nil || why != "" && (err == nil || !strings.Contains(err.Error(), why)) {
			t.Errorf("%d levels: %v, want %q", levels, err, why)
		}
	}
}

// A typ that is there names this kind of JWT: neither an empty one nor what is no text does (RFC 9101 §10.8).
func TestTypesOfObjects(t *testing.T) {
	b := setUp(t)
	payload, err := json.Marshal(b.claims())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		typ any
		why string
	}{
		{"oauth-authz-req+jwt", ""}, {"application/oauth-authz-req+jwt", ""}, {"OAUTH-AUTHZ-REQ+JWT", ""}, {"jwt", ""},
		{"", "is another kind of JWT"}, {7, "is another kind of JWT"}, {[]string{"JWT"}, "is another kind of JWT"}, {"dpop+jwt", "is another kind of JWT"}, {"logout+jwt", "is another kind of JWT"},
	} {
		options := (&jose.SignerOptions{}).WithHeader("typ", row.typ)
		_, err := b.verify(b.signPayload(jose.SigningKey{Algorithm: jose.ES256, Key: b.key}, options, payload))
		if row.why == "" && err != nil || row.why != "" && (err == nil || !strings.Contains(err.Error(), row.why)) {
			t.Errorf("typ %v: %v, want %q", row.typ, err, row.why)
		}
	}
}

// What the client signed is an object whose claims have their types; else it says nothing, whoever signed it.
func TestPayloadsThatAreNoRequest(t *testing.T) {
	b := setUp(t)
	for name, payload := range map[string]string{"no JSON": "x", "nothing": "", "an array": "[]", "a text": `"x"`, "null": "null", "two values": "{}{}"} {
		if form, err := b.verify(b.signPayload(jose.SigningKey{Algorithm: jose.ES256, Key: b.key}, nil, []byte(payload))); err == nil || form != nil {
			t.Errorf("%s: %v, %v", name, form, err)
		}
	}
	for claim, value := range map[string]any{"iss": 7, "sub": []string{"bank"}, "aud": 7, "exp": "soon", "nbf": true, "iat": "now", "jti": 1, "client_id": 7} {
		claims := b.claims()
		claims[claim] = value
		if form, err := b.verify(b.sign(jose.ES256, b.key, "", claims)); err == nil || !strings.Contains(err.Error(), "read claims") || form != nil {
			t.Errorf("%s %v: %v, %v", claim, value, form, err)
		}
	}
}

// Outside FAPI an object may live as long as it likes and leave claims out, but none of them may be wrong (OpenID Connect
// Core 1.0 §6.1).
func TestObjectsOutsideFAPI(t *testing.T) {
	b := setUp(t)
	b.client.Profile = clients.ProfileRecovery
	for _, row := range []struct {
		claim string
		value any
		why   string
	}{
		{"iss", "-", ""}, {"aud", "-", ""}, {"exp", "-", ""}, {"nbf", "-", ""}, {"iat", "-", ""}, {"client_id", "-", ""}, {"sub", "ada", ""},
		{"exp", b.now.Add(24 * time.Hour).Unix(), ""}, {"nbf", b.now.Add(-24 * time.Hour).Unix(), ""}, {"nbf", b.now.Add(10 * time.Second).Unix(), ""}, {"iat", b.now.Add(10 * time.Second).Unix(), ""},
		{"exp", b.now.Add(time.Second).Unix(), ""},
		{"iss", "other", "iss is not the client id"}, {"aud", "https://other.example", "aud does not name the issuer"}, {"client_id", "other", "client_id is another client's"}, {"sub", "bank", "sub is the client id"},
		{"exp", b.now.Unix(), "exp is past"}, {"nbf", b.now.Add(11 * time.Second).Unix(), "nbf is in the future"}, {"iat", b.now.Add(11 * time.Second).Unix(), "iat is in the future"},
	} {
		claims := b.claims()
		claims[row.claim] = row.value
		_, err := b.verify(b.sign(jose.ES256, b.key, "", claims))
		if row.why == "" && err != nil || row.why != "" && (err == nil || !strings.Contains(err.Error(), row.why)) {
			t.Errorf("%s %v: %v, want %q", row.claim, row.value, err, row.why)
		}
	}
}

// Members are what they would be as parameters, and what is null is as if it was not there.
func TestMembersAsParameters(t *testing.T) {
	b := setUp(t)
	claims := b.claims()
	claims["a"], claims["b"], claims["c"], claims["d"], claims["e"], claims["f"] = 7, 1.5, false, []string{"x"}, "", nil
	form, err := b.verify(b.sign(jose.ES256, b.key, "", claims))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{"a": {"7"}, "b": {"1.5"}, "c": {"false"}, "d": {`["x"]`}, "e": {""}, "f": nil, "iss": nil, "aud": nil, "exp": nil, "nbf": nil, "iat": nil, "jti": nil, "sub": nil} {
		if got := form[name]; strings.Join(got, ",") != strings.Join(want, ",") || len(got) != len(want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
