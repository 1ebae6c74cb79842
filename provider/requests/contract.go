package requests

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"regain/provider/claims"
	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/problem"
	"regain/provider/remotekeys"
)

// checkOkta checks that a request conforms to okta-idv. Its scopes identity_assurance and idv_flow_… are unknown here,
// and change nothing.
func checkOkta(wanted claims.Request) *problem.Error {
	if _, err := contract.ReadOkta(wanted); err != nil {
		return problem.InvalidRequest("The claims parameter is not that of the contract okta-idv: see docs/federate/okta.md.").WithCause(err)
	}
	return nil
}

// Echo holds the values that the ID token of entra-external-method repeats from the request.
type Echo struct {
	Subject string `json:"sub"`
	Nonce   string `json:"nonce"`
	ACR     string `json:"acr"`
	AMR     string `json:"amr"`
}

// Entra reads a request of entra-external-method. It asks for an ID token from the authorization endpoint. The core is not
// configured for that response type, since no other client may use it (RFC 9700 §2.1.2, implicit grant). Parameters that the
// contract does not name are ignored. With a refusal it returns the request as Addressed does.
func (r *Reader) Entra(ctx context.Context, client *clients.Client, form url.Values) (Authorization, *problem.Error) {
	a := Addressed(client, form)
	if refusal := r.checkEntra(client, form); refusal != nil {
		return a, refusal
	}
	wanted, err := claims.Parse(form.Get("claims"))
	if err != nil {
		return a, problem.InvalidRequest("The claims parameter is malformed.").WithCause(err)
	}
	acr, amr, err := contract.ChooseEntra(wanted)
	if err != nil {
		return a, problem.AccessDenied("None of the factors asked for can be shown here: possession of the wallet, or the face.").WithCause(err)
	}
	hint, err := r.tenants.Verify(ctx, client.Tenant, form.Get("id_token_hint"))
	if errors.Is(err, remotekeys.ErrUnavailable) {
		return a, problem.Unavailable(err)
	}
	if err != nil {
		return a, problem.InvalidRequest("The id_token_hint is not a current token of the tenant for this application.").WithCause(err)
	}
	a.Account, a.Form = hint.ObjectID, url.Values{"client_id": {client.ID}}
	a.Echo = &Echo{Subject: hint.Subject, Nonce: form.Get("nonce"), ACR: acr, AMR: amr}
	return a, nil
}

func (r *Reader) checkEntra(client *clients.Client, form url.Values) *problem.Error {
	switch {
	case !strings.EqualFold(form.Get("response_type"), "id_token"): // Microsoft's documentation also spells it Id_token
		return problem.New(http.StatusBadRequest, "unsupported_response_type", "The response_type of this client is id_token.")
	case form.Get("response_mode") != string(ModeFormPost):
		return problem.InvalidRequest("The response_mode of this client is form_post.")
	case !slices.Contains(strings.Fields(form.Get("scope")), clients.ScopeOpenID):
		return problem.New(http.StatusBadRequest, "invalid_scope", "The scope must contain openid.")
	case form.Get("nonce") == "", len(form.Get("nonce")) > maxNonce:
		return problem.InvalidRequest("The nonce is missing or too long.")
	case len(form.Get("claims")) > maxClaims, len(form.Get("id_token_hint")) > maxHint, len(form.Get("state")) > MaxState:
		return problem.InvalidRequest("A parameter is too long.")
	case !r.core.Registered(client, form.Get("redirect_uri")):
		return problem.InvalidRequest("The redirect_uri is not registered for the client.")
	}
	return nil
}
