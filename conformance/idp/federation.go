package idp

import (
	"context"
	"errors"
	"fmt"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"regain/conformance/rp"
)

// acceptedACR is the authentication context that this IdP lets a recovery succeed with.
const acceptedACR = "urn:regain:acr:verified-id-face-check"

// discover reads Regain's metadata. It is done for each recovery: they are rare, and Regain may start after us.
func (s *Server) discover(ctx context.Context) (*oidc.Provider, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, s.cfg.HTTPClient), s.cfg.RegainIssuer)
	if err != nil {
		return nil, fmt.Errorf("discover Regain: %w", err)
	}
	return provider, nil
}

// redeem exchanges the code with the stock libraries, verifies the ID token, and opens the recovery token.
func (s *Server) redeem(ctx context.Context, attempt rp.Attempt, account, code string) (rp.Recovery, error) {
	ctx = oidc.ClientContext(ctx, s.cfg.HTTPClient)
	provider, err := s.discover(ctx)
	if err != nil {
		return rp.Recovery{}, err
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	assertion, err := s.rp.Assertion(s.text())
	if err != nil {
		return rp.Recovery{}, err
	}
	client := oauth2.Config{ClientID: s.cfg.ClientID, Endpoint: endpoint, RedirectURL: s.RedirectURI()}
	tokens, err := client.Exchange(ctx, code, oauth2.VerifierOption(attempt.Verifier),
		oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
		oauth2.SetAuthURLParam("client_assertion", assertion))
	if err != nil {
		return rp.Recovery{}, fmt.Errorf("redeem the code: %w", err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	verifier := provider.VerifierContext(ctx, &oidc.Config{ClientID: s.cfg.ClientID, Now: s.cfg.Clock, SupportedSigningAlgs: []string{oidc.ES256}})
	id, err := verifier.Verify(ctx, raw)
	if err != nil {
		return rp.Recovery{}, fmt.Errorf("verify the ID token: %w", err)
	}
	if id.Nonce != attempt.Nonce {
		return rp.Recovery{}, errors.New("the ID token's nonce is not the one that was sent")
	}
	recoveryToken, _ := tokens.Extra("recovery_token").(string)
	recovery, err := s.rp.Check(ctx, attempt, account, rp.Tokens{AccessToken: tokens.AccessToken, IDToken: raw, RecoveryToken: recoveryToken})
	if err != nil {
		return rp.Recovery{}, err
	}
	if recovery.ACR != acceptedACR {
		return rp.Recovery{}, fmt.Errorf("acr %q is not accepted here", recovery.ACR)
	}
	return recovery, s.useToken(recovery.ID)
}

// useToken refuses a recovery token that was seen before.
func (s *Server) useToken(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Clock()
	for old, until := range s.usedToken {
		if now.After(until) {
			delete(s.usedToken, old)
		}
	}
	if _, seen := s.usedToken[id]; seen || id == "" {
		return errors.New("the recovery token was used before")
	}
	s.usedToken[id] = now.Add(sessionLife)
	return nil
}
