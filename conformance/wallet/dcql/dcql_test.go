package dcql_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/dcql"
)

const valid = `{"credentials":[
  {"id":"pid","format":"dc+sd-jwt","meta":{"vct_values":["urn:pid"]},
   "claims":[{"id":"a","path":["given_name"]},{"id":"b","path":["age"],"values":[36]}],"claim_sets":[["b","a"],["a"]]},
  {"id":"mdl","format":"mso_mdoc","meta":{"doctype_value":"org.mdl"},
   "claims":[{"path":["org.ns","sex"],"intent_to_retain":false}],"trusted_authorities":[{"type":"aki","values":["QUtJ"]}]}],
  "credential_sets":[{"options":[["pid","mdl"],["pid"]]}]}`

func parse(t testing.TB, text string) dcql.Query {
	t.Helper()
	q, err := dcql.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestParseRefuses(t *testing.T) {
	parse(t, valid)
	for name, edit := range map[string][2]string{
		"no credentials":         {`"credentials"`, `"credential"`},
		"one id twice":           {`"id":"mdl"`, `"id":"pid"`},
		"id with a space":        {`"id":"mdl"`, `"id":"m l"`},
		"no format":              {`"format":"mso_mdoc",`, ``},
		"no meta":                {`"meta":{"doctype_value":"org.mdl"},`, ``},
		"no vct_values":          {`"vct_values"`, `"vct"`},
		"empty vct_values":       {`["urn:pid"]`, `[]`},
		"no doctype_value":       {`"doctype_value"`, `"doctype"`},
		"doctype no text":        {`"org.mdl"`, `["org.mdl"]`},
		"empty claims":           {`[{"path":["org.ns","sex"],"intent_to_retain":false}]`, `[]`},
		"mdoc path of one":       {`["org.ns","sex"]`, `["sex"]`},
		"mdoc path of three":     {`["org.ns","sex"]`, `["org.ns","sex","x"]`},
		"mdoc path with null":    {`["org.ns","sex"]`, `["org.ns",null]`},
		"mdoc path with index":   {`["org.ns","sex"]`, `["org.ns",0]`},
		"intent_to_retain text":  {`"intent_to_retain":false`, `"intent_to_retain":"no"`},
		"empty path":             {`["given_name"]`, `[]`},
		"path with a boolean":    {`["given_name"]`, `[true]`},
		"path with a fraction":   {`["given_name"]`, `["x",1.5]`},
		"path with a minus":      {`["given_name"]`, `["x",-1]`},
		"empty values":           {`[36]`, `[]`},
		"values with a fraction": {`[36]`, `[36.5]`},
		"values with null":       {`[36]`, `[null]`},
		"values with an object":  {`[36]`, `[{}]`},
		"claim without id":       {`{"id":"a",`, `{`},
		"claim id twice":         {`"id":"b"`, `"id":"a"`},
		"sets without claims":    {`"claims":[{"id":"a","path":["given_name"]},{"id":"b","path":["age"],"values":[36]}],`, ``},
		"set of a stranger":      {`["b","a"]`, `["c"]`},
		"empty set":              {`["b","a"]`, `[]`},
		"no sets":                {`[["b","a"],["a"]]`, `[]`},
		"empty authorities":      {`[{"type":"aki","values":["QUtJ"]}]`, `[]`},
		"authority without type": {`"type":"aki",`, ``},
		"authority no values":    {`["QUtJ"]`, `[]`},
		"no credential sets":     {`[{"options":[["pid","mdl"],["pid"]]}]`, `[]`},
		"no options":             {`[["pid","mdl"],["pid"]]`, `[]`},
		"option of a stranger":   {`["pid","mdl"]`, `["x"]`},
		"a member twice":         {`{"id":"pid",`, `{"id":"pid","id":"pid",`},
		"multiple no boolean":    {`"id":"pid",`, `"id":"pid","multiple":"yes",`},
	} {
		if !strings.Contains(valid, edit[0]) {
			t.Fatalf("%s: nothing to break", name)
		}
		if _, err := dcql.Parse([]byte(strings.Replace(valid, edit[0], edit[1], 1))); !errors.Is(err, dcql.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func candidates() map[string]dcql.Candidate {
	return map[string]dcql.Candidate{
		"pid": {Format: dcql.SDJWT, Type: "urn:pid", Bound: true, Claims: map[string]any{"given_name": "Ada", "age": json.Number("36")}},
		"mdl": {Format: dcql.Mdoc, Type: "org.mdl", Bound: true, AKIs: []string{"QUtJ"}, Claims: map[string]any{
			"org.ns": map[string]any{"sex": json.Number("2"), "over_18": true, "photo": "_9j_"}}},
	}
}

func TestMatch(t *testing.T) {
	for name, test := range map[string]struct {
		edit  [2]string
		of    string
		asked string // what is answered, empty when nothing is
	}{
		"first claim set":          {of: "pid", asked: "[age given_name]"},
		"second, by value":         {edit: [2]string{`[36]`, `[37]`}, of: "pid", asked: "[given_name]"},
		"another type of value":    {edit: [2]string{`[36]`, `["36"]`}, of: "pid", asked: "[given_name]"},
		"no set":                   {edit: [2]string{`["given_name"]`, `["iban"]`}, of: "pid", asked: ""},
		"another vct":              {edit: [2]string{`urn:pid`, `urn:other`}, of: "pid", asked: ""},
		"one vct of two":           {edit: [2]string{`"urn:pid"`, `"urn:other","urn:pid"`}, of: "pid", asked: "[age given_name]"},
		"an element":               {of: "mdl", asked: "[org.ns.sex]"},
		"an element by its value":  {edit: [2]string{`"sex"],`, `"over_18"],"values":[true],`}, of: "mdl", asked: "[org.ns.over_18]"},
		"a number by its value":    {edit: [2]string{`"sex"],`, `"sex"],"values":[1,2],`}, of: "mdl", asked: "[org.ns.sex]"},
		"an element of no value":   {edit: [2]string{`"sex"],`, `"sex"],"values":[9],`}, of: "mdl", asked: ""},
		"another namespace":        {edit: [2]string{`org.ns`, `org.other`}, of: "mdl", asked: ""},
		"another element":          {edit: [2]string{`"sex"`, `"iban"`}, of: "mdl", asked: ""},
		"another docType":          {edit: [2]string{`org.mdl`, `org.pid`}, of: "mdl", asked: ""},
		"another authority":        {edit: [2]string{`QUtJ`, `T1RI`}, of: "mdl", asked: ""},
		"one authority of two":     {edit: [2]string{`"QUtJ"`, `"T1RI","QUtJ"`}, of: "mdl", asked: "[org.ns.sex]"},
		"an authority of a kind":   {edit: [2]string{`"aki"`, `"etsi_tl"`}, of: "mdl", asked: ""},
		"no elements":              {edit: [2]string{`"claims":[{"path":["org.ns","sex"],"intent_to_retain":false}],`, ``}, of: "mdl", asked: "[]"},
		"the same claim repeated":  {edit: [2]string{`{"path":["org.ns","sex"],`, `{"path":["org.ns","sex"]},{"path":["org.ns","sex"],`}, of: "mdl", asked: "[org.ns.sex]"},
		"format of another's type": {edit: [2]string{`"mso_mdoc"`, `"jwt_vc_json"`}, of: "mdl", asked: ""},
	} {
		t.Run(name, func(t *testing.T) {
			q := parse(t, strings.Replace(valid, test.edit[0], test.edit[1], 1))
			for _, c := range q.Credentials {
				if c.ID != test.of {
					continue
				}
				selection, ok := c.Match(candidates()[test.of])
				slices.SortFunc(selection.Asked, func(a, b dcql.Path) int { return strings.Compare(a.String(), b.String()) })
				if ok != (test.asked != "") || (ok && fmt.Sprint(selection.Asked) != test.asked) {
					t.Errorf("%v, %v, not %s", ok, selection.Asked, test.asked)
				}
			}
		})
	}
}

func TestHolderBindingIsAConstraint(t *testing.T) {
	unbound := candidates()["pid"]
	unbound.Bound = false
	strict := parse(t, valid).Credentials[0]
	if _, ok := strict.Match(unbound); ok || !strict.NeedsHolder() {
		t.Error("a credential of nobody in particular answered")
	}
	lax := parse(t, strings.Replace(valid, `"id":"pid",`, `"id":"pid","require_cryptographic_holder_binding":false,`, 1)).Credentials[0]
	if _, ok := lax.Match(unbound); !ok || lax.NeedsHolder() {
		t.Error("it would have been enough")
	}
}

func TestPlan(t *testing.T) {
	for name, test := range map[string]struct {
		sets            string
		can             []string
		answer, missing []string
	}{
		"all":                     {"", []string{"pid", "mdl"}, []string{"pid", "mdl"}, nil},
		"all but one":             {"", []string{"pid"}, []string{"pid"}, []string{"mdl"}},
		"first option":            {`[{"options":[["pid","mdl"],["pid"]]}]`, []string{"pid", "mdl"}, []string{"mdl", "pid"}, nil},
		"second option":           {`[{"options":[["pid","mdl"],["pid"]]}]`, []string{"pid"}, []string{"pid"}, nil},
		"no option":               {`[{"options":[["pid","mdl"],["pid"]]}]`, []string{"mdl"}, nil, []string{"mdl", "pid"}},
		"optional left out":       {`[{"options":[["pid"]]},{"options":[["mdl"]],"required":false}]`, []string{"pid", "mdl"}, []string{"pid"}, nil},
		"optional not there":      {`[{"options":[["pid"]]},{"options":[["mdl"]],"required":false}]`, []string{"pid"}, []string{"pid"}, nil},
		"required not there":      {`[{"options":[["pid"]]},{"options":[["mdl"]],"required":true}]`, []string{"pid"}, []string{"pid"}, []string{"mdl"}},
		"nothing but the option":  {`[{"options":[["pid"]],"required":false},{"options":[["mdl"]],"required":false}]`, []string{"mdl"}, []string{"mdl"}, nil},
		"no option of any, alone": {`[{"options":[["pid"]],"required":false}]`, nil, nil, []string{"pid"}},
	} {
		text := valid[:strings.Index(valid, `"credential_sets"`)]
		if test.sets == "" {
			text = strings.TrimRight(text, ",\n ") + "}"
		} else {
			text += `"credential_sets":` + test.sets + "}"
		}
		answer, missing := parse(t, text).Plan(func(id string) bool { return slices.Contains(test.can, id) })
		if !slices.Equal(answer, test.answer) || !slices.Equal(missing, test.missing) {
			t.Errorf("%s: answer %v, missing %v", name, answer, missing)
		}
	}
}

// FuzzParse feeds queries: what is taken can be matched and planned without a panic, and answers
// nothing that was not asked for.
func FuzzParse(f *testing.F) {
	f.Add(valid)
	f.Add(`{"credentials":[{"id":"a","format":"x","meta":{}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		q, err := dcql.Parse([]byte(text))
		if err != nil {
			return
		}
		for _, c := range q.Credentials {
			for _, candidate := range candidates() {
				selection, ok := c.Match(candidate)
				if ok && (!slices.Contains(c.Types(), candidate.Type) || len(selection.Asked) > len(c.Claims)) {
					t.Errorf("%s answers %v", candidate.Type, selection.Asked)
				}
			}
		}
		answer, missing := q.Plan(func(id string) bool { return len(id)%2 == 0 })
		if len(answer)+len(missing) == 0 {
			t.Error("a query that asks for nothing")
		}
	})
}
