package dcql_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"regain/presentation/dcql"
)

// formats asks for one credential of each format.
const formats = `{"credentials":[
  {"id":"pid","format":"dc+sd-jwt","meta":{"vct_values":["urn:pid"]},"claims":[{"path":["given_name"]}]},
  {"id":"mdl","format":"mso_mdoc","meta":{"doctype_value":"org.iso.18013.5.1.mDL"},"multiple":true,
   "claims":[{"path":["org.iso.18013.5.1","given_name"],"intent_to_retain":false},{"path":["org.iso.18013.5.1","status"]}]},
  {"id":"degree","format":"jwt_vc_json","meta":{"type_values":[["urn:vc","urn:degree"],["urn:diploma"]]},"claims":[{"path":["credentialSubject","name"]},{"path":["iss"]}]},
  {"id":"badge","format":"ldp_vc","meta":{"type_values":[["urn:badge"]]},"require_cryptographic_holder_binding":false}]}`

func TestFormats(t *testing.T) {
	q, err := dcql.Parse([]byte(formats))
	if err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := errors.Join(json.Unmarshal(written, &got), json.Unmarshal([]byte(formats), &want)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, written as %s", err, written)
	}
	for _, row := range []struct {
		id    string
		types []string
		want  bool
	}{
		{"pid", []string{"urn:pid"}, true},
		{"pid", []string{"urn:national", "urn:pid"}, true}, // extends it
		{"pid", []string{"urn:national"}, false},
		{"pid", nil, false},
		{"mdl", []string{"org.iso.18013.5.1.mDL"}, true},
		{"mdl", []string{"org.iso.18013.5.1"}, false},
		{"mdl", []string{"org.iso.18013.5.1.mDL", "another"}, false}, // an mdoc has one type
		{"degree", []string{"urn:vc", "urn:degree", "urn:more"}, true},
		{"degree", []string{"urn:diploma"}, true},
		{"degree", []string{"urn:degree"}, false}, // half a set
		{"degree", nil, false},
	} {
		if c, _ := q.Credential(row.id); c.Meta.Accepts(row.types...) != row.want {
			t.Errorf("%s accepts %v: %t", row.id, row.types, !row.want)
		}
	}
	if (dcql.Meta{}).Accepts("urn:pid") || (dcql.Meta{TypeValues: [][]string{{}}}).Accepts("urn:pid") {
		t.Error("a meta that says nothing accepts something")
	}
}

// An mdoc's claims are found by namespace and element.
func TestMdocMissing(t *testing.T) {
	q, err := dcql.Parse([]byte(formats))
	if err != nil {
		t.Fatal(err)
	}
	c, _ := q.Credential("mdl")
	held := map[string]any{"org.iso.18013.5.1": map[string]any{"given_name": "Ada", "status": "valid"}}
	if err := c.Missing(held); err != nil {
		t.Error(err)
	}
	delete(held["org.iso.18013.5.1"].(map[string]any), "status")
	if err := c.Missing(held); !errors.Is(err, dcql.ErrMissing) || !strings.Contains(err.Error(), "status") {
		t.Errorf("Missing = %v", err)
	}
}

// Each row breaks one thing of the query of all formats.
func TestFormatsRefuse(t *testing.T) {
	for name, row := range map[string]struct {
		was, is, why string
	}{
		"mdoc without a doctype":      {`{"doctype_value":"org.iso.18013.5.1.mDL"}`, `{}`, "credential mdl: meta.doctype_value is missing, too long or not UTF-8"},
		"doctype that is a list":      {`"org.iso.18013.5.1.mDL"`, `["org.iso.18013.5.1.mDL"]`, "a member has the wrong type: json: cannot unmarshal array into Go value of type string"},
		"vct for an mdoc":             {`{"doctype_value":"org.iso.18013.5.1.mDL"}`, `{"vct_values":["urn:pid"]}`, "credential mdl: meta.doctype_value is missing, too long or not UTF-8"},
		"vct beside a doctype":        {`{"doctype_value":"org.iso.18013.5.1.mDL"}`, `{"doctype_value":"org.iso.18013.5.1.mDL","vct_values":["urn:pid"]}`, "credential mdl: meta.vct_values does not belong to mso_mdoc"},
		"doctype for an SD-JWT":       {`{"vct_values":["urn:pid"]}`, `{"vct_values":["urn:pid"],"doctype_value":"x"}`, "credential pid: meta.doctype_value does not belong to dc+sd-jwt"},
		"element without a namespace": {`["org.iso.18013.5.1","status"]`, `["status"]`, "credential mdl: claim [\"status\"]: the path of an mdoc is a namespace and an element"},
		"three steps":                 {`["org.iso.18013.5.1","status"]`, `["org.iso.18013.5.1","status","x"]`, "credential mdl: claim [\"org.iso.18013.5.1\",\"status\",\"x\"]: the path of an mdoc is a namespace and an element"},
		"every element":               {`["org.iso.18013.5.1","status"]`, `["org.iso.18013.5.1",null]`, "credential mdl: claim [\"org.iso.18013.5.1\",null]: the path of an mdoc is a namespace and an element"},
		"an index":                    {`["org.iso.18013.5.1","status"]`, `["org.iso.18013.5.1",0]`, "credential mdl: claim [\"org.iso.18013.5.1\",0]: the path of an mdoc is a namespace and an element"},
		"retaining an SD-JWT's claim": {`{"path":["given_name"]}`, `{"path":["given_name"],"intent_to_retain":false}`, "credential pid: claim [\"given_name\"]: intent_to_retain is for mdocs only"},
		"retaining perhaps":           {`"intent_to_retain":false`, `"intent_to_retain":"no"`, "a member has the wrong type: json: cannot unmarshal string into Go value of type bool"},
		"no types":                    {`{"type_values":[["urn:badge"]]}`, `{"type_values":[]}`, "credential badge: meta.type_values has 0 entries, want 1 to 64"},
		"an empty set of types":       {`{"type_values":[["urn:badge"]]}`, `{"type_values":[["urn:badge"],[]]}`, "credential badge: a set of meta.type_values has 0 entries, want 1 to 64"},
		"types that are a list":       {`{"type_values":[["urn:badge"]]}`, `{"type_values":["urn:badge"]}`, "a member has the wrong type: json: cannot unmarshal string into Go value of type []string"},
		"an empty type":               {`{"type_values":[["urn:badge"]]}`, `{"type_values":[[""]]}`, "credential badge: a set of meta.type_values: a value is empty, too long, not UTF-8 or stands twice"},
		"a format of the future":      {`"ldp_vc"`, `"ldp_vp"`, "credential badge: format \"ldp_vp\" is not known"},
	} {
		broken := strings.Replace(formats, row.was, row.is, 1)
		if broken == formats {
			t.Errorf("%s: changes nothing", name)
		}
		if _, err := dcql.Parse([]byte(broken)); !errors.Is(err, dcql.ErrInvalid) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
