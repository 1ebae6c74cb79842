package proofing_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"regain/conformance/proofing"
)

// kept is an access token, what was issued under it, and the notification that is open for it.
func (k *known) kept() (token, notification string, credentials []string) {
	k.t.Helper()
	token = k.token(proofing.OfferOptions{})
	status, _, raw := k.send("/credential", "application/json", token, text(k.t, k.request(proofing.ConfigurationID, 2)))
	answer := object(k.t, raw)
	notification, _ = answer["notification_id"].(string)
	if status != http.StatusOK || notification == "" {
		k.t.Fatalf("%d %s", status, raw)
	}
	for _, entry := range answer["credentials"].([]any) { //nolint:forcetypeassert // fails the test
		credentials = append(credentials, entry.(map[string]any)["credential"].(string)) //nolint:forcetypeassert // fails the test
	}
	return token, notification, credentials
}

// Each row starts from a good notification and breaks one thing.
func TestNotificationsThatAreRefused(t *testing.T) {
	k := setUpKnown(t)
	token, id, _ := k.kept()
	other, _, _ := k.kept()
	with := func(name string, value any) string {
		body := map[string]any{"notification_id": id, "event": "credential_deleted"}
		if body[name] = value; value == nil {
			delete(body, name)
		}
		return text(t, body)
	}
	for name, row := range map[string]struct{ token, kind, body, code string }{
		"no id":                 {token, "application/json", with("notification_id", nil), "invalid_notification_request"},
		"another id":            {token, "application/json", with("notification_id", "x"), "invalid_notification_id"},
		"another's token":       {other, "application/json", with("x", 1), "invalid_notification_id"},
		"no event":              {token, "application/json", with("event", nil), "invalid_notification_request"},
		"another event":         {token, "application/json", with("event", "CREDENTIAL_DELETED"), "invalid_notification_request"},
		"a quoting description": {token, "application/json", with("event_description", `"`), "invalid_notification_request"},
		"no text":               {token, "application/json", with("event_description", 1), "invalid_notification_request"},
		"a form":                {token, formType, "notification_id=" + id, "invalid_notification_request"},
		"not JSON":              {token, "application/json", "x", "invalid_notification_request"},
	} {
		if status, _, answer := k.send("/notification", row.kind, row.token, row.body); status != http.StatusBadRequest || object(t, answer)["error"] != row.code {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	if status, _, _ := k.send("/notification", "application/json", "x", with("x", 1)); status != http.StatusUnauthorized {
		t.Errorf("with an unknown token: %d", status)
	}
}

// Copies of one credential have nothing in common that another pair of credentials does not have too.
func TestABatchCannotBeLinked(t *testing.T) {
	k := setUpKnown(t)
	status, _, raw := k.send("/credential", "application/json", k.token(proofing.OfferOptions{}), text(t, k.request(proofing.ConfigurationID, 5)))
	list, _ := object(t, raw)["credentials"].([]any)
	if status != http.StatusOK || len(list) != 5 {
		t.Fatalf("%d %s", status, raw)
	}
	seen := map[string]bool{}
	for _, entry := range list {
		credential := entry.(map[string]any)["credential"].(string) //nolint:forcetypeassert // fails the test
		var open struct {
			ID      string `json:"jti"`
			Issued  int64  `json:"iat"`
			Expires int64  `json:"exp"`
			Status  struct {
				List struct {
					Index int `json:"idx"`
				} `json:"status_list"`
			} `json:"status"`
		}
		if err := json.Unmarshal([]byte(payloadOf(t, credential)), &open); err != nil {
			t.Fatal(err)
		}
		if open.Issued%3600 != 0 || open.Expires%3600 != 0 {
			t.Errorf("issued at %d, expires at %d: not on the hour", open.Issued, open.Expires)
		}
		for _, part := range append(strings.Split(credential, "~")[1:], open.ID, text(t, open.Status)) {
			if part != "" && seen[part] {
				t.Errorf("%s occurs twice", part)
			}
			seen[part] = true
		}
	}
}

// A wallet that is known may name itself in its proofs, and nobody else.
func TestProofsOfKnownWallets(t *testing.T) {
	k := setUpKnown(t)
	token := k.token(proofing.OfferOptions{})
	for name, row := range map[string]struct {
		claims map[string]any
		code   string
	}{
		"another client": {map[string]any{"iss": "other"}, "invalid_proof"},
		"aud as a list":  {map[string]any{"aud": []string{k.base}}, "invalid_proof"},
		"itself":         {nil, ""},
		"nobody":         {map[string]any{"iss": nil}, ""},
	} {
		status, _, raw := k.send("/credential", "application/json", token, text(t, credentialBody(k.keyProofs(1, row.claims)...)))
		if code, _ := object(t, raw)["error"].(string); code != row.code || (status == http.StatusOK) != (row.code == "") {
			t.Errorf("%s: %d %s", name, status, raw)
		}
	}
}

func TestProofTypes(t *testing.T) {
	b := setUp(t)
	access, holder := b.access("ada.lindqvist"), newKey(t)
	options, claims := b.proof(holder)
	good := sign(t, holder, options, claims)
	for name, proofs := range map[string]any{
		"none": nil, "empty": map[string]any{}, "another type": map[string]any{"di_vp": []any{map[string]any{}}}, "two types": map[string]any{"jwt": []string{good}, "attestation": []string{good}},
		"not a list": map[string]any{"jwt": good}, "an empty list": map[string]any{"jwt": []string{}}, "not texts": map[string]any{"jwt": []int{1}},
	} {
		body := map[string]any{"credential_configuration_id": proofing.ConfigurationID, "proofs": proofs, "proof": map[string]any{"proof_type": "jwt", "jwt": good}}
		if status, answer := b.ask(access, body); status != http.StatusBadRequest || answer["error"] != "invalid_proof" {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
}
