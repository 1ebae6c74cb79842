package provider_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
)

const formType = "application/x-www-form-urlencoded"

// endpoint is one row of the route table in the package comment.
type endpoint struct {
	method, path string
	json         bool // errors are JSON, not a page
	always       bool // may answer 200 whatever it is sent
}

func endpoints(txn, handle string) []endpoint {
	page := "/recover/" + txn
	return []endpoint{
		{method: "GET", path: "/.well-known/openid-configuration", always: true},
		{method: "GET", path: "/.well-known/oauth-authorization-server", always: true},
		{method: "GET", path: "/jwks", always: true},
		{method: "POST", path: "/par", json: true},
		{method: "GET", path: "/authorize"},
		{method: "POST", path: "/authorize"},
		{method: "POST", path: "/token", json: true},
		{method: "GET", path: "/userinfo", json: true},
		{method: "POST", path: "/userinfo", json: true},
		{method: "POST", path: "/introspect", json: true},
		{method: "POST", path: "/revoke", json: true},
		{method: "POST", path: "/authorize/account"},
		{method: "GET", path: "/logout", always: true}, // nobody is signed in: so it says
		{method: "POST", path: "/logout", always: true},
		{method: "POST", path: "/pass/verify", json: true},
		{method: "GET", path: page},
		{method: "GET", path: page + "/proofed"},
		{method: "GET", path: page + "/qr.svg"},
		{method: "GET", path: page + "/events"},
		{method: "GET", path: page + "/return"},
		{method: "GET", path: page + "/confirmation?response_code=guess"},
		{method: "POST", path: page + "/proofing"},
		{method: "POST", path: page + "/ask"},
		{method: "POST", path: page + "/confirm"},
		{method: "POST", path: page + "/cancel"},
		{method: "POST", path: page + "/pass"},
		{method: "POST", path: page + "/finish"},
		{method: "POST", path: "/register", json: true},
		{method: "GET", path: "/register/x", json: true},
		{method: "PUT", path: "/register/x", json: true},
		{method: "DELETE", path: "/register/x", json: true},
		{method: "POST", path: "/openid4vp/request/" + handle, json: true, always: true}, // it may be fetched by anybody who has the handle
		{method: "POST", path: "/openid4vp/response/" + handle, json: true},
		{method: "GET", path: "/openid4vp/request/x.y", json: true},
		{method: "POST", path: "/openid4vp/response/x.y", json: true},
		{method: "GET", path: "/no/such/page"},
		{method: "GET", path: "/openid4vp/no/such/endpoint", json: true},
		{method: "DELETE", path: "/token", json: true},
		{method: "PUT", path: page},
		{method: "GET", path: "/static/"},
		{method: "GET", path: "/static/../provider.go"},
	}
}

func nonsense() map[string][2]string { // content type, body
	long := strings.Repeat("A", 64<<10)
	return map[string][2]string{
		"nothing":               {"", ""},
		"a form of nothing":     {formType, ""},
		"a form of rubbish":     {formType, "%zz&=&&;\x00\xff=\xfe"},
		"doubled parameters":    {formType, "client_id=a&client_id=b&response=x&response=y&code=1&code=2"},
		"a long parameter":      {formType, "client_id=" + long + "&response=" + long + "&pass=" + long},
		"many parameters":       {formType, strings.Repeat("a=b&", 5000)},
		"a huge body":           {formType, "response=" + strings.Repeat("A", 2<<20)},
		"JSON":                  {"application/json", `{"client_id":"a","response":{}}`},
		"JSON that never ends":  {"application/json", strings.Repeat("[", 100_000)},
		"multipart":             {"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"response\"\r\n\r\nx\r\n--x--\r\n"},
		"multipart, broken":     {"multipart/form-data", "x"},
		"an unknown type":       {"text/x-nonsense; charset=?", "hello"},
		"a JWE of nothing":      {formType, "response=....&state=x"},
		"an answer in the open": {formType, `vp_token={"verified_id":["x"]}&state=x`},
		"a wallet's error":      {formType, "error=access_denied&state=guess"},
		"a path":                {formType, "request_uri=file:///etc/passwd&redirect_uri=https://evil.example/"},
		"a broken assertion":    {formType, "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=e30.e30.&grant_type=refresh_token"},
		"a broken hint":         {formType, "id_token_hint=e30.e30.e30&post_logout_redirect_uri=https://evil.example/&state=x"},
		"two authentications":   {formType, "client_id=program&client_secret=x&client_assertion=y&token=z"},
		"a template":            {formType, "client_id={{.}}&account=<script>alert(1)</script>&pass=%27%20OR%201=1--"},
	}
}

// internals are words that belong to our side.
func internals() []string {
	return []string{
		"panic", "goroutine", ".go:", "json:", "json cannot", "fosite", "runtime error", "nil pointer", "<script>alert", "base64", "strconv",
		"invalid character", "unexpected end of", "url.", "asn1", "/root", "/work", "/tmp", "EOF", "memory", "gin",
	}
}

// Nothing that a stranger sends, to any endpoint, gets an answer of another form than the one that its specification
// names, or a look inside; and at the end the recovery that was open all the while succeeds.
func TestInvalidResponses(t *testing.T) {
	f := setUpRegistration(t, nil)
	page := f.asked(t)
	link, _ := page.Link("open-wallet")
	request := f.review(t, page)
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	requestURI, err := url.Parse(u.Query().Get("request_uri"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range endpoints(path.Base(page.URL.Path), path.Base(requestURI.Path)) {
		for name, sent := range nonsense() {
			if e.method == http.MethodGet && sent[1] != "" && name != "a template" {
				continue
			}
			target := f.Regain + e.path
			if e.method == http.MethodGet && name == "a template" && !strings.Contains(target, "?") {
				target += "?" + sent[1]
			}
			resp, body := f.send(t, e.method, target, sent[0], sent[1])
			check(t, e, name, resp, body)
		}
	}
	if strings.Contains(f.log.String(), "panic") {
		t.Error("a handler panicked")
	}
	done, err := f.browser.Open(t.Context(), f.share(t, request))
	if f.must(t, done, err); !done.Has("finish") || done.Has("denied") {
		t.Errorf("the open recovery was spoiled: %s", done.Text())
	}
}

func check(t *testing.T, e endpoint, name string, resp *http.Response, body string) {
	t.Helper()
	where := e.method + " " + e.path[:min(len(e.path), 24)] + " with " + name
	if resp.StatusCode >= http.StatusInternalServerError {
		t.Errorf("%s: status %d: %s", where, resp.StatusCode, body)
	}
	if resp.StatusCode < http.StatusBadRequest {
		if !e.always {
			t.Errorf("%s: status %d", where, resp.StatusCode)
		}
		return
	}
	if resp.Header.Get("Correlation-Id") == "" && !strings.HasPrefix(e.path, "/static") {
		t.Errorf("%s: no correlation id", where)
	}
	for _, word := range internals() {
		if strings.Contains(body, word) {
			t.Errorf("%s: the answer says %q: %s", where, word, body)
		}
	}
	switch {
	case e.json:
		var problem struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		if err := json.Unmarshal([]byte(body), &problem); err != nil || problem.Error == "" || problem.Description == "" {
			t.Errorf("%s: not an OAuth error: %s", where, body)
		}
		if resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: may be cached", where)
		}
	case !strings.HasPrefix(e.path, "/static"):
		if !strings.Contains(body, `id="problem"`) || !strings.Contains(body, `id="reference"`) {
			t.Errorf("%s: not a page that says what to do: %s", where, body)
		}
	}
}
