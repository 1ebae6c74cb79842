package provider_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/conformance/browser"
)

// signIn proves who the person is once; after that every client of the registration gets its answers from the session.
func (p *published) signIn() {
	p.t.Helper()
	c := p.register(nil)
	page := p.open(c.authorization())
	page = p.press(p.t, page, "have-verified-id")
	next, err := p.browser.Open(p.t.Context(), p.share(p.t, p.review(p.t, page)))
	p.press(p.t, p.fixture.must(p.t, next, err), "finish")
}

func (p *published) open(query url.Values) *browser.Page {
	p.t.Helper()
	page, err := p.browser.Open(p.t.Context(), p.endpoint("authorization_endpoint")+"?"+query.Encode())
	return p.fixture.must(p.t, page, err)
}

// tokens redeems the code that a client's request is answered with.
func (c registered) tokens(change url.Values, header http.Header) object {
	c.p.t.Helper()
	query := c.authorization()
	maps.Copy(query, change)
	verifier := query.Get("verifier")
	query.Del("verifier")
	code := c.p.open(query).URL.Query().Get("code")
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {brokerRedirect}}
	if verifier != "" {
		form.Set("code_verifier", verifier)
	}
	status, body := c.call("token_endpoint", form, header)
	var answer object
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		c.p.t.Fatalf("%v: token: %d %s", query, status, body)
	}
	return answer
}

// get fetches userinfo, or another address with a bearer token.
func (p *published) get(address, access, accept string) (string, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, address, nil)
	p.must(err)
	req.Header.Set("Authorization", "Bearer "+access)
	req.Header.Set("Accept", accept)
	resp, err := p.Client.Do(req)
	p.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	p.must(err)
	return resp.Header.Get("Content-Type"), string(body)
}

// verified holds a JWT against the published keys, and its algorithm against the one that was asked for.
func (p *published) verified(what, token, alg string) object {
	p.t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		p.t.Errorf("%s with %s: %v: %s", what, alg, err, token)
		return nil
	}
	_, body := p.send(p.t, http.MethodGet, p.endpoint("jwks_uri"), "", "")
	var set jose.JSONWebKeySet
	p.must(json.Unmarshal([]byte(body), &set))
	claims := object{}
	for _, key := range set.Key(parsed.Headers[0].KeyID) {
		if parsed.Claims(key.Key, &claims) == nil {
			return claims
		}
	}
	p.t.Errorf("%s with %s: no published key verifies it", what, alg)
	return nil
}

// TestDiscoveryOfAlgorithms has everything that the server signs signed with each algorithm of the document, and sends
// what clients sign with each.
func TestDiscoveryOfAlgorithms(t *testing.T) {
	p := setUpPublished(t)
	p.signIn()
	for _, alg := range p.list("id_token_signing_alg_values_supported") {
		c := p.register(object{"id_token_signed_response_alg": alg})
		answer := c.tokens(nil, nil)
		if acr := p.verified("ID token", text(answer, "id_token"), alg)["acr"]; !slices.Contains(p.list("acr_values_supported"), text(object{"acr": acr}, "acr")) {
			t.Errorf("acr %v is not in the document", acr)
		}
	}
	for _, alg := range p.list("userinfo_signing_alg_values_supported") {
		c := p.register(object{"userinfo_signed_response_alg": alg})
		if media, body := p.get(p.endpoint("userinfo_endpoint"), text(c.tokens(nil, nil), "access_token"), ""); media != "application/jwt" || p.verified("userinfo", body, alg) == nil {
			t.Errorf("userinfo with %s: %s %s", alg, media, body)
		}
	}
	for _, alg := range p.list("introspection_signing_alg_values_supported") {
		c := p.register(object{"id_token_signed_response_alg": alg})
		const media = "application/token-introspection+jwt"
		_, body := c.call("introspection_endpoint", url.Values{"token": {text(c.tokens(nil, nil), "access_token")}}, http.Header{"Accept": {media}})
		p.verified("introspection", body, alg)
	}
	for _, alg := range p.list("authorization_signing_alg_values_supported") {
		c := p.register(object{"id_token_signed_response_alg": alg})
		query := c.authorization()
		query.Set("response_mode", "jwt")
		p.verified("response", p.open(query).URL.Query().Get("response"), alg)
	}
	for _, alg := range p.list("request_object_signing_alg_values_supported") {
		c := p.register(object{"request_object_signing_alg": alg})
		members := object{"iss": c.id, "aud": p.Regain, "exp": time.Now().Add(time.Minute).Unix()}
		for name, values := range c.authorization() {
			members[name] = values[0]
		}
		request, err := jwt.Signed(p.signer(alg, nil)).Claims(members).Serialize()
		p.must(err)
		if page := p.open(url.Values{"client_id": {c.id}, "request": {request}}); page.URL.Query().Get("code") == "" {
			t.Errorf("request object with %s: %s", alg, page.URL)
		}
	}
	for _, alg := range p.list("dpop_signing_alg_values_supported") {
		signer := p.signer(alg, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
		proof, err := jwt.Signed(signer).Claims(object{"jti": "proof " + alg, "htm": "POST", "htu": p.endpoint("token_endpoint"), "iat": time.Now().Unix()}).Serialize()
		p.must(err)
		if answer := p.register(nil).tokens(nil, http.Header{"Dpop": {proof}}); answer["token_type"] != "DPoP" {
			t.Errorf("DPoP with %s: %v", alg, answer)
		}
	}
}

// TestDiscoveryOfRequests uses each value of the lists that are about authorization requests.
func TestDiscoveryOfRequests(t *testing.T) {
	p := setUpPublished(t)
	p.signIn()
	c := p.register(nil)
	for _, mode := range p.list("response_modes_supported") {
		query := c.authorization()
		query.Set("response_mode", mode)
		page := p.open(query)
		posted := strings.Contains(string(page.Body), `id="response"`)
		wanted := "code"
		if strings.HasSuffix(mode, "jwt") {
			wanted = "response"
		}
		if posted != strings.HasPrefix(mode, "form_post") || !posted && page.URL.Query().Get(wanted) == "" || posted && !strings.Contains(string(page.Body), `name="`+wanted+`"`) {
			t.Errorf("response_mode %s: %s", mode, page.URL)
		}
	}
	for _, prompt := range p.list("prompt_values_supported") {
		query := c.authorization()
		query.Set("prompt", prompt)
		page := p.open(query)
		if answered := page.URL.Query().Get("code") != ""; answered != (prompt == "none") || page.URL.Query().Has("error") {
			t.Errorf("prompt %s: %s", prompt, page.URL)
		}
	}
	for _, kind := range p.list("response_types_supported") {
		query := c.authorization()
		query.Set("response_type", kind)
		if page := p.open(query); !page.URL.Query().Has(kind) {
			t.Errorf("response_type %s: %s", kind, page.URL)
		}
	}
	for _, method := range p.list("code_challenge_methods_supported") {
		const verifier = "a-code-verifier-of-more-than-forty-three-characters"
		sum := sha256.Sum256([]byte(verifier))
		c.tokens(url.Values{"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {method}, "verifier": {verifier}}, nil)
	}
	for _, grant := range p.list("grant_types_supported") {
		c := p.register(object{"grant_types": []string{"authorization_code", grant}, "scope": "openid offline_access"})
		answer := c.tokens(url.Values{"scope": {"openid offline_access"}}, nil)
		if status, body := c.call("token_endpoint", url.Values{"grant_type": {grant}, "refresh_token": {text(answer, "refresh_token")}, "code": {"x"}}, nil); strings.Contains(body, "unsupported_grant_type") {
			t.Errorf("grant_type %s: %d %s", grant, status, body)
		}
	}
}

// TestDiscoveryOfClaims gets every scope and every claim of the document.
func TestDiscoveryOfClaims(t *testing.T) {
	p := setUpPublished(t)
	p.signIn()
	came := map[string]bool{}
	for _, scope := range p.list("scopes_supported") {
		if scope == "openid" {
			continue
		}
		c := p.register(object{"scope": "openid " + scope, "grant_types": []string{"authorization_code", "refresh_token"}})
		if scope == "recovery" { // which no session answers
			query := c.authorization()
			query.Set("scope", "openid recovery")
			if page := p.open(query); page.Status != http.StatusOK || page.URL.Query().Has("error") {
				t.Errorf("scope %s: %s", scope, page.URL)
			}
			continue
		}
		asked := `{"id_token":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"given_name":null,"family_name":null}}}}`
		answer := c.tokens(url.Values{"scope": {"openid " + scope}, "claims": {asked}}, nil)
		if answer["scope"] != "openid "+scope {
			t.Errorf("scope %s: granted %v", scope, answer["scope"])
		}
		for name := range p.verified("ID token", text(answer, "id_token"), "RS256") {
			came[name] = true
		}
		_, body := p.get(p.endpoint("userinfo_endpoint"), text(answer, "access_token"), "")
		var info object
		p.must(json.Unmarshal([]byte(body), &info))
		for name := range info {
			came[name] = true
		}
		if scope == "profile" && (info["preferred_username"] != "ada.lindqvist@example.org" || info["name"] != "Ada Lindqvist") {
			t.Errorf("profile: %v", info)
		}
	}
	listed := p.list("claims_supported")
	for _, claim := range listed {
		if !came[claim] {
			t.Errorf("the claim %s is listed, and never came", claim)
		}
	}
	for claim := range came {
		if !slices.Contains(listed, claim) {
			t.Errorf("the claim %s came, and is not listed", claim)
		}
	}
	for name, want := range map[string]string{"service_documentation": "https://help.example.org/", "op_policy_uri": "https://example.org/privacy", "op_tos_uri": "https://example.org/terms"} {
		if p.document[name] != want {
			t.Errorf("%s is %v", name, p.document[name])
		}
	}
	if languages := p.list("ui_locales_supported"); !slices.Equal(languages, []string{"en"}) {
		t.Errorf("ui_locales_supported %v", languages)
	}
}
