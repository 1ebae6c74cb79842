package dcql_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"regain/presentation/dcql"
)

func TestQueryMissing(t *testing.T) {
	optional := false
	plain := dcql.Query{Credentials: []dcql.Credential{{ID: "a"}, {ID: "b"}, {ID: "c"}}}
	sets := plain
	sets.CredentialSets = []dcql.CredentialSet{
		{Options: [][]string{{"a", "b"}, {"c"}}},
		{Options: [][]string{{"b"}}, Required: &optional},
	}
	onlyOptional := plain
	onlyOptional.CredentialSets = sets.CredentialSets[1:]
	for _, c := range []struct {
		name    string
		query   dcql.Query
		present string
		ok      bool
	}{
		{"all of all", plain, "a b c", true},
		{"all, in another order", plain, "c b a", true},
		{"one is missing", plain, "a c", false},
		{"nothing", plain, "", false},
		{"first option", sets, "a b", true},
		{"second option", sets, "c", true},
		{"half an option", sets, "a", false},
		{"only what is optional", sets, "b", false},
		{"nothing is required", onlyOptional, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.query.Missing(strings.Fields(c.present))
			if errors.Is(err, dcql.ErrMissing) == c.ok || (err == nil) != c.ok {
				t.Errorf("Missing(%s) = %v, want satisfied: %t", c.present, err, c.ok)
			}
		})
	}
}

// arthur is the example credential of OpenID4VP 1.0 §7.3.
const arthur = `{"name":"Arthur Dent","age":42,"alive":true,"address":{"street_address":"42 Market Street","locality":"Milliways","postal_code":"12345"},
 "degrees":[{"type":"Bachelor of Science","university":"University of Betelgeuse"},{"type":"Master of Science","university":"University of Betelgeuse"}],
 "nationalities":["British","Betelgeusian"]}`

func TestPathSelect(t *testing.T) {
	for path, want := range map[string]string{
		`["name"]`:                          `["Arthur Dent"]`,
		`["address"]`:                       `[{"street_address":"42 Market Street","locality":"Milliways","postal_code":"12345"}]`,
		`["address","street_address"]`:      `["42 Market Street"]`,
		`["degrees",null,"type"]`:           `["Bachelor of Science","Master of Science"]`,
		`["nationalities",1]`:               `["Betelgeusian"]`,
		`["nationalities",2]`:               ``, // no such element
		`["surname"]`:                       ``, // no such member
		`["degrees",null,"date"]`:           ``, // removed from the selection until nothing is left
		`["name",null]`:                     ``, // not an array
		`["name","first"]`:                  ``, // not an object
		`["address",0]`:                     ``, // not an array
		`["degrees","type"]`:                ``, // not an object
		`["nationalities",null,"language"]`: ``, // not objects
	} {
		t.Run(path, func(t *testing.T) {
			p, err := dcql.ParsePath([]byte(path))
			if err != nil {
				t.Fatal(err)
			}
			if p.String() != path {
				t.Errorf("written as %s", p)
			}
			got, err := p.Select(object(t, arthur))
			if want == "" {
				if !errors.Is(err, dcql.ErrNoClaim) {
					t.Errorf("Select = %v, %v, want ErrNoClaim", got, err)
				}
				return
			}
			var values []any
			if err := json.Unmarshal([]byte(want), &values); err != nil {
				t.Fatal(err)
			}
			if err != nil || !reflect.DeepEqual(got, values) {
				t.Errorf("Select = %v, %v, want %v", got, err, values)
			}
		})
	}
}

// Select tells where the path ends: at the first value of the wrong kind, or at the end of what there is.
func TestSelectTellsWhere(t *testing.T) {
	for _, row := range []struct{ pointer, claims, want string }{
		{"a", `[]`, "no object at the root"},
		{"a/*/b/c", `{"a":[{"b":1},"x"]}`, "no object at a/*"},
		{"a/*/b/c", `{"a":["x",{"b":1}]}`, "no object at a/*"},
		{"a/*/b/c", `{"a":[{"b":1},{"b":{}}]}`, "no object at a/*/b"},
		{"a/*/b/c", `{"a":[{},{"b":{}}]}`, "no value at a/*/b/c"},
		{"a/*/b/c", `{"a":[{},{}]}`, "no value at a/*/b"},
		{"a/*/b", `{"a":[]}`, "no value at a/*"},
		{"a/1/b", `{"a":[{}]}`, "no value at a/1"},
		{"a/0", `{"a":{"0":1}}`, "no array at a"},
		{"~=0", `[1]`, "no object at the root"},
	} {
		p, errPath := dcql.ParsePointer(row.pointer)
		var claims any
		if err := errors.Join(errPath, json.Unmarshal([]byte(row.claims), &claims)); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Select(claims); !errors.Is(err, dcql.ErrNoClaim) || !strings.HasSuffix(err.Error(), ": "+row.want) {
			t.Errorf("%s of %s: %v, want %s", row.pointer, row.claims, err, row.want)
		}
	}
}

func TestParsePathRefuses(t *testing.T) {
	const step = "a step is no string, no null and no non-negative integer"
	for raw, why := range map[string]string{
		``: "unexpected end of JSON input", `[]`: "a claims path has 0 steps, want 1 to 16", `{}`: "cannot unmarshal object", `"name"`: "cannot unmarshal string",
		`[true]`: step, `[1.5]`: step, `[-1]`: step, `[["a"]]`: step, `[4294967296]`: step, `[2147483648]`: step, `[{}]`: step,
		`["a"` + strings.Repeat(`,"a"`, 16) + `]`: "a claims path has 17 steps, want 1 to 16",
	} {
		if p, err := dcql.ParsePath([]byte(raw)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("ParsePath(%s) = %s, %v, want %q", raw, p, err, why)
		}
	}
	for _, raw := range []string{`[2147483647]`, `[0]`, `["a"` + strings.Repeat(`,"a"`, 15) + `]`, `[""]`} {
		if _, err := dcql.ParsePath([]byte(raw)); err != nil {
			t.Errorf("ParsePath(%s): %v", raw, err)
		}
	}
	if _, err := (dcql.Path{}).Select(map[string]any{}); !errors.Is(err, dcql.ErrNoClaim) {
		t.Errorf("the empty path selected something: %v", err)
	}
}

func TestCredentialMissing(t *testing.T) {
	name := dcql.Claim{ID: "n", Path: dcql.Names("name")}
	surname := dcql.Claim{ID: "s", Path: dcql.Names("surname")}
	valued := func(path dcql.Path, values ...any) dcql.Claim { return dcql.Claim{Path: path, Values: values} }
	every := dcql.Path{dcql.Name("nationalities"), dcql.Every()}
	for label, c := range map[string]struct {
		credential dcql.Credential
		ok         bool
	}{
		"nothing asked":             {dcql.Credential{}, true},
		"there":                     {dcql.Credential{Claims: []dcql.Claim{name}}, true},
		"one of two":                {dcql.Credential{Claims: []dcql.Claim{name, surname}}, false},
		"one set of two":            {dcql.Credential{Claims: []dcql.Claim{name, surname}, ClaimSets: [][]string{{"s"}, {"n"}}}, true},
		"no set":                    {dcql.Credential{Claims: []dcql.Claim{name, surname}, ClaimSets: [][]string{{"s"}, {"n", "s"}}}, false},
		"right text":                {dcql.Credential{Claims: []dcql.Claim{valued(dcql.Names("name"), "Ford", "Arthur Dent")}}, true},
		"wrong text":                {dcql.Credential{Claims: []dcql.Claim{valued(dcql.Names("name"), "Ford")}}, false},
		"right number":              {dcql.Credential{Claims: []dcql.Claim{valued(dcql.Names("age"), 42)}}, true},
		"number as text":            {dcql.Credential{Claims: []dcql.Claim{valued(dcql.Names("age"), "42")}}, false},
		"right boolean":             {dcql.Credential{Claims: []dcql.Claim{valued(dcql.Names("alive"), true)}}, true},
		"wrong boolean":             {dcql.Credential{Claims: []dcql.Claim{valued(dcql.Names("alive"), false)}}, false},
		"one of many":               {dcql.Credential{Claims: []dcql.Claim{valued(every, "Betelgeusian")}}, true},
		"an object equals no value": {dcql.Credential{Claims: []dcql.Claim{valued(dcql.Names("address"), "Milliways")}}, false},
	} {
		t.Run(label, func(t *testing.T) {
			err := c.credential.Missing(object(t, arthur))
			if errors.Is(err, dcql.ErrMissing) == c.ok || (err == nil) != c.ok {
				t.Errorf("Missing = %v, want satisfied: %t", err, c.ok)
			}
			if err != nil && strings.Contains(err.Error(), "Arthur") {
				t.Errorf("the error names a value: %v", err)
			}
		})
	}
}

func TestCredentialMissingReadsJSONNumbers(t *testing.T) {
	decoder := json.NewDecoder(strings.NewReader(arthur))
	decoder.UseNumber()
	var claims map[string]any
	if err := decoder.Decode(&claims); err != nil {
		t.Fatal(err)
	}
	c := dcql.Credential{Claims: []dcql.Claim{{Path: dcql.Names("age"), Values: []any{int64(42)}}}}
	if err := c.Missing(claims); err != nil {
		t.Error(err)
	}
}

// However JSON was read, the same numbers are the same value, up to where readers of JSON disagree.
func TestValuesAreExact(t *testing.T) {
	for number, want := range map[string]bool{
		"9007199254740991": true, "9007199254740991.0": true, "9007199254740990": false, "9007199254740992": false, "9007199254740993": false, "-9007199254740991": false,
		"1e400": false, "99999999999999999999": false,
	} {
		c := dcql.Credential{Claims: []dcql.Claim{{Path: dcql.Names("n"), Values: []any{1<<53 - 1}}}}
		if err := c.Missing(map[string]any{"n": json.Number(number)}); (err == nil) != want {
			t.Errorf("%s: %v", number, err)
		}
		var float any
		if json.Unmarshal([]byte(number), &float) == nil {
			if err := c.Missing(map[string]any{"n": float}); (err == nil) != want {
				t.Errorf("%s as a float: %v", number, err)
			}
		}
	}
	for _, beyond := range []any{1 << 53, int64(1 << 53), float64(1 << 53), json.Number("9007199254740992"), 0.5, nil} {
		c := dcql.Credential{Claims: []dcql.Claim{{Path: dcql.Names("n"), Values: []any{beyond}}}}
		if c.Missing(map[string]any{"n": beyond}) == nil {
			t.Errorf("%v equals itself", beyond)
		}
	}
}

func object(t testing.TB, raw string) map[string]any {
	t.Helper()
	var claims map[string]any
	if err := json.Unmarshal([]byte(raw), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
