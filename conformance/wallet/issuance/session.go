package issuance

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"regain/conformance/jose"
	"regain/conformance/wallet/agent"
)

// Session is an offer that was taken up: an access token, and the key that it is bound to.
type Session struct {
	client      *Client
	offer       *Offer
	method      string            // of client authentication; empty when the wallet came anonymously
	instance    *ecdsa.PrivateKey // what the provider attested
	attestation string

	key    *ecdsa.PrivateKey // for DPoP; nil where the server does not know it
	nonces map[string]string // the server's, for the next proof: by whether a token goes along
	token  accessToken
}

// accessToken is the token endpoint's answer (OpenID4VCI 1.0 §6.2).
type accessToken struct {
	Value   string `json:"access_token"`
	Type    string `json:"token_type"`
	Details []struct {
		Type          string   `json:"type"`
		Configuration string   `json:"credential_configuration_id"`
		Identifiers   []string `json:"credential_identifiers"`
	} `json:"authorization_details"`
}

// The two kinds of servers that give nonces of their own (RFC 9449 §8, §9).
const (
	nonceOfServer   = "authorization server"
	nonceOfResource = "resource server"
)

// Redeem takes up an offer (OpenID4VCI 1.0 §6.1). typed is what the person typed when TxCode asks for something.
func (c *Client) Redeem(ctx context.Context, o *Offer, typed string) (*Session, error) {
	if (o.TxCode == nil) != (typed == "") {
		return nil, fmt.Errorf("redeeming the pre-authorized code: %w: it is missing, or not asked for", ErrTransactionCode)
	}
	s := &Session{client: c, offer: o, nonces: map[string]string{}}
	var err error
	if s.method, err = c.method(o.server); err != nil {
		return nil, fmt.Errorf("redeeming the pre-authorized code: %w", err)
	}
	if slices.Contains(o.server.DPoP, "ES256") {
		if s.key, err = ecdsa.GenerateKey(elliptic.P256(), c.cfg.Random); err != nil {
			return nil, fmt.Errorf("making a DPoP key: %w", err)
		}
	}
	form := url.Values{"grant_type": {preAuthorized}, "pre-authorized_code": {o.code}}
	if typed != "" {
		form.Set("tx_code", typed)
	}
	if err := s.redeem(ctx, form); err != nil {
		return nil, fmt.Errorf("redeeming the pre-authorized code: %w", o.blame(err))
	}
	return s, nil
}

// blame says that the transaction code may be what is wrong: issuers have one error for it and for an
// offer that is too old (OpenID4VCI 1.0 §6.3), so that a person may try again.
func (o *Offer) blame(err error) error {
	var refused *RefusedError
	if o.TxCode == nil || !errors.As(err, &refused) || refused.Code != "invalid_grant" {
		return err
	}
	return fmt.Errorf("%w: %w", ErrTransactionCode, err)
}

func (s *Session) redeem(ctx context.Context, form url.Values) error {
	header := http.Header{"Accept": {agent.JSON}, "Content-Type": {agent.Form}}
	got, err := s.post(ctx, s.offer.server.TokenURL, header, func(h http.Header) (string, error) {
		err := s.authenticate(ctx, form, h)
		return form.Encode(), err
	})
	if err == nil {
		err = got.Expect(http.StatusOK)
	}
	if err != nil {
		return err
	}
	if err := got.Decode(&s.token); err != nil {
		return err
	}
	want := "Bearer"
	if s.key != nil {
		want = "DPoP"
	}
	if s.token.Value == "" || !strings.EqualFold(s.token.Type, want) {
		return errors.New("the answer has no access token of the type that was asked for")
	}
	return nil
}

// post sends a request with a DPoP proof, and once more when the server gives a nonce for it. body
// is asked each time for what is sent: assertions in it work once.
func (s *Session) post(ctx context.Context, endpoint string, header http.Header, body func(http.Header) (string, error)) (agent.Answer, error) {
	for again := false; ; again = true {
		h := maps.Clone(header)
		text, err := body(h)
		if err != nil {
			return agent.Answer{}, err
		}
		if err := s.prove(endpoint, h); err != nil {
			return agent.Answer{}, err
		}
		got, err := s.client.agent.Send(ctx, http.MethodPost, endpoint, h, text)
		if err != nil {
			return got, err
		}
		s.learn(got.Header)
		if again || s.key == nil || !wantsNonce(got) {
			return got, nil
		}
	}
}

// prove adds a DPoP proof for the endpoint, and the access token once there is one.
func (s *Session) prove(endpoint string, header http.Header) error {
	if s.token.Value != "" {
		scheme := "Bearer "
		if s.key != nil {
			scheme = "DPoP "
		}
		header.Set("Authorization", scheme+s.token.Value)
	}
	if s.key == nil {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return fmt.Errorf("reading the endpoint: %w", err)
	}
	u.RawQuery, u.ForceQuery = "", false // RFC 9449 §4.2
	jti, err := s.client.text(16)
	if err != nil {
		return err
	}
	claims := map[string]any{"jti": jti, "htm": http.MethodPost, "htu": u.String(), "iat": s.client.cfg.Clock().Unix()}
	if s.token.Value != "" {
		claims["ath"] = digest(s.token.Value)
	}
	if nonce := s.nonces[s.speaksTo()]; nonce != "" {
		claims["nonce"] = nonce
	}
	proof, err := jose.Sign(s.key, embedding(s.key, "dpop+jwt"), claims)
	if err != nil {
		return err
	}
	header.Set("DPoP", proof)
	return nil
}

func (s *Session) speaksTo() string {
	if s.token.Value == "" {
		return nonceOfServer
	}
	return nonceOfResource
}

// learn keeps the newest nonce (RFC 9449 §8.2).
func (s *Session) learn(header http.Header) {
	if nonce := header.Get("DPoP-Nonce"); nonce != "" {
		s.nonces[s.speaksTo()] = nonce
	}
}

// wantsNonce reports whether the answer asks for the same with a nonce (RFC 9449 §8, §9).
func wantsNonce(a agent.Answer) bool {
	asks := a.Status == http.StatusBadRequest && a.Member("error") == "use_dpop_nonce" ||
		a.Status == http.StatusUnauthorized && strings.Contains(a.Header.Get("WWW-Authenticate"), "use_dpop_nonce")
	return asks && a.Header.Get("DPoP-Nonce") != ""
}
