package presentation_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/presentation/identity"
)

func TestLink(t *testing.T) {
	const uri = "https://recover.example.org/openid4vp/request/h.s"
	p := newProfile(t)
	id := strings.Replace(p.Identity.ClientID(responseURI), ":", "%3A", 1)
	for endpoint, want := range map[string]string{
		"openid4vp://authorize":               "openid4vp://authorize?client_id=" + id + "&request_uri=https%3A%2F%2Frecover.example.org%2Fopenid4vp%2Frequest%2Fh.s&request_uri_method=post",
		"haip-vp://authorize":                 "haip-vp://authorize?client_id=",
		"https://wallet.example/authorize?x=": "https://wallet.example/authorize?x=&client_id=",
		"http://wallet.localhost:1/authorize": "http://wallet.localhost:1/authorize?client_id=",
	} {
		p.Endpoint = endpoint
		got, err := p.Link(uri, responseURI)
		if err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, %v", endpoint, got, err)
		}
	}
	for _, endpoint := range []string{
		"", "javascript:alert(1)", "javascript://x/%0aalert(1)", "data:text/html,x", "file:///etc/passwd", "http://wallet.example/", "mailto:a@b",
		"https://me@wallet.example/", "https://wallet.example/#f", "https://wallet.example/?client_id=x", "wallet", "openid4vp:authorize", "%%",
		"https://wallet.example/?client%5Fid=x", "https://wallet.example/?a;b", "https://wallet.example/?state=x", "JavaScript://x/%0aalert(1)", "openid4vp://a\n",
	} {
		p.Endpoint = endpoint
		if got, err := p.Link(uri, responseURI); err == nil || p.Validate() == nil {
			t.Errorf("%s: %s", endpoint, got)
		}
	}
	for _, bad := range []string{"", "http://recover.example.org/", "https://recover.example.org/#f", "/request", "https://" + strings.Repeat("x", 3000)} {
		if got, err := newProfile(t).Link(bad, responseURI); err == nil || !strings.Contains(err.Error(), "request_uri: it ") {
			t.Errorf("request_uri %.40s: %s", bad, got)
		}
	}
}

// parameters takes a link apart as a wallet does: every parameter stands once.
func parameters(t *testing.T, link string) map[string]string {
	t.Helper()
	u, err := url.Parse(link)
	must(t, u, err)
	if u.Scheme != "openid4vp" || u.Host != "authorize" {
		t.Errorf("the link leads to %s://%s", u.Scheme, u.Host)
	}
	values, err := url.ParseQuery(u.RawQuery)
	must(t, values, err)
	found := map[string]string{}
	for name, list := range values {
		if found[name] = list[0]; len(list) != 1 {
			t.Errorf("%s stands %d times", name, len(list))
		}
	}
	return found
}

// An unsigned request stands in the link parameter by parameter (§5); a registered client's says nothing about itself.
func TestLinkWithUnsigned(t *testing.T) {
	registered, err := identity.PreRegistered("regain", "", nil)
	must(t, registered, err)
	for _, who := range []*identity.Identity{identity.RedirectURI(), registered} {
		p := plainProfile()
		p.Identity, p.VerifierInfo = who, json.RawMessage(`[{"format":"jwt","data":"x&y=z+%"}]`)
		r := withData(t, p)
		link, err := p.LinkWith(r, noon)
		must(t, link, err)
		got := parameters(t, link)
		for name, want := range map[string]string{
			"client_id": who.ClientID(responseURI), "response_type": "vp_token", "response_mode": "direct_post", "response_uri": responseURI,
			"nonce": r.Nonce, "state": r.State, "verifier_info": string(p.VerifierInfo), "transaction_data": text(t, r.TransactionData),
		} {
			if got[name] != want {
				t.Errorf("%s: %s is %q, want %q", who.ClientID(""), name, got[name], want)
			}
		}
		if asked, err := dcql.Parse([]byte(got["dcql_query"])); err != nil || !reflect.DeepEqual(asked, r.Query) {
			t.Errorf("%s: the query is another: %v", who.ClientID(""), err)
		}
		if who == registered {
			if got["client_metadata"] != "" || len(got) != 9 {
				t.Errorf("registered: %v", got)
			}
			continue
		}
		metadata := objectOf(t, got["client_metadata"])
		if metadata["vp_formats_supported"] == nil || metadata["jwks"] != nil || len(got) != 10 {
			t.Errorf("%s: %v", who.ClientID(""), metadata)
		}
	}
	p := plainProfile()
	p.ResponseMode = presentation.DirectPostJWT
	r := requestOf(t, p)
	link, err := p.LinkWith(r, noon)
	must(t, link, err)
	keys, _ := objectOf(t, parameters(t, link)["client_metadata"])["jwks"].(map[string]any)["keys"].([]any)
	if len(keys) != 1 || keys[0].(map[string]any)["kid"] != r.Key.ID || keys[0].(map[string]any)["d"] != nil {
		t.Errorf("encrypted: keys %v", keys)
	}
}

// A signed request stands in the link as one object, beside the client_id that says who signed it (RFC 9101 §5.1).
func TestLinkWithSigned(t *testing.T) {
	for name, k := range map[string]known{"a DID": byDID(t), "x509_san_dns": bySAN(t)} {
		p := presentation.Profile{Endpoint: "openid4vp://authorize?x=1", Identity: k.who, ByValue: true, ResponseMode: presentation.DirectPostJWT}
		r := requestOf(t, p)
		link, err := p.LinkWith(r, noon)
		must(t, link, err)
		got := parameters(t, link)
		if got["client_id"] != r.ClientID || got["x"] != "1" || len(got) != 3 {
			t.Errorf("%s: %v", name, got)
		}
		if _, claims := verified(t, got["request"], k.public); claims["client_id"] != r.ClientID || claims["nonce"] != r.Nonce || claims["wallet_nonce"] != nil {
			t.Errorf("%s: %v", name, claims)
		}
	}
}

func TestLinksThatAreNotMade(t *testing.T) {
	p := inBrowser(plainProfile(), presentation.Unsigned)
	if link, err := p.Link("https://recover.example.org/r", responseURI); err == nil || !strings.Contains(err.Error(), "this profile puts the request into the link") {
		t.Errorf("a request_uri that nobody serves: %s", link)
	}
	fetched := newProfile(t)
	for why, row := range map[string]asked{
		"the request is for a browser":                   {p, browserRequestOf(t, p)},
		"this profile has the request fetched: use Link": {fetched, requestOf(t, fetched)},
		"the presentation request has no response mode":  {p, presentation.Request{}},
	} {
		if link, err := row.p.LinkWith(row.r, noon); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s, %v, want %q", link, err, why)
		}
	}
	r := requestOf(t, p)
	if link, err := p.LinkWith(r, r.ExpiresAt); err == nil || !strings.Contains(err.Error(), "presentation request has expired") {
		t.Errorf("an expired request: %s", link)
	}
	p.Endpoint = "javascript://x/%0aalert(1)"
	if link, err := p.LinkWith(r, noon); err == nil || !strings.Contains(err.Error(), `scheme "javascript" does not lead to a wallet`) {
		t.Errorf("an endpoint that is executed: %s", link)
	}
}

// Whatever an operator writes as an endpoint, the link leads to it, is not executed by a browser, and says what ours is.
func FuzzEndpoint(f *testing.F) {
	for _, endpoint := range []string{"openid4vp://authorize", "haip-vp://", "https://wallet.example/a?x=1&y", "javascript://%0aalert(1)", "a+b://c?%63lient_id=", "http://[::1]:80"} {
		f.Add(endpoint)
	}
	p := newProfile(f)
	const uri = "https://recover.example.org/openid4vp/request/h"
	f.Fuzz(func(t *testing.T, endpoint string) {
		p := p
		p.Endpoint = endpoint
		link, err := p.Link(uri, responseURI)
		if (err == nil) != (p.Validate() == nil) {
			t.Fatalf("Link and Validate disagree: %v", err)
		}
		if err != nil {
			return
		}
		u, err := url.Parse(link)
		if must(t, u, err); slices.Contains([]string{"javascript", "data", "vbscript", "file", "blob", "about", ""}, u.Scheme) || u.Fragment != "" || u.User != nil {
			t.Errorf("%q became %q", endpoint, link)
		}
		if !strings.EqualFold(link[:len(u.Scheme)], endpoint[:len(u.Scheme)]) {
			t.Errorf("%q became %q", endpoint, link)
		}
		values, err := url.ParseQuery(u.RawQuery)
		must(t, values, err)
		if !slices.Equal(values["client_id"], []string{p.Identity.ClientID("")}) || !slices.Equal(values["request_uri"], []string{uri}) {
			t.Errorf("%q: a wallet reads %v", endpoint, values)
		}
	})
}
