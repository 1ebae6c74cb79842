package recovery

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxValue is the longest value that is compared, in bytes. No real name is longer.
const maxValue = 512

// normalise returns the form in which values are compared: compatibility forms unified (Unicode NFKC), case folded,
// the variants of apostrophe and hyphen unified, white space collapsed. It returns false for a value that must not be
// compared: empty, too long, not UTF-8, or with invisible characters, whose only use in a name is to make two
// different names look alike.
//
// Letters are never dropped or transliterated: "Müller" is neither "Muller" nor "Mueller". Where documents
// transliterate (ICAO Doc 9303), the directory needs an attribute with the document's spelling.
func normalise(value string) (string, bool) {
	if len(value) > maxValue {
		return "", false
	}
	// Case folding can decompose a character (İ), so the result is normalised again.
	value = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(value)))
	unseen := false
	value = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r == unicode.ReplacementChar, isFiller(r):
			unseen = true
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cc, r):
			unseen = true
			return -1
		case unicode.Is(unicode.Pd, r):
			return '-'
		case r == '\u2019' || r == '\u02BC' || r == '\u2018' || r == '\u00B4' || r == '`':
			return '\''
		}
		return r
	}, value)
	value = strings.Join(strings.Fields(value), " ")
	return value, value != "" && !unseen
}

// Equivalent reports whether two values are equal after normalisation, in constant time.
func Equivalent(a, b string) bool {
	left, usable1 := normalise(a)
	right, usable2 := normalise(b)
	return same(left, right) && usable1 && usable2
}

// isFiller reports whether r is drawn as nothing although its Unicode category is not that of an invisible character.
func isFiller(r rune) bool {
	switch r {
	case '\u115F', '\u1160', '\u3164', '\uFFA0', '\u034F', '\u17B4', '\u17B5', '\u2800':
		return true
	}
	return false
}
