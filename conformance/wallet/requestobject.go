package wallet

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/chain"
	"regain/conformance/wallet/dcql"
	"regain/conformance/wallet/jws"
)

const (
	hashPrefix       = "x509_hash:"
	selfIssued       = "https://self-issued.me/v2" // aud of a request under static discovery, §5.8
	requestType      = "oauth-authz-req+jwt"
	requestMediaType = "application/oauth-authz-req+jwt"
	clockSkew        = time.Minute
	oldestRequest    = 24 * time.Hour
)

// requestObject is the payload of the signed request (OpenID4VP 1.0 §5.1, §5.2).
type requestObject struct {
	ClientID     string          `json:"client_id"`
	Audience     any             `json:"aud"`
	ResponseType string          `json:"response_type"`
	ResponseMode string          `json:"response_mode"`
	ResponseURI  string          `json:"response_uri"`
	RedirectURI  json.RawMessage `json:"redirect_uri"`
	Nonce        string          `json:"nonce"`
	State        string          `json:"state"`
	WalletNonce  *string         `json:"wallet_nonce"`
	Query        json.RawMessage `json:"dcql_query"`
	Scope        json.RawMessage `json:"scope"`
	Metadata     *clientMetadata `json:"client_metadata"`
	Transaction  json.RawMessage `json:"transaction_data"`
	Nested       json.RawMessage `json:"request"`
	NestedURI    json.RawMessage `json:"request_uri"`
	IssuedAt     *float64        `json:"iat"`
	NotBefore    *float64        `json:"nbf"`
	Expires      *float64        `json:"exp"`
}

// fetchRequest gets the request object, by POST with a nonce of ours in it or by GET. It returns
// the nonce that has to come back, nil after a GET.
func (w *Wallet) fetchRequest(ctx context.Context, l link) (string, *string, error) {
	var answer reply
	var sent *string
	var err error
	if l.post {
		nonce, nonceErr := w.text(16)
		if nonceErr != nil {
			return "", nil, nonceErr
		}
		metadata, encodeErr := json.Marshal(walletMetadata())
		if encodeErr != nil {
			return "", nil, encodeErr
		}
		form := url.Values{"wallet_nonce": {nonce}, "wallet_metadata": {string(metadata)}}
		sent = &nonce
		answer, err = w.postForm(ctx, l.requestURI, requestMediaType, form.Encode())
	} else {
		answer, err = w.get(ctx, l.requestURI, requestMediaType)
	}
	if err != nil {
		return "", nil, err
	}
	if answer.mediaType != requestMediaType {
		return "", nil, turnDown("invalid_request", "the request is %s, not %s", answer.mediaType, requestMediaType)
	}
	return string(answer.body), sent, nil
}

// walletMetadata tells a verifier what this wallet can do (§10, §5.10).
func walletMetadata() map[string]any {
	signatures := jws.Algorithms()
	return map[string]any{
		"response_types_supported":                      []string{"vp_token"},
		"response_modes_supported":                      []string{"direct_post.jwt"},
		"client_id_prefixes_supported":                  []string{"x509_hash"},
		"request_object_signing_alg_values_supported":   signatures,
		"authorization_encryption_alg_values_supported": []string{"ECDH-ES"},
		"authorization_encryption_enc_values_supported": []string{"A128GCM", "A192GCM", "A256GCM"},
		"vp_formats_supported": map[string]any{sdJWTFormat: map[string]any{
			"sd-jwt_alg_values": signatures, "kb-jwt_alg_values": []string{"ES256"},
		}},
	}
}

// authenticate verifies the request object and that its signer is the client_id of the link and
// of the object itself: the hash of the certificate, not its name, is who asks (§5.9.3).
func (w *Wallet) authenticate(compact, clientID string) (requestObject, chain.Chain, error) {
	want := jws.Chained{Type: requestType, Anchors: w.cfg.RequestAnchors, Now: w.cfg.Clock()}
	payload, by, err := want.Verify(compact)
	if err != nil {
		return requestObject{}, nil, turnDown("invalid_request", "%w", err)
	}
	sum := sha256.Sum256(by.Leaf().Raw)
	if clientID != hashPrefix+base64.RawURLEncoding.EncodeToString(sum[:]) {
		return requestObject{}, nil, turnDown("invalid_request", "client_id is not the hash of the certificate that signed")
	}
	var o requestObject
	if err := json.Unmarshal(payload, &o); err != nil {
		return requestObject{}, nil, turnDown("invalid_request", "its claims are not the JSON expected: %w", err)
	}
	if o.ClientID != clientID {
		return requestObject{}, nil, turnDown("invalid_request", "client_id inside is not the one outside")
	}
	return o, by, nil
}

// check holds the request against the rules that need nothing but the request and the time.
func (o requestObject) check(now time.Time, walletNonce *string) error {
	switch {
	case o.Audience != selfIssued:
		return turnDown("invalid_request", "aud is not %s", selfIssued)
	case o.Nested != nil || o.NestedURI != nil:
		return turnDown("invalid_request", "it holds another request")
	case o.ResponseType != "vp_token":
		return turnDown("invalid_request", "response_type is not vp_token")
	case o.ResponseMode != "direct_post.jwt":
		return turnDown("invalid_request", "response_mode is not direct_post.jwt")
	case o.RedirectURI != nil:
		return turnDown("invalid_request", "redirect_uri must not stand beside response_uri")
	case o.Transaction != nil:
		return turnDown("invalid_transaction_data", "this wallet knows no type of transaction data")
	case o.Query == nil || o.Scope != nil:
		return turnDown("invalid_request", "it has to hold dcql_query and no scope")
	case len(o.Nonce) < 16 || !urlSafe(o.Nonce):
		return turnDown("invalid_request", "nonce is short or has characters that are not URL safe")
	case !urlSafe(o.State):
		return turnDown("invalid_request", "state has characters that are not URL safe")
	}
	if err := checkEndpoint(o.ResponseURI); err != nil {
		return turnDown("invalid_request", "response_uri: %w", err)
	}
	if err := o.checkWalletNonce(walletNonce); err != nil {
		return err
	}
	return o.checkTimes(now)
}

func (o requestObject) checkWalletNonce(sent *string) error {
	if sent == nil && o.WalletNonce != nil {
		return turnDown("invalid_request", "wallet_nonce in a request that was fetched without one")
	}
	if sent != nil && (o.WalletNonce == nil || *o.WalletNonce != *sent) {
		return turnDown("invalid_request", "wallet_nonce did not come back: the request may be a replay")
	}
	return nil
}

func (o requestObject) checkTimes(now time.Time) error {
	if o.Expires != nil && !now.Before(unix(*o.Expires)) {
		return turnDown("invalid_request", "%w", ErrExpired)
	}
	for _, t := range []*float64{o.IssuedAt, o.NotBefore} {
		if t != nil && unix(*t).After(now.Add(clockSkew)) {
			return turnDown("invalid_request", "iat or nbf lies in the future")
		}
	}
	if o.IssuedAt != nil && unix(*o.IssuedAt).Before(now.Add(-oldestRequest)) {
		return turnDown("invalid_request", "%w: it was issued more than a day ago", ErrExpired)
	}
	return nil
}

// query parses the DCQL query.
func (o requestObject) query() (dcql.Query, error) {
	q, err := dcql.Parse(o.Query)
	if err != nil {
		return q, turnDown("invalid_request", "%w", err)
	}
	return q, nil
}

func unix(seconds float64) time.Time { return time.Unix(int64(seconds), 0) }

// urlSafe allows the characters of §5.2 for nonce and state.
func urlSafe(s string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	return len(s) <= 1024 && strings.Trim(s, allowed) == ""
}
