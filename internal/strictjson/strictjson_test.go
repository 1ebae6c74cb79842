package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"regain/internal/strictjson"
)

func TestParse(t *testing.T) {
	for raw, want := range map[string]any{
		` {"a" : [1, -2.5e+3, true, false, null, "x"] , "b":{}} `: map[string]any{
			"a": []any{json.Number("1"), json.Number("-2.5e+3"), true, false, nil, "x"}, "b": map[string]any{}},
		`""`:                              "",
		`[]`:                              []any{},
		`"\"\\\/\b\n\u00e9\ud83d\ude00é"`: "\"\\/\b\n\u00e9\U0001F600é",
	} {
		if got, err := strictjson.Parse([]byte(raw), 3); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%s) = %#v, %v, want %#v", raw, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for raw, why := range map[string]string{
		``: "no value at byte 0", ` `: "no value at byte 1", `}`: "no value", `[`: "no value at byte 1", `[1,`: "no value at byte 3", `[1,]`: "no value", `[,]`: "no value",
		`{"a":}`: "no value", `tru`: "no value", `nul`: "no value", `01`: "no value", `+1`: "no value", `1.`: "no value", `.5`: "no value", `1e`: "no value", `--1`: "no value",
		`NaN`: "no value", `// x`: "no value", `[1`: "an array does not end", `[1 2]`: "an array does not end",
		`{`: "a name is missing", `{"a":1,}`: "a name is missing", `{a:1}`: "a name is missing", `{1:1}`: "a name is missing",
		`{"a"}`: "a colon is missing", `{"a" 1}`: "a colon is missing", `{"a":1 "b":2}`: "an object does not end", `{"a":1`: "an object does not end",
		`"`: "a string does not end", `"a`: "a string does not end", `"\"`: "a string does not end", `"\`: "a string does not end", `{"a`: "a string does not end",
		`"\x"`: "an escape that does not exist", `"\u12"`: "an escape that does not exist", `{"\x":1}`: "an escape that does not exist",
		"\"\n\"": "a control character in a string", "\"\x00\"": "a control character in a string", "\"\x1f\"": "a control character in a string", "{\"\t\":1}": "a control character in a string",
		"\"\xff\"": "not UTF-8", `1 2`: "something follows the value", `{} {}`: "something follows the value", `"a"b`: "something follows the value",
		`{"a":1,"a":1}`: "a name stands twice", `{"a":1,"\u0061":2}`: "a name stands twice", `{"x":{"b":1,"b":1}}`: "a name stands twice", `[{"b":1,"b":1}]`: "a name stands twice",
		`[[[[]]]]`: "nested too deep", `{"a":[{"b":{}}]}`: "nested too deep", strings.Repeat("[", 100_000): "nested too deep", strings.Repeat(`{"a":`, 100_000): "nested too deep",
	} {
		if got, err := strictjson.Parse([]byte(raw), 3); !errors.Is(err, strictjson.ErrInvalid) || !strings.Contains(err.Error(), why) || got != nil {
			t.Errorf("Parse(%.40s) = %v, %v, want %q", raw, got, err, why)
		}
	}
	for _, raw := range []string{`[[[]]]`, `{"a":[{"b":1}]}`, `{"a":{"b":{}}}`, `"a b"`} { // three deep, and a space
		if _, err := strictjson.Parse([]byte(raw), 3); err != nil {
			t.Errorf("Parse(%s): %v", raw, err)
		}
	}
	if _, err := strictjson.Parse([]byte(`1`), 0); err != nil {
		t.Errorf("a number has no depth: %v", err)
	}
}

// The bound is on all values of a text, wherever they are.
func TestParseBoundsValues(t *testing.T) {
	const most = 4 << 10
	list := func(n int, element string) string { return strings.TrimSuffix(strings.Repeat(element+",", n), ",") }
	for text, ok := range map[string]bool{
		"[" + list(most-1, "0") + "]": true, "[" + list(most, "0") + "]": false,
		"[[" + list(most/2-1, "[]") + "],[" + list(most/2-2, `""`) + "]]": true, "[[" + list(most/2-1, "[]") + "],[" + list(most/2-1, `""`) + "]]": false,
	} {
		if _, err := strictjson.Parse([]byte(text), 3); (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "too many values") {
			t.Errorf("%d characters: %v", len(text), err)
		}
	}
}

func TestObject(t *testing.T) {
	if o, err := strictjson.Object([]byte(`{"a":1}`), 1); err != nil || o["a"] != json.Number("1") {
		t.Errorf("Object = %v, %v", o, err)
	}
	for raw, why := range map[string]string{`[]`: "not an object", `"a"`: "not an object", `null`: "not an object", `{`: "a name is missing"} {
		if o, err := strictjson.Object([]byte(raw), 1); !errors.Is(err, strictjson.ErrInvalid) || !strings.Contains(err.Error(), why) || o != nil {
			t.Errorf("Object(%s) = %v, %v, want %q", raw, o, err, why)
		}
	}
}

// FuzzParse holds the reader against encoding/json: what it accepts has the same meaning there.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":[1,-2.5e+3,true,false,null,"x\n"],"b":{}}`))
	f.Add([]byte(`"\ud800\udc00"`))
	f.Add([]byte(`{"a":1,"a":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := strictjson.Parse(raw, 50)
		if err != nil {
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		var want any
		if err := decoder.Decode(&want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("Parse = %#v, encoding/json says %#v, %v", got, want, err)
		}
	})
}
