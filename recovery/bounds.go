package recovery

import (
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the number of octets of the longest name that is recorded: that of the longest mail address (RFC 5321
// §4.5.3.1).
const MaxName = 320

// Recordable reports whether a name that somebody sent can be put into records and shown to administrators: short, and
// of characters that show as what they are. Control and format characters could forge lines and turn text around.
func Recordable(name string) bool {
	return len(name) <= MaxName && utf8.ValidString(name) && !strings.ContainsFunc(name, unprintable)
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// bounded returns the event with every text in it recordable. The doors refuse what is not; this holds for the members
// that nobody thought of: anybody could fill the log with them.
func (e Event) bounded() Event {
	e.Results = slices.Clone(e.Results) // the transaction's own
	boundTexts(reflect.ValueOf(&e).Elem())
	return e
}

func boundTexts(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if !Recordable(v.String()) {
			v.SetString(recordable(v.String()))
		}
	case reflect.Slice:
		for i := range v.Len() {
			boundTexts(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			boundTexts(v.Field(i)) // a time's cannot be set, and none of them is a text
		}
	}
}

// recordable cuts a text, and replaces what does not show.
func recordable(text string) string {
	const cut = "…"
	text = strings.Map(func(r rune) rune {
		if unprintable(r) {
			return utf8.RuneError
		}
		return r
	}, text[:min(len(text), MaxName)])
	if len(text) <= MaxName-len(cut) {
		return text
	}
	end := MaxName - len(cut)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + cut
}
