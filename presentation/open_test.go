package presentation_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/presentation"
)

func TestOpen(t *testing.T) {
	for _, enc := range []jose.ContentEncryption{jose.A128GCM, jose.A256GCM} {
		r := newRequest(t)
		sealed := seal(t, key(t, r), enc, answer(r))
		got, err := r.Open(form(sealed), noon)
		if err != nil || got.Presentations["verified_id"][0] != "a~b" || got.Presentations["face_check"][0] != "c~" || got.Error != nil {
			t.Errorf("%s: %v, %v", enc, got, err)
		}
		if id, err := presentation.KeyID(form(sealed)); err != nil || id != r.Key.ID {
			t.Errorf("%s: key %q, %v", enc, id, err)
		}
	}
}

// A request survives its storage.
func TestARequestIsStoredAndOpens(t *testing.T) {
	r := newRequest(t)
	data, err := json.Marshal(r)
	must(t, data, err)
	var stored presentation.Request
	if err := json.Unmarshal(data, &stored); err != nil {
		t.Fatal(err)
	}
	if _, err := stored.Open(form(seal(t, key(t, r), jose.A128GCM, answer(r))), noon); err != nil {
		t.Error(err)
	}
}

// Each row starts from a good answer and breaks one thing in what is encrypted.
func TestAnswersThatAreRefused(t *testing.T) {
	type object = map[string]any
	for name, row := range map[string]struct {
		change func(a object) any
		err    error
		why    string // part of the error
	}{
		"no state":           {func(a object) any { delete(a, "state"); return a }, presentation.ErrState, "response belongs to another request"},
		"another state":      {func(a object) any { a["state"] = "x"; return a }, presentation.ErrState, "response belongs to another request"},
		"a state of numbers": {func(a object) any { a["state"] = 7; return a }, presentation.ErrState, "response belongs to another request"},
		"no vp_token":        {func(a object) any { delete(a, "vp_token"); return a }, presentation.ErrMalformed, "malformed wallet message: neither vp_token nor error, or both"},
		"vp_token is text":   {func(a object) any { a["vp_token"] = "x"; return a }, presentation.ErrMalformed, "malformed wallet message: vp_token is no object"},
		"vp_token is a list": {func(a object) any { a["vp_token"] = []any{"x"}; return a }, presentation.ErrMalformed, "malformed wallet message: vp_token is no object"},
		"an empty error":     {func(a object) any { delete(a, "vp_token"); a["error"] = ""; return a }, presentation.ErrMalformed, "malformed wallet message: error is no text, or empty"},
		"an error of 7":      {func(a object) any { delete(a, "vp_token"); a["error"] = 7; return a }, presentation.ErrMalformed, "malformed wallet message: error is no text, or empty"},
		"vp_token and error": {func(a object) any { a["error"] = "access_denied"; return a }, presentation.ErrMalformed, "malformed wallet message: neither vp_token nor error, or both"},
		"not JSON":           {func(object) any { return "vp_token" }, presentation.ErrMalformed, "malformed wallet message: payload: not strict JSON: no value"},
		"a list":             {func(object) any { return "[]" }, presentation.ErrMalformed, "malformed wallet message: payload: not strict JSON: not an object"},
		"a name twice":       {func(a object) any { return fmt.Sprintf(`{"state":"x","state":%q,"vp_token":{}}`, a["state"]) }, presentation.ErrMalformed, "malformed wallet message: payload: not strict JSON: a name stands twice"},
		"endless depth":      {func(object) any { return strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100) }, presentation.ErrMalformed, "malformed wallet message: payload: not strict JSON: nested too deep"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t)
			got, err := r.Open(form(seal(t, key(t, r), jose.A128GCM, row.change(answer(r)))), noon)
			if !errors.Is(err, row.err) || err != nil && !strings.Contains(err.Error(), row.why) || got.Presentations != nil || got.Error != nil {
				t.Errorf("got %v, %v, want %v", got, err, row.err)
			}
		})
	}
}

// Each row starts from a good vp_token and breaks one thing in it. However it comes, it is refused.
func TestTokensThatAreRefused(t *testing.T) {
	type object = map[string]any
	for name, row := range map[string]struct {
		change func(token object)
		err    error
		why    string // part of the error
	}{
		"no Verified ID":     {func(o object) { delete(o, "verified_id") }, presentation.ErrMissing, "credential verified_id is missing"},
		"no Face Check":      {func(o object) { delete(o, "face_check") }, presentation.ErrMissing, "credential face_check is missing"},
		"nothing":            {func(o object) { clear(o) }, presentation.ErrMissing, "credential verified_id is missing"},
		"not asked for":      {func(o object) { o["passport"] = []any{"x"} }, presentation.ErrNotAsked, "a presentation that was not asked for"},
		"asked in capitals":  {func(o object) { o["Face_Check"] = []any{"x"} }, presentation.ErrNotAsked, "a presentation that was not asked for"},
		"empty list":         {func(o object) { o["face_check"] = []any{} }, presentation.ErrMalformed, "face_check is no array, or empty"},
		"two presentations":  {func(o object) { o["face_check"] = []any{"x", "y"} }, presentation.ErrNotAsked, "more presentations for face_check than it allows"},
		"not a list":         {func(o object) { o["face_check"] = "x" }, presentation.ErrMalformed, "face_check is no array, or empty"},
		"null":               {func(o object) { o["face_check"] = nil }, presentation.ErrMalformed, "face_check is no array, or empty"},
		"an object":          {func(o object) { o["face_check"] = []any{object{}} }, presentation.ErrMalformed, "a presentation for face_check is no text, or empty"},
		"a list in the list": {func(o object) { o["face_check"] = []any{[]any{"x"}} }, presentation.ErrMalformed, "a presentation for face_check is no text, or empty"},
		"an empty text":      {func(o object) { o["face_check"] = []any{""} }, presentation.ErrMalformed, "a presentation for face_check is no text, or empty"},
		"a null in the list": {func(o object) { o["face_check"] = []any{nil} }, presentation.ErrMalformed, "a presentation for face_check is no text, or empty"},
	} {
		for mode, made := range modes(t) {
			a := answer(made.r)
			row.change(a["vp_token"].(object))
			if got, err := open(made.p, made.r, sent(t, made.r, a)); !errors.Is(err, row.err) || err != nil && !strings.Contains(err.Error(), row.why) || got.Presentations != nil || got.Error != nil {
				t.Errorf("%s, %s: got %v, %v, want %v", name, mode, got, err, row.err)
			}
			if _, err := open(made.p, made.r, answerTo(t, made.r)); err != nil {
				t.Errorf("%s, %s: the honest answer was spoiled: %v", name, mode, err)
			}
		}
	}
}

// A query may allow several presentations (§6.1), and not without end.
func TestSeveralPresentations(t *testing.T) {
	query := recoveryQuery(t)
	query.Credentials[1].Multiple = true
	r, err := newProfile(t).NewRequest(presentation.RequestParams{ResponseURI: responseURI, Query: query, Lifetime: time.Minute}, rand.Reader, noon)
	must(t, r, err)
	for n, want := range map[int]error{2: nil, 16: nil, 17: presentation.ErrNotAsked} {
		a := answer(r)
		a["vp_token"].(map[string]any)["face_check"] = slices.Repeat([]any{"c~"}, n)
		if got, err := r.Open(sent(t, r, a), noon); !errors.Is(err, want) || want == nil && len(got.Presentations["face_check"]) != n {
			t.Errorf("%d: %v, %v", n, got, err)
		}
	}
}

// Each row starts from a good form and breaks one thing outside of what is encrypted.
func TestFormsThatAreRefused(t *testing.T) {
	header := func(jwe string, change func(map[string]any)) string {
		parts := strings.Split(jwe, ".")
		raw, _ := base64.RawURLEncoding.DecodeString(parts[0])
		var h map[string]any
		_ = json.Unmarshal(raw, &h)
		change(h)
		raw, _ = json.Marshal(h)
		parts[0] = base64.RawURLEncoding.EncodeToString(raw)
		return strings.Join(parts, ".")
	}
	part := func(jwe string, i int, change func(string) string) string {
		parts := strings.Split(jwe, ".")
		parts[i] = change(parts[i])
		return strings.Join(parts, ".")
	}
	with := func(change func(map[string]any)) func(string) url.Values {
		return func(jwe string) url.Values { return form(header(jwe, change)) }
	}
	epk := func(name string, value any) func(string) url.Values {
		return with(func(h map[string]any) { h["epk"].(map[string]any)[name] = value }) //nolint:forcetypeassert // go-jose wrote it
	}
	zeros := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	for name, row := range map[string]struct {
		form func(jwe string) url.Values
		err  error
		why  string // part of the error
	}{
		"nothing": {func(string) url.Values { return nil }, presentation.ErrMalformed, "malformed wallet message: neither an answer nor an error, or both"},
		"in the open": {func(string) url.Values {
			return url.Values{"vp_token": {"{}"},
				"state": {"x"}}
		}, presentation.ErrPlaintext, "response is not encrypted"},
		"both":                   {func(jwe string) url.Values { return url.Values{"response": {jwe}, "vp_token": {"{}"}} }, presentation.ErrPlaintext, "response is not encrypted"},
		"signed only":            {func(string) url.Values { return form("a.b.c") }, presentation.ErrPlaintext, "response is not encrypted: it is only signed"},
		"twice":                  {func(jwe string) url.Values { return url.Values{"response": {jwe, jwe}} }, presentation.ErrMalformed, "malformed wallet message: a parameter stands twice"},
		"another twice":          {func(jwe string) url.Values { return url.Values{"response": {jwe}, "x": {"1", "2"}} }, presentation.ErrMalformed, "malformed wallet message: a parameter stands twice"},
		"answer and error":       {func(jwe string) url.Values { return url.Values{"response": {jwe}, "error": {"access_denied"}} }, presentation.ErrMalformed, "malformed wallet message: neither an answer nor an error, or both"},
		"too large":              {func(string) url.Values { return form(strings.Repeat("a", 300<<10)) }, presentation.ErrTooLarge, "wallet message is too large: response"},
		"too many parameters":    {func(jwe string) url.Values { return many(jwe) }, presentation.ErrTooLarge, "wallet message is too large: number of parameters"},
		"four parts":             {func(string) url.Values { return form("a.b.c.d") }, presentation.ErrMalformed, "malformed wallet message: response is no compact JWE"},
		"six parts":              {func(jwe string) url.Values { return form(jwe + ".x") }, presentation.ErrMalformed, "malformed wallet message: response is no compact JWE"},
		"an encrypted key":       {func(jwe string) url.Values { return form(part(jwe, 1, func(string) string { return "AA" })) }, presentation.ErrMalformed, "malformed wallet message: an encrypted key beside direct key agreement"},
		"another kid":            {with(func(h map[string]any) { h["kid"] = strings.Repeat("A", 22) }), presentation.ErrUnknownKey, "response is encrypted to another request's key"},
		"no kid":                 {with(func(h map[string]any) { delete(h, "kid") }), presentation.ErrUnknownKey, "response is encrypted to another request's key: no kid of ours"},
		"another alg":            {with(func(h map[string]any) { h["alg"] = "ECDH-ES+A128KW" }), presentation.ErrAlgorithm, "response is encrypted in a way that was not offered: alg"},
		"dir":                    {with(func(h map[string]any) { h["alg"] = "dir" }), presentation.ErrAlgorithm, "response is encrypted in a way that was not offered: alg"},
		"another enc":            {with(func(h map[string]any) { h["enc"] = "A128CBC-HS256" }), presentation.ErrAlgorithm, "response is encrypted in a way that was not offered: enc"},
		"compressed":             {with(func(h map[string]any) { h["zip"] = "DEF" }), presentation.ErrMalformed, "malformed wallet message: JWE header: zip"},
		"critical":               {with(func(h map[string]any) { h["crit"] = []string{"x"} }), presentation.ErrMalformed, "malformed wallet message: JWE header: crit"},
		"no ephemeral key":       {with(func(h map[string]any) { delete(h, "epk") }), presentation.ErrMalformed, "malformed wallet message: JWE header: epk"},
		"a private one":          {epk("d", zeros), presentation.ErrMalformed, "malformed wallet message: JWE header: epk: a private key: it has the member d"},
		"off the curve":          {epk("x", zeros), presentation.ErrMalformed, "malformed wallet message: JWE header: epk: malformed: it is not on its curve"},
		"another curve":          {epk("crv", "P-384"), presentation.ErrAlgorithm, "response is encrypted in a way that was not offered: epk is not on P-256"},
		"a short coordinate":     {epk("x", "AA"), presentation.ErrMalformed, "malformed wallet message: JWE header: epk: malformed: x or y is not 32 bytes of base64url"},
		"a changed header":       {with(func(h map[string]any) { h["apv"] = "AA" }), presentation.ErrDecrypt, "response cannot be decrypted"},
		"a changed tag":          {func(jwe string) url.Values { return form(part(jwe, 4, flip)) }, presentation.ErrDecrypt, "response cannot be decrypted"},
		"a changed text":         {func(jwe string) url.Values { return form(part(jwe, 3, flip)) }, presentation.ErrDecrypt, "response cannot be decrypted"},
		"a short tag":            {func(jwe string) url.Values { return form(part(jwe, 4, func(string) string { return "AA" })) }, presentation.ErrMalformed, "malformed wallet message: a part of the JWE"},
		"a long iv":              {func(jwe string) url.Values { return form(part(jwe, 2, func(s string) string { return s + "AAAA" })) }, presentation.ErrMalformed, "malformed wallet message: a part of the JWE"},
		"padding":                {func(jwe string) url.Values { return form(part(jwe, 4, func(s string) string { return s + "==" })) }, presentation.ErrMalformed, "malformed wallet message: a part of the JWE"},
		"an error with no state": {func(string) url.Values { return url.Values{"error": {"access_denied"}} }, presentation.ErrState, "response belongs to another request"},
		"an error, another's": {func(string) url.Values {
			return url.Values{"error": {"access_denied"},
				"state": {"x"}}
		}, presentation.ErrState, "response belongs to another request"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t)
			sealed := seal(t, key(t, r), jose.A128GCM, answer(r))
			if _, err := r.Open(row.form(sealed), noon); !errors.Is(err, row.err) || err != nil && !strings.Contains(err.Error(), row.why) {
				t.Errorf("got %v, want %v", err, row.err)
			} else if status, body := presentation.ErrorBody(err, "ref"); status != http.StatusBadRequest || fmt.Sprint(body) == "" {
				t.Errorf("the wallet is told %d %v", status, body)
			}
			if _, err := r.Open(form(sealed), noon); err != nil {
				t.Errorf("the honest answer was spoiled: %v", err)
			}
		})
	}
}

func many(jwe string) url.Values { return addMany(form(jwe)) }

func addMany(f url.Values) url.Values {
	for i := range 40 {
		f.Set(fmt.Sprint("p", i), "x")
	}
	return f
}

func flip(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}

func TestAnotherRequestsAnswer(t *testing.T) {
	mine, other := newRequest(t), newRequest(t)
	sealed := seal(t, key(t, other), jose.A128GCM, answer(other))
	if _, err := mine.Open(form(sealed), noon); !errors.Is(err, presentation.ErrUnknownKey) {
		t.Errorf("got %v", err)
	}
	if _, err := other.Open(form(sealed), noon.Add(5*time.Minute)); !errors.Is(err, presentation.ErrExpired) {
		t.Errorf("too late: %v", err)
	}
	if _, err := (presentation.Request{}).Open(url.Values{"error": {"x"}, "state": {""}}, noon); err == nil || !strings.Contains(err.Error(), "the presentation request has no response mode") {
		t.Error("a request that nobody made was answered")
	}
}

func TestWalletErrors(t *testing.T) {
	r := newRequest(t)
	for code, want := range map[string]string{
		"access_denied": presentation.CodeAccessDenied, "wallet_unavailable": presentation.CodeWalletUnavailable, "<script>": presentation.CodeUnknown,
	} {
		sent := url.Values{"error": {code}, "state": {r.State}, "error_description": {"one\r\ntwo\u202e " + strings.Repeat("x", 900)}}
		got, err := r.Open(sent, noon)
		if err != nil || got.Error == nil || got.Error.Code != want || got.Presentations != nil {
			t.Fatalf("%s: %v, %v", code, got.Error, err)
		}
		if d := got.Error.Description; strings.ContainsAny(d, "\r\n\u202e") || len([]rune(d)) > 200 {
			t.Errorf("description of %d characters: %q", len(d), d[:20])
		}
		inside, err := r.Open(form(seal(t, key(t, r), jose.A128GCM, map[string]any{"error": code, "state": r.State})), noon)
		if err != nil || inside.Error == nil || inside.Error.Code != want {
			t.Errorf("%s, encrypted: %v, %v", code, inside.Error, err)
		}
	}
}

// The key under which to look for the request is read of any answer that could be opened, and of nothing else.
func TestKeyID(t *testing.T) {
	for name, sent := range map[string]url.Values{
		"nothing": {}, "an error": {"error": {"access_denied"}}, "in the clear": {"vp_token": {"{}"}}, "signed only": form("a.b.c"),
		"twice": {"response": {"x", "y"}}, "another twice": {"response": {"x"}, "y": {"1", "2"}}, "too large": form(strings.Repeat("a", 300<<10)),
	} {
		if id, err := presentation.KeyID(sent); err == nil || id != "" {
			t.Errorf("%s: %q, %v", name, id, err)
		}
	}
}
