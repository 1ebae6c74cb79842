package sdjwt_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"regain/verifier/sdjwt"
	"regain/verifier/verifiertest"
)

// TestTransactionData holds that the holder signed for the data that was sent, all of it and in order (OpenID4VP 1.0
// Appendix B.3.3.1): a signature for one transaction is none for another.
func TestTransactionData(t *testing.T) {
	first, second := verifiertest.Encode([]byte(`{"type":"a"}`)), verifiertest.Encode([]byte(`{"type":"b"}`))
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return verifiertest.Encode(sum[:])
	}
	both := []string{first, second}
	const other = "transaction_data_hashes is not of the data that was sent"
	for name, tt := range map[string]struct {
		sent   []string
		hashes any
		alg    any
		why    string
	}{
		"none":                  {nil, nil, nil, ""},
		"hashes of none":        {nil, []string{hash(first)}, nil, ""},
		"two":                   {both, []string{hash(first), hash(second)}, nil, ""},
		"two, and alg":          {both, []string{hash(first), hash(second)}, "sha-256", ""},
		"no hashes":             {both, nil, nil, "transaction_data_hashes is missing"},
		"one of two":            {both, []string{hash(first)}, nil, "transaction_data_hashes is missing, or not of the data that was sent"},
		"one more":              {both, []string{hash(first), hash(second), hash(first)}, nil, "transaction_data_hashes is missing, or not of the data that was sent"},
		"in the other order":    {both, []string{hash(second), hash(first)}, nil, other},
		"the last is another's": {both, []string{hash(first), hash(first)}, nil, other},
		"of the decoded text":   {both[:1], []string{hash(`{"type":"a"}`)}, nil, other},
		"a text, not a list":    {both[:1], hash(first), nil, "transaction_data_hashes is missing"},
		"no strings":            {both[:1], []int{1}, nil, other},
		"another alg":           {both[:1], []string{hash(first)}, "sha-512", "transaction_data_hashes_alg is not sha-256"},
		"alg no string":         {both[:1], []string{hash(first)}, 256, "transaction_data_hashes_alg is not sha-256"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.bind.Claims["transaction_data_hashes"], s.bind.Claims["transaction_data_hashes_alg"] = tt.hashes, tt.alg
			parsed, err := s.parse(t)
			if err != nil {
				t.Fatal(err)
			}
			want := s.binding()
			want.TransactionData = tt.sent
			_, err = parsed.VerifyHolder(want)
			if tt.why == "" && err != nil || tt.why != "" && (!errors.Is(err, sdjwt.ErrHolder) || !strings.Contains(err.Error(), tt.why)) {
				t.Errorf("got %v, want %q", err, tt.why)
			}
		})
	}
}

// TestParseRefusesWithoutHolder holds that what nobody holds is not presented.
func TestParseRefusesWithoutHolder(t *testing.T) {
	s := newScene(t)
	if _, err := sdjwt.ParseInsecure(s.draft.Sign(t)); !errors.Is(err, sdjwt.ErrHolder) || !strings.Contains(err.Error(), "it has no key binding JWT") {
		t.Errorf("no key binding: %v", err)
	}
	for name, cnf := range map[string]any{"no cnf": nil, "no jwk": map[string]any{"kid": "1"}, "cnf no object": "x"} {
		s := newScene(t)
		if s.draft.Claims["cnf"] = cnf; cnf == nil {
			delete(s.draft.Claims, "cnf")
		}
		parsed, err := s.parse(t)
		if err != nil {
			t.Fatal(err)
		}
		if key, err := parsed.VerifyHolder(s.binding()); !errors.Is(err, sdjwt.ErrMalformed) || !strings.Contains(err.Error(), "cnf.jwk is missing") || key != nil {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
}

// TestParseAtItsLimits holds that what is just within a limit is read, and one more is refused for that limit.
func TestParseAtItsLimits(t *testing.T) {
	if _, err := sdjwt.ParseInsecure(strings.Repeat("x", 256<<10)); err == nil || !strings.Contains(err.Error(), "no tilde") {
		t.Errorf("as long as it may be: %v", err)
	}
	if _, err := sdjwt.ParseInsecure(strings.Repeat("x", 256<<10+1)); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a character longer: %v", err)
	}
	for n, why := range map[int]string{0: "", 128: "", 129: "more than 128 disclosures"} {
		s := newScene(t)
		s.draft.Disclosures = nil
		for i := range n {
			s.draft.Conceal(t, fmt.Sprint("claim", i), 1)
		}
		parsed, err := s.parse(t)
		if why != "" {
			if err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%d disclosures: %v", n, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%d disclosures: %v", n, err)
		} else if _, err := parsed.VerifyHolder(s.binding()); err != nil {
			t.Errorf("%d disclosures: %v", n, err)
		}
	}
	for n, why := range map[int]string{15: "", 16: "nested too deeply"} {
		s := newScene(t)
		inner := any(1)
		for range n {
			one := verifiertest.Disclose(t, "a", inner)
			s.draft.Disclosures = append(s.draft.Disclosures, one)
			inner = map[string]any{"_sd": []string{one.Digest()}}
		}
		s.draft.Claims["x"] = inner
		if _, err := s.parse(t); (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%d objects in each other: %v", n, err)
		}
	}
}

// TestParseOpensBelowTheTop holds that arrays of objects are gone through, and that below the top a name is only a name.
func TestParseOpensBelowTheTop(t *testing.T) {
	s := newScene(t)
	one, iss := verifiertest.Disclose(t, "street", "Elm"), verifiertest.Disclose(t, "iss", "a name like any other")
	s.draft.Claims["places"] = []any{map[string]any{"_sd": []string{one.Digest()}, "no": 7}, []any{map[string]any{"_sd": []string{iss.Digest()}}}}
	s.draft.Disclosures = append(s.draft.Disclosures, one, iss)
	parsed, err := s.parse(t)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{map[string]any{"street": "Elm", "no": json.Number("7")}, []any{map[string]any{"iss": "a name like any other"}}}
	if got := parsed.Claims()["places"]; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	// What is malformed below is so wherever it stands.
	bad := map[string]any{"...": "x"}
	for name, place := range map[string]func(*verifiertest.Draft){
		"in an array": func(d *verifiertest.Draft) { d.Claims["x"] = []any{[]any{map[string]any{"y": bad}}} },
		"in an element": func(d *verifiertest.Draft) {
			one := verifiertest.Disclose(t, "", map[string]any{"y": bad})
			d.Claims["x"], d.Disclosures = []any{map[string]any{"...": one.Digest()}}, append(d.Disclosures, one)
		},
		"in a claim": func(d *verifiertest.Draft) { d.Conceal(t, "x", map[string]any{"y": bad}) },
	} {
		s := newScene(t)
		place(s.draft)
		if _, err := s.parse(t); !errors.Is(err, sdjwt.ErrMalformed) || !strings.Contains(err.Error(), "outside an array") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, place := range map[string]func(*verifiertest.Draft){ // a digest twice among the elements of arrays
		"in arrays": func(d *verifiertest.Draft) {
			d.Claims["x"] = []any{map[string]any{"...": "same"}, map[string]any{"...": "same"}}
		},
	} {
		s := newScene(t)
		place(s.draft)
		if _, err := s.parse(t); !errors.Is(err, sdjwt.ErrMalformed) || !strings.Contains(err.Error(), "a digest stands twice") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTextAndTime(t *testing.T) {
	s := newScene(t)
	s.draft.Claims["n"], s.draft.Claims["text"] = 5, "x"
	parsed, err := s.parse(t)
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := parsed.Text("text"); text != "x" || !ok {
		t.Errorf("text: %q, %v", text, ok)
	}
	if text, ok := parsed.Text("n"); text != "" || ok {
		t.Errorf("a number as text: %q, %v", text, ok)
	}
	if at, there, err := parsed.Time("n"); at != 5 || !there || err != nil {
		t.Errorf("a date: %v, %v, %v", at, there, err)
	}
	if _, there, err := parsed.Time("none"); there || err != nil {
		t.Errorf("no date: %v, %v", there, err)
	}
	// A date that cannot be read is there: it never counts as a credential without an end.
	if _, there, err := parsed.Time("text"); !there || !errors.Is(err, sdjwt.ErrMalformed) || !strings.Contains(err.Error(), "text is not a NumericDate") {
		t.Errorf("a text as a date: %v, %v", there, err)
	}
	if said := fmt.Sprintf("%v", parsed); said != "sd-jwt[redacted]" {
		t.Errorf("printed as %q", said)
	}
}
