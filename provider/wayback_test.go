package provider_test

import (
	"net/http"
	"strings"
	"testing"

	"regain/conformance/browser"
	"regain/conformance/testenv"
)

// A browser that loads the address of a form again, as one does that was closed meanwhile, or an address below the recovery
// that does not exist, is led back to the recovery, and one without its cookie is not.
func TestTheWayBackFromAddressesWithoutAPage(t *testing.T) {
	for _, path := range []string{"", issuerPath} {
		f := setUpEnv(t, testenv.Options{Path: path})
		page := f.asked(t)
		back := `href="` + page.URL.Path + `">Back to your recovery<`
		for below, status := range map[string]int{
			"/ask": http.StatusMethodNotAllowed, "/confirm": http.StatusMethodNotAllowed, "/proceed": http.StatusMethodNotAllowed, "/cancel": http.StatusMethodNotAllowed,
			"/pass": http.StatusMethodNotAllowed, "/proofing": http.StatusMethodNotAllowed, "/finish": http.StatusMethodNotAllowed, "/": http.StatusNotFound, "/nope": http.StatusNotFound,
		} {
			address := page.URL.String() + below
			answer, err := f.browser.Fetch(t.Context(), browser.Request{Method: http.MethodGet, Address: address})
			if err != nil {
				t.Fatal(err)
			}
			if answer.Status != status || !strings.Contains(string(answer.Body), back) {
				t.Errorf("%s: %d %s", below, answer.Status, answer.Body)
			}
			if _, body := f.send(t, http.MethodGet, address, "", ""); strings.Contains(body, back) || !strings.Contains(body, "How to start again") {
				t.Errorf("%s without the cookie: %s", below, body)
			}
		}
	}
}
