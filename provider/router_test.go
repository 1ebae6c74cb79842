package provider_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regain/conformance/testenv"
	"regain/conformance/wallet/request"
	"regain/internal/node"
	"regain/storage"
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

// forPrograms reports whether a program calls the address.
func forPrograms(path string) bool {
	for _, prefix := range []string{"/.well-known/", "/jwks", "/par", "/token", "/introspect", "/revoke", "/userinfo", "/register", "/pass/", "/openid4vp/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return strings.Contains(path, "/digital-credentials/")
}

// checkAudience checks that an error is JSON with the correlation id where programs call, and a page with it elsewhere.
func checkAudience(t *testing.T, path string, resp *http.Response, body string) {
	t.Helper()
	id := resp.Header.Get("Correlation-Id")
	var told struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Correlation string `json:"correlation_id"`
	}
	isJSON := strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") && json.Unmarshal([]byte(body), &told) == nil
	switch {
	case id == "" || isJSON != forPrograms(path):
		t.Errorf("%s: %d as %s", path, resp.StatusCode, resp.Header.Get("Content-Type"))
	case isJSON && (told.Error == "" || told.Description == "" || told.Correlation != id):
		t.Errorf("%s: %s", path, body)
	case !isJSON && (!strings.Contains(body, `id="problem"`) || !strings.Contains(body, `<code id="reference">`+id+`</code>`)):
		t.Errorf("%s: %s", path, body)
	}
}

// A method that an address does not have is a 405 that names those that it has, and an address below one is a 404: as JSON
// where programs call, and as a page elsewhere.
func TestMethodsAndAddressesThatDoNotExist(t *testing.T) {
	f := setUpRegistration(t, nil)
	methods := map[string][]string{}
	for _, route := range mountedRoutes(t) {
		method, path, _ := strings.Cut(route, " ")
		path = regexp.MustCompile(`:\w+`).ReplaceAllString(path, "x")
		if methods[path] = append(methods[path], method); method == http.MethodGet {
			methods[path] = append(methods[path], http.MethodHead)
		}
	}
	delete(methods, "/.well-known/did.json") // of deployments that wallets know by a DID
	delete(methods, "/.well-known/did-configuration.json")
	if len(methods) < 25 {
		t.Fatalf("%d addresses", len(methods))
	}
	for path, has := range methods {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, "PROPFIND"} {
			if slices.Contains(has, method) {
				continue
			}
			resp, body := f.send(t, method, f.Regain+path, "", "")
			allow := strings.Split(resp.Header.Get("Allow"), ", ")
			slices.Sort(allow)
			slices.Sort(has)
			if resp.StatusCode != http.StatusMethodNotAllowed || !slices.Equal(allow, has) {
				t.Errorf("%s %s: %d, Allow %q, has %q", method, path, resp.StatusCode, allow, has)
			}
			checkAudience(t, path, resp, body)
		}
		if path == "/static/x" { // everything below it is a file's
			continue
		}
		resp, body := f.send(t, http.MethodGet, f.Regain+path+"/below/it", "", "")
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("below %s: %d", path, resp.StatusCode)
		}
		checkAudience(t, path+"/below/it", resp, body)
	}
}

// HEAD is as GET without the content, at every address that has a GET.
func TestHead(t *testing.T) {
	f := setUp(t)
	for _, route := range mountedRoutes(t) {
		method, path, _ := strings.Cut(route, " ")
		if method != http.MethodGet {
			continue
		}
		path = strings.Replace(regexp.MustCompile(`:\w+`).ReplaceAllString(path, "x"), "/static/x", "/static/regain.css", 1)
		get, _ := f.send(t, http.MethodGet, f.Regain+path, "", "")
		head, body := f.send(t, http.MethodHead, f.Regain+path, "", "")
		if head.StatusCode != get.StatusCode || body != "" || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") || head.Header.Get("Cache-Control") != get.Header.Get("Cache-Control") {
			t.Errorf("%s: %d %q, and GET %d: %q", path, head.StatusCode, head.Header, get.StatusCode, body)
		}
	}
	for _, path := range []string{"/healthz", "/jwks", "/.well-known/openid-configuration", "/static/regain.css"} {
		if resp, _ := f.send(t, http.MethodHead, f.Regain+path, "", ""); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	if resp, body := f.send(t, http.MethodHead, f.Regain+"/token", "", ""); resp.StatusCode != http.StatusMethodNotAllowed || body != "" || resp.Header.Get("Allow") != http.MethodPost {
		t.Errorf("/token: %d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
	}
}

// A stream ends with its headers where nobody wants its content.
func TestHeadOfAStream(t *testing.T) {
	f := setUp(t)
	f.wallet = f.newWallet(t, request.Policy{})
	page := f.asked(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, f.Regain+page.Attr("progress", "data-events"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.browser.Cookies(f.Regain) {
		req.AddCookie(c)
	}
	start := time.Now()
	resp, err := f.Client.Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" || time.Since(start) > 10*time.Second {
		t.Errorf("%d after %s", resp.StatusCode, time.Since(start))
	}
}

// panics is a store that does, once the node has started.
type panics struct {
	storage.Store
	started *atomic.Bool
}

func (p panics) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	if p.started.Load() {
		panic("secret cause")
	}
	return p.Store.Get(ctx, kind, id)
}

// A server error is told in the language of whoever calls, with the reference and nothing of its cause.
func TestServerErrors(t *testing.T) {
	var started atomic.Bool
	f := setUpEnv(t, testenv.Options{Deps: func(d *node.Deps) { d.Wrap = func(s storage.Store) storage.Store { return panics{s, &started} } }})
	started.Store(true)
	defer started.Store(false)
	failed := 0
	for _, row := range [][2]string{
		{http.MethodGet, "/openid4vp/request/abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuv"}, {http.MethodPost, "/openid4vp/response/abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuv"},
		{http.MethodGet, "/recover/x"}, {http.MethodGet, "/recover/x/events"}, {http.MethodGet, "/userinfo?access_token=x.y"},
	} {
		resp, body := f.send(t, row[0], f.Regain+row[1], "", "")
		if resp.StatusCode < http.StatusInternalServerError {
			t.Logf("%s is no server error: %d", row[1], resp.StatusCode)
			continue
		}
		failed++
		if strings.Contains(body, "secret") {
			t.Errorf("%s: %s", row[1], body)
		}
		checkAudience(t, row[1], resp, body)
	}
	if failed < 3 {
		t.Errorf("%d server errors", failed)
	}
}
