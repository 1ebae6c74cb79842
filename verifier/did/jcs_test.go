package did_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"regain/internal/strictjson"
	"regain/verifier/did"
)

func TestCanonical(t *testing.T) {
	for raw, want := range map[string]string{
		`{"b":1,"a":[true,false,null,"x"],"":{}}`:         `{"":{},"a":[true,false,null,"x"],"b":1}`,
		`{"peach":"\u00e9","p\u00eache":"\/"}`:            `{"peach":"é","pêche":"/"}`,
		`"\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\/"`: `"€$\u000f\nA'B\"\\\\\"/"`, // RFC 8785 §3.2.2
		`"\u0008\u0009\u000c\u000d\u001f\u007f"`:          "\"\\b\\t\\f\\r\\u001f\x7f\"",
		`[0,-1,9007199254740991,-9007199254740991]`:       `[0,-1,9007199254740991,-9007199254740991]`,
		// RFC 8785 §3.2.3: sorted by UTF-16, an astral character comes before U+FB33.
		`{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`: "{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}",
	} {
		value, err := strictjson.Parse([]byte(raw), 5)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := did.Canonical(value); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", raw, got, err, want)
		}
	}
	for _, raw := range []string{`1.5`, `1e3`, `1.0`, `-0`, `9007199254740992`, `123456789012345678901234567890`, `[{"a":0.1}]`} {
		value, err := strictjson.Parse([]byte(raw), 5)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := did.Canonical(value); !errors.Is(err, did.ErrMalformed) {
			t.Errorf("%s: got %s, %v", raw, got, err)
		}
	}
	if _, err := did.Canonical(1.5); !errors.Is(err, did.ErrMalformed) {
		t.Errorf("a float: %v", err)
	}
}

// FuzzCanonical holds that the canonical form means what the text meant, and is its own canonical form.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`{"b":1,"a":[true,null,"\u20ac\n\ud83d\ude00"],"\ufb33":{}}`))
	f.Add([]byte(`"\u007f\u0000\ud800"`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		value, err := strictjson.Parse(raw, 20)
		if err != nil {
			return
		}
		once, err := did.Canonical(value)
		if err != nil {
			return
		}
		again, err := strictjson.Parse(once, 20)
		if err != nil || !reflect.DeepEqual(again, value) {
			t.Fatalf("%s became %s, %v", raw, once, err)
		}
		if twice, err := did.Canonical(again); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s became %s, %v", once, twice, err)
		}
		if !json.Valid(once) {
			t.Fatalf("%s is no JSON", once)
		}
	})
}
