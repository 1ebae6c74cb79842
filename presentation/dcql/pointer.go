package dcql

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The escapes in a pointer. RFC 6901 §3 defines the first two. The others are extensions: RFC 6901 decides by the
// document whether 0 is a name or an index, and the configuration is read without a document.
const (
	tilde     = "~0"
	slash     = "~1"
	literally = "~=" // prefix of a name that would otherwise be an index, a star or empty
	every     = "*"
)

// ParsePointer parses a path as written in the configuration: a JSON Pointer (RFC 6901) without its leading slash.
//
//	given_name                      ["given_name"]
//	org.iso.18013.5.1/family_name   ["org.iso.18013.5.1","family_name"]
//	degrees/0/type                  ["degrees",0,"type"]
//	nationalities/*                 ["nationalities",null]
//	a~1b/~=*/~=7                    ["a/b","*","7"]
//
// Digits without a leading zero are an index, a star alone is every element, and everything else is a name. That
// includes the minus sign, which in RFC 6901 §4 is the nonexistent element after the last. In a name ~0 stands for a
// tilde and ~1 for a slash. A name that would otherwise be an index, a star or empty has the prefix ~=. Each path has
// exactly one spelling, that of [Path.Pointer]; every other is an error.
func ParsePointer(pointer string) (Path, error) {
	var path Path
	for token := range strings.SplitSeq(pointer, "/") {
		step, err := parseToken(token)
		if err != nil {
			return nil, fmt.Errorf("reading the claim %q: %w", pointer, err)
		}
		path = append(path, step)
	}
	if err := path.validate(); err != nil {
		return nil, fmt.Errorf("reading the claim %q: %w", pointer, err)
	}
	if written := path.Pointer(); written != pointer {
		return nil, fmt.Errorf("reading the claim %q: it is written %q", pointer, written)
	}
	return path, nil
}

func parseToken(token string) (Step, error) {
	switch {
	case token == "":
		return Step{}, errors.New("there is an empty name; an empty name is written ~=")
	case token == every:
		return Every(), nil
	case isIndex(token):
		i, err := strconv.ParseInt(token, 10, 32)
		if err != nil {
			return Step{}, fmt.Errorf("the index is larger than %d; a name of digits is written with ~= before it", math.MaxInt32)
		}
		return Index(int(i)), nil
	}
	name := strings.TrimPrefix(token, literally)
	if strings.Count(name, "~") != strings.Count(name, tilde)+strings.Count(name, slash) {
		return Step{}, errors.New("a tilde is written ~0, and a slash ~1")
	}
	return Name(strings.ReplaceAll(strings.ReplaceAll(name, slash, "/"), tilde, "~")), nil
}

// Pointer returns the spelling of the path that [ParsePointer] parses.
func (p Path) Pointer() string {
	tokens := make([]string, len(p))
	for i, s := range p {
		tokens[i] = s.token()
	}
	return strings.Join(tokens, "/")
}

func (s Step) token() string {
	switch s.kind {
	case everyStep:
		return every
	case indexStep:
		return strconv.Itoa(s.index)
	}
	if s.name == "" || s.name == every || isIndex(s.name) {
		return literally + s.name
	}
	return strings.ReplaceAll(strings.ReplaceAll(s.name, "~", tilde), "/", slash)
}

// isIndex reports whether the text is an array index (RFC 6901 §4).
func isIndex(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == "" && (text == "0" || text[0] != '0')
}
