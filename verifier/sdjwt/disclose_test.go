package sdjwt_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"regain/verifier/sdjwt"
	"regain/verifier/verifiertest"
)

// raw makes a Disclosure of a text.
func raw(text string) verifiertest.Disclosure {
	return verifiertest.Disclosure{Text: verifiertest.Encode([]byte(text))}
}

// conceal adds a Disclosure of a text to the top level of a draft.
func conceal(d *verifiertest.Draft, text string) {
	one := raw(text)
	d.Claims["_sd"] = append(d.Claims["_sd"].([]string), one.Digest())
	d.Disclosures = append(d.Disclosures, one)
}

// TestParseRefuses breaks one thing of a credential that its issuer signed (RFC 9901 §7.1): the issuer may be careless,
// and the holder may have put together what was never issued together.
func TestParseRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		change func(t *testing.T, d *verifiertest.Draft)
		why    string
	}{
		"_sd_alg":           {func(_ *testing.T, d *verifiertest.Draft) { d.Claims["_sd_alg"] = "sha-512" }, "_sd_alg is not sha-256"},
		"_sd_alg no string": {func(_ *testing.T, d *verifiertest.Draft) { d.Claims["_sd_alg"] = nil }, "_sd_alg is not sha-256"},
		"_sd_alg below":     {func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = map[string]any{"_sd_alg": "sha-256"} }, "_sd_alg below the top level"},
		"_sd no list":       {func(_ *testing.T, d *verifiertest.Draft) { d.Claims["_sd"] = "x" }, "_sd is not an array"},
		"_sd of numbers":    {func(_ *testing.T, d *verifiertest.Draft) { d.Claims["_sd"] = []any{1} }, "_sd holds something that is not a string"},
		"_sd below no list": {func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = map[string]any{"_sd": 1} }, "_sd is not an array"},
		"unreferenced": {func(t *testing.T, d *verifiertest.Draft) {
			d.Disclosures = append(d.Disclosures, verifiertest.Disclose(t, "a", 1))
		}, "a disclosure has no digest in the credential"},
		"sent twice": {func(_ *testing.T, d *verifiertest.Draft) { d.Disclosures = append(d.Disclosures, d.Disclosures[1]) }, "a disclosure stands twice"},
		"digest twice": {func(_ *testing.T, d *verifiertest.Draft) {
			d.Claims["_sd"] = append(d.Claims["_sd"].([]string), d.Portrait)
		}, "a digest stands twice"},
		"digest twice below": {func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = map[string]any{"_sd": []string{d.Portrait}} }, "a digest stands twice"},
		"digest in an array": {func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = []any{map[string]any{"...": d.Portrait}} }, "a digest stands twice"},
		"replaces a claim":   {func(_ *testing.T, d *verifiertest.Draft) { d.Claims["given_name"] = "Bea" }, "a disclosure does not belong where its digest stands"},
		"same name twice":    {func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "given_name", "Bea") }, "two disclosures have the same name"},
		"iss": {func(t *testing.T, d *verifiertest.Draft) {
			delete(d.Claims, "iss")
			d.Conceal(t, "iss", "https://a.example")
		}, "a disclosure does not belong where its digest stands"},
		"exp": {func(t *testing.T, d *verifiertest.Draft) { delete(d.Claims, "exp"); d.Conceal(t, "exp", 1<<40) }, "a disclosure does not belong where its digest stands"},
		"nbf": {func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "nbf", 1) }, "a disclosure does not belong where its digest stands"},
		"cnf": {func(t *testing.T, d *verifiertest.Draft) {
			c := d.Claims["cnf"]
			delete(d.Claims, "cnf")
			d.Conceal(t, "cnf", c)
		}, "a disclosure does not belong where its digest stands"},
		"vct":            {func(t *testing.T, d *verifiertest.Draft) { delete(d.Claims, "vct"); d.Conceal(t, "vct", "urn:x") }, "a disclosure does not belong where its digest stands"},
		"vct#integrity":  {func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "vct#integrity", "x") }, "a disclosure does not belong where its digest stands"},
		"aka_vcts":       {func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "aka_vcts", []string{"x"}) }, "a disclosure does not belong where its digest stands"},
		"status":         {func(t *testing.T, d *verifiertest.Draft) { delete(d.Claims, "status"); d.Conceal(t, "status", 1) }, "a disclosure does not belong where its digest stands"},
		"part of status": {func(_ *testing.T, d *verifiertest.Draft) { d.Claims["status"] = map[string]any{"_sd": []string{"x"}} }, "status has parts that can be withheld"},
		"part of cnf": {func(_ *testing.T, d *verifiertest.Draft) {
			d.Claims["cnf"].(map[string]any)["x"] = []any{map[string]any{"...": "x"}}
		}, "cnf has parts that can be withheld"},
		"name _sd": {func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "_sd", []string{}) }, "a disclosure's name is reserved, or no string"},
		"name ...": {func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "...", "x") }, "a disclosure's name is reserved, or no string"},
		"name _sd_alg": {func(t *testing.T, d *verifiertest.Draft) {
			delete(d.Claims, "_sd_alg")
			d.Conceal(t, "_sd_alg", "sha-256")
		}, "a disclosure's name is reserved, or no string"},
		"... outside arrays": {func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = map[string]any{"...": "x"} }, "\"...\" outside an array"},
		"... with company":   {func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = []any{map[string]any{"...": "x", "y": 1}} }, "\"...\" is not a digest alone"},
		"... no string":      {func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = []any{map[string]any{"...": 1}} }, "\"...\" is not a digest alone"},
		"element in object":  {func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt","value"]`) }, "a disclosure does not belong where its digest stands"},
		"claim in array": {func(t *testing.T, d *verifiertest.Draft) {
			one := verifiertest.Disclose(t, "a", 1)
			d.Claims["x"] = []any{map[string]any{"...": one.Digest()}}
			d.Disclosures = append(d.Disclosures, one)
		}, "a disclosure does not belong where its digest stands"},
		"one element":   {func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt"]`) }, "a disclosure is not an array of two or three"},
		"four elements": {func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt","a",1,2]`) }, "a disclosure is not an array of two or three"},
		"a name of digits is written with ~= before it": {func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `{"salt":1}`) }, "a disclosure is not an array of two or three"},
		"salt no string":   {func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `[1,"a",1]`) }, "a disclosure's salt is not a string"},
		"name no string":   {func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt",1,1]`) }, "a disclosure's name is reserved, or no string"},
		"duplicate inside": {func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt","a",{"b":1,"b":2}]`) }, "a name stands twice"},
		"text after":       {func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt","a",1] 2`) }, "something follows the value"},
		"not JSON":         {func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt",`) }, "no value at byte"},
		"not UTF-8":        {func(_ *testing.T, d *verifiertest.Draft) { conceal(d, "[\"salt\",\"a\",\"\xff\"]") }, "not UTF-8"},
		"too deep": {func(_ *testing.T, d *verifiertest.Draft) {
			conceal(d, `["salt","a",`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+`]`)
		}, "nested too deep at byte"},
		"too deep together": {nestDisclosures, "nested too deeply"},
		"too many": {func(t *testing.T, d *verifiertest.Draft) {
			for i := range 128 {
				d.Conceal(t, "claim"+string(rune('a'+i/26))+string(rune('a'+i%26)), 1)
			}
		}, "more than 128 disclosures"},
		"too long": {func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "a", strings.Repeat("x", 256<<10)) }, "longer than 262144 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			row.change(t, s.draft)
			if _, err := s.parse(t); !errors.Is(err, sdjwt.ErrMalformed) || !strings.Contains(err.Error(), row.why) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// nestDisclosures hides each of many objects in another: no single text is deep.
func nestDisclosures(t *testing.T, d *verifiertest.Draft) {
	inner := any(1)
	for range 20 {
		one := verifiertest.Disclose(t, "a", inner)
		d.Disclosures = append(d.Disclosures, one)
		inner = map[string]any{"_sd": []string{one.Digest()}}
	}
	d.Claims["nested"] = inner
}

// TestParseRefusesOtherSpellings changes a text in ways that a lenient reader would not notice.
func TestParseRefusesOtherSpellings(t *testing.T) {
	s := newScene(t)
	text := s.present(t)
	if _, err := sdjwt.ParseInsecure(text); err != nil {
		t.Fatal(err)
	}
	first, rest, _ := strings.Cut(text, "~")
	disclosure, rest, _ := strings.Cut(rest, "~")
	duplicate := verifiertest.SignRaw(t, s.issuer.Signs.Key, verifiertest.JSON(t, s.draft.Header), []byte(`{"vct":"a","vct":"b"}`))
	header := verifiertest.SignRaw(t, s.issuer.Signs.Key, []byte(`{"alg":"ES256","alg":"ES256","typ":"dc+sd-jwt"}`), []byte(`{}`))
	standard := base64.RawStdEncoding.EncodeToString([]byte(`["~~~","a","???"]`))
	if !strings.ContainsAny(standard, "+/") {
		t.Fatal("it is the same in both alphabets")
	}
	for name, row := range map[string]struct {
		changed string
		why     string
	}{
		"padding":              {first + "~" + disclosure + "=~" + rest, "not base64url in its canonical form"},
		"line break":           {first + "~" + disclosure[:8] + "\n" + disclosure[8:] + "~" + rest, "not base64url in its canonical form"},
		"line break in JWT":    {first[:8] + "\n" + first[8:] + "~" + disclosure + "~" + rest, "not base64url in its canonical form"},
		"empty disclosure":     {first + "~~" + disclosure + "~" + rest, "disclosure: not strict JSON: no value at byte 0"},
		"space in front":       {" " + text, "not base64url in its canonical form"},
		"four parts":           {first + ".AA~" + disclosure + "~" + rest, "not a compact JWS"},
		"no signature":         {first[:strings.LastIndexByte(first, '.')+1] + "~" + disclosure + "~" + rest, "signature is not 64 bytes"},
		"short signature":      {first[:len(first)-4] + "~" + disclosure + "~" + rest, "signature is not 64 bytes"},
		"duplicate in payload": {duplicate + "~" + rest, "payload: malformed JWS: not strict JSON: a name stands twice"},
		"duplicate in header":  {header + "~" + rest, "header: malformed JWS: not strict JSON: a name stands twice"},
		"standard alphabet":    {first + "~" + standard + "~" + rest, "not base64url in its canonical form"},
		"empty":                {"", "no tilde, or more than 128"},
		"tildes":               {strings.Repeat("~", 5) + "x", "not a compact JWS"},
		"JWT alone":            {first, "no tilde, or more than 128"},
	} {
		if _, err := sdjwt.ParseInsecure(row.changed); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
