// Package openid is the face that clients and brokers see: an OpenID provider with the endpoints of OAuth 2.0, and the two
// moments at which a recovery meets them: its start at the authorization endpoint, and its end, when the browser is sent
// back to the client. It reads requests, asks provider/oauth and the domain, and renders what they say.
//
//	GET            /.well-known/openid-configuration  metadata (also /.well-known/oauth-authorization-server)
//	GET            /jwks                              keys
//	POST           /par                               pushed authorization request
//	GET POST       /authorize                         opens a transaction → /recover/{txn}
//	POST           /authorize/account                 the person says which account, where the client did not
//	POST           /recover/{txn}/finish              back to the client, with a code or an error
//	POST           /token                             code → tokens, recovery token: issues the pass
//	POST           /introspect                        what a token of the client's stands for
//	POST           /revoke                            ends a token of the client's
//	GET POST       /userinfo
//	GET POST       /logout                            ends the browser's session, and tells the clients
//	POST           /register                          a client registers itself, where the operator lets it
//	GET PUT DELETE /register/{client}                 and manages its registration
//	POST           /pass/verify                       verify and consume a pass, for the main IdP
package openid

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/backchannel"
	"regain/provider/binding"
	"regain/provider/keys"
	"regain/provider/oauth"
	"regain/provider/registration"
	"regain/provider/sessions"
	"regain/provider/web"
	"regain/recovery"
)

// ACR is the authentication context of a recovery: a Verified ID and a Face Check, both bound to the person
// holding the wallet. amrVerified are its methods (RFC 8176): proof of possession of the wallet's key, and the face.
const ACR = "urn:regain:acr:verified-id-face-check"

func amrVerified() []string { return []string{"pop", "face"} }

// PassVerifier verifies and consumes passes for the client that got them. Every kind of no is an inactive verdict.
type PassVerifier interface {
	Verify(ctx context.Context, client recovery.ClientID, account recovery.AccountID, pass string) (PassVerdict, error)
}

// PassVerdict is the answer of the pass endpoint (docs/protocols.md §1).
type PassVerdict struct {
	Active      bool
	UsableOnce  bool
	ExpiresAt   time.Time
	Transaction recovery.TransactionID
	RetryAfter  time.Duration // too many guesses: until then nothing is compared; whether the account is known or not
}

// Config is what the operator decides about the OpenID provider.
type Config struct {
	Issuer string // URL without a trailing slash
	// MutualTLS is the URL under which clients show certificates (RFC 8705 §5), without a trailing slash; "" for none.
	MutualTLS string
	// ClientRoots says that there are CAs whose certificates authenticate clients (tls_client_auth).
	ClientRoots bool
	// Attributes are the names of the directory's attributes; nil if the directory cannot tell.
	Attributes []string
	// ServiceDocumentation, PolicyURI and TermsURI are for people who register clients (RFC 8414 §2); "" for none.
	ServiceDocumentation, PolicyURI, TermsURI string
	// EntraContract publishes what clients with the contract entra-external-method look for in the metadata.
	EntraContract bool
}

// Deps are the parts; all are required but Registration.
type Deps struct {
	Web      *web.Web
	Binding  *binding.Binding
	OAuth    *oauth.Server
	Recovery *recovery.Service
	Sessions *sessions.Sessions
	Ring     *keys.Ring
	Passes   PassVerifier
	Notify   backchannel.Notifier
	// Registration lets clients register themselves; nil when nobody may.
	Registration *registration.Service
	Clock        func() time.Time
}

// Endpoints serve clients, and the browsers that clients send.
type Endpoints struct {
	oauth         *oauth.Server
	publication   publication
	authorization *authorization
	tokens        *tokens
	signOut       *signOut
	registrar     *registrar // nil where no client may register itself
}

// New refuses missing parts.
func New(cfg Config, deps Deps) (*Endpoints, error) {
	if issuer, err := url.Parse(cfg.Issuer); err != nil || issuer.Host == "" {
		return nil, errors.New("openid: issuer is not a URL")
	}
	if deps.Web == nil || deps.Binding == nil || deps.OAuth == nil || deps.Recovery == nil || deps.Sessions == nil || deps.Ring == nil ||
		deps.Passes == nil || deps.Notify == nil || deps.Clock == nil {
		return nil, errors.New("openid: a part is missing")
	}
	metadata, err := encodeMetadata(cfg, deps)
	if err != nil {
		return nil, err
	}
	remembered := browserSessions{deps.Sessions}
	e := &Endpoints{
		oauth:         deps.OAuth,
		publication:   publication{metadata, deps.Ring},
		authorization: &authorization{deps.Web, deps.OAuth, deps.Recovery, remembered, deps.Clock, deps.Binding},
		tokens:        &tokens{cfg.Issuer, deps.OAuth, deps.Recovery, deps.Ring, deps.Passes, deps.Clock},
		signOut:       &signOut{deps.Web, deps.OAuth, deps.Recovery, remembered, backchannel.New(deps.Notify, deps.Web.Logger())},
	}
	if deps.Registration != nil {
		e.registrar = &registrar{deps.Registration}
	}
	return e, nil
}

// Close waits, for a bounded time, for what clients are still to be told. No request may be in progress.
func (e *Endpoints) Close() error { return e.signOut.clients.Close() }

// Programs are the addresses that clients' programs call; browsers come to the others.
func Programs() web.Programs {
	return web.Programs{"/.well-known", "/jwks", "/par", "/token", "/introspect", "/revoke", "/userinfo", registration.Path, "/pass"}
}

// Mount adds the endpoints to a router, and the end of a recovery to its group.
func (e *Endpoints) Mount(r gin.IRouter, txn *gin.RouterGroup) {
	e.publication.mount(r)
	e.authorization.mount(r, txn, e.forClient)
	e.tokens.mount(r, e.forClient)
	e.signOut.mount(r)
	if e.registrar != nil {
		e.registrar.mount(r, e.forClient)
	}
}
