// Package strictjson parses JSON from strangers and refuses what two parsers could understand differently: duplicate
// names in an object, invalid UTF-8, data after the value, and nesting deeper than the caller needs (RFC 8725 §2.4 and
// §3.10; RFC 8259 §4). It also refuses more values than any document of ours has: each takes a hundred bytes of memory,
// and two characters of text.
//
// encoding/json takes the last of two equal names, matches names without regard to case, and accepts 10,000 levels of
// nesting; each of these has been used to attack token parsers. This parser also scans a long string once, encoding/json
// several times, which matters for payloads that consist of long strings.
package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrInvalid means that the text is not strict JSON. Its message never quotes the text.
var ErrInvalid = errors.New("not strict JSON")

// MaxValues bounds the values of one text: objects, arrays, strings, numbers and literals, at any depth. An object of one
// member takes more than 300 bytes, and 7 characters.
const MaxValues = 4 << 10

// Parse parses one JSON value with at most depth levels of nested objects and arrays. The result consists of
// map[string]any, []any, string, json.Number, bool and nil.
func Parse(raw []byte, depth int) (any, error) {
	left := MaxValues
	return ParseSome(raw, depth, &left)
}

// ParseSome is Parse for one of several texts that have a number of values together: left is how many are left.
func ParseSome(raw []byte, depth int, left *int) (any, error) {
	if !utf8.Valid(raw) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrInvalid)
	}
	p := parser{in: string(raw), left: left}
	value, err := p.value(depth)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at != len(p.in) {
		return nil, p.fail("something follows the value")
	}
	return value, nil
}

// Object parses one JSON object, see [Parse].
func Object(raw []byte, depth int) (map[string]any, error) {
	value, err := Parse(raw, depth)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: not an object", ErrInvalid)
	}
	return object, nil
}

type parser struct {
	in   string
	at   int
	left *int // values
}

func (p *parser) fail(what string) error {
	return fmt.Errorf("%w: %s at byte %d", ErrInvalid, what, p.at)
}

func (p *parser) space() {
	for p.at < len(p.in) && strings.IndexByte(" \t\r\n", p.in[p.at]) >= 0 {
		p.at++
	}
}

// next skips white space and consumes c if it is the next byte.
func (p *parser) next(c byte) bool {
	p.space()
	if p.at < len(p.in) && p.in[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) value(depth int) (any, error) {
	if *p.left--; *p.left < 0 {
		return nil, p.fail("too many values")
	}
	switch {
	case p.next('{'):
		return p.object(depth - 1)
	case p.next('['):
		return p.array(depth - 1)
	case p.next('"'):
		return p.text()
	}
	switch rest := p.in[p.at:]; {
	case strings.HasPrefix(rest, "true"):
		p.at += len("true")
		return true, nil
	case strings.HasPrefix(rest, "false"):
		p.at += len("false")
		return false, nil
	case strings.HasPrefix(rest, "null"):
		p.at += len("null")
		return nil, nil
	}
	return p.number()
}

func (p *parser) object(depth int) (any, error) {
	if depth < 0 {
		return nil, p.fail("nested too deep")
	}
	members := map[string]any{}
	if p.next('}') {
		return members, nil
	}
	for {
		if !p.next('"') {
			return nil, p.fail("a name is missing")
		}
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		if _, twice := members[name]; twice {
			return nil, p.fail("a name stands twice")
		}
		if !p.next(':') {
			return nil, p.fail("a colon is missing")
		}
		if members[name], err = p.value(depth); err != nil {
			return nil, err
		}
		if p.next('}') {
			return members, nil
		}
		if !p.next(',') {
			return nil, p.fail("an object does not end")
		}
	}
}

func (p *parser) array(depth int) (any, error) {
	if depth < 0 {
		return nil, p.fail("nested too deep")
	}
	elements := []any{}
	if p.next(']') {
		return elements, nil
	}
	for {
		element, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
		if p.next(']') {
			return elements, nil
		}
		if !p.next(',') {
			return nil, p.fail("an array does not end")
		}
	}
}

// text parses a string after its opening quote. A string without escapes, such as a token, is returned as a substring
// of the input, without a copy.
func (p *parser) text() (string, error) {
	start, escaped := p.at, false
	for ; p.at < len(p.in); p.at++ {
		switch c := p.in[p.at]; {
		case c == '"':
			cut := p.in[start:p.at]
			p.at++
			if escaped {
				return p.unescape(cut)
			}
			return cut, nil
		case c == '\\':
			escaped = true
			p.at++ // an escaped character never ends the string
		case c < 0x20:
			return "", p.fail("a control character in a string")
		}
	}
	return "", p.fail("a string does not end")
}

func (p *parser) unescape(cut string) (string, error) {
	var text string
	if err := json.Unmarshal([]byte(`"`+cut+`"`), &text); err != nil {
		return "", p.fail("an escape that does not exist")
	}
	return text, nil
}

func (p *parser) number() (any, error) {
	start := p.at
	for p.at < len(p.in) && strings.IndexByte("+-.0123456789eE", p.in[p.at]) >= 0 {
		p.at++
	}
	digits := p.in[start:p.at]
	if digits == "" || !json.Valid([]byte(digits)) {
		return nil, p.fail("no value")
	}
	return json.Number(digits), nil
}
