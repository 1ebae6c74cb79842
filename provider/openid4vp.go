package provider

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"time"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/verifier"
)

// openid4vp is OpenID4VP 1.0, by a link or through the browser.
type openid4vp struct {
	presentation.Profile
	random io.Reader
}

func (openid4vp) formats() []string {
	return []string{dcql.FormatSDJWT, dcql.FormatMdoc, dcql.FormatJWTVC}
}

func (e openid4vp) newRequest(w wish) ([]byte, error) {
	request, err := e.NewRequest(presentation.RequestParams{
		ResponseURI: w.responseURI, Origin: w.origin, Query: w.query, TransactionData: w.data, Lifetime: w.lifetime,
	}, e.random, w.now)
	if err != nil {
		return nil, err
	}
	return json.Marshal(request)
}

func (openid4vp) read(stored []byte) (presentation.Request, error) {
	var request presentation.Request
	if err := json.Unmarshal(stored, &request); err != nil {
		return request, fmt.Errorf("decode presentation request: %w", err)
	}
	return request, nil
}

func (e openid4vp) inLink() bool { return e.ByValue }

func (e openid4vp) link(to doors, stored []byte, now time.Time) (string, error) {
	if !e.ByValue {
		return e.Link(to.request, to.response)
	}
	request, err := e.read(stored)
	if err != nil {
		return "", err
	}
	return e.LinkWith(request, now)
}

// object is signed for each fetch; only a POST can carry a wallet_nonce, which goes into the signature (OpenID4VP 1.0 §5.10).
func (e openid4vp) object(stored []byte, form url.Values, now time.Time) (served, error) {
	request, err := e.read(stored)
	if err != nil {
		return served{}, err
	}
	said, err := presentation.ParseRequestURIPost(form)
	if err != nil {
		return served{}, err
	}
	if err := said.Check(e.Profile, request); err != nil {
		return served{}, err
	}
	body, err := e.RequestObject(request, presentation.RequestObjectParams{WalletNonce: said.Nonce, WalletKey: said.Key, Now: now})
	return served{presentation.ContentType, body}, err
}

func (e openid4vp) open(stored []byte, form url.Values, now time.Time) (opened, error) {
	request, err := e.read(stored)
	if err != nil {
		return opened{}, err
	}
	answer, err := request.Open(form, now)
	if err != nil {
		return opened{}, err
	}
	return openedBy(request, answer), nil
}

// openBrowser is open for what came through the Digital Credentials API.
func (e openid4vp) openBrowser(stored []byte, protocol, data string, now time.Time) (opened, error) {
	request, err := e.read(stored)
	if err != nil {
		return opened{}, err
	}
	answer, err := e.OpenBrowser(request, protocol, []byte(data), now)
	if err != nil {
		return opened{}, err
	}
	return openedBy(request, answer), nil
}

func openedBy(request presentation.Request, answer presentation.Answer) opened {
	o := opened{
		problem: answer.Error, shown: make(map[string]located, len(answer.Presentations)), data: request.TransactionData,
		session: verifier.Session{
			Nonce: request.Nonce, Audience: request.Audience(), ResponseURI: request.ResponseURI, Origin: request.Origin, Thumbprint: request.Thumbprint(),
		},
	}
	for id, list := range answer.Presentations {
		o.shown[id] = located{text: list[0]} // a recovery asks for one of each
	}
	return o
}
