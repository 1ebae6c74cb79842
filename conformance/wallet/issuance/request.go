package issuance

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
	"regain/conformance/wallet/agent"
)

// Issued is what the issuer handed over for one configuration.
type Issued struct {
	Kind         Kind
	Credentials  []string            // in an order that says nothing about the keys
	Keys         []*ecdsa.PrivateKey // each credential is bound to one of them
	Notification string              // empty when the issuer wants to hear nothing
}

// Request asks for a credential, or as many copies of it as the client is to have, each bound to a
// key of its own: two verifiers cannot tell that two copies belong to one wallet, and a stolen key
// opens one copy only. When the nonce went stale in between it asks once more (OpenID4VCI 1.0 §8.3.1.2).
func (s *Session) Request(ctx context.Context, kind Kind) (Issued, error) {
	issued := Issued{Kind: kind}
	for range max(1, min(s.client.cfg.Copies, s.offer.metadata.Batch.Size)) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), s.client.cfg.Random)
		if err != nil {
			return issued, fmt.Errorf("making a holder key: %w", err)
		}
		issued.Keys = append(issued.Keys, key)
	}
	response, err := s.request(ctx, kind, issued.Keys)
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Code == "invalid_nonce" {
		response, err = s.request(ctx, kind, issued.Keys)
	}
	if err != nil {
		return issued, fmt.Errorf("requesting the credential: %w", err)
	}
	if len(response.Credentials) == 0 || len(response.Credentials) > len(issued.Keys) {
		return issued, fmt.Errorf("requesting the credential: %d keys were offered and %d credentials came back",
			len(issued.Keys), len(response.Credentials))
	}
	for _, entry := range response.Credentials {
		issued.Credentials = append(issued.Credentials, entry.Credential)
	}
	issued.Notification = response.Notification
	return issued, nil
}

// response is a Credential Response (OpenID4VCI 1.0 §8.3).
type response struct {
	Credentials []struct {
		Credential string `json:"credential"`
	} `json:"credentials"`
	Transaction  string  `json:"transaction_id"`
	Interval     float64 `json:"interval"`
	Notification string  `json:"notification_id"`
}

func (s *Session) request(ctx context.Context, kind Kind, keys []*ecdsa.PrivateKey) (response, error) {
	proofs, err := s.proofs(ctx, kind, keys)
	if err != nil {
		return response{}, err
	}
	body := map[string]any{"proofs": map[string]any{"jwt": proofs}}
	if id := s.token.identifier(kind.ID); id != "" {
		body["credential_identifier"] = id
	} else {
		body["credential_configuration_id"] = kind.ID
	}
	got, err := s.exchange(ctx, s.offer.metadata.CredentialURL, body)
	if err != nil || got.Transaction == "" {
		return got, err
	}
	return s.await(ctx, got)
}

// identifier returns what the token was issued for; once the server names it, it must be used (OpenID4VCI 1.0 §6.2).
func (t accessToken) identifier(configuration string) string {
	for _, d := range t.Details {
		if d.Type == "openid_credential" && d.Configuration == configuration && len(d.Identifiers) > 0 {
			return d.Identifiers[0]
		}
	}
	return ""
}

// proofs show possession of the keys (OpenID4VCI 1.0 Appendix F.1), all for one nonce and with one key attestation.
func (s *Session) proofs(ctx context.Context, kind Kind, keys []*ecdsa.PrivateKey) ([]string, error) {
	claims := map[string]any{"aud": s.offer.Issuer, "iat": s.client.cfg.Clock().Unix()}
	if s.method != "" {
		claims["iss"] = s.client.cfg.Identity.ClientID // and never when the token was got anonymously
	}
	if endpoint := s.offer.metadata.NonceURL; endpoint != "" {
		nonce, got, err := s.client.agent.Nonce(ctx, endpoint)
		if err != nil {
			return nil, err
		}
		s.learn(got)
		claims["nonce"] = nonce
	}
	attestation, err := s.vouch(ctx, kind, keys, claims)
	if err != nil {
		return nil, err
	}
	proofs := make([]string, len(keys))
	for i, key := range keys {
		h := embedding(key, "openid4vci-proof+jwt")
		if attestation != "" {
			h["key_attestation"] = attestation
		}
		if proofs[i], err = jose.Sign(key, h, claims); err != nil {
			return nil, err
		}
	}
	return proofs, nil
}

// vouch has the wallet's provider attest the keys where the issuer wants that (OpenID4VCI 1.0 Appendix D.1, F.1).
func (s *Session) vouch(ctx context.Context, kind Kind, keys []*ecdsa.PrivateKey, claims map[string]any) (string, error) {
	if !kind.attested {
		return "", nil
	}
	public := make([]*ecdsa.PublicKey, len(keys))
	for i, key := range keys {
		public[i] = &key.PublicKey
	}
	nonce, _ := claims["nonce"].(string)
	attestation, err := s.client.cfg.Identity.AttestKeys(ctx, nonce, public)
	if err != nil {
		return "", fmt.Errorf("asking the wallet provider for a key attestation: %w", err)
	}
	return attestation, nil
}

// exchange sends a request to the credential or the deferred credential endpoint, encrypted when the
// issuer can do that.
func (s *Session) exchange(ctx context.Context, endpoint string, body map[string]any) (response, error) {
	sealed, err := s.seal(body)
	if err != nil {
		return response{}, err
	}
	header := http.Header{"Accept": {agent.JSON + ", " + typeJWT}, "Content-Type": {sealed.mediaType}}
	got, err := s.post(ctx, endpoint, header, func(http.Header) (string, error) { return sealed.text, nil })
	if err == nil {
		err = got.Expect(http.StatusOK, http.StatusAccepted)
	}
	if err != nil {
		return response{}, err
	}
	plain, err := sealed.open(got)
	if err != nil {
		return response{}, err
	}
	var r response
	if err := json.Unmarshal(plain, &r); err != nil {
		return response{}, fmt.Errorf("the answer is not the JSON expected: %w", err)
	}
	if (got.Status == http.StatusAccepted) != (r.Transaction != "") || r.Transaction != "" && len(r.Credentials) > 0 {
		return response{}, errors.New("the answer is neither credentials nor a promise of them")
	}
	return r, nil
}

// Events of a notification (OpenID4VCI 1.0 §11.1).
const (
	Accepted = "credential_accepted"
	Failure  = "credential_failure"
	Deleted  = "credential_deleted"
)

// Notify tells the issuer what became of what it issued, if it wants to hear that (OpenID4VCI 1.0 §11).
func (s *Session) Notify(ctx context.Context, issued Issued, event string) error {
	endpoint := s.offer.metadata.NotificationURL
	if endpoint == "" || issued.Notification == "" {
		return nil
	}
	if !slices.Contains([]string{Accepted, Failure, Deleted}, event) {
		return fmt.Errorf("notifying the issuer: there is no event %q", event)
	}
	text, err := json.Marshal(map[string]string{"notification_id": issued.Notification, "event": event})
	if err != nil {
		return fmt.Errorf("encoding the notification: %w", err)
	}
	got, err := s.post(ctx, endpoint, http.Header{"Content-Type": {agent.JSON}}, func(http.Header) (string, error) { return string(text), nil })
	if err == nil && got.Status/100 != 2 {
		err = got.Expect()
	}
	if err != nil {
		return fmt.Errorf("notifying the issuer: %w", err)
	}
	return nil
}
