//go:build proxies

package proxies_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regain/conformance/proxies"
)

const (
	nginx = "../../deploy/nginx/regain.conf"
	caddy = "../../deploy/caddy/Caddyfile"
)

// TestChecksBite breaks one line of a configuration, which its check has to notice; others may notice too.
func TestChecksBite(t *testing.T) {
	for _, row := range []struct{ file, line, becomes, fails string }{
		{nginx, "proxy_set_header X-Forwarded-For $remote_addr; #", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; #", "forged-address-is-replaced"},
		{nginx, `proxy_set_header Client-Cert "";`, "", "forged-certificate-is-removed"},
		{nginx, "proxy_next_upstream error timeout; #", "proxy_next_upstream error timeout non_idempotent; #", "what-was-sent-is-not-sent-again"},
		{nginx, "proxy_set_header Host $http_host;", "proxy_set_header Host $proxy_host;", "host-is-passed-on"},
		{nginx, "proxy_buffer_size 16k; # a redirect may carry a whole signed answer", "", "long-redirects-pass"},
		{nginx, "proxy_read_timeout 150s;", "proxy_read_timeout 50ms;", "events-come-at-once"},
		{nginx, "client_max_body_size 1m; #", "client_max_body_size 256k; #", "answers-of-wallets-pass-and-larger-ones-do-not"},
		{nginx, "client_max_body_size 1m; #", "client_max_body_size 0; #", "answers-of-wallets-pass-and-larger-ones-do-not"},
		{nginx, "proxy_set_header Client-Cert $ssl_client_escaped_cert;", "", "certificate-is-passed-on-at-its-host"},
		{nginx, "    random; #", "    ip_hash; #", "any-node-answers-and-one-that-goes-away-is-passed-over"},
		{caddy, "	buffer_requests\n", "", "any-node-answers-and-one-that-goes-away-is-passed-over"},
		{caddy, "header_up -Client-Cert", "", "forged-certificate-is-removed"},
		{caddy, "lb_policy random", "lb_policy ip_hash", "any-node-answers-and-one-that-goes-away-is-passed-over"},
		{caddy, "max_size 1MB", "max_size 10MB", "answers-of-wallets-pass-and-larger-ones-do-not"},
	} {
		t.Run(row.fails+" without "+row.line, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(row.file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), row.line) {
				t.Fatalf("%s has no %q", row.file, row.line)
			}
			broken := filepath.Join(t.TempDir(), filepath.Base(row.file))
			if err := os.WriteFile(broken, []byte(strings.ReplaceAll(string(text), row.line, row.becomes)), 0o600); err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			if err := proxies.Check(broken, &said); !errors.Is(err, proxies.ErrFailed) {
				t.Fatalf("got %v: %s", err, &said)
			}
			if !strings.Contains(said.String(), "FAIL "+row.fails+": ") {
				t.Errorf("got %s", &said)
			}
		})
	}
}
