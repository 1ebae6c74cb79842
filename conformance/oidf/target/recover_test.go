package target_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"regain/conformance/oidf"
	"regain/conformance/oidf/target"
)

// TestEveryPlanIsAskedInItsOwnWay recovers the account of every plan of the verifier, with a wallet that only looks.
func TestEveryPlanIsAskedInItsOwnWay(t *testing.T) {
	var asked url.Values
	suite := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/test/a/regain/authorize" {
			http.NotFound(w, r)
			return
		}
		asked = r.URL.Query()
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<p>no"))
	}))
	defer suite.Close()
	party, err := target.Start(t.Context(), target.Options{Suite: suite.URL, Alias: "regain", LocalSuite: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer party.Close() //nolint:errcheck // the test is over
	plans, err := oidf.Plans()
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, p := range plans {
		p, err := p.Fill(party.Values)
		if err != nil {
			t.Fatal(err)
		}
		if p.Drive.Recover == "" {
			continue
		}
		count++
		asked = nil
		ending, err := party.Recover(t.Context(), p.Drive.Recover)
		if err != nil || ending.Succeeded || !strings.HasPrefix(ending.Page.URL.String(), party.Regain) {
			t.Errorf("%s: %+v, %v", p.Name, ending, err)
			continue
		}
		prefix, byValue := p.Variant["client_id_prefix"], p.Variant["request_method"] == "url_query"
		if prefix == "" { // HAIP has no other
			prefix = "x509_hash"
		}
		if !strings.HasPrefix(asked.Get("client_id"), prefix+":") || asked.Has("request_uri") == byValue {
			t.Errorf("%s is asked with %v", p.Name, asked)
		}
		format := map[string]string{"sd_jwt_vc": "dc+sd-jwt", "iso_mdl": "mso_mdoc"}[p.Variant["credential_format"]]
		if byValue && (asked.Get("response_mode") != p.Variant["response_mode"] || !strings.Contains(asked.Get("dcql_query"), format)) {
			t.Errorf("%s is asked with %v", p.Name, asked)
		}
	}
	if count < 14 {
		t.Errorf("%d plans recover an account", count)
	}
}
