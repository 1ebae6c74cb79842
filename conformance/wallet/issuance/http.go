package issuance

import (
	"context"
	"net/http"

	"regain/conformance/wallet/agent"
)

const typeJWT = "application/jwt"

// RefusedError is a refusal by the issuer.
type RefusedError = agent.ResponseError

func (c *Client) get(ctx context.Context, endpoint, accept string) (agent.Answer, error) {
	return c.agent.Get(ctx, endpoint, http.Header{"Accept": {accept}})
}
