// Package strict reads JSON and base64url so that one text has one meaning.
//
// Two readers of a signed text must not come to different results: where a duplicate name, a second spelling of the
// same bytes or an unpaired surrogate leaves room for interpretation, the text is refused (RFC 8725 §2.4, RFC 7493).
package strict

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf8"
)

// MaxDepth is how deep objects and arrays may be nested in one JSON text.
const MaxDepth = 16

// ErrSyntax means that the text is not what it should be. Messages never quote the text.
var ErrSyntax = errors.New("not well-formed")

// Base64 decodes base64url without padding (RFC 7515 §2), and only the one spelling that encoding would give back.
func Base64(text string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || base64.RawURLEncoding.EncodeToString(raw) != text { // the decoder skips line breaks
		return nil, fmt.Errorf("%w: base64url", ErrSyntax)
	}
	return raw, nil
}

// Object reads one JSON object. Values are string, bool, nil, json.Number, []any and map[string]any.
func Object(raw []byte) (map[string]any, error) {
	value, err := Value(raw)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: no JSON object", ErrSyntax)
	}
	return object, nil
}

// Value reads one JSON value and nothing after it.
func Value(raw []byte) (any, error) {
	if !utf8.Valid(raw) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrSyntax)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	value, err := read(decoder, 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: text after the JSON value", ErrSyntax)
	}
	return value, nil
}

func read(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, fmt.Errorf("%w: JSON", ErrSyntax)
	}
	delimiter, ok := token.(json.Delim)
	if !ok {
		return scalar(token)
	}
	if depth >= MaxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrSyntax, MaxDepth)
	}
	if delimiter == '{' {
		return readObject(decoder, depth)
	}
	list := []any{}
	for decoder.More() {
		value, err := read(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, end(decoder)
}

// scalar refuses strings with a replacement character. The decoder puts it in place of an unpaired surrogate, so two
// different texts would become one; nobody needs it in a credential.
func scalar(token json.Token) (any, error) {
	if text, ok := token.(string); ok && bytes.ContainsRune([]byte(text), utf8.RuneError) {
		return nil, fmt.Errorf("%w: invalid character in a string", ErrSyntax)
	}
	return token, nil
}

func readObject(decoder *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: JSON", ErrSyntax)
		}
		name, ok := token.(string)
		if !ok {
			return nil, fmt.Errorf("%w: JSON", ErrSyntax)
		}
		if _, err := scalar(name); err != nil {
			return nil, err
		}
		if _, taken := object[name]; taken {
			return nil, fmt.Errorf("%w: duplicate name in an object", ErrSyntax)
		}
		if object[name], err = read(decoder, depth+1); err != nil {
			return nil, err
		}
	}
	return object, end(decoder)
}

func end(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("%w: JSON", ErrSyntax)
	}
	return nil
}

// maxDate is the last second of the year 9999.
const maxDate = 253402300799

// Date reads a NumericDate (RFC 7519 §2): seconds since 1970, rounded down. A member that is absent gives the zero time.
func Date(object map[string]any, name string) (time.Time, error) {
	value, present := object[name]
	if !present {
		return time.Time{}, nil
	}
	number, ok := value.(json.Number)
	if !ok {
		return time.Time{}, fmt.Errorf("%w: %s is no number", ErrSyntax, name)
	}
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > maxDate {
		return time.Time{}, fmt.Errorf("%w: %s is no date", ErrSyntax, name)
	}
	return time.Unix(int64(math.Floor(seconds)), 0), nil
}

// String reads a member that must be a string when it is present.
func String(object map[string]any, name string) (string, error) {
	value, present := object[name]
	if !present {
		return "", nil
	}
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("%w: %s is no string", ErrSyntax, name)
	}
	return text, nil
}
