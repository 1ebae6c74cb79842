package wallet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4/json"
)

// Accept takes up an offer without asking the person: ReadOffer and Add in one.
func (w *Wallet) Accept(ctx context.Context, offerURL string) (Credential, error) {
	offer, err := w.ReadOffer(ctx, offerURL)
	if err != nil {
		return Credential{}, err
	}
	return w.Add(ctx, offer)
}

// Add takes up the offer: token, nonce, proof of a fresh key, credential (OpenID4VCI 1.0 §6 to §8).
// What comes back is checked before it is kept.
func (w *Wallet) Add(ctx context.Context, offer *Offer) (Credential, error) {
	token, err := w.redeem(ctx, offer)
	if err != nil {
		return Credential{}, fmt.Errorf("redeeming the pre-authorized code: %w", err)
	}
	// A key of its own for each credential: two verifiers cannot tell that two credentials
	// belong to one wallet, and a stolen key opens one credential only.
	key, err := ecdsa.GenerateKey(elliptic.P256(), w.cfg.Random)
	if err != nil {
		return Credential{}, fmt.Errorf("making a holder key: %w", err)
	}
	raw, err := w.request(ctx, offer, token, key)
	if err != nil {
		return Credential{}, fmt.Errorf("requesting the credential: %w", err)
	}
	c, err := w.inspect(offer.format, raw, offer.typ, &key.PublicKey)
	if err != nil {
		return Credential{}, fmt.Errorf("checking the credential: %w", err)
	}
	c.Name = offer.CredentialName
	w.keep(&holding{
		Credential: c, key: key, issuer: offer.Issuer,
		faceCheckURL: offer.metadata.FaceCheckURL, nonceURL: offer.metadata.NonceURL,
	})
	w.cfg.Logger.InfoContext(ctx, "credential added", "credential", c)
	return c, nil
}

// accessToken is the token endpoint's answer (§6.2).
type accessToken struct {
	Value   string `json:"access_token"`
	Type    string `json:"token_type"`
	Details []struct {
		Type          string   `json:"type"`
		Configuration string   `json:"credential_configuration_id"`
		Identifiers   []string `json:"credential_identifiers"`
	} `json:"authorization_details"`
}

func (w *Wallet) redeem(ctx context.Context, offer *Offer) (accessToken, error) {
	form := url.Values{"grant_type": {preAuthorized}, "pre-authorized_code": {offer.code}}
	answer, err := w.postForm(ctx, offer.tokenURL, "application/json", form.Encode())
	if err != nil {
		return accessToken{}, err
	}
	var token accessToken
	if err := answer.decode(&token); err != nil {
		return accessToken{}, err
	}
	if token.Value == "" || !strings.EqualFold(token.Type, "Bearer") {
		return accessToken{}, errors.New("the answer has no bearer access token")
	}
	return token, nil
}

// nonce fetches a c_nonce (§7), empty when the issuer has no nonce endpoint.
func (w *Wallet) nonce(ctx context.Context, endpoint string) (string, error) {
	if endpoint == "" {
		return "", nil
	}
	answer, err := w.postForm(ctx, endpoint, "application/json", "")
	if err != nil {
		return "", fmt.Errorf("fetching a nonce: %w", err)
	}
	var body struct {
		Nonce string `json:"c_nonce"`
	}
	if err := answer.decode(&body); err != nil {
		return "", fmt.Errorf("reading the nonce: %w", err)
	}
	if body.Nonce == "" {
		return "", errors.New("reading the nonce: c_nonce is missing")
	}
	return body.Nonce, nil
}

// request asks for the credential, once more when the nonce went stale in between (§8.3.1.2).
func (w *Wallet) request(ctx context.Context, offer *Offer, token accessToken, key *ecdsa.PrivateKey) (string, error) {
	raw, err := w.requestOnce(ctx, offer, token, key)
	var refused *ResponseError
	if errors.As(err, &refused) && refused.Code == "invalid_nonce" {
		return w.requestOnce(ctx, offer, token, key)
	}
	return raw, err
}

func (w *Wallet) requestOnce(ctx context.Context, offer *Offer, token accessToken, key *ecdsa.PrivateKey) (string, error) {
	nonce, err := w.nonce(ctx, offer.metadata.NonceURL)
	if err != nil {
		return "", err
	}
	proof, err := w.proof(offer.Issuer, nonce, key)
	if err != nil {
		return "", err
	}
	body := map[string]any{"proofs": map[string]any{"jwt": []string{proof}}}
	if id := token.identifier(offer.configuration); id != "" {
		body["credential_identifier"] = id
	} else {
		body["credential_configuration_id"] = offer.configuration
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("encoding the request: %w", err)
	}
	answer, err := w.post(ctx, offer.metadata.CredentialURL, http.Header{
		"Accept": {"application/json"}, "Content-Type": {"application/json"}, "Authorization": {"Bearer " + token.Value},
	}, string(raw))
	if err != nil {
		return "", err
	}
	var issued struct {
		Credentials []struct {
			Credential string `json:"credential"`
		} `json:"credentials"`
	}
	if err := answer.decode(&issued); err != nil {
		return "", err
	}
	if len(issued.Credentials) != 1 {
		return "", fmt.Errorf("one key was offered and %d credentials came back", len(issued.Credentials))
	}
	return issued.Credentials[0].Credential, nil
}

// identifier returns what the token was issued for; once the server names it, it must be used (§6.2).
func (t accessToken) identifier(configuration string) string {
	for _, d := range t.Details {
		if d.Type == "openid_credential" && d.Configuration == configuration && len(d.Identifiers) > 0 {
			return d.Identifiers[0]
		}
	}
	return ""
}

// proof shows possession of the key (Appendix F.1). There is no iss: the token was got anonymously.
func (w *Wallet) proof(issuer, nonce string, key *ecdsa.PrivateKey) (string, error) {
	claims := map[string]any{"aud": issuer, "iat": w.cfg.Clock().Unix()}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	return sign(key, "openid4vci-proof+jwt", true, claims)
}
