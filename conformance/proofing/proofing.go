// Package proofing is an identity proofing provider: it looks at a document and a face, and issues a Verified ID into
// a wallet. It stands on the far side of three protocols, written from the specifications and from docs/protocols.md,
// and imports nothing of the product it talks to:
//
//   - the one-time hand-off, by which a relying party sends a person here and gets them back (package handoff);
//   - OpenID4VCI 1.0 with the pre-authorized code flow, by which the wallet fetches the Verified ID (packages offer and
//     vci): an SD-JWT VC, a mobile driving licence (mdoc), or a JWT VC for wallets like Microsoft Authenticator (package
//     credential), whose status stands in a Token Status List (package status);
//   - the Face Check, which compares the photo in a Verified ID with a selfie and issues a receipt (package facecheck).
//
// A person sees package pages. What all of them need is below them: web, random and authority.
//
//	handoff, offer ← pages       offer, credential ← vci       credential ← facecheck, offer       status ← credential
//
// Every Server has a certification authority of its own, made when it starts: two servers do not trust each other,
// which is how tests get an unknown issuer. All state is in memory and bounded.
package proofing

import (
	"fmt"
	"net/http"

	"regain/conformance/proofing/authority"
	"regain/conformance/proofing/credential"
	"regain/conformance/proofing/facecheck"
	"regain/conformance/proofing/handoff"
	"regain/conformance/proofing/jwtvc"
	"regain/conformance/proofing/nonce"
	"regain/conformance/proofing/offer"
	"regain/conformance/proofing/pages"
	"regain/conformance/proofing/random"
	"regain/conformance/proofing/status"
	"regain/conformance/proofing/vci"
	"regain/conformance/proofing/web"
)

// capacity is how many journeys, offers and hand-offs are kept: each.
const capacity = 20_000

// Server is the provider. It is safe for concurrent use.
type Server struct {
	config  Config
	keys    *authority.Authority
	vcs     *jwtvc.Issuer
	issuer  *credential.Issuer
	offers  *offer.Book
	status  *status.Lists
	handler http.Handler
}

// New makes a server with a certification authority of its own. It refuses a configuration with missing parts.
func New(config Config) (*Server, error) {
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("configuring the proofing provider: %w", err)
	}
	s := &Server{config: config.withDefaults()}
	source := random.New(config.Random)
	if err := s.equip(source); err != nil {
		return nil, fmt.Errorf("configuring the proofing provider: %w", err)
	}
	mux, err := s.mount(source)
	if err != nil {
		return nil, fmt.Errorf("configuring the proofing provider: %w", err)
	}
	s.handler = protect(mux, s.config)
	return s, nil
}

// equip makes what issues credentials, and what is kept of them.
func (s *Server) equip(source *random.Source) (err error) {
	c := s.config
	if s.keys, err = authority.New(c.Name, c.BaseURL, c.Clock()); err != nil {
		return fmt.Errorf("making the certification authority: %w", err)
	}
	if s.vcs, err = jwtvc.New(jwtvc.Config{BaseURL: c.BaseURL, Random: source}); err != nil {
		return err
	}
	sign := s.keys.Status.Sign
	if c.BareStatusKey {
		sign = s.keys.Status.SignBare
	}
	s.status = status.New(status.Config{
		BaseURL: c.BaseURL, TTL: c.StatusTTL, Sign: sign, Clock: c.Clock, Random: source, Errors: web.Errors{Logger: c.Logger},
	})
	s.issuer = credential.NewIssuer(credential.Config{
		BaseURL: c.BaseURL, Type: c.Type, Signer: s.keys.Issuer, Licences: s.keys.Licences, VCs: s.vcs,
		Status: s.status, Studio: c.Studio, Random: source, Clock: c.Clock,
	})
	s.offers = offer.NewBook(offer.Config{
		Name: c.Name, BaseURL: c.BaseURL, WalletEndpoint: c.WalletOfferEndpoint, Configurations: c.Offers,
		TransactionCode: c.TransactionCode, Capacity: capacity, Random: source, Clock: c.Clock,
	})
	return nil
}

// mount makes the endpoints and pages over that, and lets each mount itself.
func (s *Server) mount(source *random.Source) (*http.ServeMux, error) {
	c, errors := s.config, web.Errors{Logger: s.config.Logger}
	nonces, err := nonce.NewBook(source) // one for both who take a c_nonce
	if err != nil {
		return nil, err
	}
	wallets, err := vci.New(vci.Config{
		Name: c.Name, BaseURL: c.BaseURL, Type: c.Type, FaceCheckURL: c.BaseURL + facecheck.Path, Metadata: s.keys.Metadata,
		Offers: s.offers, Issuer: s.issuer, Revoke: s.status.Revoke, Nonces: nonces, Random: source, Clock: c.Clock, Errors: errors,
		Wallets: c.Wallets, Attesters: c.Attesters, KeyAttesters: c.KeyAttesters,
	})
	if err != nil {
		return nil, err
	}
	people, err := pages.New(pages.Config{
		Name: c.Name, BaseURL: c.BaseURL, Offers: s.offers, Capacity: capacity, Studio: c.Studio, Random: source, Clock: c.Clock, Errors: errors,
		Handoffs: handoff.NewReader(handoff.Config{
			Issuer: c.RegainIssuer, Audience: s.StartURL(), HTTPClient: c.HTTPClient, Clock: c.Clock,
		}),
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, part := range []interface{ Mount(*http.ServeMux) }{
		wallets, s.offers, s.status, people, publications{vcs: s.vcs, licences: s.keys.Licences, clock: c.Clock, errors: errors},
		facecheck.New(facecheck.Config{
			BaseURL: c.BaseURL, Type: c.Type, Keys: s.keys, VCs: s.vcs, Nonces: nonces, Studio: c.Studio, Random: source, Clock: c.Clock, Errors: errors,
		}),
	} {
		part.Mount(mux)
	}
	return mux, nil
}
