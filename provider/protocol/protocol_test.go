package protocol_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/presentation"
	"regain/presentation/authenticator"
	"regain/presentation/dcql"
	"regain/presentation/identity"
	"regain/provider/protocol"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

const (
	did         = "did:web:recover.example.org"
	origin      = "https://recover.example.org"
	responseURI = origin + "/openid4vp/response/handle"
	requestURI  = origin + "/openid4vp/request/handle"
)

func endpoints() protocol.Endpoints {
	return protocol.Endpoints{Request: requestURI, Response: responseURI}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// plain is a wallet that answers without encryption and knows us by a DID, by a link or through the browser.
func plain(t testing.TB) protocol.Wallet {
	t.Helper()
	who, err := identity.DID(did, "request-1", newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	return protocol.Wallet{OpenID4VP: &presentation.Profile{
		Endpoint: "openid4vp://authorize", Identity: who, ResponseMode: presentation.DirectPost, Protocols: []presentation.Protocol{presentation.Unsigned},
	}}
}

// older is a wallet like Microsoft Authenticator.
func older(t testing.TB) protocol.Wallet {
	t.Helper()
	p, err := authenticator.New(authenticator.Config{Endpoint: "openid-vc://", DID: did, KeyID: "request-1", Key: newKey(t), Name: "Example Organisation"})
	if err != nil {
		t.Fatal(err)
	}
	return protocol.Wallet{Authenticator: p, Issuers: []string{"did:web:proofing.example"}}
}

func open(t testing.TB, w protocol.Wallet) protocol.Protocol {
	t.Helper()
	e, err := w.Protocol(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func query(t testing.TB, format string) dcql.Query {
	t.Helper()
	params := dcql.RecoveryParams{Format: format, FaceCheckFormat: format, VerifiedIDTypes: []string{"urn:id"}, FaceCheckTypes: []string{"urn:face"}, Claims: []dcql.Path{dcql.Names("given_name")}}
	if format == dcql.FormatJWTVC {
		params.VerifiedIDTypes, params.FaceCheckTypes = []string{"VerifiableCredential VerifiedIdentity"}, []string{"VerifiableCredential FaceCheckReceipt"}
	}
	q, err := dcql.Recovery(params)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func wish(t testing.TB, format string) protocol.RequestParams {
	t.Helper()
	return protocol.RequestParams{Query: query(t, format), ResponseURI: responseURI, Lifetime: 5 * time.Minute, Now: noon}
}

// made is a stored request, and its secrets.
func made(t testing.TB, e protocol.Protocol, w protocol.RequestParams) (stored []byte, nonce, state, id string) {
	t.Helper()
	stored, err := e.New(w)
	if err != nil {
		t.Fatal(err)
	}
	var secrets struct{ Nonce, State, ID string }
	if err := json.Unmarshal(stored, &secrets); err != nil || secrets.Nonce == "" {
		t.Fatal(err)
	}
	return stored, secrets.Nonce, secrets.State, secrets.ID
}

// submission is an unsigned ID token that says where two credentials are.
func submission(id string) string {
	at := func(query string, n int) string {
		return fmt.Sprintf(`{"id":%q,"format":"jwt_vp","path":"$","path_nested":{"format":"jwt_vc","path":"$.verifiableCredential[%d]"}}`, query, n)
	}
	payload := fmt.Sprintf(`{"_vp_token":{"presentation_submission":{"definition_id":%q,"descriptor_map":[%s,%s]}}}`, id, at("verified_id", 0), at("face_check", 1))
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
}

func TestAProtocolForEachWallet(t *testing.T) {
	if _, err := (protocol.Wallet{}).Protocol(rand.Reader); !errors.Is(err, protocol.ErrUnknown) {
		t.Errorf("a wallet of no protocol: %v", err)
	}
	if formats := open(t, plain(t)).Formats(); !slices.Equal(formats, []string{"dc+sd-jwt", "mso_mdoc", "jwt_vc_json"}) {
		t.Errorf("OpenID4VP asks for %v", formats)
	}
	if formats := open(t, older(t)).Formats(); !slices.Equal(formats, []string{"jwt_vc_json"}) {
		t.Errorf("Authenticator is asked for %v", formats)
	}
}

// By a link: what comes back is found under its queries, and must be bound to this very request.
func TestByALink(t *testing.T) {
	e := open(t, plain(t))
	stored, nonce, state, _ := made(t, e, wish(t, dcql.FormatSDJWT))
	link, err := e.Link(endpoints(), stored, noon)
	if err != nil || !strings.Contains(link, url.QueryEscape(requestURI)) || e.InLink() {
		t.Fatalf("%s, %v", link, err)
	}
	object, err := e.Object(stored, nil, noon)
	if err != nil || object.ContentType != presentation.ContentType || len(object.Body) == 0 {
		t.Fatalf("%s, %v", object.ContentType, err)
	}
	form := url.Values{"vp_token": {`{"face_check":["b"],"verified_id":["a"]}`}, "state": {state}}
	answer, err := e.Open(stored, form, noon)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(answer.IDs(), []string{"face_check", "verified_id"}) || answer.Presentations["verified_id"].Text != "a" || answer.IDToken != "" || answer.Problem != nil {
		t.Errorf("%v", answer.IDs())
	}
	s := answer.Session
	if s.Nonce != nonce || s.Audience != "decentralized_identifier:"+did || s.ResponseURI != responseURI || s.Origin != "" || s.Thumbprint != nil {
		t.Errorf("bound to %+v", s)
	}
	declined, err := e.Open(stored, url.Values{"error": {"access_denied"}, "state": {state}}, noon)
	if err != nil || declined.Problem == nil || declined.Problem.Code != "access_denied" || len(declined.Presentations) != 0 {
		t.Errorf("declined: %v, %v", declined.Problem, err)
	}
	if _, err := e.Open(stored, form, noon.Add(5*time.Minute)); !errors.Is(err, presentation.ErrExpired) {
		t.Errorf("too late: %v", err)
	}
}

// The thumbprint of the key is in the session where answers are encrypted, or an mdoc's would never verify.
func TestEncrypted(t *testing.T) {
	w := plain(t)
	w.OpenID4VP.ResponseMode = presentation.DirectPostJWT
	e := open(t, w)
	stored, _, state, _ := made(t, e, wish(t, dcql.FormatSDJWT))
	answer, err := e.Open(stored, url.Values{"error": {"access_denied"}, "state": {state}}, noon)
	if err != nil || len(answer.Session.Thumbprint) != 32 {
		t.Errorf("%x, %v", answer.Session.Thumbprint, err)
	}
	if _, err := e.Open(stored, url.Values{"vp_token": {`{"verified_id":["a"],"face_check":["b"]}`}, "state": {state}}, noon); !errors.Is(err, presentation.ErrPlaintext) {
		t.Errorf("a plain answer: %v", err)
	}
}

// In the link: it has the request in it, and what is made for it can be told from what is over.
func TestInTheLink(t *testing.T) {
	w := plain(t)
	w.OpenID4VP.ByValue = true
	e := open(t, w)
	stored, _, _, _ := made(t, e, wish(t, dcql.FormatSDJWT))
	link, err := e.Link(endpoints(), stored, noon)
	if err != nil || !e.InLink() || !strings.Contains(link, "request=") || strings.Contains(link, "request_uri") {
		t.Errorf("%s, %v", link, err)
	}
	for at, want := range map[time.Time]bool{noon: false, noon.Add(5*time.Minute - time.Second): false, noon.Add(5 * time.Minute): true} {
		if over, err := e.Expired(stored, at); err != nil || over != want {
			t.Errorf("at %s: %t, %v", at, over, err)
		}
	}
	if _, err := e.Link(endpoints(), stored, noon.Add(time.Hour)); !errors.Is(err, presentation.ErrExpired) {
		t.Errorf("too late: %v", err)
	}
}

// Through the browser: bound to the page's origin, and to nothing that a link's answer is bound to.
func TestThroughTheBrowser(t *testing.T) {
	e, _ := open(t, plain(t)).(protocol.OpenID4VP)
	asked := wish(t, dcql.FormatSDJWT)
	asked.ResponseURI, asked.Origin = "", origin
	stored, nonce, _, _ := made(t, e, asked)
	requests, err := e.BrowserRequests(stored, noon)
	if err != nil || len(requests) != 1 || requests[0].Protocol != presentation.Unsigned {
		t.Fatalf("%v, %v", requests, err)
	}
	const data = `{"vp_token":{"verified_id":["a"],"face_check":["b"]}}`
	answer, err := e.OpenBrowser(stored, string(presentation.Unsigned), data, noon)
	if err != nil {
		t.Fatal(err)
	}
	if s := answer.Session; s.Nonce != nonce || s.Audience != "origin:"+origin || s.Origin != origin || s.ResponseURI != "" || len(answer.Presentations) != 2 {
		t.Errorf("bound to %+v", s)
	}
	if _, err := e.OpenBrowser(stored, string(presentation.Signed), data, noon); !errors.Is(err, presentation.ErrProtocol) {
		t.Errorf("another protocol: %v", err)
	}
	if _, err := e.Open(stored, url.Values{"vp_token": {`{"verified_id":["a"],"face_check":["b"]}`}, "state": {""}}, noon); !errors.Is(err, presentation.ErrMalformed) {
		t.Errorf("posted as a link's: %v", err)
	}
	byLink, _, _, _ := made(t, e, wish(t, dcql.FormatSDJWT))
	if _, err := e.OpenBrowser(byLink, string(presentation.Unsigned), data, noon); !errors.Is(err, presentation.ErrMalformed) {
		t.Errorf("a link's, through the browser: %v", err)
	}
	if _, err := e.BrowserRequests(byLink, noon); err == nil || !strings.Contains(err.Error(), "the request is for a wallet's link") {
		t.Error("a link's request is handed to a browser")
	}
}

// Wallets like Microsoft Authenticator: where each credential is, and the ID token of whoever holds them.
func TestOlderWallets(t *testing.T) {
	e := open(t, older(t))
	stored, nonce, state, id := made(t, e, wish(t, dcql.FormatJWTVC))
	link, err := e.Link(endpoints(), stored, noon)
	if err != nil || link != "openid-vc://?request_uri="+url.QueryEscape(requestURI) || e.InLink() {
		t.Errorf("%s, %v", link, err)
	}
	object, err := e.Object(stored, nil, noon)
	if err != nil || object.ContentType != authenticator.ContentType {
		t.Errorf("%s, %v", object.ContentType, err)
	}
	token := submission(id)
	answer, err := e.Open(stored, url.Values{"id_token": {token}, "vp_token": {"vp"}, "state": {state}}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if answer.IDToken != token || answer.Presentations["verified_id"] != (protocol.PresentationRef{Text: "vp"}) || answer.Presentations["face_check"] != (protocol.PresentationRef{Text: "vp", At: 1}) {
		t.Errorf("found %v", answer.IDs())
	}
	if s := answer.Session; s.Nonce != nonce || s.Audience != did || s.ResponseURI != responseURI {
		t.Errorf("bound to %+v", s)
	}
	if over, err := e.Expired(stored, noon.Add(5*time.Minute)); err != nil || !over {
		t.Errorf("over: %t, %v", over, err)
	}
}

// What such wallets cannot be asked is refused when it is made, which at the start is a mistake of the configuration.
func TestWhatOlderWalletsAreNotAsked(t *testing.T) {
	e := open(t, older(t))
	const byLink, life = "wallets of this kind are asked by a link only, and know no transaction data", "is not between 1s and 15m0s"
	for name, row := range map[string]struct {
		change func(w *protocol.RequestParams)
		why    string
	}{
		"through a browser": {func(w *protocol.RequestParams) { w.ResponseURI, w.Origin = "", origin }, byLink},
		"transaction data": {func(w *protocol.RequestParams) {
			w.TransactionData = []presentation.TransactionData{presentation.NewTransactionData("a•••", "Example", "verified_id")}
		}, byLink},
		"an SD-JWT":      {func(w *protocol.RequestParams) { w.Query = query(t, dcql.FormatSDJWT) }, "wallets of this kind hold JWT VCs"},
		"for ever":       {func(w *protocol.RequestParams) { w.Lifetime = time.Hour }, life},
		"for no time":    {func(w *protocol.RequestParams) { w.Lifetime = 0 }, life},
		"nothing at all": {func(w *protocol.RequestParams) { w.Query = dcql.Query{} }, "credentials has 0 entries"},
	} {
		w := wish(t, dcql.FormatJWTVC)
		row.change(&w)
		if _, err := e.New(w); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: got %v, want %q", name, err, row.why)
		}
	}
}

// What the store gives back broken is an outage, and never a request with nothing in it.
func TestBrokenInTheStore(t *testing.T) {
	for name, w := range map[string]protocol.Wallet{"OpenID4VP": plain(t), "Authenticator": older(t)} {
		e := open(t, w)
		const unread = "decode presentation request"
		empty := map[string]string{"OpenID4VP": "the presentation request has no response mode", "Authenticator": "the presentation request was not made by NewRequest"}[name]
		for stored, why := range map[string]string{"": unread, "{": unread, "[]": unread, "null": empty, "{}": empty} {
			form := url.Values{"vp_token": {`{}`}, "state": {""}, "id_token": {submission("")}}
			if _, err := e.Open([]byte(stored), form, noon); err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%s: %q is answered: %v", name, stored, err)
			}
			if _, err := e.Object([]byte(stored), nil, noon); err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%s: %q is served: %v", name, stored, err)
			}
			if through, ok := e.(protocol.OpenID4VP); ok {
				if _, err := through.BrowserRequests([]byte(stored), noon); err == nil {
					t.Errorf("%q goes to a browser", stored)
				}
				if _, err := through.OpenBrowser([]byte(stored), "openid4vp-v1-unsigned", `{"vp_token":{}}`, noon); err == nil || !strings.Contains(err.Error(), why) {
					t.Errorf("%q is answered through a browser", stored)
				}
			}
		}
		if over, err := e.Expired([]byte("{"), noon); err == nil || over {
			t.Errorf("%s: over %t", name, over)
		}
	}
}

// TestNotJSONInTheStore holds that each step says that the store is to blame, and not the wallet.
func TestNotJSONInTheStore(t *testing.T) {
	inLink := plain(t)
	inLink.OpenID4VP.ByValue = true
	for name, w := range map[string]protocol.Wallet{"OpenID4VP": plain(t), "in the link": inLink, "Authenticator": older(t)} {
		e := open(t, w)
		steps := map[string]func(stored []byte) error{
			"open":    func(stored []byte) error { _, err := e.Open(stored, url.Values{"state": {"x"}}, noon); return err },
			"object":  func(stored []byte) error { _, err := e.Object(stored, nil, noon); return err },
			"expired": func(stored []byte) error { _, err := e.Expired(stored, noon.Add(time.Hour)); return err },
		}
		if through, ok := e.(protocol.OpenID4VP); ok {
			steps["requests"] = func(stored []byte) error { _, err := through.BrowserRequests(stored, noon); return err }
			steps["browser"] = func(stored []byte) error {
				_, err := through.OpenBrowser(stored, "openid4vp-v1-unsigned", "{}", noon)
				return err
			}
		}
		if e.InLink() {
			steps["link"] = func(stored []byte) error { _, err := e.Link(endpoints(), stored, noon); return err }
		}
		for step, do := range steps {
			if err := do([]byte("{")); err == nil || !strings.Contains(err.Error(), "decode presentation request") {
				t.Errorf("%s, %s: %v", name, step, err)
			}
		}
	}
}

// TestNewRefuses holds that a request which cannot be asked is not stored, and that each protocol says why.
func TestNewRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		wallet protocol.Wallet
		format string
		change func(*protocol.RequestParams)
		why    string
	}{
		"OpenID4VP without a lifetime":     {plain(t), dcql.FormatSDJWT, func(w *protocol.RequestParams) { w.Lifetime = 0 }, "lifetime"},
		"Authenticator without a lifetime": {older(t), dcql.FormatJWTVC, func(w *protocol.RequestParams) { w.Lifetime = 0 }, "lifetime"},
	} {
		params := wish(t, row.format)
		row.change(&params)
		stored, err := open(t, row.wallet).New(params)
		if err == nil || stored != nil || !strings.Contains(strings.ToLower(err.Error()), row.why) {
			t.Errorf("%s: %s, %v", name, stored, err)
		}
	}
}

func TestAnswersRedactThemselves(t *testing.T) {
	const secret = "Lovelace"
	answer := protocol.Answer{IDToken: secret, Presentations: map[string]protocol.PresentationRef{"verified_id": {Text: secret}}}
	var log strings.Builder
	for _, value := range []any{answer, &answer, answer.Presentations, answer.Presentations["verified_id"]} {
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", value)
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&log, "%s %v %+v %#v %s %q %x", raw, value, value, value, value, value, value)
	}
	if each := fmt.Sprint(answer, answer.Presentations["verified_id"]); each != "answer[redacted] presentation[redacted]" {
		t.Errorf("printed as %s", each)
	}
	if shown := log.String(); strings.Contains(shown, secret) || strings.Contains(shown, fmt.Sprintf("%x", secret)) {
		t.Errorf("shown: %s", shown)
	}
}
