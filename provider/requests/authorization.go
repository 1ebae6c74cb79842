package requests

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/problem"
)

// Authorization is a validated authorization request of a registered client. It is stored, encrypted, with the
// transaction, and answered once.
type Authorization struct {
	ClientID          string            `json:"client_id"`
	RedirectURI       string            `json:"redirect_uri"`
	State             string            `json:"state,omitempty"`
	Mode              ResponseMode      `json:"mode,omitempty"`
	Form              url.Values        `json:"form"`              // the parameters for the core, which validates them again when it issues the code
	Account           string            `json:"account,omitempty"` // from login_hint or id_token_hint; "" if the person must name it, and in a transaction, which has it itself
	AuthnRequirements AuthnRequirements `json:"authn_requirements,omitzero"`
	Claims            string            `json:"claims,omitempty"`   // the claims parameter as sent
	CodeKey           string            `json:"code_key,omitempty"` // thumbprint of the DPoP key that the code will be bound to (RFC 9449 §10)
	Pushed            string            `json:"pushed,omitempty"`
	Held              bool              `json:"held,omitempty"` // its lifetime was extended for the person, which happens once
	Echo              *Echo             `json:"echo,omitempty"` // entra-external-method only
}

// Recovers reports whether the request asks for a recovery token.
func (a Authorization) Recovers() bool {
	return slices.Contains(strings.Fields(a.Form.Get("scope")), clients.ScopeRecovery)
}

// Addressed returns what a form says of where its answer goes, and nothing else of it. None of that is checked: it is for a
// refusal, which reaches the client only where Core.Registered allows.
func Addressed(client *clients.Client, form url.Values) Authorization {
	return Authorization{ClientID: client.ID, RedirectURI: form.Get("redirect_uri"), State: form.Get("state"), Mode: ResponseMode(form.Get("response_mode"))}
}

// Authorization reads an authorization request of a client. With a refusal it returns the request as Addressed does.
func (r *Reader) Authorization(ctx context.Context, client *clients.Client, form url.Values) (Authorization, *problem.Error) {
	form, refusal := r.unpack(ctx, client, form)
	if refusal != nil {
		return Addressed(client, form), refusal
	}
	a, refusal := r.validate(ctx, client, form)
	if refusal != nil {
		return Addressed(client, form), refusal
	}
	return a, nil
}

// validate checks the form, and has the core check the parameters that it may see.
func (r *Reader) validate(ctx context.Context, client *clients.Client, form url.Values) (Authorization, *problem.Error) {
	requirements, cleaned, refusal := clean(client, form)
	if refusal != nil {
		return Authorization{}, refusal
	}
	wanted, refusal := r.readClaims(form.Get("claims"))
	if refusal != nil {
		return Authorization{}, refusal
	}
	if client.Contract == contract.OktaIDV {
		if refusal := checkOkta(wanted); refusal != nil {
			return Authorization{}, refusal
		}
	}
	if refusal := r.core.Check(ctx, cleaned); refusal != nil { // which requires the redirect_uri, and a registered one
		return Authorization{}, refusal
	}
	account, refusal := r.namedAccount(ctx, client, form, wanted)
	if refusal != nil {
		return Authorization{}, refusal
	}
	if refusal := checkAccount(account); refusal != nil {
		return Authorization{}, refusal
	}
	a := Addressed(client, form)
	a.Form, a.Account, a.AuthnRequirements, a.Claims, a.CodeKey = cleaned, account, requirements, form.Get("claims"), form.Get("dpop_jkt")
	return a, nil
}
