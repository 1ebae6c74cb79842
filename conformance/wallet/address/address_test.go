package address_test

import (
	"errors"
	"strings"
	"testing"

	"regain/conformance/wallet/address"
)

func TestCheck(t *testing.T) {
	for raw, ok := range map[string]bool{
		"https://verifier.example/r?x=1#f": true, "http://localhost:1/": true, "http://a.LOCALHOST./": true, "http://127.0.0.1:1": true, "http://[::1]/": true,
		"": false, "http://verifier.example/": false, "http://localhost.example/": false, "ftp://localhost/": false, "https:verifier": false,
		"https://": false, "https://a:b@verifier.example/": false, "/path": false, "https://v.example/" + strings.Repeat("x", address.Longest): false,
	} {
		if _, err := address.Check(raw); (err == nil) != ok || (err != nil && !errors.Is(err, address.ErrNotAllowed)) {
			t.Errorf("%.40q: got %v", raw, err)
		}
	}
	for raw, ok := range map[string]bool{"https://v.example/r": true, "https://v.example/r#": false, "https://v.example/r#x": false, "x": false} {
		if err := address.CheckEndpoint(raw); (err == nil) != ok {
			t.Errorf("%q: got %v", raw, err)
		}
	}
}
