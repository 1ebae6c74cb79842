package presentation

import (
	"fmt"
	"net/url"
)

// MaxForm is how many bytes of a form body the caller should read of a wallet, at the response URI
// and at the request URI alike.
const MaxForm = 512 << 10

// Limits on what a wallet sends, in bytes, checked before anything is decoded.
const (
	maxResponse = 256 << 10 // a presentation of two credentials is about 8 KiB, with a portrait 100
	maxMetadata = 32 << 10
	maxShort    = 4 << 10
	maxFields   = 32
)

// field reads the parameter that may stand once at most; no parameter may stand twice (RFC 6749
// §3.1). An empty one counts as absent, as the same section says.
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
		if len(values) > 1 { // also of a parameter that is ignored: someone may read the other value
			return fmt.Errorf("%w: a parameter stands twice", ErrMalformed)
		}
	}
	return nil
}
