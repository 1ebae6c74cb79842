package claims_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/provider/claims"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant, which time has none of

// ada is a subject whose names were verified with a credential that a document check stands behind.
func ada() claims.Subject {
	return claims.Subject{
		Now: now,
		Claims: map[string]any{
			"given_name": "Ada", "family_name": "Lindqvist", "email": "ada@example.org", "email_verified": true, "updated_at": 1767225600,
			"address": map[string]any{"country": "Sweden"}, "family_name#ja-Kana-JP": "リンドクヴィスト",
		},
		Verified: []claims.Verified{{
			Verification: map[string]any{
				"trust_framework": "urn:framework", "time": "2026-11-24T11:00:00Z",
				"evidence": []any{
					map[string]any{"type": "electronic_record", "record": map[string]any{"type": "verified_id"}, "check_details": []any{map[string]any{"check_method": "kbv"}}},
					map[string]any{"type": "document", "document_details": map[string]any{"type": "passport", "document_number": "SE1", "date_of_issuance": "2020-01-01"}},
				},
			},
			Claims: map[string]any{"given_name": "Ada", "family_name": "Lindqvist", "birthdate": "1988-03-14"},
		}},
	}
}

func release(t *testing.T, parameter string, scopes ...string) map[string]any {
	t.Helper()
	request, err := claims.Parse(parameter)
	if err != nil {
		t.Fatalf("%s: %v", parameter, err)
	}
	permit := claims.Permit{Scopes: scopes, UserInfo: true}
	if slices.Equal(scopes, []string{"openid"}) || len(scopes) == 0 { // what is asked for, where no scope delivers and every one permits
		permit = claims.Permit{Scopes: []string{"openid", "profile", "email", "address", "phone"}}
	}
	return claims.Release(request[claims.UserInfo], permit, ada())
}

func names(released map[string]any) string {
	return strings.Join(slices.Sorted(maps.Keys(released)), " ")
}

func TestReleaseOfScopesAndClaims(t *testing.T) {
	for name, c := range map[string]struct{ parameter, scope, want string }{
		"nothing":              {"", "openid", ""},
		"a scope":              {"", "email", "email email_verified"},
		"what is there":        {"", "profile", "family_name given_name updated_at"},
		"address":              {"", "address", "address"},
		"a claim":              {`{"userinfo":{"email":null}}`, "openid", "email"},
		"essential":            {`{"userinfo":{"email":{"essential":true}}}`, "openid", "email"},
		"unknown":              {`{"userinfo":{"shoe_size":null,"x\"><script>":{"essential":true}}}`, "openid", ""},
		"the value":            {`{"userinfo":{"email":{"value":"ada@example.org"}}}`, "openid", "email"},
		"another value":        {`{"userinfo":{"email":{"value":"bob@example.org"}}}`, "openid", ""},
		"one of":               {`{"userinfo":{"email":{"values":["x","ada@example.org"]}}}`, "openid", "email"},
		"none of":              {`{"userinfo":{"email":{"values":["x"]}}}`, "openid", ""},
		"a number":             {`{"userinfo":{"updated_at":{"value":1767225600}}}`, "openid", "updated_at"},
		"a language":           {`{"userinfo":{"family_name#ja-Kana-JP":null,"family_name#fr":null}}`, "openid", "family_name#ja-Kana-JP"},
		"the other target":     {`{"id_token":{"email":null}}`, "openid", ""},
		"unknown target":       {`{"elsewhere":{"email":null}}`, "openid", ""},
		"null target":          {`{"userinfo":null}`, "openid", ""},
		"unknown condition":    {`{"userinfo":{"email":{"purpose":"x"}}}`, "openid", "email"},
		"scope and claim":      {`{"userinfo":{"given_name":null}}`, "email", "email email_verified given_name"},
		"verified is no value": {`{"userinfo":{"birthdate":null}}`, "openid", ""},
	} {
		if got := names(release(t, c.parameter, strings.Fields(c.scope)...)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestReleaseOfVerifiedClaims(t *testing.T) {
	ask := func(verification, asked string) string {
		return `{"userinfo":{"verified_claims":{"verification":` + verification + `,"claims":` + asked + `}}}`
	}
	const all = `{"trust_framework":null}`
	const anyAnswer = `{"trust_framework":"urn:framework"}`
	for name, c := range map[string]struct{ verification, asked, wantVerification, wantClaims string }{
		"null":                      {all, `{"given_name":null}`, anyAnswer, `{"given_name":"Ada"}`},
		"empty objects":             {`{"trust_framework":{}}`, `{"given_name":{}}`, anyAnswer, `{"given_name":"Ada"}`},
		"essential false":           {`{"trust_framework":{"essential":false}}`, `{"given_name":{"essential":false}}`, anyAnswer, `{"given_name":"Ada"}`},
		"the framework":             {`{"trust_framework":{"value":"urn:framework"}}`, `{"given_name":null}`, anyAnswer, `{"given_name":"Ada"}`},
		"the framework as a text":   {`{"trust_framework":"urn:framework"}`, `{"given_name":null}`, anyAnswer, `{"given_name":"Ada"}`},
		"one of frameworks":         {`{"trust_framework":{"values":["x","urn:framework"]}}`, `{"given_name":null}`, anyAnswer, `{"given_name":"Ada"}`},
		"another framework":         {`{"trust_framework":{"value":"eidas"}}`, `{"given_name":null}`, "", ""},
		"a level that is not there": {`{"trust_framework":null,"assurance_level":null}`, `{"given_name":null}`, anyAnswer, `{"given_name":"Ada"}`},
		"that level":                {`{"trust_framework":null,"assurance_level":{"value":"high"}}`, `{"given_name":null}`, "", ""},
		"unknown claim":             {all, `{"given_name":null,"shoe_size":{"essential":true}}`, anyAnswer, `{"given_name":"Ada"}`},
		"only unknown claims":       {all, `{"shoe_size":null}`, "", ""},
		"claim of another value":    {all, `{"given_name":{"value":"Bob"},"family_name":null}`, anyAnswer, `{"family_name":"Lindqvist"}`},
		"no claims":                 {all, `null`, "", ""},
		"none of the claims":        {all, `{}`, "", ""},
		"young enough":              {`{"trust_framework":null,"time":{"max_age":3600}}`, `{"given_name":null}`, `{"time":"2026-11-24T11:00:00Z","trust_framework":"urn:framework"}`, `{"given_name":"Ada"}`},
		"too old":                   {`{"trust_framework":null,"time":{"max_age":3599}}`, `{"given_name":null}`, "", ""},
		"no age":                    {`{"trust_framework":null,"time":{"max_age":"x"}}`, `{"given_name":null}`, "", ""},
		"a document": {
			`{"trust_framework":null,"evidence":[{"type":{"value":"document"},"document_details":{"type":null}}]}`, `{"given_name":null}`,
			`{"evidence":[{"document_details":{"type":"passport"},"type":"document"}],"trust_framework":"urn:framework"}`, `{"given_name":"Ada"}`,
		},
		"an old document": {
			`{"trust_framework":null,"evidence":[{"type":{"value":"document"},"document_details":{"date_of_issuance":{"max_age":3600}}}]}`, `{"given_name":null}`, "", "",
		},
		"another document": {
			`{"trust_framework":null,"evidence":[{"type":{"value":"document"},"document_details":{"type":{"value":"idcard"}}}]}`, `{"given_name":null}`, "", "",
		},
		"no such evidence": {`{"trust_framework":null,"evidence":[{"type":{"value":"vouch"}}]}`, `{"given_name":null}`, "", ""},
		"two, of which one": {
			`{"trust_framework":null,"evidence":[{"type":{"value":"document"}},{"type":{"value":"vouch"}}]}`, `{"given_name":null}`, "", "",
		},
	} {
		got, _ := release(t, ask(c.verification, c.asked))["verified_claims"].(map[string]any)
		want := ""
		if c.wantClaims != "" {
			want = `{"claims":` + c.wantClaims + `,"verification":` + c.wantVerification + `}`
		}
		text := ""
		if got != nil {
			raw, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			text = string(raw)
		}
		if text != want {
			t.Errorf("%s:\n got %s\nwant %s", name, text, want)
		}
	}
	one := `{"verification":{"trust_framework":null},"claims":{"given_name":null}}`
	other := `{"verification":{"trust_framework":{"value":"x"}},"claims":{"given_name":null}}`
	if list, ok := release(t, `{"userinfo":{"verified_claims":[`+one+`,`+other+`]}}`)["verified_claims"].([]any); !ok || len(list) != 1 {
		t.Errorf("an array is answered with %v", list)
	}
	if release(t, `{"userinfo":{"verified_claims":[`+other+`]}}`)["verified_claims"] != nil {
		t.Error("an empty array is answered")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"x", "[]", `"x"`, `{"userinfo":[]}`, `{"userinfo":{"email":1}}`, `{"userinfo":{"email":{"essential":"yes"}}}`, `{"userinfo":{"email":{"values":"x"}}}`,
		`{"userinfo":{"email":null,"email":null}}`, `{"userinfo":{"verified_claims":null}}`, `{"userinfo":{"verified_claims":{}}}`,
		`{"userinfo":{"verified_claims":{"verification":{"trust_framework":null}}}}`, `{"userinfo":{"verified_claims":{"verification":{},"claims":{"a":null}}}}`,
		`{"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":[]}}}`, `{"userinfo":{"verified_claims":[1]}}`,
		strings.Repeat("[", 100), `{"userinfo":{"` + strings.Repeat("a", 17<<10) + `":null}}`,
	} {
		if _, err := claims.Parse(text); !errors.Is(err, claims.ErrMalformed) {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

func TestEssential(t *testing.T) {
	for text, want := range map[string]string{
		`{"id_token":{"acr":{"essential":true,"values":["a","b"]}}}`: "a b true", `{"id_token":{"acr":{"values":["a"]}}}`: " false", `{"id_token":{"acr":null}}`: " false",
		`{"id_token":{"sub":{"value":"ada"}}}`: "ada true", `{}`: " false", `{"id_token":{"acr":{"essential":true}}}`: " false",
	} {
		request, err := claims.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		name := "acr"
		if strings.Contains(text, "sub") {
			name = "sub"
		}
		values, demanded := request[claims.IDToken].Essential(name)
		got := strings.Join(values, " ") + " false"
		if demanded {
			got = strings.Join(values, " ") + " true"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// What is released was there, and was asked for.
func FuzzRelease(f *testing.F) {
	f.Add(`{"userinfo":{"email":{"value":"x"},"verified_claims":{"verification":{"trust_framework":null,"evidence":[{"type":{"value":"document"}}]},"claims":{"given_name":null}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		request, err := claims.Parse(text)
		if err != nil {
			return
		}
		subject := ada()
		for name, value := range claims.Release(request[claims.UserInfo], claims.Permit{Scopes: []string{"openid", "email"}}, subject) {
			if name == "updated_at" || name == "address" {
				t.Errorf("%q is of a scope that was not granted", name)
			}
			if _, asked := request[claims.UserInfo][name]; !asked {
				t.Errorf("%q was not asked for", name)
			}
			if _, there := subject.Claims[name]; !there && name != "verified_claims" {
				t.Errorf("%q is not there: %v", name, value)
			}
		}
	})
}

// The claims parameter releases what a granted scope has, what the client has by registration, and what was matched, and
// nothing else that the directory knows.
func TestAskingPermitsNothing(t *testing.T) {
	subject := ada()
	subject.Claims["national_id"], subject.Claims["acr"], subject.Claims["national_id#sv"], subject.Claims["address.country"] = "19880314", "high", "x", "Sweden"
	for name, c := range map[string]struct {
		permit    claims.Permit
		asks, got string
	}{
		"openid alone, what was matched":     {claims.Permit{Scopes: []string{"openid"}}, "given_name", "given_name"},
		"that, in a language":                {claims.Permit{Scopes: []string{"openid"}}, "family_name#ja-Kana-JP", "family_name#ja-Kana-JP"},
		"openid alone, an e-mail address":    {claims.Permit{Scopes: []string{"openid"}}, "email", ""},
		"openid alone, the national id":      {claims.Permit{Scopes: []string{"openid"}}, "national_id", ""},
		"that, in a language that is there":  {claims.Permit{Scopes: []string{"openid"}}, "national_id#sv", ""},
		"every scope, the national id":       {claims.Permit{Scopes: []string{"openid", "profile", "email", "address", "phone", "offline_access", "recovery"}}, "national_id", ""},
		"every scope, a protocol claim":      {claims.Permit{Scopes: []string{"openid", "profile", "email", "address", "phone"}}, "acr", ""},
		"every scope, a part of the address": {claims.Permit{Scopes: []string{"openid", "address"}}, "address.country", ""},
		"the scope of another claim":         {claims.Permit{Scopes: []string{"openid", "phone"}}, "email", ""},
		"its scope":                          {claims.Permit{Scopes: []string{"openid", "email"}}, "email", "email"},
		"no scope":                           {claims.Permit{}, "email", ""},
		"a scope of that name":               {claims.Permit{Scopes: []string{"national_id"}}, "national_id", ""},
		"the client's own":                   {claims.Permit{Own: []string{"national_id"}}, "", "national_id"},
		"the client's own, asked for":        {claims.Permit{Own: []string{"national_id"}}, "national_id email", "national_id"},
		"the client's own, not there":        {claims.Permit{Own: []string{"shoe_size"}}, "shoe_size", ""},
	} {
		for _, userInfo := range []bool{false, true} {
			wants := claims.Wants{}
			for _, ask := range strings.Fields(c.asks) {
				wants[ask] = nil
			}
			permit, delivered := c.permit, c.permit
			permit.UserInfo, delivered.UserInfo = userInfo, userInfo
			delivered.Own = nil
			released := claims.Release(wants, permit, subject)
			for name := range claims.Release(nil, delivered, subject) { // what comes unasked
				if !strings.Contains(" "+c.asks+" ", " "+name+" ") {
					delete(released, name)
				}
			}
			if got := names(released); got != c.got {
				t.Errorf("%s, at userinfo %t: %q, want %q", name, userInfo, got, c.got)
			}
		}
	}
}
