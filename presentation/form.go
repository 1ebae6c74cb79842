package presentation

import (
	"fmt"
	"net/url"
)

// MaxForm is the number of bytes that callers should read at most from a form body that a wallet posts, to the response
// URI and to the request URI.
const MaxForm = 512 << 10

// Limits on what a wallet sends, in bytes, checked before anything is decoded.
const (
	maxResponse = 256 << 10 // a presentation of two credentials is about 8 KiB, with a portrait 100
	maxMetadata = 32 << 10
	maxShort    = 4 << 10
	maxFields   = 32
)

// field returns a parameter, "" if it is absent. A parameter must not occur twice, and an empty one counts as absent
// (RFC 6749 §3.1).
func field(form url.Values, name string, limit int) (string, error) {
	values := form[name]
	if len(values) > 1 {
		return "", fmt.Errorf("%w: %s stands twice", ErrMalformed, name)
	}
	if len(values) == 0 {
		return "", nil
	}
	if len(values[0]) > limit {
		return "", fmt.Errorf("%w: %s", ErrTooLarge, name)
	}
	return values[0], nil
}

func checkForm(form url.Values) error {
	if len(form) > maxFields {
		return fmt.Errorf("%w: number of parameters", ErrTooLarge)
	}
	for _, values := range form {
		if len(values) > 1 { // also of a parameter that this package ignores: other code may read another of the values
			return fmt.Errorf("%w: a parameter stands twice", ErrMalformed)
		}
	}
	return nil
}
