package issuance

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
	"regain/conformance/wallet/agent"
)

// The methods of token_endpoint_auth_methods_supported that a wallet with an identity knows.
const (
	methodKey         = "private_key_jwt"
	methodAttestation = "attest_jwt_client_auth"
)

const assertionLife = time.Minute

// method is how the wallet authenticates at the server: empty for not at all.
func (c *Client) method(s server) (string, error) {
	id := c.cfg.Identity
	switch {
	case id == nil:
		return "", nil // whether anybody may come is for the server to say, with an error
	case id.Key != nil && (len(s.Methods) == 0 || slices.Contains(s.Methods, methodKey)):
		return methodKey, nil
	case id.Attest != nil && slices.Contains(s.Methods, methodAttestation):
		return methodAttestation, nil
	case slices.Contains(s.Methods, "none"):
		return "", nil
	}
	return "", errors.New("the authorization server takes no authentication that this wallet can do")
}

// authenticate adds what proves who the wallet is: fresh for each request, since it works once.
func (s *Session) authenticate(ctx context.Context, form url.Values, header http.Header) error {
	switch s.method {
	case methodKey:
		return s.assert(form)
	case methodAttestation:
		return s.attest(ctx, form, header)
	}
	return nil
}

// assert is private_key_jwt. The audience is the server's identifier and nothing else: an assertion
// for a URL could be replayed by another server that answers there.
func (s *Session) assert(form url.Values) error {
	id, now := s.client.cfg.Identity, s.client.cfg.Clock()
	jti, err := s.client.text(16)
	if err != nil {
		return err
	}
	header := map[string]any{}
	if id.KeyID != "" {
		header["kid"] = id.KeyID
	}
	assertion, err := jose.Sign(id.Key, header, map[string]any{
		"iss": id.ClientID, "sub": id.ClientID, "aud": s.offer.server.Issuer, "jti": jti,
		"iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	if err != nil {
		return err
	}
	form.Set("client_id", id.ClientID)
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	return nil
}

// attest is attestation-based client authentication: the provider's word for a key of this session,
// and a proof that the wallet holds it, with the server's challenge where it gives any.
func (s *Session) attest(ctx context.Context, form url.Values, header http.Header) error {
	id, now := s.client.cfg.Identity, s.client.cfg.Clock()
	if s.instance == nil {
		key, err := ecdsa.GenerateKey(elliptic.P256(), s.client.cfg.Random)
		if err != nil {
			return fmt.Errorf("making a key for the attestation: %w", err)
		}
		if s.attestation, err = id.Attest(ctx, &key.PublicKey); err != nil {
			return fmt.Errorf("asking the wallet provider for an attestation: %w", err)
		}
		s.instance = key
	}
	jti, err := s.client.text(16)
	if err != nil {
		return err
	}
	claims := map[string]any{
		"iss": id.ClientID, "aud": s.offer.server.Issuer, "jti": jti, "iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	}
	if challenge, err := s.challenge(ctx); err != nil {
		return err
	} else if challenge != "" {
		claims["challenge"] = challenge
	}
	proof, err := jose.Sign(s.instance, map[string]any{"typ": "oauth-client-attestation-pop+jwt"}, claims)
	if err != nil {
		return err
	}
	form.Set("client_id", id.ClientID)
	header.Set("OAuth-Client-Attestation", s.attestation)
	header.Set("OAuth-Client-Attestation-PoP", proof)
	return nil
}

// challenge fetches what the proof has to be made for, if the server wants that.
func (s *Session) challenge(ctx context.Context) (string, error) {
	endpoint := s.offer.server.ChallengeURL
	if endpoint == "" {
		return "", nil
	}
	got, err := s.client.agent.Send(ctx, http.MethodPost, endpoint, http.Header{"Accept": {agent.JSON}}, "")
	if err == nil {
		err = got.Expect(http.StatusOK)
	}
	if err != nil {
		return "", fmt.Errorf("fetching an attestation challenge: %w", err)
	}
	var body struct {
		Challenge string `json:"attestation_challenge"`
	}
	if err := json.Unmarshal(got.Body, &body); err != nil || body.Challenge == "" {
		return "", errors.New("fetching an attestation challenge: there is none in the answer")
	}
	return body.Challenge, nil
}
