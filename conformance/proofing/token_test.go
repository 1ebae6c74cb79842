package proofing_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/proofing"
)

func TestTransactionCodes(t *testing.T) {
	b := setUp(t)
	offer := func() string {
		made, err := b.MakeOffer(proofing.OfferOptions{PersonID: "ada.lindqvist", TxCode: "493536"})
		if err != nil {
			t.Fatal(err)
		}
		return b.codeAt(made.URL)
	}
	try := func(code, tx string) (int, any) {
		form := tokenForm(code)
		if tx != "" {
			form.Set("tx_code", tx)
		}
		status, answer := b.post("/token", formType, "", form.Encode())
		return status, answer["error"]
	}
	code := offer()
	if status, code := try(code, ""); status != http.StatusBadRequest || code != "invalid_request" {
		t.Errorf("no code: %d %v", status, code)
	}
	if status, code := try(code, "000000"); status != http.StatusBadRequest || code != "invalid_grant" {
		t.Errorf("another code: %d %v", status, code)
	}
	if status, code := try(code, "493536"); status != http.StatusOK {
		t.Errorf("the right code after a slip: %d %v", status, code)
	}
	guessed := offer()
	for range 3 {
		try(guessed, "000000")
	}
	if status, code := try(guessed, "493536"); status != http.StatusBadRequest || code != "invalid_grant" {
		t.Errorf("the right code after three guesses: %d %v", status, code)
	}
}

func TestAuthorizationDetails(t *testing.T) {
	b := setUp(t)
	ask := func(details string) (int, map[string]any) {
		made, err := b.MakeOffer(proofing.OfferOptions{PersonID: "ada.lindqvist", Configurations: []string{proofing.ConfigurationID, proofing.LicenceID}})
		if err != nil {
			t.Fatal(err)
		}
		form := tokenForm(b.codeAt(made.URL))
		form.Set("authorization_details", details)
		return b.post("/token", formType, "", form.Encode())
	}
	for name, details := range map[string]string{
		"not JSON": "x", "no list": `{}`, "empty": `[]`, "another type": `[{"type":"payment"}]`,
		"no configuration":   `[{"type":"openid_credential"}]`,
		"not offered":        `[{"type":"openid_credential","credential_configuration_id":"Other"}]`,
		"one of them unsaid": `[{"type":"openid_credential","credential_configuration_id":"VerifiedIdentity"},{}]`,
		"twice":              `[{"type":"openid_credential","credential_configuration_id":"VerifiedIdentity"},{"type":"openid_credential","credential_configuration_id":"VerifiedIdentity"}]`,
	} {
		if status, answer := ask(details); status != http.StatusBadRequest || answer["error"] != "invalid_authorization_details" {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	status, answer := ask(`[{"type":"openid_credential","credential_configuration_id":"MobileDrivingLicence","unknown":1}]`)
	details, _ := answer["authorization_details"].([]any)
	if status != http.StatusOK || len(details) != 1 {
		t.Fatalf("%d %v", status, answer)
	}
	detail := details[0].(map[string]any)                              //nolint:forcetypeassert // fails the test
	identifier := detail["credential_identifiers"].([]any)[0].(string) //nolint:forcetypeassert // fails the test
	access := answer["access_token"].(string)                          //nolint:forcetypeassert // fails the test
	holder := newKey(t)
	for name, row := range map[string]struct {
		change map[string]any
		code   string
	}{
		"by configuration":   {map[string]any{"credential_configuration_id": "MobileDrivingLicence"}, "invalid_credential_request"},
		"another identifier": {map[string]any{"credential_identifier": "x"}, "unknown_credential_identifier"},
		"both":               {map[string]any{"credential_identifier": identifier, "credential_configuration_id": "MobileDrivingLicence"}, "invalid_credential_request"},
		"as it should be":    {map[string]any{"credential_identifier": identifier}, ""},
	} {
		options, claims := b.proof(holder)
		body := credentialBody(sign(t, holder, options, claims))
		delete(body, "credential_configuration_id")
		for k, v := range row.change {
			body[k] = v
		}
		status, answer := b.ask(access, body)
		if code, _ := answer["error"].(string); code != row.code || (status == http.StatusOK) != (row.code == "") {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
}

// What was not offered is not issued, though it is known here.
func TestOnlyWhatWasOffered(t *testing.T) {
	b := setUp(t)
	holder := newKey(t)
	options, claims := b.proof(holder)
	body := credentialBody(sign(t, holder, options, claims))
	body["credential_configuration_id"] = proofing.LicenceID
	if status, answer := b.ask(b.access("ada.lindqvist"), body); status != http.StatusBadRequest || answer["error"] != "credential_request_denied" {
		t.Errorf("%d %v", status, answer)
	}
}

func TestOffersThatCannotBeMade(t *testing.T) {
	b := setUp(t)
	for name, o := range map[string]proofing.OfferOptions{
		"nobody": {PersonID: "nobody"}, "an unknown configuration": {PersonID: "ada.lindqvist", Configurations: []string{"Other"}},
	} {
		if _, err := b.MakeOffer(o); err == nil {
			t.Errorf("%s: offered", name)
		}
	}
}

func TestOfferLinks(t *testing.T) {
	b := setUp(t)
	made, err := b.MakeOffer(proofing.OfferOptions{PersonID: "ada.lindqvist", Configurations: []string{proofing.LicenceID}, TxCode: "ab"})
	if err != nil {
		t.Fatal(err)
	}
	value, err := url.Parse(made.ByValue("openid-credential-offer://"))
	if err != nil || value.Query().Get("credential_offer") != made.JSON {
		t.Errorf("by value: %s", value)
	}
	reference, err := url.Parse(made.ByReference("https://wallet.example/offer"))
	if err != nil || reference.Query().Get("credential_offer_uri") != made.URL {
		t.Errorf("by reference: %s", reference)
	}
	if !strings.Contains(made.JSON, `"tx_code":{"description":`) || !strings.Contains(made.JSON, `"input_mode":"text","length":2`) {
		t.Errorf("offer %s", made.JSON)
	}
}

// Each row starts from a good token request of a wallet that is registered and breaks one thing.
func TestTokensForKnownWallets(t *testing.T) {
	k := setUpKnown(t)
	for name, row := range map[string]struct {
		change func(url.Values)
		code   string
	}{
		"anonymous": {func(f url.Values) { f.Del("client_assertion"); f.Del("client_assertion_type") }, "invalid_client"},
		"another's": {func(f url.Values) {
			f.Set("client_assertion", strings.Replace(f.Get("client_assertion"), ".", ".A", 1))
		}, "invalid_client"},
		"a client_id that differs": {func(f url.Values) { f.Set("client_id", "x") }, "invalid_client"},
		"as it should be":          {func(f url.Values) { f.Set("client_id", walletID) }, ""},
		"with something unknown":   {func(f url.Values) { f.Set("Vq5", "x"); f.Set("scope", "VerifiedIdentity") }, ""},
	} {
		status, answer := k.take(proofing.OfferOptions{}, row.change)
		if code, _ := answer["error"].(string); code != row.code || (status == http.StatusOK) != (row.code == "") {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
}

// Where wallets are known, a token is bound to a DPoP key, and a proof without our nonce costs nothing.
func TestTokensAreBound(t *testing.T) {
	k := setUpKnown(t)
	form := k.tokenForm(k.offer(proofing.OfferOptions{}))
	if status, answer := k.post("/token", formType, "", form.Encode()); status != http.StatusBadRequest || answer["error"] != "invalid_dpop_proof" {
		t.Errorf("no proof: %d %v", status, answer)
	}
	token := k.token(proofing.OfferOptions{})
	body := text(t, k.request(proofing.ConfigurationID, 1))
	if status, answer := k.post("/credential", "application/json", "Bearer "+token, body); status != http.StatusUnauthorized || answer["error"] != "invalid_token" {
		t.Errorf("as a bearer token: %d %v", status, answer)
	}
	if status, _ := k.post("/credential", "application/json", "DPoP "+token, body); status != http.StatusUnauthorized {
		t.Errorf("without a proof: %d", status)
	}
	if status, _, _ := k.sendAs(newKey(t), "/credential", "application/json", token, body); status != http.StatusUnauthorized {
		t.Errorf("with another's proof: %d", status)
	}
	if status, _, answer := k.send("/credential", "application/json", token, body); status != http.StatusOK {
		t.Errorf("as it should be: %d %s", status, answer)
	}
}

func TestChallenges(t *testing.T) {
	for name, row := range map[string]struct {
		base func() *bench
		want string
	}{
		"open":  {func() *bench { return setUp(t) }, "Bearer"},
		"known": {func() *bench { return setUpKnown(t).bench }, `DPoP algs="ES256"`},
	} {
		b := row.base()
		// A token in the query is no token.
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.base+"/credential?access_token=x", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != http.StatusUnauthorized || got != row.want {
			t.Errorf("%s: %d %q", name, resp.StatusCode, got)
		}
	}
}

// A wallet at an open door may bind its token all the same.
func TestABoundTokenAtAnOpenDoor(t *testing.T) {
	k := &known{bench: setUp(t), wallet: newKey(t), dpop: newKey(t), nonces: map[string]string{}}
	status, _, answer := k.send("/token", formType, "", tokenForm(k.code("ada.lindqvist")).Encode())
	token, _ := object(t, answer)["access_token"].(string)
	if status != http.StatusOK || object(t, answer)["token_type"] != "DPoP" {
		t.Fatalf("%d %s", status, answer)
	}
	proofs := k.keyProofs(1, map[string]any{"iss": nil})
	if status, _, answer = k.send("/credential", "application/json", token, text(t, credentialBody(proofs...))); status != http.StatusOK {
		t.Errorf("%d %s", status, answer)
	}
	k.now = k.now.Add(5*time.Minute + time.Second)
	if status, _, answer = k.send("/credential", "application/json", token, text(t, credentialBody(proofs...))); status != http.StatusUnauthorized {
		t.Errorf("after five minutes: %d %s", status, answer)
	}
}
