package web

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-jose/go-jose/v4/json"
)

// DecodeJSON reads one JSON value and nothing after it. Names that occur twice are refused.
func DecodeJSON(data []byte, to any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(to); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON value")
	}
	return nil
}
