package did

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/go-jose/go-jose/v4/json"
)

// errCanonical reports JSON that is written another way than RFC 8785 says, or cannot be.
var errCanonical = errors.New("it is not canonical JSON")

// canonical writes JSON in the one way of RFC 8785. Numbers must be json.Number and are written as
// they came: no DID that anybody made has one.
func canonical(v any) ([]byte, error) {
	var out bytes.Buffer
	if err := appendCanonical(&out, v); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func appendCanonical(out *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case map[string]any:
		return appendObject(out, v)
	case []any:
		out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := appendCanonical(out, item); err != nil {
				return err
			}
		}
		out.WriteByte(']')
	case string:
		appendString(out, v)
	case json.Number:
		out.WriteString(v.String())
	case bool:
		fmt.Fprintf(out, "%t", v)
	case nil:
		out.WriteString("null")
	default:
		return fmt.Errorf("%w: it holds a %T", errCanonical, v)
	}
	return nil
}

// appendObject sorts names by their UTF-16 code units (§3.2.3), which is not how their bytes sort.
func appendObject(out *bytes.Buffer, members map[string]any) error {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	out.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			out.WriteByte(',')
		}
		appendString(out, name)
		out.WriteByte(':')
		if err := appendCanonical(out, members[name]); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

// appendString escapes what has to be and nothing else (§3.2.2.2).
func appendString(out *bytes.Buffer, s string) {
	out.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '\b':
			out.WriteString(`\b`)
		case r == '\t':
			out.WriteString(`\t`)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\f':
			out.WriteString(`\f`)
		case r == '\r':
			out.WriteString(`\r`)
		case r < 0x20:
			fmt.Fprintf(out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}

// decodeCanonical reads base64url of canonical JSON, and returns its text as well, for a reader that
// knows what should be in it. What is not written canonically is refused (Sidetree, Long-Form DID
// URIs): two members of one name, of which a hash vouches for one and a reader takes the other, are
// written so in no way.
func decodeCanonical(encoded string) ([]byte, map[string]any, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") { // the decoder skips line breaks
		return nil, nil, errCanonical
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.SetNumberType(json.UnmarshalJSONNumber)
	var members map[string]any
	if err := decoder.Decode(&members); err != nil {
		return nil, nil, errCanonical
	}
	again, err := canonical(members)
	if err != nil || !bytes.Equal(raw, again) {
		return nil, nil, errCanonical
	}
	return raw, members, nil
}
