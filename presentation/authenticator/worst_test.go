package authenticator_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"regain/internal/costtest"
	"regain/internal/strictjson"
)

// The worst answers of an Authenticator-style wallet.
func TestWorst(t *testing.T) {
	_, r := asked(t)
	token := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".eA"
	}
	check := func(name, token string, presentations ...string) {
		t.Helper()
		form := url.Values{"vp_token": presentations, "id_token": {token}, "state": {r.State}}
		costtest.Check(t, name, func() { _, _ = r.Open(form, noon) })
	}
	good := answerTo(r).post(t).Get("id_token")
	for name, value := range costtest.JSON(23<<10, strictjson.MaxValues-16) {
		check("token: "+name, token(value), "a.b.c")
		check("map: "+name, token(fmt.Sprintf(`{"_vp_token":{"presentation_submission":{"id":"s","definition_id":%q,"descriptor_map":%s}}}`, r.ID, value)), "a.b.c")
	}
	for name, value := range costtest.JSON(250<<10, strictjson.MaxValues-16) {
		check("vp_token: "+name, good, value)
	}
	check("points", strings.Repeat(".", 32<<10), strings.Repeat(".", 250<<10))
	check("many presentations", good, strings.Split(strings.Repeat("a.b.c,", 9_000), ",")...)
}
