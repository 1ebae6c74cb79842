package wallet_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"regain/internal/costtest"
	"regain/provider/facetest"
	"regain/recovery"
	"regain/verifier/verifiertest"
)

// The worst answers in whole, from the request's bytes to the record of their refusal: both credentials as bad as they
// can be together. What one of them costs in its parser is held there.
func TestWorstAnswers(t *testing.T) {
	objects := func(n int) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = map[string]any{"": 0}
		}
		return list
	}
	for name, spoil := range map[string]func(id, receipt *verifiertest.Draft){
		"a good one": func(_, _ *verifiertest.Draft) {},
		"objects": func(id, receipt *verifiertest.Draft) {
			id.Claims["x"], receipt.Claims["x"] = objects(2_000), objects(2_000)
		},
		"disclosures": func(id, receipt *verifiertest.Draft) { disclose(t, id, objects(14)); disclose(t, receipt, objects(14)) },
		"everything": func(id, receipt *verifiertest.Draft) {
			id.Claims["x"], receipt.Claims["x"] = objects(1_850), objects(1_850)
			disclose(t, id, objects(14))
			disclose(t, receipt, objects(14))
		},
		"long strings": func(id, receipt *verifiertest.Draft) {
			id.Claims["x"], receipt.Claims["x"] = strings.Repeat("x", 90<<10), strings.Repeat("x", 90<<10)
		},
	} {
		s := newScene(t, nil)
		var waiting []*http.Request
		for range 8 { // one for each time that it is measured
			tx := s.Start(t).Ask(t)
			r, _ := s.fetch(t, tx, recovery.FlowSameDevice)
			b := verifiertest.Bind(s.Clock())
			b.Claims["nonce"], b.Claims["aud"] = r.Nonce, r.ClientID
			id := s.issuer.VerifiedID(s.holder)
			receipt := s.issuer.Receipt(id, 90)
			spoil(id, receipt)
			token, err := json.Marshal(map[string][]string{"verified_id": {s.holder.Present(t, id, b)}, "face_check": {s.holder.Present(t, receipt, b)}})
			if err != nil {
				t.Fatal(err)
			}
			form := s.answer(t, r, nil)
			form.Set("vp_token", string(token))
			waiting = append(waiting, facetest.FormRequest(path(r.ResponseURI), form))
		}
		var got *httptest.ResponseRecorder
		costtest.Check(t, name, func() {
			s.Log.Reset()
			got = s.Do(waiting[0])
			waiting = waiting[1:]
		})
		if got.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, got.Code, s.Log)
		}
	}
}

// disclose adds as many disclosures as there may be.
func disclose(t *testing.T, d *verifiertest.Draft, value any) {
	t.Helper()
	for len(d.Disclosures) < 120 {
		d.Conceal(t, string(rune('A'+len(d.Disclosures)/26))+string(rune('a'+len(d.Disclosures)%26)), value)
	}
}
