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
	for name, edit := range map[string][2]string{
		"not JSON":                {`{"credentials"`, `{credentials`},
		"a name twice":            {`"multiple":true`, `"multiple":true,"multiple":true`},
		"another case":            {`{"credentials"`, `{"Credentials"`},
		"wrong type":              {`"multiple":true`, `"multiple":"yes"`},
		"something after it":      {`"required":false}]}`, `"required":false}]} {}`},
		"nested too deep":         {`"multiple":true`, `"x":[[[[[[[[]]]]]]]]`},
		"id missing":              {`"id":"face_check",`, ``},
		"id with a space":         {`"id":"face_check"`, `"id":"face check"`},
		"id twice":                {`"id":"face_check"`, `"id":"verified_id"`},
		"id too long":             {`"id":"face_check"`, `"id":"` + strings.Repeat("x", 2000) + `"`},
		"format missing":          {`"format":"dc+sd-jwt","meta":{"vct_values":["urn:f"]}`, `"meta":{"vct_values":["urn:f"]}`},
		"format not known":        {`"format":"dc+sd-jwt","meta":{"vct_values":["urn:f"]}`, `"format":"vc+sd-jwt","meta":{"vct_values":["urn:f"]}`},
		"meta missing":            {`,"meta":{"vct_values":["urn:f"]}`, ``},
		"meta null":               {`"meta":{"vct_values":["urn:f"]}`, `"meta":null`},
		"no vct":                  {`{"vct_values":["urn:f"]}`, `{}`},
		"empty vct":               {`["urn:f"]`, `[""]`},
		"vct twice":               {`["urn:a","urn:b"]`, `["urn:a","urn:a"]`},
		"authorities empty":       {`[{"type":"aki","values":["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]}]`, `[]`},
		"authority of a new type": {`"type":"aki"`, `"type":"did"`},
		"authority key in hex":    {`"s9tIpPmhxdiuNkHMEWNpYim8S8Y"`, `"b3:db:48:a4"`},
		"authority without value": {`["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]`, `[]`},
		"claims empty":            {`"id":"face_check",`, `"id":"face_check","claims":[],`},
		"claim without path":      {`"path":["given_name"]`, `"x":1`},
		"claim with empty path":   {`["given_name"]`, `[]`},
		"claim with a long path":  {`["given_name"]`, `["a",1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]`},
		"claim id missing":        {`"id":"a",`, ``},
		"claim id twice":          {`"id":"b"`, `"id":"a"`},
		"claim asked for twice":   {`["nationalities",null]`, `["given_name"]`},
		"claim always sent: vct":  {`["given_name"]`, `["vct"]`},
		"claim always sent: cnf":  {`["given_name"]`, `["cnf","jwk"]`},
		"negative index":          {`["degrees",0,"type"]`, `["degrees",-1,"type"]`},
		"broken index":            {`["degrees",0,"type"]`, `["degrees",0.5,"type"]`},
		"object in a path":        {`["degrees",0,"type"]`, `["degrees",{},"type"]`},
		"values empty":            {`["FR","DE"]`, `[]`},
		"value null":              {`["FR","DE"]`, `[null]`},
		"value a fraction":        {`["FR","DE"]`, `[0.5]`},
		"claim sets empty":        {`[["a","b"],["a","c"]]`, `[]`},
		"claim set empty":         {`[["a","b"],["a","c"]]`, `[["a","b","c"],[]]`},
		"claim set of nothing":    {`["a","c"]]`, `["a","c","d"]]`},
		"claim set names twice":   {`["a","c"]]`, `["a","c","c"]]`},
		"claim in no set":         {`["a","c"]]`, `["a"]]`},
		"claim sets, no claims":   {`"id":"face_check",`, `"id":"face_check","claim_sets":[["a"]],`},
		"credential sets empty":   {`"credential_sets":[{"options":[["verified_id","face_check"],["verified_id"]]},{"options":[["face_check"]],"required":false}]`, `"credential_sets":[]`},
		"set without options":     {`{"options":[["face_check"]],`, `{`},
		"set of nothing":          {`[["face_check"]]`, `[["passport"]]`},
	} {
		t.Run(name, func(t *testing.T) {
			broken := strings.Replace(full, edit[0], edit[1], 1)
			if broken == full {
				t.Fatal("the row changes nothing")
			}
			if _, err := dcql.Parse([]byte(broken)); !errors.Is(err, dcql.ErrInvalid) {
				t.Errorf("Parse = %v, want ErrInvalid", err)
			}
		})
	}
}

func TestValidateRefusesWhatOnlyGoCanSay(t *testing.T) {
	valid := func() dcql.Credential {
		return dcql.Credential{ID: "a", Format: dcql.FormatSDJWT, Meta: &dcql.Meta{VCTValues: []string{"urn:a"}}}
	}
	for name, edit := range map[string]func(*dcql.Credential){
		"negative index": func(c *dcql.Credential) { c.Claims = []dcql.Claim{{Path: dcql.Path{dcql.Index(-1)}}} },
		"huge integer": func(c *dcql.Credential) {
			c.Claims = []dcql.Claim{{Path: dcql.Names("x"), Values: []any{1<<53 + 1}}}
		},
		"name that is not UTF-8":    func(c *dcql.Credential) { c.Claims = []dcql.Claim{{Path: dcql.Names("a\xff")}} },
		"type that is not UTF-8":    func(c *dcql.Credential) { c.Meta.VCTValues = []string{"a\xff"} },
		"doctype that is not UTF-8": func(c *dcql.Credential) { c.Format, c.Meta = dcql.FormatMdoc, &dcql.Meta{DoctypeValue: "a\xff"} },
		"value that is not UTF-8": func(c *dcql.Credential) {
			c.Claims = []dcql.Claim{{Path: dcql.Names("x"), Values: []any{"a\xff"}}}
		},
		"value that is too long": func(c *dcql.Credential) {
			c.Claims = []dcql.Claim{{Path: dcql.Names("x"), Values: []any{strings.Repeat("x", 1025)}}}
		},
		"value of another type": func(c *dcql.Credential) {
			c.Claims = []dcql.Claim{{Path: dcql.Names("x"), Values: []any{[]byte("x")}}}
		},
		"too many claims": func(c *dcql.Credential) {
			for i := range 65 {
				c.Claims = append(c.Claims, dcql.Claim{Path: dcql.Path{dcql.Name("x"), dcql.Index(i)}})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := valid()
			if err := (dcql.Query{Credentials: []dcql.Credential{c}}).Validate(); err != nil {
				t.Fatal(err)
			}
			edit(&c)
			if err := (dcql.Query{Credentials: []dcql.Credential{c}}).Validate(); !errors.Is(err, dcql.ErrInvalid) {
				t.Errorf("Validate = %v, want ErrInvalid", err)
			}
		})
	}
	if err := (dcql.Query{}).Validate(); !errors.Is(err, dcql.ErrInvalid) {
		t.Errorf("the empty query: %v, want ErrInvalid", err)
	}
}
