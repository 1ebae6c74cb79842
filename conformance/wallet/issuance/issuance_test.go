package issuance_test

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/wallet/issuance"
)

func TestTheWholeWay(t *testing.T) {
	s := newStub(t)
	issued, err := s.take(client(t, nil), "")
	if err != nil || len(issued.Credentials) != 1 || issued.Credentials[0] != "one" || len(issued.Keys) != 1 || issued.Notification != "notification" {
		t.Fatalf("%+v, %v", issued.Credentials, err)
	}
	token, credential, notification := s.heard["/token"][0], s.heard["/credential"][0], s.heard["/notification"][0]
	form, err := url.ParseQuery(token.body)
	if err != nil || form.Get("pre-authorized_code") != "code" || len(form) != 2 {
		t.Errorf("token request %q", token.body)
	}
	if c := claims(t, token.header.Get("DPoP")); c["htm"] != "POST" || c["htu"] != s.base+"/token" || c["ath"] != nil || c["jti"] == nil {
		t.Errorf("proof for the token: %v", c)
	}
	if c := claims(t, credential.header.Get("DPoP")); c["htu"] != s.base+"/credential" || c["ath"] == nil || credential.header.Get("Authorization") != "DPoP token" {
		t.Errorf("proof for the credential: %v, %q", c, credential.header.Get("Authorization"))
	}
	var body struct {
		Configuration string              `json:"credential_configuration_id"`
		Proofs        map[string][]string `json:"proofs"`
	}
	if err := json.Unmarshal([]byte(credential.body), &body); err != nil || body.Configuration != "ID" || len(body.Proofs["jwt"]) != 1 {
		t.Fatalf("credential request %q", credential.body)
	}
	if c := claims(t, body.Proofs["jwt"][0]); c["aud"] != s.base+"/tenant/" || c["nonce"] != "nonce" || c["iss"] != nil || len(c) != 2 {
		t.Errorf("key proof: %v", c)
	}
	if notification.body != `{"event":"credential_accepted","notification_id":"notification"}` || notification.header.Get("Authorization") != "DPoP token" {
		t.Errorf("notification %q", notification.body)
	}
}

// Servers give DPoP nonces along with errors, with answers, and with the c_nonce.
func TestDPoPNonces(t *testing.T) {
	s := newStub(t)
	s.answer["/token"] = demand(400, "first", "", says(200, map[string]any{"access_token": "token", "token_type": "DPoP"}))
	s.answer["/credential"] = demand(401, "second", `DPoP error="use_dpop_nonce"`, says(200, credentials("one")))
	if _, err := s.take(client(t, nil), ""); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/token": "first", "/credential": "second"} {
		if got := s.heard[path]; len(got) != 2 || claims(t, got[0].header.Get("DPoP"))["nonce"] != nil || claims(t, got[1].header.Get("DPoP"))["nonce"] != want {
			t.Errorf("%s: %d requests", path, len(got))
		}
	}
	if got := claims(t, s.heard["/notification"][0].header.Get("DPoP"))["nonce"]; got != "second" {
		t.Errorf("the notification has the nonce %v", got)
	}
	early := newStub(t)
	early.answer["/nonce"] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("DPoP-Nonce", "early")
		say(w, 200, map[string]any{"c_nonce": "nonce"})
	}
	if _, err := early.take(client(t, nil), ""); err != nil || claims(t, early.heard["/credential"][0].header.Get("DPoP"))["nonce"] != "early" {
		t.Errorf("a nonce that came with the c_nonce: %v", err)
	}
}

// demand asks for a nonce first.
func demand(status int, nonce, challenge string, then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(payload(r.Header.Get("DPoP")), `"nonce":"`+nonce+`"`) {
			then(w, r)
			return
		}
		w.Header().Set("DPoP-Nonce", nonce)
		if challenge != "" {
			w.Header().Set("WWW-Authenticate", challenge)
		}
		say(w, status, map[string]any{"error": "use_dpop_nonce"})
	}
}

func payload(compact string) string {
	signed, err := jose.Parse(compact)
	if err != nil {
		return ""
	}
	return string(signed.PayloadUnverified())
}

func TestAuthentication(t *testing.T) {
	key := newKey(t)
	attest := func(context.Context, *ecdsa.PublicKey) (string, error) { return "attestation", nil }
	for name, row := range map[string]struct {
		identity  issuance.Identity
		methods   []string
		challenge bool
		want      string
	}{
		"by key":                         {issuance.Identity{Key: key, KeyID: "k"}, []string{"private_key_jwt"}, false, "key"},
		"by key, methods not known":      {issuance.Identity{Key: key, Attest: attest}, nil, false, "key"},
		"by attestation":                 {issuance.Identity{Attest: attest}, []string{"attest_jwt_client_auth"}, false, "attestation"},
		"by attestation, with challenge": {issuance.Identity{Key: key, Attest: attest}, []string{"attest_jwt_client_auth"}, true, "attestation"},
		"anonymously":                    {issuance.Identity{Key: key}, []string{"client_secret_basic", "none"}, false, "nothing"},
		"in no way that is taken":        {issuance.Identity{Key: key}, []string{"client_secret_basic"}, false, ""},
	} {
		s := newStub(t)
		if row.methods != nil {
			s.server["token_endpoint_auth_methods_supported"] = row.methods
		}
		if row.challenge {
			s.server["challenge_endpoint"] = s.base + "/challenge"
		}
		row.identity.ClientID = "wallet"
		issued, err := s.take(client(t, func(c *issuance.Config) { c.Identity = &row.identity }), "")
		if (err == nil) != (row.want != "") || row.want != "" && len(issued.Credentials) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if row.want != "" {
			s.check(name, row.want, row.challenge)
		}
	}
}

// check looks at what the wallet showed.
func (s *stub) check(name, want string, challenge bool) {
	s.t.Helper()
	request := s.heard["/token"][0]
	form, err := url.ParseQuery(request.body)
	if err != nil {
		s.t.Fatal(err)
	}
	var body struct {
		Proofs map[string][]string `json:"proofs"`
	}
	if err := json.Unmarshal([]byte(s.heard["/credential"][0].body), &body); err != nil {
		s.t.Fatal(err)
	}
	if iss := claims(s.t, body.Proofs["jwt"][0])["iss"]; (iss == "wallet") != (want != "nothing") {
		s.t.Errorf("%s: the key proof is by %v", name, iss)
	}
	switch want {
	case "key":
		if c := claims(s.t, form.Get("client_assertion")); c["iss"] != "wallet" || c["sub"] != "wallet" || c["aud"] != s.base+"/tenant/" || c["jti"] == nil {
			s.t.Errorf("%s: assertion %v", name, c)
		}
	case "attestation":
		c := claims(s.t, request.header.Get("OAuth-Client-Attestation-PoP"))
		if request.header.Get("OAuth-Client-Attestation") != "attestation" || c["iss"] != "wallet" || c["aud"] != s.base+"/tenant/" || (c["challenge"] == "challenge") != challenge {
			s.t.Errorf("%s: proof %v", name, c)
		}
	case "nothing":
		if form.Has("client_id") || form.Has("client_assertion") {
			s.t.Errorf("%s: %v", name, form)
		}
	}
}

func TestTransactionCodes(t *testing.T) {
	for name, row := range map[string]struct {
		code  any
		typed string
		want  *issuance.TxCode
		err   error
	}{
		"numeric":        {map[string]any{"length": 6, "description": "See the letter"}, "123456", &issuance.TxCode{Numeric: true, Length: 6, Description: "See the letter"}, nil},
		"text":           {map[string]any{"input_mode": "text"}, "abc", &issuance.TxCode{}, nil},
		"anything":       {map[string]any{}, "1", &issuance.TxCode{Numeric: true}, nil},
		"not typed":      {map[string]any{}, "", &issuance.TxCode{Numeric: true}, issuance.ErrTransactionCode},
		"none asked for": {nil, "1", nil, issuance.ErrTransactionCode},
	} {
		s := newStub(t)
		if row.code != nil {
			s.grant()["tx_code"] = row.code
		}
		c := client(t, nil)
		offer, err := c.Read(t.Context(), s.link())
		if err != nil || (offer.TxCode == nil) != (row.want == nil) || row.want != nil && *offer.TxCode != *row.want {
			t.Errorf("%s: %+v, %v", name, offer, err)
			continue
		}
		if _, err := c.Redeem(t.Context(), offer, row.typed); !errors.Is(err, row.err) {
			t.Errorf("%s: %v", name, err)
		}
		if row.err == nil && !strings.Contains(s.heard["/token"][0].body, "tx_code="+row.typed) {
			t.Errorf("%s: sent %q", name, s.heard["/token"][0].body)
		}
	}
}

func TestCopies(t *testing.T) {
	for name, row := range map[string]struct{ copies, batch, want int }{
		"one": {0, 4, 1}, "two": {2, 4, 2}, "as many as there are": {10, 4, 4}, "no batches": {3, 0, 1},
	} {
		s := newStub(t)
		if row.batch == 0 {
			delete(s.metadata, "batch_credential_issuance")
		}
		all := []string{"one", "two", "three", "four"}[:row.want]
		s.answer["/credential"] = says(200, credentials(all...))
		issued, err := s.take(client(t, func(c *issuance.Config) { c.Copies = row.copies }), "")
		if err != nil || len(issued.Keys) != row.want || len(issued.Credentials) != row.want {
			t.Errorf("%s: %d keys, %d credentials, %v", name, len(issued.Keys), len(issued.Credentials), err)
		}
	}
}

func TestEncryption(t *testing.T) {
	s := newStub(t)
	s.encrypts()
	issued, err := s.take(client(t, nil), "")
	if err != nil || len(issued.Credentials) != 1 {
		t.Fatal(err)
	}
	if got := s.heard["/credential"][0]; got.header.Get("Content-Type") != "application/jwt" || strings.Contains(got.body, "{") {
		t.Errorf("sent as %s: %q", got.header.Get("Content-Type"), got.body)
	}
	request := s.unseal(s.heard["/credential"][0].body)
	if e, _ := request["credential_response_encryption"].(map[string]any); e["enc"] != "A256GCM" || request["credential_configuration_id"] != "ID" {
		t.Errorf("asked for %v", request)
	}
	// An issuer that encrypts nothing itself still gets its request encrypted.
	delete(s.metadata, "credential_response_encryption")
	s.answer["/credential"] = says(200, credentials("one"))
	if _, err := s.take(client(t, nil), ""); err != nil || s.unseal(s.heard["/credential"][1].body)["credential_response_encryption"] != nil {
		t.Errorf("an encrypted request for a plain response: %v", err)
	}
}

func TestDeferred(t *testing.T) {
	s := newStub(t)
	promise := map[string]any{"transaction_id": "later", "interval": 0.1}
	s.answer["/credential"] = says(202, promise)
	s.answer["/deferred"] = func(w http.ResponseWriter, _ *http.Request) {
		if len(s.heard["/deferred"]) == 1 {
			say(w, 202, promise)
			return
		}
		say(w, 200, credentials("one"))
	}
	issued, err := s.take(client(t, nil), "")
	if err != nil || len(issued.Credentials) != 1 || s.heard["/deferred"][1].body != `{"transaction_id":"later"}` {
		t.Errorf("%v, %v", issued.Credentials, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c := client(t, nil)
	s.answer["/deferred"] = says(202, promise)
	offer, err := c.Read(t.Context(), s.link())
	if err != nil {
		t.Fatal(err)
	}
	session, err := c.Redeem(t.Context(), offer, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.Request(ctx, offer.Credentials[0]); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("given up: %v", err)
	}
}

func TestSeveralCredentials(t *testing.T) {
	s := newStub(t)
	proofs := s.configuration()["proof_types_supported"]
	all := s.metadata["credential_configurations_supported"].(map[string]any) //nolint:forcetypeassert // a stub of ours
	all["mDL"] = map[string]any{"format": "mso_mdoc", "doctype": "org.iso.18013.5.1.mDL", "proof_types_supported": proofs, "credential_metadata": map[string]any{"display": []any{map[string]any{"name": "Licence"}}}}
	all["W3C"] = map[string]any{"format": "ldp_vc", "proof_types_supported": proofs}
	all["Attested"] = map[string]any{"format": "mso_mdoc", "doctype": "x", "proof_types_supported": map[string]any{"jwt": map[string]any{"proof_signing_alg_values_supported": []string{"ES256"}, "key_attestations_required": map[string]any{}}}}
	s.offer["credential_configuration_ids"] = []string{"W3C", "mDL", "unknown", "Attested", "ID", "mDL"}
	offer, err := client(t, nil).Read(t.Context(), s.link())
	if err != nil || len(offer.Credentials) != 2 {
		t.Fatalf("%+v, %v", offer, err)
	}
	if offer.Credentials[0] != (issuance.Kind{ID: "mDL", Name: "Licence", Format: issuance.Mdoc, Type: "org.iso.18013.5.1.mDL"}) ||
		offer.Credentials[1] != (issuance.Kind{ID: "ID", Name: "ID", Format: issuance.SDJWT, Type: "urn:id"}) {
		t.Errorf("%+v", offer.Credentials)
	}
}

func TestIdentifiersOfTheToken(t *testing.T) {
	s := newStub(t)
	s.answer["/token"] = says(200, map[string]any{"access_token": "token", "token_type": "dpop", "authorization_details": []any{
		map[string]any{"type": "openid_credential", "credential_configuration_id": "ID", "credential_identifiers": []string{"ID:1", "ID:2"}},
	}})
	if _, err := s.take(client(t, nil), ""); err != nil || !strings.Contains(s.heard["/credential"][0].body, `{"credential_identifier":"ID:1","proofs"`) {
		t.Errorf("%v: %s", err, s.heard["/credential"][0].body)
	}
}

// The provider vouches for all keys at once, for the issuer's nonce; what nobody can vouch for is not an offer.
func TestKeyAttestations(t *testing.T) {
	var asked []*ecdsa.PublicKey
	attest := func(_ context.Context, nonce string, keys []*ecdsa.PublicKey) (string, error) {
		asked = keys
		return "attestation for " + nonce, nil
	}
	s := newStub(t)
	s.configuration()["proof_types_supported"] = map[string]any{"jwt": map[string]any{
		"proof_signing_alg_values_supported": []string{"ES256"}, "key_attestations_required": map[string]any{},
	}}
	if _, err := s.take(client(t, nil), ""); !errors.Is(err, issuance.ErrOffer) {
		t.Errorf("without anybody to attest: %v", err)
	}
	known := func(attest func(context.Context, string, []*ecdsa.PublicKey) (string, error)) *issuance.Client {
		return client(t, func(c *issuance.Config) {
			c.Copies, c.Identity = 2, &issuance.Identity{ClientID: "wallet", Key: newKey(t), AttestKeys: attest}
		})
	}
	issued, err := s.take(known(attest), "")
	if err != nil || len(asked) != 2 {
		t.Fatalf("%d keys were attested, %v", len(asked), err)
	}
	var body struct {
		Proofs map[string][]string `json:"proofs"`
	}
	if err := json.Unmarshal([]byte(s.heard["/credential"][0].body), &body); err != nil {
		t.Fatal(err)
	}
	for i, proof := range body.Proofs["jwt"] {
		parsed, err := jose.Parse(proof)
		if err != nil {
			t.Fatal(err)
		}
		if h := parsed.KeyAttestation; h != "attestation for nonce" || !asked[i].Equal(&issued.Keys[i].PublicKey) {
			t.Errorf("proof %d carries %v", i, h)
		}
	}
	away := func(context.Context, string, []*ecdsa.PublicKey) (string, error) {
		return "", errors.New("the provider is away")
	}
	if _, err := s.take(known(away), ""); err == nil || len(s.heard["/credential"]) != 1 {
		t.Errorf("with the provider away: %v", err)
	}
}
