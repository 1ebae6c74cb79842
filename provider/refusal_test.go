package provider_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"regain/conformance/wallet"
	"regain/internal/config"
)

// Whatever comes to the response endpoint and is no answer is refused with 4xx and a JSON error, is recorded, and leaves
// the request open for its wallet.
func TestEveryRefusalIsRecorded(t *testing.T) {
	f := setUpWallets(t, nil, config.WalletConfig{})
	page := f.asked(t)
	request := f.review(t, page)
	target := request.ResponseURI()
	big := strings.Repeat("x", 600<<10)
	recorded := func() int {
		text, err := os.ReadFile(f.AuditLog())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "presentation_rejected")
	}
	for name, row := range map[string]struct{ contentType, body string }{
		"nothing":                 {formType, ""},
		"another type":            {"application/json", `{"vp_token":{}}`},
		"a broken form":           {formType, "response=%zz"},
		"too large":               {formType, "response=" + big},
		"twice":                   {formType, "response=a&response=b"},
		"an answer and an error":  {formType, "response=a.b.c.d.e&error=access_denied"},
		"not encrypted":           {formType, url.Values{"vp_token": {`{}`}, "state": {"x"}}.Encode()},
		"no JWE":                  {formType, "response=x"},
		"a JWE of nobody":         {formType, "response=e30.e30.e30.e30.e30"},
		"an error without state":  {formType, "error=access_denied"},
		"an error of another one": {formType, "error=access_denied&state=x"},
		"many fields":             {formType, strings.Repeat("a=b&", 40) + "response=x"},
	} {
		before := recorded()
		resp, text := f.send(t, http.MethodPost, target, row.contentType, row.body)
		var body struct{ Error, Description, Correlation string }
		if err := json.Unmarshal([]byte(text), &body); err != nil || resp.StatusCode/100 != 4 || body.Error == "" || recorded() != before+1 {
			t.Errorf("%s: %d %s, %d recorded", name, resp.StatusCode, text, recorded()-before)
		}
	}
	before, answered := recorded(), f.share(t, request)
	if _, err := f.wallet.Share(t.Context(), request, wallet.ShareOptions{Tamper: wallet.Tamper{ReplayLast: true}}); err == nil || recorded() != before+1 {
		t.Errorf("a replay: %v, %d recorded", err, recorded()-before)
	}
	next, err := f.browser.Open(t.Context(), answered)
	f.finishes(t, f.must(t, next, err))
	for _, handle := range []string{"", "x", "x.y", strings.Repeat("x", 5000)} {
		if resp, _ := f.send(t, http.MethodPost, f.Regain+"/openid4vp/response/"+handle, formType, "response=x"); resp.StatusCode/100 != 4 {
			t.Errorf("%.20s: %d", handle, resp.StatusCode)
		}
	}
}

// A wallet that hangs up before it is told is recorded like any other: answers cannot be tried unseen.
func TestHangingUpIsRecorded(t *testing.T) {
	f := setUpWallets(t, nil, config.WalletConfig{})
	target := f.review(t, f.asked(t)).ResponseURI()
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	for _, body := range []string{"response=x", "vp_token=Lovelace", "response=%zLovelace"} {
		request := httptest.NewRequestWithContext(gone, http.MethodPost, target, strings.NewReader(body))
		request.Header.Set("Content-Type", formType)
		f.Node.ServeHTTP(httptest.NewRecorder(), request)
	}
	text, err := os.ReadFile(f.AuditLog())
	if err != nil || strings.Count(string(text), "presentation_rejected") != 3 || strings.Contains(string(text), "Lov") {
		t.Errorf("%v, and the audit log has %s", err, text)
	}
}
