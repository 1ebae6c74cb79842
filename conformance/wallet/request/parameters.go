package request

import (
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/address"
)

const (
	selfIssued    = "https://self-issued.me/v2" // aud of a request under static discovery, §5.8
	clockSkew     = time.Minute
	oldestRequest = 24 * time.Hour
)

// parameters are those of a request (OpenID4VP 1.0 §5.1, §5.2, Appendix A.2).
type parameters struct {
	ClientID     string          `json:"client_id"`
	Audience     any             `json:"aud"`
	ResponseType string          `json:"response_type"`
	ResponseMode string          `json:"response_mode"`
	ResponseURI  *string         `json:"response_uri"`
	RedirectURI  json.RawMessage `json:"redirect_uri"`
	Nonce        string          `json:"nonce"`
	State        string          `json:"state"`
	WalletNonce  *string         `json:"wallet_nonce"`
	Query        json.RawMessage `json:"dcql_query"`
	Scope        *string         `json:"scope"`
	Metadata     json.RawMessage `json:"client_metadata"`
	Transactions json.RawMessage `json:"transaction_data"`
	Info         json.RawMessage `json:"verifier_info"`
	Origins      []string        `json:"expected_origins"`
	Nested       json.RawMessage `json:"request"`
	NestedURI    json.RawMessage `json:"request_uri"`
	IssuedAt     *float64        `json:"iat"`
	NotBefore    *float64        `json:"nbf"`
	Expires      *float64        `json:"exp"`
}

func (s sender) read() (parameters, error) {
	var p parameters
	if err := json.Unmarshal(s.payload, &p); err != nil {
		return parameters{}, turnDown(InvalidRequest, "its claims are not the JSON expected: %w", err)
	}
	return p, nil
}

// channel finds where the answer goes, and whether it has to be encrypted.
func (r *Reader) channel(s sender, p parameters) (*Channel, bool, error) {
	uri := s.responseURI(p)
	switch {
	case p.ResponseMode != "direct_post" && p.ResponseMode != "direct_post.jwt":
		return nil, false, turnDown(InvalidRequest, "response_mode is neither direct_post.jwt nor direct_post")
	case !urlSafe(p.State):
		return nil, false, turnDown(InvalidRequest, "state has characters that are not URL safe")
	}
	if err := address.CheckEndpoint(uri); err != nil {
		return nil, false, turnDown(InvalidRequest, "response_uri: %w", err)
	}
	if s.mayReceive != nil && !s.mayReceive(uri) {
		return nil, false, turnDown(InvalidRequest, "response_uri is not one that the client_id may use")
	}
	channel := &Channel{ResponseURI: uri, State: p.State}
	sealed := p.ResponseMode == "direct_post.jwt"
	if !sealed && !r.Policy.Plain {
		return nil, false, channel.report(turnDown(InvalidRequest, "response_mode does not encrypt, which this wallet wants"))
	}
	return channel, sealed, nil
}

// responseURI is the parameter or, where it may be left out, the client_id (OpenID4VP 1.0 §5.9.3, redirect_uri).
func (s sender) responseURI(p parameters) string {
	switch {
	case p.ResponseURI != nil:
		return *p.ResponseURI
	case s.Prefix == RedirectURI:
		return strings.TrimPrefix(s.ClientID, string(RedirectURI)+":")
	}
	return ""
}

// content reads what is asked for, which is the same however the request came.
func (r *Reader) content(p parameters, m metadata) (*Request, error) {
	switch {
	case p.Nested != nil || p.NestedURI != nil:
		return nil, turnDown(InvalidRequest, "it holds another request")
	case p.ResponseType != "vp_token":
		return nil, turnDown(UnsupportedResponseType, "response_type is not vp_token")
	case len(p.Nonce) < 16 || !urlSafe(p.Nonce):
		return nil, turnDown(InvalidRequest, "nonce is short or has characters that are not URL safe")
	}
	query, err := r.Policy.query(p)
	if err != nil {
		return nil, err
	}
	if err := m.formats.check(query); err != nil {
		return nil, err
	}
	request := &Request{Nonce: p.Nonce, Query: query, Formats: m.formats}
	if request.Transactions, err = r.Policy.transactions(p.Transactions, query); err != nil {
		return nil, err
	}
	if request.Info, err = readInfo(p.Info, query); err != nil {
		return nil, err
	}
	if p.Expires != nil {
		request.Expires = unix(*p.Expires)
	}
	return request, nil
}

// checkAudience wants a request object to be meant for wallets (OpenID4VP 1.0 §5.8). A request without a signature says
// nothing by leaving it out.
func (p parameters) checkAudience(required bool) error {
	if p.Audience != selfIssued && (required || p.Audience != nil) {
		return turnDown(InvalidRequest, "aud is not %s", selfIssued)
	}
	return nil
}

func (p parameters) checkWalletNonce(sent *string) error {
	if sent == nil && p.WalletNonce != nil {
		return turnDown(InvalidRequest, "wallet_nonce in a request that was fetched without one")
	}
	if sent != nil && (p.WalletNonce == nil || *p.WalletNonce != *sent) {
		return turnDown(InvalidRequest, "wallet_nonce did not come back: the request may be a replay")
	}
	return nil
}

func (p parameters) checkTimes(now time.Time) error {
	if p.Expires != nil && !now.Before(unix(*p.Expires)) {
		return turnDown(InvalidRequest, "%w", ErrExpired)
	}
	for _, t := range []*float64{p.IssuedAt, p.NotBefore} {
		if t != nil && unix(*t).After(now.Add(clockSkew)) {
			return turnDown(InvalidRequest, "iat or nbf lies in the future")
		}
	}
	if p.IssuedAt != nil && unix(*p.IssuedAt).Before(now.Add(-oldestRequest)) {
		return turnDown(InvalidRequest, "%w: it was issued more than a day ago", ErrExpired)
	}
	return nil
}

// checkOrigin wants the page that asks among those that the signer expects to ask for it, as
// strings: otherwise another page replays its request (OpenID4VP 1.0 Appendix A.2).
func (p parameters) checkOrigin(origin string) error {
	if !slices.Contains(p.Origins, origin) {
		return turnDown(InvalidRequest, "expected_origins does not hold the origin that asks")
	}
	return nil
}

// urlSafe allows the characters of OpenID4VP 1.0 §5.2 for nonce and state.
func urlSafe(s string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	return len(s) <= 1024 && strings.Trim(s, allowed) == ""
}
