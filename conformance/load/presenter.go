package load

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"regain/conformance/jose"
	"regain/conformance/testenv"
)

// Presenter is a wallet that costs little: one Verified ID of the first sample person, and a recent Face Check for it, which
// answer any number of requests. It reads no more of a request than its answer needs; the wallet that checks what it is
// asked is conformance/wallet. It can be used by several goroutines.
type Presenter struct{ holder *holder }

// NewPresenter has a Verified ID issued and takes a Face Check.
func NewPresenter(ctx context.Context, w *testenv.Env) (*Presenter, error) {
	h, err := newHolder(ctx, w)
	return &Presenter{h}, err
}

// request is what the wallet needs of a request object.
type request struct {
	ClientID    string `json:"client_id"`
	ResponseURI string `json:"response_uri"`
	Nonce       string `json:"nonce"`
	State       string `json:"state"`
	Metadata    struct {
		Keys jose.JWKSet `json:"jwks"`
	} `json:"client_metadata"`
}

// Present fetches the request that a page's link to the wallet leads to, answers it, and returns where the browser has to
// go.
func (p *Presenter) Present(ctx context.Context, client *http.Client, link string) (string, error) {
	wallet, err := url.Parse(link)
	if err != nil {
		return "", err
	}
	object, err := form(ctx, client, wallet.Query().Get("request_uri"), url.Values{"wallet_nonce": {"load"}})
	if err != nil {
		return "", err
	}
	payload, err := base64.RawURLEncoding.DecodeString(between(string(object), ".", "."))
	if err != nil {
		return "", err
	}
	var asked request
	if err := json.Unmarshal(payload, &asked); err != nil {
		return "", err
	}
	sealed, err := p.answer(ctx, asked)
	if err != nil {
		return "", err
	}
	answer, err := form(ctx, client, asked.ResponseURI, url.Values{"response": {sealed}})
	if err != nil {
		return "", err
	}
	var next struct {
		URI string `json:"redirect_uri"`
	}
	if err := json.Unmarshal(answer, &next); err != nil || next.URI == "" {
		return "", fmt.Errorf("the answer has no redirect_uri: %w", err)
	}
	return next.URI, nil
}

// answer seals the vp_token (OpenID4VP 1.0 §8.3).
func (p *Presenter) answer(ctx context.Context, asked request) (string, error) {
	receipt, err := p.holder.faceCheck(ctx)
	if err != nil {
		return "", err
	}
	token := map[string][]string{}
	for id, credential := range map[string]string{"verified_id": p.holder.verified, "face_check": receipt} {
		bound, err := p.holder.bind(credential, asked.Nonce, asked.ClientID)
		if err != nil {
			return "", err
		}
		token[id] = []string{bound}
	}
	payload, err := json.Marshal(map[string]any{"vp_token": token, "state": asked.State})
	if err != nil {
		return "", err
	}
	return jose.Recipient{Key: asked.Metadata.Keys.Keys[0], Encoding: "A128GCM"}.Seal(payload, nil)
}
