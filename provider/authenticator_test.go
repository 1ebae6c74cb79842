package provider_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/proofing"
	"regain/conformance/testenv"
	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator"
	"regain/internal/config"
)

// older is a test environment that asks wallets like Microsoft Authenticator for JWT VCs, and such a wallet.
type older struct {
	*fixture
	app   *authenticator.Wallet
	held  authenticator.Credential
	late  atomic.Int64 // how far everybody's clock is ahead; the wallet's stands still
	clock func() time.Time
}

// holder says whose wallet it is, and what keys it makes.
type holder struct {
	person    string
	method    did.Method
	algorithm string
}

// setUpAuthenticator is a test environment, and a wallet with a Verified ID that came over OpenID4VCI.
func setUpAuthenticator(t *testing.T, h holder, change func(*config.Config)) *older {
	t.Helper()
	f := &older{}
	f.clock = func() time.Time { return time.Now().Add(time.Duration(f.late.Load())) }
	f.fixture = setUpEnv(t, testenv.Options{TLS: true, Clock: f.clock, Change: func(cfg *config.Config) {
		testenv.AskAuthenticators(cfg)
		if change != nil {
			change(cfg)
		}
	}})
	if h.person == "" {
		h.person = "ada.lindqvist"
	}
	var err error
	f.app, err = authenticator.New(authenticator.Config{
		HTTPClient: f.Client, Clock: time.Now, Random: rand.Reader, Logger: slog.New(slog.DiscardHandler), Camera: cameraOf(t, h.person),
		Method: h.method, Algorithm: h.algorithm, StrictDomains: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.held = f.fetch(t, h.person)
	return f
}

// call sends one request to the proofing provider, a POST where there is a header, and reads its answer.
func (f *older) call(t *testing.T, address string, header http.Header, body []byte, into any) {
	t.Helper()
	method := http.MethodGet
	if header != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header.Clone()
	resp, err := f.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", address, resp.StatusCode, err)
	}
}

// fetch takes up an offer over OpenID4VCI 1.0, with a proof of the key of the wallet's DID.
func (f *older) fetch(t *testing.T, person string) authenticator.Credential {
	t.Helper()
	offered, err := f.Issuer.MakeOffer(proofing.OfferOptions{PersonID: person, Configurations: []string{proofing.JWTID}})
	if err != nil {
		t.Fatal(err)
	}
	const grantType = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
	var offer struct {
		Grants map[string]struct {
			Code string `json:"pre-authorized_code"`
		} `json:"grants"`
	}
	if err := json.Unmarshal([]byte(offered.JSON), &offer); err != nil {
		t.Fatal(err)
	}
	var metadata, answer map[string]any
	f.call(t, f.Proofing+"/.well-known/openid-credential-issuer", nil, nil, &metadata)
	filled := http.Header{"Content-Type": {formType}}
	form := url.Values{"grant_type": {grantType}, "pre-authorized_code": {offer.Grants[grantType].Code}}
	f.call(t, f.Proofing+"/token", filled, []byte(form.Encode()), &answer)
	authorized := http.Header{"Content-Type": {"application/json"}, "Authorization": {fmt.Sprint("Bearer ", answer["access_token"])}}
	f.call(t, fmt.Sprint(metadata["nonce_endpoint"]), filled, nil, &answer)
	proof, err := f.app.Proof(f.Proofing, fmt.Sprint(answer["c_nonce"]))
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"credential_configuration_id": proofing.JWTID, "proofs": map[string]any{"jwt": []string{proof}}})
	if err != nil {
		t.Fatal(err)
	}
	var issued struct {
		Credentials []struct {
			Credential string `json:"credential"`
		} `json:"credentials"`
	}
	f.call(t, fmt.Sprint(metadata["credential_endpoint"]), authorized, body, &issued)
	return f.take(t, issued.Credentials[0].Credential, f.Proofing)
}

// take puts a JWT VC into the wallet.
func (f *older) take(t *testing.T, vc, from string) authenticator.Credential {
	t.Helper()
	kept, err := f.app.Import(t.Context(), vc, authenticator.Source{
		Name: "Verified ID", Issuer: from, FaceCheckURL: from + "/face-check", NonceURL: from + "/nonce",
	})
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// review has the wallet fetch the request of the page and take the Face Check.
func (f *older) review(t *testing.T, page *browser.Page) *authenticator.Request {
	t.Helper()
	link, _ := page.Link("open-wallet")
	request, err := f.app.Review(t.Context(), link)
	return f.checked(t, request, err)
}

func (f *older) checked(t *testing.T, request *authenticator.Request, err error) *authenticator.Request {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.app.FaceCheck(t.Context(), request.FaceCheckFor()); err != nil {
		t.Fatal(err)
	}
	return request
}

// share answers and returns where the wallet sends the browser.
func (f *older) share(t *testing.T, request *authenticator.Request, o authenticator.ShareOptions) string {
	t.Helper()
	next, err := f.app.Share(t.Context(), request, o)
	if err != nil {
		t.Fatalf("%v; log: %s", err, f.log.String())
	}
	return next
}

// recovers shares, and goes on to a redeemed pass.
func (f *older) recovers(t *testing.T, request *authenticator.Request, o authenticator.ShareOptions) {
	t.Helper()
	next, err := f.browser.Open(t.Context(), f.share(t, request, o))
	f.finishes(t, f.must(t, next, err))
}

// denied shares, and checks that the recovery ends, for this reason.
func (f *older) denied(t *testing.T, request *authenticator.Request, account, reason string) {
	t.Helper()
	page, err := f.browser.Open(t.Context(), f.share(t, request, authenticator.ShareOptions{}))
	if f.must(t, page, err); !page.Has("denied") {
		t.Errorf("not denied: %s", page.Text())
	}
	if log := audited(t, f.fixture, account); !strings.Contains(log, `"`+reason+`"`) {
		t.Errorf("the audit log does not say %s: %s", reason, log)
	}
}

// Whatever keys such a wallet has, and however it writes its answer, the account is recovered.
func TestAuthenticators(t *testing.T) {
	for name, row := range map[string]struct {
		holder holder
		share  authenticator.ShareOptions
	}{
		"as the Android library":  {holder{"", did.ION, jose.ES256K}, authenticator.ShareOptions{LibraryBare: true}},
		"a key on P-256":          {holder{"", did.JWK, jose.ES256}, authenticator.ShareOptions{NewerPaths: true}},
		"a key of Ed25519":        {holder{"", did.ION, jose.EdDSA}, authenticator.ShareOptions{RelativeKid: true}},
		"a presentation for each": {holder{"", did.JWK, jose.EdDSA}, authenticator.ShareOptions{OneEach: true}},
		"a JSON array of them":    {holder{"", did.ION, jose.ES256}, authenticator.ShareOptions{OneEach: true, ArrayAsJSON: true}},
	} {
		t.Run(name, func(t *testing.T) {
			f := setUpAuthenticator(t, row.holder, nil)
			request := f.review(t, f.asked(t))
			if !request.Domain.Verified || request.Verifier != "Example Organisation" || request.Purpose == "" {
				t.Errorf("the wallet shows %s, of %+v", request.Verifier, request.Domain)
			}
			f.recovers(t, request, row.share)
			for _, secret := range []string{"Lindqvist", f.app.DID(), f.held.JTI} {
				if strings.Contains(f.log.String(), secret) || strings.Contains(audited(t, f.fixture, "ada.lindqvist@example.org"), secret) {
					t.Error("a log names the holder or the credential")
				}
			}
		})
	}
}

// A wallet that opens nothing leaves the person to say that it was theirs, and the client is told.
func TestAuthenticatorsThatDoNotReturn(t *testing.T) {
	f := setUpAuthenticator(t, holder{}, func(cfg *config.Config) { no := false; cfg.Wallets[0].RedirectBack = &no })
	page := f.asked(t)
	if next := f.share(t, f.review(t, page), authenticator.ShareOptions{}); next != "" {
		t.Fatalf("it is sent on to %s", next)
	}
	if elsewhere, err := newBrowser(f.Env).Open(t.Context(), page.URL.String()); err != nil || elsewhere.Has("proceed") {
		t.Errorf("another browser may go on: %v", err)
	}
	page, err := f.browser.Follow(t.Context(), page.URL.String())
	if f.must(t, page, err); !page.Has("answered") || page.Has("finish") {
		t.Fatalf("the page does not ask: %s", page.Text())
	}
	code, err := f.RP.Code(f.attempt, f.press(t, f.press(t, page, "proceed"), "finish").URL.String())
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := f.RP.Redeem(t.Context(), f.attempt, code)
	if err != nil {
		t.Fatal(err)
	}
	recovered, err := f.RP.Check(t.Context(), f.attempt, "ada.lindqvist@example.org", tokens)
	if err != nil || recovered.Recovery.Pass.Value == "" || recovered.Recovery.Bound {
		t.Errorf("session_bound is %t, %v", recovered.Recovery.Bound, err)
	}
}

// A QR code is scanned, and the six digits that the phone's browser shows are typed where the recovery began.
func TestAuthenticatorsOnAnotherDevice(t *testing.T) {
	f := setUpAuthenticator(t, holder{}, nil)
	page := f.asked(t)
	code, _ := page.ByID("qr-text")
	scanned, err := f.app.Scan(t.Context(), code)
	request := f.checked(t, scanned, err)
	shown, err := newBrowser(f.Env).Open(t.Context(), f.share(t, request, authenticator.ShareOptions{}))
	digits, ok := f.must(t, shown, err).ByID("digits")
	if !ok {
		t.Fatalf("no digits: %s", shown.Text())
	}
	page, err = f.browser.Open(t.Context(), page.URL.String())
	if f.must(t, page, err); page.Has("finish") {
		t.Fatal("it goes on without the digits")
	}
	if wrong := f.typeDigits(t, otherDigits(digits)); wrong.Status != http.StatusUnprocessableEntity {
		t.Errorf("wrong digits: %d", wrong.Status)
	}
	f.finishes(t, f.typeDigits(t, digits))
}

// Each answer has one thing wrong and is refused; the right one, to the same request, is taken all the same, and once.
func TestAuthenticatorsThatAreRefused(t *testing.T) {
	f := setUpAuthenticator(t, holder{}, nil)
	other, err := f.Issuer.IssueVC("ada.lindqvist", stranger(t))
	if err != nil {
		t.Fatal(err)
	}
	request := f.review(t, f.asked(t))
	type wrong = authenticator.Wrong
	year := time.Now().AddDate(-1, 0, 0)
	for name, spoilt := range map[string]authenticator.Tamper{
		"nonce of the ID token":     {IDToken: wrong{Nonce: "another"}},
		"audience of the ID token":  {IDToken: wrong{Audience: "did:web:other.example"}},
		"an old ID token":           {IDToken: wrong{IssuedAt: year}},
		"ID token of another":       {IDToken: wrong{OtherHolder: true}},
		"ID token by another's key": {IDToken: wrong{OtherKey: true}},
		"unsigned ID token":         {IDToken: wrong{Unsigned: true}},
		"no ID token":               {IDToken: wrong{Missing: true}},
		"nonce of the VP":           {VP: wrong{Nonce: "another"}},
		"audience of the VP":        {VP: wrong{Audience: f.Proofing}}, // as for a Face Check
		"an old VP":                 {VP: wrong{IssuedAt: year}},
		"VP of another":             {VP: wrong{OtherHolder: true}},
		"VP by another's key":       {VP: wrong{OtherKey: true}},
		"signature of the VP":       {VP: wrong{BreakSignature: true}},
		"unsigned VP":               {VP: wrong{Unsigned: true}},
		"no VP":                     {VP: wrong{Missing: true}},
		"another name in the VC":    {Alter: map[string]map[string]any{"verified_id": {"lastName": "Byron"}}},
		"another photo in the VC":   {Alter: map[string]map[string]any{"verified_id": {"portrait": "AAAA"}}},
		"another score":             {Alter: map[string]map[string]any{"face_check": {"faceCheckResults": []any{}}}},
		"signature of the VC":       {BreakVCSignature: "verified_id"},
		"signature of the receipt":  {BreakVCSignature: "face_check"},
		"the VC of another":         {Credentials: map[string]string{"verified_id": other.Credential}},
		"the VC for a receipt":      {Credentials: map[string]string{"face_check": f.held.JWT()}},
		"another definition":        {Definition: "another"},
		"wrong paths":               {WrongPaths: true},
		"no submission":             {NoSubmission: true},
		"no receipt":                {Drop: "face_check"},
		"no VC":                     {Drop: "verified_id"},
		"another state":             {State: "another"},
		"two states":                {ExtraParameters: url.Values{"state": {"another"}}},
	} {
		next, err := f.app.Share(t.Context(), request, authenticator.ShareOptions{Tamper: spoilt})
		var refused *wallet.ResponseError
		if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest {
			t.Errorf("%s: on to %q, %v", name, next, err)
		}
	}
	if log := audited(t, f.fixture, "ada.lindqvist@example.org"); !strings.Contains(log, "presentation_rejected") || strings.Contains(log, "Lindqvist") {
		t.Error("the audit log tells of no refusal, or names a person")
	}
	back := f.share(t, request, authenticator.ShareOptions{})
	var refused *wallet.ResponseError
	if next, err := f.app.Share(t.Context(), request, authenticator.ShareOptions{Tamper: authenticator.Tamper{ReplayLast: true}}); !errors.As(err, &refused) || refused.Status != http.StatusBadRequest {
		t.Errorf("a replay: on to %q, %v", next, err)
	}
	page, err := f.browser.Open(t.Context(), back)
	f.finishes(t, f.must(t, page, err))
}

// stranger is somebody else's DID.
func stranger(t *testing.T) string {
	t.Helper()
	made, err := did.New(did.JWK, jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	return made.DID
}

func TestAuthenticatorsThatAreDenied(t *testing.T) {
	const ada = "ada.lindqvist@example.org"
	t.Run("revoked", func(t *testing.T) {
		f := setUpAuthenticator(t, holder{}, nil)
		if err := f.Issuer.Revoke(f.held.JTI); err != nil {
			t.Fatal(err)
		}
		f.denied(t, f.review(t, f.asked(t)), ada, "credential_revoked")
	})
	t.Run("from an issuer that nobody trusts", func(t *testing.T) {
		f := setUpAuthenticator(t, holder{}, nil)
		f.app.Forget(f.held.ID)
		issued, err := f.Rogue.IssueVC("ada.lindqvist", f.app.DID())
		if err != nil {
			t.Fatal(err)
		}
		f.take(t, issued.Credential, f.RogueURL)
		f.denied(t, f.review(t, f.asked(t)), ada, "credential_untrusted")
	})
	t.Run("the Face Check is too low", func(t *testing.T) {
		f := setUpAuthenticator(t, holder{person: "priya.raman"}, nil)
		page := f.press(t, f.start(t, "priya.raman@example.org"), "have-verified-id")
		f.denied(t, f.review(t, page), "priya.raman@example.org", "face_check_too_low")
	})
	t.Run("a receipt of another credential", func(t *testing.T) {
		f := setUpAuthenticator(t, holder{}, nil)
		second := f.fetch(t, "ada.lindqvist")
		request := f.review(t, f.asked(t))
		if request.FaceCheckFor() != second.ID {
			t.Fatal("the newest should have been chosen")
		}
		if err := f.app.FaceCheck(t.Context(), f.held.ID); err != nil {
			t.Fatal(err)
		}
		page, err := f.browser.Open(t.Context(), f.share(t, request, authenticator.ShareOptions{Tamper: authenticator.Tamper{
			Credentials: map[string]string{"face_check": f.app.Receipts(f.held.ID)[0].JWT()},
		}}))
		if f.must(t, page, err); !page.Has("denied") || !strings.Contains(audited(t, f.fixture, ada), `"face_check_unbound"`) {
			t.Errorf("%s", page.Text())
		}
	})
}

// A request whose time is over is gone for who would answer it, and one whose recovery is over for who fetches it too.
func TestAuthenticatorsThatAreLate(t *testing.T) {
	f := setUpAuthenticator(t, holder{}, nil)
	page := f.asked(t)
	request := f.review(t, page)
	for _, by := range []time.Duration{6 * time.Minute, 20 * time.Minute} { // the request's life, and the recovery's
		f.late.Store(int64(by))
		var refused *wallet.ResponseError
		if next, err := f.app.Share(t.Context(), request, authenticator.ShareOptions{}); !errors.As(err, &refused) || refused.Status != http.StatusGone && refused.Status != http.StatusNotFound {
			t.Errorf("an answer after %s: on to %q, %v", by, next, err)
		}
	}
	var refused *wallet.ResponseError
	link, _ := page.Link("open-wallet")
	if _, err := f.app.Review(t.Context(), link); !errors.Is(err, wallet.ErrExpired) && (!errors.As(err, &refused) || refused.Status != http.StatusGone) {
		t.Errorf("fetched when the recovery is over: %v", err)
	}
}
