package presentation_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/presentation"
	"regain/presentation/dcql"
)

// browserRequests asks in each protocol, and returns what each is given.
func browserRequests(t fatal, p presentation.Profile, r presentation.Request) map[presentation.Protocol]map[string]any {
	t.Helper()
	requests, err := p.BrowserRequests(r, noon)
	must(t, requests, err)
	found := map[presentation.Protocol]map[string]any{}
	for i, one := range requests {
		if one.Protocol != p.Protocols[i] {
			t.Fatal("the requests are not in the order of the profile")
		}
		found[one.Protocol] = objectOf(t, one.Data)
	}
	return found
}

// onlyIn checks which parameters a request has: no more, no fewer.
func onlyIn(t *testing.T, what string, object map[string]any, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, there := object[name]; !there {
			t.Errorf("%s: %s is missing", what, name)
		}
	}
	for name := range object {
		if !slices.Contains(names, name) {
			t.Errorf("%s: %s has no place in it", what, name)
		}
	}
}

// OpenID4VP 1.0 Appendix A.2, A.3: what each kind of request has, and what it must not have.
func TestBrowserRequests(t *testing.T) {
	c := newChain(t, nil)
	p, other := inBrowser(profileOf(t, c), presentation.MultiSigned, presentation.Signed, presentation.Unsigned), byDID(t)
	p.VerifierInfo = json.RawMessage(`[{"format":"jwt","data":"ours"}]`)
	p.Others = []presentation.Signer{{Identity: other.who}}
	r := browserRequestOf(t, p)
	asked := browserRequests(t, p, r)
	always := []string{"response_type", "response_mode", "nonce", "dcql_query", "client_metadata"}
	signed := append([]string{"aud", "iat", "exp", "expected_origins"}, always...)

	unsigned := asked[presentation.Unsigned]
	onlyIn(t, "unsigned", unsigned, append(always, "verifier_info")...)

	onlyIn(t, "signed", asked[presentation.Signed], "request")
	_, single := verified(t, asked[presentation.Signed]["request"].(string), c.leaf.PublicKey)
	onlyIn(t, "signed", single, append(signed, "client_id", "verifier_info")...)

	onlyIn(t, "multi-signed", asked[presentation.MultiSigned], "request")
	object := asked[presentation.MultiSigned]["request"].(map[string]any)
	onlyIn(t, "multi-signed", object, "payload", "signatures")
	multi := objectOf(t, part(t, object["payload"].(string), 0))
	onlyIn(t, "multi-signed", multi, signed...)
	checkSigners(t, object, []known{{p.Identity, c.leaf.PublicKey}, other})

	for what, claims := range map[string]map[string]any{"unsigned": unsigned, "signed": single, "multi-signed": multi} {
		if claims["response_mode"] != "dc_api.jwt" || claims["nonce"] != r.Nonce || claims["response_type"] != "vp_token" {
			t.Errorf("%s: %v", what, claims)
		}
		if origins, _ := claims["expected_origins"].([]any); what != "unsigned" && (len(origins) != 1 || origins[0] != origin) {
			t.Errorf("%s: expected_origins %v", what, origins)
		}
		if what != "unsigned" && claims["aud"] != "https://self-issued.me/v2" {
			t.Errorf("%s: aud %v", what, claims["aud"])
		}
		if text(t, claims["client_metadata"]) != text(t, unsigned["client_metadata"]) || text(t, claims["dcql_query"]) != text(t, unsigned["dcql_query"]) {
			t.Errorf("%s asks for something else", what)
		}
	}
	if single["client_id"] != p.Identity.ClientID("") {
		t.Errorf("signed for %v", single["client_id"])
	}
}

// checkSigners verifies a multi-signed request signer by signer: who signs, and what is attested about them, is in each
// protected header (Appendix A.3.2.2).
func checkSigners(t *testing.T, object map[string]any, signers []known) {
	t.Helper()
	parsed, err := jose.ParseSignedJSON(text(t, object), []jose.SignatureAlgorithm{jose.ES256})
	if must(t, parsed, err); len(parsed.Signatures) != len(signers) {
		t.Fatalf("%d signatures", len(parsed.Signatures))
	}
	for i, s := range signers {
		if at, _, _, err := parsed.VerifyMulti(s.public); err != nil || at != i {
			t.Errorf("signer %d: signature %d, %v", i, at, err)
		}
		one := object["signatures"].([]any)[i].(map[string]any)
		onlyIn(t, "a signature", one, "protected", "signature")
		header := objectOf(t, part(t, one["protected"].(string), 0))
		names := [][]string{{"alg", "typ", "client_id", "x5c", "verifier_info"}, {"alg", "typ", "client_id", "kid"}}[i]
		onlyIn(t, "a header", header, names...)
		if header["client_id"] != s.who.ClientID("") || header["typ"] != "oauth-authz-req+jwt" {
			t.Errorf("signer %d: header %v", i, header)
		}
	}
}

// Where the answer is not encrypted there is no key. A registered client's metadata is known to who knows the client
// (§8.5), and to nobody where the request does not say who asks.
func TestBrowserRequestsInTheClear(t *testing.T) {
	k := byRegistration(t)
	p := inBrowser(presentation.Profile{Endpoint: "openid4vp://authorize", Identity: k.who, ResponseMode: presentation.DirectPost}, presentation.Signed, presentation.Unsigned)
	asked := browserRequests(t, p, browserRequestOf(t, p))
	_, claims := verified(t, asked[presentation.Signed]["request"].(string), k.public)
	onlyIn(t, "signed", claims, "aud", "iat", "exp", "expected_origins", "response_type", "response_mode", "nonce", "dcql_query", "client_id")
	unsigned := asked[presentation.Unsigned]
	onlyIn(t, "unsigned", unsigned, "response_type", "response_mode", "nonce", "dcql_query", "client_metadata")
	onlyIn(t, "client_metadata", unsigned["client_metadata"].(map[string]any), "vp_formats_supported")
	if unsigned["response_mode"] != "dc_api" || claims["client_id"] != "regain" {
		t.Errorf("%v for %v", unsigned["response_mode"], claims["client_id"])
	}
	plain := inBrowser(plainProfile(), presentation.Unsigned)
	onlyIn(t, "redirect_uri", browserRequests(t, plain, browserRequestOf(t, plain))[presentation.Unsigned], "response_type", "response_mode", "nonce", "dcql_query", "client_metadata")
}

// What the answer is for stands in every request, in the same text.
func TestBrowserRequestsWithTransactionData(t *testing.T) {
	c := newChain(t, nil)
	p := inBrowser(profileOf(t, c), presentation.MultiSigned, presentation.Signed, presentation.Unsigned)
	r, err := p.NewRequest(presentation.RequestParams{
		Origin: origin, Query: recoveryQuery(t), Lifetime: time.Minute,
		TransactionData: []presentation.TransactionData{presentation.NewTransactionData("a•••", "Example", dcql.VerifiedID)},
	}, rand.Reader, noon)
	must(t, r, err)
	asked := browserRequests(t, p, r)
	_, signed := verified(t, asked[presentation.Signed]["request"].(string), c.leaf.PublicKey)
	multi := objectOf(t, part(t, asked[presentation.MultiSigned]["request"].(map[string]any)["payload"].(string), 0))
	for what, claims := range map[string]map[string]any{"unsigned": asked[presentation.Unsigned], "signed": signed, "multi-signed": multi} {
		if text(t, claims["transaction_data"]) != text(t, r.TransactionData) {
			t.Errorf("%s: %v", what, claims["transaction_data"])
		}
	}
}

func TestBrowserRequestsThatAreNotMade(t *testing.T) {
	p := inBrowser(newProfile(t), presentation.MultiSigned)
	r := browserRequestOf(t, p)
	if asked, err := p.BrowserRequests(requestOf(t, p), noon); err == nil || !strings.Contains(err.Error(), "the request is for a wallet's link") {
		t.Errorf("for a wallet's link: %v", asked)
	}
	if asked, err := p.BrowserRequests(r, r.ExpiresAt); !errors.Is(err, presentation.ErrExpired) {
		t.Errorf("too late: %v, %v", asked, err)
	}
	if asked, err := p.BrowserRequests(presentation.Request{}, noon); err == nil || !strings.Contains(err.Error(), "the request is for a wallet's link") {
		t.Errorf("nobody's: %v", asked)
	}
	p.Others = []presentation.Signer{{Identity: shortLived(t)}}
	if asked, err := p.BrowserRequests(r, noon.Add(2*time.Minute)); err == nil || !strings.Contains(err.Error(), "certificate or attestation is not valid now") {
		t.Errorf("signed with a certificate that has expired: %v", asked)
	}
	if asked, err := p.BrowserRequests(r, noon); err != nil || len(asked) != 1 {
		t.Errorf("while it is valid: %v", err)
	}
}

func TestOpenBrowser(t *testing.T) {
	protocols := []presentation.Protocol{presentation.MultiSigned, presentation.Signed, presentation.Unsigned}
	for _, mode := range []presentation.ResponseMode{presentation.DirectPost, presentation.DirectPostJWT} {
		p := inBrowser(newProfile(t), protocols...)
		p.ResponseMode = mode
		for _, protocol := range protocols {
			r := browserRequestOf(t, p)
			data := text(t, answer(r))
			if r.Mode.Encrypted() {
				data = fmt.Sprintf(`{"response":%q}`, seal(t, key(t, r), jose.A256GCM, answer(r)))
			}
			got, err := p.OpenBrowser(r, string(protocol), []byte(data), noon)
			if err != nil || got.Presentations["verified_id"][0] != "a~b" || got.Presentations["face_check"][0] != "c~" || got.Error != nil {
				t.Errorf("%s, %s: %v, %v", mode, protocol, got, err)
			}
			got, err = p.OpenBrowser(r, string(protocol), []byte(`{"error":"access_denied"}`), noon) // Appendix A.4, never encrypted
			if err != nil || got.Error == nil || got.Error.Code != presentation.CodeAccessDenied || got.Presentations != nil {
				t.Errorf("%s, %s: an error: %v, %v", mode, protocol, got, err)
			}
		}
	}
}

// Each row starts from a good answer and breaks one thing.
func TestBrowserAnswersThatAreRefused(t *testing.T) {
	p := inBrowser(newProfile(t), presentation.Signed, presentation.Unsigned)
	signed := string(presentation.Signed)
	same := func(data string) string { return data }
	with := func(member string) func(string) string {
		return func(data string) string { return strings.TrimSuffix(data, "}") + "," + member + "}" }
	}
	is := func(data string) func(string) string { return func(string) string { return data } }
	for name, row := range map[string]struct {
		protocol string
		data     func(good string) string
		err      error
		why      string // part of the error
	}{
		"a protocol not asked in": {string(presentation.MultiSigned), same, presentation.ErrProtocol, "the wallet answered in a protocol that was not asked for"},
		"a protocol of a draft":   {"openid4vp", same, presentation.ErrProtocol, "the wallet answered in a protocol that was not asked for"},
		"another kind of API":     {"org-iso-mdoc", same, presentation.ErrProtocol, "the wallet answered in a protocol that was not asked for"},
		"no protocol":             {"", same, presentation.ErrProtocol, "the wallet answered in a protocol that was not asked for"},
		"nothing":                 {signed, is(``), presentation.ErrMalformed, "malformed wallet message: data: not strict JSON: no value"},
		"null":                    {signed, is(`null`), presentation.ErrMalformed, "malformed wallet message: data: not strict JSON: not an object"},
		"a text":                  {signed, is(`"x"`), presentation.ErrMalformed, "malformed wallet message: data: not strict JSON: not an object"},
		"an empty object":         {signed, is(`{}`), presentation.ErrMalformed, "malformed wallet message: neither vp_token nor error, or both"},
		"more than one object":    {signed, func(good string) string { return good + good }, presentation.ErrMalformed, "malformed wallet message: data: not strict JSON: something follows the value"},
		"a name twice":            {signed, with(`"response":"x"`), presentation.ErrMalformed, "malformed wallet message: data: not strict JSON: a name stands twice"},
		"endless depth":           {signed, is(strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)), presentation.ErrMalformed, "malformed wallet message: data: not strict JSON: nested too deep"},
		"too large":               {signed, is(`{"response":"` + strings.Repeat("a", 300<<10) + `"}`), presentation.ErrTooLarge, "wallet message is too large: data"},
		"in the clear":            {signed, is(`{"vp_token":{"verified_id":["a~b"],"face_check":["c~"]}}`), presentation.ErrPlaintext, "response is not encrypted"},
		"in the clear too":        {signed, with(`"vp_token":{"verified_id":["a~b"],"face_check":["c~"]}`), presentation.ErrPlaintext, "response is not encrypted"},
		"signed only":             {signed, is(`{"response":"a.b.c"}`), presentation.ErrPlaintext, "response is not encrypted: it is only signed"},
		"response is an object":   {signed, is(`{"response":{"vp_token":{}}}`), presentation.ErrMalformed, "malformed wallet message: data: response is no text"},
		"response is null":        {signed, is(`{"response":null}`), presentation.ErrMalformed, "malformed wallet message: data: response is no text"},
		"an error too":            {signed, with(`"error":"access_denied"`), presentation.ErrMalformed, "malformed wallet message: data holds more than one answer"},
		"an error of 7":           {signed, is(`{"error":7}`), presentation.ErrMalformed, "malformed wallet message: error is no text, or empty"},
		"an error of nothing":     {signed, is(`{"error":""}`), presentation.ErrMalformed, "malformed wallet message: error is no text, or empty"},
		"an error of null":        {signed, is(`{"error":null}`), presentation.ErrMalformed, "malformed wallet message: error is no text, or empty"},
	} {
		t.Run(name, func(t *testing.T) {
			r := browserRequestOf(t, p)
			good := fmt.Sprintf(`{"response":%q}`, seal(t, key(t, r), jose.A128GCM, answer(r)))
			got, err := p.OpenBrowser(r, row.protocol, []byte(row.data(good)), noon)
			if !errors.Is(err, row.err) || err != nil && !strings.Contains(err.Error(), row.why) || got.Presentations != nil || got.Error != nil {
				t.Errorf("got %v, %v, want %v", got, err, row.err)
			} else if status, body := presentation.ErrorBody(err, "ref"); status != http.StatusBadRequest || fmt.Sprint(body) == "" {
				t.Errorf("the page is told %d %v", status, body)
			}
			if _, err := p.OpenBrowser(r, signed, []byte(good), noon); err != nil {
				t.Errorf("the honest answer was spoiled: %v", err)
			}
		})
	}
}

// An answer opens for the request to whose key it was encrypted, and for as long as that one lives. That its presentations
// are about this request's nonce is for the verifier to see, who opens them.
func TestAnotherBrowserRequestsAnswer(t *testing.T) {
	p := inBrowser(newProfile(t), presentation.Signed)
	mine, other := browserRequestOf(t, p), browserRequestOf(t, p)
	data := fmt.Appendf(nil, `{"response":%q}`, seal(t, key(t, other), jose.A128GCM, answer(other)))
	if got, err := p.OpenBrowser(mine, string(presentation.Signed), data, noon); !errors.Is(err, presentation.ErrUnknownKey) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := p.OpenBrowser(other, string(presentation.Signed), data, other.ExpiresAt); !errors.Is(err, presentation.ErrExpired) {
		t.Errorf("too late: %v, %v", got, err)
	}
	posted := requestOf(t, p)
	data = fmt.Appendf(nil, `{"response":%q}`, seal(t, key(t, posted), jose.A128GCM, answer(posted)))
	if got, err := p.OpenBrowser(posted, string(presentation.Signed), data, noon); !errors.Is(err, presentation.ErrMalformed) {
		t.Errorf("a link's request was answered through a browser: %v, %v", got, err)
	}
	plain := inBrowser(plainProfile(), presentation.Unsigned)
	if got, err := plain.OpenBrowser(browserRequestOf(t, plain), string(presentation.Unsigned), data, noon); !errors.Is(err, presentation.ErrAlgorithm) {
		t.Errorf("encrypted, where no key was offered: %v, %v", got, err)
	}
	if got, err := p.OpenBrowser(presentation.Request{}, string(presentation.Signed), []byte(`{"error":"x"}`), noon); err == nil || !strings.Contains(err.Error(), "the presentation request has no response mode") {
		t.Errorf("a request that nobody made was answered: %v", got)
	}
}

// Whatever the page sends, OpenBrowser does not panic, and what it accepts is exactly what was asked for.
func FuzzOpenBrowser(f *testing.F) {
	sealed, plain := inBrowser(newProfile(f), presentation.Signed), inBrowser(plainProfile(), presentation.Unsigned)
	r, inClear := withSteadyKey(f, browserRequestOf(f, sealed)), browserRequestOf(f, plain)
	good := fmt.Sprintf(`{"response":%q}`, seal(f, key(f, r), jose.A128GCM, answer(r)))
	for _, data := range []string{good, text(f, answer(inClear)), `{"error":"access_denied"}`, `{"response":"....","vp_token":{}}`, `{"vp_token":{"face_check":[null]}}`} {
		f.Add(string(presentation.Signed), data)
		f.Add(string(presentation.Unsigned), data)
	}
	f.Fuzz(func(t *testing.T, protocol, data string) {
		for _, one := range []asked{{sealed, r}, {plain, inClear}} {
			got, err := one.p.OpenBrowser(one.r, protocol, []byte(data), noon)
			if err != nil {
				if got.Presentations != nil || got.Error != nil {
					t.Error("an error, and an answer too")
				}
				continue
			}
			if protocol != string(one.p.Protocols[0]) {
				t.Errorf("accepted in %q", protocol)
			}
			if got.Error == nil && !slices.Equal(got.Presentations.IDs(), []string{"face_check", "verified_id"}) {
				t.Errorf("accepted %v", got.Presentations.IDs())
			}
			// Nobody but us, who made the seeds, can seal: what opens says what they say.
			if got.Error == nil && one.r.Mode.Encrypted() && (got.Presentations["verified_id"][0] != "a~b" || got.Presentations["face_check"][0] != "c~") {
				t.Error("another text opens than the one that was sealed")
			}
		}
	})
}
