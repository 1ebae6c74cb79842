package dcql_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"regain/presentation/dcql"
)

// everything asks for one credential of each of three formats, and uses every constraint.
const everything = `{"credentials":[
  {"id":"pid","format":"dc+sd-jwt","meta":{"vct_values":["urn:pid"]},"trusted_authorities":[{"type":"aki","values":["AQID","s9tI"]}],
   "claims":[{"path":["given_name"]},{"path":["address","locality"]},{"path":["nationalities",null],"values":["FR","DE"]},
             {"path":["age"],"values":[42,43]},{"path":["phones",1]}]},
  {"id":"mdl","format":"mso_mdoc","meta":{"doctype_value":"org.iso.18013.5.1.mDL"},
   "claims":[{"path":["org.iso.18013.5.1","family_name"]},{"path":["org.iso.18013.5.1","age_over_18"],"values":[true]}]},
  {"id":"degree","format":"jwt_vc_json","multiple":true,"require_cryptographic_holder_binding":false,
   "meta":{"type_values":[["https://www.w3.org/2018/credentials#VerifiableCredential","urn:degree"],["urn:diploma"]]},
   "claims":[{"id":"t","path":["credentialSubject","title"]},{"id":"y","path":["credentialSubject","year"]},{"id":"g","path":["credentialSubject","grade"]}],
   "claim_sets":[["t","y"],["t","g"]]}]}`

type answer = map[string][]dcql.Presentation

// everythingHeld answers it.
func everythingHeld(t testing.TB) answer {
	t.Helper()
	return answer{
		"pid": {{
			CredentialFormat: dcql.FormatSDJWT, Types: []string{"urn:pid"}, HolderBound: true, AuthorityKeyIDs: []string{"s9tI"},
			Claims: object(t, `{"given_name":"Ada","address":{"locality":"London"},"nationalities":["GB","FR"],"age":42,"phones":["1","2"]}`),
		}},
		"mdl": {{
			CredentialFormat: dcql.FormatMdoc, Types: []string{"org.iso.18013.5.1.mDL"}, HolderBound: true,
			Claims: object(t, `{"org.iso.18013.5.1":{"family_name":"Lovelace","age_over_18":true}}`),
		}},
		"degree": {{
			CredentialFormat: dcql.FormatJWTVC, Types: []string{"VerifiableCredential", "urn:degree"},
			Claims: object(t, `{"credentialSubject":{"title":"Countess","year":1815}}`),
		}},
	}
}

// TestEvaluate changes one thing of the answer in each row. The answer does as long as that leaves no mismatch; lines
// that begin with a tilde are none.
func TestEvaluate(t *testing.T) {
	for _, row := range []struct {
		name string
		edit func(answer)
		want string // what the evaluation says, by lines
	}{
		{"as asked for", func(answer) {}, ""},
		{"another format", func(a answer) { a["pid"][0].CredentialFormat = dcql.FormatMdoc }, `pid[0] format: expected dc+sd-jwt, found another`},
		{"another type", func(a answer) { a["pid"][0].Types = []string{"urn:library"} }, `pid[0] meta: expected urn:pid, found another`},
		{"no type", func(a answer) { a["mdl"][0].Types = nil }, `mdl[0] meta: expected org.iso.18013.5.1.mDL, found another`},
		{"also known as the type", func(a answer) { a["pid"][0].Types = []string{"urn:national", "urn:pid"} }, ""},
		{"half a set of types", func(a answer) { a["degree"][0].Types = []string{"urn:degree"} },
			`degree[0] meta: expected https://www.w3.org/2018/credentials#VerifiableCredential and urn:degree, or urn:diploma, found another`},
		{"the other set of types", func(a answer) { a["degree"][0].Types = []string{"urn:diploma"} }, ""},
		{"expanded type", func(a answer) {
			a["degree"][0].Types = []string{"https://www.w3.org/2018/credentials#VerifiableCredential", "urn:degree"}
		}, ""},
		{"not bound to its holder", func(a answer) { a["mdl"][0].HolderBound = false },
			`mdl[0] require_cryptographic_holder_binding: expected proof of possession of the holder's key`},
		{"bound where it need not be", func(a answer) { a["degree"][0].HolderBound = true }, ""},

		{"no claims at all", func(a answer) { a["mdl"][0].Claims = nil },
			`mdl[0] claims ["org.iso.18013.5.1","family_name"]: expected value at org.iso.18013.5.1` + "\n" +
				`mdl[0] claims ["org.iso.18013.5.1","age_over_18"]: expected value at org.iso.18013.5.1`},
		{"a claim is missing", func(a answer) { delete(a["pid"][0].Claims, "given_name") }, `pid[0] claims ["given_name"]: expected value at given_name`},
		{"a claim is null", func(a answer) { a["pid"][0].Claims["given_name"] = nil }, ""}, // §7.1.1 asks whether the key exists
		{"no object on the way", func(a answer) { a["pid"][0].Claims["address"] = "London" },
			`pid[0] claims ["address","locality"]: expected object at address`},
		{"no object at the root of an mdoc", func(a answer) { a["mdl"][0].Claims["org.iso.18013.5.1"] = []any{} },
			`mdl[0] claims ["org.iso.18013.5.1","family_name"]: expected object at org.iso.18013.5.1` + "\n" +
				`mdl[0] claims ["org.iso.18013.5.1","age_over_18"]: expected object at org.iso.18013.5.1`},
		{"no array on the way", func(a answer) { a["pid"][0].Claims["nationalities"] = "FR" },
			`pid[0] claims ["nationalities",null]: expected array at nationalities`},
		{"an empty array", func(a answer) { a["pid"][0].Claims["nationalities"] = []any{} },
			`pid[0] claims ["nationalities",null]: expected value at nationalities/*`},
		{"an array that is too short", func(a answer) { a["pid"][0].Claims["phones"] = []any{"2"} },
			`pid[0] claims ["phones",1]: expected value at phones/1`},
		{"an array from which elements are withheld", func(a answer) {
			a["pid"][0].Claims["phones"], a["pid"][0].Withheld = []any{"2"}, true
		}, ""},
		{"all elements withheld", func(a answer) { a["pid"][0].Claims["phones"], a["pid"][0].Withheld = []any{}, true },
			`pid[0] claims ["phones",1]: expected value at phones/1`},

		{"no value of those asked for", func(a answer) { a["pid"][0].Claims["nationalities"] = []any{"GB"} },
			`pid[0] values ["nationalities",null]: expected string of those asked for, found another`},
		{"another number", func(a answer) { a["pid"][0].Claims["age"] = json.Number("44") },
			`pid[0] values ["age"]: expected integer of those asked for, found another`},
		{"the number as JSON has it", func(a answer) { a["pid"][0].Claims["age"] = json.Number("43") }, ""},
		{"the number with a fraction of nothing", func(a answer) { a["pid"][0].Claims["age"] = json.Number("43.0") }, ""},
		{"the number with a fraction", func(a answer) { a["pid"][0].Claims["age"] = json.Number("43.5") },
			`pid[0] values ["age"]: expected integer of those asked for, found number`},
		{"a number as text", func(a answer) { a["pid"][0].Claims["age"] = "42" },
			`pid[0] values ["age"]: expected integer of those asked for, found string`},
		{"a boolean as text", func(a answer) { a["mdl"][0].Claims["org.iso.18013.5.1"].(map[string]any)["age_over_18"] = "true" },
			`mdl[0] values ["org.iso.18013.5.1","age_over_18"]: expected boolean of those asked for, found string`},
		{"values of many kinds", func(a answer) {
			a["pid"][0].Claims["nationalities"] = []any{nil, 1.5, map[string]any{}, []any{}, true, []byte("x")}
		}, `pid[0] values ["nationalities",null]: expected string of those asked for, found array and boolean and null and number and object and something that is not JSON`},

		{"the other claim set", func(a answer) {
			a["degree"][0].Claims = object(t, `{"credentialSubject":{"title":"Countess","grade":1}}`)
		}, ""},
		{"no claim set", func(a answer) { a["degree"][0].Claims = object(t, `{"credentialSubject":{"title":"Countess"}}`) },
			`degree[0] claims ["credentialSubject","year"]: expected value at credentialSubject/year` + "\n" +
				`degree[0] claims ["credentialSubject","grade"]: expected value at credentialSubject/grade` + "\n" +
				`degree[0] claim_sets: expected every claim of one of 2 sets`},

		{"an authority that was not named", func(a answer) { a["pid"][0].AuthorityKeyIDs = []string{"AAAA"} },
			`~pid[0] trusted_authorities: expected an issuer under one of the authorities named, found another`},
		{"no authority", func(a answer) { a["pid"][0].AuthorityKeyIDs = []string{} },
			`~pid[0] trusted_authorities: expected an issuer under one of the authorities named, found another`},
		{"authorities that are not known", func(a answer) { a["pid"][0].AuthorityKeyIDs = nil },
			`~pid[0] trusted_authorities: expected an issuer under one of the authorities named, found not known`},

		{"two where one is allowed", func(a answer) { a["mdl"] = append(a["mdl"], a["mdl"][0]) }, `mdl multiple: expected one presentation, found 2`},
		{"none where one is promised", func(a answer) { a["degree"] = nil }, `degree multiple: expected a presentation, found none`},
		{"several where they are allowed", func(a answer) { a["degree"] = append(a["degree"], a["degree"][0]) }, ""},
		{"one of several does not match, and is discarded", func(a answer) {
			a["degree"] = append(a["degree"], dcql.Presentation{CredentialFormat: dcql.FormatJWTVC, Types: []string{"urn:diploma"}, Claims: a["mdl"][0].Claims})
		}, `~degree[1] claims ["credentialSubject","title"]: expected value at credentialSubject` + "\n" +
			`~degree[1] claims ["credentialSubject","year"]: expected value at credentialSubject` + "\n" +
			`~degree[1] claims ["credentialSubject","grade"]: expected value at credentialSubject` + "\n" +
			`~degree[1] claim_sets: expected every claim of one of 2 sets`},
		{"not sent", func(a answer) { delete(a, "mdl") }, `mdl missing`},
		{"not asked for", func(a answer) { a["passport"] = a["pid"] }, `unasked 1`},
		{"everything at once", func(a answer) {
			a["pid"][0].CredentialFormat, a["pid"][0].Types, a["pid"][0].Claims, a["pid"][0].HolderBound = "", nil, nil, false
			delete(a, "degree")
			a["mdl"][0].HolderBound = false
		}, `pid[0] format: expected dc+sd-jwt, found another` + "\n" +
			`pid[0] meta: expected urn:pid, found another` + "\n" +
			`pid[0] require_cryptographic_holder_binding: expected proof of possession of the holder's key` + "\n" +
			`pid[0] claims ["given_name"]: expected value at given_name` + "\n" +
			`pid[0] claims ["address","locality"]: expected value at address` + "\n" +
			`pid[0] claims ["nationalities",null]: expected value at nationalities` + "\n" +
			`pid[0] claims ["age"]: expected value at age` + "\n" +
			`pid[0] claims ["phones",1]: expected value at phones` + "\n" +
			`mdl[0] require_cryptographic_holder_binding: expected proof of possession of the holder's key` + "\n" +
			`degree missing`},
	} {
		t.Run(row.name, func(t *testing.T) {
			q, a := parse(t, everything), everythingHeld(t)
			row.edit(a)
			e, err := q.Evaluate(a)
			if got := lines(e); got != row.want {
				t.Errorf("says\n%s\nwant\n%s", got, row.want)
			}
			checkVerdict(t, e, err, row.want == "" || everyLine(row.want, "~"))
		})
	}
}

// TestEvaluateSets answers, with credential_sets, more or less than is wanted.
func TestEvaluateSets(t *testing.T) {
	const sets = `"credential_sets":[{"options":[["pid","degree"],["mdl"]]},{"options":[["degree","mdl"],["degree","pid"]],"required":false}]}`
	q := parse(t, strings.TrimSuffix(everything, "}")+","+sets)
	const surplus = `credential_sets: expected nothing, since no chosen option has it`
	for _, row := range []struct {
		name, without string
		edit          func(answer)
		chosen, want  string
		ok            bool
	}{
		{"everything", "", nil, "pid mdl degree", "", true},
		{"the first option, and the second of what is optional", "mdl", nil, "pid degree", "", true},
		{"the second option", "pid degree", nil, "mdl", "", true},
		{"half an option too much", "degree", nil, "mdl", "~pid " + surplus, true},
		{"the second option, and the first of what is optional", "pid", nil, "mdl degree", "", true},
		{"half an option", "mdl degree", nil, "", "set 0 lacks degree, or mdl", false},
		{"only what is optional", "pid mdl", nil, "", "set 0 lacks pid, or mdl", false},
		{"nothing", "pid mdl degree", nil, "", "set 0 lacks pid and degree, or mdl", false},
		{"an optional one that does not match is discarded", "pid", func(a answer) { a["degree"][0].Types = nil }, "mdl",
			`~degree[0] meta: expected https://www.w3.org/2018/credentials#VerifiableCredential and urn:degree, or urn:diploma, found another`, true},
		{"a required one does not match", "pid degree", func(a answer) { a["mdl"][0].HolderBound = false }, "",
			"mdl[0] require_cryptographic_holder_binding: expected proof of possession of the holder's key\nset 0 lacks pid and degree, or mdl", false},
		{"an optional one comes twice", "", func(a answer) { a["mdl"] = append(a["mdl"], a["mdl"][0]) }, "", "mdl multiple: expected one presentation, found 2", false},
		{"an unknown one comes too", "", func(a answer) { a["x"] = a["mdl"] }, "", "unasked 1", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := everythingHeld(t)
			for _, id := range strings.Fields(row.without) {
				delete(a, id)
			}
			if row.edit != nil {
				row.edit(a)
			}
			e, err := q.Evaluate(a)
			if got := lines(e); got != row.want {
				t.Errorf("says\n%s\nwant\n%s", got, row.want)
			}
			if got := strings.Join(e.Chosen, " "); got != row.chosen {
				t.Errorf("chosen %s, want %s", got, row.chosen)
			}
			checkVerdict(t, e, err, row.ok)
			for _, line := range strings.Split(row.want, "\n") { // the error says it in one line
				said, isSet := strings.CutPrefix(line, "set 0 lacks ")
				if isSet && !strings.Contains(err.Error(), "credential set 0 lacks "+said) {
					t.Errorf("the error says %v, and not %q", err, line)
				}
			}
			if err != nil && strings.Contains(err.Error(), "credential set 1") || err != nil && strings.Contains(err.Error(), " is missing") {
				t.Errorf("the error tells of what is optional: %v", err)
			}
		})
	}
	alone := parse(t, everything)
	if _, err := alone.Evaluate(answer{}); err == nil || !strings.Contains(err.Error(), "credential pid is missing; credential mdl is missing") || strings.Contains(err.Error(), "set") {
		t.Errorf("nothing, where all are wanted: %v", err)
	}
}

// TestEvaluationJSON holds what an operator's page can count on.
func TestEvaluationJSON(t *testing.T) {
	q, a := parse(t, strings.TrimSuffix(everything, "}")+`,"credential_sets":[{"options":[["pid","degree"],["mdl"]]}]}`), everythingHeld(t)
	delete(a["pid"][0].Claims, "given_name")
	a["pid"][0].AuthorityKeyIDs = nil
	a["mdl"] = append(a["mdl"], a["mdl"][0])
	a["passport"] = nil
	e, err := q.Evaluate(a)
	const want = `{"satisfied":false,"credentials":[` +
		`{"id":"pid","matched":false,"presentations":[{"mismatches":[{"rule":"claims","path":["given_name"],"expected":"value at given_name"}],` +
		`"notes":[{"rule":"trusted_authorities","expected":"an issuer under one of the authorities named","found":"not known"}]}]},` +
		`{"id":"mdl","matched":true,"mismatches":[{"rule":"multiple","expected":"one presentation","found":"2"}],"presentations":[{},{}]},` +
		`{"id":"degree","matched":true,"presentations":[{"claim_set":0}]}],` +
		`"credential_sets":[{"required":true,"satisfied":true,"options":[{"credentials":["pid","degree"],"missing":["pid"]},{"credentials":["mdl"]}]}],"unasked":1}`
	if got, err := json.Marshal(e); err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	const sentence = `answer does not satisfy the query: 1 entries were not asked for; credential pid: claims ["given_name"]: expected value at given_name; ` +
		`credential mdl: multiple: expected one presentation, found 2`
	if err == nil || err.Error() != sentence {
		t.Errorf("error %v\nwant  %s", err, sentence)
	}
	if got := e.Matching("mdl"); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("Matching(mdl) = %v", got)
	}
	if got := append(e.Matching("pid"), e.Matching("passport")...); got != nil {
		t.Errorf("Matching(pid), Matching(passport) = %v", got)
	}
}

// Neither what a person's claims say nor what they were asked to say may be told.
func TestEvaluateTellsNoValues(t *testing.T) {
	const secret = "Lovelace"
	q := parse(t, `{"credentials":[{"id":"pid","format":"dc+sd-jwt","meta":{"vct_values":["urn:pid"]},"claims":[
	  {"path":["name"],"values":["Ada `+secret+`"]},{"path":["name","family"]},{"path":["name",0]},{"path":["name",null]},{"path":["names",null,"family"]}]}]}`)
	a := answer{
		"pid":  {{CredentialFormat: secret, Types: []string{secret}, AuthorityKeyIDs: []string{secret}, Claims: map[string]any{"name": secret, "names": []any{secret}}}},
		secret: nil,
	}
	e, err := q.Evaluate(a)
	text, errJSON := json.Marshal(e)
	answered, errAnswer := json.Marshal(a["pid"])
	if errors.Join(errJSON, errAnswer) != nil || !errors.Is(err, dcql.ErrMissing) {
		t.Fatal(err, errJSON, errAnswer)
	}
	for _, said := range []string{string(text), err.Error(), fmt.Sprintf("%+v %#v", e, e), string(answered), fmt.Sprintf("%v %+v %#v %s", a["pid"], a["pid"], a["pid"], a["pid"]), a["pid"][0].LogValue().String()} {
		if strings.Contains(said, secret) {
			t.Errorf("a value is told: %s", said)
		}
	}
}

// A query that Validate refuses is satisfied by nothing that it does not say, and harms nobody.
func TestEvaluateBrokenQuery(t *testing.T) {
	for name, row := range map[string]struct {
		c   dcql.Credential
		why string
	}{
		"no meta":              {dcql.Credential{ID: "a"}, "credential a: meta: expected a type that the query does not name, found another"},
		"a claim set of no id": {dcql.Credential{ID: "a", Meta: &dcql.Meta{VCTValues: []string{"urn:a"}}, Claims: []dcql.Claim{{ID: "x", Path: dcql.Names("x")}}, ClaimSets: [][]string{{"y"}}}, "credential a: claim_sets: expected every claim of one of 1 sets"},
		"an empty path":        {dcql.Credential{ID: "a", Meta: &dcql.Meta{VCTValues: []string{"urn:a"}}, Claims: []dcql.Claim{{}}}, "credential a: claims: expected value at the root"},
		"a negative index":     {dcql.Credential{ID: "a", Meta: &dcql.Meta{VCTValues: []string{"urn:a"}}, Claims: []dcql.Claim{{Path: dcql.Path{dcql.Name("x"), dcql.Index(-1)}}}}, "credential a: claims [\"x\",-1]: expected value at x/-1"},
	} {
		for _, withheld := range []bool{false, true} {
			p := dcql.Presentation{Types: []string{"urn:a"}, HolderBound: true, Claims: map[string]any{"x": []any{"x"}}, Withheld: withheld}
			if _, err := (dcql.Query{Credentials: []dcql.Credential{row.c}}).Evaluate(answer{"a": {p}}); !errors.Is(err, dcql.ErrMissing) || !strings.Contains(err.Error(), row.why) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Of an array that lacks elements, any up to the index may be the one that was asked for; the path goes on from those
// that it fits.
func TestWithheldElements(t *testing.T) {
	for _, row := range []struct {
		path, values, claims string
		exact, withheld      bool
	}{
		{`["a",1]`, ``, `{"a":["x","y"]}`, true, true},
		{`["a",1]`, ``, `{"a":["x"]}`, false, true},
		{`["a",1]`, ``, `{"a":[]}`, false, false},
		{`["a",0]`, `["y"]`, `{"a":["x","y"]}`, false, false}, // the first cannot have moved
		{`["a",1]`, `["x"]`, `{"a":["x","y"]}`, false, true},
		{`["a",1]`, `["z"]`, `{"a":["x","y"]}`, false, false},
		{`["a",2,"b"]`, ``, `{"a":["x",{"c":1},{"b":1}]}`, true, true},
		{`["a",3,"b"]`, ``, `{"a":["x",{"c":1},{"b":1}]}`, false, true},
		{`["a",3,"b",1]`, `[2]`, `{"a":[{"b":[1]},{"b":[2]}]}`, false, true},
		{`["a",null,1]`, `["y"]`, `{"a":[["x"],["y"]]}`, false, true},
		{`["a",null,1]`, ``, `{"a":[["x"],"y"]}`, false, false}, // every element has to be an array
		{`["a",1]`, ``, `{"a":"x"}`, false, false},
	} {
		var claim dcql.Claim
		if err := json.Unmarshal([]byte(`{"path":`+row.path+`}`), &claim); err != nil {
			t.Fatal(err)
		}
		if row.values != "" {
			if err := json.Unmarshal([]byte(row.values), &claim.Values); err != nil {
				t.Fatal(err)
			}
		}
		q := dcql.Query{Credentials: []dcql.Credential{{ID: "a", Meta: &dcql.Meta{VCTValues: []string{"urn:a"}}, Claims: []dcql.Claim{claim}}}}
		for withheld, want := range map[bool]bool{false: row.exact, true: row.withheld} {
			p := dcql.Presentation{Types: []string{"urn:a"}, HolderBound: true, Claims: object(t, row.claims), Withheld: withheld}
			if e, err := q.Evaluate(answer{"a": {p}}); e.Satisfied != want {
				t.Errorf("%s %s of %s, withheld %t: %v", row.path, row.values, row.claims, withheld, err)
			}
		}
	}
}

func parse(t testing.TB, raw string) dcql.Query {
	t.Helper()
	q, err := dcql.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// lines writes an evaluation for comparison; what harms nothing begins with a tilde.
func lines(e dcql.Evaluation) string {
	var all []string
	add := func(at string, findings []dcql.Finding) {
		for _, f := range findings {
			all = append(all, at+" "+f.String())
		}
	}
	for _, c := range e.Credentials {
		add(c.ID, c.Mismatches)
		add("~"+c.ID, c.Notes)
		for i, p := range c.Presentations {
			at := fmt.Sprintf("%s[%d]", c.ID, i)
			if c.Matched || e.Satisfied { // the presentation is discarded, and no more
				at = "~" + at
			}
			add(at, p.Mismatches)
			add("~"+strings.TrimPrefix(at, "~"), p.Notes)
		}
		if len(e.Sets) == 0 && len(c.Presentations)+len(c.Mismatches) == 0 {
			all = append(all, c.ID+" missing")
		}
	}
	for i, s := range e.Sets {
		if s.Satisfied || !s.Required {
			continue
		}
		var options []string
		for _, o := range s.Options {
			options = append(options, strings.Join(o.Missing, " and "))
		}
		all = append(all, fmt.Sprintf("set %d lacks %s", i, strings.Join(options, ", or ")))
	}
	if e.Unasked > 0 {
		all = append(all, fmt.Sprint("unasked ", e.Unasked))
	}
	return strings.Join(all, "\n")
}

func everyLine(text, prefix string) bool {
	return !slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool { return !strings.HasPrefix(line, prefix) })
}

// checkVerdict holds what is true of every evaluation.
func checkVerdict(t testing.TB, e dcql.Evaluation, err error, ok bool) {
	t.Helper()
	if e.Satisfied != ok || (err == nil) != ok || err != nil && !errors.Is(err, dcql.ErrMissing) || e.Chosen != nil && !ok {
		t.Errorf("satisfied %t, chosen %v, error %v; want satisfied: %t", e.Satisfied, e.Chosen, err, ok)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var again dcql.Evaluation
	if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(again, e) {
		t.Errorf("%v: read back as\n%+v\nwant\n%+v", err, again, e)
	}
}
