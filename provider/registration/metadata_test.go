package registration

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/clients"
	"regain/provider/problem"
	"regain/storage"
)

// hasStatus checks the status that the endpoint answers with an error.
func hasStatus(t *testing.T, name string, err error, status int) {
	t.Helper()
	var shown *problem.Error
	if errors.As(err, &shown) && shown.Status != status {
		t.Errorf("%s: status %d, want %d", name, shown.Status, status)
	}
}

// Each row breaks one thing of good metadata.
func TestMetadataThatIsRefused(t *testing.T) {
	d := open(t, policy(), nil)
	const plain = "invalid_client_metadata"
	deep := map[string]any{}
	for range 7 {
		deep = map[string]any{"x": deep}
	}
	deeper := map[string]any{"x": deep}
	for name, row := range map[string]struct {
		change    map[string]any
		code, why string // "" where it is registered
	}{
		"nothing wrong":                  {nil, "", ""},
		"deep":                           {map[string]any{"unknown": deep["x"]}, "", ""},
		"deeper":                         {map[string]any{"unknown": deeper}, plain, "nested too deep"},
		"a software statement":           {map[string]any{"software_statement": "x.y.z"}, "unapproved_software_statement", "does not support software_statement"},
		"an empty software statement":    {map[string]any{"software_statement": ""}, "", ""},
		"no sector":                      {map[string]any{"sector_identifier_uri": json.RawMessage("null")}, "", ""},
		"neither a name nor an address":  {map[string]any{"client_name": nil, "redirect_uris": []string{"https://%zz/"}}, plain, "name is missing"},
		"a sector":                       {map[string]any{"sector_identifier_uri": "https://x.example"}, plain, "does not support sector_identifier_uri"},
		"max_age":                        {map[string]any{"default_max_age": 0}, plain, "does not support default_max_age"},
		"a name that is none":            {map[string]any{"client_name": 7}, plain, "has the wrong type"},
		"keys that are none":             {map[string]any{"jwks": 7}, plain, "The jwks cannot be used"},
		"no address":                     {map[string]any{"redirect_uris": nil}, "invalid_redirect_uri", "redirect_uris are missing"},
		"no addresses":                   {map[string]any{"redirect_uris": []string{}}, "invalid_redirect_uri", "redirect_uris are missing"},
		"an address without TLS":         {map[string]any{"redirect_uris": []string{"http://broker.example.org/"}}, "invalid_redirect_uri", "must be https"},
		"an address of a scheme":         {map[string]any{"redirect_uris": []string{"javascript:alert(1)"}}, "invalid_redirect_uri", "is not an absolute https URI"},
		"a name at its limit":            {map[string]any{"client_name": strings.Repeat("x", 200)}, "", ""},
		"a long name":                    {map[string]any{"client_name": strings.Repeat("x", 201)}, plain, "client_name is too long"},
		"a page":                         {map[string]any{"client_uri": "https://broker.example.org/", "policy_uri": "https://broker.example.org/p", "tos_uri": "https://broker.example.org/t"}, "", ""},
		"client_uri by http":             {map[string]any{"client_uri": "http://broker.example.org/"}, plain, "client_uri is not an https URL"},
		"policy_uri, a script":           {map[string]any{"policy_uri": "javascript:alert(1)"}, plain, "policy_uri is not an https URL"},
		"tos_uri without a host":         {map[string]any{"tos_uri": "https:///x"}, plain, "tos_uri is not an https URL"},
		"tos_uri that is none":           {map[string]any{"tos_uri": "https://%zz/"}, plain, "tos_uri is not an https URL"},
		"client_uri with a user":         {map[string]any{"client_uri": "https://u@broker.example.org/"}, plain, "client_uri is not an https URL"},
		"jwks_uri by http":               {map[string]any{"jwks": nil, "jwks_uri": "http://broker.example.org/jwks"}, plain, "jwks_uri is not an https URL"},
		"jwks_uri":                       {map[string]any{"jwks": nil, "jwks_uri": "https://broker.example.org/jwks"}, "", ""},
		"jwks and jwks_uri":              {map[string]any{"jwks_uri": "https://broker.example.org/jwks"}, plain, "Send jwks or jwks_uri"},
		"the implicit flow":              {map[string]any{"response_types": []string{"id_token"}}, plain, "only response type is code"},
		"two flows":                      {map[string]any{"response_types": []string{"code", "id_token"}}, plain, "only response type is code"},
		"the code flow":                  {map[string]any{"response_types": []string{"code"}, "subject_type": "public", "application_type": "web"}, "", ""},
		"refresh alone":                  {map[string]any{"grant_types": []string{"refresh_token"}}, plain, "grant types are authorization_code"},
		"a password":                     {map[string]any{"grant_types": []string{"authorization_code", "password"}}, plain, "grant types are authorization_code"},
		"pairwise subjects":              {map[string]any{"subject_type": "pairwise"}, plain, "only subject type is public"},
		"a native application":           {map[string]any{"application_type": "native"}, plain, "only application type is web"},
		"a certificate of a CA":          {map[string]any{"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "x"}, plain, "does not offer the token_endpoint_auth_method tls_client_auth"},
		"a self-signed certificate":      {map[string]any{"token_endpoint_auth_method": "self_signed_tls_client_auth"}, plain, "does not offer the token_endpoint_auth_method self_signed_tls_client_auth"},
		"a method that is unknown":       {map[string]any{"token_endpoint_auth_method": "none"}, plain, "token_endpoint_auth_method 'none' is unknown"},
		"tokens bound to a certificate":  {map[string]any{"tls_client_certificate_bound_access_tokens": true}, plain, "does not offer tls_client_certificate_bound"},
		"ID tokens by another algorithm": {map[string]any{"id_token_signed_response_alg": "RS256"}, plain, "no key for RS256"},
		"userinfo by another algorithm":  {map[string]any{"userinfo_signed_response_alg": "RS256"}, plain, "no key for RS256"},
		"userinfo signed":                {map[string]any{"userinfo_signed_response_alg": "ES256"}, "", ""},
		"unsigned ID tokens":             {map[string]any{"id_token_signed_response_alg": "none"}, plain, "The metadata cannot be registered: id_token_signed_response_alg"},
		"signed sign-outs elsewhere":     {map[string]any{"backchannel_logout_uri": "http://broker.example.org/"}, "invalid_redirect_uri", "backchannel_logout_uri"},
	} {
		info, err := d.Register(t.Context(), invitation, d.body(row.change))
		if row.code == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		refused(t, name, err, row.code, row.why)
		hasStatus(t, name, err, http.StatusBadRequest)
		if info.ClientID != "" || info.ClientSecret != "" || info.Token != "" {
			t.Errorf("%s: refused with %+v", name, info)
		}
	}
	for _, body := range []string{"", "x", "[]", `{"client_name":"a","client_name":"b"}`, "null"} {
		_, err := d.Register(t.Context(), invitation, []byte(body))
		refused(t, body, err, plain, "The body is not a JSON object")
		hasStatus(t, body, err, http.StatusBadRequest)
	}
	_, err := d.Register(t.Context(), "guess", d.body(nil))
	refused(t, "a guess", err, "invalid_token", "is not one for this")
	hasStatus(t, "a guess", err, http.StatusUnauthorized)
}

// With mutual TLS, and with CAs, more is offered.
func TestMutualTLSOfThePolicy(t *testing.T) {
	certified := map[string]any{"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "x"}
	selfSigned, bound := map[string]any{"token_endpoint_auth_method": "self_signed_tls_client_auth"}, map[string]any{"tls_client_certificate_bound_access_tokens": true}
	for _, row := range []struct {
		tls, roots bool
		change     map[string]any
		why        string
	}{
		{false, false, bound, "does not offer tls_client_certificate_bound"}, {true, false, bound, ""}, {true, false, selfSigned, ""}, {true, true, selfSigned, ""},
		{true, false, certified, "does not offer the token_endpoint_auth_method tls_client_auth"}, {true, true, certified, ""}, {false, true, certified, "does not offer the token_endpoint_auth_method tls_client_auth"},
	} {
		p := policy()
		p.MutualTLS, p.ClientRoots = row.tls, row.roots
		d := open(t, p, nil)
		info, err := d.Register(t.Context(), invitation, d.body(row.change))
		if row.why != "" {
			refused(t, row.why, err, "invalid_client_metadata", row.why)
			continue
		}
		if err != nil || info.ClientSecret != "" && !info.AuthMethod.Secret() {
			t.Errorf("%v: %+v, %v", row.change, info, err)
			continue
		}
		c, err := d.Client(t.Context(), info.ClientID)
		if err != nil || c.CertificateBound != info.CertificateBound || c.AuthMethod != info.AuthMethod || c.TLSIdentity.DNS != info.SANDNS {
			t.Errorf("%v: %+v, %v", row.change, c, err)
		}
		d.policy.MutualTLS = false // what the operator takes away, is no longer there for those who registered with it
		if _, err := d.Client(t.Context(), info.ClientID); !errors.Is(err, clients.ErrUnknown) {
			t.Errorf("%v, without mutual TLS: %v", row.change, err)
		}
	}
}

// What a client leaves out is settled, and told in the answer (RFC 7591 §3.2.1).
func TestDefaultsOfMetadata(t *testing.T) {
	d := open(t, policy(), nil)
	info := d.register(map[string]any{"client_name": nil})
	if info.Name != "broker.example.org" || info.IDTokenAlgorithm != jose.ES256 || strings.Join(info.GrantTypes, " ") != "authorization_code" || strings.Join(info.ResponseTypes, " ") != "code" {
		t.Errorf("%+v", info)
	}
	if len(info.ClientID) != 22 || len(info.ClientSecret) != 43 || len(info.Token) != 43 { // 128 and 256 random bits
		t.Errorf("id of %d characters, secret of %d, token of %d", len(info.ClientID), len(info.ClientSecret), len(info.Token))
	}
	p := policy()
	p.Algorithms, p.DefaultAlgorithm = []jose.SignatureAlgorithm{jose.ES256, jose.RS256}, jose.RS256
	d = open(t, p, nil)
	for alg, want := range map[any]jose.SignatureAlgorithm{nil: jose.RS256, "ES256": jose.ES256} {
		if info := d.register(map[string]any{"id_token_signed_response_alg": alg}); info.IDTokenAlgorithm != want {
			t.Errorf("%v: %s", alg, info.IDTokenAlgorithm)
		}
	}
	p.SubjectFrom = "email"
	if _, err := New("https://recover.example.org", p, d.deps); err == nil || !strings.Contains(err.Error(), `subject "email" is unknown`) {
		t.Errorf("a policy with another subject: %v", err)
	}
	p.SubjectFrom = clients.SubjectID
	d = open(t, p, nil)
	if c, err := d.Client(t.Context(), d.register(nil).ClientID); err != nil || c.SubjectFrom != clients.SubjectID {
		t.Errorf("%+v, %v", c, err)
	}
}

// Initial tokens are replaced together or not at all, and 32 characters are enough.
func TestInitialTokensAreReplaced(t *testing.T) {
	d := open(t, policy(), nil)
	fresh := strings.Repeat("n", 32)
	if err := d.SetInitialTokens([]string{fresh, strings.Repeat("x", 31)}); err == nil || !strings.Contains(err.Error(), "one has 31 characters: use 32") {
		t.Errorf("a short one: %v", err)
	}
	if _, err := d.Register(t.Context(), invitation, d.body(nil)); err != nil {
		t.Errorf("the old token, after what was refused: %v", err)
	}
	_, err := d.Register(t.Context(), fresh, d.body(nil))
	refused(t, "the new token, after what was refused", err, "invalid_token", "is not one for this")
	if err := d.SetInitialTokens([]string{fresh}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Register(t.Context(), fresh, d.body(nil)); err != nil {
		t.Errorf("the new token: %v", err)
	}
	_, err = d.Register(t.Context(), invitation, d.body(nil))
	refused(t, "the old token", err, "invalid_token", "is not one for this")
}

// What the store has and cannot be read is a server error, and nobody's permission.
func TestRecordsThatAreGarbled(t *testing.T) {
	d := open(t, policy(), nil)
	info := d.register(nil)
	row, r, err := d.get(t.Context(), info.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]func() error{
		"read":   func() error { _, err := d.Read(t.Context(), info.ClientID, info.Token); return err },
		"client": func() error { _, err := d.Client(t.Context(), info.ClientID); return err },
	}
	r.Metadata = []byte("x")
	if row.Data, err = storage.Encode(r); err != nil {
		t.Fatal(err)
	}
	if err := d.deps.Store.Update(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls {
		if err := call(); err == nil || !strings.Contains(err.Error(), "decode client metadata") || errors.Is(err, clients.ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	row.Version, row.Data = row.Version+1, []byte("x")
	if err := d.deps.Store.Update(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls {
		if err := call(); err == nil || !strings.Contains(err.Error(), "decode client") || errors.Is(err, clients.ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A client that does not exist is refused like one that does, also to a token whose digest is nothing.
	for _, id := range []string{"", "nobody"} {
		_, err := d.Read(t.Context(), id, info.Token)
		refused(t, id, err, "invalid_token", "is not one for this")
		hasStatus(t, id, err, http.StatusUnauthorized)
	}
}

// An update that another one overtook is a conflict, and one without randomness for a new secret changes nothing.
func TestUpdatesThatFail(t *testing.T) {
	var store *failing
	d := open(t, policy(), func(deps *Deps) {
		store = &failing{Store: deps.Store, err: storage.ErrConflict}
		deps.Store = store
	})
	info := d.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt"})
	body := d.body(map[string]any{"client_id": info.ClientID})
	random := d.deps.Random
	d.deps.Random = io.MultiReader(bytes.NewReader(make([]byte, 31)))
	_, err := d.Update(t.Context(), info.ClientID, info.Token, body)
	refused(t, "without randomness", err, "server_error", "read randomness")
	hasStatus(t, "without randomness", err, http.StatusInternalServerError)
	d.deps.Random = random
	store.on = "update"
	_, err = d.Update(t.Context(), info.ClientID, info.Token, body)
	refused(t, "overtaken", err, "invalid_request", "was changed in the meantime")
	hasStatus(t, "overtaken", err, http.StatusConflict)
	store.on = ""
	if c, err := d.Client(t.Context(), info.ClientID); err != nil || c.AuthMethod != clients.PrivateKeyJWT {
		t.Errorf("after what failed: %v, %v", c, err)
	}
	if _, err := d.Update(t.Context(), info.ClientID, info.Token, []byte("x")); err == nil || !strings.Contains(err.Error(), "not a JSON object") {
		t.Errorf("an update that is none: %v", err)
	}
}
