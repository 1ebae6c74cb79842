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
	for _, raw := range []string{
		``, ` `, `{`, `}`, `[`, `[1`, `[1,`, `[1,]`, `[,]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{"a" 1}`, `{"a":1 "b":2}`,
		`"`, `"a`, `"\"`, `"\x"`, `"\u12"`, "\"\n\"", "\"\x00\"", "\"\xff\"", `tru`, `nul`, `01`, `+1`, `1.`, `.5`, `1e`, `--1`, `NaN`,
		`1 2`, `{} {}`, `"a"b`, `// x`,
		`{"a":1,"a":1}`, `{"a":1,"\u0061":2}`, `{"x":{"b":1,"b":1}}`, `[{"b":1,"b":1}]`, // names that stand twice
		`[[[[]]]]`, `{"a":[{"b":{}}]}`, // four deep
		strings.Repeat("[", 100_000),
	} {
		if got, err := strictjson.Parse([]byte(raw), 3); !errors.Is(err, strictjson.ErrInvalid) {
			t.Errorf("Parse(%.40s) = %v, %v, want ErrInvalid", raw, got, err)
		}
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
	for _, raw := range []string{`[]`, `"a"`, `null`, `{`} {
		if o, err := strictjson.Object([]byte(raw), 1); !errors.Is(err, strictjson.ErrInvalid) {
			t.Errorf("Object(%s) = %v, %v, want ErrInvalid", raw, o, err)
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
