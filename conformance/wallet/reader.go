package wallet

import (
	"context"

	"regain/conformance/wallet/request"
)

// reader reads requests under the wallet's policy and over its connections.
func (w *Wallet) reader() *request.Reader {
	return &request.Reader{
		Transport: transport{w}, Clock: w.cfg.Clock, Random: w.cfg.Random, Anchors: w.cfg.RequestAnchors, Policy: w.cfg.Requests,
	}
}

type transport struct{ w *Wallet }

// Get fetches by GET.
func (t transport) Get(ctx context.Context, endpoint, accept string) ([]byte, string, error) {
	answer, err := t.w.get(ctx, endpoint, accept)
	return answer.body, answer.mediaType, err
}

// PostForm fetches by POST.
func (t transport) PostForm(ctx context.Context, endpoint, accept, form string) ([]byte, string, error) {
	answer, err := t.w.postForm(ctx, endpoint, accept, form)
	return answer.body, answer.mediaType, err
}
