package presentation_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"regain/presentation"
	"regain/presentation/dcql"
)

// asked is a request and the profile that it was made for.
type asked struct {
	p presentation.Profile
	r presentation.Request
}

// modes are a request of each response mode.
func modes(t fatal) map[presentation.ResponseMode]asked {
	t.Helper()
	plain, sealed := inBrowser(plainProfile(), presentation.Unsigned), inBrowser(newProfile(t), presentation.Unsigned, presentation.Signed)
	return map[presentation.ResponseMode]asked{
		presentation.DirectPost:    {plain, requestOf(t, plain)},
		presentation.DirectPostJWT: {sealed, requestOf(t, sealed)},
		presentation.BrowserPlain:  {plain, browserRequestOf(t, plain)},
		presentation.BrowserJWT:    {sealed, browserRequestOf(t, sealed)},
	}
}

func TestNewRequestInEachMode(t *testing.T) {
	for mode, made := range modes(t) {
		p, r := made.p, made.r
		if r.Mode != mode || mode.Encrypted() != (r.Key != nil) || mode.Browser() != (r.State == "") {
			t.Errorf("%s: mode %s, key %t, state %q", mode, r.Mode, r.Key != nil, r.State)
		}
		// What a presentation has to name: the client_id with its prefix, through a browser the origin (§14.10, Appendix A.4).
		want := p.Identity.ClientID(responseURI)
		if mode.Browser() {
			want = "origin:" + origin
		}
		if r.Audience() != want {
			t.Errorf("%s: audience %s, want %s", mode, r.Audience(), want)
		}
		if mode.Browser() != (r.Origin == origin) || mode.Browser() != (r.ResponseURI == "") {
			t.Errorf("%s: response_uri %q, origin %q", mode, r.ResponseURI, r.Origin)
		}
		if unsigned := mode == presentation.BrowserPlain; unsigned != (r.ClientID == "") {
			t.Errorf("%s: client_id %q", mode, r.ClientID)
		}
		for _, secret := range []string{r.Nonce, r.State} {
			if secret != "" && (len(secret) < 43 || strings.ContainsFunc(secret, func(c rune) bool {
				return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", c) // §5.2
			})) {
				t.Errorf("%s: %q is short, or has other characters", mode, secret)
			}
		}
		if !r.IssuedAt.Equal(noon) || !r.ExpiresAt.Equal(noon.Add(5*time.Minute)) || r.Expired(noon) || !r.Expired(r.ExpiresAt) {
			t.Errorf("%s: from %s to %s", mode, r.IssuedAt, r.ExpiresAt)
		}
	}
}

// RFC 7638, as go-jose has it. Without a key there is none (Appendix B.2.6).
func TestThumbprint(t *testing.T) {
	for mode, made := range modes(t) {
		if !mode.Encrypted() {
			if made.r.Thumbprint() != nil {
				t.Errorf("%s: a thumbprint of nothing", mode)
			}
			continue
		}
		public := key(t, made.r)
		want, err := public.Thumbprint(crypto.SHA256)
		if must(t, want, err); !bytes.Equal(made.r.Thumbprint(), want) {
			t.Errorf("%s: %x, want %x", mode, made.r.Thumbprint(), want)
		}
	}
}

// A request survives its storage in every mode, and opens the answer to the one that was stored.
func TestRequestsAreStored(t *testing.T) {
	for mode, made := range modes(t) {
		data, err := json.Marshal(made.r)
		must(t, data, err)
		var stored presentation.Request
		if err := json.Unmarshal(data, &stored); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(stored, made.r) {
			t.Errorf("%s: it came back as another", mode)
		}
		got, err := open(made.p, stored, answerTo(t, made.r))
		if err != nil || got.Presentations["verified_id"][0] != "a~b" || got.Presentations["face_check"][0] != "c~" {
			t.Errorf("%s: %v, %v", mode, got, err)
		}
	}
}

// A store that gives back half of a request gives back none: nothing is shown to a wallet, nothing is opened.
func TestDamagedRequests(t *testing.T) {
	const notMade = "the presentation request was not made by NewRequest"
	for name, row := range map[string]struct {
		change func(r map[string]any)
		why    string
	}{
		"no nonce":       {func(r map[string]any) { delete(r, "nonce") }, notMade},
		"no state":       {func(r map[string]any) { delete(r, "state") }, notMade},
		"no mode":        {func(r map[string]any) { delete(r, "mode") }, "the presentation request has no response mode"},
		"another mode":   {func(r map[string]any) { r["mode"] = "fragment" }, "the presentation request has no response mode"},
		"no key":         {func(r map[string]any) { delete(r, "key") }, "the presentation request has no encryption key"},
		"a long state":   {func(r map[string]any) { r["state"] = `","nonce":"` }, notMade},
		"a spaced nonce": {func(r map[string]any) { r["nonce"] = "a b" }, notMade},
	} {
		p := newProfile(t)
		r := requestOf(t, p)
		good := answerTo(t, r)
		object := objectOf(t, text(t, r))
		row.change(object)
		var damaged presentation.Request
		if err := json.Unmarshal([]byte(text(t, object)), &damaged); err != nil {
			t.Fatal(err)
		}
		for _, sent := range []map[string][]string{good, {"vp_token": {text(t, answer(r)["vp_token"])}, "state": {r.State}}, {"error": {"access_denied"}, "state": {""}}} {
			if got, err := damaged.Open(sent, noon); err == nil || !strings.Contains(err.Error(), row.why) {
				t.Errorf("%s: it was answered: %v, %v", name, got, err)
			}
		}
		if _, err := p.RequestObject(damaged, presentation.RequestObjectParams{Now: noon}); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: it was signed: %v", name, err)
		}
	}
	if raw, err := json.Marshal(presentation.EncryptionKey{}); err == nil || !strings.Contains(err.Error(), "an empty encryption key cannot be stored") {
		t.Errorf("an empty key was stored: %s, %v", raw, err)
	}
}

// TestDamagedKeys breaks one member of a stored key: none is padded, cut, or taken for a key of another kind.
func TestDamagedKeys(t *testing.T) {
	for name, change := range map[string]func(k map[string]any){
		"in order":     nil,
		"another type": func(k map[string]any) { k["kty"] = "OKP" }, "another curve": func(k map[string]any) { k["crv"] = "P-384" },
		"no kid": func(k map[string]any) { delete(k, "kid") }, "a short kid": func(k map[string]any) { k["kid"] = "x" },
		"a short x": func(k map[string]any) { k["x"] = "AAAA" }, "a short y": func(k map[string]any) { k["y"] = "AAAA" }, "a short d": func(k map[string]any) { k["d"] = "AAAA" },
		"a long x": func(k map[string]any) { k["x"] = strings.Repeat("A", 44) }, "a long d": func(k map[string]any) { k["d"] = strings.Repeat("A", 44) },
		"x with padding": func(k map[string]any) { k["x"] = fmt.Sprint(k["x"], "=") }, "d with a break": func(k map[string]any) { k["d"] = fmt.Sprint("\n", k["d"]) },
		"no y": func(k map[string]any) { delete(k, "y") }, "nothing": func(k map[string]any) { clear(k) },
	} {
		stored := objectOf(t, text(t, newRequest(t).Key))
		if change != nil {
			change(stored)
		}
		var read presentation.EncryptionKey
		err := json.Unmarshal([]byte(text(t, stored)), &read)
		if change == nil && err != nil || change != nil && (err == nil || !strings.Contains(err.Error(), "a stored encryption key is damaged")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var read presentation.EncryptionKey
	if err := json.Unmarshal([]byte(`"secret"`), &read); err == nil || !strings.Contains(err.Error(), "cannot be read") || strings.Contains(err.Error(), "secret") {
		t.Errorf("a text: %v", err)
	}
}

// A key whose halves do not belong together opens nothing.
func TestAKeyOfTwoHalves(t *testing.T) {
	mine, other := newRequest(t), newRequest(t)
	object := objectOf(t, text(t, mine))
	object["key"].(map[string]any)["d"] = objectOf(t, text(t, other))["key"].(map[string]any)["d"]
	var mixed presentation.Request
	if err := json.Unmarshal([]byte(text(t, object)), &mixed); err != nil {
		t.Fatal(err)
	}
	if got, err := mixed.Open(answerTo(t, mine), noon); err == nil || !strings.Contains(err.Error(), "the stored encryption key is damaged") {
		t.Errorf("it opened: %v, %v", got, err)
	}
}

func TestRequestsThatAreNotMade(t *testing.T) {
	p := inBrowser(newProfile(t), presentation.Signed)
	san := presentation.Profile{Endpoint: "openid4vp://authorize", Identity: bySAN(t).who, ResponseMode: presentation.DirectPostJWT}
	good := presentation.RequestParams{ResponseURI: responseURI, Query: recoveryQuery(t), Lifetime: 5 * time.Minute}
	for name, row := range map[string]struct {
		p      presentation.Profile
		change func(params *presentation.RequestParams)
		random io.Reader
		says   string
	}{
		"nowhere to go":          {p, func(r *presentation.RequestParams) { r.ResponseURI = "" }, rand.Reader, "origin"},
		"two places to go":       {p, func(r *presentation.RequestParams) { r.Origin = origin }, rand.Reader, "origin"},
		"no browser":             {newProfile(t), func(r *presentation.RequestParams) { r.ResponseURI, r.Origin = "", origin }, rand.Reader, "digital_credentials"},
		"a page and not a place": {p, func(r *presentation.RequestParams) { r.ResponseURI, r.Origin = "", origin+"/x" }, rand.Reader, "origin"},
		"http":                   {p, func(r *presentation.RequestParams) { r.ResponseURI = "http://recover.example.org/" }, rand.Reader, "response_uri"},
		"another host":           {san, func(r *presentation.RequestParams) { r.ResponseURI = "https://login.example.org/" }, rand.Reader, "response_uri"},
		"no lifetime":            {p, func(r *presentation.RequestParams) { r.Lifetime = 0 }, rand.Reader, "lifetime"},
		"a long lifetime":        {p, func(r *presentation.RequestParams) { r.Lifetime = time.Hour }, rand.Reader, "lifetime"},
		"nothing asked":          {p, func(r *presentation.RequestParams) { r.Query = dcql.Query{} }, rand.Reader, "DCQL"},
		"no randomness":          {p, func(*presentation.RequestParams) {}, nil, "randomness"},
		"no random nonce":        {p, func(*presentation.RequestParams) {}, strings.NewReader(""), "random"},
		"no random state":        {p, func(*presentation.RequestParams) {}, strings.NewReader(strings.Repeat("x", 32)), "random"},
		"no random kid":          {p, func(*presentation.RequestParams) {}, strings.NewReader(strings.Repeat("x", 64)), "random"},
	} {
		params := good
		row.change(&params)
		made, err := row.p.NewRequest(params, row.random, noon)
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", name, err, row.says)
		}
		if !reflect.DeepEqual(made, presentation.Request{}) {
			t.Errorf("%s: half a request was made", name)
		}
	}
	if _, err := p.NewRequest(good, rand.Reader, noon); err != nil {
		t.Error(err)
	}
}

// Nothing is asked under another name than the one that the answer will have to name.
func TestARequestOfAnotherIdentity(t *testing.T) {
	p := inBrowser(newProfile(t), presentation.Signed)
	renewed := inBrowser(newProfile(t), presentation.Signed)
	if _, err := renewed.RequestObject(requestOf(t, p), presentation.RequestObjectParams{Now: noon}); !errors.Is(err, presentation.ErrExpired) {
		t.Errorf("to be fetched: %v", err)
	}
	if _, err := renewed.BrowserRequests(browserRequestOf(t, p), noon); !errors.Is(err, presentation.ErrExpired) {
		t.Errorf("through a browser: %v", err)
	}
	plain := plainProfile()
	if _, err := plain.LinkWith(requestOf(t, plain), noon); err != nil {
		t.Error(err)
	}
	p.ByValue = true
	if _, err := p.LinkWith(requestOf(t, plain), noon); !errors.Is(err, presentation.ErrExpired) {
		t.Errorf("in a link: %v", err)
	}
}

// Where answers may come back: to a URI that the client_id allows (§5.9.3), or to an origin as browsers write it, which
// wallets compare character by character (Appendix A.2).
func TestWhereAnswersGo(t *testing.T) {
	browser := inBrowser(newProfile(t), presentation.Unsigned)
	san := presentation.Profile{Endpoint: "openid4vp://authorize", Identity: bySAN(t).who, ResponseMode: presentation.DirectPostJWT}
	for name, row := range map[string]struct {
		p           presentation.Profile
		uri, origin string
		says        string
	}{
		"a link":                  {browser, responseURI, "", ""},
		"a link on this machine":  {browser, "http://regain.localhost:8400/r", "", ""},
		"the certificate's host":  {san, responseURI, "", ""},
		"its host, another port":  {san, "https://recover.example.org:8443/r", "", ""},
		"another host":            {san, "https://login.example.org/r", "", "response_uri: its host"},
		"http":                    {browser, "http://recover.example.org/r", "", "response_uri"},
		"a fragment":              {browser, responseURI + "#x", "", "response_uri"},
		"a browser":               {browser, "", origin, ""},
		"a browser here":          {browser, "", "http://regain.localhost:8400", ""},
		"a port":                  {browser, "", origin + ":8443", ""},
		"the other scheme's port": {browser, "", origin + ":80", ""},
		"the scheme's own port":   {browser, "", origin + ":443", "origin"},
		"http's own port":         {browser, "", "http://regain.localhost:80", "origin"},
		"an empty port":           {browser, "", origin + ":", "origin"},
		"a port with a zero":      {browser, "", origin + ":08443", "origin"},
		"a slash at the end":      {browser, "", origin + "/", "origin"},
		"a path":                  {browser, "", origin + "/regain", "origin"},
		"a query":                 {browser, "", origin + "?", "origin"},
		"capital letters":         {browser, "", "https://Recover.example.org", "origin"},
		"an accent":               {browser, "", "https://recover.exämple.org", "origin"},
		"a name encoded":          {browser, "", "https://re%63over.example.org", "origin"},
		"a user":                  {browser, "", "https://me@recover.example.org", "origin"},
		"an origin over http":     {browser, "", "http://recover.example.org", "origin"},
		"null":                    {browser, "", "null", "origin"},
	} {
		params := presentation.RequestParams{ResponseURI: row.uri, Origin: row.origin, Query: recoveryQuery(t), Lifetime: time.Minute}
		_, err := row.p.NewRequest(params, rand.Reader, noon)
		if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", name, err, row.says)
		}
	}
}
