package provider_test

import (
	"net/http"
	"testing"
)

// An address is answered as it was sent: the router corrects nothing, so no header can choose where it sends somebody.
func TestTheRouterRedirectsNobody(t *testing.T) {
	f := setUp(t)
	for _, path := range []string{"/jwks/", "/authorize/", "//jwks", "/JWKS", "/logout/", "/static/../jwks", "/openid4vp/request/x/", "/.well-known/openid-configuration/", "/healthz/"} {
		for _, prefix := range []string{"", "https://evil.example", "/evil"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.Regain+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"X-Forwarded-Prefix", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Original-URL", "X-Rewrite-URL"} {
				if prefix != "" {
					req.Header.Set(name, prefix)
				}
			}
			resp, err := f.Client.Transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusNotFound || resp.Header.Get("Location") != "" {
				t.Errorf("%s: %d to %q", path, resp.StatusCode, resp.Header.Get("Location"))
			}
		}
	}
}
