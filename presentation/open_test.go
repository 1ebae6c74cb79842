package presentation_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
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
	}{
		"no state":           {func(a object) any { delete(a, "state"); return a }, presentation.ErrState},
		"another state":      {func(a object) any { a["state"] = "x"; return a }, presentation.ErrState},
		"a state of numbers": {func(a object) any { a["state"] = 7; return a }, presentation.ErrState},
		"no vp_token":        {func(a object) any { delete(a, "vp_token"); return a }, presentation.ErrMalformed},
		"vp_token is text":   {func(a object) any { a["vp_token"] = "x"; return a }, presentation.ErrMalformed},
		"vp_token is a list": {func(a object) any { a["vp_token"] = []any{"x"}; return a }, presentation.ErrMalformed},
		"vp_token and error": {func(a object) any { a["error"] = "access_denied"; return a }, presentation.ErrMalformed},
		"no Verified ID":     {func(a object) any { delete(token(a), "verified_id"); return a }, presentation.ErrMissing},
		"no Face Check":      {func(a object) any { delete(token(a), "face_check"); return a }, presentation.ErrMissing},
		"not asked for":      {func(a object) any { token(a)["passport"] = []any{"x"}; return a }, presentation.ErrNotAsked},
		"empty list":         {func(a object) any { token(a)["face_check"] = []any{}; return a }, presentation.ErrMalformed},
		"two presentations":  {func(a object) any { token(a)["face_check"] = []any{"x", "y"}; return a }, presentation.ErrNotAsked},
		"not a list":         {func(a object) any { token(a)["face_check"] = "x"; return a }, presentation.ErrMalformed},
		"an object":          {func(a object) any { token(a)["face_check"] = []any{object{}}; return a }, presentation.ErrMalformed},
		"an empty text":      {func(a object) any { token(a)["face_check"] = []any{""}; return a }, presentation.ErrMalformed},
		"not JSON":           {func(object) any { return "vp_token" }, presentation.ErrMalformed},
		"a list":             {func(object) any { return "[]" }, presentation.ErrMalformed},
		"a name twice":       {func(a object) any { return fmt.Sprintf(`{"state":"x","state":%q,"vp_token":{}}`, a["state"]) }, presentation.ErrMalformed},
		"endless depth":      {func(object) any { return strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100) }, presentation.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t)
			got, err := r.Open(form(seal(t, key(t, r), jose.A128GCM, row.change(answer(r)))), noon)
			if !errors.Is(err, row.err) || got.Presentations != nil || got.Error != nil {
				t.Errorf("got %v, %v, want %v", got, err, row.err)
			}
		})
	}
}

func token(a map[string]any) map[string]any { return a["vp_token"].(map[string]any) } //nolint:forcetypeassert // made by answer

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
	}{
		"nothing":                {func(string) url.Values { return nil }, presentation.ErrMalformed},
		"in the open":            {func(string) url.Values { return url.Values{"vp_token": {"{}"}, "state": {"x"}} }, presentation.ErrPlaintext},
		"both":                   {func(jwe string) url.Values { return url.Values{"response": {jwe}, "vp_token": {"{}"}} }, presentation.ErrPlaintext},
		"signed only":            {func(string) url.Values { return form("a.b.c") }, presentation.ErrPlaintext},
		"twice":                  {func(jwe string) url.Values { return url.Values{"response": {jwe, jwe}} }, presentation.ErrMalformed},
		"another twice":          {func(jwe string) url.Values { return url.Values{"response": {jwe}, "x": {"1", "2"}} }, presentation.ErrMalformed},
		"answer and error":       {func(jwe string) url.Values { return url.Values{"response": {jwe}, "error": {"access_denied"}} }, presentation.ErrMalformed},
		"too large":              {func(string) url.Values { return form(strings.Repeat("a", 300<<10)) }, presentation.ErrTooLarge},
		"too many parameters":    {func(jwe string) url.Values { return many(jwe) }, presentation.ErrTooLarge},
		"four parts":             {func(string) url.Values { return form("a.b.c.d") }, presentation.ErrMalformed},
		"six parts":              {func(jwe string) url.Values { return form(jwe + ".x") }, presentation.ErrMalformed},
		"an encrypted key":       {func(jwe string) url.Values { return form(part(jwe, 1, func(string) string { return "AA" })) }, presentation.ErrMalformed},
		"another kid":            {with(func(h map[string]any) { h["kid"] = strings.Repeat("A", 22) }), presentation.ErrUnknownKey},
		"no kid":                 {with(func(h map[string]any) { delete(h, "kid") }), presentation.ErrUnknownKey},
		"another alg":            {with(func(h map[string]any) { h["alg"] = "ECDH-ES+A128KW" }), presentation.ErrAlgorithm},
		"dir":                    {with(func(h map[string]any) { h["alg"] = "dir" }), presentation.ErrAlgorithm},
		"another enc":            {with(func(h map[string]any) { h["enc"] = "A128CBC-HS256" }), presentation.ErrAlgorithm},
		"compressed":             {with(func(h map[string]any) { h["zip"] = "DEF" }), presentation.ErrMalformed},
		"critical":               {with(func(h map[string]any) { h["crit"] = []string{"x"} }), presentation.ErrMalformed},
		"no ephemeral key":       {with(func(h map[string]any) { delete(h, "epk") }), presentation.ErrMalformed},
		"a private one":          {epk("d", zeros), presentation.ErrMalformed},
		"off the curve":          {epk("x", zeros), presentation.ErrMalformed},
		"another curve":          {epk("crv", "P-384"), presentation.ErrAlgorithm},
		"a short coordinate":     {epk("x", "AA"), presentation.ErrMalformed},
		"a changed header":       {with(func(h map[string]any) { h["apv"] = "AA" }), presentation.ErrDecrypt},
		"a changed tag":          {func(jwe string) url.Values { return form(part(jwe, 4, flip)) }, presentation.ErrDecrypt},
		"a changed text":         {func(jwe string) url.Values { return form(part(jwe, 3, flip)) }, presentation.ErrDecrypt},
		"a short tag":            {func(jwe string) url.Values { return form(part(jwe, 4, func(string) string { return "AA" })) }, presentation.ErrMalformed},
		"a long iv":              {func(jwe string) url.Values { return form(part(jwe, 2, func(s string) string { return s + "AAAA" })) }, presentation.ErrMalformed},
		"padding":                {func(jwe string) url.Values { return form(part(jwe, 4, func(s string) string { return s + "==" })) }, presentation.ErrMalformed},
		"an error with no state": {func(string) url.Values { return url.Values{"error": {"access_denied"}} }, presentation.ErrState},
		"an error, another's":    {func(string) url.Values { return url.Values{"error": {"access_denied"}, "state": {"x"}} }, presentation.ErrState},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t)
			sealed := seal(t, key(t, r), jose.A128GCM, answer(r))
			if _, err := r.Open(row.form(sealed), noon); !errors.Is(err, row.err) {
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

func many(jwe string) url.Values {
	f := form(jwe)
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
	if _, err := (presentation.Request{}).Open(url.Values{"error": {"x"}, "state": {""}}, noon); err == nil {
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

// Secrets and presentations show themselves to nobody.
func TestRedaction(t *testing.T) {
	r := newRequest(t)
	got, err := r.Open(form(seal(t, key(t, r), jose.A128GCM, answer(r))), noon)
	must(t, got, err)
	stored, err := json.Marshal(r.Key)
	must(t, stored, err)
	private := strings.Split(strings.Split(string(stored), `"d":"`)[1], `"`)[0]
	for name, value := range map[string]any{"request": r, "key": r.Key, "answer": got, "presentations": got.Presentations, "pointer": &r} {
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", value)
		shown := log.String()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
			shown += fmt.Sprintf(verb, value)
		}
		for _, secret := range []string{r.Nonce, r.State, private, "a~b"} {
			if strings.Contains(shown, secret) || strings.Contains(shown, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s shows a secret: %.300s", name, shown)
			}
		}
	}
}
