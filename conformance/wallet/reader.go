package wallet

import (
	"context"
	"net/http"

	"regain/conformance/wallet/agent"
	"regain/conformance/wallet/request"
)

// newReader reads requests under the wallet's policy and over its connections.
func newReader(cfg Config, by agent.Agent) *request.Reader {
	return &request.Reader{
		Transport: transport{by}, Clock: cfg.Clock, Random: cfg.Random, Anchors: cfg.RequestAnchors, Policy: cfg.Requests,
	}
}

type transport struct{ agent agent.Agent }

// Get fetches by GET.
func (t transport) Get(ctx context.Context, endpoint, accept string) ([]byte, string, error) {
	answer, err := t.agent.Get(ctx, endpoint, http.Header{"Accept": {accept}})
	return answer.Body, answer.MediaType, err
}

// PostForm fetches by POST.
func (t transport) PostForm(ctx context.Context, endpoint, accept, form string) ([]byte, string, error) {
	header := http.Header{"Accept": {accept}, "Content-Type": {agent.Form}}
	answer, err := t.agent.Send(ctx, http.MethodPost, endpoint, header, form)
	if err == nil {
		err = answer.Expect(http.StatusOK)
	}
	return answer.Body, answer.MediaType, err
}
