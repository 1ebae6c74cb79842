package wallet_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"regain/conformance/wallet/wallettest"
)

func TestOfferHandler(t *testing.T) {
	for name, row := range map[string]struct {
		query  func(*wallettest.Env) string
		status int
		says   string
	}{
		"by value": {func(w *wallettest.Env) string {
			return url.Values{"credential_offer": {wallettest.ToJSON(t, w.Issuer.Offer())}}.Encode()
		}, http.StatusOK, `"type":"` + wallettest.IdentityType + `"`},
		"by reference": {func(w *wallettest.Env) string { return strings.SplitN(w.Issuer.Link(), "?", 2)[1] }, http.StatusOK, `"credential":`},
		"with a transaction code": {func(w *wallettest.Env) string {
			offer := w.Issuer.Offer()
			offer["grants"].(map[string]any)["urn:ietf:params:oauth:grant-type:pre-authorized_code"].(map[string]any)["tx_code"] = map[string]any{}
			return url.Values{"credential_offer": {wallettest.ToJSON(t, offer)}}.Encode()
		}, http.StatusOK, `"credential":`},
		"refused": {func(w *wallettest.Env) string {
			query := url.Values{"credential_offer": {wallettest.ToJSON(t, w.Issuer.Offer())}}.Encode()
			w.Issuer.Code = "used up"
			return query
		}, http.StatusBadGateway, "invalid_grant"},
		"nothing": {func(*wallettest.Env) string { return "" }, http.StatusBadRequest, "error"},
	} {
		t.Run(name, func(t *testing.T) {
			w := wallettest.New(t)
			req := httptest.NewRequest(http.MethodGet, "/offer?"+row.query(w), nil)
			got := httptest.NewRecorder()
			w.Wallet.OfferHandler("123456").ServeHTTP(got, req)
			if got.Code != row.status || !strings.Contains(got.Body.String(), row.says) {
				t.Errorf("%d %s", got.Code, got.Body)
			}
			if held := len(w.Wallet.Credentials()); (held == 1) != (row.status == http.StatusOK) {
				t.Errorf("%d credentials", held)
			}
			if name == "with a transaction code" && !strings.Contains(w.Issuer.Forms[0], "tx_code=123456") {
				t.Errorf("sent %s", w.Issuer.Forms[0])
			}
		})
	}
}
