package wallet

import (
	"context"
	"net"
	"net/http"
	"time"

	"regain/conformance/wallet/address"
	"regain/conformance/wallet/agent"
)

// ErrAddress reports an address that the wallet does not speak to.
var ErrAddress = address.ErrNotAllowed

// ResponseError is a refusal by the other party.
type ResponseError = agent.ResponseError

// NewHTTPClient returns a client that dials names under localhost at 127.0.0.1 whatever the
// resolver says (RFC 6761 §6.3) and gives up after the timeout.
func NewHTTPClient(timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: timeout}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, at string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(at)
			if err == nil && address.IsLocalhost(host) {
				at = net.JoinHostPort("127.0.0.1", port)
			}
			return dialer.DialContext(ctx, network, at)
		},
		TLSHandshakeTimeout: timeout,
		MaxIdleConns:        16,
		IdleConnTimeout:     time.Minute,
	}
	return &http.Client{Transport: transport, Timeout: timeout}
}
