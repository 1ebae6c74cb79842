// Package web is what all endpoints and pages of the provider need once: JSON, errors and where a URL is.
package web

import (
	"encoding/json"
	"net/http"
	"net/url"
)

// WriteJSON answers with a value.
func WriteJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

// Origin is scheme, host and port of an absolute URL.
func Origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
