package node_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/internal/config"
	"regain/internal/costtest"
	"regain/internal/node"
	"regain/internal/publickey/publickeytest"
)

// worstBodies are forms as bad as they can be, by what is bad about them.
func worstBodies() map[string]string {
	const size = 600 << 10 // more than any endpoint takes
	repeat := func(text string) string { return strings.Repeat(text, size/len(text)) }
	var names strings.Builder
	for i := range 9_000 {
		fmt.Fprintf(&names, "%04x&", i)
	}
	bodies := map[string]string{
		"names": names.String(), "one name": strings.Repeat("a=&", 9_000), "too many names": repeat("a&"), "escapes": "state=" + repeat("%41"), "a long value": "state=" + repeat("x"),
		"scopes": "response_type=code&client_id=main-idp&scope=" + strings.Repeat("x+", 30<<10), "a hint": "client_id=main-idp&login_hint=" + strings.Repeat("%C3%9F", 5<<10),
		"points": "client_assertion=" + strings.Repeat(".", 60<<10), "an object": "client_id=main-idp&request=" + strings.Repeat("e30.", 8<<10),
	}
	for name, value := range costtest.JSON(15<<10, 4000) {
		bodies["claims: "+name] = url.Values{"client_id": {"main-idp"}, "client_secret": {strings.Repeat("x", 32)}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {"https://idp.example.org/callback"}, "claims": {value}, "vp_token": {value}, "wallet_metadata": {value}, "id_token_hint": {"e30." + base64.RawURLEncoding.EncodeToString([]byte(value)) + ".AAAA"}}.Encode()
	}
	return bodies
}

// worstHeaders are headers of 32 KiB, which is as many as the server reads.
func worstHeaders(t *testing.T) map[string]http.Header {
	t.Helper()
	const size = 30 << 10
	key, err := json.Marshal(map[string]any{"typ": "dpop+jwt", "alg": "PS256", "jwk": publickeytest.JWK(publickeytest.RSA(4096, math.MaxInt32))})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]http.Header{
		"a proof":      {"Dpop": {base64.RawURLEncoding.EncodeToString(key) + ".e30." + base64.RawURLEncoding.EncodeToString(append(make([]byte, 511), 2))}},
		"a long proof": {"Dpop": {strings.Repeat("e30.", size/4)}},
		"Basic":        {"Authorization": {"Basic " + strings.Repeat("OjpA", size/4)}},
		"Bearer":       {"Authorization": {"Bearer " + strings.Repeat("x", size)}},
		"DPoP":         {"Authorization": {"DPoP " + strings.Repeat(".", size)}},
		"cookies":      {"Cookie": {strings.Repeat("__Host-regain-x=y; ", 1_500)}},
		"proxies":      {"X-Forwarded-For": {strings.Repeat("192.0.2.1,", size/10)}},
		"languages":    {"Accept-Language": {strings.Repeat("en-x;q=0.1,", size/11)}},
	}
}

// Whatever a stranger sends to whatever endpoint, it costs little: no endpoint is without a bound.
func TestWorstRequests(t *testing.T) {
	cfg := valid(t)
	cfg.Storage, cfg.Audit.File = config.StorageConfig{Backend: "memory"}, ""
	cfg.TrustedProxies = []string{"192.0.2.0/24"}
	secret, optional := filepath.Join(t.TempDir(), "secret"), false
	if err := os.WriteFile(secret, []byte(strings.Repeat("x", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Clients = []config.ClientConfig{{
		ID: "main-idp", Name: "Main IdP", AuthMethod: "client_secret_post", Secret: config.Secret{File: secret}, RedirectURIs: []string{"https://idp.example.org/callback"},
		Scope: []string{"openid"}, RequirePAR: &optional, RequirePKCE: &optional, AskAccount: true,
	}}
	n, err := node.New(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	send := func(r *http.Request) func() {
		body := r.Header.Get("X-Body")
		r.Header.Del("X-Body")
		return func() {
			again := httptest.NewRequest(r.Method, r.URL.String(), strings.NewReader(body))
			again.Header = r.Header.Clone()
			n.ServeHTTP(httptest.NewRecorder(), again)
		}
	}
	for _, path := range []string{
		"/par", "/token", "/introspect", "/revoke", "/userinfo", "/pass/verify", "/register", "/register/x", "/logout", "/authorize", "/authorize/account",
		"/openid4vp/request/x", "/openid4vp/response/x", "/recover/x/ask", "/recover/x/digital-credentials/response", "/nowhere",
	} {
		all := worst{}
		for name, body := range worstBodies() {
			r := httptest.NewRequest(http.MethodPost, path, nil)
			r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Body": {body}}
			all.note(name, costtest.Measure(t, send(r)))
		}
		for name, header := range worstHeaders(t) {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				r := httptest.NewRequest(method, path+"?"+strings.Repeat("a=b&", 1<<10), nil)
				r.Header = header.Clone()
				all.note(method+", "+name, costtest.Measure(t, send(r)))
			}
		}
		all.hold(t, path)
	}
}

// worst is the most that was measured of each.
type worst struct {
	bytes, cpu         costtest.Cost
	ofBytes, ofCPUTime string
}

func (w *worst) note(name string, c costtest.Cost) {
	if c.Bytes > w.bytes.Bytes {
		w.bytes, w.ofBytes = c, name
	}
	if c.Signatures > w.cpu.Signatures {
		w.cpu, w.ofCPUTime = c, name
	}
}

func (w *worst) hold(t *testing.T, path string) {
	t.Helper()
	t.Logf("%s: %.1f MB (%s), %.0f signatures (%s)", path, float64(w.bytes.Bytes)/(1<<20), w.ofBytes, w.cpu.Signatures, w.ofCPUTime)
	w.bytes.Hold(t, path+", "+w.ofBytes)
	w.cpu.Hold(t, path+", "+w.ofCPUTime)
}
