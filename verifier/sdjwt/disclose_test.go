package sdjwt_test

import (
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
	for name, change := range map[string]func(t *testing.T, d *verifiertest.Draft){
		"_sd_alg":           func(_ *testing.T, d *verifiertest.Draft) { d.Claims["_sd_alg"] = "sha-512" },
		"_sd_alg no string": func(_ *testing.T, d *verifiertest.Draft) { d.Claims["_sd_alg"] = nil },
		"_sd_alg below":     func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = map[string]any{"_sd_alg": "sha-256"} },
		"_sd no list":       func(_ *testing.T, d *verifiertest.Draft) { d.Claims["_sd"] = "x" },
		"_sd of numbers":    func(_ *testing.T, d *verifiertest.Draft) { d.Claims["_sd"] = []any{1} },
		"_sd below no list": func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = map[string]any{"_sd": 1} },
		"unreferenced": func(t *testing.T, d *verifiertest.Draft) {
			d.Disclosures = append(d.Disclosures, verifiertest.Disclose(t, "a", 1))
		},
		"sent twice": func(_ *testing.T, d *verifiertest.Draft) { d.Disclosures = append(d.Disclosures, d.Disclosures[1]) },
		"digest twice": func(_ *testing.T, d *verifiertest.Draft) {
			d.Claims["_sd"] = append(d.Claims["_sd"].([]string), d.Portrait)
		},
		"digest twice below": func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = map[string]any{"_sd": []string{d.Portrait}} },
		"digest in an array": func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = []any{map[string]any{"...": d.Portrait}} },
		"replaces a claim":   func(_ *testing.T, d *verifiertest.Draft) { d.Claims["given_name"] = "Bea" },
		"same name twice":    func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "given_name", "Bea") },
		"iss": func(t *testing.T, d *verifiertest.Draft) {
			delete(d.Claims, "iss")
			d.Conceal(t, "iss", "https://a.example")
		},
		"exp": func(t *testing.T, d *verifiertest.Draft) { delete(d.Claims, "exp"); d.Conceal(t, "exp", 1<<40) },
		"nbf": func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "nbf", 1) },
		"cnf": func(t *testing.T, d *verifiertest.Draft) {
			c := d.Claims["cnf"]
			delete(d.Claims, "cnf")
			d.Conceal(t, "cnf", c)
		},
		"vct":            func(t *testing.T, d *verifiertest.Draft) { delete(d.Claims, "vct"); d.Conceal(t, "vct", "urn:x") },
		"vct#integrity":  func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "vct#integrity", "x") },
		"aka_vcts":       func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "aka_vcts", []string{"x"}) },
		"status":         func(t *testing.T, d *verifiertest.Draft) { delete(d.Claims, "status"); d.Conceal(t, "status", 1) },
		"part of status": func(_ *testing.T, d *verifiertest.Draft) { d.Claims["status"] = map[string]any{"_sd": []string{"x"}} },
		"part of cnf": func(_ *testing.T, d *verifiertest.Draft) {
			d.Claims["cnf"].(map[string]any)["x"] = []any{map[string]any{"...": "x"}}
		},
		"name _sd": func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "_sd", []string{}) },
		"name ...": func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "...", "x") },
		"name _sd_alg": func(t *testing.T, d *verifiertest.Draft) {
			delete(d.Claims, "_sd_alg")
			d.Conceal(t, "_sd_alg", "sha-256")
		},
		"... outside arrays": func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = map[string]any{"...": "x"} },
		"... with company":   func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = []any{map[string]any{"...": "x", "y": 1}} },
		"... no string":      func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = []any{map[string]any{"...": 1}} },
		"element in object":  func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt","value"]`) },
		"claim in array": func(t *testing.T, d *verifiertest.Draft) {
			one := verifiertest.Disclose(t, "a", 1)
			d.Claims["x"] = []any{map[string]any{"...": one.Digest()}}
			d.Disclosures = append(d.Disclosures, one)
		},
		"one element":      func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt"]`) },
		"four elements":    func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt","a",1,2]`) },
		"no array":         func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `{"salt":1}`) },
		"salt no string":   func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `[1,"a",1]`) },
		"name no string":   func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt",1,1]`) },
		"duplicate inside": func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt","a",{"b":1,"b":2}]`) },
		"text after":       func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt","a",1] 2`) },
		"not JSON":         func(_ *testing.T, d *verifiertest.Draft) { conceal(d, `["salt",`) },
		"not UTF-8":        func(_ *testing.T, d *verifiertest.Draft) { conceal(d, "[\"salt\",\"a\",\"\xff\"]") },
		"too deep": func(_ *testing.T, d *verifiertest.Draft) {
			conceal(d, `["salt","a",`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+`]`)
		},
		"too deep together": nestDisclosures,
		"too many": func(t *testing.T, d *verifiertest.Draft) {
			for i := range 128 {
				d.Conceal(t, "claim"+string(rune('a'+i/26))+string(rune('a'+i%26)), 1)
			}
		},
		"too long": func(t *testing.T, d *verifiertest.Draft) { d.Conceal(t, "a", strings.Repeat("x", 256<<10)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			change(t, s.draft)
			if _, err := s.parse(t); !errors.Is(err, sdjwt.ErrMalformed) {
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
	for name, changed := range map[string]string{
		"padding":              first + "~" + disclosure + "=~" + rest,
		"line break":           first + "~" + disclosure[:8] + "\n" + disclosure[8:] + "~" + rest,
		"line break in JWT":    first[:8] + "\n" + first[8:] + "~" + disclosure + "~" + rest,
		"empty disclosure":     first + "~~" + disclosure + "~" + rest,
		"space in front":       " " + text,
		"four parts":           first + ".AA~" + disclosure + "~" + rest,
		"no signature":         first[:strings.LastIndexByte(first, '.')+1] + "~" + disclosure + "~" + rest,
		"short signature":      first[:len(first)-4] + "~" + disclosure + "~" + rest,
		"duplicate in payload": duplicate + "~" + rest,
		"duplicate in header":  header + "~" + rest,
		"standard alphabet":    first + "~" + verifiertest.Encode([]byte("[\"\xfb\xff\",\"a\",1]")) + "~" + rest,
		"empty":                "",
		"tildes":               strings.Repeat("~", 5) + "x",
		"JWT alone":            first,
	} {
		if _, err := sdjwt.ParseInsecure(changed); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
