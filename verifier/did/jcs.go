package did

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// canonical returns the canonical form (JCS, RFC 8785) of JSON that strictjson parsed. It refuses numbers other than
// integers of at most 53 bits, the range in which all parsers agree (RFC 7493 §2.2): DIDs have none.
func canonical(value any) ([]byte, error) { return appendCanonical(nil, value) }

func appendCanonical(out []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(out, "null"...), nil
	case bool:
		return strconv.AppendBool(out, v), nil
	case string:
		return appendText(out, v), nil
	case json.Number:
		const exact = 1<<53 - 1
		n, err := strconv.ParseInt(v.String(), 10, 64)
		if err != nil || n > exact || n < -exact || strconv.FormatInt(n, 10) != v.String() {
			return nil, fmt.Errorf("%w: a number is not whole", ErrMalformed)
		}
		return append(out, v...), nil
	case []any:
		return appendArray(out, v)
	case map[string]any:
		return appendObject(out, v)
	}
	return nil, fmt.Errorf("%w: not JSON", ErrMalformed)
}

func appendArray(out []byte, list []any) (_ []byte, err error) {
	out = append(out, '[')
	for i, element := range list {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = appendCanonical(out, element); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

// appendObject sorts names by their UTF-16 code units (RFC 8785 §3.2.3), which differs from the order of their bytes.
func appendObject(out []byte, object map[string]any) (_ []byte, err error) {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	out = append(out, '{')
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendText(out, name), ':')
		if out, err = appendCanonical(out, object[name]); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// appendText escapes exactly the characters that RFC 8785 §3.2.2.2 escapes.
func appendText(out []byte, text string) []byte {
	const sixteen = digits + "abcdef"
	out = append(out, '"')
	for _, r := range text {
		switch r {
		case '"', '\\':
			out = append(out, '\\', byte(r))
		case '\b':
			out = append(out, `\b`...)
		case '\t':
			out = append(out, `\t`...)
		case '\n':
			out = append(out, `\n`...)
		case '\f':
			out = append(out, `\f`...)
		case '\r':
			out = append(out, `\r`...)
		default:
			if r < ' ' {
				out = append(out, '\\', 'u', '0', '0', sixteen[r>>4], sixteen[r&15])
			} else {
				out = utf8.AppendRune(out, r)
			}
		}
	}
	return append(out, '"')
}
