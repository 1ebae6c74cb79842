package dcql_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"regain/presentation/dcql"
)

// full uses everything that a query can say.
const full = `{"credentials":[
  {"id":"verified_id","format":"dc+sd-jwt","multiple":true,"meta":{"vct_values":["urn:a","urn:b"]},
   "trusted_authorities":[{"type":"aki","values":["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]}],
   "require_cryptographic_holder_binding":true,
   "claims":[{"id":"a","path":["given_name"]},{"id":"b","path":["nationalities",null],"values":["FR","DE"]},
             {"id":"c","path":["degrees",0,"type"],"values":[1,true]}],
   "claim_sets":[["a","b"],["a","c"]]},
  {"id":"face_check","format":"dc+sd-jwt","meta":{"vct_values":["urn:f"]}}],
 "credential_sets":[{"options":[["verified_id","face_check"],["verified_id"]]},{"options":[["face_check"]],"required":false}]}`

func TestParseKeepsEverything(t *testing.T) {
	q, err := dcql.Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := errors.Join(json.Unmarshal(written, &got), json.Unmarshal([]byte(full), &want)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("written as\n%s\nwant\n%s", written, full)
	}
	if c, ok := q.Credential("face_check"); !ok || c.Meta.VCTValues[0] != "urn:f" || !c.NeedsHolderBinding() {
		t.Errorf("Credential(face_check) = %+v, %t", c, ok)
	}
	if _, ok := q.Credential("passport"); ok {
		t.Error("a credential that was not asked for was found")
	}
}

// Value matching on iss names the issuer, where nothing else does (§6.1.1).
func TestParseTakesAnIssuer(t *testing.T) {
	q := parse(t, strings.Replace(full, `{"id":"a","path":["given_name"]}`, `{"id":"a","path":["iss"],"values":["https://issuer.example.org"]}`, 1))
	if got := q.Credentials[0].Claims[0].Path.Pointer(); got != "iss" {
		t.Errorf("asks for %s", got)
	}
}

// TestParseRefuses breaks one thing of the full query in each row.
func TestParseRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		was, is, why string
	}{
		"not JSON":                {`{"credentials"`, `{credentials`, "not strict JSON: a name is missing"},
		"a name twice":            {`"multiple":true`, `"multiple":true,"multiple":true`, "not strict JSON: a name stands twice"},
		"another case":            {`{"credentials"`, `{"Credentials"`, "credentials has 0 entries, want 1 to 64"},
		"wrong type":              {`"multiple":true`, `"multiple":"yes"`, "a member has the wrong type: json: cannot unmarshal string into Go value of type bool"},
		"something after it":      {`"required":false}]}`, `"required":false}]} {}`, "not strict JSON: something follows the value"},
		"nested too deep":         {`"multiple":true`, `"x":[[[[[[[[]]]]]]]]`, "not strict JSON: nested too deep"},
		"id missing":              {`"id":"face_check",`, ``, "id of a credential: \"\" is not made of letters, digits, _ and -"},
		"id with a space":         {`"id":"face_check"`, `"id":"face check"`, "id of a credential: \"face check\" is not made of letters, digits, _ and -"},
		"id twice":                {`"id":"face_check"`, `"id":"verified_id"`, "id of a credential: \"verified_id\" stands twice"},
		"id too long":             {`"id":"face_check"`, `"id":"` + strings.Repeat("x", 2000) + `"`, "id of a credential: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" is not made of letters, digits, _ and -"},
		"format missing":          {`"format":"dc+sd-jwt","meta":{"vct_values":["urn:f"]}`, `"meta":{"vct_values":["urn:f"]}`, "credential face_check: format \"\" is not known"},
		"format not known":        {`"format":"dc+sd-jwt","meta":{"vct_values":["urn:f"]}`, `"format":"vc+sd-jwt","meta":{"vct_values":["urn:f"]}`, "credential face_check: format \"vc+sd-jwt\" is not known"},
		"meta missing":            {`,"meta":{"vct_values":["urn:f"]}`, ``, "credential face_check: meta is missing"},
		"meta null":               {`"meta":{"vct_values":["urn:f"]}`, `"meta":null`, "credential face_check: meta is missing"},
		"no vct":                  {`{"vct_values":["urn:f"]}`, `{}`, "credential face_check: meta.vct_values has 0 entries, want 1 to 64"},
		"empty vct":               {`["urn:f"]`, `[""]`, "credential face_check: meta.vct_values: a value is empty, too long, not UTF-8 or stands twice"},
		"vct twice":               {`["urn:a","urn:b"]`, `["urn:a","urn:a"]`, "credential verified_id: meta.vct_values: a value is empty, too long, not UTF-8 or stands twice"},
		"authorities empty":       {`[{"type":"aki","values":["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]}]`, `[]`, "credential verified_id: trusted_authorities has 0 entries, want 1 to 64"},
		"authority of a new type": {`"type":"aki"`, `"type":"did"`, "credential verified_id: trusted_authorities: type \"did\" is not known"},
		"authority key in hex":    {`"s9tIpPmhxdiuNkHMEWNpYim8S8Y"`, `"b3:db:48:a4"`, "credential verified_id: trusted_authorities: an aki is no base64url"},
		"authority without value": {`["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]`, `[]`, "credential verified_id: trusted_authorities: values has 0 entries, want 1 to 64"},
		"claims empty":            {`"id":"face_check",`, `"id":"face_check","claims":[],`, "credential face_check: claims has 0 entries, want 1 to 64"},
		"claim without path":      {`"path":["given_name"]`, `"x":1`, "credential verified_id: a claims path has 0 steps, want 1 to 16"},
		"claim with empty path":   {`["given_name"]`, `[]`, "credential verified_id: a claims path has 0 steps, want 1 to 16"},
		"claim with a long path":  {`["given_name"]`, `["a",1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]`, "credential verified_id: a claims path has 17 steps, want 1 to 16"},
		"claim id missing":        {`"id":"a",`, ``, "credential verified_id: id of a claim: \"\" is not made of letters, digits, _ and -"},
		"claim id twice":          {`"id":"b"`, `"id":"a"`, "credential verified_id: id of a claim: \"a\" stands twice"},
		"claim asked for twice":   {`["nationalities",null]`, `["given_name"]`, "credential verified_id: claim [\"given_name\"] is asked for twice"},
		"claim always sent: vct":  {`["given_name"]`, `["vct"]`, "credential verified_id: claim [\"vct\"] is always sent and cannot be asked for"},
		"claim always sent: cnf":  {`["given_name"]`, `["cnf","jwk"]`, "credential verified_id: claim [\"cnf\",\"jwk\"] is always sent and cannot be asked for"},
		"negative index":          {`["degrees",0,"type"]`, `["degrees",-1,"type"]`, "a member has the wrong type: a step is no string, no null and no non-negative integer"},
		"broken index":            {`["degrees",0,"type"]`, `["degrees",0.5,"type"]`, "a member has the wrong type: a step is no string, no null and no non-negative integer"},
		"object in a path":        {`["degrees",0,"type"]`, `["degrees",{},"type"]`, "a member has the wrong type: a step is no string, no null and no non-negative integer"},
		"values empty":            {`["FR","DE"]`, `[]`, "credential verified_id: values has 0 entries, want 1 to 64"},
		"value null":              {`["FR","DE"]`, `[null]`, "credential verified_id: values of [\"nationalities\",null]: only strings, integers and booleans, and none too long"},
		"value a fraction":        {`["FR","DE"]`, `[0.5]`, "credential verified_id: values of [\"nationalities\",null]: only strings, integers and booleans, and none too long"},
		"claim sets empty":        {`[["a","b"],["a","c"]]`, `[]`, "credential verified_id: claim_sets: options has 0 entries, want 1 to 64"},
		"claim set empty":         {`[["a","b"],["a","c"]]`, `[["a","b","c"],[]]`, "credential verified_id: claim_sets: an option has 0 entries, want 1 to 64"},
		"claim set of nothing":    {`["a","c"]]`, `["a","c","d"]]`, "credential verified_id: claim_sets: an option names \"d\", which does not exist"},
		"claim set names twice":   {`["a","c"]]`, `["a","c","c"]]`, "credential verified_id: claim_sets: an option names \"c\" twice"},
		"claim in no set":         {`["a","c"]]`, `["a"]]`, "credential verified_id: claim \"c\" is in no claim set, so it can never be sent"},
		"claim sets, no claims":   {`"id":"face_check",`, `"id":"face_check","claim_sets":[["a"]],`, "credential face_check: claim_sets without claims"},
		"credential sets empty":   {`"credential_sets":[{"options":[["verified_id","face_check"],["verified_id"]]},{"options":[["face_check"]],"required":false}]`, `"credential_sets":[]`, "credential_sets has 0 entries, want 1 to 64"},
		"set without options":     {`{"options":[["face_check"]],`, `{`, "credential_sets: options has 0 entries, want 1 to 64"},
		"set of nothing":          {`[["face_check"]]`, `[["passport"]]`, "credential_sets: an option names \"passport\", which does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			broken := strings.Replace(full, row.was, row.is, 1)
			if broken == full {
				t.Fatal("the row changes nothing")
			}
			if _, err := dcql.Parse([]byte(broken)); !errors.Is(err, dcql.ErrInvalid) || !strings.Contains(err.Error(), row.why) {
				t.Errorf("Parse = %v", err)
			}
		})
	}
}

func TestValidateRefusesWhatOnlyGoCanSay(t *testing.T) {
	valid := func() dcql.Credential {
		return dcql.Credential{ID: "a", Format: dcql.FormatSDJWT, Meta: &dcql.Meta{VCTValues: []string{"urn:a"}}}
	}
	for name, row := range map[string]struct {
		edit func(*dcql.Credential)
		why  string
	}{
		"negative index": {func(c *dcql.Credential) { c.Claims = []dcql.Claim{{Path: dcql.Path{dcql.Index(-1)}}} }, "credential a: a step of a claims path is negative, too long or not UTF-8"},
		"huge integer": {func(c *dcql.Credential) {
			c.Claims = []dcql.Claim{{Path: dcql.Names("x"), Values: []any{1<<53 + 1}}}
		}, "credential a: values of [\"x\"]: only strings, integers and booleans, and none too long"},
		"name that is not UTF-8":    {func(c *dcql.Credential) { c.Claims = []dcql.Claim{{Path: dcql.Names("a\xff")}} }, "credential a: a step of a claims path is negative, too long or not UTF-8"},
		"type that is not UTF-8":    {func(c *dcql.Credential) { c.Meta.VCTValues = []string{"a\xff"} }, "credential a: meta.vct_values: a value is empty, too long, not UTF-8 or stands twice"},
		"doctype that is not UTF-8": {func(c *dcql.Credential) { c.Format, c.Meta = dcql.FormatMdoc, &dcql.Meta{DoctypeValue: "a\xff"} }, "credential a: meta.doctype_value is missing, too long or not UTF-8"},
		"value that is not UTF-8": {func(c *dcql.Credential) {
			c.Claims = []dcql.Claim{{Path: dcql.Names("x"), Values: []any{"a\xff"}}}
		}, "credential a: values of [\"x\"]: only strings, integers and booleans, and none too long"},
		"value that is too long": {func(c *dcql.Credential) {
			c.Claims = []dcql.Claim{{Path: dcql.Names("x"), Values: []any{strings.Repeat("x", 1025)}}}
		}, "credential a: values of [\"x\"]: only strings, integers and booleans, and none too long"},
		"value of another type": {func(c *dcql.Credential) {
			c.Claims = []dcql.Claim{{Path: dcql.Names("x"), Values: []any{[]byte("x")}}}
		}, "credential a: values of [\"x\"]: only strings, integers and booleans, and none too long"},
		"too many claims": {func(c *dcql.Credential) {
			for i := range 65 {
				c.Claims = append(c.Claims, dcql.Claim{Path: dcql.Path{dcql.Name("x"), dcql.Index(i)}})
			}
		}, "credential a: claims has 65 entries, want 1 to 64"},
	} {
		t.Run(name, func(t *testing.T) {
			c := valid()
			if err := (dcql.Query{Credentials: []dcql.Credential{c}}).Validate(); err != nil {
				t.Fatal(err)
			}
			row.edit(&c)
			if err := (dcql.Query{Credentials: []dcql.Credential{c}}).Validate(); !errors.Is(err, dcql.ErrInvalid) || !strings.Contains(err.Error(), row.why) {
				t.Errorf("Validate = %v", err)
			}
		})
	}
	if err := (dcql.Query{}).Validate(); !errors.Is(err, dcql.ErrInvalid) {
		t.Errorf("the empty query: %v", err)
	}
}
