package provider_test

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/conformance/testenv"
	"regain/internal/config"
	"regain/provider/keys"
)

const invitation = "an-initial-access-token-of-32-characters-or-more"

// setUpRegistration is a test environment in which clients may register themselves.
func setUpRegistration(t *testing.T, change func(*config.Config)) *fixture {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte("another-token-that-is-long-enough-to-be-one\n"+invitation+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return setUpWith(t, func(cfg *config.Config) {
		no := false
		cfg.Registration = config.RegistrationConfig{Tokens: config.Secret{File: path}, RequirePAR: &no, RequirePKCE: &no, AskAccount: true}
		if change != nil {
			change(cfg)
		}
	})
}

type object = map[string]any

func metadata(change object) object {
	m := object{"redirect_uris": []string{brokerRedirect}, "client_name": "Dynamic Broker", "policy_uri": "https://broker.example.org/privacy", "token_endpoint_auth_method": "client_secret_post"}
	maps.Copy(m, change)
	return m
}

// manage sends one request of RFC 7591 or 7592.
func (f *fixture) manage(t *testing.T, method, address, token string, body any) (int, object) {
	t.Helper()
	text := ""
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		text = string(encoded)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := f.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := object{}
	if resp.StatusCode != http.StatusNoContent {
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
	}
	return resp.StatusCode, answer
}

func text(o object, name string) string { s, _ := o[name].(string); return s }

// A client that registered itself signs somebody in, is changed, and is gone.
func TestRegisteredClient(t *testing.T) {
	f := setUpRegistration(t, nil)
	status, info := f.manage(t, http.MethodPost, f.Regain+"/register", invitation, metadata(nil))
	if status != http.StatusCreated || info["client_secret_expires_at"] != 0.0 || info["scope"] != "openid profile email address phone" {
		t.Fatalf("%d %v", status, info)
	}
	id, secret, token, uri := text(info, "client_id"), text(info, "client_secret"), text(info, "registration_access_token"), text(info, "registration_client_uri")
	query := url.Values{"response_type": {"code"}, "client_id": {id}, "redirect_uri": {brokerRedirect}, "scope": {"openid profile"}, "nonce": {"n"}, "login_hint": {"ada.lindqvist@example.org"}}
	page, err := f.browser.Open(t.Context(), f.Regain+"/authorize?"+query.Encode())
	if link, _ := f.must(t, page, err).Link("privacy-policy"); link != "https://broker.example.org/privacy" {
		t.Errorf("the privacy policy is at %q", link)
	}
	page = f.press(t, page, "have-verified-id")
	page, err = f.browser.Open(t.Context(), f.share(t, f.review(t, page)))
	code := f.press(t, f.must(t, page, err), "finish").URL.Query().Get("code")
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {brokerRedirect}, "client_id": {id}, "client_secret": {secret}}
	resp, body := f.send(t, http.MethodPost, f.Regain+"/token", formType, form.Encode())
	if resp.StatusCode != http.StatusOK || strings.Contains(body, "recovery_token") {
		t.Fatalf("token: %d %s", resp.StatusCode, body)
	}

	if status, read := f.manage(t, http.MethodGet, uri, token, nil); status != http.StatusOK || read["client_name"] != "Dynamic Broker" || read["client_secret"] != nil {
		t.Errorf("read: %d %v", status, read)
	}
	update := metadata(object{"client_id": id, "client_secret": secret, "client_name": "Renamed"})
	if status, changed := f.manage(t, http.MethodPut, uri, token, update); status != http.StatusOK || changed["client_name"] != "Renamed" || changed["client_secret"] != nil {
		t.Errorf("update: %d %v", status, changed)
	}
	for name, change := range map[string]object{
		"another client's id": {"client_id": "main-idp"}, "a wrong secret": {"client_id": id, "client_secret": "guess"}, "its own token": {"client_id": id, "registration_access_token": token},
		"a bad redirect": {"client_id": id, "redirect_uris": []string{"http://broker.example.org/"}},
	} {
		if status, answer := f.manage(t, http.MethodPut, uri, token, metadata(change)); status != http.StatusBadRequest {
			t.Errorf("update with %s: %d %v", name, status, answer)
		}
	}
	if status, _ := f.manage(t, http.MethodDelete, uri, invitation, nil); status != http.StatusUnauthorized {
		t.Errorf("deleted with an initial access token: %d", status)
	}
	if status, _ := f.manage(t, http.MethodDelete, uri, token, nil); status != http.StatusNoContent {
		t.Errorf("delete: %d", status)
	}
	for _, address := range []string{uri, f.Regain + "/register/nobody"} {
		if status, answer := f.manage(t, http.MethodGet, address, token, nil); status != http.StatusUnauthorized || answer["error"] != "invalid_token" {
			t.Errorf("after the end: %d %v", status, answer)
		}
	}
	page, err = f.browser.Open(t.Context(), f.Regain+"/authorize?"+query.Encode())
	if f.must(t, page, err); page.Status != http.StatusBadRequest {
		t.Errorf("authorize after the end: %d", page.Status)
	}
}

// Keys sent by value are the client's from then on: it authenticates with them.
func TestRegisteredKeys(t *testing.T) {
	f := setUpRegistration(t, nil)
	key := privateJWK(t)
	status, info := f.manage(t, http.MethodPost, f.Regain+"/register", invitation,
		metadata(object{"token_endpoint_auth_method": "private_key_jwt", "jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}}))
	if status != http.StatusCreated || info["client_secret"] != nil {
		t.Fatalf("%d %v", status, info)
	}
	id := text(info, "client_id")
	if status, read := f.manage(t, http.MethodGet, text(info, "registration_client_uri"), text(info, "registration_access_token"), nil); status != http.StatusOK || read["jwks"] == nil {
		t.Errorf("read: %d %v", status, read)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	assertion, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: id, Subject: id, Audience: jwt.Audience{f.Regain}, ID: "once", Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute)),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion}, "token": {"x"}}
	if resp, body := f.send(t, http.MethodPost, f.Regain+"/introspect", formType, form.Encode()); resp.StatusCode != http.StatusOK || !strings.Contains(body, `"active":false`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// Nobody registers uninvited, and nobody registers what the operator did not allow.
func TestRegistrationIsRefused(t *testing.T) {
	f := setUpRegistration(t, nil)
	for _, token := range []string{"", "guess", invitation + "x"} {
		if status, answer := f.manage(t, http.MethodPost, f.Regain+"/register", token, metadata(nil)); status != http.StatusUnauthorized || answer["error"] != "invalid_token" {
			t.Errorf("token %q: %d %v", token, status, answer)
		}
	}
	for name, c := range map[string]struct {
		change object
		code   string
		why    string
	}{
		"the scope recovery":     {object{"scope": "openid recovery"}, "invalid_client_metadata", "scope recovery is not for clients that register themselves"},
		"no redirect":            {object{"redirect_uris": nil}, "invalid_redirect_uri", "redirect_uris are missing"},
		"a fragment":             {object{"redirect_uris": []string{brokerRedirect + "#x"}}, "invalid_redirect_uri", "without a fragment"},
		"a script":               {object{"redirect_uris": []string{"javascript:alert(1)"}}, "invalid_redirect_uri", "'javascript:alert(1)' is not an absolute https URI"},
		"a text for the list":    {object{"redirect_uris": brokerRedirect}, "invalid_client_metadata", "has the wrong type"},
		"implicit":               {object{"response_types": []string{"id_token"}}, "invalid_client_metadata", "only response type is code"},
		"client credentials":     {object{"grant_types": []string{"client_credentials"}}, "invalid_client_metadata", "grant types are authorization_code and refresh_token"},
		"pairwise":               {object{"subject_type": "pairwise"}, "invalid_client_metadata", "only subject type is public"},
		"a native application":   {object{"application_type": "native"}, "invalid_client_metadata", "only application type is web"},
		"no authentication":      {object{"token_endpoint_auth_method": "none"}, "invalid_client_metadata", "token_endpoint_auth_method 'none' is unknown"},
		"keys and no keys":       {object{"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata", "jwks has no signature key"},
		"keys twice":             {object{"jwks": object{"keys": []any{}}, "jwks_uri": "https://broker.example.org/jwks"}, "invalid_client_metadata", "Send jwks or jwks_uri"},
		"jwks_uri over http":     {object{"jwks_uri": "http://broker.example.org/jwks"}, "invalid_client_metadata", "jwks_uri is not an https URL"},
		"a private key":          {object{"jwks": object{"keys": []any{privateJWK(t)}}}, "invalid_client_metadata", "jwks cannot be used"},
		"unsigned ID tokens":     {object{"id_token_signed_response_alg": "none"}, "invalid_client_metadata", "id_token_signed_response_alg 'none'"},
		"an algorithm of no key": {object{"id_token_signed_response_alg": "EdDSA"}, "invalid_client_metadata", "no key for EdDSA"},
		"encrypted ID tokens":    {object{"id_token_encrypted_response_alg": "RSA-OAEP"}, "invalid_client_metadata", "does not support id_token_encrypted_response_alg"},
		"a policy that runs":     {object{"policy_uri": "javascript:alert(1)"}, "invalid_client_metadata", "policy_uri is not an https URL"},
		"a software statement":   {object{"software_statement": "e30.e30."}, "unapproved_software_statement", "does not support software_statement"},
		"a name of a novel":      {object{"client_name": strings.Repeat("x", 201)}, "invalid_client_metadata", "client_name is too long"},
	} {
		status, answer := f.manage(t, http.MethodPost, f.Regain+"/register", invitation, metadata(c.change))
		if status != http.StatusBadRequest || answer["error"] != c.code || !strings.Contains(text(answer, "error_description"), c.why) {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	for name, body := range map[string]string{"nothing": "", "an array": "[]", "a member twice": `{"client_name":"a","client_name":"b"}`, "deep": strings.Repeat("[", 5000)} {
		resp, answer := f.sendWith(t, f.Regain+"/register", "application/json", body)
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(answer, "invalid_client_metadata") {
			t.Errorf("%s: %d %s", name, resp.StatusCode, answer)
		}
	}
	closed := setUp(t)
	if resp, _ := closed.sendWith(t, closed.Regain+"/register", "application/json", "{}"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("registration that nobody configured: %d", resp.StatusCode)
	}
}

func (f *fixture) sendWith(t *testing.T, address, contentType, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+invitation)
	resp, err := f.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer strings.Builder
	if _, err := io.Copy(&answer, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp, answer.String()
}

func privateJWK(t *testing.T) jose.JSONWebKey {
	t.Helper()
	key, err := keys.GenerateFor(jose.ES256, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: "private"}
}

// A client may publish its keys. One whose keys cannot be had, or that has none to encrypt to, gets no pass.
func TestKeysAtAURI(t *testing.T) {
	for name, c := range map[string]struct {
		publish func(set jose.JSONWebKeySet) (int, jose.JSONWebKeySet)
		refused string
	}{
		"published": {func(set jose.JSONWebKeySet) (int, jose.JSONWebKeySet) { return http.StatusOK, set }, ""},
		"no encryption key": {func(set jose.JSONWebKeySet) (int, jose.JSONWebKeySet) {
			return http.StatusOK, jose.JSONWebKeySet{Keys: set.Key("sig")}
		}, "invalid_client"},
		"an encryption key that does not fit": {func(set jose.JSONWebKeySet) (int, jose.JSONWebKeySet) {
			odd := set.Key("enc")[0]
			odd.Algorithm = string(jose.ECDH_ES_A256KW)
			return http.StatusOK, jose.JSONWebKeySet{Keys: append(set.Key("sig"), odd)}
		}, "invalid_client"},
		"down": {func(set jose.JSONWebKeySet) (int, jose.JSONWebKeySet) { return http.StatusServiceUnavailable, set }, "temporarily_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			clock, broken := &movingClock{}, false
			var own jose.JSONWebKeySet
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				status, set := http.StatusOK, own
				if broken {
					status, set = c.publish(own)
				}
				w.WriteHeader(status)
				_ = json.NewEncoder(w).Encode(set)
			}))
			t.Cleanup(server.Close)
			host := strings.TrimPrefix(server.URL, "http://")
			f := setUpEnv(t, testenv.Options{Clock: clock.now, Change: func(cfg *config.Config) {
				cfg.Fetch.AllowHTTPHosts, cfg.Fetch.AllowPrivateHosts = append(cfg.Fetch.AllowHTTPHosts, host), append(cfg.Fetch.AllowPrivateHosts, host)
				for i := range cfg.Clients {
					if cfg.Clients[i].ID == testenv.ClientProgram {
						cfg.Clients[i].JWKSFile, cfg.Clients[i].JWKSURI = "", server.URL
					}
				}
			}})
			keys, err := f.RP.JWKS()
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(keys, &own); err != nil {
				t.Fatal(err)
			}
			page := f.asked(t)
			next, err := f.browser.Open(t.Context(), f.share(t, f.review(t, page)))
			approved := f.must(t, next, err)
			clock.advance(6 * time.Minute) // the set that was fetched for the push is no longer good
			code, err := f.RP.Code(f.attempt, f.press(t, approved, "finish").URL.String())
			if err != nil {
				t.Fatal(err)
			}
			broken = true
			_, err = f.RP.Redeem(t.Context(), f.attempt, code)
			if c.refused == "" && err != nil || c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)) {
				t.Errorf("redeem: %v", err)
			}
			if log, err := os.ReadFile(f.AuditLog()); err != nil || strings.Contains(string(log), "pass_issued") != (c.refused == "") {
				t.Errorf("%v, the audit log says %s", err, log)
			}
			if c.refused == "" {
				return
			}
			broken = false // mended: nothing was used up by the refusal
			clock.advance(6 * time.Minute)
			if code, err = f.RP.Code(f.attempt, f.press(t, approved, "finish").URL.String()); err != nil {
				t.Fatal(err)
			}
			if tokens, err := f.RP.Redeem(t.Context(), f.attempt, code); err != nil || tokens.RecoveryToken == "" {
				t.Errorf("after the keys were mended: %v", err)
			}
		})
	}
}
