package provider_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/conformance/testenv"
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

// rotating is a client whose server of keys publishes one key, and may be away.
type rotating struct {
	*fixture
	t     *testing.T
	ahead atomic.Int64 // nanoseconds of everybody's clock
	away  atomic.Pointer[string]
	set   atomic.Pointer[jose.JSONWebKeySet]
	count int // of client assertions
}

func setUpRotating(t *testing.T) *rotating {
	t.Helper()
	r := &rotating{t: t}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if kind := r.away.Load(); kind != nil {
			away()[*kind].answer(w)
			return
		}
		w.Header().Set("Cache-Control", "max-age=86400")
		_ = json.NewEncoder(w).Encode(r.set.Load())
	}))
	t.Cleanup(server.Close)
	host, no := strings.TrimPrefix(server.URL, "http://"), false
	r.fixture = setUpEnv(t, testenv.Options{
		Clock: func() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) },
		Change: func(cfg *config.Config) {
			cfg.Fetch.AllowHTTPHosts, cfg.Fetch.AllowPrivateHosts = append(cfg.Fetch.AllowHTTPHosts, host), append(cfg.Fetch.AllowPrivateHosts, host)
			cfg.Clients = append(cfg.Clients, config.ClientConfig{
				ID: "rotates", Name: "C", JWKSURI: server.URL, RedirectURIs: []string{brokerRedirect}, Scope: []string{"openid"}, RequirePAR: &no, RequirePKCE: &no, RequestAlg: "ES256",
			})
		},
	})
	return r
}

// asked sends what is signed with a key everywhere where one counts, and returns what each place says: an error, or "" where
// the key is known.
func (r *rotating) asked(key jose.JSONWebKey) map[string]string {
	r.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	now, said := r.Clock(), map[string]string{}
	sign := func(claims object) string {
		token, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			r.t.Fatal(err)
		}
		return token
	}
	for _, path := range []string{"/par", "/token", "/introspect", "/revoke", "/pass/verify"} {
		r.count++
		form := url.Values{
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {sign(object{"iss": "rotates", "sub": "rotates", "aud": r.Regain, "jti": fmt.Sprint(r.count), "exp": now.Add(time.Minute).Unix()})},
		}
		resp, body := r.send(r.t, http.MethodPost, r.Regain+path, formType, form.Encode())
		if said[path] = ""; resp.StatusCode == http.StatusUnauthorized || resp.StatusCode >= http.StatusInternalServerError {
			var told struct {
				Error string `json:"error"`
			}
			if err := json.Unmarshal([]byte(body), &told); err != nil {
				r.t.Fatalf("%s: %s", path, body)
			}
			said[path] = fmt.Sprint(resp.StatusCode, " ", told.Error)
		}
	}
	query := url.Values{"client_id": {"rotates"}, "response_type": {"code"}, "redirect_uri": {brokerRedirect}, "scope": {"openid"}, "login_hint": {"ada.lindqvist@example.org"}}
	object := sign(object{"iss": "rotates", "aud": r.Regain, "client_id": "rotates", "response_type": "code", "redirect_uri": brokerRedirect, "scope": "openid", "login_hint": "ada.lindqvist@example.org", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()})
	query.Set("request", object)
	resp, _ := r.send(r.t, http.MethodGet, r.Regain+"/authorize?"+query.Encode(), "", "")
	location, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		r.t.Fatal(err)
	}
	said["request object"] = location.Query().Get("error")
	return said
}

// A client that replaced its key, under a new name, its old one or none, while its server of keys is away is not called a
// stranger: whether it is one cannot be known. Its former key counts as long as its server said, nothing else is let in, and
// where the server answers, a stranger is one.
func TestAKeyThatWasReplacedWhileItsServerIsAway(t *testing.T) {
	r := setUpRotating(t)
	public := func(key jose.JSONWebKey) *jose.JSONWebKeySet {
		return &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}
	}
	expect := func(what string, key jose.JSONWebKey, atEndpoints, atAuthorize string) {
		t.Helper()
		for place, said := range r.asked(key) {
			if want := map[bool]string{true: atAuthorize, false: atEndpoints}[place == "request object"]; said != want {
				t.Errorf("%s, %s: %q, want %q", what, place, said, want)
			}
		}
	}
	for kind := range away() {
		for _, name := range []string{"the same name", "another name", ""} {
			what := fmt.Sprintf("%s, %q", kind, name)
			old, fresh, stranger := privateJWK(t), privateJWK(t), privateJWK(t)
			old.KeyID = "the same name"
			if fresh.KeyID = name; name == "" {
				old.KeyID = ""
			}
			stranger.KeyID = fresh.KeyID
			r.away.Store(nil)
			r.set.Store(public(old))
			r.ahead.Add(int64(25 * time.Hour)) // of the run before nothing is left
			expect(what+": before", old, "", "")
			r.ahead.Add(int64(11 * time.Second))
			r.away.Store(&kind)
			expect(what+": replaced", fresh, "503 temporarily_unavailable", "temporarily_unavailable")
			expect(what+": the former one", old, "", "")
			r.set.Store(public(fresh))
			r.away.Store(nil)
			r.ahead.Add(int64(11 * time.Second))
			expect(what+": it answers again", fresh, "", "")
			r.ahead.Add(int64(11 * time.Second))
			expect(what+": a stranger", stranger, "401 invalid_client", "invalid_request_object")
		}
	}
}
