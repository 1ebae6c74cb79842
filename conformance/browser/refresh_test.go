package browser_test

import (
	"net/http"
	"testing"

	"regain/conformance/browser"
)

// A page that refreshes itself goes on by GET, where no form-action has a say, and only if it says so exactly.
func TestRefresh(t *testing.T) {
	form := `<form id="f" method="post" action="/leave"><button id="go"></button></form>`
	policy := "default-src 'none'; form-action 'self'"
	for name, c := range map[string]struct {
		meta string
		goes bool
	}{
		"at once":        {`<meta http-equiv="refresh" content="0;url=https://other.example/in?a=1&amp;b=2">`, true},
		"in other words": {`<meta http-equiv="Refresh" content="0; URL=https://other.example/in?a=1&amp;b=2">`, true},
		"later":          {`<meta http-equiv="refresh" content="5;url=https://other.example/in">`, false},
		"itself":         {`<meta http-equiv="refresh" content="0">`, false},
		"something else": {`<meta name="refresh" content="0;url=https://other.example/in">`, false},
	} {
		w := &web{origins: map[string]http.HandlerFunc{
			"https://one.example":   at(map[string]http.HandlerFunc{"/": page(form, "Content-Security-Policy", policy), "/leave": page("<head>" + c.meta + "</head>on")}),
			"https://other.example": at(map[string]http.HandlerFunc{"/in": redirect(http.StatusSeeOther, "https://third.example/")}),
			"https://third.example": page("there"),
		}}
		b := browser.New(browser.Config{HTTPClient: &http.Client{Transport: w}})
		end, err := submit(t, b, open(t, b, "https://one.example/"), "f", nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if goes := end.URL.Host == "third.example"; goes != c.goes {
			t.Errorf("%s: the browser is at %s", name, end.URL)
		}
		if last := w.last(); c.goes && (last.Method != http.MethodGet || last.Header.Get("Sec-Fetch-Site") != "cross-site") {
			t.Errorf("%s: %s with Sec-Fetch-Site %s", name, last.Method, last.Header.Get("Sec-Fetch-Site"))
		}
	}
}
