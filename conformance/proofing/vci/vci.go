// Package vci is the wallet's side of the provider: OpenID4VCI 1.0 with the pre-authorized code flow, by which the wallet
// fetches the Verified ID.
//
//	GET  /.well-known/openid-credential-issuer    what is issued here
//	GET  /.well-known/oauth-authorization-server  how tokens are given out
//	GET  /authorize                               refuses: there is no authorization code flow
//	POST /token                                   a pre-authorized code for an access token
//	POST /nonce                                   a c_nonce for key proofs
//	POST /credential                              credentials for the holder of an access token
//	POST /notification                            what became of them
//
// Each endpoint is a type of its own, which has what it needs and no more. What they share is the grants.
package vci

import (
	"fmt"
	"net/http"
	"time"

	"regain/conformance/jose"
	"regain/conformance/proofing/authority"
	"regain/conformance/proofing/client"
	"regain/conformance/proofing/credential"
	"regain/conformance/proofing/dpop"
	"regain/conformance/proofing/nonce"
	"regain/conformance/proofing/offer"
	"regain/conformance/proofing/random"
	"regain/conformance/proofing/web"
)

// maxBatch is how many credentials of one configuration one offer is good for.
const maxBatch = 5

// Config says what the endpoints need. The first group is required.
type Config struct {
	Name         string // the provider's
	BaseURL      string // the credential issuer identifier
	Type         string // the vct of the Verified ID
	FaceCheckURL string
	Metadata     *authority.Signer
	Offers       *offer.Book
	Issuer       *credential.Issuer
	Revoke       func(name string) error // a credential that the wallet did not keep
	Nonces       *nonce.Book
	Random       *random.Source
	Clock        func() time.Time
	Errors       web.Errors

	Wallets      []client.Wallet
	Attesters    []client.Attester
	KeyAttesters jose.JWKSet
}

// Endpoints are what wallets talk to. They are safe for concurrent use.
type Endpoints struct {
	metadata      *metadata
	tokens        *tokens
	nonces        *nonces
	credentials   *credentials
	notifications *notifications
	access        *access
}

// New makes the endpoints.
func New(c Config) (*Endpoints, error) {
	door, err := client.NewDoor(client.Config{Issuer: c.BaseURL, Wallets: c.Wallets, Attesters: c.Attesters, Clock: c.Clock})
	if err != nil {
		return nil, err
	}
	proofs, err := dpop.New(c.Random, c.Clock)
	if err != nil {
		return nil, err
	}
	requests, err := jose.NewEncryptionKey()
	if err != nil {
		return nil, fmt.Errorf("making the key for credential requests: %w", err)
	}
	held := newGrants(c.Clock)
	checked := &access{baseURL: c.BaseURL, door: door, proofs: proofs, grants: held, errors: c.Errors}
	keys := keyProofs{baseURL: c.BaseURL, nonces: c.Nonces, attesters: c.KeyAttesters, clock: c.Clock}
	return &Endpoints{
		access:   checked,
		metadata: &metadata{config: c, door: door, requests: requests},
		tokens: &tokens{
			baseURL: c.BaseURL, door: door, proofs: proofs, offers: c.Offers, grants: held, random: c.Random, errors: c.Errors,
		},
		nonces: &nonces{book: c.Nonces, proofs: proofs, clock: c.Clock, errors: c.Errors},
		credentials: &credentials{
			access: checked, grants: held, keys: keys, issuer: c.Issuer, requests: requests, random: c.Random, errors: c.Errors,
		},
		notifications: &notifications{access: checked, grants: held, revoke: c.Revoke, errors: c.Errors},
	}, nil
}

// Mount serves the endpoints.
func (e *Endpoints) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /.well-known/openid-credential-issuer", e.metadata.serveIssuer)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", e.metadata.serveServer)
	mux.HandleFunc("GET /authorize", e.metadata.serveAuthorize)
	mux.HandleFunc("POST /token", e.access.renewing(e.tokens.serve))
	mux.HandleFunc("POST /nonce", e.nonces.serve)
	mux.HandleFunc("POST /credential", e.access.renewing(e.credentials.serve))
	mux.HandleFunc("POST /notification", e.access.renewing(e.notifications.serve))
}
