package claims_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
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
	verified := func(request string) string { return `{"userinfo":{"verified_claims":` + request + `}}` }
	for text, why := range map[string]string{
		"x": "no value at byte 0", "[]": "not an object", `"x"`: "not an object", strings.Repeat("[", 100): "nested too deep",
		`{"userinfo":{"email":null,"email":null}}`:                        "a name stands twice",
		`{"userinfo":[]}`:                                                 "userinfo is not an object",
		`{"id_token":"x"}`:                                                "id_token is not an object",
		`{"userinfo":{"email":1}}`:                                        `claim "email": is neither null nor an object`,
		`{"id_token":{"email":[]}}`:                                       `id_token: claim "email": is neither null nor an object`,
		`{"userinfo":{"email":{"essential":"yes"}}}`:                      "essential is not true or false",
		`{"userinfo":{"email":{"values":"x"}}}`:                           "values is not an array",
		verified(`null`):                                                  "is neither an object nor an array of objects",
		verified(`[1]`):                                                   "is neither an object nor an array of objects",
		verified(`{}`):                                                    "verification is missing",
		verified(`{"verification":"x","claims":null}`):                    "verification is missing",
		verified(`{"verification":{},"claims":{"a":null}}`):               "verification does not ask for trust_framework",
		verified(`{"verification":{"trust_framework":null}}`):             "claims is missing",
		verified(`{"verification":{"trust_framework":null},"claims":[]}`): "claims is not an object",
		verified(`[{"verification":{"trust_framework":null},"claims":null},{"verification":{},"claims":null}]`): "verification does not ask for trust_framework",
		pad(16<<10 + 1): "is too long",
	} {
		if _, err := claims.Parse(text); !errors.Is(err, claims.ErrMalformed) || !strings.Contains(err.Error(), why) {
			t.Errorf("%.60s: got %v, want %q", text, err, why)
		}
	}
	nested := func(depth int) string { return strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth) }
	if _, err := claims.Parse(nested(17)); err == nil || !strings.Contains(err.Error(), "nested too deep") {
		t.Errorf("too deep: %v", err)
	}
	for _, text := range []string{"", pad(16 << 10), nested(16)} {
		if _, err := claims.Parse(text); err != nil {
			t.Errorf("%d characters, just within: %v", len(text), err)
		}
	}
}

// pad makes a parameter of this many characters.
func pad(length int) string {
	const frame = `{"userinfo":{"":null}}`
	return strings.Replace(frame, `""`, `"`+strings.Repeat("a", length-len(frame))+`"`, 1)
}

// TestConditionsOnWhatIsNotThere holds that a request that must have a value or an age of an element which is missing
// gets nothing, and that one that merely asks for it gets the rest (OpenID Connect for Identity Assurance 1.0 §5.7).
func TestConditionsOnWhatIsNotThere(t *testing.T) {
	for condition, answered := range map[string]bool{
		`null`: true, `{}`: true, `{"essential":true}`: true, `{"essential":"low"}`: true, `{"purpose":null}`: true, `[]`: true, `[null]`: true, `[{}]`: true,
		`"high"`: false, `{"value":null}`: false, `{"values":[]}`: false, `{"max_age":1}`: false,
		`{"inner":{"value":"x"}}`: false, `{"inner":"x"}`: false, `["x"]`: false, `[null,{"values":["x"]}]`: false, `[{"deep":[{"max_age":1}]}]`: false,
	} {
		parameter := `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null,"assurance_level":` + condition + `},"claims":{"given_name":null}}}}`
		if _, got := release(t, parameter)["verified_claims"]; got != answered {
			t.Errorf("%s: answered %v", condition, got)
		}
	}
}

// TestWantsOfAnotherShape holds that conditions of another structure than what is there are not met, and that null asks
// for the whole.
func TestWantsOfAnotherShape(t *testing.T) {
	ask := func(evidence string) string {
		return `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null,"evidence":` + evidence + `},"claims":{"given_name":null}}}}`
	}
	for evidence, answered := range map[string]bool{
		`null`: true, `[{"type":null}]`: true, `[null]`: true, `[{"document_details":null}]`: true,
		`{}`: false, `"document"`: false, `["document"]`: false, `[{"document_details":["passport"]}]`: false, `[{"type":"passport"}]`: false,
	} {
		if _, got := release(t, ask(evidence))["verified_claims"]; got != answered {
			t.Errorf("%s: answered %v", evidence, got)
		}
	}
	whole, _ := release(t, ask(`null`))["verified_claims"].(map[string]any)
	if evidence, _ := whole["verification"].(map[string]any)["evidence"].([]any); len(evidence) != 2 {
		t.Errorf("null asks for the whole, and got %v", evidence)
	}
}

// TestMaxAge holds that an age is counted to the second, and that what cannot be read as a time has none.
func TestMaxAge(t *testing.T) {
	for maxAge, answered := range map[string]bool{
		"3600": true, "3599": false, "0": false, "-1": false, "3600.5": false, `"3600"`: false, "null": true, "1e99": false,
	} {
		parameter := `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null,"time":{"max_age":` + maxAge + `}},"claims":{"given_name":null}}}}`
		if _, got := release(t, parameter)["verified_claims"]; got != answered {
			t.Errorf("max_age %s: answered %v", maxAge, got)
		}
	}
	for what, row := range map[string]struct {
		time     any
		answered bool
	}{
		"now": {"2026-11-24T12:00:00Z", true}, "a date": {"2026-11-24", false}, "no time": {"yesterday", false}, "a number": {1764000000, false}, "to come": {"2026-11-24T12:00:01Z", true},
	} {
		subject := ada()
		subject.Verified[0].Verification["time"] = row.time
		for maxAge, answered := range map[string]bool{"0": row.answered, "-1": false} {
			request, err := claims.Parse(`{"userinfo":{"verified_claims":{"verification":{"trust_framework":null,"time":{"max_age":` + maxAge + `}},"claims":{"given_name":null}}}}`)
			if err != nil {
				t.Fatal(err)
			}
			if _, got := claims.Release(request[claims.UserInfo], claims.Permit{Scopes: []string{"openid"}, UserInfo: true}, subject)["verified_claims"]; got != answered {
				t.Errorf("%s, max_age %s: answered %v", what, maxAge, got)
			}
		}
	}
}

// TestScopes holds which claims each scope asks for (OpenID Connect Core 1.0 §5.4), and that discovery lists them all.
func TestScopes(t *testing.T) {
	subject := claims.Subject{Claims: map[string]any{}}
	for _, name := range claims.Standard() {
		subject.Claims[name] = "x"
	}
	listed := len(subject.Claims)
	subject.Claims["national_id"] = "of no scope"
	total := 0
	for scope, want := range map[string]int{"profile": 14, "email": 2, "address": 1, "phone": 2, "openid": 0, "recovery": 0, "": 0} {
		got := claims.Release(nil, claims.Permit{Scopes: []string{scope}, UserInfo: true}, subject)
		if len(got) != want || got["national_id"] != nil {
			t.Errorf("%q: %v", scope, names(got))
		}
		total += len(got)
	}
	if total != listed || listed != 19 {
		t.Errorf("scopes release %d claims, and %d are listed", total, listed)
	}
	if got := names(claims.Release(nil, claims.Permit{Scopes: []string{"phone"}, UserInfo: true}, subject)); got != "phone_number phone_number_verified" {
		t.Errorf("phone: %s", got)
	}
}

// TestWhatCannotBeComparedIsNotTheSame holds that a claim which has no JSON form meets no condition.
func TestWhatCannotBeComparedIsNotTheSame(t *testing.T) {
	request, err := claims.Parse(`{"userinfo":{"email":{"value":null},"name":{"values":[null]}}}`)
	if err != nil {
		t.Fatal(err)
	}
	odd := claims.Subject{Claims: map[string]any{"email": math.Inf(1), "name": func() {}}}
	if got := claims.Release(request[claims.UserInfo], claims.Permit{Scopes: []string{"profile", "email"}}, odd); len(got) != 0 {
		t.Errorf("released %v", got)
	}
}

func TestEssential(t *testing.T) {
	for text, want := range map[string]string{
		`{"id_token":{"acr":{"essential":true,"values":["a","b"]}}}`: "a b true", `{"id_token":{"acr":{"values":["a"]}}}`: " false", `{"id_token":{"acr":null}}`: " false",
		`{"id_token":{"acr":{"essential":false,"values":["a"]}}}`: " false", `{"id_token":{"acr":{"essential":true,"value":"a"}}}`: "a true",
		`{"id_token":{"acr":{"essential":true,"values":[1]}}}`: " true", `{"id_token":{"acr":{"essential":true,"values":["a",1,"b"],"value":"c"}}}`: "a b c true",
		`{"id_token":{"sub":{"value":"ada"}}}`: "ada true", `{"id_token":{"sub":null}}`: " false", `{}`: " false", `{"id_token":{"acr":{"essential":true}}}`: " false",
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

// TestNoClaimIsCalledVerified holds that a plain claim with the name of the verified ones is not released as them.
func TestNoClaimIsCalledVerified(t *testing.T) {
	request, err := claims.Parse(`{"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"given_name":null}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	subject := claims.Subject{Claims: map[string]any{"verified_claims": "of the directory"}}
	if got := claims.Release(request[claims.UserInfo], claims.Permit{Scopes: []string{"openid", "profile"}, UserInfo: true}, subject); len(got) != 0 {
		t.Errorf("released %v", got)
	}
}
