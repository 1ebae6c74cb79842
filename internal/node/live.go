package node

import (
	"context"
	"crypto/tls"
	"net/url"
	"sync/atomic"

	"regain/internal/fetch"
	"regain/provider/clients"
	"regain/verifier"
)

// The types of this file stand in for parts that are made anew when their files change. A request that is being served
// goes on with the one that it began with.

// liveClients are the clients of the configuration.
type liveClients struct{ current atomic.Pointer[clients.Fixed] }

// Client implements clients.Registry.
func (l *liveClients) Client(ctx context.Context, id string) (*clients.Client, error) {
	return l.current.Load().Client(ctx, id)
}

// liveVerifier verifies under the trust rules of now. With new rules come new caches: what was verified under an anchor
// that was taken away must not be remembered.
type liveVerifier struct {
	current atomic.Pointer[verifier.Verifier]
}

// Verify implements evidence.Verifier.
func (l *liveVerifier) Verify(ctx context.Context, p verifier.Presentation, e verifier.Expect) (verifier.Verified, error) {
	return l.current.Load().Verify(ctx, p, e)
}

// liveFetcher fetches under the CAs of now.
type liveFetcher struct{ current atomic.Pointer[fetch.Fetcher] }

// Get fetches a document.
func (l *liveFetcher) Get(ctx context.Context, address, accept string) (fetch.Response, error) {
	return l.current.Load().Get(ctx, address, accept)
}

// PostForm implements backchannel.Notifier.
func (l *liveFetcher) PostForm(ctx context.Context, address string, form url.Values) error {
	return l.current.Load().PostForm(ctx, address, form)
}

// liveCertificate is what the node shows when it terminates TLS.
type liveCertificate struct {
	current atomic.Pointer[tls.Certificate]
}

// config returns base with the certificate of now for each handshake.
func (l *liveCertificate) config(base *tls.Config) *tls.Config {
	base.Certificates = nil
	base.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return l.current.Load(), nil }
	return base
}
