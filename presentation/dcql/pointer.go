package dcql

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// How a pointer writes what is no plain name. RFC 6901 has the first two; the others are ours, because a pointer is
// read here without the document that would say whether 0 is a name.
const (
	tilde     = "~0"
	slash     = "~1"
	literally = "~=" // before a name that would be read as something else
	every     = "*"
)

// ParsePointer reads a path as configuration writes it: a JSON Pointer (RFC 6901) without its leading slash.
//
//	given_name                      ["given_name"]
//	org.iso.18013.5.1/family_name   ["org.iso.18013.5.1","family_name"]
//	degrees/0/type                  ["degrees",0,"type"]
//	nationalities/*                 ["nationalities",null]
//	a~1b/~=*/~=7                    ["a/b","*","7"]
//
// Digits without a leading zero are an index, a star alone is every element, anything else is a name: also the minus
// sign, which in RFC 6901 is the element after the last, and no credential has that one. In a name ~0 stands for a
// tilde and ~1 for a slash. A name that would be read as an index, as every element, or as nothing at all, has ~=
// before it. Each path is written in one way, that of [Path.Pointer], and read in no other.
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
		return Step{}, errors.New("nothing stands before, between or after slashes; an empty name is written ~=")
	case token == every:
		return Every(), nil
	case isIndex(token):
		i, err := strconv.ParseInt(token, 10, 32)
		if err != nil {
			return Step{}, fmt.Errorf("no array has more than %d elements; a name made of digits has ~= before it", math.MaxInt32)
		}
		return Index(int(i)), nil
	}
	name := strings.TrimPrefix(token, literally)
	if strings.Count(name, "~") != strings.Count(name, tilde)+strings.Count(name, slash) {
		return Step{}, errors.New("a tilde is written ~0, and a slash ~1")
	}
	return Name(strings.ReplaceAll(strings.ReplaceAll(name, slash, "/"), tilde, "~")), nil
}

// Pointer writes the path as [ParsePointer] reads it.
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

// isIndex reports whether the text is an array index of RFC 6901 §4.
func isIndex(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == "" && (text == "0" || text[0] != '0')
}
