package mtls_test

import (
	"encoding/base64"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"regain/internal/costtest"
	"regain/internal/publickey/publickeytest"
	"regain/provider/mtls"
)

// The worst header that a proxy can hand on of a client's certificate.
func TestWorst(t *testing.T) {
	s, err := mtls.New(mtls.Config{Header: "Client-Cert", Proxies: []string{"192.0.2.1"}})
	if err != nil {
		t.Fatal(err)
	}
	giant := publickeytest.Certificate(t, publickeytest.RSA(8192, math.MaxInt32))
	long := append(giant, make([]byte, 10<<10)...)
	for name, value := range map[string]string{
		"giant": ":" + base64.StdEncoding.EncodeToString(giant) + ":", "long": ":" + base64.StdEncoding.EncodeToString(long) + ":",
		"escapes": strings.Repeat("%41", 10<<10), "lines": url.QueryEscape("-----BEGIN CERTIFICATE-----\n" + strings.Repeat("A\n", 7<<10)), "headers": url.QueryEscape(strings.Repeat("-----BEGIN CERTIFICATE-----\n", 500)),
		"too long": strings.Repeat(":", 1<<20),
	} {
		costtest.Check(t, name, func() {
			r := httptest.NewRequest(http.MethodPost, "/token", nil)
			r.Header["Client-Cert"] = []string{value}
			_, _ = s.Certificate(r)
		})
	}
}
