package idp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

const maxCredential = 64 << 10 // bytes of JSON

var errJSON = errors.New("not a JSON request of ours")

// next tells the script of the page where to go.
type next struct {
	Next string `json:"next"`
}

// readJSON reads the body of a script's request. Forms of other sites cannot send this content type.
func readJSON(r *http.Request) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, errJSON
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxCredential+1))
	if err != nil || len(body) > maxCredential {
		return nil, errJSON
	}
	return body, nil
}

func writeJSON(w http.ResponseWriter, status int, value any) error {
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encoded)
	return nil
}
