package provider_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/config"
)

// away are the ways in which a server of keys does not answer, with what the log says of it.
func away() map[string]struct {
	answer func(w http.ResponseWriter)
	says   string
} {
	status := func(code int) func(w http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(code) }
	}
	text := func(body string) func(w http.ResponseWriter) {
		return func(w http.ResponseWriter) { _, _ = w.Write([]byte(body)) }
	}
	return map[string]struct {
		answer func(w http.ResponseWriter)
		says   string
	}{
		"500": {status(http.StatusInternalServerError), "500"}, "502": {status(http.StatusBadGateway), "502"}, "503": {status(http.StatusServiceUnavailable), "503"},
		"404": {status(http.StatusNotFound), "404"}, "429": {status(http.StatusTooManyRequests), "429"},
		"html": {text("<html>maintenance</html>"), "not a JWK set"}, "empty": {text(""), "not a JWK set"}, "nothing-known": {text(`{"keys":[{"kty":"LWE"}]}`), "none of its keys"},
		"hang-up": {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "EOF"},
	}
}

// A client whose keys cannot be had is told to try again wherever they are needed, and the log says why: never that it is
// another client, or that its request is bad.
func TestWhereverKeysCannotBeHad(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { away()[strings.Trim(r.URL.Path, "/")].answer(w) }))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	f := setUpWith(t, func(cfg *config.Config) {
		cfg.Fetch.AllowHTTPHosts, cfg.Fetch.AllowPrivateHosts = append(cfg.Fetch.AllowHTTPHosts, host), append(cfg.Fetch.AllowPrivateHosts, host)
		no := false
		for kind := range away() {
			cfg.Clients = append(cfg.Clients, config.ClientConfig{
				ID: "c-" + kind, Name: "C", JWKSURI: server.URL + "/" + kind, RedirectURIs: []string{brokerRedirect}, Scope: []string{"openid"}, RequirePAR: &no, RequirePKCE: &no, RequestAlg: "ES256",
			})
		}
	})
	key := privateJWK(t)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(claims object) string {
		token, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	for kind, c := range away() {
		id, later := "c-"+kind, time.Now().Add(time.Minute).Unix()
		for i, path := range []string{"/par", "/token", "/introspect", "/revoke", "/pass/verify"} {
			form := url.Values{
				"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
				"client_assertion":      {sign(object{"iss": id, "sub": id, "aud": f.Regain, "jti": fmt.Sprint(i), "exp": later})},
			}
			resp, body := f.send(t, http.MethodPost, f.Regain+path, formType, form.Encode())
			if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "temporarily_unavailable") || !f.logged(body, c.says) {
				t.Errorf("%s, client assertion at %s: %d %s", kind, path, resp.StatusCode, body)
			}
		}
		usual := url.Values{"client_id": {id}, "response_type": {"code"}, "redirect_uri": {brokerRedirect}, "scope": {"openid"}}
		for what, more := range map[string]url.Values{
			"request object": {"request": {sign(object{"iss": id, "aud": f.Regain})}},
			"hint":           {"id_token_hint": {sign(object{"iss": id, "aud": f.Regain, "sub": "ada", "iat": time.Now().Unix(), "exp": later})}},
		} {
			for name, values := range usual {
				more[name] = values
			}
			resp, _ := f.send(t, http.MethodGet, f.Regain+"/authorize?"+more.Encode(), "", "")
			if location := resp.Header.Get("Location"); !strings.HasPrefix(location, brokerRedirect) || !strings.Contains(location, "error=temporarily_unavailable") {
				t.Errorf("%s, %s: %d to %s", kind, what, resp.StatusCode, location)
			}
		}
	}
}

// logged reports whether the log says this of the request that was answered with body.
func (f *fixture) logged(body, says string) bool {
	_, after, _ := strings.Cut(body, `"correlation_id":"`)
	id, _, _ := strings.Cut(after, `"`)
	for line := range strings.Lines(f.log.String()) {
		if id != "" && strings.Contains(line, id) && strings.Contains(line, says) {
			return true
		}
	}
	return false
}
