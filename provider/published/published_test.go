package published_test

import (
	"net/http/httptest"
	"slices"
	"testing"

	"regain/provider/published"
)

func TestCalled(t *testing.T) {
	const issuer, alias = "https://recover.example.org/regain", "https://mtls.example.org:8443/regain"
	for _, row := range []struct {
		alias, host string
		want        []string
	}{
		{"", "recover.example.org", []string{issuer + "/token"}},
		{"", "evil.example", []string{issuer + "/token"}}, // Host chooses between what is configured, and adds nothing
		{"", "", []string{issuer + "/token"}},             // a request without a host called no alias that there is not
		{alias, "", []string{issuer + "/token", alias + "/token"}},
		{alias, "recover.example.org", []string{issuer + "/token"}},
		{alias, "RECOVER.example.org:443", []string{issuer + "/token"}},
		{alias, "mtls.example.org:8443", []string{alias + "/token"}},
		{alias, "MTLS.example.org:8443", []string{alias + "/token"}},
		{alias, "mtls.example.org", []string{issuer + "/token", alias + "/token"}},
		{alias, "10.0.0.7:8400", []string{issuer + "/token", alias + "/token"}}, // a proxy wrote its own
		{"https://recover.example.org/mtls", "recover.example.org", []string{issuer + "/token", "https://recover.example.org/mtls/token"}},
	} {
		b, err := published.New(issuer, row.alias)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/token", nil)
		r.Host = row.host
		if got := b.Called(r); !slices.Equal(got, row.want) {
			t.Errorf("alias %q, host %s: %q, want %q", row.alias, row.host, got, row.want)
		}
	}
	for _, mistake := range []string{"", "/", "recover.example.org", "https://recover.example.org/", ":"} {
		if _, err := published.New(mistake, ""); err == nil {
			t.Errorf("%q as issuer", mistake)
		}
		if _, err := published.New(mistake, alias); err == nil {
			t.Errorf("%q as issuer beside an alias", mistake)
		}
		if _, err := published.New(issuer, mistake); err == nil && mistake != "" {
			t.Errorf("%q as alias", mistake)
		}
	}
}
