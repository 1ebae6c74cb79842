package dcql_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"

	"regain/presentation/dcql"
)

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(formats))
	f.Add([]byte(everything))
	f.Add([]byte(`{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["b"]}}]}`))
	f.Add([]byte(`{"credentials":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		q, err := dcql.Parse(raw)
		if err != nil {
			return
		}
		written, err := json.Marshal(q)
		if err != nil {
			t.Fatalf("a valid query cannot be written: %v", err)
		}
		again, err := dcql.Parse(written)
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, written)
		}
		if !reflect.DeepEqual(q, again) {
			t.Fatalf("read back as\n%+v\nwant\n%+v", again, q)
		}
	})
}

// shown is a presentation as the fuzzer writes it.
type shown struct {
	Format   string         `json:"format"`
	Types    []string       `json:"types"`
	Claims   map[string]any `json:"claims"`
	Bound    bool           `json:"bound"`
	Withheld bool           `json:"withheld"`
	AKI      []string       `json:"aki"`
}

func readAnswer(raw []byte, numbers bool) (answer, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if numbers {
		decoder.UseNumber()
	}
	var all map[string][]shown
	if err := decoder.Decode(&all); err != nil {
		return nil, err
	}
	a := answer{}
	for id, list := range all {
		a[id] = nil
		for _, s := range list {
			a[id] = append(a[id], dcql.Presentation{
				CredentialFormat: s.Format, Types: s.Types, Claims: s.Claims, HolderBound: s.Bound, Withheld: s.Withheld, AuthorityKeyIDs: s.AKI,
			})
		}
	}
	return a, nil
}

// Whatever is asked and answered, the evaluation holds together, and says the same of numbers however they were read.
func FuzzEvaluate(f *testing.F) {
	f.Add([]byte(everything), []byte(`{"pid":[{"format":"dc+sd-jwt","types":["urn:pid"],"bound":true,"withheld":true,"aki":["s9tI"],
	  "claims":{"given_name":"Ada","address":{"locality":"London"},"nationalities":["GB","FR"],"age":42,"phones":["1"]}}],"mdl":[],"x":[{}]}`))
	f.Add([]byte(full), []byte(`{"verified_id":[{"format":"dc+sd-jwt","types":["urn:a"],"bound":true,"claims":{"given_name":null,"degrees":[{"type":1.0}]}},{}]}`))
	f.Add([]byte(formats), []byte(`{"degree":[{"format":"jwt_vc_json","types":["urn:diploma"],"claims":{"credentialSubject":{"name":9007199254740993},"iss":1e2}}]}`))
	f.Fuzz(func(t *testing.T, rawQuery, rawAnswer []byte) {
		var q dcql.Query
		if err := json.Unmarshal(rawQuery, &q); err != nil {
			return
		}
		floats, errFloats := readAnswer(rawAnswer, false)
		numbers, errNumbers := readAnswer(rawAnswer, true)
		if errors.Join(errFloats, errNumbers) != nil {
			return
		}
		e, err := q.Evaluate(numbers) // also of a query that is broken
		if e.Satisfied != (err == nil) || err != nil && !errors.Is(err, dcql.ErrMissing) {
			t.Fatalf("satisfied %t, and %v", e.Satisfied, err)
		}
		if again, _ := q.Evaluate(floats); !reflect.DeepEqual(again, e) {
			t.Fatalf("by floats\n%+v\nby numbers\n%+v", again, e)
		}
		if _, err := json.Marshal(e); err != nil {
			t.Fatal(err)
		}
		if q.Validate() != nil || err != nil {
			return
		}
		for _, id := range e.Chosen {
			if len(e.Matching(id)) == 0 {
				t.Fatalf("%s is chosen, and nothing matches it: %+v", id, e)
			}
		}
		// What was not chosen does not carry the answer.
		maps.DeleteFunc(numbers, func(id string, _ []dcql.Presentation) bool { return !slices.Contains(e.Chosen, id) })
		if again, err := q.Evaluate(numbers); err != nil || !slices.Equal(again.Chosen, e.Chosen) {
			t.Fatalf("without what was not chosen: %v, %v, want %v", again.Chosen, err, e.Chosen)
		}
	})
}

// FuzzSelect compares Select with the specification, word for word.
func FuzzSelect(f *testing.F) {
	for _, path := range []string{`["name"]`, `["degrees",null,"type"]`, `["nationalities",1]`, `["degrees",null,"date"]`, `["name",null]`, `["degrees",1,"type"]`} {
		f.Add([]byte(path), []byte(arthur))
	}
	f.Add([]byte(`["a",null,"b",null]`), []byte(`{"a":[{"b":[1]},{"c":2},{"b":[]}]}`))
	f.Add([]byte(`["a",null,0]`), []byte(`{"a":[[],"x"]}`))
	f.Fuzz(func(t *testing.T, rawPath, rawClaims []byte) {
		p, err := dcql.ParsePath(rawPath)
		var steps []any
		var claims any
		if err != nil || json.Unmarshal(rawPath, &steps) != nil || json.Unmarshal(rawClaims, &claims) != nil {
			return
		}
		want, there := process(steps, claims)
		got, err := p.Select(claims)
		if (err == nil) != there || err == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("%s of %s selects %v, %v; want %v, %t", rawPath, rawClaims, got, err, want, there)
		}
	})
}

// process is the algorithm of OpenID4VP 1.0 §7.1.1.
func process(path []any, root any) (selected []any, ok bool) {
	selected = []any{root}
	for _, component := range path {
		var next []any
		for _, element := range selected {
			object, isObject := element.(map[string]any)
			array, isArray := element.([]any)
			switch component := component.(type) {
			case string:
				if !isObject {
					return nil, false
				}
				if member, there := object[component]; there {
					next = append(next, member)
				}
			case nil:
				if !isArray {
					return nil, false
				}
				next = append(next, array...)
			case float64:
				if !isArray {
					return nil, false
				}
				if int(component) < len(array) {
					next = append(next, array[int(component)])
				}
			}
		}
		selected = next
	}
	return selected, len(selected) > 0
}
