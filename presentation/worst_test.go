package presentation_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/costtest"
	"regain/internal/strictjson"
	"regain/presentation"
)

const (
	maxResponse = 256 << 10
	maxMetadata = 32 << 10
	most        = strictjson.MaxValues - 16
)

// The worst answers, encrypted and not, with the state of their request.
func TestWorstAnswers(t *testing.T) {
	plainly := newProfile(t)
	plainly.ResponseMode = presentation.DirectPost
	encrypted, plain := newRequest(t), requestOf(t, plainly)
	for name, value := range costtest.JSON(maxResponse*3/4-200, most) {
		for place, payload := range map[string]string{
			"member": fmt.Sprintf(`{"state":%q,"x":%s}`, encrypted.State, value), "vp_token": fmt.Sprintf(`{"state":%q,"vp_token":%s}`, encrypted.State, value),
			"presentations": fmt.Sprintf(`{"state":%q,"vp_token":{"verified_id":%s}}`, encrypted.State, value),
		} {
			sealed := form(seal(t, key(t, encrypted), jose.A256GCM, payload))
			costtest.Check(t, "encrypted, "+place+": "+name, func() { _, _ = encrypted.Open(sealed, noon) })
		}
	}
	for name, value := range costtest.JSON(maxResponse-100, most) {
		for place, token := range map[string]string{"vp_token": value, "presentations": `{"verified_id":` + value + "}"} {
			sent := url.Values{"vp_token": {token}, "state": {plain.State}}
			costtest.Check(t, "plain, "+place+": "+name, func() { _, _ = plain.Open(sent, noon) })
		}
	}
	parts := strings.Split(seal(t, key(t, encrypted), jose.A128GCM, answer(encrypted)), ".")
	for name, response := range map[string]string{
		"points": strings.Repeat(".", maxResponse), "a header": strings.Repeat("e", maxResponse) + "....", "no header": "...." + strings.Repeat("e", maxResponse-4),
		"a ciphertext that is none": strings.Join([]string{parts[0], "", parts[2], strings.Repeat("A", maxResponse-1000), parts[4]}, "."),
	} {
		costtest.Check(t, "encrypted, "+name, func() { _, _ = encrypted.Open(form(response), noon) })
	}
}

// The worst that a page can hand over for a wallet.
func TestWorstBrowserAnswers(t *testing.T) {
	p := inBrowser(newProfile(t), presentation.Unsigned)
	p.ResponseMode = presentation.DirectPost
	r := browserRequestOf(t, p)
	for name, value := range costtest.JSON(maxResponse-100, most) {
		for place, data := range map[string]string{"data": value, "vp_token": `{"vp_token":` + value + "}", "response": `{"response":` + value + "}"} {
			costtest.Check(t, place+": "+name, func() { _, _ = p.OpenBrowser(r, string(presentation.Unsigned), []byte(data), noon) })
		}
	}
}

// The worst that a wallet can say of itself when it fetches its request.
func TestWorstMetadata(t *testing.T) {
	p := newProfile(t)
	r := requestOf(t, p)
	for name, value := range costtest.JSON(maxMetadata-100, most) {
		for place, metadata := range map[string]string{
			"": value, "formats": `{"vp_formats_supported":` + value + "}", "keys": `{"jwks":{"keys":` + value + "}}", "prefixes": `{"client_id_prefixes_supported":` + value + "}",
		} {
			costtest.Check(t, place+": "+name, func() { _ = check(t, p, r, metadata) })
		}
	}
}
