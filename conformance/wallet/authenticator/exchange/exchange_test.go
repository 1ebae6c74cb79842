package exchange_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"regain/conformance/wallet/authenticator/exchange"
)

const (
	whole = `{"id":"d","input_descriptors":[{"id":"a","name":"VerifiedEmployee","purpose":"why","schema":[{"uri":"VerifiedEmployee"}],` +
		`"issuance":[{"manifest":"https://x.example"}],"constraints":{"fields":[{"path":["$.issuer","$.vc.issuer","$.iss"],` +
		`"filter":{"type":"string","pattern":"^(did:web:a\\.example|did:web:b\\.example)$"}}]}}]}`
	credential = `{"iss":"did:web:b.example","sub":"did:x:y","vc":{"type":["VerifiableCredential","VerifiedEmployee"],` +
		`"credentialSubject":{"givenName":"Ada","a b":"c","age":36,"roles":["one","two"],"address":{"city":"London"},"empty":""}}}`
)

func claims(t testing.TB) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(credential), &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func types() []string { return []string{"VerifiableCredential", "VerifiedEmployee"} }

func TestParse(t *testing.T) {
	d, err := exchange.Parse([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	if d.ID != "d" || len(d.Descriptors) != 1 {
		t.Fatalf("%+v", d)
	}
	first := d.Descriptors[0]
	if first.ID != "a" || first.Purpose != "why" || !first.Asks("VerifiedEmployee") || first.Asks("Other") {
		t.Errorf("%+v", first)
	}
	if !first.Matches(types(), claims(t)) || first.Matches([]string{"VerifiableCredential"}, claims(t)) {
		t.Error("the type does not count")
	}
}

func TestParseRefuses(t *testing.T) {
	for name, change := range map[string][2]string{
		"no id":                        {`"id":"d"`, `"x":"d"`},
		"an id that is a number":       {`"id":"d"`, `"id":1`},
		"no descriptors":               {`"input_descriptors"`, `"x"`},
		"empty descriptors":            {`[{"id":"a"`, `[],"x":[{"id":"a"`},
		"too many":                     {`[{"id":"a"`, `[` + strings.Repeat(`{},`, 16) + `{"id":"a"`},
		"a descriptor without id":      {`"id":"a"`, `"x":"a"`},
		"two with one id":              {`[{"id":"a"`, `[{"id":"a","schema":[{"uri":"x"}]},{"id":"a"`},
		"no schema":                    {`"schema"`, `"x"`},
		"a schema of version 2's kind": {`[{"uri":"VerifiedEmployee"}]`, `"VerifiedEmployee"`},
		"a schema without uri":         {`"uri"`, `"x"`},
		"no path":                      {`"path"`, `"x"`},
		"an empty path":                {`["$.issuer","$.vc.issuer","$.iss"]`, `[]`},
		"a path that is a text":        {`["$.issuer","$.vc.issuer","$.iss"]`, `"$.iss"`},
		"a path to everywhere":         {`$.vc.issuer`, `$..issuer`},
		"a path with a star":           {`$.vc.issuer`, `$.vc.*`},
		"a path with a filter":         {`$.vc.issuer`, `$.vc[?(@.x)]`},
		"a path without a root":        {`$.vc.issuer`, `vc.issuer`},
		"a path to a negative index":   {`$.vc.issuer`, `$.vc[-1]`},
		"a path to a slice":            {`$.vc.issuer`, `$.vc[0:1]`},
		"a path that ends early":       {`$.vc.issuer`, `$.vc.`},
		"a path of no name":            {`$.vc.issuer`, `$.vc['']`},
		"a path too long":              {`$.vc.issuer`, `$.` + strings.Repeat("a", 600)},
		"a filter of another type":     {`"type":"string"`, `"type":"array"`},
		"a filter without a pattern":   {`"pattern"`, `"const"`},
		"a filter that is null":        {`"filter":{`, `"filter":null,"x":{`},
		"a pattern that is none":       {`^(did`, `^((did`},
		"a pattern too long":           {`^(did`, `^(` + strings.Repeat("a", 5000) + `did`},
		"not a pattern without its ^":  {`^(did`, `(did`},
		"fields twice":                 {`"fields":`, `"fields":[],"fields":`},
		"no JSON":                      {`{"id":"d"`, `{`},
	} {
		text := strings.Replace(whole, change[0], change[1], 1)
		if text == whole {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := exchange.Parse([]byte(text)); !errors.Is(err, exchange.ErrDefinition) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each row is one field against the credential above.
func TestMatches(t *testing.T) {
	for field, want := range map[string]bool{
		`{"path":["$.iss"]}`:                                                                                true,
		`{"path":["$.nothing"]}`:                                                                            false,
		`{"path":["$.nothing","$.iss"]}`:                                                                    true,
		`{"path":["$.vc.credentialSubject.givenName"]}`:                                                     true,
		`{"path":["$['vc']['credentialSubject']['a b']"]}`:                                                  true,
		`{"path":["$[\"vc\"].credentialSubject.roles[1]"]}`:                                                 true,
		`{"path":["$.vc.credentialSubject.roles[2]"]}`:                                                      false,
		`{"path":["$.vc.credentialSubject.roles"]}`:                                                         true,
		`{"path":["$.vc.credentialSubject.roles"],"filter":{"type":"string","pattern":""}}`:                 false, // no text
		`{"path":["$.vc.credentialSubject.age"]}`:                                                           true,
		`{"path":["$.vc.credentialSubject.empty"]}`:                                                         true,
		`{"path":["$.vc.type[0].x"]}`:                                                                       false,
		`{"path":["$.iss[0]"]}`:                                                                             false,
		`{"path":["$"]}`:                                                                                    true,
		`{"path":["$.iss"],"filter":{"type":"string","pattern":"^did:web:b\\.example$"}}`:                   true,
		`{"path":["$.iss"],"filter":{"type":"string","pattern":"^did:web:a\\.example$"}}`:                   false,
		`{"path":["$.sub","$.iss"],"filter":{"type":"string","pattern":"^did:web:b"}}`:                      true,
		`{"path":["$.iss"],"filter":{"type":"string","pattern":"did:web:a.example|did:web:b.example"}}`:     true,
		`{"path":["$.vc.credentialSubject.givenName"],"filter":{"type":"string","pattern":"^ADA$"}}`:        false, // case counts in JSON Schema
		`{"path":["$.vc.credentialSubject.givenName"],"filter":{"type":"string","pattern":"/^Ada$/i"}}`:     false, // no literal in JSON Schema
		`{"path":["$.vc.credentialSubject.givenName"],"filter":{"type":"string","pattern":""}}`:             true,
		`{"path":["$.vc.credentialSubject.givenName"],"filter":{"type":"string","pattern":"A"}}`:            true,
		`{"path":["$.vc.credentialSubject.givenName"],"filter":{"type":"string","pattern":"[A-Z]da"}}`:      false, // "A-Z]da" to the library
		`{"path":["$.vc.credentialSubject.givenName"],"filter":{"type":"string","pattern":"^Ada$|/x"}}`:     true,
		`{"path":["$.vc.credentialSubject.givenName"],"filter":{"type":"string","pattern":"^(Ada|a/gi)$"}}`: false, // cut short
	} {
		text := strings.Replace(whole, `"fields":[`, `"fields":[`+field+`,`, 1)
		d, err := exchange.Parse([]byte(text))
		if err != nil {
			if want {
				t.Errorf("%s: %v", field, err)
			}
			continue
		}
		if got := d.Descriptors[0].Matches(types(), claims(t)); got != want {
			t.Errorf("%s: %t", field, got)
		}
	}
}

// FuzzDefinition holds that any definition of a stranger's is either refused or evaluated, and that
// a type which nobody asks for never answers.
func FuzzDefinition(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(`{"id":"d","input_descriptors":[{"id":"a","schema":[{"uri":"VerifiedEmployee"}]}]}`))
	f.Add([]byte(strings.Replace(whole, `^(did`, `/^(did`, 1)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := exchange.Parse(raw)
		if err != nil {
			if !errors.Is(err, exchange.ErrDefinition) {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		for _, descriptor := range d.Descriptors {
			descriptor.Matches(types(), claims(t))
			if descriptor.Matches(nil, claims(t)) || descriptor.ID == "" || len(descriptor.Types) == 0 {
				t.Errorf("%q: %+v", raw, descriptor)
			}
		}
	})
}

// FuzzPath holds that no path leads to two places or to none that it names.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"$.iss", "$['vc'].type[1]", "$.vc.credentialSubject.roles[0]", "$..a", "$[", "$.['a']"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		quoted, err := json.Marshal(path)
		if err != nil {
			t.Fatal(err)
		}
		d, err := exchange.Parse([]byte(`{"id":"d","input_descriptors":[{"id":"a","schema":[{"uri":"VerifiedEmployee"}],"constraints":{"fields":[{"path":[` + string(quoted) + `]}]}}]}`))
		if err != nil {
			return
		}
		d.Descriptors[0].Matches(types(), claims(t))
	})
}
