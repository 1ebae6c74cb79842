package wallet_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/presentation"
	"regain/presentation/identity"
	"regain/provider/evidence"
	"regain/provider/facetest"
	"regain/provider/protocol"
	"regain/provider/wallet"
	"regain/recovery"
	"regain/verifier"
	"regain/verifier/status"
	"regain/verifier/verifiertest"
)

const did = "did:web:regain.example"

// scene is the wallet's face, and somebody who holds a Verified ID.
type scene struct {
	*facetest.Env
	endpoints *wallet.Endpoints
	issuer    *verifiertest.Issuer
	holder    *verifiertest.Holder
}

func newScene(t *testing.T, change func(*protocol.Wallet, *recovery.Profile)) *scene {
	t.Helper()
	return newSceneWith(t, change, nil)
}

// newSceneWith is newScene with other parts: fetcher and verifier are what the face and its verifier work with.
func newSceneWith(t *testing.T, change func(*protocol.Wallet, *recovery.Profile), parts func(cfg *wallet.Config, fetcher *status.Fetcher) (around func(evidence.Verifier) evidence.Verifier)) *scene {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	who, err := identity.DID(did, "request-1", key)
	if err != nil {
		t.Fatal(err)
	}
	kind := protocol.Wallet{OpenID4VP: &presentation.Profile{
		Endpoint: "openid4vp://authorize", Identity: who, ResponseMode: presentation.DirectPost, Protocols: []presentation.Protocol{presentation.Unsigned},
	}}
	s := &scene{holder: verifiertest.NewHolder(t)}
	s.Env = facetest.New(t, func(p *recovery.Profile) {
		p.Credentials[0].Types = []string{verifiertest.IdentityType}
		p.Channels = append(p.Channels, recovery.Channel{Wallet: "any", Flow: recovery.FlowBrowser})
		if change != nil {
			change(&kind, p)
		}
	})
	s.issuer = verifiertest.New(t, s.Clock)
	cfg := wallet.Config{
		Issuer: facetest.Issuer, Wallets: map[recovery.WalletName]protocol.Wallet{"any": kind}, ReceiptTypes: []string{verifiertest.ReceiptType}, RequestLifetime: 5 * time.Minute,
		DIDWeb: &identity.Web{DID: did, KeyID: "request-1", Key: key, Origin: facetest.Issuer},
	}
	var fetcher status.Fetcher = s.issuer.Fetcher()
	around := func(v evidence.Verifier) evidence.Verifier { return v }
	if parts != nil {
		around = parts(&cfg, &fetcher)
	}
	checks, err := verifier.New(verifier.Config{Trust: s.issuer.Rules(), MinStatusTTL: time.Minute, MaxStatusTTL: time.Hour},
		verifier.Deps{Fetch: fetcher, Clock: s.Clock, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s.endpoints, err = wallet.New(cfg, wallet.Deps{
		Web: s.Web, Binding: s.Binding, Recovery: s.Recovery, Verifier: around(checks), Clock: s.Clock, Random: rand.Reader,
		Organisation: func(context.Context, recovery.ClientID) string { return "Example Org" },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.endpoints.Mount(s.Router, s.Txn)
	return s
}

// request is what a wallet finds in its request object.
type request struct {
	Nonce       string `json:"nonce"`
	State       string `json:"state"`
	ClientID    string `json:"client_id"`
	ResponseURI string `json:"response_uri"`
}

func path(address string) string { return strings.TrimPrefix(address, facetest.Issuer) }

// fetch fetches the request object of a flow.
func (s *scene) fetch(t *testing.T, tx *facetest.Started, flow recovery.Flow) (request, *httptest.ResponseRecorder) {
	t.Helper()
	got := s.Get("/openid4vp/request/"+string(tx.Handle(flow)), nil)
	var r request
	if got.Code != http.StatusOK {
		return r, got
	}
	object, err := jwt.ParseSigned(got.Body.String(), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	if err := object.UnsafeClaimsWithoutVerification(&r); err != nil {
		t.Fatal(err)
	}
	return r, got
}

// answer is a wallet's form: a Verified ID and a receipt, both bound to the request, or what change makes of that.
func (s *scene) answer(t *testing.T, r request, change func(b verifiertest.Binding)) url.Values {
	t.Helper()
	bind := func() verifiertest.Binding {
		b := verifiertest.Bind(s.Clock())
		b.Claims["nonce"], b.Claims["aud"] = r.Nonce, r.ClientID
		if change != nil {
			change(b)
		}
		return b
	}
	id := s.issuer.VerifiedID(s.holder)
	token, err := json.Marshal(map[string][]string{
		"verified_id": {s.holder.Present(t, id, bind())}, "face_check": {s.holder.Present(t, s.issuer.Receipt(id, 90), bind())},
	})
	if err != nil {
		t.Fatal(err)
	}
	return url.Values{"vp_token": {string(token)}, "state": {r.State}}
}

func (s *scene) respond(r request, form url.Values) *httptest.ResponseRecorder {
	return s.Do(facetest.FormRequest(path(r.ResponseURI), form))
}

// A wallet fetches its request, answers it, and is told where to send the person.
func TestAWalletAnswers(t *testing.T) {
	for flow, page := range map[recovery.Flow]string{recovery.FlowSameDevice: "/return", recovery.FlowCrossDevice: "/confirmation"} {
		s := newScene(t, nil)
		tx := s.Start(t).Ask(t)
		r, got := s.fetch(t, tx, flow)
		if got.Code != http.StatusOK || got.Header().Get("Content-Type") != presentation.ContentType || got.Header().Get("Cache-Control") != "no-store" || tx.Reload(t).State != recovery.StateRetrieved {
			t.Fatalf("%s: %d %s", flow, got.Code, got.Body)
		}
		if again, _ := s.fetch(t, tx, flow); again.Nonce != r.Nonce {
			t.Errorf("%s: fetched again, it is another request", flow)
		}
		answered := s.respond(r, s.answer(t, r, nil))
		var body struct {
			Redirect string `json:"redirect_uri"`
		}
		if err := json.Unmarshal(answered.Body.Bytes(), &body); err != nil || answered.Code != http.StatusOK {
			t.Fatalf("%s: %d %s; log %s", flow, answered.Code, answered.Body, s.Log)
		}
		if !strings.HasPrefix(body.Redirect, facetest.Issuer+tx.Path(page)+"?response_code=") || tx.Reload(t).State != recovery.StatePresented {
			t.Errorf("%s: %s, to %s", flow, tx.State, body.Redirect)
		}
		for _, secret := range []string{"Lovelace", r.Nonce, r.State, string(tx.Handle(flow))} {
			if strings.Contains(s.Log.String(), secret) {
				t.Errorf("%s: %q is in the log", flow, secret)
			}
		}
		if second := s.respond(r, s.answer(t, r, nil)); second.Code != http.StatusBadRequest || !strings.Contains(second.Body.String(), "answered already") {
			t.Errorf("%s: a second answer: %d %s", flow, second.Code, second.Body)
		}
	}
}

// Each row breaks one thing of an answer that is taken. It is refused, and the request stays open.
func TestAnswersThatAreRefused(t *testing.T) {
	s := newScene(t, nil)
	tx := s.Start(t).Ask(t)
	r, _ := s.fetch(t, tx, recovery.FlowSameDevice)
	for name, row := range map[string]struct {
		change func(b verifiertest.Binding)
		form   func(form url.Values)
		code   string
		cause  string
	}{
		"another nonce":    {change: func(b verifiertest.Binding) { b.Claims["nonce"] = "other" }, code: "invalid_presentation", cause: "nonce"},
		"another audience": {change: func(b verifiertest.Binding) { b.Claims["aud"] = "decentralized_identifier:did:web:evil.example" }, code: "invalid_presentation", cause: "aud"},
		"another state":    {form: func(form url.Values) { form.Set("state", "other") }, code: "invalid_request", cause: "another request"},
		"no receipt":       {form: func(form url.Values) { form.Set("vp_token", `{"verified_id":["x"]}`) }, code: "invalid_request", cause: "lacks a presentation"},
		"no form":          {form: func(form url.Values) { clear(form) }, code: "invalid_request", cause: "malformed"},
		"too large":        {form: func(form url.Values) { form.Set("x", strings.Repeat("x", presentation.MaxForm)) }, code: "invalid_request", cause: "too large"},
	} {
		s.Log.Reset()
		form := s.answer(t, r, row.change)
		if row.form != nil {
			row.form(form)
		}
		got := s.respond(r, form)
		if got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `"error":"`+row.code+`"`) || !strings.Contains(s.Log.String(), row.cause) {
			t.Errorf("%s: %d %s; want the cause %q in the log: %s", name, got.Code, got.Body, row.cause, s.Log)
		}
		if !strings.Contains(got.Body.String(), got.Header().Get("Correlation-Id")) {
			t.Errorf("%s: no reference: %s", name, got.Body)
		}
	}
	if got := s.respond(r, s.answer(t, r, nil)); got.Code != http.StatusOK {
		t.Errorf("a good answer after them: %d %s", got.Code, got.Body)
	}
}

// A wallet's own error is told to the page, decides nothing, and the person is sent back without a code.
func TestAWalletDeclines(t *testing.T) {
	s := newScene(t, nil)
	tx := s.Start(t).Ask(t)
	r, _ := s.fetch(t, tx, recovery.FlowSameDevice)
	got := s.respond(r, url.Values{"error": {"access_denied"}, "state": {r.State}})
	if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), tx.Path("/return")+`"`) || tx.Reload(t).Presentation.WalletError != "access_denied" || !tx.State.Open() {
		t.Errorf("%d %s: %s", got.Code, got.Body, tx.State)
	}
}

// What a wallet is told of each error, and the status.
func TestHandlesThatAreOver(t *testing.T) {
	s := newScene(t, nil)
	tx := s.Start(t).Ask(t)
	old := "/openid4vp/request/" + string(tx.Handle(recovery.FlowSameDevice))
	qr := "/openid4vp/request/" + string(tx.Handle(recovery.FlowCrossDevice))
	browser := "/openid4vp/request/" + string(tx.Handle(recovery.FlowBrowser))
	if got := s.Get(browser, nil); got.Code != http.StatusNotFound {
		t.Errorf("the browser's request, by a link: %d", got.Code)
	}
	s.Turn(2 * time.Minute)
	if got := s.Get(qr, nil); got.Code != http.StatusGone || !strings.Contains(got.Body.String(), "expired") {
		t.Errorf("a QR code that was not scanned in its time: %d %s", got.Code, got.Body)
	}
	tx.Ask(t)
	for address, status := range map[string]int{
		old: http.StatusNotFound, "/openid4vp/request/none": http.StatusNotFound, "/openid4vp/request/" + string(tx.ID) + ".guess": http.StatusNotFound, "/openid4vp/request/" + string(tx.ID) + ".": http.StatusNotFound,
	} {
		if got := s.Get(address, nil); got.Code != status || !strings.Contains(got.Body.String(), `"correlation_id":"`+got.Header().Get("Correlation-Id")) {
			t.Errorf("%s: %d %s", address, got.Code, got.Body)
		}
	}
}

// A request that expired while it was open is built anew, but for the one behind a QR code.
func TestAnExpiredRequest(t *testing.T) {
	s := newScene(t, nil)
	tx := s.Start(t).Ask(t)
	first, _ := s.fetch(t, tx, recovery.FlowSameDevice)
	scanned, _ := s.fetch(t, tx, recovery.FlowCrossDevice)
	s.Turn(6 * time.Minute)
	if late := s.respond(first, s.answer(t, first, nil)); late.Code != http.StatusGone {
		t.Errorf("an answer to it: %d %s", late.Code, late.Body)
	}
	if second, got := s.fetch(t, tx, recovery.FlowSameDevice); got.Code != http.StatusOK || second.Nonce == first.Nonce {
		t.Errorf("fetched again: %d", got.Code)
	}
	if _, got := s.fetch(t, tx, recovery.FlowCrossDevice); got.Code != http.StatusGone {
		t.Errorf("a code that was scanned (%s): %d", scanned.Nonce, got.Code)
	}
}

// The page's script asks and answers in the session that asked, so the verdict is in force at once.
func TestThroughTheBrowser(t *testing.T) {
	s := newScene(t, nil)
	tx := s.Start(t).Ask(t)
	fields := url.Values{"wallet": {"any"}}
	got := s.Post(tx.Path("/digital-credentials/request"), tx.Form(fields), tx.Cookie)
	var asked struct {
		Requests []struct {
			Protocol string `json:"protocol"`
			Data     struct {
				Nonce string `json:"nonce"`
			} `json:"data"`
		} `json:"requests"`
	}
	if err := json.Unmarshal(got.Body.Bytes(), &asked); err != nil || got.Code != http.StatusOK || len(asked.Requests) != 1 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	origin := "origin:" + facetest.Issuer
	form := s.answer(t, request{Nonce: asked.Requests[0].Data.Nonce, ClientID: origin}, nil)
	fields.Set("protocol", asked.Requests[0].Protocol)
	fields.Set("data", `{"vp_token":`+form.Get("vp_token")+`}`)
	if got := s.Post(tx.Path("/digital-credentials/response"), tx.Form(fields), nil); got.Code != http.StatusForbidden {
		t.Errorf("another browser: %d", got.Code)
	}
	if got := s.Post(tx.Path("/digital-credentials/response"), tx.Form(fields), tx.Cookie); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"next":"`+tx.Path("")+`"`) || tx.Reload(t).State != recovery.StateApproved {
		t.Errorf("%d %s: %s; log %s", got.Code, got.Body, tx.State, s.Log)
	}
	fields.Set("wallet", "other")
	if got := s.Post(tx.Path("/digital-credentials/request"), tx.Form(fields), tx.Cookie); got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), `"error"`) {
		t.Errorf("a wallet that is not asked: %d %s", got.Code, got.Body)
	}
}

func TestRequestURL(t *testing.T) {
	s := newScene(t, nil)
	tx := s.Start(t)
	channel := recovery.Channel{Wallet: "any", Flow: recovery.FlowSameDevice}
	if _, err := s.endpoints.RequestURL(t.Context(), tx.Transaction, channel); err == nil {
		t.Error("a link to a request that nobody made")
	}
	tx.Ask(t)
	link, err := s.endpoints.RequestURL(t.Context(), tx.Transaction, channel)
	if err != nil || !strings.HasPrefix(link, "openid4vp://authorize?") || !strings.Contains(link, url.QueryEscape(facetest.Issuer+"/openid4vp/request/"+string(tx.Handle(recovery.FlowSameDevice)))) {
		t.Errorf("%s, %v", link, err)
	}
}

func TestOurDID(t *testing.T) {
	s := newScene(t, nil)
	for address, part := range map[string]string{"/.well-known/did.json": `"id":"` + did + `"`, "/.well-known/did-configuration.json": `"linked_dids"`} {
		got := s.Get(address, nil)
		if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), part) || got.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %s", address, got.Code, got.Body)
		}
	}
}

// What a wallet cannot be asked stops the start, with the profile and the wallet.
func TestWhatCannotBeAsked(t *testing.T) {
	good := wallet.Config{Issuer: facetest.Issuer, Wallets: map[recovery.WalletName]protocol.Wallet{}, ReceiptTypes: []string{"urn:r"}, RequestLifetime: time.Minute}
	e := facetest.New(t, nil)
	deps := wallet.Deps{
		Web: e.Web, Binding: e.Binding, Recovery: e.Recovery, Verifier: nothing{}, Clock: e.Clock, Random: rand.Reader,
		Organisation: func(context.Context, recovery.ClientID) string { return "" },
	}
	if _, err := wallet.New(good, deps); err == nil || !strings.Contains(err.Error(), "Wallets, RequestLifetime and ReceiptTypes are required") {
		t.Errorf("no wallets: %v", err)
	}
	good.Wallets["other"] = protocol.Wallet{}
	if _, err := wallet.New(good, deps); err == nil || !strings.Contains(err.Error(), `wallet profile "any": the wallet profile is no longer configured`) {
		t.Errorf("a wallet that is not there: %v", err)
	}
	deps.Verifier = nil
	if _, err := wallet.New(good, deps); err == nil || !strings.Contains(err.Error(), "a part is missing") {
		t.Errorf("no verifier: %v", err)
	}
}

// nothing verifies nothing.
type nothing struct{}

func (nothing) Verify(context.Context, verifier.Presentation, verifier.Expect) (verifier.Verified, error) {
	return verifier.Verified{}, errors.New("nothing is verified here")
}

// A channel that had too many invalid responses is gone for good (RFC 9110 §15.5.11): the wallet is told so, as an error with
// the reference that finds the true cause in the log, at both of its addresses and by each of its methods.
func TestAChannelThatWasClosed(t *testing.T) {
	for _, flow := range []recovery.Flow{recovery.FlowSameDevice, recovery.FlowCrossDevice} {
		s := newScene(t, nil)
		tx := s.Start(t).Ask(t)
		asked, _ := s.fetch(t, tx, flow)
		handle := string(tx.Handle(flow))
		post := func(path string, form url.Values) *httptest.ResponseRecorder {
			return s.Do(facetest.FormRequest(path+handle, form))
		}
		for range 100 {
			if got := post("/openid4vp/response/", url.Values{"response": {"x"}}); got.Code != http.StatusBadRequest {
				t.Fatalf("%s: %d %s", flow, got.Code, got.Body)
			}
		}
		s.Log.Reset()
		for _, got := range []*httptest.ResponseRecorder{
			s.Get("/openid4vp/request/"+handle, nil), post("/openid4vp/request/", url.Values{"wallet_nonce": {"n"}}),
			post("/openid4vp/response/", url.Values{"response": {"x"}}), s.respond(asked, s.answer(t, asked, nil)),
		} {
			var told struct {
				Error       string `json:"error"`
				Description string `json:"error_description"`
				Correlation string `json:"correlation_id"`
			}
			if err := json.Unmarshal(got.Body.Bytes(), &told); err != nil || got.Code != http.StatusGone || told.Error != "invalid_request" || !strings.Contains(told.Description, "closed") {
				t.Errorf("%s: %d %s", flow, got.Code, got.Body)
			}
			if told.Correlation == "" || told.Correlation != got.Header().Get("Correlation-Id") || got.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v, %q", flow, got.Header(), told.Correlation)
			}
		}
		if log := s.Log.String(); strings.Count(log, "too many invalid responses") != 4 || strings.Contains(log, "transaction expired") {
			t.Errorf("%s: the log says %s", flow, log)
		}
	}
}
