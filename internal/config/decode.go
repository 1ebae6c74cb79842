package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
)

// decode reads raw into out. Its error has every mistake: unknown keys, and values that are of another type than theirs.
// It never quotes a value that may be a secret.
func decode(raw map[string]any, out any, renamed map[string]string) error {
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: out, TagName: "koanf", WeaklyTypedInput: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(duration, secretByReference, noEmptyText, mapstructure.StringToSliceHookFunc(",")),
		MatchName:  func(key, field string) bool { return key == field },
	})
	if err != nil {
		return fmt.Errorf("prepare decoder: %w", err)
	}
	mistakes := explain(decoder.Decode(raw))
	known := keysOf(reflect.TypeOf(out), "")
	for _, key := range unknownKeys(raw, "", known) { // mapstructure names none beside a value that it cannot decode
		if now, ok := renamed[withoutIndexes(key)]; ok {
			mistakes = append(mistakes, fmt.Errorf("configuration: the key %s is now %s", key, now))
			continue
		}
		mistakes = append(mistakes, unknownKey(key, known))
	}
	for _, key := range keysWithoutValue(raw, "") {
		mistakes = append(mistakes, fmt.Errorf("configuration: %s has no value: write one, such as [] for an empty list, or remove the key", key))
	}
	slices.SortFunc(mistakes, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(mistakes...)
}

func unknownKey(key string, known []string) error {
	best := Nearest(withoutIndexes(key), known)
	if best == "" {
		return fmt.Errorf("configuration: unknown key %s: remove it, or see docs/configuration.md for the keys that exist", key)
	}
	return fmt.Errorf("configuration: unknown key %s: did you mean %s?", key, best)
}

// explain returns the errors of mapstructure one by one, in the words of an operator.
func explain(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, part := range joined.Unwrap() {
			all = append(all, explain(part)...)
		}
		return all
	}
	decoding, ok := err.(*mapstructure.DecodeError) //nolint:errorlint // each layer is taken off in turn
	if !ok {
		if inner := errors.Unwrap(err); inner != nil {
			return explain(inner)
		}
		return []error{fmt.Errorf("configuration: %w", err)}
	}
	var inner *mapstructure.DecodeError
	if _, several := decoding.Unwrap().(interface{ Unwrap() []error }); several || errors.As(decoding.Unwrap(), &inner) {
		return explain(decoding.Unwrap())
	}
	return []error{fmt.Errorf("configuration: %s: %w", decoding.Name(), inWords(decoding.Unwrap()))}
}

// inWords says what a key takes, instead of what Go type it has. Values are not quoted: one may be a secret that slipped
// to the wrong line.
func inWords(err error) error {
	var expected reflect.Type
	var unparsed *mapstructure.ParseError
	var unlike *mapstructure.UnconvertibleTypeError
	switch {
	case errors.As(err, &unparsed):
		expected = unparsed.Expected.Type()
	case errors.As(err, &unlike):
		expected = unlike.Expected.Type()
	default:
		if strings.Contains(err.Error(), "expected a map or struct") {
			return errors.New("has a value of its own, and takes keys below it: see docs/configuration.md")
		}
		return err
	}
	switch expected.Kind() {
	case reflect.Bool:
		return errors.New("is neither true nor false: write one of them")
	case reflect.Int, reflect.Int64, reflect.Float64:
		return errors.New("is not a number: write one, such as 70")
	case reflect.String:
		return errors.New("is not a text: write one value, and no list or keys")
	case reflect.Slice:
		return errors.New("is not a list: write one, such as [a, b]")
	}
	return err
}

// duration decodes durations. A bare number would be one of nanoseconds: nobody means that.
func duration(_, to reflect.Type, data any) (any, error) {
	if to != reflect.TypeFor[time.Duration]() {
		return data, nil
	}
	text := fmt.Sprint(data)
	if d, err := time.ParseDuration(text); err == nil {
		return d, nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return nil, fmt.Errorf("%s is not a duration: write %ss, or with m or h", text, text)
	}
	return nil, fmt.Errorf("%.40q is not a duration: write one such as 90s, 5m or 1h", text)
}

// noEmptyText refuses an empty text where something else is wanted. mapstructure would make false, 0 or an empty list of it:
// a variable of the environment that was meant to be set would exclude nobody, or switch a requirement off.
func noEmptyText(_, to reflect.Type, data any) (any, error) {
	text, ok := data.(string)
	if ok && text == "[]" && to == reflect.TypeFor[[]string]() { // of a variable: it would be a list of that name
		return []string{}, nil
	}
	if !ok || text != "" {
		return data, nil
	}
	switch to.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64, reflect.Slice:
		return nil, errors.New("is empty: write a value, such as [] for an empty list, or remove the key or variable")
	}
	return data, nil
}

// secretByReference refuses a secret that stands in the configuration itself, and does not repeat it.
func secretByReference(from, to reflect.Type, data any) (any, error) {
	if to != reflect.TypeFor[Secret]() || from.Kind() == reflect.Map || from == to {
		return data, nil
	}
	return nil, errors.New("holds the secret itself: put it into a file that only the service can read and write {file: PATH}, {env: VARIABLE}, {directory: PATH} or {credential: NAME}; then change it, since configurations get copied")
}
